package console

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/web/staff"
	"parley/test/browser/browsertest"
)

// looks are those in which the pages about authorities are tried: from left to right at a desk, and
// from right to left.
func looks() map[string]browsertest.Look {
	return map[string]browsertest.Look{
		"en": {}, "fa": {Width: 1024, Height: 768, Lang: "fa", Dark: true},
	}
}

// enter signs a member of staff in, wherever that leads.
func (w *world) enter(p *browsertest.Page, m member) {
	w.t.Helper()
	p.Open(w.url + "/signin")
	p.Fill("#name", m.Name)
	p.Fill("#password", password)
	p.Fill("#code", w.code(m.secret))
	p.Follow("form[action='/signin'] button")
	w.clock.Advance(time.Minute)
}

// written tells that the page is written as its language is.
func (w *world) written(p *browsertest.Page, lang string) {
	w.t.Helper()
	want := map[string]string{"en": "en ltr", "fa": "fa rtl"}[lang]
	got := browsertest.Eval[string](p, `document.documentElement.lang + " " + document.dir`)
	if got != want {
		w.t.Errorf("%s is written %s", p.Location(), got)
	}
}

// TestOrderInBrowser goes from the queue to the answer: one person makes the checks and signs, those
// of the other roles sign, and the authority is answered.
func TestOrderInBrowser(t *testing.T) {
	for lang, look := range looks() {
		t.Run(lang, func(t *testing.T) {
			w := served(t, staff.Limits{})
			w.named()
			_, officer := w.office("Federal Office", "DE", agency.Regulator)
			rules := w.console.Orders.Judge
			w.console.Orders.Judge = func(q policy.Request) (policy.Verdict, error) {
				v, err := rules(q)
				v.Sign = []policy.Signature{
					{Role: policy.Legal, People: 1}, {Role: policy.Moderator, People: 1},
				}
				return v, err
			}
			post := w.post("the mark")
			o := w.give(officer, w.act("7 Js 1", post))
			b := browsertest.Start(t)
			p := b.Page(t, look)
			w.enter(p, w.member(staff.Legal))
			p.Open(w.url + "/orders")
			w.written(p, lang)
			p.Accessible()
			p.PressAndLeave("n")
			at := orderPath(o.Agency, o.ID)
			if !strings.HasSuffix(p.Location(), at) {
				t.Fatalf("what is due first leads to %s", p.Location())
			}
			p.Accessible()
			p.Fits()
			w.checkInBrowser(p, o)
			if got := w.orderNow(o).State; got != order.Assessed {
				t.Fatalf("after the checks it is %s", got)
			}
			w.lookInBrowser(p)
			p.Open(w.url + at)
			p.Follow("form[action$='/sign'] button")
			if len(w.signatures(o)) != 1 {
				t.Fatal("the first signature is not there")
			}
			if p.Has("form[action$='/sign']") {
				t.Error("who has signed is asked again")
			}
			q := b.Page(t, look)
			w.enter(q, w.member(staff.Moderator))
			q.Open(w.url + "/orders")
			q.Accessible()
			q.Follow("tbody a")
			q.Accessible()
			q.Follow("form[action$='/sign'] button")
			w.ok(w.console.Orders.CarryOut(context.Background()))
			if got := w.orderNow(o).State; got != order.Answered || !w.withheld(post, "DE") {
				t.Fatalf("signed by both it is %s", got)
			}
			p.Open(w.url + at)
			p.Accessible()
			p.Follow("a[href*='/paper/1']")
			p.Accessible()
		})
	}
}

// checkInBrowser makes the checks and the call that policy wants.
func (w *world) checkInBrowser(p *browsertest.Page, o order.Order) {
	w.t.Helper()
	for _, c := range o.Verdict.Unverified {
		if c == policy.CallBack {
			if got := p.Text("#kept-number"); got != keptNumber {
				w.t.Errorf("the number to call is %s", got)
			}
			p.Fill("#spoke", "B, desk")
			p.Click("#said-yes")
			p.Follow("form[action$='/call'] button")
			continue
		}
		p.Set("#check", string(c))
		p.Fill("#check-why", "looked at it")
		p.Follow("form[action$='/check'] button")
	}
}

// lookInBrowser looks at what the items are, which is written down.
func (w *world) lookInBrowser(p *browsertest.Page) {
	w.t.Helper()
	p.Click("details:has(#purpose) summary")
	p.Fill("#purpose", "is it what the order says")
	p.Follow("form[action$='/look'] button")
	p.Accessible()
	if got := p.Text("#seen .item .said"); got != "the mark" {
		w.t.Errorf("the item says %q", got)
	}
}

// signatures are those under an order.
func (w *world) signatures(o order.Order) (out []store.OrderApproval) {
	w.t.Helper()
	w.ok(w.store.View(context.Background(), func(r *store.Reader) (err error) {
		out, err = order.Signatures(r, o.Agency, o.ID)
		return err
	}))
	return out
}

