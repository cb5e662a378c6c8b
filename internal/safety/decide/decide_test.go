package decide_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/safety/ledger"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/store/storetest"
	"parley/internal/tlog/entry"
)

func ctx() context.Context { return context.Background() }

// each runs a test in a new world on each engine.
func each(t *testing.T, fn func(w *safetytest.World)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) { fn(safetytest.New(t, s)) })
}

// kept is what belongs to a decision in the store.
type kept struct {
	of      store.Case
	letters []store.Letter
	entries []entry.Entry
}

func keptOf(w *safetytest.World, d decide.Decision) (k kept) {
	w.Helper()
	w.View(func(r *store.Reader) (err error) {
		k = kept{}
		if k.of, err = r.Case(d.Subject.Peer, d.Case); err != nil {
			return err
		}
		if k.letters, err = r.LettersOf(d.Subject.Peer, d.ID); err != nil {
			return err
		}
		rows, err := r.LedgerRowsOf(d.Subject.Peer)
		for _, row := range rows {
			e, err := ledger.Read(row)
			if err != nil {
				return err
			}
			if row.ID == d.ID {
				k.entries = append(k.entries, e)
			}
		}
		return err
	})
	return k
}

func TestADecisionIsWhole(t *testing.T) {
	each(t, func(w *safetytest.World) {
		post := w.Post("send me money")
		report := w.Report(post)
		draft := safetytest.Draft(report.Case, post)
		d := w.Decide(draft)
		if d.State != decide.Effective || d.Again || d.Applied != 1 || w.There(post) {
			w.Errorf("%+v; the post is there: %v", d, w.There(post))
		}
		if stored := w.Decision(post.Peer, d.ID); stored.ContentDate == 0 ||
			stored.Facts != draft.Facts || stored.Subject != post {
			w.Errorf("stored as %+v", stored)
		}
		k := keptOf(w, d)
		if casefile.State(k.of.State) != casefile.Decided || k.of.Decision != d.ID {
			w.Errorf("the case is %+v", k.of)
		}
		if len(k.letters) != 2 || k.letters[0].Recipient+k.letters[1].Recipient != post.Author {
			w.Errorf("owed are %+v", k.letters)
		}
		e := k.entries
		if len(e) != 1 || e[0].Kind != entry.Decision || e[0].Items != 1 || e[0].Told != 1 ||
			!slices.Equal(e[0].Measures, []string{"DECISION_VISIBILITY_CONTENT_REMOVED"}) {
			w.Errorf("logged as %+v", e)
		}
		again := w.Decide(draft)
		if !again.Again || again.ID != d.ID {
			w.Errorf("decided twice: %+v", again)
		}
		if k := keptOf(w, d); len(k.letters) != 2 || len(k.entries) != 1 {
			w.Errorf("the second time left %+v", k)
		}
		other := draft
		other.Facts = "Something else."
		if _, err := w.Decisions.Decide(ctx(), other); !errors.Is(err, casefile.ErrClosed) {
			w.Errorf("another decision on the same case: %v", err)
		}
	})
}

// TestEntriesHaveNoPersonalData looks for all that could name somebody in what is published.
func TestEntriesHaveNoPersonalData(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	post := w.Post("text-of-the-post")
	d := w.Decide(safetytest.Draft(0, post))
	w.View(func(r *store.Reader) error {
		rows, err := r.LedgerRowsOf(post.Peer)
		for _, row := range rows {
			for _, private := range []string{
				"1001", "1002", "1000000000007", "text-of", "rule 3", "false pretences", "promises",
				strings.TrimSpace(d.Subject.Peer.String()),
			} {
				if strings.Contains(string(row.Entry), private) {
					t.Errorf("the entry tells %q: %s", private, row.Entry)
				}
			}
			row.Record[len(row.Record)-2] ^= 1
			if _, err := ledger.Read(row); !errors.Is(err, ledger.ErrRecord) {
				t.Errorf("a changed record passes: %v", err)
			}
		}
		return err
	})
}

