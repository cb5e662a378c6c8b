package notice

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"parley/internal/safety"
	"parley/internal/safety/casefile"
	"parley/internal/store"
)

// status is what a notifier sees of his notice.
type status struct {
	Reference string
	At        int64
	// State is the key of its text.
	State string
	// Decided is when it was decided, 0 while it was not. Action tells whether something was done.
	Decided int64
	Action  bool
	Said    []casefile.Past
}

// mostSaid is how many public lines of a case are shown.
const mostSaid = 50

// status shows what became of the notice whose reference the visitor holds.
func (p *Pages) status(w http.ResponseWriter, r *http.Request) error {
	kind, subject, id, err := p.References.Read(r.PathValue("reference"))
	if err != nil || kind != safety.ReportRef {
		return p.Site.Miss(r)
	}
	s := status{Reference: p.References.Make(kind, subject, id)}
	err = p.Store.View(r.Context(), func(rd *store.Reader) error {
		report, err := rd.Report(subject, id)
		if err != nil {
			return err
		}
		c, err := rd.Case(subject, report.Case)
		if err != nil {
			return err
		}
		past, err := casefile.Events(rd, c, 0, mostSaid)
		s.fill(report, c, past)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return p.Site.Miss(r)
	}
	if err != nil {
		return err
	}
	return p.set.Render(w, r, http.StatusOK, "status", s)
}

// fill takes out of a case what the notifier may know: how far it is, and how his notice ended. Who
// else reported, who works on it and what was noted for staff stay inside.
func (s *status) fill(report store.Report, c store.Case, past []casefile.Past) {
	s.At, s.State = report.At, "status.received"
	switch {
	case report.Outcome != 0:
		o := casefile.Outcome(report.Outcome)
		s.Decided, s.Action = report.Decided, o == casefile.Upheld || o == casefile.Partly
		s.State = "status.nothing"
		if s.Action {
			s.State = "status.action"
		}
	case casefile.State(c.State) != casefile.Open:
		s.State = "status.review"
	}
	s.Said = nil
	for _, e := range past {
		if e.Public && e.Text != "" && e.Kind == casefile.Noted && e.At >= report.At {
			s.Said = append(s.Said, e)
		}
	}
}

// find leads from a typed reference to its page.
func (p *Pages) find(w http.ResponseWriter, r *http.Request) error {
	reference := strings.TrimSpace(r.FormValue("reference"))
	if reference == "" {
		return p.set.Render(w, r, http.StatusOK, "find", nil)
	}
	to := url.URL{Path: "/r/" + reference}
	if lang := r.FormValue("lang"); lang != "" {
		to.RawQuery = url.Values{"lang": {lang}}.Encode()
	}
	http.Redirect(w, r, p.Site.Path(to.String()), http.StatusSeeOther)
	return nil
}
