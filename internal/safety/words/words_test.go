package words_test

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"parley/internal/safety/words"
)

// letters are the packages with words of what goes to authorities and hotlines.
func letters() []string {
	return []string{"answer", "door", "hotline", "inquiry", "mailroom", "policy"}
}

// texts reads the words of a package for authorities.
func texts(t *testing.T, of string) map[string]map[string]string {
	t.Helper()
	all, err := words.Read(os.DirFS("../"+of), words.Authorities())
	if err != nil {
		t.Fatalf("%s: %v", of, err)
	}
	return all
}

// verb is a place of a text that is filled in.
var verb = regexp.MustCompile(`%(?:\[\d\])?[a-z]`)

// places are the places of a text that are filled in. Those with numbers may stand in any order.
func places(text string) []string {
	list := verb.FindAllString(text, -1)
	if strings.Contains(text, "%[") {
		slices.Sort(list)
	}
	return list
}

// TestLettersAreInOneLanguage: what goes to an authority is in its language from beginning to end:
// every package has each text in every language, to be filled in as in English, and no sentence was
// left in English. Words that are the same in two languages are few and short.
func TestLettersAreInOneLanguage(t *testing.T) {
	alike := make(map[string]int)
	for _, of := range letters() {
		all := texts(t, of)
		for lang, list := range all {
			for key, text := range list {
				english := all[words.Fallback][key]
				if !slices.Equal(places(text), places(english)) {
					t.Errorf("%s: %s: %s is filled in as %q", of, lang, key, places(text))
				}
				if text != strings.TrimSpace(text) || strings.Contains(text, "  ") {
					t.Errorf("%s: %s: %s has spaces that are not wanted: %q", of, lang, key, text)
				}
				if lang == words.Fallback || text != english {
					continue
				}
				alike[lang]++
				if len(strings.Fields(text)) > 2 {
					t.Errorf("%s: %s: %s is English: %q", of, lang, key, text)
				}
			}
		}
	}
	for lang, n := range alike {
		if n > 12 {
			t.Errorf("%s has %d texts of English", lang, n)
		}
	}
}

// lettersOf are letters that are written in a language and in no other of these.
func lettersOf() map[string]string {
	return map[string]string{
		"ru": "ы", "fa": "پ", "ar": "ة", "de": "ß", "es": "ñ", "it": "ì", "pt": "ã",
		"pl": "ł", "ro": "ț", "cs": "ř", "el": "ω", "sv": "å",
	}
}

// TestLettersHaveTheirLetters: no language's letters were lost, and none stand in another's texts,
// as they would if two files were mixed up.
func TestLettersHaveTheirLetters(t *testing.T) {
	for own, letter := range lettersOf() {
		if !slices.Contains(words.Authorities(), own) {
			continue
		}
		found := 0
		for _, of := range letters() {
			for lang, list := range texts(t, of) {
				for key, text := range list {
					switch {
					case !strings.Contains(text, letter):
					case lang == own:
						found++
					default:
						t.Errorf("%s: %s: %s has %q of %s", of, lang, key, letter, own)
					}
				}
			}
		}
		if found == 0 {
			t.Errorf("%s has nowhere %q", own, letter)
		}
	}
}

// TestRead refuses texts of which a language lacks one, or has one more, or which nobody reads.
func TestRead(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for name, c := range map[string]struct {
		files fstest.MapFS
		want  string
	}{
		"whole": {fstest.MapFS{
			"texts/en.toml": file(`a = "A"`), "texts/de.toml": file(`a = "Ä"`),
		}, ""},
		"lacks": {fstest.MapFS{
			"texts/en.toml": file("a = \"A\"\nb = \"B\""), "texts/de.toml": file(`a = "Ä"`),
		}, "lacks b"},
		"empty": {fstest.MapFS{
			"texts/en.toml": file(`a = "A"`), "texts/de.toml": file(`a = ""`),
		}, "lacks a"},
		"more": {fstest.MapFS{
			"texts/en.toml": file(`a = "A"`), "texts/de.toml": file("a = \"Ä\"\nb = \"B\""),
		}, "b alone"},
		"no file": {fstest.MapFS{"texts/en.toml": file(`a = "A"`)}, fs.ErrNotExist.Error()},
		"a file more": {fstest.MapFS{
			"texts/en.toml": file(`a = "A"`), "texts/de.toml": file(`a = "Ä"`),
			"texts/eo.toml": file(`a = "Â"`),
		}, "3 files for 2 languages"},
		"no TOML": {fstest.MapFS{
			"texts/en.toml": file(`a = "A"`), "texts/de.toml": file("a"),
		}, "de.toml"},
	} {
		all, err := words.Read(c.files, []string{"en", "de"})
		if fmt.Sprint(err) != "<nil>" && c.want == "" || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if c.want == "" && (err != nil || all["de"]["a"] != "Ä") {
			t.Errorf("%s: %v", name, all)
		}
	}
}