func TestIncompleteDraftsAreRefused(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	post := w.Post("text")
	past := w.Clock.Now().Unix()
	for want, change := range map[decide.Refusal]func(*decide.Draft){
		{Field: "subject", Reason: "missing"}:     func(d *decide.Draft) { d.Subject.Peer = 0 },
		{Field: "ground", Reason: "missing"}:      func(d *decide.Draft) { d.Ground = "" },
		{Field: "ground", Reason: "unknown"}:      func(d *decide.Draft) { d.Ground = "x" },
		{Field: "reference", Reason: "missing"}:   func(d *decide.Draft) { d.Reference = " " },
		{Field: "explanation", Reason: "missing"}: func(d *decide.Draft) { d.Explanation = "" },
		{Field: "explanation", Reason: "long"}: func(d *decide.Draft) {
			d.Explanation = strings.Repeat("ü", decide.ExplanationRunes+1)
		},
		{Field: "facts", Reason: "missing"}:    func(d *decide.Draft) { d.Facts = "" },
		{Field: "category", Reason: "missing"}: func(d *decide.Draft) { d.Category = "" },
		{Field: "keywords", Reason: "unknown"}: func(d *decide.Draft) {
			d.Keywords = []safety.Keyword{"KEYWORD_HATE_SPEECH"}
		},
		{Field: "measures", Reason: "missing"}: func(d *decide.Draft) { d.Measures = nil },
		{Field: "measures", Reason: "unfit"}: func(d *decide.Draft) {
			d.Measures[0].Measure = safety.Suspend
		},
		{Field: "measures", Reason: "twice"}: func(d *decide.Draft) {
			d.Measures = append(d.Measures, d.Measures[0])
		},
		{Field: "duration", Reason: "past"}: func(d *decide.Draft) { d.Measures[0].Ends = past },
		{Field: "territory", Reason: "everywhere"}: func(d *decide.Draft) {
			d.Measures[0].Territory = []string{"DE"}
		},
		{Field: "territory", Reason: "unknown"}: func(d *decide.Draft) {
			d.Measures[0] = safety.MeasureSpec{Measure: safety.Disable, Territory: []string{"de"}}
		},
		{Field: "detail", Reason: "missing"}: func(d *decide.Draft) {
			d.Measures[0].Measure = safety.Label
		},
		{Field: "means", Reason: "missing"}: func(d *decide.Draft) { d.Means.Decided = "" },
		{Field: "means", Reason: "unfit"}: func(d *decide.Draft) {
			d.Means.Decided = safety.FullyAutomated
		},
		{Field: "by", Reason: "missing"}:     func(d *decide.Draft) { d.By = safety.Actor{} },
		{Field: "source", Reason: "missing"}: func(d *decide.Draft) { d.Source = "" },
		{Field: "statement", Reason: "owed"}: func(d *decide.Draft) {
			d.Category, d.Keywords, d.NoStatement = safety.Violence, nil, true
		},
	} {
		d := safetytest.Draft(0, post)
		change(&d)
		if _, err := w.Decisions.Decide(ctx(), d); !errors.Is(err, want) {
			t.Errorf("%v: %v", want, err)
		}
	}
	if !w.There(post) {
		t.Error("a refused draft had an effect")
	}
}

