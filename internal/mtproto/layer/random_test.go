package layer

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"parley/internal/mtproto/layer/layertest"
	"parley/internal/mtproto/layer/schema"
)

// claimed are the layers for which a client is in use; the tests put more values through them.
var claimed = map[int]bool{
	144: true, 152: true, 158: true, 185: true, 193: true, 198: true, 200: true, 209: true,
	218: true, 222: true, 223: true, 224: true, 225: true, 227: true, 228: true,
}

// query is the type of any request.
var query = &schema.Type{Kind: schema.Query}

func newSet(t testing.TB) *Set {
	t.Helper()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// agree compares what both sides have in common: objects of the same name must have the same
// plain values in fields of the same name and type.
func agree(a, b *layertest.Node) error {
	if a.Def == nil || b.Def == nil || a.Def.Name != b.Def.Name {
		return nil
	}
	for i, f := range b.Def.Fields {
		j := a.Def.Field(f.Name)
		if j < 0 || f.Type.Kind == schema.Flags || a.Def.Fields[j].Type != f.Type ||
			f.Type.Kind == schema.Flag && sharesBit(b.Def, i) != sharesBit(a.Def, j) {
			continue
		}
		x, y := a.Fields[j], b.Fields[i]
		switch {
		case y == nil:
			if x != nil && f.Type.Kind != schema.Boxed && f.Type.Kind != schema.Vector {
				return fmt.Errorf("%s.%s was lost", a.Def.Name, f.Name)
			}
		case x == nil:
			if f.Optional() {
				return fmt.Errorf("%s.%s came from nowhere", a.Def.Name, f.Name)
			}
		case x.Raw != y.Raw:
			return fmt.Errorf("%s.%s was %q and is %q", a.Def.Name, f.Name, x.Raw, y.Raw)
		case len(x.Elems) == len(y.Elems):
			for n := range x.Elems {
				if err := agree(x.Elems[n], y.Elems[n]); err != nil {
					return err
				}
			}
		case len(x.Elems) < len(y.Elems):
			return fmt.Errorf("%s.%s has grown", a.Def.Name, f.Name)
		}
		if x != nil && y != nil {
			if err := agree(x, y); err != nil {
				return err
			}
		}
	}
	return nil
}

// sharesBit reports whether a value hangs on the bit of flag i, which then cannot stand alone.
func sharesBit(d *schema.Def, i int) bool {
	for j, f := range d.Fields {
		if j != i && f.Word == d.Fields[i].Word && f.Bit == d.Fields[i].Bit &&
			f.Type.Kind != schema.Flag {
			return true
		}
	}
	return false
}

// TestDownIsReadable puts random values of every constructor that the server can say through the
// program of every layer; a strict reader of that layer must read what comes out.
func TestDownIsReadable(t *testing.T) {
	s := newSet(t)
	defs := downSource(s.table).defs
	now := newBook(s, Current)
	for _, layer := range s.layers {
		rounds := 1
		if claimed[layer] {
			rounds = 4
		}
		if testing.Short() && !claimed[layer] {
			continue
		}
		book := newBook(s, layer)
		w := &layertest.Writer{Book: now, Rand: rand.New(rand.NewPCG(1, uint64(layer))), Deep: 4}
		var out []byte
		values, dropped := 0, 0
		for _, d := range defs {
			for round := range rounds {
				w.Full = round == 0
				in := w.Object(d)
				a, err := now.Read(in, d.Result)
				if err != nil {
					t.Fatalf("generator: %v", err)
				}
				values++
				out, err = s.Down(out[:0], layer, in)
				if errors.Is(err, ErrDrop) {
					dropped++
					continue
				}
				if err != nil {
					t.Fatalf("layer %d, %s: %v", layer, d.Name, err)
				}
				b, err := book.Read(out, d.Result)
				if err == nil {
					err = agree(a, b)
				}
				if err != nil {
					t.Errorf("layer %d, %s: %v", layer, d.Name, err)
					break
				}
			}
		}
		t.Logf("layer %d: %d values, %d dropped", layer, values, dropped)
	}
}

// TestResultsAreReadable puts random results of every method through the program of every layer
// that has the method, under its own name or an older one.
func TestResultsAreReadable(t *testing.T) {
	s := newSet(t)
	now := newBook(s, Current)
	rules, _, err := books()
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for _, layer := range s.layers {
		book := newBook(s, layer)
		w := &layertest.Writer{Book: now, Rand: rand.New(rand.NewPCG(10, uint64(layer))), Deep: 3}
		for _, d := range downSource(s.table).methods {
			old := book.Find(d.Name)
			// The result of test.useConfigSimple has bare vectors.
			if d.Result.Kind == schema.Query || d.Name == "test.useConfigSimple" {
				continue
			}
			for _, name := range rules.renamed[d.Name] {
				old = cmp.Or(old, book.Find(name))
			}
			old = cmp.Or(old, d)
			out, err = s.DownResult(out[:0], layer, d.ID, w.Value(d.Result))
			if errors.Is(err, ErrDrop) {
				continue
			}
			if err == nil {
				_, err = book.Read(out, old.Result)
			}
			if err != nil {
				t.Errorf("layer %d, %s: %v", layer, d.Name, err)
			}
		}
	}
}

// TestUpIsReadable makes random requests of every method of every layer; what comes out must be
// requests of the current layer.
func TestUpIsReadable(t *testing.T) {
	s := newSet(t)
	now := newBook(s, Current)
	failed := make(map[string][]int)
	for _, layer := range s.layers {
		if testing.Short() && !claimed[layer] {
			continue
		}
		defs := s.table.At(layer)
		book := newBook(s, layer)
		w := &layertest.Writer{Book: book, Rand: rand.New(rand.NewPCG(2, uint64(layer))), Deep: 3}
		values, dropped := 0, 0
		for _, d := range defs {
			if !d.Method {
				continue
			}
			for round := range 4 {
				w.Full = round == 0
				in := w.Object(d)
				a, err := book.Read(in, query)
				if err != nil {
					t.Fatalf("generator: %v", err)
				}
				values++
				out, err := s.Up(in)
				method, known := s.Method(d.ID)
				if known == errors.Is(err, ErrRemoved) ||
					err == nil && method != binary.LittleEndian.Uint32(out) {
					t.Errorf("layer %d, %s is said to be %#x, %v", layer, d.Name, method, known)
				}
				if errors.Is(err, ErrRemoved) {
					failed[d.Name] = append(failed[d.Name], layer)
					break
				}
				if errors.Is(err, ErrDrop) {
					dropped++
					continue
				}
				if err != nil {
					t.Fatalf("layer %d, %s: %v", layer, d.Name, err)
				}
				b, err := now.ReadLoose(out, query)
				if err == nil {
					err = agree(a, b)
				}
				if err != nil {
					t.Errorf("layer %d, %s: %v", layer, d.Name, err)
					break
				}
			}
		}
		t.Logf("layer %d: %d requests, %d cannot be expressed", layer, values, dropped)
	}
	for name, layers := range failed {
		t.Logf("removed: %s @ %s", name, ranges(s.layers, layers))
	}
}
