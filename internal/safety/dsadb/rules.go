package dsadb

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/internal/safety"
)

// Bounds of dates and texts, in characters.
//
// https://transparency.dsa.ec.europa.eu/page/api-documentation
const (
	earliestContent     = "2000-01-01"
	earliestApplication = "2020-01-01"
	latestDate          = "2038-01-01"

	shortText       = 500
	explanationText = 2000
	factsText       = 5000
)

// Problem is a rule of the database that a statement breaks.
type Problem struct {
	// Field is the schema's name of the field, Rule what it breaks: missing, unknown, long, twice,
	// unfit, date, early, late, url, form.
	Field, Rule string
}

// String is the problem in one word for lists.
func (p Problem) String() string { return p.Field + ": " + p.Rule }

// Validate says which published rules a statement breaks; none means that it can be sent.
func Validate(s Statement) []Problem {
	c := &checker{}
	c.restrictions(s)
	c.grounds(s)
	c.contents(s)
	c.dates(s)
	c.required("decision_facts", s.Facts, factsText)
	c.oneOf("source_type", s.Source, true, sources())
	c.oneOf("automated_detection", s.Detection, true, []string{yes, no})
	c.oneOf("automated_decision", s.Decision, true, automations())
	c.required("puid", s.PUID, shortText)
	if s.PUID != "" && !puidForm.MatchString(s.PUID) {
		c.add("puid", "form")
	}
	return c.found
}

// puidForm is the form of a platform's own identifier.
var puidForm = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

type checker struct{ found []Problem }

func (c *checker) add(field, rule string) { c.found = append(c.found, Problem{field, rule}) }

// required checks a text that must be there and is bounded.
func (c *checker) required(field, text string, most int) {
	if strings.TrimSpace(text) == "" {
		c.add(field, "missing")
	}
	c.bounded(field, text, most)
}

func (c *checker) bounded(field, text string, most int) {
	switch {
	case !utf8.ValidString(text):
		c.add(field, "form")
	case utf8.RuneCountInString(text) > most:
		c.add(field, "long")
	}
}

// when checks a text that must be there if something holds, and must not be otherwise.
func (c *checker) when(holds bool, field, text string, most int) {
	switch {
	case holds:
		c.required(field, text, most)
	case text != "":
		c.add(field, "unfit")
	}
}

func (c *checker) oneOf(field, word string, needed bool, of []string) {
	switch {
	case word == "" && needed:
		c.add(field, "missing")
	case word != "" && !slices.Contains(of, word):
		c.add(field, "unknown")
	}
}

func (c *checker) someOf(field string, words []string, needed bool, of []string) {
	if needed && len(words) == 0 {
		c.add(field, "missing")
	}
	for i, word := range words {
		switch {
		case !slices.Contains(of, word):
			c.add(field, "unknown")
		case slices.Contains(words[:i], word):
			c.add(field, "twice")
		}
	}
}

// restrictions checks that something is restricted, and that it has a name.
func (c *checker) restrictions(s Statement) {
	if len(s.Visibility) == 0 && s.Provision == "" && s.Account == "" {
		for _, field := range []string{safety.Visibility, safety.Provision, safety.AccountField} {
			c.add(field, "missing")
		}
	}
	c.someOf(safety.Visibility, s.Visibility, false, visibilities())
	c.when(slices.Contains(s.Visibility, visibilityOther), "decision_visibility_other",
		s.VisibilityOther, shortText)
	c.oneOf(safety.Provision, s.Provision, false, provisions())
	c.oneOf(safety.AccountField, s.Account, false, []string{
		"DECISION_ACCOUNT_SUSPENDED", "DECISION_ACCOUNT_TERMINATED",
	})
	c.oneOf("account_type", s.AccountType, false, []string{
		"ACCOUNT_TYPE_BUSINESS", "ACCOUNT_TYPE_PRIVATE",
	})
	c.someOf("territorial_scope", s.Territory, true, safety.EEA())
}

// grounds checks that the ground has its reference and explanation, and the other one none.
func (c *checker) grounds(s Statement) {
	illegal := s.Ground == string(safety.Illegal)
	terms := s.Ground == string(safety.Incompatible)
	c.oneOf("decision_ground", s.Ground, true, []string{
		string(safety.Illegal), string(safety.Incompatible),
	})
	c.when(illegal, "illegal_content_legal_ground", s.IllegalGround, shortText)
	c.when(illegal, "illegal_content_explanation", s.IllegalExplanation, explanationText)
	c.when(terms, "incompatible_content_ground", s.IncompatibleGround, shortText)
	c.when(terms, "incompatible_content_explanation", s.IncompatibleExplanation, explanationText)
	c.oneOf("incompatible_content_illegal", s.IncompatibleIllegal, false, []string{yes, no})
	if s.IncompatibleIllegal != "" && !terms {
		c.add("incompatible_content_illegal", "unfit")
	}
	if s.GroundURL == "" {
		return
	}
	c.bounded("decision_ground_reference_url", s.GroundURL, shortText)
	u, err := url.Parse(s.GroundURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		c.add("decision_ground_reference_url", "url")
	}
}

