package policy

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"parley/internal/safety/country"
	"parley/internal/safety/instrument"
)

// rules are the rules that the program comes with.
//
//go:embed rules/*.toml
var rules embed.FS

// Rules are the files of the rules that the program comes with.
func Rules() fs.FS {
	sub, err := fs.Sub(rules, "rules")
	if err != nil {
		return rules
	}
	return sub
}

// Policy is a set of rules that was read, checked and compiled. It is safe for concurrent use.
type Policy struct {
	digest    string
	files     []*file
	rules     []*rule // in the order of files: first those that decide, then those of review
	variables []variable
	// reasons are the words for what no rule allows, by language.
	reasons     map[string]string
	countries   *country.Table
	instruments *instrument.Set
}

// file is a file of rules.
type file struct {
	Name    string `toml:"name"`
	Version int    `toml:"version"`
	// Author is a role, Reason what the file is for, Sources where its law can be read.
	Author  string         `toml:"author"`
	Reason  string         `toml:"reason"`
	Sources []string       `toml:"sources"`
	Rules   []rule         `toml:"rule"`
	Reviews []rule         `toml:"review"`
	Base    map[string]any `toml:"base"`
	Tests   []test         `toml:"test"`

	at string
}

// rule is a condition and what follows from it.
type rule struct {
	ID      string `toml:"id"`
	When    string `toml:"when"`
	Because string `toml:"because"`
	// In is Because in other languages, by their codes of ISO 639-1.
	In map[string]string `toml:"because_in"`

	Allow   *Most              `toml:"allow"`
	Limit   *Most              `toml:"limit"`
	Refuse  *refuse            `toml:"refuse"`
	Miss    []instrument.Field `toml:"miss"`
	Verify  []Check            `toml:"verify"`
	Hold    Hold               `toml:"hold"`
	Sign    map[Role]int       `toml:"sign"`
	Tell    *Tell              `toml:"tell"`
	Publish *Publish           `toml:"publish"`
	Duties  []Duty             `toml:"duties"`
	Depth   Depth              `toml:"depth"`

	at      string // file:line of its condition
	line    int
	program cel.Program
	effects []string
}

// refuse is an effect: something is not done.
type refuse struct {
	Code Code   `toml:"code"`
	Data []Data `toml:"data"`
	// Part is set when the rest of what was asked may still be done.
	Part bool `toml:"part"`
}

// Problem is something wrong with a file of rules.
type Problem struct {
	// Where is file:line.
	Where, Text string
}

// Error says what is wrong where.
func (p Problem) Error() string { return p.Where + ": " + p.Text }

// Problems are all that is wrong with a policy.
type Problems []Problem

// Error says what is wrong, one problem a line.
func (p Problems) Error() string {
	var b bytes.Buffer
	for i, one := range p {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(one.Error())
	}
	return b.String()
}

// Builtin are the rules that the program comes with, for a table of countries.
func Builtin(countries *country.Table) (*Policy, error) { return Load(Rules(), countries) }

// maxRules bounds a file of rules, in bytes.
const maxRules = 1 << 20

// Load reads all *.toml of a folder. What is wrong with them comes as Problems.
func Load(folder fs.FS, countries *country.Table) (*Policy, error) {
	instruments, err := instrument.Builtin()
	if err != nil {
		return nil, err
	}
	p := &Policy{
		countries: countries, instruments: instruments,
		variables: append(variables(), reviewVariables()...),
	}
	names, err := fs.Glob(folder, "*.toml")
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	if len(names) == 0 {
		return nil, errors.New("policy: there is no file of rules")
	}
	var problems Problems
	sum := sha256.New()
	for _, name := range names {
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		if len(text) > maxRules {
			return nil, fmt.Errorf("policy: %s is larger than %d bytes", name, maxRules)
		}
		_, _ = fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
		f, wrong := readFile(name, text)
		problems = append(problems, wrong...)
		if f != nil {
			p.files = append(p.files, f)
		}
	}
	p.digest = hex.EncodeToString(sum.Sum(nil)[:16])
	if p.reasons, err = p.translate(); err != nil {
		return nil, err
	}
	problems = append(problems, p.compile()...)
	if len(problems) > 0 {
		return nil, problems
	}
	return p, nil
}

// Digest names the rules: other rules have another.
func (p *Policy) Digest() string { return p.digest }

// Countries are what the policy knows of countries.
func (p *Policy) Countries() *country.Table { return p.countries }

// Instruments are those by which the policy judges.
func (p *Policy) Instruments() *instrument.Set { return p.instruments }

// With is the same policy with another table of countries.
func (p *Policy) With(countries *country.Table) *Policy {
	out := *p
	out.countries = countries
	return &out
}

