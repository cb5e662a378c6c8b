package policy

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"parley/internal/safety/country"
	"parley/internal/safety/instrument"
)

// Bounds of what is judged, so that a rule's cost is known before it runs.
const (
	// maxWords is how long a list of a request may be.
	maxWords = 32
	// maxWord is how long a word of a request may be, in bytes.
	maxWord = 100
	// maxCost is what a rule may cost at most, in CEL's units: a comparison is about one, and a
	// look through two lists against each other about a thousand.
	maxCost = 5000
)

// variable is something that rules are told of a request.
type variable struct {
	name string
	kind *cel.Type
	// of computes it.
	of func(x *subject) ref.Val
}

// subject is a request with what the policy knows about it.
type subject struct {
	*Request
	facts      country.Facts
	instrument instrument.Instrument
	known      bool
}

// Helpers that make values of CEL.

func text[T ~string](s T) ref.Val { return types.String(s) }

func words[T ~string](list []T) ref.Val {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return types.NewStringList(types.DefaultTypeAdapter, out)
}

// days are whole days between two times; 0 if either is not set.
func days(from, to time.Time) ref.Val {
	if from.IsZero() || to.IsZero() {
		return types.IntZero
	}
	return types.Int(max(int64(to.Sub(from)/(24*time.Hour)), 1))
}

// wide tells whether a measure is to hold outside of the issuer's country.
func (x *subject) wide() bool {
	return slices.ContainsFunc(x.Asked.Territory, func(c country.Code) bool {
		return c != x.Country
	})
}

// restricting tells whether the request takes something from people's speech.
func (x *subject) restricting() bool { return slices.Contains(Restricting(), x.Asked.Action) }

// variables are what all rules are told. None of them names a country or a requester.
func variables() []variable {
	str, list, yes, num := cel.StringType, cel.ListType(cel.StringType), cel.BoolType, cel.IntType
	return []variable{
		{"urgency", str, func(x *subject) ref.Val { return text(x.Urgency) }},
		{"asked.action", str, func(x *subject) ref.Val { return text(x.Asked.Action) }},
		{"asked.restricting", yes, func(x *subject) ref.Val { return types.Bool(x.restricting()) }},
		{"asked.target", str, func(x *subject) ref.Val { return text(x.Asked.Target) }},
		{"asked.items", num, func(x *subject) ref.Val { return types.Int(x.Asked.Items) }},
		{"asked.exact", yes, func(x *subject) ref.Val { return types.Bool(x.Asked.Exact) }},
		{"asked.everywhere", yes, func(x *subject) ref.Val {
			return types.Bool(len(x.Asked.Territory) == 0)
		}},
		{"asked.wide", yes, func(x *subject) ref.Val { return types.Bool(x.wide()) }},
		{"asked.days", num, func(x *subject) ref.Val { return days(x.Received, x.Asked.Until) }},
		{"asked.data", list, func(x *subject) ref.Val { return words(x.Asked.Data) }},
		{"asked.span", num, func(x *subject) ref.Val { return days(x.Asked.From, x.Asked.To) }},
		{"by.kind", str, func(x *subject) ref.Val { return text(x.By.Kind) }},
		{"by.official", yes, func(x *subject) ref.Val {
			return types.Bool(slices.Contains(instrument.Officials(), x.By.Kind))
		}},
		{"by.verified", list, func(x *subject) ref.Val { return words(x.By.Verified) }},
		{"by.new", yes, func(x *subject) ref.Val { return types.Bool(x.By.New) }},
		{"by.early", yes, func(x *subject) ref.Val { return types.Bool(x.By.Early) }},
		{"by.owes", yes, func(x *subject) ref.Val { return types.Bool(x.By.Owes) }},
		{"by.mail", yes, func(x *subject) ref.Val { return types.Bool(x.By.Mail) }},
		{"by.suspended", yes, func(x *subject) ref.Val { return types.Bool(x.By.Suspended) }},
		{"ground.instrument", str, func(x *subject) ref.Val { return text(x.Ground.Instrument) }},
		{"ground.known", yes, func(x *subject) ref.Val { return types.Bool(x.known) }},
		{"ground.issuer", yes, func(x *subject) ref.Val {
			return types.Bool(x.instrument.Issued(x.facts))
		}},
		{"ground.serves", yes, func(x *subject) ref.Val {
			return types.Bool(x.instrument.For(x.By.Kind))
		}},
		{"ground.has", list, func(x *subject) ref.Val { return words(x.Ground.Has) }},
		{"ground.manifest", num, func(x *subject) ref.Val {
			return types.Int(len(x.Ground.Manifest))
		}},
		{"ground.penalty", num, func(x *subject) ref.Val { return types.Int(x.Ground.Penalty) }},
		{"ground.listed", yes, func(x *subject) ref.Val { return types.Bool(x.Ground.Listed) }},
		{"ground.notified", yes, func(x *subject) ref.Val { return types.Bool(x.Ground.Notified) }},
		{"ground.bar", yes, func(x *subject) ref.Val { return types.Bool(x.Ground.Bar) }},
		{"ground.bar_days", num, func(x *subject) ref.Val {
			return days(x.Received, x.Ground.BarEnds)
		}},
		{"content.category", str, func(x *subject) ref.Val { return text(x.Content.Category) }},
		{"content.protected", list, func(x *subject) ref.Val { return words(x.Content.Protected) }},
		{"content.judged", yes, func(x *subject) ref.Val {
			return types.Bool(x.Content.Judged != nil)
		}},
		{"content.judged_protected", yes, func(x *subject) ref.Val {
			return types.Bool(x.Content.Judged != nil && x.Content.Judged.Protected)
		}},
		{"content.private", yes, func(x *subject) ref.Val { return types.Bool(x.Content.Private) }},
		{"content.secret", yes, func(x *subject) ref.Val { return types.Bool(x.Content.Secret) }},
	}
}

