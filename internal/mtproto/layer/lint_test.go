package layer

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"parley/internal/mtproto/layer/schema"
)

// lintDown lists what the program for one layer does not bridge.
func lintDown(k *compiler) []string {
	var out []string
	needed := requiredTypes(k)
	for _, d := range k.defs {
		pl := k.plans[d]
		if pl.same {
			continue
		}
		made := pl.build != nil || pl.stream != nil
		if !made && pl.instead == nil && needed[d.Result] {
			out = append(out, "NOCTOR "+d.Name+" = "+d.Result.String())
		}
		if r := k.rules.objects[d.Name]; pl.to != nil && (r == nil || !k.lacks(pl, r.to)) {
			out = append(out, lintFields(k, pl)...)
		}
	}
	for _, m := range k.methods {
		if to := k.dst.methods[m.Name]; to != nil && m.Result.Kind != schema.Query {
			if _, err := k.conv(m.Result, to.Result); err != nil {
				out = append(out, fmt.Sprintf("RESULT %s:%s as %s", m.Name, m.Result, to.Result))
			}
		}
	}
	return out
}

// requiredTypes are the boxed types that the destination needs somewhere outside of vectors and
// optional fields.
func requiredTypes(k *compiler) map[*schema.Type]bool {
	needed := make(map[*schema.Type]bool)
	for _, d := range k.dst.ctors {
		for _, f := range d.Fields {
			if f.Type.Kind == schema.Boxed && !f.Optional() {
				needed[f.Type] = true
			}
		}
	}
	for _, d := range k.dst.methods {
		needed[d.Result] = true
	}
	return needed
}

// lintFields lists the fields of a destination object that nothing fills.
func lintFields(k *compiler, p *plan) []string {
	var out []string
	for _, g := range p.to.Fields {
		if g.Type.Kind == schema.Flags {
			continue
		}
		name := p.to.Name + "." + g.Name
		if _, err := k.fieldOf(p.to, g, nil, true, scope{p.from}); err == nil {
			if i := p.from.Field(g.Name); i >= 0 && p.from.Fields[i].Optional() && !g.Optional() &&
				g.Type.Kind != schema.Bool && k.rules.fields[name] == nil && p.instead == nil {
				out = append(out, fmt.Sprintf("MAYBE %s:%s", name, g.Type))
			}
			continue
		}
		kind := "ABSENT"
		if i := p.from.Field(g.Name); i >= 0 {
			kind = fmt.Sprintf("TYPE %s as", p.from.Fields[i].Type)
		}
		if !g.Optional() {
			kind = "REQUIRED " + kind
		}
		out = append(out, fmt.Sprintf("%s %s:%s", kind, name, g.Type))
	}
	return out
}

// lintUp lists what requests lose.
func lintUp(k *compiler) map[string][]int {
	out := make(map[string][]int)
	for _, d := range k.defs {
		p := k.plans[d]
		var items []string
		rule := k.rules.objects[d.Name]
		switch {
		case p.same:
		case p.build == nil && p.stream == nil && d.Method:
			items = append(items, "NOMETHOD "+d.Name)
		case p.build == nil && p.stream == nil && p.instead == nil:
			items = append(items, "NOCTOR "+d.Name+" = "+d.Result.String())
		}
		if !p.same && p.to != nil && (rule == nil || !k.lacks(p, rule.to)) {
			for _, item := range lintFields(k, p) {
				// Clients of older layers do not know what was added since.
				if !strings.HasPrefix(item, "ABSENT") {
					items = append(items, item)
				}
			}
			items = append(items, lintLost(k, p)...)
		}
		for _, item := range items {
			for i, src := range k.table.Sources {
				if d.In(i) {
					out[item] = append(out[item], src.Layer)
				}
			}
		}
	}
	return out
}

// lintLost lists the fields of a request that the current layer does not get.
func lintLost(k *compiler, p *plan) []string {
	used := make(map[string]bool)
	for _, g := range p.to.Fields {
		used[g.Name] = true
		if r := k.rules.fields[p.to.Name+"."+g.Name]; r != nil {
			mentions(r.make, used)
		}
	}
	var out []string
	for _, f := range p.from.Fields {
		if !used[f.Name] && f.Type.Kind != schema.Flags {
			out = append(out, fmt.Sprintf("LOST %s.%s:%s", p.from.Name, f.Name, f.Type))
		}
	}
	return out
}

