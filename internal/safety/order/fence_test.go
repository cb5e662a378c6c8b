package order_test

import (
	"testing"

	"parley/internal/safety"
	"parley/internal/safety/decide"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// overtaken runs fn, which stands still at a point until the order has been ended, and which dies
// at another point if it comes to it.
func (w *world) overtaken(still string, end func(), dies string, fn func() error) {
	w.Helper()
	at := func(point string) {
		if end := end; point == still && end != nil {
			w.Service.Crash, w.Service.Decisions.Crash = nil, nil
			end()
			die := func(point string) {
				if point == dies {
					panic(errDied)
				}
			}
			w.Service.Crash, w.Service.Decisions.Crash = die, die
		}
	}
	w.Service.Crash = at
	defer func() {
		w.Service.Crash, w.Service.Decisions.Crash = nil, nil
		if p := recover(); p != nil && p != errDied {
			panic(p)
		}
	}()
	w.ok(fn())
}

// TestDiesAfterItWasTakenBack: a process that has found an order approved stands still, the order is
// annulled, and the process decides and dies before it can say so. No measure is left by that.
func TestDiesAfterItWasTakenBack(t *testing.T) {
	for engine, open := range map[string]func(testing.TB) *store.Store{
		"sqlite": storetest.SQLite, "postgres": storetest.Postgres,
	} {
		for _, dies := range []string{"committed", "decided", "nowhere"} {
			t.Run(engine+"/"+dies, func(t *testing.T) {
				w := on(t, open(t), t.TempDir(), true)
				posts := []safety.Subject{w.Post("one"), w.Post("two")}
				o := w.approve(w.check(w.submit(sender(w.officer), w.removal(posts...)).Order))
				w.overtaken("looked", func() {
					_, err := w.Annul(w.ctx(), boris, o.Agency, o.ID, "annulled")
					w.ok(err)
				}, dies, func() error { return w.CarryOut(w.ctx()) })
				w.ok(w.CarryOut(w.ctx()))
				if o = w.order(o.Agency, o.ID); o.State != order.Annulled {
					t.Errorf("%v", o.State)
				}
				for _, post := range posts {
					if w.withheld(post, "DE") {
						t.Errorf("%d is withheld by an order that is annulled", post.Item)
					}
				}
			})
		}
	}
}

// TestDiesBeforeItIsTakenBack: what a process decided and did not say is found and lifted.
func TestDiesBeforeItIsTakenBack(t *testing.T) {
	w := start(t)
	post := w.Post("one")
	o := w.approve(w.check(w.submit(sender(w.officer), w.removal(post)).Order))
	if !w.until("committed", func() error { return w.CarryOut(w.ctx()) }) {
		t.Fatal("nothing stopped there")
	}
	if !w.withheld(post, "DE") {
		t.Fatal("nothing was decided")
	}
	_, err := w.Annul(w.ctx(), boris, o.Agency, o.ID, "annulled")
	w.ok(err)
	if w.withheld(post, "DE") {
		t.Error("withheld by an order that is annulled")
	}
}

// held tells whether something is kept of the author on account of an order.
func (w *world) held(o order.Order) (yes bool) {
	w.Helper()
	w.View(func(r *store.Reader) error {
		holds, err := r.Holds(safetytest.Author.Peer(), o.ID+1)
		for _, h := range holds {
			yes = yes || h.Lifted == 0
		}
		return err
	})
	return yes
}

// TestNothingIsKeptForWhatIsOver: a preservation that is withdrawn, and a certificate that is refused,
// while a process sets something aside for it, leave nothing kept.
func TestNothingIsKeptForWhatIsOver(t *testing.T) {
	t.Run("preservation", func(t *testing.T) {
		w := start(t)
		d := w.certificate(instrument.Preservation)
		o := w.approve(w.check(w.submit(sender(w.prosecutor), d).Order))
		w.overtaken("looked", func() {
			_, err := w.Withdraw(w.ctx(), sender(w.prosecutor), o.ID, "no need")
			w.ok(err)
		}, "decided", func() error { return w.CarryOut(w.ctx()) })
		w.ok(w.CarryOut(w.ctx()))
		if w.held(o) {
			t.Error("kept for an order that is withdrawn")
		}
	})
	t.Run("certificate", func(t *testing.T) {
		w := start(t)
		o := w.submit(sender(w.prosecutor), w.certificate(instrument.Production)).Order
		if !w.until("aside", func() error { _, err := w.Sweep(w.ctx()); return err }) {
			t.Fatal("nothing is set aside")
		}
		if !w.held(o) {
			t.Fatal("nothing is kept")
		}
		if !w.until("let go", func() error {
			_, err := w.Refuse(w.ctx(), boris, o.Agency, o.ID, "policy", "no ground")
			return err
		}) {
			t.Fatal("nothing is let go")
		}
		_, err := w.Sweep(w.ctx())
		w.ok(err)
		if w.held(o) || !w.order(o.Agency, o.ID).Free {
			t.Error("kept for an order that is refused")
		}
	})
	t.Run("certificate that dies first", func(t *testing.T) {
		w := start(t)
		o := w.submit(sender(w.prosecutor), w.certificate(instrument.Production)).Order
		if !w.until("refused", func() error {
			w.Done = func(order.Order) { w.Service.Crash("refused") }
			_, err := w.Sweep(w.ctx())
			w.ok(err)
			_, err = w.Refuse(w.ctx(), boris, o.Agency, o.ID, "policy", "no ground")
			return err
		}) {
			t.Fatal("nothing stopped there")
		}
		if !w.held(o) {
			t.Fatal("nothing is kept")
		}
		w.Done = nil
		_, err := w.Sweep(w.ctx())
		w.ok(err)
		if w.held(o) {
			t.Error("kept for an order that is refused")
		}
	})
}

// TestRefusedAfterItWasBegun: an order that is looked at anew in the middle of being carried out, and
// that no rule allows any more, leaves nothing of what was done.
func TestRefusedAfterItWasBegun(t *testing.T) {
	w := start(t)
	w.halting()
	one, two := w.Post("one"), w.Post("two")
	o := w.approve(w.check(w.submit(sender(w.officer), w.removal(one, two)).Order))
	if !w.until("decided", func() error { return w.CarryOut(w.ctx()) }) || !w.withheld(one, "DE") {
		t.Fatal("nothing was begun")
	}
	w.ok(w.Agencies.SuspendOfficer(w.ctx(), anna, o.Agency, o.Officer, "key stolen"))
	w.Judge = func(policy.Request) (policy.Verdict, error) {
		return policy.Verdict{Outcome: policy.Refused}, nil
	}
	_, err := w.CallBack(w.ctx(), anna, o.Agency, o.ID, order.Call{
		Number: "+49 30 5559 999", Spoke: "B, desk", Confirmed: true,
	})
	w.ok(err)
	w.ok(w.CarryOut(w.ctx()))
	if o = w.order(o.Agency, o.ID); o.State != order.Annulled || w.withheld(one, "DE") {
		t.Errorf("%v, withheld %v", o.State, w.withheld(one, "DE"))
	}
}

// TestSecondedWhileItIsTakenBack: a proposal that its second person puts into force between the looks
// of who takes the order back does not stay in force.
func TestSecondedWhileItIsTakenBack(t *testing.T) {
	w := start(t)
	w.Service.Decisions.Threshold = 1
	post := w.Post("one")
	o := w.approve(w.check(w.submit(sender(w.officer), w.removal(post)).Order))
	w.ok(w.CarryOut(w.ctx()))
	item := w.items(o)[0]
	if item.State != order.Proposed {
		t.Fatal(item.State)
	}
	w.meanwhile("fenced", func() {
		_, err := w.Service.Decisions.Second(w.ctx(), post.Peer, item.Decision, boris)
		w.ok(err)
	})
	_, err := w.Annul(w.ctx(), clara, o.Agency, o.ID, "annulled")
	w.ok(err)
	if got := w.World.Decision(post.Peer, item.Decision).State; got != decide.Lifted ||
		w.withheld(post, "DE") {
		t.Errorf("%v", got)
	}
}
