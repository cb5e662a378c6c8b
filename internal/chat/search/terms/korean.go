package terms

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// minNoun is how many characters must be left of a Korean word.
const minNoun = 2

// withoutParticle takes the particle from a Korean word of a query. Text is not treated so: a
// query's fewer pairs are among those of the word with any particle, so that a noun is found with
// whatever particle it has, and what is cut off by mistake only finds more.
func withoutParticle(run []string) []string {
	for _, r := range strings.Join(run, "") {
		if !unicode.Is(unicode.Hangul, r) {
			return run
		}
	}
	for _, particle := range []string{
		"에서는", "으로는", "에게서", "이라고", "에서", "에게", "으로", "까지", "부터", "처럼", "보다",
		"하고", "이나", "라고", "한테", "은", "는", "이", "가", "을", "를", "에", "의", "도", "로", "와",
		"과", "만",
	} {
		length := utf8.RuneCountInString(particle)
		if len(run) < minNoun+length {
			continue
		}
		if strings.Join(run[len(run)-length:], "") == particle {
			return run[:len(run)-length]
		}
	}
	return run
}
