// Package layertest reads and writes API values of any layer by the schema alone, for tests: a
// strict reader, a writer of random values, and literals by field name. It shares nothing with the
// programs of package layer but the table, so that neither hides the mistakes of the other.
//
// It is slow and takes no hostile input.
package layertest

import (
	"encoding/binary"
	"fmt"
	"math"

	"parley/internal/mtproto/layer/schema"
)

const (
	vectorID    = 0x1cb5c415
	boolTrueID  = 0x997275b5
	boolFalseID = 0xbc799737
)

// Book is one layer as a reader or writer of values sees it.
type Book struct {
	Layer int
	// Loose lets flags pass that the layer does not know.
	Loose  bool
	byID   map[uint32]*schema.Def
	byType map[*schema.Type][]*schema.Def
	byName map[string]*schema.Def
}

// NewBook is the layer that consists of the given definitions.
func NewBook(layer int, defs []*schema.Def) *Book {
	b := &Book{
		Layer: layer, byID: make(map[uint32]*schema.Def),
		byType: make(map[*schema.Type][]*schema.Def), byName: make(map[string]*schema.Def),
	}
	for _, d := range defs {
		b.byID[d.ID] = d
		if d.Method {
			b.byName["method "+d.Name] = d
			continue
		}
		b.byName[d.Name] = d
		b.byType[d.Result] = append(b.byType[d.Result], d)
	}
	return b
}

// ByID is the definition with that identifier, nil if there is none.
func (b *Book) ByID(id uint32) *schema.Def { return b.byID[id] }

// Find is the method or constructor of that name, nil if there is none.
func (b *Book) Find(name string) *schema.Def {
	if d := b.byName["method "+name]; d != nil {
		return d
	}
	return b.byName[name]
}

// M is an object by the names of its fields; "_" is its constructor. Values are M, []any, string,
// bool, int and float64.
type M map[string]any

// Pack encodes an object as a client of the layer does. Flags without a value are set if they are
// in v. It panics if the layer has no such object.
func (b *Book) Pack(v M) []byte {
	d := b.Find(v["_"].(string))
	if d == nil {
		panic(fmt.Sprintf("layer %d has no %v", b.Layer, v["_"]))
	}
	words := make(map[int]uint32)
	for name := range v {
		i := d.Field(name)
		if name != "_" && i < 0 {
			panic(fmt.Sprintf("layer %d: %s has no %s", b.Layer, d.Name, name))
		}
		if i >= 0 && d.Fields[i].Optional() {
			words[d.Fields[i].Word] |= 1 << d.Fields[i].Bit
		}
	}
	out := binary.LittleEndian.AppendUint32(nil, d.ID)
	for i, f := range d.Fields {
		switch {
		case f.Type.Kind == schema.Flags:
			out = binary.LittleEndian.AppendUint32(out, words[i])
		case f.Type.Kind == schema.Flag, v[f.Name] == nil && f.Optional():
		default:
			out = b.Append(out, f.Type, v[f.Name])
		}
	}
	return out
}

// Append encodes a value of any type, as Pack does.
func (b *Book) Append(out []byte, t *schema.Type, v any) []byte {
	switch v := v.(type) {
	case M:
		return append(out, b.Pack(v)...)
	case []any:
		out = binary.LittleEndian.AppendUint32(out, vectorID)
		out = binary.LittleEndian.AppendUint32(out, uint32(len(v)))
		for _, elem := range v {
			out = b.Append(out, t.Elem, elem)
		}
		return out
	case string:
		return appendString(out, v)
	case bool:
		if v {
			return binary.LittleEndian.AppendUint32(out, boolTrueID)
		}
		return binary.LittleEndian.AppendUint32(out, boolFalseID)
	case float64:
		return binary.LittleEndian.AppendUint64(out, math.Float64bits(v))
	case int:
		if t.Kind == schema.Int {
			return binary.LittleEndian.AppendUint32(out, uint32(v))
		}
		return binary.LittleEndian.AppendUint64(out, uint64(v))
	default:
		panic(fmt.Sprintf("%s is %T", t, v))
	}
}

// Unpack is what was read, in the form that Pack takes.
func Unpack(n *Node, t *schema.Type) any {
	switch {
	case n.Def != nil:
		out := M{"_": n.Def.Name}
		for i, f := range n.Def.Fields {
			switch {
			case f.Type.Kind == schema.Flags || n.Fields[i] == nil:
			case f.Type.Kind == schema.Flag:
				out[f.Name] = true
			default:
				out[f.Name] = Unpack(n.Fields[i], f.Type)
			}
		}
		return out
	case n.Elems != nil:
		out := []any{}
		for _, elem := range n.Elems {
			out = append(out, Unpack(elem, t.Elem))
		}
		return out
	}
	switch t.Kind {
	case schema.Bool:
		return binary.LittleEndian.Uint32([]byte(n.Raw)) == boolTrueID
	case schema.Double:
		return math.Float64frombits(binary.LittleEndian.Uint64([]byte(n.Raw)))
	case schema.Int:
		return int(int32(binary.LittleEndian.Uint32([]byte(n.Raw))))
	case schema.Long:
		return int(binary.LittleEndian.Uint64([]byte(n.Raw)))
	default:
		return n.Raw
	}
}

// Equal compares two values in the form of Unpack.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case M:
		b, ok := b.(M)
		if !ok || len(a) != len(b) {
			return false
		}
		for k := range a {
			if !Equal(a[k], b[k]) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !Equal(a[i], b[i]) {
				return false
			}
		}
		return true
	default:
		return a == b
	}
}
