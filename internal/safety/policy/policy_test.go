package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"parley/internal/safety"
	"parley/internal/safety/country"
	"parley/internal/safety/instrument"
)

// builtin is the policy that the program comes with.
func builtin(t testing.TB) *Policy {
	t.Helper()
	countries, err := country.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Builtin(countries)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestRules runs the tests that stand beside the rules; each rule fires in one of them.
func TestRules(t *testing.T) {
	p := builtin(t)
	n, wrong := p.Test()
	for _, w := range wrong {
		t.Error(w)
	}
	if n < 60 {
		t.Errorf("there are %d tests", n)
	}
	idle := head + "[[rule]]\nid = \"x\"\nwhen = 'by.new'\nbecause = \"b\"\nverify = [\"law\"]\n" +
		"[base]\nasked = { action = \"keys\" }\nby = { kind = \"court\" }\n" +
		"[[test]]\nname = \"t\"\n" +
		"want = { outcome = \"allowed\" }\n"
	p, err := Load(fstest.MapFS{"a.toml": {Data: []byte(idle)}}, p.countries)
	if err != nil {
		t.Fatal(err)
	}
	_, wrong = p.Test()
	const want = "a.toml:13: t: the outcome is refused, not allowed\n" +
		"a.toml:7: no test lets the rule x fire"
	if wrong.Error() != want {
		t.Errorf("%s", wrong)
	}
}

// some draws a few words of a list.
func some[T any](r *rapid.T, name string, of []T) []T {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(slices.Clone(of)), 0, min(len(of), 6),
		func(x T) string { return fmt.Sprint(x) }).Draw(r, name)
}

// drawn is any request from a country.
func drawn(r *rapid.T, in *instrument.Set, from country.Code) Request {
	var ids []instrument.ID
	for _, i := range in.All() {
		ids = append(ids, i.ID)
	}
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	yes := rapid.Bool()
	out := Request{
		Received: at, Country: from,
		Urgency: rapid.SampledFrom(urgencies()).Draw(r, "urgency"),
		Asked: Asked{
			Action: rapid.SampledFrom(Actions()).Draw(r, "action"),
			Target: rapid.SampledFrom(targets()).Draw(r, "target"),
			Items:  rapid.IntRange(1, 60).Draw(r, "items"), Exact: yes.Draw(r, "exact"),
			Data: some(r, "data", AllData()),
		},
		By: By{
			Kind:     rapid.SampledFrom(instrument.Requesters()).Draw(r, "by"),
			Verified: some(r, "verified", Checks()), New: yes.Draw(r, "new"),
		},
		Ground: Ground{
			Instrument: rapid.SampledFrom(ids).Draw(r, "instrument"),
			Penalty:    rapid.IntRange(0, 5).Draw(r, "penalty"), Bar: yes.Draw(r, "bar"),
			Notified: yes.Draw(r, "notified"), Listed: yes.Draw(r, "listed"),
		},
		Content: Content{
			Category:  rapid.SampledFrom(safety.Categories()).Draw(r, "category"),
			Protected: some(r, "speech", Speeches()), Secret: yes.Draw(r, "secret"),
		},
	}
	if yes.Draw(r, "complete") {
		i, _ := in.Get(out.Ground.Instrument)
		out.Ground.Has, out.Asked.Exact = i.Wants, true
	}
	if yes.Draw(r, "dated") {
		days := rapid.IntRange(1, 500).Draw(r, "days")
		out.Asked.Until, out.Ground.BarEnds = at.AddDate(0, 0, days), at.AddDate(0, 0, days)
		out.Asked.From, out.Asked.To = at.AddDate(0, 0, -days), at
	}
	if yes.Draw(r, "somewhere") {
		out.Asked.Territory = []country.Code{from}
	}
	if yes.Draw(r, "judged") {
		out.Content.Judged = &Judgement{Staff: 1, At: at, Protected: yes.Draw(r, "protected")}
	}
	return out
}

// TestAnotherCountry: the same facts from any other country with equal attributes have the same
// outcome, to the last word.
func TestAnotherCountry(t *testing.T) {
	p := builtin(t)
	all, value := country.All(), rapid.Float64Range(0, 1)
	rapid.Check(t, func(r *rapid.T) {
		from := rapid.SampledFrom(all).Draw(r, "from")
		facts := p.countries.Facts(from)
		if rapid.Bool().Draw(r, "measured") {
			facts.RuleOfLaw = &country.Index{Value: value.Draw(r, "law")}
			facts.PressFreedom = &country.Index{Value: value.Draw(r, "press")}
		}
		request := drawn(r, p.instruments, from)
		want, err := p.With(p.countries.With(facts)).Judge(request)
		if err != nil {
			r.Fatal(err)
		}
		for range 3 {
			other := rapid.SampledFrom(all).Draw(r, "other")
			facts.Code = other
			moved := request
			moved.Country = other
			moved.Asked.Territory = slices.Clone(request.Asked.Territory)
			for i := range moved.Asked.Territory {
				moved.Asked.Territory[i] = other
			}
			got, err := p.With(p.countries.With(facts)).Judge(moved)
			if err != nil || !reflect.DeepEqual(got, want) {
				r.Fatalf("%s as %s: %v\n%+v\n%+v", from, other, err, got, want)
			}
		}
	})
}

