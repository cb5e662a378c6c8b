package layer

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"parley/internal/mtproto/layer/layertest"
	"parley/internal/mtproto/layer/schema"
)

var updateExamples = flag.Bool("update", false, "write testdata/rules.txt; then read what changed")

const examplesFile = "testdata/rules.txt"

const examplesHead = `# An example of each hand-written rule: what goes in, in which layer, what must come out, and what would
# come out without the rule. A rule without an example fails TestRules, and so does one that changes
# nothing in its own. go test -run TestRules -update finds examples for new rules; read them then.
`

// example shows what a rule does.
type example struct {
	layer int
	// early says that the layer was revised in place, and that it is its first form.
	early bool
	// method is the method of today whose result goes in; empty for an object or a request.
	method string
	from   any
	to     string // as shown
}

// early marks the first form of a layer that was revised in place.
const early = " as it was first"

// dropped is what is shown for what cannot be expressed.
const dropped = "dropped"

var kindNames = map[ruleKind]string{
	ruleField: "field", ruleType: "type", ruleObject: "object", ruleInstead: "instead",
}

// key names a rule in the file.
func (r *rule) key(direction string) string {
	return strings.TrimSpace(strings.Join([]string{direction, kindNames[r.kind], r.at, r.to}, " "))
}

// gallery runs examples with all rules, and with all but one.
type gallery struct {
	*bench
	down, up         *source
	downBook, upBook *ruleBook
	downs            map[int]*compiled
	ups              *compiled
}

type compiled struct {
	program *program
	used    map[*rule]bool
}

func newGallery(t *testing.T) *gallery {
	t.Helper()
	g := &gallery{bench: newBench(t), downs: make(map[int]*compiled)}
	g.down, g.up = downSource(g.table), upSource(g.table)
	var err error
	if g.downBook, g.upBook, err = books(); err != nil {
		t.Fatal(err)
	}
	g.ups = g.compile(g.up, Current, g.upBook, true)
	return g
}

func (g *gallery) compile(src *source, layer int, book *ruleBook, strict bool) *compiled {
	g.t.Helper()
	k := newCompiler(src, layer, book, strict)
	p, err := k.program()
	if err != nil {
		g.t.Fatal(err)
	}
	return &compiled{p, k.used}
}

// with is the program of a layer with all rules.
func (g *gallery) with(layer int) *compiled {
	if g.downs[layer] == nil {
		g.downs[layer] = g.compile(g.down, layer, g.downBook, false)
	}
	return g.downs[layer]
}

// without is a program without one rule.
func (g *gallery) without(r *rule, direction string, layer int) *program {
	g.t.Helper()
	all := g.downBook
	if direction == "up" {
		all = g.upBook
	}
	var rest []rule
	for _, other := range all.all {
		if other != r {
			rest = append(rest, *other)
		}
	}
	book, err := newRuleBook(rest)
	if err != nil {
		g.t.Fatal(err)
	}
	if book.renamed = all.renamed; direction == "up" {
		return g.compile(g.up, Current, book, true).program
	}
	return g.compile(g.down, layer, book, false).program
}

// run puts an example through a program and shows what comes out.
func (g *gallery) run(p *program, direction string, e example) (string, error) {
	if direction == "up" {
		return g.runUp(p, e)
	}
	now := g.book(Current)
	var body, out []byte
	var typ *schema.Type
	var err error
	if e.method == "" {
		d := now.Find(e.from.(m)["_"].(string))
		body, typ = now.Pack(e.from.(m)), d.Result
		out, err = g.rewrite(nil, p, body, nil)
	} else {
		d := now.Find(e.method)
		body, typ = now.Append(nil, d.Result, e.from), g.expected(d, e.layer)
		out, err = g.rewrite(nil, p, body, p.results[d.ID])
	}
	if err != nil {
		return dropped, ignoreDrop(err)
	}
	n, err := g.book(e.layer).Read(out, typ)
	if err != nil {
		return "", err
	}
	return show(layertest.Unpack(n, typ)), nil
}

// expected is the type that a layer expects of a method of today.
func (g *gallery) expected(d *schema.Def, layer int) *schema.Type {
	for _, name := range append([]string{d.Name}, g.downBook.renamed[d.Name]...) {
		if old := g.book(layer).Find(name); old != nil && old.Method {
			return old.Result
		}
	}
	return d.Result
}

// client is the layer as the client of an example speaks it.
func (g *gallery) client(e example) *layertest.Book {
	if !e.early {
		return g.book(e.layer)
	}
	var defs []*schema.Def
	for i, src := range g.table.Sources {
		if src.Layer == e.layer {
			for _, d := range g.table.Defs {
				if d.In(i) {
					defs = append(defs, d)
				}
			}
			break
		}
	}
	return layertest.NewBook(e.layer, defs)
}

