package authority

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/safety/order"
	"parley/internal/store"
	signedpaper "parley/internal/tlog/paper"
	"parley/test/browser/browsertest"
)

// TestInABrowser goes the whole way of an officer, in English and in a language that is written from
// right to left: he binds his key, signs in, gives an order with a paper and a mistake in it, proves
// himself again, sees the signed receipt, completes the order and withdraws it.
func TestInABrowser(t *testing.T) {
	for _, lang := range []string{"en", "ar"} {
		t.Run(lang, func(t *testing.T) {
			w := start(t)
			p := browsertest.Start(t).Page(t, browsertest.Look{Lang: lang})
			w.enter(p, lang)
			o := w.give(p, lang)
			p.Open(w.browsed(path(o)+"/supplement", lang))
			p.Accessible()
			p.Fill("#reasons", "It incites others.")
			p.Follow("#send")
			if got := p.Text("#state"); got == "" || !p.Has("[role=status]") {
				t.Error("completing it says nothing")
			}
			p.Accessible()
			p.Fill("#reason", "a mistake")
			p.Follow("#withdraw button")
			p.Accessible()
			after, err := w.orders.Find(t.Context(), order.Sender{Agency: o.Agency}, o.Reference)
			if err != nil || after.State != order.Withdrawn {
				t.Errorf("%v, %s", err, after.State)
			}
			for _, at := range []string{homePath, newPath, verifyPath, firstPath, path(o) + "/papers/1"} {
				p.Open(w.browsed(at, lang))
				p.Accessible()
				p.Fits()
			}
		})
	}
}

// TestAnswerInABrowser shows an officer what became of his order, in English and in a language that
// is written from right to left: each thing has its own confirmation, the answer is there as pages
// and signed, and the proof of the public log once it is published.
func TestAnswerInABrowser(t *testing.T) {
	absent := map[string]string{"en": "is not on this service", "fa": "در این خدمت نیست"}
	for lang, absent := range absent {
		t.Run(lang, func(t *testing.T) {
			w := start(t)
			p := browsertest.Start(t).Page(t, browsertest.Look{Lang: lang})
			w.enter(p, lang)
			b := w.officer(w.office, "Officer Two", agency.Member)
			fields := w.removal("7 Js 10/26")
			fields.Set("items", fields.Get("items")+"\nhttps://t.me/the_news/999999")
			o := w.signed(w.order(w.office, w.send(b, removalForm, fields)))
			p.Open(w.browsed(path(o), lang))
			p.Accessible()
			p.Fits()

			count := browsertest.Eval[int](p, `document.querySelectorAll("#items > li").length`)
			if items := p.Text("#items"); count != 2 || !strings.Contains(items, absent) {
				t.Errorf("%d things: %s", count, items)
			}
			w.downloads(p, o, lang)
			p.Open(w.browsed(path(o), lang))
			p.Follow(`#receipts a[href*="/receipt/effect"]`)
			p.Accessible()
			if p.Status() != http.StatusServiceUnavailable {
				t.Errorf("the proof before it is published: %d", p.Status())
			}
		})
	}
}

// downloads fetches the newest paper of an order as pages and signed.
func (w *world) downloads(p *browsertest.Page, o order.Order, lang string) {
	t := w.World.TB
	t.Helper()
	papers := []order.Paper{}
	w.World.View(func(r *store.Reader) (err error) {
		papers, err = order.Papers(r, o.Agency, o.ID)
		return err
	})
	// The first PDF of a process reads the fonts, which on a busy machine takes long.
	_, err := w.orders.Sign.PDF(papers[0].Signed, w.office.Lang)
	w.ok(err)
	p.Open(w.browsed(path(o), lang))
	p.Follow("#papers li:last-child a")
	p.Accessible()
	p.Fits()

	links := make(map[string]string)
	for _, kind := range []string{"signed", "pdf"} {
		links[kind] = browsertest.Eval[string](p,
			`document.querySelector('a[download][href*="/`+kind+`"]').href`)
	}
	// A page of the portal lets no script ask for anything: one on which keys are used does.
	p.Open(w.browsed("/officer/signin", lang))
	signed := browsertest.Eval[string](p, `fetch("`+links["signed"]+`").then((r) => r.text())`)
	answer, err := w.orders.Sign.Read([]byte(signed))
	if err != nil || answer.Given != "partly" || len(answer.Items) != 2 {
		t.Errorf("the answer: %v %+v", err, answer)
	}
	pages := browsertest.Eval[string](p, `fetch("`+links["pdf"]+`").then((r) => r.arrayBuffer())
		.then((b) => Array.from(new Uint8Array(b), (c) => String.fromCharCode(c)).join(""))
		.then(btoa)`)
	pdf, err := base64.StdEncoding.DecodeString(pages)
	w.ok(err)
	if inside, err := signedpaper.FromPDF(pdf); err != nil || string(inside) != signed {
		t.Errorf("the answer as pages: %v", err)
	}
}