// mentions collects the fields that an expression reads.
func mentions(x expr, used map[string]bool) {
	switch x := x.(type) {
	case field:
		used[string(x)] = true
	case has:
		used[string(x)] = true
	case head:
		used[string(x)] = true
	case first:
		for _, y := range x {
			mentions(y, used)
		}
	case list:
		for _, y := range x {
			mentions(y, used)
		}
	case on:
		used[x.field] = true
		for _, y := range x.cases {
			mentions(y, used)
		}
	case ctor:
		for _, y := range x.fields {
			mentions(y, used)
		}
	case like:
		for _, y := range x.fields {
			mentions(y, used)
		}
	case choice:
		used[x.field] = true
		mentions(x.yes, used)
		mentions(x.no, used)
	case code:
		for _, name := range x.names {
			used[name] = true
		}
	}
}

// ranges writes layers as runs of consecutive known ones.
func ranges(known, layers []int) string {
	slices.Sort(layers)
	layers = slices.Compact(layers)
	var out []string
	for i := 0; i < len(layers); {
		j := i
		at, _ := slices.BinarySearch(known, layers[i])
		for j+1 < len(layers) && known[at+1] == layers[j+1] {
			j, at = j+1, at+1
		}
		if i == j {
			out = append(out, fmt.Sprint(layers[i]))
		} else {
			out = append(out, fmt.Sprintf("%d..%d", layers[i], layers[j]))
		}
		i = j + 1
	}
	return strings.Join(out, " ")
}

// lint lists what is not bridged, with the layers, and the rules that bridge nothing.
func lint(t *testing.T) (items, idle []string) {
	t.Helper()
	s := newSet(t)
	downBook, upBook, err := books()
	if err != nil {
		t.Fatal(err)
	}
	src := downSource(s.table)
	found := make(map[string][]int)
	used := make(map[*rule]bool)
	for _, layer := range s.layers {
		k := newCompiler(src, layer, downBook, false)
		if _, err := k.program(); err != nil {
			t.Fatal(err)
		}
		maps.Copy(used, k.used)
		if layer == Current {
			continue
		}
		for _, item := range lintDown(k) {
			found["down "+item] = append(found["down "+item], layer)
		}
	}
	k := newCompiler(upSource(s.table), Current, upBook, true)
	if _, err := k.program(); err != nil {
		t.Fatal(err)
	}
	maps.Copy(used, k.used)
	for item, layers := range lintUp(k) {
		found["up "+item] = layers
	}
	for item, layers := range found {
		items = append(items, item+" @ "+ranges(s.layers, layers))
	}
	for _, r := range slices.Concat(downBook.all, upBook.all) {
		if !used[r] {
			idle = append(idle, strings.TrimSpace(r.at+" "+r.to))
		}
	}
	slices.Sort(items)
	slices.Sort(idle)
	return items, idle
}

// allowed reads the checked-in list: items under a line with the reason.
func allowed(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/lint.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ = bytes.Cut(text, []byte("\n\n"))
	var out []string
	reason := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			reason = false
		case strings.HasPrefix(line, "# "):
			reason = true
		case !reason:
			t.Errorf("no reason is given for %q", line)
		default:
			out = append(out, line)
		}
	}
	slices.Sort(out)
	return out
}

// TestLint compares what is not bridged with what is known and has a reason.
func TestLint(t *testing.T) {
	items, idle := lint(t)
	known := allowed(t)
	for _, line := range items {
		if _, ok := slices.BinarySearch(known, line); !ok {
			t.Errorf("new: %s", line)
		}
	}
	for _, line := range known {
		if _, ok := slices.BinarySearch(items, line); !ok {
			t.Errorf("no longer so: %s", line)
		}
	}
	for _, at := range idle {
		t.Errorf("the rule for %s bridges nothing in any layer", at)
	}
}
