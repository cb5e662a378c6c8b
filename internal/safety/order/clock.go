package order

import (
	"context"
	"fmt"
	"slices"
	"time"

	"parley/internal/safety/instrument"
	"parley/internal/safety/owed"
	"parley/internal/safety/policy"
	"parley/internal/store"
)

// moment is a time in Unix seconds as a time of UTC, as documents and verdicts have it.
func moment(at int64) time.Time { return time.Unix(at, 0).UTC() }

// counted tells whether a period is the service's to meet: not one of keeping, nor the requester's.
func counted(p instrument.Period) bool { return p.Owner == instrument.Ours && !p.Keeps() }

// wanted tells whether a period that is over the order's end still matters: the scrutiny of an
// order that was carried out before its review.
func (o Order) wanted(p instrument.Period) bool {
	if o.State.Open() {
		return p.Ends != instrument.Scrutinised || o.reviewed()
	}
	return p.Ends == instrument.Scrutinised && o.reviewed() && o.State == Answered
}

// reviewed tells whether the order waits for the review beside it.
func (o Order) reviewed() bool {
	for _, d := range o.Verdict.Duties {
		if d == policy.ReviewBeside {
			return o.Judged == nil
		}
	}
	return false
}

// lacked tells whether something was missing last, so that periods stand still.
func (o Order) lacked() bool {
	for _, h := range slices.Backward(o.Happened) {
		switch h.Event {
		case instrument.Incomplete:
			return true
		case instrument.Complete:
			return false
		}
	}
	return false
}

// Periods are where the order's periods stand at a time.
func (o Order) Periods(now int64) (out []Period) {
	for _, p := range o.Verdict.Periods {
		out = append(out, Period{p, p.Status(moment(now), o.Happened, instrument.Calendar{})})
	}
	return out
}

// Period is a period of an order and where it stands.
type Period struct {
	instrument.Period
	Status instrument.Status
}

// tick computes the order's clock: until when it has to be answered, since when it stands still,
// and when it has to be looked at again.
func (o *Order) tick(now int64) {
	paused := o.Paused
	o.Due, o.next, o.Paused = 0, 0, 0
	if o.FromNobody() && o.State == Incomplete {
		o.Paused, o.next = soonest(paused, now), o.lapses
		return
	}
	for _, p := range o.Periods(now) {
		if !counted(p.Period) || !o.wanted(p.Period) {
			continue
		}
		st := p.Status
		switch st.State {
		case instrument.Running, instrument.Breached:
			due := st.Due.Unix()
			if p.Ends != instrument.Scrutinised { // which the service may ask for, and need not
				o.Due = soonest(o.Due, due)
			}
			if !st.Next.IsZero() {
				o.next = soonest(o.next, st.Next.Unix())
			}
			if o.Breached == 0 || due > now {
				o.next = soonest(o.next, due+1)
			}
		case instrument.Paused:
			if paused == 0 {
				paused = now
			}
			o.Paused = paused
		}
	}
	if o.setsAside() || o.letsGo() {
		o.next = now
	}
	if at, owed := o.paperDue(now); owed {
		o.next = soonest(o.next, at)
	}
	if until, waits := o.Waits(now); waits && until != 0 {
		o.Due, o.next = soonest(o.Due, until), soonest(o.next, until)
	}
}

// soonest is the earlier of two times, where 0 is none.
func soonest(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// sweepPage is how many orders a step of a sweep looks at.
const sweepPage = 200

// Sweep rings for orders whose time is running out, and notes those whose time is over. It returns
// how many it rang for, and may run twice. An order that fails holds up no other.
func (s *Service) Sweep(ctx context.Context) (rang int, err error) {
	due := func(ctx context.Context, limit int) (list []store.Order, err error) {
		now := s.Clock.Now().Unix()
		err = s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = r.OrderClocks(now, limit)
			return err
		})
		if err == nil {
			_ = s.lapse(ctx, list) // where they fail together, each is told of by itself
		}
		return list, err
	}
	id := func(x store.Order) [2]int64 { return [2]int64{x.Agency, x.ID} }
	return owed.Each(ctx, sweepPage, due, id, func(
		ctx context.Context, x store.Order,
	) (bool, error) {
		err := s.lapse(ctx, []store.Order{x})
		if err == nil {
			err = s.ring(ctx, x.Agency, x.ID)
		}
		if err != nil {
			err = fmt.Errorf("order: clock of %d: %w", x.ID, err)
		}
		return err == nil, err
	})
}

// ring notes one alarm or a missed end, and tells of it.
func (s *Service) ring(ctx context.Context, of, id int64) error {
	if err := s.setAside(ctx, of, id); err != nil {
		return err
	}
	why := ""
	var over Order
	o, err := s.change(ctx, of, id, func(w *work) error {
		why, over = "", w.o
		if w.o.letsGo() {
			return nil
		}
		if w.o.next == 0 || w.o.next > w.now {
			return nil
		}
		cleared, err := w.outOfTime()
		if err != nil {
			return err
		}
		if cleared {
			why = "no objection came: the data can be handed over"
			return nil
		}
		if why, err = w.paper(); why != "" || err != nil {
			return err
		}
		kind := Rang
		for _, p := range w.o.Periods(w.now) {
			if !counted(p.Period) || !w.o.wanted(p.Period) {
				continue
			}
			switch p.Status.State {
			case instrument.Breached:
				kind, why = Missed, p.ID+": over since "+p.Status.Due.Format(time.RFC3339)
			case instrument.Running:
				if kind == Rang {
					why = p.ID + ": due " + p.Status.Due.Format(time.RFC3339)
				}
			}
		}
		if kind == Missed {
			w.o.Breached = w.now
		}
		w.o.Alarmed = w.now
		return w.event(kind, By{}, why)
	})
	if err == nil && why != "" {
		s.alarm(o, why)
	}
	if err == nil {
		err = s.letGo(ctx, over)
	}
	return err
}
