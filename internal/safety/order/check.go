package order

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/country"
	"parley/internal/safety/instrument"
	"parley/internal/safety/policy"
)

// Bounds of an order.
const (
	// MaxItems is how many things one order may name: more are more orders.
	MaxItems = 1000
	// numberRunes bounds a reference, lineRunes a line, textRunes a text, in characters.
	numberRunes = 100
	lineRunes   = 500
	textRunes   = 10_000
	// urlBytes bounds an address, attachedSize a paper.
	urlBytes = 2048
	// MaxPapers is how many papers one order may have.
	MaxPapers = 20
	// listMost bounds each of its other lists: there are fewer countries, classes of data and
	// keywords than that, and nobody rests an order on more provisions.
	listMost     = 300
	attachedSize = 20 << 20
	// skew is how far ahead the clock of an authority may be, in seconds.
	skew = 10 * 60
	// maxPenalty is above every term of imprisonment, in years.
	maxPenalty = 150
)

// Problem says which field of an order is not as the instrument wants it.
type Problem struct {
	// Law is the instrument's provision, Field the field in words, What what is wrong with it:
	// missing, or a word that says more.
	Law   string `json:"law"`
	Field string `json:"field"`
	What  string `json:"what"`
	// Manifest is set for what contradicts itself or cannot be, which no reading helps.
	Manifest bool `json:"manifest,omitempty"`
}

// Error names law, field and what is wrong.
func (p Problem) Error() string { return p.Law + ": " + p.Field + ": " + p.What }

// fieldNames are the fields as people read them.
func fieldName(f instrument.Field) string {
	names := map[instrument.Field]string{
		instrument.Reference: "reference number", instrument.Identity: "issuing authority",
		instrument.LegalBasis: "legal basis", instrument.Reasons: "statement of reasons",
		instrument.Location: "exact URL", instrument.Accounts: "account identifiers",
		instrument.Data: "data sought", instrument.Time: "time of the data sought",
		instrument.Necessity: "necessity and proportionality",
		instrument.Redress:   "redress", instrument.Territory: "territorial scope",
		instrument.Issued: "date and time of issue", instrument.Signature: "signature",
		instrument.Validation: "validation", instrument.Offence: "offence",
		instrument.Penalty:    "greatest term of imprisonment",
		instrument.Supervisor: "supervisor", instrument.Language: "language",
	}
	if name := names[f]; name != "" {
		return name
	}
	return string(f)
}

// has is which fields the document has.
func (d Document) has() (out []instrument.Field) {
	for _, f := range []struct {
		field instrument.Field
		there bool
	}{
		{instrument.Reference, filled(d.Number)},
		{instrument.Identity, filled(d.Authority) && d.Country != ""},
		{instrument.LegalBasis, len(d.Basis) > 0 && filled(d.Basis[0].Law) &&
			filled(d.Basis[0].Provision)},
		{instrument.Reasons, d.reasoned(d.Reasons)},
		{instrument.Location, len(d.Items) > 0},
		{instrument.Accounts, len(d.Accounts) > 0},
		{instrument.Data, len(d.Data) > 0},
		{instrument.Time, d.From > 0 && d.To > 0},
		{instrument.Necessity, d.reasoned(d.Necessity)},
		{instrument.Redress, filled(d.Redress)},
		{instrument.Territory, len(d.Territory) > 0},
		{instrument.Issued, d.Issued > 0},
		{instrument.Signature, filled(d.Signed)},
		{instrument.Validation, filled(d.Validated)},
		{instrument.Offence, filled(d.Offence)},
		{instrument.Penalty, d.Penalty > 0},
		{instrument.Supervisor, filled(d.Supervisor)},
		{instrument.Language, d.Lang != ""},
	} {
		if f.there {
			out = append(out, f.field)
		}
	}
	return out
}

func filled(s string) bool { return strings.TrimSpace(s) != "" }

// Problems are what of a document is missing for its instrument or wrong in itself, for an agency
// at a time in Unix seconds. What is wanted and absent comes first, in the order of the instrument.
func (d Document) Problems(in instrument.Instrument, by agency.Agency, now int64) []Problem {
	c := checker{law: in.Law, d: d, now: now}
	for _, f := range in.Lacks(d.has(), Requester(by.Kind), d.Category) {
		if checkable(f) {
			c.missing(fieldName(f))
		}
	}
	c.sender(by)
	c.texts()
	c.targets()
	c.accounts()
	c.scope()
	c.times()
	c.data()
	c.attached()
	return c.out
}

// checkable tells whether a field is one of the document, and not something that people look for.
func checkable(f instrument.Field) bool {
	return f != instrument.GoodFaith && f != instrument.Certificate
}

// checker collects problems.
type checker struct {
	law string
	d   Document
	now int64
	out []Problem
}

func (c *checker) missing(field string) { c.wrong(field, "missing") }

// wrong notes a problem, once for each field and kind.
func (c *checker) wrong(field, what string) { c.add(Problem{Law: c.law, Field: field, What: what}) }

