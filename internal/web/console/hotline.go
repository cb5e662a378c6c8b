package console

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/safety/hotline"
	"parley/internal/store"
	"parley/internal/web/page"
	"parley/internal/web/staff"
)

// hotlineRows are about trusted flaggers and hotlines: how their word has held, and misuse.
func (c *Console) hotlineRows() []row {
	const at = "/hotlines/{subject}"
	return []row{
		{"GET", "/hotlines", staff.Onboard, false, "hotlines", c.hotlines},
		{"GET", at, staff.Onboard, false, "hotline", c.hotlinePage},
		{"GET", at + "/{id}", staff.Review, false, "hotline items", c.hotlineItems},
		{"POST", at + "/pass/{id}", staff.Onboard, true, "hotline pass", c.passDigests},
		{"POST", at + "/warn", staff.Onboard, true, "hotline warn", c.warnHotline},
		{"POST", at + "/suspend", staff.Onboard, true, "hotline suspend", c.suspendHotline},
		{"POST", at + "/confirm/{id}", staff.Onboard, true, "hotline confirm", c.confirmHotline},
		{"POST", at + "/review/{id}", staff.Onboard, true, "hotline review", c.reviewHotline},
	}
}

// mostHotlines bounds the lists of hotlines and of what they complain about.
const mostHotlines = 1000

// hotlinesView lists hotlines, the measures about which they complain, and what of theirs waits for
// two people.
type hotlinesView struct {
	Hotlines  []agency.Agency
	Held      []hotline.Submission
	Contested []hotline.Measure
	Names     map[int64]string
}

// hotlineView is a hotline with its record.
type hotlineView struct {
	agency.Agency
	Figures  hotline.Figures
	Path     string
	Measures []hotline.Measure
	Names    map[int64]string
	Days     int
	Me       int64
	Misuses  []hotline.Misuse
}

// hotlineItemsView is what was reported at once.
type hotlineItemsView struct {
	hotline.Submission
	Who   string
	Items []hotlineItem
	// Held is set when digests of it wait for two people, Passed is who let them through already;
	// Pass is where one does.
	Held   bool
	Passed int64
	Pass   string
	Me     int64
	Names  map[int64]string
}

type hotlineItem struct {
	hotline.Item
	Case, Ended string
}

func (c *Console) hotlines(v *visit) error {
	body := hotlinesView{Names: map[int64]string{}}
	err := v.view(func(r *store.Reader) error {
		body.Hotlines = nil
		list, err := agency.All(r, 0, mostHotlines)
		if err != nil {
			return err
		}
		for _, a := range list {
			if !a.Kind.Official() {
				body.Hotlines = append(body.Hotlines, a)
				body.Names[a.ID] = a.Name
			}
		}
		if body.Held, err = hotline.HeldSubmissions(r, mostHotlines); err != nil {
			return err
		}
		body.Contested, err = hotline.ContestedMeasures(r, mostHotlines)
		return err
	})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "hotlines", body)
}

// hotlineOf is the hotline that the path names.
func (c *Console) hotlineOf(v *visit) (a agency.Agency, err error) {
	id, err := v.agencyOf()
	if err != nil {
		return a, err
	}
	err = v.view(func(r *store.Reader) (err error) {
		a, err = agency.Of(r, id)
		return err
	})
	if err == nil && a.Kind.Official() {
		err = page.ErrNotFound
	}
	return a, err
}

func hotlinePath(id int64) string { return "/hotlines/" + strconv.FormatInt(id, 10) }

func (c *Console) hotlinePage(v *visit) error {
	a, err := c.hotlineOf(v)
	if err != nil {
		return err
	}
	body := hotlineView{
		Agency: a, Path: hotlinePath(a.ID), Days: hotline.RecordDays, Me: v.me(),
		Misuses: hotline.Misuses(),
	}
	if body.Names, err = c.names(v); err != nil {
		return err
	}
	err = v.view(func(r *store.Reader) (err error) {
		body.Figures, err = hotline.FiguresOf(r, a, c.Clock.Now().Unix())
		if err != nil {
			return err
		}
		body.Measures, err = hotline.Measures(r, a.ID)
		return err
	})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "hotline", body)
}

