package layertest

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"parley/internal/mtproto/layer/schema"
)

// Writer makes random values that are valid in its layer and never zero or empty, so that a value
// that got lost shows.
type Writer struct {
	*Book
	Rand *rand.Rand
	Full bool // every optional field is set
	Deep int  // beyond this nothing is optional
}

// Object is a value of the definition, a constructor or a method.
func (w *Writer) Object(d *schema.Def) []byte { return w.object(nil, d, 1) }

// Value is a value of the type.
func (w *Writer) Value(t *schema.Type) []byte { return w.value(nil, t, 1) }

func (w *Writer) object(b []byte, d *schema.Def, depth int) []byte {
	b = binary.LittleEndian.AppendUint32(b, d.ID)
	set := make([]bool, len(d.Fields))
	words := make(map[int]uint32)
	bits := make(map[[2]int]bool)
	for i, f := range d.Fields {
		set[i] = true
		if !f.Optional() {
			continue
		}
		key := [2]int{f.Word, int(f.Bit)}
		on, known := bits[key]
		if !known {
			on = w.Full || w.Rand.IntN(3) == 0
			if depth > w.Deep {
				on = false
			}
			bits[key] = on
		}
		if set[i] = on; on {
			words[f.Word] |= 1 << f.Bit
		}
	}
	for i, f := range d.Fields {
		switch {
		case f.Type.Kind == schema.Flags:
			b = binary.LittleEndian.AppendUint32(b, words[i])
		case set[i]:
			b = w.value(b, f.Type, depth)
		}
	}
	return b
}

func (w *Writer) value(b []byte, t *schema.Type, depth int) []byte {
	switch t.Kind {
	case schema.Flag:
		return b
	case schema.String, schema.Bytes:
		return appendString(b, w.text())
	case schema.Bool:
		return binary.LittleEndian.AppendUint32(b,
			[]uint32{boolTrueID, boolFalseID}[w.Rand.IntN(2)])
	case schema.Vector:
		n := w.Rand.IntN(4)
		if depth > w.Deep {
			n = 0
		}
		b = binary.LittleEndian.AppendUint32(b, vectorID)
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
		for range n {
			b = w.value(b, t.Elem, depth+1)
		}
		return b
	case schema.Boxed:
		return w.object(b, w.choose(t, depth), depth+1)
	case schema.Query:
		return binary.LittleEndian.AppendUint32(b, w.byName["method help.getNearestDc"].ID)
	case schema.Int:
		return binary.LittleEndian.AppendUint32(b, 1+w.Rand.Uint32N(1<<20))
	case schema.Double:
		return binary.LittleEndian.AppendUint64(b, 0x4059000000000000) // 100
	default:
		for range t.Size() / 8 {
			b = binary.LittleEndian.AppendUint64(b, 1+w.Rand.Uint64N(1<<40))
		}
		return b
	}
}

// choose is any constructor, or deep down the one with the fewest boxed fields.
func (w *Writer) choose(t *schema.Type, depth int) *schema.Def {
	list := w.byType[t]
	if len(list) == 0 {
		panic(fmt.Sprintf("layer %d has no constructor of %s", w.Layer, t))
	}
	if depth <= w.Deep {
		return list[w.Rand.IntN(len(list))]
	}
	best, least := list[0], 1<<30
	for _, d := range list {
		n := 0
		for _, f := range d.Fields {
			if f.Type.Kind == schema.Boxed && !f.Optional() {
				n++
				if f.Type == t {
					n += 100
				}
			}
		}
		if n < least {
			best, least = d, n
		}
	}
	return best
}

func (w *Writer) text() string {
	b := make([]byte, 1+w.Rand.IntN(20))
	if w.Rand.IntN(40) == 0 {
		b = make([]byte, 250+w.Rand.IntN(300))
	}
	for i := range b {
		b[i] = 'a' + byte(w.Rand.IntN(26))
	}
	return string(b)
}

func appendString(b []byte, s string) []byte {
	if len(s) < 254 {
		b = append(b, byte(len(s)))
	} else {
		b = append(b, 254, byte(len(s)), byte(len(s)>>8), byte(len(s)>>16))
	}
	b = append(b, s...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}
