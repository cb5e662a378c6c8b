package dsadb_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// database stands in for the DSA Transparency Database. It takes untyped JSON and holds it against
// the rules as the database's documentation tells them, written without a look at package dsadb.
//
// https://transparency.dsa.ec.europa.eu/page/api-documentation
type database struct {
	*httptest.Server

	mu   sync.Mutex
	kept map[string]map[string]any
	// calls counts requests, batches has how many statements each call for several had.
	calls   int
	batches []int
	// next are answers that come before the rules are asked.
	next []answer
	// refuse answers what the rules have nothing against, nil nothing.
	refuse func(http.ResponseWriter, []map[string]any) bool
	// held are names that a call which is under way holds.
	held []string
}

// answer answers a request; take has the database keep the statements nonetheless.
type answer func(w http.ResponseWriter, take func())

const token = "7|a-token-of-the-platform"

func newDatabase(t *testing.T) *database {
	t.Helper()
	d := &database{kept: map[string]map[string]any{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/statements", d.several)
	mux.HandleFunc("GET /api/v1/statement/existing-puid/{puid}", d.exists)
	d.Server = httptest.NewServer(mux)
	t.Cleanup(d.Close)
	return d
}

func (d *database) url() string { return d.URL + "/api/v1" }

// answers queues answers to the next requests.
func (d *database) answers(list ...answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next = append(d.next, list...)
}

// status answers with a status and headers.
func status(code int, headers ...string) answer {
	return func(w http.ResponseWriter, _ func()) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		http.Error(w, "no", code)
	}
}

// lost takes the statements and never answers.
func lost(w http.ResponseWriter, take func()) {
	take()
	hung, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = hung.Close()
	}
}

func (d *database) several(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls++
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "body", http.StatusBadRequest)
		return
	}
	var asked struct {
		Statements []map[string]any `json:"statements"`
	}
	bad := json.Unmarshal(body, &asked) != nil
	d.batches = append(d.batches, len(asked.Statements))
	if len(d.next) > 0 {
		answer := d.next[0]
		d.next = d.next[1:]
		answer(w, func() { d.take(asked.Statements) })
		return
	}
	switch {
	case r.Header.Get("Authorization") != "Bearer "+token:
		reply(w, http.StatusUnauthorized, map[string]any{"message": "Unauthenticated."})
		return
	case r.Header.Get("Accept") != "application/json",
		r.Header.Get("Content-Type") != "application/json":
		reply(w, http.StatusNotAcceptable, nil)
		return
	case bad, len(asked.Statements) < 1, len(asked.Statements) > 100:
		reply(w, http.StatusUnprocessableEntity, map[string]any{
			"errors": map[string]any{"statements": []string{"between 1 and 100"}},
		})
		return
	}
	errs := map[string]any{}
	for i, s := range asked.Statements {
		if e := breaks(s); len(e) > 0 {
			errs[fmt.Sprintf("statement_%d", i)] = e
		}
	}
	if len(errs) > 0 {
		reply(w, http.StatusUnprocessableEntity, map[string]any{"errors": errs})
		return
	}
	if d.refuse != nil && d.refuse(w, asked.Statements) {
		return
	}
	d.store(w, asked.Statements)
}

// store keeps statements unless one of them is there, or on its way.
func (d *database) store(w http.ResponseWriter, list []map[string]any) {
	var known []string
	for _, s := range list {
		puid := s["puid"].(string)
		if slices.Contains(d.held, puid) {
			reply(w, http.StatusUnprocessableEntity, map[string]any{
				"errors":   map[string]any{"puid": []string{"not unique"}},
				"existing": map[string]any{"puid": puid},
			})
			return
		}
		if d.kept[puid] != nil {
			known = append(known, puid)
		}
	}
	if len(known) > 0 {
		reply(w, http.StatusUnprocessableEntity, map[string]any{"errors": map[string]any{
			"puid": []string{"not all unique"}, "existing_puids": known,
		}})
		return
	}
	reply(w, http.StatusCreated, map[string]any{"statements": d.take(list)})
}

func (d *database) take(list []map[string]any) (out []map[string]any) {
	for _, s := range list {
		puid := s["puid"].(string)
		d.kept[puid] = s
		out = append(out, map[string]any{"puid": puid, "uuid": "uuid-" + puid})
	}
	return out
}

func (d *database) exists(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kept[r.PathValue("puid")] == nil {
		reply(w, http.StatusNotFound, nil)
		return
	}
	reply(w, http.StatusFound, nil)
}

