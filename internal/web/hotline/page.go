package hotline

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"parley/internal/safety"
	"parley/internal/safety/hotline"
	"parley/internal/safety/ledger"
	"parley/internal/store"
	"parley/internal/web/officer"
	"parley/internal/web/page"
)

// shown is how many submissions one page has.
const shown = 50

// lane is the first page: a form, and what was submitted before.
type lane struct {
	Form officer.Form
	// Typed is what was written into the form, Wrong what is wrong with it.
	Typed typed
	Wrong []wrong
	// Suspended holds at present, nil for nothing.
	Suspended   *hotline.Measure
	Submissions []line
	Older       int64
	Categories  []safety.Category
	Most        int
}

// typed are the fields of the form.
type typed struct {
	Reference, Places, Kind, Why string
	GoodFaith, Emergency         bool
}

// wrong is a field and the key of what is wrong with it; Line counts the places from 1, 0 for none.
type wrong struct {
	Field, Text string
	Line        int
}

// line is a submission in the list.
type line struct {
	hotline.Submission
	Ref string
}

func (p *Pages) home(w http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	return p.showHome(r, v, http.StatusOK, typed{}, nil)
}

func (p *Pages) showHome(
	r *http.Request, v *officer.Visit, status int, t typed, bad []wrong,
) error {
	below := int64(math.MaxInt64)
	if n, err := strconv.ParseInt(r.FormValue("below"), 10, 64); err == nil {
		below = n
	}
	body := lane{
		Form: v.Form(submitAt), Typed: t, Wrong: bad, Categories: safety.Categories(),
		Most: hotline.MostItems,
	}
	of := v.Agency().ID
	err := p.Store.View(r.Context(), func(rd *store.Reader) (err error) {
		body.Submissions, body.Older = nil, 0
		body.Suspended, err = hotline.SuspensionOf(rd, of, p.Clock.Now().Unix())
		if err != nil {
			return err
		}
		list, err := hotline.Submissions(rd, of, below, shown)
		for _, s := range list {
			ref := p.Hotlines.Reference(hotline.Item{Agency: of, ID: s.ID})
			body.Submissions = append(body.Submissions, line{s, ref})
		}
		if len(list) == shown {
			body.Older = list[shown-1].ID
		}
		return err
	})
	if err != nil {
		return err
	}
	return v.Show(p.set, status, "lane", body)
}

// hexDigest is what a line looks like that is no place but the SHA-256 of a file.
var hexDigest = regexp.MustCompile(`^[0-9A-Fa-f]{64}$`)

// read is the form that was sent, and the document that it says.
func read(r *http.Request) (t typed, d hotline.Document, lines []int) {
	field := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	t = typed{
		Reference: field("reference"), Places: r.PostFormValue("places"), Kind: field("kind"),
		Why: field("explanation"), GoodFaith: field("good_faith") != "",
		Emergency: field("emergency") != "",
	}
	l, _ := page.LanguageOf(r)
	d = hotline.Document{
		Reference: t.Reference, GoodFaith: t.GoodFaith, Emergency: t.Emergency, Lang: l.Code,
		Explanation: t.Why,
	}
	category, keyword, _ := strings.Cut(t.Kind, "/")
	d.Category, d.Keyword = safety.Category(category), safety.Keyword(keyword)
	n := 0
	for text := range strings.Lines(t.Places) {
		n++
		text = strings.TrimSpace(text)
		switch {
		case text == "":
			continue
		case hexDigest.MatchString(text):
			d.Items = append(d.Items, hotline.Named{SHA256: text})
		default:
			d.Items = append(d.Items, hotline.Named{Location: text})
		}
		lines = append(lines, n)
	}
	if d.Reference == "" {
		// The same form sent twice is one submission, also without a name.
		sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", t.Places, t.Kind, t.Why))
		d.Reference = "page-" + hex.EncodeToString(sum[:8])
	}
	return t, d, lines
}

func (p *Pages) submit(w http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	t, d, lines := read(r)
	got, err := p.Hotlines.Submit(r.Context(), v.Agency(), v.Officer().ID, d)
	var problems hotline.Problems
	switch {
	case errors.As(err, &problems):
		return p.showHome(r, v, http.StatusUnprocessableEntity, t, faults(problems, lines))
	case errors.Is(err, hotline.ErrConflict):
		return p.showHome(r, v, http.StatusConflict, t, []wrong{{"reference", "wrong.conflict", 0}})
	case errors.Is(err, hotline.ErrSuspended):
		return p.showHome(r, v, http.StatusForbidden, t, []wrong{{"places", "suspended.text", 0}})
	case err != nil:
		return err
	}
	return v.Leave(home + "/item/" + p.Hotlines.Reference(got.Items[0]))
}

// itemField is how a problem names a part of an item.
var itemField = regexp.MustCompile(`^items\[(\d+)\]\.(\w+)$`)

