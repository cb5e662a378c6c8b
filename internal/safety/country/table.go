package country

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"

	"github.com/pelletier/go-toml/v2"
)

//go:embed facts.toml
var facts []byte

// Home is the group of the one country in which the service is established; empty where the
// operator has not said which.
const Home Group = "home"

// Membership is a group with its members and where that can be checked.
type Membership struct {
	ID      Group  `toml:"id"`
	Name    string `toml:"name"`
	Source  string `toml:"source"`
	AsOf    string `toml:"as_of"`
	Members []Code `toml:"members"`
}

// Table is what is known of all countries. It does not change once it is made.
type Table struct {
	groups []Membership
	of     map[Code]Facts
}

// Builtin is what the program itself knows: memberships, and no indices.
func Builtin() (*Table, error) {
	var file struct {
		Groups []Membership `toml:"group"`
	}
	if err := toml.Unmarshal(facts, &file); err != nil {
		return nil, fmt.Errorf("country: facts: %w", err)
	}
	t := &Table{groups: file.Groups, of: make(map[Code]Facts)}
	for _, c := range All() {
		t.of[c] = Facts{Code: c}
	}
	for _, g := range t.groups {
		for _, c := range g.Members {
			f, ok := t.of[c]
			if !ok {
				return nil, fmt.Errorf("country: %s: there is no country %q", g.ID, c)
			}
			f.Groups = append(f.Groups, g.ID)
			t.of[c] = f
		}
	}
	return t, nil
}

// Groups are all groups with their sources.
func (t *Table) Groups() []Membership { return slices.Clone(t.groups) }

// Knows tells whether there is such a group.
func (t *Table) Knows(g Group) bool {
	return g == Any || g == Home || slices.ContainsFunc(t.groups, func(m Membership) bool {
		return m.ID == g
	})
}

// Facts are what is known of a country; for one that does not exist, its code alone.
func (t *Table) Facts(c Code) Facts {
	f, ok := t.of[c]
	if !ok {
		return Facts{Code: c}
	}
	return f
}

// With is the table with other facts about a country.
func (t *Table) With(f Facts) *Table {
	out := &Table{groups: t.groups, of: maps.Clone(t.of)}
	out.of[f.Code] = f
	return out
}

// At is the table of a service that is established in a country; an empty code is none.
func (t *Table) At(home Code) *Table {
	if home == "" {
		return t
	}
	f := t.Facts(home)
	f.Groups = append(slices.Clone(f.Groups), Home)
	return t.With(f)
}

// Measured is the table with the values of an index for the countries that it has.
func (t *Table) Measured(s Series) *Table {
	out := &Table{groups: t.groups, of: maps.Clone(t.of)}
	for code, index := range s.Values {
		f := out.Facts(code)
		switch s.Of {
		case RuleOfLaw:
			f.RuleOfLaw = &index
		case PressFreedom:
			f.PressFreedom = &index
		}
		out.of[code] = f
	}
	return out
}
