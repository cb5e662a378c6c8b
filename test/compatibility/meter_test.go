package compatibility

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"parley/internal/mtproto/layer"
	"parley/internal/mtproto/layer/layertest"
	"parley/internal/mtproto/layer/schema"
)

// tries is how many random values are made to find one in which a field matters.
const tries = 8

// meter measures what rewriting loses.
type meter struct {
	t     *testing.T
	set   *layer.Set
	known []int // all layers but the current one
	books map[int]*layertest.Book
	now   []*schema.Def
	defs  map[int][]*schema.Def
}

func newMeter(t *testing.T) *meter {
	t.Helper()
	packed, err := os.ReadFile("../../internal/mtproto/layer/table.bin")
	if err != nil {
		t.Fatal(err)
	}
	table, err := schema.Unpack(packed)
	if err != nil {
		t.Fatal(err)
	}
	set, err := layer.New()
	if err != nil {
		t.Fatal(err)
	}
	m := &meter{t: t, set: set, books: make(map[int]*layertest.Book), now: table.At(layer.Current),
		defs: make(map[int][]*schema.Def)}
	for _, l := range set.Known() {
		m.defs[l] = table.At(l)
		m.books[l] = layertest.NewBook(l, m.defs[l])
		if l != layer.Current {
			m.known = append(m.known, l)
		}
	}
	return m
}

// answered are the methods that are not refused.
func (m *meter) answered() map[string]bool {
	text, err := os.ReadFile("../../spec/methods.tsv")
	if err != nil {
		m.t.Fatal(err)
	}
	out := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		f := strings.Split(line, "\t")
		if len(f) > 1 && (f[1] == "real" || f[1] == "empty") {
			out[f[0]] = true
		}
	}
	if len(out) == 0 {
		m.t.Fatal("no method is answered")
	}
	return out
}

// methods measures requests and the types of answers.
func (m *meter) methods() *rows {
	out := &rows{known: m.set.Known()}
	answered := m.answered()
	for _, d := range m.now {
		if !d.Method || !answered[d.Name] {
			continue
		}
		for _, l := range m.known {
			old := m.called(d, l)
			if old == nil {
				out.add(d.Name, "the layer does not have it", l)
				continue
			}
			if old.Name != d.Name {
				out.add(d.Name, "is "+old.Name, l)
			}
			if old.Result.String() != d.Result.String() {
				out.add(d.Name, "answers "+old.Result.String(), l)
			}
			if old.ID == d.ID {
				continue
			}
			up := func(v layertest.M) ([]byte, error) { return m.set.Up(m.books[l].Pack(v)) }
			for _, f := range m.lost(old, l, up) {
				out.add(d.Name, "`"+f+"` is not used", l)
			}
		}
	}
	return out
}

// called is what a layer calls a method of today, nil if it has none.
func (m *meter) called(d *schema.Def, l int) *schema.Def {
	var out *schema.Def
	for _, old := range m.defs[l] {
		if id, ok := m.set.Method(old.ID); ok && old.Method && id == d.ID {
			if old.Name == d.Name {
				return old
			}
			out = old
		}
	}
	return out
}

// objects measures what is said.
func (m *meter) objects() *rows {
	out := &rows{known: m.set.Known()}
	said := findSaid(m.t)
	for _, d := range m.now {
		sets := said[d.Name]
		if d.Method || sets == nil {
			continue
		}
		for _, l := range m.known {
			m.object(out, d, l, sets)
		}
	}
	return out
}

func (m *meter) object(out *rows, d *schema.Def, l int, sets map[string]bool) {
	down := func(v layertest.M) ([]byte, error) {
		return m.set.Down(nil, l, m.books[layer.Current].Pack(v))
	}
	old := m.books[l].Find(d.Name)
	if old == nil {
		if m.holds(l, d.Result) {
			out.add(d.Name, m.stead(d, l, down), l)
		} else if m.hidden(d, l, down) {
			out.add(d.Name, "left out", l)
		}
		return
	}
	if same(old, d) {
		return
	}
	for _, f := range m.lost(d, layer.Current, down) {
		if sets[f] {
			out.add(d.Name, "`"+f+"`", l)
		}
	}
}

// holds tells whether a layer has any object of a type.
func (m *meter) holds(l int, t *schema.Type) bool {
	return slices.ContainsFunc(m.defs[l], func(d *schema.Def) bool {
		return !d.Method && d.Result == t
	})
}

