package euform

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
)

// textMost bounds a text in characters.
const textMost = 5000

// Operator is what no server knows: who provides the service, and what people have to say.
type Operator struct {
	// Provider is the name of the provider, Service that of the service.
	Provider string `toml:"provider"`
	Service  string `toml:"service"`
	// Published is the day of publication, Previous that of the report before; empty for the first.
	Published string `toml:"published"`
	Previous  string `toml:"previous"`
	// VeryLarge is set by providers of very large online platforms, who fill in all of it.
	VeryLarge bool `toml:"very_large"`
	// Other describes the keyword "other" of a category: of each in which something is counted.
	Other map[string]string `toml:"other"`
	// Texts are the descriptions of part 11 by their names: see TextNames.
	Texts map[string]string `toml:"texts"`
	// Accuracy is what was measured of automated means beside what the log has: shares from 0 to 1
	// by "own.accuracy", "own.recall", "notices.precision" and so on.
	Accuracy map[string]float64 `toml:"accuracy"`
	// Moderators are part 9: "internal", "external", and speakers by language, in full-time
	// equivalents.
	Moderators map[string]float64 `toml:"moderators"`
	// Recipients are part 10: the average monthly active recipients by Member State.
	Recipients map[string]int64 `toml:"recipients"`
}

// TextNames are the names of the texts of part 11 in the order of its rows. The last five are for
// very large platforms.
func TextNames() []string {
	return []string{
		"summary", "information", "means", "errors", "purposes", "safeguards", "governance",
		"qualifications", "training", "support", "method",
	}
}

// forAll is how many of TextNames everybody writes.
const forAll = 6

// ParseOperator reads an operator's file (TOML). An error names what the file has that it cannot
// have.
func ParseOperator(b []byte) (o Operator, err error) {
	d := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		return o, fmt.Errorf("euform: operator's file: %w", err)
	}
	return o, nil
}

// Missing names what an operator's file lacks, or has in a form that the report cannot have.
func (o Operator) Missing() (out []string) {
	for _, x := range []struct{ name, text string }{
		{"provider", o.Provider}, {"service", o.Service}, {"published", o.Published},
	} {
		if x.text == "" {
			out = append(out, x.name+" is missing")
		}
	}
	for _, x := range []struct{ name, day string }{
		{"published", o.Published}, {"previous", o.Previous},
	} {
		if _, err := time.Parse(time.DateOnly, x.day); x.day != "" && err != nil {
			out = append(out, x.name+" is not a day such as 2027-02-20")
		}
	}
	names := TextNames()
	wanted := names[:forAll]
	if o.VeryLarge {
		wanted = names
	}
	for _, name := range wanted {
		if o.Texts[name] == "" {
			out = append(out, "texts."+name+" is missing")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Texts)) {
		if !slices.Contains(names, name) {
			out = append(out, "texts."+name+" is not a text of the form")
		}
		if utf8.RuneCountInString(o.Texts[name]) > textMost {
			out = append(out, fmt.Sprintf("texts.%s is longer than %d characters", name, textMost))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Accuracy)) {
		if x := o.Accuracy[name]; x < 0 || x > 1 {
			out = append(out, "accuracy."+name+" is not between 0 and 1")
		}
	}
	return append(out, o.large()...)
}

// large names what very large platforms lack.
func (o Operator) large() (out []string) {
	if !o.VeryLarge {
		return nil
	}
	for _, name := range append([]string{"internal", "external"}, Languages()...) {
		if x, ok := o.Moderators[name]; !ok || x < 0 {
			out = append(out, "moderators."+name+" is missing")
		}
	}
	for _, state := range MemberStates() {
		if n, ok := o.Recipients[state]; !ok || n < 0 {
			out = append(out, "recipients."+state+" is missing")
		}
	}
	return out
}
