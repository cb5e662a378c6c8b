package schema

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"regexp"
	"strconv"
	"strings"
)

// ErrUnsupported marks a line of TL that is valid but never travels on an RPC connection.
var ErrUnsupported = errors.New("schema: unsupported")

// ErrSyntax marks a line that is no TL definition.
var ErrSyntax = errors.New("schema: syntax")

// Line is one definition as it stands in a text, before it enters a Table.
type Line struct {
	ID     uint32
	Name   string
	Method bool
	Params []string // "name:type", with condition
	Result string
	Valid  bool // the identifier is the CRC32 of the text
}

// Parse reads a TL text: the definitions and the layer that the text names, 0 if none. Lines
// that no API value can carry (built-in types, bare vectors) are left out.
func Parse(text []byte) (lines []Line, layer int, err error) {
	method := false
	scan := bufio.NewScanner(bytes.NewReader(text))
	scan.Buffer(nil, len(text)+1)
	for scan.Scan() {
		line := strings.TrimSpace(scan.Text())
		switch {
		case line == "---functions---":
			method = true
		case line == "---types---":
			method = false
		case strings.HasPrefix(line, "// LAYER "):
			if layer, err = strconv.Atoi(line[len("// LAYER "):]); err != nil {
				return nil, 0, fmt.Errorf("%w: %q", ErrSyntax, line)
			}
		case line == "" || strings.HasPrefix(line, "//"):
		default:
			l, err := parseLine(line, method)
			if errors.Is(err, ErrUnsupported) {
				continue
			}
			if err != nil {
				return nil, 0, err
			}
			lines = append(lines, l)
		}
	}
	return lines, layer, scan.Err()
}

// builtin are names of TL itself; their values have no boxed form in the API.
var builtin = map[string]bool{
	"int": true, "long": true, "double": true, "string": true, "bytes": true,
	"int128": true, "int256": true, "vector": true,
}

func parseLine(line string, method bool) (Line, error) {
	left, result, ok := strings.Cut(strings.TrimSuffix(line, ";"), " = ")
	words := strings.Fields(left)
	if !ok || len(words) == 0 {
		return Line{}, fmt.Errorf("%w: %q", ErrSyntax, line)
	}
	name, hex, ok := strings.Cut(words[0], "#")
	// TDLib lists each wrapper a second time, as a prefix without its query.
	prefix := method && strings.HasSuffix(name, "Prefix") && result == "Error"
	if builtin[name] || prefix || strings.Contains(line, ":vector<") {
		return Line{}, fmt.Errorf("%w: %q", ErrUnsupported, line)
	}
	id, err := strconv.ParseUint(hex, 16, 32)
	if !ok || err != nil {
		return Line{}, fmt.Errorf("%w: identifier of %q", ErrSyntax, line)
	}
	l := Line{ID: uint32(id), Name: name, Method: method, Result: strings.TrimSpace(result)}
	for _, w := range words[1:] {
		if !strings.HasPrefix(w, "{") {
			l.Params = append(l.Params, w)
		}
	}
	l.Valid = checksum(line) == l.ID
	return l, nil
}

var (
	crcID   = regexp.MustCompile(`#[0-9a-f]+ `)
	crcTrue = regexp.MustCompile(` \w+:\w+\.\d+\?true`)
	crcForm = strings.NewReplacer("?bytes ", "?string ", ":bytes ", ":string ",
		"<", " ", ">", "", "{", "", "}", "")
)

// checksum is the identifier that a definition has unless it was given another by hand.
//
// https://core.telegram.org/mtproto/TL-formal
func checksum(line string) uint32 {
	line = crcID.ReplaceAllString(strings.TrimSuffix(line, ";"), " ")
	line = crcTrue.ReplaceAllString(line, "")
	return crc32.ChecksumIEEE([]byte(crcForm.Replace(line)))
}

func cutVector(text string) (elem string, ok bool) {
	if !strings.HasPrefix(text, "Vector<") || !strings.HasSuffix(text, ">") {
		return "", false
	}
	return text[len("Vector<") : len(text)-1], true
}

// boxedName reports whether the last part of a dotted name begins with a capital.
func boxedName(text string) bool {
	last := text[strings.LastIndexByte(text, '.')+1:]
	return last != "" && 'A' <= last[0] && last[0] <= 'Z' && !strings.ContainsAny(last, "<>% ")
}

// define turns a line into a definition with interned types.
func (t *Table) define(l Line) (*Def, error) {
	d := &Def{ID: l.ID, Name: l.Name, Method: l.Method}
	var err error
	if d.Result, err = t.Type(l.Result); err != nil {
		return nil, fmt.Errorf("%s: %w", l.Name, err)
	}
	for _, p := range l.Params {
		name, text, ok := strings.Cut(p, ":")
		if !ok {
			return nil, fmt.Errorf("%w: field %q of %s", ErrSyntax, p, l.Name)
		}
		f := Field{Name: name, Word: -1}
		if cond, rest, ok := strings.Cut(text, "?"); ok {
			word, bit, _ := strings.Cut(cond, ".")
			n, err := strconv.ParseUint(bit, 10, 5)
			f.Word, f.Bit, text = d.Field(word), uint8(n), rest
			if err != nil || f.Word < 0 {
				return nil, fmt.Errorf("%w: condition %q of %s", ErrSyntax, cond, l.Name)
			}
		}
		if f.Type, err = t.Type(text); err != nil {
			return nil, fmt.Errorf("%s: %w", l.Name, err)
		}
		d.Fields = append(d.Fields, f)
	}
	return d, nil
}
