package layer

import (
	"errors"
	"fmt"
	"slices"

	"parley/internal/mtproto/layer/schema"
)

// object compiles the making of an object of the destination, of type want or a method if that is
// nil, out of the fields in scope.
func (k *compiler) object(name string, fields with, fill bool, sc scope, want *schema.Type) (
	emitter, error) {
	to := k.dst.ctors[name]
	if want == nil {
		to = k.dst.methods[name]
	}
	if to == nil {
		return nil, fmt.Errorf("%w: no %s", errNotHere, name)
	}
	if want != nil && to.Result != want {
		return nil, fmt.Errorf("%w: %s is no %s", errNotHere, name, want)
	}
	b := &builder{id: to.ID}
	words := wordNumbers(to)
	values := valueBits(to)
	var dead [maxWords + 1]uint32 // bits of which one value has no source
	for i, f := range to.Fields {
		o := out{word: maxWords, mask: 1}
		if f.Optional() {
			o.word, o.mask = words[f.Word], 1<<f.Bit
			o.shared = values[[2]int{f.Word, int(f.Bit)}] > 1
		}
		switch {
		case f.Type.Kind == schema.Flags:
			o.kind, o.set = outWord, words[i]
			b.out = append(b.out, o)
			continue
		case f.Type.Kind == schema.Flag:
			// A bit with a value on it is set by the value.
			if values[[2]int{f.Word, int(f.Bit)}] > 0 {
				continue
			}
			o.kind = outFlag
		}
		var err error
		o.emit, err = k.fieldOf(to, f, fields, fill, sc)
		switch {
		case err == nil:
			b.out = append(b.out, o)
		case !errors.Is(err, errNotHere):
			return nil, err
		case !f.Optional():
			return nil, fmt.Errorf("%s.%s: %w", name, f.Name, err)
		case o.shared:
			dead[o.word] |= o.mask
		}
	}
	b.out = slices.DeleteFunc(b.out, func(o out) bool { return dead[o.word]&o.mask != 0 })
	return b.emit, nil
}

// valueBits counts the fields with a value on each bit of each flags word.
func valueBits(d *schema.Def) map[[2]int]int {
	count := make(map[[2]int]int)
	for _, f := range d.Fields {
		if f.Optional() && f.Type.Kind != schema.Flag {
			count[[2]int{f.Word, int(f.Bit)}]++
		}
	}
	return count
}

// fieldOf compiles one field: by the expression given; from the field of the same name; by the rule
// for it, which also serves where that field is not set or is of another type; by a rule for the
// pair of types.
func (k *compiler) fieldOf(to *schema.Def, f schema.Field, fields with, fill bool, sc scope) (
	emitter, error) {
	if x := fields[f.Name]; x != nil {
		return x.compile(k, sc, f.Type)
	}
	if !fill {
		return nil, fmt.Errorf("%w: field not given", errNotHere)
	}
	direct, err := field(f.Name).compile(k, sc, f.Type)
	if err != nil && !errors.Is(err, errNotHere) {
		return nil, err
	}
	rule := k.rules.fields[to.Name+"."+f.Name]
	if rule == nil {
		return direct, err
	}
	byRule, ruleErr := rule.make.compile(k, sc, f.Type)
	switch {
	case errors.Is(ruleErr, errNotHere):
		return direct, err
	case ruleErr != nil:
		return nil, ruleErr
	}
	level, index, found := sc.find(f.Name)
	equal := found && sc[level].Fields[index].Type == f.Type
	if equal && (f.Optional() || !sc[level].Fields[index].Optional()) {
		return direct, err
	}
	k.used[rule] = true
	if equal {
		return orElse(direct, byRule), nil
	}
	return byRule, nil
}

func orElse(a, b emitter) emitter {
	return func(c *coder, e env) status {
		size := len(c.dst)
		st := a(c, e)
		if st == done || st == failed {
			return st
		}
		c.dst = c.dst[:size]
		return b(c, e)
	}
}

