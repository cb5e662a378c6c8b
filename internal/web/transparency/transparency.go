// Package transparency is the pages about the transparency log: the figures of each day and month
// with plots, the files that they come from, and how to check all of it. It shows what the
// published reports say and computes nothing of its own.
package transparency

import (
	"context"
	"embed"
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

	"parley/internal/tlog/report"
	"parley/internal/tlog/verify"
	"parley/internal/web/about"
	"parley/internal/web/page"
	"parley/internal/web/plot"
)

// files are the pages and their texts.
//
//go:embed pages texts assets
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
	// State returns how many lines it has and how many of them are published.
	State func(context.Context) (lines, published int64, err error)
	// Late tells whether lines wait for witnesses for too long; nil for never.
	Late func() bool
}

// Rooms are what the pages stand on.
type Rooms struct {
	Site *page.Site
	Log  Log
}

// Pages serves the pages.
type Pages struct {
	Rooms
	set *page.Set
}

// New reads the pages.
func New(r Rooms) (*Pages, error) {
	set, err := r.Site.Set(files, about.Shell())
	if err != nil {
		return nil, err
	}
	return &Pages{Rooms: r, set: set}, nil
}

// Mount adds the pages to a mux.
func (p *Pages) Mount(mux *http.ServeMux) {
	mux.Handle("GET /transparency/{$}", p.Site.Handle(p.overview))
	mux.Handle("GET /transparency/check", p.Site.Handle(p.check))
	mux.Handle("GET /transparency/verify", p.Site.Handle(p.verify))
	mux.Handle("GET /transparency/report/{day}", p.Site.Handle(p.day))
}

// shown is for how many days the overview has columns.
const shown = 28

// figure is a line of a table.
type figure struct{ Key, Value string }

// overview is what the first page shows.
type overview struct {
	Lines, Published int64
	// Late says that lines wait for witnesses.
	Late bool
	// Last is the newest report, nil when none is out.
	Last  *report.Report
	Month []figure
	Plots []plot.Plot
	Days  []string
}

func (p *Pages) overview(w http.ResponseWriter, r *http.Request) error {
	days, err := p.days()
	if err != nil {
		return err
	}
	body := overview{Days: days, Late: p.Log.Late != nil && p.Log.Late()}
	if body.Lines, body.Published, err = p.Log.State(r.Context()); err != nil {
		return err
	}
	decisions, reversed := []plot.Value{}, []plot.Value{}
	for i := min(len(days), shown) - 1; i >= 0; i-- {
		x, err := p.read(days[i])
		if err != nil {
			return err
		}
		body.Last = &x
		decisions = append(decisions, plot.Value{Label: x.Day, N: x.Today.Decisions})
		reversed = append(reversed, plot.Value{
			Label: x.Day, N: x.Today.Appeals.Reversed + x.Today.Appeals.Partly,
		})
	}
	if body.Last != nil {
		body.Month = headlines(body.Last.Month)
		body.Plots = []plot.Plot{
			plot.Of(p.set.Text(r, "fig.decisions"), decisions),
			plot.Of(p.set.Text(r, "plot.reversed"), reversed),
		}
	}
	return p.set.Render(w, r, http.StatusOK, "overview", body)
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
		list = append(list, figure{x.key, fmt.Sprint(x.n)})
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
		return p.picture(w, day)
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
	if body.Report, err = p.read(day); err != nil {
		return err
	}
	body.Today, body.Month = headlines(body.Report.Today), headlines(body.Report.Month)
	if body.All, err = body.Report.Today.Flat(); err != nil {
		return err
	}
	for _, code := range slices.Sorted(maps.Keys(body.Report.Today.Requests)) {
		body.Countries = append(body.Countries, country{code, body.Report.Today.Requests[code]})
	}
	return p.set.Render(w, r, http.StatusOK, "day", body)
}

// checkView is what somebody needs who checks.
type checkView struct {
	Origin, Address string
	Keys, Witnesses []string
}

func (p *Pages) check(w http.ResponseWriter, r *http.Request) error {
	return p.set.Render(w, r, http.StatusOK, "check", p.trust())
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
