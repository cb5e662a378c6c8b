package report_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/internal/tlog/entry"
	"parley/internal/tlog/report"
)

const origin = "parley.example/log"

// history is a log as it grows, and the reports that are published meanwhile.
type history struct {
	*testing.T
	book    *report.Book
	entries [][]byte
	files   [][]byte
}

func newHistory(t *testing.T) *history {
	return &history{T: t, book: report.NewBook(origin)}
}

func (h *history) add(e entry.Entry) {
	h.Helper()
	e.V, e.ID = entry.Version, fmt.Sprintf("%032x", len(h.entries))
	if e.Commitment == "" {
		e.Commitment = strings.Repeat("0", 64)
	}
	b, err := e.Encode()
	if err != nil {
		h.Fatal(err)
	}
	if err := h.book.Add(e); err != nil {
		h.Fatal(err)
	}
	h.entries = append(h.entries, b)
}

// close makes the report of a day.
func (h *history) close(day string) report.Report {
	h.Helper()
	r, err := h.book.Report(day)
	if err != nil {
		h.Fatal(err)
	}
	object, err := r.JSON()
	if err != nil {
		h.Fatal(err)
	}
	table, err := r.CSV()
	if err != nil {
		h.Fatal(err)
	}
	h.files = append(h.files, object, table)
	h.add(entry.Entry{
		Kind: entry.Report, Day: day, Items: h.book.Entries(), Commitment: entry.Digest(object),
	})
	return r
}

// fill has one entry of every kind on two days, with a gag that ends and a corrected settlement.
func (h *history) fill() {
	const first, second = "2026-11-28", "2026-11-29"
	h.add(entry.Entry{
		Kind: entry.Decision, Day: first, Subject: "chat", Items: 1, Accounts: 1, Told: 1,
		Measures: []string{"DECISION_PROVISION_TOTAL_TERMINATION"}, Detected: true,
		Keywords: []string{"KEYWORD_TERRORIST_CONTENT"}, Decided: "AUTOMATED_DECISION_FULLY",
		Source: "SOURCE_VOLUNTARY", Minutes: 3,
	})
	h.add(entry.Entry{Kind: entry.Decision, Day: first, Subject: "message", Minutes: 9})
	h.add(entry.Entry{Kind: entry.Decision, Day: first, Subject: "message", Minutes: 5})
	h.add(entry.Entry{
		Kind: entry.Review, Day: first, Outcome: "upheld", Decided: "AUTOMATED_DECISION_FULLY",
	})
	h.add(entry.Entry{Kind: entry.Settlement, Day: first, Outcome: "upheld"})
	h.add(entry.Entry{Kind: entry.Order, Day: first, Country: "FR", Instrument: "EU_DSA_10"})
	gag := entry.Entry{Kind: entry.Disclosure, Day: first, Country: "FR"}
	gag.People(3, 0)
	h.add(gag)
	h.close(first)
	refused := entry.Entry{Kind: entry.Refusal, Day: second, Country: "IR", Reason: "overbroad"}
	refused.People(1200, 1200)
	h.add(refused)
	end := entry.Entry{Kind: entry.Told, Day: first, Country: "FR", Untold: gag.Untold}
	end.Told = entry.Band(3)
	h.add(end)
	h.add(entry.Entry{Kind: entry.Correction, Day: first, Was: "upheld", Outcome: "reversed"})
	h.add(entry.Entry{
		Kind: entry.Review, Day: second, Outcome: "reversed", Decided: "AUTOMATED_DECISION_FULLY",
	})
	h.add(entry.Entry{Kind: entry.Appeal, Day: second, Outcome: "partly", Minutes: 61})
	h.close(second)
}

// TestFormat: the published bytes of version 1. A change here is a new version of the format.
func TestFormat(t *testing.T) {
	h := newHistory(t)
	h.fill()
	for i, name := range []string{"first.json", "first.csv", "second.json", "second.csv"} {
		at := filepath.Join("testdata", name)
		want, err := os.ReadFile(at)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(h.files[i], want) {
			t.Errorf("%s is now:\n%s", at, h.files[i])
		}
	}
}

