package hotline

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/casefile"
	"parley/internal/safety/webhook"
	"parley/internal/store"
)

// Step is what followed from misuse of the lane. Values are stored.
type Step int64

// The steps.
const (
	Warning    Step = 1
	Suspension Step = 2
)

// String is the step's name in files.
func (k Step) String() string {
	if k == Suspension {
		return "suspension"
	}
	return "warning"
}

// Misuse is in which way the lane was misused. A suspension follows only a warning about the same
// (DSA Art. 23(2) and (3)).
type Misuse string

// The kinds of misuse.
const (
	// Unfounded are reports of what is manifestly no violation, Imprecise those that are
	// insufficiently precise or substantiated (DSA Art. 22(6)).
	Unfounded Misuse = "unfounded"
	Imprecise Misuse = "imprecise"
	// FalseAlarm are emergencies that were none, Flooding more reports than anybody could mean.
	FalseAlarm Misuse = "false-alarm"
	Flooding   Misuse = "flooding"
)

// Misuses are all kinds of misuse.
func Misuses() []Misuse { return []Misuse{Unfounded, Imprecise, FalseAlarm, Flooding} }

// Appeal is how far a complaint about a measure is. Values are stored.
type Appeal int64

// The states of complaints.
const (
	NoAppeal  Appeal = 0
	Contested Appeal = 1
	Upheld    Appeal = 2
	Reversed  Appeal = 3
)

// String is the state's name in files.
func (a Appeal) String() string {
	return [...]string{"", "open", "upheld", "reversed"}[min(max(a, 0), Reversed)]
}

// LongestSuspension bounds a suspension: it is for a reasonable time (DSA Art. 23(2)).
const LongestSuspension = 180 * 24 * time.Hour

const (
	// warnedFor is how long a warning counts.
	warnedFor = 365 * 24 * time.Hour
	// warnedBefore is how old a warning is at least when a suspension rests on it: whoever was
	// warned has had that long to mend it.
	warnedBefore = 7 * 24 * time.Hour
)

// Measure is a warning or a suspension.
type Measure struct {
	Agency, ID int64
	Step       Step
	// At and Until are from when to when it holds, in Unix seconds.
	At, Until int64
	Staff     int64
	Appeal    Appeal
	Reviewer  int64
	// Tell is when to try next to mail the agency of it, in Unix seconds, 0 when that is not owed;
	// Tries is how often it failed.
	Tell, Tries int64
	Reasons
}

// Reasons are what was said about a measure.
type Reasons struct {
	Why string `cbor:"1,keyasint,omitempty"`
	// Record is how the agency's word had held when it was taken.
	Record Record `cbor:"2,keyasint,omitempty"`
	// Complaint is what the agency says against it, Answer what was decided about that.
	Complaint string `cbor:"3,keyasint,omitempty"`
	Officer   int64  `cbor:"4,keyasint,omitempty"`
	Answer    string `cbor:"5,keyasint,omitempty"`
	Answered  int64  `cbor:"6,keyasint,omitempty"`
	// Misuse is the kind of it, Warned the warning that a suspension rests on.
	Misuse Misuse `cbor:"7,keyasint,omitempty"`
	Warned int64  `cbor:"8,keyasint,omitempty"`
	// Wanted is for how many seconds a suspension is to last that waits for a second person, 0 once
	// Second has confirmed it. What waits holds nowhere, and the agency is not told of it.
	Wanted int64 `cbor:"9,keyasint,omitempty"`
	Second int64 `cbor:"10,keyasint,omitempty"`
	// Dropped is set for a suspension that the second person did not confirm.
	Dropped bool `cbor:"11,keyasint,omitempty"`
}

// Waits tells whether a measure is a suspension that a second person has to confirm.
func (m Measure) Waits() bool { return m.Wanted != 0 && !m.Dropped }

// Taken tells whether a measure was taken: the agency is told of it.
func (m Measure) Taken() bool { return m.Wanted == 0 }

func readMeasure(x store.HotlineMeasure) (Measure, error) {
	m := Measure{
		Agency: x.Agency, ID: x.ID, Step: Step(x.Kind), At: x.At, Until: x.Until, Staff: x.Staff,
		Appeal: Appeal(x.Appeal), Reviewer: x.Reviewer, Tell: x.Tell, Tries: x.Tries,
	}
	if err := cbor.Unmarshal(x.Body, &m.Reasons); err != nil {
		return m, fmt.Errorf("hotline: measure %d: %w", x.ID, err)
	}
	return m, nil
}

