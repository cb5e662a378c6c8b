package console

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/crime"
	"parley/internal/safety/cybertip"
	"parley/internal/safety/decide"
	"parley/internal/safety/disclosure"
	"parley/internal/safety/duty"
	"parley/internal/safety/inquiry"
	"parley/internal/safety/order"
	"parley/internal/safety/orderform"
	"parley/internal/safety/personal"
	"parley/internal/store"
	"parley/internal/web/page"
	"parley/internal/web/staff"
)

// visit is a request of a member of staff, or of somebody who wants to be known as one.
type visit struct {
	*Console
	w       http.ResponseWriter
	r       *http.Request
	row     row
	session staff.Session
	// files are those that came with the form, kept in the blob store.
	files []inquiry.File
	// wrong is set while the page of a form is shown again because of it.
	wrong *problem
}

// session is that of a request. A quiet one is no sign of life.
func (c *Console) session(r *http.Request, quiet bool) (staff.Session, error) {
	if quiet {
		return c.Staff.Peek(r.Context(), c.cookie.Read(r), r.UserAgent())
	}
	return c.Staff.Session(r.Context(), c.cookie.Read(r), r.UserAgent())
}

// guard lets a visitor through to a page who may see it, and writes down that he does, or that he
// was kept from it.
func (c *Console) guard(at row) page.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		v := &visit{Console: c, w: w, r: r, row: at}
		if at.power == anybody {
			return v.answer(at.serve(v))
		}
		var err error
		v.session, err = c.session(r, at.quiet())
		if errors.Is(err, staff.ErrNoSession) {
			return v.askWho()
		}
		if err != nil {
			return err
		}
		if at.power != signedIn && !v.may(at.power) {
			c.refused(r, v.me(), at.word(), "role "+v.session.Member.Role.String())
			return problem{http.StatusForbidden, "forbidden"}.show(v)
		}
		if r.Method == http.MethodPost {
			if err := v.parts(); err != nil {
				return err
			}
			if !v.tokenIs() {
				c.refused(r, v.me(), at.word(), "token")
				return problem{http.StatusForbidden, "token"}.show(v)
			}
		}
		if asked, err := v.askAgain(at.strong); asked || err != nil {
			return v.answer(err)
		}
		if at.action != "" {
			if err := c.Staff.Record(r.Context(), v.act(at.action, "")); err != nil {
				return err
			}
		}
		return v.answer(at.serve(v))
	}
}

// word is what the audit calls the row.
func (at row) word() string {
	if at.action != "" {
		return at.action
	}
	return at.method + " " + at.path
}

// quiet tells whether pages ask for it by themselves: that is no sign of life.
func (at row) quiet() bool { return at.path == countsPath || at.path == orderCountsPath }

// refused writes down that somebody was kept from something, and raises the alarm.
func (c *Console) refused(r *http.Request, who int64, action, why string) {
	err := c.Staff.Record(r.Context(), staff.Act{
		Staff: who, Action: action, Refused: true, Detail: why,
	})
	if err != nil {
		c.Log.Error("console: audit", "error", err)
	}
	if c.Staff.Alarm != nil {
		c.Staff.Alarm("refused", action)
	}
}

// act is an act of the visitor about the subject and case that the path names.
func (v *visit) act(action, detail string) staff.Act {
	a := staff.Act{Staff: v.me(), Action: action, Detail: detail}
	if subject, id, err := v.ref(); err == nil {
		a.Subject.Peer, a.Case = subject, id
	} else if of, err := v.agencyOf(); err == nil {
		a.Subject.Peer = ids.Peer(of)
	}
	return a
}

// askWho sends a visitor without a session to where he signs in.
func (v *visit) askWho() error {
	if v.r.Method != http.MethodGet || v.row.quiet() {
		return problem{http.StatusUnauthorized, "signedout"}.show(v)
	}
	q := url.Values{"next": {v.r.URL.RequestURI()}}
	http.Redirect(v.w, v.r, v.Site.Path("/signin?"+q.Encode()), http.StatusSeeOther)
	return nil
}

// me is the visitor's number.
func (v *visit) me() int64 { return v.session.Member.ID }

// may tells whether the visitor's role has a power.
func (v *visit) may(p staff.Power) bool { return v.session.Member.Role.May(p) }

// actor is the visitor as the rooms below know him.
func (v *visit) actor() safety.Actor { return safety.Actor{Staff: v.me()} }

// ref is the subject and number of the path.
func (v *visit) ref() (ids.Peer, int64, error) {
	subject, err1 := strconv.ParseInt(v.r.PathValue("subject"), 10, 64)
	id, err2 := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err1 != nil || err2 != nil {
		return 0, 0, page.ErrNotFound
	}
	return ids.Peer(subject), id, nil
}