// readFile reads a file of rules; nil with problems if it cannot be understood.
func readFile(name string, text []byte) (*file, Problems) {
	f := &file{at: name}
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(f)
	if strict := new(toml.StrictMissingError); errors.As(err, &strict) {
		var out Problems
		for _, e := range strict.Errors {
			line, _ := e.Position()
			out = append(out, Problem{fmt.Sprintf("%s:%d", name, line),
				fmt.Sprintf("there is no key %q", path.Join(e.Key()...))})
		}
		return nil, out
	}
	if syntax := new(toml.DecodeError); errors.As(err, &syntax) {
		line, _ := syntax.Position()
		return nil, Problems{{fmt.Sprintf("%s:%d", name, line), syntax.Error()}}
	}
	if err != nil {
		return nil, Problems{{name, err.Error()}}
	}
	f.place(text)
	if f.Name == "" || f.Version < 1 || f.Author == "" || f.Reason == "" {
		return nil, Problems{{name + ":1", "a file has a name, a version, an author and a reason"}}
	}
	return f, nil
}

// place finds the lines on which rules and tests stand.
func (f *file) place(text []byte) {
	var parser unstable.Parser
	parser.Reset(text)
	count := make(map[string]int)
	section := ""
	for parser.NextExpression() {
		node := parser.Expression()
		it := node.Key()
		if !it.Next() {
			continue
		}
		key := string(it.Node().Data)
		line := parser.Shape(it.Node().Raw).Start.Line
		switch {
		case node.Kind == unstable.ArrayTable && it.IsLast():
			section = key
			count[key]++
			f.stand(section, count[key]-1, "", line)
		case node.Kind == unstable.KeyValue:
			f.stand(section, count[section]-1, key, line)
		case node.Kind == unstable.Table && count[key] == 0:
			section = ""
		}
	}
}

// stand notes the line of a rule's condition, or of a test.
func (f *file) stand(section string, n int, key string, line int) {
	at := fmt.Sprintf("%s:%d", f.at, line)
	switch {
	case n < 0:
	case section == "rule" && n < len(f.Rules) && (key == "" || key == "when"):
		f.Rules[n].at, f.Rules[n].line = at, line
	case section == "review" && n < len(f.Reviews) && (key == "" || key == "when"):
		f.Reviews[n].at, f.Reviews[n].line = at, line
	case section == "test" && n < len(f.Tests) && key == "":
		f.Tests[n].at = at
	}
}

// compile checks and compiles all rules.
func (p *Policy) compile() (out Problems) {
	deciding, err := newEnvironment(false)
	if err != nil {
		return Problems{{"policy", err.Error()}}
	}
	reviewing, err := newEnvironment(true)
	if err != nil {
		return Problems{{"policy", err.Error()}}
	}
	seen := make(map[string]bool)
	for _, kind := range []*environment{deciding, reviewing} {
		for _, f := range p.files {
			list := f.Rules
			if kind.review {
				list = f.Reviews
			}
			for i := range list {
				r := &list[i]
				if seen[r.ID] {
					out = append(out, Problem{r.at, fmt.Sprintf("the rule %q stands twice", r.ID)})
				}
				seen[r.ID] = true
				out = append(out, kind.compile(f, r)...)
				p.rules = append(p.rules, r)
			}
		}
	}
	return out
}

