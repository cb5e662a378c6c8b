package report

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"parley/internal/tlog/entry"
)

// Country is what the authorities of a country asked for, what came of it, and what is withheld
// there, month by month.
type Country struct {
	V       int    `json:"v"`
	Country string `json:"country"`
	// Log is the log's origin, Entries how many of its entries this was computed from.
	Log     string `json:"log"`
	Entries int64  `json:"entries"`
	// All is what the months add up to.
	All CountryFigures `json:"all"`
	// Months are those in which something happened, the newest first.
	Months []CountryMonth `json:"months"`
}

// CountryMonth has the figures of a month, such as 2026-11.
type CountryMonth struct {
	Month string `json:"month"`
	CountryFigures
}

// CountryFigures count what happened for a country in a period.
type CountryFigures struct {
	Requests
	// Withheld are measures that apply in this country and not everywhere, WithheldItems the things
	// that they concern, whether an authority asked for it or not.
	Withheld      int64 `json:"withheld"`
	WithheldItems int64 `json:"withheld_items"`
	// Refusals are why was refused, in whole or in part, what was asked for by which instrument.
	Refusals []Refusal `json:"refusals,omitempty"`
}

// Refusal counts what was refused for one reason under one instrument.
type Refusal struct {
	Instrument string `json:"instrument"`
	Reason     string `json:"reason"`
	Count      int64  `json:"count"`
}

// JSON is what is published of a country.
func (c Country) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(c, "", "\t")
	if err != nil {
		return nil, fmt.Errorf("report: encode: %w", err)
	}
	return append(b, '\n'), nil
}

// Countries are the countries of which the log has something, by their codes.
func (b *Book) Countries() []string {
	codes := map[string]bool{}
	for _, t := range b.days {
		for code := range t.requests {
			codes[code] = true
		}
		for code := range t.withheld {
			codes[code] = true
		}
	}
	delete(codes, "")
	return slices.Sorted(maps.Keys(codes))
}

// Country is what the entries say of a country.
func (b *Book) Country(code string) Country {
	out := Country{
		V: Version, Country: code, Log: b.Log, Entries: b.entries, Months: []CountryMonth{},
	}
	months := map[string]*tally{}
	whole := newTally()
	for day, t := range b.days {
		if t.requests[code] == nil && t.withheld[code] == (withheld{}) {
			continue
		}
		m := months[month(day)]
		if m == nil {
			m = newTally()
			months[month(day)] = m
		}
		for _, sum := range []*tally{m, whole} {
			sum.mergeRequests(t, code)
			sum.mergeWithheld(t, code)
		}
	}
	out.All = whole.published(code)
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(months))) {
		out.Months = append(out.Months, CountryMonth{name, months[name].published(code)})
	}
	return out
}

// published are a country's figures as they are published.
func (t *tally) published(code string) (out CountryFigures) {
	out.Requests = t.country(code).published()
	w := t.withheld[code]
	out.Withheld, out.WithheldItems = w.measures, w.items
	for what, n := range t.country(code).refusals {
		out.Refusals = append(out.Refusals, Refusal{what.instrument, what.reason, n})
	}
	slices.SortFunc(out.Refusals, func(a, b Refusal) int {
		return cmp.Or(strings.Compare(a.Instrument, b.Instrument),
			strings.Compare(a.Reason, b.Reason))
	})
	return out
}

// RefusalsCSV is the register of what was refused to the authorities of all countries: a table of
// country, month, instrument, reason and count (RFC 4180).
func (b *Book) RefusalsCSV() ([]byte, error) {
	lines := [][]string{{"country", "month", "instrument", "reason", "count"}}
	for _, code := range b.Countries() {
		for _, m := range b.Country(code).Months {
			for _, r := range m.Refusals {
				lines = append(lines, []string{
					code, m.Month, r.Instrument, r.Reason, fmt.Sprint(r.Count),
				})
			}
		}
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	if err := w.WriteAll(lines); err != nil {
		return nil, fmt.Errorf("report: encode: %w", err)
	}
	return out.Bytes(), nil
}

// withheld counts measures that do not apply everywhere, and what they concern.
type withheld struct{ measures, items int64 }

// withhold counts a decision for the countries in which it applies, unless that is all of them.
func (t *tally) withhold(e entry.Entry) {
	for _, code := range e.Territory {
		w := t.withheld[code]
		t.withheld[code] = withheld{w.measures + 1, w.items + e.Items}
	}
}