// TestOnboardingInBrowser proposes an agency and calls it, and has another approve it and its first
// officer.
func TestOnboardingInBrowser(t *testing.T) {
	for lang, look := range looks() {
		t.Run(lang, func(t *testing.T) {
			w := served(t, staff.Limits{})
			b := browsertest.Start(t)
			p, q := b.Page(t, look), b.Page(t, look)
			w.enter(p, w.member(staff.Lead))
			p.Open(w.url + "/agencies")
			w.written(p, lang)
			p.Accessible()
			p.Fits()
			for field, text := range map[string]string{
				"#name": "Media Authority", "#country": "DE",
				"#agreement": strings.Repeat("a", 64),
			} {
				p.Fill(field, text)
			}
			p.Set("#officials", "A. Example; Head\nB. Example; Desk")
			p.Set("#kind", "regulator")
			p.Set("#answer_lang", "pl")
			p.Follow("form[action='/agencies/propose'] button")
			a := w.found("DE", "Media Authority")
			p.Accessible()
			p.Fill("#number", keptNumber)
			p.Fill("#where", "register, page 3")
			p.Fill("#spoke", "B. Example, desk")
			p.Click("#said-yes")
			p.Follow("form[action$='/verify'] button")

			w.enter(q, w.member(staff.Legal))
			q.Open(w.url + agencyPath(a.ID))
			q.Follow("form[action$='/approve'] button")
			if w.found("DE", "Media Authority").State != agency.Active {
				t.Fatal("approved, and not active")
			}
			p.Open(w.url + agencyPath(a.ID))
			p.Click("details:has(#officer-name) summary")
			p.Fill("#officer-name", "Officer One")
			p.Follow("form[action$='/officer'] button")
			p.Accessible()
			if !strings.Contains(p.Text("#enrol-link"), "token=") {
				t.Error("the link is not shown")
			}
			q.Reload()
			q.Accessible()
			q.Follow("form[action*='/officer/'][action$='/approve'] button")
			q.Accessible()
			if len(q.Text("#enrol-code")) != 14 {
				t.Errorf("the code is %q", q.Text("#enrol-code"))
			}
		})
	}
}

// TestHostileOrder puts the corpus into every field of an order and of an agency, and looks at each
// page that shows it. A page fails by itself when anything runs, is blocked, or asks another origin.
func TestHostileOrder(t *testing.T) {
	w := served(t, staff.Limits{})
	w.named()
	a, officer := w.office("Federal Office", "DE", agency.Regulator)
	post := w.post("the mark")
	legal := w.member(staff.Legal)
	p := browsertest.Start(t).Page(t, browsertest.Look{})
	w.enter(p, legal)
	ctx := context.Background()
	for i, hostile := range corpus("order") {
		d := hostileOrder(w.act(fmt.Sprint(i), post), hostile)
		o := w.give(officer, d)
		w.ok(w.console.Agencies.Note(ctx, a.ID, agency.Event{
			Officer: officer.ID, Kind: agency.Refused, Text: hostile,
		}))
		at := orderPath(o.Agency, o.ID)
		if status := p.Open(w.url + at); status != 200 {
			t.Fatalf("the order of %q: %d", hostile, status)
		}
		if browsertest.Eval[int](p, `document.querySelectorAll(
			"main :is(script, iframe, object, base, meta, link, style, img)").length`) != 0 {
			t.Errorf("%q became markup", hostile)
		}
		first := regexp.MustCompile(`\S+`).FindString(strings.ReplaceAll(hostile, "\x00", "\ufffd"))
		if !strings.Contains(p.Text("main"), first) {
			t.Errorf("%q is not shown as it was written", hostile)
		}
		if i%8 != 0 {
			continue
		}
		_, err := w.console.Orders.Refuse(ctx, legal.ID, o.Agency, o.ID, "other", hostile)
		w.ok(err)
		for _, at := range []string{
			at, at + "/paper/1", at + "/paper/2", "/orders", "/refusals", agencyPath(a.ID),
			"/refusals?words=%3Cscript%3E&class=%22%3E", "/orders?lang=%3Cscript%3E",
		} {
			p.Open(w.url + at)
		}
	}
	if got := browsertest.Eval[string](p, `typeof window.xss`); got != "undefined" {
		t.Errorf("something defined xss: %s", got)
	}
}

// hostileOrder has a text in every field that holds one.
func hostileOrder(d order.Document, text string) order.Document {
	d.Number += " " + text
	d.Authority, d.Signed, d.Validated, d.Reasons, d.Necessity = text, text, text, text, text
	d.Objective, d.Redress, d.Offence, d.Supervisor, d.Lang = text, text, text, text, text
	d.Basis = []order.Basis{{Law: text, Provision: text}}
	d.Items = append(d.Items, order.Target{URL: text, Note: text})
	d.Accounts = []order.Identifier{{Type: text, Value: text}}
	d.Territory, d.Bar = []string{text}, &order.Bar{Basis: text}
	d.Attached = []order.Attachment{{Name: text, Mime: text, Digest: text, Size: 1}}
	return d
}

// TestAuthorityPages looks at all pages about authorities on a phone, in both directions.
func TestAuthorityPages(t *testing.T) {
	w := served(t, staff.Limits{})
	w.named()
	a, officer := w.office("Federal Office with a rather long name: "+strings.Repeat("w", 60), "DE",
		agency.Regulator)
	d := w.act("7 Js 1 "+strings.Repeat("x", 60), w.post("one"))
	d.Authority = a.Name
	o := w.give(officer, d)
	d.Number, d.Action = "K 1", "keys"
	refused := w.give(officer, d)
	b := browsertest.Start(t)
	for _, lang := range []string{"en", "fa"} {
		p := b.Page(t, browsertest.Phone(lang))
		w.enter(p, w.member(staff.Legal))
		for _, at := range []string{
			"/queue", "/orders", "/orders?still=yes", orderPath(o.Agency, o.ID), "/refusals",
			"/agencies", agencyPath(a.ID), "/forms", "/statements",
			orderPath(o.Agency, o.ID) + "/paper/1", textsPath, reviewsPath, textPath(a.ID, refused.ID),
		} {
			if status := p.Open(w.url + at); status != 200 {
				t.Errorf("%s: %d", at, status)
			}
			w.written(p, lang)
			p.Fits()
			p.Accessible()
		}
	}
}
