package mail

import (
	"embed"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// files has the words of all mails, one file for each language.
//
//go:embed texts/*.toml
var files embed.FS

// fallback is the language of people whose own is not among the texts.
const fallback = "en"

// texts are the words: language, key, text.
type texts map[string]map[string]string

// readTexts reads the files and checks that every language has what the fallback has.
func readTexts() (texts, error) {
	list, err := files.ReadDir("texts")
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	out := make(texts)
	for _, f := range list {
		b, err := files.ReadFile("texts/" + f.Name())
		if err != nil {
			return nil, fmt.Errorf("mail: %w", err)
		}
		words := make(map[string]string)
		if err := toml.Unmarshal(b, &words); err != nil {
			return nil, fmt.Errorf("mail: %s: %w", f.Name(), err)
		}
		out[strings.TrimSuffix(f.Name(), ".toml")] = words
	}
	for lang, words := range out {
		for key := range out[fallback] {
			if words[key] == "" {
				return nil, fmt.Errorf("mail: texts/%s.toml lacks %s", lang, key)
			}
		}
	}
	return out, nil
}

// in is a language if there are texts in it, else the fallback.
func (t texts) in(lang string) string {
	if _, ok := t[lang]; ok {
		return lang
	}
	return fallback
}

// get is a text with what is put into it.
func (t texts) get(lang, key string, args ...any) string {
	if len(args) == 0 {
		return t[lang][key]
	}
	return fmt.Sprintf(t[lang][key], args...)
}
