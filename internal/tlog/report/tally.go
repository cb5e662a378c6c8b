package report

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"parley/internal/tlog/entry"
)

// Words of entries that figures are made of.
//
// https://transparency.dsa.ec.europa.eu/page/api-documentation
const (
	fully       = "AUTOMATED_DECISION_FULLY"
	terminated  = "DECISION_ACCOUNT_TERMINATED"
	noProvision = "DECISION_PROVISION_TOTAL_TERMINATION"
)

// childKeywords and terrorKeywords are of what the channels of child safety and of terrorism count.
var (
	childKeywords = [...]string{
		"KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL", "KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL_DEEPFAKE",
		"KEYWORD_GROOMING_SEXUAL_ENTICEMENT_MINORS",
	}
	terrorKeywords = [...]string{"KEYWORD_TERRORIST_CONTENT"}
)

// times counts how often something took so many minutes.
type times map[int64]int64

func (t times) add(other times) {
	for k, n := range other {
		t[k] += n
	}
}

// median is the lower median, 0 of nothing.
func (t times) median() int64 {
	var all, seen int64
	for _, n := range t {
		all += n
	}
	for _, k := range slices.Sorted(maps.Keys(t)) {
		seen += t[k]
		if 2*seen >= all {
			return k
		}
	}
	return 0
}

// requests are a country's before they are published.
type requests struct {
	out                    Requests
	accounts, told, untold span
	took                   times
	// refusals are why was refused, in whole or in part, what was asked for by which instrument.
	refusals map[refusal]int64
}

// refusal is a reason under an instrument.
type refusal struct{ instrument, reason string }

// people counts the people of an entry.
func (r *requests) people(e entry.Entry) {
	r.accounts.add(e.Accounts)
	r.told.add(e.Told)
	r.untold.add(e.Untold)
}

// tally is what figures are made of: all of it can be added up.
type tally struct {
	of            Figures
	took, appeals times
	requests      map[string]*requests
	withheld      map[string]withheld
}

func newTally() *tally {
	return &tally{
		of: Figures{
			Subjects: map[string]int64{}, Measures: map[string]int64{}, Grounds: map[string]int64{},
			Categories: map[string]int64{}, Sources: map[string]int64{},
			Reported: map[string]int64{},
		},
		took: times{}, appeals: times{}, requests: map[string]*requests{},
		withheld: map[string]withheld{},
	}
}

// add counts an entry.
func (t *tally) add(e entry.Entry) {
	switch e.Kind {
	case entry.Decision:
		t.decision(e)
	case entry.NoAction:
		t.of.NoActions++
		t.took[e.Minutes]++
	case entry.Lift:
		t.of.Lifts++
	case entry.Expiry:
		t.of.Expiries++
	case entry.Appeal:
		t.of.Appeals.add(e.Outcome, 1)
		t.appeals[e.Minutes]++
	case entry.Settlement:
		t.of.Settlements.add(e.Outcome, 1)
	case entry.Correction:
		t.of.Settlements.add(e.Was, -1)
		t.of.Settlements.add(e.Outcome, 1)
	case entry.Review:
		t.of.Reviews.add(e.Outcome, 1)
		if e.Decided == fully {
			t.of.AutomatedReviews.add(e.Outcome, 1)
		}
	case entry.Order, entry.Effect, entry.Refusal, entry.Disclosure, entry.Told:
		t.request(e)
	}
}

func (t *tally) decision(e entry.Entry) {
	f := &t.of
	f.Decisions++
	f.Items += e.Items
	f.Accounts += e.Accounts
	f.Told += e.Told
	if e.Detected {
		f.Detected++
	}
	if e.Decided == fully {
		f.Automated++
	}
	count(f.Subjects, e.Subject)
	count(f.Grounds, e.Ground)
	count(f.Categories, e.Category)
	count(f.Sources, e.Source)
	for _, m := range e.Measures {
		count(f.Measures, m)
	}
	t.took[e.Minutes]++
	t.withhold(e)
	ends := slices.Contains(e.Measures, terminated) || slices.Contains(e.Measures, noProvision)
	if e.Subject != "chat" || !ends {
		return
	}
	f.Banned.All++
	if slices.ContainsFunc(e.Keywords, func(k string) bool {
		return slices.Contains(childKeywords[:], k)
	}) {
		f.Banned.ChildSafety++
	}
	if slices.ContainsFunc(e.Keywords, func(k string) bool {
		return slices.Contains(terrorKeywords[:], k)
	}) {
		f.Banned.Terrorism++
	}
}

