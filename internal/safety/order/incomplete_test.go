package order_test

import (
	"slices"
	"testing"
	"time"

	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/store"
)

// sweep looks at the clocks of all orders.
func (w *world) sweep() {
	w.Helper()
	_, err := w.Sweep(w.ctx())
	w.ok(err)
}

// period is where a period of an order stands.
func (w *world) period(o order.Order, id string) instrument.State {
	w.Helper()
	for _, p := range w.order(o.Agency, o.ID).Periods(w.now()) {
		if p.ID == id {
			return p.Status.State
		}
	}
	w.Fatalf("no period %q", id)
	return ""
}

// TestIncompleteCertificateIsPreserved: the data that a certificate names is kept although its
// signature is missing, in time, and once for each that it is corrected to; where nobody can be
// found by it, nothing is kept, and the hour waits for the answer.
func TestIncompleteCertificateIsPreserved(t *testing.T) {
	w := start(t)
	d := w.certificate(instrument.Production)
	good := d
	d.Signed = ""
	o := w.submit(sender(w.prosecutor), d).Order
	w.sweep()
	if o = w.order(o.Agency, o.ID); o.State != order.Incomplete || !w.held(o) ||
		w.period(o, "preserve") != instrument.Met {
		t.Errorf("%v, kept %v, %s", o.State, w.held(o), w.period(o, "preserve"))
	}
	w.World.Clock.Advance(2 * time.Hour)
	w.sweep()
	if o = w.order(o.Agency, o.ID); o.Breached != 0 || o.Paused == 0 {
		t.Errorf("missed at %d, paused since %d", o.Breached, o.Paused)
	}
	_, err := w.Supplement(w.ctx(), sender(w.prosecutor), o.ID, good)
	w.ok(err)
	w.sweep()
	if o = w.order(o.Agency, o.ID); o.State != order.Received || o.Aside != o.Digest ||
		o.Breached != 0 {
		t.Errorf("completed: %v, kept for %s of %s", o.State, o.Aside, o.Digest)
	}
	_, err = w.Withdraw(w.ctx(), sender(w.prosecutor), o.ID, "no need")
	w.ok(err)
	if w.held(o) {
		t.Error("kept for an order that is withdrawn")
	}
	for name, spoil := range map[string]func(*order.Document){
		"nobody":  func(d *order.Document) { d.Accounts = nil },
		"a range": func(d *order.Document) { d.Accounts[0].Value = "1-999" },
		"no data": func(d *order.Document) { d.Data = nil },
	} {
		d := good
		d.Number, d.Accounts = name, slices.Clone(good.Accounts)
		spoil(&d)
		o := w.submit(sender(w.prosecutor), d).Order
		w.sweep()
		w.World.Clock.Advance(2 * time.Hour)
		w.sweep()
		if o = w.order(o.Agency, o.ID); o.Aside != "" || o.Breached != 0 ||
			w.period(o, "preserve") != instrument.Paused {
			t.Errorf("%s: kept for %q, missed at %d, %s", name, o.Aside, o.Breached,
				w.period(o, "preserve"))
		}
	}
}

// TestWhatNeedNotBeSaid: an order to provide information may withhold its reasons. A certificate is
// complete without what its form has no room for, a prosecutor's without a judge, and one for an
// offence that a directive lists without its penalty.
func TestWhatNeedNotBeSaid(t *testing.T) {
	w := start(t)
	for _, of := range []instrument.ID{instrument.Production, instrument.Preservation} {
		d := w.certificate(of)
		d.Number, d.Necessity, d.Reasons, d.Validated, d.Penalty = string(of), "", "", "", 0
		if o := w.submit(sender(w.prosecutor), d).Order; o.State != order.Received {
			t.Errorf("%s: %v %v %s", of, o.State, o.Problems, o.Why)
		}
	}
	for name, of := range map[string]instrument.ID{
		"withheld": instrument.Inform, "withheld by others": instrument.Order,
	} {
		d := w.information()
		d.Number, d.Instrument, d.Reasons, d.Necessity, d.Withheld = name, of, "", "", true
		o := w.submit(sender(w.abroad), d).Order
		if whole := o.State == order.Received; whole != (of == instrument.Inform) {
			t.Errorf("%s: %v %v %s", name, o.State, o.Problems, o.Why)
		}
	}
	d := w.certificate(instrument.Production)
	d.Number, d.Penalty, d.Data = "listed", 1, []policy.Data{policy.Messages}
	d.Directives = []order.Directive{order.Terrorism}
	o := w.submit(sender(w.prosecutor), d).Order
	if o.State != order.Received || !slices.Contains(o.Verdict.Most.Data, policy.Messages) {
		t.Errorf("%v %v %s", o.State, o.Problems, o.Why)
	}
	w.View(func(r *store.Reader) error {
		items, err := order.Items(r, o.Agency, o.ID)
		if len(items) != 1 || items[0].State != order.Waiting {
			t.Errorf("%+v", items)
		}
		return err
	})
}
