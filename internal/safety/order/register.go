package order

import (
	"strings"

	"parley/internal/store"
)

// refusal is the order's line in the register of refusals.
func (o Order) refusal(now int64) store.OrderRefusal {
	d := o.Document
	words := []string{o.Reference, d.Number, d.Authority, d.Country, o.Refused, o.Why}
	for _, b := range d.Basis {
		words = append(words, b.Law, b.Provision)
	}
	return store.OrderRefusal{
		Agency: o.Agency, Order: o.ID, At: now, Class: o.Refused, Country: clean(d.Country),
		Instrument: clean(string(d.Instrument)), Number: clean(d.Number),
		Authority: clean(d.Authority), Words: searched(strings.Join(words, " ")),
	}
}

// searched is a text as the register is searched by it.
func searched(s string) string {
	return strings.ToLower(cleaned(strings.Join(strings.Fields(s), " "), textRunes))
}

// Refusals returns up to limit lines of the register of refusals that a filter names, the last
// first: for staff. Its words may be in any case.
func Refusals(r *store.Reader, f store.RefusalFilter, limit int) ([]store.OrderRefusal, error) {
	f.Words = searched(f.Words)
	return r.OrderRefusals(f, limit)
}
