package order

import (
	"context"
	"errors"
	"math"
	"time"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/decide"
	"parley/internal/safety/evidence"
	"parley/internal/safety/instrument"
	"parley/internal/safety/personal"
	"parley/internal/safety/policy"
	"parley/internal/store"
)

// keepDays is how long evidence is kept where the instrument does not say.
const keepDays = 184

// keepUntil is until when the order's instrument has things kept that are set aside now.
func (o Order) keepUntil(now int64) int64 {
	for _, p := range o.Verdict.Periods {
		if !p.Keeps() {
			continue
		}
		since := []instrument.Happened{{Event: p.Starts, At: moment(now)}}
		if due := p.Status(moment(now), since, instrument.Calendar{}).Due; !due.IsZero() {
			return due.Unix()
		}
	}
	return moment(now).Add(keepDays * 24 * time.Hour).Unix()
}

// holdReason names the order in a hold, so that it is found again.
func (o Order) holdReason() string { return "order " + o.Reference }

// hold keeps the evidence of a decision's case as long as the instrument says, once.
func (s *Service) hold(
	ctx context.Context, o Order, d decide.Decision, staff int64,
) (id int64, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		id = 0
		list, err := r.Holds(d.Subject.Peer, d.Case)
		for _, h := range list {
			if h.Reason == o.holdReason() && h.Lifted == 0 {
				id = h.ID
			}
		}
		return err
	})
	if err != nil || id != 0 {
		return id, err
	}
	return s.Evidence.Hold(ctx, staff, d.Subject.Peer, d.Case, o.holdReason(),
		o.keepUntil(s.Clock.Now().Unix()))
}

// data is what is stored of the account that an item names, of the classes and the time that policy
// allows to keep: logins that end and contacts that are deleted afterwards are kept by that.
func (o Order) data(r *store.Reader, i Item) ([]personal.Record, error) {
	if i.Subject.Kind != safety.Account {
		return nil, nil
	}
	found, err := personal.Collect(r, personal.Query{
		Person: i.Subject.Author, Classes: o.Verdict.Most.Data, From: o.Document.From,
		To: o.Document.To,
	})
	if store.IsNotFound(err) {
		err = nil
	}
	return found.Records, err
}

// Kept returns what orders of an agency had kept of an account, with when that was: preservations,
// and certificates that are being decided about.
func (s *Service) Kept(
	r *store.Reader, of int64, person ids.UserID,
) (out []personal.Record, err error) {
	orders, err := s.OfAgency(r, of, math.MaxInt64, twins)
	if err != nil {
		return nil, err
	}
	for _, o := range orders {
		kept := o.Document.Action == policy.Preserve && o.State == Answered
		if !kept && (o.Aside == "" || !o.State.Open()) {
			continue
		}
		items, err := Items(r, of, o.ID)
		if err != nil {
			return nil, err
		}
		for _, i := range items {
			if i.Hold == 0 || i.State != Done && i.State != Waiting ||
				i.Subject.Author != person {
				continue
			}
			list, err := evidence.Of(r, i.Subject.Peer, i.Hold)
			if err != nil {
				return nil, err
			}
			for _, c := range list {
				for _, x := range c.Data {
					x.Kept = c.Taken
					out = append(out, x)
				}
			}
		}
	}
	return out, nil
}

// holdNumbers is how many numbers a hold of an order may have.
const holdNumbers = 8

// numbers are those that the hold may have by which an order keeps an item, the one to take first
// first. They follow from both, so that the item is kept once, and is let go also where a process
// ended before it had said so. An order has its id from the time at which it came, so that another
// order of that millisecond can lead to the same number: then the next one is taken. Whose a hold
// is says its reason.
func (o Order) numbers(i Item) (out [holdNumbers]int64) {
	for k := range out {
		out[k] = o.ID + i.N + int64(k)*(MaxItems+1)
	}
	return out
}

// preserve keeps what an item is as it is now, without doing anything to it, and returns the hold.
// store.ErrConflict says that each of its numbers is something else's.
func (s *Service) preserve(
	ctx context.Context, o Order, i Item, staff int64,
) (id int64, err error) {
	now := s.Clock.Now().Unix()
	ends := o.keepUntil(now)
	if o.Document.Action == policy.Disclose {
		ends = now + asideDays*secondsOfDay
	} else if u := o.Document.Until; u > 0 && u < ends {
		ends = u
	}
	var seen evidence.Capture
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		if seen, err = evidence.Look(r, i.Subject, 0, now); err != nil {
			return err
		}
		seen.Data, err = o.data(r, i)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, id = range o.numbers(i) {
		err = s.Store.Update(ctx, i.Subject.Peer, func(tx *store.Tx) error {
			if err := o.unfenced(tx, i); err != nil {
				return err
			}
			return evidence.Preserve(tx, id, seen, store.Hold{
				Subject: i.Subject.Peer, ID: id, Case: id, Staff: staff, Reason: o.holdReason(),
				Set: now, Ends: ends,
			})
		})
		if !errors.Is(err, store.ErrConflict) {
			break
		}
	}
	return id, err
}

// release has an item be kept no longer on the order's account, if it was. It may run twice.
func (s *Service) release(ctx context.Context, o Order, i Item) error {
	var ours []int64
	err := s.Store.View(ctx, func(r *store.Reader) error {
		ours = nil
		for _, n := range o.numbers(i) {
			list, err := r.Holds(i.Subject.Peer, n)
			if err != nil {
				return err
			}
			for _, h := range list {
				if h.Lifted == 0 && h.Reason == o.holdReason() {
					ours = append(ours, h.ID)
				}
			}
		}
		return nil
	})
	for _, n := range ours {
		if err == nil {
			err = s.Evidence.Lift(ctx, i.Subject.Peer, n, n)
		}
	}
	return err
}
