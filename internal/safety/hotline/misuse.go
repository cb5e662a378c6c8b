package hotline

import (
	"context"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/safety"
	"parley/internal/safety/agency"
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

// warnedFor is how long a warning counts.
const warnedFor = 365 * 24 * time.Hour

// Measure is a warning or a suspension.
type Measure struct {
	Agency, ID int64
	Step       Step
	// At and Until are from when to when it holds, in Unix seconds.
	At, Until int64
	Staff     int64
	Appeal    Appeal
	Reviewer  int64
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
}

func readMeasure(x store.HotlineMeasure) (Measure, error) {
	m := Measure{
		Agency: x.Agency, ID: x.ID, Step: Step(x.Kind), At: x.At, Until: x.Until, Staff: x.Staff,
		Appeal: Appeal(x.Appeal), Reviewer: x.Reviewer,
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
		Appeal: int64(m.Appeal), Reviewer: m.Reviewer, Body: body,
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

// Measures returns the warnings and suspensions of an agency, the oldest first.
func Measures(r *store.Reader, of int64) ([]Measure, error) {
	return readMeasures(r.HotlineMeasures(of))
}

// ContestedMeasures returns up to limit measures about which agencies complain, the oldest first.
func ContestedMeasures(r *store.Reader, limit int) ([]Measure, error) {
	return readMeasures(r.ContestedHotlineMeasures(limit))
}

// SuspensionOf returns the suspension of an agency that holds at a time, nil for none.
func SuspensionOf(r *store.Reader, of, now int64) (*Measure, error) {
	list, err := Measures(r, of)
	for _, m := range list {
		if m.Step == Suspension && m.Until > now && m.Appeal != Reversed {
			return &m, err
		}
	}
	return nil, err
}

// Warn warns an agency that misuses the lane: what led to it is written down with its record.
func (s *Service) Warn(
	ctx context.Context, staff int64, of agency.Agency, why string,
) (Measure, error) {
	return s.measure(ctx, staff, of, Measure{Step: Warning}, warnedFor, why)
}

// Suspend has the reports of an agency not dealt with for a time, because it went on after a
// warning (DSA Art. 23(2)). ErrNoWarning for one that was not warned within a year.
func (s *Service) Suspend(
	ctx context.Context, staff int64, of agency.Agency, time time.Duration, why string,
) (Measure, error) {
	return s.measure(ctx, staff, of, Measure{Step: Suspension}, min(time, LongestSuspension), why)
}

func (s *Service) measure(
	ctx context.Context, staff int64, of agency.Agency, m Measure, lasts time.Duration, why string,
) (Measure, error) {
	var err error
	if m.Why, err = text(why, whyBytes); err != nil {
		return m, err
	}
	if of.Kind.Official() {
		return m, ErrKind
	}
	now := s.Clock.Now()
	m.Agency, m.Staff, m.At, m.Until = of.ID, staff, now.Unix(), now.Add(lasts).Unix()
	if m.ID, err = safety.NewID(now, s.Random); err != nil {
		return m, fmt.Errorf("hotline: %w", err)
	}
	err = s.Store.Update(ctx, key(of.ID), func(tx *store.Tx) error {
		list, err := Measures(&tx.Reader, of.ID)
		if err != nil {
			return err
		}
		warned := false
		for _, x := range list {
			warned = warned || x.Step == Warning && x.Until > m.At && x.Appeal != Reversed
		}
		if m.Step == Suspension && !warned {
			return ErrNoWarning
		}
		f, err := FiguresOf(&tx.Reader, of, m.At)
		if err != nil {
			return err
		}
		m.Record = f.Record
		return putMeasure(tx, m)
	})
	if err != nil {
		return m, err
	}
	return m, s.Agencies.Note(ctx, of.ID, agency.Event{
		Staff: staff, Kind: agency.Misuse, Text: m.Step.String() + ": " + m.Why,
	})
}

// Complain makes an agency's complaint about a measure; ErrState when there was one.
func (s *Service) Complain(ctx context.Context, of, officer, id int64, why string) error {
	why, err := text(why, whyBytes)
	if err != nil {
		return err
	}
	return s.changeMeasure(ctx, of, id, func(m *Measure, _ int64) error {
		if m.Appeal != NoAppeal {
			return ErrState
		}
		m.Appeal, m.Complaint, m.Officer = Contested, why, officer
		return nil
	})
}

// Review decides about a complaint: another person than who took the measure. What is reversed does
// not hold any more.
func (s *Service) Review(
	ctx context.Context, staff, of, id int64, upheld bool, answer string,
) error {
	answer, err := text(answer, whyBytes)
	if err != nil {
		return err
	}
	err = s.changeMeasure(ctx, of, id, func(m *Measure, now int64) error {
		switch {
		case m.Appeal != Contested:
			return ErrState
		case m.Staff == staff:
			return ErrSamePerson
		}
		m.Appeal, m.Reviewer, m.Answer, m.Answered = Upheld, staff, answer, now
		if !upheld {
			m.Appeal, m.Until = Reversed, min(m.Until, now)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.Agencies.Note(ctx, of, agency.Event{
		Staff: staff, Kind: agency.Misuse, Text: "complaint: " + answer,
	})
}

func (s *Service) changeMeasure(
	ctx context.Context, of, id int64, fn func(m *Measure, now int64) error,
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
			if err := fn(&m, s.Clock.Now().Unix()); err != nil {
				return err
			}
			return putMeasure(tx, m)
		}
		return store.ErrNotFound
	})
}
