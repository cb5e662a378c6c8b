// Package page is what all pages for people share: the layout, the stylesheet, nine languages in
// both directions, the headers that keep hostile content harmless, tokens of forms, limits for each
// address, and pages that say what went wrong. It knows nothing of what the pages are about.
//
// Text reaches a page through html/template only, so whatever people wrote is escaped for the place
// in which it stands. A page without scripts is the rule: the policy that goes with it allows none,
// and every page works without. No cookie is set. Nothing that a visitor sends is logged.
package page

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"parley/internal/clock"
	"parley/internal/limit"
)

// Options are what a site is made of.
type Options struct {
	// URL is where people reach the pages, without a slash at its end.
	URL string
	// Name is what the service calls itself.
	Name string
	// Key is secret and signs the tokens of forms.
	Key   [32]byte
	Clock clock.Clock
	// Trusted are the proxies whose X-Forwarded-For header is believed.
	Trusted []netip.Prefix
	// Pages is how often one address may ask for a page, Forms how often a form of it is taken in.
	Pages, Forms limit.Rate
	Log          *slog.Logger
}

// Site is what all pages of a server share. It is safe for concurrent use.
type Site struct {
	o      Options
	base   string // the path below which the pages lie, without a slash at its end
	assets assets
	layout *template.Template
	texts  Texts
	errors *Set
	origin *http.CrossOriginProtection
	pages  *limit.Bucket[netip.Prefix]
	forms  *limit.Bucket[netip.Prefix]
	urgent *limit.Bucket[netip.Prefix]
	lookup *limit.Bucket[netip.Prefix]
}

// New builds a site. An error is one of the embedded files, and so of the program.
func New(o Options) (*Site, error) {
	public, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("page: public address: %w", err)
	}
	s := &Site{
		o: o, base: strings.TrimSuffix(public.Path, "/"),
		origin: http.NewCrossOriginProtection(), assets: make(assets),
		pages:  limit.NewBucket[netip.Prefix](o.Pages, limit.BucketKeys, o.Clock),
		forms:  limit.NewBucket[netip.Prefix](o.Forms, limit.BucketKeys, o.Clock),
		urgent: limit.NewBucket[netip.Prefix](o.Forms, limit.BucketKeys, o.Clock),
		lookup: limit.NewBucket[netip.Prefix](lookups(), limit.BucketKeys, o.Clock),
	}
	if err := s.origin.AddTrustedOrigin(public.Scheme + "://" + public.Host); err != nil {
		return nil, fmt.Errorf("page: public address: %w", err)
	}
	if s.texts, err = ReadTexts(own); err != nil {
		return nil, err
	}
	if s.layout, err = template.ParseFS(own, "pages/layout.tmpl"); err != nil {
		return nil, fmt.Errorf("page: layout: %w", err)
	}
	s.errors, err = s.Set(own)
	return s, err
}

// Set is the pages of one package, in all languages.
type Set struct {
	site  *Site
	pages map[string]*template.Template
	texts Texts
	// speaks are the languages in which the package itself has texts.
	speaks map[string]bool
	// Policy is sent with every page of the set.
	Policy Policy
}

// Set reads the pages of a package: pages/NAME.tmpl defines "title" and "main", a file whose name
// begins with an underscore what several of them use, texts/LANG.toml the words, and assets has
// what pages load. What a file defines that the layout also has ("head", "nav", "foot") takes its
// place. Of shared, packages of pages as well, the set uses the texts, the assets and the files
// that begin with an underscore.
func (s *Site) Set(files fs.FS, shared ...fs.FS) (*Set, error) {
	set := &Set{site: s, pages: make(map[string]*template.Template), texts: s.texts}
	base, err := s.layout.Clone()
	if err != nil {
		return nil, err
	}
	for _, from := range append(slices.Clone(shared), files) {
		if base, err = set.share(base, from); err != nil {
			return nil, err
		}
	}
	if set.speaks, err = speaks(files); err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "pages/*.tmpl")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		at := strings.TrimSuffix(path.Base(name), ".tmpl")
		if strings.HasPrefix(at, "_") || at == "layout" {
			continue
		}
		t, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if t, err = t.ParseFS(files, name); err != nil {
			return nil, fmt.Errorf("page: %s: %w", name, err)
		}
		set.pages[at] = t
	}
	return set, nil
}

// share takes texts and assets of a package into the set, and what several pages use into a
// template.
func (s *Set) share(base *template.Template, files fs.FS) (*template.Template, error) {
	if err := s.site.assets.read(files); err != nil {
		return nil, err
	}
	texts, err := ReadTexts(files)
	if err != nil {
		return nil, err
	}
	s.texts = s.texts.with(texts)
	names, err := fs.Glob(files, "pages/_*.tmpl")
	if err != nil || len(names) == 0 {
		return base, err
	}
	if base, err = base.ParseFS(files, names...); err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	return base, nil
}

// Pages are the names of the set's pages.
func (s *Set) Pages() []string { return slices.Sorted(maps.Keys(s.pages)) }

// Handler answers a request with a page, or says with an error why it cannot.
type Handler func(w http.ResponseWriter, r *http.Request) error

