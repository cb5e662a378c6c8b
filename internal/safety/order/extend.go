package order

import (
	"context"
	"errors"
	"slices"

	"parley/internal/safety"
	"parley/internal/safety/decide"
	"parley/internal/safety/instrument"
	"parley/internal/safety/policy"
	"parley/internal/store"
)

// extend carries out an order that does nothing but make the bar or the keeping of an earlier order
// of the same authority last longer. It went through all that any order goes through, so that every
// longer bar has its own line in the public log. It may run twice.
func (s *Service) extend(ctx context.Context, of, id int64) (Order, error) {
	o, earlier, err := s.extended(ctx, of, id)
	if err != nil {
		return Order{}, err
	}
	done := false
	if earlier.ID != 0 {
		earlier, err = s.change(ctx, of, earlier.ID, func(w *work) (err error) {
			done, err = w.longer(o)
			return err
		})
		switch {
		case err != nil || !done:
		case o.Document.Action == policy.Preserve:
			err = s.keepLonger(ctx, earlier)
		default:
			err = s.silentLonger(ctx, earlier, o)
		}
		if err != nil {
			return Order{}, err
		}
	}
	_, err = s.change(ctx, of, id, func(w *work) error {
		if w.o.State != Approved {
			return nil
		}
		for _, i := range slices.Clone(w.items) {
			if i.State != Waiting {
				continue
			}
			i.State, i.At = Done, w.now
			if !done {
				i.State, i.Reason = Declined, "nothing-to-extend"
			}
			if err := w.put(i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Order{}, err
	}
	return s.Conclude(ctx, of, id)
}

// extended is an order and the one that it extends: the newest answered one of that number that
// came before it; one without an id for none.
func (s *Service) extended(ctx context.Context, of, id int64) (o, earlier Order, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		if o, err = s.Of(r, of, id); err != nil {
			return err
		}
		rows, err := r.OrdersNumbered(of, clean(o.Document.Extends), twins)
		if err != nil {
			return err
		}
		earlier = Order{}
		for _, x := range rows {
			if x.ID != id && State(x.State) == Answered && x.Received <= o.Received {
				if earlier, err = s.read(x); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return o, earlier, err
}

// longer makes the bar or the keeping of an order last longer, once for each order that says so,
// and tells whether there was anything to make longer.
func (w *work) longer(by Order) (bool, error) {
	again := slices.Contains(w.o.LongerBy, by.ID)
	if by.Document.Action == policy.Preserve {
		if w.o.Document.Action != policy.Preserve || again {
			return again, nil
		}
		w.o.LongerBy = append(w.o.LongerBy, by.ID)
		w.happened(instrument.Extended)
		return true, w.event(KeptLonger, By{}, by.Reference)
	}
	bar := by.Document.Bar
	if w.o.Document.Bar == nil || bar == nil || again {
		return again, nil
	}
	until := bar.Until
	if last := by.lastBar(by.Received); until == 0 || last != 0 && until > last {
		until = last
	}
	// Who has been told cannot be kept from knowing any more.
	if ends := w.o.TellAt(w.o.Received); until <= ends || ends <= w.now {
		return false, nil
	}
	w.o.LongerBy, w.o.BarUntil = append(w.o.LongerBy, by.ID), until
	return true, w.event(BarExtended, By{}, by.Reference)
}

// silentLonger has those whom the measures of an order concern be told no earlier than its bar ends
// now, by the order that has made it longer.
func (s *Service) silentLonger(ctx context.Context, o, by Order) error {
	var items []Item
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		items, err = Items(r, o.Agency, o.ID)
		return err
	})
	for _, i := range items {
		if err != nil {
			return err
		}
		if i.Decision == 0 || i.State != Done {
			continue
		}
		err = s.Decisions.ExtendBar(ctx, i.Subject.Peer, i.Decision, o.BarUntil,
			safety.Actor{Rule: "order-extended"}, by.Reference+": "+by.Document.Bar.Basis)
		if errors.Is(err, decide.ErrState) {
			err = nil // it had none, or a person has ended it
		}
	}
	return err
}

// keepLonger holds what an order had kept until its period of keeping ends now.
func (s *Service) keepLonger(ctx context.Context, o Order) error {
	now := moment(s.Clock.Now().Unix())
	var until int64
	for _, p := range o.Verdict.Periods {
		if due := p.Status(now, o.Happened, instrument.Calendar{}).Due; p.Keeps() && !due.IsZero() {
			until = due.Unix()
		}
	}
	var items []Item
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		items, err = Items(r, o.Agency, o.ID)
		return err
	})
	for _, i := range items {
		if err != nil || until == 0 {
			return err
		}
		if i.Hold != 0 && i.State == Done {
			err = s.Evidence.Extend(ctx, i.Subject.Peer, i.Hold, i.Hold, until)
		}
	}
	return err
}
