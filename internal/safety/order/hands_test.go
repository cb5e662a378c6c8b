package order_test

import (
	"errors"
	"testing"

	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
)

// TestSupervisorOfAProgramsOrder: a supervisor cannot confirm what no officer has vouched for, and
// so cannot be both of an emergency's two officers.
func TestSupervisorOfAProgramsOrder(t *testing.T) {
	w := start(t)
	o := w.submit(order.Sender{Agency: w.office.ID, Program: true}, w.emergency()).Order
	if _, err := w.Confirm(w.ctx(), sender(w.supervisor), o.ID); !errors.Is(err, order.ErrState) {
		t.Errorf("confirmed for nobody: %v", err)
	}
	o, err := w.Vouch(w.ctx(), sender(w.supervisor), o.ID)
	w.ok(err)
	if _, err := w.Confirm(w.ctx(), sender(w.supervisor), o.ID); !errors.Is(err,
		order.ErrSamePerson) {
		t.Errorf("confirmed his own: %v", err)
	}
	if has(o, policy.SupervisorCheck) {
		t.Error("it is confirmed")
	}
}

func has(o order.Order, c policy.Check) bool {
	for _, m := range o.Checks {
		if m.Check == c {
			return true
		}
	}
	return false
}

// TestWhoChangesAnOrderAnswersForIt: what was checked about an emergency says nothing about another
// document in its place, and who wrote that cannot confirm it himself or spare himself the week.
func TestWhoChangesAnOrderAnswersForIt(t *testing.T) {
	w := start(t)
	d := w.emergency()
	o := w.check(w.submit(sender(w.officer), d).Order)
	o, err := w.CallBack(w.ctx(), anna, o.Agency, o.ID, order.Call{
		Number: "+49305559999", Spoke: "B, desk", Confirmed: true,
	})
	w.ok(err)
	o, err = w.Confirm(w.ctx(), sender(w.supervisor), o.ID)
	w.ok(err)
	if o.State != order.Assessed {
		t.Fatalf("%v %v", o.State, o.Verdict.Unverified)
	}
	d.Reasons += " And of another."
	o, err = w.Supplement(w.ctx(), sender(w.supervisor), o.ID, d)
	w.ok(err)
	if o.State != order.Received || o.Officer != w.supervisor.ID ||
		has(o, policy.SupervisorCheck) || has(o, policy.CallBack) || !has(o, policy.SenderCheck) {
		t.Errorf("%v, %+v", o.State, o.Checks)
	}
	if _, err := w.Confirm(w.ctx(), sender(w.supervisor), o.ID); !errors.Is(err,
		order.ErrSamePerson) {
		t.Errorf("he confirms what he wrote: %v", err)
	}
	d.Reasons += " And a third."
	fresh := w.enrol(w.office.ID, "Fresh", agency.Member)
	o, err = w.Supplement(w.ctx(), sender(fresh), o.ID, d)
	w.ok(err)
	if o.State != order.Held || !o.New {
		t.Errorf("within the week of who changed it: %v", o.State)
	}
}

// TestJudgedIsTheDocument: that one document is no protected speech says nothing about another.
func TestJudgedIsTheDocument(t *testing.T) {
	w := start(t)
	d := w.removal(w.Post("one"))
	d.Instrument, d.Territory = instrument.Act, []string{"DE"}
	o := w.submit(sender(w.officer), d).Order
	o, err := w.Suspect(w.ctx(), order.By{Staff: anna}, o.Agency, o.ID,
		[]policy.Speech{policy.Protest}, "")
	w.ok(err)
	o, err = w.Service.Decide(w.ctx(), boris, o.Agency, o.ID, false, "It is none.")
	w.ok(err)
	if o.State == order.Held {
		t.Fatal("held after the decision")
	}
	d.Items[0].URL = link(w.Post("two"))
	o, err = w.Supplement(w.ctx(), sender(w.officer), o.ID, d)
	w.ok(err)
	if o.State != order.Held {
		t.Errorf("%v", o.State)
	}
}

