// Package smtp hands plain mails to a mail server. It writes no texts, keeps nothing and does not
// try again: whoever owes a mail knows whether the same one may be sent twice.
//
// Invariant: neither an address nor what a mail says appears in an error.
//
// https://www.rfc-editor.org/rfc/rfc5321
package smtp

import (
	"bytes"
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

// deliveryTime is how long a delivery may take when the options do not say.
const deliveryTime = 20 * time.Second

// messageIDSize is the length of the random part of a Message-ID, in bytes.
const messageIDSize = 16

// ErrOptions says that the way to the mail server is configured wrongly; what is wrong is wrapped
// with it.
var ErrOptions = errors.New("smtp: bad options")

// ErrAddress says that a mail's recipient is no address.
var ErrAddress = errors.New("smtp: the recipient is no mail address")

// DeliveryError says that a mail could not be handed over. It names no person.
type DeliveryError struct {
	// Reason says what went wrong.
	Reason string
	// Temporary says that the same may succeed later.
	Temporary bool
}

// Error describes the failure.
func (e *DeliveryError) Error() string { return "smtp: " + e.Reason }

// TLSMode says how the connection to a mail server is protected.
type TLSMode string

// The modes of TLS.
//
// https://www.rfc-editor.org/rfc/rfc8314
const (
	// StartTLS turns to TLS after the greeting, or fails.
	StartTLS TLSMode = "starttls"
	// ImplicitTLS begins with TLS.
	ImplicitTLS TLSMode = "tls"
	// NoTLS sends mails in the clear, for a mail server on this machine. It excludes a password.
	NoTLS TLSMode = "none"
)

// Options configure a Server.
type Options struct {
	// Address is the mail server, as host:port.
	Address string
	// TLS is how the connection is protected; StartTLS by default.
	TLS TLSMode
	// Username and Password log in; both empty for a server that wants none.
	Username, Password string
	// From is the sender's address.
	From string
	// Timeout bounds one delivery; 20 s by default.
	Timeout time.Duration
	// RootCAs are the authorities that are trusted; the system's by default.
	RootCAs *x509.CertPool
	// Rand gives random bytes for message ids; the system's by default.
	Rand io.Reader
}

// Server is the way to a mail server. It is safe for concurrent use.
type Server struct {
	options Options
	host    string
	port    int
	domain  string
}

// New checks the options. Errors: ErrOptions.
func New(o Options) (*Server, error) {
	bad := func(what string) (*Server, error) {
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
		return bad("TLS is starttls, tls or none")
	case (o.Username == "") != (o.Password == ""):
		return bad("a mail server wants both user and password, or none")
	case o.TLS == NoTLS && o.Password != "":
		return bad("no password is sent without TLS")
	}
	if o.Timeout <= 0 {
		o.Timeout = deliveryTime
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	return &Server{
		options: o, host: host, port: int(port),
		domain: o.From[strings.LastIndexByte(o.From, '@')+1:],
	}, nil
}

// Letter is a plain mail to one person.
type Letter struct {
	To, Subject, Body string
	// Lang is the language that it is written in.
	Lang string
	Time time.Time
	// Files go along with it.
	Files []File
	// ID is the part of the Message-ID before the at sign, random when empty. The same ID lets
	// mail programs see that a mail which came twice is one.
	ID string
	// InReplyTo is the Message-ID of the mail that it answers, without brackets; ReplyTo where
	// answers to it go. Empty for none.
	InReplyTo, ReplyTo string
}

// File is something that goes along with a mail.
type File struct {
	Name string
	Body []byte
}

// Send hands a mail to the mail server. Errors: ErrAddress, *DeliveryError, the context's.
func (s *Server) Send(ctx context.Context, l Letter) error {
	letter, err := s.letter(l)
	if err != nil {
		return err
	}
	client, err := mail.NewClient(s.host, s.clientOptions()...)
	if err != nil {
		return &DeliveryError{Reason: "bad options"}
	}
	timed, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	if err := client.DialAndSendWithContext(timed, letter); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return described(err)
	}
	return nil
}

// letter writes the mail.
func (s *Server) letter(l Letter) (*mail.Msg, error) {
	if l.ID == "" {
		id := make([]byte, messageIDSize)
		if _, err := io.ReadFull(s.options.Rand, id); err != nil {
			return nil, &DeliveryError{Reason: "no randomness", Temporary: true}
		}
		l.ID = hex.EncodeToString(id)
	}
	letter := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if letter.From(s.options.From) != nil || letter.To(l.To) != nil {
		return nil, ErrAddress
	}
	letter.Subject(l.Subject)
	letter.SetDateWithValue(l.Time)
	letter.SetMessageIDWithValue(l.ID + "@" + s.domain)
	letter.SetGenHeader(mail.HeaderContentLang, l.Lang)
	// https://www.rfc-editor.org/rfc/rfc3834#section-5
	written := "auto-generated"
	if l.InReplyTo != "" {
		written = "auto-replied"
		id := "<" + strings.Trim(l.InReplyTo, "<>") + ">"
		letter.SetGenHeader(mail.HeaderInReplyTo, id)
		letter.SetGenHeader(mail.HeaderReferences, id)
	}
	letter.SetGenHeader("Auto-Submitted", written)
	if l.ReplyTo != "" && letter.ReplyTo(l.ReplyTo) != nil {
		return nil, ErrAddress
	}
	letter.SetBodyString(mail.TypeTextPlain, l.Body)
	for _, f := range l.Files {
		letter.AttachReadSeeker(f.Name, bytes.NewReader(f.Body))
	}
	return letter, nil
}

// clientOptions translates the options for the mail library.
func (s *Server) clientOptions() []mail.Option {
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

// described tells of a failed delivery. The library's own text, and the server's in it, hold the
// address.
func described(err error) error {
	e := &DeliveryError{Reason: "delivery failed", Temporary: true}
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
