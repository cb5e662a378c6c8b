package console

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"parley/internal/blob"
	"parley/internal/keyring/keyringtest"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/country"
	"parley/internal/safety/door"
	"parley/internal/safety/inquiry"
	"parley/internal/safety/instrument"
	"parley/internal/safety/intake"
	"parley/internal/safety/location"
	"parley/internal/safety/mailroom"
	"parley/internal/safety/order"
	"parley/internal/smtp"
	"parley/internal/store"
	"parley/internal/web/staff"
)

// mailroom takes mails in; what it sends is kept in sent.
func (w *world) mailroom(
	blobs blob.Store, orders *order.Service, refs safety.References,
) *mailroom.Service {
	w.t.Helper()
	keys := keyringtest.Open(w.t, w.t.TempDir())
	room, err := mailroom.New(mailroom.Options{
		Store: w.store, Clock: w.clock, Papers: blobs, References: refs, Orders: orders,
		Guide: w.guide(), Box: keys.Box(), Key: keys.Derive("mail room"),
		Send: func(_ context.Context, l smtp.Letter) error {
			w.sent = append(w.sent, l)
			return nil
		},
		Address: func(d instrument.Door) string { return string(d) + "@example.org" },
		URL:     "https://chat.example.org", Name: "Parley", Log: slog.New(slog.DiscardHandler),
	})
	w.ok(err)
	return room
}

// guide is that of a service in Germany.
func (w *world) guide() *door.Guide {
	w.t.Helper()
	countries, err := country.Builtin()
	w.ok(err)
	law, err := instrument.Builtin()
	w.ok(err)
	guide, err := door.New(countries.At("DE"), law)
	w.ok(err)
	return guide
}

// intake makes notices.
func (w *world) intake(refs safety.References) *intake.Service {
	w.t.Helper()
	keys := keyringtest.Open(w.t, w.t.TempDir())
	s, err := intake.New(intake.Options{
		Store: w.store, Clock: w.clock, Random: rand.Reader, References: refs, Box: keys.Box(),
		Secret: keys.Derive("reporters"), Places: &location.Resolver{},
	})
	w.ok(err)
	return s
}

// letter is a mail of somebody: an HTML part and a file that must not run, and perhaps a text.
func letter(id, subject, text string) string {
	plain := ""
	if text != "" {
		plain = "--b\nContent-Type: text/plain; charset=utf-8\n\n" + text + "\n"
	}
	return "From: Clerk <clerk@court.example>\nTo: people@example.org\nMessage-ID: <" + id +
		"@court.example>\nSubject: " + subject + "\nMIME-Version: 1.0\n" +
		"Content-Type: multipart/mixed; boundary=\"b\"\n\n" + plain +
		"--b\nContent-Type: text/html; name=\"page.html\"\n\n" +
		"<html><body onload=x()><p>Bare words</p><script>x()</script></body></html>\n--b--\n"
}

// arrives takes a mail in at a door, has its sender told, and returns it.
func (w *world) arrives(d instrument.Door, mail string) mailroom.Mail {
	w.t.Helper()
	ctx := context.Background()
	w.ok(w.console.Mails.Receive(ctx, mailroom.Arrived{
		Door: d, From: "clerk@court.example",
		Body: []byte(strings.ReplaceAll(mail, "\n", "\r\n")),
	}))
	w.deliver()
	return w.newestMail()
}

// deliver has all senders told what they are owed.
func (w *world) deliver() {
	w.t.Helper()
	_, err := w.console.Mails.Deliver(context.Background())
	w.ok(err)
}

func (w *world) newestMail() (out mailroom.Mail) {
	w.t.Helper()
	w.ok(w.store.View(context.Background(), func(r *store.Reader) error {
		list, err := w.console.Mails.List(r, mailroom.Filter{}, 1<<62, 1<<62, 1)
		if err == nil {
			out = list[0]
		}
		return err
	}))
	w.clock.Advance(1e9) // the next one is newer
	return out
}

