package session

import (
	"regexp"
	"strconv"
	"strings"
)

// maxFlags is the largest number of flags words of one constructor.
const maxFlags = 3

// fixedSizes are the types whose values are of one length, in bytes.
var fixedSizes = map[string]int{
	"int": 4, "long": 8, "double": 8, "int128": 16, "int256": 32, "Bool": 4,
}

var optional = regexp.MustCompile(`^flags(\d*)\.(\d+)\?(.*)$`)

// parseGrammar reads TL text as it is embedded. It panics on any other.
func parseGrammar(schema string) *grammar {
	g := &grammar{constructors: make(map[uint32]*constructor)}
	contains := make(map[string][]string) // a boxed type's fields' types
	for line := range strings.Lines(schema) {
		line = strings.TrimSuffix(strings.TrimSpace(line), ";")
		if line == "" || strings.HasPrefix(line, "//") {
			continue
		}
		id, c := parseConstructor(line)
		g.constructors[id] = c
		for _, f := range c.fields {
			if f.wire == value {
				contains[c.boxed] = append(contains[c.boxed], f.boxed)
			}
		}
	}
	for id, c := range g.constructors {
		for _, f := range c.fields {
			if f.wire == value && reaches(contains, f.boxed, c.boxed) {
				c.recursive = true
				g.maybe[id>>filterShift] = true
			}
		}
	}
	return g
}

func parseConstructor(line string) (uint32, *constructor) {
	left, boxed, _ := strings.Cut(line, " = ")
	words := strings.Fields(left)
	_, hex, _ := strings.Cut(words[0], "#")
	id, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || boxed == "" {
		panic("session: no constructor: " + line)
	}
	c := &constructor{boxed: boxed}
	var flagsNames []string
	for _, word := range words[1:] {
		name, typ, _ := strings.Cut(word, ":")
		if typ == "#" {
			flagsNames = append(flagsNames, name)
		}
		if f, bytes := parseField(typ, flagsNames); bytes {
			c.fields = append(c.fields, f)
		}
	}
	return uint32(id), c
}

// parseField returns the field of a type, unless it takes up no bytes.
func parseField(typ string, flagsNames []string) (f field, bytes bool) {
	if part := optional.FindStringSubmatch(typ); part != nil {
		for i, name := range flagsNames {
			if name == "flags"+part[1] {
				f.flags = i + 1
			}
		}
		bit, _ := strconv.Atoi(part[2])
		f.bit, typ = 1<<bit, part[3]
	}
	if elem, isVector := strings.CutPrefix(typ, "Vector<"); isVector {
		f.vector, typ = true, strings.TrimSuffix(elem, ">")
	}
	switch typ {
	case "true":
		return f, false
	case "#":
		f.wire, f.size = flagsWord, wordBytes
	case "string", "bytes":
		f.wire = text
	default:
		if f.size = fixedSizes[typ]; f.size == 0 {
			f.wire, f.boxed = value, typ
		}
	}
	return f, true
}

// reaches reports whether values of the type from can contain values of the type to, or are such.
func reaches(contains map[string][]string, from, to string) bool {
	seen := make(map[string]bool)
	open := []string{from}
	for len(open) > 0 {
		t := open[len(open)-1]
		open = open[:len(open)-1]
		if t == to {
			return true
		}
		if !seen[t] {
			seen[t] = true
			open = append(open, contains[t]...)
		}
	}
	return false
}
