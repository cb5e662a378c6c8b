package hotline_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/safety/hotline"
	"parley/internal/smtp"
)

// mailer takes the mails of a teller.
type mailer struct {
	*lane
	*hotline.Teller
	sent []smtp.Letter
	// fails is what it answers.
	fails error
	// crash ends the teller after it took a mail.
	crash context.CancelFunc
}

func (l *lane) mailer() *mailer {
	l.Helper()
	m := &mailer{lane: l}
	var err error
	m.Teller, err = hotline.NewTeller(hotline.TellerOptions{
		Store: l.Store, Clock: l.Clock, References: l.World.References,
		URL: "https://chat.example.org", Name: "Chat", Log: slog.New(slog.DiscardHandler),
		Send: func(_ context.Context, x smtp.Letter) error {
			m.sent = append(m.sent, x)
			if m.crash != nil {
				m.crash()
			}
			return m.fails
		},
	})
	if err != nil {
		l.Fatal(err)
	}
	return m
}

// tell waits for a time, tells what is owed, and returns the mails that were tried.
func (m *mailer) tell(wait time.Duration) []smtp.Letter {
	m.lane.Helper()
	m.lane.Clock.Advance(wait)
	m.sent = nil
	if err := m.Tell(ctx()); err != nil && m.fails == nil {
		m.Fatal(err)
	}
	return m.sent
}

// TestTold: an agency that gave an address is mailed what was decided, in one mail for what came
// together, once, and again when an outcome changes; the others are not.
func TestTold(t *testing.T) {
	l := newLane(t)
	m := l.mailer()
	flagger, ngo := l.agency(11, agency.TrustedFlagger), l.agency(12, agency.Organisation)
	one, two := l.Post("one"), l.Post("two")
	got := l.submit(flagger, violent("a", place(one), place(two)))
	theirs := l.submit(ngo, violent("a", place(one)))
	l.step()
	if mails := m.tell(time.Hour); len(mails) != 0 {
		t.Errorf("before a decision: %+v", mails)
	}
	l.remove(one)
	if mails := m.tell(time.Minute); len(mails) != 0 {
		t.Errorf("others may come: %+v", mails)
	}
	decision := l.remove(two)
	mails := m.tell(time.Hour)
	if len(mails) != 1 || mails[0].To != "desk11@example.org" {
		t.Fatalf("%+v", mails)
	}
	for _, i := range l.items(flagger, got.ID) {
		at := "https://chat.example.org/hotline/item/" + l.Reference(i)
		if strings.Count(mails[0].Body, at) != 1 || i.Notified != l.World.Clock.Now().Unix() ||
			strings.Contains(mails[0].Body, i.Location) {
			t.Errorf("%+v: %s", i, mails[0].Body)
		}
	}
	if i := l.items(ngo, theirs.ID)[0]; i.Decided == 0 || i.Notified > 0 {
		t.Errorf("who gave no address counts as told: %+v", i)
	}
	if mails := m.tell(time.Hour); len(mails) != 0 {
		t.Errorf("twice: %+v", mails)
	}
	l.reverse(decision)
	mails = m.tell(time.Hour)
	if len(mails) != 1 || strings.Count(mails[0].Body, "/hotline/item/") != 1 ||
		!strings.Contains(mails[0].Body, "no action (a result that has changed)") {
		t.Errorf("%+v", mails)
	}
}

