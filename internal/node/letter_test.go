package node

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/safety/inquiry"
	"parley/internal/store"
	"parley/internal/web/page"
	"parley/test/browser/browsertest"
)

// missingWoman is a complete letter.
func missingWoman() url.Values {
	return url.Values{
		"country": {"IR"}, "requester": {"police"}, "purpose": {"danger"}, "name": {hostile},
		"subject": {"Somebody is missing " + hostile}, "text": {"Who saw her? " + hostile},
	}
}

// TestLetterWithoutAKey: on a server whose operator configured no contact at all, somebody without a
// key finds from the first page where to write, is told what is wrong with a letter, has it stored
// with the time of its answer, wakes somebody for a life, and reads the answer by the reference,
// typed or followed; nobody else does.
func TestLetterWithoutAKey(t *testing.T) {
	w, _, p, _ := withLine(t)
	v := w.visitor()
	at := "/"
	for _, next := range []string{"official", "write"} {
		_, body := v.get(at)
		link := regexp.MustCompile(`id="` + next + `" href="([^"]+)"`).FindStringSubmatch(body)
		if link == nil {
			t.Fatalf("%s does not lead on to %s: %s", at, next, body)
		}
		at = link[1]
	}
	for _, guess := range []string{"/police", "/impressum", "/law-enforcement"} {
		if status, _ := v.get(guess); status != http.StatusSeeOther {
			t.Errorf("%s: %d", guess, status)
		}
	}
	bad := missingWoman()
	bad.Set("country", "Persia")
	bad.Del("text")
	status, body := v.post(at, bad)
	if status != http.StatusUnprocessableEntity || !strings.Contains(body, `href="#way"`) ||
		!strings.Contains(body, `href="#text"`) || !strings.Contains(body, "Somebody is missing") ||
		strings.Contains(body, hostile) {
		t.Fatalf("a letter that lacks something: %d %s", status, body)
	}
	status, body = v.post(at, missingWoman())
	if status != http.StatusSeeOther {
		t.Fatalf("writing: %d %s", status, body)
	}
	for range 2 { // the bell is owed, and rings once
		if err := w.n.Inquiries.Ring(ctx()); err != nil {
			t.Fatal(err)
		}
		w.ring()
	}
	if calls := p.take(); len(calls) != 1 || calls[0]["kind"] != "letter" {
		t.Errorf("woken: %v", calls)
	}
	list := w.waitingInquiries()
	if len(list) != 1 || !list[0].Letter() {
		t.Fatalf("%+v", list)
	}
	ref := w.n.safetyReferences().Make('L', 0, list[0].ID)
	at = "/contact/letter/" + ref
	for _, l := range page.Languages() {
		status, body := v.get(at + "?lang=" + l.Code)
		if status != http.StatusOK || strings.Contains(body, "%!") ||
			strings.Contains(body, hostile) || !strings.Contains(body, `data-state="ours"`) {
			t.Errorf("%s: %d %s", l.Code, status, body)
		}
	}
	w.answerInquiry("She is found.")
	if _, body := v.get(at); !strings.Contains(body, "She is found.") {
		t.Errorf("the answer is not there: %s", body)
	}
	if status, _ := v.post(at, url.Values{"text": {"Thank you."}}); status != http.StatusSeeOther {
		t.Errorf("adding: %d", status)
	}
	if list := w.waitingInquiries(); len(list) != 1 || list[0].Lines != 3 {
		t.Errorf("after what was added: %+v", list)
	}
	if status, _ := v.get("/status?reference=" + ref); status != http.StatusSeeOther {
		t.Errorf("typing the reference: %d", status)
	}
	wrong := ref[:len(ref)-8] + "AAAAAAAA"
	if status, _ := v.get("/contact/letter/" + wrong); status != http.StatusNotFound {
		t.Errorf("another reference: %d", status)
	}
}

// TestLetterInABrowser writes a letter in chromium: at a desk, and on a phone from right to left.
func TestLetterInABrowser(t *testing.T) {
	for lang, look := range doorLooks() {
		t.Run(lang, func(t *testing.T) {
			w := newWorld(t)
			at := w.serve().URL
			p := &doorVisitor{browsertest.Start(t).Page(t, look), w, agency.Agency{}, at, lang}
			p.visit("/contact")
			p.visit("/contact/where?country=IR&requester=court&purpose=user-data")
			p.Follow("#write")
			p.good()
			if status := p.Follow("#form button"); status != http.StatusUnprocessableEntity ||
				!p.Has("[role=alert] a[href='#title']") {
				t.Fatalf("an empty letter: %d", status)
			}
			p.good()
			p.Fill("#title", "Data")
			p.Set("#text", "Whose is @some_news?")
			w.clock.Advance(time.Minute)
			if status := p.Follow("#form button"); status != http.StatusOK || !p.Has("#keep") {
				t.Fatalf("writing: %d %s", status, p.Text("main"))
			}
			p.good()
			w.answerInquiry("By the portal.")
			p.Reload()
			p.good()
			if got := p.Text("main"); !strings.Contains(got, "By the portal.") {
				t.Errorf("the answer: %s", got)
			}
		})
	}
}

// waitingInquiries are the inquiries that wait for the service.
func (w *world) waitingInquiries() (list []inquiry.Inquiry) {
	w.t.Helper()
	err := w.n.Store.View(ctx(), func(r *store.Reader) (err error) {
		list, err = inquiry.Waiting(r, 0, 0, 10)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}
