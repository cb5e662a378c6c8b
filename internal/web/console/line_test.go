package console

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/ids"
	"parley/internal/keyring/keyringtest"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/hotline"
	"parley/internal/safety/inquiry"
	"parley/internal/safety/instrument"
	"parley/internal/safety/oncall"
	"parley/internal/smtp"
	"parley/internal/store"
	"parley/internal/web/staff"
)

// lines gives the console the emergency line, the dialogue with regulators and the hotlines' lane.
func (w *world) lines() {
	w.t.Helper()
	var err error
	w.console.OnCall, err = oncall.New(oncall.Options{
		Store: w.store, Clock: w.clock, Wait: time.Minute, Log: slog.New(slog.DiscardHandler),
	})
	w.ok(err)
	w.console.Inquiries = &inquiry.Service{
		Store: w.store, Clock: w.clock, Random: rand.Reader, Agencies: w.console.Agencies,
		Within: time.Hour,
	}
	w.console.Hotlines = hotline.New(hotline.Options{
		Store: w.store, Clock: w.clock, Random: rand.Reader, Agencies: w.console.Agencies,
		References: safety.References{Key: [32]byte{3}},
	})
}

// TestOnCallPage: an alert that nobody confirms is loud on the page, until somebody confirms there.
func TestOnCallPage(t *testing.T) {
	w := open(t)
	w.lines()
	lead := w.sit(w.member(staff.Lead))
	a, _, err := w.console.OnCall.Raise(context.Background(), oncall.Emergency{
		Key: "order", Kind: oncall.Order, About: oncall.About{Path: "/order/1/2"},
	})
	w.ok(err)
	w.ok(w.console.OnCall.Step(context.Background()))
	if _, body := lead.get("/oncall"); !strings.Contains(body, "NOBODY HAS ANSWERED") ||
		!strings.Contains(body, "/order/1/2") {
		t.Errorf("%s", body)
	}
	at := fmt.Sprintf("/oncall/%d/confirm", a.ID)
	if status, _ := lead.fill("/oncall", at, url.Values{}); status != http.StatusSeeOther {
		t.Errorf("confirmed: %d", status)
	}
	if _, body := lead.get("/oncall"); !strings.Contains(body, "Member lead deals with it") {
		t.Errorf("%s", body)
	}
	auditor := w.sit(w.member(staff.Auditor))
	if status, _ := auditor.get("/oncall"); status != http.StatusForbidden {
		t.Errorf("an auditor: %d", status)
	}
}

