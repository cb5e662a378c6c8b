// Package orderform writes what is published of authorities' orders: the statistics of Regulation
// (EU) 2021/784 (Art. 7) and of Regulation (EU) 2023/1543 (Art. 28), and the orders themselves,
// redacted. Numbers come from the entries of the transparency log alone, so they are there as soon
// as orders are; what no log knows (proceedings in court, descriptions) comes from the operator.
//
// Invariants: no number of people or of things is more exact than in the log; no text is published
// in which something looks like personal data.
//
// https://eur-lex.europa.eu/eli/reg/2021/784/oj
// https://eur-lex.europa.eu/eli/reg/2023/1543/oj
package orderform

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"parley/internal/tlog/entry"
	"parley/internal/tlog/tally"
)

// Version is the version of the formats.
const Version = 1

// Terror are the statistics of a year about terrorist content (Art. 7(3) of Regulation (EU)
// 2021/784).
type Terror struct {
	V    int    `json:"v"`
	From string `json:"from"`
	To   string `json:"to"`
	// Orders are removal orders: Full, Partly and None are what came of them, Reasons why not.
	Orders  int64            `json:"orders"`
	Full    int64            `json:"full"`
	Partly  int64            `json:"partly"`
	None    int64            `json:"none"`
	Reasons map[string]int64 `json:"reasons,omitempty"`
	// Countries are the orders by the state whose authority issued them.
	Countries map[string]int64 `json:"countries,omitempty"`
	// ItemsLeast is the least number of things that were taken away because of orders: the log has
	// bands. Measures were taken without an order.
	ItemsLeast int64 `json:"items_least"`
	Measures   int64 `json:"measures"`
	// Complaints are those that were decided, Reinstated led to content coming back.
	Complaints int64 `json:"complaints"`
	Upheld     int64 `json:"upheld"`
	Reinstated int64 `json:"reinstated"`
	// MedianHours is from an order to its effect, nil when there was none.
	MedianHours *float64 `json:"median_hours"`
	// Court is what the operator says of proceedings.
	Court Court `json:"court"`
}

// Court is what only the operator knows: what is done against terrorist content, and what courts
// decided about it.
type Court struct {
	// Measures and Reappearance describe what is done to find content, and so that it stays away.
	Measures     string `json:"measures" toml:"measures"`
	Reappearance string `json:"reappearance" toml:"reappearance"`
	// Brought are proceedings that the provider brought, Won those that he won, Reinstated cases in
	// which content had to come back because of proceedings.
	Brought    int64 `json:"brought" toml:"brought"`
	Won        int64 `json:"won" toml:"won"`
	Reinstated int64 `json:"reinstated" toml:"reinstated"`
}

// OfTerror are the statistics about terrorist content of a period.
func OfTerror(t *tally.Tally, s tally.Span, c Court) Terror {
	out := Terror{
		V: Version, From: s.From, To: s.To, Reasons: map[string]int64{},
		Countries: map[string]int64{}, Court: c, Measures: t.Terror.Measures,
		Complaints: t.Terror.Complaints.Decided(), Upheld: t.Terror.Complaints.Upheld,
		Reinstated: t.Terror.Complaints.Partly + t.Terror.Complaints.Reversed,
	}
	var all tally.Orders
	for class, o := range t.Orders {
		if class.Instrument == entry.RemoveTerror {
			all.Merge(*o)
			out.Countries[class.Country] += o.Received
		}
	}
	out.Orders, out.Full, out.Partly, out.None = all.Received, all.Full, all.Partly, all.None
	out.ItemsLeast = all.ItemsActed
	maps.Copy(out.Reasons, all.Reasons)
	if hours, known := all.Effects.Hours(); known {
		out.MedianHours = &hours
	}
	return out
}

// JSON is the statistics as they are published.
func (t Terror) JSON() ([]byte, error) { return encode(t) }

// Evidence are the statistics of a period about electronic evidence (Art. 28 of Regulation (EU)
// 2023/1543).
type Evidence struct {
	V    int           `json:"v"`
	From string        `json:"from"`
	To   string        `json:"to"`
	Rows []EvidenceRow `json:"rows"`
}

