package disclosure_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/safety/disclosure"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/paper"
)

// TestFromOrderToAgency goes the whole way: two people, a package that only the agency opens, one
// fetch, the signed answer, the lines of the log, and the person who is told.
func TestFromOrderToAgency(t *testing.T) {
	w := start(t)
	o := w.approved(w.officer, w.certificate())
	d := w.layOut(o)
	if len(d.Content.Accounts) != 1 || d.Row.People != 1 {
		t.Fatalf("laid out: %+v", d.Content)
	}
	d, err := w.Strike(w.ctx(), anna, o.Agency, o.ID, d.Row.Content, []disclosure.Strike{{
		Item: 1, Class: policy.Subscriber, Record: 1, Field: "first_name", Reason: "not needed",
	}})
	w.ok(err)
	raw, err := json.Marshal(w.rows(o))
	w.ok(err)
	if bytes.Contains(raw, []byte("4930901820")) {
		t.Error("what is laid out lies in the store to be read")
	}
	if n := w.count(o, entry.Disclosure); n != 0 {
		t.Errorf("%d lines before anything left", n)
	}
	o = w.release(o, d)
	if o.State != order.Answered {
		t.Errorf("%v", o.State)
	}
	last := w.papers(o)[len(w.papers(o))-1]
	want := []paper.Datum{
		{Class: "subscriber", Given: "yes", Reason: "partly-struck-out"},
		{Class: "last-login", Given: "yes"},
	}
	if last.Kind != paper.Information || last.Given != "yes" || last.Package == nil ||
		!slices.Equal(last.Items[0].Data, want) || last.Text != "not needed" {
		t.Fatalf("%+v", last)
	}
	p, err := w.Fetch(w.ctx(), sender(w.officer), o.Reference)
	w.ok(err)
	if sum(string(p.Body)) != last.Package.Digest || !strings.HasSuffix(p.Name, ".zip.age") {
		t.Errorf("fetched another package: %s", p.Name)
	}
	files := w.open(p, last.Package.Manifest)
	for _, name := range []string{"data.json", "data.txt"} {
		for _, there := range []string{"4930901820", "192.0.2.7", "not needed"} {
			if !strings.Contains(files[name], there) {
				t.Errorf("%s lacks %q:\n%s", name, there, files[name])
			}
		}
		for _, not := range []string{"\"Person\"", "\nfirst_name: ", "not asked for", "Phone"} {
			if strings.Contains(files[name], not) {
				t.Errorf("%s has %q:\n%s", name, not, files[name])
			}
		}
	}
	if !strings.Contains(files["order.json"], d.Row.Content) {
		t.Errorf("order.json: %s", files["order.json"])
	}
	for range 2 {
		if _, err := w.Fetch(w.ctx(), sender(w.officer), o.Reference); !errors.Is(err,
			disclosure.ErrGone) {
			t.Errorf("fetched twice: %v", err)
		}
	}
	fetched := 0
	for _, x := range w.rows(o) {
		if len(x.Package) != 0 || len(x.Sealed) != 0 {
			t.Errorf("kept after it was fetched: %+v", x)
		}
		if disclosure.State(x.State) == disclosure.Fetched && x.Officer == w.officer.ID {
			fetched++
		}
	}
	if fetched != 1 {
		t.Errorf("fetched %d times", fetched)
	}
	w.toldAtOnce(o)
}

// toldAtOnce checks the lines of the log, the custody and the letter to the person.
func (w *world) toldAtOnce(o order.Order) {
	w.Helper()
	w.ok(w.Work(w.ctx()))
	w.ok(w.Work(w.ctx()))
	for _, l := range w.lines(o) {
		if l.Kind == entry.Disclosure && (l.Accounts != 1 || l.Told != 1 || l.Persons != 2) {
			w.Errorf("%+v", l)
		}
	}
	if w.count(o, entry.Disclosure) != 1 || w.count(o, entry.Effect) != 1 ||
		w.count(o, entry.Told) != 0 {
		w.Errorf("lines: %+v", w.lines(o))
	}
	letters := w.letters()
	if len(letters) != 1 || !strings.Contains(letters[0], "Prosecution (FR)") ||
		!strings.Contains(letters[0], o.Reference) ||
		!strings.Contains(letters[0], "Bestandsdaten, Zeit und Adresse der letzten Anmeldung") {
		w.Errorf("letters: %q", letters)
	}
	events := w.events(o)
	at := 0
	for _, k := range []order.EventKind{
		order.LaidOut, order.Dropped, order.LaidOut, order.Released, order.WasAnswered,
		order.WasTaken, order.WasTold,
	} {
		n := slices.Index(events[at:], k)
		if n < 0 {
			w.Fatalf("no %v in the custody: %v", k, events)
		}
		at += n
	}
}

