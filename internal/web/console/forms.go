package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"parley/internal/safety/disclose"
	"parley/internal/safety/dsadb"
	"parley/internal/safety/euform"
	"parley/internal/store"
	"parley/internal/tlog/verify"
	"parley/internal/web/page"
	"parley/internal/web/staff"
)

// Reports are what the official report is made from, and where it is put to be published.
type Reports struct {
	// Dir is where official reports lie, as safety/disclose reads them; empty publishes none.
	Dir string
	// Counted counts what the forms ask of a period. waiting tells that some lines are not in the
	// public log yet.
	Counted func(context.Context, euform.Period) (c euform.Counted, waiting bool, err error)
}

// formRows are about official reports, and statements for the EU's database.
func (c *Console) formRows() []row {
	const statement = "/statement/{subject}/{id}"
	return []row{
		{"GET", "/forms", staff.Forms, false, "forms", c.forms},
		{"POST", "/forms/make", staff.Forms, true, "form make", c.makeForm},
		{"POST", "/forms/draft", staff.Forms, false, "form draft", c.draftForm},
		{"GET", "/statements", staff.Forms, false, "statements", c.statements},
		{"GET", statement, staff.Forms, false, "statement", c.statement},
		{"POST", statement + "/again", staff.Forms, true, "statement again", c.sendAgain},
	}
}

// euFormName is the directory of the report of Implementing Regulation (EU) 2024/2835.
const euFormName = "eu-2024-2835"

// formLine is a report that lies in the directory.
type formLine struct {
	Name, Kind, From, To string
	Size                 int
}

// formsView lists official reports, with the form that makes one.
type formsView struct {
	Dir   string
	Lines []formLine
	// Wrong says that files in the directory cannot be published, and why.
	Wrong string
	// From, To and Operator are as they were typed, Lacks what is missing or wrong.
	From, To, Operator string
	Lacks              []string
}

func (c *Console) forms(v *visit) error { return c.showForms(v, http.StatusOK, formsView{}) }

func (c *Console) showForms(v *visit, status int, body formsView) error {
	body.Dir = c.Reports.Dir
	if body.Dir != "" {
		list, err := disclose.Forms(body.Dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			body.Wrong = err.Error()
		}
		for _, d := range list {
			name, kind, _ := cut(strings.TrimPrefix(d.Name, verify.FormPrefix))
			body.Lines = append(body.Lines, formLine{name, kind, d.Day, d.Ends, len(d.Body)})
		}
	}
	return v.show(status, "forms", body)
}

// cut parts the name of a form from its kind of file.
func cut(name string) (before, after string, found bool) {
	i := strings.LastIndexByte(name, '-')
	if i < 0 {
		return name, "", false
	}
	return name[:i], name[i+1:], true
}

// filled is the report of the period that the form asks for, with what it lacks. The view is as the
// form was typed.
func (v *visit) filled() (r euform.Report, p euform.Period, view formsView, err error) {
	view = formsView{From: v.field("from"), To: v.field("to"), Operator: v.field("operator")}
	from, err1 := time.Parse(time.DateOnly, view.From)
	to, err2 := time.Parse(time.DateOnly, view.To)
	p = euform.Period{From: from, To: to}
	if err1 != nil || err2 != nil || to.Before(from) || p.End().After(v.Clock.Now()) {
		view.Lacks = []string{v.set.Text(v.r, "forms.period")}
		return r, p, view, nil
	}
	operator, err := euform.ParseOperator([]byte(view.Operator))
	if err != nil {
		view.Lacks = []string{err.Error()}
		return r, p, view, nil
	}
	counted, waiting, err := v.Reports.Counted(v.r.Context(), p)
	if err != nil {
		return r, p, view, err
	}
	if r, err = euform.Fill(p, operator, counted); err != nil {
		return r, p, view, err
	}
	if waiting {
		view.Lacks = append(view.Lacks, v.set.Text(v.r, "forms.waiting"))
	}
	view.Lacks = append(view.Lacks, operator.Missing()...)
	for _, x := range euform.Check(r) {
		view.Lacks = append(view.Lacks, x.String())
	}
	return r, p, view, nil
}

// makeForm makes the official report of a period and puts it where it is published from. Nothing
// that lacks something is.
func (c *Console) makeForm(v *visit) error {
	r, p, view, err := v.filled()
	if err != nil {
		return err
	}
	if len(view.Lacks) > 0 {
		return c.showForms(v, http.StatusUnprocessableEntity, view)
	}
	if c.Reports.Dir == "" {
		return problem{http.StatusConflict, "noforms"}
	}
	if err := writeForm(filepath.Join(c.Reports.Dir, euFormName), formName(p), r); err != nil {
		return fmt.Errorf("console: forms: %w", err)
	}
	return v.leave("/forms", "formmade")
}

