package order

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"parley/internal/safety"
	"parley/internal/safety/decide"
	"parley/internal/safety/instrument"
	"parley/internal/safety/ledger"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/paper"
)

// End is how an order that is being taken back will have ended.
type End struct {
	// State is Withdrawn or Annulled.
	State State `json:"state"`
	// Staff or Officer is who took it back.
	Staff   int64  `json:"staff,omitempty"`
	Officer int64  `json:"officer,omitempty"`
	Reason  string `json:"reason"`
	// Said is Reason as the authority is told it, empty for the same.
	Said string `json:"said,omitempty"`
	// Denied is set where the agency says that it never gave the order.
	Denied bool `json:"denied,omitempty"`
}

// Withdraw is an authority's word that its order is no more. What was done because of it is undone.
func (s *Service) Withdraw(ctx context.Context, by Sender, id int64, reason string) (Order, error) {
	if !filled(reason) {
		return Order{}, ErrReason
	}
	return s.takeBack(ctx, by.Agency, id, func(w *work) error {
		if _, err := w.may(by); err != nil {
			return err
		}
		return w.ending(End{State: Withdrawn, Officer: by.Officer, Reason: reason})
	})
}

// Annul records that a court or the scrutinising authority annulled an order, or that it was
// carried out wrongly. All that was done because of it is undone.
func (s *Service) Annul(ctx context.Context, staff, of, id int64, reason string) (Order, error) {
	if !filled(reason) || staff <= 0 {
		return Order{}, ErrReason
	}
	return s.takeBack(ctx, of, id, func(w *work) error {
		return w.ending(End{State: Annulled, Staff: staff, Reason: reason})
	})
}

func (s *Service) takeBack(
	ctx context.Context, of, id int64, fn func(w *work) error,
) (Order, error) {
	if _, err := s.change(ctx, of, id, fn); err != nil {
		return Order{}, err
	}
	s.crash("ending")
	return s.TakeBack(ctx, of, id)
}

// ending opens an order again, to be taken back.
func (w *work) ending(e End) error {
	switch w.o.State {
	case Refused, Withdrawn, Annulled, Ending:
		return ErrState
	}
	if w.o.FromNobody() { // nothing was done because of it, and no log has it: it is refused
		return ErrState
	}
	w.o.End = &e
	w.o.State, w.o.Closed = Ending, 0
	kind := WasAnnulled
	if e.State == Withdrawn {
		kind = WasWithdrawn
	}
	defer w.Wake()
	return w.event(kind, By{Staff: e.Staff, Officer: e.Officer}, e.Reason)
}

// TakeBack undoes what was done because of an order that is ending, item by item, and answers. It
// may run twice.
func (s *Service) TakeBack(ctx context.Context, of, id int64) (o Order, err error) {
	var items []Item
	err = s.Store.View(ctx, func(r *store.Reader) error {
		if o, err = s.Of(r, of, id); err != nil {
			return err
		}
		items, err = Items(r, of, id)
		return err
	})
	if err != nil || o.State != Ending {
		return o, err
	}
	for _, i := range items {
		if err := s.restore(ctx, o, i); err != nil {
			return o, fmt.Errorf("order: item %d of %d: %w", i.N, id, err)
		}
		s.crash("restored")
	}
	return s.change(ctx, of, id, func(w *work) error {
		if w.o.State != Ending {
			return nil
		}
		return w.tookBack()
	})
}

// restore undoes what was done to one item, and fences it off before: a process may have decided
// and not said so, which is found, and none can decide afterwards.
func (s *Service) restore(ctx context.Context, o Order, i Item) error {
	if i.Began == 0 && i.Decision == 0 || i.Subject.Peer == 0 {
		return nil // nobody ever came to it, and nobody can any more
	}
	if err := s.fence(ctx, o, i); err != nil {
		return err
	}
	if i.Decision == 0 {
		d, err := s.left(ctx, o, i)
		if err != nil {
			return err
		}
		i.Decision = d.ID
	}
	if i.Decision != 0 {
		if err := s.lift(ctx, o, i); err != nil {
			return err
		}
	}
	if o.Document.Action != policy.Preserve {
		return nil
	}
	return s.release(ctx, o, i)
}

