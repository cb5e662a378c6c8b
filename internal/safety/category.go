package safety

import (
	_ "embed"
	"slices"
	"strings"
)

// Category is the class of a violation, as the DSA Transparency Database divides them.
//
// https://transparency.dsa.ec.europa.eu/page/api-documentation
type Category string

// The categories that the code itself speaks of; Categories are all.
const (
	CyberViolence     Category = "STATEMENT_CATEGORY_CYBER_VIOLENCE"
	DataProtection    Category = "STATEMENT_CATEGORY_DATA_PROTECTION_AND_PRIVACY_VIOLATIONS"
	HarmfulSpeech     Category = "STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH"
	Intellectual      Category = "STATEMENT_CATEGORY_INTELLECTUAL_PROPERTY_INFRINGEMENTS"
	NotSpecified      Category = "STATEMENT_CATEGORY_NOT_SPECIFIED_NOTICE"
	OtherViolation    Category = "STATEMENT_CATEGORY_OTHER_VIOLATION_TC"
	ProtectionMinors  Category = "STATEMENT_CATEGORY_PROTECTION_OF_MINORS"
	PublicSecurity    Category = "STATEMENT_CATEGORY_RISK_FOR_PUBLIC_SECURITY"
	ScamsAndFraud     Category = "STATEMENT_CATEGORY_SCAMS_AND_FRAUD"
	SelfHarm          Category = "STATEMENT_CATEGORY_SELF_HARM"
	UnsafeProducts    Category = "STATEMENT_CATEGORY_UNSAFE_AND_PROHIBITED_PRODUCTS"
	Violence          Category = "STATEMENT_CATEGORY_VIOLENCE"
	AgainstWomen      Category = "STATEMENT_CATEGORY_CYBER_VIOLENCE_AGAINST_WOMEN"
	ConsumerInterests Category = "STATEMENT_CATEGORY_CONSUMER_INFORMATION"
)

// Keyword is a specification of a category.
type Keyword string

// OtherKeyword is the keyword of every category that needs a description.
const OtherKeyword Keyword = "KEYWORD_OTHER"

//go:embed vocabulary.tsv
var vocabulary string

// categoryPrefix begins the name of every category.
const categoryPrefix = "STATEMENT_CATEGORY_"

// terms calls fn with each name of the vocabulary and its label, in order, until it returns false.
func terms(fn func(name, label string) bool) {
	for line := range strings.Lines(vocabulary) {
		name, label, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if ok && !fn(name, label) {
			return
		}
	}
}

// label is the official label of a name, empty for an unknown one.
func label(of string) (out string) {
	terms(func(name, label string) bool {
		if name == of {
			out = label
		}
		return out == ""
	})
	return out
}

// Categories are all categories.
func Categories() (out []Category) {
	terms(func(name, _ string) bool {
		if strings.HasPrefix(name, categoryPrefix) {
			out = append(out, Category(name))
		}
		return true
	})
	return out
}

// Label is what the database calls the category in English, empty for one that it does not have.
func (c Category) Label() string { return label(string(c)) }

// Valid tells whether the database has the category.
func (c Category) Valid() bool { return slices.Contains(Categories(), c) }

// Keywords are the specifications that the official report forms have for the category.
func (c Category) Keywords() (out []Keyword) {
	within := false
	terms(func(name, _ string) bool {
		if strings.HasPrefix(name, categoryPrefix) {
			within = name == string(c)
		} else if within {
			out = append(out, Keyword(name))
		}
		return true
	})
	return out
}

// Label is what the database calls the keyword in English, empty for one that it does not have.
func (k Keyword) Label() string { return label(string(k)) }
