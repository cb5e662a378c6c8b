package moderation

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
)

// field is an indented line under a line: its name and what it says.
type field struct{ name, value string }

// fields are all of a line.
type fields []field

// get is what a field says, empty for none.
func (f fields) get(name string) string {
	for _, x := range f {
		if x.name == name {
			return x.value
		}
	}
	return ""
}

// list is a field with several values.
func (f field) list() (out []string) {
	for x := range strings.SplitSeq(f.value, ",") {
		if x = strings.TrimSpace(x); x != "" {
			out = append(out, x)
		}
	}
	return out
}

// document writes an order by its fields over what it was.
func (s *scene) document(
	o *office, id instrument.ID, f fields, d order.Document,
) order.Document {
	s.Helper()
	now := s.hours.Now().Unix()
	if d.Instrument == "" {
		d.Instrument, d.Country, d.Authority, d.Lang = id, o.Country, o.Name, o.Lang
		d.Issued, d.Signed = now-60, "B, desk"
	}
	texts := map[string]*string{
		"number": &d.Number, "signed": &d.Signed, "validated": &d.Validated, "reasons": &d.Reasons,
		"necessity": &d.Necessity, "objective": &d.Objective, "redress": &d.Redress,
		"offence": &d.Offence, "supervisor": &d.Supervisor, "extends": &d.Extends,
		"follows": &d.Follows,
	}
	for _, x := range f {
		if at := texts[x.name]; at != nil {
			*at = x.value
			continue
		}
		s.fact(&d, x, now)
	}
	return d
}

// fact writes a field that is no text into an order.
func (s *scene) fact(d *order.Document, x field, now int64) {
	s.Helper()
	switch x.name {
	case "action":
		d.Action = policy.Action(x.value)
	case "law":
		law, provision, _ := strings.Cut(x.value, ", ")
		d.Basis = append(d.Basis, order.Basis{Law: law, Provision: provision})
	case "items":
		d.Items = nil
		for _, at := range x.list() {
			if s.posts[at] != 0 {
				at = "https://t.me/the_news/" + strconv.Itoa(s.posts[at])
			}
			d.Items = append(d.Items, order.Target{URL: at})
		}
	case "accounts":
		for _, at := range x.list() {
			a := order.Identifier{Type: "username", Value: strings.TrimPrefix(at, "@")}
			if p := s.people[at]; p != nil {
				a = order.Identifier{Type: "id", Value: fmt.Sprint(p.self.ID)}
			}
			d.Accounts = append(d.Accounts, a)
		}
	case "data":
		for _, c := range x.list() {
			d.Data = append(d.Data, policy.Data(c))
		}
	case "territory":
		d.Territory = x.list()
	case "category":
		d.Category = safety.Category("STATEMENT_CATEGORY_" + x.value)
	case "urgency":
		d.Urgency = instrument.Urgency(x.value)
	case "days": // of which the data is
		d.From, d.To = now-s.days(x.value), now
	case "for days": // for which it is to hold
		d.Until = now + s.days(x.value)
	case "penalty":
		var err error
		d.Penalty, err = strconv.Atoi(x.value)
		s.check(err)
	case "bar":
		basis, days, _ := strings.Cut(x.value, ", for days ")
		d.Bar = &order.Bar{Basis: basis, Until: now + s.days(days)}
	default:
		s.Fatalf("an order has no field %q", x.name)
	}
}

// days is a number of days in seconds.
func (s *scene) days(text string) int64 {
	s.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	s.check(err)
	return n * 24 * 60 * 60
}

// typed is an order as an officer fills in the form of the portal.
func typed(d order.Document) url.Values {
	at := func(unix int64) string {
		if unix == 0 {
			return ""
		}
		return time.Unix(unix, 0).UTC().Format("2006-01-02T15:04")
	}
	v := url.Values{
		"do": {"send"}, "anyway": {"yes"}, "number": {d.Number}, "action": {string(d.Action)},
		"reasons": {d.Reasons}, "necessity": {d.Necessity}, "objective": {d.Objective},
		"redress": {d.Redress}, "offence": {d.Offence}, "supervisor": {d.Supervisor},
		"signed": {d.Signed}, "validated": {d.Validated}, "language": {d.Lang},
		"territory": {strings.Join(d.Territory, " ")}, "urgency": {string(d.Urgency)},
		"kind": {string(d.Category)}, "issued": {at(d.Issued)}, "until": {at(d.Until)},
		"from": {at(d.From)}, "to": {at(d.To)}, "follows": {d.Follows}, "extends": {d.Extends},
	}
	if d.Penalty != 0 {
		v.Set("penalty", strconv.Itoa(d.Penalty))
	}
	for n, b := range d.Basis {
		v.Set(fmt.Sprint("law", n), b.Law)
		v.Set(fmt.Sprint("provision", n), b.Provision)
	}
	var lines []string
	for _, x := range d.Items {
		lines = append(lines, x.URL)
	}
	v.Set("items", strings.Join(lines, "\n"))
	lines = nil
	for _, x := range d.Accounts {
		lines = append(lines, x.Type+":"+x.Value)
	}
	v.Set("accounts", strings.Join(lines, "\n"))
	for _, x := range d.Data {
		v.Add("data", string(x))
	}
	if d.Bar != nil {
		v.Set("bar", d.Bar.Basis)
		v.Set("bar_until", at(d.Bar.Until))
	}
	return v
}

// written is an order as the form of a mail, in which fields without a value are left out.
func written(d order.Document) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	line("Instrument", string(d.Instrument))
	line("Number", d.Number)
	line("Country", d.Country)
	line("Authority", d.Authority)
	line("Language", d.Lang)
	line("Signed", d.Signed)
	line("Action", string(d.Action))
	line("Reasons", d.Reasons)
	line("Redress", d.Redress)
	line("Territory", strings.Join(d.Territory, " "))
	for _, x := range d.Basis {
		line("Law", x.Law)
		line("Provision", x.Provision)
	}
	for _, x := range d.Items {
		line("URL", x.URL)
	}
	return b.String()
}

// lives gives somebody a number of a country, by which the service knows where he is.
func (s *scene) lives(p *person, phone string) {
	s.Helper()
	s.check(s.put(ids.UserID(p.self.ID), phone))
}
