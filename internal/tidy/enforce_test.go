package tidy

import (
	"go/ast"
	"strings"
	"testing"
)

// deciding are the folders whose code carries measures out and takes them back; wiring are those
// that may make what does it, for the others.
var (
	deciding = []string{"internal/safety/enforce", "internal/safety/decide"}
	wiring   = []string{"internal/node", "internal/safety/safetytest"}
)

// TestOnlyDecisionsEnforce reads syntax alone: what does the enforcing is called Enforce wherever it
// is a field.
func TestOnlyDecisionsEnforce(t *testing.T) {
	r := repository(t)
	found := 0
	for _, s := range r.production() {
		if within(s.dir, "internal/safety/decide") {
			found += len(enforcing(s))
		}
		if within(s.dir, deciding...) {
			continue
		}
		for _, at := range enforcing(s) {
			t.Errorf("%s:%d carries a measure out or takes it back: no measure without a decision, "+
				"so safety/decide does that in the decision's own transaction",
				s.path, r.line(at.Pos()))
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if ok && selector(lit.Type) == "enforce.Service" && !within(s.dir, wiring...) {
				t.Errorf("%s:%d makes an enforce.Service of its own: ask safety/decide",
					s.path, r.line(lit.Pos()))
			}
			return true
		})
	}
	if found < 2 {
		t.Errorf("safety/decide enforces in %d places: the rule looks for the wrong thing", found)
	}
}

// enforcing are the calls of Enforce.Apply and Enforce.Lift in a file.
func enforcing(s *source) (out []ast.Node) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		does, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || does.Sel.Name != "Apply" && does.Sel.Name != "Lift" {
			return true
		}
		of := ""
		switch x := does.X.(type) {
		case *ast.SelectorExpr:
			of = x.Sel.Name
		case *ast.Ident:
			of = x.Name
		}
		if strings.EqualFold(of, "enforce") {
			out = append(out, call)
		}
		return true
	})
	return out
}
