package layer

import (
	"errors"
	"maps"
	"math/rand/v2"
	"testing"

	"parley/internal/mtproto/layer/layertest"
	"parley/internal/mtproto/layer/schema"
)

// requiredTries is how many random values of a definition show that a field is never made up.
const requiredTries = 6

// TestRequiredFieldsAreRuled: what a layer requires and a value does not have is filled by a rule,
// or else the value is not expressed: never by zero.
func TestRequiredFieldsAreRuled(t *testing.T) {
	s := newSet(t)
	now := newBook(s, Current)
	downBook, upBook, err := books()
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, layer := range s.layers {
		old := newBook(s, layer)
		for _, d := range downSource(s.table).defs {
			checked += requireRules(t, now, old, d, downBook, func(body []byte) ([]byte, error) {
				return s.Down(nil, layer, body)
			})
		}
		for _, d := range s.table.At(layer) {
			checked += requireRules(t, old, now, d, upBook, func(body []byte) ([]byte, error) {
				if d.Method {
					return s.Up(body)
				}
				return s.rewrite(nil, s.up, body, nil)
			})
		}
	}
	if checked == 0 {
		t.Error("no field was looked at")
	}
	t.Logf("%d fields that nothing may fill", checked)
}

// requireRules puts values without the required fields of the other layer through the rewriting,
// and returns how many such fields have no rule.
func requireRules(
	t *testing.T, from, to *layertest.Book, d *schema.Def, rules *ruleBook,
	rewrite func([]byte) ([]byte, error),
) (fields int) {
	t.Helper()
	other := to.Find(d.Name)
	if other == nil || other.Method != d.Method || other.ID == d.ID ||
		rules.objects[d.Name] != nil || !d.Method && d.Result.Kind != schema.Boxed {
		return 0
	}
	for _, g := range other.Fields {
		if !unfilled(d, other, g, rules) {
			continue
		}
		fields++
		w := &layertest.Writer{Book: from, Deep: 3, Rand: rand.New(rand.NewPCG(uint64(d.ID), 8))}
		for range requiredTries {
			out, err := rewrite(from.Pack(bare(t, w, d, g.Name)))
			// Objects that only answers have are in no request, and the other way round.
			if unknown := new(UnknownError); errors.As(err, &unknown) {
				return 0
			}
			if errors.Is(err, ErrDrop) || errors.Is(err, ErrRemoved) {
				continue
			}
			if err != nil {
				t.Fatalf("layer %d to %d: %s: %v", from.Layer, to.Layer, d.Name, err)
			}
			n, err := to.ReadLoose(out, typeOf(d))
			if err != nil {
				t.Fatalf("layer %d to %d: %s: %v", from.Layer, to.Layer, d.Name, err)
			}
			if n.Def == other {
				t.Errorf("layer %d to %d: %s.%s is filled by no rule", from.Layer, to.Layer,
					d.Name, g.Name)
				break
			}
		}
	}
	return fields
}

// unfilled tells whether a field is required and neither the other side's field of that name, nor a
// rule, gives it a value.
func unfilled(d, other *schema.Def, g schema.Field, rules *ruleBook) bool {
	if g.Optional() || g.Type.Kind == schema.Flags || rules.fields[other.Name+"."+g.Name] != nil {
		return false
	}
	i := d.Field(g.Name)
	// A flag that is not set is a Bool that is false.
	return i < 0 || d.Fields[i].Optional() && g.Type.Kind != schema.Bool
}

// bare is a random object without one of its fields.
func bare(t *testing.T, w *layertest.Writer, d *schema.Def, name string) m {
	t.Helper()
	n, err := w.Read(w.Object(d), typeOf(d))
	if err != nil {
		t.Fatalf("%s: %v", d.Name, err)
	}
	v := maps.Clone(layertest.Unpack(n, typeOf(d)).(m))
	if i := d.Field(name); i >= 0 {
		for _, f := range d.Fields {
			if f.Optional() && f.Word == d.Fields[i].Word && f.Bit == d.Fields[i].Bit {
				delete(v, f.Name)
			}
		}
	}
	return v
}

func typeOf(d *schema.Def) *schema.Type {
	if d.Method {
		return query
	}
	return d.Result
}
