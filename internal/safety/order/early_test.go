package order_test

import (
	"slices"
	"testing"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/store"
)

// marked tells whether an order is marked as early: kept, in its events, and as a signal.
func (w *world) marked(o order.Order) bool {
	w.Helper()
	o = w.order(o.Agency, o.ID)
	event := false
	w.View(func(r *store.Reader) error {
		list, err := order.Events(r, o.Agency, o.ID, 0, 100)
		event = slices.ContainsFunc(list, func(e order.Event) bool {
			return e.Kind == order.CameEarly
		})
		return err
	})
	if signal := slices.Contains(o.Signals, "first-removal-order-early"); event != o.Early ||
		signal != o.Early {
		w.Errorf("kept as early: %v, in the events %v, as a signal %v", o.Early, event, signal)
	}
	return o.Early
}

// TestFirstRemovalOrderEarly: an authority's first removal order less than twelve hours after it
// was admitted is marked, and its agency is called whatever the hour says.
func TestFirstRemovalOrderEarly(t *testing.T) {
	w := start(t)
	fresh := w.onboard("Fresh Office", "DE", agency.TerroristContent)
	who := w.enrol(fresh.ID, "Fresh Officer", agency.Member)
	give := func(number string, change func(*order.Document)) order.Order {
		d := w.removal(w.Post("join the fight " + number))
		d.Number, d.Authority = number, fresh.Name
		change(&d)
		return w.submit(sender(who), d).Order
	}
	plain := func(*order.Document) {}
	w.World.Clock.Advance(12*time.Hour - time.Second)
	first := give("1", plain)
	if !w.marked(first) || !slices.Contains(first.Verdict.Unverified, policy.CallBack) {
		t.Errorf("the first: early %v, unverified %v", first.Early, first.Verdict.Unverified)
	}
	if second := give("2", plain); !w.marked(second) {
		t.Error("a second one made the first one known, though nobody had confirmed it")
	}
	hurried := give("3", func(d *order.Document) { d.Urgency = instrument.Urgent })
	if fired := rules(hurried); !w.marked(hurried) ||
		!slices.Contains(fired, "who/early-removal-order-urgent") ||
		slices.Contains(fired, "who/early-removal-order") {
		t.Errorf("an emergency: %v", fired)
	}
	_, err := w.CallBack(w.ctx(), anna, first.Agency, first.ID, order.Call{
		Number: "+49 30 5559 999", Spoke: "B, desk", Confirmed: true,
	})
	w.ok(err)
	if w.marked(give("4", plain)) {
		t.Error("the agency has confirmed one, and the next one is taken for the first")
	}
	if w.marked(w.submit(sender(w.officer), w.removal(w.Post("fight"))).Order) {
		t.Error("the first order of an agency that is known since a week is early")
	}
}

// TestFirstApprovalCounts: another key, with which an agency is approved anew, makes it no new one.
func TestFirstApprovalCounts(t *testing.T) {
	w := start(t)
	w.ok(w.Agencies.Rekey(w.ctx(), anna, w.office.ID, ""))
	w.ok(w.Agencies.Verify(w.ctx(), anna, w.office.ID, agency.Check{
		Number: "+49 30 5559 999", Source: agency.Register, Where: "register, page 3",
		Spoke: "B, desk", Confirmed: true,
	}))
	w.ok(w.Agencies.Approve(w.ctx(), boris, w.office.ID))
	if o := w.submit(sender(w.officer), w.removal(w.Post("fight"))).Order; w.marked(o) {
		t.Error("an agency that was approved anew is taken for a new one")
	}
}

// rules are those that spoke about an order.
func rules(o order.Order) (out []string) {
	for _, f := range o.Verdict.Fired {
		out = append(out, f.Rule)
	}
	return out
}
