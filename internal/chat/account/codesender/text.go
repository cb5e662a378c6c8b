package codesender

import (
	"embed"
	"fmt"
	"path"
	"strings"
	"text/template"
)

// defaultLang is the language of people whose own is not among the texts.
const defaultLang = "en"

// textFiles holds one file for each language, with the sections subject, warning and one for each
// purpose. The mails are plain text, so nothing in them is markup.
//
//go:embed texts/*.tmpl
var textFiles embed.FS

// texts holds the texts of each language.
type texts map[string]*template.Template

// text is a mail's content.
type text struct {
	lang, subject, body string
}

// loadTexts reads the embedded texts and checks that every language has every section.
func loadTexts() (texts, error) {
	entries, err := textFiles.ReadDir("texts")
	if err != nil {
		return nil, fmt.Errorf("codesender: list texts: %w", err)
	}
	list := make(texts)
	for _, entry := range entries {
		t, err := template.ParseFS(textFiles, path.Join("texts", entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("codesender: read text: %w", err)
		}
		for _, section := range sections() {
			if t.Lookup(section) == nil {
				return nil, fmt.Errorf("codesender: text %s lacks %s", entry.Name(), section)
			}
		}
		list[strings.TrimSuffix(entry.Name(), path.Ext(entry.Name()))] = t
	}
	return list, nil
}

// sections lists what every language has.
func sections() []string {
	list := []string{"subject", "warning"}
	for _, p := range purposes() {
		list = append(list, string(p))
	}
	return list
}

// choose returns the language of a tag, by its first part, and that language's texts.
//
// https://www.rfc-editor.org/rfc/rfc5646
func (t texts) choose(tag string) (string, *template.Template) {
	lang, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(tag), "_", "-"), "-")
	if chosen, found := t[lang]; found {
		return lang, chosen
	}
	return defaultLang, t[defaultLang]
}

// compose writes the mail for a message. The code stands on a line of its own, so that writing
// directions do not mix.
func (t texts) compose(m Message, service string) (text, error) {
	lang, chosen := t.choose(m.Lang)
	values := struct{ Service string }{service}
	parts := make(map[string]string)
	for _, section := range []string{"subject", string(m.Purpose), "warning"} {
		var b strings.Builder
		if err := chosen.ExecuteTemplate(&b, section, values); err != nil {
			return text{}, fmt.Errorf("codesender: compose text: %w", err)
		}
		parts[section] = strings.TrimSpace(b.String())
	}
	body := parts[string(m.Purpose)] + "\n\n" + m.Code + "\n\n" + parts["warning"] + "\n"
	return text{lang: lang, subject: parts["subject"], body: body}, nil
}
