package order_test

import (
	"crypto/rand"
	"testing"

	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
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

// drawn draws given numbers for the first ids.
type drawn struct{ list []byte }

// Read fills what an id is made of with the next number.
func (d *drawn) Read(p []byte) (int, error) {
	if len(p) == 4 && len(d.list) > 0 {
		clear(p)
		p[0], d.list = d.list[0], d.list[1:]
		return len(p), nil
	}
	return rand.Read(p)
}

// TestHoldsOfOneMillisecond: two orders of one millisecond about one account, whose ids and places
// add up to the same number, have it kept twice, and the end of one leaves the other's alone.
func TestHoldsOfOneMillisecond(t *testing.T) {
	w := start(t)
	w.Service.Random = &drawn{[]byte{0, 1}}
	first := w.certificate(instrument.Preservation)
	author := first.Accounts[0]
	first.Accounts = []order.Identifier{{Type: "username", Value: "nobody_here"}, author}
	second := w.certificate(instrument.Preservation)
	second.Number = "another"
	one := w.submit(sender(w.prosecutor), first).Order
	two := w.submit(sender(w.prosecutor), second).Order
	if two.ID != one.ID+1 {
		t.Fatalf("%d and %d", one.ID, two.ID)
	}
	w.approve(w.check(one))
	w.approve(w.check(two))
	w.ok(w.CarryOut(w.ctx()))
	a, b := w.items(one)[1], w.items(two)[0]
	if a.Subject != b.Subject || a.Hold == 0 || b.Hold == 0 || a.Hold == b.Hold {
		t.Fatalf("%+v and %+v", a, b)
	}
	lifted := func(i order.Item) (n int) {
		w.View(func(r *store.Reader) error {
			list, err := r.Holds(i.Subject.Peer, i.Hold)
			for _, h := range list {
				if h.Lifted != 0 {
					n++
				}
			}
			if len(list) != 1 {
				t.Errorf("%d holds", len(list))
			}
			return err
		})
		return n
	}
	for _, x := range []struct {
		of   order.Order
		a, b int
	}{{two, 0, 1}, {one, 1, 1}} {
		_, err := w.Withdraw(w.ctx(), sender(w.prosecutor), x.of.ID, "not needed any more")
		w.ok(err)
		w.ok(w.CarryOut(w.ctx()))
		if lifted(a) != x.a || lifted(b) != x.b {
			t.Errorf("lifted: %d and %d, want %d and %d", lifted(a), lifted(b), x.a, x.b)
		}
	}
}
