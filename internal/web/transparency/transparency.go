// Package transparency is the pages about the transparency log: the figures of each day and month
// with plots, the files that they come from, and how to check all of it. It shows what the
// published log adds up to, by the rules of tlog/report, and counts nothing by itself.
package transparency

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/mod/sumdb/note"

	"parley/internal/clock"
	"parley/internal/safety"
	"parley/internal/tlog/archive"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/report"
	"parley/internal/tlog/verify"
	"parley/internal/web/about"
	"parley/internal/web/page"
	"parley/internal/web/plot"
)

// files are the pages and their texts.
//
//go:embed all:pages texts assets
var files embed.FS

// Log is what the pages tell of the log.
type Log struct {
	// Dir has its public files.
	Dir    string
	Origin string
	// Keys are its public keys, one a line.
	Keys string
	// Witnesses must cosign; empty when nobody does.
	Witnesses []string
	// Persons are the keys of those who may sign canary statements.
	Persons []string
	// State returns how many lines it has and how many of them are published.
	State func(context.Context) (lines, published int64, err error)
	// Late tells whether lines wait for witnesses for too long; nil for never.
	Late func() bool
	// Receipt proves that a published line is in the log.
	Receipt func(ctx context.Context, index int64) (verify.Receipt, error)
}

// Rooms are what the pages stand on.
type Rooms struct {
	Site    *page.Site
	Log     Log
	Archive *archive.Archive
	Clock   clock.Clock
}

// Pages serves the pages.
type Pages struct {
	Rooms
	set     *page.Set
	persons []note.Verifier
	// reports are the newest that were read: a published report does not change.
	reports *lru.Cache[string, report.Report]
}

// New reads the pages.
func New(r Rooms) (*Pages, error) {
	set, err := r.Site.Set(files, about.Shell(), safety.Texts())
	if err != nil {
		return nil, err
	}
	persons, err := verify.Persons(r.Log.Persons)
	if err != nil {
		return nil, err
	}
	reports, err := lru.New[string, report.Report](2 * shown)
	if err != nil {
		return nil, fmt.Errorf("transparency: %w", err)
	}
	return &Pages{Rooms: r, set: set, persons: persons, reports: reports}, nil
}

// Mount adds the pages to a mux.
func (p *Pages) Mount(mux *http.ServeMux) {
	for path, h := range map[string]page.Handler{
		"{$}": p.overview, "figures.json": p.figuresJSON, "report/{day}": p.day,
		"check": p.check, "check.json": p.checkJSON, "verify": p.verify,
		"search": p.search, "search.json": p.searchJSON,
		"entry/{index}": p.entry, "entry/{index}/receipt": p.proof,
		"countries": p.countries, "countries.json": p.countriesJSON,
		"refusals.csv": p.refusalsCSV, "country/{code}": p.country,
		"rules": p.rules, "rules.json": p.rulesJSON, "rules/{index}": p.rule,
		"forms": p.forms, "forms.json": p.formsJSON, "forms/{index}/{file}": p.form,
		"orders": p.orders, "orders.json": p.ordersJSON, "orders/{index}": p.order,
		"canary": p.canary, "canary.json": p.canaryJSON,
	} {
		mux.Handle("GET /transparency/"+path, p.Site.Handle(h))
	}
	// Without this the address would be that of a chat called like it.
	mux.Handle("GET /transparency", http.RedirectHandler(
		p.Site.Path("/transparency/"), http.StatusPermanentRedirect))
}

// freshFor is how long a page may be shown again before it is asked for anew, in seconds.
const freshFor = "30"

// public says that an answer is the same for everybody.
func (p *Pages) public(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "public, max-age="+freshFor)
}

// show answers with a page that is the same for everybody.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, name string, data any) error {
	p.public(w)
	return p.set.Render(w, r, http.StatusOK, name, data)
}

// json answers a program.
func (p *Pages) json(w http.ResponseWriter, r *http.Request, status int, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("transparency: encode: %w", err)
	}
	if status == http.StatusOK {
		p.public(w)
	}
	p.Site.JSON(w, r, status, append(b, '\n'))
	return nil
}

// shown is for how many days the overview has columns.
const shown = 28

// figure is a line of a table.
type figure struct{ Key, Value string }

func figureOf(key string, n int64) figure { return figure{key, fmt.Sprint(n)} }

// live is what the published lines add up to now.
type live struct {
	Lines     int64          `json:"lines"`
	Published int64          `json:"published"`
	Counted   int64          `json:"counted"`
	Day       string         `json:"day"`
	Today     report.Figures `json:"today"`
	Month     report.Figures `json:"month"`
}

// now reads what the published lines add up to now.
func (p *Pages) now(ctx context.Context) (out live, err error) {
	if out.Lines, out.Published, err = p.Log.State(ctx); err != nil {
		return out, err
	}
	out.Day = entry.Day(p.Clock.Now())
	err = p.Archive.Read(func(b *report.Book) error {
		r, err := b.Report(out.Day)
		out.Counted, out.Today, out.Month = r.Entries, r.Today, r.Month
		return err
	})
	return out, err
}

func (p *Pages) figuresJSON(w http.ResponseWriter, r *http.Request) error {
	now, err := p.now(r.Context())
	if err != nil {
		return err
	}
	return p.json(w, r, http.StatusOK, now)
}

// overview is what the first page shows.
type overview struct {
	live
	// Late says that lines wait for witnesses.
	Late bool
	// Tiles are the figures that stand out; Today and Month have the same lines.
	Tiles, Today, Month []figure
	Plots               []plot.Plot
	Days                []string
}