// formName is the name of the report of a period.
func formName(p euform.Period) string {
	return p.From.Format(time.DateOnly) + "." + p.To.Format(time.DateOnly) + ".zip"
}

// writeForm writes a report under its name at once: who publishes it never sees half of it.
func writeForm(dir, name string, r euform.Report) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, "."+name+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	err = r.WriteZIP(f)
	if err == nil {
		err = errors.Join(f.Chmod(0o644), f.Sync())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, name))
}

// draftForm hands the report of a period out as it is, which publishes nothing.
func (c *Console) draftForm(v *visit) error {
	r, p, view, err := v.filled()
	if err != nil {
		return err
	}
	if len(r.Parts) == 0 {
		return c.showForms(v, http.StatusUnprocessableEntity, view)
	}
	var b bytes.Buffer
	if err := r.WriteZIP(&b); err != nil {
		return err
	}
	v.w.Header().Set("Content-Disposition", `attachment; filename="draft.`+formName(p)+`"`)
	c.Site.Bytes(v.w, v.r, http.StatusOK, "application/zip", b.Bytes())
	return nil
}

// statementLine is a statement for the EU's database in a list.
type statementLine struct {
	dsadb.Row
	Path, Decision, State string
	// Again tells that it can be sent again.
	Again bool
}

// statementCount is how many statements are in a state.
type statementCount struct {
	Name  string
	Count int64
}

// statementsView lists what is owed to the EU's database.
type statementsView struct {
	Mode   string
	Counts []statementCount
	State  string
	Lines  []statementLine
	More   string
}

func statementPath(r dsadb.Row) string {
	return fmt.Sprintf("/statement/%d/%d", r.Subject, r.Decision)
}

func statementLineOf(r dsadb.Row) statementLine {
	return statementLine{
		Row: r, Path: statementPath(r), State: r.State.String(),
		Decision: fmt.Sprintf("/decision/%d/%d", r.Subject, r.Decision),
		Again:    r.State == dsadb.Rejected || r.State == dsadb.Held,
	}
}

// statements lists the statements in a state, those that need somebody unless another is asked for.
func (c *Console) statements(v *visit) error {
	state := dsadb.Rejected
	for _, s := range dsadb.States() {
		if s.String() == v.r.FormValue("state") {
			state = s
		}
	}
	after, _ := strconv.ParseInt(v.r.FormValue("after"), 10, 64)
	body := statementsView{Mode: c.DSAMode, State: state.String()}
	err := v.view(func(r *store.Reader) error {
		counts, err := dsadb.Status(r, time.Unix(0, 0), c.Clock.Now().Add(time.Hour))
		if err != nil {
			return err
		}
		body.Counts, body.Lines, body.More = nil, nil, ""
		for _, s := range dsadb.States() {
			body.Counts = append(body.Counts, statementCount{s.String(), counts[s].Count})
		}
		list, err := dsadb.In(r, state, after, mostListed)
		for _, x := range list {
			body.Lines = append(body.Lines, statementLineOf(x))
		}
		if len(list) == mostListed {
			body.More = strconv.FormatInt(list[len(list)-1].Decision, 10)
		}
		return err
	})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "statements", body)
}

// statementView is a statement as it would be sent.
type statementView struct {
	statementLine
	JSON  string
	Wrong []dsadb.Problem
}

// Line is the statement as a list has it.
func (s statementView) Line() statementLine { return s.statementLine }

// statement shows a statement as it would be sent now.
func (c *Console) statement(v *visit) error {
	subject, id, err := v.ref()
	if err != nil {
		return err
	}
	row, err := c.DSA.Compose(v.r.Context(), subject, id)
	if errors.Is(err, dsadb.ErrDecision) {
		return page.ErrNotFound
	}
	if err != nil {
		return err
	}
	body := statementView{statementLine: statementLineOf(row)}
	text, err := json.MarshalIndent(row.StatementOfReason, "", "  ")
	if err != nil {
		return err
	}
	body.JSON, body.Wrong = string(text), dsadb.Validate(row.StatementOfReason)
	return v.show(http.StatusOK, "statement", body)
}

// sendAgain has a statement sent again that was rejected or held.
func (c *Console) sendAgain(v *visit) error {
	subject, id, err := v.ref()
	if err != nil {
		return err
	}
	redact := v.field("redact") == "yes"
	err = dsadb.Retry(v.r.Context(), c.Store, c.Clock, subject, id, redact)
	if errors.Is(err, dsadb.ErrDecision) {
		return page.ErrNotFound
	}
	if err != nil {
		return err
	}
	c.DSA.Owed()
	return v.leave("/statements", "again")
}
