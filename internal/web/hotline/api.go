package hotline

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/appeal"
	"parley/internal/safety/hotline"
	"parley/internal/safety/ledger"
	"parley/internal/safety/statement"
	"parley/internal/store"
	"parley/internal/web/officer"
	"parley/internal/web/page"
)

const (
	// listMost is how many submissions or decided items one answer has.
	listMost = 1000
	// waitSeconds is after how long it is worth asking again for a receipt that is not there yet.
	waitSeconds = 60
)

// submissionJSON is a submission as programs are told of it.
type submissionJSON struct {
	Reference  string     `json:"reference"`
	Submission string     `json:"submission"`
	Received   string     `json:"received"`
	SHA256     string     `json:"sha256"`
	Again      bool       `json:"again,omitempty"`
	Count      int64      `json:"count"`
	Items      []itemJSON `json:"items,omitempty"`
}

// itemJSON is an item as programs are told of it.
type itemJSON struct {
	Reference string          `json:"reference"`
	ID        string          `json:"id,omitempty"`
	Kind      string          `json:"kind"`
	PartOf    string          `json:"part_of,omitempty"`
	Location  string          `json:"location,omitempty"`
	SHA256    string          `json:"sha256,omitempty"`
	Category  safety.Category `json:"category"`
	Keyword   safety.Keyword  `json:"keyword,omitempty"`
	State     string          `json:"state"`
	Received  string          `json:"received"`
	Promised  string          `json:"promised,omitempty"`
	Problem   string          `json:"problem,omitempty"`
	Search    *searchJSON     `json:"search,omitempty"`
	Outcome   string          `json:"outcome,omitempty"`
	First     string          `json:"first_outcome,omitempty"`
	Decided   string          `json:"decided,omitempty"`
	// Told is when that was mailed.
	Told     string        `json:"told,omitempty"`
	Decision *decisionJSON `json:"decision,omitempty"`
	Status   string        `json:"status,omitempty"`
	Receipt  string        `json:"receipt,omitempty"`
}

// searchJSON says what a digest was compared with.
type searchJSON struct {
	Files   int64 `json:"files"`
	Matches int64 `json:"matches"`
	Bounded bool  `json:"bounded"`
}

// decisionJSON says what was decided, and what can be done about it.
type decisionJSON struct {
	Title string     `json:"title"`
	Parts []partJSON `json:"parts"`
	// Complaint is where one can complain, empty where nothing can be complained about any more.
	Complaint string `json:"complaint,omitempty"`
}

type partJSON struct {
	Name  string `json:"name,omitempty"`
	Label string `json:"label,omitempty"`
	Text  string `json:"text"`
}

func moment(unix int64) string {
	if unix == 0 {
		return ""
	}
	return time.Unix(unix, 0).UTC().Format(time.RFC3339)
}

// item is an item for programs; with what was decided in a language, unless that is empty.
func (p *Pages) item(
	r *store.Reader, of agency.Agency, i hotline.Item, lang string,
) (out itemJSON, err error) {
	out = itemJSON{
		Reference: p.Hotlines.Reference(i), ID: i.Name, Kind: i.Kind.String(),
		Location: i.Location, SHA256: i.SHA256, Category: i.Category, Keyword: i.Keyword,
		State: i.State.String(), Received: moment(i.Created), Problem: i.Problem,
		Decided: moment(i.Decided), Outcome: hotline.Ended(i.Outcome),
		Told: moment(max(i.Notified, 0)),
	}
	if i.PartOf != 0 {
		out.PartOf = p.Hotlines.Reference(hotline.Item{Agency: i.Agency, ID: i.PartOf})
	}
	if i.Kind == hotline.Digest {
		if i.State == hotline.Searched {
			out.Search = &searchJSON{i.Looked, i.Found, i.Bounded}
		}
		return out, nil
	}
	out.Promised = moment(i.Created + i.Promised(of.Kind))
	if i.First != i.Outcome {
		out.First = hotline.Ended(i.First)
	}
	if i.Report == 0 {
		return out, nil
	}
	out.Status = p.Site.URL("/r/" + p.report(i))
	if i.Decision == 0 || lang == "" {
		return out, nil
	}
	v, err := p.Statements.Page(r, p.report(i), lang)
	if errors.Is(err, appeal.ErrNothing) || errors.Is(err, statement.ErrBarred) {
		return out, nil // to be decided anew, or not to be told
	}
	if err != nil {
		return out, err
	}
	out.Receipt = p.Site.URL(api + "/items/" + out.Reference + "/receipt")
	out.Decision = &decisionJSON{Title: v.Title}
	if v.MayAppeal {
		out.Decision.Complaint = out.Status
	}
	for _, x := range v.Parts {
		out.Decision.Parts = append(out.Decision.Parts, partJSON{x.Name, x.Label, x.Text})
	}
	return out, nil
}

