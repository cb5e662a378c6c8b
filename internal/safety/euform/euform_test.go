package euform_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"parley/internal/safety/euform"
	"parley/internal/safety/figures"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/tally"
)

func period() euform.Period {
	return euform.Period{
		From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		To:   time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC),
	}
}

// operator is a complete operator's file.
func operator() euform.Operator {
	o := euform.Operator{
		Provider: "Example e.V.", Service: "Chat", Published: "2027-02-20",
		Texts: map[string]string{}, Other: map[string]string{
			"STATEMENT_CATEGORY_SCAMS_AND_FRAUD": "Sales of votes.",
			"STATEMENT_CATEGORY_VIOLENCE":        "Threats.",
		},
	}
	for _, name := range euform.TextNames() {
		o.Texts[name] = "What there is to say about " + name + "."
	}
	return o
}

// counted are measures, orders, notices and complaints of several classes.
func counted() euform.Counted {
	t := tally.New()
	add := func(n int, e entry.Entry) {
		for range n {
			t.Add(&e)
		}
	}
	removal := entry.Entry{
		Kind: entry.Decision, Ground: "DECISION_GROUND_ILLEGAL_CONTENT",
		Source: "SOURCE_VOLUNTARY", Category: "STATEMENT_CATEGORY_SCAMS_AND_FRAUD",
		Keywords: []string{"KEYWORD_PHISHING"}, Detected: true, Decided: tally.Fully, Lang: "DE",
		Measures: []string{"DECISION_VISIBILITY_CONTENT_REMOVED"},
	}
	add(7, removal)
	noticed, terms, other := removal, removal, removal
	noticed.Source = "SOURCE_ARTICLE_16"
	add(3, noticed)
	terms.Ground, terms.Decided = "DECISION_GROUND_INCOMPATIBLE_CONTENT", "AUTOMATED_DECISION_PARTIALLY"
	terms.Measures = []string{"DECISION_ACCOUNT_SUSPENDED", "DECISION_PROVISION_PARTIAL_SUSPENSION"}
	add(5, terms)
	other.Keywords = nil
	add(2, other)
	add(3, entry.Entry{Kind: entry.Review, Decided: tally.Fully, Source: "SOURCE_VOLUNTARY", Outcome: "upheld"})
	add(1, entry.Entry{Kind: entry.Review, Decided: tally.Fully, Source: "SOURCE_VOLUNTARY", Outcome: "reversed"})
	order := entry.Entry{
		Kind: entry.Order, Country: "DE", Instrument: entry.ActOnContent,
		Category: "STATEMENT_CATEGORY_VIOLENCE", Items: 5, Minutes: 30,
	}
	add(2, order)
	order.Kind, order.Outcome, order.Minutes = entry.Effect, "full", 180
	add(1, order)
	order.Minutes = 60
	add(1, order)
	add(4, entry.Entry{Kind: entry.Order, Country: "FR", Instrument: entry.GiveInformation})
	add(9, entry.Entry{Kind: entry.Order, Country: "US", Instrument: entry.ActOnContent})
	return euform.Counted{Tally: t, Form: figures.Form{
		Notices: map[figures.NoticeClass]*figures.NoticeCount{
			{Category: "STATEMENT_CATEGORY_VIOLENCE"}: {
				Notices: 2, Items: 3, Illegal: 1, Terms: 1, Decided: 2,
				Took: tally.Times{60: 1, 120: 1},
			},
			{Flagged: true}: {Notices: 4, Items: 4, Decided: 1, Automated: 1},
		},
		Complaints: map[tally.Complaint]*figures.Complaints{
			tally.AboutVisibility: {
				Total: 5, Upheld: 2, Partly: 1, Reversed: 1, Omitted: 1,
				Took: tally.Times{600: 4},
			},
			tally.AboutNotice: {Total: 1},
		},
		Settlements: figures.Complaints{Total: 2, Reversed: 2, Implemented: 1},
	}}
}

