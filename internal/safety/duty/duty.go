// Package duty keeps what the law wants told to others about a case without being asked: that a
// crime against life is suspected, that a child is abused. It keeps who drew a report up and who
// approved it, hands it over, tries again, and keeps the proof that it arrived, or the reason why
// nothing was told. What is in a report and who receives it is up to the package of its kind.
//
// Invariants: nothing is handed over that no person sent; what is sent is what was approved, byte
// for byte; a duty is delivered only when the receiver said so; the line in the public log and the
// delivery are one transaction; what was reported is kept as evidence for a year after that.
package duty

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
	"unicode/utf8"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/safety/evidence"
	"parley/internal/safety/ledger"
	"parley/internal/safety/owed"
	"parley/internal/store"
	"parley/internal/tlog/entry"
)

// Kind is what a duty is about. Values are stored.
type Kind int64

// The kinds of duties.
const (
	// Crime is a suspicion of a crime that threatens life or safety (DSA Art. 18).
	Crime Kind = 1
	// ChildAbuse is a report to the CyberTipline of the NCMEC (18 U.S.C. § 2258A).
	ChildAbuse Kind = 2
)

// String is the kind's name in pages and metrics.
func (k Kind) String() string {
	switch k {
	case Crime:
		return "crime"
	case ChildAbuse:
		return "child-abuse"
	}
	return "unknown"
}

// State is how far a duty is. Values are stored.
type State int64

// The states.
const (
	// Open waits for a person who reports, or says why not: something was decided without either.
	Open State = 1
	// Proposed waits for a second person.
	Proposed State = 2
	// Owed is to be handed over.
	Owed State = 3
	// Delivered has arrived; Receipt proves it.
	Delivered State = 4
	// Refused was not taken by the receiver, who said why: somebody has to act.
	Refused State = 5
	// Declined was found to be nothing that has to be reported, for a reason that is kept.
	Declined State = 6
	// Withdrawn was taken back before it was handed over.
	Withdrawn State = 7
)

// States are all states.
func States() []State {
	return []State{Open, Proposed, Owed, Delivered, Refused, Declined, Withdrawn}
}

// String is the state's name in pages and metrics.
func (s State) String() string {
	names := [...]string{
		Open: "open", Proposed: "proposed", Owed: "owed", Delivered: "delivered",
		Refused: "refused", Declined: "declined", Withdrawn: "withdrawn",
	}
	if s < Open || int(s) >= len(names) {
		return "unknown"
	}
	return names[s]
}

// Flags of rows.
const (
	// Urgent was sent on the word of one person.
	Urgent = 1
	// shown was written down by a dry run.
	shown = 2
)

// Keep is how long what was reported is kept after it arrived: a year. The law wants that of
// reports to the CyberTipline; suspicions of crimes are kept as long, for the same investigators.
//
// https://www.law.cornell.edu/uscode/text/18/2258A
const Keep = 365 * 24 * time.Hour

// reasonRunes bounds reasons, in characters, and bodyBytes what a report says.
const (
	reasonRunes = 5000
	bodyBytes   = 1 << 20
)

// Errors of duties.
var (
	// ErrState says that a duty is not in the state that this needs.
	ErrState = errors.New("duty: its state does not allow it")
	// ErrSamePerson says that it takes another person.
	ErrSamePerson = errors.New("duty: it takes another person")
	// ErrChanged says that the report is not the one that was looked at.
	ErrChanged = errors.New("duty: the report was changed meanwhile")
	// ErrReason says that a reason is missing or too long.
	ErrReason = errors.New("duty: it takes a reason")
	// ErrUnderWay says that there is a report about the case already.
	ErrUnderWay = errors.New("duty: the case is reported already")
)

// RefusedError says that the receiver does not take a report, and will not when it is sent again.
type RefusedError struct{ Reason string }

// Error says what the receiver said.
func (e *RefusedError) Error() string { return "duty: refused: " + e.Reason }

// PauseError says that the receiver cannot be used now.
type PauseError struct {
	// After is how long he asked to be left alone, 0 when he did not say.
	After time.Duration
	// Denied is set when he does not know us: somebody has to act.
	Denied bool
	Err    error
}

// Error says what happened.
func (e *PauseError) Error() string { return fmt.Sprintf("duty: not taken now: %v", e.Err) }

