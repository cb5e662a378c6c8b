package page

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"

	"github.com/pelletier/go-toml/v2"
)

// Texts are the words of pages: language, key, text. A text may hold verbs of fmt and never markup.
type Texts map[string]map[string]string

// Files are the embedded files of the layout.
func Files() fs.FS { return own }

// ReadTexts reads texts/LANG.toml for every language. A package may lack some: then its pages are
// in English for those who ask for them.
func ReadTexts(files fs.FS) (Texts, error) {
	out := make(Texts)
	for _, l := range Languages() {
		name := "texts/" + l.Code + ".toml"
		b, err := fs.ReadFile(files, name)
		if errors.Is(err, fs.ErrNotExist) && l.Code != Fallback {
			out[l.Code] = make(map[string]string)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("page: texts: %w", err)
		}
		words := make(map[string]string)
		if err := toml.Unmarshal(b, &words); err != nil {
			return nil, fmt.Errorf("page: %s: %w", name, err)
		}
		out[l.Code] = words
	}
	return out, nil
}

// speaks are the languages in which a package has texts of its own.
func speaks(files fs.FS) (map[string]bool, error) {
	texts, err := ReadTexts(files)
	out := make(map[string]bool)
	for code, words := range texts {
		out[code] = len(words) > 0
	}
	return out, err
}

// with joins the texts of a package to these.
func (t Texts) with(more Texts) Texts {
	out := make(Texts, len(t))
	for lang, words := range t {
		out[lang] = maps.Clone(words)
		maps.Copy(out[lang], more[lang])
	}
	return out
}

// Get is a text in a language, in English where that is missing.
func (t Texts) Get(lang, key string, args ...any) string {
	text, ok := t[lang][key]
	if !ok {
		if text, ok = t[Fallback][key]; !ok {
			return key
		}
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// Has tells whether there is a text of a key.
func (t Texts) Has(key string) bool {
	_, ok := t[Fallback][key]
	return ok
}
