package casefile

import (
	"context"
	"errors"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/evidence"
	"parley/internal/store"
)

// Verdict is how a case is closed.
type Verdict struct {
	Outcome Outcome
	// Decision is the decision that closes it, 0 for none.
	Decision int64
	By       safety.Actor
	Text     string
}

// Close closes a case in the transaction of the decision: its reports get their outcome, which a
// worker tells their makers, and its evidence the time for which it is kept on. It returns how many
// reports those are. Closing it again is ErrClosed. The case is as the transaction has it.
func Close(tx *store.Tx, c store.Case, now int64, v Verdict) (reports int64, err error) {
	if c.Closed != 0 {
		return 0, ErrClosed
	}
	c.State = int64(Decided)
	if v.Outcome == Refuted || v.Outcome == Unfounded {
		c.State = int64(Dismissed)
	}
	c.Outcome, c.Decision, c.Closed = int64(v.Outcome), v.Decision, now
	c.Lease = 0
	if reports, err = tx.DecideReports(c.Subject, c.ID, int64(v.Outcome), now); err != nil {
		return 0, err
	}
	if err := evidence.Release(tx, c, now); err != nil {
		return 0, err
	}
	return reports, Write(tx, &c, now, Event{
		Kind: Closed, By: v.By, N: int64(v.Outcome), Text: v.Text,
	})
}

// Reconsider gives a closed case another outcome, because its decision was reversed, or replaced by
// the one that v names, in the transaction of that. Whoever reported is owed the news; what entered
// his record is entered anew. It returns whether anybody reported.
func Reconsider(tx *store.Tx, subject ids.Peer, id, now int64, v Verdict) (told bool, err error) {
	c, err := tx.Case(subject, id)
	if err != nil {
		return false, err
	}
	if c.Closed == 0 {
		return false, nil // its reports wait for another decision
	}
	reports, err := tx.Reports(subject, id, 0, 1)
	if err != nil {
		return false, err
	}
	if err := tx.ChangeReports(subject, id, int64(v.Outcome), now); err != nil {
		return false, err
	}
	c.Outcome, c.Decision = int64(v.Outcome), v.Decision
	return len(reports) > 0, Write(tx, &c, now, Event{
		Kind: OutcomeChanged, By: v.By, N: int64(v.Outcome), Text: v.Text,
	})
}

// PendingOutcomes returns up to limit reports after an id that were decided and whose makers were
// not told. Who made them is told by intake.Service.Identify.
func PendingOutcomes(r *store.Reader, after int64, limit int) ([]store.Report, error) {
	return r.UntoldReports(after, limit)
}

// SetTold notes that the maker of a report was told of its outcome, in the transaction of the
// report's subject.
func SetTold(tx *store.Tx, subject ids.Peer, report, now int64) error {
	return tx.SetReportTold(subject, report, now)
}

// sweepPage is how many cases one step of a sweep looks at.
const sweepPage = 100

// Sweep gives back to their queues the cases whose leases ended, and alarms for those that became
// overdue. It may run twice; it returns how many cases alarmed.
func (s *Service) Sweep(ctx context.Context) (alarmed int, err error) {
	if err := s.lapse(ctx); err != nil {
		return 0, err
	}
	for {
		var list []store.Case
		now := s.Clock.Now().Unix()
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = r.OverdueCases(now, sweepPage)
			return err
		})
		if err != nil || len(list) == 0 {
			return alarmed, err
		}
		for _, c := range list {
			got, err := s.change(ctx, c.Subject, c.ID, overdue)
			if err != nil && !errors.Is(err, ErrClosed) {
				return alarmed, err
			}
			if err == nil {
				alarmed++
				if s.Alarm != nil {
					s.Alarm(got)
				}
			}
		}
	}
}

func overdue(c *store.Case, now int64) (Event, error) {
	c.Alarmed = now
	return Event{Kind: Overdue}, nil
}

// lapse ends the leases that have run out.
func (s *Service) lapse(ctx context.Context) error {
	for {
		var list []store.Case
		now := s.Clock.Now().Unix()
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = r.LapsedCases(now, sweepPage)
			return err
		})
		if err != nil || len(list) == 0 {
			return err
		}
		for _, c := range list {
			_, err := s.change(ctx, c.Subject, c.ID, func(c *store.Case, now int64) (Event, error) {
				if c.Lease == 0 || c.Lease >= now {
					return Event{}, ErrTaken
				}
				if State(c.State) == AwaitsSecond {
					c.Reviewer = 0
				} else {
					c.Staff, c.State = 0, int64(Open)
				}
				c.Lease = 0
				return Event{Kind: LeaseLapsed}, nil
			})
			if err != nil && !errors.Is(err, ErrClosed) && !errors.Is(err, ErrTaken) {
				return err
			}
		}
	}
}
