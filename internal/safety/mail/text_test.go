package mail

import (
	"strings"
	"testing"
)

// TestTextsAreWhole: every language has all texts, with the same places to fill in.
func TestTextsAreWhole(t *testing.T) {
	all, err := readTexts()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 9 {
		t.Errorf("%d languages", len(all))
	}
	for lang, words := range all {
		for key, text := range words {
			want, ok := all[fallback][key]
			if !ok || strings.Count(text, "%") != strings.Count(want, "%") {
				t.Errorf("%s: %s is no text of the fallback, or is filled in differently", lang, key)
			}
		}
	}
}
