package layer

import (
	"errors"
	"fmt"
	"slices"

	"parley/internal/mtproto/layer/schema"
)

// names finds the definitions of the destination.
type names struct {
	ctors, methods map[string]*schema.Def
}

func newNames(defs []*schema.Def) *names {
	n := &names{
		ctors:   make(map[string]*schema.Def, len(defs)),
		methods: make(map[string]*schema.Def, len(defs)),
	}
	for _, d := range defs {
		if d.Method {
			n.methods[d.Name] = d
		} else {
			n.ctors[d.Name] = d
		}
	}
	return n
}

// compiler makes a program out of two schemas and the rules that bridge them.
type compiler struct {
	table  *schema.Table
	src    []*schema.Def
	dst    *names
	rules  *ruleBook
	strict bool

	plans  map[*schema.Def]*plan
	types  map[*schema.Type]*boxed
	shapes map[*schema.Type]*shape
	convs  map[[2]*schema.Type]*conv
	used   map[*rule]bool
}

// newCompiler prepares to rewrite values of src. Requests are strict: leaving out a part of a
// request would do something that was not asked for.
func newCompiler(t *schema.Table, src, dst []*schema.Def, rules *ruleBook, strict bool) *compiler {
	k := &compiler{
		table: t, src: src, dst: newNames(dst), rules: rules, strict: strict,
		plans:  make(map[*schema.Def]*plan, len(src)),
		types:  make(map[*schema.Type]*boxed, len(src)),
		shapes: make(map[*schema.Type]*shape, len(src)),
		convs:  make(map[[2]*schema.Type]*conv, len(src)),
		used:   make(map[*rule]bool),
	}
	for _, d := range src {
		p := &plan{from: d}
		if !d.Method {
			p.typ = k.boxed(d.Result)
			p.typ.defs = append(p.typ.defs, d)
		}
		k.plans[d] = p
	}
	return k
}

func (k *compiler) boxed(t *schema.Type) *boxed {
	b := k.types[t]
	if b == nil {
		b = &boxed{name: t.Name}
		k.types[t] = b
	}
	return b
}

// program compiles everything.
func (k *compiler) program() (*program, error) {
	k.findSame()
	list := make([]*plan, 0, len(k.src))
	for _, d := range k.src {
		p := k.plans[d]
		k.layout(p)
		if !p.same {
			if err := k.compile(p); err != nil {
				return nil, fmt.Errorf("layer: %s: %w", d.Name, err)
			}
		}
		list = append(list, p)
	}
	return &program{plans: newPlanTable(list), strict: k.strict}, nil
}

// target is the definition of the destination with the name of d.
func (k *compiler) target(d *schema.Def) *schema.Def {
	if d.Method {
		return k.dst.methods[d.Name]
	}
	return k.dst.ctors[d.Name]
}

// findSame marks what is copied without a look inside: definitions that are equal on both sides,
// of equal fields, whose types hold nothing else.
func (k *compiler) findSame() {
	for _, b := range k.types {
		b.same = len(b.defs) > 0
	}
	for _, d := range k.src {
		p := k.plans[d]
		p.to = k.target(d)
		p.same = p.to != nil && k.equal(d, p.to)
		if p.typ != nil && !p.same {
			p.typ.same = false
		}
	}
	for again := true; again; {
		again = false
		for _, d := range k.src {
			p := k.plans[d]
			if !p.same || k.sameFields(d) {
				continue
			}
			p.same, again = false, true
			if p.typ != nil {
				p.typ.same = false
			}
		}
	}
}

func (k *compiler) sameFields(d *schema.Def) bool {
	for _, f := range d.Fields {
		if !k.sameType(f.Type) {
			return false
		}
	}
	return true
}

func (k *compiler) sameType(t *schema.Type) bool {
	switch t.Kind {
	case schema.Vector:
		return k.sameType(t.Elem)
	case schema.Boxed:
		return k.boxed(t).same
	default:
		return t.Kind != schema.Query
	}
}

// equal reports whether the bytes of a definition need no change. A strict program lets flags
// pass that the destination does not know: the decoder of a request ignores them.
func (k *compiler) equal(from, to *schema.Def) bool {
	if from.ID != to.ID {
		return false
	}
	if k.strict {
		return true
	}
	return slices.EqualFunc(from.Fields, to.Fields, func(a, b schema.Field) bool { return a == b })
}

// layout makes the steps that find the ends of the fields of a source object.
func (k *compiler) layout(p *plan) {
	words := wordNumbers(p.from)
	for i, f := range p.from.Fields {
		s := step{word: maxWords, mask: 1}
		if f.Optional() {
			s.word, s.mask = words[f.Word], 1<<f.Bit
		}
		switch f.Type.Kind {
		case schema.Flag:
			p.scan = append(p.scan, s)
			continue
		case schema.Flags:
			s.act, s.set = actWord, words[i]
		default:
			s.act, s.shape = actSkip, k.shape(f.Type)
			s.act, s.size = fieldAct(s.shape), s.shape.size
		}
		p.scan = append(p.scan, s)
		p.skip = appendStep(p.skip, s)
	}
	p.skip = withGates(p.skip)
}

func fieldAct(s *shape) act {
	switch s.kind {
	case shapeFixed:
		return actFixed
	case shapeString:
		return actString
	default:
		return actSkip
	}
}

// appendStep joins fields of fixed size that are always present.
func appendStep(list []step, s step) []step {
	if n := len(list); n > 0 && s.act == actFixed && s.word == maxWords {
		if last := &list[n-1]; last.act == actFixed && last.word == maxWords {
			last.size += s.size
			return list
		}
	}
	return append(list, s)
}

