package order

import (
	"context"
	"time"

	"parley/internal/safety/decide"
	"parley/internal/safety/evidence"
	"parley/internal/safety/instrument"
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

// preserve keeps what an item is as it is now, without doing anything to it, and returns the hold.
// Number and hold follow from order and item, so that it is done once.
func (s *Service) preserve(
	ctx context.Context, o Order, i Item, staff int64,
) (id int64, err error) {
	now := s.Clock.Now().Unix()
	id = o.ID + i.N
	ends := o.keepUntil(now)
	if u := o.Document.Until; u != 0 && u < ends {
		ends = u
	}
	var seen evidence.Capture
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		seen, err = evidence.Look(r, i.Subject, 0, now)
		return err
	})
	if err != nil {
		return 0, err
	}
	return id, s.Store.Update(ctx, i.Subject.Peer, func(tx *store.Tx) error {
		return evidence.Preserve(tx, id, seen, store.Hold{
			Subject: i.Subject.Peer, ID: id, Case: id, Staff: staff, Reason: o.holdReason(),
			Set: now, Ends: ends,
		})
	})
}
