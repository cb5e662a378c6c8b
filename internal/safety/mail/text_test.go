package mail

import (
	"strings"
	"testing"

	"parley/internal/safety/words"
)

// TestTextsAreWhole: every language has all texts, with the same places to fill in.
func TestTextsAreWhole(t *testing.T) {
	all, err := words.Read(files, words.People())
	if err != nil {
		t.Fatal(err)
	}
	for lang, said := range all {
		for key, text := range said {
			want, ok := all[words.Fallback][key]
			if !ok || strings.Count(text, "%") != strings.Count(want, "%") {
				t.Errorf("%s: %s is no text of the fallback, or is filled in differently", lang, key)
			}
		}
	}
}
