// Package tally counts the entries of the transparency log by what official forms ask: measures by
// ground, source, category and restriction, complaints by what they are about, orders by country
// and instrument, and how long each took. Tallies add up, so that a year is the sum of its parts,
// and memory does not grow with the number of entries. Like tlog/report, which counts for the daily
// report, it reads entries alone and imports nothing of the server: whoever has the log can count
// the same.
package tally

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"parley/internal/tlog/entry"
)

// Words of entries.
//
// https://transparency.dsa.ec.europa.eu/page/api-documentation
const (
	// Fully is the automation of what machines decided alone.
	Fully = "AUTOMATED_DECISION_FULLY"
	// OtherKeyword is the keyword of what has none.
	OtherKeyword = "KEYWORD_OTHER"

	// withdrawn is the outcome of a dispute that ended without a decision.
	withdrawn = "withdrawn"

	article16 = "SOURCE_ARTICLE_16"
	flagger   = "SOURCE_TRUSTED_FLAGGER"
)

// Class is what a measure is counted under.
type Class struct{ Ground, Source, Category, Keyword string }

// MarshalText writes a class as words with a space between them; empty is a hyphen.
func (c Class) MarshalText() ([]byte, error) {
	return join(c.Ground, c.Source, c.Category, c.Keyword), nil
}

// UnmarshalText reads what MarshalText writes.
func (c *Class) UnmarshalText(text []byte) error {
	return split(text, &c.Ground, &c.Source, &c.Category, &c.Keyword)
}

// OrderClass is what an order of an authority is counted under.
type OrderClass struct{ Country, Instrument, Category, Keyword string }

// MarshalText writes a class as words with a space between them; empty is a hyphen.
func (c OrderClass) MarshalText() ([]byte, error) {
	return join(c.Country, c.Instrument, c.Category, c.Keyword), nil
}

// UnmarshalText reads what MarshalText writes.
func (c *OrderClass) UnmarshalText(text []byte) error {
	return split(text, &c.Country, &c.Instrument, &c.Category, &c.Keyword)
}

func join(words ...string) []byte {
	for i, w := range words {
		if w == "" {
			words[i] = "-"
		}
	}
	return []byte(strings.Join(words, " "))
}

func split(text []byte, to ...*string) error {
	words := strings.Fields(string(text))
	if len(words) != len(to) {
		return fmt.Errorf("tally: %q is no class", text)
	}
	for i, w := range words {
		if *to[i] = w; w == "-" {
			*to[i] = ""
		}
	}
	return nil
}

// Measures count decisions of one class. A decision counts once, and once more in Restrictions for
// each of its restrictions.
type Measures struct {
	Count int64 `json:"count"`
	// Detected were found by machines, Automated decided by machines alone.
	Detected     int64            `json:"detected,omitempty"`
	Automated    int64            `json:"automated,omitempty"`
	Restrictions map[string]int64 `json:"restrictions,omitempty"`
	Took         Times            `json:"took,omitempty"`
}

// Share is how many decisions there are, and how many of them machines made alone.
type Share struct {
	Count     int64 `json:"count"`
	Automated int64 `json:"automated,omitempty"`
}

func (s *Share) add(e *entry.Entry) {
	s.Count++
	s.Automated += one(e.Decided == Fully)
}

func (s *Share) merge(from Share) {
	s.Count += from.Count
	s.Automated += from.Automated
}

// Reviews count second looks at decisions that machines made alone.
type Reviews struct {
	Right int64 `json:"right"`
	Wrong int64 `json:"wrong"`
}

// Complaint is what a complaint is about, as the forms divide them.
type Complaint string

// The kinds of complaints.
const (
	// AboutVisibility is about what was removed, disabled or seen less.
	AboutVisibility Complaint = "visibility"
	// AboutService is about the provision of the service, AboutAccount about an account.
	AboutService Complaint = "service"
	AboutAccount Complaint = "account"
	// AboutNotice is about a notice that led to nothing, AboutFlagged about one of a trusted
	// flagger, AboutReport about another report.
	AboutNotice  Complaint = "notice"
	AboutFlagged Complaint = "flagged"
	AboutReport  Complaint = "report"
)

// About says what a complaint is about by the restrictions and the source of the decision.
func About(restrictions []string, source string) Complaint {
	begins := func(prefix string) bool {
		return slices.ContainsFunc(restrictions, func(r string) bool {
			return strings.HasPrefix(r, prefix)
		})
	}
	switch {
	case begins("DECISION_ACCOUNT_"):
		return AboutAccount
	case begins("DECISION_PROVISION_"):
		return AboutService
	case len(restrictions) > 0:
		return AboutVisibility
	case source == flagger:
		return AboutFlagged
	case source == article16:
		return AboutNotice
	default:
		return AboutReport
	}
}

// Outcomes count how complaints or disputes ended.
type Outcomes struct {
	Upheld   int64 `json:"upheld"`
	Partly   int64 `json:"partly"`
	Reversed int64 `json:"reversed"`
	Took     Times `json:"took,omitempty"`
}

