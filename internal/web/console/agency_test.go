package console

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"parley/internal/safety/agency"
	"parley/internal/safety/words"
	"parley/internal/store"
	"parley/internal/web/staff"
)

// found is the only agency of a name.
func (w *world) found(country, name string) (a agency.Agency) {
	w.t.Helper()
	w.ok(w.store.View(w.t.Context(), func(r *store.Reader) (err error) {
		a, err = agency.ByName(r, country, name)
		return err
	}))
	return a
}

// TestOnboarding lets an agency and an officer in: proposed and called by one, approved by another;
// nobody does it alone, and nothing that is shown once is shown again.
func TestOnboarding(t *testing.T) {
	w := open(t)
	lead, legal := w.sit(w.member(staff.Lead)), w.sit(w.member(staff.Legal))
	form := url.Values{
		"name": {"Media Authority"}, "country": {"de"}, "kind": {"regulator"},
		"answer_lang": {"de"}, "officials": {"A. Example; Head\nB. Example; Desk"},
		"agreement": {strings.Repeat("a", 64)}, "numbers": {"+49 30 1234 567"},
	}
	bad := url.Values{"name": {"Half"}, "officials": {"A. Example; Head"}}
	status, body := lead.fill("/agencies", "/agencies/propose", bad)
	if status != http.StatusUnprocessableEntity || !strings.Contains(body, `value="Half"`) {
		t.Errorf("what is missing is not said beside what was typed: %d", status)
	}
	for _, lang := range words.Authorities() {
		if !strings.Contains(body, `<option value="`+lang+`" lang="`+lang+`">`) {
			t.Errorf("the form does not offer answers in %s", lang)
		}
	}
	if status, to := lead.fill("/agencies", "/agencies/propose", form); status != 303 {
		t.Fatalf("%d %s", status, to)
	}
	at := agencyPath(w.found("DE", "Media Authority").ID)
	call := func(number string) url.Values {
		return url.Values{"number": {number}, "source": {"3"}, "where": {"register, page 3"},
			"spoke": {"B, desk"}, "said": {"confirmed"}}
	}
	status, body = lead.fill(at, at+"/verify", call("030 1234567"))
	if status != http.StatusUnprocessableEntity || !strings.Contains(body, "proves nothing") {
		t.Errorf("the agency's own number: %d", status)
	}
	if status, _ = lead.fill(at, at+"/verify", call(keptNumber)); status != 303 {
		t.Fatalf("called: %d", status)
	}
	if _, body = lead.get(at); strings.Contains(body, at+"/approve") {
		t.Error("who called is asked to approve")
	}
	status, _ = lead.post(at+"/approve", url.Values{"token": {lead.token(at + "/approve")}})
	if status != http.StatusForbidden {
		t.Errorf("who called approved: %d", status)
	}
	if status, _ = legal.fill(at, at+"/approve", url.Values{}); status != 303 {
		t.Fatalf("approved: %d", status)
	}
	w.officers(t, lead, legal, at)
	w.programs(t, legal, at)
	w.renumbered(t, lead, legal, at)
	for _, want := range []string{"Proposed", "Called", "Approved", "Officer approved", "register"} {
		if _, body = legal.get(at); !strings.Contains(body, want) {
			t.Errorf("the events lack %q", want)
		}
	}
	if status, _ = legal.fill(at, at+"/suspend", url.Values{"why": {"the desk was robbed"}}); status != 303 ||
		w.found("DE", "Media Authority").State != agency.Suspended {
		t.Errorf("suspended: %d", status)
	}
}