// submissionOf is a submission for programs.
func (p *Pages) submissionOf(s hotline.Submission) submissionJSON {
	return submissionJSON{
		Reference:  p.Hotlines.Reference(hotline.Item{Agency: s.Agency, ID: s.ID}),
		Submission: s.Reference, Received: moment(s.At), SHA256: s.Digest, Count: s.Items,
	}
}

// say answers a program.
func (p *Pages) say(w http.ResponseWriter, r *http.Request, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("hotline: %w", err)
	}
	p.Site.JSON(w, r, status, append(body, '\n'))
	return nil
}

// readBody reads what a program sent.
func readBody(r *http.Request, v any) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return officer.Fault{Status: http.StatusUnsupportedMediaType, Code: "type",
			Text: "The body is to be application/json."}
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err = d.Decode(v)
	if err == nil && d.More() {
		err = errors.New("there is more than one value")
	}
	if most := new(http.MaxBytesError); err == nil || errors.As(err, &most) {
		return err
	}
	return officer.Fault{Status: http.StatusBadRequest, Code: "json",
		Text: "The body is not of this form: " + strings.TrimPrefix(err.Error(), "json: ")}
}

func (p *Pages) apiSubmit(w http.ResponseWriter, r *http.Request, of agency.Agency) error {
	var d hotline.Document
	if err := readBody(r, &d); err != nil {
		return err
	}
	got, err := p.Hotlines.Submit(r.Context(), of, 0, d)
	if err != nil {
		return fault(err)
	}
	out := p.submissionOf(got.Submission)
	out.Again = got.Again
	err = p.Store.View(r.Context(), func(rd *store.Reader) error {
		out.Items = nil
		for _, i := range got.Items {
			x, err := p.item(rd, of, i, "")
			if err != nil {
				return err
			}
			out.Items = append(out.Items, x)
		}
		return nil
	})
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if got.Again {
		status = http.StatusOK
	}
	return p.say(w, r, status, out)
}

// fault is how the lane says no, for programs.
func fault(err error) error {
	var problems hotline.Problems
	switch {
	case errors.As(err, &problems):
		f := officer.Fault{Status: http.StatusUnprocessableEntity, Code: "incomplete",
			Text: "Something is missing or is not as it has to be. Nothing was stored."}
		for _, x := range problems {
			f.Problems = append(f.Problems, officer.FieldFault{
				Law: "DSA Art. 16(2)", Field: x.Field, What: x.Reason,
			})
		}
		return f
	case errors.Is(err, hotline.ErrConflict):
		return officer.Fault{Status: http.StatusConflict, Code: "reference",
			Text: "The reference stands for another submission of this agency."}
	case errors.Is(err, hotline.ErrSuspended):
		return officer.Fault{Status: http.StatusForbidden, Code: "suspended",
			Text: "This agency has no lane at present: its digests are not looked for, but for " +
				"dangers to a child or to life; places that it reports are dealt with as " +
				"anybody's. The reasons, and how to complain: " + api + "/measures"}
	case errors.Is(err, hotline.ErrState):
		return officer.Fault{Status: http.StatusConflict, Code: "state",
			Text: "There was a complaint about it already."}
	case errors.Is(err, hotline.ErrText):
		return officer.Fault{Status: http.StatusUnprocessableEntity, Code: "incomplete",
			Text:     "The text is missing or too long.",
			Problems: []officer.FieldFault{{Field: "text", What: "missing"}}}
	}
	return err
}

