package store_test

import "parley/internal/store"

func testDuties(d *desk) {
	x := store.Duty{
		Subject: d.peer(1), ID: d.id(1), Kind: d.id(3), Case: d.id(2), State: 1, By: 4, Created: 5,
		Due: 6, Body: []byte("body"),
	}
	get := func(r *store.Reader) (store.Duty, error) { return r.Duty(x.Subject, x.ID) }
	put := func(x store.Duty) { d.update(func(tx *store.Tx) error { return tx.PutDuty(x) }) }
	due := func(state, at int64) []store.Duty {
		return read(d, func(r *store.Reader) ([]store.Duty, error) {
			return r.DueDuties(x.Kind, state, at, 10)
		})
	}
	absent(d, get)
	put(x)
	equal(d, "written", read(d, get), x)
	equal(d, "before it is due", len(due(1, 5)), 0)
	equal(d, "when it is due", due(1, 6), []store.Duty{x})
	moved := x
	moved.Case, moved.Created = d.id(7), 1
	put(moved)
	equal(d, "what it is about stays", read(d, get), x)
	x.State, x.Flags, x.By, x.Second, x.Due, x.Tries = 2, 3, 9, 8, 7, 1
	x.Settled, x.Place, x.Receipt, x.Problem, x.Body = 11, "place", "receipt", "no", []byte("b")
	put(x)
	equal(d, "changed", read(d, get), x)
	equal(d, "no more in its old state", len(due(1, 9)), 0)
	of := func(r *store.Reader) ([]store.Duty, error) { return r.DutiesOf(x.Subject, x.Case) }
	equal(d, "of the case", read(d, of), []store.Duty{x})
	in := func(r *store.Reader) ([]store.Duty, error) {
		return r.DutiesIn(x.Kind, 2, x.ID-1, 10)
	}
	equal(d, "of a state", read(d, in), []store.Duty{x})
	counts := func(r *store.Reader) ([]store.DutyCount, error) {
		return r.CountDuties(x.Kind, x.ID, x.ID+1)
	}
	equal(d, "counted", read(d, counts), []store.DutyCount{{State: 2, Count: 1, Oldest: 5}})
}
