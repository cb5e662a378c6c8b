package console

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"parley/internal/safety/agency"
	"parley/internal/safety/inquiry"
	"parley/internal/store"
	"parley/internal/web/page"
	"parley/internal/web/regulator"
	"parley/internal/web/staff"
)

// inquiryRows are the staff's side of the dialogue with regulators.
func (c *Console) inquiryRows() []row {
	const at = "/inquiries/{subject}/{id}"
	return []row{
		{"GET", "/inquiries", staff.Orders, false, "inquiries", c.inquiries},
		{"GET", at, staff.Orders, false, "inquiry", c.inquiryPage},
		{"POST", sayPath, staff.Orders, false, "inquiry answer", c.answerInquiry},
		{"GET", at + "/file/{n}/{k}", staff.Orders, false, "inquiry file", c.inquiryFile},
	}
}

// sayPath is where the staff answers, with files.
const sayPath = "/inquiries/{subject}/{id}/say"

// mostInquiries is how many inquiries that wait a page shows, mostOthers how many of each regulator
// that wait for him or are closed, and how many such letters.
const (
	mostInquiries = 200
	mostOthers    = 20
)

// inquiriesView lists inquiries: those that wait for the service, and on the first page the others
// by regulator.
type inquiriesView struct {
	Waiting, Others []inquiryLine
	// More is where those are that are due after these.
	More []string
}

// inquiryLine is an inquiry in the list.
type inquiryLine struct {
	inquiry.Inquiry
	Path, Who string
	Late      bool
	// By is who wrote a letter, as he says; nil for a regulator's inquiry.
	By *inquiry.Asker
}

// Stands is the word for its state: a letter is answered to its writer, not to a regulator.
func (l inquiryLine) Stands() string {
	if l.By != nil && l.State == inquiry.TheirsNow {
		return "theirs.letter"
	}
	return l.State.String()
}

// inquiryView is an inquiry as its page shows it.
type inquiryView struct {
	inquiryLine
	Reference string
	Said      []inquiry.Line
	Names     map[int64]string
	Wrong     bool
	Typed     string
}

func (c *Console) inquiries(v *visit) error {
	var due, id int64
	if _, err := fmt.Sscanf(v.r.FormValue("after"), "%d-%d", &due, &id); err != nil {
		due, id = 0, 0
	}
	var body inquiriesView
	err := v.view(func(r *store.Reader) error {
		body = inquiriesView{}
		list, err := inquiry.Waiting(r, due, id, mostInquiries)
		if err != nil {
			return err
		}
		if len(list) == mostInquiries {
			last := list[len(list)-1]
			body.More = []string{"after", fmt.Sprintf("%d-%d", last.Due, last.ID)}
		}
		if body.Waiting, err = c.inquiryLines(r, list); err != nil || due != 0 {
			return err
		}
		others, err := othersOf(r)
		if err != nil {
			return err
		}
		body.Others, err = c.inquiryLines(r, others)
		return err
	})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "inquiries", body)
}

// inquiryLane is how many inquiries wait for the service, how many of them too long, and when the
// first is due.
type inquiryLane struct {
	Waiting, Late string
	Due           int64
}

func (c *Console) inquiryLane(r *store.Reader) (*inquiryLane, error) {
	list, err := inquiry.Waiting(r, 0, 0, mostInquiries)
	if err != nil {
		return nil, err
	}
	var out inquiryLane
	late := 0
	for _, i := range list {
		if i.Due == 0 {
			continue
		}
		if out.Due == 0 {
			out.Due = i.Due
		}
		if i.Due < c.Clock.Now().Unix() {
			late++
		}
	}
	out.Waiting, out.Late = strconv.Itoa(len(list)), strconv.Itoa(late)
	if len(list) == mostInquiries {
		out.Waiting += "+"
	}
	return &out, nil
}

// othersOf are the last letters, and the last inquiries of every regulator, that do not wait for
// the service.
func othersOf(r *store.Reader) (out []inquiry.Inquiry, err error) {
	all, err := agency.All(r, 0, mostHotlines)
	if err != nil {
		return nil, err
	}
	askers := []int64{0}
	for _, a := range all {
		if inquiry.Regulates(a) {
			askers = append(askers, a.ID)
		}
	}
	for _, of := range askers {
		list, err := inquiry.OfAgency(r, of, newest, mostOthers)
		if err != nil {
			return nil, err
		}
		for _, i := range list {
			if i.State != inquiry.OursNow {
				out = append(out, i)
			}
		}
	}
	return out, nil
}

func (c *Console) inquiryLines(
	r *store.Reader, list []inquiry.Inquiry,
) (out []inquiryLine, err error) {
	for _, i := range list {
		x, err := c.inquiryLine(r, i)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

func (c *Console) inquiryLine(r *store.Reader, i inquiry.Inquiry) (inquiryLine, error) {
	at := "/inquiries/" + strconv.FormatInt(i.Agency, 10) + "/" + strconv.FormatInt(i.ID, 10)
	out := inquiryLine{Inquiry: i, Path: at, Late: i.Due != 0 && i.Due < c.Clock.Now().Unix()}
	if i.Letter() {
		by, err := c.Inquiries.Letters.Asker(r, i.ID)
		out.Who, out.By = by.Name, &by
		return out, err
	}
	of, err := agency.Of(r, i.Agency)
	out.Who = of.Name
	return out, err
}

// inquiryOf is the inquiry that the path names.
func (c *Console) inquiryOf(v *visit) (body inquiryView, err error) {
	subject, id, err := v.ref()
	if err != nil {
		return body, err
	}
	if body.Names, err = c.names(v); err != nil {
		return body, err
	}
	err = v.view(func(r *store.Reader) error {
		i, said, err := inquiry.Of(r, int64(subject), id)
		if err != nil {
			return err
		}
		body.Said = said
		body.inquiryLine, err = c.inquiryLine(r, i)
		body.Reference = c.Inquiries.Reference(i)
		return err
	})
	return body, err
}

func (c *Console) inquiryPage(v *visit) error {
	body, err := c.inquiryOf(v)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "inquiry", body)
}

func (c *Console) answerInquiry(v *visit) error {
	body, err := c.inquiryOf(v)
	if err != nil {
		return err
	}
	body.Typed = v.field("text")
	if body.Letter() {
		v.files = nil // its page hands none out
	}
	_, err = c.Inquiries.Say(v.r.Context(), body.Agency, body.ID, inquiry.Line{
		Staff: v.me(), Text: body.Typed, Files: v.files,
	})
	if errors.Is(err, inquiry.ErrText) || errors.Is(err, inquiry.ErrClosed) {
		body.Wrong = true
		return v.show(http.StatusUnprocessableEntity, "inquiry", body)
	}
	if err != nil {
		return err
	}
	return v.leave(body.Path, "replied")
}

// inquiryFile hands out what a regulator attached, as a file that no browser opens by itself.
func (c *Console) inquiryFile(v *visit) error {
	body, err := c.inquiryOf(v)
	if err != nil {
		return err
	}
	n, err1 := strconv.ParseInt(v.r.PathValue("n"), 10, 64)
	k, err2 := strconv.Atoi(v.r.PathValue("k"))
	if err1 != nil || err2 != nil {
		return page.ErrNotFound
	}
	for _, l := range body.Said {
		if l.N == n && k >= 0 && k < len(l.Files) {
			return regulator.Send(v.w, v.r, c.Site, c.Papers, l.Files[k])
		}
	}
	return page.ErrNotFound
}
