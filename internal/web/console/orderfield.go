package console

import (
	"slices"
	"strconv"

	"parley/internal/safety/order"
	"parley/internal/safety/policy"
)

// orderField is a field of the document. Key is its text, Lines what it says.
type orderField struct {
	Key   string
	Lines []orderLine
}

// orderLine is a line of a field: words as they were written, a country, a time, or a word of ours.
type orderLine struct {
	Text, Country string
	At            int64
	// Vocabulary and Word are a word that the console has a text for.
	Vocabulary, Word string
}

// orderFields are the fields of a document that say something, in the order of the law.
func orderFields(d order.Document) (out []orderField) {
	add := func(key string, lines ...orderLine) {
		lines = slices.DeleteFunc(lines, func(l orderLine) bool { return l == orderLine{} })
		if len(lines) > 0 {
			out = append(out, orderField{key, lines})
		}
	}
	text := func(s string) orderLine { return orderLine{Text: s} }
	word := func(vocabulary, s string) orderLine {
		if s == "" {
			return orderLine{}
		}
		return orderLine{Vocabulary: vocabulary, Word: s}
	}
	add("order.number", text(d.Number))
	add("order.extends", text(d.Extends))
	add("order.follows", text(d.Follows))
	add("order.issued", orderLine{At: d.Issued})
	add("order.country", orderLine{Country: d.Country})
	add("order.authority", text(d.Authority))
	add("order.signedby", text(d.Signed))
	add("order.validated", text(d.Validated))
	if d.Notified {
		add("order.notified", text("Regulation (EU) 2023/1543, Art. 8"))
	}
	add("order.lang", text(d.Lang))
	add("order.basis", basisLines(d.Basis)...)
	add("order.reasons", text(d.Reasons))
	add("order.necessity", text(d.Necessity))
	if d.Withheld {
		add("order.withheld", text("Regulation (EU) 2022/2065, Art. 10(2)(a)(iv)"))
	}
	add("order.objective", text(d.Objective))
	add("order.redress", text(d.Redress))
	add("order.action", word("action", string(d.Action)))
	add("order.accounts", accountLines(d.Accounts)...)
	add("order.territory", countryLines(d.Territory)...)
	add("order.until", orderLine{At: d.Until})
	add("order.data", dataLines(d.Data)...)
	add("order.from", orderLine{At: d.From})
	add("order.to", orderLine{At: d.To})
	add("order.category", categoryLines(d)...)
	add("order.offence", text(d.Offence))
	for _, x := range d.Directives {
		add("order.directive", text(string(x)))
	}
	if d.Penalty > 0 {
		add("order.penalty", text(strconv.Itoa(d.Penalty)))
	}
	add("order.urgency", word("urgency", string(d.Urgency)))
	add("order.supervisor", text(d.Supervisor))
	if d.Bar != nil {
		add("order.bar", text(d.Bar.Basis), orderLine{At: d.Bar.Until})
	}
	for _, t := range d.Items {
		if t.Note != "" {
			add("order.note", text(t.URL), text(t.Note))
		}
	}
	return out
}

func basisLines(list []order.Basis) (out []orderLine) {
	for _, b := range list {
		out = append(out, orderLine{Text: b.Law + ", " + b.Provision})
	}
	return out
}

func accountLines(list []order.Identifier) (out []orderLine) {
	for _, a := range list {
		out = append(out, orderLine{Text: a.Type + ": " + a.Value})
	}
	return out
}

func countryLines(list []string) (out []orderLine) {
	for _, x := range list {
		out = append(out, orderLine{Country: x})
	}
	return out
}

func dataLines(list []policy.Data) (out []orderLine) {
	for _, x := range list {
		out = append(out, orderLine{Vocabulary: "data", Word: string(x)})
	}
	return out
}

func categoryLines(d order.Document) (out []orderLine) {
	if d.Category == "" {
		return nil
	}
	out = append(out, orderLine{Vocabulary: "category", Word: string(d.Category)})
	for _, k := range d.Keywords {
		out = append(out, orderLine{Vocabulary: "keyword", Word: string(k)})
	}
	return out
}
