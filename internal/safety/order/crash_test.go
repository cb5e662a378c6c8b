package order_test

import (
	"errors"
	"fmt"
	"testing"

	"parley/internal/safety"
	"parley/internal/safety/decide"
	"parley/internal/safety/ledger"
	"parley/internal/safety/order"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// errDied is what a step ends with at which the process dies.
var errDied = errors.New("died")

// until runs fn until a point is reached and everything stops there: what a transaction did is
// undone with it, what came before stays, and nothing comes after.
func (w *world) until(point string, fn func() error) (died bool) {
	w.Helper()
	die := func(at string) {
		if at == point {
			died = true
			panic(errDied)
		}
	}
	w.Service.Crash, w.Service.Decisions.Crash = die, die
	defer func() {
		w.Service.Crash, w.Service.Decisions.Crash = nil, nil
		if p := recover(); p != nil && p != errDied {
			panic(p)
		}
	}()
	if err := fn(); err != nil && !died {
		w.Fatal(err)
	}
	return died
}

// TestCrash stops the work between any two steps, and again after it has been taken up. No measure
// is without its decision, its order and their lines; nothing is done, said or logged twice.
func TestCrash(t *testing.T) {
	for engine, open := range map[string]func(testing.TB) *store.Store{
		"sqlite": storetest.SQLite, "postgres": storetest.Postgres,
	} {
		for _, point := range []string{
			"receipt", "received", "measures", "decision", "ledger", "committed", "decided", "item",
			"answered",
		} {
			t.Run(engine+"/"+point, func(t *testing.T) {
				w := on(t, open(t), t.TempDir(), true)
				post := w.Post("join the fight")
				d := w.removal(post, w.Post("and bring others"))
				var o order.Order
				died := w.until(point, func() error {
					r, err := w.Submit(w.ctx(), sender(w.officer), d)
					o = r.Order
					return err
				})
				r := w.submit(sender(w.officer), d) // what got no answer is sent again
				if o.ID != 0 && !r.Again {
					t.Error("the same order is two")
				}
				o = w.approve(w.check(r.Order))
				died = w.until(point, func() error { return w.CarryOut(w.ctx()) }) || died
				if !died {
					t.Fatal("nothing stopped there")
				}
				w.accounted(t, post)
				w.until(point, func() error { return w.CarryOut(w.ctx()) })
				w.ok(w.CarryOut(w.ctx()))
				w.whole(t, w.order(o.Agency, o.ID), post)
			})
		}
	}
}

// accounted checks that a post is withheld only by a decision that is in the log.
func (w *world) accounted(t *testing.T, post safety.Subject) {
	t.Helper()
	if !w.withheld(post, "DE") {
		return
	}
	w.View(func(r *store.Reader) error {
		list, err := decide.OfSubject(r, post.Peer, 1<<62, 9)
		if err != nil {
			return err
		}
		for _, d := range list {
			if d.Subject.Item != post.Item {
				continue
			}
			_, err := r.LedgerRow(post.Peer, d.ID, int64(ledger.Decision))
			return err
		}
		t.Error("withheld without a decision")
		return nil
	})
}

// whole checks that an order was carried out once, with all that belongs to it.
func (w *world) whole(t *testing.T, o order.Order, post safety.Subject) {
	t.Helper()
	if o.State != order.Answered || !w.withheld(post, "DE") {
		t.Errorf("%v, withheld %v", o.State, w.withheld(post, "DE"))
	}
	w.View(func(r *store.Reader) error {
		list, err := decide.OfSubject(r, post.Peer, 1<<62, 9)
		if len(list) != 2 {
			t.Errorf("%d decisions about two posts", len(list))
		}
		for _, d := range list {
			holds, err := r.Holds(d.Subject.Peer, d.Case)
			if len(holds) != 1 {
				t.Errorf("%d holds", len(holds))
			}
			if err != nil {
				return err
			}
		}
		return err
	})
	got := ""
	for _, l := range w.lines(o) {
		got += string(l.Kind) + " "
	}
	if got != "order effect " {
		t.Errorf("lines: %s", got)
	}
	if got := fmt.Sprint(kinds(w.papers(o))); got != "[receipt effect]" {
		t.Errorf("papers: %s", got)
	}
	w.Deliver()
	if n := len(w.Letters(safetytest.Author)); n != 2 {
		t.Errorf("%d letters about two posts", n)
	}
}

// TestCrashWhileTakingBack stops in the middle of an annulment: the next process goes on with it.
func TestCrashWhileTakingBack(t *testing.T) {
	for _, point := range []string{"ending", "restored"} {
		t.Run(point, func(t *testing.T) {
			w := start(t)
			one, two := w.Post("one"), w.Post("two")
			o := w.approve(w.check(w.submit(sender(w.officer), w.removal(one, two)).Order))
			w.ok(w.CarryOut(w.ctx()))
			if !w.until(point, func() error {
				_, err := w.Annul(w.ctx(), boris, o.Agency, o.ID, "annulled")
				return err
			}) {
				t.Fatal("nothing stopped there")
			}
			w.ok(w.CarryOut(w.ctx()))
			o = w.order(o.Agency, o.ID)
			if o.State != order.Annulled || w.withheld(one, "DE") || w.withheld(two, "DE") {
				t.Errorf("%v", o.State)
			}
			w.View(func(r *store.Reader) error {
				rows, err := r.LedgerRowsOf(one.Peer)
				lifts := 0
				for _, row := range rows {
					if row.Kind == int64(ledger.Lift) {
						lifts++
					}
				}
				if lifts != 2 {
					t.Errorf("%d lifts", lifts)
				}
				return err
			})
		})
	}
}
