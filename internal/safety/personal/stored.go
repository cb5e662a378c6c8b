package personal

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"parley/internal/safety/policy"
)

// stored says to which class of data every stored column belongs.
//
//go:embed stored.tsv
var stored string

// no is the class of what is given to nobody.
const no = "no"

// Column is a stored column and what becomes of it.
type Column struct {
	// Table is a table, or the name of a type whose values lie in a column; Name a column, or *
	// for all that are not named.
	Table, Name string
	// Class is the class of data under which it is given, empty if it is given under none.
	Class policy.Data
	// Why says what it is, or why it is not given.
	Why string
}

// Columns are all stored columns.
func Columns() (out []Column, err error) {
	for n, line := range strings.Split(stored, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 4 || f[3] == "" {
			return nil, fmt.Errorf("personal: stored.tsv:%d: four columns are wanted", n+1)
		}
		class := policy.Data(f[2])
		switch {
		case class == no:
			class = ""
		case !slices.Contains(policy.AllData(), class):
			return nil, fmt.Errorf("personal: stored.tsv:%d: there is no class %q", n+1, class)
		}
		for _, name := range strings.Fields(f[1]) {
			out = append(out, Column{Table: f[0], Name: name, Class: class, Why: f[3]})
		}
	}
	return out, nil
}

// listed checks that each field of some records stands in the table under the records' class.
func listed(list []Record) error {
	columns, err := Columns()
	if err != nil {
		return err
	}
	may := make(map[Column]bool)
	for _, c := range columns {
		c.Why = ""
		may[c] = true
	}
	for _, x := range list {
		for _, f := range x.Fields {
			table, name := x.Of, f.Name
			if t, n, other := strings.Cut(f.Name, "."); other && t == "chats" {
				table, name = t, n
			} else if other {
				name = t
			}
			if !may[Column{Table: table, Name: name, Class: x.Class}] {
				return fmt.Errorf("personal: %s.%s is not listed as %s", table, name, x.Class)
			}
		}
	}
	return nil
}