// manifest notes what cannot be.
func (c *checker) manifest(field, what string) {
	c.add(Problem{Law: c.law, Field: field, What: what, Manifest: true})
}

func (c *checker) add(p Problem) {
	if !slices.Contains(c.out, p) {
		c.out = append(c.out, p)
	}
}

// sender holds the document to who sent it.
func (c *checker) sender(by agency.Agency) {
	switch {
	case by.ID == 0:
	case c.d.Country != by.Country:
		c.manifest("issuing authority", "of another country than the agency that sent it")
	case filled(c.d.Authority) && !strings.EqualFold(
		strings.Join(strings.Fields(c.d.Authority), " "), by.Name):
		c.manifest("issuing authority", "another name than that of the agency that sent it")
	case !by.Kind.Official():
		c.manifest("issuing authority", "not an authority")
	}
	if c.d.Issued > c.now+skew {
		c.manifest("date and time of issue", "in the future")
	}
}

// texts holds every text to its bounds.
func (c *checker) texts() {
	for _, t := range []struct {
		field, text string
		most        int
	}{
		{"reference number", c.d.Number, numberRunes},
		{"issuing authority", c.d.Authority, lineRunes}, {"signature", c.d.Signed, lineRunes},
		{"validation", c.d.Validated, lineRunes}, {"statement of reasons", c.d.Reasons, textRunes},
		{"necessity and proportionality", c.d.Necessity, textRunes},
		{"objective", c.d.Objective, textRunes}, {"redress", c.d.Redress, textRunes},
		{"offence", c.d.Offence, lineRunes}, {"supervisor", c.d.Supervisor, lineRunes},
	} {
		c.text(t.field, t.text, t.most)
	}
	for _, b := range c.d.Basis[:c.most("legal basis", len(c.d.Basis))] {
		c.text("legal basis", b.Law, lineRunes)
		c.text("legal basis", b.Provision, lineRunes)
		if !filled(b.Law) || !filled(b.Provision) {
			c.wrong("legal basis", "law or provision missing")
		}
	}
	if c.d.Lang != "" && !lower(c.d.Lang) {
		c.wrong("language", "not a code of ISO 639-1")
	}
	if !upper(c.d.Country) {
		c.wrong("issuing authority", "country is not a code of ISO 3166-1")
	} else if !country.Code(c.d.Country).Valid() {
		c.wrong("issuing authority", "no such country")
	}
	switch c.d.Urgency {
	case "", instrument.Routine, instrument.Urgent, instrument.Life:
	default:
		c.wrong("urgency", "unknown")
	}
}

func (c *checker) text(field, text string, most int) {
	switch {
	case !utf8.ValidString(text), strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r'
	}):
		c.wrong(field, "not a text")
	case utf8.RuneCountInString(text) > most:
		c.wrong(field, "too long")
	}
}

// most is how many of so many things of a list are looked at, and notes when those are not all.
func (c *checker) most(field string, n int) int {
	if n > listMost {
		c.wrong(field, "too many")
	}
	return min(n, listMost)
}

// targets looks at the addresses.
func (c *checker) targets() {
	if len(c.d.Items) > MaxItems {
		c.wrong("exact URL", "more than one order may name")
		return
	}
	seen := make(map[string]bool)
	var inexact, twice lines
	for i, t := range c.d.Items {
		c.text("exact URL", t.Note, lineRunes)
		switch {
		case !filled(t.URL):
			c.missing("exact URL")
		case !t.exact():
			inexact = append(inexact, i)
		case seen[t.URL]:
			twice = append(twice, i)
		}
		seen[t.URL] = true
	}
	c.lines("exact URL", "not an exact address", inexact)
	c.lines("exact URL", "named twice", twice)
}

// exact tells whether a target can be the address of one thing.
func (t Target) exact() bool {
	return len(t.URL) <= urlBytes && utf8.ValidString(t.URL) &&
		!strings.ContainsFunc(t.URL, func(r rune) bool {
			return unicode.IsControl(r) || unicode.IsSpace(r)
		}) && !strings.ContainsAny(t.URL, "*%\\<>")
}

// lines are places in a list, from 0 on.
type lines []int

// linesMost is how many places of one kind of mistake are named.
const linesMost = 20

// lines notes what is wrong with several things of a list, by their places from 1 on.
func (c *checker) lines(field, what string, at lines) {
	if len(at) == 0 {
		return
	}
	var named []string
	for _, i := range at[:min(len(at), linesMost)] {
		named = append(named, strconv.Itoa(i+1))
	}
	if len(at) > linesMost {
		named = append(named, "...")
	}
	c.wrong(field, what+": "+strings.Join(named, ", "))
}

// accounts looks at the identifiers.
func (c *checker) accounts() {
	if len(c.d.Accounts) > MaxItems {
		c.wrong("account identifiers", "more than one order may name")
		return
	}
	seen := make(map[Identifier]bool)
	var inexact, twice lines
	for i, a := range c.d.Accounts {
		if !a.exact() {
			inexact = append(inexact, i)
		} else if seen[a] {
			twice = append(twice, i)
		}
		seen[a] = true
	}
	c.lines("account identifiers", "not an exact identifier", inexact)
	c.lines("account identifiers", "named twice", twice)
}

