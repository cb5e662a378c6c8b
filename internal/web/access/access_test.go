package access

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley/internal/clock"
	"parley/internal/keyring/proxy"
	"parley/internal/safety/market"
	"parley/internal/web/about"
	"parley/internal/web/page"
	"parley/internal/web/page/pagetest"
	"parley/test/browser/browsertest"
)

func TestTexts(t *testing.T) { pagetest.Texts(t, files, page.Files(), about.Shell()) }

// served is the page with links.
func served(t *testing.T, links ...proxy.Link) *httptest.Server {
	t.Helper()
	site, err := page.New(page.Options{
		URL: "https://chat.example.org", Name: "Chat",
		Clock: clock.NewFake(time.Unix(1_800_000_000, 0)),
		Log:   slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(site, func() []proxy.Link { return links }, closed)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	site.Mount(mux)
	p.Mount(mux)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// closed is a register of one country.
func closed(context.Context) ([]market.Market, error) {
	at := time.Unix(1_800_000_000, 0).UTC()
	return []market.Market{{Country: "QA", Changes: []market.Change{
		{State: market.Leaving, At: at, Why: "A law <b>wants</b> keys.", By: "somebody"},
		{State: market.Left, At: at.Add(time.Hour), Why: "It came into force."},
	}}}, nil
}

// made is a link as this server makes it.
func made() proxy.Link {
	return proxy.LinkTo("192.0.2.7", 443, "ee00112233445566778899aabbccddeeff"+
		"7777772e6578616d706c652e6f7267")
}

// TestLinks shows the link and what stands in it, and says so where there is none.
func TestLinks(t *testing.T) {
	get := func(s *httptest.Server) string {
		t.Helper()
		r, err := http.Get(s.URL + "/access")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }()
		b, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != http.StatusOK {
			t.Fatalf("%s, %v", r.Status, err)
		}
		return string(b)
	}
	body := get(served(t, made()))
	for _, want := range []string{
		`href="tg://proxy?port=443&amp;secret=ee0011`, "192.0.2.7", "6578616d706c65",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if body := get(served(t)); !strings.Contains(body, "No proxy is set up") {
		t.Error("the page without proxies does not say so")
	}
}

// TestRegister shows every change with its reason, and nowhere who decided it.
func TestRegister(t *testing.T) {
	s := served(t)
	for _, at := range []string{"/markets", "/markets.json"} {
		r, err := http.Get(s.URL + at)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		text := string(b)
		if err != nil || r.StatusCode != http.StatusOK ||
			!strings.Contains(text, "It came into force.") || strings.Contains(text, "<b>wants") ||
			strings.Contains(text, "somebody") {
			t.Errorf("%s: %s, %v: %s", at, r.Status, err, text)
		}
	}
}

// TestInABrowser looks at the page in all languages.
func TestInABrowser(t *testing.T) {
	s := served(t, made())
	b := browsertest.Start(t)
	for _, l := range page.Languages() {
		look := browsertest.Phone(l.Code)
		look.NoScripts = true
		p := b.Page(t, look)
		p.Open(s.URL + "/access")
		p.Fits()
		got := browsertest.Eval[string](p, `getComputedStyle(document.body).direction`)
		if l.RTL != (got == "rtl") {
			t.Errorf("%s is written %s", l.Code, got)
		}
	}
	for _, lang := range []string{"en", "fa"} {
		p := b.Page(t, browsertest.Phone(lang))
		for _, at := range []string{"/access", "/markets"} {
			p.Open(s.URL + at)
			p.Accessible()
			p.Fits()
		}
	}
}
