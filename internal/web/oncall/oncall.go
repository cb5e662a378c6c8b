// Package oncall has the page by which somebody who was woken says that he deals with it. The link
// is all the proof that there is. Opening it does nothing: mail programs and chats open links by
// themselves. It says what kind of emergency it is and who has it, and nothing more.
package oncall

import (
	"embed"
	"errors"
	"net/http"

	"parley/internal/safety/oncall"
	"parley/internal/store"
	"parley/internal/web/page"
)

// files are the page and its texts.
//
//go:embed all:pages texts
var files embed.FS

// path is where the page lies: safety/oncall makes the links.
const path = "/oncall/{token}"

// Pages serves the page.
type Pages struct {
	site  *page.Site
	store *store.Store
	line  *oncall.Service
	set   *page.Set
}

// New reads the page.
func New(site *page.Site, s *store.Store, line *oncall.Service) (*Pages, error) {
	set, err := site.Set(files)
	if err != nil {
		return nil, err
	}
	return &Pages{site, s, line, set}, nil
}

// Mount adds the page to a mux.
func (p *Pages) Mount(mux *http.ServeMux) {
	mux.Handle("GET "+path, p.site.Handle(p.show))
	mux.Handle("POST "+path, p.site.Handle(p.confirm))
}

// alertView is an alert, and where in the console it lies.
type alertView struct {
	oncall.Alert
	Open string
}

// show says what somebody was woken for, and whether somebody has it.
func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	var a oncall.Alert
	err := p.store.View(r.Context(), func(rd *store.Reader) (err error) {
		a, _, err = p.line.Read(rd, r.PathValue("token"))
		return err
	})
	return p.answer(w, r, a, err)
}

// confirm says that whoever holds the link deals with it. It takes no token of a form: the link is
// one, and to wait two seconds for it would be two too many.
func (p *Pages) confirm(w http.ResponseWriter, r *http.Request) error {
	a, err := p.line.ConfirmLink(r.Context(), r.PathValue("token"), "link")
	return p.answer(w, r, a, err)
}

func (p *Pages) answer(w http.ResponseWriter, r *http.Request, a oncall.Alert, err error) error {
	if errors.Is(err, oncall.ErrToken) {
		return p.site.Miss(r)
	}
	if err != nil {
		return err
	}
	return p.set.Render(w, r, http.StatusOK, "alert", alertView{a, p.line.Open(a)})
}
