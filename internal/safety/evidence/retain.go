package evidence

import (
	"context"
	"fmt"
	"time"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/store"
)

const (
	day = 24 * 60 * 60
	// appealDays is how long a decision can be complained about (DSA Art. 20(1): six months at
	// least), which is how long what it rests on is needed.
	appealDays = 184
	// recheck is how long evidence that is held without end is left alone before the next look.
	recheck = 30 * day
	// sweepPage is how many cases a sweep looks at in one go.
	sweepPage = 200
)

// Retention is how long evidence is kept after its case was closed, in days.
//
// https://eur-lex.europa.eu/eli/reg/2021/784/oj
func Retention(lane safety.Lane) int64 {
	switch lane {
	case safety.ChildSafety:
		return 365 // 18 U.S.C. 2258A(h), one year
	case safety.Terrorism:
		return appealDays // Regulation (EU) 2021/784 Art. 6, six months
	default:
		return appealDays + appealDays // an appeal may be opened on the last day, and takes time
	}
}

// Release lets the evidence of a case that was closed at a time be forgotten when its lane's time
// is over. It runs in the transaction that closes the case.
func Release(tx *store.Tx, c store.Case, closed int64) error {
	return tx.KeepEvidence(c.Subject, c.ID, closed+Retention(safety.Lane(c.Lane))*day)
}

// Hold keeps the evidence of a case until a time, or without end for 0, and returns the hold's id.
func (s *Service) Hold(
	ctx context.Context, staff int64, subject ids.Peer, of int64, reason string, ends int64,
) (int64, error) {
	now := s.Clock.Now()
	id, err := safety.NewID(now, s.Random)
	if err != nil {
		return 0, fmt.Errorf("evidence: hold: %w", err)
	}
	err = s.Store.Update(ctx, subject, func(tx *store.Tx) error {
		if _, err := tx.Case(subject, of); err != nil {
			return err
		}
		return tx.PutHold(store.Hold{Subject: subject, ID: id, Case: of, Staff: staff,
			Reason: reason, Set: now.Unix(), Ends: ends})
	})
	return id, err
}

// Preserve keeps a capture that belongs to no case, under a number of its own, until its hold ends:
// somebody wants it kept, and nothing is decided. It runs in the transaction of the subject's peer
// and may run twice. store.ErrConflict says that the number is not its own: a case has it, other
// evidence, or a hold for another reason. Then the transaction has to end, and nothing is kept.
func Preserve(tx *store.Tx, number int64, c Capture, h store.Hold) error {
	switch _, err := tx.Case(h.Subject, number); {
	case err == nil:
		return store.ErrConflict
	case !store.IsNotFound(err):
		return err
	}
	if err := tx.PutHold(h); err != nil {
		return err
	}
	if err := Keep(tx, number, c, number); err != nil {
		return err
	}
	// From the first sweep on the hold alone keeps it.
	return tx.KeepEvidence(h.Subject, number, h.Set)
}

// Extend makes a hold of a case last until a time, if it would end earlier.
func (s *Service) Extend(
	ctx context.Context, subject ids.Peer, of, hold, until int64,
) error {
	return s.Store.Update(ctx, subject, func(tx *store.Tx) error {
		list, err := tx.Holds(subject, of)
		if err != nil {
			return err
		}
		for _, h := range list {
			if h.ID != hold || h.Lifted != 0 || h.Ends == 0 || h.Ends >= until {
				continue
			}
			h.Ends = until
			return tx.PutHold(h)
		}
		return nil
	})
}

// Lift ends a hold of a case.
func (s *Service) Lift(ctx context.Context, subject ids.Peer, of, hold int64) error {
	return s.Store.Update(ctx, subject, func(tx *store.Tx) error {
		list, err := tx.Holds(subject, of)
		if err != nil {
			return err
		}
		for _, h := range list {
			if h.ID == hold {
				h.Lifted = s.Clock.Now().Unix()
				return tx.PutHold(h)
			}
		}
		return store.ErrNotFound
	})
}

// Sweep forgets evidence whose time is over and that nothing holds, and returns how many pieces
// that were. It may run twice.
func (s *Service) Sweep(ctx context.Context) (dropped int64, err error) {
	for {
		var over []store.CaseRef
		now := s.Clock.Now().Unix()
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			over, err = r.EvidenceOver(now, sweepPage)
			return err
		})
		if err != nil || len(over) == 0 {
			return dropped, err
		}
		for _, of := range over {
			n, err := s.sweep(ctx, of, now)
			if err != nil {
				return dropped, err
			}
			dropped += n
		}
	}
}

// sweep forgets the evidence of one case, or puts off the look at one that is held.
func (s *Service) sweep(ctx context.Context, of store.CaseRef, now int64) (n int64, err error) {
	err = s.Store.Update(ctx, of.Subject, func(tx *store.Tx) error {
		n = 0
		held, until, err := heldUntil(&tx.Reader, of, now)
		if err != nil {
			return err
		}
		if held {
			return tx.KeepEvidence(of.Subject, of.Case, until)
		}
		n, err = tx.DropEvidence(of.Subject, of.Case, now)
		return err
	})
	return n, err
}

// Held tells whether something holds the evidence of a case at a time, in Unix seconds.
func Held(r *store.Reader, of store.CaseRef, now int64) (bool, error) {
	held, _, err := heldUntil(r, of, now)
	return held, err
}

// heldUntil tells whether something holds a case's evidence, and when to look again.
func heldUntil(
	r *store.Reader, of store.CaseRef, now int64,
) (held bool, until int64, err error) {
	list, err := r.Holds(of.Subject, of.Case)
	if err != nil {
		return false, 0, err
	}
	for _, h := range list {
		if h.Lifted != 0 || h.Ends != 0 && h.Ends <= now {
			continue
		}
		held = true
		if h.Ends == 0 {
			until = max(until, now+recheck)
		} else {
			until = max(until, min(h.Ends, now+recheck))
		}
	}
	return held, until, nil
}

// Every is how often the sweep is worth running.
const Every = time.Hour
