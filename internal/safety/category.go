package safety

import (
	"embed"
	"io/fs"
	"iter"
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

//go:embed vocabulary.txt
var vocabulary string

//go:embed texts
var texts embed.FS

// Texts are the files of what people call categories and keywords, in every language, for pages. In
// English it is what the database calls them.
func Texts() fs.FS { return texts }

// categoryPrefix begins the name of every category.
const categoryPrefix = "STATEMENT_CATEGORY_"

// names are the names of the vocabulary, in order.
func names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(vocabulary) {
			line = strings.TrimSuffix(line, "\n")
			if !strings.HasPrefix(line, "#") && !yield(line) {
				return
			}
		}
	}
}

// Categories are all categories.
func Categories() (out []Category) {
	for name := range names() {
		if strings.HasPrefix(name, categoryPrefix) {
			out = append(out, Category(name))
		}
	}
	return out
}

// IllegalCategories are those of content that is against the law.
func IllegalCategories() []Category {
	return slices.DeleteFunc(Categories(), func(c Category) bool {
		return c == OtherViolation || c == NotSpecified
	})
}

// Valid tells whether the database has the category.
func (c Category) Valid() bool { return slices.Contains(Categories(), c) }

// Keywords are the specifications that the official report forms have for the category.
func (c Category) Keywords() (out []Keyword) {
	within := false
	for name := range names() {
		if strings.HasPrefix(name, categoryPrefix) {
			within = name == string(c)
		} else if within {
			out = append(out, Keyword(name))
		}
	}
	return out
}
