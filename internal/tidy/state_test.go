package tidy

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

// stateful names package-level variables that may exist, by folder and name, and why.
var stateful = map[string]string{
	"internal/keyring/keyringtest shared": "the RSA key of a test process",
	"internal/store statements":           "filled while the package is initialised",
	"internal/store/storetest empty":      "the file of a new store",
	"internal/store/storetest shared":     "the throwaway database server of a test process",
}

func TestNoPackageState(t *testing.T) {
	r := repository(t)
	vars := make(map[string]map[string]bool) // folder -> names of package-level variables
	for _, s := range r.production() {
		for _, decl := range s.file.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok || d.Tok != token.VAR {
				continue
			}
			for _, spec := range d.Specs {
				spec := spec.(*ast.ValueSpec)
				for i, name := range spec.Names {
					declare(vars, s.dir, name.Name)
					why := suspicious(spec, i, embedded(d, spec))
					if why != "" && !permitted(s, name) {
						t.Errorf("%s:%d: %s %s: state belongs to a value that somebody made, so "+
							"that two of them can live in one process", s.path,
							r.line(name.Pos()), name.Name, why)
					}
				}
			}
		}
	}
	for _, s := range r.production() {
		for _, name := range assigned(s, vars[s.dir]) {
			if !permitted(s, name) {
				t.Errorf("%s:%d changes %s, a variable of the package: what a package holds is "+
					"fixed before main begins", s.path, r.line(name.Pos()), name.Name)
			}
		}
	}
}

// permitted tells whether a variable is listed in stateful.
func permitted(s *source, name *ast.Ident) bool { return stateful[s.dir+" "+name.Name] != "" }

// declare notes a variable.
func declare(vars map[string]map[string]bool, dir, name string) {
	if vars[dir] == nil {
		vars[dir] = make(map[string]bool)
	}
	vars[dir][name] = true
}

// embedded tells whether a variable is filled from a file at build time.
func embedded(d *ast.GenDecl, spec *ast.ValueSpec) bool {
	for _, doc := range []*ast.CommentGroup{d.Doc, spec.Doc} {
		if doc == nil {
			continue
		}
		for _, c := range doc.List {
			if strings.HasPrefix(c.Text, "//go:embed ") {
				return true
			}
		}
	}
	return false
}

// suspicious says why the i-th variable of a declaration looks like state, "" if it does not.
func suspicious(spec *ast.ValueSpec, i int, embedded bool) string {
	if spec.Names[i].Name == "_" || embedded {
		return ""
	}
	if len(spec.Values) == 0 {
		return "has no value from the start"
	}
	if i >= len(spec.Values) {
		return ""
	}
	switch v := spec.Values[i].(type) {
	case *ast.CallExpr:
		switch name := selector(v.Fun); {
		case strings.HasPrefix(name, "atomic."), strings.HasPrefix(name, "sync.New"):
			return "is made to change"
		}
		if f, ok := v.Fun.(*ast.Ident); ok && (f.Name == "make" || f.Name == "new") {
			return "starts empty"
		}
	case *ast.CompositeLit:
		name := selector(v.Type)
		if strings.HasPrefix(name, "sync.") || strings.HasPrefix(name, "atomic.") {
			return "is made to change"
		}
	}
	return ""
}

// assigned returns the places where a file assigns to variables of its package.
func assigned(s *source, vars map[string]bool) []*ast.Ident {
	top := s.file.Scope
	var out []*ast.Ident
	check := func(e ast.Expr) {
		name := base(e)
		if name == nil || !vars[name.Name] {
			return
		}
		if name.Obj != nil && top.Lookup(name.Name) != name.Obj {
			return
		}
		out = append(out, name)
	}
	for _, decl := range s.file.Decls {
		if _, ok := decl.(*ast.FuncDecl); !ok {
			continue
		}
		ast.Inspect(decl, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					for _, e := range n.Lhs {
						check(e)
					}
				}
			case *ast.IncDecStmt:
				check(n.X)
			}
			return true
		})
	}
	return out
}

// base is the variable that an assignment to an expression changes.
func base(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}
