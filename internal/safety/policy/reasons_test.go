package policy

import (
	"strings"
	"testing"
	"testing/fstest"

	translations "parley/internal/safety/words"
)

// TestReasonsHaveAllLanguages: what the program's own rules refuse is said in every language of
// authorities, and each in words of its own.
func TestReasonsHaveAllLanguages(t *testing.T) {
	p := builtin(t)
	if lack := p.Untranslated(); len(lack) > 0 {
		t.Error(lack)
	}
	for _, r := range p.rules {
		if r.Refuse == nil {
			continue
		}
		seen := make(map[string]string)
		for _, lang := range translations.Authorities() {
			text := Refusal{Text: r.Because, In: r.In}.Say(lang)
			if other := seen[text]; text == "" || other != "" {
				t.Errorf("%s: %s says what %s says: %q", r.ID, lang, other, text)
			}
			seen[text] = lang
		}
	}
	if len(p.reasons) != len(translations.Authorities()) {
		t.Errorf("what no rule allows is said in %d languages", len(p.reasons))
	}
}

// TestReasonsOfOwnRules: an operator's rule says its reason in the languages that it has, and one
// that was changed has not the words of what it was.
func TestReasonsOfOwnRules(t *testing.T) {
	countries := builtin(t).countries
	rule := func(id, because, more string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(head + "[[rule]]\nid = \"" + id + "\"\nbecause = \"" +
			because + "\"\nwhen = 'true'\n" + more)}
	}
	refuse := "refuse = { code = \"c\" }\n"
	for name, c := range map[string]struct {
		file *fstest.MapFile
		de   string
		lack int
	}{
		"no other language": {rule("own", "No.", refuse), "No.", 1},
		"one": {
			rule("own", "No.", refuse+"because_in = { de = \"Nein.\" }\n"), "Nein.", 1,
		},
		"changed": {rule("data/location", "We do not say.", refuse), "We do not say.", 1},
		"kept": {
			rule("data/location", "The service does not record where people are.", refuse),
			"Der Dienst zeichnet nicht auf, wo Menschen sind.", 0,
		},
	} {
		p, err := Load(fstest.MapFS{"a.toml": c.file}, countries)
		if err != nil {
			t.Fatal(name, err)
		}
		r := p.rules[0]
		if got := (Refusal{Text: r.Because, In: r.In}).Say("de"); got != c.de {
			t.Errorf("%s: %q", name, got)
		}
		if lack := p.Untranslated(); len(lack) != c.lack ||
			c.lack > 0 && !strings.Contains(lack.Error(), "no reason in") {
			t.Errorf("%s: %v", name, lack)
		}
	}
	for name, more := range map[string]string{
		"no code": refuse + "because_in = { German = \"Nein.\" }\n",
		"empty":   refuse + "because_in = { de = \"\" }\n",
		"allows":  "verify = [\"law\"]\nbecause_in = { de = \"Nein.\" }\n",
	} {
		if _, err := Load(fstest.MapFS{"a.toml": rule("own", "No.", more)}, countries); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
