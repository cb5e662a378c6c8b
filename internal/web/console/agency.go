package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/safety/words"
	"parley/internal/store"
	"parley/internal/web/page"
	"parley/internal/web/staff"
)

// agencyRows are about who may ask.
func (c *Console) agencyRows() []row {
	const at = "/agency/{subject}"
	const person = at + "/officer/{id}"
	return []row{
		{"GET", "/agencies", staff.Onboard, false, "agencies", c.agencies},
		{"POST", "/agencies/propose", staff.Onboard, true, "agency propose", c.proposeAgency},
		{"GET", at, staff.Onboard, false, "agency", c.agencyPage},
		{"POST", at + "/verify", staff.Onboard, true, "agency verify", c.verifyAgency},
		{"POST", at + "/approve", staff.Onboard, true, "agency approve", c.approveAgency},
		{"POST", at + "/attest", staff.Onboard, true, "agency attest", c.attestAgency},
		{"POST", at + "/number", staff.Onboard, true, "agency number", c.renumberAgency},
		{"POST", at + "/number/answer", staff.Onboard, true, "agency number answer",
			c.answerNumber},
		{"POST", at + "/suspend", staff.Onboard, true, "agency suspend", c.suspendAgency},
		{"POST", at + "/rekey", staff.Onboard, true, "agency rekey", c.rekeyAgency},
		{"POST", at + "/officer", staff.Onboard, true, "officer propose", c.proposeOfficer},
		{"POST", person + "/approve", staff.Onboard, true, "officer approve", c.approveOfficer},
		{"POST", person + "/reset", staff.Onboard, true, "officer reset", c.resetOfficer},
		{"POST", person + "/suspend", staff.Onboard, true, "officer suspend", c.suspendOfficer},
		{"POST", person + "/attest", staff.Onboard, true, "officer attest", c.attestOfficer},
		{"POST", at + "/key", staff.Onboard, true, "agency key", c.issueKey},
		{"POST", at + "/key/{id}/revoke", staff.Onboard, true, "agency key revoke", c.revokeKey},
	}
}

// Bounds of the pages of agencies.
const (
	// lapseTime is how long before its end a standing is shown as one to be confirmed.
	lapseTime = 14 * day
	// mostAgencyEvents is how many events of an agency a page shows.
	mostAgencyEvents = 100
	// mostKeyDays is for how long a program's key is good at most, in days.
	mostKeyDays = 366
)

// agencyLine is an agency in a list.
type agencyLine struct {
	agency.Agency
	Path, Standing string
	Lapses         bool
}

// agenciesView lists agencies, those first whose standing runs out.
type agenciesView struct {
	Lapsing, All []agencyLine
	More         string
	Kinds        []agency.Kind
	// Languages are those in which agencies can be answered.
	Languages []page.Language
	Typed     proposal
	Wrong     *agency.Refusal
}

// proposal is the form of a new agency as it was typed.
type proposal struct {
	Name, Country, Kind, Lang, Officials, Domains, Numbers, Agreement, Key, Answers string
}

// agencyView is an agency as its page shows it.
type agencyView struct {
	agency.Agency
	Path, Standing        string
	Proposed, ApprovedWho string
	CheckedWho            string
	Lapses                bool
	Sources               []agency.Source
	Officers              []officerLine
	Keys                  []keyLine
	Past                  []agencyEvent
	Older                 int64
	Wrong                 *agency.Refusal
	// Link, Code and Secret were just made and are shown once; For is whose.
	Link, Code, Secret, For string
	Me                      int64
	// Heard are what may have been heard at an old number.
	Heard []int64
	// Open is how many of its orders are not answered yet, none for "0".
	Open string
}

// officerLine is an officer with what can be done about him.
type officerLine struct {
	agency.Officer
	Standing, ProposedWho string
	Lapses, Mine          bool
}

// keyLine is a key of a program.
type keyLine struct {
	agency.Key
	Who  string
	Good bool
}

// agencyEvent is an event with the names of who did it.
type agencyEvent struct {
	agency.Event
	Who string
}

// agencyState names the state of an agency, officerState that of an officer.
func agencyState(s agency.State) string {
	switch s {
	case agency.Proposed:
		return "proposed"
	case agency.Checked:
		return "checked"
	case agency.Active:
		return "active"
	case agency.Suspended:
		return "suspended"
	default:
		return "unknown"
	}
}

func officerState(o agency.Officer) string {
	if o.State == agency.Enrolling {
		return "enrolling"
	}
	return agencyState(o.State)
}