// EvidenceRow are the certificates of one state and kind.
type EvidenceRow struct {
	Country string `json:"country"`
	// Certificate is EPOC or EPOC_PR, Emergency is set for those that had to be answered in hours.
	Certificate string `json:"certificate"`
	Emergency   bool   `json:"emergency"`
	Received    int64  `json:"received"`
	Fulfilled   int64  `json:"fulfilled"`
	Partly      int64  `json:"partly"`
	Unfulfilled int64  `json:"unfulfilled"`
	// Asked counts certificates by the types of data that they asked for.
	Asked   map[string]int64 `json:"asked,omitempty"`
	Reasons map[string]int64 `json:"reasons,omitempty"`
	// AverageHours is from receipt to effect, nil when there was none.
	AverageHours *float64 `json:"average_hours"`
}

// OfEvidence are the statistics about electronic evidence of a period, by state and certificate.
func OfEvidence(t *tally.Tally, s tally.Span) Evidence {
	out := Evidence{V: Version, From: s.From, To: s.To, Rows: []EvidenceRow{}}
	type key struct{ country, instrument string }
	sums := map[key]*tally.Orders{}
	for class, o := range t.Orders {
		switch class.Instrument {
		case entry.Production, entry.EmergencyProduction, entry.Preservation:
			k := key{class.Country, class.Instrument}
			if sums[k] == nil {
				sums[k] = &tally.Orders{}
			}
			sums[k].Merge(*o)
		}
	}
	for k, o := range sums {
		row := EvidenceRow{
			Country: k.country, Certificate: k.instrument,
			Emergency: k.instrument == entry.EmergencyProduction, Received: o.Received,
			Fulfilled: o.Full, Partly: o.Partly, Unfulfilled: o.None, Asked: o.Content,
			Reasons: o.Reasons,
		}
		if row.Emergency {
			row.Certificate = entry.Production
		}
		if hours, known := o.Effects.Mean(); known {
			row.AverageHours = &hours
		}
		out.Rows = append(out.Rows, row)
	}
	slices.SortFunc(out.Rows, func(a, b EvidenceRow) int {
		return slices.Compare(a.words(), b.words())
	})
	return out
}

func (r EvidenceRow) words() []string {
	return []string{r.Country, r.Certificate, strconv.FormatBool(r.Emergency)}
}

// JSON is the statistics as they are published.
func (e Evidence) JSON() ([]byte, error) { return encode(e) }

// CSV is the statistics as a table (RFC 4180), with a column for each type of data and reason.
func (e Evidence) CSV() ([]byte, error) {
	asked, reasons := map[string]bool{}, map[string]bool{}
	for _, row := range e.Rows {
		for word := range row.Asked {
			asked[word] = true
		}
		for word := range row.Reasons {
			reasons[word] = true
		}
	}
	data, why := slices.Sorted(maps.Keys(asked)), slices.Sorted(maps.Keys(reasons))
	head := []string{
		"country", "certificate", "emergency", "received", "fulfilled", "partly", "unfulfilled",
		"average_hours",
	}
	head = append(append(head, data...), why...)
	lines := [][]string{head}
	for _, row := range e.Rows {
		line := row.words()
		for _, n := range []int64{row.Received, row.Fulfilled, row.Partly, row.Unfulfilled} {
			line = append(line, strconv.FormatInt(n, 10))
		}
		average := ""
		if row.AverageHours != nil {
			average = strconv.FormatFloat(*row.AverageHours, 'f', 4, 64)
		}
		line = append(line, average)
		for _, word := range data {
			line = append(line, strconv.FormatInt(row.Asked[word], 10))
		}
		for _, word := range why {
			line = append(line, strconv.FormatInt(row.Reasons[word], 10))
		}
		lines = append(lines, line)
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	if err := w.WriteAll(lines); err != nil {
		return nil, fmt.Errorf("orderform: encode: %w", err)
	}
	return out.Bytes(), nil
}

func encode(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return nil, fmt.Errorf("orderform: encode: %w", err)
	}
	return append(b, '\n'), nil
}
