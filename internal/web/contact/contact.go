// Package contact says on pages and to machines who runs the service, where everybody can write,
// and where a request belongs: for any country, kind of requester and purpose one door, one
// instrument and one period. What it says of the operator is what the operator configured: it
// invents nothing, and says which duties that leaves open. Who has no key writes a letter here and
// reads the answer by its reference, so that nobody depends on what the operator configured.
//
// https://eur-lex.europa.eu/eli/reg/2022/2065/oj
package contact

import (
	"embed"
	"html/template"
	"net/http"
	"strings"
	"sync"

	"github.com/ProtonMail/go-crypto/openpgp"
	"parley/internal/clock"
	"parley/internal/config"
	"parley/internal/safety/door"
	"parley/internal/safety/inquiry"
	"parley/internal/safety/instrument"
	"parley/internal/safety/intake"
	"parley/internal/web/about"
	"parley/internal/web/page"
)

// files are the pages and their texts.
//
//go:embed pages texts
var files embed.FS

// Rooms are what the pages are made of.
type Rooms struct {
	Site        *page.Site
	Guide       *door.Guide
	Instruments *instrument.Set
	Clock       clock.Clock
	// Contact and Representative are what the operator configured.
	Contact        config.Contact
	Representative config.Representative
	// Portal is where officers of authorities come in, a path of the site, Papers the key with
	// which what they are answered is checked.
	Portal, Papers string
	// Hotline is where trusted flaggers and hotlines come in, Dialogue where regulators ask.
	Hotline, Dialogue string
	// Letters takes in letters of those who have no key, and Mails is set when they are told by
	// mail of an answer.
	Letters *inquiry.Service
	Mails   bool
	// Key signs security.txt; nil leaves it unsigned.
	Key *openpgp.Entity
}

// Pages serves the pages.
type Pages struct {
	r    Rooms
	set  *page.Set
	said said

	mu       sync.Mutex
	security securityText
}

// New reads the pages.
func New(r Rooms) (*Pages, error) {
	set, err := r.Site.Set(files, about.Shell(), door.Texts())
	if err != nil {
		return nil, err
	}
	set.Policy.Indexed = true
	return &Pages{r: r, set: set, said: saying(r)}, nil
}

// Mount adds the pages to a mux.
func (p *Pages) Mount(mux *http.ServeMux) {
	for at, h := range map[string]page.Handler{
		"GET /contact":                            p.contact,
		"GET /contact/where":                      p.where,
		"GET " + writePath:                        p.write,
		"POST " + writePath:                       p.write,
		"GET " + letterPath + "{reference}":       p.letter,
		"POST " + letterPath + "{reference}":      p.letter,
		"GET /contact/where.json":                 p.whereJSON,
		"GET /.well-known/authority-contact.json": p.authorityContact,
		"GET /.well-known/security.txt":           p.securityTXT,
	} {
		mux.Handle(at, p.r.Site.Handle(h))
	}
	for _, name := range guessed() {
		mux.Handle("GET /"+name, p.r.Site.Handle(
			func(w http.ResponseWriter, r *http.Request) error {
				p.turn(w, r, "/contact")
				return nil
			}))
	}
}

// guessed are the addresses at which people look for contacts. That there is a page makes each a
// name that no chat can have.
func guessed() []string {
	return []string{
		"abuse", "authorities", "dsa", "impressum", "imprint", "law-enforcement",
		"lawenforcement", "legal", "police",
	}
}

// said is what the page of contacts shows.
type said struct {
	Provider, Hours string
	Doors           []doorSaid
	Terms, Key      Place
	Languages       []page.Language
	Representative  config.Representative
	Represented     bool
	Disputes        []Place
	Misuse          intake.MisuseRule
	Linked          organisation
	// Portal is where officers of authorities come in, Dialogue where those of regulators ask,
	// Hotline where those of trusted flaggers and hotlines come in.
	Portal, Dialogue, Hotline string
	// Machine is where the same is for machines.
	Machine string
}

// doorSaid is a door with its address.
type doorSaid struct {
	Door instrument.Door
	At   Place
}

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

// saying is what the operator said.
func saying(r Rooms) said {
	c := r.Contact
	out := said{
		Provider: c.Provider, Hours: c.Hours, Terms: reach(c.Terms), Key: reach(c.Key),
		Representative: r.Representative, Misuse: intake.Misuse(),
		Represented: r.Representative != config.Representative{},
		Portal:      r.Portal, Dialogue: r.Dialogue, Hotline: r.Hotline, Linked: describe(r),
		Languages: page.Named(c.Languages),
		Machine:   r.Site.URL("/.well-known/authority-contact.json"),
	}
	for _, d := range instrument.Doors() {
		if address := written(c, d); address != "" {
			out.Doors = append(out.Doors, doorSaid{d, reach(address)})
		}
	}
	for _, d := range c.Disputes {
		out.Disputes = append(out.Disputes, reach(d))
	}
	return out
}

// written is the address that the operator gave a door; empty for those that are pages of the
// service, and for those that he did not open.
func written(c config.Contact, d instrument.Door) string {
	switch d {
	case instrument.AuthorityDoor:
		return c.Authorities
	case instrument.EmergencyDoor:
		return c.Emergency
	case instrument.RegulatorDoor:
		return c.Regulators
	case instrument.HotlineDoor:
		return c.Flaggers
	case instrument.PeopleDoor:
		return c.People
	case instrument.SecurityDoor:
		return c.Security
	default:
		return ""
	}
}

// open is the address at which a door can be reached now. A door that the operator did not open has
// the address of the next one behind which people read.
func open(c config.Contact, d instrument.Door) string {
	for _, next := range []instrument.Door{d, fallback(d), instrument.PeopleDoor} {
		if address := written(c, next); address != "" {
			return address
		}
	}
	return ""
}

// fallback is the door behind which a request to another is understood best.
func fallback(d instrument.Door) instrument.Door {
	switch d {
	case instrument.EmergencyDoor, instrument.RegulatorDoor, instrument.HotlineDoor:
		return instrument.AuthorityDoor
	default:
		return instrument.PeopleDoor
	}
}

// address is where a door is: a page of the service, or what the operator configured, and if he did
// nothing the form for letters.
func (p *Pages) address(d instrument.Door) Place {
	switch d {
	case instrument.NoticeDoor:
		return Place{template.URL(p.r.Site.Path("/notice")), p.r.Site.URL("/notice")}
	case instrument.ReferenceDoor:
		return Place{template.URL(p.r.Site.Path("/status")), p.r.Site.URL("/status")}
	default:
		if address := open(p.r.Contact, d); address != "" {
			return reach(address)
		}
		return Place{template.URL(p.r.Site.Path(writePath)), p.r.Site.URL(writePath)}
	}
}

// entry is where those behind a door come in who have a key: a path of the site, and the key of
// what it is called. There is none for people.
type entry struct{ Path, Text string }

// entry is the entry of a door.
func (p *Pages) entry(d instrument.Door) entry {
	switch d {
	case instrument.AuthorityDoor, instrument.EmergencyDoor:
		return entry{p.r.Portal, "contact.portal.enter"}
	case instrument.RegulatorDoor:
		return entry{p.r.Dialogue, "contact.dialogue"}
	case instrument.HotlineDoor:
		return entry{p.r.Hotline, "contact.hotline.enter"}
	default:
		return entry{}
	}
}

// contact answers with the page of contacts.
func (p *Pages) contact(w http.ResponseWriter, r *http.Request) error {
	return p.set.Render(w, r, http.StatusOK, "contact", p.said)
}
