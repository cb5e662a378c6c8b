package console

import (
	"archive/zip"
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/internal/safety"
	"parley/internal/safety/disclose"
	"parley/internal/safety/dsadb"
	"parley/internal/safety/euform"
	"parley/internal/safety/figures"
	"parley/internal/store"
	log "parley/internal/tlog/tally"
	"parley/internal/web/staff"
)

// counted counts nothing in the log, and what the database has.
func (w *world) counted(
	ctx context.Context, p euform.Period,
) (c euform.Counted, waiting bool, err error) {
	c.Tally = new(log.Tally)
	err = w.store.View(ctx, func(r *store.Reader) (err error) {
		c.Form, err = figures.OfForm(r, p.From, p.End())
		return err
	})
	return c, false, err
}

// operator is a complete operator's file for a service without anything to tell.
func operator(t *testing.T) string {
	t.Helper()
	b := new(strings.Builder)
	b.WriteString("provider = \"Example e.V.\"\nservice = \"Example Chat\"\n")
	b.WriteString("published = \"2027-01-10\"\n[moderators]\ninternal = 1\n[texts]\n")
	for _, name := range euform.TextNames() {
		b.WriteString(name + " = \"none\"\n")
	}
	b.WriteString("[recipients]\n")
	for _, state := range euform.MemberStates() {
		b.WriteString(state + " = 1\n")
	}
	return b.String()
}

// TestOfficialReport makes the report of a period: nothing is published that lacks something, and a
// draft never is.
func TestOfficialReport(t *testing.T) {
	w := open(t)
	legal := w.sit(w.member(staff.Legal))
	dir := w.console.Reports.Dir
	form := url.Values{"from": {"2026-01-01"}, "to": {"2026-12-31"}}
	status, body := legal.fill("/forms", "/forms/make", form)
	if status != http.StatusUnprocessableEntity || !strings.Contains(body, "provider") ||
		!strings.Contains(body, `value="2026-12-31"`) {
		t.Errorf("what is missing is not said: %d", status)
	}
	status, body = legal.fill("/forms", "/forms/draft", form)
	if status != http.StatusOK || !strings.HasPrefix(body, "PK") {
		t.Errorf("draft: %d", status)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something lies where reports are published: %v", err)
	}
	form.Set("to", "2030-12-31")
	if status, _ = legal.fill("/forms", "/forms/make", form); status != 422 {
		t.Errorf("a period that is not over: %d", status)
	}
	form.Set("to", "2026-12-31")
	form.Set("operator", operator(t))
	status, body = legal.fill("/forms", "/forms/make", form)
	if status != http.StatusSeeOther {
		t.Fatalf("%d: %s", status, body)
	}
	z, err := zip.OpenReader(filepath.Join(dir, "eu-2024-2835", "2026-01-01.2026-12-31.zip"))
	w.ok(err)
	if len(z.File) != euform.Parts+1 {
		t.Errorf("%d files", len(z.File))
	}
	w.ok(z.Close())
	if list, err := disclose.Forms(dir); err != nil || len(list) != 1 {
		t.Errorf("published: %d, %v", len(list), err)
	}
	_, body = legal.get("/forms")
	if !strings.Contains(body, "eu-2024-2835") || !strings.Contains(body, "2026-12-31") {
		t.Error("the report is not listed")
	}
}

// TestStatementsAgain shows what the EU's database refused, with the reason, and sends it again.
func TestStatementsAgain(t *testing.T) {
	w := open(t)
	by := w.member(staff.Lead)
	x := w.report(w.post("spam"), safety.Harm, "")
	d, err := w.console.Decisions.Decide(t.Context(), w.draft(x, by, safety.Remove))
	w.ok(err)
	w.update(w.channel, func(tx *store.Tx) error {
		s, err := tx.DSAStatement(w.channel, d.ID)
		if err != nil {
			return err
		}
		s.State, s.Problem = int64(dsadb.Rejected), "decision_facts: too <b>short</b>"
		return tx.ChangeDSAStatement(s)
	})
	legal := w.sit(w.member(staff.Legal))
	_, body := legal.get("/statements")
	if !strings.Contains(body, "too &lt;b&gt;short") {
		t.Errorf("the reason is not shown: %s", body)
	}
	row := dsadb.Row{Subject: w.channel, Decision: d.ID}
	at := statementPath(row)
	if _, body = legal.get(at); !strings.Contains(body, "decision_facts") {
		t.Error("the statement is not shown")
	}
	if status, _ := legal.fill(at, at+"/again", url.Values{"redact": {"yes"}}); status != 303 {
		t.Errorf("sent again: %d", status)
	}
	w.ok(w.store.View(t.Context(), func(r *store.Reader) error {
		list, err := dsadb.In(r, dsadb.Owed, 0, 10)
		if len(list) != 1 || !list[0].Redacted {
			t.Errorf("owed: %+v", list)
		}
		return err
	}))
	status, _ := legal.post(at+"/again", url.Values{"token": {legal.token(at + "/again")}})
	if status != http.StatusConflict {
		t.Errorf("sent again twice: %d", status)
	}
}