func (g *gallery) runUp(p *program, e example) (string, error) {
	old := g.client(e)
	d := old.Find(e.from.(m)["_"].(string))
	body, typ := old.Pack(e.from.(m)), d.Result
	var out []byte
	var err error
	if d.Method {
		typ = query
		one := &Set{table: g.table, layers: g.layers, up: p}
		one.coders.New = func() any { return new(coder) }
		out, err = one.Up(body)
	} else {
		out, err = g.rewrite(nil, p, body, nil)
	}
	if err != nil {
		return dropped, ignoreDrop(err)
	}
	n, err := g.book(Current).ReadLoose(out, typ)
	if err != nil {
		return "", err
	}
	return show(layertest.Unpack(n, typ)), nil
}

func ignoreDrop(err error) error {
	if errors.Is(err, ErrDrop) || errors.Is(err, ErrRemoved) {
		return nil
	}
	return err
}

// show writes a value as JSON, with the constructor first and with a point in what is no integer.
func show(v any) string {
	switch v := v.(type) {
	case m:
		names := slices.Sorted(maps.Keys(v))
		parts := []string{fmt.Sprintf(`"_":%q`, v["_"])}
		for _, name := range names {
			if name != "_" {
				parts = append(parts, fmt.Sprintf("%q:%s", name, show(v[name])))
			}
		}
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		var parts []string
		for _, elem := range v {
			parts = append(parts, show(elem))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case float64:
		text := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0"
		}
		return text
	default:
		text, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return string(text)
	}
}

// parse reads what show writes.
func parse(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return plainValue(v), err
}

func plainValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(m)
		for name, x := range v {
			out[name] = plainValue(x)
		}
		return out
	case []any:
		out := []any{}
		for _, x := range v {
			out = append(out, plainValue(x))
		}
		return out
	case json.Number:
		if n, err := strconv.Atoi(v.String()); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	default:
		return v
	}
}

// readExamples reads the file: a line with the key, then indented lines.
func readExamples(t *testing.T) map[string]example {
	t.Helper()
	text, err := os.ReadFile(examplesFile)
	if err != nil && !(*updateExamples && errors.Is(err, os.ErrNotExist)) {
		t.Fatal(err)
	}
	out := make(map[string]example)
	key := ""
	for line := range bytes.Lines(text) {
		line := strings.TrimRight(string(line), "\n")
		word, rest, _ := strings.Cut(strings.TrimPrefix(line, "\t"), " ")
		e := out[key]
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			continue
		case !strings.HasPrefix(line, "\t"):
			key, e = line, example{}
		case word == "layer":
			rest, e.early = strings.CutSuffix(rest, early)
			e.layer, err = strconv.Atoi(rest)
		case word == "result":
			e.method = rest
		case word == "from":
			e.from, err = parse(rest)
		case word == "to":
			e.to = rest
		case word != "without":
			err = errors.New("what is that?")
		}
		if err != nil {
			t.Fatalf("%s: %q: %v", examplesFile, line, err)
		}
		out[key] = e
	}
	return out
}

// TestRules runs the example of each rule, with the rule and without it.
func TestRules(t *testing.T) {
	g := newGallery(t)
	known := readExamples(t)
	var file strings.Builder
	file.WriteString(examplesHead)
	for _, direction := range []string{"down", "up"} {
		book := g.downBook
		if direction == "up" {
			book = g.upBook
		}
		rules := slices.Clone(book.all)
		slices.SortFunc(rules, func(a, b *rule) int {
			return strings.Compare(a.key(direction), b.key(direction))
		})
		for _, r := range rules {
			key := r.key(direction)
			e, ok := known[key]
			delete(known, key)
			if !ok && *updateExamples {
				e, ok = g.search(r, direction)
			}
			if !ok {
				t.Errorf("%s: no example", key)
				continue
			}
			g.check(&file, r, direction, e)
		}
	}
	for key := range known {
		if !*updateExamples {
			t.Errorf("an example of no rule: %s", key)
		}
	}
	if *updateExamples {
		if err := os.WriteFile(examplesFile, []byte(file.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// check runs one example.
func (g *gallery) check(file *strings.Builder, r *rule, direction string, e example) {
	g.t.Helper()
	key := r.key(direction)
	if strings.TrimSpace(r.why) == "" {
		g.t.Errorf("%s: no reason", key)
	}
	p := g.ups
	if direction == "down" {
		p = g.with(e.layer)
	}
	got, err := g.run(p.program, direction, e)
	if err != nil {
		g.t.Errorf("%s: %v", key, err)
	}
	without, err := g.run(g.without(r, direction, e.layer), direction, e)
	if err != nil {
		without = "broken"
	}
	if got != e.to && !*updateExamples {
		g.t.Errorf("%s in layer %d:\n%s\nbecomes\n%s\nwant\n%s", key, e.layer, show(e.from), got,
			e.to)
	}
	if got == without {
		g.t.Errorf("%s changes nothing in its example", key)
	}
	first := map[bool]string{true: early}[e.early]
	fmt.Fprintf(file, "\n%s\n\tlayer %d%s\n", key, e.layer, first)
	if e.method != "" {
		fmt.Fprintf(file, "\tresult %s\n", e.method)
	}
	fmt.Fprintf(file, "\tfrom %s\n\tto %s\n\twithout %s\n", show(e.from), got, without)
}