// TestToldAgain: a mail that was not taken is tried again after a rest; one that was taken just
// before a crash is sent as the same mail; one that is refused for good is given up.
func TestToldAgain(t *testing.T) {
	l := newLane(t)
	m := l.mailer()
	of := l.agency(11, agency.TrustedFlagger)
	one, two := l.Post("one"), l.Post("two")
	got := l.submit(of, violent("a", place(one), place(two)))
	l.step()
	l.remove(one)
	m.fails = &smtp.DeliveryError{Reason: "busy", Temporary: true}
	first := m.tell(time.Hour)
	if rested := m.tell(0); len(first) != 1 || len(rested) != 0 {
		t.Fatalf("%d, then %d", len(first), len(rested))
	}
	l.remove(two)
	var crashed context.Context
	crashed, m.crash = context.WithCancel(ctx())
	m.fails = nil
	l.World.Clock.Advance(time.Hour)
	m.sent = nil
	if err := m.Tell(crashed); err == nil || len(m.sent) != 1 {
		t.Fatalf("%v, %d mails", err, len(m.sent))
	}
	m = l.mailer()
	again := m.tell(time.Minute)
	if len(again) != 2 || again[0].ID != first[0].ID || again[0].Body != first[0].Body ||
		again[1].ID == first[0].ID {
		t.Errorf("%+v after %+v", again, first)
	}
	three := l.Post("three")
	got = l.submit(of, violent("b", place(three)))
	l.step()
	l.remove(three)
	m.fails = &smtp.DeliveryError{Reason: "nobody"}
	if tried := m.tell(time.Hour); len(tried) != 1 {
		t.Errorf("%+v", tried)
	}
	if tried := m.tell(time.Hour); len(tried) != 0 || l.items(of, got.ID)[0].Notified > 0 {
		t.Errorf("given up: %+v, %+v", tried, l.items(of, got.ID))
	}
}

// measures tells which measures were taken, and returns the mails that were tried.
func (m *mailer) measures(wait time.Duration) []smtp.Letter {
	m.lane.Helper()
	m.lane.Clock.Advance(wait)
	m.sent = nil
	if err := m.Measures(ctx()); err != nil {
		m.Fatal(err)
	}
	return m.sent
}

// TestMeasuresAreMailed: a warning, a suspension once it was confirmed, and what was decided about a
// complaint reach the agency by mail, each once, also when a mail server does not take them at once;
// what was only proposed does not, and who gave no address is not written to.
func TestMeasuresAreMailed(t *testing.T) {
	l := newLane(t)
	m := l.mailer()
	of, ngo := l.agency(11, agency.TrustedFlagger), l.agency(12, agency.Organisation)
	ok := func(_ hotline.Measure, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	expect := func(what, said string) {
		t.Helper()
		mails := m.measures(time.Minute)
		if len(mails) != 1 || mails[0].To != "desk11@example.org" ||
			!strings.Contains(mails[0].Subject, said) ||
			!strings.Contains(mails[0].Body, "https://chat.example.org/hotline/measures") ||
			strings.Contains(mails[0].Body, "names no law") ||
			strings.Contains(mails[0].Body, "%!") {
			t.Errorf("%s: %+v", what, mails)
		}
		if again := m.measures(7 * time.Hour); len(again) != 0 {
			t.Errorf("%s, again: %+v", what, again)
		}
	}
	ok(l.Warn(ctx(), 7, ngo, hotline.Imprecise, "It names no law."))
	ok(l.Warn(ctx(), 7, of, hotline.Imprecise, "It names no law."))
	m.fails = &smtp.DeliveryError{Reason: "busy", Temporary: true}
	if tried := m.measures(time.Minute); len(tried) != 1 {
		t.Errorf("tried %+v", tried)
	}
	m.fails = nil
	expect("a warning", "is warned")
	l.World.Clock.Advance(8 * 24 * time.Hour)
	s, err := l.Suspend(ctx(), 7, of, hotline.Imprecise, time.Hour*48, "It names no law.")
	ok(s, err)
	if mails := m.measures(time.Minute); len(mails) != 0 {
		t.Errorf("a suspension that was only proposed: %+v", mails)
	}
	ok(s, l.Confirm(ctx(), 8, of.ID, s.ID, true))
	expect("a suspension", "suspended")
	ok(s, l.Complain(ctx(), of.ID, 3, s.ID, "It does."))
	ok(s, l.Review(ctx(), 9, of.ID, s.ID, false, "You are right."))
	expect("a lifting", "lifted")
}