// renumbered gives the agency another number to be called at, which takes two people.
func (w *world) renumbered(t *testing.T, lead, legal *seat, at string) {
	t.Helper()
	const next = "+49 40 7770 123"
	call := url.Values{
		"number": {next}, "source": {"3"}, "where": {"register, page 4"}, "spoke": {"B, desk"},
		"said": {"confirmed"}, "heard": {"2"}, "former": {"three times in two days"},
	}
	status, body := lead.fill(at, at+"/attest", call)
	if status != http.StatusUnprocessableEntity || !strings.Contains(body, "not the number") {
		t.Errorf("another number with the standing: %d", status)
	}
	if status, _ = lead.fill(at, at+"/number", call); status != 303 {
		t.Fatalf("proposed: %d", status)
	}
	if _, body = lead.get(at); strings.Contains(body, `name="said" value="yes"`) {
		t.Error("who called the number is asked to approve it")
	}
	if status, _ = legal.fill(at, at+"/number/answer", url.Values{"said": {"yes"}}); status != 303 {
		t.Fatalf("approved: %d", status)
	}
	if got := w.found("DE", "Media Authority").Check.Number; got != next {
		t.Errorf("it is called at %s", got)
	}
}

// officers lets an officer in, and takes his keys again.
func (w *world) officers(t *testing.T, lead, legal *seat, at string) {
	t.Helper()
	_, shown := lead.fill(at, at+"/officer",
		url.Values{"name": {"Officer One"}, "supervisor": {"yes"}})
	link := regexp.MustCompile(`id="enrol-link"[^>]*>https://example.org/e\?token=([^<]+)<`).
		FindStringSubmatch(shown)
	if link == nil {
		t.Fatal("the link is not shown to who proposed him")
	}
	_, body := legal.get(at)
	m := regexp.MustCompile(regexp.QuoteMeta(at) + `/officer/(\d+)/approve`).FindStringSubmatch(body)
	if m == nil {
		t.Fatal("no officer waits for approval")
	}
	person := fmt.Sprintf("%s/officer/%s", at, m[1])
	status, _ := lead.post(person+"/approve", url.Values{"token": {lead.token(person + "/approve")}})
	if status != http.StatusForbidden {
		t.Errorf("who proposed the officer approved him: %d", status)
	}
	_, body = legal.fill(at, person+"/approve", url.Values{})
	code := regexp.MustCompile(`id="enrol-code"[^>]*>([^<]+)<`).FindStringSubmatch(body)
	if code == nil || strings.Contains(body, link[1]) {
		t.Fatal("who approves him is not shown the code, or the link as well")
	}
	if _, body = legal.get(at); strings.Contains(body, code[1]) {
		t.Error("the code is shown twice")
	}
	o, err := w.console.Agencies.Bind(t.Context(), agency.Both(link[1], code[1]),
		agency.Credential{ID: "k", Body: []byte{1}})
	w.ok(err)
	for _, step := range []struct {
		form string
		want agency.State
	}{
		{"/attest", agency.Active}, {"/suspend", agency.Suspended}, {"/reset", agency.Proposed},
	} {
		legal.fill(at, person+step.form, url.Values{"why": {"B, desk"}})
		w.ok(w.store.View(t.Context(), func(r *store.Reader) (err error) {
			o, err = agency.OfficerOf(r, o.Agency, o.ID)
			return err
		}))
		if o.State != step.want {
			t.Errorf("after %s the officer is %d", step.form, o.State)
		}
	}
}

// programs makes a key and revokes it.
func (w *world) programs(t *testing.T, legal *seat, at string) {
	t.Helper()
	_, body := legal.fill(at, at+"/key", url.Values{"label": {"intake"}, "days": {"30"}})
	secret := regexp.MustCompile(`id="agency-secret"[^>]*>([^<]+)<`).FindStringSubmatch(body)
	if secret == nil {
		t.Fatal("the key is not shown")
	}
	if _, err := w.console.Agencies.ByKey(t.Context(), secret[1]); err != nil {
		t.Errorf("the key: %v", err)
	}
	_, body = legal.get(at)
	if strings.Contains(body, secret[1]) {
		t.Error("the key is shown twice")
	}
	m := regexp.MustCompile(regexp.QuoteMeta(at) + `/key/\d+/revoke`).FindString(body)
	legal.fill(at, m, url.Values{})
	if _, err := w.console.Agencies.ByKey(t.Context(), secret[1]); err == nil {
		t.Error("a revoked key is good")
	}
}
