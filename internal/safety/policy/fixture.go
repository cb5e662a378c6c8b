package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"parley/internal/safety/country"
	"parley/internal/safety/instrument"
)

// test is a test of a file of rules: a request, and what the whole policy must say of it.
type test struct {
	Name string `toml:"name"`
	// Request is laid over the file's base: tables are joined, everything else replaces, and an
	// empty text takes away. Of its keys "home" is where the service is established, and "index"
	// the country's indices.
	Request map[string]any `toml:"request"`
	Want    want           `toml:"want"`

	at string
}

// want is what a test wants; what it does not name may be anything. Lists are compared as sets.
type want struct {
	Outcome    Outcome            `toml:"outcome"`
	Refusals   []Code             `toml:"refusals"`
	Missing    []instrument.Field `toml:"missing"`
	Unverified []Check            `toml:"unverified"`
	Holds      []Hold             `toml:"holds"`
	Measures   []string           `toml:"measures"`
	Data       []Data             `toml:"data"`
	Duties     []Duty             `toml:"duties"`
	Fired      []string           `toml:"fired"` // these among others
	Target     *Target            `toml:"target"`
	Territory  *Territory         `toml:"territory"`
	Days       *int               `toml:"days"`
	Reversible *bool              `toml:"reversible"`
	Sign       map[Role]int       `toml:"sign"`
	Depth      *Depth             `toml:"depth"`
	Tell       *When              `toml:"tell"`
	TellDays   *int               `toml:"tell_days"`
	Publish    *When              `toml:"publish"`
	Text       *bool              `toml:"text"`
}

// Test runs the tests that stand in the files of rules, and returns how many there are and what is
// wrong. A rule that fires in none of them is wrong too: nobody would see that it never can.
func (p *Policy) Test() (n int, out Problems) {
	fired := make(map[string]bool)
	for _, f := range p.files {
		for _, t := range f.Tests {
			n++
			v, err := p.try(f, t)
			if err != nil {
				out = append(out, Problem{t.at, fmt.Sprintf("%s: %v", t.Name, err)})
				continue
			}
			for _, wrong := range t.Want.differs(v) {
				out = append(out, Problem{t.at, t.Name + ": " + wrong})
			}
			for _, r := range v.Fired {
				fired[r.Rule] = true
			}
		}
	}
	for _, r := range p.rules {
		if !fired[r.ID] {
			out = append(out, Problem{r.at, fmt.Sprintf("no test lets the rule %s fire", r.ID)})
		}
	}
	return n, out
}

// Requests are the requests of all tests, for measurements.
func (p *Policy) Requests() ([]Request, error) {
	var out []Request
	for _, f := range p.files {
		for _, t := range f.Tests {
			r, _, err := p.setting(f, t)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
	return out, nil
}

// try judges the request of a test.
func (p *Policy) try(f *file, t test) (Verdict, error) {
	r, countries, err := p.setting(f, t)
	if err != nil {
		return Verdict{}, err
	}
	return p.With(countries).Judge(r)
}

// setting is the request of a test, and the countries among which it is judged.
func (p *Policy) setting(f *file, t test) (r Request, c *country.Table, err error) {
	c = p.countries
	whole := overlay(f.Base, t.Request)
	if home, ok := whole["home"].(string); ok {
		c = c.At(country.Code(home))
	}
	if index, ok := whole["index"].(map[string]any); ok {
		code, _ := whole["country"].(string)
		facts := c.Facts(country.Code(code))
		facts.RuleOfLaw, facts.PressFreedom = indexOf(index["rule_of_law"]),
			indexOf(index["press_freedom"])
		c = c.With(facts)
	}
	delete(whole, "home")
	delete(whole, "index")
	b, err := json.Marshal(whole)
	if err != nil {
		return r, nil, err
	}
	r, err = ReadRequest(b)
	return r, c, err
}

// indexOf is an index of a test.
func indexOf(value any) *country.Index {
	x, ok := value.(float64)
	if !ok {
		return nil
	}
	return &country.Index{Value: x, Year: 2025}
}

// ReadRequest reads a request that is written as JSON. A key that does not exist is an error.
func ReadRequest(text []byte) (r Request, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if d.More() {
		return r, fmt.Errorf("%w: something follows it", ErrRequest)
	}
	return r, nil
}

// overlay lays one table over another.
func overlay(base, over map[string]any) map[string]any {
	out := make(map[string]any, len(base)+len(over))
	maps.Copy(out, base)
	for key, value := range over {
		below, isTable := base[key].(map[string]any)
		above, both := value.(map[string]any)
		switch {
		case value == "":
			delete(out, key)
		case isTable && both:
			out[key] = overlay(below, above)
		default:
			out[key] = value
		}
	}
	for key, value := range out {
		if at, ok := value.(time.Time); ok {
			out[key] = at.UTC().Format(time.RFC3339)
		}
	}
	return out
}

// differs are the differences between what a test wants and a verdict.
func (w *want) differs(v Verdict) (out []string) {
	say := func(what string, got, want any) {
		out = append(out, fmt.Sprintf("%s is %v, not %v", what, got, want))
	}
	if w.Outcome != "" && w.Outcome != v.Outcome {
		say("the outcome", v.Outcome, w.Outcome)
	}
	codes := make([]Code, 0, len(v.Refusals))
	for _, r := range v.Refusals {
		codes = append(codes, r.Code)
	}
	measures := make([]string, 0, len(v.Most.Measures))
	for _, m := range v.Most.Measures {
		measures = append(measures, m.String())
	}
	set(say, "refusals", codes, w.Refusals)
	set(say, "missing", v.Missing, w.Missing)
	set(say, "unverified", v.Unverified, w.Unverified)
	set(say, "holds", v.Holds, w.Holds)
	set(say, "measures", measures, w.Measures)
	set(say, "data", v.Most.Data, w.Data)
	set(say, "duties", v.Duties, w.Duties)
	one(say, "target", v.Most.Target, w.Target)
	one(say, "territory", v.Most.Territory, w.Territory)
	one(say, "days", v.Most.Days, w.Days)
	one(say, "reversible", v.Most.Reversible, w.Reversible)
	one(say, "depth", v.Depth, w.Depth)
	one(say, "tell", v.Tell.When, w.Tell)
	one(say, "days of telling", v.Tell.Days, w.TellDays)
	one(say, "publish", v.Publish.When, w.Publish)
	one(say, "text", v.Publish.Text, w.Text)
	sign := make(map[Role]int)
	for _, s := range v.Sign {
		sign[s.Role] = s.People
	}
	if w.Sign != nil && !maps.Equal(sign, w.Sign) {
		say("sign", sign, w.Sign)
	}
	for _, id := range w.Fired {
		if !slices.ContainsFunc(v.Fired, func(f Firing) bool { return f.Rule == id }) {
			out = append(out, fmt.Sprintf("the rule %s did not fire", id))
		}
	}
	return out
}

// set compares lists as sets, where one is wanted.
func set[T ~string](say func(string, any, any), what string, got, want []T) {
	if want == nil {
		return
	}
	a, b := slices.Compact(slices.Sorted(slices.Values(got))), slices.Sorted(slices.Values(want))
	if !slices.Equal(a, b) {
		say(what, a, b)
	}
}

// one compares a value, where one is wanted.
func one[T comparable](say func(string, any, any), what string, got T, want *T) {
	if want != nil && got != *want {
		say(what, got, *want)
	}
}
