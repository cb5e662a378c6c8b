package console

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/attachment"
	"parley/internal/safety/inquiry"
	"parley/internal/safety/instrument"
	"parley/internal/safety/intake"
	"parley/internal/safety/mailroom"
	"parley/internal/store"
	"parley/internal/web/page"
	"parley/internal/web/staff"
)

// mailRows are about what came in by mail.
func (c *Console) mailRows() []row {
	const at = "/mails/{subject}/{id}"
	return []row{
		{"GET", "/mails", staff.Review, false, "mails", c.mails},
		{"GET", at, staff.Review, false, "mail", c.mailPage},
		{"GET", at + "/part/{n}", staff.Review, false, "mail part", c.mailPart},
		{"POST", at + "/answer", staff.Review, false, "mail answer", c.answerMail},
		{"POST", at + "/route", staff.Review, false, "mail route", c.routeMail},
		{"POST", at + "/notice", staff.Review, false, "mail notice", c.mailToNotice},
		{"POST", at + "/close", staff.Review, false, "mail close", c.closeMail},
		{"POST", at + "/order", staff.Orders, false, "mail order", c.mailToOrder},
		{"POST", at + "/inquiry", staff.Orders, false, "mail inquiry", c.mailToInquiry},
	}
}

// mostMails is how many mails a page lists.
const mostMails = 50

// mailsView lists mails.
type mailsView struct {
	// Off is set where no mail can be answered, and so none comes in.
	Off     bool
	Mails   []mailLine
	Waiting []mailLane
	Doors   []doorName
	States  []mailroom.Outcome
	mailroom.Filter
	// More is where the mails before these are.
	More []string
}

// mailLine is a mail in a list, with its door's name.
type mailLine struct {
	mailroom.Mail
	Path string
	At   doorName
}

// doorName is a door and what it is called in the visitor's language.
type doorName struct {
	Door instrument.Door
	Name string
}

// mailLane is how many mails wait at a door, and since when.
type mailLane struct {
	store.ArrivedCount
	At doorName
}

func (v *visit) door(d instrument.Door) doorName {
	l, _ := page.LanguageOf(v.r)
	return doorName{d, v.Mails.Guide.Door(l.Code, d)}
}

// mailDoors are the doors whose mails the visitor reads: who works on orders all, others those of
// people and flaggers.
func (v *visit) mailDoors() []instrument.Door {
	if !v.may(staff.Orders) {
		return mailroom.Reading()
	}
	return append(mailroom.Reading(), instrument.AuthorityDoor, instrument.EmergencyDoor,
		instrument.RegulatorDoor)
}

// mails lists what came in by mail.
func (c *Console) mails(v *visit) error {
	if c.Mails == nil {
		return v.show(http.StatusOK, "mails", mailsView{Off: true})
	}
	body := mailsView{States: mailroom.Outcomes(), Filter: mailroom.Filter{
		Door:    instrument.Door(v.r.FormValue("door")),
		Outcome: mailroom.Outcome(v.r.FormValue("state")),
	}}
	doors := v.mailDoors()
	switch {
	case slices.Contains(doors, body.Door):
	case v.may(staff.Orders):
		body.Door = ""
	default:
		body.Door = doors[0]
	}
	if !slices.Contains(body.States, body.Outcome) {
		body.Outcome = ""
		if !v.r.Form.Has("state") {
			body.Outcome = mailroom.Waiting
		}
	}
	for _, d := range doors {
		body.Doors = append(body.Doors, v.door(d))
	}
	at, id := int64(newest), int64(newest)
	if _, err := fmt.Sscanf(v.r.FormValue("before"), "%d-%d", &at, &id); err != nil {
		at, id = newest, newest
	}
	err := v.view(func(r *store.Reader) error {
		list, err := c.Mails.List(r, body.Filter, at, id, mostMails)
		if err != nil {
			return err
		}
		body.Mails = nil
		for _, m := range list {
			body.Mails = append(body.Mails, v.mailLine(m))
		}
		body.Waiting, err = c.mailLanes(r, v)
		return err
	})
	if err != nil {
		return err
	}
	if len(body.Mails) == mostMails {
		last := body.Mails[mostMails-1].Mail
		body.More = []string{
			"door", string(body.Door), "state", string(body.Outcome),
			"before", fmt.Sprintf("%d-%d", last.At, last.ID),
		}
	}
	return v.show(http.StatusOK, "mails", body)
}

// mailLanes are the mails that wait, at the doors whose mails the visitor reads.
func (c *Console) mailLanes(r *store.Reader, v *visit) (out []mailLane, err error) {
	if c.Mails == nil {
		return nil, nil
	}
	waiting, err := c.Mails.Counts(r)
	doors := v.mailDoors()
	for _, w := range waiting {
		if slices.Contains(doors, instrument.Door(w.Door)) {
			out = append(out, mailLane{w, v.door(instrument.Door(w.Door))})
		}
	}
	return out, err
}

func mailPath(agency, id int64) string { return fmt.Sprintf("/mails/%d/%d", agency, id) }

func (v *visit) mailLine(m mailroom.Mail) mailLine {
	return mailLine{m, mailPath(m.Agency, m.ID), v.door(m.Door)}
}

