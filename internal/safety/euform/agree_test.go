package euform_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/safety/dsadb"
	"parley/internal/safety/euform"
	"parley/internal/safety/figures"
	"parley/internal/safety/intake"
	"parley/internal/safety/safetytest"
	"parley/internal/store"
	"parley/internal/store/storetest"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/report"
	"parley/internal/tlog/tally"
)

// TestAllFiguresAgree makes up days of moderation, and compares what the daily report, its table,
// the counts of the log, the figures of the console, the statements that are owed and the forms of
// the EU say of each.
func TestAllFiguresAgree(t *testing.T) {
	w := safetytest.New(t, storetest.SQLite(t))
	rapid.Check(t, func(t *rapid.T) {
		now := w.Clock.Now().UTC()
		day := now.Truncate(24 * time.Hour).Add(24 * time.Hour)
		w.Clock.Advance(day.Sub(now))
		h := &history{T: t, w: w}
		for range rapid.IntRange(0, 6).Draw(t, "events") {
			h.event()
			w.Clock.Advance(time.Duration(rapid.IntRange(0, 90).Draw(t, "minutes")) * time.Minute)
		}
		h.compare(euform.Period{From: day, To: day})
	})
}

// history makes a day up, and counts by itself what happens.
type history struct {
	*rapid.T
	w *safetytest.World

	decided, owed, automated, own, dismissed, lifted, upheld, reversed, notices int64
	orders                                                                      []entry.Entry
}

func (h *history) event() {
	switch rapid.SampledFrom([]string{"decide", "decide", "notice", "order"}).Draw(h.T, "event") {
	case "notice":
		h.notice()
	case "order":
		h.order()
	default:
		d := h.draft(0, h.w.Post("text"))
		h.followed(h.decide(d))
	}
}

// draft makes a decision up.
func (h *history) draft(of int64, s safety.Subject) decide.Draft {
	d := safetytest.Draft(of, s)
	d.Ground = rapid.SampledFrom([]safety.Ground{safety.Illegal, safety.Incompatible}).
		Draw(h.T, "ground")
	d.Category = rapid.SampledFrom([]safety.Category{
		safety.ScamsAndFraud, safety.Violence, safety.ProtectionMinors,
	}).Draw(h.T, "category")
	d.Keywords = nil
	if words := d.Category.Keywords(); rapid.Bool().Draw(h.T, "keyword") {
		d.Keywords = []safety.Keyword{rapid.SampledFrom(words).Draw(h.T, "which")}
	}
	d.Source = rapid.SampledFrom([]safety.Source{
		safety.Voluntary, safety.OtherNotification, safety.Article16, safety.TrustedFlagger,
	}).Draw(h.T, "source")
	d.Measures = []safety.MeasureSpec{{Measure: rapid.SampledFrom([]safety.Measure{
		safety.Remove, safety.Demote, safety.AgeRestrict,
	}).Draw(h.T, "measure")}}
	if rapid.Bool().Draw(h.T, "machine") {
		d.By, d.Means.Decided = safety.Actor{Rule: "rule"}, safety.FullyAutomated
		d.Means.Detected = true
	}
	d.NoStatement = d.Category == safety.ScamsAndFraud && rapid.Bool().Draw(h.T, "spam")
	return d
}

func (h *history) decide(d decide.Draft) decide.Decision {
	out := h.w.Decide(d)
	h.decided++
	if !d.NoStatement {
		h.owed++
	}
	if d.Means.Decided == safety.FullyAutomated {
		h.automated++
	}
	if euform.OwnInitiative(string(d.Source)) {
		h.own++
	}
	return out
}

// followed lifts a decision, has it complained about, or leaves it.
func (h *history) followed(d decide.Decision) {
	ctx := context.Background()
	switch rapid.SampledFrom([]string{"", "lift", "uphold", "reverse"}).Draw(h.T, "then") {
	case "lift":
		by := safety.Actor{Staff: 9}
		if _, err := h.w.Decisions.Lift(ctx, d.Subject.Peer, d.ID, by, "mistake"); err != nil {
			h.Fatal(err)
		}
		h.lifted++
	case "uphold":
		h.complain(d, appeal.Upheld)
		h.upheld++
	case "reverse":
		h.complain(d, appeal.Reversed)
		h.reversed++
		h.lifted++
	}
}

func (h *history) complain(d decide.Decision, outcome appeal.State) {
	ctx := context.Background()
	a, err := h.w.Appeals.FileAgainst(ctx, d.Subject.Peer, d.ID,
		appeal.Person{User: d.Subject.Author}, "en", "")
	if err != nil {
		h.Fatal(err)
	}
	h.w.Clock.Advance(time.Duration(rapid.IntRange(0, 60).Draw(h.T, "later")) * time.Minute)
	_, err = h.w.Appeals.Decide(ctx, a.Subject, a.ID, appeal.Ruling{
		Staff: 8, Outcome: outcome, Reason: "Because.",
	})
	if err != nil {
		h.Fatal(err)
	}
}

