package order_test

import (
	"testing"
	"time"

	"parley/internal/safety"
	"parley/internal/store"
)

// TestStands: an order that was carried out stands while one of its measures is in force, also once
// nothing is held for it any more, and while something is held, also once no measure is.
func TestStands(t *testing.T) {
	w := start(t)
	one, two := w.Post("one"), w.Post("two")
	o := w.approve(w.check(w.submit(sender(w.officer), w.removal(one, two)).Order))
	w.ok(w.CarryOut(w.ctx()))
	items := w.items(o)
	stands := func(what string, want bool) {
		t.Helper()
		w.View(func(r *store.Reader) error {
			got, over, err := w.Stands(r, o.Agency, o.ID)
			if got != want || got == (over > 0) {
				t.Errorf("%s: stands %v, over since %d", what, got, over)
			}
			return err
		})
	}
	stands("carried out", true)
	lift := func(n int) {
		_, err := w.World.Decisions.Lift(w.ctx(), items[n].Subject.Peer, items[n].Decision,
			safety.Actor{Staff: clara}, "It is a news report.")
		w.ok(err)
		w.Deliver()
	}
	lift(0)
	stands("one measure of two", true)
	var ends int64
	w.View(func(r *store.Reader) error {
		for _, i := range items {
			d, err := r.Decision(i.Subject.Peer, i.Decision)
			if err != nil {
				return err
			}
			list, err := r.Holds(i.Subject.Peer, d.Case)
			if err != nil {
				return err
			}
			for _, h := range list {
				ends = max(ends, h.Ends)
			}
		}
		return nil
	})
	if ends == 0 {
		t.Fatal("nothing is held for an order that was carried out")
	}
	w.World.Clock.Advance(time.Duration(ends-w.now()) * time.Second)
	stands("a measure in force, and nothing held", true)
	lift(1)
	stands("nothing in force and nothing held", false)
}

// TestHeldStands: an order stands whose measures are lifted while evidence is held for it.
func TestHeldStands(t *testing.T) {
	w := start(t)
	one := w.Post("one")
	o := w.approve(w.check(w.submit(sender(w.officer), w.removal(one)).Order))
	w.ok(w.CarryOut(w.ctx()))
	_, err := w.World.Decisions.Lift(w.ctx(), one.Peer, w.items(o)[0].Decision,
		safety.Actor{Staff: clara}, "It is a news report.")
	w.ok(err)
	w.Deliver()
	w.View(func(r *store.Reader) error {
		stands, _, err := w.Stands(r, o.Agency, o.ID)
		if !stands {
			t.Error("what is held for an order does not count")
		}
		return err
	})
}
