package mailroom_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"parley/internal/blob"
	"parley/internal/safety/enclosure"
	"parley/internal/safety/inquiry"
	"parley/internal/safety/instrument"
	"parley/internal/safety/mailroom"
	"parley/internal/safety/order"
	"parley/internal/store"
)

const day = 24 * time.Hour

// forget sweeps, with mails kept for three years that somebody acted on and all others for one, and
// returns how many are left.
func (w *world) forget() int {
	w.Helper()
	_, err := mailroom.Keeping{
		Store: w.Service.Store, Clock: w.Clock, Orders: w.orders,
		Acted: 3 * 365 * day, Aside: 365 * day,
	}.Sweep(context.Background())
	w.ok(err)
	return len(w.mails(mailroom.Filter{}))
}

// kept fails unless some mails are left just before a time has passed, and others behind it.
func (w *world) kept(what string, after time.Duration, before, then int) {
	w.Helper()
	w.Clock.Advance(after - time.Second)
	if got := w.forget(); got != before {
		w.Errorf("%s: %d mails before their time, want %d", what, got, before)
	}
	w.Clock.Advance(time.Second)
	if got := w.forget(); got != then {
		w.Errorf("%s: %d mails behind it, want %d", what, got, then)
	}
}

// TestMailsEnd: a mail is kept while it waits, however long; since it was answered for three years,
// since it was closed for one, like what a machine wrote; and it is gone then.
func TestMailsEnd(t *testing.T) {
	w := start(t)
	w.receive(head("1", "Out of office", "Auto-Submitted: auto-replied") + "\nI am away.\n")
	m := w.waits(instrument.PeopleDoor, head("2", "A question")+"\nMay I?\n")
	w.kept("by a machine", 365*day, 2, 1)
	w.Clock.Advance(10 * 365 * day)
	if w.forget() != 1 {
		t.Error("a mail that waits is gone")
	}
	w.ok(w.Answer(t.Context(), 0, m.ID, by(m, "You may.")))
	w.Clock.Advance(4 * 365 * day)
	if w.forget() != 1 {
		t.Error("a mail is gone whose answer is not sent yet")
	}
	w.answers()
	w.kept("answered", 3*365*day, 1, 0)
	m = w.waits(instrument.PeopleDoor, head("3", "Hello")+"\nHello.\n")
	w.ok(w.Service.Close(t.Context(), 0, m.ID, by(m, "Says nothing.")))
	w.kept("closed", 365*day, 1, 0)
}

// TestMailsOfOrders: a mail is kept as long as the order that came with it is open, and for three
// years since it was over.
func TestMailsOfOrders(t *testing.T) {
	w := start(t)
	w.receive(with("1", "Order", "see", "order.json", "application/json", asJSON(t, document())))
	w.answers()
	o := w.newest()
	w.View(func(r *store.Reader) error {
		stands, _, err := w.orders.Stands(r, o.Agency, o.ID)
		if !stands {
			t.Error("an open order does not stand")
		}
		return err
	})
	w.Clock.Advance(5 * 365 * day)
	if w.forget() != 1 {
		t.Fatal("a mail is gone whose order is open")
	}
	_, err := w.orders.Sweep(context.Background())
	w.ok(err)
	w.answers()
	w.kept("of an order", 3*365*day, 1, 0)
}

// TestMailsOfATalk: a mail is kept while a later one is that goes on from it.
func TestMailsOfATalk(t *testing.T) {
	w := start(t)
	m := w.waits(instrument.PeopleDoor, head("1", "A question")+"\nMay I?\n")
	w.ok(w.Answer(t.Context(), 0, m.ID, by(m, "You may.")))
	id := w.answers()[0].ID
	w.Clock.Advance(3*365*day - time.Hour)
	then := w.waits(instrument.PeopleDoor,
		head("2", "Re: A question", "In-Reply-To: <"+id+"@chat.example.org>")+"\nThanks.\n")
	if then.Before != m.ID {
		t.Fatalf("goes on from %d, not %d: %q", then.Before, m.ID, id)
	}
	w.Clock.Advance(365 * day)
	if w.forget() != 2 {
		t.Error("the beginning of a talk is gone")
	}
	w.ok(w.Service.Close(t.Context(), 0, then.ID, by(then, "Thanks only.")))
	w.Clock.Advance(365 * day)
	w.forget()
	w.Clock.Advance(30 * day)
	if got := w.forget(); got != 0 {
		t.Errorf("%d mails of a talk that is over", got)
	}
}

// TestUnreadableMailIsKept: of a mail that cannot be read nobody knows whether it is over, and it
// keeps no other.
func TestUnreadableMailIsKept(t *testing.T) {
	w := start(t)
	for _, id := range []string{"1", "2"} {
		w.receive(head(id, "Away "+id, "Auto-Submitted: auto-replied") + "\nI am away.\n")
	}
	list := w.mails(mailroom.Filter{})
	w.ok(w.Service.Store.Update(t.Context(), 0, func(tx *store.Tx) error {
		m, err := tx.ArrivedMail(0, list[0].ID)
		if err != nil {
			return err
		}
		m.Body = []byte("{")
		return tx.ChangeArrivedMail(m)
	}))
	w.Clock.Advance(365 * day)
	n, err := mailroom.Keeping{
		Store: w.Service.Store, Clock: w.Clock, Orders: w.orders, Acted: day, Aside: day,
	}.Sweep(t.Context())
	if n != 1 || err == nil || !strings.Contains(err.Error(), "keeping mail") {
		t.Errorf("%d forgotten, %v", n, err)
	}
}

// TestPapersOfMails: papers are kept as long as a mail or an order names them, and no longer.
func TestPapersOfMails(t *testing.T) {
	w := start(t)
	papers := &enclosure.Papers{Store: w.blobs, Rows: w.Service.Store, Clock: w.Clock}
	left := func() (n int) {
		_, err := papers.Sweep(t.Context(), order.Named, mailroom.Named, inquiry.Named)
		w.ok(err)
		for _, err := range w.blobs.All(t.Context()) {
			w.ok(err)
			n++
		}
		return n
	}
	away := strings.Replace(with("1", "Away", "I am away.", "a.txt", "text/plain", "Until Monday"),
		"MIME-Version", "Auto-Submitted: auto-replied\nMIME-Version", 1)
	if got := w.receive(away); got != mailroom.Aside {
		t.Fatalf("written by a machine, and %s", got)
	}
	w.receive(with("2", "Order", "see", "b.txt", "text/plain", "A paper of the order"))
	o := w.newest()
	_, _, err := papers.Put(t.Context(), strings.NewReader("brought, and never sent"))
	w.ok(err)
	w.Clock.Advance(day - time.Second)
	if got := left(); got != 5 {
		t.Errorf("%d papers within a day, want 2 mails, 2 of them, and one more", got)
	}
	w.Clock.Advance(2 * time.Second)
	if got := left(); got != 4 {
		t.Errorf("%d papers behind a day, want 2 mails and 2 of them", got)
	}
	w.Clock.Advance(365 * day)
	w.forget()
	if got := left(); got != 2 {
		t.Errorf("%d papers, want those of the order", got)
	}
	w.View(func(r *store.Reader) error {
		list, err := r.OrderDocuments(o.Agency, o.ID)
		for _, x := range list {
			d, err := blob.ParseDigest(x.Digest)
			w.ok(err)
			w.ok(blob.Verify(t.Context(), w.blobs, d))
		}
		if len(list) != 2 {
			t.Errorf("the order names %d papers", len(list))
		}
		return err
	})
}
