package page

import (
	"net/http"
	"strings"
)

// Policy is what a page may load besides the site's stylesheet and images. The zero Policy allows
// nothing.
type Policy struct {
	// Scripts allows scripts that are files of this site, and requests by them.
	Scripts bool
	// Indexed lets search engines list the pages.
	Indexed bool
	// Media is an origin from which images, sound and video may come.
	Media string
}

// set writes the headers that keep a page harmless whatever stands in it.
//
// https://www.w3.org/TR/CSP3/
func (p Policy) set(h http.Header) {
	rules := []string{
		"default-src 'none'", "style-src 'self'", "form-action 'self'", "base-uri 'none'",
		"frame-ancestors 'none'",
	}
	media := strings.TrimSpace("'self' " + p.Media)
	rules = append(rules, "img-src "+media)
	if p.Media != "" {
		rules = append(rules, "media-src "+media)
	}
	if p.Scripts {
		rules = append(rules, "script-src 'self'", "connect-src 'self'",
			"require-trusted-types-for 'script'")
	}
	h.Set("Content-Security-Policy", strings.Join(rules, "; "))
	h.Set("X-Content-Type-Options", "nosniff")
	// Not no-referrer: with that, browsers send "Origin: null" along with our own forms.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
	if !p.Indexed {
		h.Set("X-Robots-Tag", "noindex")
	}
}

// With is the same set of pages with another policy.
func (s *Set) With(p Policy) *Set {
	other := *s
	other.Policy = p
	return &other
}
