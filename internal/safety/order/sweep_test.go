package order_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/ids"
	"parley/internal/safety/order"
	"parley/internal/store"
)

// broken has an order be one that cannot be read, and that is looked at first.
func (w *world) broken(o order.Order) {
	w.Helper()
	w.Update(ids.Peer(o.Agency), func(tx *store.Tx) error {
		x, err := tx.Order(o.Agency, o.ID)
		if err != nil {
			return err
		}
		x.Body, x.Next = []byte("{"), 1
		return tx.ChangeOrder(x)
	})
}

// TestClocksRingPastOneThatFails: an order that fails whenever it is looked at holds up the clock of
// no other, of a known agency or of nobody known, and is told of.
func TestClocksRingPastOneThatFails(t *testing.T) {
	w := start(t)
	w.broken(w.submit(sender(w.officer), w.removal(w.Post("one"))).Order)
	d := w.removal(w.Post("two"))
	d.Number = "8 Js 1/26"
	late := w.submit(sender(w.officer), d).Order
	lost := w.submit(order.Sender{}, d).Order
	d.Number = "9 Js 1/26"
	w.broken(w.submit(order.Sender{}, d).Order)
	w.alarms = nil
	w.World.Clock.Advance(400 * 24 * time.Hour)
	if _, err := w.Sweep(w.ctx()); err == nil {
		t.Error("what fails is not told of")
	}
	if !slices.ContainsFunc(w.alarms, func(why string) bool {
		return strings.Contains(why, "over since")
	}) {
		t.Errorf("the other one is late, and nobody hears of it: %q", w.alarms)
	}
	if late = w.order(late.Agency, late.ID); late.Breached == 0 {
		t.Error("that it was missed is not kept")
	}
	if lost = w.order(0, lost.ID); lost.State != order.Refused {
		t.Errorf("an order of nobody known is %v", lost.State)
	}
}
