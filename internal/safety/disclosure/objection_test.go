package disclosure_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"parley/internal/safety/disclosure"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/personal"
	"parley/internal/safety/policy"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/paper"
)

// notified is a certificate for traffic data of which another authority was notified, laid out.
func (w *world) notified(number string) (order.Order, disclosure.Draft) {
	w.Helper()
	d := w.certificate(policy.Subscriber, policy.Logins)
	d.Number, d.Notified = number, true
	o := w.approved(w.officer, d)
	w.sweep()
	return w.order(o), w.layOut(o)
}

// waits checks that what is laid out of an order cannot be let go, and that nothing is logged.
func (w *world) waits(o order.Order, d disclosure.Draft) {
	w.Helper()
	before := w.count(o, entry.Disclosure)
	_, err := w.Release(w.ctx(), o.Agency, o.ID, w.act(boris, d.Row.Content))
	n := w.count(o, entry.Disclosure) - before
	if !errors.Is(err, order.ErrObjection) || n != 0 {
		w.Errorf("let go while somebody may object: %v, %d lines", err, n)
	}
}

// TestWaitsForObjections: data of which another authority was notified leaves when that has said
// that it does not object, or at the end of its ten days, and not a second before.
func TestWaitsForObjections(t *testing.T) {
	w := start(t)
	o, d := w.notified("1")
	if ten := o.Received + 10*24*3600; o.Due != ten {
		t.Errorf("due after %d s, want ten days", o.Due-o.Received)
	}
	w.waits(o, d)
	if _, err := w.Orders.Clear(w.ctx(), anna, o.Agency, o.ID, " "); !errors.Is(err,
		order.ErrReason) {
		t.Errorf("cleared by nobody's word: %v", err)
	}
	o, err := w.Orders.Clear(w.ctx(), anna, o.Agency, o.ID, "The court wrote that it has no ground.")
	w.ok(err)
	if o.Due != w.now()+12*3600 {
		t.Errorf("cleared: due in %d s, want twelve hours", o.Due-w.now())
	}
	if o = w.release(o, d); o.State != order.Answered || w.count(o, entry.Disclosure) != 1 {
		t.Errorf("after it was cleared: %v", o.State)
	}

	late, _ := w.notified("2")
	w.World.Clock.Advance(10*24*time.Hour - time.Second)
	laid := w.layOut(late) // what was laid out first is too old by now
	w.waits(late, laid)
	w.World.Clock.Advance(time.Second)
	w.sweep()
	if got := w.events(late); got[len(got)-1] != order.WasCleared {
		t.Errorf("at the end of the ten days: %v", got)
	}
	if late = w.order(late); late.Due != w.now()+12*3600 || late.Breached != 0 {
		t.Errorf("due in %d s, breached %d", late.Due-w.now(), late.Breached)
	}
	if _, err := w.Orders.Object(w.ctx(), anna, late.Agency, late.ID, order.Immunity,
		"a lawyer"); !errors.Is(err, order.ErrState) {
		t.Errorf("objected when the time was over: %v", err)
	}
	if late = w.release(late, laid); late.State != order.Answered {
		t.Errorf("after ten days: %v", late.State)
	}
}

// TestObjectionStands: a ground for refusal that comes in time ends the order with that reason.
func TestObjectionStands(t *testing.T) {
	w := start(t)
	o, d := w.notified("1")
	w.World.Clock.Advance(9 * 24 * time.Hour)
	o, err := w.Orders.Object(w.ctx(), anna, o.Agency, o.ID, order.Immunity,
		"The account is that of a lawyer of the accused.")
	w.ok(err)
	last := w.papers(o)[len(w.papers(o))-1]
	if o.State != order.Refused || o.Refused != "objection-immunity" ||
		last.Kind != paper.Refusal || last.Reason != o.Refused {
		t.Errorf("%v %s: %+v", o.State, o.Refused, last)
	}
	if w.count(o, entry.Refusal) != 1 || w.count(o, entry.Disclosure) != 0 {
		t.Errorf("lines: %+v", w.lines(o))
	}
	_, err = w.Release(w.ctx(), o.Agency, o.ID, w.act(boris, d.Row.Content))
	if err == nil {
		t.Error("let go in spite of the objection")
	}
	plain := w.approved(w.officer, w.certificate())
	if _, err := w.Orders.Object(w.ctx(), anna, plain.Agency, plain.ID, order.Immunity,
		"x"); !errors.Is(err, order.ErrState) {
		t.Errorf("objected to what nobody was notified of: %v", err)
	}
}