func (p *Pages) overview(w http.ResponseWriter, r *http.Request) error {
	days, err := p.days()
	if err != nil {
		return err
	}
	body := overview{Days: days, Late: p.Log.Late != nil && p.Log.Late()}
	if body.live, err = p.now(r.Context()); err != nil {
		return err
	}
	today := body.live.Today
	body.Today, body.Month = headlines(today), headlines(body.live.Month)
	body.Tiles = []figure{
		figureOf("fig.decisions", today.Decisions), figureOf("fig.told", today.Told),
		figureOf("fig.noaction", today.NoActions),
		figureOf("fig.appeals", today.Appeals.Upheld+today.Appeals.Partly+today.Appeals.Reversed),
	}
	decisions, reversed := []plot.Value{}, []plot.Value{}
	for i := min(len(days), shown) - 1; i >= 0; i-- {
		x, err := p.recall(days[i])
		if err != nil {
			return err
		}
		decisions = append(decisions, plot.Value{Label: x.Day, N: x.Today.Decisions})
		reversed = append(reversed, plot.Value{
			Label: x.Day, N: x.Today.Appeals.Reversed + x.Today.Appeals.Partly,
		})
	}
	if len(days) > 0 {
		body.Plots = []plot.Plot{
			plot.Of(p.set.Text(r, "fig.decisions"), decisions),
			plot.Of(p.set.Text(r, "plot.reversed"), reversed),
		}
	}
	return p.show(w, r, "overview", body)
}

// headlines are the figures that have a line of their own.
func headlines(f report.Figures) []figure {
	list := []figure{}
	for _, x := range []struct {
		key string
		n   int64
	}{
		{"fig.decisions", f.Decisions}, {"fig.accounts", f.Accounts}, {"fig.told", f.Told},
		{"fig.banned", f.Banned.All}, {"fig.child", f.Banned.ChildSafety},
		{"fig.terror", f.Banned.Terrorism}, {"fig.automated", f.Automated},
		{"fig.noaction", f.NoActions}, {"fig.lifted", f.Lifts},
		{"fig.appeals", f.Appeals.Upheld + f.Appeals.Partly + f.Appeals.Reversed},
		{"fig.reversed", f.Appeals.Partly + f.Appeals.Reversed},
		{"fig.median", f.MedianMinutes}, {"fig.medianappeal", f.MedianAppealMinutes},
	} {
		list = append(list, figureOf(x.key, x.n))
	}
	return list
}

// dayView is what the page of a day shows.
type dayView struct {
	Report        report.Report
	Today, Month  []figure
	All           []report.Figure
	Countries     []country
	Before, After string
}

type country struct {
	Code string
	report.Requests
}

func (p *Pages) day(w http.ResponseWriter, r *http.Request) error {
	day := r.PathValue("day")
	if strings.HasSuffix(day, pictureSuffix) {
		return p.picture(w, r, day)
	}
	days, err := p.days()
	if err != nil {
		return err
	}
	at := slices.Index(days, day)
	if at < 0 {
		return page.ErrNotFound
	}
	body := dayView{}
	if at > 0 {
		body.After = days[at-1]
	}
	if at+1 < len(days) {
		body.Before = days[at+1]
	}
	if body.Report, err = p.recall(day); err != nil {
		return err
	}
	body.Today, body.Month = headlines(body.Report.Today), headlines(body.Report.Month)
	if body.All, err = body.Report.Today.Flat(); err != nil {
		return err
	}
	for _, code := range slices.Sorted(maps.Keys(body.Report.Today.Requests)) {
		body.Countries = append(body.Countries, country{code, body.Report.Today.Requests[code]})
	}
	return p.show(w, r, "day", body)
}

// checkView is what somebody needs who checks.
type checkView struct {
	Origin    string   `json:"origin"`
	Address   string   `json:"address"`
	Keys      []string `json:"keys"`
	Witnesses []string `json:"witnesses"`
}

func (p *Pages) check(w http.ResponseWriter, r *http.Request) error {
	return p.show(w, r, "check", p.trust())
}

func (p *Pages) checkJSON(w http.ResponseWriter, r *http.Request) error {
	return p.json(w, r, http.StatusOK, p.trust())
}

// trust is what the server says of itself.
func (p *Pages) trust() checkView {
	return checkView{
		Origin: p.Log.Origin, Address: p.Site.URL("/log"), Keys: strings.Fields(p.Log.Keys),
		Witnesses: p.Log.Witnesses,
	}
}

// days are the days of which a report is out, the newest first.
func (p *Pages) days() ([]string, error) {
	list, err := os.ReadDir(filepath.Join(p.Log.Dir, verify.ReportsDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("transparency: %w", err)
	}
	var days []string
	for _, f := range list {
		day, isReport := strings.CutSuffix(f.Name(), ".json")
		if _, err := time.Parse(time.DateOnly, day); isReport && err == nil {
			days = append(days, day)
		}
	}
	slices.Sort(days)
	slices.Reverse(days)
	return days, nil
}

// read reads a published report.
func (p *Pages) read(day string) (report.Report, error) {
	at := filepath.Join(p.Log.Dir, filepath.FromSlash(verify.ReportFile(day, "json")))
	b, err := os.ReadFile(at)
	if err != nil {
		return report.Report{}, fmt.Errorf("transparency: %w", err)
	}
	return report.Parse(b)
}

// recall reads a published report, or remembers it.
func (p *Pages) recall(day string) (report.Report, error) {
	if r, ok := p.reports.Get(day); ok {
		return r, nil
	}
	r, err := p.read(day)
	if err == nil {
		p.reports.Add(day, r)
	}
	return r, err
}