func reply(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

// vocabulary are the words of fields that have some.
var vocabulary = map[string]string{
	"decision_visibility": `^DECISION_VISIBILITY_(CONTENT_(REMOVED|DISABLED|DEMOTED|` +
		`AGE_RESTRICTED|INTERACTION_RESTRICTED|LABELLED)|OTHER)$`,
	"decision_monetary":            `^DECISION_MONETARY_(SUSPENSION|TERMINATION|OTHER)$`,
	"decision_provision":           `^DECISION_PROVISION_(PARTIAL|TOTAL)_(SUSPENSION|TERMINATION)$`,
	"decision_account":             `^DECISION_ACCOUNT_(SUSPENDED|TERMINATED)$`,
	"account_type":                 `^ACCOUNT_TYPE_(BUSINESS|PRIVATE)$`,
	"decision_ground":              `^DECISION_GROUND_(ILLEGAL|INCOMPATIBLE)_CONTENT$`,
	"incompatible_content_illegal": `^(Yes|No)$`,
	"content_type": `^CONTENT_TYPE_(APP|AUDIO|IMAGE|PRODUCT|SYNTHETIC_MEDIA|TEXT|VIDEO|` +
		`OTHER)$`,
	"category": `^STATEMENT_CATEGORY_(ANIMAL_WELFARE|CONSUMER_INFORMATION|CYBER_VIOLENCE|` +
		`CYBER_VIOLENCE_AGAINST_WOMEN|DATA_PROTECTION_AND_PRIVACY_VIOLATIONS|` +
		`ILLEGAL_OR_HARMFUL_SPEECH|INTELLECTUAL_PROPERTY_INFRINGEMENTS|` +
		`NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS|NOT_SPECIFIED_NOTICE|` +
		`OTHER_VIOLATION_TC|PROTECTION_OF_MINORS|RISK_FOR_PUBLIC_SECURITY|SCAMS_AND_FRAUD|` +
		`SELF_HARM|UNSAFE_AND_PROHIBITED_PRODUCTS|VIOLENCE)$`,
	"category_specification": `^KEYWORD_[A-Z_]+$`,
	"territorial_scope": `^(AT|BE|BG|CY|CZ|DE|DK|EE|ES|FI|FR|GR|HR|HU|IE|IS|IT|LI|LT|LU|LV|MT|` +
		`NL|NO|PL|PT|RO|SE|SI|SK)$`,
	"content_language":    `^[A-Z]{2}$`,
	"source_type":         `^SOURCE_(ARTICLE_16|TRUSTED_FLAGGER|VOLUNTARY|TYPE_OTHER_NOTIFICATION)$`,
	"automated_decision":  `^AUTOMATED_DECISION_(FULLY|PARTIALLY|NOT_AUTOMATED)$`,
	"automated_detection": `^(Yes|No)$`,
	"puid":                `^[a-zA-Z0-9-_]+$`,
}

// longest are the bounds of texts.
var longest = map[string]int{
	"decision_visibility_other": 500, "decision_ground_reference_url": 500,
	"illegal_content_legal_ground": 500, "illegal_content_explanation": 2000,
	"incompatible_content_ground": 500, "incompatible_content_explanation": 2000,
	"content_type_other": 500, "category_specification_other": 500, "decision_facts": 5000,
	"source_identity": 500, "puid": 500,
}

// dayOf are the fields with days, and the first day that each may have.
var dayOf = map[string]string{
	"content_date": "2000-01-01", "application_date": "2020-01-01",
	"end_date_visibility_restriction": "", "end_date_monetary_restriction": "",
	"end_date_service_restriction": "", "end_date_account_restriction": "",
}

// arrays are the fields that must be lists.
var arrays = []string{
	"decision_visibility", "content_type", "category_addition", "category_specification",
	"territorial_scope",
}

// breaks says which fields of a statement break a rule.
func breaks(s map[string]any) map[string][]string {
	out := map[string][]string{}
	no := func(field, why string) { out[field] = append(out[field], why) }
	for field, value := range s {
		list, isList := value.([]any)
		if isList != slices.Contains(arrays, field) {
			no(field, "of the wrong kind")
			continue
		}
		if !isList {
			list = []any{value}
		}
		for _, x := range list {
			checkWord(field, x, no)
		}
		if first, is := dayOf[field]; is {
			at, err := time.Parse("2006-01-02", fmt.Sprint(value))
			day := fmt.Sprint(value)
			if err != nil || at.Format("2006-01-02") != day || day < first || day > "2038-01-01" ||
				strings.HasPrefix(field, "end_") && day < fmt.Sprint(s["application_date"]) {
				no(field, "not a day that may be")
			}
		}
	}
	conditions(s, no)
	return out
}

func checkWord(field string, value any, no func(field, why string)) {
	text, isText := value.(string)
	switch {
	case !isText:
		no(field, "not a text")
	case vocabulary[field] != "" && !regexp.MustCompile(vocabulary[field]).MatchString(text):
		no(field, "not a word of it")
	case longest[field] > 0 && utf8.RuneCountInString(text) > longest[field]:
		no(field, "too long")
	}
}

// conditions are the rules about fields that are needed, alone or because of others.
func conditions(s map[string]any, no func(field, why string)) {
	has := func(field string) bool {
		switch v := s[field].(type) {
		case string:
			return strings.TrimSpace(v) != ""
		case []any:
			return len(v) > 0
		default:
			return false
		}
	}
	contains := func(field, word string) bool {
		list, _ := s[field].([]any)
		return slices.Contains(list, any(word))
	}
	for _, field := range []string{
		"decision_ground", "content_type", "category", "territorial_scope", "content_date",
		"application_date", "decision_facts", "source_type", "automated_detection",
		"automated_decision", "puid",
	} {
		if !has(field) {
			no(field, "required")
		}
	}
	if !has("decision_visibility") && !has("decision_monetary") && !has("decision_provision") &&
		!has("decision_account") {
		no("decision_visibility", "one of the four is required")
	}
	for _, x := range []struct {
		if_    bool
		needed string
	}{
		{contains("decision_visibility", "DECISION_VISIBILITY_OTHER"), "decision_visibility_other"},
		{contains("content_type", "CONTENT_TYPE_OTHER"), "content_type_other"},
		{s["decision_ground"] == "DECISION_GROUND_ILLEGAL_CONTENT", "illegal_content_legal_ground"},
		{s["decision_ground"] == "DECISION_GROUND_ILLEGAL_CONTENT", "illegal_content_explanation"},
		{s["decision_ground"] == "DECISION_GROUND_INCOMPATIBLE_CONTENT",
			"incompatible_content_ground"},
		{s["decision_ground"] == "DECISION_GROUND_INCOMPATIBLE_CONTENT",
			"incompatible_content_explanation"},
	} {
		if x.if_ && !has(x.needed) {
			no(x.needed, "required here")
		}
	}
}
