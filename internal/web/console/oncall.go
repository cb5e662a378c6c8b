package console

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"parley/internal/safety/oncall"
	"parley/internal/store"
	"parley/internal/web/page"
	"parley/internal/web/staff"
)

// oncallRows are about the emergency line.
func (c *Console) oncallRows() []row {
	return []row{
		{"GET", "/oncall", staff.Review, false, "on call", c.onCall},
		{"POST", "/oncall/test", staff.Second, false, "on call test", c.testLine},
		{"POST", "/oncall/{id}/confirm", staff.Review, false, "on call confirm", c.confirmAlert},
	}
}

// mostAlerts is how many alerts the page shows.
const mostAlerts = 50

// onCallView is who is on call, and what rang.
type onCallView struct {
	Levels [][]oncall.Person
	Wait   string
	Alerts []alertLine
}

// alertLine is an alert with its calls.
type alertLine struct {
	oncall.Alert
	Calls   []oncall.Call
	Confirm string
	// Nobody is set while all levels are called because nobody has confirmed.
	Nobody bool
}

func (c *Console) onCall(v *visit) error {
	body := onCallView{Levels: c.OnCall.Levels, Wait: c.OnCall.Wait.String()}
	err := v.view(func(r *store.Reader) error {
		body.Alerts = nil
		list, err := oncall.Newest(r, mostAlerts)
		if err != nil {
			return err
		}
		for _, a := range list {
			calls, err := oncall.Calls(r, a.ID)
			if err != nil {
				return err
			}
			body.Alerts = append(body.Alerts, alertLine{
				a, calls, fmt.Sprintf("/oncall/%d/confirm", a.ID),
				a.State == oncall.Ringing && a.Round > int64(len(body.Levels)),
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "oncall", body)
}

// silent is the key of what is wrong with the emergency line: nobody is on call, nobody has
// confirmed an alert of which all were called, or no call of the last one could be made. "" is for
// nothing.
func (c *Console) silent(r *store.Reader) (string, error) {
	if c.OnCall == nil || !c.OnCall.Awake() {
		return "oncall.nobody", nil
	}
	list, err := oncall.Newest(r, mostAlerts)
	if err != nil || len(list) == 0 {
		return "", err
	}
	for _, a := range list {
		if a.State == oncall.Ringing && a.Round > int64(len(c.OnCall.Levels)) {
			return "oncall.unanswered", nil
		}
	}
	calls, err := oncall.Calls(r, list[0].ID)
	failed := len(calls) > 0
	for _, x := range calls {
		failed = failed && x.Made == 0 && x.Reason != ""
	}
	if err != nil || !failed {
		return "", err
	}
	return "oncall.unreached", nil
}

// confirmAlert says that the visitor deals with an emergency.
func (c *Console) confirmAlert(v *visit) error {
	id, err := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err != nil {
		return page.ErrNotFound
	}
	if _, err := c.OnCall.Confirm(v.r.Context(), id, v.session.Member.Name, "console"); err != nil {
		return err
	}
	return v.leave("/oncall", "confirmed")
}

// testLine rings as for an emergency, and says that it is a test.
func (c *Console) testLine(v *visit) error {
	_, _, err := c.OnCall.Raise(v.r.Context(), oncall.Emergency{
		Key: "test " + c.Clock.Now().Format(time.RFC3339), Kind: oncall.Test,
		About: oncall.About{Path: "/oncall"},
	})
	if err != nil {
		return err
	}
	return v.leave("/oncall", "confirmed")
}