// Decided is how many there are.
func (o *Outcomes) Decided() int64 { return o.Upheld + o.Partly + o.Reversed }

func (o *Outcomes) add(outcome string, n int64) {
	switch outcome {
	case "partly":
		o.Partly += n
	case "reversed":
		o.Reversed += n
	default:
		o.Upheld += n
	}
}

// settled counts a dispute n times, if it was decided: one that was withdrawn is not.
func (o *Outcomes) settled(outcome string, minutes, n int64) {
	if outcome != withdrawn {
		o.add(outcome, n)
		o.Took.add(minutes, n)
	}
}

// Terror counts what was done about terrorist content, whatever other keywords it has.
type Terror struct {
	// Measures are decisions, Complaints those that were decided about them.
	Measures   int64    `json:"measures"`
	Complaints Outcomes `json:"complaints"`
}

// is tells whether an entry is about terrorist content.
func (Terror) is(e *entry.Entry) bool {
	return slices.Contains(e.Keywords, "KEYWORD_TERRORIST_CONTENT")
}

// Orders count what authorities asked for and what came of it.
type Orders struct {
	Received int64 `json:"received"`
	// Items is the least number of things that all of them named: the log has bands.
	Items int64 `json:"items,omitempty"`
	// Content counts the types of content or data that were asked for.
	Content map[string]int64 `json:"content,omitempty"`
	// Receipts is how long it took until authorities were told of receipt, Effects until the order
	// had its effect or was refused.
	Receipts Times `json:"receipts,omitempty"`
	Effects  Times `json:"effects,omitempty"`
	// Full, Partly and None are effects; None includes refusals, whose reasons are counted.
	Full    int64            `json:"full,omitempty"`
	Partly  int64            `json:"partly,omitempty"`
	None    int64            `json:"none,omitempty"`
	Reasons map[string]int64 `json:"reasons,omitempty"`
	// Disclosures are times that data was handed over; ItemsActed is the least number of things
	// that effects concerned.
	Disclosures int64 `json:"disclosures,omitempty"`
	ItemsActed  int64 `json:"items_acted,omitempty"`
}

// Tally is what entries add up to.
type Tally struct {
	Measures map[Class]*Measures `json:"measures"`
	// Dismissals are decisions to do nothing.
	Dismissals map[Class]*Share    `json:"dismissals"`
	Reviews    map[string]*Reviews `json:"reviews"`
	// Languages are measures by the language of the content.
	Languages   map[string]*Share       `json:"languages"`
	Complaints  map[Complaint]*Outcomes `json:"complaints"`
	Settlements Outcomes                `json:"settlements"`
	Orders      map[OrderClass]*Orders  `json:"orders"`
	Terror      Terror                  `json:"terror"`
	Lifts       int64                   `json:"lifts"`
	Expiries    int64                   `json:"expiries"`
}

// New returns an empty tally.
func New() *Tally {
	return &Tally{
		Measures: map[Class]*Measures{}, Dismissals: map[Class]*Share{},
		Reviews: map[string]*Reviews{}, Complaints: map[Complaint]*Outcomes{},
		Orders: map[OrderClass]*Orders{}, Languages: map[string]*Share{},
	}
}

// of returns what a map has under a key, putting it there first where there is nothing.
func of[K comparable, V any](m map[K]*V, key K) *V {
	v := m[key]
	if v == nil {
		v = new(V)
		m[key] = v
	}
	return v
}

// keyword is the one under which an entry counts: the first of its keywords.
func keyword(e *entry.Entry) string {
	if len(e.Keywords) == 0 {
		return OtherKeyword
	}
	return e.Keywords[0]
}

// Add counts an entry.
func (t *Tally) Add(e *entry.Entry) {
	class := Class{e.Ground, e.Source, e.Category, keyword(e)}
	switch e.Kind {
	case entry.Decision:
		m := of(t.Measures, class)
		m.Count++
		m.Detected += one(e.Detected)
		m.Automated += one(e.Decided == Fully)
		for _, r := range e.Measures {
			count(&m.Restrictions, r, 1)
		}
		m.Took.add(e.Minutes, 1)
		t.Terror.Measures += one(t.Terror.is(e))
		of(t.Languages, e.Lang).add(e)
	case entry.NoAction:
		of(t.Dismissals, class).add(e)
	case entry.Lift:
		t.Lifts++
	case entry.Expiry:
		t.Expiries++
	case entry.Appeal:
		if t.Terror.is(e) {
			t.Terror.Complaints.add(e.Outcome, 1)
			t.Terror.Complaints.Took.add(e.Minutes, 1)
		}
		o := of(t.Complaints, About(e.Measures, e.Source))
		o.add(e.Outcome, 1)
		o.Took.add(e.Minutes, 1)
	case entry.Settlement:
		t.Settlements.settled(e.Outcome, e.Minutes, 1)
	case entry.Correction:
		t.Settlements.settled(e.Was, e.Minutes, -1)
		t.Settlements.settled(e.Outcome, e.Minutes, 1)
	case entry.Review:
		if e.Decided == Fully {
			r := of(t.Reviews, e.Source)
			r.Wrong += one(e.Outcome == "reversed")
			r.Right += one(e.Outcome != "reversed")
		}
	case entry.Order, entry.Effect, entry.Refusal, entry.Disclosure:
		t.order(e)
	}
}