// exact tells whether an identifier can be that of one account.
func (a Identifier) exact() bool {
	v := a.Value
	switch a.Type {
	case "username":
		v = strings.TrimPrefix(v, "@")
		return len(v) >= 3 && len(v) <= 32 && strings.Trim(strings.ToLower(v),
			"abcdefghijklmnopqrstuvwxyz0123456789_") == ""
	case "phone":
		v = strings.TrimPrefix(v, "+")
		return len(v) >= 7 && len(v) <= 15 && strings.Trim(v, "0123456789") == ""
	case "id":
		return v != "" && len(v) <= 16 && strings.Trim(v, "0123456789") == "" && v[0] != '0'
	case "url":
		return filled(v) && len(v) <= urlBytes && !strings.ContainsAny(v, "*%\\<> \t\n")
	default:
		return false
	}
}

// scope looks at action, territory and time.
func (c *checker) scope() {
	switch {
	case c.d.Action == "":
		c.missing("what is to be done")
	case !slices.Contains(policy.Actions(), c.d.Action):
		c.wrong("what is to be done", "unknown")
	}
	for i, where := range c.d.Territory[:c.most("territorial scope", len(c.d.Territory))] {
		switch {
		case !upper(where):
			c.wrong("territorial scope", "not a code of ISO 3166-1")
		case !country.Code(where).Valid():
			c.wrong("territorial scope", "no such country")
		case slices.Contains(c.d.Territory[:i], where):
			c.wrong("territorial scope", "named twice")
		}
	}
	if c.d.Until > 0 && c.d.Until <= c.now {
		c.manifest("duration", "over already")
	}
	if b := c.d.Bar; b != nil {
		switch {
		case !filled(b.Basis):
			c.missing("basis of the prohibition to inform")
		case b.Until > 0 && b.Until <= c.now:
			c.manifest("prohibition to inform", "over already")
		}
		c.text("basis of the prohibition to inform", b.Basis, lineRunes)
	}
	if c.d.Category != "" && (!c.d.Category.Valid() || c.d.Category == safety.NotSpecified) {
		c.wrong("category", "unknown")
		return
	}
	for _, k := range c.d.Keywords[:c.most("category", len(c.d.Keywords))] {
		if !slices.Contains(c.d.Category.Keywords(), k) {
			c.wrong("category", "keyword of another category")
		}
	}
}

// data looks at what information is asked for.
func (c *checker) data() {
	for i, x := range c.d.Data[:c.most("data sought", len(c.d.Data))] {
		if !slices.Contains(policy.AllData(), x) {
			c.wrong("data sought", "unknown class")
		} else if slices.Contains(c.d.Data[:i], x) {
			c.wrong("data sought", "named twice")
		}
	}
	// Data is about accounts; what is named by its address as well would be passed over in silence.
	if asks := c.d.Action == policy.Disclose || c.d.Action == policy.Preserve; asks &&
		len(c.d.Items) > 0 && len(c.d.Accounts) > 0 {
		c.wrong("account identifiers", "beside addresses: more than one order")
	}
	if c.d.From > 0 && c.d.To > 0 && c.d.From > c.d.To {
		c.manifest("time of the data sought", "ends before it begins")
	}
	if c.d.To > c.now+skew {
		c.manifest("time of the data sought", "in the future")
	}
	if c.d.Penalty < 0 || c.d.Penalty > maxPenalty {
		c.manifest("greatest term of imprisonment", "no such penalty")
	}
	const listed = "directive that lists the offence"
	for i, x := range c.d.Directives[:c.most(listed, len(c.d.Directives))] {
		if !slices.Contains(Directives(), x) {
			c.wrong(listed, "unknown")
		} else if slices.Contains(c.d.Directives[:i], x) {
			c.wrong(listed, "named twice")
		}
	}
}

// times names what was given for a time and is none.
func (c *checker) times() {
	var bar int64
	if c.d.Bar != nil {
		bar = c.d.Bar.Until
	}
	for _, t := range []struct {
		field string
		at    int64
	}{
		{"date and time of issue", c.d.Issued}, {"duration", c.d.Until},
		{"time of the data sought", c.d.From}, {"time of the data sought", c.d.To},
		{"prohibition to inform", bar},
	} {
		if t.at < 0 {
			c.wrong(t.field, "not a time")
		}
	}
}

// attached looks at the papers.
func (c *checker) attached() {
	if len(c.d.Attached) > MaxPapers {
		c.wrong("papers", "too many")
		return
	}
	for _, a := range c.d.Attached {
		switch {
		case !isDigest(a.Digest):
			c.wrong("papers", "no digest")
		case a.Size <= 0 || a.Size > attachedSize:
			c.wrong("papers", "too large or empty")
		}
		c.text("papers", a.Name, lineRunes)
	}
}

func isDigest(s string) bool { return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == "" }

// lower and upper tell whether a text is a code of two letters.
func lower(s string) bool {
	return len(s) == 2 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") == ""
}

func upper(s string) bool {
	return len(s) == 2 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
