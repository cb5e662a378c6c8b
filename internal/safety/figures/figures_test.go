package figures_test

import (
	"context"
	"testing"
	"time"

	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/figures"
	"parley/internal/safety/intake"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

func ctx() context.Context { return context.Background() }

func TestFigures(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := safetytest.New(t, s)
		from := w.Clock.Now()
		history(w)
		to := w.Clock.Now().Add(time.Hour)
		w.View(func(r *store.Reader) error {
			rules(t, r, from, to)
			queues(t, r, from, to)
			forms(t, r, from, to)
			empty, err := figures.Rules(r, to, to.Add(time.Hour))
			if len(empty) != 0 {
				t.Errorf("after the time: %+v", empty)
			}
			return err
		})
	})
}

// history removes three posts after one, two and six hours, the last in French, gives the first
// back on complaint after four hours, and does nothing about a notice after three. A post waits.
func history(w *safetytest.World) {
	w.Helper()
	for hours, lang := range map[int]string{1: "en", 2: "en", 6: "fr"} {
		post := w.Post("text")
		draft := safetytest.Draft(w.Report(post).Case, post)
		draft.Lang = lang
		w.Clock.Advance(time.Duration(hours) * time.Hour)
		d := w.Decide(draft)
		if hours != 1 {
			continue
		}
		a, err := w.Appeals.File(ctx(), w.Statements.Reference(d), "en", "")
		if err != nil {
			w.Fatal(err)
		}
		w.Clock.Advance(4 * time.Hour)
		_, err = w.Appeals.Decide(ctx(), a.Subject, a.ID, appeal.Ruling{
			Staff: 8, Outcome: appeal.Reversed, Reason: "It was satire.",
		})
		if err != nil {
			w.Fatal(err)
		}
	}
	post := w.Post("text")
	got, err := w.Intake.Report(ctx(), intake.Report{
		Subject: post, Source: safety.Article16, Name: "A B", Email: "a@example.org",
		Category: safety.Violence, Text: "It threatens.", GoodFaith: true,
		Locations: []string{"https://chat.example.org/news/4"},
	})
	if err != nil {
		w.Fatal(err)
	}
	w.Clock.Advance(3 * time.Hour)
	_, err = w.Decisions.Dismiss(ctx(), post.Peer, got.Case, safety.Actor{Staff: 7},
		casefile.Refuted, "It does not.")
	if err != nil {
		w.Fatal(err)
	}
	w.Report(w.Post("waits"))
}

func rules(t *testing.T, r *store.Reader, from, to time.Time) {
	t.Helper()
	list, err := figures.Rules(r, from, to)
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v: %v", list, err)
	}
	figures.ByHits(list)
	rate, ok := list[0].ReversalRate()
	if list[0].Lang != "en" || list[0].Hits != 2 || !ok || rate != 0.5 {
		t.Errorf("%+v, reversed %v", list[0], rate)
	}
	if _, ok := list[1].Precision(); ok || list[1].Lang != "fr" || list[1].Hits != 1 {
		t.Errorf("%+v", list[1])
	}
	reviewed := figures.Rule{Right: 3, Wrong: 1}
	if p, ok := reviewed.Precision(); !ok || p != 0.75 {
		t.Errorf("precision %v", p)
	}
}

// took is how long a number of things took, by their median in hours.
func took(n int64, hours float64) figures.Times { return figures.Times{Count: n, Median: hours} }

func queues(t *testing.T, r *store.Reader, from, to time.Time) {
	t.Helper()
	list, err := figures.Queues(r, from, to, to.Unix(), 100)
	if err != nil {
		t.Fatal(err)
	}
	want := map[safety.Lane]figures.Queue{
		safety.Terms:          {Waiting: 1, Oldest: 3600, Decided: took(3, 2)},
		safety.IllegalContent: {Decided: took(1, 3)},
		safety.Appeals:        {Decided: took(1, 4)},
	}
	for _, q := range list {
		w := want[q.Lane]
		w.Lane = q.Lane
		if q != w {
			t.Errorf("%s: %+v, want %+v", q.Lane, q, w)
		}
	}
}

func forms(t *testing.T, r *store.Reader, from, to time.Time) {
	t.Helper()
	n, err := figures.OfNotices(r, from, to)
	if err != nil || n.All != took(1, 3) || n.Illegal+n.Terms != 0 {
		t.Errorf("%+v: %v", n, err)
	}
	people, notifiers, err := figures.OfComplaints(r, from, to)
	if err != nil || people.Total != 1 || people.Reversed != 1 || notifiers.Total != 0 ||
		people.Times != took(1, 4) {
		t.Errorf("%+v %+v: %v", people, notifiers, err)
	}
	if s, err := figures.OfSettlements(r, from, to); err != nil || s.Total != 0 {
		t.Errorf("%+v: %v", s, err)
	}
}
