package order

import (
	"cmp"
	"math"
	"slices"
	"time"

	"parley/internal/store"
)

// Place is a place in a queue: due time and id of the last order that was seen there. The zero
// Place is the beginning.
type Place struct{ Due, ID int64 }

// Wanted narrows the queue of open orders down.
type Wanted struct {
	// State and Agency are those of the orders, 0 for any.
	State  State
	Agency int64
	// Unknown asks for those whose sender is nobody known.
	Unknown bool
	// Still asks for orders whose clock stands or never ran; the others are those that are due.
	Still bool
}

// Open returns up to limit open orders behind a place, those that are due first first, and reads no
// more than so many of each state: for staff.
func (s *Service) Open(r *store.Reader, f Wanted, after Place, limit int) ([]Order, error) {
	if !f.Still && after == (Place{}) {
		after.ID = math.MaxInt64 // behind all that have no due time
	}
	rows, err := openRows(r, f, after, limit)
	if f.Still {
		rows = slices.DeleteFunc(rows, func(o store.Order) bool { return o.Due != 0 })
	}
	return s.readAll(rows, err)
}

func openRows(r *store.Reader, f Wanted, after Place, limit int) (out []store.Order, err error) {
	if f.Agency != 0 || f.Unknown {
		for len(out) < limit {
			list, err := r.OpenOrdersOf(f.Agency, after.Due, after.ID, limit)
			if err != nil {
				return nil, err
			}
			for _, o := range list {
				after = Place{o.Due, o.ID}
				if f.State == 0 || State(o.State) == f.State {
					out = append(out, o)
				}
			}
			if len(list) < limit {
				break
			}
		}
		return out[:min(len(out), limit)], nil
	}
	states := OpenStates()
	if f.State != 0 {
		states = []State{f.State}
	}
	for _, in := range states {
		list, err := r.OrderQueue(int64(in), after.Due, after.ID, limit)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	slices.SortFunc(out, func(a, b store.Order) int {
		return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.ID, b.ID))
	})
	return out[:min(len(out), limit)], nil
}

// Count is how many open orders are in a state.
type Count struct {
	State State
	// Open are all; Late those whose time is over, Soon those that are due within a day, Still
	// those whose clock stands or never ran.
	Open, Late, Soon, Still int64
}

// Counts counts the open orders at a time, by state. No number is higher than most, so that it
// costs the same however many there are.
func Counts(r *store.Reader, now int64, most int) ([]Count, error) {
	const day = int64(24 * time.Hour / time.Second)
	var out []Count
	for _, s := range OpenStates() {
		c := Count{State: s}
		for _, x := range []struct {
			n            *int64
			from, before int64
		}{
			{&c.Open, 0, math.MaxInt64}, {&c.Late, 1, now}, {&c.Soon, now, now + day},
			{&c.Still, 0, 1},
		} {
			var err error
			if *x.n, err = r.CountOrders(int64(s), x.from, x.before, most); err != nil {
				return nil, err
			}
		}
		out = append(out, c)
	}
	return out, nil
}
