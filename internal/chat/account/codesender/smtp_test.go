package codesender

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// delivery is a mail as the test's server got it.
type delivery struct {
	user, from, to string
	encrypted      bool
	data           []byte
}

// mailbox is a mail server's backend that keeps what it gets.
type mailbox struct {
	got chan delivery
	// refuse is answered to each recipient.
	refuse error
}

func (b *mailbox) NewSession(c *smtp.Conn) (smtp.Session, error) {
	_, encrypted := c.TLSConnectionState()
	return &mailSession{box: b, delivery: delivery{encrypted: encrypted}}, nil
}

type mailSession struct {
	box *mailbox
	delivery
}

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "postmaster" || password != "sesame" {
			return smtp.ErrAuthFailed
		}
		s.user = user
		return nil
	}), nil
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return s.box.refuse
}

func (s *mailSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.data = data
	s.box.got <- s.delivery
	return nil
}

func (s *mailSession) Reset()        {}
func (s *mailSession) Logout() error { return nil }

// certificate makes a certificate for 127.0.0.1 and a pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// startMail runs a mail server and returns options that lead to it.
func startMail(t *testing.T, mode TLSMode) (*mailbox, SMTPOptions) {
	t.Helper()
	box := &mailbox{got: make(chan delivery, 1)}
	cert, roots := certificate(t)
	server := smtp.NewServer(box)
	server.Domain = "mail.example.org"
	server.ErrorLog = discard{}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := SMTPOptions{
		Address: listener.Addr().String(), TLS: mode, From: "codes@example.org", Service: "Exämple",
		RootCAs: roots, Username: "postmaster", Password: "sesame", Timeout: 20 * time.Second,
	}
	switch mode {
	case StartTLS:
		server.TLSConfig = config
	case ImplicitTLS:
		listener = tls.NewListener(listener, config)
	case NoTLS:
		o.Username, o.Password = "", ""
	}
	done := make(chan struct{})
	go func() {
		_ = server.Serve(listener)
		close(done)
	}()
	t.Cleanup(func() {
		// A server that is closed before it serves does not close its listener.
		_ = server.Close()
		_ = listener.Close()
		<-done
	})
	return box, o
}

type discard struct{}

func (discard) Printf(string, ...any) {}
func (discard) Println(...any)        {}

// send makes a sender and sends one message.
func send(t *testing.T, o SMTPOptions, m Message) error {
	t.Helper()
	s, err := NewSMTP(o)
	if err != nil {
		t.Fatal(err)
	}
	return s.Send(t.Context(), m)
}

