package console

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/safety/enforce"
	"parley/internal/store"
	"parley/internal/web/staff"
)

// draftView is the form of a decision, as it was typed.
type draftView struct {
	// Title is what it is about; Form is where it posts to, and Cases are the cases of a mass
	// measure.
	Title string
	Back  string
	Form  Form
	Cases []string
	Typed typed
	// Measures are those that fit.
	Measures  []safety.Measure
	Kinds     []kind
	Templates []template
	Spam, Bar bool
	// Wrong are the keys of what has to be changed.
	Wrong []string
	// Reason is asked for where many are decided together.
	Mass bool
}

// kind is a category in the menu, with its keywords.
type kind struct {
	Category safety.Category
	Keywords []safety.Keyword
}

// typed are the fields of the form.
type typed struct {
	Ground, Reference, Explanation, Facts, Kind, Lang, Outcome string
	Measures                                                   []string
	Territory, Days, Detail                                    string
	NoStatement, Detected                                      bool
	BarBasis, BarDays, Reason                                  string
}

// Has tells whether a measure is ticked.
func (t typed) Has(m safety.Measure) bool { return slices.Contains(t.Measures, m.String()) }

// kinds are the lines of the menu of categories.
func kinds() (out []kind) {
	for _, c := range safety.Categories() {
		if c != safety.NotSpecified {
			out = append(out, kind{c, c.Keywords()})
		}
	}
	return out
}

// readTyped takes in what was typed.
func (v *visit) readTyped() typed {
	return typed{
		Ground: v.field("ground"), Reference: v.field("reference"),
		Explanation: v.field("explanation"), Facts: v.field("facts"), Kind: v.field("kind"),
		Lang: strings.ToLower(v.field("content_lang")), Outcome: v.field("outcome"),
		Measures: v.r.PostForm["measure"], Territory: v.field("territory"),
		Days: v.field("days"), Detail: v.field("detail"),
		NoStatement: v.field("no_statement") == "yes", Detected: v.field("detected") == "yes",
		BarBasis: v.field("bar_basis"), BarDays: v.field("bar_days"), Reason: v.field("reason"),
	}
}

const day = 24 * time.Hour

// mostDays is the longest duration that can be typed, in days: ten years.
const mostDays = 3660

// errDays says that a number of days is none.
var errDays = decide.Refusal{Field: "duration", Reason: "unknown"}

// until is the end of a number of days from now; 0 for nothing typed.
func until(now time.Time, days string) (int64, error) {
	if days == "" {
		return 0, nil
	}
	var n int
	if _, err := fmt.Sscanf(days, "%d", &n); err != nil || n <= 0 || n > mostDays {
		return 0, errDays
	}
	return now.Add(time.Duration(n) * day).Unix(), nil
}

// draft makes a decision's draft of what was typed about a case.
func (v *visit) draft(t typed, x store.Case) (d decide.Draft, err error) {
	now := v.Clock.Now()
	d = decide.Draft{
		Case: x.ID, Subject: casefile.Subject(x), Ground: safety.Ground(t.Ground),
		Reference: t.Reference, Explanation: t.Explanation, Facts: t.Facts,
		Source: safety.Source(x.Source), Lang: t.Lang, By: v.actor(), NoStatement: t.NoStatement,
		Means:   safety.Means{Detected: t.Detected, Decided: safety.NotAutomated},
		Outcome: casefile.Upheld,
	}
	if t.Outcome == "partly" {
		d.Outcome = casefile.Partly
	}
	category, keyword, _ := strings.Cut(t.Kind, "/")
	d.Category = safety.Category(category)
	if keyword != "" {
		d.Keywords = []safety.Keyword{safety.Keyword(keyword)}
	}
	ends, err := until(now, t.Days)
	if err != nil {
		return d, err
	}
	territory := strings.FieldsFunc(strings.ToUpper(t.Territory), func(c rune) bool {
		return c < 'A' || c > 'Z'
	})
	for _, m := range safety.Measures() {
		if !t.Has(m) {
			continue
		}
		spec := safety.MeasureSpec{Measure: m, Ends: ends}
		if m <= safety.Disable && m != safety.InteractionRestrict {
			spec.Territory = territory
		}
		if m == safety.Label {
			spec.Detail = t.Detail
		}
		d.Measures = append(d.Measures, spec)
	}
	if t.BarBasis != "" && v.may(staff.Bar) {
		ends, err := until(now, t.BarDays)
		if err != nil {
			return d, err
		}
		d.Bar = &decide.Bar{Basis: t.BarBasis, Until: ends}
	}
	return d, v.Decisions.Check(d)
}

