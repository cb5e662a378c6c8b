// Package enforce carries measures out and takes them back. It is the only writer of what
// chat/restrict reads and of what is taken away. It decides nothing: an Order names a decision that
// somebody has made, and everything here happens in the transaction that writes that decision.
//
// A measure is a row (peer, subject, decision, measure) and its effect on the messenger. The row is
// written first and says once for all that the decision was carried out, so applying it again does
// nothing. What lies in other boxes is told by the outbox and may be carried out twice. Every
// effect is undone when the last row that asks for it has ended.
//
// Invariants: no effect without a row, no row without a decision; what is put back is what was
// there, unless its author deleted it meanwhile.
package enforce

import (
	"errors"
	"fmt"

	"parley/internal/clock"
	"parley/internal/safety"
	"parley/internal/store"
)

// Kinds of outbox rows that this package writes and applies. Values are stored.
const (
	TellWithdraw = 60
	TellRestore  = 61
	TellMark     = 62
	TellReaction = 63
)

// Errors of orders that cannot be carried out.
var (
	// ErrMeasure is a measure that does not fit its subject.
	ErrMeasure = errors.New("enforce: the measure does not fit the subject")
	// ErrSubject is a subject that is not there.
	ErrSubject = errors.New("enforce: no such subject")
)

// Order is what a decision wants done.
type Order struct {
	Decision int64
	Subject  safety.Subject
	Measures []safety.MeasureSpec
	// Now is the time of the decision in Unix seconds.
	Now int64
}

// Service carries orders out.
type Service struct {
	Store *store.Store
	Clock clock.Clock
}

// Applied counts what an order did. What it had done before counts as Again.
type Applied struct{ Measures, Again, Messages, Reactions, Photos int }

// Restored counts what was put back.
type Restored struct{ Measures, Messages, Reactions, Photos, Accounts, Chats int }

// Add sums two counts.
func (r *Restored) Add(o Restored) {
	r.Measures += o.Measures
	r.Messages += o.Messages
	r.Reactions += o.Reactions
	r.Photos += o.Photos
	r.Accounts += o.Accounts
	r.Chats += o.Chats
}

// key is the subject as restrictions know it.
func key(s safety.Subject) store.Restricts {
	k := store.Restricts{Peer: s.Peer, Kind: int64(s.Kind), Item: s.Item}
	if s.Kind == safety.Reaction {
		k.Author = s.Author
	}
	return k
}

// subject is the subject that a restriction is on.
func subject(k store.Restricts) safety.Subject {
	return safety.Subject{Peer: k.Peer, Kind: safety.Kind(k.Kind), Item: k.Item, Author: k.Author}
}

// Apply carries an order out in the transaction of its subject's peer. What the decision has done
// before it does not do again. ErrMeasure refuses a measure that does not fit.
func (s *Service) Apply(tx *store.Tx, o Order) (Applied, error) {
	var out Applied
	if o.Subject.Peer == 0 {
		return out, ErrSubject
	}
	for _, m := range o.Measures {
		if !m.Measure.Fits(o.Subject.Kind) {
			return out, fmt.Errorf("%w: %s of a %s", ErrMeasure, m.Measure, o.Subject.Kind)
		}
		fresh, err := tx.PutRestriction(store.Restriction{
			Restricts: key(o.Subject), Decision: o.Decision, Measure: int64(m.Measure),
			Territory: m.Territory, Starts: o.Now, Ends: m.Ends, Detail: m.Detail,
		})
		if err != nil {
			return out, err
		}
		if !fresh {
			out.Again++
			continue
		}
		if err := s.effect(tx, o.Subject, m.Measure, o.Now, &out); err != nil {
			return out, err
		}
		out.Measures++
	}
	return out, nil
}

// effect makes a measure bite.
func (s *Service) effect(
	tx *store.Tx, on safety.Subject, m safety.Measure, now int64, out *Applied,
) (err error) {
	switch {
	case m == safety.Remove && on.Kind == safety.Message:
		out.Messages, err = withdraw(tx, on, now)
	case m == safety.Remove && on.Kind == safety.Reaction:
		out.Reactions, err = takeReaction(tx, on, now)
	case m == safety.Remove && on.Kind == safety.Photo:
		out.Photos, err = takePhoto(tx, on, now)
	case on.Kind == safety.Message:
		err = mark(tx, on, now)
	case on.Kind == safety.Account:
		err = settleAccount(tx, on.Peer.User(), now)
	case on.Kind == safety.Chat:
		err = settleChat(tx, on.Peer, now)
	}
	return err
}

// Lift ends all that a decision put on a subject, in the transaction of the subject's peer, and
// puts back what no other decision keeps away. Lifting again does nothing.
func (s *Service) Lift(
	tx *store.Tx, on safety.Subject, decision, now int64,
) (out Restored, err error) {
	list, err := tx.RestrictionsOf(key(on), decision)
	if err != nil {
		return out, err
	}
	for _, x := range list {
		if err := s.end(tx, x, now, &out); err != nil {
			return out, err
		}
	}
	return out, nil
}

// end ends one restriction and undoes its effect, unless another asks for it as well.
func (s *Service) end(tx *store.Tx, x store.Restriction, now int64, out *Restored) error {
	ended, err := tx.EndRestriction(x, now)
	if err != nil || !ended {
		return err
	}
	out.Measures++
	rest, err := tx.Restrictions(x.Restricts)
	if err != nil {
		return err
	}
	on, m := subject(x.Restricts), safety.Measure(x.Measure)
	if m == safety.Remove {
		for _, other := range rest {
			if other.Measure == x.Measure {
				return nil
			}
		}
	}
	switch {
	case m == safety.Remove && on.Kind == safety.Message:
		var n int
		n, err = restore(tx, on, now)
		out.Messages += n
	case m == safety.Remove && on.Kind == safety.Reaction:
		var n int
		n, err = returnReaction(tx, on, now)
		out.Reactions += n
	case m == safety.Remove && on.Kind == safety.Photo:
		var n int
		n, err = returnPhoto(tx, on, now)
		out.Photos += n
	case on.Kind == safety.Message:
		err = mark(tx, on, now)
	case on.Kind == safety.Account:
		out.Accounts++
		err = settleAccount(tx, on.Peer.User(), now)
	case on.Kind == safety.Chat:
		out.Chats++
		err = settleChat(tx, on.Peer, now)
	}
	return err
}

// Appliers carry out the outbox rows of this package in the target's box. Each may run more than
// once with the same row.
func (s *Service) Appliers() map[int64]func(*store.Tx, store.Outbox) error {
	return map[int64]func(*store.Tx, store.Outbox) error{
		TellWithdraw: s.applyWithdraw,
		TellRestore:  s.applyRestore,
		TellMark:     s.applyMark,
		TellReaction: s.applyReaction,
	}
}
