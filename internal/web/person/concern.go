package person

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/safety/intake"
	"parley/internal/safety/statement"
	"parley/internal/store"
	"parley/internal/web/page"
)

const (
	// formName is what the tokens of complaints are bound to.
	formName = "complaint"
	// textRunes is the longest that can be said at once, in characters.
	textRunes = 5000
	// mostSaid is how many public lines of a case are shown.
	mostSaid = 50
)

// concern is a decision, or a report, as whoever holds its reference sees it.
type concern struct {
	statement.View
	// Reference and Path make its address.
	Reference, Path string
	// State is the key of the text of how far it is.
	State string
	// Report is set for the maker of a report. At is when it came, Decided when it was decided, 0
	// while it is not.
	Report      bool
	At, Decided int64
	Said        []casefile.Past
	// Places are all places of a notice, when it named several.
	Places   []place
	Disputes []string
	// Typed is what was written into the form, Wrong the key of what is wrong with it.
	Typed, Wrong string
}

// place is one place of a notice.
type place struct{ Place, Reference, State string }

// concern shows what a reference leads to, or takes in what its holder says about it.
func (p *Pages) concern(
	w http.ResponseWriter, r *http.Request, path string, kind safety.RefKind,
) error {
	if name := r.PathValue("reference"); path == statementPath && username.MatchString(name) {
		// Telegram's address of a channel's preview.
		p.turn(w, r, "/"+name)
		return nil
	}
	ref, err := p.read(r, kind)
	if err != nil {
		return err
	}
	c, err := p.look(r, ref)
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, safety.ErrReference),
		errors.Is(err, statement.ErrBarred):
		return p.Site.Miss(r)
	case err != nil:
		return err
	}
	c.Path = path + ref
	status := http.StatusOK
	if r.Method == http.MethodPost {
		c.Typed = strings.TrimSpace(r.PostFormValue("text"))
		if c.Wrong, status, err = p.say(r, c); err != nil {
			return err
		}
		if c.Wrong == "" {
			p.turn(w, r, c.Path)
			return nil
		}
	}
	return p.set.Render(w, r, status, "concern", c)
}

// look reads what the holder of a reference may see.
func (p *Pages) look(r *http.Request, ref string) (c concern, err error) {
	l, _ := page.LanguageOf(r)
	kind, subject, id, err := p.References.Read(ref)
	if err != nil {
		return c, err
	}
	err = p.Store.View(r.Context(), func(rd *store.Reader) error {
		c = concern{Reference: ref, Disputes: p.Disputes, Report: kind == safety.ReportRef}
		if c.Report {
			if err := p.report(rd, subject, id, &c); err != nil {
				return err
			}
		}
		v, err := p.Statements.Page(rd, ref, l.Code)
		if c.Report && errors.Is(err, appeal.ErrNothing) {
			return complained(rd, subject, id, &c) // not decided, or to be decided anew
		}
		if err != nil {
			return err
		}
		c.View = v
		if !c.Report {
			c.State = "state." + v.Decision.State.String()
		}
		return nil
	})
	return c, err
}

// report takes out of a case what the maker of a report may know: how far it is, and how his report
// ended. Who else reported, who works on it and what was noted for staff stay inside.
func (p *Pages) report(rd *store.Reader, subject ids.Peer, id int64, c *concern) error {
	report, err := rd.Report(subject, id)
	if err != nil {
		return err
	}
	of, err := rd.Case(subject, report.Case)
	if err != nil {
		return err
	}
	past, err := casefile.Events(rd, of, 0, mostSaid)
	if err != nil {
		return err
	}
	c.At, c.Decided, c.State = report.At, report.Decided, stateOf(report, of)
	for _, e := range past {
		if e.Public && e.Text != "" && e.Kind == casefile.Noted && e.At >= report.At {
			c.Said = append(c.Said, e)
		}
	}
	parts, err := intake.Parts(rd, subject, id)
	if err != nil {
		return err
	}
	for _, x := range parts {
		report, err := rd.Report(x.Subject, x.Report)
		if err != nil {
			return err
		}
		of, err := rd.Case(x.Subject, report.Case)
		if err != nil {
			return err
		}
		c.Places = append(c.Places, place{
			Place: x.Place, State: stateOf(report, of),
			Reference: p.References.Make(safety.ReportRef, x.Subject, x.Report),
		})
	}
	return nil
}