// hidden tells whether an object of a type that a layer does not have shows in nothing that holds
// it there, though others of its type may. Where nothing holds it, the row of the method says so.
func (m *meter) hidden(d *schema.Def, l int, down func(layertest.M) ([]byte, error)) bool {
	w, held := m.writer(layer.Current, d), false
	for _, c := range m.now {
		if c.Method || c.Result.Kind != schema.Boxed || m.books[l].Find(c.Name) == nil {
			continue
		}
		for _, f := range c.Fields {
			if f.Type != d.Result && (f.Type.Kind != schema.Vector || f.Type.Elem != d.Result) ||
				m.books[l].Find(c.Name).Field(f.Name) < 0 {
				continue
			}
			held = true
			with := m.value(w, c)
			var inside, without any = m.value(w, d), nil
			if f.Type.Kind == schema.Vector {
				inside, without = []any{inside}, []any{}
			}
			with[f.Name] = inside
			got, err := down(with)
			if err != nil {
				continue
			}
			if with[f.Name] = without; without == nil {
				if !f.Optional() {
					return false
				}
				delete(with, f.Name)
			}
			if rest, err := down(with); err != nil || !bytes.Equal(got, rest) {
				return false
			}
		}
	}
	return held
}

// stead says what stands for an object that a layer does not have.
func (m *meter) stead(d *schema.Def, l int, down func(layertest.M) ([]byte, error)) string {
	w := m.writer(layer.Current, d)
	for range tries {
		body, err := down(m.value(w, d))
		if errors.Is(err, layer.ErrDrop) {
			continue
		}
		if unknown := new(layer.UnknownError); errors.As(err, &unknown) {
			return "is not said"
		}
		if err != nil {
			m.t.Fatalf("layer %d: %s: %v", l, d.Name, err)
		}
		if s := m.books[l].ByID(binary.LittleEndian.Uint32(body)); s != nil {
			return "shown as " + s.Name
		}
		return "shown as a plain value"
	}
	return "left out"
}

func same(a, b *schema.Def) bool {
	return a.ID == b.ID && slices.EqualFunc(a.Fields, b.Fields, func(f, g schema.Field) bool {
		return f.Name == g.Name && f.Type.String() == g.Type.String()
	})
}

func (m *meter) writer(l int, d *schema.Def) *layertest.Writer {
	return &layertest.Writer{Book: m.books[l], Deep: 5,
		Rand: rand.New(rand.NewPCG(uint64(d.ID), 1))}
}

// value is a random object.
func (m *meter) value(w *layertest.Writer, d *schema.Def) layertest.M {
	typ := d.Result
	if d.Method {
		typ = &schema.Type{Kind: schema.Query}
	}
	n, err := w.Read(w.Object(d), typ)
	if err != nil {
		m.t.Fatalf("%s: %v", d.Name, err)
	}
	return layertest.Unpack(n, typ).(layertest.M)
}

// lost lists the fields of an object of a layer whose values make no difference in what comes out
// of the rewriting.
func (m *meter) lost(
	d *schema.Def, l int, rewrite func(layertest.M) ([]byte, error),
) (out []string) {
	carried, tried := make(map[string]bool), make(map[string]bool)
	w := m.writer(l, d)
	for range tries {
		w.Full = true
		v := m.value(w, d)
		w.Full = false
		other := m.value(w, d)
		base, err := rewrite(v)
		if err != nil {
			continue
		}
		for i, f := range d.Fields {
			if f.Type.Kind == schema.Flags || carried[f.Name] || v[f.Name] == nil {
				continue
			}
			tried[f.Name] = true
			got, err := rewrite(changed(v, other, d, i))
			carried[f.Name] = err != nil || !bytes.Equal(got, base)
		}
	}
	for _, f := range d.Fields {
		if tried[f.Name] && !carried[f.Name] {
			out = append(out, f.Name)
		}
	}
	return out
}

// changed is an object with another value in one field: none if it is optional, and then none in
// those that hang on the same bit.
func changed(v, other layertest.M, d *schema.Def, i int) layertest.M {
	out := maps.Clone(v)
	f := d.Fields[i]
	if !f.Optional() {
		if out[f.Name] = other[f.Name]; f.Type.Kind == schema.Double {
			out[f.Name] = v[f.Name].(float64) + 1
		}
		return out
	}
	for _, g := range d.Fields {
		if g.Optional() && g.Word == f.Word && g.Bit == f.Bit {
			delete(out, g.Name)
		}
	}
	return out
}
