package node

import (
	"net/http"
	"net/netip"
	"net/url"

	"parley/internal/web/access"
	"parley/internal/web/contact"
	"parley/internal/web/notice"
	callpage "parley/internal/web/oncall"
	"parley/internal/web/page"
	persons "parley/internal/web/person"
)

// hasPage tells whether the public door has something else at a name than the chat of that name. So
// a page that is mounted is reserved, whether anybody thought of its name or not.
func (n *Node) hasPage(name string) bool {
	door, err := n.public()
	if err != nil {
		return false // and the node does not run either
	}
	for _, below := range []string{"", "/", "/1", "/1/1"} {
		r := http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/" + name + below}}
		if _, route := door.mux.Handler(&r); route != "/" && !notice.OfChats(route) {
			return true
		}
	}
	return false
}

// publicDoor is what the public door answers, and the routes of its pages.
type publicDoor struct {
	http.Handler
	mux *http.ServeMux
}

// pages answers people: notices, what became of them, public channels and posts.
func (n *Node) pages() (publicDoor, error) {
	mux, err := n.routes()
	if err != nil {
		return publicDoor{}, err
	}
	// Not even the mux can tell the log's files from posts of a channel "log": they come first.
	door := http.NewServeMux()
	door.Handle("/log/", http.StripPrefix("/log/", n.transparency.log))
	door.Handle("/", mux)
	return publicDoor{door, mux}, nil
}

// pagesLater answers with pages that are made for the first who asks for one. A server whose pages
// cannot be made must not go on.
func (n *Node) pagesLater(made func() (http.Handler, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages, err := made()
		if err != nil {
			n.cancel(err)
			http.Error(w, http.StatusText(http.StatusServiceUnavailable),
				http.StatusServiceUnavailable)
			return
		}
		pages.ServeHTTP(w, r)
	})
}

// routes are the pages by their addresses.
func (n *Node) routes() (*http.ServeMux, error) {
	site, err := n.site()
	if err != nil {
		return nil, err
	}
	notices, err := notice.New(notice.Rooms{
		Site: site, Store: n.Store, Report: n.Intake.Report, Hidden: Withheld,
		ByMail: n.Mail != nil,
	})
	if err != nil {
		return nil, err
	}
	people, err := persons.New(persons.Rooms{
		Site: site, Store: n.Store, References: n.safetyReferences(), Statements: n.Statements,
		Appeals: n.Appeals, Receipt: n.Receipt, Disputes: n.Config.Contact.Disputes,
	})
	if err != nil {
		return nil, err
	}
	contacts, err := n.contactPages(site)
	if err != nil {
		return nil, err
	}
	ways, err := access.New(site, n.waysIn, n.markets)
	if err != nil {
		return nil, err
	}
	alerts, err := callpage.New(site, n.Store, n.OnCall)
	if err != nil {
		return nil, err
	}
	figures, err := n.transparencyPages(site)
	if err != nil {
		return nil, err
	}
	officers, err := n.officerDoor(site)
	if err != nil {
		return nil, err
	}
	portal, err := n.portal(site, officers)
	if err != nil {
		return nil, err
	}
	lanes, err := n.hotlinePages(site, officers)
	if err != nil {
		return nil, err
	}
	regulators, err := n.regulatorPages(site, officers)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	site.Mount(mux)
	officers.Mount(mux)
	portal.Mount(mux)
	lanes.Mount(mux)
	regulators.Mount(mux)
	figures.Mount(mux)
	notices.Mount(mux)
	people.Mount(mux)
	contacts.Mount(mux)
	alerts.Mount(mux)
	ways.Mount(mux)
	return mux, nil
}

// proxies are those whose word on where a request comes from is believed.
func (n *Node) proxies() (trusted []netip.Prefix, err error) {
	for _, text := range n.Config.Web.TrustedProxies {
		// The configuration was checked: each is a network, or else an address.
		p, err := netip.ParsePrefix(text)
		if err != nil {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				return nil, err
			}
			p = netip.PrefixFrom(addr, addr.BitLen())
		}
		trusted = append(trusted, p)
	}
	return trusted, nil
}

// site is what all public pages share.
func (n *Node) site() (*page.Site, error) {
	trusted, err := n.proxies()
	if err != nil {
		return nil, err
	}
	return page.New(page.Options{
		URL: n.Config.Web.PublicURL, Name: serviceName, Key: n.Keys.Derive("page forms"),
		Clock: n.clock, Trusted: trusted, Pages: n.Config.Limits.Pages,
		Forms: n.Config.Limits.Forms, Log: n.log,
	})
}

// contactPages say who runs the service and where requests belong.
func (n *Node) contactPages(site *page.Site) (*contact.Pages, error) {
	c := n.Config.Contact
	rooms := contact.Rooms{
		Site: site, Guide: n.guide, Instruments: n.law, Clock: n.clock, Contact: c,
		Representative: n.Config.Representative, Portal: "/authority",
		Papers: n.Orders.Sign.Public(), Hotline: "/hotline", Dialogue: "/regulator",
		Letters: n.Inquiries, Mails: n.Mail != nil,
	}
	if c.SigningKey != "" {
		key, err := contact.ReadKey(c.SigningKey)
		if err != nil {
			return nil, err
		}
		rooms.Key = key
	}
	missing := contact.Missing(c, n.Config.Representative, n.countries)
	if len(missing) > 0 && !n.Config.Demo {
		n.log.Warn(`the contact page lacks what the law wants; "parley config check" names it`,
			"missing", len(missing))
	}
	return contact.New(rooms)
}
