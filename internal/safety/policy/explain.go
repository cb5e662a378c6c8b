package policy

import (
	"fmt"
	"strings"
)

// Explain writes a verdict down for people: what may be done, and each rule that spoke, with the
// place where it stands and its reason.
func (v Verdict) Explain() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(&b, "%-11s %s\n", name+":", fmt.Sprintf(format, args...))
	}
	list := func(name string, n int, what any) {
		if n > 0 {
			line(name, "%v", what)
		}
	}
	line("outcome", "%s", v.Outcome)
	for _, r := range v.Refusals {
		about := ""
		if len(r.Data) > 0 {
			about = fmt.Sprintf(" %v", r.Data)
		}
		line("refused", "%s%s (%s): %s", r.Code, about, r.Rule, r.Text)
	}
	list("missing", len(v.Missing), v.Missing)
	list("held for", len(v.Holds), v.Holds)
	list("to verify", len(v.Unverified), v.Unverified)
	m := v.Most
	if len(m.Measures) > 0 {
		line("at most", "%v of %s, territory %s", m.Measures, m.Target, m.Territory)
		if m.Days > 0 {
			line("for", "%d days", m.Days)
		}
		if m.Reversible {
			line("only", "what can be undone")
		}
	}
	list("data", len(m.Data), m.Data)
	for _, s := range v.Sign {
		line("signs", "%s, %d", s.Role, s.People)
	}
	line("depth", "%d", v.Depth)
	if v.Tell.When != NoOne {
		line("tell", "%s %d days %s", v.Tell.When, v.Tell.Days, v.Tell.Bar)
	}
	if v.Publish.When != NoOne {
		line("publish", "%s, text %t", v.Publish.When, v.Publish.Text)
	}
	list("duties", len(v.Duties), v.Duties)
	for _, p := range v.Periods {
		by := "the law"
		if p.Length.IsZero() {
			by = "promise"
		}
		line("period", "%s: %s from %s (%s, %s)", p.ID, p.Limit(), p.Starts, by, p.Article)
	}
	_, _ = fmt.Fprintf(&b, "\npolicy %s, rules that spoke:\n", v.Policy)
	for _, f := range v.Fired {
		_, _ = fmt.Fprintf(&b, "\n%s  %s\n  %s\n", f.Rule, f.At, f.Because)
		for _, e := range f.Effects {
			_, _ = fmt.Fprintf(&b, "  -> %s\n", e)
		}
	}
	return b.String()
}
