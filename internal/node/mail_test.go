package node

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"parley/internal/config"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
)

// postbox is a mail server that keeps what it takes, and takes nothing while it is full.
type postbox struct {
	mu   sync.Mutex
	full bool
	got  []letter
}

// letter is a mail as it came.
type letter struct{ to, subject, id, lang, text string }

func (b *postbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &postman{box: b}, nil }

type postman struct {
	box *postbox
	to  string
}

func (*postman) Mail(string, *smtp.MailOptions) error { return nil }
func (*postman) Reset()                               {}
func (*postman) Logout() error                        { return nil }

func (p *postman) Rcpt(to string, _ *smtp.RcptOptions) error {
	p.to = to
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	if p.box.full {
		return &smtp.SMTPError{Code: 452, Message: "full"}
	}
	return nil
}

func (p *postman) Data(r io.Reader) error {
	m, err := netmail.ReadMessage(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		return err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	p.box.got = append(p.box.got, letter{
		p.to, subject, m.Header.Get("Message-Id"), m.Header.Get("Content-Language"),
		string(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))),
	})
	return err
}

// take returns what came since the last time.
func (b *postbox) take() []letter {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.got
	b.got = nil
	return out
}

func (b *postbox) fill(full bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.full = full
}

// withMail is a world with a mail server.
func withMail(t *testing.T) (*world, *postbox) {
	t.Helper()
	box := &postbox{}
	s := smtp.NewServer(box)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	w := newWorld(t)
	w.close()
	w.cfg.SMTP = config.SMTP{
		Server: l.Addr().String(), TLS: config.NoTLS, From: "parley@example.org",
	}
	w.open()
	return w, box
}

// mailed delivers what is owed, and returns the mails that came.
func (w *world) mailed(box *postbox) []letter {
	w.t.Helper()
	if _, err := w.n.Statements.Deliver(ctx()); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.n.Mail.Deliver(ctx()); err != nil {
		w.t.Fatal(err)
	}
	return box.take()
}

