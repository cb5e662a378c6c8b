package layer

import (
	"encoding/binary"
	"fmt"
)

// Bounds of one rewriting. Requests come from strangers; the bounds hold for answers too.
const (
	// maxDepth is how deep boxed values may be nested; real pages of rich text stay below 40.
	maxDepth = 96
	// maxGrowth is how much longer the output may be than this multiple of the input.
	maxGrowth = 8
	// growthBase is added to that, so that small requests may gain their new required fields.
	growthBase = 4096
	// workBase and workPerWord bound how many values are visited, as some are visited twice.
	workBase    = 1024
	workPerWord = 16
)

const vectorID = 0x1cb5c415

// longString begins a string whose length takes three bytes.
const longString = 254

const (
	boolTrueID  = 0x997275b5
	boolFalseID = 0xbc799737
)

// status is the outcome of rewriting one value.
type status uint8

const (
	done   status = iota
	absent        // the source has no value here
	drop          // the destination cannot express the value
	failed        // coder.err says why
)

// extent is where a field stands in the source; lo is -1 for a field that is not set.
type extent struct{ lo, hi int32 }

// coder rewrites one source value. Stretches that do not change are not copied one by one: src
// from start to pos is pending, and flush moves it in one piece.
type coder struct {
	prog  *program
	src   []byte
	pos   int
	start int
	dst   []byte
	ext   []extent // of the fields of the objects that are being built
	depth int
	work  int
	limit int // of len(dst)
	err   error
}

func (c *coder) reset(p *program, dst, src []byte) {
	*c = coder{
		prog: p, src: src, dst: dst, ext: c.ext[:0],
		work:  workBase + workPerWord*len(src)/4,
		limit: len(dst) + maxGrowth*len(src) + growthBase,
	}
}

func (c *coder) fail(err error) status {
	if c.err == nil {
		c.err = err
	}
	return failed
}

// malformed reports bytes that do not read as the schema says. The result -1 is what the skip
// functions return.
func (c *coder) malformed(what string) int {
	c.fail(fmt.Errorf("%w: %s", ErrMalformed, what))
	return -1
}

func (c *coder) flush(to int) {
	if c.start < to {
		c.dst = append(c.dst, c.src[c.start:to]...)
	}
	c.start = to
}

// target is where the source byte at pos stands, or will stand after a flush, in dst.
func (c *coder) target(pos int) int { return len(c.dst) + pos - c.start }

// mark is a point to which rewriting can go back.
type mark struct{ out, start, pos int }

func (c *coder) mark() mark { return mark{len(c.dst), c.start, c.pos} }

func (c *coder) back(m mark) {
	c.dst, c.start, c.pos = c.dst[:m.out], m.start, m.pos
}

func (c *coder) word(pos int) uint32 { return binary.LittleEndian.Uint32(c.src[pos:]) }

// enter counts one value against the bounds.
func (c *coder) enter() bool {
	c.work--
	c.depth++
	if c.depth > maxDepth || c.work < 0 || len(c.dst) > c.limit {
		return c.over()
	}
	return true
}

// deeper is enter where nothing is written.
func (c *coder) deeper() bool {
	c.work--
	c.depth++
	return c.depth <= maxDepth && c.work >= 0
}

// over reports that a bound was passed.
func (c *coder) over() bool {
	c.fail(fmt.Errorf("%w: depth %d, output %d bytes", ErrLimit, c.depth, len(c.dst)))
	return false
}

// skip is the position after the value of the given shape at pos, -1 on failure.
func (c *coder) skip(s *shape, pos int) int {
	switch s.kind {
	case shapeFixed:
		if pos += s.size; pos > len(c.src) {
			return c.malformed("truncated")
		}
		return pos
	case shapeString:
		return c.skipString(pos)
	case shapeVector:
		return c.skipVector(s.elem, pos)
	default:
		return c.skipObject(s.typ, pos)
	}
}

// skipString accepts the short and the long form.
//
// https://core.telegram.org/mtproto/serialize
func (c *coder) skipString(pos int) int {
	if pos+4 > len(c.src) {
		return c.malformed("truncated string")
	}
	size := 1 + int(c.src[pos])
	if size == 1+longString {
		size = 4 + int(c.word(pos)>>8)
	} else if size == 1+255 {
		return c.malformed("length of a string")
	}
	if pos += (size + 3) &^ 3; pos > len(c.src) {
		return c.malformed("truncated string")
	}
	return pos
}

// vectorHead reads identifier and count of the vector at pos. Each element takes at least four
// bytes, which bounds the count.
func (c *coder) vectorHead(pos int) (count int, ok bool) {
	if pos+8 > len(c.src) || c.word(pos) != vectorID {
		c.malformed("vector")
		return 0, false
	}
	count = int(c.word(pos + 4))
	if count > (len(c.src)-pos-8)/4 {
		c.malformed("count of a vector")
		return 0, false
	}
	return count, true
}

