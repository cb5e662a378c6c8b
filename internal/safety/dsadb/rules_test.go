package dsadb_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"parley/internal/safety"
	"parley/internal/safety/dsadb"
)

// good is a statement that breaks no rule.
func good() dsadb.Statement {
	return dsadb.Statement{
		Visibility: []string{"DECISION_VISIBILITY_CONTENT_REMOVED"},
		Ground:     "DECISION_GROUND_ILLEGAL_CONTENT", IllegalGround: "§ 130 StGB",
		IllegalExplanation: "It calls for violence.", ContentType: []string{"CONTENT_TYPE_TEXT"},
		Category: "STATEMENT_CATEGORY_VIOLENCE", Keywords: []string{"KEYWORD_COORDINATED_HARM"},
		Territory: []string{"DE", "FR"}, Language: "DE", ContentDate: "2026-01-02",
		ApplicationDate: "2026-01-03", EndVisibility: "2026-02-03", Facts: "It names a place.",
		Source: "SOURCE_ARTICLE_16", Detection: "No", Decision: "AUTOMATED_DECISION_NOT_AUTOMATED",
		PUID: "0123456789abcdef",
	}
}

func TestEachRuleIsNamed(t *testing.T) {
	if got := dsadb.Validate(good()); len(got) > 0 {
		t.Fatalf("a good statement breaks %v", got)
	}
	for want, spoil := range map[string]func(*dsadb.Statement){
		"decision_visibility: missing":     func(s *dsadb.Statement) { s.Visibility, s.EndVisibility = nil, "" },
		"decision_visibility: unknown":     func(s *dsadb.Statement) { s.Visibility = []string{"REMOVED"} },
		"decision_visibility: twice":       func(s *dsadb.Statement) { s.Visibility = append(s.Visibility, s.Visibility[0]) },
		"decision_visibility_other: unfit": func(s *dsadb.Statement) { s.VisibilityOther = "more" },
		"decision_visibility_other: missing": func(s *dsadb.Statement) {
			s.Visibility = []string{"DECISION_VISIBILITY_OTHER"}
		},
		"decision_provision: unknown":             func(s *dsadb.Statement) { s.Provision = "SOME" },
		"decision_account: unknown":               func(s *dsadb.Statement) { s.Account = "SOME" },
		"account_type: unknown":                   func(s *dsadb.Statement) { s.AccountType = "SOME" },
		"decision_ground: missing":                func(s *dsadb.Statement) { s.Ground = "" },
		"illegal_content_legal_ground: missing":   func(s *dsadb.Statement) { s.IllegalGround = " " },
		"illegal_content_legal_ground: long":      func(s *dsadb.Statement) { s.IllegalGround = strings.Repeat("ä", 501) },
		"illegal_content_explanation: long":       func(s *dsadb.Statement) { s.IllegalExplanation = strings.Repeat("ä", 2001) },
		"incompatible_content_ground: unfit":      func(s *dsadb.Statement) { s.IncompatibleGround = "rule" },
		"incompatible_content_explanation: unfit": func(s *dsadb.Statement) { s.IncompatibleExplanation = "so" },
		"incompatible_content_illegal: unfit":     func(s *dsadb.Statement) { s.IncompatibleIllegal = "Yes" },
		"decision_ground_reference_url: url":      func(s *dsadb.Statement) { s.GroundURL = "terms" },
		"content_type: missing":                   func(s *dsadb.Statement) { s.ContentType = nil },
		"content_type_other: missing":             func(s *dsadb.Statement) { s.ContentType = []string{"CONTENT_TYPE_OTHER"} },
		"category: unknown":                       func(s *dsadb.Statement) { s.Category = "STATEMENT_CATEGORY_NOT_SPECIFIED_ORDER" },
		"category_addition: twice":                func(s *dsadb.Statement) { s.Additional = []string{s.Category} },
		"category_specification: unknown":         func(s *dsadb.Statement) { s.Keywords = []string{"KEYWORD_PHISHING"} },
		"category_specification_other: unfit":     func(s *dsadb.Statement) { s.KeywordsOther = "more" },
		"territorial_scope: missing":              func(s *dsadb.Statement) { s.Territory = nil },
		"territorial_scope: unknown":              func(s *dsadb.Statement) { s.Territory = []string{"GB"} },
		"content_language: unknown":               func(s *dsadb.Statement) { s.Language = "XX" },
		"content_date: early":                     func(s *dsadb.Statement) { s.ContentDate = "1999-12-31" },
		"content_date: date":                      func(s *dsadb.Statement) { s.ContentDate = "2026-02-30" },
		"application_date: missing":               func(s *dsadb.Statement) { s.ApplicationDate = "" },
		"application_date: late":                  func(s *dsadb.Statement) { s.ApplicationDate = "2038-01-02" },
		"end_date_visibility_restriction: early":  func(s *dsadb.Statement) { s.EndVisibility = "2026-01-02" },
		"end_date_account_restriction: unfit":     func(s *dsadb.Statement) { s.EndAccount = "2026-02-03" },
		"decision_facts: missing":                 func(s *dsadb.Statement) { s.Facts = "" },
		"decision_facts: long":                    func(s *dsadb.Statement) { s.Facts = strings.Repeat("ä", 5001) },
		"source_type: unknown":                    func(s *dsadb.Statement) { s.Source = "SOURCE" },
		"automated_detection: missing":            func(s *dsadb.Statement) { s.Detection = "" },
		"automated_decision: unknown":             func(s *dsadb.Statement) { s.Decision = "Yes" },
		"puid: form":                              func(s *dsadb.Statement) { s.PUID = "a b" },
		"puid: missing":                           func(s *dsadb.Statement) { s.PUID = "" },
	} {
		s := good()
		spoil(&s)
		var got []string
		for _, p := range dsadb.Validate(s) {
			got = append(got, p.String())
		}
		if !slices.Contains(got, want) {
			t.Errorf("%s is found as %v", want, got)
		}
	}
}

