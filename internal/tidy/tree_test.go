package tidy

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// root is the top of the repository as seen from this package.
const root = "../.."

var update = flag.Bool("update", false, "write spec/methods.tsv, shrink testdata")

// source is one Go file.
type source struct {
	path string // from the top, with slashes
	dir  string
	text string
	file *ast.File
	test bool // a _test.go file
}

// tree is every file of the repository that somebody wrote.
type tree struct {
	fset    *token.FileSet
	sources []*source
	texts   map[string]string // every other text file
}

// loaded is the tree, read once for all tests.
var loaded = sync.OnceValues(load)

// repository returns the tree.
func repository(t *testing.T) *tree {
	t.Helper()
	r, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// unwritten are folders that hold nothing written by hand.
var unwritten = []string{".git", "bin", "node_modules", ".claude", ".venv", "__pycache__"}

// load reads and parses the tree.
func load() (*tree, error) {
	r := &tree{fset: token.NewFileSet(), texts: make(map[string]string)}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains(unwritten, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		return r.read(name)
	})
	return r, err
}

// read takes one file in.
func (r *tree) read(name string) error {
	relative, err := filepath.Rel(root, name)
	if err != nil {
		return err
	}
	at := filepath.ToSlash(relative)
	if !isText(at) {
		return nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if !strings.HasSuffix(at, ".go") {
		r.texts[at] = string(text)
		return nil
	}
	if strings.Contains(at, "/testdata/") {
		return nil
	}
	file, err := parser.ParseFile(r.fset, at, text, parser.ParseComments)
	if err != nil {
		return err
	}
	r.sources = append(r.sources, &source{
		path: at, dir: path.Dir(at), text: string(text), file: file,
		test: strings.HasSuffix(at, "_test.go"),
	})
	return nil
}

// isText tells files that people read from data.
func isText(name string) bool {
	base := path.Base(name)
	switch path.Ext(base) {
	case ".go", ".md", ".tsv", ".txt", ".toml", ".sql", ".mod", ".tl", ".js", ".mjs", ".ts", ".py",
		".service", ".yml", ".yaml", ".sh", ".tmpl":
		return true
	case "":
		return base == "Makefile" || base == "LICENSE" || strings.HasPrefix(name, "scripts/") ||
			strings.HasPrefix(name, ".ci/")
	}
	return false
}

// production are the Go files that end up in a program.
func (r *tree) production() []*source {
	var out []*source
	for _, s := range r.sources {
		if !s.test {
			out = append(out, s)
		}
	}
	return out
}

// line is the line of a position.
func (r *tree) line(pos token.Pos) int { return r.fset.Position(pos).Line }

// imports are the paths that a file imports, and the local name of each.
func (s *source) imports() map[string]string {
	out := make(map[string]string)
	for _, spec := range s.file.Imports {
		at, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		name := path.Base(at)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		out[at] = name
	}
	return out
}

// within tells whether a folder is one of these or lies below one.
func within(dir string, folders ...string) bool {
	for _, f := range folders {
		if dir == f || strings.HasPrefix(dir, f+"/") {
			return true
		}
	}
	return false
}

// selector returns "pkg.Name" of a qualified identifier, "" of anything else.
func selector(e ast.Expr) string {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := s.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return x.Name + "." + s.Sel.Name
}
