package store_test

import "parley/internal/store"

// aCase is a case whose columns all differ.
func (d *desk) aCase(n, id int64) store.Case {
	return store.Case{Subject: d.channel(n), ID: d.id(id), Kind: 3, Item: id, Who: 4,
		Author: d.user(n), Appeal: 6, Lane: d.id(1), State: 1, Source: "s", Category: "c", Keyword: "k", Opened: 10,
		Due: 100 + id, Rank: 50 - id, Reach: 11, Reports: 12, Weight: 13, Staff: d.id(2), Lease: 15,
		Reviewer: 16, Alarmed: 0, Events: 18, Outcome: 19, Decision: 20}
}

func testCases(d *desk) {
	a, b, c := d.aCase(1, 1), d.aCase(1, 2), d.aCase(2, 3)
	get := func(r *store.Reader) (store.Case, error) { return r.Case(a.Subject, a.ID) }
	open := func(r *store.Reader) (store.Case, error) {
		return r.OpenCase(store.Case{Subject: a.Subject, Kind: 3, Item: 1, Who: 4, Appeal: 6})
	}
	absent(d, get)
	absent(d, open)
	d.update(func(tx *store.Tx) error {
		for _, x := range []store.Case{a, b, c} {
			if err := tx.PutCase(x); err != nil {
				return err
			}
		}
		return nil
	})
	equal(d, "case", read(d, get), a)
	equal(d, "open case", read(d, open), a)
	second := a
	second.ID = d.id(9)
	d.refused(store.ErrConflict, func(tx *store.Tx) error { return tx.PutCase(second) })
	list := func(what string, fn func(*store.Reader) ([]store.Case, error), want ...store.Case) {
		equal(d, what, read(d, fn), want)
	}
	queue := func(rank, id int64, limit int) func(*store.Reader) ([]store.Case, error) {
		return func(r *store.Reader) ([]store.Case, error) {
			return r.QueuedCases(d.id(1), 1, rank, id, limit)
		}
	}
	list("queue", queue(0, 0, 9), c, b, a)
	list("its first", queue(0, 0, 1), c)
	list("its rest", queue(c.Rank, c.ID, 9), b, a)
	list("staff", func(r *store.Reader) ([]store.Case, error) { return r.CasesWith(d.id(2), 9) },
		c, b, a)
	list("of a peer", func(r *store.Reader) ([]store.Case, error) {
		return r.CasesOf(a.Subject, 9)
	}, b, a)
	list("about a person", func(r *store.Reader) ([]store.Case, error) {
		return r.CasesAbout(d.user(1), b.ID, 9)
	}, a)
	count := func(most int) int64 {
		return read(d, func(r *store.Reader) (int64, error) {
			return r.CountCases(d.id(1), 1, most)
		})
	}
	equal(d, "count", []int64{count(2), count(9)}, []int64{2, 3})
	list("overdue", func(r *store.Reader) ([]store.Case, error) { return r.OverdueCases(103, 9) },
		a, b)
	list("lapsed", func(r *store.Reader) ([]store.Case, error) { return r.LapsedCases(16, 1) }, a)
	a.Closed, a.State, a.Lease, a.Alarmed, b.Lease, c.Lease = 30, 9, 0, 1, 0, 0
	d.update(func(tx *store.Tx) error {
		for _, x := range []store.Case{a, b, c, second} {
			x.Lease = 0
			if err := tx.PutCase(x); err != nil {
				return err
			}
		}
		return nil
	})
	second.Lease = 0
	equal(d, "closed case", read(d, get), a)
	equal(d, "the next one", read(d, open), second)
	equal(d, "the last one", read(d, func(r *store.Reader) (store.Case, error) {
		return r.LastCase(a)
	}), second)
}

