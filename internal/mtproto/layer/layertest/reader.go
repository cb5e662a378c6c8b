package layertest

import (
	"encoding/binary"
	"fmt"

	"parley/internal/mtproto/layer/schema"
)

// Node is a value that was read.
type Node struct {
	Def    *schema.Def // of an object
	Fields []*Node     // of an object, nil for one that is not set
	Elems  []*Node     // of a vector
	Raw    string      // of anything else
}

// read is strict: every identifier must be of the layer and of the type that the place
// needs, every flag must be known, and Bools and lengths must be right.
func (b *Book) read(p []byte, t *schema.Type) (*Node, []byte, error) {
	if size := t.Size(); size > 0 {
		if len(p) < size {
			return nil, nil, fmt.Errorf("truncated %s", t)
		}
		if id := binary.LittleEndian.Uint32(p); t.Kind == schema.Bool &&
			id != boolTrueID && id != boolFalseID {
			return nil, nil, fmt.Errorf("%#x is no Bool", id)
		}
		return &Node{Raw: string(p[:size])}, p[size:], nil
	}
	switch t.Kind {
	case schema.String, schema.Bytes:
		return readString(p)
	case schema.Vector:
		return b.readVector(p, t)
	default:
		return b.readObject(p, t)
	}
}

func readString(p []byte) (*Node, []byte, error) {
	if len(p) < 4 || p[0] == 255 {
		return nil, nil, fmt.Errorf("truncated string")
	}
	lo, hi := 1, 1+int(p[0])
	if p[0] == 254 {
		lo, hi = 4, 4+int(binary.LittleEndian.Uint32(p)>>8)
	}
	end := (hi + 3) &^ 3
	if end > len(p) {
		return nil, nil, fmt.Errorf("truncated string")
	}
	return &Node{Raw: string(p[lo:hi])}, p[end:], nil
}

func (b *Book) readVector(p []byte, t *schema.Type) (*Node, []byte, error) {
	if len(p) < 8 || binary.LittleEndian.Uint32(p) != vectorID {
		return nil, nil, fmt.Errorf("no vector where %s is due", t)
	}
	n := &Node{Elems: []*Node{}}
	count := binary.LittleEndian.Uint32(p[4:])
	p = p[8:]
	for range count {
		elem, rest, err := b.read(p, t.Elem)
		if err != nil {
			return nil, nil, err
		}
		n.Elems, p = append(n.Elems, elem), rest
	}
	return n, p, nil
}

func (b *Book) readObject(p []byte, t *schema.Type) (*Node, []byte, error) {
	if len(p) < 4 {
		return nil, nil, fmt.Errorf("truncated %s", t)
	}
	id := binary.LittleEndian.Uint32(p)
	d := b.byID[id]
	switch {
	case d == nil:
		return nil, nil, fmt.Errorf("layer %d does not know %#x", b.Layer, id)
	case t.Kind == schema.Query:
	case d.Method || d.Result != t:
		return nil, nil, fmt.Errorf("%s where %s is due", d.Name, t)
	}
	n := &Node{Def: d, Fields: make([]*Node, len(d.Fields))}
	known, words := make(map[int]uint32), make(map[int]uint32)
	for _, f := range d.Fields {
		if f.Optional() {
			known[f.Word] |= 1 << f.Bit
		}
	}
	p = p[4:]
	for i, f := range d.Fields {
		if f.Optional() && words[f.Word]&(1<<f.Bit) == 0 {
			continue
		}
		if f.Type.Kind == schema.Flag {
			n.Fields[i] = &Node{}
			continue
		}
		field, rest, err := b.read(p, f.Type)
		if err != nil {
			return nil, nil, fmt.Errorf("%s.%s: %w", d.Name, f.Name, err)
		}
		if f.Type.Kind == schema.Flags {
			words[i] = binary.LittleEndian.Uint32(p)
			if odd := words[i] &^ known[i]; odd != 0 && !b.Loose {
				return nil, nil, fmt.Errorf("%s.%s has unknown bits %#x", d.Name, f.Name, odd)
			}
		}
		n.Fields[i], p = field, rest
	}
	return n, p, nil
}

// Read reads one value that takes all bytes.
func (b *Book) Read(p []byte, t *schema.Type) (*Node, error) {
	n, rest, err := b.read(p, t)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes too many", len(rest))
	}
	return n, err
}

// ReadLoose is Read for requests, which may have flags that went out of use.
func (b *Book) ReadLoose(p []byte, t *schema.Type) (*Node, error) {
	loose := *b
	loose.Loose = true
	return loose.Read(p, t)
}
