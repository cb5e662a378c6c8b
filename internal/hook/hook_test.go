package hook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
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

// posted is what the tests post, at 1772368205 and under the key "call 1".
const posted = `{"code":"40317"}`

func post(t *testing.T, p *Poster) error {
	return p.Post(t.Context(), time.Unix(1_772_368_205, 999), "call 1", []byte(posted))
}

// checkSilent fails the test when an error tells something private.
func checkSilent(t *testing.T, err error) {
	t.Helper()
	for _, private := range []string{"40317", "sesame"} {
		if err != nil && strings.Contains(err.Error(), private) {
			t.Errorf("the error tells %q: %v", private, err)
		}
	}
}

// receive starts a receiver and a webhook that posts to it.
func receive(t *testing.T, handler http.HandlerFunc, change func(*Options)) *Poster {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	o := Options{
		URL: server.URL + "/hook?token=sesame", Secret: testSecret, AllowPrivate: true,
		RootCAs: roots,
	}
	if change != nil {
		change(&o)
	}
	w, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestPost(t *testing.T) {
	type arrival struct {
		method, path, kind, signature, key, body string
	}
	arrivals := make(chan arrival, 1)
	w := receive(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		arrivals <- arrival{r.Method, r.URL.String(), r.Header.Get("Content-Type"),
			r.Header.Get(SignatureHeader), r.Header.Get(KeyHeader), string(body)}
		w.WriteHeader(http.StatusAccepted)
	}, nil)
	if err := post(t, w); err != nil {
		t.Fatal(err)
	}
	got := <-arrivals
	if got.method != "POST" || got.path != "/hook?token=sesame" || got.kind != "application/json" ||
		got.key != "call 1" || got.body != posted {
		t.Errorf("%+v", got)
	}
	mac := hmac.New(sha256.New, testSecret)
	mac.Write([]byte("1772368205." + got.body))
	if want := "t=1772368205,v1=" + hex.EncodeToString(mac.Sum(nil)); got.signature != want {
		t.Errorf("signed %s, want %s", got.signature, want)
	}
}

func TestRefused(t *testing.T) {
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
		err := post(t, w)
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

func TestFails(t *testing.T) {
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
		change    func(*Options)
		reason    string
		temporary bool
	}{
		{"private address", reached, func(o *Options) { o.AllowPrivate = false },
			ErrPrivate.Error(), false},
		{"private name", reached, func(o *Options) {
			o.AllowPrivate = false
			o.URL = strings.Replace(o.URL, "127.0.0.1", "localhost", 1)
		}, ErrPrivate.Error(), false},
		{"mapped address", reached, func(o *Options) {
			o.AllowPrivate = false
			o.URL = strings.Replace(o.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1)
		}, ErrPrivate.Error(), false},
		{"unknown authority", reached, func(o *Options) { o.RootCAs = x509.NewCertPool() },
			"certificate is not trusted", false},
		{"no answer", hang, func(o *Options) { o.Timeout = 200 * time.Millisecond },
			"timeout", true},
		{"nobody there", reached, func(o *Options) { o.URL = "https://127.0.0.1:1/sesame" },
			"no answer", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := post(t, receive(t, test.handler, test.change))
			var delivery *DeliveryError
			if !errors.As(err, &delivery) || delivery.Reason != test.reason ||
				delivery.Temporary != test.temporary {
				t.Errorf("Send = %+v", err)
			}
			checkSilent(t, err)
		})
	}
}

// TestIgnoresProxy sets a proxy that would see the codes and evade the check of addresses.
func TestIgnoresProxy(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	w := receive(t, func(http.ResponseWriter, *http.Request) {}, nil)
	if w.client.Transport.(*http.Transport).Proxy != nil {
		t.Error("a proxy is used")
	}
	if err := post(t, w); err != nil {
		t.Error(err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []Options{
		{URL: "", Secret: testSecret},
		{URL: "http://example.org/", Secret: testSecret},
		{URL: "http://example.org/", Secret: testSecret, AllowPrivate: true},
		{URL: "http://127.0.0.1/", Secret: testSecret},
		{URL: "https:///path", Secret: testSecret},
		{URL: "https://user:sesame@example.org/", Secret: testSecret},
		{URL: "https://example.org/%zz-sesame", Secret: testSecret},
		{URL: "https://example.org/", Secret: testSecret[:MinSecret-1]},
	} {
		_, err := New(o)
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
