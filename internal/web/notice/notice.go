// Package notice is the way in for people without an account: the form for notices of illegal
// content, and the pages of public channels and posts, from which a notice starts. It stores
// nothing by itself and shows no content that anything withholds.
//
// A receipt is shown only after Report has returned, and Report returns only once the notice is
// stored.
//
// https://eur-lex.europa.eu/eli/reg/2022/2065/oj
package notice

import (
	"context"
	"embed"
	"net/http"
	"strings"

	"parley/internal/safety"
	"parley/internal/safety/intake"
	"parley/internal/store"
	"parley/internal/web/about"
	"parley/internal/web/page"
)

// files are the pages and their texts.
//
//go:embed all:pages texts
var files embed.FS

// Rooms are what the pages stand on.
type Rooms struct {
	Site  *page.Site
	Store *store.Store
	// Report stores a notice and returns its receipt, or why not. A notice is stored when it
	// returns, and not before.
	Report func(context.Context, intake.Report) (intake.Receipt, error)
	// ByMail is set when receipts also go by mail.
	ByMail bool
	// Hidden tells of a chat, or of its message if item is not 0, whether it is withheld from
	// strangers.
	Hidden Hidden
}

// Pages serves the pages.
type Pages struct {
	Rooms
	set *page.Set
}

// New reads the pages.
func New(r Rooms) (*Pages, error) {
	set, err := r.Site.Set(files, about.Shell(), safety.Texts())
	if err != nil {
		return nil, err
	}
	return &Pages{Rooms: r, set: set}, nil
}

// OfChats tells whether a route is of the pages of public chats, which have any name.
func OfChats(route string) bool { return strings.HasPrefix(route, "GET /{name}") }

// Mount adds the pages to a mux.
func (p *Pages) Mount(mux *http.ServeMux) {
	mux.Handle("GET /{$}", p.Site.Handle(p.home))
	mux.Handle("GET /notice", p.Site.Handle(p.form))
	mux.Handle("POST /notice", p.Site.Handle(p.form))
	mux.Handle("GET /{name}", p.Site.Handle(p.chat))
	mux.Handle("GET /{name}/{id}", p.Site.Handle(p.post))
	mux.Handle("GET /{name}/{thread}/{id}", p.Site.Handle(p.post))
	mux.Handle("GET /s/{name}/{id}", p.Site.Handle(p.post))
}

func (p *Pages) home(w http.ResponseWriter, r *http.Request) error {
	return p.set.Render(w, r, http.StatusOK, "home", nil)
}
