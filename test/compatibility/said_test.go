package compatibility

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gotd/td/tdp"
	"github.com/gotd/td/tg"
)

// mention is what the server's code says of a type of the API: that it makes one, and which fields
// it sets.
type mention map[string]bool

// findSaid finds the objects that the server's code makes, by their names in the schema, with the
// fields that it may set: those in literals of the type, and those set by name anywhere.
func findSaid(t *testing.T) map[string]map[string]bool {
	t.Helper()
	made, set := make(map[string]mention), make(mention)
	err := filepath.WalkDir("../../internal", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") ||
			strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool { look(n, made, set); return true })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]map[string]bool)
	for _, empty := range tg.TypesConstructorMap() {
		object, ok := empty().(tdp.Object)
		if !ok {
			continue
		}
		info := object.TypeInfo()
		fields := made[reflect.TypeOf(object).Elem().Name()]
		if fields == nil {
			continue
		}
		out[info.Name] = make(map[string]bool)
		for _, f := range info.Fields {
			out[info.Name][f.SchemaName] = fields[f.Name] || set[f.Name]
		}
	}
	if len(out) == 0 {
		t.Fatal("the server says nothing")
	}
	return out
}

// look notes what a piece of code makes and sets.
func look(n ast.Node, made map[string]mention, set mention) {
	switch n := n.(type) {
	case *ast.CompositeLit:
		literal(n, typeName(n.Type), made)
	case *ast.AssignStmt:
		for _, to := range n.Lhs {
			if s, ok := to.(*ast.SelectorExpr); ok {
				set[s.Sel.Name] = true
			}
		}
	case *ast.CallExpr:
		if s, ok := n.Fun.(*ast.SelectorExpr); ok {
			if name, ok := strings.CutPrefix(s.Sel.Name, "Set"); ok {
				set[name] = true
			}
		}
	}
}

// literal notes a literal of a type of the API, and those in it whose type is left out.
func literal(n *ast.CompositeLit, name string, made map[string]mention) {
	if name == "" {
		return
	}
	list := false
	if _, ok := n.Type.(*ast.ArrayType); ok {
		list = true
	}
	for _, elem := range n.Elts {
		if inner, ok := elem.(*ast.CompositeLit); ok && list && inner.Type == nil {
			literal(inner, name, made)
		}
	}
	if list {
		return
	}
	if made[name] == nil {
		made[name] = make(mention)
	}
	for _, elem := range n.Elts {
		if kv, ok := elem.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok {
				made[name][key.Name] = true
			}
		}
	}
}

// typeName is X of tg.X, *tg.X, []tg.X and []*tg.X, else "".
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok && x.Name == "tg" {
			return e.Sel.Name
		}
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.ArrayType:
		return typeName(e.Elt)
	}
	return ""
}
