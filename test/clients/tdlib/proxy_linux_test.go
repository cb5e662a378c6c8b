package tdlib

import (
	"html"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"parley/internal/config"
	"parley/internal/keyring/proxy"
	"parley/internal/node/nodetest"
)

// TestPadded connects by a secret that hides the lengths of packets.
func TestPadded(t *testing.T) {
	const secret = "dd" + proxySecret
	s := nodetest.Start(t, func(cfg *config.Config) {
		cfg.MTProxy.Secrets = []config.Secret{secret}
	})
	link := proxy.LinkTo("127.0.0.1", s.Addr.Port, secret)
	alice := throughProxy(t, s, link)
	alice.refused(link)
}

// TestShownLink connects as somebody whose network blocks the server: by the link that the page
// shows, to a port that is a website for everybody else.
func TestShownLink(t *testing.T) {
	website, hidden := listen(t), freePort(t)
	s := nodetest.Start(t, func(cfg *config.Config) {
		cfg.MTProxy.Domain = "www.example.org"
		cfg.MTProxy.Front, cfg.MTProxy.Listen = website.Addr().String(), []string{local(hidden)}
	})
	visitors := make(chan []byte, 100)
	go visit(website, visitors)
	link := shown(t, s)
	if link.Port != hidden || !strings.HasPrefix(link.Secret, "ee") {
		t.Fatalf("the page shows %s", link.App)
	}
	alice := throughProxy(t, s, link)
	if n := len(visitors); n > 0 {
		t.Errorf("%d connections with the secret were handed on to the website", n)
	}
	alice.refused(link)
	if hello := <-visitors; hello[0] != 0x16 || hello[5] != 1 {
		t.Errorf("the website was told %x, which is no TLS hello", hello)
	}
}

// visit tells how each visitor of a website begins, and closes the connection.
func visit(website net.Listener, visitors chan<- []byte) {
	for {
		nc, err := website.Accept()
		if err != nil {
			return
		}
		hello := make([]byte, 6)
		_, _ = io.ReadFull(nc, hello)
		_ = nc.Close()
		select {
		case visitors <- hello:
		default:
		}
	}
}

// throughProxy logs two people in, has them write to each other, and returns one of them.
func throughProxy(t *testing.T, s *nodetest.Server, link proxy.Link) *client {
	t.Helper()
	b := start(t, link, trusting(t, s))
	alice, bob := b.open(s, "Alice"), b.open(s, "Bob")
	alice.login(1, true)
	bob.login(2, true)
	bob.do("setUsername", object{"username": "bob_of_tdlib"})
	chat := number(alice.do("searchPublicChat", object{"username": "bob_of_tdlib"}), "id")
	alice.say(chat, "from a blocked network")
	his := number(alice.do("getMe", nil), "id") // TDLib numbers private chats by whom they are with
	bob.hears(his, "from a blocked network")
	bob.say(his, "and back")
	alice.hears(chat, "and back")
	return alice
}

// refused has TDLib exchange keys by a link, and by the same one with another secret.
func (c *client) refused(link proxy.Link) {
	c.t.Helper()
	try := func(link proxy.Link) error {
		_, err := c.call(c.name, "send", object{
			"_": "testProxy", "proxy": c.way(link), "dc_id": 2, "timeout": patience.Seconds(),
		})
		return err
	}
	if err := try(link); err != nil {
		c.t.Errorf("the proxy works, and TDLib says %v", err)
	}
	// The last digit of the key: behind it there may be the name of the website.
	at := len("dd") + len(proxySecret) - 1
	wrong := link.Secret[:at] + other(link.Secret[at]) + link.Secret[at+1:]
	err := try(proxy.LinkTo(link.Host, link.Port, wrong))
	if err == nil || !strings.HasSuffix(err.Error(), "Connection closed") {
		c.t.Errorf("by a wrong secret TDLib finds: %v", err)
	}
}

// other is another hexadecimal digit.
func other(digit byte) string {
	if digit == '0' {
		return "1"
	}
	return "0"
}

// shown is the link at /access.
func shown(t *testing.T, s *nodetest.Server) proxy.Link {
	t.Helper()
	r, err := http.Get(s.Web + "/access")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`href="(tg://proxy\?[^"]*)"`).FindSubmatch(b)
	if m == nil {
		t.Fatalf("no link at /access: %s", b)
	}
	u, err := url.Parse(html.UnescapeString(string(m[1])))
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Query().Get("port"))
	if err != nil {
		t.Fatal(err)
	}
	return proxy.LinkTo(u.Query().Get("server"), port, u.Query().Get("secret"))
}

// listen opens a port that nobody else listens on.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", local(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// freePort finds a port that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	l := listen(t)
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}
