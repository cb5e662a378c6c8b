package codesender

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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

// Bounds of the webhook.
const (
	// MinSecret is the shortest shared secret, in bytes.
	MinSecret = 16
	// webhookTimeout is how long a request may take when the options do not say.
	webhookTimeout = 10 * time.Second
	// maxAnswer is how much of an answer is read, in bytes; its text is not used.
	maxAnswer = 4 << 10
	// maxAnswerHead is the longest head of an answer, in bytes.
	maxAnswerHead = 16 << 10
)

// WebhookOptions configure a Webhook.
type WebhookOptions struct {
	// URL is where messages are posted. It must begin with https.
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

// Webhook posts each message as JSON to a URL of the operator's.
type Webhook struct {
	url    string
	secret []byte
	client *http.Client
}

// webhookBody is what is posted. Empty fields are left out.
type webhookBody struct {
	Time    string  `json:"time"`
	Purpose Purpose `json:"purpose"`
	Phone   string  `json:"phone,omitempty"`
	Email   string  `json:"email,omitempty"`
	Code    string  `json:"code"`
	Lang    string  `json:"lang,omitempty"`
}

// NewWebhook returns a sender that posts to a URL. Errors: ErrOptions.
func NewWebhook(o WebhookOptions) (*Webhook, error) {
	target, err := url.Parse(o.URL)
	if err != nil || target.Scheme != "https" || target.Host == "" || target.User != nil {
		return nil, fmt.Errorf("%w: the webhook needs an https URL without user", ErrOptions)
	}
	if len(o.Secret) < MinSecret {
		return nil, fmt.Errorf("%w: the webhook's secret has less than %d bytes", ErrOptions,
			MinSecret)
	}
	if o.Timeout <= 0 {
		o.Timeout = webhookTimeout
	}
	dialer := publicDialer(o.Timeout)
	if o.AllowPrivate {
		dialer = &net.Dialer{Timeout: o.Timeout}
	}
	return &Webhook{
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

// Send posts one message and returns when the receiver accepted it with a status of 200 to 299.
// See Sender.
func (w *Webhook) Send(ctx context.Context, m Message) error {
	if err := m.check(); err != nil {
		return err
	}
	body, err := json.Marshal(webhookBody{
		Time: m.Time.UTC().Format(time.RFC3339), Purpose: m.Purpose, Phone: m.Phone,
		Email: m.Email, Code: m.Code, Lang: m.Lang,
	})
	if err != nil {
		return ErrMessage
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return &DeliveryError{Via: "webhook", Reason: "bad request"}
	}
	// Without this the client may post a second time by itself when a connection breaks.
	request.GetBody = nil
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "parley")
	request.Header.Set(SignatureHeader, sign(w.secret, m.Time, body))
	answer, err := w.client.Do(request)
	if err != nil {
		return webhookError(ctx, err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer)
	if answer.StatusCode/100 == 2 {
		return nil
	}
	return &DeliveryError{
		Via:       "webhook",
		Reason:    "receiver answered " + strconv.Itoa(answer.StatusCode),
		Temporary: answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode >= 500,
	}
}

// sign returns the value of SignatureHeader.
func sign(secret []byte, at time.Time, body []byte) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(seconds + "."))
	mac.Write(body)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// webhookError describes why there was no answer. The client's own text holds the URL, in which
// operators keep tokens.
func webhookError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := &DeliveryError{Via: "webhook", Reason: "no answer", Temporary: true}
	var timeout net.Error
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.Is(err, errDenied):
		e.Reason, e.Temporary = errDenied.Error(), false
	case errors.As(err, &untrusted):
		e.Reason, e.Temporary = "certificate is not trusted", false
	case errors.As(err, &timeout) && timeout.Timeout():
		e.Reason = "timeout"
	}
	return e
}
