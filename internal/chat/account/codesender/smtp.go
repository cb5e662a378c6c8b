package codesender

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	netmail "net/mail"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// smtpTimeout is how long a delivery may take when the options do not say.
const smtpTimeout = 20 * time.Second

// messageIDSize is the length of the random part of a Message-ID, in bytes.
const messageIDSize = 16

// TLSMode says how the connection to a mail server is protected.
type TLSMode string

// The modes of TLS.
//
// https://www.rfc-editor.org/rfc/rfc8314
const (
	// StartTLS turns to TLS after the greeting, or fails.
	StartTLS TLSMode = "starttls"
	// ImplicitTLS begins with TLS.
	ImplicitTLS TLSMode = "implicit"
	// NoTLS sends codes in the clear, for a mail server on this machine. It excludes a password.
	NoTLS TLSMode = "none"
)

// SMTPOptions configure an SMTP.
type SMTPOptions struct {
	// Address is the mail server, as host:port.
	Address string
	// TLS is how the connection is protected; StartTLS by default.
	TLS TLSMode
	// Username and Password log in; both empty for a server that wants none.
	Username, Password string
	// From is the sender's address.
	From string
	// Service is what the service is called in the mails' texts.
	Service string
	// Timeout bounds one delivery; 20 s by default.
	Timeout time.Duration
	// RootCAs are the authorities that are trusted; the system's by default.
	RootCAs *x509.CertPool
	// Rand gives random bytes for message ids; the system's by default.
	Rand io.Reader
}

// SMTP sends each code as a plain mail in the person's language.
//
// https://www.rfc-editor.org/rfc/rfc5321
type SMTP struct {
	options SMTPOptions
	host    string
	port    int
	domain  string
	texts   texts
}

// NewSMTP returns a sender that delivers to a mail server. Errors: ErrOptions.
func NewSMTP(o SMTPOptions) (*SMTP, error) {
	bad := func(what string) (*SMTP, error) {
		return nil, fmt.Errorf("%w: %s", ErrOptions, what)
	}
	host, portText, err := net.SplitHostPort(o.Address)
	port, portErr := strconv.ParseUint(portText, 10, 16)
	if err != nil || portErr != nil || host == "" || port == 0 {
		return bad("the mail server is not of the form host:port")
	}
	from, err := netmail.ParseAddress(o.From)
	if err != nil || from.Address != o.From {
		return bad("the sender is no mail address")
	}
	if o.TLS == "" {
		o.TLS = StartTLS
	}
	switch {
	case o.TLS != StartTLS && o.TLS != ImplicitTLS && o.TLS != NoTLS:
		return bad("TLS is starttls, implicit or none")
	case (o.Username == "") != (o.Password == ""):
		return bad("a mail server wants both user and password, or none")
	case o.TLS == NoTLS && o.Password != "":
		return bad("no password is sent without TLS")
	case strings.TrimSpace(o.Service) == "" || strings.ContainsAny(o.Service, "\r\n"):
		return bad("the service has no name")
	}
	if o.Timeout <= 0 {
		o.Timeout = smtpTimeout
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	list, err := loadTexts()
	if err != nil {
		return nil, err
	}
	return &SMTP{
		options: o, host: host, port: int(port), texts: list,
		domain: o.From[strings.LastIndexByte(o.From, '@')+1:],
	}, nil
}

// Send delivers one mail to the mail server. See Sender.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	if err := m.check(); err != nil {
		return err
	}
	if m.Email == "" {
		return ErrNoAddress
	}
	letter, err := s.letter(m)
	if err != nil {
		return err
	}
	client, err := mail.NewClient(s.host, s.clientOptions()...)
	if err != nil {
		return &DeliveryError{Via: "smtp", Reason: "bad options"}
	}
	timed, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	if err := client.DialAndSendWithContext(timed, letter); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return smtpError(err)
	}
	return nil
}

// letter writes the mail.
func (s *SMTP) letter(m Message) (*mail.Msg, error) {
	text, err := s.texts.compose(m, s.options.Service)
	if err != nil {
		return nil, err
	}
	id := make([]byte, messageIDSize)
	if _, err := io.ReadFull(s.options.Rand, id); err != nil {
		return nil, &DeliveryError{Via: "smtp", Reason: "no randomness", Temporary: true}
	}
	letter := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if letter.From(s.options.From) != nil || letter.To(m.Email) != nil {
		return nil, ErrMessage
	}
	letter.Subject(text.subject)
	letter.SetDateWithValue(m.Time)
	letter.SetMessageIDWithValue(hex.EncodeToString(id) + "@" + s.domain)
	letter.SetGenHeader(mail.HeaderContentLang, text.lang)
	// https://www.rfc-editor.org/rfc/rfc3834#section-5
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	letter.SetBodyString(mail.TypeTextPlain, text.body)
	return letter, nil
}

// clientOptions translates the options for the mail library.
func (s *SMTP) clientOptions() []mail.Option {
	list := []mail.Option{
		mail.WithPort(s.port),
		mail.WithTimeout(s.options.Timeout),
		// The library would tell this machine's name.
		mail.WithHELO(s.domain),
		mail.WithTLSConfig(&tls.Config{
			ServerName: s.host, MinVersion: tls.VersionTLS12, RootCAs: s.options.RootCAs,
		}),
	}
	switch s.options.TLS {
	case ImplicitTLS:
		list = append(list, mail.WithSSL())
	case NoTLS:
		list = append(list, mail.WithTLSPolicy(mail.NoTLS))
	default:
		list = append(list, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if s.options.Username != "" {
		list = append(list, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover),
			mail.WithUsername(s.options.Username), mail.WithPassword(s.options.Password))
	}
	return list
}

// smtpError describes a failed delivery. The library's own text, and the server's in it, hold the
// address.
func smtpError(err error) error {
	e := &DeliveryError{Via: "smtp", Reason: "delivery failed", Temporary: true}
	var refused *mail.SendError
	var answer *textproto.Error
	var untrusted *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case errors.As(err, &refused) && refused.ErrorCode() != 0:
		e.Reason = "server answered " + strconv.Itoa(refused.ErrorCode())
		e.Temporary = refused.IsTemp()
	case errors.As(err, &answer):
		e.Reason = "server answered " + strconv.Itoa(answer.Code)
		e.Temporary = answer.Code < 500
	case errors.As(err, &untrusted):
		e.Reason, e.Temporary = "certificate is not trusted", false
	case errors.As(err, &timeout) && timeout.Timeout():
		e.Reason = "timeout"
	}
	return e
}
