package order_test

import (
	"testing"

	"parley/internal/safety/order"
	"parley/internal/store"
)

// toReview are the numbers of the orders whose review waits.
func (w *world) toReview() (out []int64) {
	w.Helper()
	w.View(func(r *store.Reader) error {
		list, err := w.ToReview(r, order.Place{}, 10)
		out = nil
		for _, o := range list {
			out = append(out, o.ID)
		}
		return err
	})
	return out
}

// TestReviewsWait: what was done within the hour waits for a review from then on until somebody has
// decided, and so does what a sender ordered who is suspended later.
func TestReviewsWait(t *testing.T) {
	w := start(t)
	w.halting()
	o := w.approve(w.check(w.submit(sender(w.officer), w.removal(w.Post("join the fight"))).Order))
	if got := w.toReview(); len(got) != 0 {
		t.Errorf("nothing is done yet, and waits: %v", got)
	}
	w.ok(w.CarryOut(w.ctx()))
	if got := w.toReview(); len(got) != 1 || got[0] != o.ID {
		t.Fatalf("done within the hour, and waiting are %v", got)
	}
	_, err := w.Service.Decide(w.ctx(), boris, o.Agency, o.ID, false, "It incites.")
	w.ok(err)
	if got := w.toReview(); len(got) != 0 {
		t.Errorf("decided, and it waits: %v", got)
	}
	w.ok(w.Agencies.SuspendOfficer(w.ctx(), anna, o.Agency, o.Officer, "key stolen"))
	if got := w.toReview(); len(got) != 1 {
		t.Errorf("the sender is suspended, and waiting are %v", got)
	}
	_, err = w.Annul(w.ctx(), boris, o.Agency, o.ID, "annulled")
	w.ok(err)
	w.ok(w.CarryOut(w.ctx()))
	if got := w.toReview(); len(got) != 0 {
		t.Errorf("taken back, and it waits: %v", got)
	}
}