// told tells whether the maker of a report is noted as told.
func (w *world) told(subject ids.Peer, report int64) bool {
	w.t.Helper()
	var x store.Report
	err := w.n.Store.View(ctx(), func(r *store.Reader) (err error) {
		x, err = r.Report(subject, report)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return x.Told != 0
}

// TestNotifiersAreMailed: who gave notice without an account gets receipt, outcome, and what
// concerns his complaint, each once, in his language, and without what was reported.
func TestNotifiersAreMailed(t *testing.T) {
	w, box := withMail(t)
	owner := w.join("Member 1")
	peer := w.publicChannel(owner, "some_news", "one")
	v := w.visitor()
	form := violent("@some_news/2")
	form.Set("lang", "de")
	_, body := v.post("/notice?lang=de", form)
	got := w.mailed(box)
	ref := refs(body)[0]
	at := w.cfg.Web.PublicURL + "/r/" + ref
	if len(got) != 1 || got[0].to != "member1@example.org" || got[0].lang != "de" ||
		got[0].subject != "Ihre Meldung ist angekommen" || !strings.Contains(got[0].text, at) {
		t.Fatalf("the receipt: %+v", got)
	}
	report := w.reports(peer)[2]
	// The server is full: the outcome waits, and nobody is noted as told.
	box.fill(true)
	_, err := w.n.Decisions.Dismiss(ctx(), peer, report.Case, safety.Actor{Staff: 1},
		casefile.Refuted, "The words calls for harm are a quotation.")
	if err != nil {
		t.Fatal(err)
	}
	if got = w.mailed(box); len(got) != 0 || w.told(peer, report.ID) {
		t.Errorf("from a full server came %+v", got)
	}
	box.fill(false)
	if got = w.mailed(box); len(got) != 0 {
		t.Errorf("tried again at once: %+v", got)
	}
	w.clock.Advance(2 * time.Minute)
	if got = w.mailed(box); len(got) != 1 || !strings.Contains(got[0].text, at) ||
		!strings.Contains(got[0].text, "keinen Verstoß") {
		t.Fatalf("the outcome: %+v", got)
	}
	all := got
	if !w.told(peer, report.ID) {
		t.Error("the notifier is not noted as told")
	}
	v.post("/r/"+ref, url.Values{"text": {"It calls for harm."}})
	all = append(all, w.mailed(box)...)
	var filed appeal.Appeal
	err = w.n.Store.View(ctx(), func(r *store.Reader) error {
		list, err := appeal.Waiting(r, 0, 1)
		if err != nil || len(list) == 0 {
			return errors.Join(err, errors.New("no complaint waits"))
		}
		filed = list[0]
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.n.Appeals.Say(ctx(), peer, filed.ID, 2, 0, "What calls for harm?"); err != nil {
		t.Fatal(err)
	}
	all = append(all, w.mailed(box)...)
	_, err = w.n.Appeals.Decide(ctx(), peer, filed.ID, appeal.Ruling{
		Staff: 2, Outcome: appeal.Upheld, Reason: "It calls for harm to nobody.",
	})
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, w.mailed(box)...)
	if len(all) != 4 {
		t.Errorf("%d mails came after the receipt, not 4: %+v", len(all), all)
	}
	seen := make(map[string]bool)
	for _, m := range all {
		if seen[m.id] || strings.Contains(m.text, "calls for harm") ||
			strings.Contains(m.text, "Member 1") || !strings.Contains(m.text, at) {
			t.Errorf("a mail comes twice, says too much or leads nowhere: %+v", m)
		}
		seen[m.id] = true
	}
	w.clock.Advance(time.Hour)
	if got = w.mailed(box); len(got) != 0 {
		t.Errorf("mails come twice: %+v", got)
	}
}

// TestMailIsGivenUp: an address that takes nothing for a week is left alone.
func TestMailIsGivenUp(t *testing.T) {
	w, box := withMail(t)
	w.publicChannel(w.join("Member 1"), "some_news", "one")
	box.fill(true)
	w.visitor().post("/notice", violent("@some_news/2"))
	for range 50 {
		w.mailed(box)
		w.clock.Advance(6 * time.Hour)
	}
	box.fill(false)
	if got := w.mailed(box); len(got) != 0 {
		t.Errorf("after a week still comes %+v", got)
	}
}

// TestReversalsAreMailed: who gave notice without an account hears when what he was told does not
// hold any more.
func TestReversalsAreMailed(t *testing.T) {
	w, box := withMail(t)
	peer := w.publicChannel(w.join("Member 1"), "some_news", "one")
	form := violent("@some_news/2")
	form.Set("lang", "de")
	w.visitor().post("/notice?lang=de", form)
	report := w.reports(peer)[2]
	d, err := w.n.Decisions.Decide(ctx(), safetytest.Draft(report.Case, safety.Subject{
		Peer: peer, Kind: safety.Message, Item: 2,
	}))
	if err != nil {
		t.Fatal(err)
	}
	if got := w.mailed(box); len(got) != 2 || got[1].subject != "Ergebnis Ihrer Meldung" {
		t.Fatalf("%+v", got)
	}
	_, err = w.n.Decisions.Lift(ctx(), peer, d.ID, safety.Actor{Staff: 9}, "It was satire.")
	if err != nil {
		t.Fatal(err)
	}
	got := w.mailed(box)
	if len(got) != 1 || got[0].subject != "Das Ergebnis Ihrer Meldung hat sich geändert" ||
		!strings.Contains(got[0].text, "wurden aufgehoben") ||
		strings.Contains(got[0].text, "satire") {
		t.Errorf("%+v", got)
	}
	if got = w.mailed(box); len(got) != 0 {
		t.Errorf("told twice: %+v", got)
	}
}
