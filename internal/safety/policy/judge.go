package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"

	"parley/internal/safety/country"
	"parley/internal/safety/instrument"
)

// Codes of refusal that the engine itself gives; all others stand in rules.
const (
	// NotCovered: no rule allows what was asked.
	NotCovered Code = "not-covered"
)

// notCovered is the reason of NotCovered, in English.
const notCovered = "No rule of this service's policy allows what was asked on the ground that " +
	"was given."

// Judge says what may be done about a request. ErrRequest says that a word in it means nothing; any
// other error is a fault of the rules.
func (p *Policy) Judge(r Request) (Verdict, error) {
	if err := r.check(); err != nil {
		return Verdict{}, err
	}
	x := &subject{Request: &r, facts: p.countries.Facts(r.Country)}
	if r.Urgency == "" {
		r.Urgency = instrument.Routine
	}
	x.instrument, x.known = p.instruments.Get(r.Ground.Instrument)
	known := make(values, len(p.variables))
	for _, v := range p.variables {
		known[v.name] = v.of(x)
	}
	s := sum{subject: x, sign: make(map[Role]int), none: p.reasons}
	for _, rule := range p.rules {
		got, _, err := rule.program.Eval(known)
		if err != nil {
			return Verdict{}, fmt.Errorf("policy: %s: rule %s: %w", rule.at, rule.ID, err)
		}
		if got == types.True {
			s.fire(rule)
		}
	}
	v := s.verdict()
	v.Policy = p.digest
	return v, nil
}

// sum adds up the effects of the rules that fire. Whatever their order, the sum is the same: what
// is allowed is the union of what rules allow, within the narrowest of all limits; of signatures,
// checks and times the most counts.
type sum struct {
	*subject
	allow, limit Most
	allowed      bool
	refusals     []Refusal
	missing      []instrument.Field
	verify       []Check
	holds        []Hold
	sign         map[Role]int
	tell         Tell
	publish      Publish
	duties       []Duty
	depth        Depth
	fired        []Firing
	// none are the words for what no rule allows, by language.
	none map[string]string
}

// fire adds the effects of a rule.
func (s *sum) fire(r *rule) {
	s.fired = append(s.fired, Firing{r.ID, r.at, r.Because, r.effects})
	if r.Allow != nil {
		s.grant(*r.Allow)
	}
	if r.Limit != nil {
		s.narrow(*r.Limit)
	}
	if r.Refuse != nil {
		s.refuse(r)
	}
	s.missing = join(s.missing, r.Miss, instrument.Fields())
	s.verify = join(s.verify, r.Verify, Checks())
	s.duties = join(s.duties, r.Duties, Duties())
	if r.Hold != "" && !slices.Contains(s.holds, r.Hold) {
		s.holds = append(s.holds, r.Hold)
	}
	for role, n := range r.Sign {
		s.sign[role] = max(s.sign[role], n)
	}
	if r.Tell != nil {
		s.tell = later(s.tell, *r.Tell)
	}
	if r.Publish != nil {
		s.publish = quieter(s.publish, *r.Publish)
	}
	s.depth = max(s.depth, r.Depth)
}

// refuse adds a refusal. One of classes of data is about those that were asked for.
func (s *sum) refuse(r *rule) {
	out := Refusal{
		Code: r.Refuse.Code, Rule: r.ID, Text: r.Because, In: r.In, Part: r.Refuse.Part,
	}
	if len(r.Refuse.Data) > 0 {
		out.Data = common(r.Refuse.Data, s.Asked.Data)
		if len(out.Data) == 0 {
			return
		}
	}
	s.refusals = append(s.refusals, out)
}

// join is the union of two lists of words, in the order of all that are known.
func join[T comparable](a, b, known []T) []T {
	if len(b) == 0 {
		return a
	}
	return slices.DeleteFunc(slices.Clone(known), func(w T) bool {
		return !slices.Contains(a, w) && !slices.Contains(b, w)
	})
}

// later is the later of two times to tell somebody; of two that are the same, the longer one.
func later(a, b Tell) Tell {
	rank := func(t Tell) int { return slices.Index(whens(), t.When) }
	if c := rank(a) - rank(b); c > 0 || c == 0 && a.Days >= b.Days {
		a, b = b, a
	}
	if b.Bar.IsZero() {
		b.Bar = a.Bar
	}
	return b
}

