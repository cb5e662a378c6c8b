package euform_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/internal/safety"
	"parley/internal/safety/dsadb"
	"parley/internal/safety/euform"
	"parley/internal/safety/figures"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/store/storetest"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/report"
	"parley/internal/tlog/tally"
)

// TestAllFiguresAgree makes up days of moderation, and compares what the daily reports, their
// tables, the counts of the log, the figures of the console, the statements that are owed and the
// forms of the EU say of them.
func TestAllFiguresAgree(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	seen := map[string]bool{}
	rapid.Check(t, func(t *rapid.T) {
		now := w.Clock.Now().UTC()
		from := now.Truncate(24 * time.Hour).Add(24 * time.Hour)
		h := &history{
			History: safetytest.History{
				T: t, World: w, Post: func() safety.Subject { return w.Post("text") },
			},
			book: report.NewBook("log"), counts: tally.New(), seen: seen,
		}
		h.Order = h.order
		day := from
		for i := range 2 {
			day = from.AddDate(0, 0, i)
			w.Clock.Advance(day.Sub(w.Clock.Now()))
			for range rapid.IntRange(0, 5).Draw(t, "events") {
				h.Event()
				w.Clock.Advance(time.Duration(rapid.IntRange(0, 90).Draw(t, "minutes")) * time.Minute)
			}
			h.daily(day)
		}
		h.compare(euform.Period{From: from, To: day})
	})
}

// history is two days, and what the log has of them.
type history struct {
	safetytest.History
	book   *report.Book
	counts *tally.Tally
	orders []entry.Entry
	// seen are the lines that the log has, published the reports.
	seen      map[string]bool
	published []report.Report
}

// order has an authority order something, and a line of what came of it.
func (h *history) order(country string) string {
	e := entry.Entry{
		V: entry.Version, Kind: entry.Order, Day: entry.Day(h.World.Clock.Now()),
		ID: strings.Repeat("0", 32), Commitment: strings.Repeat("0", 64), Country: country,
		Instrument: rapid.SampledFrom([]string{
			entry.ActOnContent, entry.GiveInformation, entry.RemoveTerror,
		}).Draw(h.T, "instrument"),
		Items:   entry.Band(rapid.Int64Range(1, 99).Draw(h.T, "items")),
		Minutes: rapid.Int64Range(0, 600).Draw(h.T, "receipt"),
	}
	effect := e
	effect.Kind = entry.Effect
	effect.Outcome = rapid.SampledFrom([]string{"full", "partial", "none"}).Draw(h.T, "effect")
	h.orders = append(h.orders, e, effect)
	return country
}

// daily publishes the report of a day, and compares it with what happened.
func (h *history) daily(at time.Time) {
	day := at.Format(time.DateOnly)
	for _, e := range append(h.lines(), h.orders...) {
		h.fed(e)
	}
	h.orders = nil
	daily, err := h.book.Report(day)
	if err != nil {
		h.Fatal(err)
	}
	now := h.Day(day)
	h.equal("decisions", now.Decided, daily.Today.Decisions, h.table(daily, "decisions"))
	h.equal("automated", now.Automated, daily.Today.Automated, h.table(daily, "automated"))
	h.equal("dismissals", now.Dismissed, daily.Today.NoActions)
	h.equal("lifts", now.Lifted, daily.Today.Lifts)
	if daily.Today.Appeals != now.Complaints || daily.Today.Settlements != now.Settlements {
		h.Errorf("complaints and settlements of %s: %+v, %+v; happened %+v",
			day, daily.Today.Appeals, daily.Today.Settlements, now)
	}
	for country, n := range now.Orders {
		h.equal("orders of "+country, n, daily.Today.Requests[country].Received)
	}
	h.corrected(daily)
	h.published = append(h.published, daily)
	err = h.book.Add(entry.Entry{
		V: entry.Version, Kind: entry.Report, Day: day, Items: h.book.Entries(),
	})
	if err != nil {
		h.Fatal(err)
	}
}

func (h *history) fed(e entry.Entry) {
	if err := h.book.Add(e); err != nil {
		h.Fatal(err)
	}
	h.counts.Add(&e)
}

// corrected applies the corrections of a report to the settlements of the report before, which must
// become what happened.
func (h *history) corrected(daily report.Report) {
	if len(h.published) == 0 {
		h.equal("corrections of nothing", 0, int64(len(daily.Corrections)))
		return
	}
	before := h.published[len(h.published)-1]
	o := &before.Today.Settlements
	of := map[string]*int64{
		"settlements.upheld": &o.Upheld, "settlements.partly": &o.Partly,
		"settlements.reversed": &o.Reversed,
	}
	for _, c := range daily.Corrections {
		n := of[c.Figure]
		if n == nil || c.Day != before.Day || strconv.FormatInt(*n, 10) != c.Was {
			h.Fatalf("the correction %+v of %+v", c, before.Today)
		}
		is, err := strconv.ParseInt(c.Is, 10, 64)
		if err != nil {
			h.Fatal(err)
		}
		*n = is
	}
	if is := h.Day(before.Day).Settlements; *o != is {
		h.Errorf("settlements of %s as corrected: %+v, happened %+v", before.Day, *o, is)
	}
}

