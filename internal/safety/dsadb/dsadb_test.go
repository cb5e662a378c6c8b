package dsadb_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/safety"
	"parley/internal/safety/decide"
	"parley/internal/safety/dsadb"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

func ctx() context.Context { return context.Background() }

// sender is a service that sends to a database.
func sender(w *safetytest.World, d *database) *dsadb.Service {
	client := dsadb.NewClient(d.url(), token, time.Minute, w.Clock.Now)
	return dsadb.New(dsadb.Options{
		Store: w.Store, Clock: w.Clock, Log: slog.New(slog.DiscardHandler), Send: client.Send,
		Terms: "https://chat.example.org/terms",
	})
}

// decided makes decisions about posts.
func decided(w *safetytest.World, n int, change func(i int, d *decide.Draft)) []decide.Decision {
	w.Helper()
	var out []decide.Decision
	for i := range n {
		draft := safetytest.Draft(0, w.Post("text"))
		if change != nil {
			change(i, &draft)
		}
		out = append(out, w.Decide(draft))
	}
	return out
}

// deliver runs the service and fails on errors other than that the database failed.
func deliver(w *safetytest.World, s *dsadb.Service) (sent int, failed *dsadb.PauseError) {
	w.Helper()
	sent, err := s.Deliver(ctx())
	if err != nil && !errors.As(err, &failed) {
		w.Fatal(err)
	}
	return sent, failed
}

// state is the state of the statement about a decision.
func state(w *safetytest.World, s *dsadb.Service, d decide.Decision) dsadb.Row {
	w.Helper()
	row, err := s.Compose(ctx(), d.Subject.Peer, d.ID)
	if err != nil {
		w.Fatal(err)
	}
	return row
}

func world(t *testing.T) *safetytest.World { return safetytest.New(t, storetest.SQLite(t)) }

// TestEveryDecisionArrivesOnce sends more statements than a call takes, twice.
func TestEveryDecisionArrivesOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := safetytest.New(t, s)
		d := newDatabase(t)
		service := sender(w, d)
		all := decided(w, dsadb.Batch+5, nil)
		w.Decide(func() decide.Draft {
			spam := safetytest.Draft(0, w.Post("spam"))
			spam.NoStatement = true
			return spam
		}())
		w.Decide(func() decide.Draft {
			ordered := safetytest.Draft(0, w.Post("ordered"))
			ordered.Article9 = true
			return ordered
		}())
		if n, failed := deliver(w, service); n != len(all) || failed != nil {
			t.Fatalf("sent %d, %v", n, failed)
		}
		if n, _ := deliver(w, service); n != 0 || len(d.kept) != len(all) {
			t.Errorf("sent %d again; the database has %d", n, len(d.kept))
		}
		if fmt.Sprint(d.batches) != "[100 5]" {
			t.Errorf("calls of %v", d.batches)
		}
		row := state(w, service, all[3])
		if row.State != dsadb.Delivered || row.Receipt != "uuid-"+row.StatementOfReason.PUID {
			t.Errorf("%s, %q", row.State, row.Receipt)
		}
	})
}

