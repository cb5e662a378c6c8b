package policy

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"parley/internal/safety"
)

// bounds draws bounds of any kind, as a rule may have them.
func bounds(r *rapid.T, name string) Most {
	return Most{
		Measures:  some(r, name+" measures", safety.Measures()),
		Target:    rapid.SampledFrom(append(targets(), "")).Draw(r, name+" target"),
		Territory: rapid.SampledFrom(append(territories(), "")).Draw(r, name+" territory"),
		Days:      rapid.IntRange(0, 5).Draw(r, name+" days"),
		Data:      some(r, name+" data", AllData()),

		Reversible: rapid.Bool().Draw(r, name+" reversible"),
	}
}

// added is the sum of some grants and limits, about a request for all data.
func added(grants, limits []Most) Most {
	s := sum{subject: &subject{Request: &Request{Asked: Asked{Data: AllData()}}}}
	for _, g := range grants {
		s.grant(g)
	}
	for _, l := range limits {
		s.narrow(l)
	}
	return s.most()
}

// TestSum: what comes of several rules lies within every limit, has nothing that no rule grants, and
// is the same in whatever order they speak.
func TestSum(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var grants, limits []Most
		for range rapid.IntRange(1, 3).Draw(r, "grants") {
			grants = append(grants, bounds(r, "grant"))
		}
		for range rapid.IntRange(0, 3).Draw(r, "limits") {
			limits = append(limits, bounds(r, "limit"))
		}
		got := added(grants, limits)
		for _, l := range limits {
			if !inside(got, l) {
				r.Fatalf("%+v exceeds %+v", got, l)
			}
		}
		for _, m := range got.Measures {
			if !slices.ContainsFunc(grants, func(g Most) bool {
				return slices.Contains(g.Measures, m)
			}) {
				r.Fatalf("nobody granted %s", m)
			}
		}
		endless := slices.ContainsFunc(grants, func(g Most) bool { return g.Days == 0 })
		if len(limits) == 0 && endless && got.Days != 0 {
			r.Fatalf("%d days, and a rule grants it without an end", got.Days)
		}
		slices.Reverse(grants)
		slices.Reverse(limits)
		if back := added(grants, limits); !reflect.DeepEqual(got, back) {
			r.Fatalf("the order counts: %+v, %+v", got, back)
		}
	})
}

// inside tells whether what may be done lies within a limit. A bound that is not set bounds nothing,
// and where nothing may be done nothing exceeds anything.
func inside(m, limit Most) bool {
	for _, d := range m.Data {
		if len(limit.Data) > 0 && !slices.Contains(limit.Data, d) {
			return false
		}
	}
	for _, measure := range m.Measures {
		if len(limit.Measures) > 0 && !slices.Contains(limit.Measures, measure) {
			return false
		}
	}
	if len(m.Measures) == 0 {
		return true
	}
	return (limit.Target == "" || rank(m.Target, targets()) <= rank(limit.Target, targets())) &&
		(limit.Territory == "" ||
			rank(m.Territory, territories()) <= rank(limit.Territory, territories())) &&
		(limit.Days == 0 || m.Days > 0 && m.Days <= limit.Days) &&
		(!limit.Reversible || m.Reversible)
}