// Unwrap is what happened.
func (e *PauseError) Unwrap() error { return e.Err }

// Options are what a Service is made of.
type Options struct {
	Store  *store.Store
	Clock  clock.Clock
	Random io.Reader
	Log    *slog.Logger
	Kind   Kind
	// Send hands a report over and returns the receiver's proof. It calls note with what the
	// receiver calls it before anything is final there; when it is tried again, that is d.Place. A
	// RefusedError ends it, any other error has it tried again. Nil is a dry run.
	Send func(
		ctx context.Context, d store.Duty, note func(place string) error,
	) (receipt string, err error)
	// Show writes down what a dry run would send; nil shows nothing.
	Show func(ctx context.Context, d store.Duty) error
	// Public are the fields of a delivered report's line in the public log.
	Public func(d store.Duty) entry.Entry
	// Settled hears of every report that arrived or was refused; nil hears nothing.
	Settled func(d store.Duty)
	// Alarm hears of every report that needs somebody now; nil hears nothing.
	Alarm func(d store.Duty, why string)
	// Crash is called between the steps of a delivery by tests, and may end it there; nil in
	// production.
	Crash func(point string) error
}

// Service keeps and sends the reports of one kind. Only one may send at a time.
type Service struct {
	Options
	worker owed.Worker
	rest   owed.Rest
}

// New returns a service.
func New(o Options) *Service {
	if o.Settled == nil {
		o.Settled = func(store.Duty) {}
	}
	if o.Alarm == nil {
		o.Alarm = func(store.Duty, string) {}
	}
	return &Service{Options: o, rest: owed.Rest{Backoff: backoff()}}
}

// Digest names what a report says: people approve it by that.
func Digest(d store.Duty) string {
	sum := sha256.Sum256(d.Body)
	return hex.EncodeToString(sum[:])
}

// promptly is by when a report that was drawn up is approved, or one that was left open decided:
// then it alarms. The law says "promptly" and "as soon as reasonably possible".
const promptly = time.Hour

// OpenIn writes down that somebody has to report a case or say why not, in the transaction of its
// subject's peer, unless somebody did.
func (s *Service) OpenIn(tx *store.Tx, subject ids.Peer, of, id int64) error {
	settled, err := s.Answered(&tx.Reader, subject, of)
	if err != nil || settled {
		return err
	}
	list, err := tx.DutiesOf(subject, of)
	if err != nil {
		return err
	}
	for _, d := range list {
		if Kind(d.Kind) == s.Kind && State(d.State) == Open {
			return nil
		}
	}
	now := s.Clock.Now()
	return tx.PutDuty(store.Duty{
		Subject: subject, ID: id, Kind: int64(s.Kind), Case: of, State: int64(Open),
		Created: now.Unix(), Due: now.Add(promptly).Unix(), Body: []byte{},
	})
}

// Answered tells whether a person reported a case or said why not.
func (s *Service) Answered(r *store.Reader, subject ids.Peer, of int64) (bool, error) {
	list, err := r.DutiesOf(subject, of)
	for _, d := range list {
		if Kind(d.Kind) != s.Kind {
			continue
		}
		switch State(d.State) {
		case Proposed, Owed, Delivered, Refused, Declined:
			return true, err
		}
	}
	return false, err
}

// Record writes down a report about a case. It is owed at once, or waits for a second person. What
// the case has as evidence is held from now on. ErrUnderWay is for a case with another report that
// was not withdrawn.
func (s *Service) Record(
	ctx context.Context, subject ids.Peer, of, staff int64, body []byte, second bool,
) (out store.Duty, err error) {
	if len(body) == 0 || len(body) > bodyBytes {
		return out, fmt.Errorf("duty: a report of %d bytes", len(body))
	}
	state := Owed
	if second {
		state = Proposed
	}
	out, err = s.begin(ctx, subject, of, staff, state, func(d *store.Duty) { d.Body = body })
	if err == nil && !second {
		s.worker.Wake()
	}
	return out, err
}

// Decline writes down why nothing about a case has to be reported.
func (s *Service) Decline(
	ctx context.Context, subject ids.Peer, of, staff int64, reason string,
) (out store.Duty, err error) {
	if err := checkReason(reason); err != nil {
		return out, err
	}
	return s.begin(ctx, subject, of, staff, Declined, func(d *store.Duty) {
		d.Problem, d.Settled = reason, s.Clock.Now().Unix()
	})
}

