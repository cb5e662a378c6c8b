package store_test

import (
	"errors"
	"math"

	"parley/internal/ids"
	"parley/internal/store"
)

// reasoned is a decision that the schema accepts.
func reasoned(d *desk, id int64) store.Decision {
	return store.Decision{
		Subject: d.peer(1), ID: d.id(id), Case: d.id(90), Kind: 3, Item: 5, Author: d.user(2),
		State: 2, Ground: "g", Reference: "rule " + string(rune('a'+id)), Explanation: "e",
		Facts: "f", Category: "c", Keywords: "k", Measures: []byte{1}, Automation: "none",
		Source: "s", Lang: "fa", ContentType: "t", ContentDate: 3, By: 7, Created: 8,
		Effective: 9, Ends: 20, Applied: 2,
	}
}

func testDecisions(d *desk) {
	x := reasoned(d, 1)
	get := func(r *store.Reader) (store.Decision, error) { return r.Decision(x.Subject, x.ID) }
	absent(d, get)
	add := func(x store.Decision) func(*store.Tx) error {
		return func(tx *store.Tx) error { return tx.AddDecision(x) }
	}
	d.update(add(x))
	equal(d, "decision", read(d, get), x)
	d.refused(store.ErrConflict, add(x))
	for what, bad := range map[string]func(*store.Decision){
		"nobody decided":      func(x *store.Decision) { x.By = 0 },
		"seconds himself":     func(x *store.Decision) { x.Second = x.By },
		"lacks a second":      func(x *store.Decision) { x.Flags = 1 },
		"no reasons":          func(x *store.Decision) { x.Explanation = "" },
		"no facts":            func(x *store.Decision) { x.Facts = "" },
		"no ground":           func(x *store.Decision) { x.Ground = "" },
		"reviewed by himself": func(x *store.Decision) { x.Reviewer = x.By },
	} {
		y := reasoned(d, 2)
		bad(&y)
		if err := d.s.Update(d.Context(), y.Subject, add(y)); err == nil {
			d.Errorf("%s: accepted", what)
		}
	}
	x.State, x.Second, x.Ended, x.EndedBy, x.EndReason = 3, 8, 30, 9, "wrong"
	x.Restored, x.Review, x.Reviewer, x.Flags, x.Effective = 2, 2, 9, 5, 10
	d.update(func(tx *store.Tx) error { return tx.ChangeDecision(x) })
	equal(d, "changed", read(d, get), x)
	y := reasoned(d, 3)
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { return tx.ChangeDecision(y) })
	all := read(d, func(r *store.Reader) ([]store.Decision, error) {
		return r.DecisionsOf(x.Subject, math.MaxInt64, 9)
	})
	equal(d, "of the subject", all, []store.Decision{x})
}

func testDecisionLists(d *desk) {
	proposed, due, sampled := reasoned(d, 1), reasoned(d, 2), reasoned(d, 3)
	proposed.State, proposed.Flags = 1, 1
	due.Ends = 5
	sampled.Flags, sampled.Batch = 4, d.id(50)
	list := []*store.Decision{&proposed, &due, &sampled}
	for i, x := range list {
		x.Subject = d.peer(int64(i + 1))
		d.update(func(tx *store.Tx) error { return tx.AddDecision(*x) })
	}
	for what, c := range map[string]struct {
		list func(r *store.Reader) ([]store.Decision, error)
		want []store.Decision
	}{
		"about": {func(r *store.Reader) ([]store.Decision, error) {
			return r.DecisionsAbout(d.user(2), math.MaxInt64, 2)
		}, []store.Decision{sampled, due}},
		"proposed": {func(r *store.Reader) ([]store.Decision, error) {
			return r.ProposedDecisions(d.id(0), 9)
		}, []store.Decision{proposed}},
		"due": {func(r *store.Reader) ([]store.Decision, error) {
			return r.DueDecisions(5, 9)
		}, []store.Decision{due}},
		"batch": {func(r *store.Reader) ([]store.Decision, error) {
			return r.BatchDecisions(d.id(50), 2, 0, 9)
		}, []store.Decision{sampled}},
		"sampled": {func(r *store.Reader) ([]store.Decision, error) {
			return r.SampledDecisions(d.id(0), 9)
		}, []store.Decision{sampled}},
		"between": {func(r *store.Reader) ([]store.Decision, error) {
			return r.DecisionsBetween(d.id(1), d.id(3), 9)
		}, []store.Decision{proposed, due}},
	} {
		equal(d, what, read(d, c.list), c.want)
	}
	equal(d, "tally", read(d, func(r *store.Reader) ([]store.Tally, error) {
		return r.BatchTally(d.id(50))
	}), []store.Tally{{State: 2, Count: 1, Applied: 2}})
	equal(d, "hits", read(d, func(r *store.Reader) ([]store.Hit, error) {
		return r.DecisionHits(d.id(0), d.id(99))
	}), []store.Hit{
		{Reference: "rule c", Lang: "fa", Count: 1}, {Reference: "rule d", Lang: "fa", Count: 1},
	})
}