// The errors of a Handler that have a page of their own. Any other is a fault of the server: it is
// logged, and the visitor is told no more than that.
var (
	ErrNotFound  = errors.New("page: no such page")
	ErrForbidden = errors.New("page: the form did not come from here")
	ErrTooLarge  = errors.New("page: the form is too large")
	ErrTooMany   = errors.New("page: too many requests")
	ErrMethod    = errors.New("page: not with this method")
)

// Bounds of a request.
const (
	// formBytes is the largest form, in bytes: the longest texts of all fields in any script.
	formBytes = 256 << 10
	// answerTime is how long a page may take to be made.
	answerTime = 15 * time.Second
	// fileTime is how long a form with files may take to arrive and to be answered.
	fileTime = 3 * time.Minute
)

// Handle makes an http.Handler of a Handler: bounded in time and size, limited for each address,
// with an error page for each error.
func (s *Site) Handle(h Handler) http.Handler { return s.bounded(formBytes, answerTime, h) }

// HandleLarge is Handle for forms of up to so many bytes, with files: a handler reads those itself,
// with the request's MultipartReader, and has longer for it.
func (s *Site) HandleLarge(most int64, h Handler) http.Handler {
	return s.bounded(most, fileTime, h)
}

func (s *Site) bounded(most int64, within time.Duration, h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), within)
		defer cancel()
		if within > answerTime {
			patient(ctx, w)
		}
		r = r.WithContext(ctx)
		r.Body = http.MaxBytesReader(w, r.Body, most)
		defer func() {
			if what := recover(); what != nil {
				s.Fail(w, r, fmt.Errorf("page: panic of type %T", what))
			}
		}()
		if err := s.admit(w, r, h); err != nil {
			s.Fail(w, r, err)
		}
	})
}

// patient lets a connection take as long as a request may: the server's own bounds are those of
// forms without files. When the time is over, reading and writing end.
func patient(ctx context.Context, w http.ResponseWriter) {
	c := http.NewResponseController(w)
	// A writer without deadlines is one of a test.
	_ = c.SetReadDeadline(time.Time{})
	_ = c.SetWriteDeadline(time.Time{})
	context.AfterFunc(ctx, func() {
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return // the answer was written
		}
		_ = c.SetReadDeadline(time.Unix(1, 0))
	})
}

// admit lets a request through that is within the limits of its address.
func (s *Site) admit(w http.ResponseWriter, r *http.Request, h Handler) error {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		return ErrMethod
	}
	if wait, ok := s.pages.Allow(prefix(s.Address(r))); !ok {
		w.Header().Set("Retry-After", fmt.Sprint(limit.FloodSeconds(wait)))
		return ErrTooMany
	}
	if r.Method == http.MethodPost {
		if s.origin.Check(r) != nil {
			return ErrForbidden
		}
		if err := r.ParseForm(); err != nil {
			if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
				return ErrTooLarge
			}
			return ErrForbidden
		}
		for _, form := range []url.Values{r.PostForm, r.Form} {
			for _, values := range form {
				for i, v := range values {
					values[i] = Typed(v)
				}
			}
		}
	}
	return h(w, r)
}

// Typed is what somebody typed as a text that can be kept: bytes that are no character, and NUL,
// which no database takes, are replaced by the character for such.
func Typed(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// Fail answers with the page of an error.
func (s *Site) Fail(w http.ResponseWriter, r *http.Request, err error) {
	status, name := http.StatusInternalServerError, "broken"
	w.Header().Set("Cache-Control", "no-store")
	switch {
	case errors.Is(err, ErrNotFound):
		status, name = http.StatusNotFound, "notfound"
	case errors.Is(err, ErrForbidden):
		status, name = http.StatusForbidden, "forbidden"
	case errors.Is(err, ErrTooLarge):
		status, name = http.StatusRequestEntityTooLarge, "toolarge"
	case errors.Is(err, ErrTooMany):
		status, name = http.StatusTooManyRequests, "toomany"
	case errors.Is(err, ErrMethod):
		status, name = http.StatusMethodNotAllowed, "method"
		w.Header().Set("Allow", "GET, HEAD, POST")
	case r.Context().Err() != nil:
		status, name = http.StatusServiceUnavailable, "late"
	default:
		s.o.Log.Error("page", "route", cmp.Or(r.Pattern, "none"), "error", err)
	}
	if err := s.errors.Render(w, r, status, "error", name); err != nil {
		s.o.Log.Error("page", "route", "error", "error", err)
	}
}

// Lookups that find nothing.

// lookups is how often one address may ask for references that do not exist.
func lookups() limit.Rate { return limit.Rate{Burst: 20, Per: time.Hour} }

// Miss is called when a reference leads nowhere. It returns ErrNotFound, whatever the reason was,
// and ErrTooMany to who keeps guessing.
func (s *Site) Miss(r *http.Request) error {
	if _, ok := s.lookup.Allow(prefix(s.Address(r))); !ok {
		return ErrTooMany
	}
	return ErrNotFound
}

// URL is the address of a path under which people reach it.
func (s *Site) URL(at string) string { return strings.TrimSuffix(s.o.URL, "/") + at }

// Name is what the service calls itself.
func (s *Site) Name() string { return s.o.Name }
