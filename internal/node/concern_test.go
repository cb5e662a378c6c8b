package node

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/store"
	"parley/internal/web/page"
)

// hostile is text that would run if it became markup.
const hostile = `"><img src=x onerror=alert(1)><script>alert(1)</script>`

// removal is a complete decision to remove a post.
func removal(subject safety.Subject) decide.Draft {
	return decide.Draft{
		Subject: subject, Ground: safety.Illegal, Reference: "Penal code, section 1 " + hostile,
		Explanation: "It is forbidden. " + hostile, Facts: "It says so. " + hostile,
		Category: safety.Violence, Source: safety.Article16, By: safety.Actor{Staff: 1},
		Means:    safety.Means{Decided: safety.NotAutomated},
		Measures: []safety.MeasureSpec{{Measure: safety.Remove}},
	}
}

// look reads a page that has to be there, and checks that nothing on it became markup.
func (v *visitor) look(at string) string {
	v.w.t.Helper()
	status, body := v.get(at)
	if status != http.StatusOK || strings.Contains(body, "<script") ||
		strings.Contains(body, "<img") {
		v.w.t.Fatalf("%s: %d %s", at, status, body)
	}
	return body
}

// TestNoticeToOutcome: whoever gave notice sees on its page how it ended, complains if it led to
// nothing, talks with the reviewer, and sees the answer.
func TestNoticeToOutcome(t *testing.T) {
	w := newWorld(t)
	owner := w.join("Member 1")
	peer := w.publicChannel(owner, "some_news", "one")
	v := w.visitor()
	_, body := v.post("/notice", violent("@some_news/2"))
	at := "/r/" + refs(body)[0]
	if body = v.look(at + "?lang=fa"); !strings.Contains(body, "در انتظار بررسی") ||
		!strings.Contains(body, `dir="rtl"`) {
		t.Errorf("the state in Persian: %s", body)
	}
	report := w.reports(peer)[2]
	_, err := w.n.Decisions.Dismiss(ctx(), peer, report.Case, safety.Actor{Staff: 1},
		casefile.Refuted, "It is satire. "+hostile)
	if err != nil {
		t.Fatal(err)
	}
	body = v.look(at)
	for _, want := range []string{"no measure was taken", "It is satire.", "out-of-court", `id="say"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the outcome lacks %q: %s", want, body)
		}
	}
	if strings.Contains(body, "member1@example.org") || strings.Contains(body, "calls for harm") {
		t.Error("the page repeats who reported, or what")
	}
	status, body := v.post(at, url.Values{"text": {"It is not. " + hostile}})
	if status != http.StatusSeeOther {
		t.Fatalf("the complaint: %d %s", status, body)
	}
	if body = v.look(at); !strings.Contains(body, "It is not.") || !strings.Contains(body, "examining") {
		t.Errorf("after the complaint: %s", body)
	}
	var filed appeal.Appeal
	err = w.n.Store.View(ctx(), func(r *store.Reader) error {
		list, err := appeal.Waiting(r, 0, 9)
		if err == nil && len(list) == 1 {
			filed = list[0]
		}
		return err
	})
	if err != nil || filed.Report != report.ID {
		t.Fatalf("complaints that wait: %+v, %v", filed, err)
	}
	if err := w.n.Appeals.Say(ctx(), peer, filed.ID, 2, 0, "Who says so? "+hostile); err != nil {
		t.Fatal(err)
	}
	if status, _ = v.post(at, url.Values{"text": {"The court."}}); status != http.StatusSeeOther {
		t.Errorf("the answer: %d", status)
	}
	body = v.look(at)
	if strings.Index(body, "Who says so?") > strings.Index(body, "The court.") ||
		!strings.Contains(body, "Reviewer") {
		t.Errorf("the dialogue: %s", body)
	}
	_, err = w.n.Appeals.Decide(ctx(), peer, filed.ID, appeal.Ruling{
		Staff: 2, Outcome: appeal.Reversed, Reason: "The court says so.",
	})
	if err != nil {
		t.Fatal(err)
	}
	body = v.look(at)
	if !strings.Contains(body, "you are right") || !strings.Contains(body, "The court says so.") ||
		strings.Contains(body, `id="say"`) {
		t.Errorf("the answer to the complaint: %s", body)
	}
}

// decided removes a post of a channel, and returns the decision's page and that of all decisions
// about its author.
func (w *world) decided(d decide.Draft) (decision decide.Decision, one, all string) {
	w.t.Helper()
	decision, err := w.n.Decisions.Decide(ctx(), d)
	if err != nil {
		w.t.Fatal(err)
	}
	refs := w.n.safetyReferences()
	return decision, "/s/" + refs.Make(safety.StatementRef, d.Subject.Peer, decision.ID),
		"/p/" + refs.Make(safety.PersonRef, d.Subject.Author.Peer(), 0)
}

// TestStatementPage: the reasons are complete in every language; whom they concern complains on the
// page, twice is once, and an empty form loses nothing.
func TestStatementPage(t *testing.T) {
	w := newWorld(t)
	owner := w.join("Member 1")
	peer := w.publicChannel(owner, "some_news", "one")
	v := w.visitor()
	subject := safety.Subject{Peer: peer, Kind: safety.Message, Item: 2, Author: owner.self}
	decision, one, all := w.decided(removal(subject))
	for _, l := range page.Languages() {
		body := v.look(one + "?lang=" + l.Code)
		for _, part := range []string{"subject", "measures", "territory", "duration", "facts",
			"source", "means", "law", "explanation", "redress", "reference"} {
			if !strings.Contains(body, `id="part-`+part+`"`) {
				t.Errorf("%s: the statement lacks %s", l.Code, part)
			}
		}
		if l.RTL != strings.Contains(body, `dir="rtl"`) {
			t.Errorf("%s has the wrong direction", l.Code)
		}
		if body = v.look(all + "?lang=" + l.Code); !strings.Contains(body, "Penal code") {
			t.Errorf("%s: the list lacks the decision", l.Code)
		}
	}
	if status, _ := v.post(one, url.Values{"text": {""}}); status != http.StatusUnprocessableEntity {
		t.Errorf("an empty complaint: %d", status)
	}
	long := strings.Repeat("x", 5001)
	if status, body := v.post(one, url.Values{"text": {long}}); !strings.Contains(body, long) {
		t.Errorf("a long complaint is lost: %d", status)
	}
	for range 2 {
		if status, _ := v.post(one, url.Values{"text": {"No."}}); status != http.StatusSeeOther {
			t.Errorf("the complaint: %d", status)
		}
	}
	err := w.n.Store.View(ctx(), func(r *store.Reader) error {
		list, err := appeal.Of(r, peer, decision.ID)
		if len(list) != 1 || list[0].User != owner.self {
			t.Errorf("complaints: %+v", list)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.n.Decisions.Lift(ctx(), peer, decision.ID, safety.Actor{Staff: 1}, "wrong")
	if err != nil {
		t.Fatal(err)
	}
	if body := v.look(one); !strings.Contains(body, "was lifted") {
		t.Errorf("after it was lifted: %s", body)
	}
	w.clock.Advance(time.Hour)
	if body := v.look(all); !strings.Contains(body, "was lifted") {
		t.Errorf("the list after it was lifted: %s", body)
	}
}

// TestBarredDecisionIsNotThere: what a legal bar withholds is on no page until the bar ends.
func TestBarredDecisionIsNotThere(t *testing.T) {
	w := newWorld(t)
	owner := w.join("Member 1")
	peer := w.publicChannel(owner, "some_news", "one")
	v := w.visitor()
	d := removal(safety.Subject{Peer: peer, Kind: safety.Message, Item: 2, Author: owner.self})
	d.Bar = &decide.Bar{Basis: "Order 1", Until: w.clock.Now().Add(24 * time.Hour).Unix()}
	_, one, all := w.decided(d)
	if status, body := v.get(one); status != http.StatusNotFound {
		t.Errorf("a barred decision: %d %s", status, body)
	}
	if body := v.look(all); !strings.Contains(body, "Nothing was decided") {
		t.Errorf("the list has a barred decision: %s", body)
	}
	w.clock.Advance(25 * time.Hour)
	v.look(one)
	if body := v.look(all); !strings.Contains(body, "Penal code") {
		t.Errorf("the list after the bar: %s", body)
	}
}

// TestWrongReferences: whatever is wrong with a reference, the answer is the same, and guessing ends.
func TestWrongReferences(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	refs, peer := w.n.safetyReferences(), ids.ChannelID(7).Peer()
	good := refs.Make(safety.ReportRef, peer, 1)
	var first string
	for i, at := range []string{
		"/r/R", "/r/" + good, "/r/" + refs.Make(safety.StatementRef, peer, 1), "/s/" + good,
		"/s/" + refs.Make(safety.StatementRef, peer, 1), "/p/" + good,
		"/p/" + refs.Make(safety.PersonRef, peer, 1), "/r/" + good[:len(good)-1] + "A",
		"/r/%3Cscript%3E",
	} {
		status, body := v.get(at)
		body = regexp.MustCompile(`href="[^"]*"`).ReplaceAllString(body, "")
		if i == 0 {
			first = body
		}
		if status != http.StatusNotFound || body != first {
			t.Errorf("%s: %d, or other words", at, status)
		}
	}
	status := 0
	for range 30 {
		status, _ = v.get("/r/" + good[:len(good)-1] + "A")
	}
	if status != http.StatusTooManyRequests {
		t.Errorf("guessing on: %d", status)
	}
}

// TestFindLeadsToPages: a typed reference leads to its page whatever it is of.
func TestFindLeadsToPages(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	refs, peer := w.n.safetyReferences(), ids.ChannelID(7).Peer()
	for path, kind := range map[string]safety.RefKind{
		"/r/": safety.ReportRef, "/s/": safety.StatementRef, "/p/": safety.PersonRef,
	} {
		ref := refs.Make(kind, peer, 1)
		typed := strings.ToLower(ref[:9] + " " + ref[9:20] + "-" + ref[20:])
		status, body := v.get("/status?reference=" + url.QueryEscape(typed))
		if status != http.StatusSeeOther || !strings.Contains(body, path+ref) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, body := v.get("/status?reference=Rx"); status != 404 || !strings.Contains(body, `value="Rx"`) {
		t.Errorf("a wrong reference: %d", status)
	}
	// Telegram's address of a preview.
	if status, body := v.get("/s/some_news"); status != 303 || !strings.Contains(body, "/some_news") {
		t.Errorf("a preview: %d %s", status, body)
	}
}
