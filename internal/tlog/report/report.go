// Package report computes the daily report from the entries of the transparency log, and from
// nothing else. The server publishes what it computes, and whoever has the log computes the same,
// byte for byte; so it imports nothing of the server.
//
// The report of a day is made of all entries that stand before it in the log. An entry that names
// an earlier day, of which the report is out, changes no file that was published: the next report
// lists each figure of that day that is different now.
//
// Medians are the lower of the two in the middle. In the line of a country, people are counted as
// the entries count them, in bands: a sum is all that it can be, "3-12" of three entries of 1 to 4.
package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/internal/tlog/entry"
)

// Version is the version of the format.
const Version = 1

// ErrOrder says that reports do not follow each other day by day, or that an entry of a report does
// not say what it must.
var ErrOrder = errors.New("report: not in order")

// Report is what is published of one day.
type Report struct {
	V   int    `json:"v"`
	Day string `json:"day"`
	// Log is the log's origin, Entries how many of its entries this report was computed from.
	Log     string `json:"log"`
	Entries int64  `json:"entries"`
	// Today has the figures of the day, Month those of its month up to its end.
	Today Figures `json:"today"`
	Month Figures `json:"month"`
	// Corrections are what became different of earlier days since the last report.
	Corrections []Correction `json:"corrections,omitempty"`
}

// Correction is a figure of an earlier report that is different now. Empty stands for none.
type Correction struct {
	Day    string `json:"day"`
	Figure string `json:"figure"`
	Was    string `json:"was"`
	Is     string `json:"is"`
}

// Figures count what happened in a period. Words are those of the entries.
type Figures struct {
	// Decisions are measures taken; Items, Accounts and Told count what and whom they concern, and
	// who was told.
	Decisions int64 `json:"decisions"`
	Items     int64 `json:"items"`
	Accounts  int64 `json:"accounts"`
	Told      int64 `json:"told"`
	// Detected were found by machines, Automated decided by machines alone.
	Detected  int64 `json:"detected"`
	Automated int64 `json:"automated"`
	// AutomatedShare is Automated by Decisions. AutomatedPrecision is which part of the automated
	// decisions that were drawn by lot and looked at again were right; AutomatedReviews is of how
	// many that was measured. Both have four decimals, and are empty where nothing is to divide by.
	AutomatedShare     string `json:"automated_share,omitempty"`
	AutomatedPrecision string `json:"automated_precision,omitempty"`
	// NoActions are allegations that led to nothing.
	NoActions int64 `json:"no_actions"`
	Lifts     int64 `json:"lifts"`
	Expiries  int64 `json:"expiries"`

	Subjects   map[string]int64 `json:"subjects,omitempty"`
	Measures   map[string]int64 `json:"measures,omitempty"`
	Grounds    map[string]int64 `json:"grounds,omitempty"`
	Categories map[string]int64 `json:"categories,omitempty"`
	Sources    map[string]int64 `json:"sources,omitempty"`

	// Banned are the groups and channels that were terminated.
	Banned Banned `json:"banned"`

	Appeals     Outcomes `json:"appeals"`
	Settlements Outcomes `json:"settlements"`
	// Reviews are of decisions drawn by lot; AutomatedReviews of those that machines made alone.
	Reviews          Outcomes `json:"reviews"`
	AutomatedReviews Outcomes `json:"automated_reviews"`

	// MedianMinutes is how long decisions took from what led to them, MedianAppealMinutes how long
	// appeals did.
	MedianMinutes       int64 `json:"median_minutes"`
	MedianAppealMinutes int64 `json:"median_appeal_minutes"`

	// Reported are those that the service made to authorities of its own accord, by the law that
	// wants them.
	Reported map[string]int64 `json:"reported,omitempty"`

	// Requests are those of authorities, by country.
	Requests map[string]Requests `json:"requests,omitempty"`
}

// Banned counts groups and channels by what they were banned for.
type Banned struct {
	All         int64 `json:"all"`
	ChildSafety int64 `json:"child_safety"`
	Terrorism   int64 `json:"terrorism"`
}

// Outcomes count how complaints or reviews ended.
type Outcomes struct {
	Upheld   int64 `json:"upheld"`
	Partly   int64 `json:"partly"`
	Reversed int64 `json:"reversed"`
}

// Requests count what the authorities of a country asked for and what came of it.
type Requests struct {
	Received int64 `json:"received"`
	Complied int64 `json:"complied"`
	Partly   int64 `json:"partly"`
	Refused  int64 `json:"refused"`
	// Reasons are those of refusals.
	Reasons     map[string]int64 `json:"reasons,omitempty"`
	Instruments map[string]int64 `json:"instruments,omitempty"`
	Disclosures int64            `json:"disclosures"`
	// Accounts, Told and Untold are what the bands of the entries can add up to: "0", "1-4",
	// "6-53", "1000+". Untold people may not be told yet.
	Accounts      string `json:"accounts"`
	Told          string `json:"told"`
	Untold        string `json:"untold"`
	MedianMinutes int64  `json:"median_minutes"`
}

// JSON is the report as it is published.
func (r Report) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return nil, fmt.Errorf("report: encode: %w", err)
	}
	return append(b, '\n'), nil
}

// Parse reads a published report.
func Parse(b []byte) (r Report, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("report: decode: %w", err)
	}
	if _, err := time.Parse(time.DateOnly, r.Day); err != nil {
		return r, fmt.Errorf("report: day: %w", err)
	}
	return r, nil
}

// CSV is the report as a table of period, figure and value (RFC 4180).
func (r Report) CSV() ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	lines := [][]string{{"period", "figure", "value"}}
	for _, part := range []struct {
		period string
		of     Figures
	}{{r.Day, r.Today}, {r.Day[:len("2026-11")], r.Month}} {
		list, err := part.of.Flat()
		if err != nil {
			return nil, err
		}
		for _, f := range list {
			lines = append(lines, []string{part.period, f.Name, f.Value})
		}
	}
	for _, c := range r.Corrections {
		lines = append(lines, []string{c.Day, "correction of " + c.Figure, c.Is})
	}
	if err := w.WriteAll(lines); err != nil {
		return nil, fmt.Errorf("report: encode: %w", err)
	}
	return out.Bytes(), nil
}

// noteTitle begins what is signed of a report. No log has such a name, so that a signed report is
// never a checkpoint.
const noteTitle = "parley daily report 1"

// Note is what the log's key signs of a report: its log, its day, of how many entries it was made,
// and the digests of both of its files, each on a line of its own.
func (r Report) Note() (string, error) {
	object, err := r.JSON()
	if err != nil {
		return "", err
	}
	table, err := r.CSV()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s\n%s\n%s\n%d\njson %s\ncsv %s\n", noteTitle, r.Log, r.Day, r.Entries,
		entry.Digest(object), entry.Digest(table)), nil
}

// Next is the day after a day.
func Next(day string) (string, error) {
	t, err := time.Parse("2006-01-02", day)
	if err != nil {
		return "", fmt.Errorf("%w: day %q", ErrOrder, day)
	}
	return entry.Day(t.AddDate(0, 0, 1)), nil
}

// month is a day's month.
func month(day string) string { return day[:strings.LastIndexByte(day, '-')] }
