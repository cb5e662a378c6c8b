// Package access has the page by which people reach the service where its network is blocked: the
// links of proxies that applications open by themselves. It needs no account, because who is shut
// out has no way to sign in. Beside it is the register of the countries that the service has closed
// or left. It knows nothing of who asks, and keeps nothing.
package access

import (
	"context"
	"embed"
	"html/template"
	"net/http"

	"parley/internal/keyring/proxy"
	"parley/internal/safety/market"
	"parley/internal/web/about"
	"parley/internal/web/page"
)

// files are the page and its texts.
//
//go:embed all:pages texts
var files embed.FS

// Pages serves the page.
type Pages struct {
	site  *page.Site
	set   *page.Set
	links func() []proxy.Link
	// markets are the countries that were ever closed.
	markets func(context.Context) ([]market.Market, error)
}

// New reads the pages. links are those that work now, the best first; markets are the countries
// that were ever closed.
func New(
	site *page.Site, links func() []proxy.Link,
	markets func(context.Context) ([]market.Market, error),
) (*Pages, error) {
	set, err := site.Set(files, about.Shell())
	if err != nil {
		return nil, err
	}
	return &Pages{site, set, links, markets}, nil
}

// Mount adds the page to a mux.
func (p *Pages) Mount(mux *http.ServeMux) {
	mux.Handle("GET /access", p.site.Handle(p.show))
	mux.Handle("GET /markets", p.site.Handle(p.register))
	mux.Handle("GET /markets.json", p.site.Handle(p.registerJSON))
}

// way is a link as the page shows it.
type way struct {
	proxy.Link
	Open template.URL
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request) error {
	var ways []way
	for _, l := range p.links() {
		ways = append(ways, way{l, template.URL(l.App)}) // written by this server alone
	}
	return p.set.Render(w, r, http.StatusOK, "access", ways)
}
