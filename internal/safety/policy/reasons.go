package policy

import (
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	translations "parley/internal/safety/words"
)

// texts has the reasons of the rules that the program comes with, in all languages.
//
//go:embed texts/*.toml
var texts embed.FS

// defaultRule stands for what no rule allows.
const defaultRule = "default"

// translate gives each rule that refuses something the words that the program has for its reason,
// unless its file has some, and returns those for what no rule allows. A rule whose reason was
// changed is another: it has only what its own file says.
func (p *Policy) translate() (none map[string]string, err error) {
	all, err := translations.Read(texts, translations.Authorities())
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	of := func(rule, reason string) map[string]string {
		out := make(map[string]string)
		if all[translations.Fallback][rule] != reason {
			return out
		}
		for lang, list := range all {
			out[lang] = list[rule]
		}
		return out
	}
	for _, f := range p.files {
		for i := range f.Rules {
			r := &f.Rules[i]
			if r.Refuse == nil {
				continue
			}
			own := r.In
			r.In = of(r.ID, r.Because)
			maps.Copy(r.In, own)
		}
	}
	return of(defaultRule, notCovered), nil
}

// Untranslated names the rules that refuse something and say so in some of the languages of
// authorities only in English, with the languages that lack.
func (p *Policy) Untranslated() (out Problems) {
	all, err := translations.Read(texts, translations.Authorities())
	if err != nil {
		return Problems{{"policy", err.Error()}}
	}
	for _, r := range p.rules {
		if r.Refuse == nil {
			continue
		}
		var lack []string
		for _, lang := range slices.Sorted(maps.Keys(all)) {
			if lang != translations.Fallback && r.In[lang] == "" {
				lack = append(lack, lang)
			}
		}
		if len(lack) > 0 {
			out = append(out, Problem{r.at, r.ID + ": no reason in " + strings.Join(lack, ", ")})
		}
	}
	return out
}