// reviewVariables are what review rules are told besides.
func reviewVariables() []variable {
	value := func(x *country.Index) ref.Val {
		if x == nil {
			return types.Double(-1)
		}
		return types.Double(x.Value)
	}
	return []variable{
		{"country.rule_of_law", cel.DoubleType, func(x *subject) ref.Val {
			return value(x.facts.RuleOfLaw)
		}},
		{"country.press_freedom", cel.DoubleType, func(x *subject) ref.Val {
			return value(x.facts.PressFreedom)
		}},
		{"country.measured", cel.BoolType, func(x *subject) ref.Val {
			return types.Bool(x.facts.RuleOfLaw != nil && x.facts.PressFreedom != nil)
		}},
		{"country.groups", cel.ListType(cel.StringType), func(x *subject) ref.Val {
			return words(x.facts.Groups)
		}},
	}
}

// environment compiles rules of one kind.
type environment struct {
	env    *cel.Env
	review bool
}

// newEnvironment makes the environment of rules that decide, or of those that review.
func newEnvironment(review bool) (*environment, error) {
	all := variables()
	if review {
		all = append(all, reviewVariables()...)
	}
	var options []cel.EnvOption
	for _, v := range all {
		options = append(options, cel.Variable(v.name, v.kind))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return &environment{env: env, review: review}, nil
}

// compile checks a rule and makes its program.
func (e *environment) compile(f *file, r *rule) Problems {
	if wrong := r.valid(e.review); wrong != "" {
		return Problems{{r.at, wrong}}
	}
	ast, issues := e.env.Compile(r.When)
	if issues.Err() != nil {
		var out Problems
		for _, i := range issues.Errors() {
			at := fmt.Sprintf("%s:%d", f.at, r.line+max(i.Location.Line()-1, 0))
			out = append(out, Problem{at, i.Message})
		}
		return out
	}
	if ast.OutputType() != cel.BoolType {
		return Problems{{r.at, "a condition is true or false, and this one is " +
			ast.OutputType().String()}}
	}
	price, err := e.env.EstimateCost(ast, bounded{})
	if err != nil {
		return Problems{{r.at, err.Error()}}
	}
	if price.Max > maxCost {
		return Problems{{r.at, fmt.Sprintf("the condition may cost %d, and at most %d is allowed",
			price.Max, maxCost)}}
	}
	program, err := e.env.Program(ast, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return Problems{{r.at, err.Error()}}
	}
	r.program, r.effects = program, r.words()
	return nil
}

// bounded estimates costs: no list and no word of a request is longer than its bound.
type bounded struct{}

// EstimateCallCost leaves costs of calls to CEL.
func (bounded) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// EstimateSize bounds what comes from a request.
func (bounded) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	if len(n.Path()) == 0 {
		return nil
	}
	switch n.Type().Kind() {
	case types.ListKind:
		return &cost.SizeEstimate{Max: maxWords}
	case types.StringKind:
		return &cost.SizeEstimate{Max: maxWord}
	default:
		return nil
	}
}

