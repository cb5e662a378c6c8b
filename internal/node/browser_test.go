package node

import (
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/web/page"
	"parley/test/browser/browsertest"
)

// payloads are texts that run something where they become markup, in one place or another.
var payloads = []string{
	hostile,
	`<svg onload=alert(1)>`, `<svg/onload=alert(1)//`, `"><svg onload=alert(1)>`,
	`'><img src=x onerror=alert(1)>`, `"onfocus=alert(1) autofocus x="`,
	`' onmouseover='alert(1)`, `</textarea><script>alert(1)</script>`,
	`</title><script>alert(1)</script>`, `</style><script>alert(1)</script>`,
	`--><script>alert(1)</script>`, `]]><script>alert(1)</script>`,
	`<iframe srcdoc="<script>alert(1)</script>">`, `<iframe src="javascript:alert(1)">`,
	`<a href="javascript:alert(1)">x</a>`, `javascript:alert(1)//`, `data:text/html,<script>alert(1)`,
	`<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>`,
	`<details open ontoggle=alert(1)>`, `<meta http-equiv=refresh content="0;url=javascript:alert(1)">`,
	`<base href="https://example.org/">`, `<object data="javascript:alert(1)">`,
	`<form action="javascript:alert(1)"><button>`, `{{.}} ${alert(1)} {{constructor.constructor("alert(1)")()}}`,
	"\u2028<script>alert(1)</script>", "\u202e<script>alert(1)</script>", `&lt;script&gt;alert(1)&lt;/script&gt;`,
	`%3Cscript%3Ealert(1)%3C/script%3E`, `<<script>alert(1)//<</script>`, `<x contenteditable onblur=alert(1)>`,
}

// untouched fails the test if something on the page was made of what people wrote.
func untouched(p *browsertest.Page, t *testing.T) {
	t.Helper()
	const foreign = `document.querySelectorAll("script, img, svg, iframe, object, embed, math, base,` +
		` details, style, [onload], [onerror], [onfocus], [onmouseover], [contenteditable],` +
		` meta[http-equiv], a[href^='javascript' i]").length`
	if n := browsertest.Eval[int](p, foreign); n != 0 {
		t.Errorf("%s: %d elements are made of what people wrote", p.Location(), n)
	}
}

// opened is a world whose pages are on a socket, and where that is.
func opened(t *testing.T) (w *world, at string) {
	t.Helper()
	w = newWorld(t)
	w.n.Config.Limits.Pages.Burst, w.n.Config.Limits.Forms.Burst = 100_000, 100_000
	w.n.Config.Contact.People, w.n.Config.Contact.Terms = "help@example.org", "https://example.org/"
	w.n.Config.Contact.Disputes = []string{"https://disputes.example.org/"}
	s := httptest.NewServer(w.visitor().pages)
	t.Cleanup(s.Close)
	return w, s.URL
}

// TestNoticeInABrowser: with a phone and without scripts, from the page of a post to the receipt, the
// outcome, the complaint, and its page.
func TestNoticeInABrowser(t *testing.T) {
	w, at := opened(t)
	peer := w.publicChannel(w.join("Member 1"), "some_news", "one")
	look := browsertest.Phone("en")
	look.NoScripts = true
	p := browsertest.Start(t).Page(t, look)
	p.Open(at + "/some_news/2")
	p.Follow(`a[href*="location="]`)
	if got := browsertest.Eval[string](p, "locations.value"); got != "@some_news/2" {
		t.Errorf("the form begins with %q", got)
	}
	w.clock.Advance(time.Minute)
	p.Fill("#explanation", "It calls for harm.")
	if status := p.Follow(`button[type="submit"]`); status != 422 || !p.Has("#kind-error") {
		t.Fatalf("an incomplete form: %d", status)
	}
	w.clock.Advance(time.Minute)
	p.Set("#kind", "STATEMENT_CATEGORY_VIOLENCE/KEYWORD_COORDINATED_HARM")
	p.Fill("#name", "Member 1")
	p.Fill("#email", "member1@example.org")
	p.Click("#good_faith")
	if status := p.Follow(`button[type="submit"]`); status != 200 {
		t.Fatalf("the complete form: %d %s", status, p.Text("main"))
	}
	ref := p.Text("#reference")
	p.Follow(`a.button`)
	if !strings.HasSuffix(p.Location(), "/r/"+ref) || !strings.Contains(p.Text("#state"), "waiting") {
		t.Errorf("%s: %s", p.Location(), p.Text("#state"))
	}
	_, err := w.n.Decisions.Dismiss(ctx(), peer, w.reports(peer)[2].Case, safety.Actor{Staff: 1},
		casefile.Refuted, "It is satire.")
	if err != nil {
		t.Fatal(err)
	}
	p.Open(at + "/status")
	p.Fill("#reference", strings.ToLower(ref))
	p.Follow(`main button[type="submit"]`)
	if got := p.Text("#part-reason"); !strings.Contains(got, "It is satire.") {
		t.Errorf("the reasons: %s", got)
	}
	w.clock.Advance(time.Minute)
	p.Fill("#text", "It is not.")
	p.Follow(`#say button[type="submit"]`)
	if got := p.Text("#answer"); !strings.Contains(got, "examining") {
		t.Errorf("the complaint: %s", got)
	}
	if got := p.Text("ol.talk"); !strings.Contains(got, "It is not.") {
		t.Errorf("the dialogue: %s", got)
	}
	if got := browsertest.Eval[string](p, "document.cookie"); got != "" {
		t.Errorf("a cookie: %s", got)
	}
	for _, r := range p.Requests() {
		if !strings.HasPrefix(r, at) {
			t.Errorf("the pages asked for %s", r)
		}
	}
}

