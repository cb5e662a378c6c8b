// Package hook posts JSON to addresses of other programs, signed, so that they can tell who wrote
// it: login codes to a gateway, alerts to whoever is on call, outcomes to a hotline's program.
// It keeps nothing and does not try again: whoever owes a call knows whether the same one may be
// made twice.
//
// Invariants: neither an address nor what is posted appears in an error; no redirect is followed
// and no proxy of the environment is used; an address that is not public is reached only where the
// operator named it himself.
package hook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"
)

// SignatureHeader carries the time of the message in Unix seconds and the HMAC-SHA256, under the
// shared secret, of that time, a full stop, and the body: "t=1767225600,v1=<hex>". A receiver
// computes the same, compares in constant time, and refuses times that are minutes away.
//
// https://www.rfc-editor.org/rfc/rfc2104
const SignatureHeader = "Parley-Signature"

// KeyHeader names a call, so that a receiver can tell one that comes a second time, after an answer
// was lost, from another.
//
// https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
const KeyHeader = "Idempotency-Key"

// Bounds of a call.
const (
	// MinSecret is the shortest shared secret, in bytes.
	MinSecret = 16
	// callTime is how long a request may take when the options do not say.
	callTime = 10 * time.Second
	// maxAnswer is how much of an answer is read, in bytes; its text is not used.
	maxAnswer = 4 << 10
	// maxAnswerHead is the longest head of an answer, in bytes.
	maxAnswerHead = 16 << 10
)

// ErrOptions says that the way to a receiver is configured wrongly; what is wrong is wrapped with
// it.
var ErrOptions = errors.New("hook: bad options")

// DeliveryError says that a receiver did not take a call. It names no address.
type DeliveryError struct {
	// Reason says what went wrong.
	Reason string
	// Temporary says that the same may succeed later.
	Temporary bool
}

// Error describes the failure.
func (e *DeliveryError) Error() string { return "hook: " + e.Reason }

// Options configure a Poster.
type Options struct {
	// URL is where calls are posted. It begins with https; http is for a program on this machine,
	// by its numeric address, where AllowPrivate is set.
	URL string
	// Secret is shared with the receiver, at least MinSecret bytes.
	Secret []byte
	// Timeout bounds one request; 10 s by default.
	Timeout time.Duration
	// AllowPrivate lets the URL lead to addresses that are not public, as of a gateway in the
	// operator's own network.
	AllowPrivate bool
	// RootCAs are the authorities that are trusted; the system's by default.
	RootCAs *x509.CertPool
}

// Poster is the way to one receiver. It is safe for concurrent use.
type Poster struct {
	url    string
	secret []byte
	client *http.Client
}

// New checks the options. Errors: ErrOptions.
func New(o Options) (*Poster, error) {
	target, err := url.Parse(o.URL)
	if err != nil || target.Host == "" || target.User != nil ||
		target.Scheme != "https" && !(o.AllowPrivate && here(target)) {
		return nil, fmt.Errorf("%w: the receiver needs an https URL without user", ErrOptions)
	}
	if len(o.Secret) < MinSecret {
		return nil, fmt.Errorf("%w: the secret has less than %d bytes", ErrOptions, MinSecret)
	}
	if o.Timeout <= 0 {
		o.Timeout = callTime
	}
	dialer := publicDialer(o.Timeout)
	if o.AllowPrivate {
		dialer = &net.Dialer{Timeout: o.Timeout}
	}
	return &Poster{
		url:    o.URL,
		secret: bytes.Clone(o.Secret),
		client: &http.Client{
			Timeout: o.Timeout,
			// No proxy from the environment: the check of addresses must see the real one.
			Transport: &http.Transport{
				DialContext: dialer.DialContext,
				TLSClientConfig: &tls.Config{
					MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs,
				},
				ForceAttemptHTTP2:      true,
				MaxResponseHeaderBytes: maxAnswerHead,
				MaxIdleConnsPerHost:    1,
				IdleConnTimeout:        time.Minute,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		},
	}, nil
}

// here tells whether an address is http on this machine: nobody reads along.
func here(u *url.URL) bool {
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && addr.IsLoopback())
}

// Post posts a body under the time at which it was made and returns when the receiver took it with
// a status of 200 to 299. key names the call, empty for one that is never made twice. Errors:
// *DeliveryError, or the context's.
func (p *Poster) Post(ctx context.Context, at time.Time, key string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return &DeliveryError{Reason: "bad request"}
	}
	// Without this the client may post a second time by itself when a connection breaks.
	request.GetBody = nil
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "parley")
	request.Header.Set(SignatureHeader, Sign(p.secret, at, body))
	if key != "" {
		request.Header.Set(KeyHeader, key)
	}
	answer, err := p.client.Do(request)
	if err != nil {
		return postError(ctx, err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer)
	if answer.StatusCode/100 == 2 {
		return nil
	}
	return &DeliveryError{
		Reason:    "receiver answered " + strconv.Itoa(answer.StatusCode),
		Temporary: answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode >= 500,
	}
}

// Close ends the connections that wait for another call: for a Poster that makes none any more.
func (p *Poster) Close() { p.client.CloseIdleConnections() }

// Sign returns the value of SignatureHeader for a body that was made at a time.
func Sign(secret []byte, at time.Time, body []byte) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(seconds + "."))
	mac.Write(body)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// postError describes why there was no answer. The client's own text holds the URL, in which
// operators keep tokens.
func postError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := &DeliveryError{Reason: "no answer", Temporary: true}
	var timeout net.Error
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.Is(err, ErrPrivate):
		e.Reason, e.Temporary = ErrPrivate.Error(), false
	case errors.As(err, &untrusted):
		e.Reason, e.Temporary = "certificate is not trusted", false
	case errors.As(err, &timeout) && timeout.Timeout():
		e.Reason = "timeout"
	}
	return e
}