// values are what rules are told of one request. It is an activation of CEL.
type values map[string]ref.Val

// ResolveName is the value of a variable.
func (v values) ResolveName(name string) (any, bool) {
	value, ok := v[name]
	return value, ok
}

// Parent is none.
func (values) Parent() interpreter.Activation { return nil }

// ErrRequest says that a request cannot be judged, because a word in it means nothing.
var ErrRequest = errors.New("policy: the request cannot be judged")

// check finds a word that means nothing, and lists that are too long.
func (r *Request) check() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrRequest, fmt.Sprintf(format, args...))
	}
	switch {
	case r.Country != "" && !r.Country.Valid():
		return wrong("there is no country %q", r.Country)
	case !slices.Contains(Actions(), r.Asked.Action):
		return wrong("there is no action %q", r.Asked.Action)
	case !slices.Contains(instrument.Requesters(), r.By.Kind):
		return wrong("there is no requester %q", r.By.Kind)
	case r.Asked.Target != "" && !slices.Contains(targets(), r.Asked.Target):
		return wrong("there is no target %q", r.Asked.Target)
	case r.Urgency != "" && !slices.Contains(urgencies(), r.Urgency):
		return wrong("there is no urgency %q", r.Urgency)
	case r.Asked.Items < 0 || r.Ground.Penalty < 0:
		return wrong("a number is negative")
	case r.Content.Category != "" && !r.Content.Category.Valid():
		return wrong("there is no category %q", r.Content.Category)
	case len(r.Ground.Manifest) > maxWords:
		return wrong("it has too many manifest errors")
	}
	for _, err := range []error{
		among("data", r.Asked.Data, AllData()), among("check", r.By.Verified, Checks()),
		among("field", r.Ground.Has, instrument.Fields()),
		among("speech", r.Content.Protected, Speeches()),
	} {
		if err != nil {
			return err
		}
	}
	for _, c := range r.Asked.Territory {
		if !c.Valid() {
			return wrong("there is no country %q", c)
		}
	}
	if len(r.Ground.Instrument) > maxWord {
		return wrong("the instrument's name is too long")
	}
	return nil
}

// urgencies are all urgencies.
func urgencies() []instrument.Urgency {
	return []instrument.Urgency{instrument.Routine, instrument.Urgent, instrument.Life}
}

// among checks that all words of a list are known, and that it is not too long.
func among[T ~string](what string, list, known []T) error {
	if len(list) > maxWords {
		return fmt.Errorf("%w: it has %d words of %s", ErrRequest, len(list), what)
	}
	if at := slices.IndexFunc(list, notIn(known)); at >= 0 {
		return fmt.Errorf("%w: there is no %s %q", ErrRequest, what, string(list[at]))
	}
	return nil
}
