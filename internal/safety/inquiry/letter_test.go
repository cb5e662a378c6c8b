package inquiry_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/keyring/keyringtest"
	"parley/internal/safety"
	"parley/internal/safety/country"
	"parley/internal/safety/door"
	"parley/internal/safety/inquiry"
	"parley/internal/safety/instrument"
	"parley/internal/safety/oncall"
	"parley/internal/smtp"
	"parley/internal/store"
	"parley/internal/web/page/pagetest"
)

// post is a mail server that keeps what it takes, or fails.
type post struct {
	fails error
	got   []smtp.Letter
}

func (p *post) send(_ context.Context, l smtp.Letter) error {
	if p.fails == nil {
		p.got = append(p.got, l)
	}
	return p.fails
}

// withLetters is a line that takes letters.
func withLetters(t *testing.T) (*line, *post) {
	t.Helper()
	l, p := newLine(t), &post{}
	countries, err := country.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	law, err := instrument.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	guide, err := door.New(countries.At("DE"), law)
	if err != nil {
		t.Fatal(err)
	}
	keys := keyringtest.Open(t, t.TempDir())
	err = l.Open(inquiry.Letters{
		References: safety.References{Key: keys.Derive("references")}, Guide: guide,
		Box: keys.Box(), Send: p.send, URL: "https://chat.example.org", Name: "Chat",
	})
	if err != nil {
		t.Fatal(err)
	}
	return l, p
}

// prosecutor is a writer who names an address.
func prosecutor() inquiry.Asker {
	return inquiry.Asker{
		Requester: instrument.Prosecutor, Country: "FR", Purpose: instrument.UserData, Lang: "fr",
		Name: "Parquet", Mail: "parquet@example.org",
	}
}

func TestLetterTexts(t *testing.T) { pagetest.Texts(t, inquiry.Texts()) }

// TestLetters: a letter is stored with the clock of its way before it has a reference; who has the
// reference reads and adds; no mail goes out before somebody has answered, and then one that says
// no more than that; an address that takes none for now is tried again, under one number.
func TestLetters(t *testing.T) {
	l, p := withLetters(t)
	w, err := l.Write(ctx(), "1", prosecutor(), "Data", "Whose is @some_news?")
	if err != nil || w.Route.Instrument.ID == "" || w.Due <= l.clock.Now().Unix() {
		t.Fatalf("%+v, %v", w, err)
	}
	if err := l.Tell(ctx()); err != nil || len(p.got) != 0 {
		t.Fatalf("mailed before an answer: %+v, %v", p.got, err)
	}
	if err := l.Add(ctx(), w.Reference, "It is urgent."); err != nil {
		t.Fatal(err)
	}
	again, lines, err := l.Letter(ctx(), strings.ToLower(w.Reference))
	if err != nil || again.Due != w.Due || len(lines) != 2 || lines[1].Text != "It is urgent." {
		t.Fatalf("%+v %+v %v", again, lines, err)
	}
	p.fails = &smtp.DeliveryError{Temporary: true}
	_, err = l.Say(ctx(), 0, w.ID, inquiry.Line{Staff: 7, Text: "By the portal: secret."})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Tell(ctx()); err != nil {
		t.Fatal(err)
	}
	p.fails = nil
	if err := l.Tell(ctx()); err != nil || len(p.got) != 0 {
		t.Fatalf("tried again at once: %+v, %v", p.got, err)
	}
	l.clock.Advance(7 * time.Hour)
	for range 2 {
		if err := l.Tell(ctx()); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.got) != 1 || p.got[0].To != "parquet@example.org" || p.got[0].Lang != "fr" ||
		!strings.Contains(p.got[0].Body, "/contact/letter/"+w.Reference) ||
		strings.Contains(p.got[0].Body, "secret") {
		t.Errorf("%+v", p.got)
	}
}

// TestWrongLetters: what is wrong is named, and nothing is stored; a reference of another kind, or
// one that was changed, leads nowhere.
func TestWrongLetters(t *testing.T) {
	l, _ := withLetters(t)
	for field, spoil := range map[string]func(a *inquiry.Asker, title, text *string){
		"way":   func(a *inquiry.Asker, _, _ *string) { a.Country = "XX" },
		"title": func(_ *inquiry.Asker, title, _ *string) { *title = " " },
		"text":  func(_ *inquiry.Asker, _, text *string) { *text = strings.Repeat("x", 50_001) },
		"name":  func(a *inquiry.Asker, _, _ *string) { a.Name = "a\xffb" },
		"mail":  func(a *inquiry.Asker, _, _ *string) { a.Mail = "Parquet <a@example.org>" },
	} {
		a, title, text := prosecutor(), "Data", "Whose?"
		spoil(&a, &title, &text)
		var fault *inquiry.Fault
		_, err := l.Write(ctx(), "1", a, title, text)
		if !errors.As(err, &fault) || !slices.Equal(fault.Fields, []string{field}) {
			t.Errorf("%s: %v", field, err)
		}
	}
	w, err := l.Write(ctx(), "1", prosecutor(), "Data", "Whose?")
	if err != nil {
		t.Fatal(err)
	}
	other := l.Letters.References.Make(safety.FlagRef, 0, w.ID)
	wrong := w.Reference[:len(w.Reference)-8] + "AAAAAAAA"
	for _, ref := range []string{"", "L", other, wrong} {
		if _, _, err := l.Letter(ctx(), ref); !store.IsNotFound(err) {
			t.Errorf("%q: %v", ref, err)
		}
		if err := l.Add(ctx(), ref, "More"); !store.IsNotFound(err) {
			t.Errorf("adding to %q: %v", ref, err)
		}
	}
}

