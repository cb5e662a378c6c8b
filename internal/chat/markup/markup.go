// Package markup checks the text of a message and its markup, and finds what marks itself up:
// links, addresses, usernames, hashtags, commands. It is pure: whom a username means is for others
// to ask.
//
// Offsets and lengths count UTF-16 code units, as the API does.
//
// https://core.telegram.org/api/entities
package markup

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"parley/internal/chat"
	"parley/internal/chat/message"
	"parley/internal/limit"
)

// ErrBounds says that markup lies outside the text or cuts a character in two.
var ErrBounds = chat.Invalid("ENTITY_BOUNDS_INVALID")

// Length returns the length of a text in UTF-16 code units.
func Length(text string) int {
	n := 0
	for _, r := range text {
		n += width(r)
	}
	return n
}

func width(r rune) int {
	if r >= 0x10000 {
		return 2
	}
	return 1
}

// Fix cleans a text, moves its markup along and adds what marks itself up. Markup that is empty
// after cleaning is left out. The text is valid UTF-8.
func Fix(text string, list []message.Entity) (string, []message.Entity, error) {
	if err := check(text, list); err != nil {
		return "", nil, err
	}
	clean, place := tidy(text)
	out := make([]message.Entity, 0, len(list))
	for _, e := range list {
		from, to := place(e.Offset), place(e.Offset+e.Length)
		e.Offset, e.Length = from, to-from
		if e.Length > 0 {
			out = append(out, e)
		}
	}
	out = add(out, Find(clean))
	sort(out)
	if len(out) > limit.Entities {
		out = out[:limit.Entities]
	}
	if len(out) == 0 {
		out = nil
	}
	return clean, out, nil
}

// check refuses markup that does not fit the text.
func check(text string, list []message.Entity) error {
	if len(list) == 0 {
		return nil
	}
	starts := make(map[int]bool, len(text)+1)
	n := 0
	for _, r := range text {
		starts[n] = true
		n += width(r)
	}
	starts[n] = true
	for _, e := range list {
		if e.Offset < 0 || e.Length < 0 || e.Offset > n || e.Length > n-e.Offset ||
			!starts[e.Offset] || !starts[e.Offset+e.Length] {
			return ErrBounds
		}
	}
	return nil
}

// tidy takes off white space around the text and replaces control characters. The function that it
// returns maps a place in the old text to one in the new.
func tidy(text string) (string, func(int) int) {
	mapped := strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ReplaceAll(text, "\r\n", " \n"))
	front := Length(mapped) - Length(strings.TrimLeftFunc(mapped, unicode.IsSpace))
	clean := strings.TrimFunc(mapped, unicode.IsSpace)
	end := Length(clean)
	return clean, func(at int) int { return min(max(at-front, 0), end) }
}

// add joins found markup to given markup where they do not contradict each other: nothing is found
// inside code or links, nor twice.
func add(given, found []message.Entity) []message.Entity {
	out := given
	for _, f := range found {
		if !slices.ContainsFunc(given, func(g message.Entity) bool {
			return overlaps(f, g) && (opaque(g.Kind) || g.Kind == f.Kind)
		}) {
			out = append(out, f)
		}
	}
	return out
}

func overlaps(a, b message.Entity) bool {
	return a.Offset < b.Offset+b.Length && b.Offset < a.Offset+a.Length
}

// opaque tells whether nothing is looked for inside such markup.
func opaque(k message.EntityKind) bool {
	switch k {
	case message.Code, message.Pre, message.TextURL, message.MentionName, message.CustomEmoji,
		message.URL, message.Email, message.Mention, message.Hashtag:
		return true
	}
	return false
}

func sort(list []message.Entity) {
	slices.SortStableFunc(list, func(a, b message.Entity) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(b.Length, a.Length))
	})
}

// Mentions returns the usernames that a text calls, without their @.
func Mentions(text string, list []message.Entity) []string {
	var out []string
	for _, e := range list {
		if e.Kind == message.Mention {
			if name, ok := strings.CutPrefix(Cut(text, e.Offset, e.Length), "@"); ok {
				out = append(out, name)
			}
		}
	}
	return out
}

// Cut returns the part of a text that markup covers.
func Cut(text string, offset, length int) string {
	from, to := len(text), len(text)
	n := 0
	for i, r := range text {
		if n == offset {
			from = i
		}
		if n == offset+length {
			to = i
			break
		}
		n += width(r)
	}
	return text[min(from, to):to]
}

// last returns the rune before a byte offset, and whether there is one.
func last(text string, at int) (rune, bool) {
	r, size := utf8.DecodeLastRuneInString(text[:at])
	return r, size > 0
}