// lapses tells whether a standing has to be confirmed again soon.
func (c *Console) lapses(s agency.State, attest int64) bool {
	return s == agency.Active && attest < c.Clock.Now().Add(lapseTime).Unix()
}

func (c *Console) agencyLines(list []agency.Agency) []agencyLine {
	out := make([]agencyLine, len(list))
	for i, a := range list {
		out[i] = agencyLine{a, agencyPath(a.ID), agencyState(a.State), c.lapses(a.State, a.Attest)}
	}
	return out
}

func (c *Console) agencies(v *visit) error {
	return c.showAgencies(v, http.StatusOK, agenciesView{})
}

func (c *Console) showAgencies(v *visit, status int, body agenciesView) error {
	after, _ := strconv.ParseInt(v.r.FormValue("after"), 10, 64)
	body.Kinds, body.Languages = agency.Kinds(), page.Named(words.Authorities())
	err := v.view(func(r *store.Reader) error {
		soon, err := agency.Lapsing(r, c.Clock.Now().Add(lapseTime).Unix(), mostListed)
		if err != nil {
			return err
		}
		all, err := agency.All(r, after, mostListed)
		body.Lapsing, body.All, body.More = c.agencyLines(soon), c.agencyLines(all), ""
		if len(all) == mostListed {
			body.More = strconv.FormatInt(all[len(all)-1].ID, 10)
		}
		return err
	})
	if err != nil {
		return err
	}
	return v.show(status, "agencies", body)
}

