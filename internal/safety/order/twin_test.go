package order_test

import (
	"crypto/rand"
	"testing"

	"parley/internal/store"
)

// stuck draws the same for the first few ids.
type stuck struct{ left int }

// Read fills what an id is made of with noughts, as long as it is stuck.
func (s *stuck) Read(p []byte) (int, error) {
	if len(p) == 4 && s.left > 0 {
		s.left--
		clear(p)
		return len(p), nil
	}
	return rand.Read(p)
}

// TestOrdersOfOneMillisecond: two orders of one millisecond that draw the same number are two, each
// with its own receipt, items and reference.
func TestOrdersOfOneMillisecond(t *testing.T) {
	w := start(t)
	post := w.Post("one")
	w.Service.Random = &stuck{left: 2}
	d := w.removal(post)
	one := w.submit(sender(w.officer), d)
	d.Number = "another"
	two := w.submit(sender(w.officer), d)
	if one.Again || two.Again || one.Order.ID == two.Order.ID ||
		one.Order.Reference == two.Order.Reference {
		t.Fatalf("%+v %+v", one.Order, two.Order)
	}
	if left := w.Service.Random.(*stuck).left; left != 0 {
		t.Fatalf("%d ids were not drawn", left)
	}
	for _, o := range []int64{one.Order.ID, two.Order.ID} {
		w.View(func(r *store.Reader) error {
			items, err := r.OrderItems(w.office.ID, o, 10)
			papers, perr := r.OrderPapers(w.office.ID, o)
			if len(items) != 1 || len(papers) != 1 || perr != nil {
				t.Errorf("%d: %d items, %d papers, %v", o, len(items), len(papers), perr)
			}
			return err
		})
	}
}
