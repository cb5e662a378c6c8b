package terms

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Characters that folding treats specially.
const (
	joiner     = '\u200c' // zero width non-joiner: stands within Persian words
	apostrophe = '\''
	tatweel    = '\u0640'
	breve      = '\u0306'
	voiced     = '\u3099'
	semivoiced = '\u309a'
)

// fold makes equal what people write differently and mean the same: compatibility forms, case,
// diacritics, letters that look alike in Arabic script, digits of Arabic script, apostrophes.
// Invisible characters disappear but for the zero width non-joiner.
func fold(text string) string {
	if isASCII(text) {
		return strings.ToLower(text)
	}
	var b strings.Builder
	b.Grow(len(text))
	previous := rune(0)
	for _, r := range norm.NFKD.String(text) {
		if r < utf8.RuneSelf {
			previous = unicode.ToLower(r)
			b.WriteByte(byte(previous))
			continue
		}
		if keepMark(previous, r) {
			b.WriteRune(r)
			continue
		}
		if r == utf8.RuneError || dropped(r) {
			continue
		}
		r = unicode.ToLower(r)
		previous = r
		if s := foldLetter(r); s != "" {
			b.WriteString(s)
		} else {
			b.WriteRune(foldRune(r))
		}
	}
	return norm.NFC.String(b.String())
}

// isASCII says whether a text has ASCII characters only.
func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// keepMark says whether a combining mark makes another letter: the Russian й, and voiced kana.
func keepMark(previous, r rune) bool {
	return r == voiced || r == semivoiced || r == breve && previous == 'и'
}

// dropped says whether a character is left out: combining marks, which are diacritics and vowel
// signs in the scripts that matter most here, and invisible characters.
func dropped(r rune) bool {
	return r == tatweel || r != joiner &&
		unicode.In(r, unicode.Mn, unicode.Mc, unicode.Me, unicode.Cf)
}

// foldLetter spells out letters that have no decomposition; empty for all others.
func foldLetter(r rune) string {
	switch r {
	case 'ß':
		return "ss"
	case 'æ':
		return "ae"
	case 'œ':
		return "oe"
	default:
		return ""
	}
}

// foldRune maps a lower-case character to the one that stands for it and its twins.
func foldRune(r rune) rune {
	switch r {
	case 'ø':
		return 'o'
	case 'ł':
		return 'l'
	case 'đ':
		return 'd'
	case 'ı':
		return 'i'
	case 'ٱ':
		return 'ا'
	case 'ى', 'ی', 'ے':
		return 'ي'
	case 'ک':
		return 'ك'
	case 'ة', 'ە', 'ہ', 'ھ', 'ۃ':
		return 'ه'
	case '‘', '’', 'ʼ', '′', '‛':
		return apostrophe
	}
	switch {
	case r >= '٠' && r <= '٩':
		return '0' + r - '٠'
	case r >= '۰' && r <= '۹':
		return '0' + r - '۰'
	}
	return r
}
