package main

import (
	"fmt"
	"io"
	"slices"

	"parley/internal/mtproto/layer/schema"
)

// report prints, for the newest layer or for all, what it added, removed and changed.
func report(w io.Writer, t *schema.Table, all bool) {
	layers := t.Layers()
	first := max(1, len(layers)-1)
	if all {
		first = 1
	}
	for i := first; i < len(layers); i++ {
		reportStep(w, t, layers[i-1], layers[i])
	}
}

func reportStep(w io.Writer, t *schema.Table, oldLayer, newLayer int) {
	old, now := byName(t.At(oldLayer)), byName(t.At(newLayer))
	var added, removed, changed []string
	for name, d := range now {
		switch o := old[name]; {
		case o == nil:
			added = append(added, fmt.Sprintf("+ %s = %s", name, d.Result))
		case o.String() != d.String():
			changed = append(changed, difference(name, o, d))
		}
	}
	for name := range old {
		if now[name] == nil {
			removed = append(removed, "- "+name)
		}
	}
	fmt.Fprintf(w, "layer %d -> %d: %d added, %d removed, %d changed\n",
		oldLayer, newLayer, len(added), len(removed), len(changed))
	for _, list := range [][]string{added, removed, changed} {
		slices.Sort(list)
		for _, line := range list {
			fmt.Fprintln(w, " ", line)
		}
	}
}

func byName(defs []*schema.Def) map[string]*schema.Def {
	m := make(map[string]*schema.Def, len(defs))
	for _, d := range defs {
		name := d.Name
		if d.Method {
			name = "method " + name
		}
		m[name] = d
	}
	return m
}

// difference names the fields that came, went, or changed.
func difference(name string, old, now *schema.Def) string {
	line := "* " + name
	if old.Result != now.Result {
		line += fmt.Sprintf(", result %s was %s", now.Result, old.Result)
	}
	for _, f := range now.Fields {
		i := old.Field(f.Name)
		switch {
		case i < 0:
			line += fmt.Sprintf(", +%s:%s", f.Name, fieldForm(now, f))
		case fieldForm(old, old.Fields[i]) != fieldForm(now, f):
			line += fmt.Sprintf(", %s:%s was %s", f.Name, fieldForm(now, f),
				fieldForm(old, old.Fields[i]))
		}
	}
	for _, f := range old.Fields {
		if now.Field(f.Name) < 0 {
			line += ", -" + f.Name
		}
	}
	return line
}

func fieldForm(d *schema.Def, f schema.Field) string {
	if !f.Optional() {
		return f.Type.String()
	}
	return fmt.Sprintf("%s.%d?%s", d.Fields[f.Word].Name, f.Bit, f.Type)
}