// TestIndicesNeverDecide: whatever the indices of a country, the verdict is the same but for depth
// and signatures, and lower ones never ask for less care.
func TestIndicesNeverDecide(t *testing.T) {
	p := builtin(t)
	rapid.Check(t, func(r *rapid.T) {
		from := rapid.SampledFrom(country.All()).Draw(r, "from")
		request := drawn(r, p.instruments, from)
		value := rapid.Float64Range(0, 1)
		high := &country.Index{Value: value.Draw(r, "high")}
		low := &country.Index{Value: rapid.Float64Range(0, high.Value).Draw(r, "low")}
		facts := p.countries.Facts(from)
		var got [2]Verdict
		for i, x := range []*country.Index{high, low} {
			facts.RuleOfLaw, facts.PressFreedom = x, high
			v, err := p.With(p.countries.With(facts)).Judge(request)
			if err != nil {
				r.Fatal(err)
			}
			got[i] = v
		}
		if got[1].Depth < got[0].Depth || signers(got[1]) < signers(got[0]) {
			r.Fatalf("a lower index is looked at less: %+v %+v", got[0], got[1])
		}
		for i := range got {
			got[i].Depth, got[i].Sign, got[i].Fired = 0, nil, nil
		}
		if !reflect.DeepEqual(got[0], got[1]) {
			r.Fatalf("indices decided:\n%+v\n%+v", got[0], got[1])
		}
	})
}

// signers is how many people sign.
func signers(v Verdict) (n int) {
	for _, s := range v.Sign {
		n += s.People
	}
	return n
}

// TestRulesAreToldNoCountry: a rule cannot name what it is not told.
func TestRulesAreToldNoCountry(t *testing.T) {
	for _, v := range variables() {
		if strings.Contains(v.name, "country") || strings.Contains(v.name, "territory") {
			t.Errorf("rules that decide are told %s", v.name)
		}
	}
	_, err := Load(fstest.MapFS{"a.toml": {Data: []byte(head + `
[[rule]]
id = "a"
when = 'country.rule_of_law < 0.5'
because = "b"
refuse = { code = "c" }
`)}}, builtin(t).countries)
	if err == nil || !strings.Contains(err.Error(), "undeclared reference") {
		t.Errorf("a rule that decides by an index: %v", err)
	}
}

// TestOrderOfRules: what comes out does not depend on the order in which rules stand.
func TestOrderOfRules(t *testing.T) {
	p := builtin(t)
	requests, err := p.Requests()
	if err != nil {
		t.Fatal(err)
	}
	mixed := *p
	mixed.rules = slices.Clone(p.rules)
	random := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		random.Shuffle(len(mixed.rules), func(i, j int) {
			mixed.rules[i], mixed.rules[j] = mixed.rules[j], mixed.rules[i]
		})
		for _, r := range requests {
			a, errA := p.Judge(r)
			b, errB := mixed.Judge(r)
			if errA != nil || errB != nil || len(changed(a, b)) > 0 {
				t.Fatalf("%+v: %v", r, changed(a, b))
			}
		}
	}
}

// TestNoHandler: whatever else is true, an order for keys, back doors, bulk or continuous access is
// refused, with a reason and an entry in the register.
func TestNoHandler(t *testing.T) {
	p := builtin(t)
	rapid.Check(t, func(r *rapid.T) {
		request := drawn(r, p.instruments, rapid.SampledFrom(country.All()).Draw(r, "from"))
		request.Asked.Action = rapid.SampledFrom(Refusing()).Draw(r, "forbidden")
		v, err := p.Judge(request)
		if err != nil || v.Outcome != Refused || !reflect.DeepEqual(v.Most, Most{}) ||
			!slices.Contains(v.Duties, RefuseLogged) || len(v.Sign) > 0 {
			r.Fatalf("%v %+v", err, v)
		}
	})
}