func testCaseEvents(d *desk) {
	in := d.channel(1)
	var want []store.CaseEvent
	for n := int64(1); n <= 3; n++ {
		e := store.CaseEvent{Subject: in, Case: d.id(1), N: n, At: n, Staff: d.id(5), Rule: "r",
			Kind: 7 + n%2, Public: n == 2, Body: []byte{byte(n)}}
		want = append(want, e)
		d.update(func(tx *store.Tx) error { return tx.AddCaseEvent(e) })
	}
	d.refused(store.ErrConflict, func(tx *store.Tx) error { return tx.AddCaseEvent(want[0]) })
	list := func(after int64, limit int) []store.CaseEvent {
		return read(d, func(r *store.Reader) ([]store.CaseEvent, error) {
			return r.CaseEvents(in, d.id(1), after, limit)
		})
	}
	equal(d, "events", list(0, 9), want)
	equal(d, "a page", list(1, 1), want[1:2])
	equal(d, "work", read(d, func(r *store.Reader) (map[int64]int64, error) {
		return r.StaffEvents(d.id(5), 2)
	}), map[int64]int64{7: 1, 8: 1})
}

func testReports(d *desk) {
	in := d.channel(1)
	add := func(n, reporter, joined int64) store.Report {
		x := store.Report{Subject: in, ID: d.id(n), Case: d.id(8), Reporter: reporter, Source: "s",
			Category: "c", Keyword: "k", Note: "Ж", Places: "p", Lang: "fa", Flagger: 1, At: 2,
			Weight: 3, Net: d.id(4), Device: 5, Joined: joined}
		d.update(func(tx *store.Tx) error { return tx.AddReport(x) })
		return x
	}
	a, b := add(1, 77, 6), add(2, 0, 7)
	c := add(3, 0, 7)
	d.refused(store.ErrConflict, func(tx *store.Tx) error {
		x := a
		x.ID = d.id(9)
		return tx.AddReport(x)
	})
	by := func(reporter int64) func(*store.Reader) (store.Report, error) {
		return func(r *store.Reader) (store.Report, error) {
			return r.ReportBy(in, d.id(8), reporter)
		}
	}
	equal(d, "by", read(d, by(77)), a)
	absent(d, by(0))
	absent(d, by(78))
	get := func(r *store.Reader) (store.Report, error) { return r.Report(in, a.ID) }
	equal(d, "report", read(d, get), a)
	list := func(r *store.Reader) ([]store.Report, error) { return r.Reports(in, d.id(8), a.ID, 9) }
	equal(d, "list", read(d, list), []store.Report{b, c})
	alike := func(x store.Report, most int) [3]int64 {
		return read(d, func(r *store.Reader) ([3]int64, error) {
			net, device, joined, err := r.ReportsAlike(x, most)
			return [3]int64{net, device, joined}, err
		})
	}
	equal(d, "alike", alike(b, 9), [3]int64{3, 3, 2})
	b.Device = 0
	equal(d, "at most", alike(b, 2), [3]int64{2, 0, 2})
	b.Device = 5
	testReportOutcomes(d, a, b, c)
}

