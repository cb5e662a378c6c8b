// Package country holds what is known of countries as facts that anybody can check: which there
// are, which unions and treaties they belong to, and, where the operator has imported them, public
// indices of the rule of law and of press freedom. It ranks nothing and decides nothing.
//
// Memberships say by which instruments a country's authorities may speak at all. Indices are a
// prior: they say how closely to look, and nobody outside of the review rules of safety/policy is
// given them.
package country

import (
	"slices"

	"golang.org/x/text/language"
)

// Code is a country by ISO 3166-1 alpha-2, such as "DE". XK stands for Kosovo, which has no code of
// its own there and whose people need an answer too.
type Code string

// reserved are codes that are set aside and name no country of their own: islands and enclaves that
// ISO 3166-1 counts to another, unions, and names that have gone out of use.
func reserved() []Code {
	return []Code{
		"AC", "AN", "CP", "CQ", "CS", "DG", "EA", "EZ", "FQ", "IC", "NT", "PC", "SU", "TA", "UN",
		"YU",
	}
}

// All are all countries, by code.
//
// https://www.iso.org/iso-3166-country-codes.html
func All() (out []Code) {
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if c := Code([]rune{a, b}); c.Valid() {
				out = append(out, c)
			}
		}
	}
	return out
}

// Valid tells whether there is such a country.
func (c Code) Valid() bool {
	if len(c) != 2 || slices.Contains(reserved(), c) {
		return false
	}
	r, err := language.ParseRegion(string(c))
	return err == nil && r.IsCountry() && r.Canonicalize() == r && r.String() == string(c)
}

// Group is a set of countries that a treaty or a union makes.
type Group string

// The groups that the code itself speaks of; facts.toml has all.
const (
	// Any has every country.
	Any Group = "any"
	// EU has the Member States of the European Union, EEA also Iceland, Liechtenstein and Norway.
	EU  Group = "eu"
	EEA Group = "eea"
)

// Index is what a public index says of a country in a year.
type Index struct {
	// Value lies in [0, 1]; 1 is the best.
	Value float64 `toml:"value" json:"value"`
	Year  int     `toml:"year" json:"year"`
}

// Facts are what is known of one country.
type Facts struct {
	Code   Code
	Groups []Group
	// RuleOfLaw and PressFreedom are nil where no index was imported.
	RuleOfLaw, PressFreedom *Index
}

// In tells whether the country belongs to a group.
func (f Facts) In(g Group) bool { return g == Any || slices.Contains(f.Groups, g) }
