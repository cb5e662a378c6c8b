// Package words reads what letters say: files texts/LANG.toml with a text for each key, of which
// every language has all. It knows no letters and puts nothing into a text.
package words

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Fallback is the language of people whose own is not among the texts.
const Fallback = "en"

// Read reads the texts of a package: language, key, text. A language that lacks what the fallback
// has is an error.
func Read(files fs.FS) (map[string]map[string]string, error) {
	list, err := fs.Glob(files, "texts/*.toml")
	if err != nil {
		return nil, fmt.Errorf("words: %w", err)
	}
	out := make(map[string]map[string]string)
	for _, name := range list {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("words: %w", err)
		}
		texts := make(map[string]string)
		if err := toml.Unmarshal(b, &texts); err != nil {
			return nil, fmt.Errorf("words: %s: %w", name, err)
		}
		out[strings.TrimSuffix(path.Base(name), ".toml")] = texts
	}
	for lang, texts := range out {
		for key := range out[Fallback] {
			if texts[key] == "" {
				return nil, fmt.Errorf("words: texts/%s.toml lacks %s", lang, key)
			}
		}
	}
	return out, nil
}
