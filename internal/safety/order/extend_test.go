package order_test

import (
	"testing"

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
