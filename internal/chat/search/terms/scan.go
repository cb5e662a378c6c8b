package terms

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is what a piece of text is.
type kind int

const (
	plain   kind = iota // a word between separators
	dense               // a run of characters whose words stand unseparated
	hashtag             // a hashtag's name
	mention             // a mentioned username
)

// word is a piece of folded text.
type word struct {
	kind kind
	text string
}

// scan folds a text and hands its words to visit, in order, until visit returns false.
func scan(text string, visit func(word) bool) {
	text = fold(shortenURLs(text))
	before := rune(0)
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if (r == '#' || r == '@') && !inWord(before) {
			if end := i + size + nameLength(text[i+size:]); end > i+size {
				if !visitName(r, text[i+size:end], visit) {
					return
				}
				before, i = 0, end
				continue
			}
		}
		if !inWord(r) {
			before, i = r, i+size
			continue
		}
		length := wordLength(text[i:])
		if !visitRun(text[i:i+length], visit) {
			return
		}
		before, i = 'x', i+length
	}
}

// visitName hands on a hashtag or mention, or the digits of a number with such a sign before it.
func visitName(mark rune, name string, visit func(word) bool) bool {
	if strings.IndexFunc(name, unicode.IsLetter) < 0 {
		return visitParts(name, visit)
	}
	if mark == '@' {
		return visit(word{kind: mention, text: name})
	}
	return visit(word{kind: hashtag, text: name})
}

// visitParts hands on the words in a name.
func visitParts(name string, visit func(word) bool) bool {
	for part := range strings.SplitSeq(name, "_") {
		if part != "" && !visitRun(part, visit) {
			return false
		}
	}
	return true
}

// visitRun hands on the words in a run without separators, cutting it where dense script begins or
// ends.
func visitRun(run string, visit func(word) bool) bool {
	start, startDense := 0, false
	for i, r := range run {
		d := isDense(r)
		if i == 0 {
			startDense = d
		}
		if d == startDense || r == joiner || r == apostrophe {
			continue
		}
		if !visitPiece(run[start:i], startDense, visit) {
			return false
		}
		start, startDense = i, d
	}
	return visitPiece(run[start:], startDense, visit)
}

// visitPiece hands on one word.
func visitPiece(text string, isDense bool, visit func(word) bool) bool {
	w := word{text: strings.Trim(text, "'\u200c")}
	if isDense {
		w.kind, w.text = dense, joined(text)
	}
	return w.text == "" || visit(w)
}

// inWord says whether a character belongs to words.
func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r)
}

// wordLength returns the length in bytes of the word that a text begins with. Joiners and
// apostrophes belong to it when more of it follows.
func wordLength(text string) int {
	end := 0
	for i, r := range text {
		switch {
		case inWord(r):
			end = i + utf8.RuneLen(r)
		case r != joiner && r != apostrophe:
			return end
		case end != i:
			return end
		}
	}
	return end
}

// nameLength returns the length in bytes of the hashtag or username that a text begins with.
//
// https://core.telegram.org/api/entities
func nameLength(text string) int {
	for i, r := range text {
		if !inWord(r) && r != '_' && r != joiner {
			return i
		}
	}
	return len(text)
}

// joined returns a word without the joiners and apostrophes in it.
func joined(text string) string {
	if !strings.ContainsAny(text, "'\u200c") {
		return text
	}
	return strings.NewReplacer("'", "", "\u200c", "").Replace(text)
}

// shortenURLs leaves of each URL in a text its host without "www." and its path: nobody searches
// for the rest, and it may hold what was not meant for others.
func shortenURLs(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	fields := strings.Fields(text)
	for i, field := range fields {
		before, rest, found := strings.Cut(field, "://")
		if !found {
			continue
		}
		// What stands before the scheme may be text of a script without spaces.
		before = strings.TrimRightFunc(before, func(r rune) bool {
			return r < utf8.RuneSelf && unicode.IsLetter(r)
		})
		if end := strings.IndexAny(rest, "?#"); end >= 0 {
			rest = rest[:end]
		}
		host, path, _ := strings.Cut(rest, "/")
		host = host[strings.LastIndexByte(host, '@')+1:]
		if decoded, err := url.PathUnescape(path); err == nil && utf8.ValidString(decoded) {
			path = decoded
		}
		host = strings.TrimPrefix(strings.ToLower(host), "www.")
		fields[i] = before + " " + host + "/" + path
	}
	return strings.Join(fields, " ")
}

// script is the writing system of a word, as far as stems depend on it.
type script int

const (
	otherScript script = iota
	latin
	cyrillic
	arabic
)

// scriptOf returns the one script of a word's letters; otherScript when there are digits, several
// scripts, or one without stems.
func scriptOf(text string) script {
	first := otherScript
	for i, r := range text {
		s := otherScript
		switch {
		case r >= 'a' && r <= 'z':
			s = latin
		case r >= 'а' && r <= 'я':
			s = cyrillic
		case unicode.Is(unicode.Arabic, r):
			s = arabic
		}
		if i > 0 && s != first {
			return otherScript
		}
		first = s
	}
	return first
}

// isDense says whether a character is of a script that gives pairs: those whose words are not
// separated, and Hangul. The common ranges come first, for speed.
func isDense(r rune) bool {
	switch {
	case r < 0x0e00:
		return false
	case r >= 0x4e00 && r <= 0x9fff, r >= 0xac00 && r <= 0xd7a3:
		return true
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo,
		unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) || r == 'ー'
}