// TestNeverMoreThanAsked: no verdict allows data that was not asked for, what cannot be undone on
// an order, or anything of a state against protected speech that nobody judged.
func TestNeverMoreThanAsked(t *testing.T) {
	p := builtin(t)
	rapid.Check(t, func(r *rapid.T) {
		request := drawn(r, p.instruments, rapid.SampledFrom(country.All()).Draw(r, "from"))
		v, err := p.Judge(request)
		if err != nil {
			r.Fatal(err)
		}
		for _, d := range v.Most.Data {
			if !slices.Contains(request.Asked.Data, d) || d == Secret || d == Password {
				r.Fatalf("%s may be handed out", d)
			}
		}
		official := slices.Contains(instrument.Officials(), request.By.Kind)
		if official && len(v.Most.Measures) > 0 {
			if !v.Most.Reversible || v.Most.Territory == OwnRulesOnly || v.Most.Days == 0 {
				r.Fatalf("an order does %+v", v.Most)
			}
			if len(request.Content.Protected) > 0 && request.Content.Judged == nil &&
				v.Outcome == Allowed && request.Ground.Instrument != instrument.Removal {
				r.Fatalf("protected speech is not stopped: %+v", v)
			}
		}
		if v.Outcome == Refused && len(v.Refusals) == 0 {
			r.Fatalf("refused without a reason: %+v", v)
		}
	})
}

// head begins a file of rules.
const head = "name = \"n\"\nversion = 1\nauthor = \"a\"\nreason = \"r\"\n"

