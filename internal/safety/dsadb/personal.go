package dsadb

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Found is a part of a text that looks like personal data.
type Found struct {
	// Kind is email, username, link, phone, address or number.
	Kind string
	// Part is what it is; it is shown to staff and goes nowhere else.
	Part string
}

// shapes are how personal data looks in a messenger's texts, the more certain first. Names of
// people have no shape: whoever writes facts is told not to write them.
var shapes = []struct {
	kind string
	form *regexp.Regexp
}{
	{"email", regexp.MustCompile(`[\pL\pN._%+-]+@[\pL\pN-]+(\.[\pL\pN-]+)+`)},
	{"link", regexp.MustCompile(`(?i)\b(https?://|tg://|t\.me/|telegram\.me/)\S+`)},
	{"username", regexp.MustCompile(`@[A-Za-z][A-Za-z0-9_]{3,}`)},
	{"address", regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}\b`)},
	{"address", regexp.MustCompile(`(?i)\b[0-9a-f]{1,4}(:[0-9a-f]{0,4}){3,7}\b`)},
	{"phone", regexp.MustCompile(`(\+|\b00|\(0\d+\)|\b0)[\pN \-./()]{6,}\pN`)},
	{"number", regexp.MustCompile(`\pN([ \-.]?\pN){7,}`)},
}

// Personal finds what looks like personal data in a text: addresses of mail and of machines,
// usernames and links to people, phone numbers and other long numbers. Days are no finding.
func Personal(text string) (out []Found) {
	text = unmasked(text)
	for _, s := range shapes {
		text = s.form.ReplaceAllStringFunc(text, func(part string) string {
			if days.MatchString(strings.TrimSpace(part)) {
				return part
			}
			out = append(out, Found{s.kind, part})
			return " "
		})
	}
	return out
}

// days are dates and spans of them, which look like numbers.
var days = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}([ T]\d{2})?$`)

// unmasked is a text without what hides in it: characters of no width, and digits of other scripts
// or forms as they are read.
func unmasked(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r):
			return -1
		case r == '＠':
			return '@'
		case r == '\u00a0' || r == '\u202f':
			return ' '
		default:
			return r
		}
	}, text)
}

// removed takes the place of what was left out.
const removed = "[…]"

// Redact is a text without what looks like personal data.
func Redact(text string) string {
	found := Personal(text)
	if len(found) == 0 {
		return text
	}
	clean := unmasked(text)
	slices.SortFunc(found, func(a, b Found) int { return len(b.Part) - len(a.Part) })
	for _, f := range found {
		clean = strings.ReplaceAll(clean, f.Part, removed)
	}
	return clean
}

// redact leaves out of the texts what looks like personal data.
func (s *Statement) redact() {
	for _, text := range s.texts() {
		*text = Redact(*text)
	}
}

// personal lists what looks like personal data in a statement: kinds and fields, not the parts.
func (s *Statement) personal() (out []string) {
	for _, text := range s.texts() {
		for _, f := range Personal(*text) {
			if !slices.Contains(out, f.Kind) {
				out = append(out, f.Kind)
			}
		}
	}
	return out
}
