package order_test

import (
	"testing"
	"time"

	"parley/internal/safety"
	"parley/internal/safety/decide"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// meanwhile runs fn once when the work reaches a point, and lets the work go on.
func (w *world) meanwhile(point string, fn func()) {
	done := false
	w.Service.Crash = func(at string) {
		if at == point && !done {
			done = true
			fn()
		}
	}
}

// TestTakenBackWhileItIsCarriedOut annuls an order in the middle of its carrying out: nothing of it
// remains, on either engine, wherever the work was.
func TestTakenBackWhileItIsCarriedOut(t *testing.T) {
	for engine, open := range map[string]func(testing.TB) *store.Store{
		"sqlite": storetest.SQLite, "postgres": storetest.Postgres,
	} {
		for _, point := range []string{"looked", "decided", "item"} {
			t.Run(engine+"/"+point, func(t *testing.T) {
				w := on(t, open(t), t.TempDir(), true)
				one, two := w.Post("one"), w.Post("two")
				o := w.approve(w.check(w.submit(sender(w.officer), w.removal(one, two)).Order))
				w.meanwhile(point, func() {
					_, err := w.Annul(w.ctx(), boris, o.Agency, o.ID, "annulled")
					w.ok(err)
				})
				w.ok(w.CarryOut(w.ctx()))
				if o = w.order(o.Agency, o.ID); o.State != order.Annulled {
					t.Errorf("%v", o.State)
				}
				for _, post := range []safety.Subject{one, two} {
					if w.withheld(post, "DE") {
						t.Errorf("%d is withheld by an order that is annulled", post.Item)
					}
				}
			})
		}
	}
}

// TestPreservationTakenBackWhileItIsCarriedOut: what is kept for an order that is withdrawn meanwhile
// is let go.
func TestPreservationTakenBackWhileItIsCarriedOut(t *testing.T) {
	w := start(t)
	d := w.certificate(instrument.Preservation)
	o := w.approve(w.check(w.submit(sender(w.prosecutor), d).Order))
	w.meanwhile("decided", func() {
		_, err := w.Withdraw(w.ctx(), sender(w.prosecutor), o.ID, "no need")
		w.ok(err)
	})
	w.ok(w.CarryOut(w.ctx()))
	if o = w.order(o.Agency, o.ID); o.State != order.Withdrawn {
		t.Fatalf("%v", o.State)
	}
	w.View(func(r *store.Reader) error {
		holds, err := r.Holds(safetytest.Author.Peer(), o.ID+1)
		if len(holds) != 1 || holds[0].Lifted == 0 {
			t.Errorf("holds: %+v", holds)
		}
		return err
	})
}

// TestProposalOfAnAnnulledOrder is not there for a second person to put into force.
func TestProposalOfAnAnnulledOrder(t *testing.T) {
	w := start(t)
	w.Service.Decisions.Threshold = 1
	post := w.Post("join the fight")
	o := w.approve(w.check(w.submit(sender(w.officer), w.removal(post)).Order))
	w.ok(w.CarryOut(w.ctx()))
	item := w.items(o)[0]
	if item.State != order.Proposed {
		t.Fatalf("%v", item.State)
	}
	_, err := w.Annul(w.ctx(), clara, o.Agency, o.ID, "annulled")
	w.ok(err)
	if _, err := w.Service.Decisions.Second(w.ctx(), post.Peer, item.Decision, boris); err == nil {
		t.Error("a measure of an annulled order was put into force")
	}
	if w.withheld(post, "DE") {
		t.Error("it is withheld")
	}
}

// TestSignatureUnderAnEarlierPlan is none under a measure that takes two: who signed before a digit
// was changed has not seen what is measured now.
func TestSignatureUnderAnEarlierPlan(t *testing.T) {
	w := start(t)
	w.Service.Decisions.Threshold = 1
	rules := w.Judge
	w.Judge = func(q policy.Request) (policy.Verdict, error) {
		v, err := rules(q)
		v.Sign = []policy.Signature{{Role: policy.Moderator, People: 2}}
		if len(q.Asked.Territory) > 1 {
			v.Sign[0].People = 1
		}
		return v, err
	}
	w.roles[anna], w.roles[boris] = policy.Moderator, policy.Moderator
	one, two := w.Post("one"), w.Post("two")
	d := w.removal(one)
	d.Instrument, d.Territory = instrument.Act, []string{"DE"}
	o := w.check(w.submit(sender(w.officer), d).Order)
	o, err := w.Approve(w.ctx(), o.Agency, o.ID, order.Signature{
		Staff: boris, Digest: w.plan(o).Digest,
	})
	w.ok(err)
	d.Items[0].URL, d.Territory = link(two), []string{"DE", "FR"}
	o, err = w.Supplement(w.ctx(), sender(w.officer), o.ID, d)
	w.ok(err)
	o = w.check(o)
	o, err = w.Approve(w.ctx(), o.Agency, o.ID, order.Signature{
		Staff: anna, Digest: w.plan(o).Digest,
	})
	w.ok(err)
	w.ok(w.CarryOut(w.ctx()))
	item := w.items(o)[0]
	if item.State != order.Proposed || w.withheld(two, "DE") {
		t.Errorf("%v in the name of who signed another plan", item.State)
	}
}

// TestOneItemHoldsNoOtherUp: what somebody else is deciding about waits, and the rest of a one-hour
// order does not wait with it.
func TestOneItemHoldsNoOtherUp(t *testing.T) {
	w := start(t)
	one, two := w.Post("one"), w.Post("two")
	w.Service.Decisions.Threshold = 1
	other, err := w.Service.Decisions.Decide(w.ctx(), safetytest.Draft(0, one))
	w.ok(err)
	if other.State != decide.Proposed {
		t.Fatalf("%v", other.State)
	}
	w.Service.Decisions.Threshold = 0
	o := w.approve(w.check(w.submit(sender(w.officer), w.removal(one, two)).Order))
	if err := w.CarryOut(w.ctx()); err == nil {
		t.Error("nobody is told that an item waits")
	}
	if !w.withheld(two, "DE") || w.withheld(one, "DE") {
		t.Errorf("withheld %v %v", w.withheld(one, "DE"), w.withheld(two, "DE"))
	}
	w.World.Clock.Advance(time.Minute)
	w.ok(w.Service.Decisions.Withdraw(w.ctx(), one.Peer, other.ID, boris, "the order comes first"))
	w.ok(w.CarryOut(w.ctx()))
	if o = w.order(o.Agency, o.ID); o.State != order.Answered || !w.withheld(one, "DE") {
		t.Errorf("%v", o.State)
	}
}
