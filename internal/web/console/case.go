package console

import (
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/safety/evidence"
	"parley/internal/store"
	"parley/internal/web/staff"
)

// Bounds of what a case shows, each far more than a person reads.
const (
	mostReports = 100
	mostEvents  = 500
	mostHistory = 20
	// purposeRunes is the shortest purpose of a look at a case that is another's.
	purposeRunes = 10
	// noteRunes is the longest note, opinion or reason.
	noteRunes = 5000
)

// caseView is a case as its page shows it.
type caseView struct {
	caseLine
	Subject safety.Subject
	// Open tells that the visitor may see what the case is about; Mine that it is his to decide.
	Open, Mine bool
	// Waits is set when anybody may take it, Asked when the visitor is asked for an opinion.
	Waits, Asked bool
	Category     safety.Category
	Move         string
	Captures     []captured
	Reports      []store.Report
	Events       []happening
	// Author and Place are what is known of whom and what it concerns.
	Author  []decisionLine
	About   []decisionLine
	Cases   []caseLine
	Holds   []store.Hold
	Appeals []appeal.Appeal
	Lanes   []safety.Lane
	Staff   []staff.Member
	// Verdicts are the templates for this kind of case, each with its key.
	Verdicts []verdict
}

// happening is an event of a case.
type happening struct {
	casefile.Past
	What, Who string
}

// decisionLine is a decision in a list.
type decisionLine struct {
	decide.Decision
	Path string
}

func linesOf(list []decide.Decision) []decisionLine {
	out := make([]decisionLine, len(list))
	for i, d := range list {
		out[i] = decisionLine{d, decisionPath(d)}
	}
	return out
}

// about is an act of the visitor about a case.
func (v *visit) about(c store.Case, action, detail string) staff.Act {
	return staff.Act{
		Staff: v.me(), Action: action, Subject: casefile.Subject(c), Case: c.ID, Detail: detail,
	}
}

// has tells whether a member of staff has a case: it is his, or he is asked for an opinion.
func has(c store.Case, who int64) bool {
	asked := casefile.State(c.State) == casefile.AwaitsSecond && c.Reviewer == who
	return who != 0 && (c.Staff == who || asked)
}

// theCase reads the case that the path names.
func (v *visit) theCase() (c store.Case, err error) {
	subject, id, err := v.ref()
	if err != nil {
		return c, err
	}
	err = v.view(func(r *store.Reader) (err error) {
		c, err = r.Case(subject, id)
		return err
	})
	return c, err
}

// myCase is theCase if it is the visitor's; the page is that of somebody else's case otherwise.
func (v *visit) myCase() (store.Case, error) {
	c, err := v.theCase()
	if err == nil && !has(c, v.me()) {
		v.refused(v.r, v.me(), v.row.word(), "not assigned")
		err = problem{http.StatusForbidden, "notyours"}
	}
	return c, err
}

// casePage shows a case: all of it to whom it is assigned, the outside to others.
func (c *Console) casePage(v *visit) error {
	x, err := v.theCase()
	if err != nil {
		return err
	}
	if x.Appeal != 0 && has(x, v.me()) {
		list, err := c.complaints(v, x)
		if err != nil {
			return err
		}
		for _, a := range list {
			if a.State == appeal.Open {
				return v.leave(appealPath(a), "")
			}
		}
	}
	if !has(x, v.me()) {
		if err := c.Staff.Record(v.r.Context(), v.about(x, "case outside", "")); err != nil {
			return err
		}
		return v.show(http.StatusOK, "case", c.outside(v, x))
	}
	return c.inside(v, x)
}

// lookAt shows a case that is another's to who says why he must see it.
func (c *Console) lookAt(v *visit) error {
	x, err := v.theCase()
	if err != nil {
		return err
	}
	purpose := v.field("purpose")
	if utf8.RuneCountInString(purpose) < purposeRunes {
		return problem{http.StatusUnprocessableEntity, "purpose"}
	}
	if err := c.Staff.Record(v.r.Context(), v.about(x, "look", purpose)); err != nil {
		return err
	}
	return c.inside(v, x)
}

// outside is what everybody may see of a case: nothing that people wrote.
func (c *Console) outside(v *visit, x store.Case) caseView {
	state := casefile.State(x.State)
	return caseView{
		caseLine: c.line(x), Subject: casefile.Subject(x), Move: state.Move(),
		Category: safety.Category(x.Category),
		Waits: x.Closed == 0 && (state == casefile.Open ||
			state == casefile.AwaitsSecond && x.Reviewer == 0 && x.Staff != v.me()),
	}
}