func (c *coder) skipVector(elem *shape, pos int) int {
	count, ok := c.vectorHead(pos)
	if !ok {
		return -1
	}
	pos += 8
	if elem.kind == shapeFixed {
		if pos += count * elem.size; pos > len(c.src) {
			return c.malformed("truncated vector")
		}
		return pos
	}
	if elem.kind == shapeObject {
		for ; count > 0 && pos >= 0; count-- {
			pos = c.skipObject(elem.typ, pos)
		}
		return pos
	}
	for ; count > 0 && pos >= 0; count-- {
		pos = c.skip(elem, pos)
	}
	return pos
}

// plan is what to do with the object at pos, which must be of type t, or a method if t is nil.
func (c *coder) plan(t *boxed, pos int) *plan {
	if pos+4 <= len(c.src) {
		if p := c.prog.plans.get(c.word(pos)); p != nil && p.typ == t {
			return p
		}
	}
	return c.noPlan(pos)
}

// noPlan says what is wrong with the object at pos.
func (c *coder) noPlan(pos int) *plan {
	if pos+4 > len(c.src) {
		c.malformed("truncated object")
	} else if p := c.prog.plans.get(c.word(pos)); p == nil {
		c.fail(&UnknownError{ID: c.word(pos)})
	} else {
		c.malformed(p.from.Name + " is not of the type expected")
	}
	return nil
}

func (c *coder) skipObject(t *boxed, pos int) int {
	p := c.plan(t, pos)
	switch {
	case p == nil:
		return -1
	case p.fixed >= 0:
		return c.skipFixed(p, pos)
	case !c.deeper():
		c.over()
		return -1
	}
	pos = c.skipBody(p, pos+4)
	c.depth--
	return pos
}

// skipFixed is the position after an object that holds no other and is always as long.
func (c *coder) skipFixed(p *plan, pos int) int {
	if pos += 4 + p.fixed; pos > len(c.src) {
		return c.malformed("truncated object")
	}
	return pos
}

// skipBody is the position after the fields of an object.
func (c *coder) skipBody(p *plan, pos int) int {
	words := flagWords{maxWords: 1}
	steps := p.skip
	for i := 0; i < len(steps); i++ {
		s := &steps[i]
		if !words.has(s) {
			if s.act == actGate {
				i += int(s.size)
			}
			continue
		}
		switch s.act {
		case actGate:
		case actFixed:
			pos += int(s.size)
		case actWord:
			if pos+4 > len(c.src) {
				return c.malformed("truncated flags")
			}
			words[s.set] = c.word(pos)
			pos += 4
		case actString:
			if pos < len(c.src) && c.src[pos] < longString {
				pos += (int(c.src[pos]) + 4) &^ 3
			} else {
				pos = c.skipString(pos)
			}
		case actVector:
			pos = c.skipVector(s.shape.elem, pos)
		default:
			pos = c.skipObject(s.shape.typ, pos)
		}
		if pos < 0 || pos > len(c.src) {
			return c.malformed("truncated object")
		}
	}
	return pos
}

// scan notes where each field of the object at pos stands and returns the position after it.
// The notes are the last p.fields() entries of c.ext.
func (c *coder) scan(p *plan, pos int) int {
	words := flagWords{maxWords: 1}
	pos += 4
	for i := range p.scan {
		s := &p.scan[i]
		if !words.has(s) {
			c.ext = append(c.ext, extent{-1, -1})
			continue
		}
		lo := pos
		switch {
		case s.act == actWord:
			if pos+4 > len(c.src) {
				return c.malformed("truncated flags")
			}
			words[s.set] = c.word(pos)
			pos += 4
		case s.shape != nil:
			if pos = c.skip(s.shape, pos); pos < 0 {
				return -1
			}
		}
		c.ext = append(c.ext, extent{int32(lo), int32(pos)})
	}
	return pos
}

// object rewrites the object at pos.
func (c *coder) object(t *boxed) status {
	p := c.plan(t, c.pos)
	switch {
	case p == nil:
		return failed
	case p.same && p.fixed >= 0:
		if c.pos = c.skipFixed(p, c.pos); c.pos < 0 {
			return failed
		}
		return done
	case !c.enter():
		return failed
	}
	st := done
	switch {
	case p.same:
		if c.pos = c.skipBody(p, c.pos+4); c.pos < 0 {
			st = failed
		}
	case p.stream != nil:
		m := c.mark()
		if st = c.stream(p); st == drop && p.instead != nil {
			c.back(m)
			st = c.replace(p, p.instead)
		}
	case t == nil && p.build == nil:
		return c.fail(fmt.Errorf("%w: %s", ErrRemoved, p.from.Name))
	default:
		m := c.mark()
		st = drop
		if p.build != nil {
			st = c.replace(p, p.build)
		}
		if st == drop && p.instead != nil {
			c.back(m)
			st = c.replace(p, p.instead)
		}
	}
	c.depth--
	return st
}

