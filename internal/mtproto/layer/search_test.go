package layer

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"parley/internal/mtproto/layer/layertest"
	"parley/internal/mtproto/layer/schema"
)

// searchTries is how many random values of each definition are tried to find an example.
const searchTries = 12

// search finds an example of a rule: a value whose outcome it changes, as small as can be.
func (g *gallery) search(r *rule, direction string) (example, bool) {
	layers := []int{Current}
	if direction == "down" {
		layers = layers[:0]
		for _, l := range slices.Backward(g.layers) {
			if l != Current && g.with(l).used[r] {
				layers = append(layers, l)
			}
		}
	}
	// The newest layer that needs the rule, or else the oldest.
	for _, l := range slices.Compact([]int{layers[0], layers[len(layers)-1]}) {
		with, without := g.ups.program, g.without(r, direction, l)
		if direction == "down" {
			with = g.with(l).program
		}
		differs := func(e example) bool {
			a, err := g.run(with, direction, e)
			if err != nil {
				return false
			}
			b, err := g.run(without, direction, e)
			return err != nil || a != b
		}
		for _, drop := range []bool{false, true} {
			shows := func(e example) bool {
				a, err := g.run(with, direction, e)
				return err == nil && (a == dropped) == drop && differs(e)
			}
			if e, ok := g.scan(r, direction, l, shows); ok {
				return e, true
			}
		}
	}
	return example{}, false
}

// scan tries values of all definitions, those that the rule names first.
func (g *gallery) scan(
	r *rule, direction string, l int, shows func(example) bool,
) (example, bool) {
	named := strings.Split(r.at, ".")
	name := strings.Join(named[:max(1, len(named)-1)], ".")
	defs := slices.Clone(g.down.defs)
	if direction == "up" {
		defs = slices.Clone(g.up.defs)
	}
	slices.SortStableFunc(defs, func(a, b *schema.Def) int {
		far := func(d *schema.Def) int {
			if d.Name == name || d.Name == r.at || d.Result.Name == r.at {
				return -1
			}
			return len(d.Fields)
		}
		return far(a) - far(b)
	})
	for _, d := range defs {
		if !d.Method && d.Result.Kind != schema.Boxed {
			continue
		}
		at := Current
		if direction == "up" {
			at = g.last(d)
		}
		if at == 0 {
			continue
		}
		e := example{layer: at}
		if direction == "down" {
			e.layer = l
		}
		if found, ok := g.try(d, at, e, r.kind == ruleType, shows); ok {
			return found, true
		}
	}
	if direction == "up" {
		return example{}, false
	}
	for _, d := range g.down.methods {
		e := example{layer: l, method: d.Name}
		if found, ok := g.tryResult(d, e, r.kind == ruleType, shows); ok {
			return found, true
		}
	}
	return example{}, false
}

// last is the newest layer that has a definition.
func (g *gallery) last(d *schema.Def) int {
	for i, src := range slices.Backward(g.table.Sources) {
		if d.In(i) {
			if known := g.book(src.Layer).Find(d.Name); known != nil && known.ID == d.ID {
				return src.Layer
			}
		}
	}
	return 0
}

func (g *gallery) try(
	d *schema.Def, at int, e example, types bool, shows func(example) bool,
) (example, bool) {
	typ := d.Result
	if d.Method {
		typ = query
	}
	w := &layertest.Writer{Book: g.book(at), Deep: 2, Rand: rand.New(rand.NewPCG(uint64(d.ID), 5))}
	for round := range searchTries {
		w.Full = round == 0
		n, err := w.Read(w.Object(d), typ)
		if err != nil {
			continue
		}
		e.from = layertest.Unpack(n, typ)
		if shows(e) {
			s := &shrinker{g: g, book: w.Book, shows: shows, e: e, types: types}
			s.shrink(e.from)
			return e, true
		}
	}
	return e, false
}

func (g *gallery) tryResult(
	d *schema.Def, e example, types bool, shows func(example) bool,
) (example, bool) {
	empty := d.Result.Kind == schema.Boxed && g.down.types[d.Result] == nil
	if d.Result.Kind == schema.Query || d.Result.Kind == schema.Bool || empty {
		return e, false
	}
	w := &layertest.Writer{Book: g.book(Current), Deep: 2,
		Rand: rand.New(rand.NewPCG(uint64(d.ID), 6))}
	for range searchTries {
		n, err := w.Read(w.Value(d.Result), d.Result)
		if err != nil {
			continue
		}
		e.from = layertest.Unpack(n, d.Result)
		if shows(e) {
			s := &shrinker{g: g, book: w.Book, shows: shows, e: e, types: types}
			s.shrink(e.from)
			return e, true
		}
	}
	return e, false
}

// shrinker makes an example smaller in place while it still shows its rule.
type shrinker struct {
	g      *gallery
	book   *layertest.Book
	shows  func(example) bool
	e      example
	types  bool // the rule is about a type
	number int
}

func (s *shrinker) shrink(v any) {
	switch v := v.(type) {
	case m:
		s.shrinkObject(v)
	case []any:
		for _, elem := range v {
			s.shrink(elem)
		}
	}
}

func (s *shrinker) shrinkObject(v m) {
	d := s.book.Find(v["_"].(string))
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if name == "_" {
			continue
		}
		f := d.Fields[d.Field(name)]
		if f.Optional() && s.drop(v, d, f) {
			continue
		}
		keep := v[name]
		attempt := func(x any) bool {
			v[name] = x
			if s.shows(s.e) {
				return true
			}
			v[name] = keep
			return false
		}
		switch x := keep.(type) {
		case []any:
			// What a rule does to a type shows in an element only.
			if (s.types || !attempt([]any{})) && len(x) > 1 {
				_ = attempt(x[:1]) || attempt(x[len(x)-1:])
			}
		case string:
			_ = attempt("a") || attempt("")
		case int:
			s.number++
			attempt(s.number)
		}
		s.shrink(v[name])
	}
}

// drop leaves out a field and those that hang on the same bit.
func (s *shrinker) drop(v m, d *schema.Def, f schema.Field) bool {
	keep := maps.Clone(v)
	for _, g := range d.Fields {
		if g.Optional() && g.Word == f.Word && g.Bit == f.Bit {
			delete(v, g.Name)
		}
	}
	if s.shows(s.e) {
		return true
	}
	maps.Copy(v, keep)
	return false
}
