package store_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parley/internal/store"
	"parley/internal/store/storetest"
)

// TestStatementsAreUsed looks for statements that no method runs, in the source.
func TestStatementsAreUsed(t *testing.T) {
	defined, uses := statementVariables(t)
	if len(defined) != len(store.Statements()) {
		t.Errorf("%d variables hold %d statements", len(defined), len(store.Statements()))
	}
	for variable, name := range defined {
		if uses[variable] == 0 {
			t.Errorf("%s: nothing uses %s", name, variable)
		}
	}
}

// statementVariables returns the names of statements by the variable that holds them, and how often
// each identifier stands in the source beside its definition.
func statementVariables(t *testing.T) (defined map[string]string, uses map[string]int) {
	t.Helper()
	defined, uses = make(map[string]string), make(map[string]int)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				uses[n.Name]++
			case *ast.ValueSpec:
				if name := definedStatement(n); name != "" {
					defined[n.Names[0].Name] = name
					uses[n.Names[0].Name]--
				}
			}
			return true
		})
	}
	return defined, uses
}

// definedStatement returns the first argument of define(...) in a declaration.
func definedStatement(n *ast.ValueSpec) string {
	if len(n.Names) != 1 || len(n.Values) != 1 {
		return ""
	}
	call, ok := n.Values[0].(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return ""
	}
	if fn, ok := call.Fun.(*ast.Ident); !ok || fn.Name != "define" {
		return ""
	}
	if name, ok := call.Args[0].(*ast.BasicLit); ok {
		return name.Value
	}
	return ""
}

// notPortable are words that the two engines understand differently, or only one of them.
var notPortable = regexp.MustCompile(`(?i)::|\bilike\b|\bnow\(|\bgreatest\(|\bleast\(|\bany\(|` +
	`\bfor update\b|\bcollate\b|\bcast\(|\bfor share\b|\bifnull\(|\breplace into\b|\bor ignore\b`)

// TestStatementsAreSound checks names and words.
func TestStatementsAreSound(t *testing.T) {
	seen := make(map[string]bool)
	for _, st := range store.Statements() {
		if seen[st.Name] {
			t.Errorf("%s: defined twice", st.Name)
		}
		seen[st.Name] = true
		if word := notPortable.FindString(st.Text); word != "" {
			t.Errorf("%s: %q is not the same on both engines", st.Name, word)
		}
		if !strings.Contains(st.Text, st.Table) {
			t.Errorf("%s: does not mention its table %s", st.Name, st.Table)
		}
	}
}

// TestStatementsPrepare has both engines read every statement.
func TestStatementsPrepare(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, st := range store.Statements() {
			if err := s.Prepare(t.Context(), st.Name); err != nil {
				t.Errorf("%s: %v\n%s", st.Name, err, st.Text)
			}
		}
	})
}