// form is the form of a decision about a kind of subject.
func (v *visit) form(of safety.Kind, at string, t typed) draftView {
	out := draftView{
		Title: of.String(), Form: frame{v: v}.Form(at), Typed: t, Kinds: kinds(),
		Bar: v.may(staff.Bar), Back: strings.TrimSuffix(at, "/decide"),
		Templates: v.templatesFor(of),
	}
	for _, m := range safety.Measures() {
		if m.Fits(of) {
			out.Measures = append(out.Measures, m)
		}
	}
	out.Spam = true
	return out
}

// decideForm shows the form of a decision about the visitor's case, filled in by a template.
func (c *Console) decideForm(v *visit) error {
	x, err := v.myCase()
	if err != nil {
		return err
	}
	if x.Closed != 0 {
		return casefile.ErrClosed
	}
	t := typed{Ground: string(safety.Incompatible), Kind: x.Category}
	if x.Keyword != "" {
		t.Kind += "/" + x.Keyword
	}
	if name := v.r.FormValue("template"); name != "" {
		for _, of := range c.templates {
			if of.ID == name {
				t = of.typed()
			}
		}
	}
	if err := c.Staff.Record(v.r.Context(), v.about(x, "decide form", "")); err != nil {
		return err
	}
	body := v.form(safety.Kind(x.Kind), casePath(x)+"/decide", t)
	return v.show(http.StatusOK, "draft", body)
}

// previewView is a decision before it is made.
type previewView struct {
	Back   string
	Form   Form
	Fields []hidden
	Drafts []decide.Draft
	Reach  enforce.Reach
	// Second tells that it takes two people.
	Second bool
	Mass   bool
	Reason string
}

// fieldsAgain are the fields of the form for sending them once more.
func (v *visit) fieldsAgain() (out []hidden) {
	names := make([]string, 0, len(v.r.PostForm))
	for name := range v.r.PostForm {
		if name != "token" && name != "step" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range v.r.PostForm[name] {
			out = append(out, hidden{name, value})
		}
	}
	return out
}

// decide takes in the form of a decision: it shows what would be hit, and then does it.
func (c *Console) decide(v *visit) error {
	x, err := v.myCase()
	if err != nil {
		return err
	}
	if x.Closed != 0 {
		return casefile.ErrClosed
	}
	at := casePath(x) + "/decide"
	t := v.readTyped()
	d, err := v.draft(t, x)
	if wrong := faults(err); wrong != nil || v.field("step") == "again" {
		body := v.form(safety.Kind(x.Kind), at, t)
		body.Wrong = wrong
		return v.show(http.StatusUnprocessableEntity, "draft", body)
	}
	if err != nil {
		return err
	}
	reach, second, err := c.Decisions.Preview(v.r.Context(), []decide.Draft{d})
	if err != nil {
		return err
	}
	if v.field("step") != "confirm" {
		return v.show(http.StatusOK, "preview", previewView{
			Back: casePath(x), Form: frame{v: v}.Form(at), Fields: v.fieldsAgain(),
			Drafts: []decide.Draft{d}, Reach: reach, Second: second,
		})
	}
	// What hits many or ends something is strong even as a proposal.
	if asked, err := v.askAgain(second); asked || err != nil {
		return err
	}
	made, err := c.Decisions.Decide(v.r.Context(), d)
	if err != nil {
		return err
	}
	done := "decided"
	if made.State == decide.Proposed {
		done = "proposed"
	}
	return v.leave(decisionPath(made), done)
}

// faults are the keys of texts about what a draft lacks; nil when the error is another.
func faults(err error) []string {
	var no decide.Refusal
	if !errors.As(err, &no) {
		return nil
	}
	return []string{"wrong." + no.Field}
}

// dismiss closes the visitor's case without a measure.
func (c *Console) dismiss(v *visit) error {
	x, err := v.myCase()
	if err != nil {
		return err
	}
	outcome := casefile.Refuted
	if v.field("outcome") == "unfounded" {
		outcome = casefile.Unfounded
	}
	why, err := v.text("why")
	if err != nil {
		return err
	}
	_, err = c.Decisions.Dismiss(v.r.Context(), x.Subject, x.ID, v.actor(), outcome, why)
	if err != nil {
		return err
	}
	return v.leave("/queue", "dismissed")
}
