package appeal_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/safety/ledger"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/store/storetest"
	"parley/internal/tlog/entry"
)

func ctx() context.Context { return context.Background() }

// filed is a world with a decision that its author complains about.
type filed struct {
	*safetytest.World
	post safety.Subject
	d    decide.Decision
	a    appeal.Appeal
}

func each(t *testing.T, fn func(w *filed)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := &filed{World: safetytest.New(t, s)}
		w.post = w.Post("text")
		w.d = w.Decide(safetytest.Draft(0, w.post))
		w.Deliver()
		// Names of one millisecond have no order.
		w.Clock.Advance(time.Second)
		var err error
		w.a, err = w.Appeals.File(ctx(), w.Statements.Reference(w.d), "en", "It was satire.")
		if err != nil {
			t.Fatal(err)
		}
		fn(w)
	})
}

// entries are the lines of the log about the channel.
func (w *filed) entries() (out []entry.Entry) {
	w.Helper()
	w.View(func(r *store.Reader) error {
		rows, err := r.LedgerRowsOf(w.post.Peer)
		for _, row := range rows {
			e, err := ledger.Read(row)
			if err != nil {
				return err
			}
			out = append(out, e)
		}
		return err
	})
	return out
}

func (w *filed) caseOf() (c store.Case) {
	w.Helper()
	w.View(func(r *store.Reader) (err error) {
		c, err = r.LastCase(casefile.About(w.post, w.d.ID))
		return err
	})
	return c
}

func TestReversedGivesBack(t *testing.T) {
	each(t, func(w *filed) {
		if c := w.caseOf(); safety.Lane(c.Lane) != safety.Appeals || c.Closed != 0 {
			w.Errorf("the case is %+v", c)
		}
		again, err := w.Appeals.File(ctx(), w.Statements.Reference(w.d), "en", "Again.")
		if !errors.Is(err, appeal.ErrTwice) || again.ID != w.a.ID {
			w.Errorf("complained twice: %+v: %v", again, err)
		}
		if err := w.Appeals.Assign(ctx(), w.post.Peer, w.a.ID, 7); !errors.Is(
			err, decide.ErrSamePerson) {
			w.Errorf("given to who decided: %v", err)
		}
		if err := w.Appeals.Assign(ctx(), w.post.Peer, w.a.ID, 8); err != nil {
			w.Error(err)
		}
		if c := w.caseOf(); c.Staff != 8 {
			w.Errorf("the case is with %d", c.Staff)
		}
		r := appeal.Ruling{Staff: 7, Outcome: appeal.Reversed, Reason: "It was satire."}
		_, err = w.Appeals.Decide(ctx(), w.post.Peer, w.a.ID, r)
		if !errors.Is(err, decide.ErrSamePerson) {
			w.Errorf("decided by who decided before: %v", err)
		}
		r.Staff = 8
		for range 2 {
			got, err := w.Appeals.Decide(ctx(), w.post.Peer, w.a.ID, r)
			if err != nil || got.State != appeal.Reversed || got.Reviewer != 8 {
				w.Errorf("%+v: %v", got, err)
			}
		}
		r.Outcome = appeal.Upheld
		_, err = w.Appeals.Decide(ctx(), w.post.Peer, w.a.ID, r)
		if !errors.Is(err, appeal.ErrDecided) {
			w.Errorf("decided otherwise: %v", err)
		}
		d := w.Decision(w.post.Peer, w.d.ID)
		if !w.There(w.post) || d.State != decide.Lifted || d.Restored != 1 {
			w.Errorf("%+v", d)
		}
		if c := w.caseOf(); c.Closed == 0 || casefile.Outcome(c.Outcome) != casefile.Upheld {
			w.Errorf("the case is %+v", c)
		}
		e := w.entries()
		if len(e) != 3 || e[0].Kind != entry.Decision || e[1].Of != e[0].ID ||
			e[2].Of != e[0].ID {
			w.Errorf("%+v", e)
		}
		w.Deliver()
		if n := len(w.Letters(safetytest.Author)); n != 3 {
			w.Errorf("%d letters: a statement, a receipt and an answer are owed", n)
		}
	})
}