// TestStatementsSayWhatWasDecided looks at what arrives for each measure and kind of subject.
func TestStatementsSayWhatWasDecided(t *testing.T) {
	w := world(t)
	d := newDatabase(t)
	service := sender(w, d)
	ends := w.Clock.Now().Add(48 * time.Hour).Unix()
	post := decided(w, 1, func(_ int, x *decide.Draft) {
		x.Ground, x.Source, x.Means.Detected = safety.Illegal, safety.Article16, true
		x.Measures = []safety.MeasureSpec{
			{Measure: safety.Disable, Territory: []string{"DE", "US"}, Ends: ends},
			{Measure: safety.Demote, Territory: []string{"FR"}, Ends: ends + 86400},
		}
	})[0]
	account := safetytest.Draft(0, safety.Subject{
		Peer: safetytest.Author.Peer(), Kind: safety.Account, Author: safetytest.Author,
	})
	account.ContentType = nil
	account.Measures = []safety.MeasureSpec{
		{Measure: safety.Suspend, Ends: ends}, {Measure: safety.LimitSending},
	}
	suspended := w.Decide(account)
	if n, failed := deliver(w, service); n != 2 || failed != nil {
		t.Fatalf("sent %d, %v: %v", n, failed, state(w, service, post).Problem)
	}
	got := d.kept[state(w, service, post).StatementOfReason.PUID]
	for field, want := range map[string]string{
		"decision_visibility": "[DECISION_VISIBILITY_CONTENT_DEMOTED " +
			"DECISION_VISIBILITY_CONTENT_DISABLED]",
		"territorial_scope":               "[DE FR]",
		"end_date_visibility_restriction": "2027-01-18",
		"application_date":                "2027-01-15", "content_date": "2027-01-15",
		"illegal_content_legal_ground": "Terms, rule 3", "automated_detection": "Yes",
		"content_language": "EN", "content_type": "[CONTENT_TYPE_TEXT]",
		"source_type": "SOURCE_ARTICLE_16", "incompatible_content_ground": "<nil>",
	} {
		if fmt.Sprint(got[field]) != want {
			t.Errorf("%s is %v, want %s", field, got[field], want)
		}
	}
	got = d.kept[state(w, service, suspended).StatementOfReason.PUID]
	for field, want := range map[string]string{
		"decision_account":             "DECISION_ACCOUNT_SUSPENDED",
		"decision_provision":           "DECISION_PROVISION_PARTIAL_SUSPENSION",
		"end_date_account_restriction": "2027-01-17", "end_date_service_restriction": "<nil>",
		"content_type_other": "User account", "decision_visibility": "<nil>",
		"decision_ground_reference_url": "https://chat.example.org/terms",
	} {
		if fmt.Sprint(got[field]) != want {
			t.Errorf("%s is %v, want %s", field, got[field], want)
		}
	}
	if n := len(got["territorial_scope"].([]any)); n != 30 {
		t.Errorf("%d countries, want all", n)
	}
}

// TestTheNameIsThatOfTheLine: whoever reads log and database can tell that no decision is missing.
func TestTheNameIsThatOfTheLine(t *testing.T) {
	w := world(t)
	d := newDatabase(t)
	service := sender(w, d)
	decided(w, 3, nil)
	deliver(w, service)
	w.View(func(r *store.Reader) error {
		rows, err := r.PendingLedgerRows(10)
		for _, row := range rows {
			var e struct{ ID string }
			if err := json.Unmarshal(row.Entry, &e); err != nil {
				return err
			}
			if d.kept[e.ID] == nil {
				t.Errorf("no statement of line %s", e.ID)
			}
		}
		if len(rows) != 3 {
			t.Errorf("%d lines", len(rows))
		}
		return err
	})
}

// TestFailuresLoseNothing has the database fail in each way that it can, one after another.
func TestFailuresLoseNothing(t *testing.T) {
	for name, c := range map[string]struct {
		answer answer
		status int
		pause  time.Duration
	}{
		"denied":       {status(401), 401, 15 * time.Minute},
		"too often":    {status(429, "Retry-After", "77"), 429, 77 * time.Second},
		"broken":       {status(500), 500, 30 * time.Second},
		"away":         {status(503, "Retry-After", "600"), 503, 10 * time.Minute},
		"elsewhere":    {status(302, "Location", "/login"), 302, 30 * time.Second},
		"answer lost":  {lost, 0, 30 * time.Second},
		"not an API":   {status(201), 201, 30 * time.Second},
		"wrong method": {status(404), 404, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			w := world(t)
			d := newDatabase(t)
			service := sender(w, d)
			all := decided(w, 4, nil)
			d.answers(c.answer)
			n, failed := deliver(w, service)
			if n != 0 || failed == nil || failed.Status != c.status {
				t.Fatalf("sent %d, %v", n, failed)
			}
			calls := d.calls
			w.Clock.Advance(c.pause - time.Second)
			if deliver(w, service); d.calls != calls {
				t.Errorf("asked again before %s were over", c.pause)
			}
			w.Clock.Advance(2 * time.Second)
			if _, failed := deliver(w, service); failed != nil {
				t.Fatal(failed)
			}
			for _, x := range all {
				if got := state(w, service, x); got.State != dsadb.Delivered {
					t.Errorf("%s: %s", got.State, got.Problem)
				}
			}
			if len(d.kept) != len(all) {
				t.Errorf("the database has %d of %d", len(d.kept), len(all))
			}
		})
	}
}