// TestInquiryPages: what a regulator asks is in the list until somebody answers it.
func TestInquiryPages(t *testing.T) {
	w := open(t)
	w.lines()
	a, officer := w.office("Coordinator", "DE", agency.Coordinator)
	i, err := w.console.Inquiries.Ask(context.Background(), a, officer.ID, "Figures", "Where?", nil)
	w.ok(err)
	legal := w.sit(w.member(staff.Legal))
	at := fmt.Sprintf("/inquiries/%d/%d", a.ID, i.ID)
	if _, body := legal.get("/inquiries"); !strings.Contains(body, at) {
		t.Errorf("%s", body)
	}
	if status, _ := legal.fill(at, at+"/say", url.Values{"text": {" "}}); status !=
		http.StatusUnprocessableEntity {
		t.Errorf("an empty answer: %d", status)
	}
	if status, _ := legal.fill(at, at+"/say", url.Values{"text": {"Here."}}); status !=
		http.StatusSeeOther {
		t.Errorf("the answer: %d", status)
	}
	if _, body := legal.get("/inquiries"); !strings.Contains(body, at) {
		t.Error("what was answered is not found again")
	}
	if _, body := legal.get(at); !strings.Contains(body, "Here.") ||
		!strings.Contains(body, "waits for the regulator") {
		t.Errorf("%s", body)
	}
	// However many wait, whoever wrote them: none is out of reach.
	w.update(ids.Peer(a.ID), func(tx *store.Tx) error {
		for n := range mostInquiries + 1 {
			err := tx.PutInquiry(store.Inquiry{
				Agency: a.ID, ID: int64(n) + 1, Title: fmt.Sprint("Question ", n), State: 1,
				Opened: 1, Due: 5, Lines: 1,
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	last := fmt.Sprint("Question ", mostInquiries)
	_, body := legal.get("/inquiries")
	next := regexp.MustCompile(`/inquiries\?after=\d+-\d+`).FindString(body)
	if next == "" || strings.Contains(body, last+"<") {
		t.Fatalf("the first page leads to %q", next)
	}
	if _, body := legal.get(next); !strings.Contains(body, last+"<") {
		t.Errorf("the second page: %s", body)
	}
}

// TestLetterPages: a letter stands on the page that everybody begins with until it is answered, and is
// found again afterwards.
func TestLetterPages(t *testing.T) {
	w := open(t)
	w.lines()
	keys := keyringtest.Open(t, t.TempDir())
	w.ok(w.console.Inquiries.Open(inquiry.Letters{
		References: safety.References{Key: keys.Derive("references")}, Guide: w.guide(),
		Box: keys.Box(), URL: "https://chat.example.org", Name: "Chat",
	}))
	by := inquiry.Asker{
		Requester: instrument.Police, Country: "BR", Purpose: instrument.UserData, Lang: "en",
	}
	letter, err := w.console.Inquiries.Write(context.Background(), "t", by, "Inquiry 12", "Who?")
	w.ok(err)
	legal := w.sit(w.member(staff.Legal))
	if _, body := legal.get("/queue"); !strings.Contains(body, "<strong>1</strong> waiting") ||
		!strings.Contains(body, `href="/inquiries"`) {
		t.Errorf("the first page does not count it: %s", body)
	}
	w.clock.Advance(8 * day)
	legal = w.sit(w.member(staff.Legal))
	if _, body := legal.get("/queue"); !strings.Contains(body, "1 late") {
		t.Errorf("the first page does not say that it is late: %s", body)
	}
	at := fmt.Sprintf("/inquiries/0/%d", letter.Inquiry.ID)
	if status, _ := legal.fill(at, at+"/say", url.Values{"text": {"So."}}); status !=
		http.StatusSeeOther {
		t.Errorf("the answer: %d", status)
	}
	if _, body := legal.get("/queue"); strings.Contains(body, "<strong>1</strong> waiting") {
		t.Errorf("the first page counts what was answered: %s", body)
	}
	if _, body := legal.get("/inquiries"); !strings.Contains(body, at) ||
		!strings.Contains(body, "waits for the writer") {
		t.Errorf("what was answered is not found again: %s", body)
	}
}

// TestHotlinePagesOfStaff: nobody is suspended who was not warned about the same, a second person
// confirms it, and a third decides about the complaint.
func TestHotlinePagesOfStaff(t *testing.T) {
	w := open(t)
	w.lines()
	a, _ := w.office("Hotline", "DE", agency.TrustedFlagger)
	lead := w.sit(w.member(staff.Lead))
	at := fmt.Sprintf("/hotlines/%d", a.ID)
	why := func(words string) url.Values {
		return url.Values{"why": {words}, "days": {"10"}, "misuse": {string(hotline.FalseAlarm)}}
	}
	status, body := lead.fill(at, at+"/suspend", why("It rang for nothing."))
	if status != http.StatusConflict || !strings.Contains(body, "It rang for nothing.") {
		t.Errorf("without a warning: %d", status)
	}
	if status, body := lead.fill(at, at+"/warn", why("It is satire.")); status !=
		http.StatusSeeOther {
		t.Fatalf("warned: %d %s", status, body)
	}
	w.clock.Advance(8 * day)
	lead = w.sit(w.member(staff.Lead))
	legal, third := w.sit(w.member(staff.Legal)), w.sit(w.enrolled("Third", staff.Lead))
	if status, body := lead.fill(at, at+"/suspend", why("It went on.")); status !=
		http.StatusSeeOther {
		t.Fatalf("suspended: %d %s", status, body)
	}
	var list []hotline.Measure
	w.ok(w.store.View(t.Context(), func(r *store.Reader) (err error) {
		list, err = hotline.Measures(r, a.ID)
		return err
	}))
	i := slices.IndexFunc(list, func(m hotline.Measure) bool { return m.Waits() })
	if i < 0 {
		t.Fatalf("no suspension waits for a second person: %+v", list)
	}
	confirm := fmt.Sprintf("%s/confirm/%d", at, list[i].ID)
	if status, _ := lead.fill(at, confirm, url.Values{"said": {"yes"}}); status !=
		http.StatusForbidden {
		t.Errorf("confirmed by who proposed it: %d", status)
	}
	if status, body := legal.fill(at, confirm, url.Values{"said": {"yes"}}); status !=
		http.StatusSeeOther {
		t.Fatalf("confirmed: %d %s", status, body)
	}
	w.ok(w.console.Hotlines.Complain(t.Context(), a.ID, 1, list[i].ID, "It was not."))
	review := fmt.Sprintf("%s/review/%d", at, list[i].ID)
	form := url.Values{"why": {"You are right."}, "outcome": {"reversed"}}
	for _, s := range []*seat{lead, legal} {
		if status, _ := s.fill(at, review, form); status != http.StatusForbidden {
			t.Errorf("by who had a part in it: %d", status)
		}
	}
	if _, body := third.get("/hotlines"); !strings.Contains(body, "Complaints about") {
		t.Errorf("%s", body)
	}
	unsaid := url.Values{"why": {"You are right."}}
	if status, _ := third.fill(at, review, unsaid); status != http.StatusUnprocessableEntity {
		t.Errorf("without saying whether it stays: %d", status)
	}
	if status, _ := third.fill(at, review, form); status != http.StatusSeeOther {
		t.Errorf("by another: %d", status)
	}
	if _, body := third.get(at); !strings.Contains(body, "You are right.") {
		t.Errorf("%s", body)
	}
}

// TestHeldDigests: digests in bulk are in the list of staff until two of them have let them through
// on the page of the submission.
func TestHeldDigests(t *testing.T) {
	w := open(t)
	w.lines() // with no digest a day
	a, _ := w.office("Hotline", "DE", agency.TrustedFlagger)
	got, err := w.console.Hotlines.Submit(t.Context(), a, 0, hotline.Document{
		Reference: "bulk", GoodFaith: true, Category: safety.Violence, Explanation: "It does.",
		Items: []hotline.Named{{SHA256: strings.Repeat("a", 64)}},
	})
	w.ok(err)
	lead, legal := w.sit(w.member(staff.Lead)), w.sit(w.member(staff.Legal))
	at := fmt.Sprintf("/hotlines/%d/%d", a.ID, got.ID)
	pass := fmt.Sprintf("/hotlines/%d/pass/%d", a.ID, got.ID)
	if _, body := lead.get("/hotlines"); !strings.Contains(body, at) {
		t.Errorf("not in the list: %s", body)
	}
	yes := url.Values{"said": {"yes"}}
	if status, body := lead.fill(at, pass, yes); status != http.StatusSeeOther {
		t.Fatalf("the first: %d %s", status, body)
	}
	if status, _ := lead.fill(at, pass, yes); status != http.StatusForbidden {
		t.Errorf("the first again: %d", status)
	}
	if _, body := legal.get(at); !strings.Contains(body, "it takes another one") ||
		!strings.Contains(body, `data-state="held"`) {
		t.Errorf("after the first: %s", body)
	}
	if status, body := legal.fill(at, pass, yes); status != http.StatusSeeOther {
		t.Fatalf("the second: %d %s", status, body)
	}
	if _, body := lead.get(at); !strings.Contains(body, `data-state="received"`) {
		t.Errorf("after the second: %s", body)
	}
	if _, body := lead.get("/hotlines"); strings.Contains(body, at) {
		t.Errorf("still in the list: %s", body)
	}
}

// TestStaffAttaches: a member of staff answers a regulator with files, which are kept as they came
// and handed out as files; nothing is kept of a form that is forged or too large.
func TestStaffAttaches(t *testing.T) {
	w := open(t)
	w.lines()
	a, officer := w.office("Coordinator", "DE", agency.Coordinator)
	i, err := w.console.Inquiries.Ask(t.Context(), a, officer.ID, "Figures", "Where?", nil)
	w.ok(err)
	legal := w.sit(w.member(staff.Legal))
	at := fmt.Sprintf("/inquiries/%d/%d", a.ID, i.ID)
	_, body := legal.get(at)
	token := ""
	for _, m := range formOf.FindAllStringSubmatch(body, -1) {
		if m[1] == at+"/say" {
			token = m[2]
		}
	}
	send := func(token, content string) (int, string) {
		var b bytes.Buffer
		form := multipart.NewWriter(&b)
		w.ok(form.WriteField("token", token))
		w.ok(form.WriteField("text", "Here."))
		file, err := form.CreateFormFile("attach", `../../<b>figures.csv`)
		w.ok(err)
		_, err = file.Write([]byte(content))
		w.ok(err)
		w.ok(form.Close())
		r := httptest.NewRequest("POST", w.url+at+"/say", &b)
		r.Header.Set("Content-Type", form.FormDataContentType())
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		return legal.send(r)
	}
	if status, _ := send("forged", "not kept"); status != http.StatusForbidden {
		t.Errorf("forged: %d", status)
	}
	if status, _ := send(token, strings.Repeat("x", formBytes)); status !=
		http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d", status)
	}
	if status, body := send(token, "1;2"); status != http.StatusSeeOther {
		t.Fatalf("%d %s", status, body)
	}
	var said []inquiry.Line
	w.ok(w.store.View(t.Context(), func(r *store.Reader) (err error) {
		_, said, err = inquiry.Of(r, a.ID, i.ID)
		return err
	}))
	if len(said) != 2 || len(said[1].Files) != 1 || said[1].Files[0].Name != "<b>figures.csv" {
		t.Fatalf("%+v", said)
	}
	if status, body := legal.get(at + "/file/2/0"); status != http.StatusOK || body != "1;2" {
		t.Errorf("%d %q", status, body)
	}
	digest := sha256.Sum256([]byte("not kept"))
	if n, err := w.console.Blobs.ReadAt(t.Context(), digest, make([]byte, 1), 0); n > 0 {
		t.Errorf("a forged form's file was kept: %v", err)
	}
}

// TestSilentLine: the first page says loudly that nobody is on call, that no call could be made, and
// that nobody has answered; and nothing of it while the line wakes somebody.
func TestSilentLine(t *testing.T) {
	w := open(t)
	w.lines()
	lead := w.sit(w.member(staff.Lead))
	expect := func(want string) {
		t.Helper()
		_, body := lead.get("/queue")
		for _, said := range []string{"Nobody is on call", "NOBODY WAS REACHED", "NOBODY HAS ANSWERED"} {
			if strings.Contains(body, said) != (said == want) {
				t.Errorf("%q, want %q: %s", said, want, body)
			}
		}
	}
	expect("Nobody is on call")
	refused := &smtp.DeliveryError{Reason: "no such mailbox"}
	var takes error
	line, err := oncall.New(oncall.Options{
		Store: w.store, Clock: w.clock, Wait: time.Minute, Log: slog.New(slog.DiscardHandler),
		Levels: [][]oncall.Person{{{Name: "Night desk", Mail: "desk@example.org"}}},
		Mail:   func(context.Context, smtp.Letter) error { return takes },
	})
	w.ok(err)
	w.console.OnCall = line
	expect("")
	ring := func(key string) int64 {
		a, _, err := line.Raise(t.Context(), oncall.Emergency{Key: key, Kind: oncall.Test})
		w.ok(err)
		w.ok(line.Step(t.Context()))
		return a.ID
	}
	first := ring("one")
	expect("")
	_, err = line.Confirm(t.Context(), first, "Night desk", "mail")
	w.ok(err)
	w.clock.Advance(time.Second)
	takes = refused
	second := ring("two")
	expect("NOBODY HAS ANSWERED") // there is no other level, so that all are called
	_, err = line.Confirm(t.Context(), second, "Night desk", "mail")
	w.ok(err)
	expect("NOBODY WAS REACHED")
}
