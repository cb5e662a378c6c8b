package console

import (
	"fmt"
	"net/http"

	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/store"
)

// appealLine is a complaint in a list.
type appealLine struct {
	appeal.Appeal
	Path string
}

// appealPath is where a complaint lies.
func appealPath(a appeal.Appeal) string { return fmt.Sprintf("/appeal/%d/%d", a.Subject, a.ID) }

// appeals lists the complaints that wait.
func (c *Console) appeals(v *visit) error {
	var body struct {
		Appeals []appealLine
		Staff   map[int64]string
	}
	var err error
	if body.Staff, err = c.names(v); err != nil {
		return err
	}
	err = v.view(func(r *store.Reader) error {
		body.Appeals = nil
		list, err := appeal.Waiting(r, 0, mostListed)
		for _, a := range list {
			body.Appeals = append(body.Appeals, appealLine{a, appealPath(a)})
		}
		return err
	})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "appeals", body)
}

// appealView is a complaint as its page shows it.
type appealView struct {
	appealLine
	Decision decisionLine
	Dialogue []appeal.Line
	Staff    map[int64]string
	// Open tells that the visitor reviews it or did; Own that he decided what it is about.
	Open, Own bool
	Captures  []captured
	Reports   []store.Report
	// Draft is the form of a milder decision.
	Draft draftView
}

// theAppeal reads the complaint that the path names.
func (v *visit) theAppeal() (a appeal.Appeal, err error) {
	subject, id, err := v.ref()
	if err != nil {
		return a, err
	}
	err = v.view(func(r *store.Reader) (err error) {
		a, err = appeal.Get(r, subject, id)
		return err
	})
	return a, err
}

// myAppeal is theAppeal if the visitor reviews it.
func (v *visit) myAppeal() (appeal.Appeal, error) {
	a, err := v.theAppeal()
	if err == nil && a.Assignee != v.me() {
		v.refused(v.r, v.me(), v.row.word(), "not assigned")
		err = problem{http.StatusForbidden, "notyours"}
	}
	return a, err
}

// appealPage shows a complaint: to its reviewer with the decision and the evidence, to others that
// it is there.
func (c *Console) appealPage(v *visit) error {
	a, err := v.theAppeal()
	if err != nil {
		return err
	}
	body := appealView{appealLine: appealLine{a, appealPath(a)}}
	body.Own = a.First == v.me() || a.Second == v.me()
	body.Open = a.Assignee == v.me() && !body.Own
	if !body.Open {
		if err := c.Staff.Record(v.r.Context(), v.act("appeal outside", "")); err != nil {
			return err
		}
		return v.show(http.StatusOK, "appeal", body)
	}
	if body.Staff, err = c.names(v); err != nil {
		return err
	}
	var x store.Case
	err = v.view(func(r *store.Reader) error {
		d, err := decide.Of(r, a.Subject, a.Decision)
		if err != nil {
			return err
		}
		body.Decision = decisionLine{d, decisionPath(d)}
		if x, err = r.Case(a.Subject, d.Case); err != nil {
			return err
		}
		if body.Reports, err = r.Reports(x.Subject, x.ID, 0, mostReports); err != nil {
			return err
		}
		body.Dialogue, err = appeal.Dialogue(r, a.Subject, a.ID)
		return err
	})
	if err != nil {
		return err
	}
	captures, err := c.Evidence.Read(v.r.Context(), v.me(), x.Subject, x.ID)
	if err != nil {
		return err
	}
	body.Captures = c.captured(v, x, captures)
	d := body.Decision.Decision
	body.Draft = v.form(d.Subject.Kind, body.Path+"/decide", typedOf(d))
	return v.show(http.StatusOK, "appeal", body)
}

// typedOf is the form as a decision was typed.
func typedOf(d decide.Decision) typed {
	t := typed{
		Ground: string(d.Ground), Reference: d.Reference, Explanation: d.Explanation,
		Facts: d.Facts, Kind: string(d.Category), Lang: d.Lang,
	}
	if len(d.Keywords) > 0 {
		t.Kind += "/" + string(d.Keywords[0])
	}
	return t
}

func (c *Console) takeAppeal(v *visit) error {
	a, err := v.theAppeal()
	if err != nil {
		return err
	}
	if err := c.Appeals.Assign(v.r.Context(), a.Subject, a.ID, v.me()); err != nil {
		return err
	}
	return v.leave(appealPath(a), "")
}

// sayInAppeal answers the maker of a complaint, or asks him something.
func (c *Console) sayInAppeal(v *visit) error {
	a, err := v.myAppeal()
	if err != nil {
		return err
	}
	text, err := v.text("text")
	if err != nil {
		return err
	}
	if err := c.Appeals.Say(v.r.Context(), a.Subject, a.ID, v.me(), 0, text); err != nil {
		return err
	}
	return v.leave(appealPath(a), "said")
}

// decideAppeal decides a complaint.
func (c *Console) decideAppeal(v *visit) error {
	a, err := v.myAppeal()
	if err != nil {
		return err
	}
	why, err := v.text("why")
	if err != nil {
		return err
	}
	ruling := appeal.Ruling{Staff: v.me(), Reason: why}
	switch v.field("ruling") {
	case "upheld":
		ruling.Outcome = appeal.Upheld
	case "reversed":
		ruling.Outcome = appeal.Reversed
	case "partly":
		ruling.Outcome = appeal.Partly
		if ruling.Instead, err = v.instead(a); err != nil {
			return err
		}
	default:
		return problem{http.StatusUnprocessableEntity, "choose"}
	}
	if _, err := c.Appeals.Decide(v.r.Context(), a.Subject, a.ID, ruling); err != nil {
		return err
	}
	return v.leave("/appeals", "ruled")
}

// instead is the milder decision that was typed.
func (v *visit) instead(a appeal.Appeal) (*decide.Draft, error) {
	var x store.Case
	err := v.view(func(r *store.Reader) error {
		d, err := decide.Of(r, a.Subject, a.Decision)
		if err != nil {
			return err
		}
		x, err = r.Case(a.Subject, d.Case)
		return err
	})
	if err != nil {
		return nil, err
	}
	d, err := v.draft(v.readTyped(), x)
	d.Outcome = casefile.Partly
	return &d, err
}
