package order

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/safety/policy"
	"parley/internal/store"
)

// Stop says that an order stands still because whoever gave it lost his standing meanwhile.
type Stop struct {
	// At is since when, in Unix seconds.
	At int64 `json:"at"`
	// Officer is who lost it, 0 for his agency.
	Officer int64 `json:"officer,omitempty"`
}

// halted tells whether the agency of an order, or the officer who answers for it, was suspended or
// has to begin anew. That an agency has confirmed the order by a call-back since then counts for
// its officer, and not for itself.
func (w *work) halted() (yes bool, err error) {
	if w.o.Agency == 0 || w.of.State == agency.Suspended {
		return w.o.Agency != 0, nil
	}
	if w.o.Officer == 0 || w.o.Standing != "" || w.o.Stood != 0 {
		return false, nil
	}
	x, err := agency.OfficerOf(&w.tx.Reader, w.o.Agency, w.o.Officer)
	return err == nil && x.State != agency.Active, err
}

// stop has an order that is not carried out wait for a person: what was signed counts no more.
// What has been carried out of it already stays, and is to be looked at.
func (w *work) stop() error {
	if w.o.Stopped != nil {
		return nil
	}
	by := w.o.Officer
	if w.of.State == agency.Suspended {
		by = 0
	}
	w.o.Stopped, w.o.Stood = &Stop{At: w.now, Officer: by}, 0
	if err := w.voided(); err != nil {
		return err
	}
	w.o.State = Held
	return w.event(Stopped, By{}, haltedText)
}

// haltedText is what stands in the events of orders whose sender was suspended.
const haltedText = "the sender was suspended"

// question notes that what was done because of an order is to be looked at, because its sender was
// suspended. It stays in force until somebody has.
func (w *work) question() error {
	if w.o.Review || !slices.ContainsFunc(w.items, func(i Item) bool { return i.State == Done }) {
		return nil
	}
	w.o.Review = true
	return w.event(Questioned, By{}, haltedText)
}

// Halt stops what an officer of an agency ordered, or all that the agency did for officer 0, after
// they were suspended: what is not carried out is not, until the agency has confirmed it in a
// call-back or another of its officers has put his name to it, and people have signed it anew. What
// is in force stays, and waits for a person who looks at it (Reviewed). Those who have standing are
// left alone. It may run twice.
func (s *Service) Halt(ctx context.Context, of, officer int64) error {
	var failed []error
	for below := int64(math.MaxInt64); ; {
		var list []Order
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = s.OfAgency(r, of, below, sweepPage)
			return err
		})
		if err != nil {
			return errors.Join(append(failed, err)...)
		}
		for _, o := range list {
			below = o.ID
			if officer != 0 && o.Officer != officer || o.Stopped != nil || o.Review {
				continue
			}
			failed = append(failed, s.halt(ctx, o))
		}
		if len(list) < sweepPage {
			return errors.Join(failed...)
		}
	}
}

// halt stops one order, or has what it led to looked at.
func (s *Service) halt(ctx context.Context, o Order) error {
	if o.State != Answered && (!o.State.Open() || o.State == Ending) {
		return nil
	}
	rings := false
	o, err := s.change(ctx, o.Agency, o.ID, func(w *work) error {
		rings = false
		yes, err := w.halted()
		if err != nil || !yes {
			return err
		}
		review, stopped := w.o.Review, w.o.Stopped != nil
		switch {
		case w.o.State == Answered:
			err = w.question()
		case w.o.State.Open() && w.o.State != Ending:
			err = errors.Join(w.question(), w.stop())
		}
		rings = w.o.Review && !review || w.o.Stopped != nil && !stopped
		return err
	})
	if err == nil && rings {
		s.alarm(o, haltedText)
	}
	return err
}

// haltEvery is how often officers and agencies without standing are looked through for orders that
// were not stopped: whoever takes their standing does that at once, unless his process ended.
const haltEvery = time.Hour

// halts stops the orders of everybody who is suspended, if it is time to look.
func (s *Service) halts(ctx context.Context) error {
	now := s.Clock.Now()
	if !s.looked.IsZero() && now.Sub(s.looked) < haltEvery {
		return nil
	}
	type sender struct{ agency, officer int64 }
	var senders []sender
	for after := int64(0); ; {
		var list []agency.Agency
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			if list, err = agency.All(r, after, sweepPage); err != nil {
				return err
			}
			for _, a := range list {
				if a.State == agency.Suspended {
					senders = append(senders, sender{a.ID, 0})
					continue
				}
				officers, err := agency.Officers(r, a.ID)
				if err != nil {
					return err
				}
				for _, o := range officers { // who begins anew has lost his key
					if o.State != agency.Active {
						senders = append(senders, sender{a.ID, o.ID})
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			break
		}
		after = list[len(list)-1].ID
	}
	var failed []error
	for _, x := range senders {
		failed = append(failed, s.Halt(ctx, x.agency, x.officer))
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	s.looked = now
	return nil
}

// Reviewed is a person's word that what was done because of an order may stay, though its sender
// was suspended later. Annul takes it back instead. ErrState for one that waits for no such word.
func (s *Service) Reviewed(
	ctx context.Context, staff, of, id int64, reason string,
) (Order, error) {
	if !filled(reason) || staff <= 0 {
		return Order{}, ErrReason
	}
	return s.change(ctx, of, id, func(w *work) error {
		if !w.o.Review {
			return ErrState
		}
		w.o.Review, w.o.Stood = false, w.now
		return w.event(LookedAt, By{Staff: staff}, reason)
	})
}

// stoodBy is an agency's answer, called at the number that is kept of it, about an order whose
// officer was suspended: it is the agency's own, and is assessed and signed anew; or the agency
// does not know of it, and what was done is taken back.
func (w *work) stoodBy(staff int64, c Call) error {
	denied := w.because("denied")
	switch {
	case !c.Confirmed && w.begun():
		return w.ending(End{
			State: Annulled, Staff: staff, Reason: denied.English, Said: denied.Said,
			Denied: true,
		})
	case !c.Confirmed:
		return w.refuse(deniedClass, denied)
	case w.of.State != agency.Active || w.of.Attest <= w.now:
		return ErrStanding
	}
	w.o.Stopped, w.o.Stood = nil, w.now
	if err := w.event(StoodBy, By{Staff: staff}, c.Spoke); err != nil {
		return err
	}
	if slices.ContainsFunc(w.o.Checks, func(m Made) bool { return m.Check == policy.CallBack }) {
		return w.assess()
	}
	return w.checked(Made{Check: policy.CallBack, Staff: staff, Note: c.Spoke})
}
