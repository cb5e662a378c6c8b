package mailroom_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"parley/internal/safety/instrument"
	"parley/internal/safety/mailroom"
	"parley/internal/smtp"
	"parley/internal/store"
)

// mails are those that came in, the last first.
func (w *world) mails(f mailroom.Filter) (out []mailroom.Mail) {
	w.Helper()
	w.View(func(r *store.Reader) (err error) {
		out, err = w.Service.List(r, f, 1<<62, 0, 100)
		return err
	})
	return out
}

// the is a mail as it is now.
func (w *world) the(m mailroom.Mail) (out mailroom.Mail) {
	w.Helper()
	w.View(func(r *store.Reader) (err error) {
		out, err = w.Service.Of(r, m.Agency, m.ID)
		return err
	})
	return out
}

// waits takes a mail in at a door of people and returns it.
func (w *world) waits(d instrument.Door, mail string) mailroom.Mail {
	w.Helper()
	if got := w.at(d, mail); got != mailroom.Waiting {
		w.Fatalf("became %q", got)
	}
	w.answers()
	return w.mails(mailroom.Filter{Outcome: mailroom.Waiting})[0]
}

// by is what a person does who has seen a mail as it is.
func by(m mailroom.Mail, text string) mailroom.Act {
	return mailroom.Act{Staff: 7, Seen: len(m.Acts), Text: text}
}

// TestNothingIsUnread: whatever came in, at whichever door, is listed, and its text and all of its
// papers can be read; what a machine wrote, too.
func TestNothingIsUnread(t *testing.T) {
	w := start(t)
	w.at(instrument.PeopleDoor, with("1", "Help", "I have lost my account.", "id.pdf",
		"application/pdf", "%PDF-1.4 x", "page.html", "text/html", "<b>x</b><script>y()</script>"))
	w.at(instrument.HotlineDoor, head("2", "We are an NGO")+"\nHow do we get a key?\n")
	w.receive(head("3", "Order") + "\nAn order.\n")
	w.receive(head("4", "Out of office", "Auto-Submitted: auto-replied") + "\nI am away.\n")
	all := w.mails(mailroom.Filter{})
	if len(all) != 4 {
		t.Fatalf("%d of 4 mails are listed", len(all))
	}
	said := map[string]int{}
	for _, m := range all {
		c, err := w.Service.Content(t.Context(), m)
		w.ok(err)
		said[strings.TrimSpace(c.Text)] = len(c.Parts)
		for _, p := range c.Parts {
			info, err := w.blobs.Stat(t.Context(), p.Digest)
			if err != nil || info.Size != p.Size {
				t.Errorf("%s of %q: %v, %d bytes", p.Name, m.Subject, err, info.Size)
			}
		}
	}
	for text, parts := range map[string]int{
		"I have lost my account.": 3, "How do we get a key?": 1, "An order.": 1, "I am away.": 1,
	} {
		if said[text] != parts {
			t.Errorf("%q has %d papers, not %d", text, said[text], parts)
		}
	}
	for f, want := range map[mailroom.Filter]int{
		{Outcome: mailroom.Waiting}: 2, {Outcome: mailroom.Ordered}: 1,
		{Outcome: mailroom.Aside}: 1, {Door: instrument.PeopleDoor}: 1,
		{Door: instrument.HotlineDoor, Outcome: mailroom.Waiting}: 1,
		{Door: instrument.PeopleDoor, Outcome: mailroom.Ordered}:  0,
	} {
		if got := len(w.mails(f)); got != want {
			t.Errorf("%+v lists %d, not %d", f, got, want)
		}
	}
}

// TestPersonAnswers: a person's answer goes out in the talk, what comes back to it belongs to it
// and is answered by no machine, and all that its sender was told can be read.
func TestPersonAnswers(t *testing.T) {
	w := start(t)
	m := w.waits(instrument.PeopleDoor, head("1", "Help")+"\nI have lost my account.\n")
	w.ok(w.Service.Answer(t.Context(), m.Agency, m.ID, by(m, "Write from the old number.")))
	got := w.answers()
	if len(got) != 1 || !strings.Contains(got[0].Body, "Write from the old number.") ||
		got[0].InReplyTo != "1" || got[0].ReplyTo != "people@example.org" {
		t.Fatalf("answered %+v", got)
	}
	m = w.the(m)
	if m.Outcome != mailroom.Answered || len(m.Letters) != 2 || len(m.Acts) != 1 ||
		m.Letters[1].Text != got[0].Body || m.Letters[1].Failed || m.Acts[0].Staff != 7 {
		t.Errorf("the mail is %+v", m)
	}
	if len(w.answers()) != 0 {
		t.Error("answered twice")
	}
	back := w.waits(instrument.PeopleDoor, head("2", "Re: Help",
		"In-Reply-To: <"+got[0].ID+"@chat.example.org>")+"\nI have no old number.\n")
	if back.Before != m.ID || len(back.Letters) != 0 {
		t.Errorf("what came back is %+v", back)
	}
	if len(w.mails(mailroom.Filter{Outcome: mailroom.Waiting})) != 1 {
		t.Error("what came back does not wait")
	}
}