// TestWhatPassesIsTaken fills statements with words and texts at random: one that breaks no rule
// here breaks none of the database's.
func TestWhatPassesIsTaken(t *testing.T) {
	passed := 0
	rapid.Check(t, func(t *rapid.T) {
		s := good()
		v := reflect.ValueOf(&s).Elem()
		for range rapid.IntRange(0, 6).Draw(t, "changes") {
			f := v.Field(rapid.IntRange(0, v.NumField()-1).Draw(t, "field"))
			if f.Kind() == reflect.String {
				f.SetString(rapid.SampledFrom(words()).Draw(t, "word"))
				continue
			}
			list := rapid.SliceOfN(rapid.SampledFrom(words()), 0, 3).Draw(t, "words")
			f.Set(reflect.ValueOf(list))
		}
		if len(dsadb.Validate(s)) > 0 {
			return
		}
		passed++
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var x map[string]any
		if err := json.Unmarshal(b, &x); err != nil {
			t.Fatal(err)
		}
		if got := breaks(x); len(got) > 0 {
			t.Fatalf("%s\nbreaks %v", b, got)
		}
	})
	if passed == 0 {
		t.Error("no statement passed")
	}
}

// words are what fields are filled with: right somewhere, and wrong everywhere else.
func words() []string {
	out := []string{
		"", " ", "Yes", "No", "DE", "AT", "XX", "2026-05-06", "2026-13-01", "2019-01-01",
		"text", strings.Repeat("x", 501), strings.Repeat("ü", 2001), strings.Repeat("x", 5001),
		"DECISION_GROUND_ILLEGAL_CONTENT", "DECISION_GROUND_INCOMPATIBLE_CONTENT",
		"DECISION_VISIBILITY_OTHER", "DECISION_VISIBILITY_CONTENT_LABELLED",
		"DECISION_PROVISION_PARTIAL_SUSPENSION", "DECISION_ACCOUNT_TERMINATED",
		"CONTENT_TYPE_OTHER", "CONTENT_TYPE_IMAGE", "KEYWORD_OTHER", "SOURCE_VOLUNTARY",
		"AUTOMATED_DECISION_FULLY", "https://example.org/terms",
	}
	for _, c := range safety.Categories() {
		out = append(out, string(c))
	}
	return out
}

func TestPersonal(t *testing.T) {
	for text, want := range map[string]string{
		"Write to a.person@example.org now":          "email",
		"Write to ａ.person＠example.org":              "email",
		"His name is @some_body":                     "username",
		"https://t.me/somebody/12 has it":            "link",
		"See t.me/joinchat/AAAA":                     "link",
		"tg://user?id=7 wrote it":                    "link",
		"Call +49 (30) 90-18-20":                     "phone",
		"Call +4\u200b93\u200b0901820":               "phone",
		"Call 030/901820":                            "phone",
		"٠١٢٣٤٥٦٧٨٩ is his":                          "number",
		"Account 5512345678 sent it":                 "number",
		"From 192.0.2.17 at night":                   "address",
		"From 2001:db8:0:1::7 at night":              "address",
		"The post promises to double 500 euros":      "",
		"Regulation (EU) 2022/2065, Art. 16(2)":      "",
		"§ 130 Abs. 2 Nr. 1 StGB; CELEX 32022R2065":  "",
		"From 2026-01-02 to 2026-02-03, 3.5 million": "",
		"Directive 2011/93/EU, Art. 5(6)":            "",
	} {
		var got []string
		for _, f := range dsadb.Personal(text) {
			got = append(got, f.Kind)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: found %q, want %q", text, got, want)
		}
	}
}