// TestEmergencyWaitsForNobody: in an emergency data leaves within the eight hours, and an objection
// within 96 hours still keeps from the agency what it has not fetched.
func TestEmergencyWaitsForNobody(t *testing.T) {
	w := start(t)
	d := w.certificate()
	d.Notified, d.Urgency = true, instrument.Life
	o := w.approved(w.officer, d)
	w.sweep()
	if o = w.order(o); o.Due != o.Received+8*3600 {
		t.Errorf("due after %d s", o.Due-o.Received)
	}
	o = w.release(o, w.layOut(o))
	w.World.Clock.Advance(95 * time.Hour)
	o, err := w.Orders.Object(w.ctx(), anna, o.Agency, o.ID, order.Rights, "It is a newspaper.")
	w.ok(err)
	if o.State != order.Answered || !slices.Contains(w.events(o), order.WasObjected) {
		t.Errorf("%v %v", o.State, w.events(o))
	}
	if _, err := w.Fetch(w.ctx(), sender(w.officer), o.Reference); !errors.Is(err,
		disclosure.ErrGone) {
		t.Errorf("fetched in spite of the objection: %v", err)
	}
	// What nobody could fetch any more is not let go again, or people would be told that it left.
	if _, err := w.Orders.Reopen(w.ctx(), anna, o.Agency, o.ID, "again"); !errors.Is(err,
		order.ErrState) {
		t.Errorf("decided anew in spite of the objection: %v", err)
	}
}

// sweep has the clocks of orders looked at.
func (w *world) sweep() {
	w.Helper()
	_, err := w.Orders.Sweep(w.ctx())
	w.ok(err)
}

// TestDataIsSetAside: what a certificate names is kept from its receipt on, is handed over though
// it is gone meanwhile, and is kept no longer when the order is over.
func TestDataIsSetAside(t *testing.T) {
	w := start(t)
	d := w.certificate(policy.Subscriber, policy.Logins)
	r, err := w.Orders.Submit(w.ctx(), sender(w.officer), d)
	w.ok(err)
	w.sweep()
	o := w.order(r.Order)
	if o.Due != o.Received+10*24*3600 || !slices.Contains(w.events(o), order.WasSetAside) {
		t.Errorf("due after %d s: %v", o.Due-o.Received, w.events(o))
	}
	a := safetytest.Author
	w.Update(a.Peer(), func(tx *store.Tx) error { return tx.DeleteAuthorization(a, 11) })
	o = w.signed(o)
	draft := w.layOut(o)
	if !slices.ContainsFunc(draft.Content.Accounts[0].Records, func(r personal.Record) bool {
		return r.Class == policy.Logins && r.Kept != 0
	}) {
		t.Errorf("what was set aside is not laid out: %+v", draft.Content)
	}
	o = w.release(o, draft)
	w.View(func(r *store.Reader) error {
		items, err := order.Items(r, o.Agency, o.ID)
		if err != nil {
			return err
		}
		holds, err := r.Holds(items[0].Subject.Peer, items[0].Hold)
		if len(holds) != 1 || holds[0].Lifted == 0 {
			t.Errorf("kept after the answer: %+v", holds)
		}
		return err
	})
	bad := w.certificate()
	bad.Number, bad.Data = "2", nil
	r, err = w.Orders.Submit(w.ctx(), sender(w.officer), bad)
	w.ok(err)
	w.sweep()
	if slices.Contains(w.events(r.Order), order.WasSetAside) {
		t.Error("set aside for an order that does not say which data")
	}
}