// replace emits something else for the object at pos, made from its fields.
func (c *coder) replace(p *plan, emit emitter) status {
	base := len(c.ext)
	end := c.scan(p, c.pos)
	if end < 0 {
		return failed
	}
	c.flush(c.pos)
	st := emit(c, env{int32(base)})
	c.ext = c.ext[:base]
	if st == absent {
		st = drop
	}
	c.pos, c.start = end, end
	return st
}

// stream rewrites an object whose fields keep their order, in one pass.
func (c *coder) stream(p *plan) status {
	words := flagWords{maxWords: 1}
	var at [maxWords]int // of the flags words in dst
	if p.to.ID != p.from.ID {
		c.flush(c.pos)
		c.dst = binary.LittleEndian.AppendUint32(c.dst, p.to.ID)
		c.start = c.pos + 4
	}
	c.pos += 4
	steps := p.stream
	for i := 0; i < len(steps); i++ {
		s := &steps[i]
		if !words.has(s) {
			if s.act == actGate {
				i += int(s.size)
			}
			continue
		}
		switch s.act {
		case actGate:
		case actFixed:
			c.pos += int(s.size)
		case actWord:
			if c.pos+4 > len(c.src) {
				return c.fail(ErrMalformed)
			}
			w := c.word(c.pos)
			words[s.set], at[s.set] = w, c.target(c.pos)
			if w&s.keep != w {
				c.flush(c.pos)
				c.dst = binary.LittleEndian.AppendUint32(c.dst, w&s.keep)
				c.start = c.pos + 4
			}
			c.pos += 4
		case actString:
			if c.pos < len(c.src) && c.src[c.pos] < longString {
				c.pos += (int(c.src[c.pos]) + 4) &^ 3
			} else {
				c.pos = c.skipString(c.pos)
			}
		case actVector:
			c.pos = c.skipVector(s.shape.elem, c.pos)
		case actObject:
			c.pos = c.skipObject(s.shape.typ, c.pos)
		case actDrop, actDropWord:
			if st := c.leaveOut(s, &words); st != done {
				return st
			}
		case actConvert:
			m := c.mark()
			st := c.value(s.conv)
			if st == drop && s.word < maxWords && !c.prog.strict {
				c.back(m)
				c.flush(c.pos)
				out := c.dst[at[s.word]:]
				binary.LittleEndian.PutUint32(out, binary.LittleEndian.Uint32(out)&^s.mask)
				c.pos = c.skip(s.shape, c.pos)
				c.start = c.pos
			} else if st != done {
				return st
			}
		}
		if c.pos < 0 || c.pos > len(c.src) {
			return c.fail(ErrMalformed)
		}
	}
	return done
}

// leaveOut passes over a field that the destination does not have.
func (c *coder) leaveOut(s *step, words *flagWords) status {
	if c.pos > len(c.src) {
		return c.fail(ErrMalformed)
	}
	c.flush(c.pos)
	if s.act == actDropWord {
		if c.pos+4 > len(c.src) {
			return c.fail(ErrMalformed)
		}
		words[s.set] = c.word(c.pos)
		c.pos += 4
	} else if c.pos = c.skip(s.shape, c.pos); c.pos < 0 {
		return failed
	}
	c.start = c.pos
	return done
}

// value rewrites the value at pos.
func (c *coder) value(v *conv) status {
	switch v.kind {
	case convSame:
		if c.pos = c.skip(v.shape, c.pos); c.pos < 0 {
			return failed
		}
		return done
	case convObject:
		return c.object(v.shape.typ)
	case convVector:
		return c.vector(v.elem)
	default:
		return c.byRule(v)
	}
}

// byRule rewrites a value by a rule for a pair of types, which sees it as the field self.
func (c *coder) byRule(v *conv) status {
	end := c.skip(v.shape, c.pos)
	if end < 0 || !c.enter() {
		return failed
	}
	base := len(c.ext)
	c.ext = append(c.ext, extent{int32(c.pos), int32(end)})
	c.flush(c.pos)
	st := v.emit(c, env{int32(base)})
	c.ext = c.ext[:base]
	c.pos, c.start = end, end
	c.depth--
	if st == absent {
		st = drop
	}
	return st
}

// vector rewrites a vector; in a program that is not strict, elements that cannot be expressed
// are left out.
func (c *coder) vector(elem *conv) status {
	count, ok := c.vectorHead(c.pos)
	if !ok {
		return failed
	}
	at := c.target(c.pos + 4)
	c.pos += 8
	left := 0
	for range count {
		m := c.mark()
		st := c.value(elem)
		switch {
		case st == drop && !c.prog.strict:
			c.back(m)
			c.flush(c.pos)
			if c.pos = c.skip(elem.shape, c.pos); c.pos < 0 {
				return failed
			}
			c.start = c.pos
			left++
		case st != done:
			return st
		}
	}
	if left > 0 {
		binary.LittleEndian.PutUint32(c.dst[at:], uint32(count-left))
	}
	return done
}
