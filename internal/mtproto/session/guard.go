package session

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"sync"

	"parley/internal/limit"
)

// ErrDepth says that a query nests values of recursive types deeper than limit.Depth, or holds
// more of them than limit.Recursive. It is answered with 400 INPUT_CONSTRUCTOR_INVALID.
var ErrDepth = errors.New("session: query nests too deep")

// Guard answers ErrDepth for a query that a recursive decoder should not be let near. It does not
// say that the query is well formed. The query must be in the layer of the schema in recursive.tl,
// which is the one that the server decodes.
//
// Most queries hold at most limit.Depth words that could begin a value of a recursive type; then it
// costs about a nanosecond a word. Only for others the structure is followed.
func Guard(query []byte) error {
	switch Constructor(query) {
	case idSaveFilePart, idSaveBigFilePart:
		return nil
	}
	g := recursiveTypes()
	words := 0
	for i := 0; i+wordBytes <= len(query); i += wordBytes {
		id := binary.LittleEndian.Uint32(query[i:])
		if g.maybe[id>>filterShift] && g.at(id).recursive {
			words++
		}
	}
	if words <= limit.Depth {
		return nil
	}
	return g.measure(query)
}

// Methods that carry bytes of files and nothing else of variable length.
const (
	idSaveFilePart    = 0xb304a621
	idSaveBigFilePart = 0xde7b673d
)

// recursiveSchema holds the constructors of all types that a request can nest without end, and of
// all types that values of these contain, as TL text. A test derives it from the API's schema.
//
//go:embed recursive.tl
var recursiveSchema string

var recursiveTypes = sync.OnceValue(func() *grammar { return parseGrammar(recursiveSchema) })

// filterShift leaves the upper bits of an id, by which most words are told apart at once.
const filterShift = 20

// grammar is what must be known of TL types to find where a value ends.
type grammar struct {
	maybe        [1 << (32 - filterShift)]bool // by the upper bits of recursive constructors
	constructors map[uint32]*constructor
	none         constructor
}

type constructor struct {
	boxed     string // the type that it belongs to
	recursive bool   // a value of it can contain another value of it
	fields    []field
}

// at returns the constructor with an id, or an empty one.
func (g *grammar) at(id uint32) *constructor {
	if c := g.constructors[id]; c != nil {
		return c
	}
	return &g.none
}

// field is one field of a constructor that takes up bytes.
type field struct {
	wire   wire
	size   int    // of a fixed field
	boxed  string // of a value
	vector bool   // of such fields
	flags  int    // which flags word says whether it is there; 0 for always, else from 1 on
	bit    uint32
}

// wire is the form of a field.
type wire uint8

const (
	fixed wire = iota
	text
	value
	flagsWord
)

// span is a value of a recursive type, found at pos.
type span struct {
	pos, end int
	depth    int
	broken   bool // it does not parse, and its decoder stops; depth is what it reaches before
}

// measurement follows the structure of all values of recursive types in a query, wherever a word
// looks like the beginning of one: from the last to the first, so that what each contains is known
// already. False beginnings cost time but hide nothing.
type measurement struct {
	*grammar
	query []byte
	spans []span // by falling pos
	steps int    // that may still be taken
}

// stepsPerWord bounds the work: in a well-formed query each word belongs to one innermost value.
const stepsPerWord = 8

func (g *grammar) measure(query []byte) error {
	m := measurement{grammar: g, query: query, steps: stepsPerWord * (len(query)/wordBytes + 1)}
	for pos := (len(query) - wordBytes) &^ (wordBytes - 1); pos >= 0; pos -= wordBytes {
		c := g.at(binary.LittleEndian.Uint32(query[pos:]))
		if !c.recursive {
			continue
		}
		s := m.follow(c, pos)
		s.depth++
		if s.depth > limit.Depth || len(m.spans) == limit.Recursive || m.steps < 0 {
			return ErrDepth
		}
		m.spans = append(m.spans, s)
	}
	return nil
}

// follow measures the fields of a value at pos. Its depth is that of the deepest one.
func (m *measurement) follow(c *constructor, pos int) span {
	s := span{pos: pos, end: pos + wordBytes}
	var flags [maxFlags + 1]uint32
	words := 0
	for i := range c.fields {
		f := &c.fields[i]
		if f.flags != 0 && flags[f.flags]&f.bit == 0 {
			continue
		}
		count := 1
		if f.vector {
			count = m.vector(&s)
		}
		for ; count > 0 && !s.broken; count-- {
			m.element(&s, f)
		}
		if s.broken {
			return s
		}
		if f.wire == flagsWord {
			words++
			flags[words] = binary.LittleEndian.Uint32(m.query[s.end-wordBytes:])
		}
	}
	return s
}

// vector reads the head of a vector and returns its count.
func (m *measurement) vector(s *span) int {
	r := reader{b: m.query[s.end:]}
	boxed, n := r.word(), int(r.int())
	s.end += 2 * wordBytes
	s.broken = r.bad || boxed != idVector || n < 0
	return n
}

// element moves s over one field, or one element of it.
func (m *measurement) element(s *span, f *field) {
	m.steps--
	rest := m.query[s.end:]
	switch f.wire {
	case fixed, flagsWord:
		s.end += f.size
		s.broken = f.size > len(rest)
	case text:
		r := reader{b: rest}
		r.bytes()
		s.end += len(rest) - len(r.b)
		s.broken = r.bad
	case value:
		inner := m.value(s.end, f.boxed)
		s.end, s.broken = inner.end, inner.broken
		s.depth = max(s.depth, inner.depth)
	}
	s.broken = s.broken || m.steps < 0
}

// value measures the value of a boxed type at pos.
func (m *measurement) value(pos int, boxed string) span {
	c := m.at(Constructor(m.query[pos:]))
	if c.boxed != boxed {
		return span{broken: true}
	}
	if !c.recursive {
		return m.follow(c, pos)
	}
	low, high := 0, len(m.spans)
	for low < high {
		if mid := (low + high) / 2; m.spans[mid].pos > pos {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == len(m.spans) {
		return span{broken: true}
	}
	return m.spans[low]
}
