package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"parley/internal/safety"
	"parley/internal/safety/country"
	"parley/internal/safety/crime"
	"parley/internal/safety/cybertip"
	"parley/internal/safety/duty"
	"parley/internal/store"
	"parley/internal/web/page"
	"parley/internal/web/staff"
)

// mostDuties are as many as a list shows.
const mostDuties = 200

// dutyRows are about what the law wants told to authorities without being asked.
func (c *Console) dutyRows() []row {
	const at, one = "/case/{subject}/{id}", "/told/{subject}/{id}"
	return []row{
		{"GET", "/told", staff.Second, false, "told", c.toldList},
		{"GET", at + "/tell", staff.Review, false, "tell", c.tellPage},
		{"POST", at + "/crime", staff.Review, false, "suspect", c.suspectCrime},
		{"POST", at + "/tip", staff.Review, true, "report abuse", c.tip},
		{"POST", at + "/decline", staff.Review, false, "decline report", c.declineTip},
		{"GET", one, staff.Review, false, "told", c.toldPage},
		{"POST", one + "/approve", staff.Second, true, "approve report", c.approveTold},
		{"POST", one + "/urge", staff.Review, true, "urge report", c.urgeTold},
		{"POST", one + "/withdraw", staff.Review, false, "withdraw report", c.withdrawTold},
		{"POST", one + "/again", staff.Review, true, "send report again", c.tipAgain},
	}
}

// dutyLine is a duty in a list.
type dutyLine struct {
	store.Duty
	Kind, State, Path, Case string
}

func lineOfDuty(d store.Duty) dutyLine {
	return dutyLine{
		d, duty.Kind(d.Kind).String(), duty.State(d.State).String(),
		fmt.Sprintf("/told/%d/%d", d.Subject, d.ID), fmt.Sprintf("/case/%d/%d", d.Subject, d.Case),
	}
}

// tellView is the page on which a case is reported to others.
type tellView struct {
	caseLine
	Duties []dutyLine
	// Crime is the suspicion as it would be sent, with what was typed.
	Crime crime.Suspicion
	// Tip is the report as it would be sent, nil where none can be; Lacks are what it lacks.
	Tip         *cybertip.Report
	Types       []cybertip.IncidentType
	Annotations []string
	Marks       []string
	Classes     []string
	Lacks       []string
	Wrong       string
}

// tell fills in the page of the visitor's case.
func (v *visit) tell(x store.Case) (body tellView, err error) {
	body = tellView{
		caseLine: v.line(x), Types: cybertip.IncidentTypes(),
		Annotations: cybertip.Annotations(), Marks: cybertip.FileAnnotations(),
		Classes: cybertip.Classes(),
	}
	if body.Crime, err = v.Crimes.Draw(v.r.Context(), x.Subject, x.ID); err != nil {
		return body, err
	}
	if v.Tips != nil {
		r, err := v.Tips.Draw(v.r.Context(), x.Subject, x.ID)
		if err != nil {
			return body, err
		}
		body.Tip = &r
	}
	err = v.view(func(r *store.Reader) error {
		body.Duties = nil
		list, err := r.DutiesOf(x.Subject, x.ID)
		for _, d := range list {
			body.Duties = append(body.Duties, lineOfDuty(d))
		}
		return err
	})
	return body, err
}

// tellPage shows what of the visitor's case can be told to others.
func (c *Console) tellPage(v *visit) error {
	x, err := v.myCase()
	if err != nil {
		return err
	}
	body, err := v.tell(x)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "tell", body)
}

// suspectCrime proposes to tell an authority of a crime.
func (c *Console) suspectCrime(v *visit) error {
	x, err := v.myCase()
	if err != nil {
		return err
	}
	body, err := v.tell(x)
	if err != nil {
		return err
	}
	s := &body.Crime
	s.Facts, s.Threat, s.Ground = v.field("facts"), v.field("threat"), v.field("ground")
	s.Country = country.Code(v.field("country"))
	d, err := c.Crimes.Propose(v.r.Context(), x.Subject, x.ID, v.me(), *s)
	var no crime.Refusal
	if errors.As(err, &no) {
		body.Wrong = "told.wrong." + no.Field
		return v.show(http.StatusUnprocessableEntity, "tell", body)
	}
	if err != nil {
		return err
	}
	return v.leave(lineOfDuty(d).Path, "proposed")
}

// readTip takes in what was said of a report.
func (v *visit) readTip(r *cybertip.Report) {
	r.Type = cybertip.IncidentType(v.field("type"))
	r.Priority, r.Note = v.field("priority"), v.field("note")
	r.Annotations = v.r.PostForm["annotation"]
	for i := range r.Files {
		n := strconv.Itoa(i)
		f := &r.Files[i]
		f.Class, f.Annotations = v.field("class"+n), v.r.PostForm["mark"+n]
		f.Viewed = v.field("viewed"+n) == "yes"
	}
	r.Files = slices.DeleteFunc(r.Files, func(f cybertip.File) bool {
		return slices.Contains(v.r.PostForm["without"], f.Digest)
	})
}

// tip reports the abuse of a child.
func (c *Console) tip(v *visit) error {
	x, err := v.myCase()
	if err != nil {
		return err
	}
	body, err := v.tell(x)
	if err != nil {
		return err
	}
	if body.Tip == nil {
		return page.ErrNotFound
	}
	v.readTip(body.Tip)
	d, err := c.Tips.Report(v.r.Context(), x.Subject, x.ID, v.me(), *body.Tip)
	var no *cybertip.IncompleteError
	if errors.As(err, &no) {
		for _, m := range no.Missing {
			body.Lacks = append(body.Lacks, m.String())
		}
		return v.show(http.StatusUnprocessableEntity, "tell", body)
	}
	if err != nil {
		return err
	}
	return v.leave(lineOfDuty(d).Path, "told")
}