func TestSomeDecisionsTakeTwoPeople(t *testing.T) {
	each(t, func(w *safetytest.World) {
		account := safety.Subject{Peer: safetytest.Author.Peer(), Kind: safety.Account}
		draft := safetytest.Draft(0, account)
		draft.Measures = []safety.MeasureSpec{{Measure: safety.Terminate}}
		draft.ContentType = nil
		rule := draft
		rule.By, rule.Means.Decided = safety.Actor{Rule: "r"}, safety.FullyAutomated
		if _, err := w.Decisions.Decide(ctx(), rule); !errors.Is(err, decide.ErrNeedsPeople) {
			w.Errorf("a rule ends an account: %v", err)
		}
		d := w.Decide(draft)
		if d.State != decide.Proposed || !d.NeedsSecond {
			w.Fatalf("%+v", d)
		}
		if k := keptOf(w, d); len(k.letters)+len(k.entries) != 0 || k.of.Closed != 0 ||
			casefile.State(k.of.State) != casefile.AwaitsSecond {
			w.Errorf("a proposal left %+v", k)
		}
		other := draft
		other.Facts = "Something else."
		if _, err := w.Decisions.Decide(ctx(), other); !errors.Is(err, decide.ErrProposed) {
			w.Errorf("a second proposal: %v", err)
		}
		second := func(staff int64) (decide.Decision, error) {
			return w.Decisions.Second(ctx(), d.Subject.Peer, d.ID, staff)
		}
		if _, err := second(7); !errors.Is(err, decide.ErrSamePerson) {
			w.Errorf("seconds himself: %v", err)
		}
		for range 2 {
			if got, err := second(8); err != nil || got.State != decide.Effective ||
				got.Second != 8 {
				w.Errorf("%+v: %v", got, err)
			}
		}
		k := keptOf(w, d)
		if len(k.letters) != 1 || len(k.entries) != 1 || k.entries[0].Persons != 2 {
			w.Errorf("in force it left %+v", k)
		}
		w.View(func(r *store.Reader) error {
			u, err := r.User(safetytest.Author)
			if !u.Flags.Has(store.UserTerminated) {
				w.Error("the account goes on")
			}
			return err
		})
	})
}