// TestMailPages lists what came in by door and state, and shows it without anything that runs.
func TestMailPages(t *testing.T) {
	w := open(t)
	people := w.arrives(instrument.PeopleDoor, letter("1", "Lost account", "I cannot get in."))
	bare := w.arrives(instrument.HotlineDoor, letter("2", "NGO", ""))
	ordered := w.arrives(instrument.AuthorityDoor, letter("3", "Order", "We order."))
	legal, moderator := w.sit(w.member(staff.Legal)), w.sit(w.member(staff.Moderator))
	for at, want := range map[string]string{
		"/mails": "Lost account, NGO", "/mails?door=people": "Lost account",
		"/mails?state=order": "Order", "/mails?state=": "Lost account, NGO, Order",
		"/mails?door=flaggers&state=order": "",
	} {
		_, body := legal.get(at)
		for _, m := range []mailroom.Mail{people, bare, ordered} {
			got := strings.Contains(body, "<bdi>"+m.Subject+"</bdi>")
			if got != slices.Contains(strings.Split(want, ", "), m.Subject) {
				t.Errorf("%s lists %q: %v", at, m.Subject, got)
			}
		}
	}
	at := mailPath(people.Agency, people.ID)
	_, body := legal.get(at)
	for _, want := range []string{
		"I cannot get in.", "clerk@court.example", "waits for a person", at + "/part/1",
		"Somebody reads your mail", "unencrypted on its last way",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the mail's page lacks %q", want)
		}
	}
	_, body = legal.get(mailPath(bare.Agency, bare.ID))
	if !strings.Contains(body, "Bare words") || strings.Contains(body, "x()") {
		t.Errorf("a mail of a web page alone: %s", body)
	}
	for part, want := range map[string]string{"/part/0": "Message-ID", "/part/1": "Bare words"} {
		if status, body := legal.get(at + part); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", part, status, body)
		}
	}
	if status, _ := legal.get(at + "/part/9"); status != http.StatusNotFound {
		t.Errorf("a part that is not there: %d", status)
	}
	if _, body := moderator.get("/mails?state="); strings.Contains(body, ">Order<") ||
		!strings.Contains(body, ">Lost account<") {
		t.Error("a moderator sees another part of the mails than that of people")
	}
	status, _ := moderator.get(mailPath(ordered.Agency, ordered.ID))
	if status != http.StatusForbidden {
		t.Errorf("a moderator reads an order by mail: %d", status)
	}
}

