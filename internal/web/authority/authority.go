// Package authority is the portal of authorities: where their officers give orders and see what
// became of them, and where their programs do the same. It decides nothing: what comes in is
// safety/order's, and what it shows is what that keeps for the agency.
//
// Invariants: an order of another agency does not exist here, and that somebody asked for it is
// kept; nothing is done in an agency's name without a fresh proof of its officer's key; nothing
// that was typed or attached is lost because something is wrong with it; papers that come along are
// kept under their digest and opened by nobody here. All works without scripts, but for the key.
package authority

import (
	"context"
	"embed"
	"net/http"

	"parley/internal/blob"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/country"
	"parley/internal/safety/disclosure"
	"parley/internal/safety/door"
	"parley/internal/safety/inquiry"
	"parley/internal/safety/instrument"
	"parley/internal/safety/ledger"
	"parley/internal/safety/order"
	"parley/internal/store"
	"parley/internal/tlog/verify"
	"parley/internal/web/about"
	"parley/internal/web/officer"
	"parley/internal/web/page"
)

// files are the pages and their texts.
//
//go:embed all:pages texts
var files embed.FS

// Rooms are what the portal stands on.
type Rooms struct {
	Site  *page.Site
	Store *store.Store
	Clock clock.Clock
	// Officers signs in who comes.
	Officers *officer.Door
	Orders   *order.Service
	// Law are the instruments, Countries who may use them, Guide where a request belongs.
	Law       *instrument.Set
	Countries *country.Table
	Guide     *door.Guide
	// Papers keeps what comes with orders.
	Papers blob.Store
	// Receipt proves that a line is in the public log; ledger.ErrWaiting says that it is too early.
	Receipt func(context.Context, ids.Peer, int64, ledger.Kind) (verify.Receipt, error)
	// Disclosures hands out the data of orders that were approved for it.
	Disclosures *disclosure.Service
	// Key is secret and binds papers to the agency that brought them.
	Key [32]byte
}

// Pages serves the portal.
type Pages struct {
	Rooms
	set *page.Set
}

// New reads the pages.
func New(r Rooms) (*Pages, error) {
	set, err := r.Site.Set(files, about.Shell(), door.Texts(), safety.Texts(), officer.Shell())
	if err != nil {
		return nil, err
	}
	return &Pages{Rooms: r, set: set}, nil
}

// Paths of the portal.
const (
	homePath   = "/authority"
	newPath    = "/authority/new"
	firstPath  = "/authority/first"
	verifyPath = "/authority/verify"
	orderPath  = "/authority/orders/"
	apiPath    = "/authority/api/v1/"
)

// Bounds of what comes in, in bytes: a form with its papers, the one by which data is fetched, one
// paper, a call of a program, the same with papers.
const (
	formBytes  = 64 << 20
	fetchBytes = 256 << 10
	paperBytes = 20 << 20
	callBytes  = 64 << 20
)

// Mount adds the portal to a mux.
func (p *Pages) Mount(mux *http.ServeMux) {
	tabs := []officer.Tab{
		{Path: homePath, Text: "authority.orders"}, {Path: newPath, Text: "authority.new"},
		{Path: verifyPath, Text: "authority.verify"},
		{Path: "/regulator", Text: "authority.dialogue", Of: inquiry.Regulates},
		officer.HookTab(),
	}
	plain := officer.Access{May: official, Tabs: tabs}
	strong := plain
	strong.Strong = true
	form := strong
	form.Bytes, form.File, form.Draft = formBytes, p.file, draft
	// What is handed out once must arrive, over however slow a line: it has a large form's time.
	fetch := strong
	fetch.Bytes = fetchBytes
	for _, x := range []struct {
		at     string
		access officer.Access
		h      officer.Handler
	}{
		{"GET " + homePath, plain, p.list},
		{"GET " + newPath, plain, p.choose},
		{"GET " + newPath + "/{instrument}", plain, p.blank},
		{"POST " + newPath + "/{instrument}", form, p.write},
		{"GET " + orderPath + "{reference}", plain, p.show},
		{"GET " + orderPath + "{reference}/supplement", plain, p.old},
		{"POST " + orderPath + "{reference}/supplement", form, p.write},
		{"POST " + orderPath + "{reference}/withdraw", strong, p.withdraw},
		{"POST " + orderPath + "{reference}/confirm", strong, p.confirm},
		{"POST " + orderPath + "{reference}/vouch", strong, p.vouch},
		{"POST " + orderPath + "{reference}/data", fetch, p.data},
		{"GET " + orderPath + "{reference}/papers/{n}", plain, p.letter},
		{"GET " + orderPath + "{reference}/papers/{n}/signed", plain, p.signed},
		{"GET " + orderPath + "{reference}/papers/{n}/pdf", plain, p.printed},
		{"GET " + orderPath + "{reference}/receipt/{of}", plain, p.receipt},
	} {
		mux.Handle(x.at, p.Officers.Handle(x.access, x.h))
	}
	mux.Handle("GET "+verifyPath, p.Site.Handle(p.verify))
	mux.Handle("GET "+firstPath, p.Site.Handle(p.first))
	p.mountAPI(mux)
}

// sending is what the button of a form says by which an order is given.
const sending = "send"

// draft tells whether a form of an order is only looked at.
func draft(r *http.Request) bool { return r.PostFormValue("do") != sending }

// official tells whether the portal is for an agency.
func official(a agency.Agency) bool { return a.Kind.Official() }

// sender is an officer at the portal as orders know him.
func sender(v *officer.Visit) order.Sender {
	return order.Sender{
		Agency: v.Agency().ID, Officer: v.Officer().ID, Signals: v.Signals,
	}
}

// find is the order of a request's reference, as the visitor's agency has it.
func (p *Pages) find(r *http.Request, by order.Sender) (order.Order, error) {
	o, err := p.Orders.Find(r.Context(), by, r.PathValue("reference"))
	if store.IsNotFound(err) {
		return o, page.ErrNotFound
	}
	return o, err
}

// path is where an order lies.
func path(o order.Order) string { return orderPath + o.Reference }
