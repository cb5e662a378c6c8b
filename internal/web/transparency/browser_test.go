package transparency

import (
	"net/http/httptest"
	"strings"
	"testing"

	"parley/internal/safety"
	"parley/internal/safety/orderform"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/verify"
	"parley/internal/web/page"
	"parley/test/browser/browsertest"
)

// everyPage are the addresses of all pages.
func everyPage() []string {
	return []string{
		"", "search", "search?country=DE", "search?from=yesterday&kind=x", "entry/62", "entry/61",
		"countries", "country/DE", "country/FR", "check", "verify", "report/2026-11-29",
		"rules", "forms", "canary", "orders", "orders/64",
	}
}

// everything is a server with all pages.
func everything(t *testing.T) (at string) {
	t.Helper()
	s := newScribe(t)
	order, body := anOrder(t)
	r := written(t, append(history(), order), s.public...)
	put(t, r, body)
	publish(t, r.Log.Dir)
	server := httptest.NewServer(served(t, r))
	t.Cleanup(server.Close)
	return server.URL + "/transparency/"
}

// anOrder is an order that was refused, as it is published, with its entry.
func anOrder(t *testing.T) (entry.Entry, []byte) {
	t.Helper()
	given := entry.Entry{
		Kind: entry.Order, ID: strings.Repeat("a", 32), Day: "2026-11-30", Country: "DE",
		Instrument: "TCO_ARTICLE_3", Category: string(safety.Violence), Items: 1,
	}
	p, err := orderform.Publish("chat.example/log", []entry.Entry{given, {
		Kind: entry.Refusal, ID: strings.Repeat("b", 32), Of: given.ID, Day: "2026-11-30",
		Reason: "overbroad",
	}}, map[string]string{given.ID: "Das <b>Amt</b> will alles. " + strings.Repeat("w", 90)})
	if err != nil {
		t.Fatal(err)
	}
	body, err := p.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return entry.Entry{
		Kind: entry.Publication, Day: "2026-12-01", Lang: "DE",
		Subject: verify.OrderPrefix + given.ID, Commitment: entry.Digest(body),
	}, body
}

// TestPagesInABrowser: every page in every language fits a phone, has the direction of its language
// and is accessible; also in the dark, and on a desk.
func TestPagesInABrowser(t *testing.T) {
	at := everything(t)
	b := browsertest.Start(t)
	for _, l := range page.Languages() {
		t.Run(l.Code, func(t *testing.T) {
			p := b.Page(t, browsertest.Phone(l.Code))
			for _, path := range everyPage() {
				p.Open(at + path)
				p.Fits()
				got := browsertest.Eval[string](p, `document.documentElement.lang + " " +`+
					` getComputedStyle(document.body).direction`)
				if want := l.Code + map[bool]string{true: " rtl", false: " ltr"}[l.RTL]; got != want {
					t.Errorf("%s is %s, not %s", path, got, want)
				}
				if l.Code == "en" || l.Code == "fa" {
					p.Accessible()
				}
			}
		})
	}
	for name, look := range map[string]browsertest.Look{
		"dark": {Dark: true}, "desk": {Width: 1280, Height: 900},
	} {
		t.Run(name, func(t *testing.T) {
			p := b.Page(t, look)
			for _, path := range everyPage() {
				p.Open(at + path)
				p.Fits()
				p.Accessible()
			}
		})
	}
}

// TestSearchInABrowser: somebody without scripts fills in the form, finds, goes on to older lines,
// to one of them, and to its country.
func TestSearchInABrowser(t *testing.T) {
	at := everything(t)
	p := browsertest.Start(t).Page(t, browsertest.Look{Lang: "de", NoScripts: true})
	p.Open(at)
	p.Follow(`.tabs a[href$="/search"]`)
	p.Set("#kind", "decision")
	p.Set("#decided", "people")
	if status := p.Follow(`form button[type="submit"]`); status != 200 {
		t.Fatalf("the search: %d", status)
	}
	const lines = `document.querySelectorAll("ul.plain li").length`
	if n := browsertest.Eval[int](p, lines); n != searchPage {
		t.Errorf("%d lines", n)
	}
	p.Follow(`a[rel="next"]`)
	if n := browsertest.Eval[int](p, lines); n != searchPage {
		t.Errorf("%d older lines", n)
	}
	p.Follow(`a[rel="next"]`)
	if n := browsertest.Eval[int](p, lines); n != 1 || p.Has(`a[rel="next"]`) {
		t.Errorf("%d oldest lines", n)
	}
	p.Open(at + "search?kind=refusal")
	p.Follow(`ul.plain a`)
	p.Follow(`dl a[href*="/country/DE"]`)
	if got := p.Text("h1"); got != "Deutschland" {
		t.Errorf("the country is %s", got)
	}
}