func (t *Tally) order(e *entry.Entry) {
	if e.Unasked() {
		return
	}
	o := of(t.Orders, OrderClass{e.Country, e.Instrument, e.Category, keyword(e)})
	switch e.Kind {
	case entry.Order:
		o.Received++
		o.Items += e.Items
		o.Receipts.add(e.Minutes, 1)
		for _, c := range e.Content {
			count(&o.Content, c, 1)
		}
		return
	case entry.Disclosure:
		o.Disclosures++
		return
	case entry.Refusal:
		o.None++
		count(&o.Reasons, e.Reason, 1)
	case entry.Effect:
		o.ItemsActed += e.Items
		switch e.Outcome {
		case "full":
			o.Full++
		case "partial":
			o.Partly++
			count(&o.Reasons, e.Reason, 1)
		default:
			o.None++
			count(&o.Reasons, e.Reason, 1)
		}
	}
	o.Effects.add(e.Minutes, 1)
}

// Merge adds another tally to this one.
func (t *Tally) Merge(o *Tally) {
	for c, from := range o.Measures {
		to := of(t.Measures, c)
		to.Count += from.Count
		to.Detected += from.Detected
		to.Automated += from.Automated
		merge(&to.Restrictions, from.Restrictions)
		to.Took.Merge(from.Took)
	}
	for c, from := range o.Dismissals {
		of(t.Dismissals, c).merge(*from)
	}
	for c, from := range o.Languages {
		of(t.Languages, c).merge(*from)
	}
	for c, from := range o.Reviews {
		to := of(t.Reviews, c)
		to.Right += from.Right
		to.Wrong += from.Wrong
	}
	for c, from := range o.Complaints {
		of(t.Complaints, c).Merge(*from)
	}
	t.Settlements.Merge(o.Settlements)
	for c, from := range o.Orders {
		of(t.Orders, c).Merge(*from)
	}
	t.Terror.Measures += o.Terror.Measures
	t.Terror.Complaints.Merge(o.Terror.Complaints)
	t.Lifts += o.Lifts
	t.Expiries += o.Expiries
}

// Merge adds others to these.
func (o *Outcomes) Merge(from Outcomes) {
	o.Upheld += from.Upheld
	o.Partly += from.Partly
	o.Reversed += from.Reversed
	o.Took.Merge(from.Took)
}

// Merge adds others to these.
func (o *Orders) Merge(from Orders) {
	o.Received += from.Received
	o.Items += from.Items
	merge(&o.Content, from.Content)
	o.Receipts.Merge(from.Receipts)
	o.Effects.Merge(from.Effects)
	o.Full += from.Full
	o.Partly += from.Partly
	o.None += from.None
	merge(&o.Reasons, from.Reasons)
	o.Disclosures += from.Disclosures
	o.ItemsActed += from.ItemsActed
}

func one(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

// count counts a word; none counts nothing.
func count(m *map[string]int64, word string, n int64) {
	if word == "" {
		return
	}
	if *m == nil {
		*m = map[string]int64{}
	}
	(*m)[word] += n
}

func merge(to *map[string]int64, from map[string]int64) {
	for word, n := range from {
		count(to, word, n)
	}
}

// Times counts how often something took so many minutes.
type Times map[int64]int64

func (t *Times) add(minutes, n int64) {
	if *t == nil {
		*t = Times{}
	}
	(*t)[minutes] += n
}

// Add counts something that took so many seconds.
func (t *Times) Add(seconds int64) { t.add(max(seconds, 0)/60, 1) }

// Merge adds others to these.
func (t *Times) Merge(from Times) {
	for minutes, n := range from {
		t.add(minutes, n)
	}
}

// Mean is the mean in hours; false when there are none.
func (t Times) Mean() (float64, bool) {
	var all, sum int64
	for minutes, n := range t {
		all += n
		sum += minutes * n
	}
	if all == 0 {
		return 0, false
	}
	return float64(sum) / float64(all) / 60, true
}

// Hours is the median in hours, the mean of the two in the middle of an even number; false when
// there are none.
func (t Times) Hours() (float64, bool) {
	var all int64
	for _, n := range t {
		all += n
	}
	if all == 0 {
		return 0, false
	}
	var seen int64
	low := int64(-1)
	for _, minutes := range slices.Sorted(maps.Keys(t)) {
		seen += t[minutes]
		if low < 0 && 2*seen >= all {
			low = minutes
		}
		if 2*seen > all {
			return float64(low+minutes) / 2 / 60, true
		}
	}
	return float64(low) / 60, true
}