// wordNumbers numbers the flags words of a definition, by the index of their field.
func wordNumbers(d *schema.Def) map[int]uint8 {
	words := make(map[int]uint8)
	for i, f := range d.Fields {
		if f.Type.Kind == schema.Flags {
			words[i] = uint8(len(words))
		}
	}
	return words
}

func (k *compiler) shape(t *schema.Type) *shape {
	if s := k.shapes[t]; s != nil {
		return s
	}
	s := &shape{}
	switch t.Kind {
	case schema.String, schema.Bytes:
		s.kind = shapeString
	case schema.Vector:
		s.kind, s.elem = shapeVector, k.shape(t.Elem)
	case schema.Boxed:
		s.kind, s.typ = shapeObject, k.boxed(t)
	case schema.Query:
		s.kind = shapeObject
	default:
		s.kind, s.size = shapeFixed, t.Size()
	}
	k.shapes[t] = s
	return s
}

// conv is how a value of one type becomes a value of another.
func (k *compiler) conv(from, to *schema.Type) (*conv, error) {
	key := [2]*schema.Type{from, to}
	if v := k.convs[key]; v != nil {
		return v, nil
	}
	v := &conv{shape: k.shape(from)}
	k.convs[key] = v
	err := k.makeConv(v, from, to)
	if err != nil {
		delete(k.convs, key)
		return nil, err
	}
	return v, nil
}

func (k *compiler) makeConv(v *conv, from, to *schema.Type) (err error) {
	rule := k.rules.types[[2]string{from.String(), to.String()}]
	switch {
	case rule != nil:
		v.kind = convRule
		if v.emit, err = rule.make.compile(k, selfScope(from), to); err == nil {
			k.used[rule] = true
		}
		return err
	case from == to && k.sameType(from):
		v.kind = convSame
	case from == to && from.Kind != schema.Vector:
		v.kind = convObject
	case from.Kind == schema.Vector && to.Kind == schema.Vector:
		v.kind = convVector
		v.elem, err = k.conv(from.Elem, to.Elem)
	default:
		err = fmt.Errorf("%w: %s as %s", errNotHere, from, to)
	}
	return err
}

// compile finds the way for the objects of a definition that need any change.
func (k *compiler) compile(p *plan) error {
	want := p.from.Result
	if p.from.Method {
		want = nil
	}
	var err error
	if r := k.rules.objects[p.from.Name]; r != nil && k.lacks(p, r.to) {
		p.build, err = r.make.compile(k, scope{p.from}, want)
		if err == nil {
			k.used[r] = true
		}
	} else if p.to != nil && !k.stream(p) {
		p.build, err = k.object(p.to.Name, nil, true, scope{p.from}, want)
	}
	if err != nil && !errors.Is(err, errNotHere) {
		return err
	}
	return k.instead(p)
}

// lacks reports whether the destination does not have the constructor, or the field, for whose
// absence there is a rule.
func (k *compiler) lacks(p *plan, field string) bool {
	return p.to == nil || field != "" && p.to.Field(field) < 0
}

// instead finds what stands for objects that cannot be expressed.
func (k *compiler) instead(p *plan) error {
	r := k.rules.instead[p.from.Result.Name]
	if p.from.Method || r == nil {
		return nil
	}
	emit, err := r.make.compile(k, scope{p.from}, p.from.Result)
	if errors.Is(err, errNotHere) {
		return nil
	}
	p.instead = emit
	k.used[r] = true
	return err
}

// results finds how the result of each method of the source becomes what the destination expects
// of the method of that name, or of the one that was replaced by it.
func (k *compiler) results(p *program, methods []*schema.Def) error {
	p.results = make(map[uint32]*conv, len(methods))
	for _, m := range methods {
		to := k.dst.methods[m.Name]
		for _, old := range k.rules.renamed[m.Name] {
			if to == nil {
				to = k.dst.methods[old]
			}
		}
		if to == nil || m.Result.Kind == schema.Query {
			continue
		}
		v, err := k.conv(m.Result, to.Result)
		if errors.Is(err, errNotHere) {
			continue
		}
		if err != nil {
			return fmt.Errorf("layer: result of %s: %w", m.Name, err)
		}
		p.results[m.ID] = v
	}
	return nil
}

// selfScope is the scope of a rule for a value that is not seen as an object.
func selfScope(t *schema.Type) scope {
	return scope{{Fields: []schema.Field{{Name: string(self), Type: t, Word: -1}}}}
}

// reach is those of defs that values of the given types, or calls of methods among defs, can hold.
func reach(defs []*schema.Def, roots []*schema.Type, calls bool) []*schema.Def {
	byType := make(map[*schema.Type][]*schema.Def)
	var queue []*schema.Type
	for _, d := range defs {
		switch {
		case !d.Method:
			byType[d.Result] = append(byType[d.Result], d)
		case calls:
			for _, f := range d.Fields {
				queue = append(queue, f.Type)
			}
		}
	}
	queue = append(queue, roots...)
	seen := make(map[*schema.Type]bool)
	for len(queue) > 0 {
		t := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for t.Kind == schema.Vector {
			t = t.Elem
		}
		if seen[t] {
			continue
		}
		seen[t] = true
		for _, d := range byType[t] {
			for _, f := range d.Fields {
				queue = append(queue, f.Type)
			}
		}
	}
	var out []*schema.Def
	for _, d := range defs {
		if d.Method && calls || !d.Method && seen[d.Result] {
			out = append(out, d)
		}
	}
	return out
}