// TestUnaskedIsNoRequest: what the service tells authorities of its own accord is no answer to any.
func TestUnaskedIsNoRequest(t *testing.T) {
	h := newHistory(t)
	for _, in := range []string{
		entry.CrimeSuspected, entry.ChildAbuseReported, entry.CrimeSuspected,
	} {
		h.add(entry.Entry{Kind: entry.Disclosure, Day: "2026-11-28", Instrument: in})
	}
	r := h.close("2026-11-28")
	if got := r.Today; got.Reported[entry.CrimeSuspected] != 2 || len(got.Requests) != 0 ||
		r.Month.Reported[entry.ChildAbuseReported] != 1 {
		t.Errorf("%+v", got)
	}
}

// TestFigures: precision is measured, bands add up, and what changes later is a correction.
func TestFigures(t *testing.T) {
	h := newHistory(t)
	h.fill()
	r, err := report.Parse(h.files[2])
	if err != nil {
		t.Fatal(err)
	}
	if m := r.Month; m.AutomatedShare != "0.3333" || m.AutomatedPrecision != "0.5000" {
		t.Errorf("share %q, precision %q", m.AutomatedShare, m.AutomatedPrecision)
	}
	if fr := r.Month.Requests["FR"]; fr.Accounts != "1-4" || fr.Told != "1-4" || fr.Untold != "0" {
		t.Errorf("FR: %+v", fr)
	}
	if ir := r.Month.Requests["IR"]; ir.Accounts != "1000+" || ir.Refused != 1 {
		t.Errorf("IR: %+v", ir)
	}
	for _, want := range []report.Correction{
		{Day: "2026-11-28", Figure: "requests.FR.untold", Was: "1-4", Is: "0"},
		{Day: "2026-11-28", Figure: "settlements.reversed", Was: "0", Is: "1"},
	} {
		found := false
		for _, c := range r.Corrections {
			found = found || c == want
		}
		if !found {
			t.Errorf("%+v is not among %+v", want, r.Corrections)
		}
	}
}

// TestDifferencing: who has the whole log and every report, and takes the difference of any two,
// learns no number of people more exactly than by its band. Histories that differ in nothing but
// exact numbers of the same bands are the same bytes.
func TestDifferencing(t *testing.T) {
	kinds := []entry.Kind{entry.Order, entry.Effect, entry.Refusal, entry.Disclosure}
	within := func(r *rand.Rand, n int64) int64 {
		least := entry.Band(n)
		most, _ := entry.BandEnd(least)
		return least + r.Int64N(most-least+1)
	}
	for seed := range uint64(50) {
		one, other := newHistory(t), newHistory(t)
		shape, blur := rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 2))
		for day := 1; day < 8; day++ {
			for range shape.IntN(4) {
				e := entry.Entry{
					Kind: kinds[shape.IntN(len(kinds))], Minutes: shape.Int64N(90),
					Day: fmt.Sprintf("2026-11-%02d", 1+shape.IntN(day)), Country: "FR",
				}
				told := shape.Int64N(40)
				untold := shape.Int64N(8)
				same := e
				e.People(told+untold, told)
				one.add(e)
				same.Accounts = entry.Band(within(blur, told+untold))
				same.Told = entry.Band(within(blur, told))
				same.Untold = entry.Band(within(blur, untold))
				other.add(same)
			}
			one.close(fmt.Sprintf("2026-11-%02d", day))
			other.close(fmt.Sprintf("2026-11-%02d", day))
		}
		for i := range one.files {
			if !bytes.Equal(one.files[i], other.files[i]) {
				t.Fatalf("history %d can be told apart:\n%s\n%s", seed, one.files[i],
					other.files[i])
			}
		}
		for i := range one.entries {
			if !bytes.Equal(one.entries[i], other.entries[i]) {
				t.Fatalf("history %d can be told apart in entry %d", seed, i)
			}
		}
	}
}