func checkReason(reason string) error {
	if reason == "" || utf8.RuneCountInString(reason) > reasonRunes {
		return ErrReason
	}
	return nil
}

// begin writes a duty about a case in a state, in the place of one that was left open.
func (s *Service) begin(
	ctx context.Context, subject ids.Peer, of, staff int64, state State, fill func(*store.Duty),
) (out store.Duty, err error) {
	now := s.Clock.Now()
	fresh, err := safety.NewID(now, s.Random)
	if err != nil {
		return out, fmt.Errorf("duty: %w", err)
	}
	piece, err := safety.NewID(now, s.Random)
	if err != nil {
		return out, fmt.Errorf("duty: %w", err)
	}
	seen, err := s.look(ctx, subject, of)
	if err != nil {
		return out, err
	}
	err = s.Store.Update(ctx, subject, func(tx *store.Tx) error {
		c, err := tx.Case(subject, of)
		if err != nil {
			return err
		}
		out = store.Duty{
			Subject: subject, ID: fresh, Kind: int64(s.Kind), Case: of, Created: now.Unix(),
			Body: []byte{},
		}
		if err := s.replace(tx, &out, state); err != nil {
			return err
		}
		out.State, out.By, out.Due = int64(state), staff, now.Unix()
		if state == Proposed {
			out.Due = now.Add(promptly).Unix()
		}
		fill(&out)
		if seen != nil {
			if err := evidence.Keep(tx, of, *seen, piece); err != nil {
				return err
			}
		}
		if state != Declined {
			if err := hold(tx, out, 0); err != nil {
				return err
			}
		}
		return s.write(tx, &c, out, safety.Actor{Staff: staff}, out.Problem)
	})
	return out, err
}

// replace takes the place of what was left open about a case, and refuses a second report.
func (s *Service) replace(tx *store.Tx, out *store.Duty, state State) error {
	list, err := tx.DutiesOf(out.Subject, out.Case)
	if err != nil {
		return err
	}
	for _, d := range list {
		if Kind(d.Kind) != s.Kind {
			continue
		}
		switch State(d.State) {
		case Open:
			out.ID, out.Created = d.ID, d.Created
		case Withdrawn:
		case Declined:
			if state == Declined {
				return ErrUnderWay
			}
		default:
			return ErrUnderWay
		}
	}
	return nil
}

// look captures the subject of a case that has no evidence yet; nil when it has.
func (s *Service) look(
	ctx context.Context, subject ids.Peer, of int64,
) (seen *evidence.Capture, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		seen = nil
		c, err := r.Case(subject, of)
		if err != nil {
			return err
		}
		have, err := evidence.Of(r, subject, of)
		if err != nil || len(have) > 0 {
			return err
		}
		capture, err := evidence.Look(r, casefile.Subject(c), 0, s.Clock.Now().Unix())
		seen = &capture
		return err
	})
	return seen, err
}

// hold keeps the evidence of a duty's case until a time, 0 for as long as it is under way.
func hold(tx *store.Tx, d store.Duty, ends int64) error {
	return tx.PutHold(store.Hold{
		Subject: d.Subject, ID: d.ID, Case: d.Case, Staff: d.By,
		Reason: "reported: " + Kind(d.Kind).String(), Set: d.Created, Ends: ends,
	})
}

// write writes a duty and an event of its case.
func (s *Service) write(
	tx *store.Tx, c *store.Case, d store.Duty, by safety.Actor, text string,
) error {
	if err := tx.PutDuty(d); err != nil {
		return err
	}
	said := Kind(d.Kind).String() + ": " + State(d.State).String()
	if text != "" {
		said += ": " + text
	}
	return casefile.Write(tx, c, s.Clock.Now().Unix(), casefile.Event{
		Kind: casefile.ToldOthers, By: by, N: d.ID, Text: said,
	})
}

// change changes a duty that is in one of some states, with an event of its case.
func (s *Service) change(
	ctx context.Context, subject ids.Peer, id int64, by safety.Actor, text string,
	fn func(*store.Tx, *store.Duty) error,
) (out store.Duty, err error) {
	err = s.Store.Update(ctx, subject, func(tx *store.Tx) error {
		d, err := tx.Duty(subject, id)
		if err != nil {
			return err
		}
		if Kind(d.Kind) != s.Kind {
			return store.ErrNotFound
		}
		c, err := tx.Case(subject, d.Case)
		if err != nil {
			return err
		}
		if err := fn(tx, &d); err != nil {
			return err
		}
		out = d
		return s.write(tx, &c, d, by, text)
	})
	return out, err
}

