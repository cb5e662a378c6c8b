package console

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/intake"
	"parley/internal/safety/mailroom"
	"parley/internal/store"
)

// onMail runs fn on the mail that the path names, and returns to it.
func (c *Console) onMail(v *visit, done string, fn func(mailroom.Mail, mailroom.Act) error) error {
	m, err := c.theMail(v)
	if err != nil {
		return err
	}
	act := mailroom.Act{Staff: v.me(), Seen: int(v.number("seen")), Text: v.field("text")}
	if act.Seen != len(m.Acts) {
		return mailroom.ErrChanged
	}
	if err := fn(m, act); err != nil {
		return err
	}
	return v.leave(mailPath(m.Agency, m.ID), done)
}

// answerMail has the sender told what the visitor writes.
func (c *Console) answerMail(v *visit) error {
	return c.onMail(v, "mailanswered", func(m mailroom.Mail, a mailroom.Act) error {
		return c.Mails.Answer(v.r.Context(), m.Agency, m.ID, a)
	})
}

// routeMail passes a mail on to those who read at another door.
func (c *Console) routeMail(v *visit) error {
	m, err := c.theMail(v)
	if err != nil {
		return err
	}
	to := instrument.Door(v.field("to"))
	err = c.onMail(v, "mailrouted", func(m mailroom.Mail, a mailroom.Act) error {
		return c.Mails.Route(v.r.Context(), m.Agency, m.ID, a, to)
	})
	if err == nil && !slices.Contains(v.mailDoors(), m.Door) {
		return v.leave("/mails", "mailrouted")
	}
	return err
}

// closeMail says that a mail needs no answer.
func (c *Console) closeMail(v *visit) error {
	return c.onMail(v, "mailclosed", func(m mailroom.Mail, a mailroom.Act) error {
		return c.Mails.Close(v.r.Context(), m.Agency, m.ID, a)
	})
}

// mailToOrder makes an order of a mail.
func (c *Console) mailToOrder(v *visit) error {
	return c.onMail(v, "mailordered", func(m mailroom.Mail, a mailroom.Act) error {
		country := strings.ToUpper(v.field("country"))
		if len(country) != 2 {
			return problem{http.StatusUnprocessableEntity, "mailcountry"}
		}
		return c.Mails.Order(v.r.Context(), m.Agency, m.ID, a, instrument.ID(v.field("law")),
			country)
	})
}

// mailToNotice makes a notice of a mail, in its sender's name: he gets the receipt by mail, and
// hears of the outcome. The same again is the same notice.
func (c *Console) mailToNotice(v *visit) error {
	return c.onMail(v, "mailnoticed", func(m mailroom.Mail, a mailroom.Act) error {
		links := lines(v.r.PostFormValue("links"))
		category := safety.Category(v.field("category"))
		if len(links) == 0 || a.Text == "" {
			return problem{http.StatusUnprocessableEntity, "maillinks"}
		}
		if !category.Valid() {
			return problem{http.StatusUnprocessableEntity, "choose"}
		}
		_, err := c.Intake.Report(v.r.Context(), intake.Report{
			Source: safety.OtherNotification, Name: m.Name, Email: m.From, Category: category,
			Text: a.Text, Lang: m.Lang, Locations: links, ByMail: m.From != "",
		})
		if err != nil {
			return err
		}
		return c.Mails.Became(v.r.Context(), m.Agency, m.ID, a, mailroom.Noticed,
			mailroom.Asked{})
	})
}

// mailToInquiry puts a mail to the dialogue with a regulator. Only his officers, who prove who they
// are, see it and its answer.
func (c *Console) mailToInquiry(v *visit) error {
	return c.onMail(v, "mailinquired", func(m mailroom.Mail, a mailroom.Act) error {
		var of agency.Agency
		err := v.view(func(r *store.Reader) (err error) {
			of, err = agency.Of(r, v.number("agency"))
			return err
		})
		if store.IsNotFound(err) {
			return problem{http.StatusUnprocessableEntity, "choose"}
		}
		if err != nil {
			return err
		}
		ctx := v.r.Context()
		text := c.set.Texts().Get(of.Lang, "inquiry.bymail.text") + "\n\n" + a.Text
		i, err := c.Inquiries.AskByMail(ctx, of, m.At, m.ID, v.field("title"), text)
		if err != nil {
			return err
		}
		return c.Mails.Became(ctx, m.Agency, m.ID, a, mailroom.Inquired,
			mailroom.Asked{Agency: i.Agency, ID: i.ID})
	})
}

// linkIn is an address in a text.
var linkIn = regexp.MustCompile(`\bhttps?://[^\s<>"')\]]+`)

// mostLinks is how many addresses of a mail are put into the form of a notice.
const mostLinks = 20

// linksIn are the addresses in a text, one in each line.
func linksIn(text string) string {
	var out []string
	for _, s := range linkIn.FindAllString(text, -1) {
		s = strings.TrimRight(s, ".,;:!?")
		if u, err := url.Parse(s); err == nil && u.Host != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
		if len(out) == mostLinks {
			break
		}
	}
	return strings.Join(out, "\n")
}
