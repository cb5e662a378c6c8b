package disclosure_test

import (
	"slices"
	"testing"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/tlog/paper"
)

// emergency is an emergency request of the prosecution.
func (w *world) emergency(number string) order.Document {
	d := w.certificate()
	d.Instrument, d.Number, d.Urgency = instrument.Emergency, number, instrument.Life
	d.Supervisor = "Supervisor"
	return d
}

// saved has an emergency answered with data, after all that it takes.
func (w *world) saved(number string) order.Order {
	w.Helper()
	r, err := w.Orders.Submit(w.ctx(), sender(w.officer), w.emergency(number))
	w.ok(err)
	o := r.Order
	var a agency.Agency
	w.View(func(r *store.Reader) (err error) {
		a, err = agency.Of(r, o.Agency)
		return err
	})
	o, err = w.Orders.CallBack(w.ctx(), anna, o.Agency, o.ID, order.Call{
		Number: a.Check.Number, Spoke: "desk", Confirmed: true,
	})
	w.ok(err)
	if w.chief.ID == 0 {
		w.chief = w.enrolAs(o.Agency, "Supervisor", agency.Supervisor)
	}
	o, err = w.Orders.Confirm(w.ctx(), sender(w.chief), o.ID)
	w.ok(err)
	o = w.signed(o)
	return w.release(o, w.layOut(o))
}

// owes are the emergencies whose order the agency has never sent.
func (w *world) owes(of int64) (out []int64) {
	w.Helper()
	w.View(func(r *store.Reader) error {
		a, err := agency.Of(r, of)
		out = a.Owes
		return err
	})
	return out
}

// TestEmergencyOwesItsPaper: an agency that does not send the order within three days is told so,
// somebody is woken, and its next emergency waits for a person; until the order comes.
func TestEmergencyOwesItsPaper(t *testing.T) {
	w := start(t)
	var rang []string
	w.Orders.Alarm = func(_ order.Order, why string) { rang = append(rang, why) }
	o := w.saved("E 1")
	w.World.Clock.Advance(72 * time.Hour)
	w.sweep()
	if len(w.owes(o.Agency)) != 0 {
		t.Error("owed before its time was over")
	}
	if len(rang) == 0 {
		t.Error("nobody was told that it would be over soon")
	}
	rang = nil
	w.World.Clock.Advance(time.Second)
	w.sweep()
	w.sweep()
	papers := w.papers(o)
	if last := papers[len(papers)-1]; !slices.Equal(w.owes(o.Agency), []int64{o.ID}) ||
		len(rang) != 1 || last.Kind != paper.Incomplete || last.Text == "" ||
		!slices.Contains(w.events(o), order.PaperMissing) {
		t.Errorf("owes %v, rang %q, paper %+v", w.owes(o.Agency), rang, papers[len(papers)-1])
	}
	r, err := w.Orders.Submit(w.ctx(), sender(w.officer), w.emergency("E 2"))
	w.ok(err)
	next := r.Order
	if next.State != order.Held || !slices.Contains(next.Verdict.Holds, policy.PaperHold) ||
		!slices.Contains(next.Signals, "owes-paper") {
		t.Errorf("the next emergency: %v %v %v", next.State, next.Verdict.Holds, next.Signals)
	}
	w.followed(o)
	if next, err = w.Orders.Believe(w.ctx(), anna, next.Agency, next.ID, "it came"); err != nil ||
		next.State != order.Received {
		t.Errorf("believed: %v %v", next.State, err)
	}
}

// followed has the order to an emergency come, be refused, and come again.
func (w *world) followed(o order.Order) {
	w.Helper()
	d := w.certificate()
	d.Number, d.Follows, d.Signed = "9 UJs 3/26", o.Document.Number, ""
	give := func() order.Order {
		r, err := w.Orders.Submit(w.ctx(), sender(w.officer), d)
		w.ok(err)
		return r.Order
	}
	if give(); len(w.owes(o.Agency)) != 1 {
		w.Error("an order that lacks its signature was taken for the one that is owed")
	}
	d.Number, d.Signed = "9 UJs 4/26", "C, desk"
	came := give()
	if len(w.owes(o.Agency)) != 0 || w.order(o).Paper != came.ID {
		w.Errorf("it came, and is owed: %v", w.owes(o.Agency))
	}
	_, err := w.Orders.Refuse(w.ctx(), anna, came.Agency, came.ID, "forged", "No such court.")
	w.ok(err)
	w.sweep()
	if len(w.owes(o.Agency)) != 1 || w.order(o).Paper != 0 {
		w.Errorf("it was refused, and is not owed: %v", w.owes(o.Agency))
	}
	_, err = w.Orders.Papered(w.ctx(), anna, o.Agency, o.ID, "came by post")
	w.ok(err)
	if len(w.owes(o.Agency)) != 0 {
		w.Error("it came by post, and is owed")
	}
}