func TestReachTakesTwoPeople(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	w.Decisions.Threshold = safetytest.Members
	channel := safety.Subject{
		Peer: safetytest.Channel, Kind: safety.Chat, Author: safetytest.Author,
	}
	draft := safetytest.Draft(0, channel)
	draft.Measures, draft.ContentType = []safety.MeasureSpec{{Measure: safety.Demote}}, nil
	reach, second, err := w.Decisions.Preview(ctx(), []decide.Draft{draft})
	if err != nil || !second || reach.Members != safetytest.Members {
		t.Errorf("%+v %v %v", reach, second, err)
	}
	d := w.Decide(draft)
	if d.State != decide.Proposed {
		t.Fatalf("%+v", d)
	}
	if err := w.Decisions.Withdraw(ctx(), d.Subject.Peer, d.ID, 9, "too much"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Decisions.Second(ctx(), d.Subject.Peer, d.ID, 8); !errors.Is(
		err, decide.ErrState) {
		t.Errorf("a withdrawn proposal is seconded: %v", err)
	}
	k := keptOf(w, d)
	if k.of.Decision != 0 || k.of.Closed != 0 || casefile.State(k.of.State) != casefile.Open {
		t.Errorf("the case is %+v", k.of)
	}
	w.Decisions.Threshold = 1000
	if got := w.Decide(draft); got.State != decide.Effective || got.Case != d.Case {
		t.Errorf("%+v", got)
	}
}

func TestLiftGivesBack(t *testing.T) {
	each(t, func(w *safetytest.World) {
		post := w.Post("text")
		d := w.Decide(safetytest.Draft(0, post))
		w.Deliver()
		by := safety.Actor{Staff: 9}
		got, err := w.Decisions.Lift(ctx(), post.Peer, d.ID, by, "it was harmless")
		if err != nil || got.Messages != 1 || !w.There(post) {
			w.Errorf("%+v, there %v: %v", got, w.There(post), err)
		}
		if d = w.Decision(post.Peer, d.ID); d.State != decide.Lifted || d.Restored != d.Applied {
			w.Errorf("%+v", d)
		}
		got, err = w.Decisions.Lift(ctx(), post.Peer, d.ID, by, "it was harmless")
		if err != nil || got.Messages != 0 {
			w.Errorf("lifted twice: %+v %v", got, err)
		}
		k := keptOf(w, d)
		if len(k.entries) != 2 || k.entries[1].Kind != entry.Lift ||
			k.entries[1].Of != k.entries[0].ID {
			w.Errorf("logged %+v", k.entries)
		}
		if len(k.letters) != 2 {
			w.Errorf("owed %+v", k.letters)
		}
	})
}

func TestWhatWasDeletedMeanwhile(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	post := w.Post("text")
	report := w.Report(post)
	_, err := w.Message.DeletePosts(ctx(), safetytest.Author, post.Peer, []int64{post.Item})
	if err != nil {
		t.Fatal(err)
	}
	draft := safetytest.Draft(report.Case, post)
	draft.ContentType = nil
	d := w.Decide(draft)
	if d.State != decide.Effective || d.Applied != 0 || d.ContentDate == 0 ||
		!slices.Equal(d.ContentType, []safety.ContentType{safety.TextContent}) {
		t.Errorf("%+v", d)
	}
	if k := keptOf(w, d); len(k.letters) != 2 || len(k.entries) != 1 {
		t.Errorf("%+v", k)
	}
}

func TestExpiryIsRecorded(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	post := w.Post("text")
	draft := safetytest.Draft(0, post)
	draft.Measures[0] = safety.MeasureSpec{
		Measure: safety.Demote, Ends: w.Clock.Now().Add(time.Hour).Unix(),
	}
	d := w.Decide(draft)
	expire := func(want int) {
		t.Helper()
		if n, err := w.Decisions.Expire(ctx()); err != nil || n != want {
			t.Errorf("%d expired, want %d: %v", n, want, err)
		}
	}
	expire(0)
	w.Clock.Advance(time.Hour)
	expire(1)
	expire(0)
	k := keptOf(w, d)
	if d = w.Decision(post.Peer, d.ID); d.State != decide.Expired || len(k.entries) != 2 ||
		k.entries[1].Kind != entry.Expiry || len(k.letters) != 1 {
		t.Errorf("%+v %+v", d, k)
	}
}

func TestDismissTellsNotifiersAlone(t *testing.T) {
	each(t, func(w *safetytest.World) {
		post := w.Post("text")
		report := w.Report(post)
		dismiss := func() (decide.Decision, error) {
			return w.Decisions.Dismiss(ctx(), post.Peer, report.Case, safety.Actor{Staff: 7},
				casefile.Refuted, "The post is a joke.")
		}
		d, err := dismiss()
		if err != nil || d.State != decide.NoAction || !w.There(post) {
			w.Errorf("%+v: %v", d, err)
		}
		again, err := dismiss()
		if err != nil || !again.Again || again.ID != d.ID {
			w.Errorf("dismissed twice: %+v: %v", again, err)
		}
		k := keptOf(w, d)
		if len(k.letters) != 1 || k.letters[0].Recipient != 0 || len(k.entries) != 1 ||
			k.entries[0].Kind != entry.NoAction {
			w.Errorf("%+v", k)
		}
	})
}

func TestBatchesComeBackWhole(t *testing.T) {
	each(t, func(w *safetytest.World) {
		const size = 20
		w.Decisions.Threshold = size
		var drafts []decide.Draft
		for range size {
			d := safetytest.Draft(0, w.Post("spam"))
			d.NoStatement = true
			drafts = append(drafts, d)
		}
		by := safety.Actor{Staff: 7}
		b, err := w.Decisions.ProposeBatch(ctx(), drafts, by, "one wave of spam")
		if err != nil || !b.NeedsSecond || b.Messages != size ||
			b.Count[decide.Proposed] != size || !w.There(drafts[0].Subject) {
			w.Fatalf("%+v: %v", b, err)
		}
		if _, err := w.Decisions.ApproveBatch(ctx(), b.ID, 7); !errors.Is(
			err, decide.ErrSamePerson) {
			w.Errorf("approved by who proposed: %v", err)
		}
		for range 2 {
			b, err = w.Decisions.ApproveBatch(ctx(), b.ID, 8)
			if err != nil || b.State != decide.BatchDone || b.Applied != size {
				w.Fatalf("%+v: %v", b, err)
			}
		}
		if w.There(drafts[3].Subject) || w.Deliver() != 0 {
			w.Error("spam is there, or somebody was written to")
		}
		back, err := w.Decisions.LiftBatch(ctx(), b.ID, safety.Actor{Staff: 9}, "a false alarm")
		if err != nil || back.Messages != size {
			w.Errorf("%+v: %v", back, err)
		}
		w.View(func(r *store.Reader) error {
			b, err = decide.BatchOf(r, b.ID)
			return err
		})
		if b.Restored != b.Applied || b.State != decide.BatchLifted ||
			b.Count[decide.Lifted] != size {
			w.Errorf("%+v", b)
		}
		for _, d := range drafts {
			if !w.There(d.Subject) {
				w.Errorf("post %d did not come back", d.Subject.Item)
			}
		}
	})
}

// TestABatchIsFinished proposes a batch in three goes, as after processes that ended, with what has
// been added meanwhile: each post once, and one batch that holds them all.
func TestABatchIsFinished(t *testing.T) {
	each(t, func(w *safetytest.World) {
		var drafts []decide.Draft
		for range 5 {
			drafts = append(drafts, safetytest.Draft(0, w.Post("spam")))
		}
		id, err := w.Decisions.NewBatch()
		if err != nil {
			w.Fatal(err)
		}
		by := safety.Actor{Staff: 7}
		for _, upTo := range []int{2, 5, 5} {
			b, err := w.Decisions.ProposeBatchAs(ctx(), id, drafts[:upTo], by, "one wave of spam")
			n := int64(upTo)
			if err != nil || b.ID != id || b.Size != n || b.Count[decide.Proposed] != n {
				w.Fatalf("%d: %+v: %v", upTo, b, err)
			}
			for i := range drafts {
				drafts[i].Facts += " Seen again."
			}
		}
		if _, err := w.Decisions.ApproveBatch(ctx(), id, 8); err != nil {
			w.Fatal(err)
		}
		_, err = w.Decisions.ProposeBatchAs(ctx(), id, drafts, by, "one wave of spam")
		if !errors.Is(err, decide.ErrState) {
			w.Errorf("proposed after it was approved: %v", err)
		}
	})
}

func TestUnseenDecisionsAreSampled(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	w.Decisions.Random = &safetytest.Seed{N: 2} // each decision draws five times
	var list []decide.Decision
	for range 60 {
		d := safetytest.Draft(0, w.Post("spam"))
		d.NoStatement = true
		w.Decide(d)
	}
	w.View(func(r *store.Reader) (err error) {
		list, err = decide.Samples(r, 0, math.MaxInt32)
		return err
	})
	if len(list) == 0 || len(list) > 50 {
		t.Fatalf("%d of 60 are sampled", len(list))
	}
	d := list[0]
	review := func(staff int64) error {
		return w.Decisions.Review(ctx(), d.Subject.Peer, d.ID, staff, decide.Wrong, "harmless")
	}
	if err := review(7); !errors.Is(err, decide.ErrSamePerson) {
		t.Errorf("reviewed by who decided: %v", err)
	}
	if err := review(9); err != nil {
		t.Fatal(err)
	}
	if err := review(9); !errors.Is(err, decide.ErrState) {
		t.Errorf("reviewed twice: %v", err)
	}
	k := keptOf(w, d)
	if d = w.Decision(d.Subject.Peer, d.ID); d.State != decide.Lifted || !w.There(d.Subject) ||
		d.Review != decide.Wrong || len(k.entries) != 3 {
		t.Errorf("%+v %+v", d, k.entries)
	}
}

func TestALegalBarHoldsTheStatementBack(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	post := w.Post("text")
	draft := safetytest.Draft(0, post)
	draft.Bar = &decide.Bar{Basis: "court order", Until: w.Clock.Now().Add(time.Hour).Unix()}
	d := w.Decide(draft)
	barred := func() (is bool) {
		w.View(func(r *store.Reader) (err error) {
			is, err = decide.StatementBarred(r, d, w.Clock.Now().Unix())
			return err
		})
		return is
	}
	if !barred() || w.Deliver() != 0 {
		t.Error("told in spite of the bar")
	}
	k := keptOf(w, d)
	logged := false
	w.View(func(r *store.Reader) error {
		events, err := casefile.Events(r, k.of, 0, 100)
		for _, e := range events {
			logged = logged || e.Kind == casefile.Barred && e.Text == "court order"
		}
		return err
	})
	if !logged || k.entries[0].Told != 0 {
		t.Errorf("the bar is not written down: %+v", k)
	}
	w.Clock.Advance(time.Hour)
	if barred() || w.Deliver() != 1 || len(w.Letters(safetytest.Author)) != 1 {
		t.Error("not told when the bar has ended")
	}
}