// country is what authorities of a country asked for.
func (t *tally) country(code string) *requests {
	r := t.requests[code]
	if r == nil {
		r = &requests{took: times{}, refusals: map[refusal]int64{}}
		r.out.Reasons, r.out.Instruments = map[string]int64{}, map[string]int64{}
		t.requests[code] = r
	}
	return r
}

func (t *tally) request(e entry.Entry) {
	if e.Unasked() {
		count(t.of.Reported, e.Instrument)
		return
	}
	r := t.country(e.Country)
	switch e.Kind {
	case entry.Order:
		// Whom it concerns is counted by what comes of it.
		r.out.Received++
		count(r.out.Instruments, e.Instrument)
		return
	case entry.Told:
		r.told.add(e.Told)
		r.untold.subtract(e.Untold)
		return
	case entry.Effect:
		switch e.Outcome {
		case "full":
			r.out.Complied++
		case "partial":
			r.out.Partly++
			r.refuse(e)
		default:
			r.out.Refused++
			r.refuse(e)
		}
	case entry.Refusal:
		r.out.Refused++
		r.refuse(e)
	case entry.Disclosure:
		r.out.Disclosures++
		r.people(e)
		return
	}
	r.people(e)
	r.took[e.Minutes]++
}

// refuse counts why something was refused. Of an order that was carried out in part nothing may
// have been: what it names was not here.
func (r *requests) refuse(e entry.Entry) {
	if e.Reason == "" {
		return
	}
	count(r.out.Reasons, e.Reason)
	r.refusals[refusal{e.Instrument, e.Reason}]++
}

// merge adds another tally to this one.
func (t *tally) merge(o *tally) {
	a, b := &t.of, &o.of
	for _, p := range [][2]*int64{
		{&a.Decisions, &b.Decisions}, {&a.Items, &b.Items}, {&a.Accounts, &b.Accounts},
		{&a.Told, &b.Told}, {&a.Detected, &b.Detected}, {&a.Automated, &b.Automated},
		{&a.NoActions, &b.NoActions}, {&a.Lifts, &b.Lifts}, {&a.Expiries, &b.Expiries},
		{&a.Banned.All, &b.Banned.All}, {&a.Banned.ChildSafety, &b.Banned.ChildSafety},
		{&a.Banned.Terrorism, &b.Banned.Terrorism},
	} {
		*p[0] += *p[1]
	}
	sum(a.Subjects, b.Subjects)
	sum(a.Measures, b.Measures)
	sum(a.Grounds, b.Grounds)
	sum(a.Categories, b.Categories)
	sum(a.Sources, b.Sources)
	sum(a.Reported, b.Reported)
	a.Appeals.merge(b.Appeals)
	a.Settlements.merge(b.Settlements)
	a.Reviews.merge(b.Reviews)
	a.AutomatedReviews.merge(b.AutomatedReviews)
	t.took.add(o.took)
	t.appeals.add(o.appeals)
	for country := range o.requests {
		t.mergeRequests(o, country)
	}
	for country := range o.withheld {
		t.mergeWithheld(o, country)
	}
}

// mergeWithheld adds what another tally has withheld in a country to this one.
func (t *tally) mergeWithheld(o *tally, country string) {
	w, more := t.withheld[country], o.withheld[country]
	t.withheld[country] = withheld{w.measures + more.measures, w.items + more.items}
}