func testBatches(d *desk) {
	b := store.Batch{ID: d.id(1), State: 1, Flags: 1, By: 3, Size: 4, Accounts: 5, Messages: 6,
		Members: 7, Created: 8, Reason: "r"}
	get := func(r *store.Reader) (store.Batch, error) { return r.Batch(b.ID) }
	put := func(b store.Batch) func(*store.Tx) error {
		return func(tx *store.Tx) error { return tx.PutBatch(b) }
	}
	absent(d, get)
	d.update(put(b))
	equal(d, "batch", read(d, get), b)
	alone := b
	alone.State = 2
	if d.s.Update(d.Context(), 1, put(alone)) == nil {
		d.Error("a batch was approved by nobody")
	}
	alone.Second = alone.By
	if d.s.Update(d.Context(), 1, put(alone)) == nil {
		d.Error("a batch was approved by who proposed it")
	}
	b.State, b.Second = 2, 4
	d.update(put(b))
	equal(d, "open", read(d, (*store.Reader).OpenBatches), []store.Batch{b})
	b.State, b.LiftedBy, b.Reason = 5, 9, "wrong"
	d.update(put(b))
	equal(d, "lifted", read(d, get), b)
}

func testLetters(d *desk) {
	s := store.Letter{Subject: d.peer(1), ID: d.id(1), Kind: 1, Decision: 2, Appeal: 3,
		Recipient: d.user(4), Place: 5, Created: 6, Due: -7}
	get := func(r *store.Reader) (store.Letter, error) { return r.Letter(s.Subject, s.ID) }
	owed := func(r *store.Reader) ([]store.Letter, error) { return r.OwedLetters(-6, 9) }
	absent(d, get)
	d.update(func(tx *store.Tx) error { return tx.AddLetter(s) })
	d.refused(store.ErrConflict, func(tx *store.Tx) error { return tx.AddLetter(s) })
	equal(d, "statement", read(d, get), s)
	equal(d, "owed", read(d, owed), []store.Letter{s})
	s.Place, s.Due, s.Delivered, s.Message = 8, -9, 10, 11
	d.update(func(tx *store.Tx) error { return tx.ChangeLetter(s) })
	if list := read(d, owed); len(list) != 0 {
		d.Errorf("still owed: %v", list)
	}
	equal(d, "of the decision", read(d, func(r *store.Reader) ([]store.Letter, error) {
		return r.LettersOf(s.Subject, 2)
	}), []store.Letter{s})
}

