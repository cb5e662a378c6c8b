package decide

import (
	"slices"
	"strings"
	"time"

	"parley/internal/safety"
	"parley/internal/safety/ledger"
	"parley/internal/store"
	"parley/internal/tlog/entry"
)

// Record is the whole of a decision, to which the public entry commits. It names no member of staff
// and nobody who reported, because the person concerned may be given it.
type Record struct {
	Subject     int64                `json:"subject"`
	Decision    int64                `json:"decision"`
	Kind        string               `json:"kind"`
	Item        int64                `json:"item,omitempty"`
	Person      int64                `json:"person,omitempty"`
	State       string               `json:"state"`
	Reference   string               `json:"reference,omitempty"`
	Explanation string               `json:"explanation,omitempty"`
	Facts       string               `json:"facts,omitempty"`
	Measures    []safety.MeasureSpec `json:"measures,omitempty"`
	Reason      string               `json:"reason,omitempty"`
	At          int64                `json:"at"`
	Applied     int64                `json:"applied,omitempty"`
	Restored    int64                `json:"restored,omitempty"`
}

// log writes the line of a decision that was made.
func (s *Service) log(tx *store.Tx, c store.Case, x store.Decision, told, now int64) error {
	d, err := read(x)
	if err != nil {
		return err
	}
	e := Public(d)
	e.Told, e.Persons = told, persons(d)
	if c.Opened > 0 {
		e.Minutes = max(now-c.Opened, 0) / 60
	}
	kind := ledger.Decision
	if d.State == NoAction {
		kind = ledger.NoAction
	}
	return ledger.Write(tx, s.Random, ledger.Line{
		Subject: x.Subject, ID: x.ID, Kind: kind, At: now, Entry: e, Record: record(d, now),
	})
}

// logEnd writes the line of a decision's end.
func (s *Service) logEnd(tx *store.Tx, x store.Decision, kind ledger.Kind, told, now int64) error {
	d, err := read(x)
	if err != nil {
		return err
	}
	e := Public(d)
	e.Told, e.Minutes = told, max(now-d.Effective, 0)/60
	return ledger.Write(tx, s.Random, ledger.Line{
		Subject: x.Subject, ID: x.ID, Kind: kind, At: now, Of: x.ID, Entry: e,
		Record: record(d, now),
	})
}

// logReview writes the line of a second look.
func (s *Service) logReview(tx *store.Tx, x store.Decision, now int64) error {
	d, err := read(x)
	if err != nil {
		return err
	}
	e := Public(d)
	e.Outcome, e.Persons = "upheld", 1
	if d.Review == Wrong {
		e.Outcome = "reversed"
	}
	return ledger.Write(tx, s.Random, ledger.Line{
		Subject: x.Subject, ID: x.ID, Kind: ledger.Review, At: now, Of: x.ID, Entry: e,
		Record: record(d, now),
	})
}

func record(d Decision, now int64) Record {
	return Record{
		Subject: int64(d.Subject.Peer), Decision: d.ID, Kind: d.Subject.Kind.String(),
		Item: d.Subject.Item, Person: int64(d.Subject.Author), State: d.State.String(),
		Reference: d.Reference, Explanation: d.Explanation, Facts: d.Facts, Measures: d.Measures,
		Reason: d.EndReason, At: now, Applied: d.Applied, Restored: d.Restored,
	}
}

// persons is how many people decided.
func persons(d Decision) (n int64) {
	for _, who := range []int64{d.By.Staff, d.Second} {
		if who > 0 {
			n++
		}
	}
	return n
}

// Public are the fields by which the entry of a decision counts, and those that are about it: its
// lift, its expiry, a complaint.
func Public(d Decision) entry.Entry {
	e := entry.Entry{
		Subject: d.Subject.Kind.String(), Ground: string(d.Ground), Category: string(d.Category),
		Source: string(d.Source), Detected: d.Means.Detected, Decided: string(d.Means.Decided),
		Lang: strings.ToUpper(d.Lang), Items: 1,
	}
	if d.Subject.Author != 0 {
		e.Accounts = 1
	}
	for _, k := range d.Keywords {
		e.Keywords = append(e.Keywords, string(k))
	}
	for _, c := range d.ContentType {
		e.Content = append(e.Content, string(c))
	}
	everywhere := false
	for _, m := range d.Measures {
		e.Measures = append(e.Measures, m.Measure.Restriction(d.Subject.Kind).Value)
		e.Territory = append(e.Territory, m.Territory...)
		everywhere = everywhere || len(m.Territory) == 0
	}
	if everywhere {
		e.Territory = nil
	}
	for _, list := range []*[]string{&e.Keywords, &e.Content, &e.Measures, &e.Territory} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	if d.Ends > 0 {
		e.Ends = entry.Day(time.Unix(d.Ends, 0))
	}
	return e
}
