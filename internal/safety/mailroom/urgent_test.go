package mailroom_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/safety/instrument"
	"parley/internal/safety/mailroom"
	"parley/internal/safety/oncall"
)

// bells has a mail room ring, and returns how often it rang for another emergency since the last
// time that it was asked.
func (w *world) bells() func() int {
	var rang []oncall.Emergency
	known := map[string]bool{}
	w.Awake = func() bool { return true }
	w.Wake = func(_ context.Context, e oncall.Emergency) error {
		rang = append(rang, e)
		return nil
	}
	return func() (n int) {
		w.Helper()
		for _, e := range rang {
			if e.Kind != oncall.Mail || !strings.HasPrefix(e.Path, "/mails/0/") {
				w.Errorf("rang %+v", e)
			}
			if !known[e.Key] {
				known[e.Key] = true
				n++
			}
		}
		rang = nil
		return n
	}
}

// TestUrgentMailsRing: what comes to the emergency address, or says by fields that it cannot wait,
// rings at whatever door, once in ten minutes, and its sender is told so. What machines write rings
// nothing, and words ring nothing: those who wrote them are told of the page that does.
func TestUrgentMailsRing(t *testing.T) {
	const removal = "\nInstrument: tco-3\nCountry: DE\n"
	const life = "\nInstrument: emergency\nCountry: DE\nUrgency: life\n"
	const danger = "\nCountry: FR\nRequester: person\nPurpose: danger\n\nHe will jump.\n"
	for name, c := range map[string]struct {
		door instrument.Door
		mail string
		rung int
	}{
		"any":       {instrument.EmergencyDoor, "\nHelp\n", 1},
		"removal":   {instrument.AuthorityDoor, removal, 1},
		"life":      {instrument.RegulatorDoor, life, 1},
		"danger":    {instrument.PeopleDoor, danger, 1},
		"words":     {instrument.PeopleDoor, "\nHELP! HE WILL DIE! SOS\n", 0},
		"order":     {instrument.AuthorityDoor, "\nInstrument: dsa-9\nCountry: DE\n", 0},
		"list":      {instrument.EmergencyDoor, "List-Id: <a.b>\n\nNews\n", 0},
		"responder": {instrument.EmergencyDoor, "Auto-Submitted: auto-replied\n\nAway\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			bells := w.bells()
			mail := head(name, "SOS") + c.mail
			got := w.at(c.door, mail)
			if n := bells(); n != c.rung {
				t.Errorf("became %q and rang %d times", got, n)
			}
			said := w.answers()
			switch {
			case got == mailroom.Aside && len(said) == 0:
				return
			case len(said) != 1:
				t.Fatalf("answered %+v", said)
			}
			called := strings.Contains(said[0].Body, "is being called")
			page := strings.Contains(said[0].Body,
				"https://chat.example.org/contact/write?purpose=danger&lang=en")
			if called != (c.rung == 1) || page == called {
				t.Errorf("told %s", said[0].Body)
			}
			// The same mail by another way, later, is the same emergency.
			w.Clock.Advance(time.Hour)
			if got := w.at(c.door, mail); got != "" || bells() != 0 {
				t.Errorf("again: %q, and it rang", got)
			}
		})
	}
}

// TestNobodyIsKeptAwake: a thousand urgent mails within ten minutes are one bell.
func TestNobodyIsKeptAwake(t *testing.T) {
	w := start(t)
	bells := w.bells()
	rang := []int{}
	for n := range 3 {
		for _, id := range []string{"a", "b", "c"} {
			w.at(instrument.EmergencyDoor, head(id+strings.Repeat("x", n), "SOS")+"\nHelp\n")
		}
		rang = append(rang, bells())
		w.Clock.Advance(10 * time.Minute)
	}
	if !slices.Equal(rang, []int{1, 1, 1}) {
		t.Errorf("rang %v", rang)
	}
}

// TestUnrungIsSentAgain: a mail whose bell could not be rung is not confirmed, so that its sender's
// server sends it again, and that rings.
func TestUnrungIsSentAgain(t *testing.T) {
	w := start(t)
	bells := w.bells()
	ring, full := w.Wake, errors.New("full")
	w.Wake = func(context.Context, oncall.Emergency) error { return full }
	in := mailroom.Arrived{
		Door: instrument.EmergencyDoor, From: "clerk@court.example",
		Body: []byte(head("1", "SOS") + "\nHelp\n"),
	}
	if err := w.Receive(context.Background(), in); !errors.Is(err, full) {
		t.Fatal(err)
	}
	w.Wake = ring
	if err := w.Receive(context.Background(), in); err != nil || bells() != 1 {
		t.Errorf("it did not ring: %v", err)
	}
}

// TestNobodyOnCall: where nobody is called, nobody is told that somebody was.
func TestNobodyOnCall(t *testing.T) {
	w := start(t)
	w.at(instrument.EmergencyDoor, head("1", "SOS")+"\nHelp\n")
	said := w.answers()
	if len(said) != 1 || strings.Contains(said[0].Body, "called") ||
		strings.Contains(said[0].Body, "danger") {
		t.Errorf("told %+v", said)
	}
}
