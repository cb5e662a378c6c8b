package layer

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/internal/mtproto/layer/schema"
)

// lintDown lists what the program for one layer does not bridge.
func lintDown(k *compiler, p *program) []string {
	var out []string
	needed := requiredTypes(k)
	for _, d := range k.src {
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
	for _, m := range k.table.At(Current) {
		if to := k.dst.methods[m.Name]; m.Method && to != nil && p.results[m.ID] == nil &&
			m.Result.Kind != schema.Query {
			out = append(out, fmt.Sprintf("RESULT %s:%s as %s", m.Name, m.Result, to.Result))
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
	for _, d := range k.src {
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

func lint(t *testing.T) []string {
	t.Helper()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	items := make(map[string][]int)
	for _, layer := range s.Known() {
		if layer == Current {
			continue
		}
		k, p, err := compileDown(s.table, layer, s.rules)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range lintDown(k, p) {
			items["down "+item] = append(items["down "+item], layer)
		}
	}
	rules, err := newRuleBook(upRules())
	if err != nil {
		t.Fatal(err)
	}
	k := newUpCompiler(s.table, rules)
	if _, err := k.program(); err != nil {
		t.Fatal(err)
	}
	for item, layers := range lintUp(k) {
		items["up "+item] = layers
	}
	var out []string
	for item, layers := range items {
		out = append(out, item+" @ "+ranges(s.Known(), layers))
	}
	slices.Sort(out)
	return out
}

func TestLint(t *testing.T) {
	for _, line := range lint(t) {
		t.Log(line)
	}
}