// TestNothingLeaves tries what must not be: by the wrong people, of another content, after a
// change. Nothing leaves, no line is written, and the order stays what it was.
func TestNothingLeaves(t *testing.T) {
	w := start(t)
	o := w.approved(w.officer, w.certificate())
	if _, err := w.LayOut(w.ctx(), david, o.Agency, o.ID); !errors.Is(err, order.ErrRole) {
		t.Errorf("laid out by a moderator: %v", err)
	}
	d := w.layOut(o)
	release := func(staff int64, digest string) error {
		_, err := w.Release(w.ctx(), o.Agency, o.ID, w.act(staff, digest))
		return err
	}
	for _, c := range []struct {
		what string
		err  error
		want error
	}{
		{"by the same person", release(anna, d.Row.Content), order.ErrSamePerson},
		{"in the same role", release(clara, d.Row.Content), order.ErrRole},
		{"by a moderator", release(david, d.Row.Content), order.ErrRole},
		{"by nobody", release(0, d.Row.Content), order.ErrRole},
		{"by somebody unknown", release(99, d.Row.Content), order.ErrRole},
		{"without a fresh proof", func() error {
			stale := w.act(boris, d.Row.Content)
			stale.Proven = stale.Proven.Add(-11 * time.Minute)
			_, err := w.Release(w.ctx(), o.Agency, o.ID, stale)
			return err
		}(), disclosure.ErrProof},
		{"of another content", release(boris, strings.Repeat("0", 64)), order.ErrChanged},
		{"struck by another", func() error {
			_, err := w.Strike(w.ctx(), boris, o.Agency, o.ID, d.Row.Content, nil)
			return err
		}(), order.ErrSamePerson},
		{"struck without a reason", func() error {
			_, err := w.Strike(w.ctx(), anna, o.Agency, o.ID, d.Row.Content, []disclosure.Strike{{
				Item: 1, Class: policy.Subscriber,
			}})
			return err
		}(), order.ErrReason},
		{"struck what is not there", func() error {
			_, err := w.Strike(w.ctx(), anna, o.Agency, o.ID, d.Row.Content, []disclosure.Strike{{
				Item: 1, Class: policy.Messages, Reason: "x",
			}})
			return err
		}(), disclosure.ErrNoPath},
		{"fetched before", func() error {
			_, err := w.Fetch(w.ctx(), sender(w.officer), o.Reference)
			return err
		}(), disclosure.ErrGone},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, c.err, c.want)
		}
	}
	w.roles[anna] = policy.Moderator // who laid it out is somebody else by now
	if err := release(boris, d.Row.Content); !errors.Is(err, order.ErrRole) {
		t.Errorf("laid out by who was: %v", err)
	}
	w.roles[anna] = policy.Legal
	w.nothing(o)
	w.release(o, d)
}

// nothing checks that nothing has left.
func (w *world) nothing(o order.Order) {
	w.Helper()
	for _, x := range w.rows(o) {
		if len(x.Package) != 0 || x.Digest != "" || x.ReleasedBy != 0 {
			w.Errorf("released: %+v", x)
		}
	}
	if n := w.count(o, entry.Disclosure); n != 0 {
		w.Errorf("%d lines of disclosures", n)
	}
	for _, p := range w.papers(o) {
		if p.Kind == paper.Information {
			w.Errorf("answered: %+v", p)
		}
	}
}