// faults are problems as the form shows them.
func faults(problems hotline.Problems, lines []int) (out []wrong) {
	fields := map[string]string{
		"submission": "reference", "items": "places", "location": "places", "sha256": "places",
		"category": "kind", "keyword": "kind",
	}
	for _, x := range problems {
		at := wrong{Field: x.Field, Text: "wrong." + x.Reason}
		if m := itemField.FindStringSubmatch(x.Field); m != nil {
			n, err := strconv.Atoi(m[1])
			if at.Field = m[2]; err == nil && n < len(lines) && fields[at.Field] == "places" {
				at.Line = lines[n]
			}
		}
		if f := fields[at.Field]; f != "" {
			at.Field = f
		}
		if !slices.Contains(out, at) {
			out = append(out, at)
		}
	}
	return out
}

// bundle is a submission with its items.
type bundle struct {
	hotline.Submission
	Items []thing
	// Open is how many of them wait for a decision.
	Open int
}

// thing is an item as it is shown.
type thing struct {
	hotline.Item
	Ref, Report, Ended, Before string
	Promised                   int64
}

func (p *Pages) submission(w http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	i, err := p.Hotlines.Find(r.Context(), v.Agency().ID, r.PathValue("ref"))
	if err != nil {
		return missing(err)
	}
	var b bundle
	err = p.Store.View(r.Context(), func(rd *store.Reader) (err error) {
		b = bundle{}
		if b.Submission, err = rd.Submission(i.Agency, i.Submission); err != nil {
			return err
		}
		for after := int64(0); ; {
			list, err := hotline.Items(rd, i.Agency, i.Submission, after, listMost)
			if err != nil || len(list) == 0 {
				return err
			}
			for _, i := range list {
				after = i.ID
				b.Items = append(b.Items, p.thing(v, i))
			}
		}
	})
	if err != nil {
		return missing(err)
	}
	for _, x := range b.Items {
		if x.State == hotline.Received || x.State == hotline.InReview {
			b.Open++
		}
	}
	return v.Show(p.set, http.StatusOK, "submission", b)
}

func (p *Pages) thing(v *officer.Visit, i hotline.Item) thing {
	x := thing{Item: i, Ref: p.Hotlines.Reference(i), Ended: hotline.Ended(i.Outcome)}
	if i.First != i.Outcome {
		x.Before = hotline.Ended(i.First)
	}
	if i.Report != 0 {
		x.Report = p.report(i)
	}
	if i.Kind != hotline.Digest {
		x.Promised = i.Created + i.Promised(v.Agency().Kind)
	}
	return x
}

// proof hands out the receipt of an item, or says that it is not there yet.
func (p *Pages) proof(w http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	i, err := p.Hotlines.Find(r.Context(), v.Agency().ID, r.PathValue("ref"))
	if err != nil {
		return missing(err)
	}
	body, err := p.receipt(r, i, strings.HasSuffix(r.URL.Path, "/end"))
	if errors.Is(err, ledger.ErrWaiting) {
		w.Header().Set("Retry-After", fmt.Sprint(waitSeconds))
		return v.Show(p.set, http.StatusServiceUnavailable, "waiting", p.Hotlines.Reference(i))
	}
	if err != nil {
		return missing(err)
	}
	return p.sendReceipt(w, r, i, body)
}

// record is what an agency sees of its word and its lane.
type record struct {
	hotline.Figures
	Days int
}

// Hours is a time in seconds in hours.
func (record) Hours(seconds int64) string {
	return strconv.FormatFloat(float64(seconds)/3600, 'f', -1, 64)
}

// Tenths is a time in seconds in hours with one digit behind the point.
func (record) Tenths(seconds int64) string {
	return strconv.FormatFloat(float64(seconds)/3600, 'f', 1, 64)
}

func (p *Pages) figures(w http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	f, err := p.figuresOf(r, v.Agency())
	if err != nil {
		return err
	}
	return v.Show(p.set, http.StatusOK, "figures", record{f, hotline.RecordDays})
}

// steps are the measures against an agency.
type steps struct {
	List  []step
	Wrong bool
}

type step struct {
	hotline.Measure
	Form officer.Form
}

func (p *Pages) measures(w http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	return p.showMeasures(r, v, http.StatusOK, false)
}

func (p *Pages) showMeasures(r *http.Request, v *officer.Visit, status int, bad bool) error {
	var list []hotline.Measure
	err := p.Store.View(r.Context(), func(rd *store.Reader) (err error) {
		list, err = hotline.MeasuresTaken(rd, v.Agency().ID)
		return err
	})
	if err != nil {
		return err
	}
	body := steps{Wrong: bad}
	for _, m := range list {
		at := measureAt + "/" + strconv.FormatInt(m.ID, 10) + "/appeal"
		body.List = append(body.List, step{m, v.Form(at)})
	}
	return v.Show(p.set, status, "measures", body)
}

func (p *Pages) complain(w http.ResponseWriter, r *http.Request, v *officer.Visit) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return page.ErrNotFound
	}
	err = p.Hotlines.Complain(r.Context(), v.Agency().ID, v.Officer().ID, id,
		r.PostFormValue("text"))
	if errors.Is(err, hotline.ErrText) || errors.Is(err, hotline.ErrState) {
		return p.showMeasures(r, v, http.StatusUnprocessableEntity, errors.Is(err, hotline.ErrText))
	}
	if err != nil {
		return missing(err)
	}
	return v.Leave(measureAt)
}
