package inquiry_test

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety/agency"
	"parley/internal/safety/inquiry"
	"parley/internal/safety/oncall"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

func ctx() context.Context { return context.Background() }

type line struct {
	*testing.T
	*inquiry.Service
	clock *clock.Fake
	woken []oncall.Emergency
}

func newLine(t *testing.T) *line {
	s, c := storetest.SQLite(t), clock.NewFake(time.Unix(1_800_000_000, 0))
	l := &line{T: t, clock: c}
	l.Service = &inquiry.Service{
		Store: s, Clock: c, Random: rand.Reader, Within: 72 * time.Hour,
		Agencies: &agency.Service{Store: s, Clock: c, Random: rand.Reader},
		Wake: func(_ context.Context, e oncall.Emergency) error {
			l.woken = append(l.woken, e)
			return nil
		},
	}
	return l
}

func (l *line) agency(id int64, k agency.Kind) (a agency.Agency) {
	l.Helper()
	body, err := cbor.Marshal(agency.Record{})
	if err == nil {
		err = l.Store.Update(ctx(), ids.Peer(id), func(tx *store.Tx) error {
			return tx.PutAgency(store.Agency{
				ID: id, Name: "Agency", Country: "DE", Kind: int64(k), State: 3, Lang: "de",
				ProposedBy: 1, ApprovedBy: 2, Approved: 1, Attest: math.MaxInt32, Body: body,
			})
		})
	}
	if err == nil {
		err = l.Store.View(ctx(), func(r *store.Reader) (err error) {
			a, err = agency.Of(r, id)
			return err
		})
	}
	if err != nil {
		l.Fatal(err)
	}
	return a
}

func (l *line) sweep() {
	l.Helper()
	if err := l.Sweep(ctx()); err != nil {
		l.Fatal(err)
	}
}

// TestSentTwice: a form that was sent twice asks and says once; the same question is another one as
// soon as there is more to the first.
func TestSentTwice(t *testing.T) {
	l := newLine(t)
	of := l.agency(5, agency.Regulator)
	ask := func(officer int64) inquiry.Inquiry {
		t.Helper()
		i, err := l.Ask(ctx(), of, officer, "Figures", "Where are they?", nil)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	say := func(i inquiry.Inquiry, x inquiry.Line) int64 {
		t.Helper()
		i, err := l.Say(ctx(), of.ID, i.ID, x)
		if err != nil {
			t.Fatal(err)
		}
		return i.Lines
	}
	i := ask(3)
	if again := ask(3); again != i {
		t.Errorf("sent twice: %+v and %+v", i, again)
	}
	if other := ask(4); other.ID == i.ID {
		t.Error("another officer's question is the first one's")
	}
	i = ask(3)
	more, answer := inquiry.Line{Officer: 3, Text: "Please."}, inquiry.Line{Staff: 7, Text: "Here."}
	for n, x := range []struct {
		inquiry.Line
		lines int64
	}{{more, 2}, {more, 2}, {answer, 3}, {answer, 3}, {more, 4}} {
		if got := say(i, x.Line); got != x.lines {
			t.Errorf("%d: %d lines, want %d", n, got, x.lines)
		}
	}
	if other := ask(3); other.ID == i.ID {
		t.Error("a question that was answered is asked again, and is nowhere")
	}
}

// TestDialogue: a question waits for the service and wakes somebody once when its time is over; an
// answer turns it over, a further question starts the clock anew; nothing that was said changes.
func TestDialogue(t *testing.T) {
	l := newLine(t)
	of := l.agency(5, agency.Coordinator)
	i, err := l.Ask(ctx(), of, 3, " Annual figures ", "Where are they?", []inquiry.File{
		{Name: "letter.pdf", Size: 4, SHA256: strings.Repeat("a", 64)},
	})
	if err != nil || i.State != inquiry.OursNow || i.Due != l.clock.Now().Unix()+72*3600 ||
		i.Title != "Annual figures" {
		t.Fatalf("%+v, %v", i, err)
	}
	l.clock.Advance(71 * time.Hour)
	l.sweep()
	more, err := l.Say(ctx(), of.ID, i.ID, inquiry.Line{Officer: 3, Text: "Please."})
	if err != nil || more.Due != i.Due {
		t.Errorf("a reminder moves the clock: %+v, %v", more, err)
	}
	l.clock.Advance(time.Hour)
	l.sweep()
	l.sweep()
	if len(l.woken) != 1 || l.woken[0].Kind != oncall.Regulator || l.woken[0].Country != "DE" {
		t.Fatalf("woken: %+v", l.woken)
	}
	i, err = l.Say(ctx(), of.ID, i.ID, inquiry.Line{Staff: 7, Text: "Here."})
	if err != nil || i.State != inquiry.TheirsNow || i.Due != 0 {
		t.Errorf("answered: %+v, %v", i, err)
	}
	i, err = l.Say(ctx(), of.ID, i.ID, inquiry.Line{Officer: 3, Text: "And of before?"})
	if err != nil || i.Due != l.clock.Now().Unix()+72*3600 {
		t.Errorf("asked again: %+v, %v", i, err)
	}
	if err := l.Close(ctx(), of.ID, i.ID); err != nil {
		t.Fatal(err)
	}
	_, err = l.Say(ctx(), of.ID, i.ID, inquiry.Line{Staff: 7, Text: "Late."})
	if !errors.Is(err, inquiry.ErrClosed) {
		t.Errorf("after its end: %v", err)
	}
	l.clock.Advance(1000 * time.Hour)
	l.sweep()
	if len(l.woken) != 1 {
		t.Errorf("woken for what is closed: %+v", l.woken)
	}
	_, lines, err := l.Find(ctx(), of, 3, i.ID)
	if err != nil || len(lines) != 4 || lines[0].Text != "Where are they?" ||
		lines[0].Files[0].Name != "letter.pdf" || lines[2].Staff != 7 {
		t.Errorf("%+v, %v", lines, err)
	}
}

// TestStrangers: another agency's inquiry does not exist; who is no regulator asks nothing; texts
// are bounded.
func TestStrangers(t *testing.T) {
	l := newLine(t)
	of, other := l.agency(5, agency.Regulator), l.agency(6, agency.Regulator)
	i, err := l.Ask(ctx(), of, 3, "A", "B", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Find(ctx(), other, 4, i.ID); !store.IsNotFound(err) {
		t.Errorf("another's: %v", err)
	}
	var events []agency.Event
	err = l.Store.View(ctx(), func(r *store.Reader) (err error) {
		events, err = agency.Events(r, other.ID, math.MaxInt64, 5)
		return err
	})
	if err != nil || len(events) != 1 || events[0].Kind != agency.Foreign {
		t.Errorf("%+v, %v", events, err)
	}
	_, err = l.Ask(ctx(), l.agency(7, agency.Police), 1, "A", "B", nil)
	if !errors.Is(err, inquiry.ErrKind) {
		t.Errorf("the police: %v", err)
	}
	for _, x := range [][2]string{
		{"", "B"}, {"A", " "}, {strings.Repeat("x", 301), "B"}, {"A", strings.Repeat("x", 50_001)},
	} {
		if _, err := l.Ask(ctx(), of, 3, x[0], x[1], nil); !errors.Is(err, inquiry.ErrText) {
			t.Errorf("%.5s, %.5s: %v", x[0], x[1], err)
		}
	}
}
