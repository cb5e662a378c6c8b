package layer

import (
	"errors"
	"fmt"
	"strings"

	"parley/internal/mtproto/layer/schema"
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
	// such field, or its value does not fit.
	ruleField ruleKind = iota
	// ruleForce makes the field even if the source has one of that name.
	ruleForce
	// ruleType makes values of type to from values of type at, which it sees as the field self.
	ruleType
	// ruleObject makes what stands for constructor or method at where the destination has none,
	// or, if to is set, where the constructor does not have the field to.
	ruleObject
	// ruleInstead makes what stands for an object of boxed type at that cannot be expressed.
	ruleInstead
	// ruleResult makes the result of method at, which it sees as the field self.
	ruleResult
)

// ruleBook finds rules.
type ruleBook struct {
	all            []*rule
	fields, forced map[string]*rule // by constructor.field
	objects        map[string]*rule
	instead        map[string]*rule
	results        map[string]*rule
	types          map[[2]string]*rule
	forcedDefs     map[string]bool
}

var errRules = errors.New("layer: two rules for one thing")

func newRuleBook(rules []rule) (*ruleBook, error) {
	b := &ruleBook{
		fields: make(map[string]*rule), forced: make(map[string]*rule),
		objects: make(map[string]*rule), instead: make(map[string]*rule),
		results: make(map[string]*rule), types: make(map[[2]string]*rule),
		forcedDefs: make(map[string]bool),
	}
	maps := map[ruleKind]map[string]*rule{
		ruleField: b.fields, ruleForce: b.forced, ruleObject: b.objects,
		ruleInstead: b.instead, ruleResult: b.results,
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
		if r.kind == ruleForce {
			b.forcedDefs[r.at[:strings.LastIndexByte(r.at, '.')]] = true
		}
	}
	return b, nil
}

// forces reports whether a field of the definition is never simply copied.
func (b *ruleBook) forces(d *schema.Def) bool { return b.forcedDefs[d.Name] }

// renamed is, for each method, the older methods that became it.
func (b *ruleBook) renamed() map[string][]string {
	out := make(map[string][]string)
	for _, r := range b.all {
		if m, ok := r.make.(like); ok && r.kind == ruleObject {
			out[m.name] = append(out[m.name], r.at)
		}
	}
	return out
}
