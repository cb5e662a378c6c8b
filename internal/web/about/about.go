// Package about says on pages who runs the service, whom people and authorities reach, by which
// rules misuse is dealt with, and where the terms are; and it has the shell of the pages that
// anybody may see: their menu and their foot. What it says of the operator is what the operator
// configured: it invents nothing.
//
// https://eur-lex.europa.eu/eli/reg/2022/2065/oj
package about

import (
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"parley/internal/config"
	"parley/internal/safety/intake"
	"parley/internal/web/page"
)

// files are the pages and their texts.
//
//go:embed all:pages texts
var files embed.FS

// Shell are the files of the menu and the foot, for other packages' sets of pages.
func Shell() fs.FS { return files }

// Pages serves the pages.
type Pages struct {
	site    *page.Site
	set     *page.Set
	contact contact
}

// New reads the pages.
func New(site *page.Site, c config.Contact) (*Pages, error) {
	set, err := site.Set(files)
	if err != nil {
		return nil, err
	}
	out := contact{
		Provider: c.Provider, Representative: c.Representative, People: reach(c.People),
		Authorities: reach(c.Authorities), Terms: reach(c.Terms), Misuse: intake.Misuse(),
	}
	for _, code := range c.Languages {
		name := display.Self.Name(language.Make(code))
		out.Languages = append(out.Languages, tongue{code, name})
	}
	for _, d := range c.Disputes {
		out.Disputes = append(out.Disputes, reach(d))
	}
	return &Pages{site: site, set: set, contact: out}, nil
}

// contact is what the page of contacts shows.
type contact struct {
	Provider, Representative   string
	People, Authorities, Terms Place
	Languages                  []tongue
	Disputes                   []Place
	Misuse                     intake.MisuseRule
}

// tongue is a language by its own name.
type tongue struct{ Code, Name string }

// Place is an address elsewhere, as a page shows it.
type Place struct {
	// Link opens it, Text is how it reads.
	Link template.URL
	Text string
}

// reach is where a configured address leads: a mail address, or a page. The configuration allows
// nothing else.
func reach(address string) Place {
	switch {
	case address == "":
		return Place{}
	case strings.HasPrefix(address, "https://"):
		return Place{template.URL(address), address}
	default:
		return Place{template.URL("mailto:" + address), address}
	}
}

// Mount adds the pages to a mux.
func (p *Pages) Mount(mux *http.ServeMux) {
	mux.Handle("GET /contact", p.site.Handle(
		func(w http.ResponseWriter, r *http.Request) error {
			return p.set.Render(w, r, http.StatusOK, "contact", p.contact)
		}))
}
