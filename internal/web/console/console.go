// Package console is where the staff work: queues, cases with what was captured, decisions and
// their preview, the word of a second person, appeals, figures, the audit, and the staff itself.
// It decides nothing by itself: every button is a call of a room below, whose refusal it shows.
//
// Invariants: who may reach a page stands in one table and nowhere else; content is shown only to
// whom the case is assigned, or to who gave a purpose; nothing is shown before the audit has a row
// of it; what people wrote is text, never markup, and runs nowhere; files of people come from an
// origin that has no cookies. All but the veil of media works without scripts.
package console

import (
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"parley/internal/blob"
	"parley/internal/clock"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/appeal"
	"parley/internal/safety/attachment"
	"parley/internal/safety/casefile"
	"parley/internal/safety/crime"
	"parley/internal/safety/cybertip"
	"parley/internal/safety/decide"
	"parley/internal/safety/disclosure"
	"parley/internal/safety/door"
	"parley/internal/safety/dsadb"
	"parley/internal/safety/evidence"
	"parley/internal/safety/hotline"
	"parley/internal/safety/inquiry"
	"parley/internal/safety/instrument"
	"parley/internal/safety/intake"
	"parley/internal/safety/mailroom"
	"parley/internal/safety/oncall"
	"parley/internal/safety/order"
	"parley/internal/store"
	"parley/internal/web/page"
	"parley/internal/web/signin"
	"parley/internal/web/staff"
)

// files are the pages, their texts, what they load, and templates of decisions.
//
//go:embed all:pages texts assets templates.toml
var files embed.FS

// Rooms are what the console stands on.
type Rooms struct {
	Site      *page.Site
	Store     *store.Store
	Clock     clock.Clock
	Staff     *staff.Service
	Cases     *casefile.Service
	Evidence  *evidence.Service
	Decisions *decide.Service
	Appeals   *appeal.Service
	// Crimes tells authorities of suspicions; Tips reports the abuse of children, nil where that is
	// off.
	Crimes   *crime.Service
	Tips     *cybertip.Service
	Orders   *order.Service
	Agencies *agency.Service
	// Attachments shows papers that came with orders and mails.
	Attachments *attachment.Viewer
	// Mails are those that came in, nil where none can be answered. Intake makes notices of them.
	Mails  *mailroom.Service
	Intake *intake.Service
	// Disclosures hands data to authorities.
	Disclosures *disclosure.Service
	// Law has the instruments by which authorities can ask, Guide what they are called.
	Law   *instrument.Set
	Guide *door.Guide
	// DSA sends statements to the EU's database; DSAMode says whether it does, for people.
	DSA     *dsadb.Service
	DSAMode string
	Reports Reports
	// OnCall is the emergency line, Inquiries the dialogue with regulators, Hotlines the lane of
	// trusted flaggers and hotlines.
	OnCall    *oncall.Service
	Inquiries *inquiry.Service
	Hotlines  *hotline.Service
	// EnrolOfficer is the address with which an officer of an agency enrols by a token.
	EnrolOfficer func(token string) string
	Blobs        blob.Store
	// Papers keeps what came with orders and letters.
	Papers blob.Store
	// Key is secret and signs the addresses of media.
	Key [32]byte
	// URL and MediaURL are where the staff reach the console and its media. Their hosts differ.
	URL, MediaURL string
	Log           *slog.Logger
}

// Console serves the pages of the staff.
type Console struct {
	Rooms
	set       *page.Set
	templates []template
	pages     http.Handler
	media     http.Handler
	host      string
	mediaHost string
	cookie    signin.Cookie
}

// New builds the console. An error is one of the embedded files or of the addresses.
func New(r Rooms) (*Console, error) {
	c := &Console{Rooms: r}
	at, err := url.Parse(r.URL)
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	media, err := url.Parse(r.MediaURL)
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	if at.Hostname() == media.Hostname() {
		return nil, errors.New("console: pages and media have the same host")
	}
	c.host, c.mediaHost = at.Host, media.Host
	c.cookie = signin.Cookie{Name: "staff", Secure: at.Scheme == "https"}
	if c.templates, err = readTemplates(); err != nil {
		return nil, err
	}
	if c.set, err = r.Site.Set(files, signin.Files(), door.Texts(), safety.Texts()); err != nil {
		return nil, err
	}
	c.set.Policy = page.Policy{Scripts: true, Media: media.Scheme + "://" + media.Host}
	mux := http.NewServeMux()
	r.Site.Mount(mux)
	for _, row := range c.table() {
		h := r.Site.Handle(c.guard(row))
		if row.large() {
			h = r.Site.HandleLarge(formBytes, c.guard(row))
		}
		mux.Handle(row.method+" "+row.path, h)
	}
	c.pages = c.foreign(mux)
	c.media = http.HandlerFunc(c.serveMedia)
	return c, nil
}

// ServeHTTP answers by the host that is asked for. A name that is neither of the two is nobody's:
// another site that points its name here gets nothing.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Host {
	case c.host:
		c.pages.ServeHTTP(w, r)
	case c.mediaHost:
		c.media.ServeHTTP(w, r)
	default:
		http.Error(w, "no such host", http.StatusMisdirectedRequest)
	}
}

// foreign writes down when a form comes from another site along with somebody's session: from a
// page that tries to act in his name. The form itself is refused by the site.
func (c *Console) foreign(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if origin.Check(r) != nil {
			if s, err := c.session(r, true); err == nil {
				c.refused(r, s.Member.ID, "foreign form", r.URL.Path)
			}
		}
		next.ServeHTTP(w, r)
	})
}