// compare compares what all count of the days.
func (h *history) compare(p euform.Period) {
	all := &safetytest.Happened{}
	for day := p.From; !day.After(p.To); day = day.AddDate(0, 0, 1) {
		all.Add(h.Day(day.Format(time.DateOnly)))
	}
	c := euform.Counted{Tally: h.counts}
	var hits, statements int64
	h.World.View(func(r *store.Reader) (err error) {
		if c.Form, err = figures.OfForm(r, p.From, p.End()); err != nil {
			return err
		}
		rules, err := figures.Rules(r, p.From, p.End())
		if err != nil {
			return err
		}
		for _, x := range rules {
			hits += x.Hits
		}
		owed, err := dsadb.Status(r, p.From, p.End())
		for _, x := range owed {
			statements += x.Count
		}
		return err
	})
	month := h.published[len(h.published)-1].Month
	h.equal("decisions", all.Decided, hits)
	h.equal("statements", all.Owed, statements)
	h.equal("lifts", all.Lifted, c.Tally.Lifts)
	if p.From.Month() == p.To.Month() && p.From.Day() == 1 {
		h.equal("decisions of the month", all.Decided, month.Decisions)
	}
	h.forms(p, c, all)
	h.complaints(c, all)
	h.settlements(c, all)
}

// lines are the entries that wait for the log, each once.
func (h *history) lines() (out []entry.Entry) {
	h.World.View(func(r *store.Reader) error {
		rows, err := r.PendingLedgerRows(math.MaxInt32)
		for _, row := range rows {
			key := fmt.Sprint(row.Subject, row.ID, row.Kind)
			if h.seen[key] {
				continue
			}
			h.seen[key] = true
			e, err := entry.Parse(row.Entry)
			if err != nil {
				return err
			}
			out = append(out, e)
		}
		return err
	})
	return out
}

// forms compares the cells of the EU's forms.
func (h *history) forms(p euform.Period, c euform.Counted, all *safetytest.Happened) {
	o := operator()
	o.Published = p.End().Format(time.DateOnly)
	for _, category := range safety.Categories() {
		o.Other[string(category)] = "Something else."
	}
	r, err := euform.Fill(p, o, c)
	if err != nil {
		h.Fatal(err)
	}
	for _, problem := range euform.Check(r) {
		h.Error(problem)
	}
	at := func(part, row, column int) int64 {
		n, err := strconv.ParseInt(r.Parts[part-1].Rows[row][column], 10, 64)
		if err != nil {
			h.Fatal(err)
		}
		return n
	}
	h.equal("automated measures", all.Automated, at(8, 1, 6))
	h.equal("all measures", all.Decided, at(8, 1, 6)+at(8, 2, 6))
	h.equal("measures at own initiative", all.Own, at(5, 1, 5)+at(6, 1, 5))
	h.equal("notices", all.Notices, at(4, 1, 5), at(4, 1, 7))
	h.equal("complaints", outcomes(all.Complaints), at(7, 1, 6))
	h.equal("complaints upheld", all.Complaints.Upheld, at(7, 2, 6))
	h.equal("complaints partly reversed", all.Complaints.Partly, at(7, 3, 6))
	h.equal("complaints reversed", all.Complaints.Reversed, at(7, 4, 6))
	var received, act, inform, tco, terror int64
	for _, daily := range h.published {
		for country, of := range daily.Today.Requests {
			received += of.Received
			if country != "US" {
				act += of.Instruments[entry.ActOnContent]
				inform += of.Instruments[entry.GiveInformation]
			}
			tco += of.Instruments[entry.RemoveTerror]
		}
	}
	var orders int64
	for _, n := range all.Orders {
		orders += n
	}
	h.equal("orders", orders, received)
	h.equal("orders to act", act, at(3, 1, 6))
	h.equal("orders for information", inform, at(3, 1, 10))
	for class, x := range c.Tally.Orders {
		if class.Instrument == entry.RemoveTerror {
			terror += x.Received
		}
	}
	h.equal("removal orders", tco, terror)
}

// complaints compares what the log and the database say of complaints.
func (h *history) complaints(c euform.Counted, all *safetytest.Happened) {
	var log, form int64
	for about, o := range c.Tally.Complaints {
		log += o.Decided()
		of := c.Form.Complaints[about]
		if of == nil {
			h.Fatalf("the database has no complaints about %s", about)
		}
		h.equal("complaints about "+string(about), o.Decided(),
			of.Upheld+of.Partly+of.Reversed)
		logged, _ := o.Took.Hours()
		took, _ := of.Took.Hours()
		if math.Abs(logged-took) > 1.0/60 {
			h.Errorf("complaints took %f hours in the log, %f in the database", logged, took)
		}
	}
	for _, o := range c.Form.Complaints {
		form += o.Total
	}
	h.equal("complaints decided", outcomes(all.Complaints), log, form)
}

// settlements compares what the log and the database say of settlements.
func (h *history) settlements(c euform.Counted, all *safetytest.Happened) {
	want, log, form := all.Settlements, c.Tally.Settlements, c.Form.Settlements
	h.equal("settlements upheld", want.Upheld, log.Upheld, form.Upheld)
	h.equal("settlements partly", want.Partly, log.Partly, form.Partly)
	h.equal("settlements reversed", want.Reversed, log.Reversed, form.Reversed)
}

// outcomes is how many there are.
func outcomes(o report.Outcomes) int64 { return o.Upheld + o.Partly + o.Reversed }

// table is a figure of the day in the table of a daily report.
func (h *history) table(r report.Report, name string) int64 {
	b, err := r.CSV()
	if err != nil {
		h.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(b))).ReadAll()
	if err != nil {
		h.Fatal(err)
	}
	for _, row := range rows {
		if row[0] == r.Day && row[1] == name {
			n, err := strconv.ParseInt(row[2], 10, 64)
			if err != nil {
				h.Fatal(err)
			}
			return n
		}
	}
	h.Fatalf("no figure %s", name)
	return 0
}

// equal fails when figures differ from what happened.
func (h *history) equal(what string, want int64, got ...int64) {
	for i, n := range got {
		if n != want {
			h.Errorf("%s: %d, and place %d of %s says %d", what, want, i+1, fmt.Sprint(got), n)
		}
	}
}