// stream compiles rewriting in one pass, which needs that the fields that stay keep their order
// and their bits. It reports whether that is so.
func (k *compiler) stream(p *plan) bool {
	from, to := p.from, p.to
	match, ok := k.matchInOrder(from, to)
	if !ok {
		return false
	}
	words := wordNumbers(from)
	steps := make([]step, 0, len(from.Fields))
	for i, f := range from.Fields {
		if f.Type.Kind == schema.Flag {
			continue
		}
		s := p.scan[i]
		j, kept := match[i]
		switch {
		case f.Type.Kind == schema.Flags && !kept:
			s.act = actDropWord
		case f.Type.Kind == schema.Flags:
			s.keep = keptBits(from, to, i, j)
			s.set = words[i]
		case !kept:
			s.act = actDrop
		default:
			v, err := k.conv(f.Type, to.Fields[j].Type)
			if err != nil {
				return false
			}
			if v.kind != convSame {
				s.act, s.conv = actConvert, v
			}
		}
		steps = appendStep(steps, s)
	}
	p.stream = withGates(steps)
	return true
}

// matchInOrder pairs the fields of both sides that have wire bytes. It fails if the destination
// needs a field that is not there, or one in another place, or under another bit, or if several
// values hang on one bit, since then leaving out one of them would leave out the others.
func (k *compiler) matchInOrder(from, to *schema.Def) (map[int]int, bool) {
	match := make(map[int]int)
	last := -1
	values := valueBits(to)
	for j, g := range to.Fields {
		i := from.Field(g.Name)
		if k.rules.fields[to.Name+"."+g.Name] != nil &&
			(i < 0 || from.Fields[i].Type != g.Type) {
			return nil, false
		}
		if g.Type.Kind == schema.Flag {
			if i >= 0 && (from.Fields[i].Type.Kind != schema.Flag ||
				!sameBit(from, from.Fields[i], to, g)) {
				return nil, false
			}
			if values[[2]int{g.Word, int(g.Bit)}] > 0 && i < 0 {
				return nil, false
			}
			continue
		}
		if i < 0 {
			// An optional value that the source lacks is not set, unless others share its bit.
			if !g.Optional() || k.bitUsed(from, to, g) {
				return nil, false
			}
			continue
		}
		f := from.Fields[i]
		if i < last || !sameBit(from, f, to, g) || f.Type.Kind == schema.Flag ||
			(f.Type.Kind == schema.Flags) != (g.Type.Kind == schema.Flags) ||
			(g.Optional() && values[[2]int{g.Word, int(g.Bit)}] > 1 && !k.sameType(f.Type)) {
			return nil, false
		}
		match[i], last = j, i
	}
	return match, true
}

// sameBit reports whether two fields hang on the same bit of words of the same name.
func sameBit(a *schema.Def, f schema.Field, b *schema.Def, g schema.Field) bool {
	if f.Optional() != g.Optional() {
		return false
	}
	return !f.Optional() || f.Bit == g.Bit && a.Fields[f.Word].Name == b.Fields[g.Word].Name
}

// bitUsed reports whether any other field that both sides have hangs on the bit of g.
func (k *compiler) bitUsed(from, to *schema.Def, g schema.Field) bool {
	for _, h := range to.Fields {
		if h.Word == g.Word && h.Bit == g.Bit && h.Name != g.Name && from.Field(h.Name) >= 0 {
			return true
		}
	}
	return false
}

// keptBits is the bits of flags word i of the source that mean something in word j of the
// destination.
func keptBits(from, to *schema.Def, i, j int) uint32 {
	var keep uint32
	for _, g := range to.Fields {
		n := from.Field(g.Name)
		if g.Word == j && n >= 0 && from.Fields[n].Word == i {
			keep |= 1 << g.Bit
		}
	}
	return keep
}
