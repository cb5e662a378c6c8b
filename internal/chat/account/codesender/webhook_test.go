package codesender

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var testSecret = []byte("sesame, open wide")

// receive starts a receiver and a webhook that posts to it.
func receive(t *testing.T, handler http.HandlerFunc, change func(*WebhookOptions)) *Webhook {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	o := WebhookOptions{
		URL: server.URL + "/hook?token=sesame", Secret: testSecret, AllowPrivate: true,
		RootCAs: roots,
	}
	if change != nil {
		change(&o)
	}
	w, err := NewWebhook(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWebhook(t *testing.T) {
	type arrival struct {
		method, path, kind, signature string
		body                          []byte
	}
	arrivals := make(chan arrival, 1)
	w := receive(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		arrivals <- arrival{r.Method, r.URL.String(), r.Header.Get("Content-Type"),
			r.Header.Get(SignatureHeader), body}
		w.WriteHeader(http.StatusAccepted)
	}, nil)
	if err := w.Send(t.Context(), testMessage()); err != nil {
		t.Fatal(err)
	}
	got := <-arrivals
	if got.method != "POST" || got.path != "/hook?token=sesame" || got.kind != "application/json" {
		t.Errorf("%s %s %s", got.method, got.path, got.kind)
	}
	var body map[string]string
	if err := json.Unmarshal(got.body, &body); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"time": "2026-03-01T12:30:05Z", "phone": "+15550100", "code": "40317", "purpose": "login",
		"lang": "en", "email": "river@example.org",
	} {
		if body[name] != want {
			t.Errorf("%s is %q, want %q", name, body[name], want)
		}
	}
	mac := hmac.New(sha256.New, testSecret)
	mac.Write([]byte("1772368205." + string(got.body)))
	if want := "t=1772368205,v1=" + hex.EncodeToString(mac.Sum(nil)); got.signature != want {
		t.Errorf("signed %s, want %s", got.signature, want)
	}
}

func TestWebhookRefused(t *testing.T) {
	tests := []struct {
		status    int
		temporary bool
	}{
		{http.StatusBadRequest, false},
		{http.StatusForbidden, false},
		{http.StatusTooManyRequests, true},
		{http.StatusInternalServerError, true},
		{http.StatusFound, false},
		{http.StatusTemporaryRedirect, false},
	}
	for _, test := range tests {
		var requests atomic.Int32
		w := receive(t, func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(test.status)
			// An answer without end must not hold the sender.
			for range 1 << 10 {
				if _, err := w.Write(make([]byte, 1<<10)); err != nil {
					return
				}
			}
		}, nil)
		err := w.Send(t.Context(), testMessage())
		var delivery *DeliveryError
		if !errors.As(err, &delivery) || delivery.Temporary != test.temporary {
			t.Errorf("%d: %v", test.status, err)
		}
		if n := requests.Load(); n != 1 {
			t.Errorf("%d: %d requests", test.status, n)
		}
		checkSilent(t, err)
	}
}

func TestWebhookFails(t *testing.T) {
	reached := func(http.ResponseWriter, *http.Request) { t.Error("the receiver was reached") }
	// The answer does not come, not even when the client goes away: one that arrived just then
	// would count.
	hang := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
	tests := []struct {
		name      string
		handler   http.HandlerFunc
		change    func(*WebhookOptions)
		reason    string
		temporary bool
	}{
		{"private address", reached, func(o *WebhookOptions) { o.AllowPrivate = false },
			errDenied.Error(), false},
		{"private name", reached, func(o *WebhookOptions) {
			o.AllowPrivate = false
			o.URL = strings.Replace(o.URL, "127.0.0.1", "localhost", 1)
		}, errDenied.Error(), false},
		{"mapped address", reached, func(o *WebhookOptions) {
			o.AllowPrivate = false
			o.URL = strings.Replace(o.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1)
		}, errDenied.Error(), false},
		{"unknown authority", reached, func(o *WebhookOptions) { o.RootCAs = x509.NewCertPool() },
			"certificate is not trusted", false},
		{"no answer", hang, func(o *WebhookOptions) { o.Timeout = 200 * time.Millisecond },
			"timeout", true},
		{"nobody there", reached, func(o *WebhookOptions) { o.URL = "https://127.0.0.1:1/sesame" },
			"no answer", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := receive(t, test.handler, test.change).Send(t.Context(), testMessage())
			var delivery *DeliveryError
			if !errors.As(err, &delivery) || delivery.Reason != test.reason ||
				delivery.Temporary != test.temporary {
				t.Errorf("Send = %+v", err)
			}
			checkSilent(t, err)
		})
	}
}

// TestWebhookIgnoresProxy sets a proxy that would see the codes and evade the check of addresses.
func TestWebhookIgnoresProxy(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	w := receive(t, func(http.ResponseWriter, *http.Request) {}, nil)
	if w.client.Transport.(*http.Transport).Proxy != nil {
		t.Error("a proxy is used")
	}
	if err := w.Send(t.Context(), testMessage()); err != nil {
		t.Error(err)
	}
}

func TestNewWebhookRefuses(t *testing.T) {
	for _, o := range []WebhookOptions{
		{URL: "", Secret: testSecret},
		{URL: "http://example.org/", Secret: testSecret},
		{URL: "https:///path", Secret: testSecret},
		{URL: "https://user:sesame@example.org/", Secret: testSecret},
		{URL: "https://example.org/%zz-sesame", Secret: testSecret},
		{URL: "https://example.org/", Secret: testSecret[:MinSecret-1]},
	} {
		_, err := NewWebhook(o)
		if !errors.Is(err, ErrOptions) {
			t.Errorf("%s: %v", o.URL, err)
		}
		checkSilent(t, err)
	}
}

func TestIsPublic(t *testing.T) {
	for _, s := range []string{
		"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1",
		"192.167.255.255", "198.17.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1",
		"::ffff:8.8.8.8",
	} {
		if !isPublic(netip.MustParseAddr(s)) {
			t.Errorf("%s is refused", s)
		}
	}
	for _, s := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.255",
		"169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.170", "192.0.2.1",
		"192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.7", "224.0.0.1",
		"239.255.255.250", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
		"64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::",
		"3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1",
		"ff02::1", "2606:4700::1111%eth0",
	} {
		if isPublic(netip.MustParseAddr(s)) {
			t.Errorf("%s is let through", s)
		}
	}
	if isPublic(netip.Addr{}) {
		t.Error("no address is let through")
	}
}
