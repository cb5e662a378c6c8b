package store_test

import (
	"math"

	"parley/internal/ids"
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

// testForms reads what report forms are counted from.
func testForms(d *desk) {
	subject := d.peer(1)
	add := func(id int64, source string, of int64) store.NoticeRow {
		x := store.Report{
			Subject: subject, ID: d.id(id), Case: d.id(of), Source: source, Category: "category",
			Keyword: "keyword", At: 7,
		}
		d.update(func(tx *store.Tx) error { return tx.AddReport(x) })
		return store.NoticeRow{
			Subject: subject, Report: x.ID, Category: x.Category, Keyword: x.Keyword,
			Source: source, At: 7,
		}
	}
	decided, open := add(1, "notice", 5), add(2, "flagged", 6)
	add(3, "report", 5)
	d.update(func(tx *store.Tx) error {
		err := tx.PutCase(store.Case{
			Subject: subject, ID: d.id(5), Decision: d.id(9), State: 5, Closed: 8,
		})
		if err != nil {
			return err
		}
		return tx.AddDecision(store.Decision{
			Subject: subject, ID: d.id(9), Case: d.id(5), Ground: "law", Automation: "fully", By: 7,
			State: 2, Explanation: "why", Reference: "rule", Facts: "facts", Category: "category",
			Measures: []byte{1}, Source: "notice",
		})
	})
	decided.Ground, decided.Automation, decided.State = "law", "fully", 2
	list := func(r *store.Reader) ([]store.NoticeRow, error) {
		return r.Notices(d.id(1), d.id(4), "notice", "flagged", 10)
	}
	equal(d, "notices", read(d, list), []store.NoticeRow{decided, open})
	d.update(func(tx *store.Tx) error { return tx.PutNotice(subject, d.id(1), []byte{1}) })
	var parts []byte
	count := func(r *store.Reader) (int, error) {
		return r.NoticesSince(d.id(1), d.id(2), 10, func(_ int64, b []byte) error {
			parts = b
			return nil
		})
	}
	equal(d, "notices of several places", read(d, count), 1)
	equal(d, "their parts", parts, []byte{1})
	d.update(func(tx *store.Tx) error {
		return tx.PutReporterStanding(store.ReporterStanding{
			User: ids.UserID(d.id(1)), Stage: 2, Since: 90_001,
		})
	})
	standings := func(r *store.Reader) (int64, error) {
		return r.CountStandings(2, 90_000, 90_002)
	}
	equal(d, "suspended", read(d, standings), int64(1))
}
