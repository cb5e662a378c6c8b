package browsertest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Page is a page at which somebody looks. Its methods are what he does; each ends the test when it
// cannot be done. Selectors are those of CSS.
type Page struct {
	t   testing.TB
	ctx context.Context

	mu        sync.Mutex
	origins   map[string]bool
	documents map[string]int64 // statuses of the documents by address
	status    int64
	requests  []string
	wrong     []string
}

func (p *Page) must(err error, doing string, args ...any) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("%s: %v", fmt.Sprintf(doing, args...), err)
	}
}

// hear notes what the browser tells of the page.
func (p *Page) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	note := func(format string, args ...any) {
		p.wrong = append(p.wrong, fmt.Sprintf(format, args...))
	}
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		note("a script threw: %s %s", e.ExceptionDetails.Text, described(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError ||
			e.Type == runtime.ConsoleAPICalledTypeAssert {
			note("the console has an error: %s", arguments(e.Args))
		}
	case *log.EventEntryAdded:
		_, document := p.documents[e.Entry.URL]
		if e.Entry.Level == log.EntryLevelError &&
			!(document && e.Entry.Source == log.EntrySourceNetwork) {
			note("the console has an error: %s (%s)", e.Entry.Text, e.Entry.URL)
		}
	case *audits.EventIssueAdded:
		if d := e.Issue.Details.ContentSecurityPolicyIssueDetails; d != nil {
			note("the policy was violated: %s by %q", d.ViolatedDirective, d.BlockedURL)
		}
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	case *network.EventResponseReceived:
		if e.Type == network.ResourceTypeDocument {
			p.documents[e.Response.URL], p.status = e.Response.Status, e.Response.Status
		}
	case *page.EventJavascriptDialogOpening:
		note("a dialog opened: %s", e.Message)
	}
}

func described(d *runtime.ExceptionDetails) string {
	if d.Exception == nil {
		return ""
	}
	return d.Exception.Description
}

func arguments(list []*runtime.RemoteObject) string {
	var out []string
	for _, a := range list {
		if a.Description != "" {
			out = append(out, a.Description)
		} else {
			out = append(out, string(a.Value))
		}
	}
	return strings.Join(out, " ")
}

// origin is the scheme, host and port of an address.
func origin(of string) string {
	u, err := url.Parse(of)
	if err != nil {
		return of
	}
	return u.Scheme + "://" + u.Host
}

// judge fails the test for what went wrong unseen.
func (p *Page) judge() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.wrong {
		p.t.Error(w)
	}
	for _, r := range p.requests {
		inside := strings.HasPrefix(r, "data:") || strings.HasPrefix(r, "blob:") ||
			strings.HasPrefix(r, "about:")
		if !inside && !p.origins[origin(r)] {
			p.t.Errorf("the page asked for %s", r)
		}
	}
}

// Wrong takes out what went wrong unseen so far, for tests of just that.
func (p *Page) Wrong() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.wrong
	p.wrong = nil
	return out
}

// Allow lets the page ask an origin for things besides those that were opened.
func (p *Page) Allow(of string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.origins[origin(of)] = true
}

// Requests are the addresses that were asked for so far.
func (p *Page) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.requests...)
}

// Status is the HTTP status of the document.
func (p *Page) Status() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

// patient bounds a step.
func (p *Page) patient() (context.Context, context.CancelFunc) {
	return context.WithTimeout(p.ctx, patience)
}

func (p *Page) do(a chromedp.Action[chromedp.Void], doing string, args ...any) {
	p.t.Helper()
	ctx, cancel := p.patient()
	defer cancel()
	p.must(chromedp.Do(ctx, a), doing, args...)
}

// Open opens an address and returns the status of its answer.
func (p *Page) Open(at string) int64 {
	p.t.Helper()
	p.Allow(at)
	p.do(chromedp.Navigate(at), "opening %s", at)
	return p.Status()
}

// Follow clicks on something that leads to another page, and waits until that is there.
func (p *Page) Follow(selector string) int64 {
	p.t.Helper()
	p.leave(chromedp.Click(chromedp.CSS(selector)), "following "+selector)
	return p.Status()
}

