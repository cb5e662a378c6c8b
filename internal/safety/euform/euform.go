// Package euform fills in the transparency report of providers of intermediary services: the eleven
// parts of Annex I to Implementing Regulation (EU) 2024/2835, as CSV files and as one workbook.
// Rows, headers and indicators are those of the official templates, which are embedded; what is
// counted comes from the transparency log and the database, and what is not counted by any server
// (people, descriptions) from a file of the operator.
//
// It refuses to guess: what is missing is named, cells that do not apply are blank, and a report
// that does not pass Check is a draft.
//
// https://eur-lex.europa.eu/eli/reg_impl/2024/2835/oj
package euform

import (
	"embed"
	"encoding/csv"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
	"time"

	"parley/internal/safety/figures"
	"parley/internal/tlog/tally"
)

// templates are the official forms, with the names that they are published under.
//
//go:embed templates/*.csv
var templates embed.FS

// Parts is how many parts a report has.
const Parts = 11

// Period is the time that a report is about: whole days, both of which belong to it.
type Period struct{ From, To time.Time }

// String is the period as the forms write it.
func (p Period) String() string {
	return p.From.Format(time.DateOnly) + "/" + p.To.Format(time.DateOnly)
}

// Span is the period as entries of the log have days.
func (p Period) Span() tally.Span {
	return tally.Span{From: p.From.Format(time.DateOnly), To: p.To.Format(time.DateOnly)}
}

// End is when the period is over.
func (p Period) End() time.Time { return p.To.AddDate(0, 0, 1) }

// Counted is what the server counts.
type Counted struct {
	// Tally is what the log has of the period.
	Tally *tally.Tally
	// Form is what only the database has: notices, and complaints as they were made.
	Form figures.Form
}

// Part is one file of a report: its name, and its rows with the header first.
type Part struct {
	Name string
	Rows [][]string
}

// Report is a filled-in report.
type Report struct {
	Period Period
	Parts  []Part
}

// Fill fills the forms in.
func Fill(p Period, o Operator, c Counted) (Report, error) {
	out := Report{Period: p}
	forms, err := forms()
	if err != nil {
		return out, err
	}
	f := filler{period: p, operator: o, counted: c}
	fills := [Parts]func([][]string) [][]string{
		f.summary, f.names, f.orders, f.notices, f.illegal, f.terms, f.appeals, f.automated,
		f.people, f.recipients, f.texts,
	}
	for i, form := range forms {
		form.Rows = fills[i](form.Rows)
		out.Parts = append(out.Parts, form)
	}
	return out, nil
}

// forms reads the templates in the order of their parts.
func forms() ([]Part, error) {
	list, err := templates.ReadDir("templates")
	if err != nil {
		return nil, fmt.Errorf("euform: %w", err)
	}
	out := make([]Part, Parts)
	for _, f := range list {
		_, rest, _ := strings.Cut(f.Name(), "_Part_")
		digits, _, _ := strings.Cut(rest, "_")
		n, err := strconv.Atoi(digits)
		if err != nil || n < 1 || n > Parts {
			return nil, fmt.Errorf("euform: %s is no part", f.Name())
		}
		file, err := templates.Open(path.Join("templates", f.Name()))
		if err != nil {
			return nil, fmt.Errorf("euform: %w", err)
		}
		rows, err := csv.NewReader(file).ReadAll()
		if err != nil {
			return nil, fmt.Errorf("euform: %s: %w", f.Name(), err)
		}
		out[n-1] = Part{Name: f.Name(), Rows: rows}
	}
	return out, nil
}

// WriteCSV writes a part by RFC 4180.
func (p Part) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.WriteAll(p.Rows); err != nil {
		return fmt.Errorf("euform: %s: %w", p.Name, err)
	}
	return nil
}

// MemberStates are the states of the Union by the codes that the forms use.
func MemberStates() []string {
	return []string{
		"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE",
		"IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
	}
}

// Languages are the official languages of the Union.
func Languages() []string {
	return []string{
		"bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr", "hu", "it", "lt",
		"lv", "mt", "nl", "pl", "pt", "ro", "sk", "sl", "sv",
	}
}

// number writes a count.
func number(n int64) string { return strconv.FormatInt(n, 10) }

// hours writes a median in hours; nothing of nothing.
func hours(median float64, known bool) string {
	if !known {
		return ""
	}
	return strconv.FormatFloat(median, 'f', 4, 64)
}

// share writes a part of a whole, from 0 to 1; nothing of nothing.
func share(n, of int64) string {
	if of == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(n)/float64(of), 'f', 4, 64)
}

const (
	total = "TOTAL"
	// periodForm and otherForm are what the templates have in cells that are to be filled in.
	periodForm = "YYYY-MM-DD/YYYY-MM-DD"
	otherForm  = `Text to detail the "Other" keyword.`
	// restForm stands for what is not written out of a list of states or languages.
	restForm = "[...]"
)

// codes are the rows of a part, each as its category and its keyword; both are empty in the row of
// the total, the keyword in that of a category.
func codes(rows [][]string, column int) (out [][2]string) {
	category := ""
	for _, row := range rows {
		switch cell := row[column]; {
		case cell == total:
			category = ""
			out = append(out, [2]string{})
		case strings.HasPrefix(cell, "STATEMENT_CATEGORY_"):
			category = cell
			out = append(out, [2]string{category})
		default:
			out = append(out, [2]string{category, cell})
		}
	}
	return out
}