// mergeRequests adds the requests of a country, if another tally has some, to this one.
func (t *tally) mergeRequests(o *tally, country string) {
	from := o.requests[country]
	if from == nil {
		return
	}
	to := t.country(country)
	to.out.Received += from.out.Received
	to.out.Complied += from.out.Complied
	to.out.Partly += from.out.Partly
	to.out.Refused += from.out.Refused
	to.out.Disclosures += from.out.Disclosures
	sum(to.out.Reasons, from.out.Reasons)
	sum(to.out.Instruments, from.out.Instruments)
	for what, n := range from.refusals {
		to.refusals[what] += n
	}
	to.accounts.merge(from.accounts)
	to.told.merge(from.told)
	to.untold.merge(from.untold)
	to.took.add(from.took)
}

// figures are what is published of a tally.
func (t *tally) figures() Figures {
	f := t.of
	f.Subjects, f.Measures = maps.Clone(f.Subjects), maps.Clone(f.Measures)
	f.Grounds, f.Categories = maps.Clone(f.Grounds), maps.Clone(f.Categories)
	f.Sources = maps.Clone(f.Sources)
	f.Reported = maps.Clone(f.Reported)
	f.AutomatedShare = share(f.Automated, f.Decisions)
	right := f.AutomatedReviews
	f.AutomatedPrecision = share(right.Upheld, right.Upheld+right.Partly+right.Reversed)
	f.MedianMinutes, f.MedianAppealMinutes = t.took.median(), t.appeals.median()
	if len(t.requests) > 0 {
		f.Requests = make(map[string]Requests, len(t.requests))
	}
	for country, r := range t.requests {
		f.Requests[country] = r.published()
	}
	return f
}

// published are a country's requests as they are published.
func (r *requests) published() Requests {
	out := r.out
	out.Reasons, out.Instruments = maps.Clone(out.Reasons), maps.Clone(out.Instruments)
	out.Accounts, out.Told, out.Untold = r.accounts.String(), r.told.String(), r.untold.String()
	out.MedianMinutes = r.took.median()
	return out
}

// add counts an outcome n times.
func (o *Outcomes) add(outcome string, n int64) {
	switch outcome {
	case "upheld":
		o.Upheld += n
	case "partly":
		o.Partly += n
	case "reversed":
		o.Reversed += n
	}
}

func (o *Outcomes) merge(other Outcomes) {
	o.Upheld += other.Upheld
	o.Partly += other.Partly
	o.Reversed += other.Reversed
}

// count counts a word; none counts nothing.
func count(m map[string]int64, word string) {
	if word != "" {
		m[word]++
	}
}

func sum(to, from map[string]int64) {
	for k, n := range from {
		to[k] += n
	}
}

// shareUnit is the last decimal of a share.
const shareUnit = 10_000

// share is a part of a whole with four decimals, the last one rounded, by whole numbers alone: it
// must come out the same everywhere. It is empty of nothing.
func share(part, whole int64) string {
	if whole <= 0 {
		return ""
	}
	n := (2*part*shareUnit + whole) / (2 * whole)
	return fmt.Sprintf("%d.%04d", n/shareUnit, n%shareUnit)
}

// span is what a sum of bands can be.
type span struct {
	least, most int64
	// open counts bands without an end.
	open int64
}

// add adds the band that begins with a number.
func (s *span) add(band int64) {
	most, open := entry.BandEnd(band)
	s.least += band
	s.most += most
	if open {
		s.open++
	}
}

// subtract takes a band back that was added.
func (s *span) subtract(band int64) {
	most, open := entry.BandEnd(band)
	s.least -= band
	s.most -= most
	if open {
		s.open--
	}
}

func (s *span) merge(o span) {
	s.least += o.least
	s.most += o.most
	s.open += o.open
}

// String is "0", "1-4", or "1000+" where there is no end.
func (s span) String() string {
	switch {
	case s.open > 0:
		return fmt.Sprintf("%d+", s.least)
	case s.least == s.most:
		return strconv.FormatInt(s.least, 10)
	default:
		return fmt.Sprintf("%d-%d", s.least, s.most)
	}
}
