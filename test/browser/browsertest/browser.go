// Package browsertest drives Debian's chromium in tests. A page of it fails its test by itself when
// anything goes wrong that a person would not see: an error in the console, a script that threw, a
// violation of the page's policy, a request to a place that the test did not name.
//
// A test says what a person does and what he then sees; it waits for events and never sleeps. The
// browser reaches this machine only, whatever a page asks for.
package browsertest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// program is the browser's name, as Debian calls it.
const program = "chromium"

// patience is how long one step of a person may take before the test is given up. It measures
// nothing: it ends a test that would otherwise hang.
const patience = 2 * time.Minute

// Browser is a running browser. Its pages share nothing: no cookies, no storage.
type Browser struct {
	t   testing.TB
	ctx context.Context
}

// Start starts a browser for a test, which is skipped where there is none.
func Start(t testing.TB) *Browser {
	t.Helper()
	at, err := exec.LookPath(program)
	if err != nil {
		t.Skip("chromium is not installed: run make packages")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(at),
		chromedp.UserDataDir(t.TempDir()),
		// Nothing leaves the machine: every other name resolves to nothing.
		chromedp.Flag("host-resolver-rules",
			"MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost"),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("no-pings", true),
	)
	if os.Getuid() == 0 {
		// Chromium's sandbox refuses to start for root, who alone is exempt from it here.
		options = append(options, chromedp.NoSandbox)
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		// The browser writes to its directory until it has ended.
		_ = chromedp.Cancel(ctx)
		stop()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting %s: %v", program, err)
	}
	return &Browser{t: t, ctx: ctx}
}

// Look is how somebody looks at a page.
type Look struct {
	// Width and Height are the window's size in CSS pixels, 1024 by 768 when zero.
	Width, Height int64
	// Lang is the language that the browser asks for, English when empty.
	Lang string
	// NoScripts turns scripts off.
	NoScripts bool
	// Dark prefers dark colours.
	Dark bool
}

// Phone is a narrow window: what the Web Content Accessibility Guidelines ask pages to fit into.
//
// https://www.w3.org/TR/WCAG22/#reflow
func Phone(lang string) Look { return Look{Width: 320, Height: 640, Lang: lang} }

// Page opens an empty page that shares nothing with others. t is the test that the page fails; a
// subtest may have pages of its parent's browser.
func (b *Browser) Page(t testing.TB, look Look) *Page {
	t.Helper()
	p := &Page{t: t, origins: make(map[string]bool), documents: make(map[string]int64)}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext(),
		chromedp.WithListener(p.hear))
	p.ctx = ctx
	t.Cleanup(func() {
		p.judge()
		cancel()
	})
	if look.Width == 0 {
		look.Width, look.Height = 1024, 768
	}
	if look.Lang == "" {
		look.Lang = "en"
	}
	scheme := "light"
	if look.Dark {
		scheme = "dark"
	}
	// The first run makes the page, and the page lives as long as the context of that run.
	p.must(chromedp.Do(ctx), "opening a page")
	for _, step := range []func() error{
		func() error {
			_, err := chromedp.Call(ctx, audits.Enable, struct{}{})
			return err
		},
		func() error {
			_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
			return err
		},
		func() error {
			_, err := chromedp.Call(ctx, network.SetExtraHTTPHeaders,
				network.SetExtraHTTPHeadersParams{
					Headers: network.Headers{"Accept-Language": look.Lang},
				})
			return err
		},
		func() error {
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia,
				emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
					{Name: "prefers-color-scheme", Value: scheme},
				}})
			return err
		},
		func() error {
			_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled,
				emulation.SetScriptExecutionDisabledParams{Value: look.NoScripts})
			return err
		},
		func() error {
			return chromedp.Do(ctx, chromedp.EmulateViewport(look.Width, look.Height))
		},
	} {
		p.must(step(), "preparing a page")
	}
	return p
}

// module is a file of an npm package of test/browser. The test is skipped where it is missing.
func module(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, "test/browser/node_modules", name))
	if err != nil {
		t.Skipf("the npm package of %s is not installed: run make packages", name)
	}
	return string(b)
}