// contents checks types of content, category and keywords.
func (c *checker) contents(s Statement) {
	c.someOf("content_type", s.ContentType, true, contentTypes())
	c.when(slices.Contains(s.ContentType, string(safety.OtherContent)), "content_type_other",
		s.ContentTypeOther, shortText)
	categories := []string{}
	for _, x := range safety.Categories() {
		categories = append(categories, string(x))
	}
	c.oneOf("category", s.Category, true, categories)
	c.someOf("category_addition", s.Additional, false, categories)
	if slices.Contains(s.Additional, s.Category) {
		c.add("category_addition", "twice")
	}
	of := []string{}
	for _, category := range append([]string{s.Category}, s.Additional...) {
		for _, k := range safety.Category(category).Keywords() {
			of = append(of, string(k))
		}
	}
	c.someOf("category_specification", s.Keywords, false, of)
	c.bounded("category_specification_other", s.KeywordsOther, shortText)
	other := slices.Contains(s.Keywords, string(safety.OtherKeyword))
	if s.KeywordsOther != "" && !other {
		c.add("category_specification_other", "unfit")
	}
	c.oneOf("content_language", s.Language, false, languages())
}

// dates checks dates, and that ends belong to restrictions and come after the beginning.
func (c *checker) dates(s Statement) {
	c.date("content_date", s.ContentDate, true, earliestContent)
	c.date("application_date", s.ApplicationDate, true, earliestApplication)
	for _, x := range []struct {
		field, date string
		restricted  bool
	}{
		{"end_date_visibility_restriction", s.EndVisibility, len(s.Visibility) > 0},
		{"end_date_service_restriction", s.EndService, s.Provision != ""},
		{"end_date_account_restriction", s.EndAccount, s.Account != ""},
	} {
		c.date(x.field, x.date, false, s.ApplicationDate)
		if x.date != "" && !x.restricted {
			c.add(x.field, "unfit")
		}
	}
}

// date checks a day. Days compare as texts do.
func (c *checker) date(field, day string, needed bool, from string) {
	if day == "" {
		if needed {
			c.add(field, "missing")
		}
		return
	}
	at, err := time.Parse(time.DateOnly, day)
	switch {
	case err != nil || at.Format(time.DateOnly) != day:
		c.add(field, "date")
	case day < from:
		c.add(field, "early")
	case day > latestDate:
		c.add(field, "late")
	}
}

func visibilities() []string {
	out := []string{visibilityOther}
	for _, m := range safety.Measures() {
		if r := m.Restriction(safety.Message); r.Field == safety.Visibility {
			out = append(out, r.Value)
		}
	}
	return out
}

func provisions() []string {
	return []string{
		"DECISION_PROVISION_PARTIAL_SUSPENSION", "DECISION_PROVISION_TOTAL_SUSPENSION",
		"DECISION_PROVISION_PARTIAL_TERMINATION", "DECISION_PROVISION_TOTAL_TERMINATION",
	}
}

func contentTypes() []string {
	return []string{
		"CONTENT_TYPE_APP", "CONTENT_TYPE_AUDIO", "CONTENT_TYPE_IMAGE", "CONTENT_TYPE_PRODUCT",
		"CONTENT_TYPE_SYNTHETIC_MEDIA", "CONTENT_TYPE_TEXT", "CONTENT_TYPE_VIDEO",
		"CONTENT_TYPE_OTHER",
	}
}

func sources() []string {
	return []string{
		string(safety.Article16), string(safety.TrustedFlagger), string(safety.OtherNotification),
		string(safety.Voluntary),
	}
}

func automations() []string {
	return []string{
		string(safety.FullyAutomated), string(safety.PartiallyAutomated),
		string(safety.NotAutomated),
	}
}

// languages are the codes of ISO 639-1, in capitals.
func languages() []string {
	return strings.Fields(`AA AB AE AF AK AM AN AR AS AV AY AZ BA BE BG BH BI BM BN BO BR BS CA CE
		CH CO CR CS CU CV CY DA DE DV DZ EE EL EN EO ES ET EU FA FF FI FJ FO FR FY GA GD GL GN GU
		GV HA HE HI HO HR HT HU HY HZ IA ID IE IG II IK IO IS IT IU JA JV KA KG KI KJ KK KL KM KN
		KO KR KS KU KV KW KY LA LB LG LI LN LO LT LU LV MG MH MI MK ML MN MR MS MT MY NA NB ND NE
		NG NL NN NO NR NV NY OC OJ OM OR OS PA PI PL PS PT QU RM RN RO RU RW SA SC SD SE SG SI SK
		SL SM SN SO SQ SR SS ST SU SV SW TA TE TG TH TI TK TL TN TO TR TS TT TW TY UG UK UR UZ VE
		VI VO WA WO XH YI YO ZA ZH ZU`)
}
