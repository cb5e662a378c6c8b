package layer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"parley/internal/mtproto/layer/schema"
)

// errNotHere reports that an expression has no meaning between the two schemas at hand: it names
// a constructor or a field that one of them does not have.
var errNotHere = errors.New("rule does not apply")

// expr is the right side of a rule: how to make a value of the destination from an object of the
// source. It is compiled for a pair of schemas.
type expr interface {
	compile(k *compiler, sc scope, want *schema.Type) (emitter, error)
}

// scope is the objects whose fields an expression may name, the outermost first.
type scope []*schema.Def

// find is the innermost field of that name.
func (sc scope) find(name string) (level, index int, ok bool) {
	for level := len(sc) - 1; level >= 0; level-- {
		if i := sc[level].Field(name); i >= 0 {
			return level, i, true
		}
	}
	return 0, 0, false
}

// field is the value of the named field, rewritten for its new place. Bool and bare true become
// each other.
type field string

// self names the value itself in rules for values that are no objects.
const self = field("self")

func (f field) compile(k *compiler, sc scope, want *schema.Type) (emitter, error) {
	level, index, ok := sc.find(string(f))
	if !ok {
		return nil, fmt.Errorf("%w: no field %s", errNotHere, string(f))
	}
	have := sc[level].Fields[index].Type
	switch {
	case have.Kind == schema.Flag && want.Kind == schema.Flag:
		return func(c *coder, e env) status {
			return presence(c.ext[int(e[level])+index].lo >= 0)
		}, nil
	case have.Kind == schema.Flag && want.Kind == schema.Bool:
		return func(c *coder, e env) status {
			return c.emitBool(c.ext[int(e[level])+index].lo >= 0)
		}, nil
	case have.Kind == schema.Bool && want.Kind == schema.Flag:
		return func(c *coder, e env) status {
			x := c.ext[int(e[level])+index]
			return presence(x.lo >= 0 && c.word(int(x.lo)) == boolTrueID)
		}, nil
	}
	v, err := k.conv(have, want)
	if err != nil {
		return nil, err
	}
	return func(c *coder, e env) status {
		x := c.ext[int(e[level])+index]
		if x.lo < 0 {
			return absent
		}
		return c.convert(v, x)
	}, nil
}

func presence(set bool) status {
	if set {
		return done
	}
	return absent
}

func (c *coder) emitBool(v bool) status {
	id := uint32(boolFalseID)
	if v {
		id = boolTrueID
	}
	c.dst = binary.LittleEndian.AppendUint32(c.dst, id)
	return done
}

// has is a flag: set if the named field has a value.
type has string

func (h has) compile(_ *compiler, sc scope, want *schema.Type) (emitter, error) {
	level, index, ok := sc.find(string(h))
	if !ok {
		return nil, fmt.Errorf("%w: no field %s", errNotHere, string(h))
	}
	at := func(c *coder, e env) bool { return c.ext[int(e[level])+index].lo >= 0 }
	switch want.Kind {
	case schema.Flag:
		return func(c *coder, e env) status { return presence(at(c, e)) }, nil
	case schema.Bool:
		return func(c *coder, e env) status { return c.emitBool(at(c, e)) }, nil
	default:
		return nil, fmt.Errorf("%w: presence as %s", errNotHere, want)
	}
}

// number is a constant number of any numeric type.
type number int64

func (n number) compile(_ *compiler, _ scope, want *schema.Type) (emitter, error) {
	switch want.Kind {
	case schema.Int:
		return literal(binary.LittleEndian.AppendUint32(nil, uint32(n))), nil
	case schema.Long:
		return literal(binary.LittleEndian.AppendUint64(nil, uint64(n))), nil
	case schema.Double:
		bits := math.Float64bits(float64(n))
		return literal(binary.LittleEndian.AppendUint64(nil, bits)), nil
	default:
		return nil, fmt.Errorf("%w: number as %s", errNotHere, want)
	}
}

// text is a constant string, shorter than 254 bytes.
type text string

