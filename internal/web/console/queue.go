package console

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/casefile"
	"parley/internal/safety/decide"
	"parley/internal/safety/hotline"
	"parley/internal/store"
	"parley/internal/web/page"
	"parley/internal/web/staff"
)

// countsPath is what a page asks for again and again: asking is no sign of life.
const countsPath = "/counts"

// Bounds of lists.
const (
	// mostCounted is up to which number cases of a lane are counted: more is said as "and more".
	mostCounted = 1000
	// mostListed is how many lines a list has.
	mostListed = 100
	// mostMine is how many cases somebody can have at once.
	mostMine = 200
)

// lane is a queue as its line shows it.
type lane struct {
	Name     string
	Waiting  string
	InReview string
	// Oldest is when the case that is next was opened, 0 for none.
	Oldest    int64
	Emergency bool
}

// queuesView is all queues, and what the visitor has.
type queuesView struct {
	Lanes []lane
	Mine  []caseLine
	// Orders are the counts of authorities' orders, for who works on them, Inquiries those of
	// letters and of regulators' questions.
	Orders    []orderLane
	Inquiries *inquiryLane
	// Mails are those that wait, by door.
	Mails []mailLane
	// Silent is the key of what is wrong with the emergency line, "" while it wakes somebody.
	Silent string
	// Held is set when digests of hotlines wait for two people, for who lets them through.
	Held bool
}

// caseLine is a case in a list.
type caseLine struct {
	store.Case
	Path string
	// Title is what the case is about, without anything that people wrote.
	Title, Lane, State string
	Overdue            bool
}

// line is a case as a list shows it.
func (c *Console) line(x store.Case) caseLine {
	l := caseLine{
		Case: x, Path: casePath(x), Title: safety.Kind(x.Kind).String(),
		Lane: safety.Lane(x.Lane).String(), State: casefile.State(x.State).String(),
	}
	l.Overdue = x.Closed == 0 && x.Due < c.Clock.Now().Unix()
	return l
}

func (c *Console) lines(list []store.Case) []caseLine {
	out := make([]caseLine, len(list))
	for i, x := range list {
		out[i] = c.line(x)
	}
	return out
}

// casePath is where a case lies.
func casePath(x store.Case) string { return fmt.Sprintf("/case/%d/%d", x.Subject, x.ID) }

// bounded writes a count that ends at mostCounted.
func bounded(n int64) string {
	if n >= mostCounted {
		return strconv.Itoa(mostCounted) + "+"
	}
	return strconv.FormatInt(n, 10)
}

func (c *Console) lanes(r *store.Reader) ([]lane, error) {
	counts, err := casefile.Counts(r, mostCounted)
	out := make([]lane, len(counts))
	for i, n := range counts {
		out[i] = lane{
			Name: n.Lane.String(), Waiting: bounded(n.Waiting), InReview: bounded(n.InReview),
			Oldest: n.Oldest, Emergency: n.Lane.Emergency(),
		}
	}
	return out, err
}

func (c *Console) queues(v *visit) error {
	var body queuesView
	err := v.view(func(r *store.Reader) (err error) {
		if body.Lanes, err = c.lanes(r); err != nil {
			return err
		}
		if body.Silent, err = c.silent(r); err != nil {
			return err
		}
		if v.may(staff.Onboard) {
			held, err := hotline.HeldSubmissions(r, 1)
			if body.Held = len(held) > 0; err != nil {
				return err
			}
		}
		mine, err := r.CasesWith(v.me(), mostMine)
		body.Mine = c.lines(mine)
		if err != nil {
			return err
		}
		if body.Mails, err = c.mailLanes(r, v); err != nil || !v.may(staff.Orders) {
			return err
		}
		if body.Inquiries, err = c.inquiryLane(r); err != nil {
			return err
		}
		body.Orders, err = c.orderLanes(r)
		return err
	})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "queues", body)
}

