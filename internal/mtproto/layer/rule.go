package layer

import (
	"errors"
	"fmt"
)

// rule says how to bridge one difference between layers that names and types alone do not
// bridge. A rule is not bound to a layer: it is used wherever the difference shows.
type rule struct {
	kind ruleKind
	at   string // what it is about, see the kinds
	to   string
	make expr
	why  string
}

type ruleKind uint8

const (
	// ruleField makes field at ("constructor.field") of the destination if the source has no
	// such field, or has it with another type, or without a value that the destination needs.
	ruleField ruleKind = iota
	// ruleType makes values of type to from values of type at, which it sees as the field self.
	ruleType
	// ruleObject makes what stands for constructor or method at where the destination has none,
	// or, if to is set, where the constructor does not have the field to.
	ruleObject
	// ruleInstead makes what stands for an object of boxed type at that cannot be expressed.
	ruleInstead
)

// ruleBook finds rules.
type ruleBook struct {
	all     []*rule
	fields  map[string]*rule // by constructor.field
	objects map[string]*rule
	instead map[string]*rule
	types   map[[2]string]*rule
	renamed map[string][]string // of a method, its names in older layers
}

var errRules = errors.New("layer: two rules for one thing")

func newRuleBook(rules []rule) (*ruleBook, error) {
	b := &ruleBook{
		fields: make(map[string]*rule), objects: make(map[string]*rule),
		instead: make(map[string]*rule), types: make(map[[2]string]*rule),
	}
	maps := map[ruleKind]map[string]*rule{
		ruleField: b.fields, ruleObject: b.objects, ruleInstead: b.instead,
	}
	for i := range rules {
		r := &rules[i]
		b.all = append(b.all, r)
		if r.kind == ruleType {
			if b.types[[2]string{r.at, r.to}] != nil {
				return nil, fmt.Errorf("%w: %s as %s", errRules, r.at, r.to)
			}
			b.types[[2]string{r.at, r.to}] = r
			continue
		}
		if maps[r.kind][r.at] != nil {
			return nil, fmt.Errorf("%w: %s", errRules, r.at)
		}
		maps[r.kind][r.at] = r
	}
	return b, nil
}

// books are the rules of both directions.
func books() (down, up *ruleBook, err error) {
	if up, err = newRuleBook(upRules()); err != nil {
		return nil, nil, err
	}
	if down, err = newRuleBook(downRules()); err != nil {
		return nil, nil, err
	}
	// A client that called a method by its old name expects the old result.
	down.renamed = make(map[string][]string)
	for _, r := range up.all {
		if m, ok := r.make.(like); ok && r.kind == ruleObject {
			down.renamed[m.name] = append(down.renamed[m.name], r.at)
		}
	}
	return down, up, nil
}

// The forms of rules; why says in one line what happened between the layers, or why the stand-in
// is right.

func fieldRule(at string, make expr, why string) rule {
	return rule{kind: ruleField, at: at, make: make, why: why}
}

func typeRule(from, to string, make expr, why string) rule {
	return rule{kind: ruleType, at: from, to: to, make: make, why: why}
}

func objectRule(at string, make expr, why string) rule {
	return rule{kind: ruleObject, at: at, make: make, why: why}
}

func insteadRule(boxed string, make expr, why string) rule {
	return rule{kind: ruleInstead, at: boxed, make: make, why: why}
}

// unwrap is a value made from the object itself, by its constructor.
func unwrap(c cases) expr { return on{string(self), c} }

// lacking makes a rule for an object apply also where the destination has the constructor, but
// without the field.
func (r rule) lacking(field string) rule {
	r.to = field
	return r
}
