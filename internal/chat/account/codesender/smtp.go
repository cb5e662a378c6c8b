package codesender

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"parley/internal/smtp"
)

// TLSMode says how the connection to a mail server is protected.
type TLSMode = smtp.TLSMode

// The modes of TLS.
const (
	StartTLS    = smtp.StartTLS
	ImplicitTLS = smtp.ImplicitTLS
	NoTLS       = smtp.NoTLS
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
	server  *smtp.Server
	service string
	texts   texts
}

// NewSMTP returns a sender that delivers to a mail server. Errors: ErrOptions.
func NewSMTP(o SMTPOptions) (*SMTP, error) {
	server, err := smtp.New(smtp.Options{
		Address: o.Address, TLS: o.TLS, Username: o.Username, Password: o.Password, From: o.From,
		Timeout: o.Timeout, RootCAs: o.RootCAs, Rand: o.Rand,
	})
	if err != nil {
		return nil, errors.Join(ErrOptions, err)
	}
	if strings.TrimSpace(o.Service) == "" || strings.ContainsAny(o.Service, "\r\n") {
		return nil, fmt.Errorf("%w: the service has no name", ErrOptions)
	}
	list, err := loadTexts()
	if err != nil {
		return nil, err
	}
	return &SMTP{server: server, service: o.Service, texts: list}, nil
}

// Send delivers one mail to the mail server. See Sender.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	if err := m.check(); err != nil {
		return err
	}
	if m.Email == "" {
		return ErrNoAddress
	}
	text, err := s.texts.compose(m, s.service)
	if err != nil {
		return err
	}
	err = s.server.Send(ctx, smtp.Letter{
		To: m.Email, Subject: text.subject, Body: text.body, Lang: text.lang, Time: m.Time,
	})
	var failed *smtp.DeliveryError
	switch {
	case errors.As(err, &failed):
		return &DeliveryError{Via: "smtp", Reason: failed.Reason, Temporary: failed.Temporary}
	case errors.Is(err, smtp.ErrAddress):
		return ErrMessage
	default:
		return err
	}
}
