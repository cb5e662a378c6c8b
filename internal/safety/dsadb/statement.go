package dsadb

import (
	"slices"
	"strings"
	"time"

	"parley/internal/safety"
	"parley/internal/safety/decide"
)

// Statement is a statement of reasons in the schema of the database, version 2. Fields that a
// messenger has nothing for are not here: monetary restrictions, product numbers, the identity of
// who notified.
//
// https://transparency.dsa.ec.europa.eu/page/api-documentation
type Statement struct {
	Visibility      []string `json:"decision_visibility,omitempty"`
	VisibilityOther string   `json:"decision_visibility_other,omitempty"`
	Provision       string   `json:"decision_provision,omitempty"`
	Account         string   `json:"decision_account,omitempty"`
	AccountType     string   `json:"account_type,omitempty"`

	Ground                  string `json:"decision_ground"`
	GroundURL               string `json:"decision_ground_reference_url,omitempty"`
	IllegalGround           string `json:"illegal_content_legal_ground,omitempty"`
	IllegalExplanation      string `json:"illegal_content_explanation,omitempty"`
	IncompatibleGround      string `json:"incompatible_content_ground,omitempty"`
	IncompatibleExplanation string `json:"incompatible_content_explanation,omitempty"`
	IncompatibleIllegal     string `json:"incompatible_content_illegal,omitempty"`

	ContentType      []string `json:"content_type"`
	ContentTypeOther string   `json:"content_type_other,omitempty"`

	Category      string   `json:"category"`
	Additional    []string `json:"category_addition,omitempty"`
	Keywords      []string `json:"category_specification,omitempty"`
	KeywordsOther string   `json:"category_specification_other,omitempty"`

	// Territory always names the countries: an empty list would not say that it is all of them.
	Territory []string `json:"territorial_scope"`
	Language  string   `json:"content_language,omitempty"`

	ContentDate     string `json:"content_date"`
	ApplicationDate string `json:"application_date"`
	EndVisibility   string `json:"end_date_visibility_restriction,omitempty"`
	EndService      string `json:"end_date_service_restriction,omitempty"`
	EndAccount      string `json:"end_date_account_restriction,omitempty"`

	Facts     string `json:"decision_facts"`
	Source    string `json:"source_type"`
	Detection string `json:"automated_detection"`
	Decision  string `json:"automated_decision"`
	PUID      string `json:"puid"`
}

// Words of the schema that have no name in package safety.
const (
	yes = "Yes"
	no  = "No"

	visibilityOther = "DECISION_VISIBILITY_OTHER"
)

// Of writes the statement about a decision, under the name that its line in the public log has.
// terms is the address of the terms of use, empty for none.
func Of(d decide.Decision, name, terms string) Statement {
	s := Statement{
		Ground: string(d.Ground), Category: string(d.Category), Facts: d.Facts,
		Source: string(d.Source), Detection: no, Decision: string(d.Means.Decided), PUID: name,
		Territory: territory(d.Measures), Language: language(d.Lang),
		ApplicationDate: date(d.Effective), ContentDate: date(d.ContentDate),
	}
	if d.Means.Detected {
		s.Detection = yes
	}
	if d.ContentDate <= 0 || s.ContentDate < earliestContent || d.ContentDate > d.Effective {
		s.ContentDate = s.ApplicationDate
	}
	switch d.Ground {
	case safety.Illegal:
		s.IllegalGround, s.IllegalExplanation = d.Reference, d.Explanation
	default:
		s.IncompatibleGround, s.IncompatibleExplanation = d.Reference, d.Explanation
		s.GroundURL = terms
	}
	for _, k := range d.Keywords {
		s.Keywords = append(s.Keywords, string(k))
	}
	s.restrict(d)
	s.content(d)
	return s
}

// restrict says what the decision restricts and until when.
func (s *Statement) restrict(d decide.Decision) {
	ends := map[string][]safety.MeasureSpec{}
	for _, m := range d.Measures {
		r := m.Measure.Restriction(d.Subject.Kind)
		ends[r.Field] = append(ends[r.Field], m)
		switch r.Field {
		case safety.Visibility:
			s.Visibility = append(s.Visibility, r.Value)
		case safety.Provision:
			s.Provision = r.Value
		case safety.AccountField:
			// The end of an account includes its suspension.
			if s.Account == "" || m.Measure == safety.Terminate {
				s.Account = r.Value
			}
		}
	}
	slices.Sort(s.Visibility)
	s.Visibility = slices.Compact(s.Visibility)
	s.EndVisibility = end(ends[safety.Visibility])
	s.EndService = end(ends[safety.Provision])
	s.EndAccount = end(ends[safety.AccountField])
}

// end is the day on which the last of some restrictions ends, empty when one never does.
func end(of []safety.MeasureSpec) string {
	last := int64(0)
	for _, m := range of {
		if m.Ends == 0 {
			return ""
		}
		last = max(last, m.Ends)
	}
	return date(last)
}

// content says what kind of content it is about.
func (s *Statement) content(d decide.Decision) {
	for _, c := range d.ContentType {
		s.ContentType = append(s.ContentType, string(c))
	}
	if len(s.ContentType) == 0 {
		s.ContentType = []string{string(safety.OtherContent)}
	}
	if !slices.Contains(s.ContentType, string(safety.OtherContent)) {
		return
	}
	s.ContentTypeOther = map[safety.Kind]string{
		safety.Account: "User account", safety.Chat: "Group or channel",
		safety.Photo: "Profile photo", safety.Reaction: "Reaction to a message",
	}[d.Subject.Kind]
	if s.ContentTypeOther == "" {
		s.ContentTypeOther = "Message of another kind"
	}
}

// territory are the countries of the European Economic Area in which some measures hold.
func territory(list []safety.MeasureSpec) []string {
	out := []string{}
	for _, country := range safety.EEA() {
		if slices.ContainsFunc(list, func(m safety.MeasureSpec) bool {
			return safety.Covers(m.Territory, country)
		}) {
			out = append(out, country)
		}
	}
	return out
}

// language is a language as the database writes it, empty for one that it does not know.
func language(code string) string {
	code = strings.ToUpper(code)
	if !slices.Contains(languages(), code) {
		return ""
	}
	return code
}

// date is the day of a time in Unix seconds, empty for none.
func date(at int64) string {
	if at <= 0 {
		return ""
	}
	return time.Unix(at, 0).UTC().Format(time.DateOnly)
}

// texts are the fields that people wrote.
func (s *Statement) texts() []*string {
	return []*string{
		&s.VisibilityOther, &s.IllegalGround, &s.IllegalExplanation, &s.IncompatibleGround,
		&s.IncompatibleExplanation, &s.ContentTypeOther, &s.KeywordsOther, &s.Facts,
	}
}