// mailView is a mail as its page shows it.
type mailView struct {
	mailLine
	mailroom.Content
	// Bare is the text of its web page where it has no other.
	Bare string
	// Before is the mail that it goes on from, "" for none, Adds the order that it adds to, nil for
	// none, Ordered those that came with it.
	Before  string
	Adds    *mailOrder
	Ordered []mailOrder
	// Question is the reference of the inquiry that it became.
	Question string
	Names    map[int64]string
	// Seen is what a form says of the mail that its sender had before him.
	Seen int
	// Doors are where it can be passed on to.
	Doors      []doorName
	Laws       []instrument.Instrument
	Categories []safety.Category
	Regulators []agency.Agency
	Links      string
	// Orderable is set for what can become an order, Answerable where there is somebody to answer.
	Orderable, Answerable bool
}

// mailOrder is an order by its reference.
type mailOrder struct{ Path, Reference string }

func (c *Console) mailOrder(agency, id int64) mailOrder {
	return mailOrder{
		orderPath(agency, id), c.Orders.References.Make(safety.OrderRef, ids.Peer(agency), id),
	}
}

// theMail is the mail that the path names, if the visitor may read it.
func (c *Console) theMail(v *visit) (m mailroom.Mail, err error) {
	of, id, err := v.ref()
	if err != nil {
		return m, err
	}
	if c.Mails == nil {
		return m, page.ErrNotFound
	}
	err = v.view(func(r *store.Reader) (err error) {
		m, err = c.Mails.Of(r, int64(of), id)
		return err
	})
	if err == nil && !slices.Contains(v.mailDoors(), m.Door) {
		v.refused(v.r, v.me(), v.row.word(), "a mail at another door")
		err = problem{http.StatusForbidden, "forbidden"}
	}
	return m, err
}

// mailPage shows a mail: its text as characters, its papers by links to where they are drawn, what
// its sender was told, and what can be done with it.
func (c *Console) mailPage(v *visit) error {
	m, err := c.theMail(v)
	if err != nil {
		return err
	}
	ctx := v.r.Context()
	body := mailView{mailLine: v.mailLine(m), Seen: len(m.Acts), Answerable: m.From != ""}
	if body.Content, err = c.Mails.Content(ctx, m); err != nil {
		return err
	}
	if body.Names, err = c.names(v); err != nil {
		return err
	}
	if body.Text == "" {
		if body.Bare, err = c.bareText(v, body.Parts); err != nil {
			return err
		}
	}
	for _, d := range mailroom.Reading() {
		if d != m.Door {
			body.Doors = append(body.Doors, v.door(d))
		}
	}
	body.Categories, body.Links = safety.Categories(), linksIn(body.Text+"\n"+body.Bare)
	if m.Before != 0 {
		body.Before = mailPath(0, m.Before)
	}
	if v.may(staff.Orders) {
		err = c.mailOrders(v, &body)
	}
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "mail", body)
}

// bareText is the text of the first part that is a web page, read by the confined process.
func (c *Console) bareText(v *visit, parts []mailroom.Part) (string, error) {
	for _, p := range parts {
		if p.Mime == "text/html" && c.Attachments != nil {
			view, err := c.Attachments.View(v.r.Context(), p.Digest)
			return view.Text, err
		}
	}
	return "", nil
}

// mailOrders adds what only those see who work on orders.
func (c *Console) mailOrders(v *visit, body *mailView) error {
	body.Orderable = body.Agency == 0
	for _, id := range body.Mail.Orders {
		body.Ordered = append(body.Ordered, c.mailOrder(body.Agency, id))
	}
	if body.Mail.Adds != 0 {
		adds := c.mailOrder(body.Agency, body.Mail.Adds)
		body.Adds = &adds
	}
	if asked := body.Mail.Asked; asked.ID != 0 {
		body.Question = c.Inquiries.Reference(inquiry.Inquiry{Agency: asked.Agency, ID: asked.ID})
	}
	for _, in := range c.Law.All() {
		if in.Door == instrument.AuthorityDoor || in.Door == instrument.EmergencyDoor ||
			in.Door == instrument.RegulatorDoor {
			body.Laws = append(body.Laws, in)
		}
	}
	return v.view(func(r *store.Reader) error {
		body.Regulators = nil
		list, err := agency.All(r, 0, mostHotlines)
		for _, a := range list {
			if inquiry.Regulates(a) && a.State == agency.Active {
				body.Regulators = append(body.Regulators, a)
			}
		}
		return err
	})
}

// mailPart shows a paper that came with a mail.
func (c *Console) mailPart(v *visit) error {
	m, err := c.theMail(v)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(v.r.PathValue("n"))
	if err != nil || c.Attachments == nil {
		return page.ErrNotFound
	}
	content, err := c.Mails.Content(v.r.Context(), m)
	if err != nil {
		return err
	}
	if n < 0 || n >= len(content.Parts) {
		return page.ErrNotFound
	}
	return c.showPaper(v, content.Parts[n].Digest, exhibitView{
		Back: mailPath(m.Agency, m.ID), BackText: "mail.back", Name: content.Parts[n].Name,
	})
}

// mailProblems say how the mail room says no.
func mailProblems() map[error]problem {
	return map[error]problem{
		mailroom.ErrChanged:   {http.StatusConflict, "mailchanged"},
		mailroom.ErrText:      {http.StatusUnprocessableEntity, "text"},
		mailroom.ErrNobody:    {http.StatusConflict, "mailnobody"},
		mailroom.ErrPlace:     {http.StatusUnprocessableEntity, "mailplace"},
		attachment.ErrMissing: {http.StatusGone, "papergone"},
		intake.ErrTooLong:     {http.StatusUnprocessableEntity, "text"},
		inquiry.ErrText:       {http.StatusUnprocessableEntity, "text"},
		inquiry.ErrKind:       {http.StatusUnprocessableEntity, "mailplace"},
	}
}
