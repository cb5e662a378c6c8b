package order_test

import (
	"testing"
	"time"

	"parley/internal/safety"
	"parley/internal/safety/decide"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/store"
)

// holdEnds is until when the first item of an order is kept.
func (w *world) holdEnds(o order.Order) (ends int64) {
	w.Helper()
	i := w.items(o)[0]
	w.View(func(r *store.Reader) error {
		list, err := r.Holds(i.Subject.Peer, i.Hold)
		for _, h := range list {
			ends = h.Ends
		}
		return err
	})
	return ends
}

// TestKeptLonger keeps what a certificate had kept for 60 days for 30 more, by another certificate
// that names the first, once.
func TestKeptLonger(t *testing.T) {
	w := start(t)
	d := w.certificate(instrument.Preservation)
	o := w.approve(w.check(w.submit(sender(w.prosecutor), d).Order))
	w.ok(w.CarryOut(w.ctx()))
	first := w.holdEnds(o)
	if first != w.now()+60*24*3600 {
		t.Fatalf("kept for %d days", (first-w.now())/(24*3600))
	}
	longer := w.certificate(instrument.Preservation)
	longer.Number, longer.Extends = "9 UJs 2/26 b", d.Number
	x := w.approve(w.check(w.submit(sender(w.prosecutor), longer).Order))
	for range 2 {
		w.ok(w.CarryOut(w.ctx()))
	}
	if x = w.order(x.Agency, x.ID); x.State != order.Answered {
		t.Errorf("%v", x.State)
	}
	if got := w.holdEnds(o); got != first+30*24*3600 {
		t.Errorf("kept for %d days more", (got-first)/(24*3600))
	}
	nothing := w.certificate(instrument.Preservation)
	nothing.Number, nothing.Extends = "9 UJs 2/26 c", "another"
	y := w.approve(w.check(w.submit(sender(w.prosecutor), nothing).Order))
	w.ok(w.CarryOut(w.ctx()))
	papers := w.papers(w.order(y.Agency, y.ID))
	if last := papers[len(papers)-1]; last.Given != "no" || last.Reason != "nothing-to-extend" {
		t.Errorf("%+v", last)
	}
}

// letterDue is when whom the first item of an order concerns is told of the measure.
func (w *world) letterDue(o order.Order) (due int64) {
	w.Helper()
	i := w.items(o)[0]
	w.View(func(r *store.Reader) error {
		list, err := r.LettersOf(i.Subject.Peer, i.Decision)
		for _, l := range list {
			if decide.LetterKind(l.Kind) == decide.Statement {
				due = l.Due
			}
		}
		return err
	})
	return due
}

// silent is a removal order for a post that bars the service from telling for so many days.
func (w *world) silent(post safety.Subject, number string, days int64) order.Document {
	d := w.removal(post)
	d.Number = number
	d.Bar = &order.Bar{Basis: "Art. 11(3)", Until: w.now() + days*24*3600}
	return d
}

// TestBarsHaveAnEnd: whom a measure concerns is told when the longest bar that policy follows is
// over, however long the order says; another order makes that last longer, and not once he is told.
func TestBarsHaveAnEnd(t *testing.T) {
	const day = 24 * 3600
	w := start(t)
	post := w.Post("one")
	carried := func(d order.Document) order.Order {
		t.Helper()
		o := w.approve(w.check(w.submit(sender(w.officer), d).Order))
		w.ok(w.CarryOut(w.ctx()))
		if o = w.order(o.Agency, o.ID); o.State != order.Answered {
			t.Fatalf("%s is %v", d.Number, o.State)
		}
		return o
	}
	first := carried(w.silent(post, "7 Js 1/26", 400))
	if due := w.letterDue(first); due != first.Received+42*day {
		t.Fatalf("told after %d days; want 42", (due-first.Received)/day)
	}
	w.World.Clock.Advance(40 * day * time.Second)
	longer := w.silent(post, "7 Js 1/26 b", 30)
	longer.Extends = "7 Js 1/26"
	second := carried(longer)
	if due := w.letterDue(first); due != second.Received+30*day {
		t.Errorf("told after %d days; want 70", (due-first.Received)/day)
	}
	w.ok(w.CarryOut(w.ctx()))
	w.World.Clock.Advance(31 * day * time.Second)
	late := w.silent(post, "7 Js 1/26 c", 30)
	late.Extends = "7 Js 1/26"
	papers := w.papers(carried(late))
	if last := papers[len(papers)-1]; last.Given != "no" || last.Reason != "nothing-to-extend" {
		t.Errorf("a bar that was over is made longer: %+v", last)
	}
}