func testAppeals(d *desk) {
	a := store.Appeal{Subject: d.peer(1), ID: d.id(1), Decision: 2, Person: d.user(3), State: 1,
		Lang: "ko", First: 4, Second: 5, Created: 6}
	get := func(r *store.Reader) (store.Appeal, error) { return r.Appeal(a.Subject, a.ID) }
	absent(d, get)
	d.update(func(tx *store.Tx) error { return tx.AddAppeal(a) })
	equal(d, "appeal", read(d, get), a)
	again := a
	again.ID++
	d.refused(store.ErrConflict, func(tx *store.Tx) error { return tx.AddAppeal(again) })
	change := func(a store.Appeal) error {
		return d.s.Update(d.Context(), a.Subject, func(tx *store.Tx) error {
			return tx.ChangeAppeal(a)
		})
	}
	for _, same := range []int64{a.First, a.Second, 0} {
		bad := a
		bad.State, bad.Reviewer, bad.Reason = 4, same, "r"
		if change(bad) == nil {
			d.Errorf("%d reviewed what %d and %d decided", same, a.First, a.Second)
		}
		bad = a
		if bad.Assignee = same; same > 0 && change(bad) == nil {
			d.Errorf("%d was given what %d and %d decided", same, a.First, a.Second)
		}
	}
	equal(d, "open", read(d, func(r *store.Reader) ([]store.Appeal, error) {
		return r.OpenAppeals(d.id(0), 9)
	}), []store.Appeal{a})
	equal(d, "of the person", read(d, func(r *store.Reader) ([]store.Appeal, error) {
		return r.AppealsBy(a.Person, d.id(9), 9)
	}), []store.Appeal{a})
	a.State, a.Assignee, a.Reviewer, a.Replaced, a.Decided, a.Reason = 3, 6, 6, 7, 8, "r"
	if err := change(a); err != nil {
		d.Fatal(err)
	}
	equal(d, "of the decision", read(d, func(r *store.Reader) ([]store.Appeal, error) {
		return r.AppealsOf(a.Subject, 2)
	}), []store.Appeal{a})
	equal(d, "between", read(d, func(r *store.Reader) ([]store.Appeal, error) {
		return r.AppealsBetween(d.id(1), d.id(2), 9)
	}), []store.Appeal{a})

	m := store.AppealMessage{Subject: a.Subject, Appeal: a.ID, ID: 1, Origin: 9, Date: 3, Body: "b"}
	say := func(tx *store.Tx) error { return tx.SayInAppeal(m) }
	d.update(say)
	m.ID++
	d.refused(store.ErrConflict, say)
	m.ID--
	equal(d, "dialogue", read(d, func(r *store.Reader) ([]store.AppealMessage, error) {
		return r.AppealMessages(a.Subject, a.ID)
	}), []store.AppealMessage{m})
}

func testSettlements(d *desk) {
	s := store.Settlement{Subject: d.peer(1), ID: d.id(1), Decision: 2, Body: "body", Opened: 3}
	put := func(tx *store.Tx) error { return tx.PutSettlement(s) }
	d.update(put)
	s.Decided, s.Result, s.Implemented, s.Note, s.By = 4, 2, 5, "n", 6
	d.update(put)
	equal(d, "of the decision", read(d, func(r *store.Reader) ([]store.Settlement, error) {
		return r.SettlementsOf(s.Subject, 2)
	}), []store.Settlement{s})
	equal(d, "between", read(d, func(r *store.Reader) ([]store.Settlement, error) {
		return r.SettlementsBetween(d.id(1), d.id(2), 9)
	}), []store.Settlement{s})
}

func testLedger(d *desk) {
	l := store.LedgerRow{Subject: d.peer(1), ID: d.id(1), Kind: 2, Date: 3, Entry: []byte{1},
		Salt: []byte{2}, Record: []byte{3}}
	add := func(tx *store.Tx) error { return tx.AddLedgerRow(l) }
	d.update(add)
	d.refused(store.ErrConflict, add)
	pending := func(r *store.Reader) ([]store.LedgerRow, error) { return r.PendingLedgerRows(9) }
	equal(d, "pending", read(d, pending), []store.LedgerRow{l})
	l.Logged = d.id(1000)
	d.update(func(tx *store.Tx) error { return tx.LedgerRowLogged(l) })
	if n := read(d, (*store.Reader).LastLedgerRow); n < l.Logged {
		d.Errorf("the last line in the log is %d", n)
	}
	if list := read(d, pending); len(list) != 0 {
		d.Errorf("still pending: %v", list)
	}
	get := func(r *store.Reader) (store.LedgerRow, error) {
		return r.LedgerRow(l.Subject, l.ID, l.Kind)
	}
	equal(d, "one", read(d, get), l)
	equal(d, "of the subject", read(d, func(r *store.Reader) ([]store.LedgerRow, error) {
		return r.LedgerRowsOf(ids.Peer(d.id(1)))
	}), []store.LedgerRow{l})
	l.ID++
	absent(d, get)
	if err := d.s.Update(d.Context(), 1, func(tx *store.Tx) error {
		return tx.LedgerRowLogged(l)
	}); !errors.Is(err, store.ErrNotFound) {
		d.Errorf("a line that is not there was logged: %v", err)
	}
}