// lines are the lines of a field that say something.
func lines(text string) (out []string) {
	for l := range strings.Lines(text) {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// proposeAgency writes an agency down. What is missing is said beside what was typed.
func (c *Console) proposeAgency(v *visit) error {
	t := proposal{
		Name: v.field("name"), Country: strings.ToUpper(v.field("country")), Kind: v.field("kind"),
		Lang: strings.ToLower(v.field("answer_lang")), Officials: v.field("officials"),
		Domains: v.field("domains"), Numbers: v.field("numbers"), Key: v.field("key"),
		Agreement: strings.ToLower(v.field("agreement")), Answers: v.field("answers"),
	}
	d := agency.New{
		Name: t.Name, Country: t.Country, Kind: agency.ParseKind(t.Kind), Lang: t.Lang,
		Domains: lines(t.Domains), Numbers: lines(t.Numbers), Agreement: t.Agreement, Key: t.Key,
		Answers: t.Answers,
	}
	for _, l := range lines(t.Officials) {
		name, office, _ := strings.Cut(l, ";")
		d.Officials = append(d.Officials, agency.Official{
			Name: strings.TrimSpace(name), Office: strings.TrimSpace(office),
		})
	}
	a, err := c.Agencies.Propose(v.r.Context(), v.me(), d)
	var no agency.Refusal
	if errors.As(err, &no) {
		return c.showAgencies(v, http.StatusUnprocessableEntity, agenciesView{Typed: t, Wrong: &no})
	}
	if err != nil {
		return err
	}
	return v.leave(agencyPath(a.ID), "agencyproposed")
}

// agencyOf is the agency that the path names.
func (v *visit) agencyOf() (int64, error) {
	id, err := strconv.ParseInt(v.r.PathValue("subject"), 10, 64)
	if err != nil {
		return 0, page.ErrNotFound
	}
	return id, nil
}

func (c *Console) agencyPage(v *visit) error {
	return c.showAgency(v, http.StatusOK, agencyView{})
}

func (c *Console) showAgency(v *visit, status int, body agencyView) error {
	id, err := v.agencyOf()
	if err != nil {
		return err
	}
	names, err := c.names(v)
	if err != nil {
		return err
	}
	below := int64(newest)
	if n, err := strconv.ParseInt(v.r.FormValue("below"), 10, 64); err == nil {
		below = n
	}
	body.Path, body.Me = agencyPath(id), v.me()
	body.Heard = []int64{
		int64(agency.Agreed), int64(agency.Unreachable), int64(agency.Denied),
	}
	body.Sources = []agency.Source{
		agency.Directory, agency.Register, agency.Embassy, agency.Switchboard,
	}
	err = v.view(func(r *store.Reader) (err error) {
		if body.Agency, err = agency.Of(r, id); err != nil {
			return err
		}
		return c.aroundAgency(r, &body, names, below)
	})
	if err != nil {
		return err
	}
	a := body.Agency
	body.Standing, body.Lapses = agencyState(a.State), c.lapses(a.State, a.Attest)
	body.Proposed, body.ApprovedWho = names[a.ProposedBy], names[a.ApprovedBy]
	body.CheckedWho = names[a.Check.Staff]
	return v.show(status, "agency", body)
}

// aroundAgency adds officers, keys and events.
func (c *Console) aroundAgency(
	r *store.Reader, body *agencyView, names map[int64]string, below int64,
) error {
	now := c.Clock.Now().Unix()
	officers, err := agency.Officers(r, body.ID)
	if err != nil {
		return err
	}
	body.Officers, body.Keys, body.Past, body.Older = nil, nil, nil, 0
	people := make(map[int64]string)
	for _, o := range officers {
		people[o.ID] = o.Name
		body.Officers = append(body.Officers, officerLine{
			Officer: o, Standing: officerState(o), ProposedWho: names[o.ProposedBy],
			Lapses: c.lapses(o.State, o.Attest), Mine: o.ProposedBy == body.Me,
		})
	}
	open, err := r.OpenOrdersOf(body.ID, 0, 0, mostCounted)
	if err != nil {
		return err
	}
	body.Open = bounded(int64(len(open)))
	keys, err := agency.Keys(r, body.ID)
	if err != nil {
		return err
	}
	for _, k := range keys {
		body.Keys = append(body.Keys, keyLine{k, names[k.Staff], k.Revoked == 0 && k.Expires > now})
	}
	past, err := agency.Events(r, body.ID, below, mostAgencyEvents)
	for _, e := range past {
		who := names[e.Staff]
		if e.Officer != 0 {
			who = people[e.Officer]
		}
		body.Past = append(body.Past, agencyEvent{e, who})
	}
	if len(past) == mostAgencyEvents {
		body.Older = past[len(past)-1].N
	}
	return err
}

// onAgency runs fn on the agency that the path names, and shows it: with what was wrong, or with
// what fn made that is shown once.
func (v *visit) onAgency(
	done string, fn func(ctx context.Context, id int64, body *agencyView) error,
) error {
	id, err := v.agencyOf()
	if err != nil {
		return err
	}
	var body agencyView
	err = fn(v.r.Context(), id, &body)
	var no agency.Refusal
	switch {
	case errors.As(err, &no):
		body.Wrong = &no
		return v.Console.showAgency(v, http.StatusUnprocessableEntity, body)
	case err != nil:
		return err
	case body.Link != "" || body.Code != "" || body.Secret != "":
		return v.Console.showAgency(v, http.StatusOK, body)
	}
	return v.leave(agencyPath(id), done)
}

// called is the call that a form tells of.
func (v *visit) called() agency.Check {
	return agency.Check{
		Number: v.field("number"), Source: agency.Source(v.number("source")),
		Where: v.field("where"), Spoke: v.field("spoke"), Fingerprint: v.field("fingerprint"),
		Confirmed: v.field("said") == "confirmed",
	}
}

func (c *Console) verifyAgency(v *visit) error {
	return v.onAgency("agencychecked", func(ctx context.Context, id int64, _ *agencyView) error {
		return c.Agencies.Verify(ctx, v.me(), id, v.called())
	})
}

func (c *Console) approveAgency(v *visit) error {
	return v.onAgency("agencyapproved", func(ctx context.Context, id int64, _ *agencyView) error {
		return c.Agencies.Approve(ctx, v.me(), id)
	})
}

func (c *Console) attestAgency(v *visit) error {
	return v.onAgency("attested", func(ctx context.Context, id int64, _ *agencyView) error {
		return c.Agencies.Attest(ctx, v.me(), id, v.called())
	})
}

// renumberAgency proposes another number for the agency, and tells what was heard at the old.
func (c *Console) renumberAgency(v *visit) error {
	return v.onAgency("numberproposed", func(ctx context.Context, id int64, _ *agencyView) error {
		call := v.called()
		call.Confirmed = true
		return c.Agencies.Renumber(ctx, v.me(), id, call, agency.Former{
			Heard: agency.Told(v.number("heard")), Note: v.field("former"),
		})
	})
}

// answerNumber approves or drops the other number that a colleague proposed.
func (c *Console) answerNumber(v *visit) error {
	return v.onAgency("numberanswered", func(ctx context.Context, id int64, _ *agencyView) error {
		said := v.field("said")
		if said != "yes" && said != "no" {
			return problem{http.StatusUnprocessableEntity, "choose"}
		}
		return c.Agencies.Renumbered(ctx, v.me(), id, said == "yes")
	})
}

func (c *Console) suspendAgency(v *visit) error {
	return v.onAgency("suspended", func(ctx context.Context, id int64, _ *agencyView) error {
		why, err := v.text("why")
		if err != nil {
			return err
		}
		return c.Agencies.Suspend(ctx, v.me(), id, why)
	})
}

// rekeyAgency replaces the key to which the agency's data is encrypted. Who does so while orders
// are open says that he has seen how many: they wait until the agency is approved again.
func (c *Console) rekeyAgency(v *visit) error {
	return v.onAgency("rekeyed", func(ctx context.Context, id int64, _ *agencyView) error {
		var open []store.Order
		err := v.view(func(r *store.Reader) (err error) {
			open, err = r.OpenOrdersOf(id, 0, 0, 1)
			return err
		})
		if err == nil && len(open) > 0 && v.field("seen") == "" {
			return problem{http.StatusUnprocessableEntity, "openorders"}
		}
		if err != nil {
			return err
		}
		return c.Agencies.Rekey(ctx, v.me(), id, v.field("key"))
	})
}

func (c *Console) proposeOfficer(v *visit) error {
	return v.onAgency("officerproposed", func(
		ctx context.Context, id int64, body *agencyView,
	) error {
		role := agency.Member
		if v.field("supervisor") == "yes" {
			role = agency.Supervisor
		}
		o, link, err := c.Agencies.ProposeOfficer(ctx, v.me(), id, v.field("name"), role)
		if err == nil {
			body.Link, body.For = c.EnrolOfficer(link), o.Name
		}
		return err
	})
}

// onOfficer is onAgency with the officer that the path names.
func (v *visit) onOfficer(
	done string, fn func(ctx context.Context, of agency.Officer, body *agencyView) error,
) error {
	return v.onAgency(done, func(ctx context.Context, id int64, body *agencyView) error {
		n, err := v.person()
		if err != nil {
			return err
		}
		var o agency.Officer
		err = v.view(func(r *store.Reader) (err error) {
			o, err = agency.OfficerOf(r, id, n)
			return err
		})
		if err != nil {
			return err
		}
		return fn(ctx, o, body)
	})
}

// approveOfficer lets an officer enrol, and shows the code for his link once: to be said to him on
// the telephone. The link was shown to whoever proposed him.
func (c *Console) approveOfficer(v *visit) error {
	return v.onOfficer("", func(
		ctx context.Context, o agency.Officer, body *agencyView,
	) (err error) {
		body.Code, err = c.Agencies.ApproveOfficer(ctx, v.me(), o.Agency, o.ID)
		body.For = o.Name
		return err
	})
}

func (c *Console) resetOfficer(v *visit) error {
	return v.onOfficer("reset", func(
		ctx context.Context, o agency.Officer, body *agencyView,
	) error {
		why, err := v.text("why")
		if err != nil {
			return err
		}
		link, err := c.Agencies.ResetOfficer(ctx, v.me(), o.Agency, o.ID, why)
		if err == nil {
			body.Link, body.For = c.EnrolOfficer(link), o.Name
		}
		return err
	})
}

func (c *Console) suspendOfficer(v *visit) error {
	return v.onOfficer("suspended", func(
		ctx context.Context, o agency.Officer, _ *agencyView,
	) error {
		why, err := v.text("why")
		if err != nil {
			return err
		}
		return c.Agencies.SuspendOfficer(ctx, v.me(), o.Agency, o.ID, why)
	})
}

func (c *Console) attestOfficer(v *visit) error {
	return v.onOfficer("attested", func(
		ctx context.Context, o agency.Officer, _ *agencyView,
	) error {
		why, err := v.text("why")
		if err != nil {
			return err
		}
		return c.Agencies.AttestOfficer(ctx, v.me(), o.Agency, o.ID, why)
	})
}

// issueKey makes a key of a program, and shows it once.
func (c *Console) issueKey(v *visit) error {
	return v.onAgency("", func(ctx context.Context, id int64, body *agencyView) (err error) {
		days := min(v.number("days"), mostKeyDays)
		ends := c.Clock.Now().Add(time.Duration(days) * day).Unix()
		body.For = v.field("label")
		body.Secret, err = c.Agencies.IssueKey(ctx, v.me(), id, body.For, ends)
		return err
	})
}

func (c *Console) revokeKey(v *visit) error {
	return v.onAgency("revoked", func(ctx context.Context, id int64, _ *agencyView) error {
		n, err := v.person()
		if err != nil {
			return err
		}
		return c.Agencies.RevokeKey(ctx, v.me(), id, n)
	})
}

// agencyPath is where an agency lies.
func agencyPath(id int64) string { return fmt.Sprintf("/agency/%d", id) }