// TestPublicPagesFit: every page in every language fits a phone, has the direction of its language,
// and is accessible.
func TestPublicPagesFit(t *testing.T) {
	w, at := opened(t)
	owner := w.join("Member 1")
	peer := w.publicChannel(owner, "some_news", strings.Repeat("unbreakable", 30))
	_, body := w.visitor().post("/notice", violent("@some_news/2", "@some_news"))
	report := w.reports(peer)[0]
	_, err := w.n.Decisions.Dismiss(ctx(), peer, report.Case, safety.Actor{Staff: 1},
		casefile.Refuted, "It is satire.")
	if err != nil {
		t.Fatal(err)
	}
	decision := removal(safety.Subject{Peer: peer, Kind: safety.Message, Item: 2, Author: owner.self})
	decision.Measures[0].Measure = safety.Label
	decision.Measures[0].Detail = "A note"
	_, one, all := w.decided(decision)
	found := refs(body)
	pages := []string{"/", "/notice", "/status", "/contact", "/some_news", "/some_news/2", "/nothing/9",
		"/r/" + found[0], "/r/" + w.n.safetyReferences().Make(safety.ReportRef, peer, report.ID),
		one, all}
	b := browsertest.Start(t)
	for _, l := range page.Languages() {
		t.Run(l.Code, func(t *testing.T) {
			p := b.Page(t, browsertest.Phone(l.Code))
			for _, path := range pages {
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
	t.Run("dark", func(t *testing.T) {
		p := b.Page(t, browsertest.Look{Dark: true})
		for _, path := range []string{"/notice", one} {
			p.Open(at + path)
			p.Accessible()
		}
	})
}

// TestNothingRunsOnPublicPages puts texts that want to run into every field and every place where
// people write, and looks at every page that shows them.
func TestNothingRunsOnPublicPages(t *testing.T) {
	w, at := opened(t)
	owner := w.join("Member 1")
	peer := w.publicChannel(owner, "some_news", payloads...)
	p := browsertest.Start(t).Page(t, browsertest.Look{})
	for i := range payloads {
		p.Open(at + "/some_news/" + strconv.Itoa(i+2))
		untouched(p, t)
	}
	for _, text := range payloads {
		p.Open(at + "/notice")
		for _, field := range []string{"#locations", "#name", "#explanation"} {
			p.Set(field, text)
		}
		p.Follow(`button[type="submit"]`)
		untouched(p, t)
		if got := browsertest.Eval[string](p, "explanation.value"); got != strings.TrimSpace(text) {
			t.Errorf("what was typed came back as %q, not %q", got, text)
		}
	}
	decision, one, all := w.decided(removal(safety.Subject{
		Peer: peer, Kind: safety.Message, Item: 2, Author: owner.self,
	}))
	for i, text := range payloads {
		p.Open(at + one)
		w.clock.Advance(time.Minute)
		p.Set("#text", text)
		if status := p.Follow(`#say button[type="submit"]`); status != 200 {
			t.Errorf("line %d: %d", i, status)
		}
	}
	untouched(p, t)
	if n := browsertest.Eval[int](p, `document.querySelectorAll("ol.talk li").length`); n != len(payloads) {
		t.Errorf("%d of %d lines are there", n, len(payloads))
	}
	_, err := w.n.Decisions.Lift(ctx(), peer, decision.ID, safety.Actor{Staff: 1}, hostile)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{one, all, "/some_news"} {
		p.Open(at + path)
		untouched(p, t)
	}
}