// TestChangedAfterApproval voids what was laid out whenever what it rests on is another.
func TestChangedAfterApproval(t *testing.T) {
	for what, change := range map[string]func(w *world, o order.Order){
		"one more class": func(w *world, o order.Order) {
			d := o.Document
			d.Data = append(slices.Clone(d.Data), policy.Logins)
			_, err := w.Orders.Supplement(w.ctx(), sender(w.officer), o.ID, d)
			w.ok(err)
		},
		"one day more": func(w *world, o order.Order) {
			d := o.Document
			d.From -= 24 * 3600
			_, err := w.Orders.Supplement(w.ctx(), sender(w.officer), o.ID, d)
			w.ok(err)
		},
		"withdrawn": func(w *world, o order.Order) {
			_, err := w.Orders.Withdraw(w.ctx(), sender(w.officer), o.ID, "not needed any more")
			w.ok(err)
		},
		"another key": func(w *world, o order.Order) {
			key := w.key.Recipient().String()
			other := w.strangersKey()
			w.ok(w.agencies.Rekey(w.ctx(), anna, o.Agency, other))
			w.approveAgency(o.Agency, other)
			_ = key
		},
		"another key, unchecked": func(w *world, o order.Order) {
			w.ok(w.agencies.Rekey(w.ctx(), anna, o.Agency, w.strangersKey()))
		},
		"the agency suspended": func(w *world, o order.Order) {
			w.ok(w.agencies.Suspend(w.ctx(), anna, o.Agency, "mailbox taken over"))
		},
		"not confirmed again": func(w *world, _ order.Order) {
			w.World.Clock.Advance(100 * 24 * time.Hour)
		},
		"not let go in time": func(w *world, _ order.Order) {
			w.World.Clock.Advance(8 * 24 * time.Hour)
		},
	} {
		t.Run(what, func(t *testing.T) {
			w := start(t)
			o := w.approved(w.officer, w.certificate())
			d := w.layOut(o)
			change(w, o)
			_, err := w.Release(w.ctx(), o.Agency, o.ID, w.act(boris, d.Row.Content))
			if err == nil {
				t.Error("released")
			}
			t.Log(err)
			w.ok(w.Work(w.ctx()))
			w.nothing(o)
		})
	}
}

func (w *world) strangersKey() string {
	w.Helper()
	return w.strangers.Key
}