// TestARetryDateIsHonoured: Retry-After may be a time.
func TestARetryDateIsHonoured(t *testing.T) {
	w := world(t)
	d := newDatabase(t)
	service := sender(w, d)
	decided(w, 1, nil)
	at := w.Clock.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	d.answers(status(429, "Retry-After", at))
	_, failed := deliver(w, service)
	if failed == nil || failed.After != time.Hour {
		t.Fatalf("%+v", failed)
	}
}

// TestOneBadStatementHoldsUpNoOther has the database refuse one of several for a reason that is not
// known here: by name, without a name, or because it is too large.
func TestOneBadStatementHoldsUpNoOther(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter, at int){
		"named": func(w http.ResponseWriter, at int) {
			reply(w, 422, map[string]any{"errors": map[string]any{
				fmt.Sprintf("statement_%d", at): map[string]any{"category": []string{"no"}},
			}})
		},
		"not named": func(w http.ResponseWriter, _ int) {
			reply(w, 422, map[string]any{"message": "something is wrong"})
		},
		"too large": func(w http.ResponseWriter, _ int) {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := world(t)
			d := newDatabase(t)
			service := sender(w, d)
			all := decided(w, 9, func(i int, x *decide.Draft) { x.Facts = fmt.Sprint("fact ", i) })
			d.refuse = func(w http.ResponseWriter, list []map[string]any) bool {
				for i, x := range list {
					if x["decision_facts"] == "fact 6" {
						answer(w, i)
						return true
					}
				}
				return false
			}
			if _, failed := deliver(w, service); failed != nil {
				t.Fatal(failed)
			}
			for i, x := range all {
				want := dsadb.Delivered
				if i == 6 {
					want = dsadb.Rejected
				}
				if got := state(w, service, x); got.State != want {
					t.Errorf("statement %d is %s: %s", i, got.State, got.Problem)
				}
			}
			bad := all[6]
			if state(w, service, bad).Problem == "" {
				t.Error("no reason is kept")
			}
			d.refuse = nil
			err := dsadb.Retry(ctx(), w.Store, w.Clock, bad.Subject.Peer, bad.ID, false)
			if err != nil {
				t.Fatal(err)
			}
			if n, failed := deliver(w, service); n != 1 || failed != nil {
				t.Errorf("sent %d again, %v", n, failed)
			}
			err = dsadb.Retry(ctx(), w.Store, w.Clock, bad.Subject.Peer, bad.ID, false)
			if !errors.Is(err, decide.ErrState) {
				t.Errorf("what is delivered: %v", err)
			}
		})
	}
}

// TestExistingNamesAreAskedFor: a name that is taken counts as delivered only when the statement is
// there.
func TestExistingNamesAreAskedFor(t *testing.T) {
	w := world(t)
	d := newDatabase(t)
	service := sender(w, d)
	all := decided(w, 3, nil)
	held := state(w, service, all[1]).StatementOfReason.PUID
	d.held = []string{held}
	if n, failed := deliver(w, service); n != 2 || failed != nil {
		t.Fatalf("sent %d, %v", n, failed)
	}
	if got := state(w, service, all[1]); got.State != dsadb.Owed || got.Tries != 1 {
		t.Errorf("%s after %d tries", got.State, got.Tries)
	}
	d.held = nil
	w.Clock.Advance(time.Minute)
	if n, failed := deliver(w, service); n != 1 || failed != nil {
		t.Errorf("sent %d, %v", n, failed)
	}
}