// inside shows all of a case, once it is written down who looks.
func (c *Console) inside(v *visit, x store.Case) error {
	captures, err := c.Evidence.Read(v.r.Context(), v.me(), x.Subject, x.ID)
	if err != nil {
		return err
	}
	body := c.outside(v, x)
	body.Open, body.Lanes = true, safety.Lanes()
	body.Mine = x.Closed == 0 && x.Staff == v.me() &&
		casefile.State(x.State) != casefile.AwaitsSecond
	body.Asked = casefile.State(x.State) == casefile.AwaitsSecond && x.Reviewer == v.me()
	body.Verdicts = c.verdicts(safety.Kind(x.Kind))
	if v.may(staff.Second) {
		if body.Staff, err = c.reviewers(v); err != nil {
			return err
		}
	}
	names, err := c.names(v)
	if err != nil {
		return err
	}
	body.Captures = c.captured(v, x, captures)
	err = v.view(func(r *store.Reader) error { return c.history(r, x, &body, names) })
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "case", body)
}

// history adds what happened to a case, its author and its subject.
func (c *Console) history(
	r *store.Reader, x store.Case, body *caseView, names map[int64]string,
) (err error) {
	if body.Reports, err = r.Reports(x.Subject, x.ID, 0, mostReports); err != nil {
		return err
	}
	past, err := casefile.Events(r, x, 0, mostEvents)
	if err != nil {
		return err
	}
	body.Events = happenings(past, names)
	if body.Holds, err = r.Holds(x.Subject, x.ID); err != nil {
		return err
	}
	about, err := decide.OfSubject(r, x.Subject, newest, mostHistory)
	if err != nil {
		return err
	}
	body.About = linesOf(about)
	if x.Appeal != 0 {
		if body.Appeals, err = appeal.Of(r, x.Subject, x.Appeal); err != nil {
			return err
		}
	}
	if x.Author == 0 {
		return nil
	}
	author, err := decide.About(r, x.Author, newest, mostHistory)
	if err != nil {
		return err
	}
	cases, err := r.CasesAbout(x.Author, newest, mostHistory)
	body.Author, body.Cases = linesOf(author), c.lines(cases)
	return err
}

// newest is above all numbers of cases and decisions: lists begin with the newest below it.
const newest = 1<<63 - 1

func happenings(past []casefile.Past, names map[int64]string) []happening {
	out := make([]happening, len(past))
	for i, p := range past {
		who := p.By.Rule
		if p.By.Staff != 0 {
			who = names[p.By.Staff]
		}
		out[i] = happening{p, fmt.Sprintf("event.%d", p.Kind), who}
	}
	return out
}

// names are those of all the staff by their numbers.
func (c *Console) names(v *visit) (map[int64]string, error) {
	all, err := c.Staff.All(v.r.Context())
	out := map[int64]string{0: ""}
	for _, m := range all {
		out[m.ID] = m.Name
	}
	return out, err
}

// reviewers are those who can be given cases.
func (c *Console) reviewers(v *visit) (out []staff.Member, err error) {
	all, err := c.Staff.All(v.r.Context())
	for _, m := range all {
		if m.Role.May(staff.Review) && !m.Disabled {
			out = append(out, m)
		}
	}
	return out, err
}

// What can be done with a case.

// back returns to the case that the path names.
func (v *visit) back(done string) error {
	subject, id, err := v.ref()
	if err != nil {
		return err
	}
	return v.leave(fmt.Sprintf("/case/%d/%d", subject, id), done)
}

func (c *Console) claim(v *visit) error {
	x, err := v.theCase()
	if err != nil {
		return err
	}
	if casefile.State(x.State) == casefile.AwaitsSecond && x.Staff == v.me() {
		return decide.ErrSamePerson
	}
	if err := c.takeComplaints(v, x); err != nil {
		return err
	}
	if _, err := c.Cases.Claim(v.r.Context(), x.Subject, x.ID, v.me()); err != nil {
		return err
	}
	return v.back("")
}

func (c *Console) release(v *visit) error {
	x, err := v.myCase()
	if err != nil {
		return err
	}
	if _, err := c.Cases.Release(v.r.Context(), x.Subject, x.ID, v.me()); err != nil {
		return err
	}
	return v.leave("/queue", "released")
}

func (c *Console) assign(v *visit) error {
	x, err := v.theCase()
	if err != nil {
		return err
	}
	m, err := c.Staff.Member(v.r.Context(), v.number("to"))
	if err != nil {
		return err
	}
	if !m.Role.May(staff.Review) || m.Disabled {
		return problem{http.StatusUnprocessableEntity, "assignee"}
	}
	_, err = c.Cases.Assign(v.r.Context(), x.Subject, x.ID, m.ID, v.actor())
	if err != nil {
		return err
	}
	return v.leave("/queue", "assigned")
}

