// Package pagetest checks the pages and texts of a package against each other.
package pagetest

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/internal/web/page"
)

// used is a text that a template asks for by its name; its key is the first group.
var used = regexp.MustCompile(`\.T "([^"]+)"`)

// verb is a place of a text that is filled in.
var verb = regexp.MustCompile(`%(?:\[\d\])?[a-z]`)

// Texts checks the files of a package: every text exists in all languages, has the same places to
// fill in everywhere and no markup, and is not English elsewhere; every text that a template names
// exists there or in more, the files whose texts its pages use as well.
func Texts(t *testing.T, files fs.FS, more ...fs.FS) {
	t.Helper()
	texts, err := page.ReadTexts(files)
	if err != nil {
		t.Fatal(err)
	}
	english := texts[page.Fallback]
	for lang, words := range texts {
		for key, text := range english {
			said, ok := words[key]
			switch {
			case !ok:
				t.Errorf("%s lacks %s", lang, key)
			case strings.TrimSpace(said) == "" || strings.ContainsAny(said, "<>&"):
				t.Errorf("%s: %s is empty or has markup", lang, key)
			case lang != page.Fallback && said == text && sentence(text):
				t.Errorf("%s: %s is still English", lang, key)
			case !slices.Equal(places(said), places(text)):
				t.Errorf("%s: %s is filled in differently than in English", lang, key)
			}
		}
		for key := range words {
			if _, ok := english[key]; !ok {
				t.Errorf("%s has %s, which English lacks", lang, key)
			}
		}
	}
	names, err := fs.Glob(files, "pages/*.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range used.FindAllStringSubmatch(string(b), -1) {
			if !texts.Has(m[1]) && !has(t, more, m[1]) {
				t.Errorf("%s asks for %s, which nobody wrote", name, m[1])
			}
		}
	}
}

// has tells whether one of several packages has a text.
func has(t *testing.T, in []fs.FS, key string) bool {
	t.Helper()
	for _, files := range in {
		texts, err := page.ReadTexts(files)
		if err != nil {
			t.Fatal(err)
		}
		if texts.Has(key) {
			return true
		}
	}
	return false
}

// sentence tells whether a text has words enough to differ between languages.
func sentence(text string) bool { return len(strings.Fields(text)) > 1 }

// places are the verbs of a text in the order of their arguments.
func places(text string) []string {
	out := verb.FindAllString(text, -1)
	slices.Sort(out)
	return out
}
