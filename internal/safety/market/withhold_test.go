package market_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"parley/internal/chat/message"
	"parley/internal/chat/restrict"
	"parley/internal/safety"
	"parley/internal/safety/decide"
	"parley/internal/safety/market"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// town is a world whose channel is public, with the markets of its decisions.
type town struct {
	*safetytest.World
	*market.Service
}

func newTown(t *testing.T, s *store.Store) town {
	w := safetytest.New(t, s)
	w.Update(safetytest.Channel, func(tx *store.Tx) error {
		c, err := tx.Chat(safetytest.Channel)
		if err != nil {
			return err
		}
		c.Username = "news_one"
		return tx.PutChat(c)
	})
	m, _ := open(s)
	m.Decisions, m.Clock = w.Decisions, w.Clock
	return town{w, m}
}

// decided publishes a post and decides on it under a category.
func (w town) decided(of safety.Category, m safety.MeasureSpec) safety.Subject {
	w.Helper()
	s := w.Post("a post")
	d := safetytest.Draft(0, s)
	d.Category, d.Keywords, d.Measures = of, nil, []safety.MeasureSpec{m}
	w.Decide(d)
	w.World.Clock.Advance(time.Minute) // cases of one second have no order
	return s
}

// seen tells whether somebody in a country sees a post.
func (w town) seen(s safety.Subject, country string) (seen bool) {
	w.Helper()
	w.View(func(r *store.Reader) error {
		m, err := r.Message(s.Peer, s.Item)
		if err != nil {
			return err
		}
		v, err := message.Verdict(r, restrict.Audience{Country: country}, m)
		seen = !v.Hidden()
		return err
	})
	return seen
}

// TestWithheldWhereRestricted: what is public and of a category is withheld in the country once
// somebody else approves, and comes back when the country is open again; all else is not touched.
func TestWithheldWhereRestricted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		w := newTown(t, s)
		label := safety.MeasureSpec{Measure: safety.Label, Detail: "disputed"}
		labelled := w.decided(safety.HarmfulSpeech, label)
		abroad := w.decided(safety.HarmfulSpeech, safety.MeasureSpec{
			Measure: safety.Disable, Territory: []string{"FR"},
		})
		w.decided(safety.HarmfulSpeech, safety.MeasureSpec{Measure: safety.Remove})
		other := w.decided(safety.Violence, label)
		change := market.Change{State: market.Restricted, Why: "A law.", By: "board"}
		of := market.Withholding{
			Categories: []safety.Category{safety.HarmfulSpeech}, Law: "Media act, s. 1", Staff: 7,
		}
		b, err := w.Restrict(ctx, "DE", change, of)
		if err != nil || b.Size != 2 {
			t.Fatalf("%+v, %v", b, err)
		}
		if !w.seen(labelled, "DE") {
			t.Error("withheld before anybody approved")
		}
		if err := w.Admit(ctx, "4915112345678", true); !errors.Is(err, market.ErrSignUp) {
			t.Errorf("the country is not restricted: %v", err)
		}
		if _, err := w.World.Decisions.ApproveBatch(ctx, b.ID, 8); err != nil {
			t.Fatal(err)
		}
		if w.seen(labelled, "DE") || w.seen(abroad, "DE") {
			t.Error("seen where it is withheld")
		}
		if !w.seen(labelled, "AT") || !w.seen(other, "DE") || w.seen(abroad, "FR") {
			t.Error("more or less is withheld than was decided")
		}
		if n, err := w.LiftAll(ctx); n != 0 || err != nil {
			t.Errorf("%d lifted while restricted, %v", n, err)
		}
		if _, err := w.Restrict(ctx, "DE", change, of); !errors.Is(err, market.ErrNothing) {
			t.Errorf("withheld twice: %v", err)
		}
		set(t, w.Service, "DE", market.Open)
		for want := 1; want >= 0; want-- {
			if n, err := w.LiftAll(ctx); n != want || err != nil {
				t.Errorf("%d batches lifted, want %d: %v", n, want, err)
			}
		}
		if !w.seen(labelled, "DE") || !w.seen(abroad, "DE") || w.seen(abroad, "FR") {
			t.Error("it did not come back as it was")
		}
		w.withdrawn(t, change, of)
	})
}

// withdrawn restricts and opens again before anybody approved.
func (w town) withdrawn(t *testing.T, change market.Change, of market.Withholding) {
	t.Helper()
	ctx := context.Background()
	b, err := w.Restrict(ctx, "DE", change, of)
	if err != nil {
		t.Fatal(err)
	}
	set(t, w.Service, "DE", market.Open)
	if n, err := w.LiftAll(ctx); n != 1 || err != nil {
		t.Errorf("%d withdrawn, %v", n, err)
	}
	if _, err := w.World.Decisions.ApproveBatch(ctx, b.ID, 8); !errors.Is(err, decide.ErrState) {
		t.Errorf("approved after it was withdrawn: %v", err)
	}
	w.View(func(r *store.Reader) error {
		all, err := market.All(r)
		if err != nil {
			return err
		}
		body, err := market.Public(all)
		if !bytes.Contains(body, []byte(safety.HarmfulSpeech)) ||
			bytes.Contains(body, []byte(`"batch"`)) {
			t.Errorf("published: %s", body)
		}
		return err
	})
	of.Categories = []safety.Category{"SPEECH"}
	if _, err := w.Restrict(ctx, "AT", change, of); !errors.Is(err, market.ErrCategory) {
		t.Errorf("an unknown category: %v", err)
	}
}
