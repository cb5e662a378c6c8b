package order_test

import (
	"errors"
	"testing"

	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
)

// TestProgramsNeedAnOfficer: what a program of an agency brings is received and waits; nobody can
// approve it until an officer vouches, and then it goes the way of his own orders.
func TestProgramsNeedAnOfficer(t *testing.T) {
	w := start(t)
	program := order.Sender{Agency: w.office.ID, Program: true}
	d := w.removal(w.Post("go and do it"))
	r := w.submit(program, d)
	o := w.order(w.office.ID, r.Order.ID)
	if o.State != order.Received || o.Standing != agency.Unsigned || len(o.Checks) != 0 {
		t.Fatalf("%s, %q, %v", o.State, o.Standing, o.Checks)
	}
	if again := w.submit(program, d); !again.Again || again.Order.ID != o.ID {
		t.Error("the same document is another order")
	}
	d.Reasons += " It calls for arms."
	o, err := w.Supplement(w.ctx(), program, o.ID, d)
	if err != nil || o.State != order.Received || o.Document.Reasons != d.Reasons {
		t.Fatalf("a supplement by the program: %v, %s", err, o.State)
	}
	for name, by := range map[string]order.Sender{
		"a program": program, "nobody": {Agency: w.office.ID},
		"another's officer": {Agency: w.office.ID, Officer: w.abroad.ID},
	} {
		if _, err := w.Vouch(w.ctx(), by, o.ID); !errors.Is(err, order.ErrStanding) {
			t.Errorf("%s vouches: %v", name, err)
		}
	}
	o, err = w.Vouch(w.ctx(), sender(w.officer), o.ID)
	if err != nil || o.Officer != w.officer.ID || o.Standing != "" || o.State == order.Refused {
		t.Fatalf("%v, %s, %q", err, o.State, o.Standing)
	}
	if _, err := w.Vouch(w.ctx(), sender(w.officer), o.ID); !errors.Is(err, order.ErrState) {
		t.Errorf("vouching twice: %v", err)
	}
	d.Reasons += " Now."
	if _, err := w.Supplement(w.ctx(), program, o.ID, d); !errors.Is(err, order.ErrStanding) {
		t.Errorf("the program changes what an officer vouched for: %v", err)
	}
	if _, err := w.Withdraw(w.ctx(), program, o.ID, "x"); !errors.Is(err, order.ErrStanding) {
		t.Errorf("the program withdraws it: %v", err)
	}
	if o = w.approve(w.check(o)); o.State != order.Approved {
		t.Errorf("%s", o.State)
	}
}

// TestProgramsOfOthers: a program without an agency in standing is nobody, and a program takes back
// only what no officer has vouched for.
func TestProgramsOfOthers(t *testing.T) {
	w := start(t)
	program := order.Sender{Agency: w.office.ID, Program: true}
	r := w.submit(program, w.removal(w.Post("one")))
	if o, err := w.Withdraw(w.ctx(), program, r.Order.ID, "a mistake"); err != nil ||
		o.State != order.Withdrawn {
		t.Errorf("%v, %s", err, o.State)
	}
	w.ok(w.Agencies.Suspend(w.ctx(), anna, w.office.ID, "misuse"))
	d := w.removal(w.Post("two"))
	d.Number = "8 Js 2/26"
	if o := w.submit(program, d).Order; o.State != order.Refused || o.Refused != "sender-suspended" {
		t.Errorf("%s, %s", o.State, o.Refused)
	}
	keys := w.removal(w.Post("three"))
	keys.Number, keys.Action, keys.Instrument = "9", "keys", instrument.Order
	other := order.Sender{Agency: w.bureau.ID, Program: true}
	keys.Country, keys.Authority = "FR", "Bureau"
	if o := w.submit(other, keys).Order; o.State != order.Refused || o.Refused != "no-handler" {
		t.Errorf("%s, %s", o.State, o.Refused)
	}
}
