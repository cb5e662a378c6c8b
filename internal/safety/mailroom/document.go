package mailroom

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"

	"parley/internal/safety"
	"parley/internal/safety/country"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
)

const (
	// typedBytes bounds a part that is read as an order by fields.
	typedBytes = 1 << 20
	// rootBytes is within how many bytes the name of a certificate stands.
	rootBytes = 2 << 10
)

// typed reads a part that is an order by its fields: our JSON, or a European certificate.
func typed(p part) (order.Document, bool) {
	if len(p.body) > typedBytes {
		return order.Document{}, false
	}
	trimmed := bytes.TrimSpace(p.body)
	switch {
	case bytes.HasPrefix(trimmed, []byte("{")):
		return fromJSON(trimmed)
	case bytes.HasPrefix(trimmed, []byte("<")):
		of := instrument.Production
		head := bytes.ToUpper(trimmed[:min(len(trimmed), rootBytes)])
		if bytes.Contains(head, []byte("EPOC-PR")) || bytes.Contains(head, []byte("EPOCPR")) {
			of = instrument.Preservation
		}
		d, _, err := order.FromXML(bytes.NewReader(p.body), of)
		return d, err == nil
	default:
		return order.Document{}, false
	}
}

// fromJSON reads the JSON of an order. What it says to have attached is not believed: papers are
// those that came.
func fromJSON(b []byte) (d order.Document, ok bool) {
	r := json.NewDecoder(bytes.NewReader(b))
	r.DisallowUnknownFields()
	if err := r.Decode(&d); err != nil || d.Instrument == "" {
		return order.Document{}, false
	}
	if _, err := r.Token(); err != io.EOF { //nolint:errorlint // documented to be exactly this
		return order.Document{}, false
	}
	d.Attached = nil
	return d, true
}

// form reads our form from the text of a mail: lines of a field, a colon and a value; a value goes
// on in lines without a field. It needs an instrument to be one. What stands for a time or a number
// and is none is order.Unreadable, so that the order's checks name it.
func form(text string) (d order.Document, ok bool) {
	fields := fieldsOf(text)
	get := func(name string) string { return strings.Join(fields[name], "\n") }
	d.Instrument = instrument.ID(strings.ToLower(get("instrument")))
	if d.Instrument == "" {
		return d, false
	}
	d.Number, d.Country = get("number"), strings.ToUpper(get("country"))
	d.Authority, d.Signed, d.Validated = get("authority"), get("signed"), get("validated")
	if d.Lang = language(get("language")); d.Lang == "" {
		d.Lang = cut(get("language"), lineRunes)
	}
	d.Issued, d.Until = dated(get("issued")), dated(get("until"))
	d.From, d.To = dated(get("from time")), dated(get("to time"))
	d.Reasons, d.Necessity = get("reasons"), get("necessity")
	d.Objective, d.Redress, d.Offence = get("objective"), get("redress"), get("offence")
	d.Supervisor, d.Urgency = get("supervisor"), instrument.Urgency(get("urgency"))
	d.Action, d.Category = policy.Action(get("action")), safety.Category(get("category"))
	d.Extends, d.Follows = get("extends"), get("follows")
	d.Penalty = number(get("penalty"))
	d.Notified = strings.EqualFold(get("notified"), "yes")
	d.Withheld = strings.EqualFold(get("withheld"), "yes")
	if basis, until := get("bar"), dated(get("bar until")); basis != "" || until != 0 {
		d.Bar = &order.Bar{Basis: basis, Until: until}
	}
	if law := get("law"); law != "" {
		d.Basis = []order.Basis{{Law: law, Provision: get("provision")}}
	}
	for _, u := range fields["url"] {
		address, note, _ := strings.Cut(u, " ")
		d.Items = append(d.Items, order.Target{URL: address, Note: strings.TrimSpace(note)})
	}
	for _, x := range fields["account"] {
		kind, value, found := strings.Cut(x, " ")
		if !found {
			kind, value = "username", x
		}
		value = strings.TrimSpace(value)
		d.Accounts = append(d.Accounts, order.Identifier{Type: kind, Value: value})
	}
	for _, x := range list(get("territory")) {
		d.Territory = append(d.Territory, strings.ToUpper(x))
	}
	for _, x := range list(get("data")) {
		d.Data = append(d.Data, policy.Data(x))
	}
	for _, x := range list(get("directives")) {
		d.Directives = append(d.Directives, order.Directive(x))
	}
	return d, true
}

// number is a number that a form says; 0 for none, order.Unreadable for what is no number.
func number(s string) int {
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return order.Unreadable
	}
	return n
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' })
}

// formFields are the fields of our form; those of many values have one in each line.
func formFields() []string {
	return []string{
		"instrument", "number", "country", "authority", "signed", "validated", "language", "issued",
		"until", "from time", "to time", "reasons", "necessity", "objective", "redress", "offence",
		"supervisor", "urgency", "action", "category", "law", "provision", "url", "account",
		"territory", "data", "penalty", "directives", "notified", "bar", "bar until", "extends",
		"follows", "requester", "purpose", "withheld",
	}
}

// fieldsOf are the fields of a form in a text, by their names in lower case. What was quoted from
// an earlier mail is none.
func fieldsOf(text string) map[string][]string {
	known := formFields()
	out := make(map[string][]string)
	last := ""
	for n, l := range strings.Split(text, "\n") {
		if n > 5000 {
			break
		}
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, ">") || l == "--" {
			last = ""
			continue
		}
		name, value, found := strings.Cut(l, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		switch value = strings.TrimSpace(value); {
		case found && slices.Contains(known, name):
			last = name
			if value != "" && len(out[name]) < order.MaxItems {
				out[name] = append(out[name], cut(value, reasonRunes))
			}
		case last == "" || l == "":
		case last == "reasons" || last == "necessity" || last == "objective" || last == "redress" ||
			last == "url" || last == "account":
			if len(out[last]) < order.MaxItems {
				out[last] = append(out[last], cut(l, reasonRunes))
			}
		}
	}
	return out
}

// requester is who says to write and what for, where a mail says so.
type requester struct {
	country country.Code
	by      instrument.Requester
	what    instrument.Purpose
}

// asked reads who writes and what for from the lines of a form without an instrument.
func asked(text string) (requester, bool) {
	fields := fieldsOf(text)
	get := func(name string) string {
		if len(fields[name]) == 0 {
			return ""
		}
		return fields[name][0]
	}
	out := requester{
		country.Code(strings.ToUpper(get("country"))),
		instrument.Requester(strings.ToLower(get("requester"))),
		instrument.Purpose(strings.ToLower(get("purpose"))),
	}
	return out, slices.Contains(instrument.Requesters(), out.by) &&
		slices.Contains(instrument.Purposes(), out.what)
}
