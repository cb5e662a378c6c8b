package authority

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
)

// moment is how a time is typed, in UTC.
const moment = "2006-01-02T15:04"

// basisMost is how many provisions a form has room for.
const basisMost = 10

// typed is what stands in the fields of a form, by their names.
type typed url.Values

// field is what stands in a field.
func (t typed) field(name string) string { return strings.TrimSpace(url.Values(t).Get(name)) }

// all is what stands in a field that came in parts, such as with a list beside it.
func (t typed) all(name string) string { return strings.TrimSpace(strings.Join(t[name], "\n")) }

// unix is a time that was typed in UTC, 0 for none, and order.Unreadable for what is none.
func (t typed) unix(name string) int64 {
	text := t.field(name)
	if text == "" {
		return 0
	}
	for _, layout := range []string{moment, moment + ":05", time.RFC3339, "2006-01-02 15:04"} {
		if x, err := time.Parse(layout, text); err == nil {
			return x.Unix()
		}
	}
	return order.Unreadable
}

// number is a number that was typed, 0 for none, and order.Unreadable for what is none.
func (t typed) number(name string) int {
	text := t.field(name)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return order.Unreadable
	}
	return n
}

// document reads a form into an order, for the order's own checks. Papers that were not brought
// here are a problem besides.
func (p *Pages) document(
	t typed, in instrument.Instrument, a agency.Agency,
) (d order.Document, wrong []order.Problem) {
	countries := strings.ReplaceAll(strings.ToUpper(t.field("territory")), ",", " ")
	d = order.Document{
		Instrument: in.ID, Number: t.field("number"), Country: a.Country, Authority: a.Name,
		Signed: t.field("signed"), Validated: t.field("validated"), Lang: t.field("language"),
		Reasons: t.field("reasons"), Necessity: t.field("necessity"),
		Objective: t.field("objective"), Redress: t.field("redress"),
		Action: policy.Action(t.field("action")), Offence: t.field("offence"),
		Supervisor: t.field("supervisor"), Urgency: instrument.Urgency(t.field("urgency")),
		Territory: strings.Fields(countries),
		Notified:  t.field("notified") != "",
		Withheld:  t.field("withheld") != "",
		Extends:   t.field("extends"),
		Follows:   t.field("follows"),
		Attached:  p.attached(t["papers"], a.ID),
	}
	if list := actions(in); d.Action == "" && len(list) == 1 {
		d.Action = list[0]
	}
	for i := range basisMost {
		b := order.Basis{
			Law: t.field(fmt.Sprint("law", i)), Provision: t.field(fmt.Sprint("provision", i)),
		}
		if b != (order.Basis{}) {
			d.Basis = append(d.Basis, b)
		}
	}
	d.Items, d.Accounts = items(t.all("items")), accounts(t.field("accounts"))
	for _, x := range t["data"] {
		d.Data = append(d.Data, policy.Data(x))
	}
	var foreign bool
	d.Category, d.Keywords, foreign = t.kind()
	if until := t.unix("bar_until"); t.field("bar") != "" || until != 0 {
		d.Bar = &order.Bar{Basis: t.field("bar"), Until: until}
	}
	d.Issued, d.Until = t.unix("issued"), t.unix("until")
	d.From, d.To = t.unix("from"), t.unix("to")
	d.Penalty = t.number("penalty")
	for _, x := range t["directives"] {
		d.Directives = append(d.Directives, order.Directive(x))
	}
	problem := func(field, what string) {
		wrong = append(wrong, order.Problem{Law: in.Law, Field: field, What: what})
	}
	if foreign {
		problem("category", "keyword of another category")
	}
	if len(d.Attached) != len(t["papers"]) {
		problem("papers", "not brought here")
	}
	return d, wrong
}

// items reads addresses, one a line; what follows behind a space is a note.
func items(text string) (out []order.Target) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			address, note, _ := strings.Cut(line, " ")
			out = append(out, order.Target{URL: address, Note: strings.TrimSpace(note)})
		}
	}
	return out
}

// accounts reads identifiers, one a line, each by what it looks like.
func accounts(text string) (out []order.Identifier) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		kind, value, named := strings.Cut(line, ":")
		switch {
		case line == "":
			continue
		case strings.HasPrefix(line, "@"):
			out = append(out, order.Identifier{Type: "username", Value: line[1:]})
		case strings.HasPrefix(line, "+"):
			number := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(line[1:])
			out = append(out, order.Identifier{Type: "phone", Value: number})
		case strings.HasPrefix(line, "https://"), strings.HasPrefix(line, "http://"):
			out = append(out, order.Identifier{Type: "url", Value: line})
		case named:
			out = append(out, order.Identifier{Type: kind, Value: strings.TrimSpace(value)})
		default:
			out = append(out, order.Identifier{Type: "id", Value: line})
		}
	}
	return out
}

