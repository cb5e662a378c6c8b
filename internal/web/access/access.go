// Package access has the page by which people reach the service where its network is blocked: the
// links of proxies that applications open by themselves. It needs no account, because who is shut
// out has no way to sign in. It knows nothing of who asks, and keeps nothing.
package access

import (
	"embed"
	"html/template"
	"net/http"

	"parley/internal/keyring/proxy"
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
}

// New reads the page. links are those that work now, the best first.
func New(site *page.Site, links func() []proxy.Link) (*Pages, error) {
	set, err := site.Set(files, about.Shell())
	if err != nil {
		return nil, err
	}
	return &Pages{site, set, links}, nil
}

// Mount adds the page to a mux.
func (p *Pages) Mount(mux *http.ServeMux) {
	mux.Handle("GET /access", p.site.Handle(p.show))
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
