package page

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"parley/internal/safety/country"
)

// View is what a page's template is given: what is about the visitor, and Data, what the page is
// about.
type View struct {
	Lang Language
	// Data is what the handler shows.
	Data any
	// Path is where the page lies, without its parameters.
	Path string

	set    *Set
	chosen bool
	query  url.Values
}

// T is a text in the visitor's language.
func (v *View) T(key string, args ...any) string {
	return v.set.texts.Get(v.Lang.Code, key, args...)
}

// Word is the text of a word of some vocabulary, or of the word alone, as the names of the EU's
// database have them; or the word itself where nobody wrote one.
func (v *View) Word(vocabulary, word string) string {
	if key := vocabulary + "." + word; v.set.texts.Has(key) {
		return v.T(key)
	}
	return v.T(word)
}

// Region is the name of a country by its ISO 3166-1 code, or the code where there is none.
func (v *View) Region(code string) string {
	return country.Code(code).Name(v.Lang.Code)
}

// Dir is the direction of writing: ltr or rtl.
func (v *View) Dir() string {
	if v.Lang.RTL {
		return "rtl"
	}
	return "ltr"
}

// Service is the service's name.
func (v *View) Service() string { return v.set.site.o.Name }

// Style and Icon are the addresses of the stylesheet and the icon.
func (v *View) Style() string { return v.Asset("style.css") }

// Icon is the address of the icon.
func (v *View) Icon() string { return v.Asset("icon.svg") }

// Asset is the address of a file of the folder assets.
func (v *View) Asset(name string) string {
	return v.set.site.base + assetPath + v.set.site.assets[name].at
}

// Link is a link to a path of this site that keeps the language which the visitor chose.
// Parameters follow as name, value.
func (v *View) Link(at string, params ...string) string {
	q := make(url.Values)
	for i := 0; i+1 < len(params); i += 2 {
		q.Set(params[i], params[i+1])
	}
	if v.chosen {
		q.Set(langParam, v.Lang.Code)
	}
	at = v.set.site.base + at
	if len(q) > 0 {
		at += "?" + q.Encode()
	}
	return at
}

// LinkTo is Link with parameters that were made elsewhere.
func (v *View) LinkTo(at string, params []string) string { return v.Link(at, params...) }

// Chosen is the language's code if the visitor chose it, for a hidden field.
func (v *View) Chosen() string {
	if v.chosen {
		return v.Lang.Code
	}
	return ""
}

// Switch is a line of the menu of languages.
type Switch struct {
	Language
	Link    string
	Current bool
}

// Switches are this page's addresses in all languages in which it can be read.
func (v *View) Switches() (out []Switch) {
	for _, l := range Languages() {
		if !v.set.speaks[l.Code] {
			continue
		}
		q := make(url.Values, len(v.query)+1)
		for name, value := range v.query {
			q[name] = value
		}
		q.Set(langParam, l.Code)
		out = append(out, Switch{
			Language: l, Link: v.set.site.base + v.Path + "?" + q.Encode(),
			Current: l == v.Lang,
		})
	}
	return out
}

// Fields is what the template "fields" puts into a form.
type Fields struct {
	Token, Lang, Trap string
}

// Form returns the fields that every form of this site has, for a form of this name.
func (v *View) Form(name string) Fields {
	return Fields{Token: v.set.site.token(name), Lang: v.Chosen(), Trap: v.T("layout.trap")}
}

// Time writes a time in Unix seconds so that it reads the same in every language.
func (v *View) Time(unix int64) string {
	return v.together(time.Unix(unix, 0).UTC().Format("2006-01-02 15:04 UTC"))
}

// Day writes the day of a time in Unix seconds.
func (v *View) Day(unix int64) string {
	return v.together(time.Unix(unix, 0).UTC().Format(time.DateOnly))
}

// together keeps digits in their order: among words that run from right to left, the parts of a day
// would stand the other way round.
//
// https://www.unicode.org/reports/tr9/#Explicit_Directional_Isolates
func (v *View) together(s string) string {
	const leftToRight, pop = "\u2066", "\u2069"
	if v.Lang.RTL {
		return leftToRight + s + pop
	}
	return s
}

// ISO writes a time for machines.
func (v *View) ISO(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

// Text is a text of the set in the language of a request, for what is not written in a template.
func (s *Set) Text(r *http.Request, key string, args ...any) string {
	l, _ := s.language(r)
	return s.texts.Get(l.Code, key, args...)
}

// language is LanguageOf, and English where the package has no texts of its own.
func (s *Set) language(r *http.Request) (l Language, chosen bool) {
	if l, chosen = LanguageOf(r); !s.speaks[l.Code] {
		l, _ = find(Fallback)
	}
	return l, chosen
}

// Texts are the words of the set and of the layout.
func (s *Set) Texts() Texts { return s.texts }

// Render answers with a page. Nothing is sent unless all of it could be made.
func (s *Set) Render(
	w http.ResponseWriter, r *http.Request, status int, name string, data any,
) error {
	t := s.pages[name]
	if t == nil {
		return fmt.Errorf("page: there is no page %q", name)
	}
	v := &View{Data: data, Path: r.URL.Path, set: s, query: r.URL.Query()}
	v.Lang, v.chosen = s.language(r)
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "layout", v); err != nil {
		return fmt.Errorf("page: %s: %w", name, err)
	}
	h := w.Header()
	s.Policy.set(h)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Lang.Code)
	h.Set("Vary", "Accept-Language")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b.Bytes())
	}
	return nil
}

// JSON answers with an object for programs, which no cache keeps unless the handler says so.
func (s *Site) JSON(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	s.Bytes(w, r, status, "application/json; charset=utf-8", body)
}

// Bytes answers with the bytes of a content type that are no page, which no cache keeps unless the
// handler says so.
func (s *Site) Bytes(
	w http.ResponseWriter, r *http.Request, status int, kind string, body []byte,
) {
	h := w.Header()
	Policy{}.set(h)
	h.Set("Content-Type", kind)
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// Path is the address of a path below the one under which all pages lie.
func (s *Site) Path(at string) string { return s.base + at }
