package layer

import (
	"slices"

	"parley/internal/mtproto/layer/schema"
)

// source is the schema that values come from: how far each value reaches, whatever it is rewritten
// to. It does not change once made; all programs from the same source share it.
type source struct {
	table   *schema.Table
	defs    []*schema.Def
	methods []*schema.Def // whose results are values of the source
	layouts map[*schema.Def]layout
	types   map[*schema.Type]*boxed
	shapes  map[*schema.Type]*shape
}

// layout is the steps that find the ends of the fields of an object.
type layout struct {
	skip []step // runs of fields
	scan []step // one step for each field
	// fixed is how many bytes all fields take together, -1 if that depends on their values.
	fixed int
}

// upSource is the requests of all layers. An identifier has one meaning in all of them, so that
// one source is enough.
func upSource(t *schema.Table) *source {
	return newSource(t, reach(merge(t), nil, true), nil)
}

// downSource is what the server says: the results of all methods, updates among them.
func downSource(t *schema.Table) *source {
	current := t.At(Current)
	var methods []*schema.Def
	var roots []*schema.Type
	for _, d := range current {
		if d.Method {
			methods = append(methods, d)
			roots = append(roots, d.Result)
		}
	}
	return newSource(t, reach(current, roots, false), methods)
}

func newSource(t *schema.Table, defs, methods []*schema.Def) *source {
	s := &source{
		table: t, defs: defs, methods: methods,
		layouts: make(map[*schema.Def]layout, len(defs)),
		types:   make(map[*schema.Type]*boxed, len(defs)),
		shapes:  make(map[*schema.Type]*shape, len(defs)),
	}
	for _, d := range defs {
		if !d.Method {
			b := s.boxed(d.Result)
			b.defs = append(b.defs, d)
			s.types[d.Result] = b
		}
	}
	for _, m := range methods {
		s.learn(m.Result)
	}
	for _, d := range defs {
		for _, f := range d.Fields {
			s.learn(f.Type)
		}
		s.layouts[d] = s.layout(d)
	}
	return s
}

// boxed is the boxed type; one that the source does not have is equal to no other.
func (s *source) boxed(t *schema.Type) *boxed {
	if b := s.types[t]; b != nil {
		return b
	}
	return &boxed{}
}

// layout makes the steps that find the ends of the fields of a source object.
func (s *source) layout(d *schema.Def) (out layout) {
	words := wordNumbers(d)
	for i, f := range d.Fields {
		next := step{word: maxWords, mask: 1}
		if f.Optional() {
			next.word, next.mask = words[f.Word], 1<<f.Bit
		}
		switch f.Type.Kind {
		case schema.Flag:
			out.scan = append(out.scan, next)
			continue
		case schema.Flags:
			next.act, next.set = actWord, words[i]
		default:
			next.shape = s.shapes[f.Type]
			next.act, next.size = fieldAct(next.shape), int32(next.shape.size)
		}
		out.scan = append(out.scan, next)
		out.skip = appendStep(out.skip, next)
	}
	out.fixed = -1
	switch {
	case len(out.skip) == 0:
		out.fixed = 0
	case len(out.skip) == 1 && out.skip[0].act == actFixed && out.skip[0].word == maxWords:
		out.fixed = int(out.skip[0].size)
	}
	out.skip = slices.Clip(withGates(out.skip))
	return out
}

func fieldAct(s *shape) act {
	switch s.kind {
	case shapeFixed:
		return actFixed
	case shapeString:
		return actString
	case shapeVector:
		return actVector
	default:
		return actObject
	}
}

// appendStep joins fields of fixed size that are always present.
func appendStep(list []step, s step) []step {
	if n := len(list); n > 0 && s.act == actFixed && s.word == maxWords {
		if last := &list[n-1]; last.act == actFixed && last.word == maxWords {
			last.size += s.size
			return list
		}
	}
	return append(list, s)
}

// wordNumbers numbers the flags words of a definition, by the index of their field.
func wordNumbers(d *schema.Def) map[int]uint8 {
	words := make(map[int]uint8)
	for i, f := range d.Fields {
		if f.Type.Kind == schema.Flags {
			words[i] = uint8(len(words))
		}
	}
	return words
}

// learn makes the shape of a type known.
func (s *source) learn(t *schema.Type) *shape {
	if known := s.shapes[t]; known != nil {
		return known
	}
	out := &shape{}
	switch t.Kind {
	case schema.String, schema.Bytes:
		out.kind = shapeString
	case schema.Vector:
		out.kind, out.elem = shapeVector, s.learn(t.Elem)
	case schema.Boxed:
		out.kind, out.typ = shapeObject, s.boxed(t)
	case schema.Query:
		out.kind = shapeObject
	default:
		out.kind, out.size = shapeFixed, t.Size()
	}
	s.shapes[t] = out
	return out
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

// reach is those of defs that values of the given types, or calls of methods among defs, can hold.
func reach(defs []*schema.Def, roots []*schema.Type, calls bool) []*schema.Def {
	byType := make(map[*schema.Type][]*schema.Def)
	var queue []*schema.Type
	for _, d := range defs {
		switch {
		case !d.Method:
			byType[d.Result] = append(byType[d.Result], d)
		case calls:
			for _, f := range d.Fields {
				queue = append(queue, f.Type)
			}
		}
	}
	queue = append(queue, roots...)
	seen := make(map[*schema.Type]bool)
	for len(queue) > 0 {
		t := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for t.Kind == schema.Vector {
			t = t.Elem
		}
		if seen[t] {
			continue
		}
		seen[t] = true
		for _, d := range byType[t] {
			for _, f := range d.Fields {
				queue = append(queue, f.Type)
			}
		}
	}
	var out []*schema.Def
	for _, d := range defs {
		if d.Method && calls || !d.Method && seen[d.Result] {
			out = append(out, d)
		}
	}
	return out
}
