package node

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/casefile"
	"parley/internal/store"
	"parley/internal/web/officer/officertest"
)

// flagger is an agency with a program and an officer at the public door.
type flagger struct {
	w       *world
	server  *httptest.Server
	agency  agency.Agency
	key     string
	browser *officertest.Browser
}

// serve lets the public door be reached as a browser does.
func (w *world) serve() *httptest.Server {
	w.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		door, err := w.n.public()
		if err != nil {
			w.t.Error(err)
			return
		}
		door.ServeHTTP(rw, r)
	}))
	w.t.Cleanup(server.Close)
	w.close()
	// The key of answers is bound to the name under which the server was reached before.
	if err := os.Remove(filepath.Join(w.dir, "keys", "answers.key")); err != nil {
		w.t.Fatal(err)
	}
	w.cfg.Web.PublicURL = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	w.open()
	return server
}

// flagger lets an agency in.
func (w *world) flagger(s *httptest.Server, name string, k agency.Kind) *flagger {
	w.t.Helper()
	office := officertest.NewOffice(w.t, w.n.Store, w.clock)
	f := &flagger{w: w, server: s, agency: office.Onboard(name, "DE", k)}
	var err error
	f.key, err = office.IssueKey(ctx(), officertest.Proposer, f.agency.ID, "program",
		w.clock.Now().Add(24*time.Hour).Unix())
	if err != nil {
		w.t.Fatal(err)
	}
	_, token := office.Link(f.agency.ID, "Officer", agency.Member)
	f.browser = officertest.NewBrowser(w.t, s)
	if got := f.browser.Enrol(token); got.Status != http.StatusOK {
		w.t.Fatalf("enrolling: %d %s", got.Status, got.Body)
	}
	return f
}

// call calls the interface and returns the status and the answer.
func (f *flagger) call(method, at, body string) (int, map[string]any) {
	f.w.t.Helper()
	status, text := f.raw(method, at, body)
	var out map[string]any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		f.w.t.Fatalf("%s %s: %d %s", method, at, status, text)
	}
	return status, out
}

