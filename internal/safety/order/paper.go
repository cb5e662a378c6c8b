package order

import (
	"context"
	"slices"
	"time"

	"parley/internal/safety/instrument"
	"parley/internal/safety/policy"
	"parley/internal/tlog/paper"
)

// ByHand stands for an order that came another way than to this service.
const ByHand = -1

// paperPeriod is the period in which the authority sends the order that its emergency did not wait
// for; false for an order that is none, or led to nothing.
func (o Order) paperPeriod() (instrument.Period, bool) {
	if o.State != Answered || !slices.Contains(o.Verdict.Duties, policy.Paper) {
		return instrument.Period{}, false
	}
	for _, p := range o.Verdict.Periods {
		if p.Owner == instrument.Theirs && p.Ends == instrument.Ordered {
			return p, true
		}
	}
	return instrument.Period{}, false
}

// WantsPaper tells whether the authority still has to send the order that its emergency did not
// wait for.
func (o Order) WantsPaper() bool {
	_, ok := o.paperPeriod()
	return ok && o.Paper == 0
}

// paperDue is when to look again whether the order to an emergency has come, in Unix seconds; false
// where none is owed, or it is known to be missing.
func (o Order) paperDue(now int64) (at int64, owed bool) {
	p, ok := o.paperPeriod()
	if !ok || o.Unpapered != 0 {
		return 0, false
	}
	switch st := p.Status(moment(now), o.Happened, instrument.Calendar{}); {
	case st.State == instrument.Breached:
		return now, true
	case st.State != instrument.Running:
		return 0, false
	case !st.Next.IsZero():
		return st.Next.Unix(), true
	default:
		return st.Due.Unix() + 1, true
	}
}

// paper rings before the time for the order to an emergency is over. When it is over the agency is
// told, and its next emergency waits for a person.
func (w *work) paper() (why string, err error) {
	p, ok := w.o.paperPeriod()
	if !ok || w.o.Unpapered != 0 {
		return "", nil
	}
	st := p.Status(moment(w.now), w.o.Happened, instrument.Calendar{})
	switch st.State {
	case instrument.Running:
		why = "the order to this emergency is due " + st.Due.Format(time.RFC3339)
		return why, w.event(Rang, By{}, why)
	case instrument.Breached:
	default:
		return "", nil
	}
	w.o.Unpapered = w.now
	why = "the order to this emergency is missing since " + st.Due.Format(time.RFC3339)
	if err := w.event(PaperMissing, By{}, why); err != nil {
		return "", err
	}
	if err := w.Agencies.Owe(w.tx, w.o.Agency, w.o.ID, w.o.Reference); err != nil {
		return "", err
	}
	return why, w.sign(paper.Paper{
		Kind: paper.Incomplete, Text: w.because("owed").Said,
		Missing: []paper.Missing{{Law: w.in.Law, Field: "the order", What: "missing"}},
	})
}

// settles has an order be the one that an earlier emergency of its agency did not wait for, if it
// says so and nothing is missing of it.
func (w *work) settles() error {
	if !filled(w.o.Document.Follows) || w.o.State == Incomplete || !w.o.State.Open() {
		return nil
	}
	return w.emergencies(func(e *work) error {
		if _, ok := e.o.paperPeriod(); !ok || e.o.Paper != 0 || e.o.ID == w.o.ID {
			return nil
		}
		return e.papered(w.o.ID, By{Officer: w.o.Officer}, w.o.Reference)
	})
}

// unsettles has an emergency want its order again, because this one was refused.
func (w *work) unsettles() error {
	if !filled(w.o.Document.Follows) {
		return nil
	}
	return w.emergencies(func(e *work) error {
		if e.o.Paper != w.o.ID {
			return nil
		}
		e.o.Paper, e.o.Unpapered = 0, 0
		e.o.Happened = slices.DeleteFunc(e.o.Happened, func(h instrument.Happened) bool {
			return h.Event == instrument.Ordered
		})
		if err := e.event(PaperVoid, By{}, w.o.Reference+": "+w.o.Refused); err != nil {
			return err
		}
		return e.save()
	})
}

// emergencies runs fn on the orders that this one says it follows.
func (w *work) emergencies(fn func(e *work) error) error {
	rows, err := w.tx.OrdersNumbered(w.o.Agency, clean(w.o.Document.Follows), twins)
	if err != nil {
		return err
	}
	for _, x := range rows {
		if x.ID == w.o.ID {
			continue
		}
		e := &work{Service: w.Service, tx: w.tx, now: w.now}
		if err := e.load(&w.tx.Reader, w.o.Agency, x.ID); err != nil {
			return err
		}
		if err := fn(e); err != nil {
			return err
		}
	}
	return nil
}

// papered notes that the order to an emergency is there.
func (w *work) papered(by int64, who By, text string) error {
	w.o.Paper = by
	w.happened(instrument.Ordered)
	if err := w.event(PaperCame, who, text); err != nil {
		return err
	}
	if err := w.Agencies.Settle(w.tx, who.Staff, w.o.Agency, w.o.ID, w.o.Reference); err != nil {
		return err
	}
	return w.save()
}

// Papered records that the order to an emergency has come another way, on paper. An agency gives it
// here by naming the emergency's number. ErrState for an order that wants none.
func (s *Service) Papered(ctx context.Context, staff, of, id int64, note string) (Order, error) {
	if !filled(note) || staff <= 0 {
		return Order{}, ErrReason
	}
	return s.change(ctx, of, id, func(w *work) error {
		if !w.o.WantsPaper() {
			return ErrState
		}
		return w.papered(ByHand, By{Staff: staff}, note)
	})
}
