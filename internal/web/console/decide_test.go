package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/chat/media"
	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/safety/evidence"
	"parley/internal/store"
	"parley/internal/web/staff"
)

// complete are the fields of a decision's form, all of them good.
func complete(more url.Values) url.Values {
	v := url.Values{
		"ground": {string(safety.Incompatible)}, "reference": {"Terms: 1"},
		"explanation": {"It is against the terms."}, "facts": {"It was read."},
		"kind": {string(safety.ScamsAndFraud)}, "measure": {"remove"}, "step": {"confirm"},
	}
	for name, values := range more {
		v[name] = values
	}
	return v
}

// TestFormSaysWhatIsWrong: what a decision lacks is said beside what was typed.
func TestFormSaysWhatIsWrong(t *testing.T) {
	w := open(t)
	s := w.sit(w.member(staff.Moderator))
	c := w.report(w.post("x"), safety.Harm, "")
	s.fill("/queue", "/next", url.Values{})
	at := casePath(c) + "/decide"
	for field, wrong := range map[string]url.Values{
		"Name the legal provision":      {"reference": {""}},
		"Choose a category":             {"kind": {""}},
		"Choose at least one measure":   {"measure": nil},
		"The number of days is not one": {"days": {"-1"}},
		"two-letter code":               {"measure": {"disable"}, "territory": {"Germany"}},
		"Say what the label says":       {"measure": {"label"}},
		"A statement of reasons is owed": {
			"no_statement": {"yes"}, "kind": {string(safety.Violence)},
		},
		"Choose whether it is against the": {"ground": {""}},
	} {
		status, body := s.fill(at, at, complete(wrong))
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, field) ||
			!strings.Contains(body, "It was read.") {
			t.Errorf("%s: %d", field, status)
		}
	}
	if w.state(c) != casefile.InReview {
		t.Errorf("the case is %s", w.state(c))
	}
	status, body := s.fill(at, at, complete(url.Values{"step": {"preview"}}))
	if status != http.StatusOK || !strings.Contains(body, "What it will do") || w.gone(1) {
		t.Errorf("the preview: %d", status)
	}
	if status, _ := s.fill(at, at, complete(nil)); status != http.StatusSeeOther || !w.gone(1) {
		t.Errorf("deciding: %d", status)
	}
}

// TestTwoPeople: the end of a chat is proposed by one, with a fresh proof, and approved by another.
func TestTwoPeople(t *testing.T) {
	w := open(t)
	lead := w.member(staff.Lead)
	s := w.sit(lead)
	c := w.allege(safety.Subject{Peer: w.channel, Kind: safety.Chat, Author: author},
		safety.Harm, "")
	s.fill("/queue", "/next", url.Values{})
	at := casePath(c) + "/decide"
	w.clock.Advance(12 * time.Minute)
	end := complete(url.Values{"measure": {"terminate"}})
	status, body := s.fill(at, at, end)
	if status != http.StatusForbidden || !strings.Contains(body, "Is it still you?") {
		t.Fatalf("something strong without a fresh proof: %d", status)
	}
	end.Set("prove_password", "wrong password")
	end.Set("prove_code", "000000")
	if status, _ := s.fill(at, at, end); status != http.StatusForbidden {
		t.Errorf("a wrong proof: %d", status)
	}
	end.Set("prove_password", password)
	end.Set("prove_code", w.code(lead.secret))
	status, to := s.fill(at, at, end)
	if status != http.StatusSeeOther || !strings.Contains(to, "proposed") {
		t.Fatalf("proposing: %d %s", status, to)
	}
	decision, _, _ := strings.Cut(to, "?")
	if got := w.terminated(); got {
		t.Fatal("one person ended a chat")
	}
	token := url.Values{"token": {s.token(decision + "/approve")}}
	if status, _ := s.post(decision+"/approve", token); status != http.StatusForbidden {
		t.Errorf("who proposed it approves it: %d", status)
	}
	if got := w.refusals(lead.ID); !slices.Contains(got, "approve") {
		t.Errorf("the audit has %v", got)
	}
	other := w.sit(w.member(staff.Legal))
	if _, body := other.get("/approvals"); !strings.Contains(body, decision) {
		t.Error("the proposal is not listed")
	}
	if status, _ := other.fill(decision, decision+"/approve", url.Values{}); status != 303 {
		t.Errorf("approving: %d", status)
	}
	if !w.terminated() {
		t.Error("what two people decided has no effect")
	}
}

