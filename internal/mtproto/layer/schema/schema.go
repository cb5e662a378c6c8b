// Package schema is the model of a TL schema that changes over time: every definition once, with
// the spans of the sources (one source is one revision of one API layer) in which it stood. It
// parses TL text, verifies identifiers, and packs a table into bytes and back.
//
// It refuses what the API never uses on an RPC connection: bare vectors and generic types other
// than the query of a wrapper. It knows nothing of how a value of one layer becomes a value of
// another.
//
// https://core.telegram.org/mtproto/TL
package schema

import "fmt"

// Kind is the wire form of a type.
type Kind uint8

// The wire forms. Flag is a bare true that exists only as a bit; Query is any boxed value.
const (
	Int Kind = iota + 1
	Long
	Double
	Int128
	Int256
	String
	Bytes
	Bool
	Flag
	Flags
	Vector
	Boxed
	Query
)

// Type is the type of a field or of a result. Types of one Table are interned: two uses of the
// same type share one pointer.
type Type struct {
	Kind Kind
	Name string // of a boxed type, as "messages.Messages"
	Elem *Type  // of a vector
}

var bare = map[string]Kind{
	"int": Int, "long": Long, "double": Double, "int128": Int128, "int256": Int256,
	"string": String, "bytes": Bytes, "true": Flag, "#": Flags,
	"Bool": Bool, "!X": Query, "X": Query,
}

var bareNames = [...]string{
	Int: "int", Long: "long", Double: "double", Int128: "int128", Int256: "int256",
	String: "string", Bytes: "bytes", Bool: "Bool", Flag: "true", Flags: "#", Query: "X",
	Boxed: "",
}

// String is the type as TL text.
func (t *Type) String() string {
	switch t.Kind {
	case Vector:
		return "Vector<" + t.Elem.String() + ">"
	case Boxed:
		return t.Name
	default:
		return bareNames[t.Kind]
	}
}

// Size is the length in bytes of every value of the type, or 0 where values differ in length.
func (t *Type) Size() int {
	switch t.Kind {
	case Int, Bool, Flags:
		return 4
	case Long, Double:
		return 8
	case Int128:
		return 16
	case Int256:
		return 32
	default:
		return 0
	}
}

// Field is one field of a definition, in the order of the wire.
type Field struct {
	Name string
	Type *Type
	Word int // index in Def.Fields of the flags word that governs the field, -1 if always present
	Bit  uint8
}

// Optional reports whether the field is governed by a flag.
func (f Field) Optional() bool { return f.Word >= 0 }

// Span is a run of consecutive sources, both ends included.
type Span struct{ First, Last int }

// Def is one constructor or method with its life span.
type Def struct {
	ID     uint32
	Name   string
	Method bool
	Result *Type
	Fields []Field
	Spans  []Span
}

// In reports whether the definition stood in source i.
func (d *Def) In(i int) bool {
	for _, s := range d.Spans {
		if s.First <= i && i <= s.Last {
			return true
		}
	}
	return false
}

// Field is the index of the named field, or -1.
func (d *Def) Field(name string) int {
	for i := range d.Fields {
		if d.Fields[i].Name == name {
			return i
		}
	}
	return -1
}

// String is the definition as TL text.
func (d *Def) String() string {
	s := fmt.Sprintf("%s#%x", d.Name, d.ID)
	for _, f := range d.Fields {
		s += " " + f.Name + ":"
		if f.Optional() {
			s += fmt.Sprintf("%s.%d?", d.Fields[f.Word].Name, f.Bit)
		}
		s += f.Type.String()
	}
	return s + " = " + d.Result.String()
}

// Source is one revision of one layer. A layer may have several, the last one counts.
type Source struct{ Layer int }

// Table is the history of a schema.
type Table struct {
	Digest  [32]byte // of the inputs from which the table was made
	Sources []Source // ascending by layer
	Defs    []*Def   // by name, methods after constructors, then by first source
	types   map[string]*Type
}

// Layers are the layers of the table, ascending.
func (t *Table) Layers() []int {
	var out []int
	for i, s := range t.Sources {
		if i == 0 || t.Sources[i-1].Layer != s.Layer {
			out = append(out, s.Layer)
		}
	}
	return out
}

// At is the definitions of a layer in its newest revision; nil for a layer not in the table.
func (t *Table) At(layer int) []*Def {
	at := -1
	for i, s := range t.Sources {
		if s.Layer == layer {
			at = i
		}
	}
	if at < 0 {
		return nil
	}
	var out []*Def
	for _, d := range t.Defs {
		if d.In(at) {
			out = append(out, d)
		}
	}
	return out
}

// Type is the interned type of the given TL text, made if it is new.
func (t *Table) Type(text string) (*Type, error) {
	if typ := t.types[text]; typ != nil {
		return typ, nil
	}
	typ := &Type{Kind: bare[text], Name: text}
	if typ.Kind == 0 {
		elem, isVector := cutVector(text)
		switch {
		case isVector:
			inner, err := t.Type(elem)
			if err != nil {
				return nil, err
			}
			typ.Kind, typ.Name, typ.Elem = Vector, "", inner
		case boxedName(text):
			typ.Kind = Boxed
		default:
			return nil, fmt.Errorf("%w: type %q", ErrUnsupported, text)
		}
	}
	if t.types == nil {
		t.types = make(map[string]*Type)
	}
	t.types[text] = typ
	return typ, nil
}
