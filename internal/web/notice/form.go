package notice

import (
	"errors"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"unicode/utf8"

	"parley/internal/safety"
	"parley/internal/safety/intake"
	"parley/internal/web/page"
)

// formName is what the form's tokens are bound to.
const formName = "notice"

// Bounds of what a notice carries.
const (
	textRunes     = 5000
	nameRunes     = 100
	emailBytes    = 254
	locationBytes = 500
	mostLocations = 50
)

// draft is the form as it was typed, and what is wrong with it.
type draft struct {
	intake.Report
	// Places is the field of locations, Kind that of category and keyword.
	Places, Kind string
	Kinds        []group
	// Wrong has the key of a text for each field that has to be changed, in the form's order.
	Wrong []fault
}

// fault is what is wrong with a field.
type fault struct{ Field, Text string }

// group is a category in the menu, with its keywords.
type group struct {
	Category safety.Category
	Keywords []safety.Keyword
}

// Fault is the key of the text about a field, empty when nothing is wrong with it.
func (d draft) Fault(field string) string {
	i := slices.IndexFunc(d.Wrong, func(f fault) bool { return f.Field == field })
	if i < 0 {
		return ""
	}
	return d.Wrong[i].Text
}

// kinds are the lines of the menu of categories, with the keywords that say something.
func kinds() (out []group) {
	for _, c := range safety.IllegalCategories() {
		out = append(out, group{c, slices.DeleteFunc(c.Keywords(), func(k safety.Keyword) bool {
			return k == safety.OtherKeyword
		})})
	}
	return append(out, group{Category: safety.NotSpecified})
}

// form shows the form, or takes it in.
func (p *Pages) form(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodPost {
		d := draft{Places: r.FormValue("location"), Kinds: kinds()}
		return p.set.Render(w, r, http.StatusOK, "notice", d)
	}
	d := read(r)
	d.IP, d.ByMail = p.Site.Address(r).String(), p.ByMail
	d.check()
	status := http.StatusUnprocessableEntity
	if len(d.Wrong) == 0 {
		switch err := p.admit(r, d); {
		case errors.Is(err, page.ErrTooMany):
			status = http.StatusTooManyRequests
			d.Wrong = append(d.Wrong, fault{"form", "notice.wrong.often"})
		case err != nil:
			d.Wrong = append(d.Wrong, fault{"form", "notice.wrong.form"})
		}
	}
	if len(d.Wrong) > 0 {
		return p.set.Render(w, r, status, "notice", d)
	}
	got, err := p.Report(r.Context(), d.Report)
	if err != nil {
		return err
	}
	out := receipt{Receipt: got, Mail: p.ByMail && d.Email != ""}
	if len(got.More) > 0 {
		out.All = append([]intake.Receipt{got}, got.More...)
	}
	return p.set.Render(w, r, http.StatusOK, "receipt", out)
}

// admit tells whether a complete form may be taken in. What endangers children or lives does not
// wait because of other notices from the same address.
func (p *Pages) admit(r *http.Request, d draft) error {
	if intake.LaneOf(d.Category, d.Keyword, safety.Article16).Emergency() {
		return p.Site.CheckUrgent(r, formName)
	}
	return p.Site.Check(r, formName)
}

// receipt is what a notifier is given.
type receipt struct {
	intake.Receipt
	// All are the receipts of a notice that named several places.
	All []intake.Receipt
	// Mail is set when the receipt goes to him by mail as well.
	Mail bool
}

// read takes in what was typed.
func read(r *http.Request) draft {
	l, _ := page.LanguageOf(r)
	field := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	d := draft{Places: field("locations"), Kind: field("kind"), Kinds: kinds()}
	d.Report = intake.Report{
		Source: safety.Article16, Name: field("name"), Email: field("email"),
		Text: field("explanation"), Lang: l.Code,
		GoodFaith: r.PostFormValue("good_faith") == "yes",
	}
	category, keyword, _ := strings.Cut(d.Kind, "/")
	d.Category, d.Keyword = safety.Category(category), safety.Keyword(keyword)
	for line := range strings.Lines(d.Places) {
		if line = strings.TrimSpace(line); line != "" {
			d.Locations = append(d.Locations, line)
		}
	}
	return d
}

// check finds out what a notice lacks.
//
// https://eur-lex.europa.eu/eli/reg/2022/2065/oj
func (d *draft) check() {
	wrong := func(field, text string, is bool) {
		if is && d.Fault(field) == "" {
			d.Wrong = append(d.Wrong, fault{field, "notice.wrong." + text})
		}
	}
	wrong("locations", "locations", len(d.Locations) == 0 || len(d.Locations) > mostLocations)
	for _, place := range d.Locations {
		wrong("locations", "location", !located(place))
	}
	known := d.Category.Valid() &&
		(d.Keyword == "" || slices.Contains(d.Category.Keywords(), d.Keyword))
	wrong("kind", "kind", !known)
	wrong("explanation", "explanation", d.Text == "")
	wrong("explanation", "long", utf8.RuneCountInString(d.Text) > textRunes)
	anonymous := intake.Anonymous(d.Category, d.Keyword)
	wrong("name", "name", d.Name == "" && !anonymous ||
		utf8.RuneCountInString(d.Name) > nameRunes)
	wrong("email", "email", d.Email == "" && !anonymous || d.Email != "" && !mailable(d.Email))
	wrong("good_faith", "faith", !d.GoodFaith)
}

// mailable tells whether something is one plain mail address.
func mailable(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && len(s) <= emailBytes
}

// located tells whether something can be a location: a link, a name, or a name and a number. What
// it leads to is found out when the notice is taken in.
func located(s string) bool {
	return len(s) <= locationBytes && utf8.ValidString(s) && len(s) > 3 &&
		!strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f }) &&
		(strings.HasPrefix(s, "@") || strings.Contains(s, "/"))
}