// quieter is the later of two publications, without the text if either is.
func quieter(a, b Publish) Publish {
	if a.When == NoOne {
		return b
	}
	out := Publish{When: a.When, Text: a.Text && b.Text}
	if slices.Index(whens(), b.When) > slices.Index(whens(), a.When) {
		out.When = b.When
	}
	return out
}

// rank is the place of a word in its order; nothing comes before all.
func rank[T comparable](word T, order []T) int { return slices.Index(order, word) }

// grant widens what is allowed.
func (s *sum) grant(m Most) {
	if !s.allowed {
		s.allowed, s.allow = true, m
		return
	}
	a := &s.allow
	for _, measure := range m.Measures {
		if !slices.Contains(a.Measures, measure) {
			a.Measures = append(slices.Clone(a.Measures), measure)
		}
	}
	if rank(m.Target, targets()) > rank(a.Target, targets()) {
		a.Target = m.Target
	}
	if rank(m.Territory, territories()) > rank(a.Territory, territories()) {
		a.Territory = m.Territory
	}
	if a.Days != 0 && (m.Days == 0 || m.Days > a.Days) {
		a.Days = m.Days
	}
	a.Reversible = a.Reversible && m.Reversible
	a.Data = join(a.Data, m.Data, AllData())
}

// narrow tightens the limit. A bound that a limit does not name stays as it is.
func (s *sum) narrow(m Most) {
	l := &s.limit
	if len(m.Measures) > 0 {
		l.Measures = common(l.Measures, m.Measures)
	}
	if m.Target != "" && (l.Target == "" || rank(m.Target, targets()) < rank(l.Target, targets())) {
		l.Target = m.Target
	}
	if m.Territory != "" && (l.Territory == "" ||
		rank(m.Territory, territories()) < rank(l.Territory, territories())) {
		l.Territory = m.Territory
	}
	if m.Days != 0 && (l.Days == 0 || m.Days < l.Days) {
		l.Days = m.Days
	}
	l.Reversible = l.Reversible || m.Reversible
	if len(m.Data) > 0 {
		l.Data = common(l.Data, m.Data)
	}
}

// common is what two lists share; a list that is nil has everything. The result is never nil.
func common[T comparable](a, b []T) []T {
	if a == nil {
		return slices.Clone(b)
	}
	out := make([]T, 0, len(a))
	for _, w := range a {
		if slices.Contains(b, w) {
			out = append(out, w)
		}
	}
	return out
}

// most is what is allowed within the limit and no more than what was asked.
func (s *sum) most() Most {
	m := s.allow
	if s.limit.Measures != nil {
		m.Measures = common(m.Measures, s.limit.Measures)
	}
	m.Measures = slices.Sorted(slices.Values(m.Measures))
	m.Target = narrowest(targets(), m.Target, s.limit.Target, s.Asked.Target)
	m.Territory = narrowest(territories(), m.Territory, s.limit.Territory)
	for _, days := range []int{s.limit.Days, s.asked()} {
		if days != 0 && (m.Days == 0 || days < m.Days) {
			m.Days = days
		}
	}
	m.Reversible = m.Reversible || s.limit.Reversible
	if s.limit.Data != nil {
		m.Data = common(m.Data, s.limit.Data)
	}
	m.Data = join(nil, common(m.Data, s.Asked.Data), AllData())
	for _, r := range s.refusals {
		m.Data = slices.DeleteFunc(m.Data, func(d Data) bool { return slices.Contains(r.Data, d) })
	}
	if len(m.Measures) == 0 {
		m.Target, m.Territory, m.Days, m.Reversible = "", "", 0, false
	}
	return m
}

// asked is for how many days the request wants a measure; 0 is without an end.
func (s *sum) asked() int {
	n, ok := days(s.Received, s.Asked.Until).(types.Int)
	if !ok {
		return 0
	}
	return int(n)
}

// narrowest is the first of some words in their order; words that are not set do not count.
func narrowest[T ~string](order []T, all ...T) (out T) {
	for _, w := range all {
		if w != "" && (out == "" || rank(w, order) < rank(out, order)) {
			out = w
		}
	}
	return out
}