// browsed is the address of a path as a browser opens it: keys are bound to a name.
func (w *world) browsed(at, lang string) string {
	here := strings.Replace(w.server.URL, "127.0.0.1", "localhost", 1)
	return here + at + "?lang=" + lang
}

// enter binds a key by a link, signs out and in again.
func (w *world) enter(p *browsertest.Page, lang string) {
	t := w.World.TB
	t.Helper()
	_, token := w.Link(w.office.ID, "Officer", agency.Member)
	p.Authenticator()
	p.Open(w.browsed("/officer/enrol", lang) + "&token=" + token)
	p.Accessible()
	p.Follow("form[data-key-start] button")
	p.Wait("form.who")
	p.Accessible()
	p.Follow("form.who button")
	p.Accessible()
	p.Follow("form[data-key-start] button")
	p.Wait("form.who")
	if at := p.Location(); !strings.Contains(at, homePath) {
		t.Fatalf("signing in leads to %s", at)
	}
	dir := browsertest.Eval[string](p, "document.documentElement.dir")
	if want := map[string]string{"en": "ltr", "ar": "rtl", "fa": "rtl"}[lang]; dir != want {
		t.Errorf("the page is written %s", dir)
	}
}

// give gives an order that lacks its reasons, after the proof of its officer has become old.
func (w *world) give(p *browsertest.Page, lang string) order.Order {
	t := w.World.TB
	t.Helper()
	p.Open(w.browsed(newPath, lang))
	p.Set("#purpose", "terrorist")
	p.Follow("main form button")
	p.Accessible()
	fields := w.removal("7 Js 9/26")
	for _, name := range []string{"number", "items", "redress", "signed"} {
		p.Fill("#"+name, fields.Get(name))
	}
	p.Set("#action", "withhold")
	p.Set("#issued", fields.Get("issued"))
	p.Follow("#send")
	p.Accessible()
	if !p.Has("a[href='#reasons']") {
		t.Fatal("nothing is said of what is missing")
	}
	w.clock.Advance(11 * time.Minute)
	p.Click("#anyway")
	p.Follow("#send")
	if !p.Has("#again") {
		t.Fatal("it was sent without a fresh proof")
	}
	p.Accessible()
	p.Follow("[data-prove]")
	p.Accessible()
	ref := browsertest.Eval[string](p, "location.pathname.split('/').pop()")
	o, err := w.orders.Find(t.Context(), order.Sender{Agency: w.office.ID}, ref)
	w.ok(err)
	if o.State != order.Incomplete || o.Document.Number != "7 Js 9/26" {
		t.Fatalf("%s %+v", o.State, o.Document)
	}
	// A page of the portal lets no script ask for anything: one on which keys are used does.
	receipt := browsertest.Eval[string](p, `document.querySelector("#papers a[download]").href`)
	p.Open(w.browsed("/officer/signin", lang))
	signed := browsertest.Eval[string](p, `fetch("`+receipt+`").then((r) => r.text())`)
	if q, err := w.orders.Sign.Read([]byte(signed)); err != nil || q.Reference != ref {
		t.Errorf("the signed receipt: %v %s", err, signed)
	}
	return o
}
