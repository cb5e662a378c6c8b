package moderation

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"net/smtp"
	"strings"
	"time"

	mailserver "github.com/emersion/go-smtp"

	"parley/internal/safety/order"
)

// box is the mail server through which the service's answers go out; it keeps what it takes.
type box struct{ took chan []byte }

func (b *box) NewSession(*mailserver.Conn) (mailserver.Session, error) { return b, nil }
func (*box) Mail(string, *mailserver.MailOptions) error                { return nil }
func (*box) Rcpt(string, *mailserver.RcptOptions) error                { return nil }
func (*box) Reset()                                                    {}
func (*box) Logout() error                                             { return nil }
func (b *box) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	b.took <- body
	return err
}

// mailbox opens the mail server and returns its address.
func (s *scene) mailbox() string {
	s.Helper()
	s.box = &box{took: make(chan []byte, 100)}
	server := mailserver.NewServer(s.box)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	s.check(err)
	go func() { _ = server.Serve(l) }()
	s.Cleanup(func() { _ = server.Close() })
	return l.Addr().String()
}

// address is to which orders are mailed.
const address = "authorities@chat.example.org"

// mailOrder sends an order by SMTP.
func (s *scene) mailOrder(o *office, d order.Document) {
	s.Helper()
	s.mails(o, d.Number, written(d))
}

// mails sends a mail to the service's authorities' address.
func (s *scene) mails(o *office, subject, text string) {
	s.Helper()
	from := "desk@agency.example"
	mail := "From: " + from + "\r\nTo: " + address + "\r\nMessage-ID: <" + digest([]byte(text)) +
		"@agency.example>\r\nSubject: " + mime.QEncoding.Encode("utf-8", subject) +
		"\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" +
		"Content-Language: " + o.Lang + "\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + text
	s.check(smtp.SendMail(s.mailsAt, nil, from, []string{address}, []byte(mail)))
}

// isMailed waits for a mail whose text, or one of whose signed papers, says something.
func (s *scene) isMailed(o *office, text string) {
	s.Helper()
	deadline := time.After(patience)
	for {
		for _, m := range s.mail {
			if strings.Contains(m, text) {
				return
			}
		}
		select {
		case b := <-s.box.took:
			s.mail = append(s.mail, s.opened(b))
		case <-deadline:
			s.Fatalf("%s was not mailed %q: %q", o.Name, text, s.mail)
		}
	}
}

// opened is the text of a mail, and in a line each what its papers say, which the verifier has
// found in order.
func (s *scene) opened(b []byte) string {
	s.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(b))
	s.check(err)
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	s.check(err)
	body := decoded(m.Body, m.Header.Get("Content-Transfer-Encoding"))
	if !strings.HasPrefix(kind, "multipart/") {
		text, err := io.ReadAll(body)
		s.check(err)
		return string(text)
	}
	var out strings.Builder
	r := multipart.NewReader(body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return out.String()
		}
		s.check(err)
		text, err := io.ReadAll(decoded(p, p.Header.Get("Content-Transfer-Encoding")))
		s.check(err)
		if p.FileName() == "" {
			out.WriteString(unmarked(string(text)) + "\n")
			continue
		}
		out.WriteString(short(s.verified(string(text))) + "\n")
	}
}

func decoded(r io.Reader, encoding string) io.Reader {
	switch strings.ToLower(encoding) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		return quotedprintable.NewReader(r)
	default:
		return r
	}
}
