package console

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/pelletier/go-toml/v2"

	"parley/internal/safety"
)

// template is a decision that is made often, for a form to begin with. The file says which.
type template struct {
	ID   string `toml:"id"`
	Name string `toml:"name"`
	// Key is the key that chooses it on the page of a case.
	Key         string   `toml:"key"`
	For         []string `toml:"for"`
	Ground      string   `toml:"ground"`
	Reference   string   `toml:"reference"`
	Kind        string   `toml:"kind"`
	Explanation string   `toml:"explanation"`
	Facts       string   `toml:"facts"`
	Measures    []string `toml:"measures"`
	Days        string   `toml:"days"`
	Detail      string   `toml:"detail"`
	NoStatement bool     `toml:"no_statement"`
}

// readTemplates reads the embedded file.
func readTemplates() ([]template, error) {
	b, err := fs.ReadFile(files, "templates.toml")
	if err != nil {
		return nil, fmt.Errorf("console: templates: %w", err)
	}
	var list struct {
		Template []template `toml:"template"`
	}
	if err := toml.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf("console: templates: %w", err)
	}
	return list.Template, nil
}

// typed is the form as the template fills it in.
func (t template) typed() typed {
	return typed{
		Ground: t.Ground, Reference: t.Reference, Kind: t.Kind, Explanation: t.Explanation,
		Facts: t.Facts, Measures: t.Measures, Days: t.Days, Detail: t.Detail,
		NoStatement: t.NoStatement,
	}
}

// templatesFor are the templates for a kind of subject.
func (c *Console) templatesFor(of safety.Kind) (out []template) {
	for _, t := range c.templates {
		if slices.Contains(t.For, of.String()) {
			out = append(out, t)
		}
	}
	return out
}

// verdict is a template as a button of a case.
type verdict struct {
	ID, Name, Key string
}

func (c *Console) verdicts(of safety.Kind) (out []verdict) {
	for _, t := range c.templatesFor(of) {
		out = append(out, verdict{t.ID, t.Name, t.Key})
	}
	return out
}
