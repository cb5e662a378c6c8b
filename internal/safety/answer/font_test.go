package answer

import (
	"crypto/rand"
	"strings"
	"testing"

	"parley/internal/safety/words"
)

// TestOwnFontHasTheLetters: the letters of each language are drawn with the font that the program
// brings, so that an authority's paper looks the same on every machine. Chinese and Korean are what
// it has no font for.
func TestOwnFontHasTheLetters(t *testing.T) {
	s, err := Open(t.TempDir(), "chat.example.org", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var d drawing
	d.searched = true // the machine's fonts do not count
	own, err := d.faces("")
	if err != nil || len(own.list) != 1 {
		t.Fatalf("%d fonts: %v", len(own.list), err)
	}
	for _, lang := range words.Authorities() {
		var lack strings.Builder
		for _, text := range s.texts[lang] {
			for _, r := range text {
				if !own.cover(string(r)) && !strings.ContainsRune(lack.String(), r) {
					lack.WriteRune(r)
				}
			}
		}
		if foreign := lang == "zh" || lang == "ko"; foreign == (lack.Len() == 0) {
			t.Errorf("%s: the font lacks %q", lang, lack.String())
		}
	}
}
