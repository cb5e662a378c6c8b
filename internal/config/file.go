package config

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// maxFile bounds the configuration file, in bytes.
const maxFile = 1 << 20

// readFile sets what a TOML file says.
func (l *loader) readFile(path string) {
	content, err := readBounded(path, maxFile)
	if err != nil {
		l.problems = append(l.problems, Problem{Text: err.Error()})
		return
	}
	l.readTOML(path, content)
}

// readTOML sets what TOML text says. The text is parsed twice: as a whole, because only that finds
// a key that is defined twice, and piece by piece, because only that knows the lines.
//
// https://toml.io/en/v1.0.0
func (l *loader) readTOML(path string, content []byte) {
	var whole map[string]any
	if err := toml.Unmarshal(content, &whole); err != nil {
		where, text := path, err.Error()
		var syntax *toml.DecodeError
		if errors.As(err, &syntax) {
			line, _ := syntax.Position()
			where = fmt.Sprintf("%s:%d", path, line)
		}
		text = strings.TrimPrefix(text, "toml: ")
		l.problems = append(l.problems, Problem{Where: where, Text: text})
		return
	}
	r := fileReader{loader: l, path: path}
	r.parser.Reset(content)
	table, known := "", true
	for r.parser.NextExpression() {
		switch node := r.parser.Expression(); {
		case node.Kind != unstable.KeyValue:
			var where string
			table, where = r.key(node)
			known = l.checkTable(table, where, node.Kind == unstable.ArrayTable)
			table += "."
		case known:
			r.keyValue(table, node)
		}
	}
}

// checkTable reports whether a table header names a section, and complains if it does not.
func (l *loader) checkTable(key, where string, isArray bool) bool {
	known := l.sections()
	if !slices.Contains(known, key) {
		l.unknown(where, "["+key+"]", key, "section", known)
		return false
	}
	if isArray {
		l.problems = append(l.problems, Problem{where, key, "must be written as [" + key + "]"})
	}
	return !isArray
}

// sections lists the names of the sections.
func (l *loader) sections() []string {
	names := make(map[string]bool)
	for key := range l.fields {
		if section, _, ok := strings.Cut(key, "."); ok {
			names[section] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// fileReader walks the expressions of one file.
type fileReader struct {
	*loader
	path   string
	parser unstable.Parser
}

// key returns the dotted key of a node and the line on which it stands.
func (r *fileReader) key(node *unstable.Node) (key, where string) {
	var parts []string
	for it := node.Key(); it.Next(); {
		if where == "" {
			line := r.parser.Shape(it.Node().Raw).Start.Line
			where = fmt.Sprintf("%s:%d", r.path, line)
		}
		parts = append(parts, string(it.Node().Data))
	}
	return strings.Join(parts, "."), where
}

// keyValue sets what one "key = value" says. The table is empty or ends with a dot.
func (r *fileReader) keyValue(table string, node *unstable.Node) {
	key, where := r.key(node)
	key = table + key
	value := node.Value()
	if value.Kind == unstable.InlineTable {
		for it := value.Children(); it.Next(); {
			r.keyValue(key+".", it.Node())
		}
		return
	}
	f, ok := r.fields[key]
	if !ok {
		r.unknown(where, key, key, "key", slices.Collect(maps.Keys(r.fields)))
		return
	}
	r.set(f, where, func() error { return setNode(f, value) })
}

// Reasons why a TOML value does not fit a field.
var (
	errQuotes   = errors.New(`must be a text in "quotes"`)
	errNoQuotes = errors.New("must be written without quotes")
	errList     = errors.New(`must be a list of texts: ["...", "..."]`)
)

func setNode(f field, value *unstable.Node) error {
	if f.value.Kind() == reflect.Slice {
		if value.Kind != unstable.Array {
			return errList
		}
		texts := []string{}
		for it := value.Children(); it.Next(); {
			if it.Node().Kind != unstable.String {
				return errList
			}
			texts = append(texts, string(it.Node().Data))
		}
		return f.setList(texts)
	}
	switch {
	case value.Kind == unstable.Array:
		return errOneOnly
	case f.bare() && value.Kind == unstable.String:
		return errNoQuotes
	case !f.bare() && value.Kind != unstable.String:
		return errQuotes
	}
	return f.setList([]string{string(value.Data)})
}
