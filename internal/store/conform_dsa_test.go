package store_test

import (
	"math"

	"parley/internal/store"
)

func testDSAStatements(d *desk) {
	x := store.DSAStatement{
		Subject: d.peer(1), Decision: d.id(1), State: 1, Created: 4, Due: 5,
	}
	owe := func(x store.DSAStatement) func(*store.Tx) error {
		return func(tx *store.Tx) error { return tx.OweDSAStatement(x) }
	}
	change := func(x store.DSAStatement) func(*store.Tx) error {
		return func(tx *store.Tx) error { return tx.ChangeDSAStatement(x) }
	}
	due := func(state, at, shown int64) []store.DSAStatement {
		return read(d, func(r *store.Reader) ([]store.DSAStatement, error) {
			return r.DueDSAStatements(state, at, shown, 10)
		})
	}
	get := func(r *store.Reader) (store.DSAStatement, error) {
		return r.DSAStatement(x.Subject, x.Decision)
	}
	absent(d, get)
	d.refused(store.ErrNotFound, change(x))
	d.update(owe(x))
	again := x
	again.Due = 1
	d.update(owe(again))
	equal(d, "owed once", read(d, get), x)
	equal(d, "before it is due", len(due(1, 4, math.MaxInt64)), 0)
	equal(d, "when it is due", due(1, 5, 0), []store.DSAStatement{x})
	x.Shown, x.Tries, x.Due, x.Problem = 6, 1, 7, "late"
	d.update(change(x))
	equal(d, "not shown yet", len(due(1, 9, 0)), 0)
	equal(d, "shown or not", due(1, 9, math.MaxInt64), []store.DSAStatement{x})
	x.State, x.Flags, x.Settled, x.Receipt = 2, 1, 8, "name"
	d.update(change(x))
	equal(d, "settled", len(due(1, 9, math.MaxInt64)), 0)
	in := func(r *store.Reader) ([]store.DSAStatement, error) {
		return r.DSAStatementsIn(2, x.Decision-1, 10)
	}
	equal(d, "of a state", read(d, in), []store.DSAStatement{x})
	counts := func(r *store.Reader) ([]store.DSACount, error) {
		return r.CountDSAStatements(x.Decision, x.Decision+1)
	}
	equal(d, "counted", read(d, counts), []store.DSACount{{State: 2, Count: 1, Oldest: 4}})
}
