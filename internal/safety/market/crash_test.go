package market_test

import (
	"context"
	"errors"
	"testing"

	"parley/internal/safety"
	"parley/internal/safety/country"
	"parley/internal/safety/decide"
	"parley/internal/safety/market"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// died is what a service panics with where a test ends it.
type died struct{}

// dies runs what is expected to end in the middle.
func dies(t *testing.T, fn func()) {
	t.Helper()
	defer func() {
		if x := recover(); x != (died{}) {
			t.Fatalf("it did not end where it had to: %v", x)
		}
	}()
	fn()
}

// about is what the tests withhold.
var about = market.Withholding{
	Categories: []safety.Category{safety.HarmfulSpeech}, Law: "Media act, s. 1", Staff: 7,
}

// TestEndsInTheMiddle ends a process between any two steps of a withholding. The next one finishes
// it: every post is proposed once, in the batch that the register names, which can be approved, and
// is lifted as a whole.
func TestEndsInTheMiddle(t *testing.T) {
	const posts = 6
	points := map[string]func(w town){
		"recorded": func(w town) { w.Service.Crash = func(string) { panic(died{}) } },
		"batch": func(w town) {
			w.World.Decisions.Crash = func(at string) {
				if at == "batch" {
					panic(died{})
				}
			}
		},
	}
	for name, at := range points {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				w := newTown(t, s)
				for range posts {
					w.decided(safety.HarmfulSpeech, safety.MeasureSpec{
						Measure: safety.Label, Detail: "disputed",
					})
				}
				at(w)
				dies(t, func() { _, _ = w.Restrict(context.Background(), "DE", law(), about) })
				w.Crash, w.World.Decisions.Crash = nil, nil
				w.goesOn(t, "DE", posts)
			})
		})
	}
}

// law is a change that restricts a country.
func law() market.Change {
	return market.Change{State: market.Restricted, Why: "A law.", By: "board"}
}

// goesOn finishes a withholding that was begun, twice, and ends it.
func (w town) goesOn(t *testing.T, of country.Code, posts int64) {
	t.Helper()
	ctx := context.Background()
	before := w.only(t, of)
	if before.State != decide.BatchProposed || before.Whole() {
		t.Fatalf("left behind: %+v", before)
	}
	_, err := w.World.Decisions.ApproveBatch(ctx, before.ID, 8)
	if before.Size > 0 && !errors.Is(err, decide.ErrIncomplete) {
		t.Errorf("half a batch was approved: %v", err)
	}
	for want := 1; want >= 0; want-- {
		if n, err := w.Complete(ctx); n != want || err != nil {
			t.Fatalf("%d gone on with, want %d: %v", n, want, err)
		}
	}
	if _, err := w.Restrict(ctx, of, law(), about); !errors.Is(err, market.ErrNothing) {
		t.Errorf("withheld twice: %v", err)
	}
	b := w.only(t, of)
	if !b.Whole() || b.Size != posts || b.Count[decide.Proposed] != b.Size || b.ID != before.ID {
		t.Errorf("gone on with: %+v", b)
	}
	if _, err := w.World.Decisions.ApproveBatch(ctx, b.ID, 8); err != nil {
		t.Fatal(err)
	}
	// Closed and open again before anybody looked: what the first closing withheld is lifted.
	set(t, w.Service, of, market.Open)
	set(t, w.Service, of, market.Leaving)
	if n, err := w.LiftAll(ctx); n != 1 || err != nil {
		t.Errorf("%d lifted, %v", n, err)
	}
	if st, err := w.Status(ctx, of); err != nil || len(st.Batches) != 0 || !st.Telling {
		t.Errorf("%+v, %v", st, err)
	}
}

// only is the one batch that a country has.
func (w town) only(t *testing.T, of country.Code) decide.Batch {
	t.Helper()
	st, err := w.Status(context.Background(), of)
	if err != nil || len(st.Batches) != 1 || st.State() != market.Restricted {
		t.Fatalf("%+v, %v", st, err)
	}
	return st.Batches[0]
}

// TestNothingLeft forgets a withholding of which everything was removed meanwhile.
func TestNothingLeft(t *testing.T) {
	ctx := context.Background()
	w := newTown(t, storetest.SQLite(t))
	post := w.decided(safety.HarmfulSpeech, safety.MeasureSpec{
		Measure: safety.Label, Detail: "disputed",
	})
	w.Service.Crash = func(string) { panic(died{}) }
	dies(t, func() { _, _ = w.Restrict(ctx, "DE", law(), about) })
	w.Service.Crash = nil
	w.Decide(safetytest.Draft(0, post)) // which removes it
	for want := 1; want >= 0; want-- {
		if n, err := w.Complete(ctx); n != want || err != nil {
			t.Errorf("%d gone on with, want %d: %v", n, want, err)
		}
	}
	if st, err := w.Status(ctx, "DE"); err != nil || len(st.Batches) != 0 {
		t.Errorf("%+v, %v", st, err)
	}
}