// TestMovedSignaturesAreVoid: what was signed under one instrument is not signed under another,
// also where the plan says the same; and it can be signed anew.
func TestMovedSignaturesAreVoid(t *testing.T) {
	w := start(t)
	rules := w.Judge
	w.Judge = func(q policy.Request) (policy.Verdict, error) {
		v, err := rules(q)
		v.Sign = []policy.Signature{{Role: policy.Moderator}, {Role: policy.Legal}}
		v.Policy = "the same"
		return v, err
	}
	w.roles[anna], w.roles[boris] = policy.Moderator, policy.Legal
	d := w.removal(w.Post("one"))
	d.Instrument, d.Territory = instrument.Act, []string{"DE"}
	o := w.check(w.submit(sender(w.officer), d).Order)
	o, err := w.Approve(w.ctx(), o.Agency, o.ID, order.Signature{
		Staff: anna, Digest: w.plan(o).Digest,
	})
	w.ok(err)
	for _, to := range []instrument.ID{instrument.Removal, instrument.Act} {
		o, err = w.Move(w.ctx(), order.By{Staff: boris}, o.Agency, o.ID, to, "the wrong door")
		w.ok(err)
	}
	o = w.check(o)
	for _, who := range []int64{boris, anna} {
		if o.State != order.Assessed {
			t.Fatalf("before %d signed it anew: %v", who, o.State)
		}
		o, err = w.Approve(w.ctx(), o.Agency, o.ID, order.Signature{
			Staff: who, Digest: w.plan(o).Digest,
		})
		w.ok(err)
	}
	if o.State != order.Approved {
		t.Errorf("%v", o.State)
	}
}

// TestWhatCannotBeDoneWasSignedAllTheSame: an item that turns out not to be possible does not void
// the signatures under the others, and they are counted in the log.
func TestWhatCannotBeDoneWasSignedAllTheSame(t *testing.T) {
	w := start(t)
	w.Service.Decisions.Threshold = 1
	one, two := w.Post("one"), w.Post("two")
	o := w.approve(w.check(w.submit(sender(w.officer), w.removal(one, two)).Order))
	w.ok(w.CarryOut(w.ctx()))
	first := w.items(o)[0]
	w.ok(w.Service.Decisions.Withdraw(w.ctx(), one.Peer, first.Decision, boris, "no"))
	for range 2 { // one is declined now, the other waits for its second person
		w.ok(w.CarryOut(w.ctx()))
	}
	items := w.items(o)
	if o = w.order(o.Agency, o.ID); o.State != order.Approved ||
		items[0].State != order.Declined || items[1].State != order.Proposed {
		t.Fatalf("%v: %v %v", o.State, items[0].State, items[1].State)
	}
	_, err := w.Service.Decisions.Second(w.ctx(), two.Peer, items[1].Decision, boris)
	w.ok(err)
	w.ok(w.CarryOut(w.ctx()))
	lines := w.lines(o)
	last := lines[len(lines)-1]
	if o = w.order(o.Agency, o.ID); o.State != order.Answered || last.Outcome != "partial" ||
		last.Persons != 1 {
		t.Errorf("%v: %+v", o.State, last)
	}
}

// TestAlteredTwinStaysOne: a second document under a number is not made a first one by changing it
// once more.
func TestAlteredTwinStaysOne(t *testing.T) {
	w := start(t)
	d := w.removal(w.Post("one"))
	w.submit(sender(w.officer), d)
	d.Items[0].URL = link(w.Post("two"))
	o := w.submit(sender(w.officer), d).Order
	d.Reasons += " Again."
	o, err := w.Supplement(w.ctx(), sender(w.officer), o.ID, d)
	w.ok(err)
	if o.State != order.Incomplete {
		t.Errorf("%v", o.State)
	}
}

// TestSuspendedOfficersGetNothing: an order for data is not handed over whose officer was suspended
// after it was approved.
func TestSuspendedOfficersGetNothing(t *testing.T) {
	w := start(t)
	o := w.approve(w.check(w.submit(sender(w.abroad), w.information()).Order))
	if o.State != order.Approved {
		t.Fatal(o.State)
	}
	ran := false
	hand := func() error {
		_, err := w.Handover(w.ctx(), o.Agency, o.ID, func(*order.Handover) error {
			ran = true
			return nil
		})
		return err
	}
	w.ok(hand())
	if !ran {
		t.Fatal("not handed over")
	}
	ran = false
	w.ok(w.Agencies.SuspendOfficer(w.ctx(), anna, o.Agency, w.abroad.ID, "his key was stolen"))
	if err := hand(); !errors.Is(err, order.ErrStanding) || ran {
		t.Errorf("%v, ran %v", err, ran)
	}
}

// TestReceiptLostRingsAgain: an urgent order that comes again, because its sender got no receipt,
// wakes somebody.
func TestReceiptLostRingsAgain(t *testing.T) {
	w := start(t)
	d := w.removal(w.Post("one"))
	w.Crash = func(point string) {
		if point == "received" {
			panic(point)
		}
	}
	func() {
		defer func() { _ = recover() }()
		w.submit(sender(w.officer), d)
	}()
	w.Crash = nil
	if len(w.alarms) != 0 {
		t.Fatal(w.alarms)
	}
	if r := w.submit(sender(w.officer), d); !r.Again || len(w.alarms) != 1 {
		t.Errorf("again %v: %q", r.Again, w.alarms)
	}
}