// Approve gives the second word to a proposed report, which is owed from now on. digest names what
// was looked at.
func (s *Service) Approve(
	ctx context.Context, subject ids.Peer, id, staff int64, digest string,
) (store.Duty, error) {
	return s.release(ctx, subject, id, staff, "", func(d *store.Duty) error {
		switch {
		case State(d.State) != Proposed:
			return ErrState
		case d.By == staff:
			return ErrSamePerson
		case Digest(*d) != digest:
			return ErrChanged
		}
		d.Second = staff
		return nil
	})
}

// Urge sends a proposed report on the word of one person, who says why nobody can be waited for.
func (s *Service) Urge(
	ctx context.Context, subject ids.Peer, id, staff int64, reason string,
) (store.Duty, error) {
	if err := checkReason(reason); err != nil {
		return store.Duty{}, err
	}
	d, err := s.release(ctx, subject, id, staff, reason, func(d *store.Duty) error {
		if State(d.State) != Proposed {
			return ErrState
		}
		d.Flags |= Urgent
		return nil
	})
	if err == nil {
		s.Alarm(d, "sent on the word of one person")
	}
	return d, err
}

// Again sends a report that was refused once more, as body says it now.
func (s *Service) Again(
	ctx context.Context, subject ids.Peer, id, staff int64, body []byte,
) (store.Duty, error) {
	if len(body) == 0 || len(body) > bodyBytes {
		return store.Duty{}, fmt.Errorf("duty: a report of %d bytes", len(body))
	}
	return s.release(ctx, subject, id, staff, "", func(d *store.Duty) error {
		if State(d.State) != Refused {
			return ErrState
		}
		if d.Body = body; d.By != staff {
			d.Second = staff
		}
		return nil
	})
}

// release has a report owed.
func (s *Service) release(
	ctx context.Context, subject ids.Peer, id, staff int64, text string,
	fn func(*store.Duty) error,
) (store.Duty, error) {
	by := safety.Actor{Staff: staff}
	d, err := s.change(ctx, subject, id, by, text, func(_ *store.Tx, d *store.Duty) error {
		if err := fn(d); err != nil {
			return err
		}
		d.State, d.Due, d.Tries, d.Problem = int64(Owed), s.Clock.Now().Unix(), 0, ""
		d.Flags &^= shown
		return nil
	})
	if err == nil {
		s.worker.Wake()
	}
	return d, err
}

// Withdraw takes back a report that was not handed over yet, or that was refused.
func (s *Service) Withdraw(
	ctx context.Context, subject ids.Peer, id, staff int64, reason string,
) (store.Duty, error) {
	if err := checkReason(reason); err != nil {
		return store.Duty{}, err
	}
	by := safety.Actor{Staff: staff}
	return s.change(ctx, subject, id, by, reason, func(tx *store.Tx, d *store.Duty) error {
		// What has a place at the receiver may be with him already.
		state := State(d.State)
		if state != Proposed && state != Refused && (state != Owed || d.Place != "") {
			return ErrState
		}
		d.State, d.Problem, d.Settled = int64(Withdrawn), reason, s.Clock.Now().Unix()
		return hold(tx, *d, d.Settled)
	})
}

// line is the line of a delivered report in the public log.
func (s *Service) line(d store.Duty) ledger.Line {
	return ledger.Line{
		Subject: d.Subject, ID: d.ID, Kind: ledger.Disclosure, At: d.Settled,
		Entry: s.Public(d), Record: Record{
			Kind: Kind(d.Kind).String(), Duty: d.ID, At: d.Settled, Digest: Digest(d),
			Receipt: d.Receipt,
		},
	}
}

// Record is what the public line of a report commits to. It names nobody.
type Record struct {
	Kind string `json:"kind"`
	Duty int64  `json:"duty"`
	At   int64  `json:"at"`
	// Digest is that of what was sent, Receipt what the receiver answered.
	Digest  string `json:"digest"`
	Receipt string `json:"receipt"`
}
