package inquiry_test

import (
	"errors"
	"testing"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/safety/inquiry"
	"parley/internal/smtp"
	"parley/internal/store"
)

// TestLettersEnd: a letter is kept while it waits for the service and while its writer is to be
// told, and then until nothing was heard of it for a time; a regulator's dialogue is kept.
func TestLettersEnd(t *testing.T) {
	const kept, day = 1000 * 24 * time.Hour, 24 * time.Hour
	l, p := withLetters(t)
	left := func(want int) {
		t.Helper()
		n, err := l.Forget(ctx(), kept)
		if err != nil || n != want {
			t.Errorf("%d forgotten, want %d, %v", n, want, err)
		}
	}
	of := l.agency(5, agency.Regulator)
	asked, err := l.Ask(ctx(), of, 6, "T", "Why?", nil)
	if err == nil {
		_, err = l.Say(ctx(), of.ID, asked.ID, inquiry.Line{Staff: 1, Text: "Because."})
	}
	w, werr := l.Write(ctx(), "1", prosecutor(), "Data", "Whose is @some_news?")
	if err = errors.Join(err, werr); err != nil {
		t.Fatal(err)
	}
	l.clock.Advance(10 * kept)
	left(0)
	if _, err := l.Say(ctx(), 0, w.ID, inquiry.Line{Staff: 1, Text: "Nobody's."}); err != nil {
		t.Fatal(err)
	}
	p.fails = &smtp.DeliveryError{Temporary: true}
	if err := l.Tell(ctx()); err != nil {
		t.Fatal(err)
	}
	l.clock.Advance(kept)
	left(0)
	p.fails = nil
	if err := l.Tell(ctx()); err != nil || len(p.got) != 1 {
		t.Fatalf("%d mails, %v", len(p.got), err)
	}
	if err := l.Add(ctx(), w.Reference, "Thanks."); err != nil {
		t.Fatal(err)
	}
	l.clock.Advance(31 * day)
	left(0)
	if _, err := l.Say(ctx(), 0, w.ID, inquiry.Line{Staff: 1, Text: "Welcome."}); err != nil {
		t.Fatal(err)
	}
	if err := l.Tell(ctx()); err != nil {
		t.Fatal(err)
	}
	l.clock.Advance(kept - time.Second)
	left(0)
	l.clock.Advance(time.Second)
	left(1)
	if _, _, err := l.Letter(ctx(), w.Reference); !store.IsNotFound(err) {
		t.Errorf("the letter: %v", err)
	}
	again, err := l.Write(ctx(), "1", prosecutor(), "Data", "Whose is @some_news?")
	if err != nil || again.ID == w.ID {
		t.Errorf("written anew: %+v, %v", again, err)
	}
	err = l.Store.View(ctx(), func(r *store.Reader) error {
		_, _, err := inquiry.Of(r, of.ID, asked.ID)
		return err
	})
	if err != nil {
		t.Errorf("the regulator's: %v", err)
	}
}