// counts are the numbers of the queues for the page that shows them. They are asked for and not
// sent: a reviewer's page then survives proxies and restarts, and costs nothing while it is hidden.
func (c *Console) counts(v *visit) error {
	var list []lane
	err := v.view(func(r *store.Reader) (err error) {
		list, err = c.lanes(r)
		return err
	})
	if err != nil {
		return err
	}
	out := make(map[string][2]string, len(list))
	for _, l := range list {
		out[l.Name] = [2]string{l.Waiting, l.InReview}
	}
	return v.sendJSON(http.StatusOK, out)
}

// parseLane reads a lane's name.
func parseLane(name string) (safety.Lane, error) {
	for _, l := range safety.Lanes() {
		if l.String() == name {
			return l, nil
		}
	}
	return 0, page.ErrNotFound
}

// queueView is a page of one queue.
type queueView struct {
	Lane  string
	Cases []caseLine
	// More is where the next page begins, "" for none.
	More string
}

// queue lists the cases of a lane that wait, without anything that people wrote.
func (c *Console) queue(v *visit) error {
	of, err := parseLane(v.r.PathValue("lane"))
	if err != nil {
		return err
	}
	var after casefile.Place
	if text := v.r.FormValue("after"); text != "" {
		if _, err := fmt.Sscanf(text, "%d.%d", &after.Rank, &after.ID); err != nil {
			return page.ErrNotFound
		}
	}
	body := queueView{Lane: of.String()}
	err = v.view(func(r *store.Reader) error {
		list, err := casefile.Queue(r, of, after, mostListed)
		body.Cases, body.More = c.lines(list), ""
		if len(list) == mostListed {
			last := casefile.PlaceOf(list[len(list)-1])
			body.More = fmt.Sprintf("%d.%d", last.Rank, last.ID)
		}
		return err
	})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "queue", body)
}

// next hands the visitor the case that is next: of all lanes, or of the one that he asks for.
func (c *Console) next(v *visit) error {
	lanes := safety.Lanes()
	if name := v.field("lane"); name != "" {
		of, err := parseLane(name)
		if err != nil {
			return err
		}
		lanes = []safety.Lane{of}
	}
	for {
		got, err := c.Cases.Next(v.r.Context(), v.me(), lanes)
		if errors.Is(err, casefile.ErrNone) {
			return v.leave("/queue", "nothing")
		}
		if err != nil {
			return err
		}
		if err := c.Staff.Record(v.r.Context(), v.about(got, "claim", "next")); err != nil {
			return err
		}
		err = c.takeComplaints(v, got)
		if errors.Is(err, decide.ErrSamePerson) {
			// He decided what is complained about: the case is another's.
			if _, err := c.Cases.Release(v.r.Context(), got.Subject, got.ID, v.me()); err != nil {
				return err
			}
			lanes = slices.DeleteFunc(slices.Clone(lanes), func(l safety.Lane) bool {
				return l == safety.Appeals
			})
			continue
		}
		if err != nil {
			return err
		}
		return v.leave(casePath(got), "")
	}
}

// takeComplaints makes the visitor the reviewer of the complaints that a case is about.
func (c *Console) takeComplaints(v *visit, of store.Case) error {
	if of.Appeal == 0 {
		return nil
	}
	list, err := c.complaints(v, of)
	if err != nil {
		return err
	}
	for _, a := range list {
		if a.State != appeal.Open {
			continue
		}
		if err := c.Appeals.Assign(v.r.Context(), a.Subject, a.ID, v.me()); err != nil {
			return err
		}
	}
	return nil
}

// complaints are those that a case in the lane of appeals is about.
func (c *Console) complaints(v *visit, of store.Case) (list []appeal.Appeal, err error) {
	err = v.view(func(r *store.Reader) (err error) {
		list, err = appeal.Of(r, of.Subject, of.Appeal)
		return err
	})
	return list, err
}
