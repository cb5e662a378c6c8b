package terms

import (
	"strings"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/french"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/russian"
)

const (
	// minStem is the shortest word that is stemmed, in characters.
	minStem = 3
	// maxStem is the longest: what is longer is no word of a language.
	maxStem = 40
	// minUmlaut is the shortest word in which ae, oe and ue are taken for umlauts.
	minUmlaut = 5
	// minArabic is how many letters must be left of a word in Arabic script.
	minArabic = 3
)

// stems returns a word and its stems, the word first. It may repeat itself. The languages of a
// script are not told apart: a wrong stem is the same wrong stem in text and query.
func stems(text string) []string {
	list := []string{text}
	length := utf8.RuneCountInString(text)
	if length < minStem || length > maxStem {
		return list
	}
	switch scriptOf(text) {
	case latin:
		list = append(list, snowball(text, english.Stem), snowball(text, german.Stem),
			snowball(text, french.Stem))
		if plain := withoutUmlauts(text); plain != text {
			list = append(list, plain, snowball(plain, german.Stem))
		}
		// The feminine participle, which the stemmer knows by the accent that folding took.
		if base := strings.TrimSuffix(text, "s"); strings.HasSuffix(base, "ee") {
			list = append(list, snowball(base[:len(base)-1], french.Stem))
		}
		list = append(list, indonesian(text)...)
	case cyrillic:
		list = append(list, snowball(text, russian.Stem))
	case arabic:
		list = append(list, withoutAffixes(text)...)
	}
	return list
}

// snowball runs one of the Snowball stemmers.
//
// https://snowballstem.org/algorithms/
func snowball(text string, stem func(*snowballstem.Env) bool) string {
	env := snowballstem.NewEnv(text)
	stem(env)
	return env.Current()
}

// withoutUmlauts turns the spellings ae, oe and ue into what folding leaves of an umlaut, where a
// German word could have one: between consonants, and not after q.
func withoutUmlauts(text string) string {
	if len(text) < minUmlaut {
		return text
	}
	var b strings.Builder
	for i := range len(text) {
		if text[i] == 'e' && i > 0 && i+1 < len(text) && strings.IndexByte("aou", text[i-1]) >= 0 &&
			!isVowel(text[i+1]) && (i < 2 || !isVowel(text[i-2]) && text[i-2] != 'q') {
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// isVowel says whether a Latin letter is a vowel.
func isVowel(c byte) bool { return strings.IndexByte("aeiou", c) >= 0 }

// withoutAffixes returns an Arabic or Persian word without its article and, next, without its
// commonest ending: plural, feminine, and relation.
func withoutAffixes(text string) []string {
	bare := text
	for _, prefix := range []string{"وال", "بال", "كال", "فال", "لل", "ال"} {
		if rest, found := strings.CutPrefix(text, prefix); found && arabicEnough(rest) {
			bare = rest
			break
		}
	}
	list := []string{bare}
	for _, suffix := range []string{
		"هايي", "هاي", "ها", "ات", "ون", "ين", "ان", "يه", "ه", "ي",
	} {
		if rest, found := strings.CutSuffix(bare, suffix); found && arabicEnough(rest) {
			return append(list, rest)
		}
	}
	return list
}

// arabicEnough says whether enough letters are left of a word.
func arabicEnough(text string) bool { return utf8.RuneCountInString(text) >= minArabic }