func fill(t *testing.T) euform.Report {
	t.Helper()
	r, err := euform.Fill(period(), operator(), counted())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// cell is the cell in a column of the only row that begins with some words in some columns.
func cell(t *testing.T, r euform.Report, part int, at map[int]string, column int) string {
	t.Helper()
	var found []string
	for _, row := range r.Parts[part-1].Rows[1:] {
		fits := true
		for c, text := range at {
			fits = fits && strings.TrimSpace(row[c]) == text
		}
		if fits {
			found = append(found, row[column])
		}
	}
	if len(found) == 0 {
		t.Fatalf("part %d has no row %v", part, at)
	}
	return found[0]
}

func TestFiguresStandInTheirCells(t *testing.T) {
	r := fill(t)
	for _, p := range euform.Check(r) {
		t.Error(p)
	}
	scams, violence := "STATEMENT_CATEGORY_SCAMS_AND_FRAUD", "STATEMENT_CATEGORY_VIOLENCE"
	complaints := "Number of complaints submitted to the internal-complaints mechanism"
	for _, x := range []struct {
		part   int
		at     map[int]string
		column int
		want   string
	}{
		{1, map[int]string{2: "Ending date of reporting period"}, 3, "2026-12-31"},
		{3, map[int]string{3: "TOTAL", 5: "TOTAL"}, 6, "2"},
		{3, map[int]string{3: violence, 5: "TOTAL"}, 7, "10"},
		{3, map[int]string{3: violence, 5: "DE"}, 8, "0.5000"},
		{3, map[int]string{3: violence, 5: "DE"}, 9, "2.0000"},
		{3, map[int]string{3: violence, 5: "FR"}, 6, "0"},
		{3, map[int]string{3: violence, 5: "FR"}, 9, ""},
		{3, map[int]string{3: "STATEMENT_CATEGORY_NOT_SPECIFIED_ORDER", 5: "FR"}, 10, "4"},
		{4, map[int]string{3: "TOTAL"}, 5, "6"},
		{4, map[int]string{3: "TOTAL"}, 6, "4"},
		{4, map[int]string{3: violence}, 7, "3"},
		{4, map[int]string{3: violence}, 9, "1.5000"},
		{4, map[int]string{3: "STATEMENT_CATEGORY_NOT_SPECIFIED_NOTICE"}, 6, "4"},
		{5, map[int]string{3: "TOTAL"}, 5, "9"},
		{5, map[int]string{3: "KEYWORD_PHISHING"}, 7, "7"},
		{5, map[int]string{3: scams}, 6, "9"},
		{6, map[int]string{3: scams}, 5, "5"},
		{6, map[int]string{3: scams}, 17, "5"},
		{6, map[int]string{3: scams}, 19, "5"},
		{7, map[int]string{4: complaints, 5: "Total number"}, 6, "6"},
		{7, map[int]string{4: complaints, 5: "Decision omitted"}, 6, "1"},
		{7, map[int]string{4: complaints, 5: "Median time"}, 6, "10.0000"},
		{7, map[int]string{5: "Percentage of outcomes implemented"}, 6, "0.5000"},
		{8, map[int]string{5: "Total number"}, 6, "12"},
		{8, map[int]string{4: "Number of measures not taken by automated means", 5: "Own-initiative"}, 6, "5"},
		{8, map[int]string{4: "Accuracy of the automated means - Precision", 5: "Own-initiative"}, 6, "0.7500"},
		{8, map[int]string{4: "Number of notices solely processed by automated means", 5: "NAM Trusted Flagger"}, 6, "1"},
		{8, map[int]string{5: "de"}, 6, ""},
		{9, map[int]string{5: "bg"}, 6, ""},
		{10, map[int]string{5: "SE"}, 6, ""},
	} {
		if got := cell(t, r, x.part, x.at, x.column); got != x.want {
			t.Errorf("part %d %v: %s is %q, want %q", x.part, x.at,
				r.Parts[x.part-1].Rows[0][x.column], got, x.want)
		}
	}
}

// TestFormsAreTheOfficialOnes: names, headers, and all rows of the templates in their order.
func TestFormsAreTheOfficialOnes(t *testing.T) {
	r := fill(t)
	lists := map[int]int{3: 91 + 27*90, 7: 47, 8: 20 + 24*5, 9: 3 + 24, 10: 1 + 27}
	for i, part := range r.Parts {
		form, err := os.ReadFile(filepath.Join("templates", part.Name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := csv.NewReader(bytes.NewReader(form)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := part.WriteCSV(&out); err != nil {
			t.Fatal(err)
		}
		got, err := csv.NewReader(bytes.NewReader(out.Bytes())).ReadAll()
		if err != nil || !slices.Equal(got[0], want[0]) {
			t.Errorf("%s: header %v, %v", part.Name, got[0], err)
		}
		if n := bytes.Count(out.Bytes(), []byte("\r\n")); n != len(part.Rows) {
			t.Errorf("%s: %d lines end as RFC 4180 wants of %d", part.Name, n, len(part.Rows))
		}
		rows := len(want) - 1
		if n := lists[i+1]; n > 0 {
			rows = n
		}
		if len(got)-1 != rows {
			t.Errorf("%s has %d rows, want %d", part.Name, len(got)-1, rows)
		}
	}
}

func TestEveryFaultIsNamed(t *testing.T) {
	for want, spoil := range map[string]func(*euform.Report){
		"its parts add up to":          func(r *euform.Report) { r.Parts[4].Rows[2][5] = "1" },
		"is no count":                  func(r *euform.Report) { r.Parts[3].Rows[2][5] = "1.5" },
		"is no time in hours":          func(r *euform.Report) { r.Parts[3].Rows[2][9] = "-1" },
		"is no share from 0 to 1":      func(r *euform.Report) { r.Parts[7].Rows[3][6] = "1.5" },
		"more than 5000 characters":    func(r *euform.Report) { r.Parts[10].Rows[1][4] = strings.Repeat("x", 5001) },
		"which is to be filled in":     func(r *euform.Report) { r.Parts[10].Rows[1][2] = "YYYY-MM-DD/YYYY-MM-DD" },
		"is not the official form":     func(r *euform.Report) { r.Parts[5].Rows[0] = []string{"Applicability"} },
		"has 3 cells of 5":             func(r *euform.Report) { r.Parts[10].Rows[1] = r.Parts[10].Rows[1][:3] },
		"is no day":                    func(r *euform.Report) { r.Parts[0].Rows[2][3] = "soon" },
		"are not in order":             func(r *euform.Report) { r.Parts[0].Rows[2][3] = "2026-12-31" },
		"and its states have":          func(r *euform.Report) { state(r, "3") },
		"measures at own initiative":   func(r *euform.Report) { r.Parts[7].Rows[6][6] = "99" },
		"other.STATEMENT_CATEGORY_SCA": func(r *euform.Report) { other(r) },
	} {
		r := fill(t)
		spoil(&r)
		got := euform.Check(r)
		if !slices.ContainsFunc(got, func(p euform.Problem) bool {
			return strings.Contains(p.String(), want)
		}) {
			t.Errorf("%s is found as %v", want, got)
		}
	}
}

// state has another number of orders in all rows of one state that add up.
func state(r *euform.Report, n string) {
	for _, row := range r.Parts[2].Rows {
		if row[5] == "MT" && (row[3] == "TOTAL" ||
			row[3] == "STATEMENT_CATEGORY_NOT_SPECIFIED_ORDER") {
			row[6] = n
		}
	}
}

// other takes the descriptions of what is counted under "other" away.
func other(r *euform.Report) {
	for _, row := range r.Parts[4].Rows[1:] {
		row[4] = ""
	}
}

func TestWhatAnOperatorLacksIsNamed(t *testing.T) {
	if got := operator().Missing(); len(got) > 0 {
		t.Errorf("a complete file lacks %v", got)
	}
	o := operator()
	o.VeryLarge, o.Published, o.Texts["means"] = true, "soon", ""
	o.Accuracy = map[string]float64{"own.recall": 2}
	got := fmt.Sprint(o.Missing())
	for _, want := range []string{
		"published is not a day", "texts.means is missing", "accuracy.own.recall",
		"moderators.internal is missing", "moderators.sv is missing", "recipients.MT is missing",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	if _, err := euform.ParseOperator([]byte("provider = \"A\"\nprovidor = \"B\"\n")); err == nil {
		t.Error("a misspelt name is taken")
	}
}

// TestVeryLargePlatformsFillInAll has every cell of their parts filled.
func TestVeryLargePlatformsFillInAll(t *testing.T) {
	o := operator()
	o.VeryLarge, o.Moderators = true, map[string]float64{"internal": 3.5, "external": 2}
	o.Recipients = map[string]int64{}
	for _, l := range euform.Languages() {
		o.Moderators[l] = 1
	}
	for _, s := range euform.MemberStates() {
		o.Recipients[s] = 10
	}
	if got := o.Missing(); len(got) > 0 {
		t.Fatal(got)
	}
	r, err := euform.Fill(period(), o, counted())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range euform.Check(r) {
		t.Error(p)
	}
	for _, x := range []struct {
		part        int
		scope, want string
	}{{9, "sv", "1"}, {10, "TOTAL", "270"}, {10, "MT", "10"}, {8, "de", "12"}} {
		if got := cell(t, r, x.part, map[int]string{5: x.scope}, 6); got != x.want {
			t.Errorf("part %d, %s: %q", x.part, x.scope, got)
		}
	}
}

// TestTheWorkbookSaysTheSame reads it back with the library that made it.
func TestTheWorkbookSaysTheSame(t *testing.T) {
	r := fill(t)
	var out bytes.Buffer
	if err := r.WriteXLSX(&out); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = book.Close() }()
	if n := len(book.GetSheetList()); n != euform.Parts {
		t.Errorf("%d sheets", n)
	}
	for i, part := range r.Parts {
		rows, err := book.GetRows(euform.SheetName(i+1, part.Name))
		if err != nil || len(rows) != len(part.Rows) {
			t.Fatalf("%s: %d rows of %d, %v", part.Name, len(rows), len(part.Rows), err)
		}
		for k, row := range part.Rows {
			for c, want := range row {
				got := ""
				if c < len(rows[k]) {
					got = rows[k][c]
				}
				if got != want && strings.TrimRight(got+"0000", "0") != strings.TrimRight(want, "0") &&
					strings.TrimRight(strings.TrimRight(want, "0"), ".") != got {
					t.Fatalf("%s, row %d: %q, want %q", part.Name, k+1, got, want)
				}
			}
		}
	}
}