// readMail decodes a mail.
func readMail(t *testing.T, data []byte) (netmail.Header, string, string) {
	t.Helper()
	letter, err := netmail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(letter.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	if encoding := letter.Header.Get("Content-Transfer-Encoding"); encoding != "quoted-printable" {
		t.Fatalf("encoding %s", encoding)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(letter.Body))
	if err != nil {
		t.Fatal(err)
	}
	return letter.Header, subject, strings.ReplaceAll(string(body), "\r\n", "\n")
}

func TestSMTP(t *testing.T) {
	for _, mode := range []TLSMode{StartTLS, ImplicitTLS, NoTLS} {
		t.Run(string(mode), func(t *testing.T) {
			box, o := startMail(t, mode)
			o.Rand = strings.NewReader("0123456789abcdef")
			m := testMessage()
			m.Lang, m.Purpose = "ru-RU", Recovery
			if err := send(t, o, m); err != nil {
				t.Fatal(err)
			}
			got := <-box.got
			if got.from != o.From || got.to != m.Email || got.user != o.Username {
				t.Errorf("%+v", got)
			}
			if got.encrypted != (mode != NoTLS) {
				t.Errorf("encrypted: %v", got.encrypted)
			}
			header, subject, body := readMail(t, got.data)
			for name, want := range map[string]string{
				"From": "<codes@example.org>", "To": "<river@example.org>",
				"Date": "Sun, 01 Mar 2026 13:30:05 +0100", "Auto-Submitted": "auto-generated",
				"Content-Language": "ru", "Content-Type": "text/plain; charset=UTF-8",
				"Message-Id": "<30313233343536373839616263646566@example.org>",
			} {
				if header.Get(name) != want {
					t.Errorf("%s: %q, want %q", name, header.Get(name), want)
				}
			}
			if subject != "Ваш код Exämple" || strings.Contains(string(got.data), "User-Agent") {
				t.Errorf("subject %q in %v", subject, header)
			}
			if !strings.HasPrefix(body, "Код для сброса пароля") ||
				!strings.Contains(body, "\n\n40317\n\n") {
				t.Errorf("body %q", body)
			}
		})
	}
}

func TestSMTPWithoutAddress(t *testing.T) {
	_, o := startMail(t, StartTLS)
	m := testMessage()
	m.Email = ""
	if err := send(t, o, m); !errors.Is(err, ErrNoAddress) {
		t.Errorf("Send = %v", err)
	}
}

func TestSMTPFails(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	tests := []struct {
		name      string
		mode      TLSMode
		change    func(*mailbox, *SMTPOptions)
		reason    string
		temporary bool
	}{
		{"unknown person", StartTLS, func(b *mailbox, _ *SMTPOptions) {
			b.refuse = &smtp.SMTPError{Code: 550, Message: "no river@example.org here"}
		}, "server answered 550", false},
		{"full mailbox", StartTLS, func(b *mailbox, _ *SMTPOptions) {
			b.refuse = &smtp.SMTPError{Code: 452, Message: "river@example.org is full"}
		}, "server answered 452", true},
		{"wrong password", StartTLS, func(_ *mailbox, o *SMTPOptions) { o.Password = "sesame2" },
			"server answered 535", false},
		{"unknown authority", ImplicitTLS, func(_ *mailbox, o *SMTPOptions) {
			o.RootCAs = x509.NewCertPool()
		}, "certificate is not trusted", false},
		{"no TLS offered", NoTLS, func(_ *mailbox, o *SMTPOptions) { o.TLS = StartTLS },
			"delivery failed", true},
		{"no greeting", StartTLS, func(_ *mailbox, o *SMTPOptions) {
			o.Address, o.Timeout = silent.Addr().String(), 200*time.Millisecond
		}, "timeout", true},
		{"nobody there", StartTLS, func(_ *mailbox, o *SMTPOptions) { o.Address = "127.0.0.1:1" },
			"delivery failed", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			box, o := startMail(t, test.mode)
			test.change(box, &o)
			err := send(t, o, testMessage())
			var delivery *DeliveryError
			if !errors.As(err, &delivery) || delivery.Reason != test.reason ||
				delivery.Temporary != test.temporary {
				t.Errorf("Send = %+v", err)
			}
			checkSilent(t, err)
			if len(box.got) != 0 {
				t.Error("the mail arrived")
			}
		})
	}
}

func TestNewSMTPRefuses(t *testing.T) {
	good := SMTPOptions{Address: "mail.example.org:587", From: "a@example.org", Service: "Example"}
	if _, err := NewSMTP(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*SMTPOptions){
		"no port":        func(o *SMTPOptions) { o.Address = "mail.example.org" },
		"port 0":         func(o *SMTPOptions) { o.Address = "mail.example.org:0" },
		"large port":     func(o *SMTPOptions) { o.Address = "mail.example.org:70000" },
		"no host":        func(o *SMTPOptions) { o.Address = ":25" },
		"no sender":      func(o *SMTPOptions) { o.From = "" },
		"sender's name":  func(o *SMTPOptions) { o.From = "A <a@example.org>" },
		"unknown mode":   func(o *SMTPOptions) { o.TLS = "maybe" },
		"user alone":     func(o *SMTPOptions) { o.Username = "u" },
		"password alone": func(o *SMTPOptions) { o.Password = "sesame" },
		"open password": func(o *SMTPOptions) {
			o.TLS, o.Username, o.Password = NoTLS, "u", "sesame"
		},
		"no service":      func(o *SMTPOptions) { o.Service = " " },
		"line in service": func(o *SMTPOptions) { o.Service = "a\nb" },
	} {
		o := good
		change(&o)
		_, err := NewSMTP(o)
		if !errors.Is(err, ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
		checkSilent(t, err)
	}
}
