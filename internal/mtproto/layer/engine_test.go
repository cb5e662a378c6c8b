package layer

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"parley/internal/mtproto/layer/layertest"
	"parley/internal/mtproto/layer/schema"
)

// toy is a program between two small schemas, for what real layers hold only now and then.
type toy struct {
	t        *testing.T
	program  *program
	from, to *layertest.Book
}

// definitions numbers the definitions of a text, so that equal ones have equal identifiers.
func definitions(t *testing.T, texts ...[]string) *schema.Table {
	t.Helper()
	ids := make(map[string]int)
	var revisions []schema.Revision
	for i, text := range texts {
		r := schema.Revision{Layer: i + 1}
		for _, line := range text {
			if ids[line] == 0 {
				ids[line] = 0x1000 + len(ids)
			}
			var name, rest string
			if _, err := fmt.Sscan(line, &name); err != nil {
				t.Fatal(err)
			}
			rest = line[len(name):]
			lines, _, err := schema.Parse(fmt.Appendf(nil, "%s#%x%s;", name, ids[line], rest))
			if err != nil {
				t.Fatal(err)
			}
			r.Lines = append(r.Lines, lines...)
		}
		revisions = append(revisions, r)
	}
	table, err := schema.Build([32]byte{}, revisions)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func newToy(t *testing.T, from, to []string, strict bool, rules ...rule) *toy {
	t.Helper()
	table := definitions(t, to, from)
	book, err := newRuleBook(rules)
	if err != nil {
		t.Fatal(err)
	}
	p, err := newCompiler(newSource(table, table.At(2), nil), 1, book, strict).program()
	if err != nil {
		t.Fatal(err)
	}
	return &toy{t, p, layertest.NewBook(2, table.At(2)), layertest.NewBook(1, table.At(1))}
}

// rewrite is v in the destination, nil if it was dropped.
func (y *toy) rewrite(v m) m {
	y.t.Helper()
	var s Set
	s.coders.New = func() any { return new(coder) }
	out, err := s.rewrite(nil, y.program, y.from.Pack(v), nil)
	if errors.Is(err, ErrDrop) {
		return nil
	}
	if err != nil {
		y.t.Fatal(err)
	}
	typ := y.from.Find(v["_"].(string)).Result
	n, err := y.to.Read(out, typ)
	if err != nil {
		y.t.Fatalf("%v: %v", v, err)
	}
	return layertest.Unpack(n, typ).(m)
}

// TestBitOfTwoValues: what hangs on one bit goes together, whatever the reason that one of it
// cannot go.
func TestBitOfTwoValues(t *testing.T) {
	old := "a flags:# x:flags.0?int y:flags.0?int z:flags.1?int = A"
	t.Run("one has no source", func(t *testing.T) {
		y := newToy(t, []string{"a flags:# x:flags.0?int z:flags.1?int = A"}, []string{old}, false)
		is(t, "a", y.rewrite(m{"_": "a", "x": 1, "z": 2}), m{"_": "a", "z": 2})
	})
	t.Run("one has its own bit", func(t *testing.T) {
		y := newToy(t, []string{"a flags:# x:flags.0?int y:flags.5?int z:flags.1?int = A"},
			[]string{old}, false)
		is(t, "first", y.rewrite(m{"_": "a", "x": 1, "z": 2}), m{"_": "a", "z": 2})
		is(t, "second", y.rewrite(m{"_": "a", "y": 1, "z": 2}), m{"_": "a", "z": 2})
		is(t, "both", y.rewrite(m{"_": "a", "x": 1, "y": 3}), m{"_": "a", "x": 1, "y": 3})
	})
	t.Run("one is inexpressible", func(t *testing.T) {
		y := newToy(t,
			[]string{"b = B", "c = B", "a flags:# x:flags.0?int y:flags.0?B z:flags.1?int = A"},
			[]string{"b = B", "a flags:# x:flags.0?int y:flags.0?B z:flags.1?int = A"}, false)
		is(t, "c", y.rewrite(m{"_": "a", "x": 1, "y": m{"_": "c"}, "z": 2}),
			m{"_": "a", "z": 2})
		is(t, "b", y.rewrite(m{"_": "a", "x": 1, "y": m{"_": "b"}, "z": 2}),
			m{"_": "a", "x": 1, "y": m{"_": "b"}, "z": 2})
	})
	t.Run("a flag and a value", func(t *testing.T) {
		y := newToy(t, []string{"a flags:# on:flags.0?true x:flags.7?int = A"},
			[]string{"a flags:# on:flags.0?true x:flags.0?int = A"}, false)
		is(t, "flag", y.rewrite(m{"_": "a", "on": true}), m{"_": "a"})
		is(t, "value", y.rewrite(m{"_": "a", "x": 1}), m{"_": "a", "x": 1, "on": true})
	})
	t.Run("reused", func(t *testing.T) {
		y := newToy(t, []string{"a flags:# new:flags.0?long = A"},
			[]string{"a flags:# old:flags.0?true = A"}, false)
		is(t, "a", y.rewrite(m{"_": "a", "new": 1}), m{"_": "a"})
	})
}

// TestInexpressible: where the destination has nothing for a value, the nearest vector or optional
// field does without it; in a strict program the whole goes.
func TestInexpressible(t *testing.T) {
	from := []string{"b = B", "c = B", "a flags:# x:flags.0?B y:Vector<B> = A", "d b:B = D",
		"e d:Vector<Vector<D>> z:int = E"}
	to := append([]string{}, from...)
	to[1] = "unlike = B"
	for _, strict := range []bool{false, true} {
		y := newToy(t, from, to, strict)
		b, c := m{"_": "b"}, m{"_": "c"}
		whole := m{"_": "a", "x": b, "y": []any{b, b}}
		is(t, "expressible", y.rewrite(whole), whole)
		var want [3]m
		if !strict {
			want = [3]m{{"_": "a", "y": []any{b}}, {"_": "a", "x": b, "y": []any{b, b}},
				{"_": "e", "d": []any{[]any{m{"_": "d", "b": b}}, []any{}}, "z": 5}}
		}
		is(t, "field", y.rewrite(m{"_": "a", "x": c, "y": []any{b}}), want[0])
		is(t, "element", y.rewrite(m{"_": "a", "x": b, "y": []any{c, b, c, b}}), want[1])
		is(t, "deep", y.rewrite(m{"_": "e", "d": []any{[]any{m{"_": "d", "b": c},
			m{"_": "d", "b": b}}, []any{}}, "z": 5}), want[2])
		is(t, "required", y.rewrite(m{"_": "d", "b": c}), m(nil))
		instead := newToy(t, from, to, strict,
			insteadRule("B", ctor{"b", nil}, "for the test"))
		is(t, "instead", instead.rewrite(m{"_": "d", "b": c}), m{"_": "d", "b": b})
	}
}

// TestListInStrict: a list of a rule leaves out nothing from a request.
func TestListInStrict(t *testing.T) {
	from := []string{"b = B", "c = B", "a x:B z:B = A"}
	to := []string{"b = B", "a y:Vector<B> = A"}
	make := fieldRule("a.y", list{field("x"), field("z")}, "for the test")
	b, c := m{"_": "b"}, m{"_": "c"}
	for _, strict := range []bool{false, true} {
		y := newToy(t, from, to, strict, make)
		is(t, "both", y.rewrite(m{"_": "a", "x": b, "z": b}), m{"_": "a", "y": []any{b, b}})
		var want m
		if !strict {
			want = m{"_": "a", "y": []any{b}}
		}
		is(t, "one", y.rewrite(m{"_": "a", "x": b, "z": c}), want)
		is(t, "none", y.rewrite(m{"_": "a", "x": c, "z": c}), m(nil))
	}
}

// TestFieldsMove: fields change their order, their word, and whether they are optional.
func TestFieldsMove(t *testing.T) {
	y := newToy(t,
		[]string{"a flags:# x:flags.0?int name:string flags2:# y:flags2.3?string on:flags2.4?true" +
			" z:long = A"},
		[]string{"a z:long more:# y:more.0?string name:string x:int flags:# on:flags.9?true = A"},
		false)
	is(t, "a", y.rewrite(m{"_": "a", "x": 1, "name": "n", "y": "y", "on": true, "z": 7}),
		m{"_": "a", "x": 1, "name": "n", "y": "y", "on": true, "z": 7})
	is(t, "without what is required", y.rewrite(m{"_": "a", "name": "n", "z": 7}), m(nil))

	from := []string{"b = B", "c = B", "a flags:# x:flags.0?B z:int = A"}
	to := []string{"b = B", "a flags:# z:int x:flags.0?B = A"}
	v := m{"_": "a", "x": m{"_": "c"}, "z": 7}
	is(t, "left out", newToy(t, from, to, false).rewrite(v), m{"_": "a", "z": 7})
	is(t, "strict", newToy(t, from, to, true).rewrite(v), m(nil))
}

// TestMerge: the revisions of an identifier add up, each flag under its own word.
func TestMerge(t *testing.T) {
	table := definitions(t,
		[]string{"f flags:# a:flags.0?true gone:flags.5?true x:int flags2:# b:flags2.0?true" +
			" lost:flags2.6?true = F"},
		[]string{"g = G"})
	late := *table.Defs[0]
	late.Fields = []schema.Field{table.Defs[0].Fields[0], table.Defs[0].Fields[3],
		table.Defs[0].Fields[4]}
	late.Spans = []schema.Span{{First: 1, Last: 1}}
	table.Defs = append(table.Defs, &late)
	var got []string
	for _, d := range merge(table) {
		if d.ID == late.ID {
			got = append(got, d.String())
		}
	}
	want := []string{"f#1000 flags:# x:int flags2:# a:flags.0?true gone:flags.5?true" +
		" b:flags2.0?true lost:flags2.6?true = F"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestWorkIsBounded: values that have to be looked at again and again at every depth end with an
// error, not with the patience of the server.
func TestWorkIsBounded(t *testing.T) {
	y := newToy(t,
		[]string{"c = A", "a flags:# w:flags.1?A x:flags.0?A z:flags.0?A = A", "bad = A"},
		[]string{"c = A", "a flags:# w:flags.1?A x:flags.0?A z:flags.0?A = A"}, false)
	v := m{"_": "c"}
	for range 40 {
		v = m{"_": "a", "w": v, "x": m{"_": "c"}, "z": m{"_": "bad"}}
	}
	var s Set
	s.coders.New = func() any { return new(coder) }
	if _, err := s.rewrite(nil, y.program, y.from.Pack(v), nil); !errors.Is(err, ErrLimit) {
		t.Errorf("got %v", err)
	}
}

// TestRulesCollide: two rules for one thing are a mistake that shows at once.
func TestRulesCollide(t *testing.T) {
	for _, r := range []rule{
		fieldRule("a.x", none{}, ""), objectRule("a", none{}, ""), insteadRule("A", none{}, ""),
		typeRule("A", "B", none{}, ""),
	} {
		if _, err := newRuleBook([]rule{r, r}); !errors.Is(err, errRules) {
			t.Errorf("%s: %v", r.at, err)
		}
	}
	// A rule has a reason, and names a place.
	for _, r := range append(downRules(), upRules()...) {
		if r.why == "" || r.at == "" || r.make == nil {
			t.Errorf("rule for %q is not complete", r.at)
		}
	}
}