// lift ends the decision about an item, or the one that took its place, whatever somebody does to
// it meanwhile. One that waits for its second person must not be found by him any more.
func (s *Service) lift(ctx context.Context, o Order, i Item) error {
	by := safety.Actor{Staff: o.End.Staff}
	if by.Staff == 0 {
		by.Rule = "order-" + o.End.State.String()
	}
	for {
		var d decide.Decision
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			d, err = i.inForce(r)
			return err
		})
		if err != nil {
			return err
		}
		i.Decision = d.ID
		s.crash("fenced")
		switch d.State {
		case decide.Effective:
			_, err = s.Decisions.Lift(ctx, i.Subject.Peer, d.ID, by, o.End.Reason)
		case decide.Proposed:
			err = s.Decisions.Withdraw(ctx, i.Subject.Peer, d.ID, by.Staff, o.End.Reason)
		default:
			return nil
		}
		if err != nil && !isEnded(err) {
			return err
		}
	}
}

// tookBack ends an order whose items have been restored.
func (w *work) tookBack() error {
	before := false
	for _, i := range w.items {
		switch i.State {
		case Done, Proposed:
			before = true
			i.State, i.At = Restored, w.now
		case Waiting:
			i.State, i.Reason, i.At = Declined, w.o.End.State.String(), w.now
		default:
			continue
		}
		if err := w.put(i); err != nil {
			return err
		}
	}
	w.close(w.o.End.State)
	kind := paper.Restored
	if w.o.State == Withdrawn {
		kind = paper.Withdrawn
	}
	err := w.sign(paper.Paper{
		Kind: kind, Text: cmp.Or(w.o.End.Said, w.o.End.Reason), Items: w.paperItems(),
	})
	if err != nil {
		return err
	}
	has, err := w.hasOutcome()
	if err != nil || has {
		return err // its outcome stands in the log, and each lift has a line of its own
	}
	w.happened(instrument.Informed)
	e := entry.Entry{Outcome: "none", Reason: w.o.State.String()}
	if before {
		e.Outcome = "partial"
	}
	return w.line(ledger.Effect, e)
}

// hasOutcome tells whether the public log has what came of the order.
func (w *work) hasOutcome() (bool, error) {
	_, err := w.tx.LedgerRow(key(w.o.Agency), w.o.ID, int64(ledger.Effect))
	if store.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// Move treats an order under another instrument, because its sender chose the wrong door. Nothing
// is lost, and the authority is told.
func (s *Service) Move(
	ctx context.Context, by By, of, id int64, to instrument.ID, reason string,
) (Order, error) {
	if _, known := s.Instrument(to); !known || !filled(reason) {
		return Order{}, ErrReason
	}
	return s.change(ctx, of, id, func(w *work) error {
		if !w.o.State.Open() || w.o.State == Ending || w.begun() ||
			w.o.Document.Instrument == to {
			return ErrState
		}
		if err := w.voided(); err != nil {
			return err
		}
		if err := w.move(by, to, reason); err != nil {
			return err
		}
		return w.assess()
	})
}

// move puts the order under another instrument, and tells the authority.
func (w *work) move(by By, to instrument.ID, reason string) error {
	old := w.o.Document
	w.o.Document.Instrument = to
	w.in = w.instrument(w.o.Document)
	err := w.add(Event{Kind: WasMoved, By: by, Text: reason, Document: &old})
	if err != nil {
		return err
	}
	err = w.sign(paper.Paper{Kind: paper.Moved, Text: w.in.Name + ": " + reason})
	if err != nil {
		return err
	}
	w.problems(slices.Contains(w.o.Signals, "altered-twin"))
	if w.o.Early, err = w.early(); err != nil {
		return err
	}
	return w.cameEarly()
}

// Reply answers an order that asks how the service does its duties, in words.
func (s *Service) Reply(ctx context.Context, staff, of, id int64, text string) (Order, error) {
	if !filled(text) || staff <= 0 {
		return Order{}, ErrReason
	}
	return s.change(ctx, of, id, func(w *work) error {
		if w.o.State != Approved || w.o.Document.Action != policy.Explain {
			return ErrState
		}
		if err := w.event(Noted, By{Staff: staff}, text); err != nil {
			return err
		}
		w.o.Why = text
		return w.answered("full", 0, 0)
	})
}