// declineTip says why the abuse of a child need not be reported.
func (c *Console) declineTip(v *visit) error {
	if c.Tips == nil {
		return page.ErrNotFound
	}
	return v.withText("why", "", "declined", func(x store.Case, why string) error {
		_, err := c.Tips.Decline(v.r.Context(), x.Subject, x.ID, v.me(), why)
		return err
	})
}

// toldView is a report as its page shows it.
type toldView struct {
	dutyLine
	// Body is the document, Digest what it is approved by.
	Body, Digest, By, SecondBy string
	Proposed, Refused, Mine    bool
}

// readable is a JSON document as people read it.
func readable(body []byte) string {
	var out bytes.Buffer
	if len(body) == 0 || json.Indent(&out, body, "", "  ") != nil {
		return ""
	}
	return out.String()
}

// Duty is what the line of a report is given: the view, and the line.
func (f frame) Duty(view *page.View, d dutyLine) map[string]any {
	return map[string]any{"V": view, "D": d}
}

// theDuty reads the duty that the path names, if the visitor may see it: it is his, he has its
// case, or he may give the second word.
func (v *visit) theDuty() (d store.Duty, err error) {
	subject, id, err := v.ref()
	if err != nil {
		return d, err
	}
	var x store.Case
	err = v.view(func(r *store.Reader) (err error) {
		if d, err = r.Duty(subject, id); err == nil {
			x, err = r.Case(subject, d.Case)
		}
		return err
	})
	if err == nil && d.By != v.me() && !has(x, v.me()) && !v.may(staff.Second) {
		v.refused(v.r, v.me(), v.row.word(), "not his")
		err = problem{http.StatusForbidden, "notyours"}
	}
	return d, err
}

// toldPage shows a report, whole, as it is or would be sent.
func (c *Console) toldPage(v *visit) error {
	d, err := v.theDuty()
	if err != nil {
		return err
	}
	err = c.Staff.Record(v.r.Context(), staff.Act{
		Staff: v.me(), Action: "look at report", Case: d.Case,
		Subject: safety.Subject{Peer: d.Subject},
	})
	if err != nil {
		return err
	}
	names, err := c.names(v)
	if err != nil {
		return err
	}
	state := duty.State(d.State)
	body := toldView{
		dutyLine: lineOfDuty(d), Digest: duty.Digest(d),
		By: names[d.By], SecondBy: names[d.Second], Mine: d.By == v.me(),
		Proposed: state == duty.Proposed, Refused: state == duty.Refused, Body: readable(d.Body),
	}
	return v.show(http.StatusOK, "told", body)
}

// toldList lists the reports that need somebody or are under way.
func (c *Console) toldList(v *visit) error {
	var list []dutyLine
	err := v.view(func(r *store.Reader) error {
		list = nil
		for _, kind := range []duty.Kind{duty.Crime, duty.ChildAbuse} {
			for _, state := range []duty.State{
				duty.Open, duty.Proposed, duty.Refused, duty.Owed, duty.Delivered,
			} {
				of, err := r.DutiesIn(int64(kind), int64(state), 0, mostDuties)
				if err != nil {
					return err
				}
				for _, d := range of {
					list = append(list, lineOfDuty(d))
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "toldlist", list)
}

// of runs fn on the duty of the path and returns to its page.
func (v *visit) of(done string, fn func(store.Duty, *duty.Service) error) error {
	d, err := v.theDuty()
	if err != nil {
		return err
	}
	service := v.Crimes.Service
	if duty.Kind(d.Kind) == duty.ChildAbuse {
		if v.Tips == nil {
			return page.ErrNotFound
		}
		service = v.Tips.Service
	}
	if err := fn(d, service); err != nil {
		return err
	}
	return v.leave(lineOfDuty(d).Path, done)
}

func (c *Console) approveTold(v *visit) error {
	return v.of("approved", func(d store.Duty, s *duty.Service) error {
		_, err := s.Approve(v.r.Context(), d.Subject, d.ID, v.me(), v.field("digest"))
		return err
	})
}

func (c *Console) urgeTold(v *visit) error {
	return v.of("told", func(d store.Duty, s *duty.Service) error {
		_, err := s.Urge(v.r.Context(), d.Subject, d.ID, v.me(), v.field("why"))
		return err
	})
}

func (c *Console) withdrawTold(v *visit) error {
	return v.of("withdrawn", func(d store.Duty, s *duty.Service) error {
		_, err := s.Withdraw(v.r.Context(), d.Subject, d.ID, v.me(), v.field("why"))
		return err
	})
}

// tipAgain sends a report again that was refused, as it was: what is wrong with it was mended
// outside, in the settings.
func (c *Console) tipAgain(v *visit) error {
	return v.of("told", func(d store.Duty, s *duty.Service) error {
		if duty.Kind(d.Kind) == duty.Crime {
			_, err := s.Again(v.r.Context(), d.Subject, d.ID, v.me(), d.Body)
			return err
		}
		r, err := cybertip.Read(d)
		if err == nil {
			_, err = c.Tips.Mend(v.r.Context(), d.Subject, d.ID, v.me(), r)
		}
		return err
	})
}
