package page

import (
	"net/http"
	"slices"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Language is a language in which pages can be read.
type Language struct {
	// Code is its BCP 47 tag.
	Code string
	// Name is what its speakers call it.
	Name string
	// RTL is set when it is written from right to left.
	RTL bool
}

// Languages are all languages, the fallback first.
func Languages() []Language {
	return []Language{
		{Code: "en", Name: "English"},
		{Code: "ru", Name: "Русский"},
		{Code: "fa", Name: "فارسی", RTL: true},
		{Code: "ar", Name: "العربية", RTL: true},
		{Code: "id", Name: "Bahasa Indonesia"},
		{Code: "de", Name: "Deutsch"},
		{Code: "fr", Name: "Français"},
		{Code: "zh", Name: "中文"},
		{Code: "ko", Name: "한국어"},
	}
}

// Named are languages by their codes, each with the name that its speakers have for it; there need
// be no pages in them.
func Named(codes []string) []Language {
	out := make([]Language, 0, len(codes))
	for _, code := range codes {
		l, ok := find(code)
		if !ok {
			l = Language{Code: code, Name: display.Self.Name(language.Make(code))}
		}
		out = append(out, l)
	}
	return out
}

// Fallback is the language of who wants none of the others.
const Fallback = "en"

// langParam is the parameter by which a visitor chooses a language.
const langParam = "lang"

// find is the language of a tag's first part.
func find(code string) (Language, bool) {
	all := Languages()
	i := slices.IndexFunc(all, func(l Language) bool { return l.Code == code })
	if i < 0 {
		return all[0], false
	}
	return all[i], true
}

// LanguageOf is the language of a request, and whether the visitor chose it here. Otherwise it is
// the best of those that the browser asks for.
//
// https://www.rfc-editor.org/rfc/rfc9110#name-accept-language
func LanguageOf(r *http.Request) (l Language, chosen bool) {
	if l, chosen = find(r.FormValue(langParam)); chosen {
		return l, true
	}
	wanted, weights, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		return l, false
	}
	for i, tag := range wanted {
		base, _ := tag.Base()
		if found, ok := find(base.String()); ok && weights[i] > 0 {
			return found, false
		}
	}
	return l, false
}