func putMeasure(tx *store.Tx, m Measure) error {
	body, err := cbor.Marshal(m.Reasons)
	if err != nil {
		return fmt.Errorf("hotline: %w", err)
	}
	return tx.PutHotlineMeasure(store.HotlineMeasure{
		Agency: m.Agency, ID: m.ID, Kind: int64(m.Step), At: m.At, Until: m.Until, Staff: m.Staff,
		Appeal: int64(m.Appeal), Reviewer: m.Reviewer, Tell: m.Tell, Tries: m.Tries,
		Body: body,
	})
}

func readMeasures(rows []store.HotlineMeasure, err error) ([]Measure, error) {
	if err != nil {
		return nil, err
	}
	out := make([]Measure, len(rows))
	for n, x := range rows {
		if out[n], err = readMeasure(x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Measures returns the warnings and suspensions of an agency, the oldest first, with suspensions
// that wait for a second person: for staff.
func Measures(r *store.Reader, of int64) ([]Measure, error) {
	return readMeasures(r.HotlineMeasures(of))
}

// MeasuresTaken are those of an agency that were taken: for the agency.
func MeasuresTaken(r *store.Reader, of int64) ([]Measure, error) {
	list, err := Measures(r, of)
	return slices.DeleteFunc(list, func(m Measure) bool { return !m.Taken() }), err
}

// ContestedMeasures returns up to limit measures about which agencies complain, the oldest first.
func ContestedMeasures(r *store.Reader, limit int) ([]Measure, error) {
	return readMeasures(r.ContestedHotlineMeasures(limit))
}

// SuspensionOf returns the suspension of an agency that holds at a time, nil for none.
func SuspensionOf(r *store.Reader, of, now int64) (*Measure, error) {
	list, err := Measures(r, of)
	for _, m := range list {
		if m.Step == Suspension && m.Taken() && m.At <= now && m.Until > now &&
			m.Appeal != Reversed {
			return &m, err
		}
	}
	return nil, err
}

// Warn warns an agency that misuses the lane: what led to it is written down with its record, and
// it is told.
func (s *Service) Warn(
	ctx context.Context, staff int64, of agency.Agency, how Misuse, why string,
) (Measure, error) {
	return s.measure(ctx, of, Measure{
		Step: Warning, Staff: staff, Reasons: Reasons{Misuse: how, Why: why},
	}, warnedFor)
}

// Suspend proposes that the lane of an agency is closed for a time, because it went on as before
// after a warning about the same (DSA Art. 23(2) and (3)). It holds once another person has
// confirmed it. ErrNoWarning says that there was no such warning, a week ago at least and a year at
// most, or that nothing of the kind came after it; ErrState that a suspension holds or waits.
func (s *Service) Suspend(
	ctx context.Context, staff int64, of agency.Agency, how Misuse, lasts time.Duration, why string,
) (Measure, error) {
	wanted := min(lasts, LongestSuspension)
	return s.measure(ctx, of, Measure{
		Step: Suspension, Staff: staff, Reasons: Reasons{
			Misuse: how, Why: why, Wanted: max(int64(wanted/time.Second), 1),
		},
	}, 0)
}

// Confirm is another person's word about a suspension that was proposed: it holds from now on, and
// the agency is told with the reasons; or it is dropped. ErrSamePerson is for who proposed it,
// ErrState for what does not wait.
func (s *Service) Confirm(ctx context.Context, staff, of, id int64, confirmed bool) error {
	return s.changeMeasure(ctx, of, id, func(tx *store.Tx, m *Measure, now int64) error {
		switch {
		case !m.Waits():
			return ErrState
		case !confirmed:
			m.Dropped, m.Second = true, staff
			return nil
		case staff <= 0 || staff == m.Staff:
			return ErrSamePerson
		}
		m.At, m.Until, m.Tell = now, now+m.Wanted, now
		m.Wanted, m.Second = 0, staff
		return s.measured(tx, staff, *m)
	})
}

// measured writes down that a measure was taken, and has the agency's programs told, in the
// transaction in which it is.
func (s *Service) measured(tx *store.Tx, staff int64, m Measure) error {
	kind := webhook.Warning
	if m.Step == Suspension {
		kind = webhook.Suspension
	}
	text := m.Step.String() + " (" + string(m.Misuse) + "): " + m.Why
	return s.tell(tx, staff, m, text, kind, string(m.Misuse))
}

// tell writes down what was done about misuse, and has the agency's programs told how it stands.
func (s *Service) tell(
	tx *store.Tx, staff int64, m Measure, text string, kind webhook.Kind, state string,
) error {
	err := s.Agencies.NoteIn(tx, m.Agency, agency.Event{
		Staff: staff, Kind: agency.Misuse, Text: text,
	})
	if err != nil {
		return err
	}
	return s.Owe(tx, m.Agency, webhook.Event{
		Event: kind, Reference: strconv.FormatInt(m.ID, 10), State: state, Path: api + "/measures",
	})
}

func (s *Service) measure(
	ctx context.Context, of agency.Agency, m Measure, lasts time.Duration,
) (Measure, error) {
	var err error
	if m.Why, err = text(m.Why, whyBytes); err != nil {
		return m, err
	}
	switch {
	case of.Kind.Official():
		return m, ErrKind
	case !slices.Contains(Misuses(), m.Misuse):
		return m, ErrText
	}
	now := s.Clock.Now()
	m.Agency, m.At, m.Until = of.ID, now.Unix(), now.Add(lasts).Unix()
	if m.Taken() {
		m.Tell = m.At
	}
	if m.ID, err = safety.NewID(now, s.Random); err != nil {
		return m, fmt.Errorf("hotline: %w", err)
	}
	err = s.Store.Update(ctx, key(of.ID), func(tx *store.Tx) error {
		if m.Step == Suspension {
			if m.Warned, err = warned(&tx.Reader, m); err != nil {
				return err
			}
		}
		f, err := FiguresOf(&tx.Reader, of, m.At)
		if err != nil {
			return err
		}
		m.Record = f.Record
		if err := putMeasure(tx, m); err != nil || !m.Taken() {
			return err
		}
		return s.measured(tx, m.Staff, m)
	})
	return m, err
}

// warned is the warning that a suspension rests on.
func warned(r *store.Reader, m Measure) (int64, error) {
	list, err := Measures(r, m.Agency)
	if err != nil {
		return 0, err
	}
	var found Measure
	for _, x := range list {
		switch {
		case x.Step == Suspension && (x.Waits() || x.Taken() && x.Until > m.At &&
			x.Appeal != Reversed):
			return 0, ErrState
		case x.Step == Warning && x.Misuse == m.Misuse && x.Until > m.At &&
			x.Appeal != Reversed && x.At+int64(warnedBefore/time.Second) <= m.At:
			found = x
		}
	}
	if found.ID == 0 {
		return 0, ErrNoWarning
	}
	if m.Misuse != Unfounded { // what else there is no row counts: the reasons say it
		return found.ID, nil
	}
	items, err := DecidedSince(r, m.Agency, found.At, 0, recordMost)
	for _, i := range items {
		if i.Created > found.At && casefile.Outcome(i.Outcome) == casefile.Unfounded {
			return found.ID, err
		}
	}
	if err == nil {
		err = ErrNoWarning
	}
	return 0, err
}

// Complain makes an agency's complaint about a measure; ErrState when there was one.
func (s *Service) Complain(ctx context.Context, of, officer, id int64, why string) error {
	why, err := text(why, whyBytes)
	if err != nil {
		return err
	}
	return s.changeMeasure(ctx, of, id, func(_ *store.Tx, m *Measure, _ int64) error {
		if m.Appeal != NoAppeal || !m.Taken() {
			return ErrState
		}
		m.Appeal, m.Complaint, m.Officer = Contested, why, officer
		return nil
	})
}

// Review decides about a complaint: somebody who had no part in the measure. What is reversed does
// not hold any more; the agency is told how it ended, and why.
func (s *Service) Review(
	ctx context.Context, staff, of, id int64, upheld bool, answer string,
) error {
	answer, err := text(answer, whyBytes)
	if err != nil {
		return err
	}
	return s.changeMeasure(ctx, of, id, func(tx *store.Tx, m *Measure, now int64) error {
		switch {
		case m.Appeal != Contested:
			return ErrState
		case staff <= 0 || m.Staff == staff || m.Second == staff:
			return ErrSamePerson
		}
		m.Appeal, m.Reviewer, m.Answer, m.Answered = Upheld, staff, answer, now
		m.Tell, m.Tries = now, 0
		if !upheld {
			m.Appeal, m.Until = Reversed, min(m.Until, now)
		}
		return s.tell(tx, staff, *m, "complaint: "+answer, webhook.Complaint, m.Appeal.String())
	})
}

func (s *Service) changeMeasure(
	ctx context.Context, of, id int64, fn func(tx *store.Tx, m *Measure, now int64) error,
) error {
	return s.Store.Update(ctx, key(of), func(tx *store.Tx) error {
		list, err := Measures(&tx.Reader, of)
		if err != nil {
			return err
		}
		for _, m := range list {
			if m.ID != id {
				continue
			}
			if err := fn(tx, &m, s.Clock.Now().Unix()); err != nil {
				return err
			}
			return putMeasure(tx, m)
		}
		return store.ErrNotFound
	})
}
