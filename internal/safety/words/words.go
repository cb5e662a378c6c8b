// Package words reads what letters say: files texts/LANG.toml with a text for each key, of which
// every language has all, and no other. It says which languages there are for whom. It knows no
// letters and puts nothing into a text.
package words

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/pelletier/go-toml/v2"
)

// Fallback is the language of people whose own is not among the texts.
const Fallback = "en"

// People are the languages, by ISO 639-1, in which the service speaks to people and to its staff:
// those of its pages, the fallback first.
func People() []string { return []string{"en", "ru", "fa", "ar", "id", "de", "fr", "zh", "ko"} }

// Authorities are the languages in which authorities and hotlines are answered, by papers, their
// letters and mails: those of people, and official languages of the European Union, whose
// authorities write to every service that is offered there.
func Authorities() []string {
	return append(People(), "es", "it", "pl", "pt", "nl", "ro", "cs", "sv", "el")
}

// Read reads the texts of a package in some languages, of which the fallback is one: language, key,
// text. A language that lacks what the fallback has, or has more, is an error: a letter must not be
// in two languages.
func Read(files fs.FS, languages []string) (map[string]map[string]string, error) {
	out := make(map[string]map[string]string, len(languages))
	for _, lang := range languages {
		name := "texts/" + lang + ".toml"
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("words: %w", err)
		}
		texts := make(map[string]string)
		if err := toml.Unmarshal(b, &texts); err != nil {
			return nil, fmt.Errorf("words: %s: %w", name, err)
		}
		out[lang] = texts
	}
	return out, whole(files, out)
}

// whole compares what was read with the fallback, and with the files that there are.
func whole(files fs.FS, all map[string]map[string]string) (err error) {
	list, err := fs.Glob(files, "texts/*.toml")
	if err == nil && len(list) != len(all) {
		err = fmt.Errorf("words: %d files for %d languages", len(list), len(all))
	}
	fallback := all[Fallback]
	for lang, texts := range all {
		for key := range fallback {
			if texts[key] == "" {
				err = errors.Join(err, fmt.Errorf("words: texts/%s.toml lacks %s", lang, key))
			}
		}
		for key := range texts {
			if fallback[key] == "" {
				err = errors.Join(err, fmt.Errorf("words: texts/%s.toml has %s alone", lang, key))
			}
		}
	}
	return err
}
