package schema

import (
	"cmp"
	"fmt"
	"slices"
)

// Revision is one parsed text, ready to be added to a history.
type Revision struct {
	Layer int
	Lines []Line
}

// Build makes the history of the revisions, which are ordered by layer and then by age.
func Build(digest [32]byte, revisions []Revision) (*Table, error) {
	t := &Table{Digest: digest}
	known := make(map[string]*Def)
	for at, r := range revisions {
		if at > 0 && r.Layer < revisions[at-1].Layer {
			return nil, fmt.Errorf("schema: layer %d after %d", r.Layer, revisions[at-1].Layer)
		}
		t.Sources = append(t.Sources, Source{Layer: r.Layer})
		names := make(map[string]bool)
		for _, l := range r.Lines {
			d, err := t.define(l)
			if err != nil {
				return nil, err
			}
			key := fmt.Sprintf("%v %s", d.Method, d)
			if name := fmt.Sprint(d.Method, d.Name); names[name] {
				return nil, fmt.Errorf("schema: layer %d defines %s twice", r.Layer, d.Name)
			} else {
				names[name] = true
			}
			if known[key] == nil {
				known[key] = d
				t.Defs = append(t.Defs, d)
			}
			known[key].extend(at)
		}
	}
	slices.SortFunc(t.Defs, func(a, b *Def) int {
		return cmp.Or(compareBool(a.Method, b.Method), cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.Spans[0].First, b.Spans[0].First), cmp.Compare(a.ID, b.ID),
			cmp.Compare(a.String(), b.String()))
	})
	return t, nil
}

func (d *Def) extend(at int) {
	if n := len(d.Spans); n > 0 && d.Spans[n-1].Last == at-1 {
		d.Spans[n-1].Last = at
		return
	}
	d.Spans = append(d.Spans, Span{at, at})
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}
