// Package codesender hands one-time codes to the people they are for, or to an operator who passes
// them on: on the console, in a file beside the data, by mail, or through a webhook that may lead
// to an SMS provider. It does not make codes, keep them, check them, or limit how many are sent:
// that is the account's duty, before Send is called.
//
// Invariants: neither code nor phone number nor address appears in an error or a diagnostic line;
// no sender retries, because a code that arrives twice looks like an attack; every sender ends with
// its context or its own time limit, whichever comes first.
package codesender

import (
	"context"
	"errors"
	"log/slog"
	"net/mail"
	"strings"
	"time"
)

// Bounds of a message.
const (
	// maxPhone is the longest phone number, in digits.
	//
	// https://www.itu.int/rec/T-REC-E.164
	maxPhone = 15
	// maxCode is the longest code, in characters.
	maxCode = 16
	// maxEmail is the longest mail address, in bytes.
	//
	// https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.3
	maxEmail = 254
)

var (
	// ErrMessage says that a message has a phone number, code, purpose or address that none can be.
	ErrMessage = errors.New("codesender: malformed message")
	// ErrNoAddress says that a sender has no way to this person: a mail needs a mail address.
	ErrNoAddress = errors.New("codesender: no address to send to")
	// ErrOptions says that a sender is configured wrongly; what is wrong is wrapped with it.
	ErrOptions = errors.New("codesender: bad options")
)

// Purpose says what a code is for.
type Purpose string

// The purposes of codes.
//
// https://core.telegram.org/api/auth
const (
	Login        Purpose = "login"
	ChangePhone  Purpose = "change-phone"
	ConfirmPhone Purpose = "confirm-phone"
	VerifyEmail  Purpose = "verify-email"
	Recovery     Purpose = "recovery"
)

// purposes lists the purposes that there are.
func purposes() []Purpose {
	return []Purpose{Login, ChangePhone, ConfirmPhone, VerifyEmail, Recovery}
}

// Message is one code on its way to one person.
type Message struct {
	// Phone is the number of the account, digits with or without a plus before them.
	Phone string
	// Code is what the person is to type.
	Code string
	// Purpose is what the code is for.
	Purpose Purpose
	// Lang is the language tag that the client announced; an unknown one means English.
	Lang string
	// Time is when the code was made.
	Time time.Time
	// Email is the address of the account, empty when it has none.
	Email string
}

// Sender hands over codes. Its forms are Console, File, SMTP, Webhook and Multi. Send returns nil
// when the message is on its way, else ErrMessage, ErrNoAddress, *DeliveryError, or the context's
// error. All forms are safe for concurrent use.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// String names the purpose alone, so that a message that is printed by mistake gives nothing away.
func (m Message) String() string { return "code for " + string(m.Purpose) }

// GoString does what String does.
func (m Message) GoString() string { return m.String() }

// LogValue does what String does, for diagnostics.
func (m Message) LogValue() slog.Value { return slog.StringValue(m.String()) }

// check refuses what could break out of a line, a header or a template.
func (m Message) check() error {
	digits := strings.TrimPrefix(m.Phone, "+")
	if len(digits) > maxPhone || !madeOf(digits, "0123456789") {
		return ErrMessage
	}
	const alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-"
	if m.Code == "" || len(m.Code) > maxCode || !madeOf(m.Code, alphabet) {
		return ErrMessage
	}
	known := false
	for _, p := range purposes() {
		known = known || p == m.Purpose
	}
	if !known || digits == "" && m.Email == "" {
		return ErrMessage
	}
	if m.Email != "" {
		address, err := mail.ParseAddress(m.Email)
		if err != nil || address.Address != m.Email || len(m.Email) > maxEmail {
			return ErrMessage
		}
	}
	return nil
}

// madeOf says whether a text has only characters of an alphabet.
func madeOf(text, alphabet string) bool {
	return strings.IndexFunc(text, func(r rune) bool {
		return !strings.ContainsRune(alphabet, r)
	}) < 0
}

// DeliveryError says that a sender could not hand a message over. It names no person.
type DeliveryError struct {
	// Via names the sender.
	Via string
	// Reason says what went wrong.
	Reason string
	// Temporary says that the same may succeed later.
	Temporary bool
}

// Error describes the failure.
func (e *DeliveryError) Error() string { return "codesender: " + e.Via + ": " + e.Reason }
