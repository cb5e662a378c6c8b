package decide

import (
	"slices"
	"strings"
	"unicode/utf8"

	"parley/internal/safety"
)

// Bounds of a decision's texts in characters, those of the DSA Transparency Database.
//
// https://transparency.dsa.ec.europa.eu/page/api-documentation
const (
	ReferenceRunes   = 500
	ExplanationRunes = 2000
	FactsRunes       = 5000
	// labelRunes bounds a label's text.
	labelRunes = 200
)

// Refusal says which part of a draft is not as a decision needs it.
type Refusal struct {
	// Field is the part: subject, ground, reference, explanation, facts, category, keywords,
	// measures, territory, duration, detail, means, source, lang, by, statement, case.
	Field string
	// Reason is missing, long, unknown, unfit, twice, past, or what the field's rule is called.
	Reason string
}

// Error names the field and the reason.
func (r Refusal) Error() string { return "decide: " + r.Field + ": " + r.Reason }

// Check says what a draft lacks of what a decision, its statement of reasons and its line in the
// public log need: a Refusal, or nil.
func (s *Service) Check(d Draft) error {
	return s.check(d, s.Clock.Now().Unix())
}

func (s *Service) check(d Draft, now int64) error {
	for _, check := range []func(Draft) error{
		checkSubject, checkTexts, checkVocabulary, checkMeans,
	} {
		if err := check(d); err != nil {
			return err
		}
	}
	return checkMeasures(d, now)
}

func checkSubject(d Draft) error {
	if d.Subject.Peer == 0 {
		return Refusal{"subject", "missing"}
	}
	if d.Subject.Kind < safety.Account || d.Subject.Kind > safety.Reaction {
		return Refusal{"subject", "unknown"}
	}
	return nil
}

func checkTexts(d Draft) error {
	for _, f := range []struct {
		name, text string
		most       int
	}{
		{"reference", d.Reference, ReferenceRunes},
		{"explanation", d.Explanation, ExplanationRunes},
		{"facts", d.Facts, FactsRunes},
	} {
		switch {
		case strings.TrimSpace(f.text) == "":
			return Refusal{f.name, "missing"}
		case utf8.RuneCountInString(f.text) > f.most:
			return Refusal{f.name, "long"}
		case !utf8.ValidString(f.text):
			return Refusal{f.name, "unknown"}
		}
	}
	return nil
}

func checkVocabulary(d Draft) error {
	switch {
	case d.Ground == "":
		return Refusal{"ground", "missing"}
	case d.Ground != safety.Illegal && d.Ground != safety.Incompatible:
		return Refusal{"ground", "unknown"}
	case d.Category == "":
		return Refusal{"category", "missing"}
	case !d.Category.Valid(), d.Category == safety.NotSpecified:
		return Refusal{"category", "unknown"}
	case d.Source == "":
		return Refusal{"source", "missing"}
	case !slices.Contains([]safety.Source{safety.Article16, safety.TrustedFlagger,
		safety.OtherNotification, safety.Voluntary}, d.Source):
		return Refusal{"source", "unknown"}
	case d.Lang != "" && !isCode(d.Lang, "abcdefghijklmnopqrstuvwxyz"):
		return Refusal{"lang", "unknown"}
	}
	of := d.Category.Keywords()
	for i, k := range d.Keywords {
		if !slices.Contains(of, k) {
			return Refusal{"keywords", "unknown"}
		}
		if slices.Contains(d.Keywords[:i], k) {
			return Refusal{"keywords", "twice"}
		}
	}
	spam := d.Category == safety.ScamsAndFraud || d.Category == safety.OtherViolation
	if d.NoStatement && (!spam || d.Bar != nil) {
		return Refusal{"statement", "owed"}
	}
	if d.Bar != nil && strings.TrimSpace(d.Bar.Basis) == "" {
		return Refusal{"statement", "bar"}
	}
	return nil
}

func checkMeans(d Draft) error {
	switch d.Means.Decided {
	case safety.NotAutomated, safety.PartiallyAutomated, safety.FullyAutomated:
	case "":
		return Refusal{"means", "missing"}
	default:
		return Refusal{"means", "unknown"}
	}
	switch {
	case d.By == safety.Actor{}, d.By.Staff < 0:
		return Refusal{"by", "missing"}
	case d.By.Staff > 0 && d.Means.Decided == safety.FullyAutomated:
		return Refusal{"means", "unfit"}
	case d.By.Staff == 0 && d.Means.Decided == safety.NotAutomated:
		return Refusal{"means", "unfit"}
	}
	return nil
}

// isCode tells whether a text is two letters of an alphabet.
func isCode(s, alphabet string) bool { return len(s) == 2 && strings.Trim(s, alphabet) == "" }

// local tells whether a measure can be taken in some countries alone.
func local(m safety.Measure) bool { return m <= safety.Disable && m != safety.InteractionRestrict }

func checkMeasures(d Draft, now int64) error {
	if len(d.Measures) == 0 {
		return Refusal{"measures", "missing"}
	}
	var seen []safety.Measure
	for _, m := range d.Measures {
		switch {
		case !m.Measure.Fits(d.Subject.Kind):
			return Refusal{"measures", "unfit"}
		case slices.Contains(seen, m.Measure):
			return Refusal{"measures", "twice"}
		case m.Ends != 0 && m.Ends <= now:
			return Refusal{"duration", "past"}
		case len(m.Territory) > 0 && !local(m.Measure):
			return Refusal{"territory", "everywhere"}
		}
		seen = append(seen, m.Measure)
		for i, country := range m.Territory {
			if !isCode(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
				return Refusal{"territory", "unknown"}
			}
			if slices.Contains(m.Territory[:i], country) {
				return Refusal{"territory", "twice"}
			}
		}
		if err := checkLabel(d.Subject.Kind, m); err != nil {
			return err
		}
	}
	return nil
}

// checkLabel refuses a label that says nothing, and words where there is no label.
func checkLabel(of safety.Kind, m safety.MeasureSpec) error {
	switch {
	case m.Measure != safety.Label && m.Detail != "":
		return Refusal{"detail", "unfit"}
	case m.Measure != safety.Label:
		return nil
	case strings.TrimSpace(m.Detail) == "":
		return Refusal{"detail", "missing"}
	case utf8.RuneCountInString(m.Detail) > labelRunes:
		return Refusal{"detail", "long"}
	case of != safety.Message && m.Detail != "scam" && m.Detail != "fake":
		return Refusal{"detail", "unknown"}
	}
	return nil
}
