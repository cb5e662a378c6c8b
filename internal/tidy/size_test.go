package tidy

import (
	"bufio"
	"fmt"
	"go/ast"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// The house numbers.
const (
	maxFunction = 70  // lines from func to its closing brace
	maxFile     = 600 // lines
	maxWidth    = 100 // columns, with tabs of tabWidth
	tabWidth    = 4
)

// exceptions lists what exceeded a house number when the numbers came: kind, place, size.
const exceptions = "testdata/sizes.txt"

// sizeReasons say why each kind of size is bounded.
var sizeReasons = map[string]string{
	"function": "a function is read on one screen",
	"file":     "a file is read in one sitting",
	"width":    "two files stand side by side on a screen (number of lines that are too wide)",
}

func TestSizes(t *testing.T) {
	allowed, err := readSizes()
	if err != nil {
		t.Fatal(err)
	}
	found := oversized(repository(t))
	for place, size := range found {
		kind, _, _ := strings.Cut(place, " ")
		if size > allowed[place] {
			t.Errorf("%s has %d, allowed are %d: %s", place, size, allowed[place],
				sizeReasons[kind])
		}
	}
	left := make(map[string]int)
	for place, size := range allowed {
		now, ok := found[place]
		if ok {
			left[place] = min(now, size)
		}
		if now < size && !*update {
			t.Logf("%s: %d are allowed and %d are there: -update lowers it", place, size, now)
		}
	}
	if *update {
		if err := writeSizes(left); err != nil {
			t.Fatal(err)
		}
	}
}

// oversized measures the tree without its tests, which may be long lists of cases, and returns what
// exceeds a house number.
func oversized(r *tree) map[string]int {
	out := make(map[string]int)
	for _, s := range r.production() {
		if lines := strings.Count(s.text, "\n"); lines > maxFile {
			out["file "+s.path] = lines
		}
		for _, decl := range s.file.Decls {
			d, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := r.line(d.End()) - r.line(d.Pos()) + 1
			if lines > maxFunction {
				name := strings.TrimPrefix(receiver(d)+"."+d.Name.Name, ".")
				out["function "+s.path+":"+name] = lines
			}
		}
		for line := range strings.Lines(s.text) {
			if width(strings.TrimRight(line, "\r\n")) > maxWidth {
				out["width "+s.path]++
			}
		}
	}
	return out
}

// width is how many columns a line takes.
func width(line string) int {
	return utf8.RuneCountInString(line) + strings.Count(line, "\t")*(tabWidth-1)
}

// maxMethods is how many methods an interface may have.
const maxMethods = 5

func TestInterfacesAreSmall(t *testing.T) {
	r := repository(t)
	for _, s := range r.production() {
		ast.Inspect(s.file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			in, ok := spec.Type.(*ast.InterfaceType)
			if ok && in.Methods.NumFields() > maxMethods {
				t.Errorf("%s:%d: %s has %d methods, at most %d: what many can implement is small",
					s.path, r.line(spec.Pos()), spec.Name.Name, in.Methods.NumFields(), maxMethods)
			}
			return true
		})
	}
}

// readSizes reads the list of exceptions.
func readSizes() (map[string]int, error) {
	f, err := os.Open(exceptions)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := make(map[string]int)
	for in := bufio.NewScanner(f); in.Scan(); {
		fields := strings.Fields(in.Text())
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if len(fields) != 3 {
			return nil, fmt.Errorf("%s: %q is not kind, place, size", exceptions, in.Text())
		}
		size, err := strconv.Atoi(fields[2])
		if err != nil {
			return nil, err
		}
		out[fields[0]+" "+fields[1]] = size
	}
	return out, nil
}

// writeSizes writes the list of exceptions.
func writeSizes(sizes map[string]int) error {
	var b strings.Builder
	b.WriteString("# What exceeded a house number when the numbers came. It may only shrink.\n")
	for _, place := range slices.Sorted(maps.Keys(sizes)) {
		fmt.Fprintf(&b, "%s %d\n", place, sizes[place])
	}
	return os.WriteFile(exceptions, []byte(b.String()), 0o644)
}