// TestOnlyItsAgencyFetches has others try, and the agency after its key was replaced or its
// standing lost.
func TestOnlyItsAgencyFetches(t *testing.T) {
	w := start(t)
	o := w.approved(w.officer, w.certificate())
	o = w.release(o, w.layOut(o))
	for what, by := range map[string]order.Sender{
		"another agency's officer": sender(w.stranger), "nobody": {},
		"an officer of another under its name": {Agency: w.strangers.ID, Officer: w.officer.ID},
	} {
		if _, err := w.Fetch(w.ctx(), by, o.Reference); !store.IsNotFound(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	by := order.Sender{Agency: w.office.ID, Officer: w.stranger.ID}
	if _, err := w.Fetch(w.ctx(), by, o.Reference); !errors.Is(err, order.ErrStanding) {
		t.Errorf("a foreign officer in the agency's name: %v", err)
	}
	w.ok(w.agencies.SuspendOfficer(w.ctx(), anna, w.office.ID, w.officer.ID, "left"))
	if _, err := w.Fetch(w.ctx(), sender(w.officer), o.Reference); !errors.Is(err,
		order.ErrStanding) {
		t.Errorf("a suspended officer: %v", err)
	}
	next := w.enrol(w.office.ID, "Officer Four")
	w.ok(w.agencies.Rekey(w.ctx(), anna, w.office.ID, w.strangersKey()))
	w.approveAgency(w.office.ID, w.strangersKey())
	if _, err := w.Fetch(w.ctx(), sender(next), o.Reference); !errors.Is(err, disclosure.ErrKey) {
		t.Errorf("with another key: %v", err)
	}
	w.World.Clock.Advance(15 * 24 * time.Hour)
	w.ok(w.Work(w.ctx()))
	if x := w.rows(o)[0]; disclosure.State(x.State) != disclosure.RanOut || len(x.Package) != 0 {
		t.Errorf("not fetched in time: %v with %d bytes", disclosure.State(x.State), len(x.Package))
	}
	if !slices.Contains(w.alarms, "data was not fetched in time") {
		t.Errorf("nobody heard: %q", w.alarms)
	}
}

// TestAgainNeedsAnotherDecision gives the data once more only when it has been signed for once
// more.
func TestAgainNeedsAnotherDecision(t *testing.T) {
	w := start(t)
	o := w.approved(w.officer, w.certificate())
	o = w.release(o, w.layOut(o))
	_, err := w.Fetch(w.ctx(), sender(w.officer), o.Reference)
	w.ok(err)
	if _, err := w.LayOut(w.ctx(), anna, o.Agency, o.ID); !errors.Is(err, order.ErrState) {
		t.Errorf("laid out again: %v", err)
	}
	o, err = w.Orders.Reopen(w.ctx(), clara, o.Agency, o.ID, "the connection broke")
	w.ok(err)
	if _, err := w.LayOut(w.ctx(), anna, o.Agency, o.ID); !errors.Is(err, order.ErrState) {
		t.Errorf("laid out unsigned: %v", err)
	}
	o = w.signed(o)
	o = w.release(o, w.layOut(o))
	last := w.papers(o)[len(w.papers(o))-1]
	p, err := w.Fetch(w.ctx(), sender(w.officer), o.Reference)
	w.ok(err)
	w.open(p, last.Package.Manifest)
	if w.count(o, entry.Disclosure) != 2 || w.count(o, entry.Effect) != 1 {
		t.Errorf("%+v", w.lines(o))
	}
}

// TestToldBefore lets nothing leave before the person has had a week.
func TestToldBefore(t *testing.T) {
	w := start(t)
	d := w.certificate(policy.Subscriber)
	d.Instrument, d.Authority = instrument.Inform, "Bureau"
	o := w.approved(w.clerk, d)
	w.ok(w.Work(w.ctx()))
	w.ok(w.Work(w.ctx()))
	if l := w.letters(); len(l) != 1 || !strings.Contains(l[0], "frühestens in einer Woche") {
		t.Fatalf("%q", l)
	}
	w.World.Clock.Advance(2 * 24 * time.Hour)
	x := w.layOut(o)
	act := w.act(boris, x.Row.Content)
	if _, err := w.Release(w.ctx(), o.Agency, o.ID, act); !errors.Is(err, disclosure.ErrUntold) {
		t.Errorf("two days later: %v", err)
	}
	w.nothing(o)
	w.World.Clock.Advance(5*24*time.Hour + time.Minute)
	w.release(o, w.layOut(o))
	w.ok(w.Work(w.ctx()))
	if l := w.letters(); len(l) != 2 {
		t.Errorf("%q", l)
	}
}

// TestToldWhenTheBarEnds tells the person by itself when the bar ends, and the log says so once.
func TestToldWhenTheBarEnds(t *testing.T) {
	w := start(t)
	d := w.certificate()
	d.Bar = &order.Bar{Basis: "Art. 13(2)", Until: w.now() + 20*24*3600}
	o := w.approved(w.officer, d)
	o = w.release(o, w.layOut(o))
	w.ok(w.Work(w.ctx()))
	if l := w.letters(); len(l) != 0 {
		t.Fatalf("told in spite of the bar: %q", l)
	}
	for _, l := range w.lines(o) {
		if l.Kind == entry.Disclosure && (l.Told != 0 || l.Untold != 1) {
			t.Errorf("%+v", l)
		}
	}
	w.World.Clock.Advance(20*24*time.Hour + time.Second)
	w.ok(w.Work(w.ctx()))
	w.ok(w.Work(w.ctx()))
	if l := w.letters(); len(l) != 1 {
		t.Errorf("%d letters when the bar has ended", len(l))
	}
	told := 0
	for _, l := range w.lines(o) {
		if l.Kind == entry.Told {
			told++
			left := time.Unix(w.rows(o)[0].Released, 0)
			if l.Told != 1 || l.Untold != 1 || l.Day != entry.Day(left) {
				t.Errorf("%+v", l)
			}
		}
	}
	if told != 1 {
		t.Errorf("%d lines say so", told)
	}
}

// TestWhatIsNotThere says what the server does not have, and hands nothing over where it has
// nothing.
func TestWhatIsNotThere(t *testing.T) {
	w := start(t)
	d := w.certificate(policy.Messages, policy.Secret)
	o := w.approved(w.officer, d)
	o = w.release(o, w.layOut(o))
	last := w.papers(o)[len(w.papers(o))-1]
	want := []paper.Datum{
		{Class: "messages", Given: "none", Reason: "none-held"},
		{Class: "secret", Given: "no", Reason: "unreadable"},
	}
	if last.Kind != paper.Information || last.Given != "no" || last.Package != nil ||
		!slices.Equal(last.Items[0].Data, want) {
		t.Errorf("%+v", last)
	}
	if w.count(o, entry.Disclosure) != 0 || w.count(o, entry.Effect) != 1 {
		t.Errorf("%+v", w.lines(o))
	}
	if _, err := w.Fetch(w.ctx(), sender(w.officer), o.Reference); !errors.Is(err,
		disclosure.ErrGone) {
		t.Errorf("%v", err)
	}
	w.ok(w.Work(w.ctx()))
	if l := w.letters(); len(l) != 0 {
		t.Errorf("told of nothing: %q", l)
	}
}

// TestBarsAreExtendedByOrders keeps the person untold for longer only by another order, which has
// its own signatures and its own lines.
func TestBarsAreExtendedByOrders(t *testing.T) {
	w := start(t)
	d := w.certificate()
	d.Bar = &order.Bar{Basis: "Art. 13(2)", Until: w.now() + 20*24*3600}
	o := w.approved(w.officer, d)
	w.release(o, w.layOut(o))
	longer := w.certificate()
	longer.Number, longer.Extends = "9 UJs 2/26 b", d.Number
	longer.Bar = &order.Bar{Basis: "Art. 13(2)", Until: w.now() + 40*24*3600}
	x := w.approved(w.officer, longer)
	if _, err := w.LayOut(w.ctx(), anna, x.Agency, x.ID); !errors.Is(err, order.ErrState) {
		t.Errorf("data is laid out for an order that only extends a bar: %v", err)
	}
	for range 2 {
		w.ok(w.Orders.CarryOut(w.ctx()))
	}
	if x = w.order(x); x.State != order.Answered {
		t.Errorf("%v", x.State)
	}
	w.World.Clock.Advance(20*24*time.Hour + time.Minute)
	w.ok(w.Work(w.ctx()))
	if l := w.letters(); len(l) != 0 {
		t.Fatalf("told while the longer bar holds: %q", l)
	}
	w.World.Clock.Advance(20 * 24 * time.Hour)
	w.ok(w.Work(w.ctx()))
	if l := w.letters(); len(l) != 1 {
		t.Errorf("%d letters when the longer bar has ended", len(l))
	}
	if n := w.count(o, entry.Order); n != 2 {
		t.Errorf("%d lines of orders", n)
	}
}

// TestKeptDataIsGiven gives on an order what an earlier one had kept, though the account has lost
// it.
func TestKeptDataIsGiven(t *testing.T) {
	w := start(t)
	d := w.certificate(policy.Subscriber, policy.Logins)
	keep := d
	keep.Instrument, keep.Action, keep.Number = instrument.Preservation, policy.Preserve, "K 1"
	w.approved(w.officer, keep)
	w.ok(w.Orders.CarryOut(w.ctx()))
	a := safetytest.Author
	w.Update(a.Peer(), func(tx *store.Tx) error { return tx.DeleteAuthorization(a, 11) })
	o := w.approved(w.officer, d)
	x := w.layOut(o)
	raw, err := json.Marshal(x.Content)
	w.ok(err)
	if !strings.Contains(string(raw), "192.0.2.7") || !strings.Contains(string(raw), `"kept":`) {
		t.Errorf("what was kept is not there: %s", raw)
	}
	if n := strings.Count(string(raw), "4930901820"); n != 1 {
		t.Errorf("what is stored still is there %d times", n)
	}
}

// TestUnfetchedDidNotLeave: whom a bar kept from knowing is told the truth when it ends: that his
// data was made ready and is erased, where nobody fetched it.
func TestUnfetchedDidNotLeave(t *testing.T) {
	const day = 24 * time.Hour
	w := start(t)
	d := w.certificate()
	d.Bar = &order.Bar{Basis: "Art. 13", Until: w.World.Clock.Now().Add(60 * day).Unix()}
	o := w.approved(w.officer, d)
	w.release(o, w.layOut(o))
	w.World.Clock.Advance(15 * day)
	w.ok(w.Work(w.ctx()))
	if letters := w.letters(); len(letters) != 0 {
		t.Fatalf("told in spite of the bar: %q", letters)
	}
	w.World.Clock.Advance(46 * day)
	w.ok(w.Work(w.ctx()))
	letters := w.letters()
	if len(letters) != 1 || !strings.Contains(letters[0], "nicht rechtzeitig abgeholt") ||
		strings.Contains(letters[0], "hat Daten über Sie erhalten") {
		t.Errorf("letters: %q", letters)
	}
}
