package gotd

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/dcs"
	"github.com/gotd/td/tg"

	"parley/internal/config"
	"parley/internal/node/nodetest"
)

// recorded keeps the first bytes that a client sends.
type recorded struct {
	net.Conn
	mu   *sync.Mutex
	sent *[]byte
}

func (r recorded) Write(b []byte) (int, error) {
	r.mu.Lock()
	if len(*r.sent) < 4096 {
		*r.sent = append(*r.sent, b...)
	}
	r.mu.Unlock()
	return r.Conn.Write(b)
}

// site is a website with TLS, which speaks of nothing but itself.
func site(t *testing.T) *httptest.Server {
	t.Helper()
	hats := func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = nil
		_, _ = io.WriteString(w, "a shop for hats")
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(hats))
	s.Config.ErrorLog = nil
	s.Config.ReadHeaderTimeout = time.Second
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// freePort finds a port that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// TestProbes connects a client through a port that pretends to be a website, and then tries the
// port as a censor would: whatever he sends, he gets what the website itself answers.
func TestProbes(t *testing.T) {
	shop := site(t)
	hidden := freePort(t)
	secret := "ee0123456789abcdef0123456789abcdef" + hex.EncodeToString([]byte("example.com"))
	s := nodetest.Start(t, func(cfg *config.Config) {
		cfg.MTProxy.Secrets = []config.Secret{config.Secret(secret)}
		cfg.MTProxy.Front, cfg.MTProxy.Listen = shop.Listener.Addr().String(), []string{hidden}
	})
	raw, err := hex.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var sent []byte
	way, err := dcs.MTProxy(hidden, raw, dcs.MTProxyOptions{
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			nc, err := new(net.Dialer).DialContext(ctx, network, address)
			return recorded{nc, &mu, &sent}, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	a := connect(t, s, 1, new(session.StorageMemory), func(o *telegram.Options) {
		o.Resolver = way
	})
	a.say(&tg.InputPeerSelf{}, "through a hidden port")

	mu.Lock()
	hello := bytes.Clone(sent[:5+int(sent[3])<<8+int(sent[4])])
	mu.Unlock()
	wrong := bytes.Clone(hello)
	wrong[15] ^= 1
	ordinary, real := s.Addr.String(), shop.Listener.Addr().String()
	nonsense := append([]byte{0x16, 3, 1, 0, 40}, make([]byte, 40)...)
	for _, p := range []struct {
		name string
		sent []byte
		end  bool
		at   string
	}{
		{"random bytes", bytes.Repeat([]byte{0x9c, 0x51, 0xe7}, 100), false, hidden},
		{"plain HTTP", []byte("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"), false, hidden},
		{"the abridged transport", append([]byte{0xef, 10}, make([]byte, 40)...), false, hidden},
		{"half a hello, and the end", hello[:100], true, hidden},
		{"half a hello, and silence", hello[:100], false, hidden},
		{"another secret, cut", wrong[:len(wrong)-9], true, hidden},
		{"no hello in the record", nonsense, false, hidden},
		{"no hello, at an ordinary port", nonsense, false, ordinary},
	} {
		got, want := probe(t, p.at, p.sent, p.end), probe(t, real, p.sent, p.end)
		if got != want {
			t.Errorf("%s: the port says %q, the website %q", p.name, got, want)
		}
	}
	for name, b := range map[string][]byte{"a replay": hello, "another secret": wrong} {
		if got := heads(t, hidden, b); got != heads(t, real, b) {
			t.Errorf("%s: %q, and the website says something else", name, got)
		}
	}
	visit(t, shop, hidden)
	visit(t, shop, ordinary)
	a.say(&tg.InputPeerSelf{}, "still there")
}

// probe sends bytes and tells all that comes back and how it ends.
func probe(t *testing.T, at string, b []byte, end bool) string {
	t.Helper()
	got, err := exchange(t, at, b, end)
	return string(got) + ending(err)
}

// exchange sends bytes and reads until the other side ends.
func exchange(t *testing.T, at string, b []byte, end bool) ([]byte, error) {
	t.Helper()
	nc, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = nc.Close() }()
	if err := nc.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := nc.Write(b); err != nil {
		t.Fatal(err)
	}
	if end {
		_ = nc.(*net.TCPConn).CloseWrite()
	}
	return io.ReadAll(nc)
}

func ending(err error) string {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return " (silence)"
	}
	return " (the end)"
}

// heads are the kinds and lengths of the TLS records that answer a hello whose writer has no keys.
func heads(t *testing.T, at string, hello []byte) string {
	t.Helper()
	b, err := exchange(t, at, hello, true)
	var out strings.Builder
	for len(b) >= 5 {
		out.WriteString(hex.EncodeToString(b[:5]) + " ")
		b = b[min(len(b), 5+int(b[3])<<8+int(b[4])):]
	}
	return out.String() + ending(err)
}

// visit is a browser that finds the website, with its certificate, at an address.
func visit(t *testing.T, shop *httptest.Server, at string) {
	t.Helper()
	roots := shop.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	c := http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, at)
		},
	}}
	defer c.CloseIdleConnections()
	r, err := c.Get("https://example.com/")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	if b, err := io.ReadAll(r.Body); err != nil || string(b) != "a shop for hats" {
		t.Errorf("a visitor finds %q, %v", b, err)
	}
}