func TestPartlyReplaces(t *testing.T) {
	each(t, func(w *filed) {
		draft := safetytest.Draft(0, w.post)
		r := appeal.Ruling{Staff: 8, Outcome: appeal.Partly, Reason: "A note is enough."}
		rule := func() (appeal.Appeal, error) {
			return w.Appeals.Decide(ctx(), w.post.Peer, w.a.ID, r)
		}
		if _, err := rule(); !errors.Is(err, appeal.ErrInstead) {
			w.Errorf("nothing in its place: %v", err)
		}
		draft.Measures = nil
		r.Instead = &draft
		var refusal decide.Refusal
		if _, err := rule(); !errors.As(err, &refusal) || w.There(w.post) {
			w.Errorf("an incomplete decision in its place: %v", err)
		}
		draft.Measures = []safety.MeasureSpec{{Measure: safety.Label, Detail: "satire"}}
		got, err := rule()
		if err != nil || got.State != appeal.Partly || got.Replaced == 0 {
			w.Fatalf("%+v: %v", got, err)
		}
		old, now := w.Decision(w.post.Peer, w.d.ID), w.Decision(w.post.Peer, got.Replaced)
		if old.State != decide.Superseded || now.State != decide.Effective || !w.There(w.post) {
			w.Errorf("%+v %+v", old, now)
		}
		w.View(func(r *store.Reader) error {
			list, err := r.Restrictions(store.Restricts{
				Peer: w.post.Peer, Kind: int64(safety.Message), Item: w.post.Item,
			})
			if len(list) != 1 || list[0].Decision != now.ID {
				w.Errorf("in force are %+v", list)
			}
			return err
		})
	})
}

func TestWhoMayComplain(t *testing.T) {
	each(t, func(w *filed) {
		file := func(d decide.Decision, who appeal.Person) error {
			_, err := w.Appeals.FileAgainst(ctx(), d.Subject.Peer, d.ID, who, "en", "x")
			return err
		}
		second := w.Post("second")
		report := w.Report(second)
		d := w.Decide(safetytest.Draft(report.Case, second))
		for want, who := range map[error]appeal.Person{
			appeal.ErrNotYours: {User: safetytest.Reader},
			appeal.ErrNothing:  {Report: report.Report},
		} {
			if err := file(d, who); !errors.Is(err, want) {
				w.Errorf("%+v: %v, want %v", who, err, want)
			}
		}
		w.Deliver()
		w.Clock.Advance(appeal.Window + time.Second)
		if err := file(d, appeal.Person{User: safetytest.Author}); !errors.Is(
			err, appeal.ErrLate) {
			w.Errorf("after six months: %v", err)
		}
		if err := w.Appeals.Withdraw(ctx(), w.post.Peer, w.a.ID); err != nil {
			w.Error(err)
		}
		if c := w.caseOf(); c.Closed == 0 {
			w.Error("the case of a complaint that was given up is open")
		}
	})
}

func TestSettlementsAreLoggedOnce(t *testing.T) {
	each(t, func(w *filed) {
		x := appeal.Settlement{
			Subject: w.post.Peer, Decision: w.d.ID, Body: "A certified body", By: 3,
			Opened: w.Clock.Now().Unix(),
		}
		record := func(want int) {
			w.Helper()
			w.Clock.Advance(time.Second)
			var err error
			if x.ID, err = w.Appeals.Record(ctx(), x); err != nil {
				w.Fatal(err)
			}
			if n := len(w.entries()); n != want {
				w.Errorf("%d lines in the log, want %d", n, want)
			}
		}
		record(1)
		x.Decided, x.Result = x.Opened+60, appeal.Reversed
		record(2)
		record(2)
		x.Implemented = x.Decided + 60
		record(3)
		if e := w.entries(); e[1].Kind != entry.Settlement || e[2].Kind != entry.Correction {
			w.Errorf("%+v", e)
		}
		w.View(func(r *store.Reader) error {
			list, err := appeal.Settlements(r, w.post.Peer, w.d.ID)
			if len(list) != 1 || list[0].Implemented == 0 {
				w.Errorf("%+v", list)
			}
			return err
		})
	})
}
