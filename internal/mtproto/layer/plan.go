package layer

import "parley/internal/mtproto/layer/schema"

// maxWords is the largest number of flags words in one definition.
const maxWords = 3

// act is what a step does with its field.
type act uint8

const (
	actFixed    act = iota // size bytes
	actWord                // a flags word
	actString              // a string or bytes
	actVector              // a vector that stays as it is
	actObject              // an object that stays as it is
	actConvert             // a value that is rewritten
	actDrop                // a value that is left out
	actDropWord            // a flags word that is left out
	actGate                // size more steps, all of which the word governs
)

// step is one field, or a run of fields of fixed size, of the source. It is taken only if the
// governing word has the bit; word maxWords always has bit 0.
type step struct {
	act   act
	word  uint8
	set   uint8  // of a flags word: where its value goes
	mask  uint32 // the bit that governs
	keep  uint32 // of a flags word: the bits that the destination knows
	size  int32
	shape *shape
	conv  *conv
}

// flagWords are the flags words of one object while it is read; the last one, of which bit 0 is
// set, governs what is always there.
type flagWords [maxWords + 1]uint32

// has tells whether a step is taken. The remainder is the word itself, and spares checking bounds.
func (w *flagWords) has(s *step) bool { return w[s.word%(maxWords+1)]&s.mask != 0 }

type shapeKind uint8

const (
	shapeFixed shapeKind = iota
	shapeString
	shapeVector
	shapeObject
)

// shape is how far a source value reaches.
type shape struct {
	kind shapeKind
	size int
	elem *shape
	typ  *boxed // nil for a method
}

// boxed is a boxed type of the source. Types are compared by address.
type boxed struct{ defs []*schema.Def }

type convKind uint8

const (
	convSame   convKind = iota
	convObject          // by the plan of the constructor
	convVector          // element by element
	convRule            // by a rule for the pair of types
)

// conv is how a value of one type becomes a value of another.
type conv struct {
	kind  convKind
	shape *shape
	elem  *conv
	emit  emitter
}

// plan is what happens to the objects of one source definition. If nothing is set, they are
// dropped.
type plan struct {
	from, to *schema.Def
	typ      *boxed
	method   uint32  // of a method, what it becomes, 0 if nothing
	same     bool    // copied with everything in them
	skip     []step  // see layout
	fixed    int     // see layout
	scan     []step  // see layout
	stream   []step  // rewriting in one pass, if that is possible
	build    emitter // rewriting out of order, otherwise
	instead  emitter // what stands for an object that cannot be expressed
}

// planTable finds plans by identifier: open addressing, power of two, at most half full.
type planTable struct {
	slots []planSlot
	mask  uint32
}

type planSlot struct {
	id   uint32
	plan *plan
}

func newPlanTable(plans []*plan) planTable {
	size := 1
	for size < 2*len(plans)+2 {
		size *= 2
	}
	t := planTable{slots: make([]planSlot, size), mask: uint32(size - 1)}
	for _, p := range plans {
		i := p.from.ID & t.mask
		for t.slots[i].plan != nil {
			i = (i + 1) & t.mask
		}
		t.slots[i] = planSlot{p.from.ID, p}
	}
	return t
}

func (t *planTable) get(id uint32) *plan {
	for i := id & t.mask; ; i = (i + 1) & t.mask {
		if s := &t.slots[i]; s.id == id || s.plan == nil {
			return s.plan
		}
	}
}

// minGate is the length of a run of optional fields from which a gate pays.
const minGate = 3

// withGates puts a gate before each run of steps that one flags word governs, so that a word
// without any of their bits passes over all of them at once.
func withGates(steps []step) []step {
	out := make([]step, 0, len(steps)+len(steps)/minGate)
	for i := 0; i < len(steps); {
		j, mask := i, uint32(0)
		for j < len(steps) && steps[j].word == steps[i].word && steps[j].act != actWord &&
			steps[j].act != actDropWord {
			mask |= steps[j].mask
			j++
		}
		if j-i >= minGate && steps[i].word != maxWords {
			gate := step{act: actGate, word: steps[i].word, mask: mask, size: int32(j - i)}
			out = append(out, gate)
		}
		j = max(j, i+1)
		out = append(out, steps[i:j]...)
		i = j
	}
	return out
}

// program rewrites values of one schema as values of another.
type program struct {
	plans   planTable
	strict  bool // nothing is left out of a value: it is rewritten whole or not at all
	results map[uint32]*conv
}
