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
	*source
	dst    *names
	rules  *ruleBook
	strict bool
	plans  map[*schema.Def]*plan
	same   map[*schema.Type]bool // all values of a boxed type stay as they are
	convs  map[[2]*schema.Type]*conv
	used   map[*rule]bool
}

// newCompiler prepares to rewrite values of src for a layer. Requests are strict: leaving out a
// part of a request would do something that was not asked for.
func newCompiler(src *source, layer int, rules *ruleBook, strict bool) *compiler {
	k := &compiler{
		source: src, dst: newNames(src.table.At(layer)), rules: rules, strict: strict,
		plans: make(map[*schema.Def]*plan, len(src.defs)),
		same:  make(map[*schema.Type]bool, len(src.types)),
		convs: make(map[[2]*schema.Type]*conv, len(src.shapes)),
		used:  make(map[*rule]bool),
	}
	for _, d := range src.defs {
		l := src.layouts[d]
		p := &plan{from: d, to: k.target(d), skip: l.skip, fixed: l.fixed, scan: l.scan}
		if !d.Method {
			p.typ = k.boxed(d.Result)
		} else if p.to != nil {
			p.method = p.to.ID
		}
		k.plans[d] = p
	}
	return k
}

// program compiles everything.
func (k *compiler) program() (*program, error) {
	k.findSame()
	list := make([]*plan, 0, len(k.defs))
	for _, d := range k.defs {
		p := k.plans[d]
		if !p.same {
			if err := k.compile(p); err != nil {
				return nil, fmt.Errorf("layer: %s: %w", d.Name, err)
			}
		}
		list = append(list, p)
	}
	out := &program{plans: newPlanTable(list), strict: k.strict}
	return out, k.results(out)
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
	for t := range k.types {
		k.same[t] = true
	}
	differs := func(p *plan) {
		p.same = false
		if !p.from.Method {
			k.same[p.from.Result] = false
		}
	}
	for _, p := range k.plans {
		if p.same = p.to != nil && k.equal(p.from, p.to); !p.same {
			differs(p)
		}
	}
	for again := true; again; {
		again = false
		for _, p := range k.plans {
			if p.same && !k.sameFields(p.from) {
				differs(p)
				again = true
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
		return k.same[t]
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

// conv is how a value of one type becomes a value of another.
func (k *compiler) conv(from, to *schema.Type) (*conv, error) {
	key := [2]*schema.Type{from, to}
	if v := k.convs[key]; v != nil {
		return v, nil
	}
	v := &conv{shape: k.shapes[from]}
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
		if now, ok := r.make.(like); ok && err == nil && p.from.Method {
			p.method = k.dst.methods[now.name].ID
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
// of the method of that name, or of the one that was replaced by it. A client that calls what its
// layer does not have can at least read the constructors that it knows.
func (k *compiler) results(p *program) error {
	p.results = make(map[uint32]*conv, len(k.methods))
	for _, m := range k.methods {
		if m.Result.Kind == schema.Query {
			continue
		}
		v, err := k.conv(m.Result, k.expected(m))
		if errors.Is(err, errNotHere) {
			v = &conv{kind: convRule, shape: k.shapes[m.Result]}
			v.emit, err = refuse{}.compile(k, nil, nil)
		}
		if err != nil {
			return fmt.Errorf("layer: result of %s: %w", m.Name, err)
		}
		p.results[m.ID] = v
	}
	return nil
}

// expected is the type that the destination expects of a method.
func (k *compiler) expected(m *schema.Def) *schema.Type {
	for _, name := range append([]string{m.Name}, k.rules.renamed[m.Name]...) {
		if to := k.dst.methods[name]; to != nil {
			return to.Result
		}
	}
	return m.Result
}

// selfScope is the scope of a rule for a value that is not seen as an object.
func selfScope(t *schema.Type) scope {
	return scope{{Fields: []schema.Field{{Name: string(self), Type: t, Word: -1}}}}
}
