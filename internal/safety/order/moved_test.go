package order_test

import (
	"errors"
	"testing"
	"time"

	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
)

// TestMovedOrdersClockGoesOn: an order that lacks what its instrument wants, and nothing of what
// another one does, is put under that by a person: its clock stood still until then and goes on.
func TestMovedOrdersClockGoesOn(t *testing.T) {
	w := start(t)
	d := w.certificate(instrument.Production)
	d.Issued = 0
	o := w.submit(sender(w.prosecutor), d).Order
	if o.State != order.Incomplete || o.Paused == 0 {
		t.Fatalf("%v, paused %d: %v", o.State, o.Paused, o.Problems)
	}
	w.World.Clock.Advance(time.Hour)
	o, err := w.Move(w.ctx(), order.By{Staff: anna}, o.Agency, o.ID, instrument.Inform, "Art. 10")
	w.ok(err)
	if o.State == order.Incomplete || o.Paused != 0 || o.Due == 0 {
		t.Errorf("%v, paused %d, due %d: %v", o.State, o.Paused, o.Due, o.Problems)
	}
}

// TestNobodysOrderIsNotAnnulled: what came from nobody known led to nothing and stands in no log
// yet, so there is nothing to take back: it is refused, or put to its agency.
func TestNobodysOrderIsNotAnnulled(t *testing.T) {
	w := start(t)
	d := w.removal(w.Post("one"))
	o := w.submit(order.Sender{}, d).Order
	if _, err := w.Annul(w.ctx(), boris, 0, o.ID, "annulled"); !errors.Is(err, order.ErrState) {
		t.Errorf("annulled: %v", err)
	}
	_, err := w.Attach(w.ctx(), anna, o.ID, w.office.ID, "It is theirs.")
	w.ok(err)
	if _, err := w.Annul(w.ctx(), boris, 0, o.ID, "annulled"); !errors.Is(err, order.ErrState) {
		t.Errorf("annulled where it is no more: %v", err)
	}
	if lines := w.lines(o); len(lines) != 0 {
		t.Errorf("the public log has %+v", lines)
	}
}