func testReportOutcomes(d *desk, a, b, c store.Report) {
	list := func(
		fn func(*store.Reader, int64, int) ([]store.Report, error), after int64,
	) []store.Report {
		return read(d, func(r *store.Reader) ([]store.Report, error) { return fn(r, after, 9) })
	}
	equal(d, "none decided", list((*store.Reader).UntoldReports, 0), []store.Report{})
	for i, want := range []int64{3, 0} {
		var got int64
		d.update(func(tx *store.Tx) (err error) {
			got, err = tx.DecideReports(a.Subject, a.Case, 2+int64(i), 40+int64(i))
			return err
		})
		equal(d, "decided", got, want)
	}
	for _, x := range []*store.Report{&a, &b, &c} {
		x.Outcome, x.Decided = 2, 40
	}
	equal(d, "untold", list((*store.Reader).UntoldReports, a.ID), []store.Report{b, c})
	d.update(func(tx *store.Tx) error { return tx.SetReportTold(a.Subject, b.ID, 41) })
	d.update(func(tx *store.Tx) error { return tx.SetReportCounted(a.Subject, c.ID, 42) })
	b.Told, c.Counted = 41, 42
	equal(d, "still untold", list((*store.Reader).UntoldReports, 0), []store.Report{a, c})
	equal(d, "uncounted", list((*store.Reader).UncountedReports, 0), []store.Report{a, b})
	d.update(func(tx *store.Tx) error { return tx.ChangeReports(a.Subject, a.Case, 3, 60) })
	for _, x := range []*store.Report{&a, &b, &c} {
		x.Outcome, x.Decided, x.Told, x.Counted = 3, 60, 0, -min(x.Counted, 1)
	}
	all := []store.Report{a, b, c}
	equal(d, "changed", list((*store.Reader).UntoldReports, 0), all)
	equal(d, "to be counted anew", list((*store.Reader).UncountedReports, 0), all)
	d.update(func(tx *store.Tx) error { return tx.ReopenReports(a.Subject, a.Case) })
	equal(d, "reopened", list((*store.Reader).UntoldReports, 0), []store.Report{})
	c.Outcome, c.Decided = 0, 0
	equal(d, "counted, and open", list((*store.Reader).UncountedReports, 0), []store.Report{c})
	testReportsMove(d, a)
}

// testReportsMove: the reports of a case go to another, but for those of who reported there too.
func testReportsMove(d *desk, a store.Report) {
	of := func(in int64) (out []int64) {
		list := read(d, func(r *store.Reader) ([]store.Report, error) {
			return r.Reports(a.Subject, in, 0, 99)
		})
		for _, x := range list {
			out = append(out, x.ID)
		}
		return out
	}
	all := of(a.Case)
	there := a
	there.ID, there.Case = d.id(77), d.id(78)
	d.update(func(tx *store.Tx) error { return tx.AddReport(there) })
	d.update(func(tx *store.Tx) error { return tx.MoveReports(a.Subject, a.Case, there.Case) })
	equal(d, "stayed", of(a.Case), []int64{a.ID})
	equal(d, "moved", len(of(there.Case)), len(all))
}

func testReporters(d *desk) {
	get := func(r *store.Reader) ([]byte, error) { return r.Reporter(d.channel(1), 5) }
	absent(d, get)
	d.update(func(tx *store.Tx) error { return tx.PutReporter(d.channel(1), 5, []byte{1, 2}) })
	equal(d, "reporter", read(d, get), []byte{1, 2})
	for n, outcome := range []int64{1, 2, 2, 2, 2} {
		report := d.id(int64(n) % 4)
		d.update(func(tx *store.Tx) error {
			return tx.PutReporterOutcome(d.user(1), report, int64(n), outcome)
		})
	}
	equal(d, "record", read(d, func(r *store.Reader) (map[int64]int64, error) {
		return r.ReporterOutcomes(d.user(1), 0)
	}), map[int64]int64{2: 4})
	equal(d, "since", read(d, func(r *store.Reader) (map[int64]int64, error) {
		return r.ReporterOutcomes(d.user(1), 2)
	}), map[int64]int64{2: 3})
	d.update(func(tx *store.Tx) error { return tx.DeleteReporterOutcome(d.user(1), d.id(3)) })
	equal(d, "taken out", read(d, func(r *store.Reader) (map[int64]int64, error) {
		return r.ReporterOutcomes(d.user(1), 0)
	}), map[int64]int64{2: 3})
	standing := func() store.ReporterStanding {
		return read(d, func(r *store.Reader) (store.ReporterStanding, error) {
			return r.ReporterStanding(d.user(1))
		})
	}
	untold := func() []store.ReporterStanding {
		return read(d, func(r *store.Reader) ([]store.ReporterStanding, error) {
			return r.UntoldStandings(d.user(0), 9)
		})
	}
	equal(d, "no standing", standing(), store.ReporterStanding{User: d.user(1), Told: 1})
	s := store.ReporterStanding{
		User: d.user(1), Stage: 1, Since: 2, Until: 3, Upheld: 4, Refuted: 5,
	}
	d.update(func(tx *store.Tx) error { return tx.PutReporterStanding(s) })
	equal(d, "standing", standing(), s)
	equal(d, "untold", untold(), []store.ReporterStanding{s})
	s.Stage, s.Told = 2, 9
	d.update(func(tx *store.Tx) error { return tx.PutReporterStanding(s) })
	equal(d, "changed", standing(), s)
	equal(d, "told", untold(), []store.ReporterStanding{})
}

