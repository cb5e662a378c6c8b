package country

import (
	"cmp"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// renamed are the names, by language, of countries that were renamed after the table of names that
// display has. A language that is not here calls the country as it did.
//
// https://unstats.un.org/unsd/methodology/m49/
func renamed(c Code, lang string) string {
	return map[Code]map[string]string{
		"CV": {"en": "Cabo Verde"},
		"CZ": {"fa": "چک"},
		"MK": {
			"en": "North Macedonia", "ru": "Северная Македония", "fa": "مقدونیهٔ شمالی",
			"ar": "مقدونيا الشمالية", "id": "Makedonia Utara", "de": "Nordmazedonien",
			"fr": "Macédoine du Nord", "zh": "北马其顿", "ko": "북마케도니아",
		},
		"SZ": {
			"en": "Eswatini", "ru": "Эсватини", "fa": "اسواتینی", "ar": "إسواتيني",
			"id": "Eswatini", "de": "Eswatini", "fr": "Eswatini", "zh": "斯威士兰", "ko": "에스와티니",
		},
		"TR": {"en": "Türkiye", "ko": "튀르키예"},
	}[c][lang]
}

// Name is what a country is called in a language, in English where that has no name for it, and its
// code where nobody has one.
func (c Code) Name(lang string) string {
	if name := renamed(c, lang); name != "" {
		return name
	}
	region, err := language.ParseRegion(string(c))
	if err != nil {
		return string(c)
	}
	if in := display.Regions(language.Make(lang)); in != nil {
		if name := in.Name(region); name != "" {
			return name
		}
	}
	return cmp.Or(display.English.Regions().Name(region), string(c))
}
