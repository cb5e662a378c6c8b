package console

import (
	"fmt"
	"net/http"
	"time"

	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/store"
	"parley/internal/web/staff"
)

// workView is what somebody has borne in his shift, and what the others have.
type workView struct {
	Shift staff.Shift
	// Resting is until when the visitor rests, 0 when he does not.
	Resting int64
	Bars    []bar
	Done    []tally
	Team    []teamLine
}

// tally is how often somebody did something.
type tally struct {
	What  string
	Count int64
}

// teamLine is the workload of a member of staff.
type teamLine struct {
	Name, Role     string
	Cases, Reveals int64
	Has            int
	Resting        bool
}

// work shows the visitor his shift, and a lead the workload of all.
func (c *Console) work(v *visit) error {
	shift, err := c.Staff.Shift(v.r.Context(), v.me())
	if err != nil {
		return err
	}
	now := c.Clock.Now()
	body := workView{Shift: shift}
	if shift.RestUntil.After(now) {
		body.Resting = shift.RestUntil.Unix()
	}
	body.Bars = []bar{
		{Label: v.set.Text(v.r, "work.cases"), Value: shift.Cases, Most: shift.Limits.Cases},
		{Label: v.set.Text(v.r, "work.reveals"), Value: shift.Reveals, Most: shift.Limits.Reveals},
	}
	since := max(shift.Started.Unix(), now.Add(-shift.Limits.Shift).Unix())
	err = v.view(func(r *store.Reader) error {
		counts, err := casefile.Work(r, v.me(), since)
		body.Done = nil
		for kind := casefile.Opened; kind <= casefile.BarLifted; kind++ {
			if n := counts[kind]; n > 0 {
				body.Done = append(body.Done, tally{fmt.Sprintf("event.%d", kind), n})
			}
		}
		return err
	})
	if err == nil && v.may(staff.Second) {
		body.Team, err = c.team(v, now)
	}
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "shift", body)
}

// team is the workload of all reviewers.
func (c *Console) team(v *visit, now time.Time) ([]teamLine, error) {
	all, err := c.reviewers(v)
	if err != nil {
		return nil, err
	}
	var out []teamLine
	for _, m := range all {
		shift, err := c.Staff.Shift(v.r.Context(), m.ID)
		if err != nil {
			return nil, err
		}
		l := teamLine{
			Name: m.Name, Role: m.Role.String(), Cases: shift.Cases, Reveals: shift.Reveals,
			Resting: shift.RestUntil.After(now),
		}
		err = v.view(func(r *store.Reader) error {
			has, err := r.CasesWith(m.ID, mostMine)
			l.Has = len(has)
			return err
		})
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// rest sends the visitor to rest at his own wish.
func (c *Console) rest(v *visit) error {
	if err := c.Staff.Rest(v.r.Context(), v.me()); err != nil {
		return err
	}
	return v.leave("/shift", "resting")
}

// sampleLine is a sampled decision that waits for a second look.
type sampleLine struct {
	decisionLine
	Form Form
}

// samples shows decisions that were made in bulk without a statement and sampled: was it right?
func (c *Console) samples(v *visit) error {
	var body []sampleLine
	err := v.view(func(r *store.Reader) error {
		list, err := decide.Samples(r, 0, mostListed)
		body = nil
		for _, d := range list {
			if involved(d, v.me()) {
				continue
			}
			at := fmt.Sprintf("/sample/%d/%d", d.Subject.Peer, d.ID)
			body = append(body, sampleLine{
				decisionLine{d, decisionPath(d)}, frame{v: v}.Form(at),
			})
		}
		return err
	})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "sample", body)
}

// sample takes the verdict on a sampled decision; what was wrong is undone.
func (c *Console) sample(v *visit) error {
	subject, id, err := v.ref()
	if err != nil {
		return err
	}
	verdict, note := decide.Right, v.field("note")
	switch v.field("verdict") {
	case "right":
	case "wrong":
		verdict = decide.Wrong
		if note == "" {
			return problem{http.StatusUnprocessableEntity, "text"}
		}
	default:
		return problem{http.StatusUnprocessableEntity, "choose"}
	}
	if err := c.Decisions.Review(v.r.Context(), subject, id, v.me(), verdict, note); err != nil {
		return err
	}
	return v.leave("/sample", "reviewed")
}