// text is a field that must say something, and not too much.
func (v *visit) text(name string) (string, error) {
	s := v.field(name)
	if s == "" || utf8.RuneCountInString(s) > noteRunes {
		return "", problem{http.StatusUnprocessableEntity, "text"}
	}
	return s, nil
}

// withText runs fn on the visitor's own case with the text of a field, and returns to to.
func (v *visit) withText(field, to, done string, fn func(x store.Case, text string) error) error {
	x, err := v.myCase()
	if err != nil {
		return err
	}
	text, err := v.text(field)
	if err != nil {
		return err
	}
	if err := fn(x, text); err != nil {
		return err
	}
	if to == "" {
		return v.back(done)
	}
	return v.leave(to, done)
}

func (c *Console) escalate(v *visit) error {
	return v.withText("why", "/queue", "escalated", func(x store.Case, why string) error {
		to, err := parseLane(v.field("lane"))
		if err != nil {
			return err
		}
		_, err = c.Cases.Escalate(v.r.Context(), x.Subject, x.ID, to, v.actor(), why)
		return err
	})
}

func (c *Console) askSecond(v *visit) error {
	return v.withText("why", "/queue", "asked", func(x store.Case, why string) error {
		_, err := c.Cases.AskSecond(v.r.Context(), x.Subject, x.ID, 0, v.actor(), why)
		return err
	})
}

func (c *Console) giveSecond(v *visit) error {
	return v.withText("opinion", "/queue", "given", func(x store.Case, text string) error {
		_, err := c.Cases.GiveSecond(v.r.Context(), x.Subject, x.ID, v.actor(), text)
		return err
	})
}

func (c *Console) await(v *visit) error {
	return v.withText("why", "", "awaiting", func(x store.Case, why string) error {
		_, err := c.Cases.Await(v.r.Context(), x.Subject, x.ID, v.actor(), why)
		return err
	})
}

func (c *Console) note(v *visit) error {
	return v.withText("note", "", "noted", func(x store.Case, text string) error {
		public := v.field("public") == "yes"
		_, err := c.Cases.Note(v.r.Context(), x.Subject, x.ID, v.actor(), text, public)
		return err
	})
}

// hold keeps the evidence of a case for a number of days, or lifts such a hold.
func (c *Console) hold(v *visit) error {
	x, err := v.myCase()
	if err != nil {
		return err
	}
	if lifted := v.number("lift"); lifted != 0 {
		if err := c.Evidence.Lift(v.r.Context(), x.Subject, x.ID, lifted); err != nil {
			return err
		}
		return v.back("unheld")
	}
	reason, err := v.text("why")
	if err != nil {
		return err
	}
	var ends int64
	if days := v.number("days"); days > 0 {
		ends = c.Clock.Now().Add(time.Duration(days) * 24 * time.Hour).Unix()
	}
	_, err = c.Evidence.Hold(v.r.Context(), v.me(), x.Subject, x.ID, reason, ends)
	if err != nil {
		return err
	}
	return v.back("held")
}

// searchView is what a search in the visitor's own cases found.
type searchView struct {
	Words string
	Asked bool
	Cases []caseLine
}

// search looks for words in the cases that the visitor has, and in no others.
func (c *Console) search(v *visit) error {
	body := searchView{Words: v.r.FormValue("words")}
	words := folded(body.Words)
	if body.Asked = words != ""; !body.Asked {
		return v.show(http.StatusOK, "search", body)
	}
	err := v.view(func(r *store.Reader) error {
		body.Cases = nil
		mine, err := r.CasesWith(v.me(), mostMine)
		if err != nil {
			return err
		}
		for _, x := range mine {
			found, err := mentions(r, x, words)
			if err != nil {
				return err
			}
			if found {
				body.Cases = append(body.Cases, c.line(x))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "search", body)
}

// mentions tells whether a case has words in its evidence, its reports or its numbers.
func mentions(r *store.Reader, x store.Case, words string) (bool, error) {
	captures, err := evidence.Of(r, x.Subject, x.ID)
	if err != nil {
		return false, err
	}
	reports, err := r.Reports(x.Subject, x.ID, 0, mostReports)
	if err != nil {
		return false, err
	}
	texts := []string{fmt.Sprint(x.Subject), fmt.Sprint(x.ID), fmt.Sprint(x.Author), x.Category}
	for _, p := range reports {
		texts = append(texts, p.Note, p.Places)
	}
	for _, e := range captures {
		texts = append(texts, wordsOf(e)...)
	}
	return contains(texts, words), nil
}

// involved tells whether somebody made a decision or put it into force.
func involved(d decide.Decision, who int64) bool {
	return who != 0 && (d.By.Staff == who || d.Second == who)
}