// TestLettersOnce: a form that is sent twice, also at the same moment, is one letter; the same words
// in another form are another.
func TestLettersOnce(t *testing.T) {
	l, _ := withLetters(t)
	ids := make(chan int64, 8)
	for range cap(ids) {
		go func() {
			w, err := l.Write(ctx(), "form", prosecutor(), "Data", "Whose?")
			if err != nil || w.Due == 0 || w.Reference == "" {
				t.Errorf("%+v, %v", w, err)
			}
			ids <- w.ID
		}()
	}
	first := <-ids
	for range cap(ids) - 1 {
		if id := <-ids; id != first {
			t.Errorf("%d and %d of one form", first, id)
		}
	}
	other, err := l.Write(ctx(), "another", prosecutor(), "Data", "Whose?")
	if err != nil || other.ID == first {
		t.Errorf("%+v, %v", other, err)
	}
}

// TestLetterWithoutBell: a letter about a life in danger that nobody can be woken for is taken in,
// and the bell rings once that works again.
func TestLetterWithoutBell(t *testing.T) {
	l, _ := withLetters(t)
	broken, wake := errors.New("no bell"), l.Wake
	l.Wake = func(context.Context, oncall.Emergency) error { return broken }
	danger := prosecutor()
	danger.Purpose = instrument.Danger
	w, err := l.Write(ctx(), "1", danger, "Help", "A bomb.")
	if err != nil || w.Reference == "" {
		t.Fatalf("%+v, %v", w, err)
	}
	if err := l.Ring(ctx()); !errors.Is(err, broken) {
		t.Errorf("told: %v", err)
	}
	l.Wake = wake
	l.clock.Advance(time.Hour)
	for range 2 {
		if err := l.Ring(ctx()); err != nil {
			t.Fatal(err)
		}
	}
	if len(l.woken) != 1 {
		t.Errorf("rung: %+v", l.woken)
	}
}

// TestLettersWake: a life in danger rings at once, and many such letters ring one bell for a while;
// what officials wait for rings when it is overdue, what private people wait for does not.
func TestLettersWake(t *testing.T) {
	l, _ := withLetters(t)
	bells := func() map[string]bool {
		t.Helper()
		if err := l.Ring(ctx()); err != nil {
			t.Error(err)
		}
		out := make(map[string]bool)
		for _, e := range l.woken {
			if e.Kind != oncall.Letter {
				t.Errorf("woken for %s", e.Kind)
			}
			out[e.Key] = true
		}
		l.woken = nil
		return out
	}
	danger := prosecutor()
	danger.Purpose = instrument.Danger
	write := func(a inquiry.Asker) {
		t.Helper()
		if _, err := l.Write(ctx(), rand.Text(), a, "A", "B"); err != nil {
			t.Fatal(err)
		}
	}
	l.clock.Advance(10*time.Minute - time.Duration(l.clock.Now().Unix()%600)*time.Second)
	for range 3 {
		write(danger)
	}
	if got := bells(); len(got) != 1 {
		t.Errorf("three letters at once: %v", got)
	}
	l.clock.Advance(11 * time.Minute)
	write(danger)
	if got := bells(); len(got) != 1 {
		t.Errorf("a letter later: %v", got)
	}
	person := prosecutor()
	person.Requester, person.Purpose = instrument.Person, instrument.Question
	write(person)
	write(prosecutor())
	l.clock.Advance(60 * 24 * time.Hour)
	l.sweep()
	if got := bells(); len(got) != 2 {
		t.Errorf("overdue, of two kinds and times: %v", got)
	}
}

// TestLettersGoOn: what is added after an answer has the clock of the letter's way, and for a life
// in danger it rings again; the staff can always answer, also whom nothing more is taken from.
func TestLettersGoOn(t *testing.T) {
	l, _ := withLetters(t)
	danger := prosecutor()
	danger.Purpose = instrument.Danger
	w, err := l.Write(ctx(), "1", danger, "Help", "A bomb.")
	if err != nil {
		t.Fatal(err)
	}
	left := w.Due - l.clock.Now().Unix()
	if err := l.Ring(ctx()); err != nil {
		t.Fatal(err)
	}
	answer := func(text string) {
		t.Helper()
		if _, err := l.Say(ctx(), 0, w.ID, inquiry.Line{Staff: 7, Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	answer("Where?")
	l.clock.Advance(time.Hour)
	if err := l.Add(ctx(), w.Reference, "In the town hall."); err != nil {
		t.Fatal(err)
	}
	again, _, err := l.Letter(ctx(), w.Reference)
	if err != nil || again.Due != l.clock.Now().Unix()+left {
		t.Errorf("due in %d, want %d: %v", again.Due-l.clock.Now().Unix(), left, err)
	}
	if err := l.Ring(ctx()); err != nil || len(l.woken) != 2 {
		t.Errorf("woken: %+v, %v", l.woken, err)
	}
	for n := 0; err == nil; n++ {
		if err = l.Add(ctx(), w.Reference, strconv.Itoa(n)); n > 200 {
			t.Fatal("a letter has no end")
		}
	}
	if !errors.Is(err, inquiry.ErrClosed) {
		t.Errorf("%v", err)
	}
	answer("That is enough.")
}
