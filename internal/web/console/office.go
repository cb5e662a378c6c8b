package console

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"parley/internal/web/page"
	"parley/internal/web/staff"
)

// auditView is a part of the audit.
type auditView struct {
	Entries []auditLine
	// Of and Action narrow it down; Days is how far back it goes.
	Of     int64
	Action string
	Days   int
	// Older is the place of the rows before these, empty when there are none.
	Older string
	Staff []staff.Member
	// Verified says of how many rows it was found that they are whole, and Broken whose are not.
	Verified int64
	Checked  bool
	Broken   []string
}

// auditLine is a row of the audit with its name.
type auditLine struct {
	staff.Entry
	Who string
}

// Bounds of the audit's page.
const (
	auditDays  = 7
	auditMost  = 366
	auditLines = 200
)

// audit shows what the staff looked at, did, and were refused.
func (c *Console) audit(v *visit) error { return c.showAudit(v, auditView{}) }

func (c *Console) showAudit(v *visit, body auditView) error {
	names, err := c.names(v)
	if err != nil {
		return err
	}
	if body.Staff, err = c.Staff.All(v.r.Context()); err != nil {
		return err
	}
	body.Days = auditDays
	if n, err := strconv.Atoi(v.r.FormValue("days")); err == nil && n > 0 {
		body.Days = min(n, auditMost)
	}
	body.Of, _ = strconv.ParseInt(v.r.FormValue("of"), 10, 64)
	body.Action = v.r.FormValue("action")
	since := c.Clock.Now().Add(-time.Duration(body.Days) * day)
	list, next, err := c.Staff.Audit(v.r.Context(), staff.Filter{
		Of: body.Of, Action: body.Action, Since: since, Before: v.r.FormValue("before"),
	}, auditLines)
	if errors.Is(err, staff.ErrPlace) {
		return page.ErrNotFound
	}
	if err != nil {
		return err
	}
	body.Older = next
	for _, e := range list {
		body.Entries = append(body.Entries, auditLine{e, names[e.Staff]})
	}
	return v.show(http.StatusOK, "audit", body)
}

// verifyAudit checks that nobody changed the audit.
func (c *Console) verifyAudit(v *visit) error {
	all, err := c.Staff.All(v.r.Context())
	if err != nil {
		return err
	}
	body := auditView{Checked: true}
	for _, m := range append(all, staff.Member{Name: "-"}) {
		rows, err := c.Staff.Verify(v.r.Context(), m.ID)
		if errors.Is(err, staff.ErrChain) {
			body.Broken = append(body.Broken, m.Name)
			continue
		}
		if err != nil {
			return err
		}
		body.Verified += rows
	}
	return c.showAudit(v, body)
}

// peopleView is the staff, for an administrator.
type peopleView struct {
	Staff   []staff.Member
	Roles   []staff.Role
	Changes []staff.Change
	Names   map[int64]string
	// Link is an enrolment link that was just made; it is shown once.
	Link, For string
	Me        int64
}

func (c *Console) people(v *visit) error { return c.showPeople(v, peopleView{}) }

func (c *Console) showPeople(v *visit, body peopleView) (err error) {
	if body.Staff, err = c.Staff.All(v.r.Context()); err != nil {
		return err
	}
	if body.Changes, err = c.Staff.Proposed(v.r.Context()); err != nil {
		return err
	}
	if body.Names, err = c.names(v); err != nil {
		return err
	}
	body.Roles, body.Me = staff.Roles(), v.me()
	return v.show(http.StatusOK, "people", body)
}

// EnrolPath is where a member of staff enrols by a token.
const EnrolPath = "/enrol"

// enrolLink is the address with which somebody enrols.
func (c *Console) enrolLink(token string) string {
	return c.Site.URL(EnrolPath) + "?" + url.Values{"token": {token}}.Encode()
}

func (c *Console) addPerson(v *visit) error {
	role, err := staff.ParseRole(v.field("role"))
	if err != nil {
		return err
	}
	_, token, err := c.Staff.Add(v.r.Context(), v.me(), v.field("name"), role)
	if err != nil {
		return err
	}
	return c.showPeople(v, peopleView{Link: c.enrolLink(token), For: v.field("name")})
}

// person is the member of staff that the path names.
func (v *visit) person() (int64, error) {
	id, err := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, page.ErrNotFound
	}
	return id, nil
}

func (c *Console) proposeRole(v *visit) error {
	id, err := v.person()
	if err != nil {
		return err
	}
	role := staff.NoRole
	if name := v.field("role"); name != role.String() {
		if role, err = staff.ParseRole(name); err != nil {
			return err
		}
	}
	if err := c.Staff.ProposeRole(v.r.Context(), v.me(), id, role); err != nil {
		return err
	}
	return v.leave("/staff", "proposed")
}

func (c *Console) confirmRole(v *visit) error {
	id, err := v.person()
	if err != nil {
		return err
	}
	change, err := strconv.ParseInt(v.r.PathValue("change"), 10, 64)
	if err != nil {
		return page.ErrNotFound
	}
	yes := v.field("yes") == "yes"
	if err := c.Staff.ConfirmRole(v.r.Context(), v.me(), id, change, yes); err != nil {
		return err
	}
	return v.leave("/staff", "confirmed")
}

// resetPerson takes all that somebody proves himself with, and shows the link to enrol anew.
func (c *Console) resetPerson(v *visit) error {
	id, err := v.person()
	if err != nil {
		return err
	}
	m, err := c.Staff.Member(v.r.Context(), id)
	if err != nil {
		return err
	}
	token, err := c.Staff.Reset(v.r.Context(), v.me(), id)
	if err != nil {
		return err
	}
	return c.showPeople(v, peopleView{Link: c.enrolLink(token), For: m.Name})
}

func (c *Console) disablePerson(v *visit) error {
	id, err := v.person()
	if err != nil {
		return err
	}
	if id == v.me() {
		return staff.ErrSamePerson
	}
	if err := c.Staff.Disable(v.r.Context(), id, v.field("out") == "yes"); err != nil {
		return err
	}
	return v.leave("/staff", "changed")
}
