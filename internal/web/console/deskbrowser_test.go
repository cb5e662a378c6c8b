package console

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/internal/blob"
	"parley/internal/safety/agency"
	"parley/internal/safety/hotline"
	"parley/internal/safety/instrument"
	"parley/internal/safety/oncall"
	"parley/internal/safety/order"
	"parley/internal/store"
	"parley/internal/web/staff"
	"parley/test/browser/browsertest"
)

// desk is a console with something of everything that a lawyer works on.
type desk struct {
	*world
	// pages are the paths of all pages, by what they are.
	pages map[string]string
	order order.Order
}

// deskWith builds a desk: orders with papers, a call-back and signatures, data that is laid out,
// mails, an alert that nobody answers, a regulator's question, and a hotline that complains.
func deskWith(t *testing.T) *desk {
	w := served(t, staff.Limits{})
	w.lines()
	w.named()
	d := &desk{world: w, pages: map[string]string{
		"orders": "/orders", "refusals": "/refusals", "agencies": "/agencies",
		"mails": "/mails?state=", "oncall": "/oncall", "inquiries": "/inquiries",
		"hotlines": "/hotlines",
	}}
	d.mails()
	d.lanes()
	a, officer := w.office("Prosecution", "FR", agency.Prosecutor)
	w.keyed(a)
	d.pages["agency"] = agencyPath(a.ID)
	d.papers(officer)
	w.clock.Advance(8 * 24 * time.Hour)
	w.update(author.Peer(), func(tx *store.Tx) error {
		return tx.PutUser(store.User{ID: author, FirstName: "First", Phone: "4930901820"})
	})
	legal, lead := w.sit(w.member(staff.Legal)), w.sit(w.member(staff.Lead))
	o := w.certificate(officer, legal, lead)
	d.pages["signed"], d.pages["data"] = orderPath(o.Agency, o.ID), dataPath(o.Agency, o.ID)
	at := d.pages["data"]
	if status, body := legal.fill(at, at+"/layout", url.Values{}); status != http.StatusSeeOther {
		t.Fatalf("lay out: %d %s", status, body)
	}
	refused := w.act("K 1", w.post("two"))
	refused.Action = "keys"
	r := w.give(officer, refused)
	d.pages["refused"] = orderPath(r.Agency, r.ID)
	return d
}

// mails adds mails: one that waits, with an answer that was sent, and an order.
func (d *desk) mails() {
	d.t.Helper()
	m := d.arrives(instrument.PeopleDoor, letter("1", strings.Repeat("A long subject ", 6),
		"I cannot get in.\n\nhttps://t.me/the_news/1 "+strings.Repeat("x", 90)))
	d.pages["mail"] = mailPath(m.Agency, m.ID)
	bare := d.arrives(instrument.HotlineDoor, letter("2", "", ""))
	d.pages["bare mail"] = mailPath(bare.Agency, bare.ID)
	d.pages["mail part"] = d.pages["bare mail"] + "/part/1"
	o := d.arrives(instrument.AuthorityDoor, letter("3", "Order", "We order."))
	d.pages["order by mail"] = mailPath(o.Agency, o.ID)
}

// lanes adds an alert, a question and a hotline.
func (d *desk) lanes() {
	d.t.Helper()
	ctx := context.Background()
	regulator, asking := d.office("Coordinator", "DE", agency.Coordinator)
	_, _, err := d.console.OnCall.Raise(ctx, oncall.Emergency{
		Key: "order", Kind: oncall.Order, About: oncall.About{Path: "/orders"},
	})
	d.ok(err)
	d.ok(d.console.OnCall.Step(ctx))
	i, err := d.console.Inquiries.Ask(ctx, regulator, asking.ID, "Figures of the last half year",
		"How many notices were there?\n\nAnd how long did they take?", nil)
	d.ok(err)
	d.pages["inquiry"] = fmt.Sprintf("/inquiries/%d/%d", regulator.ID, i.ID)
	hotlines, _ := d.office("Hotline", "DE", agency.TrustedFlagger)
	lead := d.member(staff.Lead).ID
	m, err := d.console.Hotlines.Warn(ctx, lead, hotlines, hotline.Unfounded,
		"It reported satire, again and again.")
	d.ok(err)
	d.ok(d.console.Hotlines.Complain(ctx, hotlines.ID, 1, m.ID, "It was no satire."))
	d.pages["hotline"] = fmt.Sprintf("/hotlines/%d", hotlines.ID)
}