func (c *Console) hotlineItems(v *visit) error {
	of, id, err := v.ref()
	if err != nil {
		return err
	}
	names, err := c.names(v)
	if err != nil {
		return err
	}
	var body hotlineItemsView
	err = v.view(func(r *store.Reader) error {
		body = hotlineItemsView{
			Me: v.me(), Names: names, Pass: fmt.Sprintf("%s/pass/%d", hotlinePath(int64(of)), id),
		}
		a, err := agency.Of(r, int64(of))
		if err != nil {
			return err
		}
		body.Who = a.Name
		if body.Submission, err = r.Submission(a.ID, id); err != nil {
			return err
		}
		list, err := hotline.Items(r, a.ID, id, 0, hotline.MostItems)
		for _, i := range list {
			x := hotlineItem{Item: i, Ended: hotline.Ended(i.Outcome)}
			if i.State == hotline.Held {
				body.Held, body.Passed = true, i.Passed
			}
			if i.Report != 0 {
				report, err := r.Report(i.Subject, i.Report)
				if err != nil {
					return err
				}
				x.Case = "/case/" + strconv.FormatInt(int64(i.Subject), 10) + "/" +
					strconv.FormatInt(report.Case, 10)
			}
			body.Items = append(body.Items, x)
		}
		return err
	})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "hotlineitems", body)
}

// passDigests is the visitor's word about digests that are held back.
func (c *Console) passDigests(v *visit) error {
	of, id, err := v.ref()
	if err != nil {
		return err
	}
	said := v.field("said")
	if said != "yes" && said != "no" {
		return problem{http.StatusUnprocessableEntity, "choose"}
	}
	err = c.Hotlines.Pass(v.r.Context(), v.me(), int64(of), id, said == "yes")
	if err != nil {
		return v.misuse(err)
	}
	return v.leave(fmt.Sprintf("%s/%d", hotlinePath(int64(of)), id), "changed")
}

// misuse shows how the lane says no.
func (v *visit) misuse(err error) error {
	switch {
	case errors.Is(err, hotline.ErrText):
		return problem{http.StatusUnprocessableEntity, "text"}
	case errors.Is(err, hotline.ErrNoWarning), errors.Is(err, hotline.ErrState):
		return problem{http.StatusConflict, "state"}
	case errors.Is(err, hotline.ErrSamePerson):
		return staff.ErrSamePerson
	}
	return err
}

func (c *Console) warnHotline(v *visit) error {
	a, err := c.hotlineOf(v)
	if err != nil {
		return err
	}
	how := hotline.Misuse(v.field("misuse"))
	_, err = c.Hotlines.Warn(v.r.Context(), v.me(), a, how, v.field("why"))
	if err != nil {
		return v.misuse(err)
	}
	return v.leave(hotlinePath(a.ID), "changed")
}

func (c *Console) suspendHotline(v *visit) error {
	a, err := c.hotlineOf(v)
	if err != nil {
		return err
	}
	lasts := time.Duration(max(v.number("days"), 1)) * day
	how := hotline.Misuse(v.field("misuse"))
	_, err = c.Hotlines.Suspend(v.r.Context(), v.me(), a, how, lasts, v.field("why"))
	if err != nil {
		return v.misuse(err)
	}
	return v.leave(hotlinePath(a.ID), "changed")
}

// confirmHotline is another person's word about a suspension that was proposed.
func (c *Console) confirmHotline(v *visit) error {
	a, err := c.hotlineOf(v)
	if err != nil {
		return err
	}
	_, id, err := v.ref()
	if err != nil {
		return err
	}
	said := v.field("said")
	if said != "yes" && said != "no" {
		return problem{http.StatusUnprocessableEntity, "choose"}
	}
	if err := c.Hotlines.Confirm(v.r.Context(), v.me(), a.ID, id, said == "yes"); err != nil {
		return v.misuse(err)
	}
	return v.leave(hotlinePath(a.ID), "changed")
}

func (c *Console) reviewHotline(v *visit) error {
	a, err := c.hotlineOf(v)
	if err != nil {
		return err
	}
	_, id, err := v.ref()
	if err != nil {
		return err
	}
	how := v.field("outcome")
	if how != "upheld" && how != "reversed" {
		return problem{http.StatusUnprocessableEntity, "choose"}
	}
	err = c.Hotlines.Review(v.r.Context(), v.me(), a.ID, id, how == "upheld", v.field("why"))
	if err != nil {
		return v.misuse(err)
	}
	return v.leave(hotlinePath(a.ID), "ruled")
}