func (f *flagger) raw(method, at, body string) (int, string) {
	f.w.t.Helper()
	r, err := http.NewRequest(method, f.server.URL+"/hotline/api/v1"+at, strings.NewReader(body))
	if err != nil {
		f.w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+f.key)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		f.w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		f.w.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// items are the items of an answer.
func items(answer map[string]any) (out []map[string]any) {
	list, _ := answer["items"].([]any)
	for _, x := range list {
		i, _ := x.(map[string]any)
		out = append(out, i)
	}
	return out
}

// takenUp has what was reported taken up.
func (w *world) takenUp() {
	w.t.Helper()
	if err := w.n.Hotlines.Step(ctx()); err != nil {
		w.t.Fatal(err)
	}
}

// end decides a post: it is removed, or nothing is done.
func (w *world) end(peer ids.Peer, owner ids.UserID, post int64, remove bool) {
	w.t.Helper()
	s := safety.Subject{Peer: peer, Kind: safety.Message, Item: post, Author: owner}
	var err error
	if remove {
		d := removal(s)
		d.Source = safety.TrustedFlagger
		_, err = w.n.Decisions.Decide(ctx(), d)
	} else {
		var c store.Case
		err = w.n.Store.View(ctx(), func(r *store.Reader) (err error) {
			c, err = r.OpenCase(casefile.About(s, 0))
			return err
		})
		if err == nil {
			_, err = w.n.Decisions.Dismiss(ctx(), peer, c.ID, safety.Actor{Staff: 1},
				casefile.Refuted, "It is satire.")
		}
	}
	if err == nil {
		_, err = w.n.Statements.Deliver(ctx())
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

const twoPosts = `{"submission":"2026-1","good_faith":true,"category":"STATEMENT_CATEGORY_VIOLENCE",
"explanation":"It calls for harm.","items":[{"id":"a","location":"@some_news/2"},
{"id":"b","location":"@some_news/3"}]}`

// TestHotlineInterface: a program reports in bulk, has a receipt for each thing at once, sees how
// each ended and what can be done about it, and gets proofs that the verifier of strangers takes.
func TestHotlineInterface(t *testing.T) {
	w := newWorld(t)
	server := w.serve()
	owner := w.join("Member 1")
	peer := w.publicChannel(owner, "some_news", "one", "two")
	f := w.flagger(server, "Hotline", agency.TrustedFlagger)
	other := w.flagger(server, "Another", agency.Organisation)
	status, got := f.call(http.MethodPost, "/submissions", twoPosts)
	list := items(got)
	if status != http.StatusCreated || len(list) != 2 || list[0]["id"] != "a" ||
		list[0]["state"] != "received" || list[1]["promised"] == nil {
		t.Fatalf("%d %v", status, got)
	}
	status, again := f.call(http.MethodPost, "/submissions", twoPosts)
	if status != http.StatusOK || again["reference"] != got["reference"] || again["again"] != true {
		t.Errorf("again: %d %v", status, again)
	}
	w.takenUp()
	ref, _ := list[0]["reference"].(string)
	second, _ := list[1]["reference"].(string)
	if status, i := f.call(http.MethodGet, "/items/"+ref, ""); status != http.StatusOK ||
		i["state"] != "in-review" || i["status"] == nil {
		t.Errorf("%d %v", status, i)
	}
	if status, _ := f.call(http.MethodGet, "/items/"+ref+"/receipt", ""); status !=
		http.StatusNotFound {
		t.Errorf("a proof before the decision: %d", status)
	}
	w.clock.Advance(time.Hour)
	w.end(peer, owner.self, 2, true)
	w.end(peer, owner.self, 3, false)
	if status, fault := f.call(http.MethodGet, "/items/"+ref+"/receipt", ""); status !=
		http.StatusServiceUnavailable || fault["error"] == nil {
		t.Errorf("too early: %d %v", status, fault)
	}
	w.publish()
	check := w.verifier()
	for of, want := range map[string]string{ref: "decision of", second: "no-action of"} {
		status, receipt := f.raw(http.MethodGet, "/items/"+of+"/receipt", "")
		said, good := check(receipt)
		if status != http.StatusOK || !good || !strings.Contains(said, want) ||
			strings.Contains(receipt, `"salt"`) {
			t.Errorf("%d %v %s: %s", status, good, said, receipt)
		}
	}
	_, i := f.call(http.MethodGet, "/items/"+second, "")
	decision, _ := i["decision"].(map[string]any)
	if i["outcome"] != "rejected" || decision["complaint"] != i["status"] {
		t.Errorf("%v", i)
	}
	if _, decided := f.call(http.MethodGet, "/decided?since=1", ""); len(items(decided)) != 2 {
		t.Errorf("%v", decided)
	}
	_, figures := f.call(http.MethodGet, "/figures", "")
	record, _ := figures["record"].(map[string]any)
	if record["decided"] != 2.0 || record["upheld"] != 1.0 || record["rejected"] != 1.0 {
		t.Errorf("%v", figures)
	}
	for _, at := range []string{
		"/items/" + ref, "/items/" + ref + "/receipt", "/submissions/" + ref,
	} {
		if status, _ := other.call(http.MethodGet, at, ""); status != http.StatusNotFound {
			t.Errorf("another agency at %s: %d", at, status)
		}
	}
}

// TestHotlineFaults: each fault of a program is told apart, and names its field.
func TestHotlineFaults(t *testing.T) {
	w := newWorld(t)
	f := w.flagger(w.serve(), "Hotline", agency.TrustedFlagger)
	for body, want := range map[string]string{
		"{":            "400 json",
		`{"x":1}`:      "400 json",
		twoPosts + "{": "400 json",
		strings.Replace(twoPosts, "_VIOLENCE", "_X", 1):        "422 incomplete items[0].category",
		strings.Replace(twoPosts, "@some_news/3", "", 1):       "422 incomplete items[1].location",
		`{"submission":"` + strings.Repeat("x", 5<<20) + `"}`:  "413 large",
		strings.Replace(twoPosts, `"good_faith":true,`, "", 1): "422 incomplete good_faith",
	} {
		status, got := f.call(http.MethodPost, "/submissions", body)
		fault, _ := got["error"].(map[string]any)
		said := ""
		if list, _ := fault["problems"].([]any); len(list) > 0 {
			p, _ := list[0].(map[string]any)
			said, _ = p["field"].(string)
		}
		code, _ := fault["code"].(string)
		is := strings.TrimSpace(strings.Join([]string{strconv.Itoa(status), code, said}, " "))
		if is != want {
			t.Errorf("%.60s: %s, want %s", body, is, want)
		}
	}
	f.key = "nothing"
	if status, _ := f.call(http.MethodGet, "/submissions", ""); status != http.StatusUnauthorized {
		t.Errorf("without a key: %d", status)
	}
}

// TestHotlinePages: an officer reports on the page, sees the outcome there and gets the proof; what
// he got wrong is named with its line; an emergency wakes somebody.
func TestHotlinePages(t *testing.T) {
	w, _, p, _ := withLine(t)
	server := w.serve()
	owner := w.join("Member 1")
	peer := w.publicChannel(owner, "some_news", "one")
	f := w.flagger(server, "Hotline", agency.Organisation)
	b := f.browser
	page := b.Get("/hotline?lang=fa")
	if page.Status != http.StatusOK || !strings.Contains(page.Body, `dir="rtl"`) {
		t.Fatalf("%d %s", page.Status, page.Body)
	}
	form := page.Hidden("/hotline/submit")
	for k, v := range map[string]string{
		"places": "@some_news/2\n\n" + strings.Repeat("x", 3000), "good_faith": "yes",
		"emergency": "yes", "kind": "STATEMENT_CATEGORY_SELF_HARM",
		"explanation": "It calls for it.",
	} {
		form.Set(k, v)
	}
	if got := b.Post("/hotline/submit", form); got.Status != http.StatusUnprocessableEntity ||
		!strings.Contains(got.Body, `href="#places"`) || !strings.Contains(got.Body, "سطر 3") {
		t.Errorf("a line that is too long: %d %s", got.Status, got.Body)
	}
	form.Set("places", "@some_news/2")
	got := b.Post("/hotline/submit", form)
	if got.Status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	at := got.Header.Get("Location")
	w.ring()
	if calls := p.take(); len(calls) != 1 || calls[0]["kind"] != "hotline" {
		t.Errorf("woken: %v", calls)
	}
	w.takenUp()
	if got := b.Get(at); !strings.Contains(got.Body, `data-state="in-review"`) {
		t.Errorf("%s", got.Body)
	}
	w.end(peer, owner.self, 2, true)
	got = b.Get(at)
	if !strings.Contains(got.Body, `data-outcome="upheld"`) {
		t.Errorf("%s", got.Body)
	}
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Get(u.Path + "/proof"); got.Status != http.StatusServiceUnavailable {
		t.Errorf("too early: %d", got.Status)
	}
	w.publish()
	proof := b.Get(u.Path + "/proof")
	if said, good := w.verifier()(proof.Body); !good {
		t.Errorf("%d %s: %s", proof.Status, said, proof.Body)
	}
	for _, at := range []string{"/hotline/figures", "/hotline/measures"} {
		if got := b.Get(at); got.Status != http.StatusOK {
			t.Errorf("%s: %d", at, got.Status)
		}
	}
	police := w.flagger(server, "Police", agency.Police)
	if got := police.browser.Get("/hotline"); got.Status != http.StatusNotFound {
		t.Errorf("an authority at the hotlines' door: %d", got.Status)
	}
}
