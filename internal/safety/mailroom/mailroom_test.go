package mailroom_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/blob"
	"parley/internal/keyring/keyringtest"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/answer"
	"parley/internal/safety/country"
	"parley/internal/safety/door"
	"parley/internal/safety/evidence"
	"parley/internal/safety/instrument"
	"parley/internal/safety/location"
	"parley/internal/safety/mailroom"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/safety/safetytest"
	"parley/internal/smtp"
	"parley/internal/store"
	"parley/internal/store/storetest"
	"parley/internal/tlog/paper"
)

// world is a mail room with the rooms behind it.
type world struct {
	*safetytest.World
	*mailroom.Service
	orders *order.Service
	blobs  blob.Store
	sent   []smtp.Letter
	// full is what the mail server says.
	full error
	done []mailroom.Outcome
	// txt are the records of the domains.
	txt map[string][]string
	// seen are the orders that newest has returned.
	seen map[int64]bool
}

func start(t testing.TB) *world {
	t.Helper()
	s, keys := storetest.SQLite(t), t.TempDir()
	w := &world{World: safetytest.NewKept(t, s, keys), txt: map[string][]string{},
		seen: map[int64]bool{}}
	sign, err := answer.Open(keys, "chat.example.org", rand.Reader)
	w.ok(err)
	countries, err := country.Builtin()
	w.ok(err)
	rules, err := policy.Builtin(countries)
	w.ok(err)
	law, err := instrument.Builtin()
	w.ok(err)
	guide, err := door.New(countries.At("DE"), law)
	w.ok(err)
	blobs, err := blob.OpenDir(t.TempDir(), w.Clock)
	w.ok(err)
	t.Cleanup(func() { _ = blobs.Close() })
	keyed := keyringtest.Open(t, t.TempDir())
	w.blobs = blobs
	w.orders = &order.Service{
		Store: s, Clock: w.Clock, Random: rand.Reader, References: w.References,
		Places:    &location.Resolver{},
		Agencies:  &agency.Service{Store: s, Clock: w.Clock, Random: rand.Reader},
		Decisions: w.Decisions,
		Evidence:  &evidence.Service{Store: s, Clock: w.Clock, Random: rand.Reader},
		Sign:      sign, Judge: rules.Judge, Instrument: law.Get, Unknown: law.Unknown(),
		Word: func(id instrument.ID, _ instrument.Urgency) string {
			in, _ := law.Get(id)
			return in.Log
		},
	}
	w.Service, err = mailroom.New(mailroom.Options{
		Store: s, Clock: w.Clock, Papers: blobs, References: w.References, Orders: w.orders,
		Guide: guide, Box: keyed.Box(), Key: keyed.Derive("mail room"),
		Send: func(_ context.Context, l smtp.Letter) error {
			if w.full != nil {
				return w.full
			}
			w.sent = append(w.sent, l)
			return nil
		},
		Address: func(d instrument.Door) string { return string(d) + "@example.org" },
		Lookup: func(name string) ([]string, error) {
			if r, ok := w.txt[name]; ok {
				return r, nil
			}
			return nil, io.EOF
		},
		URL: "https://chat.example.org", Name: "Parley", Log: slog.New(slog.DiscardHandler),
		Done: func(o mailroom.Outcome) { w.done = append(w.done, o) },
	})
	w.ok(err)
	return w
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// receive takes a mail in at the authorities' door and returns what became of it.
func (w *world) receive(mail string) mailroom.Outcome {
	w.Helper()
	return w.at(instrument.AuthorityDoor, mail)
}

func (w *world) at(d instrument.Door, mail string) mailroom.Outcome {
	w.Helper()
	w.done = nil
	w.ok(w.Service.Receive(context.Background(), mailroom.Arrived{
		Door: d, From: "clerk@court.example", Body: []byte(strings.ReplaceAll(mail, "\n", "\r\n")),
	}))
	if len(w.done) == 0 {
		return ""
	}
	return w.done[0]
}

// answers are the mails that are sent now.
func (w *world) answers() []smtp.Letter {
	w.Helper()
	w.sent = nil
	_, err := w.Service.Deliver(context.Background())
	w.ok(err)
	return w.sent
}

// of are the orders of nobody known, the newest first.
func (w *world) of() (out []order.Order) {
	w.Helper()
	w.View(func(r *store.Reader) (err error) {
		out, err = w.orders.OfAgency(r, 0, 1<<62, 100)
		return err
	})
	return out
}

// newest is the order that came since it was asked for last.
func (w *world) newest() (out order.Order) {
	w.Helper()
	for _, o := range w.of() {
		if !w.seen[o.ID] {
			out = o
		}
		w.seen[o.ID] = true
	}
	return out
}

// papers reads the signed papers of a mail.
func (w *world) papers(l smtp.Letter) (out []paper.Paper) {
	w.Helper()
	for _, f := range l.Files {
		p, err := w.orders.Sign.Read(f.Body)
		w.ok(err)
		out = append(out, p)
	}
	return out
}

// head is the head of a mail; more are further lines of it.
func head(id, subject string, more ...string) string {
	return "From: Clerk <clerk@court.example>\nTo: authorities@example.org\nMessage-ID: <" + id +
		">\nDate: Sun, 29 Nov 2026 08:00:00 +0000\nSubject: " + subject + "\n" +
		strings.Join(append(more, ""), "\n")
}

// with is a mail with files: names, types and contents in turn.
func with(id, subject, text string, files ...string) string {
	out := head(id, subject, "MIME-Version: 1.0", `Content-Type: multipart/mixed; boundary="b"`) +
		"\n--b\nContent-Type: text/plain; charset=utf-8\n\n" + text + "\n"
	for i := 0; i < len(files); i += 3 {
		out += "--b\nContent-Type: " + files[i+1] + "\nContent-Disposition: attachment; " +
			"filename=\"" + files[i] + "\"\n\n" + files[i+2] + "\n"
	}
	return out + "--b--\n"
}

func document() order.Document {
	return order.Document{
		Instrument: instrument.Act, Number: "12/34", Country: "DE", Authority: "Court",
		Signed: "C", Lang: "de", Issued: 1, Basis: []order.Basis{{Law: "L", Provision: "1"}},
		Reasons: "R", Redress: "A", Action: policy.Remove,
		Items: []order.Target{{URL: "https://t.me/the_news/1"}},
	}
}

func asJSON(t testing.TB, d order.Document) string {
	t.Helper()
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestMailIsAnOrder: a mail that says nothing by fields is an order all the same. It is stored,
// answered once with a signed receipt and with what is missing, and can be added to by an answer.
func TestMailIsAnOrder(t *testing.T) {
	w := start(t)
	mail := head("1@court.example", "Please act", "Content-Language: de") +
		"\nThe post is illegal.\n"
	if got := w.receive(mail); got != mailroom.Ordered {
		t.Fatalf("became %q", got)
	}
	list := w.of()
	if len(list) != 1 || list[0].State != order.Incomplete ||
		!strings.Contains(list[0].Document.Reasons, "The post is illegal.") ||
		len(list[0].Document.Attached) != 1 ||
		list[0].Document.Attached[0].Mime != "message/rfc822" {
		t.Fatalf("orders %+v", list)
	}
	got := w.answers()
	if len(got) != 1 || got[0].To != "clerk@court.example" ||
		got[0].InReplyTo != "1@court.example" ||
		!strings.Contains(got[0].Subject, list[0].Reference) || got[0].Lang != "de" ||
		got[0].ReplyTo != "authorities@example.org" {
		t.Fatalf("answered %+v", got)
	}
	papers := w.papers(got[0])
	if len(papers) != 2 || papers[0].Kind != paper.Receipt || papers[1].Kind != paper.Incomplete ||
		papers[0].Document != list[0].Digest || !strings.Contains(got[0].Body, "/authority/first") {
		t.Errorf("papers %+v", papers)
	}
	if again := w.receive(mail); again != "" || len(w.of()) != 1 || len(w.answers()) != 0 {
		t.Errorf("the same mail again: %q, %d orders", again, len(w.of()))
	}
	other := strings.Replace(mail, "illegal", "unlawful", 1)
	if w.receive(other) != mailroom.Ordered || len(w.of()) != 2 || len(w.answers()) != 0 {
		t.Error("another mail of the same Message-ID is stored, and answered no second time")
	}
	reply := head("2@court.example", "Re: ["+list[0].Reference+"]") + "\nHere is more.\n"
	if got := w.receive(reply); got != mailroom.Enclosed {
		t.Errorf("an answer became %q", got)
	}
	if got := w.answers(); len(got) != 1 || len(got[0].Files) != 0 ||
		!strings.Contains(got[0].Body, list[0].Reference) {
		t.Errorf("answered %+v", got)
	}
	w.Clock.Advance(time.Hour)
	if got := w.answers(); len(got) != 0 {
		t.Errorf("and then: %+v", got)
	}
}

// TestOrderInAnAnswer: an order of another number that comes as an answer about an earlier one is
// an order; what comes to one that is over is read by a person, and what it orders is an order.
func TestOrderInAnAnswer(t *testing.T) {
	w := start(t)
	w.receive(with("1", "Order", "see", "order.json", "application/json", asJSON(t, document())))
	o := w.newest()
	re := "Re: [" + o.Reference + "]"
	another := document()
	another.Number = "99/01"
	same := document()
	same.Reasons += " As said."
	for n, x := range []struct {
		order.Document
		want mailroom.Outcome
	}{{another, mailroom.Ordered}, {same, mailroom.Enclosed}} {
		got := w.receive(with(fmt.Sprint("a", n), re, "see", "order.json", "application/json",
			asJSON(t, x.Document)))
		if got != x.want {
			t.Errorf("%d: became %q, want %q", n, got, x.want)
		}
	}
	if got := w.newest(); got.Document.Number != "99/01" || len(w.of()) != 2 {
		t.Errorf("%d orders, the last one %+v", len(w.of()), got.Document)
	}
	w.Clock.Advance(365 * 24 * time.Hour)
	if _, err := w.Orders.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := w.receive(head("b1", re) + "\nWhy?\n"); got != mailroom.Waiting {
		t.Errorf("a question about an order that is over became %q", got)
	}
	got := w.receive(with("b2", re, "see", "order.json", "application/json", asJSON(t, same)))
	if got != mailroom.Ordered || len(w.of()) != 3 {
		t.Errorf("an order after one that is over became %q, %d orders", got, len(w.of()))
	}
}

// TestTypedMail reads what says by fields what it wants: our JSON, a certificate, our form. The
// same document in another mail is the same order.
func TestTypedMail(t *testing.T) {
	w := start(t)
	doc := asJSON(t, document())
	pdf := "%PDF-1.4 the order"
	first := with("1", "Order", "see the file", "order.json", "application/json", doc,
		"order.pdf", "application/pdf", pdf)
	if got := w.receive(first); got != mailroom.Ordered {
		t.Fatalf("became %q", got)
	}
	o := w.newest()
	if o.Document.Instrument != instrument.Act || o.Document.Number != "12/34" ||
		len(o.Document.Attached) != 2 || o.Agency != 0 || o.Standing == "" {
		t.Fatalf("order %+v", o)
	}
	receipt := w.papers(w.answers()[0])[0]
	again := with("2", "Order", "once more", "order.json", "application/json", doc,
		"order.pdf", "application/pdf", pdf)
	w.receive(again)
	if got := w.papers(w.answers()[0])[0]; len(w.of()) != 1 || got.At != receipt.At {
		t.Errorf("%d orders", len(w.of()))
	}
	altered := with("3", "Order", "", "order.json", "application/json", doc,
		"order.pdf", "application/pdf", pdf+".")
	w.receive(altered)
	if got := w.newest(); len(w.of()) != 2 || !slices.Contains(got.Signals, "altered-twin") ||
		w.papers(w.answers()[0])[0].Document == receipt.Document {
		t.Errorf("an altered file: %d orders, %v", len(w.of()), got.Signals)
	}
	epoc := `<?xml version="1.0"?><EPOC xmlns="http://data.europa.eu/edm/1/ns/epoc"><Evidence>` +
		`<DataCategories><Subscriber/></DataCategories></Evidence></EPOC>`
	w.receive(with("4", "EPOC", "", "epoc.xml", "application/xml", epoc))
	if got := w.newest().Document; got.Instrument != instrument.Production || len(got.Data) != 1 {
		t.Errorf("a certificate: %+v", got)
	}
	w.receive(with("5", "EPOC-PR", "", "x.xml", "text/xml",
		strings.ReplaceAll(epoc, "EPOC", "EPOC-PR")))
	if got := w.newest().Document; got.Instrument != instrument.Preservation {
		t.Errorf("a certificate to preserve: %+v", got)
	}
	w.receive(head("6", "Order") + "\nInstrument: dsa-9\nNumber: 77/1\nCountry: de\n" +
		"Issued: 2026-11-01\nAction: remove\nURL: https://t.me/the_news/1\n" +
		"https://t.me/the_news/2 the second\n" +
		"Offence: fraud\nPenalty: 5\nNotified: yes\nBar: Art. 13\nBar until: 2026-12-31\n" +
		"Extends: 76/1\nFollows: 75/1\n" +
		"Account: phone +491\nTerritory: DE, FR\nReasons: first\nsecond\n> Number: 1\n")
	got := w.newest().Document
	if got.Number != "77/1" || len(got.Items) != 2 || got.Reasons != "first\nsecond" ||
		len(got.Territory) != 2 || got.Accounts[0].Type != "phone" || got.Issued == 0 {
		t.Errorf("a form: %+v", got)
	}
	if got.Items[1].URL != "https://t.me/the_news/2" || got.Items[1].Note != "the second" ||
		got.Penalty != 5 || !got.Notified || got.Bar == nil || got.Bar.Basis != "Art. 13" ||
		got.Bar.Until == 0 || got.Extends != "76/1" || got.Follows != "75/1" {
		t.Errorf("a form: %+v", got)
	}
}

// TestOneMailManyOrders: each order of a mail is one, and the answer has the receipts of all.
func TestOneMailManyOrders(t *testing.T) {
	w := start(t)
	var files []string
	for n := range 3 {
		d := document()
		d.Number = fmt.Sprint(n)
		files = append(files, fmt.Sprintf("%d.json", n), "application/json", asJSON(t, d))
	}
	w.receive(with("1", "Orders", "", files...))
	got := w.answers()
	receipts := 0
	for _, p := range w.papers(got[0]) {
		if p.Kind == paper.Receipt {
			receipts++
		}
	}
	if len(w.of()) != 3 || len(got) != 1 || receipts != 3 {
		t.Errorf("%d orders, %d mails, %d receipts", len(w.of()), len(got), receipts)
	}
}

// TestReferencesAreMade: a reference that this service has not made leads to no order.
func TestReferencesAreMade(t *testing.T) {
	w := start(t)
	w.receive(head("1", "Order") + "\nx\n")
	ref := w.newest().Reference
	for n, subject := range []string{
		strings.Replace(ref, "A", "B", 2), w.References.Make(safety.OrderRef, 77, 5), ref[:20],
	} {
		mail := head(fmt.Sprint("r", n), "Re: "+subject) + "\nmore\n"
		if got := w.receive(mail); got != mailroom.Ordered {
			t.Errorf("%s: became %q", subject, got)
		}
	}
	got := w.receive(head("e", "x", "In-Reply-To: <"+ref+"@x>") + "\n")
	if got != mailroom.Enclosed {
		t.Errorf("by what it answers: %q", got)
	}
}

// TestMachinesAreNotAnswered: what a machine wrote is kept and not answered, and a mail that only
// says to be from somebody cannot have us write to him without end.
func TestMachinesAreNotAnswered(t *testing.T) {
	w := start(t)
	for n, line := range []string{
		"Auto-Submitted: auto-replied", "Precedence: bulk", "List-Id: <x.example>",
		"Content-Type: multipart/report; boundary=x", "X-Failed-Recipients: a@b.example",
	} {
		if got := w.receive(head(fmt.Sprint(n), "x", line) + "\nx\n"); got != mailroom.Aside {
			t.Errorf("%s: became %q", line, got)
		}
	}
	w.done = nil
	w.ok(w.Service.Receive(context.Background(), mailroom.Arrived{
		Door: instrument.AuthorityDoor, Body: []byte(head("b", "failure") + "\n\n"),
	}))
	if w.done[0] != mailroom.Aside || len(w.of()) != 0 || len(w.answers()) != 0 {
		t.Errorf("%v, %d orders, %d answers", w.done, len(w.of()), len(w.sent))
	}
	for n := range 30 {
		w.receive(head(fmt.Sprintf("s%d", n), "x") + "\nsomething " + fmt.Sprint(n) + "\n")
	}
	if got := len(w.answers()); got != 20 || len(w.of()) != 30 {
		t.Errorf("%d answers to one address, %d orders", got, len(w.of()))
	}
	w.Clock.Advance(25 * time.Hour)
	if got := len(w.answers()); got < 10 {
		t.Errorf("%d answers the day after", got)
	}
}

// TestProgramsOrderByMail: what a program for files sends is an order and not set aside; it is
// answered where it says by fields what it wants, so that no two machines answer each other.
func TestProgramsOrderByMail(t *testing.T) {
	w := start(t)
	form := "\nInstrument: dsa-9\nNumber: 1\n"
	for n, x := range []struct {
		line, text string
		answered   bool
	}{
		{"Auto-Submitted: auto-generated", "\nRemove it.\n", false},
		{"Auto-Submitted: auto-generated; owner-email=\"a@b.example\"", form, true},
		{"X-Auto-Response-Suppress: All", "\nRemove that.\n", true},
		{"Precedence: list\nList-Unsubscribe: <mailto:x@y.example>", form + "Signed: B\n", true},
		{"From: Police, Berlin <desk@police.example>", "\nRemove this.\n", true},
	} {
		mail := head(fmt.Sprint(n), "x", x.line) + x.text
		if strings.HasPrefix(x.line, "From") {
			mail = mail[strings.Index(mail, "\n")+1:]
		}
		if got := w.receive(mail); got != mailroom.Ordered {
			t.Errorf("%s: became %q", x.line, got)
		}
		if got := len(w.of()); got != n+1 {
			t.Errorf("%s: %d orders", x.line, got)
		}
		sent := w.answers()
		if got := len(sent) > 0; got != x.answered {
			t.Errorf("%s: answered %v", x.line, got)
		}
	}
}

// TestWrongDoor: who came to the wrong door is passed on and told so; what is no order waits for a
// person at the door where it belongs.
func TestWrongDoor(t *testing.T) {
	w := start(t)
	if got := w.at(instrument.PeopleDoor, head("1", "Spam")+"\nThis is spam.\n"); got !=
		mailroom.Waiting {
		t.Errorf("became %q", got)
	}
	if got := w.answers(); len(got) != 1 ||
		!strings.Contains(got[0].Body, "https://chat.example.org/notice?lang=en") {
		t.Errorf("answered %+v", got)
	}
	form := "\nCountry: DE\nRequester: flagger\nPurpose: illegal\n\nhttps://t.me/the_news/1\n"
	if got := w.receive(head("2", "Notice") + form); got != mailroom.Waiting || len(w.of()) != 0 {
		t.Errorf("a flagger's became %q", got)
	}
	if got := w.answers(); len(got) != 1 || !strings.Contains(got[0].Body, "/hotline?lang=en") {
		t.Errorf("answered %+v", got)
	}
	form = strings.Replace(form, "flagger", "court", 1)
	if got := w.at(instrument.PeopleDoor, head("3", "Order")+form); got != mailroom.Ordered ||
		w.newest().Document.Instrument != instrument.Act {
		t.Errorf("a court's became %q", got)
	}
	if got := w.answers(); len(got) != 1 || !strings.Contains(got[0].Body, "We have passed it on") {
		t.Errorf("answered %+v", got)
	}
}

// TestAnswersAreOwed: an answer that the mail server does not take is sent later, once.
func TestAnswersAreOwed(t *testing.T) {
	w := start(t)
	w.receive(head("1", "Order") + "\nx\n")
	w.full = &smtp.DeliveryError{Reason: "full", Temporary: true}
	if len(w.answers()) != 0 {
		t.Error("sent")
	}
	w.full = nil
	if len(w.answers()) != 0 {
		t.Error("sent before its time")
	}
	w.Clock.Advance(2 * time.Minute)
	if len(w.answers()) != 1 || len(w.answers()) != 0 {
		t.Error("not sent once")
	}
}

// TestLookAlikes: a domain or a name that is made to be taken for an agency's is told to who looks
// at the order, and changes nothing of what becomes of the mail.
func TestLookAlikes(t *testing.T) {
	w := start(t)
	_, err := w.orders.Agencies.Propose(t.Context(), 7, agency.New{
		Name: "Court", Country: "DE", Lang: "de", Kind: agency.Court,
		Officials: []agency.Official{{Name: "A", Office: "Head"}, {Name: "B", Office: "Desk"}},
		Domains:   []string{"court.example"}, Agreement: strings.Repeat("a", 64),
	})
	w.ok(err)
	const look = "look-alike-domain"
	for from, want := range map[string]bool{
		"clerk@court.example": false, "clerk@c0urt.example": true, "clerk@bank.example": false,
	} {
		mail := strings.ReplaceAll(head(from, "Order"), "clerk@court.example", from) + "\nx\n"
		if got := w.receive(mail); got != mailroom.Ordered {
			t.Fatalf("%s became %q", from, got)
		}
		if got := w.newest(); slices.Contains(got.Signals, look) != want ||
			got.State != order.Incomplete {
			t.Errorf("%s: %v, %v", from, got.State, got.Signals)
		}
	}
	for name, want := range map[string]bool{"Court": false, "C0urt": true, "Bank": false} {
		w.receive(head(name, "Order") + "\nInstrument: dsa-9\nNumber: 1\nAuthority: " + name +
			"\nCountry: DE\nAction: remove\n")
		if got := w.newest(); slices.Contains(got.Signals, look) != want {
			t.Errorf("%s: %v, %+v", name, got.Signals, got.Document)
		}
	}
}