func testFindings(d *desk) {
	var list []store.Finding
	for n := int64(1); n <= 3; n++ {
		f := store.Finding{Subject: d.channel(n), ID: d.id(n), Case: n, Rule: "rule", Score: n,
			Verdict: 1 + n%2, At: n, Note: "n"}
		list = append([]store.Finding{f}, list...)
		d.update(func(tx *store.Tx) error { return tx.AddFinding(f) })
	}
	equal(d, "findings", read(d, func(r *store.Reader) ([]store.Finding, error) {
		return r.Findings("rule", 2, 9)
	}), list[1:])
	equal(d, "counts", read(d, func(r *store.Reader) (map[int64]int64, error) {
		return r.CountFindings("rule", 2)
	}), map[int64]int64{1: 1, 2: 1})
}

func testEvidence(d *desk) {
	in := d.channel(1)
	add := func(n, of, keep int64) store.Evidence {
		e := store.Evidence{Subject: in, ID: d.id(n), Case: d.id(of), Kind: 1, At: n, Keep: keep,
			Digest: []byte{byte(n)}, Body: []byte{9, byte(n)}}
		d.update(func(tx *store.Tx) error { return tx.AddEvidence(e) })
		return e
	}
	a, b, c := add(1, 7, 0), add(2, 7, 0), add(3, 8, 0)
	list := func(of int64) []store.Evidence {
		return read(d, func(r *store.Reader) ([]store.Evidence, error) {
			return r.Evidence(in, d.id(of), 9)
		})
	}
	equal(d, "of a case", list(7), []store.Evidence{a, b})
	has := func(digest byte) bool {
		return read(d, func(r *store.Reader) (bool, error) {
			return r.HasEvidence(in, d.id(7), []byte{digest})
		})
	}
	equal(d, "has", []bool{has(1), has(3)}, []bool{true, false})
	over := func() []store.CaseRef {
		return read(d, func(r *store.Reader) ([]store.CaseRef, error) {
			return r.EvidenceOver(60, 9)
		})
	}
	equal(d, "none over", over(), []store.CaseRef{})
	d.update(func(tx *store.Tx) error { return tx.KeepEvidence(in, d.id(7), 50) })
	equal(d, "over", over(), []store.CaseRef{{Subject: in, Case: d.id(7)}})
	drop := func(before int64) (n int64) {
		d.update(func(tx *store.Tx) (err error) {
			n, err = tx.DropEvidence(in, d.id(7), before)
			return err
		})
		return n
	}
	equal(d, "dropped", []int64{drop(50), drop(51)}, []int64{0, 2})
	equal(d, "left", list(8), []store.Evidence{c})
	h := store.Hold{Subject: in, ID: d.id(1), Case: 3, Staff: 4, Reason: "r", Set: 5, Ends: 6}
	d.update(func(tx *store.Tx) error { return tx.PutHold(h) })
	h.Lifted = 7
	d.update(func(tx *store.Tx) error { return tx.PutHold(h) })
	other, elsewhere := h, h
	other.Reason, elsewhere.Case = "another", 4
	for _, x := range []store.Hold{other, elsewhere} {
		d.refused(store.ErrConflict, func(tx *store.Tx) error { return tx.PutHold(x) })
	}
	equal(d, "holds", read(d, func(r *store.Reader) ([]store.Hold, error) {
		return r.Holds(in, 3)
	}), []store.Hold{h})
}
