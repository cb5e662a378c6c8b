package node

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"parley/internal/safety/agency"
	"parley/internal/safety/inquiry"
	"parley/internal/tlog/paper"
	"parley/internal/web/officer/officertest"
)

// TestRegulatorAsks: a regulator asks with a file, somebody is woken when the answer is late, the
// answer is on his page, and the file comes back as it was; others see nothing of it.
func TestRegulatorAsks(t *testing.T) {
	w, _, p, _ := withLine(t)
	server := w.serve()
	f := w.flagger(server, "Coordinator", agency.Coordinator)
	other := w.flagger(server, "Another", agency.Regulator)
	flagger := w.flagger(server, "Hotline", agency.TrustedFlagger)
	page := f.browser.Get("/regulator?lang=fa")
	if page.Status != http.StatusOK || !strings.Contains(page.Body, `dir="rtl"`) {
		t.Fatalf("%d %s", page.Status, page.Body)
	}
	form := page.Hidden("/regulator")
	form.Set("title", "Figures")
	form.Set("text", "Where are they? "+hostile)
	form.Add("file", "c29tZXRoaW5nIGVsc2U") // not made by the server
	got := f.browser.Upload("/regulator", form, map[string]officertest.Upload{
		"attach": {Name: `../../<b>.pdf`, Body: []byte("%PDF hostile")},
	})
	if got.Status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	u, err := url.Parse(got.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	body := f.browser.Get(u.Path).Body
	if !strings.Contains(body, `data-state="ours"`) || strings.Contains(body, "<b>.pdf") ||
		strings.Count(body, "/file/1/") != 1 {
		t.Errorf("%s", body)
	}
	file := f.browser.Get(u.Path + "/file/1/0")
	if file.Body != "%PDF hostile" ||
		file.Header.Get("Content-Type") != "application/octet-stream" ||
		!strings.HasPrefix(file.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%+v", file)
	}
	checkReceipt(t, w, f, u.Path, body)
	for _, at := range []string{
		u.Path, u.Path + "/file/1/0", u.Path + "/receipt/1", u.Path + "/pdf/1", u.Path + "/message/1",
	} {
		if got := other.browser.Get(at); got.Status != http.StatusNotFound {
			t.Errorf("another regulator at %s: %d", at, got.Status)
		}
	}
	if got := flagger.browser.Get("/regulator"); got.Status != http.StatusNotFound {
		t.Errorf("a hotline: %d", got.Status)
	}
	w.clock.Advance(73 * time.Hour)
	if err := w.n.Inquiries.Sweep(ctx()); err != nil {
		t.Fatal(err)
	}
	w.ring()
	if calls := p.take(); len(calls) != 1 || calls[0]["kind"] != "regulator" {
		t.Errorf("woken: %v", calls)
	}
	w.answerInquiry("Here they are.")
	// The session has ended meanwhile: he signs in again.
	if got := f.browser.SignIn(u.Path); got.Status != http.StatusOK {
		t.Fatalf("signing in: %d %s", got.Status, got.Body)
	}
	body = f.browser.Get(u.Path).Body
	if !strings.Contains(body, "Here they are.") || !strings.Contains(body, `data-state="theirs"`) {
		t.Errorf("%s", body)
	}
}

// checkReceipt checks the receipt of the first line of a dialogue, as whoever has the public key
// alone would, and its pages.
func checkReceipt(t *testing.T, w *world, f *flagger, at, body string) {
	t.Helper()
	key, err := note.NewVerifier(w.n.Orders.Sign.Public())
	if err != nil {
		t.Fatal(err)
	}
	signed, message := f.browser.Get(at+"/receipt/1"), f.browser.Get(at+"/message/1")
	p, err := paper.Open([]byte(signed.Body), note.VerifierList(key))
	sum := sha256.Sum256([]byte(message.Body))
	if err != nil || p.Document != hex.EncodeToString(sum[:]) || p.Due == "" ||
		!strings.Contains(message.Body, "Where are they?") {
		t.Errorf("%+v, %v: %s", p, err, message.Body)
	}
	printed, err := paper.FromPDF([]byte(f.browser.Get(at + "/pdf/1").Body))
	if err != nil || string(printed) != signed.Body {
		t.Errorf("its pages have another paper: %v", err)
	}
	for _, link := range []string{"/receipt/1", "/pdf/1", "/message/1"} {
		if !strings.Contains(body, at+link) {
			t.Errorf("no link to %s", link)
		}
	}
	if got := f.browser.Get(at + "/receipt/2"); got.Status != http.StatusNotFound {
		t.Errorf("a receipt of nothing: %d", got.Status)
	}
}

// answerInquiry answers the one inquiry that waits, as a member of staff.
func (w *world) answerInquiry(text string) {
	w.t.Helper()
	list := w.waitingInquiries()
	if len(list) != 1 {
		w.t.Fatalf("waiting: %+v", list)
	}
	_, err := w.n.Inquiries.Say(ctx(), list[0].Agency, list[0].ID, inquiry.Line{
		Staff: 7, Text: text,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}
