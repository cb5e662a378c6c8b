package node

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/store"
)

// verifier builds the program that strangers check receipts with, and returns a function that runs
// it on a receipt.
func (w *world) verifier() func(receipt string) (said string, inOrder bool) {
	w.t.Helper()
	program := filepath.Join(w.t.TempDir(), "parley-verify")
	out, err := exec.Command("go", "build", "-o", program, "parley/cmd/parley-verify").CombinedOutput()
	if err != nil {
		w.t.Fatalf("%v: %s", err, out)
	}
	return func(receipt string) (string, bool) {
		w.t.Helper()
		at := filepath.Join(w.t.TempDir(), "receipt.json")
		if err := os.WriteFile(at, []byte(receipt), 0o600); err != nil {
			w.t.Fatal(err)
		}
		t := w.n.transparency
		out, err := exec.Command(program, "receipt", at, "--origin", t.log.Origin(),
			"--key", strings.Fields(t.keys.Public())[0]).CombinedOutput()
		return string(out), err == nil
	}
}

// publish has everything that waits published.
func (w *world) publish() {
	w.t.Helper()
	if err := w.n.Disclose(ctx()); err != nil {
		w.t.Fatal(err)
	}
}

// TestReceiptOfAStatement: the person concerned is told to come back until the decision is published,
// and then gets a file by which the verifier says what was decided; later another about its end.
func TestReceiptOfAStatement(t *testing.T) {
	w := newWorld(t)
	owner := w.join("Member 1")
	peer := w.publicChannel(owner, "some_news", "one")
	v := w.visitor()
	decision, one, _ := w.decided(removal(safety.Subject{
		Peer: peer, Kind: safety.Message, Item: 2, Author: owner.self,
	}))
	if body := v.look(one); !strings.Contains(body, one+"/receipt/decision") {
		t.Errorf("the page has no link to its receipt: %s", body)
	}
	if status, body := v.get(one + "/receipt"); status != http.StatusServiceUnavailable ||
		!strings.Contains(body, `"retry_after":60`) {
		t.Errorf("too early, to a program: %d %s", status, body)
	}
	r := httptest.NewRequest(http.MethodGet, w.cfg.Web.PublicURL+one+"/receipt", nil)
	r.Header.Set("Accept", "text/html,*/*;q=0.8")
	if status, body := v.send(r); status != http.StatusServiceUnavailable ||
		!strings.Contains(body, "Come back in a minute") {
		t.Errorf("too early, to a person: %d %s", status, body)
	}
	if status, _ := v.get(one + "/receipt/end"); status != http.StatusNotFound {
		t.Errorf("the end of what goes on: %d", status)
	}
	w.publish()
	check := w.verifier()
	status, receipt := v.get(one + "/receipt")
	said, good := check(receipt)
	if status != http.StatusOK || !good || !strings.Contains(said, "decision of 2026-03-01") ||
		!strings.Contains(said, "It is forbidden.") {
		t.Errorf("%d, %v: %s", status, good, said)
	}
	if said, good = check(strings.Replace(receipt, `"index": 0`, `"index": 1`, 1)); good {
		t.Errorf("a changed receipt is in order: %s", said)
	}
	_, err := w.n.Decisions.Lift(ctx(), peer, decision.ID, safety.Actor{Staff: 1}, "wrong")
	if err != nil {
		t.Fatal(err)
	}
	w.publish()
	_, receipt = v.get(one + "/receipt/end")
	if said, good = check(receipt); !good || !strings.Contains(said, "lift of 2026-03-01") {
		t.Errorf("the end: %s", said)
	}
}

// TestReceiptOfANotice: who gave notice gets a receipt that does not say whom the decision hit, and
// one of the answer to his complaint; what a legal bar withholds has none.
func TestReceiptOfANotice(t *testing.T) {
	w := newWorld(t)
	owner := w.join("Member 1")
	peer := w.publicChannel(owner, "some_news", "one", "two")
	v := w.visitor()
	_, body := v.post("/notice", violent("@some_news/2"))
	at := "/r/" + refs(body)[0]
	if status, _ := v.get(at + "/receipt"); status != http.StatusNotFound {
		t.Errorf("before it is decided: %d", status)
	}
	_, err := w.n.Decisions.Dismiss(ctx(), peer, w.reports(peer)[2].Case, safety.Actor{Staff: 1},
		casefile.Refuted, "It is satire.")
	if err != nil {
		t.Fatal(err)
	}
	w.publish()
	check := w.verifier()
	_, receipt := v.get(at + "/receipt")
	said, good := check(receipt)
	if !good || !strings.Contains(said, "no-action of") ||
		!strings.Contains(said, "does not say whom") || strings.Contains(receipt, `"salt"`) {
		t.Errorf("the notifier's receipt: %s\n%s", said, receipt)
	}
	if status, _ := v.post(at, url.Values{"text": {"It is not."}}); status != http.StatusSeeOther {
		t.Fatalf("the complaint: %d", status)
	}
	if status, _ := v.get(at + "/receipt/complaint"); status != http.StatusNotFound {
		t.Errorf("of a complaint that is open: %d", status)
	}
	w.answer(appeal.Upheld, "It is.")
	w.publish()
	_, receipt = v.get(at + "/receipt/complaint")
	if said, good = check(receipt); !good || !strings.Contains(said, "appeal of") ||
		!strings.Contains(said, "It is.") {
		t.Errorf("the receipt of the answer: %s", said)
	}
	barred := removal(safety.Subject{Peer: peer, Kind: safety.Message, Item: 3, Author: owner.self})
	barred.Bar = &decide.Bar{Basis: "Order 1", Until: w.clock.Now().Unix() + 1000}
	_, one, _ := w.decided(barred)
	w.publish()
	if status, _ := v.get(one + "/receipt"); status != http.StatusNotFound {
		t.Errorf("a barred decision: %d", status)
	}
}

// answer decides the one complaint that waits.
func (w *world) answer(outcome appeal.State, reason string) {
	w.t.Helper()
	var list []appeal.Appeal
	err := w.n.Store.View(ctx(), func(r *store.Reader) (err error) {
		list, err = appeal.Waiting(r, 0, 1)
		return err
	})
	if err != nil || len(list) != 1 {
		w.t.Fatalf("complaints that wait: %+v, %v", list, err)
	}
	_, err = w.n.Appeals.Decide(ctx(), list[0].Subject, list[0].ID, appeal.Ruling{
		Staff: 2, Outcome: outcome, Reason: reason,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}
