package decide

import (
	"context"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/store"
)

// Second puts a proposal into force in the name of a second person. ErrSamePerson is for who
// proposed it, ErrState for what is no proposal any more; the same person's second call returns the
// decision.
func (s *Service) Second(
	ctx context.Context, subject ids.Peer, id, staff int64,
) (out Decision, err error) {
	now := s.Clock.Now().Unix()
	err = s.Store.Update(ctx, subject, func(tx *store.Tx) (err error) {
		out, err = s.second(tx, subject, id, staff, now)
		return err
	})
	if err != nil {
		return Decision{}, err
	}
	s.crash("committed")
	s.told(out)
	return out, nil
}

func (s *Service) second(
	tx *store.Tx, subject ids.Peer, id, staff, now int64,
) (out Decision, err error) {
	x, err := tx.Decision(subject, id)
	if err != nil {
		return out, err
	}
	switch {
	case State(x.State) == Effective && x.Second == staff:
		out, err = read(x)
		out.Again = true
		return out, err
	case State(x.State) != Proposed:
		return out, ErrState
	case staff <= 0, staff == x.By && x.Flags&needsSecond != 0:
		return out, ErrSamePerson
	}
	d, err := read(x)
	if err != nil {
		return out, err
	}
	if d.Ends > 0 && d.Ends <= now {
		return out, Refusal{"duration", "past"}
	}
	c, err := tx.Case(subject, x.Case)
	if err != nil {
		return out, err
	}
	if staff != x.By {
		x.Second = staff
	}
	draft := d.Draft
	draft.Outcome = casefile.Outcome(c.Outcome)
	if d.Bar != nil {
		if draft.Bar, err = notedBar(&tx.Reader, c); err != nil {
			return out, err
		}
	}
	if err := s.force(tx, &x, d.Measures, now); err != nil {
		return out, err
	}
	if err := tx.ChangeDecision(x); err != nil {
		return out, err
	}
	s.crash("decision")
	draft.By = safety.Actor{Staff: staff}
	if err := s.conclude(tx, c, x, draft, now); err != nil {
		return out, err
	}
	return read(x)
}

// notedBar reads back until when a proposal's legal bar lasts.
func notedBar(r *store.Reader, c store.Case) (*Bar, error) {
	const page = 100
	bar := &Bar{}
	for after := int64(0); ; {
		list, err := casefile.Events(r, c, after, page)
		if err != nil || len(list) == 0 {
			return bar, err
		}
		for _, e := range list {
			if e.Kind == casefile.Barred {
				bar.Basis, bar.Until = e.Text, e.Event.N
			}
			after = e.N
		}
	}
}

// Withdraw takes a proposal back, or says no to it: its case goes back to who had it.
func (s *Service) Withdraw(
	ctx context.Context, subject ids.Peer, id, staff int64, reason string,
) error {
	now := s.Clock.Now().Unix()
	return s.Store.Update(ctx, subject, func(tx *store.Tx) error {
		return withdraw(tx, subject, id, staff, now, reason)
	})
}

func withdraw(tx *store.Tx, subject ids.Peer, id, staff, now int64, reason string) error {
	x, err := tx.Decision(subject, id)
	if err != nil {
		return err
	}
	if State(x.State) == Withdrawn {
		return nil
	}
	if State(x.State) != Proposed {
		return ErrState
	}
	x.State, x.Ended, x.EndedBy, x.EndReason = int64(Withdrawn), now, staff, reason
	if err := tx.ChangeDecision(x); err != nil {
		return err
	}
	c, err := tx.Case(subject, x.Case)
	if err != nil {
		return err
	}
	c.Decision, c.Outcome, c.State, c.Reviewer = 0, 0, int64(casefile.InReview), staff
	if c.Staff == 0 {
		c.State = int64(casefile.Open)
	}
	return casefile.Write(tx, &c, now, casefile.Event{
		Kind: casefile.GaveSecond, By: safety.Actor{Staff: staff}, N: id, Text: reason,
	})
}