// papers adds an order with papers: a PDF file that is drawn, a web page whose text is read, and
// one that is not shown.
func (d *desk) papers(officer agency.Officer) {
	d.t.Helper()
	ctx := context.Background()
	first := d.give(officer, d.act("7 Js 1", d.post("the mark")))
	var list []order.Paper
	d.ok(d.store.View(ctx, func(r *store.Reader) (err error) {
		list, err = order.Papers(r, first.Agency, first.ID)
		return err
	}))
	pdf, err := d.console.Orders.Sign.PDF(list[0].Signed, "fr")
	d.ok(err)
	doc := d.act("7 Js 2", d.post("another"))
	for _, f := range []struct{ name, body string }{
		{"order.pdf", string(pdf)}, {"note.html", "<p>The <b>order</b></p><script>x()</script>"},
		{"locked.doc", "\xd0\xcf\x11\xe0 macros"},
	} {
		digest, n, err := d.console.Papers.Put(ctx, strings.NewReader(f.body))
		d.ok(err)
		doc.Attached = append(doc.Attached, order.Attachment{
			Name: f.name, Mime: "application/octet-stream", Digest: digest.String(), Size: n,
		})
	}
	d.order = d.give(officer, doc)
	at := orderPath(d.order.Agency, d.order.ID)
	d.pages["order"], d.pages["paper"] = at, at+"/paper/1"
	for i, name := range []string{"exhibit", "exhibit of text", "exhibit not shown"} {
		d.pages[name] = fmt.Sprintf("%s/exhibit/%d", at, i)
	}
	// The first PDF file takes longest; the pages are remembered.
	digest, err := blob.ParseDigest(doc.Attached[0].Digest)
	d.ok(err)
	view, err := d.console.Attachments.View(ctx, digest)
	d.ok(err)
	if len(view.Pages) == 0 {
		d.t.Fatalf("the paper is not drawn: %+v", view)
	}
}

// TestDeskInBrowser looks at every page on which lawyers work, at a desk and on a phone, from left
// to right and from right to left: each fits, can be used by everybody, and runs nothing.
func TestDeskInBrowser(t *testing.T) {
	d := deskWith(t)
	b := browsertest.Start(t)
	for name, look := range map[string]browsertest.Look{
		"desk en": {Width: 1280, Height: 900, Dark: true}, "phone fa": browsertest.Phone("fa"),
	} {
		p := b.Page(t, look)
		// Pages drawn of papers come from the origin of media, and nothing else does.
		p.Allow(d.console.MediaURL)
		d.enter(p, d.member(staff.Legal))
		for what, at := range d.pages {
			if status := p.Open(d.url + at); status != http.StatusOK {
				t.Errorf("%s, %s: %d", name, what, status)
				continue
			}
			d.written(p, name[len(name)-2:])
			p.Fits()
			p.Accessible()
			if what == "exhibit" && !browsertest.Eval[bool](p, `[...document.images].length > 0 &&
				[...document.images].every(i => i.complete && i.naturalWidth > 300)`) {
				t.Errorf("%s: the pages of the paper are not drawn", name)
			}
		}
	}
}

// TestMailInBrowser answers a mail, and learns when somebody else was faster, with what was typed
// still there.
func TestMailInBrowser(t *testing.T) {
	for lang, look := range looks() {
		t.Run(lang, func(t *testing.T) {
			w := served(t, staff.Limits{})
			m := w.arrives(instrument.PeopleDoor, letter("1", "Lost account", "I cannot get in."))
			p := browsertest.Start(t).Page(t, look)
			w.enter(p, w.member(staff.Moderator))
			p.Open(w.url + "/mails")
			w.written(p, lang)
			p.PressAndLeave("n")
			p.Fill("#answer", "Sign in with the old number.")
			w.ok(w.console.Mails.Route(t.Context(), m.Agency, m.ID, mailActOf(w.member(staff.Lead)),
				instrument.HotlineDoor))
			if status := p.Follow("form[action$='/answer'] button"); status != 409 {
				t.Errorf("a stale answer: %d", status)
			}
			p.Accessible()
			got := browsertest.Eval[string](p, `document.querySelector("#answer").value`)
			if got != "Sign in with the old number." || !p.Has("#problem") {
				t.Errorf("what was typed is %q", got)
			}
			p.Follow("form[action$='/answer'] button")
			w.sent = nil
			w.deliver()
			if len(w.sent) != 1 || !strings.Contains(w.sent[0].Body, "the old number") {
				t.Errorf("sent %+v", w.sent)
			}
		})
	}
}