// TestBadFiles: what is wrong with a file is said with its line.
func TestBadFiles(t *testing.T) {
	countries := builtin(t).countries
	rule := head + "[[rule]]\nid = \"x\"\nbecause = \"b\"\nrefuse = { code = \"c\" }\n"
	for name, c := range map[string]struct{ text, want string }{
		"no head": {"name = \"n\"\n", "a.toml:1: a file has a name"},
		"syntax":  {head + "[[rule]\n", "a.toml:5: "},
		"unknown key": {
			head + "[[rule]]\nid = \"x\"\nwhem = 'true'\n",
			`a.toml:7: there is no key "rule/whem"`,
		},
		"no condition": {rule, "a.toml:5: a rule has an id"},
		"expression":   {rule + "when = 'by.kind ='\n", "a.toml:9: "},
		"unknown name": {rule + "when = 'by.name == \"x\"'\n", "a.toml:9: undeclared reference"},
		"second line": {
			rule + "when = '''true &&\nby.name == \"x\"'''\n", "a.toml:10: undeclared",
		},
		"no bool": {rule + "when = 'by.kind'\n", "a.toml:9: a condition is true or false"},
		"cost": {
			rule + "when = 'asked.data.all(a, asked.data.all(b, asked.data.all(c, " +
				"a + b + c != \"x\")))'\n",
			"a.toml:9: the condition may cost",
		},
		"no effect": {
			head + "[[rule]]\nid = \"x\"\nbecause = \"b\"\nwhen = 'true'\n",
			"a.toml:8: the rule has no effect",
		},
		"twice": {
			rule + "when = 'true'\n" + rule[len(head):] + "when = 'true'\n",
			"a.toml:14: the rule \"x\" stands twice",
		},
		"bad word": {
			rule + "when = 'true'\nverify = [\"aura\"]\n",
			`a.toml:9: there is no check "aura"`,
		},
		"negative days": {
			rule + "when = 'true'\nlimit = { days = -1 }\n",
			"a.toml:9: days cannot be less",
		},
		"negative wait": {
			rule + "when = 'true'\ntell = { when = \"before\", days = -30 }\n",
			"a.toml:9: the days of tell cannot be less",
		},
		"review decides": {
			strings.Replace(rule, "[[rule]]", "[[review]]", 1) + "when = 'true'\n",
			"a.toml:9: a review rule says how closely",
		},
	} {
		_, err := Load(fstest.MapFS{"a.toml": {Data: []byte(c.text)}}, countries)
		var problems Problems
		if !errors.As(err, &problems) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, err := Load(fstest.MapFS{}, countries); err == nil {
		t.Error("a folder without rules is a policy")
	}
}

// TestBadRequests: a word that means nothing is an error, and never a verdict.
func TestBadRequests(t *testing.T) {
	p := builtin(t)
	good := Request{Asked: Asked{Action: Remove}, By: By{Kind: instrument.Court}}
	if _, err := p.Judge(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(r *Request){
		"action":    func(r *Request) { r.Asked.Action = "destroy" },
		"requester": func(r *Request) { r.By.Kind = "king" },
		"country":   func(r *Request) { r.Country = "QQ" },
		"territory": func(r *Request) { r.Asked.Territory = []country.Code{"EU"} },
		"data":      func(r *Request) { r.Asked.Data = []Data{"soul"} },
		"many":      func(r *Request) { r.Asked.Data = slices.Repeat([]Data{Subscriber}, 33) },
		"long": func(r *Request) {
			r.Ground.Instrument = instrument.ID(strings.Repeat("x", 101))
		},
		"urgency":  func(r *Request) { r.Urgency = "now" },
		"category": func(r *Request) { r.Content.Category = "BAD" },
	} {
		r := good
		spoil(&r)
		if _, err := p.Judge(r); !errors.Is(err, ErrRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{`{`, `{"asked":{"acton":"remove"}}`, `{} {}`, `[]`} {
		if _, err := ReadRequest([]byte(text)); !errors.Is(err, ErrRequest) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestSimulate: a changed policy shows for which past requests it matters, and how.
func TestSimulate(t *testing.T) {
	p := builtin(t)
	requests, err := p.Requests()
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for _, r := range requests {
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(b, '\n'))
	}
	find := func(other *Policy) (n int, out []Difference) {
		n, err := p.Simulate(other, strings.NewReader(lines.String()), func(d Difference) error {
			out = append(out, d)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n, out
	}
	if n, none := find(p); n != len(requests) || len(none) > 0 {
		t.Errorf("%d requests, and with the same policy %d differ", n, len(none))
	}
	stricter := fstest.MapFS{"99.toml": {Data: []byte(head + `
[[rule]]
id = "stricter"
when = 'asked.restricting && by.official'
because = "A month is enough."
limit = { days = 30 }
`)}}
	names, err := fsCopy(stricter)
	if err != nil {
		t.Fatal(err)
	}
	other, err := Load(names, p.countries)
	if err != nil {
		t.Fatal(err)
	}
	_, differ := find(other)
	if len(differ) == 0 {
		t.Fatal("a stricter policy differs nowhere")
	}
	for _, d := range differ {
		if !slices.Equal(d.Changed, []string{"most"}) || d.After.Most.Days != 30 {
			t.Errorf("line %d: %v %+v", d.Line, d.Changed, d.After.Most)
		}
	}
	_, err = p.Simulate(p, strings.NewReader("\n{}\nnonsense\n"), nil)
	if err == nil || !strings.HasPrefix(err.Error(), "line 2") {
		t.Errorf("a bad line: %v", err)
	}
}

// fsCopy adds the built-in rules to a folder.
func fsCopy(to fstest.MapFS) (fstest.MapFS, error) {
	out := maps.Clone(to)
	entries, err := rules.ReadDir("rules")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		b, err := rules.ReadFile("rules/" + e.Name())
		if err != nil {
			return nil, err
		}
		out[e.Name()] = &fstest.MapFile{Data: b}
	}
	return out, nil
}

// FuzzLoad: no file of rules breaks the program, and one that is taken can judge.
func FuzzLoad(f *testing.F) {
	countries := builtin(f).countries
	entries, err := rules.ReadDir("rules")
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		b, err := rules.ReadFile("rules/" + e.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Load(fstest.MapFS{"a.toml": {Data: text}}, countries)
		if err != nil {
			return
		}
		r := Request{Asked: Asked{Action: Remove}, By: By{Kind: instrument.Court}}
		if _, err := p.Judge(r); err != nil && errors.Is(err, ErrRequest) {
			t.Fatal(err)
		}
	})
}

// FuzzReadRequest: whatever is read as a request is judged, or is an error that says so.
func FuzzReadRequest(f *testing.F) {
	p := builtin(f)
	requests, err := p.Requests()
	if err != nil {
		f.Fatal(err)
	}
	for _, r := range requests {
		b, err := json.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ReadRequest(text)
		if err == nil {
			_, err = p.Judge(r)
		}
		if err != nil && !errors.Is(err, ErrRequest) {
			t.Fatal(err)
		}
	})
}

// BenchmarkJudge measures a verdict over the requests of all tests, and how much that is of what
// reading the request costs.
func BenchmarkJudge(b *testing.B) {
	p := builtin(b)
	requests, err := p.Requests()
	if err != nil {
		b.Fatal(err)
	}
	var written [][]byte
	for _, r := range requests {
		text, err := json.Marshal(r)
		if err != nil {
			b.Fatal(err)
		}
		written = append(written, text)
	}
	var reading float64
	b.Run("read", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := ReadRequest(written[i%len(written)]); err != nil {
				b.Fatal(err)
			}
		}
		reading = float64(b.Elapsed()) / float64(b.N)
	})
	b.Run("judge", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := p.Judge(requests[i%len(requests)]); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed())/float64(b.N)/reading, "readings/op")
	})
}