// notice gives notice, which is dismissed or leads to a measure.
func (h *history) notice() {
	post := h.w.Post("text")
	got, err := h.w.Intake.Report(context.Background(), intake.Report{
		Subject: post, Source: safety.Article16, Name: "A B", Email: "a@example.org",
		Category: safety.Violence, Text: "It threatens.", GoodFaith: true,
		Locations: []string{"https://chat.example.org/news/4"},
	})
	if err != nil {
		h.Fatal(err)
	}
	h.notices++
	if rapid.Bool().Draw(h.T, "right") {
		h.decide(h.draft(got.Case, post))
		return
	}
	_, err = h.w.Decisions.Dismiss(context.Background(), post.Peer, got.Case,
		safety.Actor{Staff: 7}, casefile.Refuted, "It does not.")
	if err != nil {
		h.Fatal(err)
	}
	h.dismissed++
}

// order has an authority order something, and a line of what came of it.
func (h *history) order() {
	e := entry.Entry{
		V: entry.Version, Kind: entry.Order, Day: entry.Day(h.w.Clock.Now()),
		ID: strings.Repeat("0", 32), Commitment: strings.Repeat("0", 64),
		Country: rapid.SampledFrom([]string{"DE", "FR", "US"}).Draw(h.T, "country"),
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
}

// compare compares what all count of a day.
func (h *history) compare(p euform.Period) {
	day := p.From.Format(time.DateOnly)
	book, counts := report.NewBook("log"), tally.New()
	for _, e := range append(h.lines(day), h.orders...) {
		if err := book.Add(e); err != nil {
			h.Fatal(err)
		}
		counts.Add(&e)
	}
	daily, err := book.Report(day)
	if err != nil {
		h.Fatal(err)
	}
	c := euform.Counted{Tally: counts}
	var hits, statements int64
	h.w.View(func(r *store.Reader) (err error) {
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
	h.equal("decisions", h.decided, daily.Today.Decisions, hits, h.table(daily, "decisions"))
	h.equal("statements", h.owed, statements)
	h.equal("automated", h.automated, daily.Today.Automated, h.table(daily, "automated"))
	h.equal("dismissals", h.dismissed, daily.Today.NoActions)
	h.equal("lifts", h.lifted, daily.Today.Lifts, counts.Lifts)
	h.forms(p, c, daily)
	h.complaints(c, daily)
}

// lines are the entries of a day that wait for the log.
func (h *history) lines(day string) (out []entry.Entry) {
	h.w.View(func(r *store.Reader) error {
		rows, err := r.PendingLedgerRows(math.MaxInt32)
		for _, row := range rows {
			e, err := entry.Parse(row.Entry)
			if err != nil {
				return err
			}
			if e.Day == day {
				out = append(out, e)
			}
		}
		return err
	})
	return out
}

// forms compares the cells of the EU's forms.
func (h *history) forms(p euform.Period, c euform.Counted, daily report.Report) {
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
	h.equal("automated measures", h.automated, at(8, 1, 6))
	h.equal("all measures", h.decided, at(8, 1, 6)+at(8, 2, 6))
	h.equal("measures at own initiative", h.own, at(5, 1, 5)+at(6, 1, 5))
	h.equal("notices", h.notices, at(4, 1, 5), at(4, 1, 7))
	h.equal("complaints", h.upheld+h.reversed, at(7, 1, 6))
	h.equal("complaints reversed", h.reversed, at(7, 4, 6))
	var received, act, inform, tco int64
	for country, of := range daily.Today.Requests {
		received += of.Received
		if country != "US" {
			act += of.Instruments[entry.ActOnContent]
			inform += of.Instruments[entry.GiveInformation]
		}
		tco += of.Instruments[entry.RemoveTerror]
	}
	h.equal("orders", int64(len(h.orders)/2), received)
	h.equal("orders to act", act, at(3, 1, 6))
	h.equal("orders for information", inform, at(3, 1, 10))
	var terror int64
	for class, x := range c.Tally.Orders {
		if class.Instrument == entry.RemoveTerror {
			terror += x.Received
		}
	}
	h.equal("removal orders", tco, terror)
}

// complaints compares what the log and the database say of complaints.
func (h *history) complaints(c euform.Counted, daily report.Report) {
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
	h.equal("complaints decided", h.upheld+h.reversed, log, form,
		daily.Today.Appeals.Upheld+daily.Today.Appeals.Partly+daily.Today.Appeals.Reversed)
	h.equal("complaints reversed", h.reversed, daily.Today.Appeals.Reversed)
}

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
