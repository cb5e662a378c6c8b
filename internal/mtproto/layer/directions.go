package layer

import (
	"slices"

	"parley/internal/mtproto/layer/schema"
)

// newUpCompiler prepares the program for requests. An identifier has one meaning in all layers,
// so that one program reads the requests of all of them.
func newUpCompiler(t *schema.Table, rules *ruleBook) *compiler {
	src := reach(merge(t), nil, true)
	return newCompiler(t, src, t.At(Current), rules, true)
}

// merge is one definition for each identifier. Revisions of one identifier differ only in flags
// without a value; merged they have all of them.
func merge(t *schema.Table) []*schema.Def {
	last := func(d *schema.Def) int { return d.Spans[len(d.Spans)-1].Last }
	byID := make(map[uint32]*schema.Def, len(t.Defs))
	defs := slices.Clone(t.Defs)
	slices.SortStableFunc(defs, func(a, b *schema.Def) int { return last(b) - last(a) })
	var out []*schema.Def
	for _, d := range defs {
		m := byID[d.ID]
		if m == nil {
			m = &schema.Def{ID: d.ID, Name: d.Name, Method: d.Method, Result: d.Result}
			m.Fields, m.Spans = slices.Clone(d.Fields), slices.Clone(d.Spans)
			byID[d.ID] = m
			out = append(out, m)
			continue
		}
		m.Spans = append(m.Spans, d.Spans...)
		for _, f := range d.Fields {
			if m.Field(f.Name) < 0 {
				f.Word = m.Field(d.Fields[f.Word].Name)
				m.Fields = append(m.Fields, f)
			}
		}
	}
	return out
}

// compileDown makes the program for what the server says to clients of a layer: the results of
// all methods, and Updates.
func compileDown(t *schema.Table, layer int, rules *ruleBook) (*compiler, *program, error) {
	current := t.At(Current)
	var methods []*schema.Def
	var roots []*schema.Type
	for _, d := range current {
		if d.Method {
			methods = append(methods, d)
			roots = append(roots, d.Result)
		}
	}
	k := newCompiler(t, reach(current, roots, false), t.At(layer), rules, false)
	p, err := k.program()
	if err == nil {
		err = k.results(p, methods)
	}
	return k, p, err
}
