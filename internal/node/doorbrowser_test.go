package node

import (
	"net/http"
	"strings"
	"testing"

	"parley/internal/ids"
	"parley/internal/safety/agency"
	"parley/internal/safety/hotline"
	"parley/internal/safety/inquiry"
	"parley/internal/web/officer/officertest"
	"parley/test/browser/browsertest"
)

// doorLooks are those in which the doors of hotlines and regulators are tried: at a desk, and on a
// phone from right to left.
func doorLooks() map[string]browsertest.Look {
	return map[string]browsertest.Look{"en": {}, "fa": browsertest.Phone("fa")}
}

// doorVisitor is an officer of a new agency at the public door, in a browser.
type doorVisitor struct {
	*browsertest.Page
	w        *world
	of       agency.Agency
	at, lang string
}

// arrive has an officer of a new agency bind his key by a link, sign out, and sign in again, which
// leads to the door of his agency's kind.
func (w *world) arrive(
	at string, look browsertest.Look, lang, door string, k agency.Kind,
) *doorVisitor {
	w.t.Helper()
	at = strings.Replace(at, "127.0.0.1", "localhost", 1) // keys are bound to a name
	office := officertest.NewOffice(w.t, w.n.Store, w.clock)
	of := office.Onboard("Agency", "DE", k)
	_, token := office.Link(of.ID, "Officer", agency.Member)
	p := &doorVisitor{browsertest.Start(w.t).Page(w.t, look), w, of, at, lang}
	p.Authenticator()
	p.visit("/officer/enrol?token=" + token)
	p.Follow("form[data-key-start] button")
	p.Wait("form.who")
	p.Follow("form.who button")
	p.Follow("form[data-key-start] button")
	p.Wait("form.who")
	if got := p.Location(); !strings.Contains(got, door) {
		w.t.Fatalf("signing in leads to %s", got)
	}
	want := map[string]string{"en": "en ltr", "fa": "fa rtl"}[lang]
	got := browsertest.Eval[string](p.Page, `document.documentElement.lang + " " + document.dir`)
	if got != want {
		w.t.Errorf("%s is written %s", p.Location(), got)
	}
	return p
}

// visit opens a page of the server.
func (p *doorVisitor) visit(path string) {
	p.w.t.Helper()
	sign := "?"
	if strings.Contains(path, "?") {
		sign = "&"
	}
	p.Open(p.at + path + sign + "lang=" + p.lang)
	p.good()
}

// good tells that a page is accessible and not too wide.
func (p *doorVisitor) good() {
	p.w.t.Helper()
	p.Accessible()
	p.Fits()
}

// TestHotlineInABrowser: an officer of a trusted flagger signs in with a security key, reports in
// bulk, is told what is wrong with a line, has a receipt for each thing, sees how it ended, and finds
// his agency's record.
func TestHotlineInABrowser(t *testing.T) {
	for lang, look := range doorLooks() {
		t.Run(lang, func(t *testing.T) {
			w := newWorld(t)
			server := w.serve()
			owner := w.join("Member 1")
			peer := w.publicChannel(owner, "some_news", "one", "two")
			p := w.arrive(server.URL, look, lang, "/hotline", agency.TrustedFlagger)
			p.good()
			const digest = "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4"
			p.Set("#places", "@some_news/2\n"+strings.Repeat("x", 3000)+"\n"+digest)
			p.Set("#kind", "STATEMENT_CATEGORY_VIOLENCE")
			p.Fill("#explanation", "It calls for harm.")
			p.Click("#good_faith")
			if status := p.Follow("#form button"); status != http.StatusUnprocessableEntity ||
				!p.Has("[role=alert] a[href='#places']") {
				t.Fatalf("a line that is too long: %d", status)
			}
			p.good()
			p.Set("#places", "@some_news/2\n@some_news/3\n"+digest)
			if status := p.Follow("#form button"); status != http.StatusOK {
				t.Fatalf("submitting: %d %s", status, p.Text("main"))
			}
			p.good()
			const receipts = `document.querySelectorAll("article .ref").length`
			if got := browsertest.Eval[int](p.Page, receipts); got != 3 {
				t.Fatalf("%d receipts for three things", got)
			}
			p.ends(peer, owner)
			p.visit("/hotline/figures")
			p.visit("/hotline/measures")
			p.Fill("textarea", "All of it was true.")
			p.Follow("article form button")
			p.good()
			if got := p.Text("article"); !strings.Contains(got, "All of it was true.") {
				t.Errorf("the complaint: %s", got)
			}
			p.visit("/hotline")
			if !p.Has("#submissions a") {
				t.Error("what was reported is not listed")
			}
		})
	}
}

// ends has the two posts decided, one each way, and the agency warned: the page of the submission
// tells it, and hands out the proof once that is in the log.
func (p *doorVisitor) ends(peer ids.Peer, owner *person) {
	w, at := p.w, p.Location()
	w.t.Helper()
	w.takenUp()
	w.end(peer, owner.self, 2, true)
	w.end(peer, owner.self, 3, false)
	_, err := w.n.Hotlines.Warn(ctx(), 1, p.of, hotline.Unfounded, "Half of it is satire.")
	if err != nil {
		w.t.Fatal(err)
	}
	p.Open(at)
	p.good()
	for _, outcome := range []string{"upheld", "rejected"} {
		if !p.Has("[data-outcome=" + outcome + "]") {
			w.t.Errorf("nothing is %s: %s", outcome, p.Text("main"))
		}
	}
	if !p.Has("[data-state=searched]") {
		w.t.Errorf("the digest was not looked for: %s", p.Text("main"))
	}
	if status := p.Follow("a[href*='/proof']"); status != http.StatusServiceUnavailable {
		w.t.Errorf("a proof before the log has it: %d", status)
	}
	p.good()
}

// TestRegulatorInABrowser: a regulator's officer signs in with a security key, asks with a file, is
// told what is missing, reads the answer, and closes the question.
func TestRegulatorInABrowser(t *testing.T) {
	for lang, look := range doorLooks() {
		t.Run(lang, func(t *testing.T) {
			w := newWorld(t)
			server := w.serve()
			p := w.arrive(server.URL, look, lang, "/authority", agency.Coordinator)
			p.visit("/regulator")
			p.Fill("#title", "Figures")
			p.Set("#text", strings.Repeat("x", inquiry.TextBytes+1))
			if status := p.Follow("#ask button"); status != http.StatusUnprocessableEntity ||
				!p.Has("[role=alert]") {
				t.Fatalf("a text that is too long: %d", status)
			}
			p.good()
			p.Set("#text", "Where are they?")
			browsertest.Eval[int](p.Page, `(() => { const all = new DataTransfer();
				all.items.add(new File(["%PDF"], "a question with quite a long name.pdf"));
				document.querySelector("#attach").files = all.files; return 0 })()`)
			if status := p.Follow("#ask button"); status != http.StatusOK || !p.Has("#say") ||
				!p.Has("a[href*='/file/1/0']") {
				t.Fatalf("asking: %d %s", status, p.Text("main"))
			}
			p.good()
			w.answerInquiry("Here they are.")
			p.Reload()
			if got := p.Text("main"); !strings.Contains(got, "Here they are.") {
				t.Errorf("the answer is not there: %s", got)
			}
			p.good()
			p.Follow("form[action*='/close'] button")
			if p.Has("#say") || !p.Has("[data-state=closed]") {
				t.Errorf("it is not closed: %s", p.Text("main"))
			}
			p.good()
			p.visit("/regulator")
			if !p.Has("#inquiries a") {
				t.Error("what was asked is not listed")
			}
		})
	}
}