// leave does something that leads to another page.
func (p *Page) leave(a chromedp.Action[chromedp.Void], doing string) {
	p.t.Helper()
	ctx, cancel := p.patient()
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.WaitEvent(page.LoadEventFired, nil, a))
	p.must(err, "%s", doing)
}

// Reload loads the page again.
func (p *Page) Reload() {
	p.t.Helper()
	p.do(chromedp.Reload(), "reloading")
}

// Click clicks on something that changes the page it is on.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector)), "clicking on %s", selector)
}

// Fill types a text into a field in place of what was there.
func (p *Page) Fill(selector, text string) {
	p.t.Helper()
	Eval[bool](p, "(document.querySelector("+quoted(selector)+").select(), true)")
	p.do(chromedp.SendKeys(chromedp.CSS(selector), cmp.Or(text, kb.Delete)), "filling %s", selector)
}

// Set gives a field a value, or a menu its choice, at once and without keys: for long texts and
// those that no keyboard has.
func (p *Page) Set(selector, value string) {
	p.t.Helper()
	p.do(chromedp.SetValue(chromedp.CSS(selector), value), "setting %s", selector)
}

// Press sends keys to whatever has the focus, as chromedp writes them.
func (p *Page) Press(keys string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys), "pressing %q", keys)
}

// PressAndLeave sends keys that lead to another page.
func (p *Page) PressAndLeave(keys string) int64 {
	p.t.Helper()
	p.leave(chromedp.KeyEvent(keys), "pressing "+keys)
	return p.Status()
}

// Wait waits until something can be seen.
func (p *Page) Wait(selector string) {
	p.t.Helper()
	p.do(chromedp.WaitVisible(chromedp.CSS(selector)), "waiting for %s", selector)
}

// Text is the visible text of something.
func (p *Page) Text(selector string) string {
	p.t.Helper()
	ctx, cancel := p.patient()
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(selector)))
	p.must(err, "reading %s", selector)
	return strings.TrimSpace(text)
}

// Has tells whether the page has something now.
func (p *Page) Has(selector string) bool {
	p.t.Helper()
	return Eval[bool](p, "document.querySelector("+quoted(selector)+") !== null")
}

// Location is the page's address.
func (p *Page) Location() string {
	p.t.Helper()
	ctx, cancel := p.patient()
	defer cancel()
	at, err := chromedp.Run(ctx, chromedp.Location())
	p.must(err, "reading the address")
	return at
}

// Eval evaluates an expression in the page, and waits for what it promises. The page's policy does
// not bind it.
func Eval[T any](p *Page, expression string) T {
	p.t.Helper()
	ctx, cancel := p.patient()
	defer cancel()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	p.must(err, "evaluating")
	return out
}

// quoted writes a text as JavaScript does.
func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(b)
}

// Screenshot writes a picture of the whole page into a directory that is gone with the test, and
// returns where it is. It is for who looks at a failing test, and for comparing pictures.
func (p *Page) Screenshot(name string) string {
	p.t.Helper()
	ctx, cancel := p.patient()
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	p.must(err, "taking a picture")
	at := filepath.Join(p.t.TempDir(), name+".png")
	p.must(os.WriteFile(at, picture, 0o600), "keeping a picture")
	return at
}

// Authenticator plugs in a security key that its owner touches at once and that knows him, for
// WebAuthn. Pages on localhost may use it.
//
// https://www.w3.org/TR/webauthn-3/
func (p *Page) Authenticator() {
	p.t.Helper()
	ctx, cancel := p.patient()
	defer cancel()
	_, err := chromedp.Call(ctx, webauthn.Enable, webauthn.EnableParams{})
	p.must(err, "enabling WebAuthn")
	_, err = chromedp.Call(ctx, webauthn.AddVirtualAuthenticator,
		webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, HasResidentKey: true,
			Transport:           webauthn.AuthenticatorTransportUsb,
			HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		}})
	p.must(err, "plugging in a security key")
}
