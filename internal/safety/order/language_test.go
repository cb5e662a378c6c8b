package order_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/tlog/paper"
)

// TestRefusedInTheAuthoritysLanguage: why a German office's order is refused stands in German in
// the signed paper, and in English where the staff reads it.
func TestRefusedInTheAuthoritysLanguage(t *testing.T) {
	w := start(t)
	d := w.removal(w.Post("one"))
	d.Action = policy.Keys
	o := w.submit(sender(w.officer), d).Order
	if o.State != order.Refused || !strings.Contains(o.Why, "Nobody here") {
		t.Fatalf("%v: %s", o.State, o.Why)
	}
	papers := w.papers(o)
	if p := papers[len(papers)-1]; p.Kind != paper.Refusal || p.Lang != "de" ||
		!strings.Contains(p.Text, "Niemand hier") {
		t.Errorf("%+v", p)
	}
}

// TestProblemsHaveWords: each field and each mistake that a check can name has words in every
// language.
func TestProblemsHaveWords(t *testing.T) {
	w := start(t)
	for _, lang := range []string{"en", "ru", "fa", "ar", "id", "de", "fr", "zh", "ko"} {
		for _, x := range named(t) {
			got := w.Sign.Missing(lang, paper.Missing{Law: "L", Field: x[0], What: x[1]})
			said := strings.NewReplacer("\u2068", "", "\u2069", "").Replace(got)
			english := "L: " + x[0] + ": " + x[1]
			if lang == "en" && said != english ||
				lang != "en" && (strings.Contains(said, ": "+x[0]+":") && x[0] != "validation" &&
					x[0] != "signature" && x[0] != "instrument" ||
					strings.HasSuffix(said, ": "+x[1])) {
				t.Errorf("%s: %s", lang, said)
			}
		}
	}
}

// named are the fields and mistakes that the package's checks name.
func named(t *testing.T) (out [][2]string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "check.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	text := func(e ast.Expr) string {
		lit, _ := e.(*ast.BasicLit)
		if lit == nil {
			return ""
		}
		s, _ := strconv.Unquote(lit.Value)
		return s
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, _ := n.(*ast.CallExpr)
		if call == nil || len(call.Args) == 0 {
			return true
		}
		what := "missing"
		switch f, _ := call.Fun.(*ast.SelectorExpr); {
		case f == nil:
			return true
		case slices.Contains([]string{"wrong", "manifest", "lines"}, f.Sel.Name):
			what = text(call.Args[1])
		case f.Sel.Name != "missing":
			return true
		}
		if field := text(call.Args[0]); field != "" && what != "" {
			out = append(out, [2]string{field, what})
		}
		return true
	})
	if len(out) < 30 {
		t.Fatalf("only %d are named", len(out))
	}
	return out
}
