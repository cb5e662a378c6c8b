package layer

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"parley/internal/mtproto/layer/schema"
)

// book is one layer as a reader or writer of values sees it. It shares nothing with the programs
// under test but the table.
type book struct {
	layer  int
	byID   map[uint32]*schema.Def
	byType map[*schema.Type][]*schema.Def
	byName map[string]*schema.Def
	loose  bool // unknown flags are let pass
}

func newBook(layer int, defs []*schema.Def) *book {
	b := &book{
		layer: layer, byID: make(map[uint32]*schema.Def),
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

// writer makes random values.
type writer struct {
	*book
	rand *rand.Rand
	full bool // every optional field is set
	deep int  // beyond this nothing is optional
}

func (w *writer) object(b []byte, d *schema.Def, depth int) []byte {
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
			on = w.full || w.rand.IntN(3) == 0
			if depth > w.deep {
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

func (w *writer) value(b []byte, t *schema.Type, depth int) []byte {
	switch t.Kind {
	case schema.Flag:
		return b
	case schema.String, schema.Bytes:
		return appendString(b, w.text())
	case schema.Bool:
		return binary.LittleEndian.AppendUint32(b,
			[]uint32{boolTrueID, boolFalseID}[w.rand.IntN(2)])
	case schema.Vector:
		n := w.rand.IntN(4)
		if depth > w.deep {
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
		return binary.LittleEndian.AppendUint32(b, 1+w.rand.Uint32N(1<<20))
	case schema.Double:
		return binary.LittleEndian.AppendUint64(b, 0x4059000000000000) // 100
	default:
		for range t.Size() / 8 {
			b = binary.LittleEndian.AppendUint64(b, 1+w.rand.Uint64N(1<<40))
		}
		return b
	}
}

// choose is any constructor, or deep down the one with the fewest boxed fields.
func (w *writer) choose(t *schema.Type, depth int) *schema.Def {
	list := w.byType[t]
	if len(list) == 0 {
		panic(fmt.Sprintf("layer %d has no constructor of %s", w.layer, t))
	}
	if depth <= w.deep {
		return list[w.rand.IntN(len(list))]
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

func (w *writer) text() string {
	b := make([]byte, 1+w.rand.IntN(20))
	if w.rand.IntN(40) == 0 {
		b = make([]byte, 250+w.rand.IntN(300))
	}
	for i := range b {
		b[i] = 'a' + byte(w.rand.IntN(26))
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

// node is a value that was read.
type node struct {
	def    *schema.Def // of an object
	fields []*node     // of an object, nil for one that is not set
	elems  []*node     // of a vector
	raw    string      // of anything else
}

// get is the named field, nil if it is not set or there is none.
func (n *node) get(name string) *node {
	if i := n.def.Field(name); i >= 0 {
		return n.fields[i]
	}
	return nil
}

// read is a strict reader: every identifier must be of the layer and of the type that the place
// needs, every flag must be known, and Bools and lengths must be right.
func (b *book) read(p []byte, t *schema.Type) (*node, []byte, error) {
	if size := t.Size(); size > 0 {
		if len(p) < size {
			return nil, nil, fmt.Errorf("truncated %s", t)
		}
		if id := binary.LittleEndian.Uint32(p); t.Kind == schema.Bool &&
			id != boolTrueID && id != boolFalseID {
			return nil, nil, fmt.Errorf("%#x is no Bool", id)
		}
		return &node{raw: string(p[:size])}, p[size:], nil
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

func readString(p []byte) (*node, []byte, error) {
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
	return &node{raw: string(p[lo:hi])}, p[end:], nil
}

func (b *book) readVector(p []byte, t *schema.Type) (*node, []byte, error) {
	if len(p) < 8 || binary.LittleEndian.Uint32(p) != vectorID {
		return nil, nil, fmt.Errorf("no vector where %s is due", t)
	}
	n := &node{elems: []*node{}}
	count := binary.LittleEndian.Uint32(p[4:])
	p = p[8:]
	for range count {
		elem, rest, err := b.read(p, t.Elem)
		if err != nil {
			return nil, nil, err
		}
		n.elems, p = append(n.elems, elem), rest
	}
	return n, p, nil
}

func (b *book) readObject(p []byte, t *schema.Type) (*node, []byte, error) {
	if len(p) < 4 {
		return nil, nil, fmt.Errorf("truncated %s", t)
	}
	id := binary.LittleEndian.Uint32(p)
	d := b.byID[id]
	switch {
	case d == nil:
		return nil, nil, fmt.Errorf("layer %d does not know %#x", b.layer, id)
	case t.Kind == schema.Query:
	case d.Method || d.Result != t:
		return nil, nil, fmt.Errorf("%s where %s is due", d.Name, t)
	}
	n := &node{def: d, fields: make([]*node, len(d.Fields))}
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
			n.fields[i] = &node{}
			continue
		}
		field, rest, err := b.read(p, f.Type)
		if err != nil {
			return nil, nil, fmt.Errorf("%s.%s: %w", d.Name, f.Name, err)
		}
		if f.Type.Kind == schema.Flags {
			words[i] = binary.LittleEndian.Uint32(p)
			if odd := words[i] &^ known[i]; odd != 0 && !b.loose {
				return nil, nil, fmt.Errorf("%s.%s has unknown bits %#x", d.Name, f.Name, odd)
			}
		}
		n.fields[i], p = field, rest
	}
	return n, p, nil
}

// readAll reads one value that takes all bytes.
func (b *book) readAll(p []byte, t *schema.Type) (*node, error) {
	n, rest, err := b.read(p, t)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes too many", len(rest))
	}
	return n, err
}

// readLoose is readAll for requests, which may have flags that went out of use.
func (b *book) readLoose(p []byte, t *schema.Type) (*node, error) {
	loose := *b
	loose.loose = true
	return loose.readAll(p, t)
}