// TestPersonalDataIsHeld: what looks like personal data is not sent before somebody looked.
func TestPersonalDataIsHeld(t *testing.T) {
	w := world(t)
	d := newDatabase(t)
	service := sender(w, d)
	x := decided(w, 1, func(_ int, x *decide.Draft) {
		x.Facts = "He writes from a.person@example.org and +49 30 901820, as @somebody_else."
	})[0]
	if n, failed := deliver(w, service); n != 0 || failed != nil || d.calls != 0 {
		t.Fatalf("sent %d in %d calls, %v", n, d.calls, failed)
	}
	got := state(w, service, x)
	if got.State != dsadb.Held || strings.Contains(got.Problem, "example.org") {
		t.Fatalf("%s: %s", got.State, got.Problem)
	}
	err := dsadb.Retry(ctx(), w.Store, w.Clock, x.Subject.Peer, x.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	if n, failed := deliver(w, service); n != 1 || failed != nil {
		t.Fatalf("sent %d, %v: %s", n, failed, state(w, service, x).Problem)
	}
	facts := fmt.Sprint(d.kept[got.StatementOfReason.PUID]["decision_facts"])
	if facts != "He writes from […] and […], as […]." {
		t.Errorf("sent %q", facts)
	}
}

// TestWhatIsOutsideOfTheUnion is owed no statement.
func TestWhatIsOutsideOfTheUnion(t *testing.T) {
	w := world(t)
	d := newDatabase(t)
	service := sender(w, d)
	x := decided(w, 1, func(_ int, x *decide.Draft) {
		x.Measures = []safety.MeasureSpec{
			{Measure: safety.Disable, Territory: []string{"BR"}},
		}
	})[0]
	deliver(w, service)
	if got := state(w, service, x); got.State != dsadb.Exempt || d.calls != 0 {
		t.Errorf("%s in %d calls", got.State, d.calls)
	}
}

// TestBarredStatementsWait: what the person concerned may not be told is not published.
func TestBarredStatementsWait(t *testing.T) {
	w := world(t)
	d := newDatabase(t)
	service := sender(w, d)
	all := decided(w, 2, func(i int, x *decide.Draft) {
		x.Bar = &decide.Bar{Basis: "Court order"}
		if i == 0 {
			x.Bar.Until = w.Clock.Now().Add(time.Hour).Unix()
		}
	})
	if n, _ := deliver(w, service); n != 0 {
		t.Fatal("sent while it is forbidden to tell")
	}
	w.Clock.Advance(2 * time.Hour)
	if n, _ := deliver(w, service); n != 1 {
		t.Errorf("sent %d after one bar ended", n)
	}
	err := w.Decisions.LiftBar(ctx(), all[1].Subject.Peer, all[1].ID, safety.Actor{Staff: 7},
		"The court lifted it.")
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := deliver(w, service); n != 1 {
		t.Errorf("sent %d after the other was lifted", n)
	}
}

// TestDryRun writes each statement down once, sends nothing, and all is sent afterwards.
func TestDryRun(t *testing.T) {
	w := world(t)
	d := newDatabase(t)
	dir := t.TempDir()
	dry := dsadb.New(dsadb.Options{
		Store: w.Store, Clock: w.Clock, Log: slog.New(slog.DiscardHandler),
		Show: dsadb.Directory(dir, w.Clock.Now),
	})
	decided(w, 3, nil)
	for range 2 {
		if n, failed := deliver(w, dry); n != 0 || failed != nil {
			t.Fatalf("sent %d, %v", n, failed)
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, "2027-01-15.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	for _, line := range lines {
		var x map[string]any
		if err := json.Unmarshal([]byte(line), &x); err != nil || len(breaks(x)) > 0 {
			t.Errorf("%s: %v, %v", line, err, breaks(x))
		}
	}
	if len(lines) != 3 || d.calls != 0 {
		t.Errorf("%d lines, %d calls", len(lines), d.calls)
	}
	if n, _ := deliver(w, sender(w, d)); n != 3 {
		t.Errorf("sent %d once sending was on", n)
	}
}