// terminated tells whether the channel was ended.
func (w *world) terminated() bool {
	w.t.Helper()
	var c store.Chat
	err := w.store.View(context.Background(), func(r *store.Reader) (err error) {
		c, err = r.Chat(w.channel)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return c.Flags.Has(store.ChatTerminated)
}

// TestMassAndBack decides many cases together, approves and lifts them, and counts what came back.
func TestMassAndBack(t *testing.T) {
	w := open(t)
	s := w.sit(w.member(staff.Lead))
	var refs []string
	const many = 60 // above the world's threshold
	for range many {
		c := w.report(w.post("spam"), safety.Spam, "")
		refs = append(refs, fmt.Sprintf("%d/%d", c.Subject, c.ID))
	}
	status, body := s.fill("/queue/spam", "/mass", url.Values{"case": refs})
	if status != http.StatusOK || !strings.Contains(body, "60 cases") {
		t.Fatalf("the form: %d", status)
	}
	form := complete(url.Values{"case": refs, "reason": {"one campaign"}, "step": {"preview"}})
	_, body = s.fill("/queue/spam", "/mass", form)
	if !strings.Contains(body, "second person") || w.gone(1) {
		t.Error("the preview does not say that it takes two people")
	}
	form.Set("step", "confirm")
	status, to := s.fill("/queue/spam", "/mass", form)
	if status != http.StatusSeeOther || w.gone(1) {
		t.Fatalf("proposing: %d %s", status, to)
	}
	batch, _, _ := strings.Cut(to, "?")
	if _, body := s.get(batch); strings.Contains(body, batch+"/approve") {
		t.Error("who proposed it is offered to approve it")
	}
	other := w.sit(w.member(staff.Legal))
	if status, _ := other.fill(batch, batch+"/approve", url.Values{}); status != 303 || !w.gone(1) {
		t.Fatalf("approving: %d", status)
	}
	why := url.Values{"why": {"the rule was wrong"}}
	if status, _ := other.fill(batch, batch+"/lift", why); status != 303 || w.gone(1) {
		t.Errorf("lifting: %d", status)
	}
	if _, body := other.get(batch); !strings.Contains(body, "60 applied, 60 put back") {
		t.Error("the page does not say what was put back")
	}
}

// TestOtherReviewer: a complaint goes to somebody else than who decided, who reverses it.
func TestOtherReviewer(t *testing.T) {
	w := open(t)
	first := w.member(staff.Moderator)
	c := w.report(w.post("a joke"), safety.Harm, "")
	made, err := w.console.Decisions.Decide(t.Context(), w.draft(c, first, safety.Remove))
	if err != nil {
		t.Fatal(err)
	}
	a, err := w.console.Appeals.FileAgainst(t.Context(), w.channel, made.ID,
		appeal.Person{User: author}, "en", "it was a joke")
	if err != nil {
		t.Fatal(err)
	}
	s, at := w.sit(first), appealPath(a)
	if _, to := s.fill("/queue", "/next", url.Values{}); !strings.Contains(to, "nothing") {
		t.Errorf("who decided is handed the complaint: %s", to)
	}
	take := url.Values{"token": {s.token(at + "/take")}}
	if status, _ := s.post(at+"/take", take); status != http.StatusForbidden {
		t.Errorf("who decided takes the complaint: %d", status)
	}
	other := w.sit(w.enrolled("Other", staff.Moderator))
	_, to := other.fill("/queue", "/next", url.Values{})
	if _, to = other.get(to); to != at {
		t.Fatalf("the next case leads to %s", to)
	}
	if _, body := other.get(at); !strings.Contains(body, "it was a joke") ||
		!strings.Contains(body, "a joke") {
		t.Error("the reviewer does not see complaint and evidence")
	}
	ruling := url.Values{"ruling": {"reversed"}, "why": {"It was one."}}
	if status, _ := other.fill(at, at+"/decide", ruling); status != http.StatusSeeOther {
		t.Errorf("ruling: %d", status)
	}
	if w.gone(made.Subject.Item) {
		t.Error("what was reversed is not back")
	}
}

// TestSamples: a sampled decision is looked at by another, and undone when it was wrong.
func TestSamples(t *testing.T) {
	w := open(t)
	by := w.member(staff.Moderator)
	var sampled decide.Decision
	for !sampled.Sampled {
		d := w.draft(w.report(w.post("spam"), safety.Spam, ""), by, safety.Remove)
		d.NoStatement = true
		var err error
		if sampled, err = w.console.Decisions.Decide(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if _, body := w.sit(by).get("/sample"); strings.Contains(body, fmt.Sprint(sampled.ID)) {
		t.Error("who decided is shown his own sample")
	}
	other := w.sit(w.enrolled("Other", staff.Moderator))
	at := fmt.Sprintf("/sample/%d/%d", w.channel, sampled.ID)
	status, _ := other.fill("/sample", at, url.Values{"verdict": {"wrong"}, "note": {"no spam"}})
	if status != http.StatusSeeOther || w.gone(sampled.Subject.Item) {
		t.Errorf("a wrong decision stays: %d", status)
	}
}

// TestMediaOrigin: a file is had by its address alone, for a moment, and can do nothing.
func TestMediaOrigin(t *testing.T) {
	w := open(t)
	m := w.member(staff.Moderator)
	s := w.sit(m)
	page := w.file(media.DocumentKind, "text/html", "x.html", []byte("<script>1</script>"), nil)
	c := w.report(w.post("look", page), safety.Harm, "")
	s.fill("/queue", "/next", url.Values{})
	at := casePath(c) + "/reveal"
	ask := func(file string) (int, string) {
		return s.post(at, url.Values{"token": {s.token(at)}, "file": {file}})
	}
	if got, err := w.evidenceOf(c); err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	if status, _ := ask("7"); status != http.StatusNotFound {
		t.Errorf("a file that the case does not have: %d", status)
	}
	status, body := ask("0")
	var granted struct{ URL, Kind string }
	if err := json.Unmarshal([]byte(body), &granted); err != nil || status != http.StatusOK {
		t.Fatal(status, body, err)
	}
	load := func(address string) *http.Response {
		rec := httptest.NewRecorder()
		w.console.ServeHTTP(rec, httptest.NewRequest("GET", address, nil))
		return rec.Result()
	}
	res := load(granted.URL)
	h := res.Header
	if res.StatusCode != http.StatusOK || h.Get("Content-Type") != "application/octet-stream" ||
		!strings.HasPrefix(h.Get("Content-Disposition"), "attachment") ||
		h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Set-Cookie") != "" ||
		!strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("a page of people: %d %v", res.StatusCode, h)
	}
	if res := load(granted.URL[:len(granted.URL)-2] + "AA"); res.StatusCode != 404 {
		t.Errorf("a forged address: %d", res.StatusCode)
	}
	if res := load(strings.Replace(granted.URL, mediaAt, pagesAt, 1)); res.StatusCode != 404 {
		t.Errorf("a file at the pages' origin: %d", res.StatusCode)
	}
	w.clock.Advance(grantTime)
	if res := load(granted.URL); res.StatusCode != http.StatusNotFound {
		t.Errorf("an address that has run out: %d", res.StatusCode)
	}
	if got := w.done(m.ID); got[0] != staff.Reveal {
		t.Errorf("the audit has %v", got)
	}
}

func (w *world) evidenceOf(c store.Case) (out []evidence.File, err error) {
	err = w.store.View(context.Background(), func(r *store.Reader) error {
		list, err := evidence.Of(r, c.Subject, c.ID)
		out = filesOf(list)
		return err
	})
	return out, err
}