// typing writes an order into the fields of a form, as document reads them.
func (p *Pages) typing(d order.Document, of int64) typed {
	t := make(url.Values)
	for name, text := range map[string]string{
		"number": d.Number, "signed": d.Signed, "validated": d.Validated, "language": d.Lang,
		"reasons": d.Reasons, "necessity": d.Necessity, "objective": d.Objective,
		"redress": d.Redress, "action": string(d.Action), "offence": d.Offence,
		"supervisor": d.Supervisor, "urgency": string(d.Urgency),
		"territory": strings.Join(d.Territory, " "), "issued": written(d.Issued),
		"until": written(d.Until), "from": written(d.From), "to": written(d.To),
		"kind": string(d.Category), "extends": d.Extends, "follows": d.Follows,
	} {
		t.Set(name, text)
	}
	for i, b := range d.Basis[:min(len(d.Basis), basisMost)] {
		t.Set(fmt.Sprint("law", i), b.Law)
		t.Set(fmt.Sprint("provision", i), b.Provision)
	}
	var lines []string
	for _, x := range d.Items {
		lines = append(lines, strings.TrimSpace(x.URL+" "+x.Note))
	}
	t.Set("items", strings.Join(lines, "\n"))
	lines = nil
	for _, x := range d.Accounts {
		lines = append(lines, identifier(x))
	}
	t.Set("accounts", strings.Join(lines, "\n"))
	for _, x := range d.Data {
		t.Add("data", string(x))
	}
	for _, k := range d.Keywords {
		t.Add("keyword", keywordField(d.Category, k))
	}
	for _, x := range d.Directives {
		t.Add("directives", string(x))
	}
	if d.Penalty > 0 {
		t.Set("penalty", strconv.Itoa(d.Penalty))
	}
	if d.Withheld {
		t.Set("withheld", "yes")
	}
	if d.Notified {
		t.Set("notified", "yes")
	}
	if d.Bar != nil {
		t.Set("bar", d.Bar.Basis)
		t.Set("bar_until", written(d.Bar.Until))
	}
	for _, x := range d.Attached {
		t.Add("papers", p.seal(x, of))
	}
	return typed(t)
}

// kind is what it is about: a category, or that of the keywords, and these. Foreign is set where
// one was ticked at another category, even if both have it.
func (t typed) kind() (of safety.Category, list []safety.Keyword, foreign bool) {
	of = safety.Category(t.field("kind"))
	for _, x := range t["keyword"] {
		category, word, _ := strings.Cut(x, "/")
		if of == "" {
			of = safety.Category(category)
		}
		foreign = foreign || safety.Category(category) != of
		if k := safety.Keyword(word); !slices.Contains(list, k) {
			list = append(list, k)
		}
	}
	return of, list, foreign
}

// keywordField is what a form says of a keyword that is ticked.
func keywordField(of safety.Category, k safety.Keyword) string {
	return string(of) + "/" + string(k)
}

// written is a time as it is typed, empty for none.
func written(at int64) string {
	if at <= 0 {
		return ""
	}
	return time.Unix(at, 0).UTC().Format(moment)
}

// identifier is a line that accounts reads.
func identifier(a order.Identifier) string {
	switch a.Type {
	case "username":
		return "@" + strings.TrimPrefix(a.Value, "@")
	case "phone":
		return "+" + strings.TrimPrefix(a.Value, "+")
	case "id", "url":
		return a.Value
	default:
		return a.Type + ":" + a.Value
	}
}

// fault is what is wrong with a field of a form.
type fault struct {
	// Field is the field's name in the form, What the word of what is wrong, Problem the same in
	// the words of the order's paper.
	Field, What string
	Problem     order.Problem
}

// faults are problems of an order at the fields of its form.
func faults(list []order.Problem) (out []fault) {
	at := map[string]string{
		"reference number": "number", "issuing authority": "identity", "legal basis": "law0",
		"statement of reasons": "reasons", "exact URL": "items",
		"account identifiers": "accounts", "data sought": "data-0",
		"necessity and proportionality": "necessity", "redress": "redress",
		"territorial scope": "territory", "date and time of issue": "issued",
		"signature": "signed", "validation": "validated", "offence": "offence",
		"greatest term of imprisonment":    "penalty",
		"directive that lists the offence": "directives-0",
		"supervisor":                       "supervisor",
		"language":                         "language", "what is to be done": "action",
		"urgency": "urgency", "duration": "until", "prohibition to inform": "bar_until",
		"basis of the prohibition to inform": "bar", "category": "kind",
		"time of the data sought": "from", "papers": "paper", "objective": "objective",
	}
	for _, p := range list {
		f := fault{at[p.Field], word(p.What), p}
		switch {
		case f.Field == "":
			f.Field = "form"
		case f.Field == "from" && f.What == "future":
			f.Field = "to" // it is the end that lies there
		}
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// word is the word for what is wrong that texts have.
func word(what string) string {
	for _, x := range []struct{ part, word string }{
		{"missing", "missing"}, {"too long", "long"}, {"too large", "long"}, {"too many", "many"},
		{"more than", "many"}, {"unknown", "unknown"}, {"not a code", "unknown"},
		{"no such country", "unknown"},
		{"twice", "twice"}, {"exact", "inexact"}, {"in the future", "future"},
		{"over already", "past"}, {"before it begins", "past"}, {"not a time", "time"},
	} {
		if strings.Contains(what, x.part) {
			return x.word
		}
	}
	return "wrong"
}