// place is the number in the query by which a list goes on.
func place(r *http.Request, name string, otherwise int64) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, officer.Fault{Status: http.StatusBadRequest, Code: "query",
			Text:     "A parameter is no number.",
			Problems: []officer.FieldFault{{Field: name, What: "unknown"}}}
	}
	return n, nil
}

func (p *Pages) apiSubmissions(w http.ResponseWriter, r *http.Request, of agency.Agency) error {
	below, err := place(r, "below", math.MaxInt64)
	if err != nil {
		return err
	}
	var out struct {
		Submissions []submissionJSON `json:"submissions"`
		Below       int64            `json:"below,omitempty"`
	}
	out.Submissions = []submissionJSON{}
	err = p.Store.View(r.Context(), func(rd *store.Reader) error {
		list, err := hotline.Submissions(rd, of.ID, below, listMost)
		out.Submissions = out.Submissions[:0]
		for _, s := range list {
			out.Submissions = append(out.Submissions, p.submissionOf(s))
		}
		if len(list) == listMost {
			out.Below = list[len(list)-1].ID
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.say(w, r, http.StatusOK, out)
}

func (p *Pages) apiSubmission(w http.ResponseWriter, r *http.Request, of agency.Agency) error {
	i, err := p.Hotlines.Find(r.Context(), of.ID, r.PathValue("ref"))
	if err != nil {
		return err
	}
	var out submissionJSON
	err = p.Store.View(r.Context(), func(rd *store.Reader) error {
		s, err := rd.Submission(of.ID, i.Submission)
		if err != nil {
			return err
		}
		out = p.submissionOf(s)
		for after := int64(0); ; {
			list, err := hotline.Items(rd, of.ID, i.Submission, after, listMost)
			if err != nil || len(list) == 0 {
				return err
			}
			for _, i := range list {
				after = i.ID
				x, err := p.item(rd, of, i, "")
				if err != nil {
					return err
				}
				out.Items = append(out.Items, x)
			}
		}
	})
	if err != nil {
		return err
	}
	return p.say(w, r, http.StatusOK, out)
}

func (p *Pages) apiItem(w http.ResponseWriter, r *http.Request, of agency.Agency) error {
	i, err := p.Hotlines.Find(r.Context(), of.ID, r.PathValue("ref"))
	if err != nil {
		return err
	}
	var out itemJSON
	l, _ := page.LanguageOf(r)
	err = p.Store.View(r.Context(), func(rd *store.Reader) (err error) {
		out, err = p.item(rd, of, i, l.Code)
		return err
	})
	if err != nil {
		return err
	}
	return p.say(w, r, http.StatusOK, out)
}

func (p *Pages) apiProof(w http.ResponseWriter, r *http.Request, of agency.Agency) error {
	i, err := p.Hotlines.Find(r.Context(), of.ID, r.PathValue("ref"))
	if err != nil {
		return err
	}
	body, err := p.receipt(r, i, strings.HasSuffix(r.URL.Path, "/end"))
	if errors.Is(err, ledger.ErrWaiting) {
		w.Header().Set("Retry-After", fmt.Sprint(waitSeconds))
		return officer.Fault{Status: http.StatusServiceUnavailable, Code: "waiting",
			Text: "It is not published yet. Ask again in a minute."}
	}
	if err != nil {
		return err
	}
	return p.sendReceipt(w, r, i, body)
}

func (p *Pages) apiDecided(w http.ResponseWriter, r *http.Request, of agency.Agency) error {
	since, err := place(r, "since", 1)
	if err != nil {
		return err
	}
	above, err := place(r, "above", 0)
	if err != nil {
		return err
	}
	var out struct {
		Items []itemJSON `json:"items"`
		// Since and Above are what to ask with next. Above is set while there may be more at once;
		// without it what was decided in the second of Since may come again, so that nothing is
		// missed that is decided in the rest of it.
		Since int64 `json:"since"`
		Above int64 `json:"above,string,omitempty"`
	}
	l, _ := page.LanguageOf(r)
	err = p.Store.View(r.Context(), func(rd *store.Reader) error {
		out.Items, out.Since, out.Above = []itemJSON{}, since, 0
		list, err := hotline.DecidedSince(rd, of.ID, since, above, listMost)
		if err != nil {
			return err
		}
		for _, i := range list {
			x, err := p.item(rd, of, i, l.Code)
			if err != nil {
				return err
			}
			out.Items, out.Since = append(out.Items, x), i.Decided
		}
		if len(list) == listMost {
			out.Above = list[len(list)-1].ID
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.say(w, r, http.StatusOK, out)
}

// figuresJSON are an agency's record and the times of its lane.
type figuresJSON struct {
	Days   int            `json:"days"`
	Record recordJSON     `json:"record"`
	Lanes  []laneTimeJSON `json:"lanes"`
}

type recordJSON struct {
	Decided   int64 `json:"decided"`
	Upheld    int64 `json:"upheld"`
	Partly    int64 `json:"partly"`
	Rejected  int64 `json:"rejected"`
	Unfounded int64 `json:"unfounded"`
	Reversed  int64 `json:"reversed"`
}

// laneTimeJSON has times in seconds; those of what was never decided are left out.
type laneTimeJSON struct {
	Category safety.Category `json:"category"`
	Promised int64           `json:"promised"`
	Decided  int64           `json:"decided"`
	Median   int64           `json:"median,omitempty"`
	P90      int64           `json:"p90,omitempty"`
	Late     int64           `json:"late"`
}

func (p *Pages) apiFigures(w http.ResponseWriter, r *http.Request, of agency.Agency) error {
	f, err := p.figuresOf(r, of)
	if err != nil {
		return err
	}
	out := figuresJSON{Days: hotline.RecordDays, Record: recordJSON(f.Record)}
	for _, l := range f.Lanes {
		out.Lanes = append(out.Lanes, laneTimeJSON{
			l.Category, l.Promised, l.Decided, l.Median, l.P90, l.Late,
		})
	}
	return p.say(w, r, http.StatusOK, out)
}

func (p *Pages) figuresOf(r *http.Request, of agency.Agency) (f hotline.Figures, err error) {
	err = p.Store.View(r.Context(), func(rd *store.Reader) (err error) {
		f, err = hotline.FiguresOf(rd, of, p.Clock.Now().Unix())
		return err
	})
	return f, err
}

// measureJSON is a warning or a suspension. It names nobody of the staff.
type measureJSON struct {
	ID        int64      `json:"id"`
	Step      string     `json:"step"`
	Misuse    string     `json:"misuse,omitempty"`
	At        string     `json:"at"`
	Until     string     `json:"until"`
	Reason    string     `json:"reason"`
	Record    recordJSON `json:"record"`
	Complaint string     `json:"complaint,omitempty"`
	State     string     `json:"complaint_state,omitempty"`
	Answer    string     `json:"answer,omitempty"`
}

func (p *Pages) apiMeasures(w http.ResponseWriter, r *http.Request, of agency.Agency) error {
	var list []hotline.Measure
	err := p.Store.View(r.Context(), func(rd *store.Reader) (err error) {
		list, err = hotline.MeasuresTaken(rd, of.ID)
		return err
	})
	if err != nil {
		return err
	}
	var out struct {
		Measures []measureJSON `json:"measures"`
	}
	out.Measures = []measureJSON{}
	for _, m := range list {
		out.Measures = append(out.Measures, measureJSON{
			m.ID, m.Step.String(), string(m.Misuse), moment(m.At), moment(m.Until), m.Why,
			recordJSON(m.Record),
			m.Complaint, m.Appeal.String(), m.Answer,
		})
	}
	return p.say(w, r, http.StatusOK, out)
}

func (p *Pages) apiComplain(w http.ResponseWriter, r *http.Request, of agency.Agency) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return page.ErrNotFound
	}
	var in struct {
		Text string `json:"text"`
	}
	if err := readBody(r, &in); err != nil {
		return err
	}
	if err := p.Hotlines.Complain(r.Context(), of.ID, 0, id, in.Text); err != nil {
		return fault(err)
	}
	return p.apiMeasures(w, r, of)
}
