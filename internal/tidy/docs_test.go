package tidy

import (
	"go/ast"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// maxPackageComment is how many lines the comment of a package may have.
const maxPackageComment = 30

func TestPackagesAreDocumented(t *testing.T) {
	comments := make(map[string]int) // folder -> lines of its package comment
	for _, s := range repository(t).production() {
		lines := comments[s.dir]
		if doc := s.file.Doc; doc != nil {
			text := doc.Text()
			lines += strings.Count(text, "\n")
			name := "Package " + s.file.Name.Name
			if s.file.Name.Name == "main" {
				name = "Command " + path.Base(s.dir)
			}
			if !strings.HasPrefix(text, name+" ") {
				t.Errorf("%s: the package comment must begin with %q", s.path, name)
			}
		}
		comments[s.dir] = lines
	}
	for dir, lines := range comments {
		if lines == 0 {
			t.Errorf("%s has no package comment: it says what the package is for, what it "+
				"refuses to do and what always holds in it", dir)
		}
		if lines > maxPackageComment {
			t.Errorf("%s: %d lines of package comment, at most %d: more belongs into docs/design",
				dir, lines, maxPackageComment)
		}
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	const reason = "an exported name is a promise, and a promise is written down"
	r := repository(t)
	for _, s := range r.production() {
		if s.file.Name.Name == "main" {
			continue
		}
		for _, decl := range s.file.Decls {
			for _, name := range undocumented(decl) {
				t.Errorf("%s:%d: %s has no comment: %s", s.path, r.line(name.Pos()), name.Name,
					reason)
			}
		}
	}
}

// undocumented returns the exported names of a declaration that lack a comment.
func undocumented(decl ast.Decl) []*ast.Ident {
	var out []*ast.Ident
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && (d.Recv == nil || promised(d)) {
			out = append(out, d.Name)
		}
	case *ast.GenDecl:
		told := d.Doc != nil // of the group, or of the run of lines that the name stands in
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && d.Doc == nil && spec.Doc == nil {
					out = append(out, spec.Name)
				}
			case *ast.ValueSpec:
				told = told || spec.Doc != nil
				if told || spec.Comment != nil {
					continue
				}
				for _, name := range spec.Names {
					if name.IsExported() {
						out = append(out, name)
					}
				}
			}
		}
	}
	return out
}

// promised tells whether a method is one that others call by itself: it belongs to an exported type
// and is none of those whose meaning the standard library has fixed.
func promised(d *ast.FuncDecl) bool {
	switch d.Name.Name {
	case "Error", "String", "Unwrap", "Len", "Less", "Swap":
		return false
	}
	return ast.IsExported(receiver(d))
}

// receiver is the name of a method's type, "" for a function.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return ""
	}
	e := d.Recv.List[0].Type
	for {
		switch x := e.(type) {
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// link is a Markdown link or image; its target is the first group.
var link = regexp.MustCompile(`\]\(([^)\s]+)(?:\s+"[^"]*")?\)`)

// fenced is a block of code, in which nothing is a link.
var fenced = regexp.MustCompile("(?ms)^```.*?^```\\s*$|`[^`\n]*`")

func TestLinksResolve(t *testing.T) {
	r := repository(t)
	for name, text := range r.texts {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			to := name
			if file != "" {
				to = path.Join(path.Dir(name), file)
			}
			if _, err := os.Stat(root + "/" + to); err != nil {
				t.Errorf("%s links to %s, which does not exist", name, m[1])
				continue
			}
			if anchor != "" && !anchors(r.texts[to])[anchor] {
				t.Errorf("%s links to %s: there is no such heading", name, m[1])
			}
		}
	}
}

// heading is a Markdown heading; its text is the first group.
var heading = regexp.MustCompile(`(?m)^#{1,6}\s+(.+?)\s*$`)

// anchors are the names by which the headings of a text can be linked to.
func anchors(text string) map[string]bool {
	out := make(map[string]bool)
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		var name strings.Builder
		for _, c := range strings.ToLower(m[1]) {
			switch {
			case c == ' ':
				name.WriteByte('-')
			case c == '-' || c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c > 127:
				name.WriteRune(c)
			}
		}
		out[name.String()] = true
	}
	return out
}

// TestArchitectureNamesEveryPackage leaves out packages that only support tests.
func TestArchitectureNamesEveryPackage(t *testing.T) {
	r := repository(t)
	text := r.texts["ARCHITECTURE.md"]
	missing := make(map[string]bool)
	for _, s := range r.production() {
		name := strings.TrimPrefix(s.dir, "internal/")
		support := strings.HasSuffix(name, "test")
		if !support && !strings.Contains(text, "`"+name+"`") {
			missing[name] = true
		}
	}
	for name := range missing {
		t.Errorf("ARCHITECTURE.md does not say what `%s` is for: the map shows every package", name)
	}
}

// quotedTest and quotedPath are names of tests and paths from the top in a document.
var (
	quotedTest = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z]\\w+)`")
	quotedPath = regexp.MustCompile("`((?:internal|test|docs|cmd|spec|scripts)/[\\w./-]+)`")
)

func TestDocumentsNameWhatExists(t *testing.T) {
	r := repository(t)
	tests := make(map[string]bool)
	for at := range r.tests() {
		tests[path.Base(at)] = true
	}
	for name, text := range r.texts {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, m := range quotedTest.FindAllStringSubmatch(text, -1) {
			if !tests[m[1]] {
				t.Errorf("%s names %s, which no test is called", name, m[1])
			}
		}
		for _, m := range quotedPath.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(root + "/" + m[1]); err != nil {
				t.Errorf("%s names %s, which does not exist", name, m[1])
			}
		}
	}
}

// coined is a name of the code in the glossary: `package.Name`, with the package's folder.
var coined = regexp.MustCompile("`([a-z/]+)\\.([A-Z]\\w*)(?:\\.\\w+)?`")

func TestGlossaryNamesWhatExists(t *testing.T) {
	r := repository(t)
	declared := make(map[string]bool)
	for _, s := range r.production() {
		for name := range s.file.Scope.Objects {
			declared[path.Base(s.dir)+"."+name] = true
			declared[strings.TrimPrefix(s.dir, "internal/")+"."+name] = true
		}
	}
	for _, m := range coined.FindAllStringSubmatch(r.texts["GLOSSARY.md"], -1) {
		if name := m[1] + "." + m[2]; !declared[name] && !declared[path.Base(m[1])+"."+m[2]] {
			t.Errorf("GLOSSARY.md names %s, which does not exist", name)
		}
	}
}
