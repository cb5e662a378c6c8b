package node

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	mailserver "github.com/emersion/go-smtp"

	"parley/internal/blob"
	"parley/internal/config"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/store"
	"parley/internal/tlog/paper"
)

// answers is a mail server that hands on what it takes, whole.
type answers struct{ took chan []byte }

func (a *answers) NewSession(*mailserver.Conn) (mailserver.Session, error) { return a, nil }
func (*answers) Mail(string, *mailserver.MailOptions) error                { return nil }
func (*answers) Rcpt(string, *mailserver.RcptOptions) error                { return nil }
func (*answers) Reset()                                                    {}
func (*answers) Logout() error                                             { return nil }
func (a *answers) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	a.took <- b
	return err
}

// TestOrderByMail sends an order by SMTP to a running server and has the signed papers come back by
// SMTP; what is for others is not relayed.
func TestOrderByMail(t *testing.T) {
	box := &answers{took: make(chan []byte, 10)}
	s := mailserver.NewServer(box)
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
	// Whatever else runs on this machine.
	w.cfg.Listen, w.cfg.Web.Listen = []string{"127.0.0.1:0"}, "127.0.0.1:0"
	w.cfg.Console.Listen, w.cfg.Inner.Listen = "127.0.0.1:0", "127.0.0.1:0"
	w.cfg.MailIn = config.Default().MailIn
	w.cfg.MailIn.Listen = "127.0.0.1:0"
	w.cfg.Contact.Authorities = "authorities@example.org"
	w.open()
	running, stop := context.WithCancel(ctx())
	ready, ended := make(chan struct{}), make(chan error, 1)
	var once sync.Once
	go func() {
		ended <- w.n.Run(running, func(_, _ []net.Addr) { once.Do(func() { close(ready) }) })
	}()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	select {
	case <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatalf("it did not start: %v", err)
	}
	at := w.n.mailsAt.String()
	var refused *textproto.Error
	const from = "a@court.example"
	err = smtp.SendMail(at, nil, from, []string{"b@elsewhere.example"}, []byte("x\r\n"))
	if !errors.As(err, &refused) || refused.Code != 550 {
		t.Errorf("relayed: %v", err)
	}
	mail := "From: a@court.example\r\nTo: authorities@example.org\r\n" +
		"Message-ID: <1@court.example>\r\nSubject: Anordnung\r\n" +
		"Content-Language: de\r\n\r\nInstrument: dsa-9\r\nNumber: 12/34\r\n" +
		"Country: DE\r\nURL: https://t.me/x/1\r\n"
	err = smtp.SendMail(at, nil, from, []string{"authorities@example.org"}, []byte(mail))
	if err != nil {
		t.Fatal(err)
	}
	var list []order.Order
	err = w.n.Store.View(ctx(), func(r *store.Reader) (err error) {
		list, err = w.n.Orders.OfAgency(r, 0, 1<<62, 5)
		return err
	})
	if err != nil || len(list) != 1 || list[0].Document.Instrument != instrument.Act ||
		list[0].Document.Number != "12/34" {
		t.Fatalf("confirmed, and the orders are %+v, %v", list, err)
	}
	checkKept(t, w)
	select {
	case b := <-box.took:
		checkAnswer(t, w, b, list[0])
	case <-time.After(2 * time.Minute):
		t.Fatal("no answer")
	}
}

// checkKept has somebody have each paper that came as a file of his own, and the server lose it:
// the paper is still there to be looked at.
func checkKept(t *testing.T, w *world) {
	t.Helper()
	kept := 0
	for info, err := range w.n.Attachments.Papers.All(ctx()) {
		if err != nil {
			t.Fatal(err)
		}
		kept++
		body := io.NewSectionReader(paperReader{w.n.Attachments.Papers, info.Digest}, 0, info.Size)
		_, err := w.n.Media.AddDocument(ctx(), 1, body, "message/rfc822", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.n.Media.Read(ctx(), info.Digest, 0, 1); err != nil {
			t.Fatalf("the file is not the paper's bytes: %v", err)
		}
		if err := w.n.Media.Erase(ctx(), info.Digest[:]); err != nil {
			t.Fatal(err)
		}
		if err := blob.Verify(ctx(), w.n.Attachments.Papers, info.Digest); err != nil {
			t.Errorf("the paper went with somebody's file: %v", err)
		}
	}
	if kept == 0 {
		t.Error("no paper was kept")
	}
}

// paperReader reads one paper.
type paperReader struct {
	papers blob.Store
	digest blob.Digest
}

func (r paperReader) ReadAt(p []byte, off int64) (int, error) {
	return r.papers.ReadAt(ctx(), r.digest, p, off)
}

// checkAnswer checks the mail that answers an order.
func checkAnswer(t *testing.T, w *world, b []byte, o order.Order) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	if m.Header.Get("In-Reply-To") != "<1@court.example>" ||
		m.Header.Get("Auto-Submitted") != "auto-replied" ||
		m.Header.Get("Reply-To") != "<authorities@example.org>" {
		t.Errorf("head %v", m.Header)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	kinds := ""
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.FileName() == "" {
			continue
		}
		signed, err := io.ReadAll(decoded(p))
		if err != nil {
			t.Fatal(err)
		}
		x, err := w.n.Orders.Sign.Read(signed)
		if err != nil {
			t.Fatalf("%s: %v", p.FileName(), err)
		}
		if x.Reference != o.Reference || x.Document != o.Digest {
			t.Errorf("%s is about %s", p.FileName(), x.Reference)
		}
		kinds += fmt.Sprint(x.Kind, " ")
	}
	if !strings.HasPrefix(kinds, string(paper.Receipt)) {
		t.Errorf("papers: %s", kinds)
	}
}

// decoded is the content of a part.
func decoded(p *multipart.Part) io.Reader {
	if p.Header.Get("Content-Transfer-Encoding") == "base64" {
		return base64.NewDecoder(base64.StdEncoding, p)
	}
	return p
}

// TestMailToSeveralDoors is an order if one of them takes orders, in whatever order they stand.
func TestMailToSeveralDoors(t *testing.T) {
	n := &Node{Config: config.Config{
		Contact: config.Contact{
			People: "help@example.org", Authorities: "law@example.org",
			Emergency: "now@example.org",
		},
		MailIn: config.MailIn{Doors: []string{"people", "authorities", "emergency"}},
	}}
	for want, to := range map[instrument.Door][]string{
		instrument.PeopleDoor:    {"help@example.org"},
		instrument.AuthorityDoor: {"help@example.org", "law@example.org"},
		instrument.EmergencyDoor: {"law@example.org", "help@example.org", "now@example.org"},
	} {
		if got := n.firstDoor(to); got != want {
			t.Errorf("%v: %q", to, got)
		}
	}
}