// TestMailAnswered answers a mail; a second answer from a page that does not know of the first is
// not sent, and not lost.
func TestMailAnswered(t *testing.T) {
	w := open(t)
	m := w.arrives(instrument.PeopleDoor, letter("1", "Lost account", "I cannot get in."))
	at := mailPath(m.Agency, m.ID)
	one, two := w.sit(w.member(staff.Moderator)), w.sit(w.member(staff.Legal))
	w.sent = nil
	status, to := one.fill(at, at+"/answer", url.Values{
		"seen": {"0"}, "text": {"Sign in with the old number."},
	})
	if status != http.StatusSeeOther || !strings.Contains(to, "mailanswered") {
		t.Fatalf("answered: %d %s", status, to)
	}
	status, body := two.fill(at, at+"/answer", url.Values{
		"seen": {"0"}, "text": {"Another answer, of three lines."},
	})
	if status != http.StatusConflict || !strings.Contains(body, "Somebody else was faster") ||
		!strings.Contains(body, ">Another answer, of three lines.</textarea>") ||
		!strings.Contains(body, `name="seen" value="1"`) {
		t.Errorf("a stale answer: %d %s", status, body)
	}
	w.deliver()
	if len(w.sent) != 1 || !strings.Contains(w.sent[0].Body, "the old number") {
		t.Errorf("sent %+v", w.sent)
	}
	_, body = two.get(at)
	for _, want := range []string{"Sign in with the old number.", "Member moderator", "answered"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if status, _ := two.fill(at, at+"/close", url.Values{"seen": {"1"}}); status != 422 {
		t.Errorf("closed without a reason: %d", status)
	}
}

// TestMailBecomes makes of mails what they are: a notice with a case, an order with its papers, a
// regulator's question that his officers see; each sender is told.
func TestMailBecomes(t *testing.T) {
	w := open(t)
	w.lines()
	w.named()
	regulator, _ := w.office("Coordinator", "DE", agency.Coordinator)
	post := w.post("the mark")
	link := fmt.Sprintf("https://t.me/the_news/%d", post)
	legal := w.sit(w.member(staff.Legal))
	turn := func(subject, act string, values url.Values) mailroom.Mail {
		t.Helper()
		m := w.arrives(instrument.PeopleDoor, letter(subject, subject, "It is about "+link+"."))
		at := mailPath(m.Agency, m.ID)
		w.sent = nil
		values.Set("seen", "0")
		if _, body := legal.get(at); !strings.Contains(body, ">"+link+"</textarea>") {
			t.Errorf("the form of a notice does not begin with %s", link)
		}
		if status, body := legal.fill(at, at+"/"+act, values); status != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", act, status, body)
		}
		w.deliver()
		if len(w.sent) != 1 {
			t.Errorf("%s: the sender was told %d times", act, len(w.sent))
		}
		return w.newestMail()
	}
	m := turn("notice", "notice", url.Values{
		"links": {link}, "category": {string(safety.PublicSecurity)}, "text": {"It is illegal."},
	})
	var cases int
	w.ok(w.store.View(t.Context(), func(r *store.Reader) error {
		list, err := r.CasesOf(w.channel, 10)
		cases = len(list)
		return err
	}))
	if m.Outcome != mailroom.Noticed || cases != 1 {
		t.Errorf("%s, %d cases", m.Outcome, cases)
	}
	m = turn("order", "order", url.Values{"law": {string(instrument.Act)}, "country": {"de"}})
	if m.Outcome != mailroom.Ordered || len(m.Orders) != 1 {
		t.Errorf("the order is %+v", m)
	}
	_, body := legal.get(mailPath(m.Agency, m.ID))
	if at := orderPath(0, m.Orders[0]); !strings.Contains(body, at) {
		t.Errorf("the mail does not lead to %s", at)
	}
	m = turn("question", "inquiry", url.Values{
		"agency": {fmt.Sprint(regulator.ID)}, "title": {"Figures"}, "text": {"How many?"},
	})
	var asked []inquiry.Inquiry
	w.ok(w.store.View(t.Context(), func(r *store.Reader) (err error) {
		asked, err = inquiry.OfAgency(r, regulator.ID, newest, 10)
		return err
	}))
	if m.Outcome != mailroom.Inquired || len(asked) != 1 || asked[0].Title != "Figures" {
		t.Fatalf("%s, %+v", m.Outcome, asked)
	}
	from, to := mailPath(m.Agency, m.ID), fmt.Sprintf("/inquiries/%d/%d", regulator.ID, asked[0].ID)
	for on, leads := range map[string]string{from: to, to: from} {
		if _, body := legal.get(on); !strings.Contains(body, `href="`+leads+`"`) ||
			!strings.Contains(body, w.console.Inquiries.Reference(asked[0])) {
			t.Errorf("%s does not lead to %s", on, leads)
		}
	}
	m = turn("flaggers", "route", url.Values{"to": {string(instrument.HotlineDoor)}})
	if m.Outcome != mailroom.Waiting || m.Door != instrument.HotlineDoor {
		t.Errorf("passed on: %+v", m)
	}
}

// mailActOf is what a member of staff does first with a mail.
func mailActOf(m member) mailroom.Act { return mailroom.Act{Staff: m.ID} }