// words writes the effects of a rule down, for explanations.
func (r *rule) words() (out []string) {
	say := func(is bool, format string, args ...any) {
		if is {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	bounds := func(name string, m *Most) {
		if m == nil {
			return
		}
		say(len(m.Measures) > 0, "%s measures %v", name, m.Measures)
		say(m.Target != "", "%s target %s", name, m.Target)
		say(m.Territory != "", "%s territory %s", name, m.Territory)
		say(m.Days > 0, "%s days %d", name, m.Days)
		say(m.Reversible, "%s only what can be undone", name)
		say(len(m.Data) > 0, "%s data %v", name, m.Data)
	}
	bounds("allow", r.Allow)
	bounds("limit", r.Limit)
	if r.Refuse != nil {
		say(len(r.Refuse.Data) == 0, "refuse %s", r.Refuse.Code)
		say(len(r.Refuse.Data) > 0, "refuse %s for %v", r.Refuse.Code, r.Refuse.Data)
	}
	say(len(r.Miss) > 0, "miss %v", r.Miss)
	say(len(r.Verify) > 0, "verify %v", r.Verify)
	say(r.Hold != "", "hold %s", r.Hold)
	for _, role := range Roles() {
		say(r.Sign[role] > 0, "sign %s %d", role, r.Sign[role])
	}
	if r.Tell != nil {
		say(true, "tell %s %d %s", r.Tell.When, r.Tell.Days, r.Tell.Bar)
	}
	if r.Publish != nil {
		say(true, "publish %s text %t", r.Publish.When, r.Publish.Text)
	}
	say(len(r.Duties) > 0, "duties %v", r.Duties)
	say(r.Depth > 0, "depth %d", r.Depth)
	return out
}

// Roles are all roles that sign.
func Roles() []Role { return []Role{Moderator, Lead, Legal} }

// valid finds what is wrong with the effects of a rule.
func (r *rule) valid(review bool) string {
	decides := r.Allow != nil || r.Limit != nil || r.Refuse != nil || r.Hold != "" ||
		len(r.Miss)+len(r.Verify)+len(r.Duties) > 0 || r.Tell != nil || r.Publish != nil
	switch {
	case r.ID == "" || r.When == "" || r.Because == "":
		return "a rule has an id, a condition (when) and a reason (because)"
	case review && decides:
		return "a review rule says how closely to look (depth, sign), and nothing else"
	case !review && r.Depth != 0:
		return "only a review rule sets a depth"
	case !decides && len(r.Sign) == 0 && r.Depth == 0:
		return "the rule has no effect"
	case r.Depth < 0 || r.Depth > Full:
		return "a depth is 1 to 3"
	case r.Refuse != nil && r.Refuse.Code == "":
		return "a refusal has a code"
	case r.Hold != "" && r.Hold != SpeechHold && r.Hold != QuarantineHold &&
		r.Hold != PaperHold:
		return fmt.Sprintf("there is no hold %q", r.Hold)
	case r.Refuse == nil && len(r.In) > 0:
		return "only a reason of a refusal is told in other languages (because_in)"
	}
	for lang, text := range r.In {
		code := len(lang) == 2 && strings.Trim(lang, "abcdefghijklmnopqrstuvwxyz") == ""
		if !code || text == "" {
			return fmt.Sprintf("because_in has a text for codes of languages, not for %q", lang)
		}
	}
	for role, n := range r.Sign {
		if !slices.Contains(Roles(), role) || n < 1 || n > maxSigners {
			return fmt.Sprintf("%d people of the role %q cannot sign", n, role)
		}
	}
	if below := r.negative(); below != "" {
		return below + " cannot be less than nothing"
	}
	return unknownWord(r)
}

// negative names a number in effects that is below zero: it would be narrower than every bound, or
// a time that is over before it begins.
func (r *rule) negative() string {
	for _, m := range []*Most{r.Allow, r.Limit} {
		if m != nil && m.Days < 0 {
			return "days"
		}
	}
	if r.Tell != nil && r.Tell.Days < 0 {
		return "the days of tell"
	}
	return ""
}

// maxSigners is how many people of one role a rule may want.
const maxSigners = 5

// unknownWord finds a word in effects that means nothing.
func unknownWord(r *rule) string {
	for _, m := range []*Most{r.Allow, r.Limit} {
		if m == nil {
			continue
		}
		if m.Target != "" && !slices.Contains(targets(), m.Target) {
			return fmt.Sprintf("there is no target %q", m.Target)
		}
		if m.Territory != "" && !slices.Contains(territories(), m.Territory) {
			return fmt.Sprintf("there is no territory %q", m.Territory)
		}
		if at := slices.IndexFunc(m.Data, notIn(AllData())); at >= 0 {
			return fmt.Sprintf("there is no data %q", m.Data[at])
		}
	}
	if r.Refuse != nil {
		if at := slices.IndexFunc(r.Refuse.Data, notIn(AllData())); at >= 0 {
			return fmt.Sprintf("there is no data %q", r.Refuse.Data[at])
		}
	}
	if at := slices.IndexFunc(r.Miss, notIn(instrument.Fields())); at >= 0 {
		return fmt.Sprintf("there is no field %q", r.Miss[at])
	}
	if at := slices.IndexFunc(r.Verify, notIn(Checks())); at >= 0 {
		return fmt.Sprintf("there is no check %q", r.Verify[at])
	}
	if at := slices.IndexFunc(r.Duties, notIn(Duties())); at >= 0 {
		return fmt.Sprintf("there is no duty %q", r.Duties[at])
	}
	if r.Tell != nil && !slices.Contains(whens(), r.Tell.When) {
		return fmt.Sprintf("there is no time %q", r.Tell.When)
	}
	if r.Publish != nil && !slices.Contains(whens(), r.Publish.When) {
		return fmt.Sprintf("there is no time %q", r.Publish.When)
	}
	return ""
}

// notIn tells the words that are not among some.
func notIn[T comparable](known []T) func(T) bool {
	return func(word T) bool { return !slices.Contains(known, word) }
}

// targets are all targets, the narrowest first.
func targets() []Target { return []Target{Item, Chat, Account, Whole} }

// territories are all territories, the narrowest first.
func territories() []Territory { return []Territory{Issuers, AsOrdered, Instruments, OwnRulesOnly} }

// whens are all times, the earliest first.
func whens() []When { return []When{NoOne, Before, With, After, BarEnds} }