func (s text) compile(_ *compiler, _ scope, want *schema.Type) (emitter, error) {
	if want.Kind != schema.String && want.Kind != schema.Bytes {
		return nil, fmt.Errorf("%w: text as %s", errNotHere, want)
	}
	b := append([]byte{byte(len(s))}, s...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return literal(b), nil
}

// truth is a constant Bool or flag.
type truth bool

func (t truth) compile(_ *compiler, _ scope, want *schema.Type) (emitter, error) {
	switch want.Kind {
	case schema.Flag:
		return func(*coder, env) status { return presence(bool(t)) }, nil
	case schema.Bool:
		return func(c *coder, _ env) status { return c.emitBool(bool(t)) }, nil
	default:
		return nil, fmt.Errorf("%w: truth as %s", errNotHere, want)
	}
}

// empty is a vector without elements.
type empty struct{}

func (empty) compile(_ *compiler, _ scope, want *schema.Type) (emitter, error) {
	if want.Kind != schema.Vector {
		return nil, fmt.Errorf("%w: empty vector as %s", errNotHere, want)
	}
	b := binary.LittleEndian.AppendUint32(nil, vectorID)
	return literal(binary.LittleEndian.AppendUint32(b, 0)), nil
}

func literal(b []byte) emitter {
	return func(c *coder, _ env) status {
		c.dst = append(c.dst, b...)
		return done
	}
}

// none leaves an optional field unset, and drops what requires the value.
type none struct{}

func (none) compile(*compiler, scope, *schema.Type) (emitter, error) {
	return func(*coder, env) status { return absent }, nil
}

// refuse makes the whole request fail; where values may be left out, it leaves out this one.
type refuse struct{}

func (refuse) compile(*compiler, scope, *schema.Type) (emitter, error) {
	return func(*coder, env) status { return drop }, nil
}

// first is the first alternative that applies and has a value.
type first []expr

func (f first) compile(k *compiler, sc scope, want *schema.Type) (emitter, error) {
	var list []emitter
	for _, x := range f {
		emit, err := x.compile(k, sc, want)
		if err == nil {
			list = append(list, emit)
		} else if !errors.Is(err, errNotHere) {
			return nil, err
		}
	}
	if len(list) < 2 {
		if len(list) == 0 {
			return nil, fmt.Errorf("%w: no alternative", errNotHere)
		}
		return list[0], nil
	}
	return func(c *coder, e env) status {
		size, worst := len(c.dst), absent
		for _, emit := range list {
			c.dst = c.dst[:size]
			st := emit(c, e)
			if st == done || st == failed {
				return st
			}
			worst = max(worst, st)
		}
		return worst
	}, nil
}

// list is a vector of those elements that have a value; without any, it is absent.
type list []expr

func (l list) compile(k *compiler, sc scope, want *schema.Type) (emitter, error) {
	if want.Kind != schema.Vector {
		return nil, fmt.Errorf("%w: list as %s", errNotHere, want)
	}
	var elems []emitter
	for _, x := range l {
		emit, err := x.compile(k, sc, want.Elem)
		if err != nil {
			return nil, err
		}
		elems = append(elems, emit)
	}
	return func(c *coder, e env) status {
		at, count := len(c.dst)+4, uint32(0)
		c.dst = append(binary.LittleEndian.AppendUint32(c.dst, vectorID), 0, 0, 0, 0)
		for _, emit := range elems {
			size := len(c.dst)
			switch st := emit(c, e); {
			case st == done:
				count++
			case st == failed, st == drop && c.prog.strict:
				return st
			default:
				c.dst = c.dst[:size]
			}
		}
		if count == 0 {
			return absent
		}
		binary.LittleEndian.PutUint32(c.dst[at:], count)
		return done
	}, nil
}

// each is the vector self with every element made by a rule that sees it as self.
type each struct{ elem expr }

func (x each) compile(k *compiler, sc scope, want *schema.Type) (emitter, error) {
	_, index, ok := sc.find(string(self))
	if !ok || len(sc) != 1 || want.Kind != schema.Vector {
		return nil, fmt.Errorf("%w: elements as %s", errNotHere, want)
	}
	from := sc[0].Fields[index].Type.Elem
	v := &conv{kind: convRule, shape: k.shapes[from]}
	var err error
	if v.emit, err = x.elem.compile(k, selfScope(from), want.Elem); err != nil {
		return nil, err
	}
	whole := &conv{kind: convVector, elem: v}
	return func(c *coder, e env) status { return c.convert(whole, c.ext[e[0]]) }, nil
}

// head is the first element of the named vector.
type head string

func (h head) compile(k *compiler, sc scope, want *schema.Type) (emitter, error) {
	level, index, ok := sc.find(string(h))
	if !ok || sc[level].Fields[index].Type.Kind != schema.Vector {
		return nil, fmt.Errorf("%w: no vector %s", errNotHere, string(h))
	}
	v, err := k.conv(sc[level].Fields[index].Type.Elem, want)
	if err != nil {
		return nil, err
	}
	return func(c *coder, e env) status {
		x := c.ext[int(e[level])+index]
		if x.lo < 0 {
			return absent
		}
		count, ok := c.vectorHead(int(x.lo))
		if !ok {
			return failed
		}
		if count == 0 {
			return absent
		}
		return c.convert(v, extent{x.lo + 8, x.hi})
	}, nil
}

// cases is a value by the constructor of an object, in which its fields can be named.
type cases map[string]expr

// on looks into the object in the named field.
type on struct {
	field string
	cases cases
}

func (o on) compile(k *compiler, sc scope, want *schema.Type) (emitter, error) {
	level, index, ok := sc.find(o.field)
	if !ok || len(sc) == maxScopes {
		return nil, fmt.Errorf("%w: no field %s", errNotHere, o.field)
	}
	have, depth := sc[level].Fields[index].Type, len(sc)
	if have.Kind != schema.Boxed {
		return nil, fmt.Errorf("%w: field %s is no object", errNotHere, o.field)
	}
	table := make(map[*plan]emitter)
	for _, d := range k.boxed(have).defs {
		if x := o.cases[d.Name]; x != nil {
			emit, err := x.compile(k, append(sc[:depth:depth], d), want)
			if err == nil {
				table[k.plans[d]] = emit
			} else if !errors.Is(err, errNotHere) {
				return nil, err
			}
		}
	}
	if len(table) == 0 {
		return nil, fmt.Errorf("%w: no case of %s", errNotHere, o.field)
	}
	typ := k.boxed(have)
	return func(c *coder, e env) status {
		x := c.ext[int(e[level])+index]
		if x.lo < 0 {
			return absent
		}
		p := c.plan(typ, int(x.lo))
		if p == nil {
			return failed
		}
		emit := table[p]
		if emit == nil {
			return drop
		}
		base := len(c.ext)
		e[depth] = int32(base)
		st := failed
		if c.scan(p, int(x.lo)) >= 0 {
			st = emit(c, e)
		}
		c.ext = c.ext[:base]
		return st
	}, nil
}

// with gives expressions for fields of the object that is made.
type with map[string]expr

// ctor makes an object. Fields that are not given are left unset; ones that are required must be
// given.
type ctor struct {
	name   string
	fields with
}

func (m ctor) compile(k *compiler, sc scope, want *schema.Type) (emitter, error) {
	return k.object(m.name, m.fields, false, sc, want)
}

// like makes an object; fields that are not given are taken from those of the same name, or by
// the rule for the field.
type like struct {
	name   string
	fields with
}

func (m like) compile(k *compiler, sc scope, want *schema.Type) (emitter, error) {
	return k.object(m.name, m.fields, true, sc, want)
}

// choice is yes if the named field says so, else no. A flag says so if it is set, a Bool if it is
// true, a string or vector if it is not empty, anything else if it has a value.
type choice struct {
	field   string
	yes, no expr
}

func (h choice) compile(k *compiler, sc scope, want *schema.Type) (emitter, error) {
	level, index, ok := sc.find(h.field)
	if !ok {
		return nil, fmt.Errorf("%w: no field %s", errNotHere, h.field)
	}
	yes, err := h.yes.compile(k, sc, want)
	if err != nil {
		return nil, err
	}
	no, err := h.no.compile(k, sc, want)
	if err != nil {
		return nil, err
	}
	kind := sc[level].Fields[index].Type.Kind
	return func(c *coder, e env) status {
		if x := c.ext[int(e[level])+index]; x.lo >= 0 && c.says(kind, x) {
			return yes(c, e)
		}
		return no(c, e)
	}, nil
}

func (c *coder) says(kind schema.Kind, x extent) bool {
	switch kind {
	case schema.Bool:
		return c.word(int(x.lo)) == boolTrueID
	case schema.String, schema.Bytes:
		return c.src[x.lo] != 0
	case schema.Vector:
		return c.word(int(x.lo)+4) != 0
	default:
		return true
	}
}
