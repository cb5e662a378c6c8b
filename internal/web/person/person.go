// Package person has the pages for people whom decisions concern: the statement of reasons for one,
// what became of a report, all that was decided about somebody; and the complaint against each,
// with its dialogue. It decides nothing and tells nothing that the reference does not entitle to.
//
// A reference is all the proof that there is: no account, no cookie. It opens what it names and
// nothing beside it, and what it does not open is answered like what does not exist. What a legal
// bar withholds does not exist as long as the bar lasts.
//
// https://eur-lex.europa.eu/eli/reg/2022/2065/oj
package person

import (
	"context"
	"embed"
	"errors"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/ledger"
	"parley/internal/safety/statement"
	"parley/internal/store"
	"parley/internal/tlog/verify"
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
	// References reads what people were given.
	References safety.References
	Statements *statement.Service
	Appeals    *appeal.Service
	// Receipt proves that a line is in the public log; ledger.ErrWaiting says that it is too early.
	Receipt func(context.Context, ids.Peer, int64, ledger.Kind) (verify.Receipt, error)
	// Disputes are the https addresses of certified out-of-court dispute bodies.
	Disputes []string
}

// Pages serves the pages.
type Pages struct {
	Rooms
	set *page.Set
}

// New reads the pages.
func New(r Rooms) (*Pages, error) {
	set, err := r.Site.Set(files, about.Shell())
	if err != nil {
		return nil, err
	}
	return &Pages{Rooms: r, set: set}, nil
}

// Paths of the pages, by the kinds of their references.
const (
	statementPath = "/s/"
	reportPath    = "/r/"
	personPath    = "/p/"
	// letterPath is a page of web/contact.
	letterPath = "/contact/letter/"
)

// Mount adds the pages to a mux.
func (p *Pages) Mount(mux *http.ServeMux) {
	for path, kind := range map[string]safety.RefKind{
		statementPath: safety.StatementRef, reportPath: safety.ReportRef,
	} {
		h := p.Site.Handle(func(w http.ResponseWriter, r *http.Request) error {
			return p.concern(w, r, path, kind)
		})
		mux.Handle("GET "+path+"{reference}", h)
		mux.Handle("POST "+path+"{reference}", h)
		proof := p.Site.Handle(func(w http.ResponseWriter, r *http.Request) error {
			return p.receipt(w, r, path, kind)
		})
		mux.Handle("GET "+path+"{reference}/receipt", proof)
		mux.Handle("GET "+path+"{reference}/receipt/{of}", proof)
	}
	mux.Handle("GET "+personPath+"{reference}", p.Site.Handle(p.all))
	mux.Handle("GET /status", p.Site.Handle(p.find))
}

// username is what a public name looks like.
var username = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{3,31}$`)

// read checks the reference of a request and returns it as we write it.
func (p *Pages) read(r *http.Request, want safety.RefKind) (string, error) {
	kind, subject, id, err := p.References.Read(r.PathValue("reference"))
	if err != nil || kind != want {
		return "", p.Site.Miss(r)
	}
	return p.References.Make(kind, subject, id), nil
}

// found is the state of the form in which a reference is typed.
type found struct{ Typed, Wrong string }

// find leads from a typed reference to its page.
func (p *Pages) find(w http.ResponseWriter, r *http.Request) error {
	typed := strings.TrimSpace(r.FormValue("reference"))
	if typed == "" {
		return p.set.Render(w, r, http.StatusOK, "find", found{})
	}
	kind, subject, id, err := p.References.Read(typed)
	path := map[safety.RefKind]string{
		safety.StatementRef: statementPath, safety.ReportRef: reportPath,
		safety.PersonRef: personPath, safety.LetterRef: letterPath,
	}[kind]
	if err != nil || path == "" {
		if err := p.Site.Miss(r); !errors.Is(err, page.ErrNotFound) {
			return err
		}
		return p.set.Render(w, r, http.StatusNotFound, "find", found{typed, "find.wrong"})
	}
	p.turn(w, r, path+p.References.Make(kind, subject, id))
	return nil
}

// turn sends a visitor on to a page, in the language that he chose.
func (p *Pages) turn(w http.ResponseWriter, r *http.Request, path string) {
	to := url.URL{Path: path}
	if lang := r.FormValue("lang"); lang != "" {
		to.RawQuery = url.Values{"lang": {lang}}.Encode()
	}
	http.Redirect(w, r, p.Site.Path(to.String()), http.StatusSeeOther)
}

// listPage is how many decisions are shown on one page.
const listPage = 20

// list is what was decided about somebody, and from where on to go on.
type list struct {
	Lines []statement.Line
	Older string
	// First is set on the first page.
	First bool
}

// all shows everything that was decided about the person whose reference it is.
func (p *Pages) all(w http.ResponseWriter, r *http.Request) error {
	ref, err := p.read(r, safety.PersonRef)
	if err != nil {
		return err
	}
	below := int64(math.MaxInt64)
	if text := r.FormValue("below"); text != "" {
		if below, err = strconv.ParseInt(text, 10, 64); err != nil {
			return page.ErrNotFound
		}
	}
	l, _ := page.LanguageOf(r)
	var next int64
	out := list{First: below == math.MaxInt64}
	err = p.Store.View(r.Context(), func(rd *store.Reader) (err error) {
		out.Lines, next, err = p.Statements.Person(rd, ref, l.Code, below, listPage)
		return err
	})
	if errors.Is(err, safety.ErrReference) {
		return p.Site.Miss(r)
	}
	if err != nil {
		return err
	}
	if next != 0 {
		out.Older = strconv.FormatInt(next, 10)
	}
	return p.set.Render(w, r, http.StatusOK, "person", out)
}