// field is a field of the form, without spaces around it.
func (v *visit) field(name string) string { return strings.TrimSpace(v.r.PostFormValue(name)) }

// number is a field that is a number, 0 when it is none.
func (v *visit) number(name string) int64 {
	n, err := strconv.ParseInt(v.field(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// view runs fn on the store.
func (v *visit) view(fn func(*store.Reader) error) error {
	return v.Store.View(v.r.Context(), fn)
}

// frame is what every page is given besides what it is about.
type frame struct {
	v    *visit
	Body any
	// Done is the key of a text about what was just done.
	Done string
}

// Me is the visitor.
func (f frame) Me() staff.Member { return f.v.session.Member }

// Token is what a form that posts to a path must carry.
func (f frame) Token(at string) string {
	if f.v.session.Member.ID == 0 {
		return ""
	}
	return f.v.Staff.Token(f.v.session, at)
}

// Form is where a form posts to, and what it must carry.
type Form struct{ Action, Token string }

// Form returns the form that posts to a path.
func (f frame) Form(at string) Form { return Form{f.v.Site.Path(at), f.Token(at)} }

// tab is an entry of the menu.
type tab struct {
	Path, Text string
	Current    bool
}

// Tabs are the pages that the visitor may see.
func (f frame) Tabs() (out []tab) {
	for _, t := range []struct {
		path, text string
		power      staff.Power
	}{
		{"/queue", "nav.queue", staff.Review}, {"/search", "nav.search", staff.Review},
		{"/orders", "nav.orders", staff.Sign}, {"/refusals", "nav.refusals", staff.Refusals},
		{"/agencies", "nav.agencies", staff.Onboard}, {"/forms", "nav.forms", staff.Forms},
		{"/statements", "nav.statements", staff.Forms},
		{"/approvals", "nav.approvals", staff.Second}, {"/appeals", "nav.appeals", staff.Review},
		{"/told", "nav.told", staff.Second},
		{"/sample", "nav.sample", staff.Review}, {"/shift", "nav.work", staff.Review},
		{"/figures", "nav.figures", staff.Figures}, {"/audit", "nav.audit", staff.Audit},
		{"/mails", "nav.mails", staff.Review},
		{"/oncall", "nav.oncall", staff.Review}, {"/inquiries", "nav.inquiries", staff.Orders},
		{"/hotlines", "nav.hotlines", staff.Onboard}, {"/staff", "nav.staff", staff.Manage},
	} {
		if f.v.may(t.power) {
			out = append(out, tab{t.path, t.text, strings.HasPrefix(f.v.r.URL.Path, t.path)})
		}
	}
	return out
}

// Can tells whether the visitor has a power, by its name.
func (f frame) Can(power string) bool {
	return slices.ContainsFunc(staff.Powers(), func(p staff.Power) bool {
		return p.String() == power && f.v.may(p)
	})
}

// With is what the fields of a decision are given: the view, and the form.
func (f frame) With(view *page.View, d draftView) map[string]any {
	return map[string]any{"V": view, "D": d}
}

// Line is what the line of an order's field is given: the view, and the line.
func (f frame) Line(view *page.View, l orderLine) map[string]any {
	return map[string]any{"V": view, "L": l}
}

// Lanes is what the counts of orders are given: the view, and the counts.
func (f frame) Lanes(view *page.View, list []orderLane) map[string]any {
	return map[string]any{"V": view, "Lanes": list}
}

// Agency is what a line of the list of agencies is given: the view, and the agency.
func (f frame) Agency(view *page.View, a agencyLine) map[string]any {
	return map[string]any{"V": view, "A": a}
}

// Officer is what the part of a page about an officer is given: the view, and the officer.
func (f frame) Officer(view *page.View, o officerLine) map[string]any {
	return map[string]any{"V": view, "O": o}
}

// Statement is what the form that sends a statement again is given: the view, and the statement.
func (f frame) Statement(view *page.View, s statementLine) map[string]any {
	return map[string]any{"V": view, "S": s}
}

// whyForm is a form that asks for a reason and nothing else.
type whyForm struct {
	Form
	ID, Label, Why string
	// Typed is what was typed into it when it could not be done, Open that it was sent.
	Typed string
	Open  bool
}

// Why returns the form that posts a reason to a path; of tells several of a page apart.
func (f frame) Why(view *page.View, at, label string, of ...int64) whyForm {
	id := strings.ReplaceAll(label, ".", "-")
	for _, n := range of {
		id += "-" + strconv.FormatInt(n, 10)
	}
	why := view.T("case.why")
	if own := view.Word(label, "why"); own != "why" { // it asks for something else than a reason
		why = own
	}
	return whyForm{
		Form: f.Form(at), ID: id, Label: view.T(label), Why: why,
		Typed: f.Typed(at, "why"), Open: f.Tried(at),
	}
}

// show answers with a page.
func (v *visit) show(status int, name string, body any) error {
	f := frame{v: v, Body: body}
	if v.wrong != nil {
		status = v.wrong.status
	}
	if done := "done." + v.r.FormValue("done"); v.set.Texts().Has(done) {
		f.Done = done
	}
	return v.set.Render(v.w, v.r, status, name, f)
}

// leave sends the visitor on to a page that says what was done.
func (v *visit) leave(to, done string) error {
	q := make(url.Values)
	if done != "" {
		q.Set("done", done)
	}
	if l, chosen := page.LanguageOf(v.r); chosen {
		q.Set("lang", l.Code)
	}
	if len(q) > 0 {
		to += "?" + q.Encode()
	}
	http.Redirect(v.w, v.r, v.Site.Path(to), http.StatusSeeOther)
	return nil
}

// problem is what a visitor is told who did nothing that the server does not know: a status, and
// the key of a title and a text.
type problem struct {
	status int
	key    string
}

// Error names the problem.
func (p problem) Error() string { return "console: " + p.key }

// show answers with the page of a problem.
func (p problem) show(v *visit) error { return v.show(p.status, "problem", p.key) }

// problems say how the rooms below say no.
func problems() map[error]problem {
	const conflict, forbidden = http.StatusConflict, http.StatusForbidden
	out := map[error]problem{
		casefile.ErrTaken:      {conflict, "taken"},
		casefile.ErrClosed:     {conflict, "closed"},
		decide.ErrSamePerson:   {forbidden, "same"},
		staff.ErrSamePerson:    {forbidden, "same"},
		decide.ErrState:        {conflict, "state"},
		decide.ErrProposed:     {conflict, "proposed"},
		decide.ErrIncomplete:   {conflict, "state"},
		appeal.ErrDecided:      {conflict, "state"},
		cybertip.ErrUnreported: {conflict, "unreported"},
		crime.ErrAuthority:     {conflict, "noauthority"},
		duty.ErrState:          {conflict, "state"},
		duty.ErrChanged:        {conflict, "state"},
		duty.ErrUnderWay:       {conflict, "underway"},
		duty.ErrSamePerson:     {forbidden, "same"},
		duty.ErrReason:         {http.StatusUnprocessableEntity, "text"},
		appeal.ErrText:         {http.StatusUnprocessableEntity, "text"},
		appeal.ErrInstead:      {http.StatusUnprocessableEntity, "text"},
		order.ErrState:         {conflict, "state"},
		order.ErrChanged:       {conflict, "orderchanged"},
		order.ErrSamePerson:    {forbidden, "same"},
		order.ErrRole:          {forbidden, "orderrole"},
		order.ErrNumber:        {http.StatusUnprocessableEntity, "ordernumber"},
		order.ErrReason:        {http.StatusUnprocessableEntity, "text"},
		order.ErrUntold:        {conflict, "textuntold"},
		orderform.ErrText:      {http.StatusUnprocessableEntity, "textpersonal"},
		order.ErrStanding:      {conflict, "dataagency"},
		disclosure.ErrKey:      {conflict, "datagone"},
		disclosure.ErrAgency:   {conflict, "dataagency"},
		disclosure.ErrUntold:   {conflict, "datauntold"},
		disclosure.ErrLarge:    {conflict, "datamuch"},
		personal.ErrMuch:       {conflict, "datamuch"},
		disclosure.ErrProof:    {forbidden, "dataproof"},
		disclosure.ErrNoPath:   {http.StatusUnprocessableEntity, "datapath"},
		agency.ErrSamePerson:   {forbidden, "same"},
		agency.ErrState:        {conflict, "state"},
		agency.ErrTaken:        {http.StatusUnprocessableEntity, "name"},
		staff.ErrRole:          {conflict, "state"},
		staff.ErrName:          {http.StatusUnprocessableEntity, "name"},
		staff.ErrLimit:         {http.StatusTooManyRequests, "limit"},
		staff.ErrTooOften:      {http.StatusTooManyRequests, "tries"},
	}
	maps.Copy(out, mailProblems())
	return out
}

// answer shows the page of an error that has one; others are the site's.
func (v *visit) answer(err error) error {
	if err == nil {
		return nil
	}
	if p := (problem{}); errors.As(err, &p) {
		return v.again(p)
	}
	for known, p := range problems() {
		if !errors.Is(err, known) {
			continue
		}
		if p.status == http.StatusForbidden && v.session.Member.ID != 0 {
			v.refused(v.r, v.me(), v.row.word(), p.key)
		}
		return v.again(p)
	}
	var no decide.Refusal
	if errors.As(err, &no) {
		return v.again(problem{http.StatusUnprocessableEntity, "text"})
	}
	if errors.Is(err, store.ErrNotFound) {
		return page.ErrNotFound
	}
	return err
}
