package agency_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/store"
)

// agency reads an agency.
func (w *world) agency(id int64) (a agency.Agency) {
	w.Helper()
	w.ok(w.Store.View(w.ctx(), func(r *store.Reader) (err error) {
		a, err = agency.Of(r, id)
		return err
	}))
	return a
}

// kinds are the kinds of an agency's events, the first first.
func (w *world) kinds(id int64) (out []agency.EventKind) {
	w.Helper()
	w.ok(w.Store.View(w.ctx(), func(r *store.Reader) error {
		list, err := agency.Events(r, id, math.MaxInt64, 100)
		for _, e := range slices.Backward(list) {
			out = append(out, e.Kind)
		}
		return err
	}))
	return out
}

// TestNumberTakesTwo: nobody changes by himself the number that he then calls, whether he says that
// he only confirms the agency's standing or asks for another number; the old number is called, and
// emergencies wait after a change.
func TestNumberTakesTwo(t *testing.T) {
	w := start(t)
	a, o := w.active()
	kept := a.Check.Number
	if kept = w.agency(a.ID).Check.Number; kept == "" {
		t.Fatal("no number is kept")
	}
	w.now.Advance(8 * 24 * time.Hour)
	own := call()
	own.Number = "+49 40 7770 123"
	old := agency.Former{Heard: agency.Unreachable, Note: "three times in two days"}
	refused := func(what, field, reason string, err error) {
		t.Helper()
		if !errors.Is(err, agency.Refusal{Field: field, Reason: reason}) {
			t.Errorf("%s: %v", what, err)
		}
		if got := w.agency(a.ID); got.Check.Number != kept || got.Change != nil {
			t.Errorf("%s: it is called at %s, change %v", what, got.Check.Number, got.Change)
		}
	}
	refused("standing confirmed at another number", "number", "changed",
		w.Attest(w.ctx(), anna, a.ID, own))
	refused("the old number was not called", "former", "missing",
		w.Renumber(w.ctx(), anna, a.ID, own, agency.Former{Heard: agency.Agreed}))
	var alarmed string
	w.Alarm = func(action string, _ int64, _ string) { alarmed = action }
	refused("the old number denies it", "former", "denied",
		w.Renumber(w.ctx(), anna, a.ID, own, agency.Former{Heard: agency.Denied, Note: "B"}))
	if alarmed != "number-denied" {
		t.Errorf("alarmed %q", alarmed)
	}

	w.ok(w.Renumber(w.ctx(), anna, a.ID, own, old))
	if err := w.Renumbered(w.ctx(), anna, a.ID, true); !errors.Is(err, agency.ErrSamePerson) {
		t.Errorf("approved by who called it: %v", err)
	}
	if got := w.agency(a.ID).Check.Number; got != kept {
		t.Errorf("called at %s before anybody approved it", got)
	}
	w.ok(w.Renumbered(w.ctx(), boris, a.ID, false))
	if err := w.Renumbered(w.ctx(), boris, a.ID, true); !errors.Is(err, agency.ErrState) {
		t.Errorf("approved what was dropped: %v", err)
	}
	w.ok(w.Renumber(w.ctx(), anna, a.ID, own, old))
	if w.standing(a.ID, o.ID).Quarantined {
		t.Error("emergencies wait before the number is another")
	}
	w.ok(w.Renumbered(w.ctx(), boris, a.ID, true))
	got := w.agency(a.ID)
	if got.Check.Number != own.Number || !w.standing(a.ID, o.ID).Quarantined {
		t.Errorf("called at %s, emergencies wait: %v", got.Check.Number,
			w.standing(a.ID, o.ID).Quarantined)
	}
	w.now.Advance(7 * 24 * time.Hour)
	if w.standing(a.ID, o.ID).Quarantined {
		t.Error("emergencies wait for ever")
	}
	want := []agency.EventKind{
		agency.NumberDenied, agency.NumberProposed, agency.NumberDropped, agency.NumberProposed,
		agency.NumberApproved,
	}
	if all := w.kinds(a.ID); !slices.Equal(all[len(all)-len(want):], want) {
		t.Errorf("events %v, want %v at the end", all, want)
	}
}
