package contact

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"parley/internal/safety/inquiry"
	"parley/internal/safety/instrument"
	"parley/internal/store"
	"parley/internal/web/page"
)

// The names to which the tokens of the forms are bound.
const (
	writeForm  = "letter"
	answerForm = "letter-more"
)

// writePath is where letters are written.
const writePath = "/contact/write"

// letterPath is where letters are read, by their references.
const letterPath = "/contact/letter/"

// draft is a letter as it was typed, and what is wrong with it.
type draft struct {
	inquiry.Asker
	Title, Text                     string
	Countries, Requesters, Purposes []choice
	// Wrong are the fields that have to be changed, in the form's order.
	Wrong []string
	// Entry is the way for those who have a key, or the form that there is for what is asked;
	// empty as long as it is not known.
	Entry entry
	// Mails is set when answers are told by mail.
	Mails bool
}

// Bad tells whether a field has to be changed.
func (d draft) Bad(field string) bool { return slices.Contains(d.Wrong, field) }

// draft reads what was typed.
func (p *Pages) draft(r *http.Request) draft {
	field := func(name string) string { return strings.TrimSpace(r.FormValue(name)) }
	lang, _ := page.LanguageOf(r)
	q := asked(r)
	d := draft{
		Asker: inquiry.Asker{
			Requester: q.Requester, Country: q.Country, Purpose: q.Purpose, Lang: lang.Code,
			Name: field("name"), Mail: field("mail"),
		},
		Title: field("subject"), Text: field("text"), Mails: p.r.Mails,
		Countries:  countries(lang.Code, q.Country),
		Requesters: menu(p, r, "requester.", instrument.Requesters(), q.Requester),
		Purposes:   menu(p, r, "purpose.", instrument.Purposes(), q.Purpose),
	}
	if route, err := p.r.Guide.Route(q.Country, q.Requester, q.Purpose); err == nil {
		d.Entry = p.quicker(route.Door)
	}
	return d
}

// quicker is the way of its own that a door has.
func (p *Pages) quicker(d instrument.Door) entry {
	switch d {
	case instrument.NoticeDoor:
		return entry{"/notice", "write.notice"}
	case instrument.ReferenceDoor:
		return entry{"/status", "write.reference"}
	default:
		return p.entry(d)
	}
}

// write shows the form for letters, or takes one in.
func (p *Pages) write(w http.ResponseWriter, r *http.Request) error {
	d := p.draft(r)
	if r.Method != http.MethodPost {
		return p.set.Render(w, r, http.StatusOK, "write", d)
	}
	status := http.StatusUnprocessableEntity
	if d.Wrong = p.r.Letters.Wrong(d.Asker, d.Title, d.Text); len(d.Wrong) == 0 {
		check := p.r.Site.Check
		if d.Purpose == instrument.Danger {
			check = p.r.Site.CheckUrgent
		}
		switch err := check(r, writeForm); {
		case errors.Is(err, page.ErrTooMany):
			d.Wrong, status = []string{"often"}, http.StatusTooManyRequests
		case err != nil:
			d.Wrong = []string{"form"}
		}
	}
	if len(d.Wrong) > 0 {
		return p.set.Render(w, r, status, "write", d)
	}
	got, err := p.r.Letters.Write(r.Context(), page.Token(r), d.Asker, d.Title, d.Text)
	if err != nil {
		return err
	}
	p.turn(w, r, letterPath+got.Reference)
	return nil
}

// turn sends a visitor on to a page, in the language that he chose.
func (p *Pages) turn(w http.ResponseWriter, r *http.Request, at string) {
	to := url.URL{Path: at}
	if lang := r.FormValue("lang"); lang != "" {
		to.RawQuery = url.Values{"lang": {lang}}.Encode()
	}
	http.Redirect(w, r, p.r.Site.Path(to.String()), http.StatusSeeOther)
}

// letter is a letter as its page shows it.
type letter struct {
	inquiry.Written
	Said []inquiry.Line
	// Address is where it is read, in full; Path the same within the site.
	Address, Path string
	// Passed says where it lies and how long that takes, in the reader's language.
	Passed      string
	Typed       string
	Wrong       string
	ByMail, End bool
}

// letter shows a letter with all that was said, or adds to it.
func (p *Pages) letter(w http.ResponseWriter, r *http.Request) error {
	ref := r.PathValue("reference")
	got, lines, err := p.r.Letters.Letter(r.Context(), ref)
	if store.IsNotFound(err) {
		return p.r.Site.Miss(r)
	}
	if err != nil {
		return err
	}
	lang, _ := page.LanguageOf(r)
	at := letterPath + got.Reference
	body := letter{
		Written: got, Said: lines, Path: at, Address: p.r.Site.URL(at),
		End: got.State == inquiry.Closed, ByMail: p.r.Mails,
		Passed: p.r.Guide.With(lang.Code, got.Route),
	}
	if r.Method != http.MethodPost {
		return p.set.Render(w, r, http.StatusOK, "letter", body)
	}
	body.Typed = strings.TrimSpace(r.PostFormValue("text"))
	status := http.StatusUnprocessableEntity
	if body.Typed == "" || len(body.Typed) > inquiry.TextBytes {
		body.Wrong = "write.wrong.text"
	} else if err := p.r.Site.Check(r, answerForm); errors.Is(err, page.ErrTooMany) {
		body.Wrong, status = "write.wrong.often", http.StatusTooManyRequests
	} else if err != nil {
		body.Wrong = "write.wrong.form"
	} else if err := p.r.Letters.Add(r.Context(), ref, body.Typed); err == nil {
		p.turn(w, r, at)
		return nil
	} else if errors.Is(err, inquiry.ErrClosed) {
		body.Wrong = "letter.closed"
	} else {
		return err
	}
	return p.set.Render(w, r, status, "letter", body)
}