// TestStaleActs: who looked at a mail before somebody else did something with it does nothing.
func TestStaleActs(t *testing.T) {
	w := start(t)
	m := w.waits(instrument.PeopleDoor, head("1", "Help")+"\nx\n")
	w.ok(w.Service.Close(t.Context(), m.Agency, m.ID, by(m, "Advertising.")))
	ctx := context.Background()
	for what, err := range map[string]error{
		"answer": w.Service.Answer(ctx, m.Agency, m.ID, by(m, "x")),
		"close":  w.Service.Close(ctx, m.Agency, m.ID, by(m, "x")),
		"route":  w.Service.Route(ctx, m.Agency, m.ID, by(m, ""), instrument.HotlineDoor),
		"notice": w.Service.Became(ctx, m.Agency, m.ID, by(m, ""), mailroom.Noticed,
			mailroom.Asked{}),
		"order": w.Service.Order(ctx, m.Agency, m.ID, by(m, ""), instrument.Act, "DE"),
	} {
		if !errors.Is(err, mailroom.ErrChanged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	m = w.the(m)
	if len(w.answers()) != 0 || len(w.of()) != 0 || m.Outcome != mailroom.Closed {
		t.Errorf("%d orders, %s", len(w.of()), m.Outcome)
	}
	if err := w.Service.Answer(ctx, m.Agency, m.ID, by(m, "  ")); !errors.Is(
		err, mailroom.ErrText) {
		t.Errorf("nothing said: %v", err)
	}
	err := w.Service.Route(ctx, m.Agency, m.ID, by(m, ""), instrument.AuthorityDoor)
	if !errors.Is(err, mailroom.ErrPlace) {
		t.Errorf("where nobody reads: %v", err)
	}
}

// TestPassedOn: a mail that is passed on waits at the other door, and its sender knows where it is;
// one that is an order after all is one, with papers for him.
func TestPassedOn(t *testing.T) {
	w := start(t)
	m := w.waits(instrument.PeopleDoor, head("1", "Order", "Content-Language: de")+
		"\nThe court orders.\n")
	w.ok(w.Service.Route(t.Context(), m.Agency, m.ID, by(m, ""), instrument.HotlineDoor))
	got := w.answers()
	if m = w.the(m); len(got) != 1 || got[0].Lang != "de" || m.Outcome != mailroom.Waiting ||
		m.Door != instrument.HotlineDoor ||
		!strings.Contains(got[0].Body, w.Guide.Door("de", instrument.HotlineDoor)) {
		t.Errorf("passed on: %+v, told %+v", m, got)
	}
	w.ok(w.Service.Order(t.Context(), m.Agency, m.ID, by(m, ""), instrument.Act, "de"))
	o := w.newest()
	if o.Document.Instrument != instrument.Act || o.Document.Country != "DE" ||
		!strings.Contains(o.Document.Reasons, "The court orders.") ||
		len(o.Document.Attached) != 1 {
		t.Errorf("the order is %+v", o.Document)
	}
	got = w.answers()
	if len(got) != 1 || len(got[0].Files) == 0 || !strings.Contains(got[0].Subject, o.Reference) {
		t.Errorf("the receipt is %+v", got)
	}
	m = w.the(m)
	if m.Outcome != mailroom.Ordered || !slices.Equal(m.Orders, []int64{o.ID}) ||
		m.Door != instrument.AuthorityDoor {
		t.Errorf("the mail is %+v", m)
	}
}

// TestUntold: a person learns when what he wrote could not be delivered.
func TestUntold(t *testing.T) {
	w := start(t)
	m := w.waits(instrument.PeopleDoor, head("1", "Help")+"\nx\n")
	w.ok(w.Service.Answer(t.Context(), m.Agency, m.ID, by(m, "An answer.")))
	w.full = &smtp.DeliveryError{Reason: "no such person"}
	w.answers()
	m = w.the(m)
	if m.Outcome != mailroom.Waiting || len(m.Letters) != 2 || !m.Letters[1].Failed {
		t.Errorf("the mail is %+v", m)
	}
	w.full = nil
	if len(w.answers()) != 0 {
		t.Error("sent again by itself")
	}
}