// verdict is the sum.
func (s *sum) verdict() Verdict {
	v := Verdict{
		Verify: s.verify, Holds: s.holds, Tell: s.tell, Publish: s.publish, Duties: s.duties,
		Depth: max(s.depth, Ordinary), Fired: s.fired,
	}
	slices.Sort(v.Holds)
	lacks := s.instrument.Lacks(s.Ground.Has, s.By.Kind, s.Content.Category)
	v.Missing = join(s.missing, lacks, instrument.Fields())
	v.Unverified = slices.DeleteFunc(slices.Clone(s.verify), func(c Check) bool {
		return slices.Contains(s.By.Verified, c)
	})
	m := s.most()
	whole := slices.ContainsFunc(s.refusals, Refusal.Whole)
	if rest := s.uncovered(m); !whole && rest != nil {
		s.refusals = append(s.refusals, *rest)
		whole = len(rest.Data) == 0 || len(m.Data) == 0
	}
	v.Refusals = s.refusals
	if slices.ContainsFunc(v.Refusals, Refusal.Whole) {
		// What is refused altogether needs no reasons for its parts.
		v.Refusals = slices.DeleteFunc(v.Refusals, func(r Refusal) bool { return !r.Whole() })
	}
	slices.SortFunc(v.Refusals, func(a, b Refusal) int { return strings.Compare(a.Rule, b.Rule) })
	switch {
	case whole || len(v.Refusals) > 0 && len(m.Data) == 0 && len(m.Measures) == 0:
		v.Outcome, v.Missing, v.Holds, v.Unverified = Refused, nil, nil, nil
	case len(v.Missing) > 0:
		v.Outcome = Incomplete
	case len(v.Holds) > 0:
		v.Outcome = Held
	case len(v.Refusals) > 0:
		v.Outcome = Partly
	default:
		v.Outcome = Allowed
	}
	if len(v.Refusals) > 0 {
		v.Duties = join(v.Duties, []Duty{RefuseLogged}, Duties())
	}
	if v.Outcome != Refused {
		v.Most = m
		for _, role := range slices.Sorted(maps.Keys(s.sign)) {
			v.Sign = append(v.Sign, Signature{role, s.sign[role]})
		}
	} else {
		v.Duties = s.afterRefusal(v.Duties)
		v.Tell = Tell{}
	}
	v.Periods = s.periods()
	if !slices.ContainsFunc(v.Periods, asksScrutiny) {
		v.Duties = slices.DeleteFunc(v.Duties, func(d Duty) bool { return d == Scrutiny })
	}
	return v
}

// periods are those of the instrument that hold for the request.
func (s *sum) periods() (out []instrument.Period) {
	for _, p := range s.instrument.Periods {
		if p.Abroad && s.facts.In(country.Home) || !p.Holds(s.Urgency, s.Ground.Notified) {
			continue
		}
		out = append(out, p)
	}
	return out
}

// asksScrutiny tells whether a period is that for the scrutiny of an order, which is for those of
// another state alone: one's own is examined by one's own courts.
func asksScrutiny(p instrument.Period) bool { return p.Ends == instrument.Scrutinised }

// afterRefusal are the duties that remain when nothing is done.
func (s *sum) afterRefusal(all []Duty) []Duty {
	stay := []Duty{Forward, NameTreaty, RefuseLogged, OwnRulesCheck, Report}
	return slices.DeleteFunc(slices.Clone(all), notIn(stay))
}

// uncovered is a refusal of what was asked and no rule allows; nil if all is covered.
func (s *sum) uncovered(m Most) *Refusal {
	out := &Refusal{Code: NotCovered, Rule: defaultRule, Text: notCovered, In: s.none}
	switch {
	case !s.allowed:
		return out
	case s.restricting() && len(m.Measures) == 0:
		return out
	case s.Asked.Action != Disclose && s.Asked.Action != Preserve:
		return nil
	}
	for _, d := range s.Asked.Data {
		said := slices.ContainsFunc(s.refusals, func(r Refusal) bool {
			return slices.Contains(r.Data, d)
		})
		if !said && !slices.Contains(m.Data, d) {
			out.Data = append(out.Data, d)
		}
	}
	if len(out.Data) == 0 {
		return nil
	}
	return out
}
