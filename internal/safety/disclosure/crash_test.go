package disclosure_test

import (
	"errors"
	"testing"
	"time"

	"parley/internal/safety/disclosure"
	"parley/internal/safety/order"
	"parley/internal/store"
	"parley/internal/store/storetest"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/paper"
)

// errDied is what a step ends with at which the process dies.
var errDied = errors.New("died")

// until runs fn until a point is reached and everything stops there: what a transaction did is
// undone with it, what came before stays.
func (w *world) until(point string, fn func() error) (died bool) {
	w.Helper()
	w.Service.Crash = func(at string) {
		if at == point {
			died = true
			panic(errDied)
		}
	}
	defer func() {
		w.Service.Crash = nil
		if p := recover(); p != nil && p != errDied {
			panic(p)
		}
	}()
	if err := fn(); err != nil && !died {
		w.Fatal(err)
	}
	return died
}

// TestCrash stops the work between any two steps and goes on in a next process: no package without
// its line, no line without its package, nothing twice, and what was fetched is gone.
func TestCrash(t *testing.T) {
	for engine, open := range map[string]func(testing.TB) *store.Store{
		"sqlite": storetest.SQLite, "postgres": storetest.Postgres,
	} {
		for _, point := range []string{
			"collected", "read", "logged", "packed", "answered", "released", "fetched", "letter",
			"told",
		} {
			t.Run(engine+"/"+point, func(t *testing.T) {
				w := on(t, open(t), t.TempDir(), t.TempDir())
				d := w.certificate()
				d.Bar = &order.Bar{Basis: "Art. 13(2)", Until: w.now() + 24*3600}
				o := w.approved(w.officer, d)
				if !w.story(t, point, o) {
					t.Fatal("nothing stopped there")
				}
				w.Service.Crash = nil
				w.story(t, "", o)
				w.whole(t, o)
			})
		}
	}
}

// story goes on from wherever an order is, up to a point, and tells whether that was reached. After
// each step what must never be is looked for.
func (w *world) story(t *testing.T, point string, o order.Order) bool {
	t.Helper()
	steps := []func() error{
		func() error {
			_, err := w.LayOut(w.ctx(), anna, o.Agency, o.ID)
			return err
		},
		func() error {
			rows := w.rows(o)
			_, err := w.Release(w.ctx(), o.Agency, o.ID, w.act(boris, rows[len(rows)-1].Content))
			return err
		},
		func() error {
			_, err := w.Fetch(w.ctx(), sender(w.officer), o.Reference)
			if errors.Is(err, disclosure.ErrGone) {
				return nil // it left, and nobody knows how far it came
			}
			return err
		},
		func() error {
			w.World.Clock.Advance(25 * time.Hour)
			return w.Work(w.ctx())
		},
	}
	for n, step := range steps {
		if n < 2 && w.order(o).State == order.Answered {
			continue
		}
		died := w.until(point, step)
		w.consistent(t, o)
		if died {
			return true
		}
	}
	return false
}

// consistent checks that there is a package, fetched or not, exactly where there is a line, and the
// answer with both.
func (w *world) consistent(t *testing.T, o order.Order) {
	t.Helper()
	left := 0
	for _, x := range w.rows(o) {
		if s := disclosure.State(x.State); s == disclosure.Released || s == disclosure.Fetched {
			left++
		}
	}
	answers := 0
	for _, p := range w.papers(o) {
		if p.Kind == paper.Information {
			answers++
		}
	}
	if lines := w.count(o, entry.Disclosure); lines != left || answers != left || left > 1 {
		t.Errorf("%d packages, %d lines, %d answers", left, lines, answers)
	}
}

// whole checks that all was done once.
func (w *world) whole(t *testing.T, o order.Order) {
	t.Helper()
	w.ok(w.Work(w.ctx()))
	w.consistent(t, o)
	if n := w.count(o, entry.Disclosure); n != 1 {
		t.Errorf("%d lines of a disclosure", n)
	}
	if n := w.count(o, entry.Told); n != 1 {
		t.Errorf("%d lines that somebody was told late", n)
	}
	if l := w.letters(); len(l) != 1 {
		t.Errorf("%d letters", len(l))
	}
	if _, err := w.Fetch(w.ctx(), sender(w.officer), o.Reference); !errors.Is(err,
		disclosure.ErrGone) {
		t.Errorf("fetched after all: %v", err)
	}
	for _, x := range w.rows(o) {
		if len(x.Package)+len(x.Sealed) > 0 {
			t.Errorf("something is kept: state %v", disclosure.State(x.State))
		}
	}
}