// complained adds the complaint that the maker of a report made before its case was opened again.
func complained(rd *store.Reader, subject ids.Peer, id int64, c *concern) error {
	report, err := rd.Report(subject, id)
	if err != nil {
		return err
	}
	of, err := rd.Case(subject, report.Case)
	if err != nil || of.Decision == 0 {
		return err
	}
	list, err := appeal.Of(rd, subject, of.Decision)
	if err != nil {
		return err
	}
	for _, a := range list {
		if a.Report == id {
			c.Appeal = &a
			c.Dialogue, err = appeal.Dialogue(rd, subject, a.ID)
		}
	}
	return err
}

// stateOf is the key of the text of how far a report is.
func stateOf(report store.Report, of store.Case) string {
	switch o := casefile.Outcome(report.Outcome); {
	case o == casefile.Upheld || o == casefile.Partly:
		return "status.action"
	case o != 0:
		return "status.nothing"
	case casefile.State(of.State) != casefile.Open:
		return "status.review"
	default:
		return "status.received"
	}
}

// say makes a complaint, or adds to the dialogue about one. It returns the key of what is wrong
// with the form, empty when it was taken in.
func (p *Pages) say(r *http.Request, c concern) (wrong string, status int, err error) {
	switch {
	case c.Typed == "":
		return "wrong.empty", http.StatusUnprocessableEntity, nil
	case utf8.RuneCountInString(c.Typed) > textRunes || !utf8.ValidString(c.Typed):
		return "wrong.long", http.StatusUnprocessableEntity, nil
	}
	switch err := p.Site.Check(r, formName); {
	case errors.Is(err, page.ErrTooMany):
		return "wrong.often", http.StatusTooManyRequests, nil
	case err != nil:
		return "wrong.form", http.StatusUnprocessableEntity, nil
	}
	if c.Appeal == nil {
		l, _ := page.LanguageOf(r)
		_, err = p.Appeals.File(r.Context(), c.Reference, l.Code, c.Typed)
		if errors.Is(err, appeal.ErrTwice) {
			err = nil // sent twice: the page shows the complaint
		}
	} else {
		err = p.Appeals.Say(r.Context(), c.Appeal.Subject, c.Appeal.ID, 0,
			origin(r, c.Appeal.ID), c.Typed)
	}
	switch {
	case errors.Is(err, appeal.ErrLate):
		return "wrong.late", http.StatusConflict, nil
	case errors.Is(err, appeal.ErrNothing), errors.Is(err, appeal.ErrNotYours):
		return "wrong.nothing", http.StatusConflict, nil
	case errors.Is(err, appeal.ErrDecided):
		return "wrong.decided", http.StatusConflict, nil
	case errors.Is(err, appeal.ErrText):
		return "wrong.long", http.StatusUnprocessableEntity, nil
	}
	return "", http.StatusOK, err
}

// origin tells a line of a dialogue apart from another: the same form sent twice says it once.
func origin(r *http.Request, id int64) int64 {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(page.Token(r)), uint64(id)))
	// Ids of messages of the service chat, the other origins, are small.
	return int64(binary.BigEndian.Uint64(sum[:])>>1) | 1<<62
}

// Open tells whether something can be added to the complaint.
func (c concern) Open() bool { return c.Appeal != nil && c.Appeal.State == appeal.Open }

// Over tells whether the decision does not apply any more.
func (c concern) Over() bool { return !c.Report && c.Decision.State != decide.Effective }
