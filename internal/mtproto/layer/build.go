package layer

import "encoding/binary"

// maxScopes is how many objects a rule can look into at once, the outermost first.
const maxScopes = 4

// env says where, in coder.ext, the fields of each object begin that a rule can look into.
type env [maxScopes]int32

// emitter appends one value of the destination. Nothing is pending when it is called. After any
// status but done the caller discards what was appended.
type emitter func(c *coder, e env) status

type outKind uint8

const (
	outValue outKind = iota
	outWord
	outFlag
)

// out is one field of the destination; word is maxWords for a field that is always present.
type out struct {
	kind   outKind
	word   uint8
	set    uint8 // of a flags word: its number
	shared bool  // other values hang on the same bit
	mask   uint32
	emit   emitter
}

// builder emits one object of the destination, field by field.
type builder struct {
	id  uint32
	out []out
}

// emit sets a bit only if every value that hangs on it could be emitted. When a later one of
// them cannot, the object is emitted again without that bit. An object is absent if a value is
// that it requires.
func (b *builder) emit(c *coder, e env) status {
	var forbidden [maxWords + 1]uint32
	base := len(c.dst)
	for {
		c.dst = c.dst[:base]
		st, again := b.attempt(c, e, &forbidden)
		if !again {
			return st
		}
		if c.work--; c.work < 0 {
			return c.fail(ErrLimit)
		}
	}
}

// attempt emits the object without the bits that are forbidden; it may add to them, and ask for
// another attempt.
func (b *builder) attempt(c *coder, e env, forbidden *[maxWords + 1]uint32) (status, bool) {
	var at [maxWords]int
	var words [maxWords + 1]uint32
	c.dst = binary.LittleEndian.AppendUint32(c.dst, b.id)
	for i := range b.out {
		o := &b.out[i]
		if o.kind == outWord {
			at[o.set] = len(c.dst)
			c.dst = append(c.dst, 0, 0, 0, 0)
			continue
		}
		if forbidden[o.word]&o.mask != 0 {
			continue
		}
		size := len(c.dst)
		st := o.emit(c, e)
		switch {
		case st == done:
			words[o.word] |= o.mask
			continue
		case st == failed, o.word == maxWords, st == drop && c.prog.strict:
			return st, false
		}
		c.dst = c.dst[:size]
		if o.kind == outValue {
			forbidden[o.word] |= o.mask
			if o.shared && words[o.word]&o.mask != 0 {
				return absent, true
			}
		}
	}
	for i, w := range words[:maxWords] {
		if w != 0 {
			binary.LittleEndian.PutUint32(c.dst[at[i]:], w)
		}
	}
	return done, false
}

// convert rewrites a value that a rule found in the source.
func (c *coder) convert(v *conv, x extent) status {
	pos, start := c.pos, c.start
	c.pos, c.start = int(x.lo), int(x.lo)
	st := c.value(v)
	if st == done {
		c.flush(c.pos)
	}
	c.pos, c.start = pos, start
	return st
}
