package mail

import (
	"embed"
	"fmt"

	"parley/internal/safety/words"
)

// files has the words of all mails, one file for each language.
//
//go:embed texts/*.toml
var files embed.FS

// texts are the words: language, key, text.
type texts map[string]map[string]string

// in is a language if there are texts in it, else the fallback.
func (t texts) in(lang string) string {
	if _, ok := t[lang]; ok {
		return lang
	}
	return words.Fallback
}

// get is a text with what is put into it.
func (t texts) get(lang, key string, args ...any) string {
	if len(args) == 0 {
		return t[lang][key]
	}
	return fmt.Sprintf(t[lang][key], args...)
}
