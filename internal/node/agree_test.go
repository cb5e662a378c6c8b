package node

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/internal/safety"
	"parley/internal/safety/euform"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/safety/safetytest"
	"parley/internal/tlog/report"
)

// TestPagesAgree makes up days of moderation in a server, and reads over HTTP what the pages, the
// reports, their tables and the official form say of them: all of it is what happened.
func TestPagesAgree(t *testing.T) {
	checks := 0
	rapid.Check(t, func(r *rapid.T) {
		if checks == 2 {
			return // a server and three reports take a while
		}
		p := newPages(t, r)
		for range 3 {
			p.day(r)
		}
		checks++
	})
}

// pages are a server whose pages are read over HTTP, and what happens in it.
type pages struct {
	*world
	*visitor
	safetytest.History
	// past are the days of which the report is out.
	past []string
}

func newPages(t *testing.T, r *rapid.T) *pages {
	w := newWorld(t)
	w.close()
	w.cfg.Transparency.Forms = filepath.Join(w.dir, "forms")
	w.open()
	owner := w.join("Member 1")
	peer := w.publicChannel(owner, "some_news")
	return &pages{world: w, visitor: w.visitor(), History: safetytest.History{
		T: r,
		World: &safetytest.World{
			TB: t, Store: w.n.Store, Clock: w.clock, Intake: w.n.Intake,
			Decisions: w.n.Decisions, Appeals: w.n.Appeals,
		},
		Post: func() safety.Subject {
			return safety.Subject{
				Peer: peer, Kind: safety.Message, Item: int64(owner.say(peer, "text")),
				Author: owner.self,
			}
		},
		Order: w.forbidden,
	}}
}

// day lets a day go by, and reads what is said of it.
func (p *pages) day(t *rapid.T) {
	day := p.clock.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
	p.clock.Advance(day.Sub(p.clock.Now()))
	for range rapid.IntRange(1, 5).Draw(t, "events") {
		p.Event()
		p.clock.Advance(time.Duration(rapid.IntRange(0, 90).Draw(t, "minutes")) * time.Minute)
	}
	name := day.Format(time.DateOnly)
	p.live(t, p.Day(name))
	p.clock.Advance(day.AddDate(0, 0, 1).Sub(p.clock.Now()))
	if err := p.world.n.transparency.daily.Publish(ctx()); err != nil {
		t.Fatal(err)
	}
	p.publish()
	p.past = append(p.past, name)
	p.report(t, name)
	p.form(t, euform.Period{From: day, To: day}, p.Day(name))
}

// forbidden has somebody whom nobody knows order what no order gets, in the name of a country, which
// it is not put down to: it counts under none.
func (w *world) forbidden(country string) string {
	w.t.Helper()
	w.marks++
	_, err := w.n.Orders.Submit(ctx(), order.Sender{}, order.Document{
		Instrument: instrument.Order, Number: strconv.Itoa(w.marks), Country: country,
		Authority: "An authority", Action: policy.Keys,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return "ZZ"
}

// read is a page that must be there.
func (p *pages) read(t *rapid.T, at string) string {
	status, body := p.get(at)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", at, status, body)
	}
	return body
}

// agrees fails where something that is read of the day differs from what happened.
func agrees(t *rapid.T, where string, f report.Figures, is *safetytest.Happened) {
	for what, n := range map[string][2]int64{
		"decisions": {f.Decisions, is.Decided}, "automated": {f.Automated, is.Automated},
		"no actions": {f.NoActions, is.Dismissed}, "lifts": {f.Lifts, is.Lifted},
	} {
		if n[0] != n[1] {
			t.Errorf("%s: %d %s, happened %d", where, n[0], what, n[1])
		}
	}
	if f.Appeals != is.Complaints || f.Settlements != is.Settlements {
		t.Errorf("%s: complaints %+v, settlements %+v; happened %+v",
			where, f.Appeals, f.Settlements, is)
	}
	for country, n := range is.Orders {
		if x := f.Requests[country]; x.Received != n || x.Refused != n {
			t.Errorf("%s: requests of %s: %+v, happened %d", where, country, x, n)
		}
	}
}

// live reads the figures of today as they are published until now.
func (p *pages) live(t *rapid.T, is *safetytest.Happened) {
	p.publish()
	var now struct {
		Today report.Figures `json:"today"`
	}
	body := p.read(t, "/transparency/figures.json")
	if err := json.Unmarshal([]byte(body), &now); err != nil {
		t.Fatal(err)
	}
	agrees(t, "live figures", now.Today, is)
	p.tiles(t, p.read(t, "/transparency/"), is)
}

// tiles reads the figures that stand out.
func (p *pages) tiles(t *rapid.T, body string, is *safetytest.Happened) {
	tile := regexp.MustCompile(`<p class="value">(\d+)</p><p class="label">([^<]*)</p>`)
	seen := map[string]string{}
	for _, m := range tile.FindAllStringSubmatch(body, -1) {
		seen[m[2]] = m[1]
	}
	for label, n := range map[string]int64{
		"Decisions":                 is.Decided,
		"Reports without a measure": is.Dismissed,
		"Complaints decided":        outcomes(is.Complaints),
	} {
		if seen[label] != strconv.FormatInt(n, 10) {
			t.Errorf("tile %q: %q of %v, happened %d", label, seen[label], seen, n)
		}
	}
}

func outcomes(o report.Outcomes) int64 { return o.Upheld + o.Partly + o.Reversed }

// report reads the report of a day as a page, as JSON and as a table.
func (p *pages) report(t *rapid.T, day string) {
	is := p.Day(day)
	daily, err := report.Parse([]byte(p.read(t, "/log/reports/"+day+".json")))
	if err != nil {
		t.Fatal(err)
	}
	agrees(t, "report", daily.Today, is)
	var month safetytest.Happened
	for _, d := range p.past {
		month.Add(p.Day(d))
	}
	agrees(t, "report of the month", daily.Month, &month)

	rows, err := csv.NewReader(strings.NewReader(p.read(t, "/log/reports/"+day+".csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	table := map[string]string{}
	for _, row := range rows {
		table[row[0]+" "+row[1]] = row[2]
	}
	html := p.read(t, "/transparency/report/"+day)
	cell := func(figure string, n int64) {
		want := strconv.FormatInt(n, 10)
		if table[day+" "+figure] != want {
			t.Errorf("%s in the table of %s: %q, happened %s", figure, day, table[day+" "+figure], want)
		}
		shown := regexp.MustCompile(`<code>` + regexp.QuoteMeta(figure) +
			`</code></bdi></th><td class="number">([^<]*)</td>`).FindStringSubmatch(html)
		if shown == nil || shown[1] != want {
			t.Errorf("%s on the page of %s: %q, happened %s", figure, day, shown, want)
		}
	}
	cell("decisions", is.Decided)
	cell("no_actions", is.Dismissed)
	cell("lifts", is.Lifted)
	cell("appeals.partly", is.Complaints.Partly)
	cell("appeals.reversed", is.Complaints.Reversed)
	cell("settlements.upheld", is.Settlements.Upheld)
	for country, n := range is.Orders {
		cell("requests."+country+".received", n)
		if !strings.Contains(html, "/transparency/country/"+country) {
			t.Errorf("%s is not on the page of %s", country, day)
		}
	}
}

// form fills in the official form of a day, has it published, and reads the part about complaints.
func (p *pages) form(t *rapid.T, period euform.Period, is *safetytest.Happened) {
	counted, waiting, err := p.world.n.Counted(ctx(), period)
	if err != nil || waiting {
		t.Fatalf("counted, waiting %t: %v", waiting, err)
	}
	filled, err := euform.Fill(period, euform.Operator{}, counted)
	if err != nil {
		t.Fatal(err)
	}
	day := period.From.Format(time.DateOnly)
	dir := filepath.Join(p.cfg.Transparency.Forms, "eu-complaints")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := filled.Parts[6].WriteCSV(&text); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, day+"."+day+".csv")
	if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := p.world.n.publishDocuments(ctx()); err != nil {
		t.Fatal(err)
	}
	p.publish()
	link := regexp.MustCompile(`/transparency/forms/\d+/eu-complaints\.` + day + `[^"]*`).
		FindString(p.read(t, "/transparency/forms"))
	rows, err := csv.NewReader(strings.NewReader(p.read(t, link))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int64{
		outcomes(is.Complaints), is.Complaints.Upheld, is.Complaints.Partly, is.Complaints.Reversed,
	} {
		if got := rows[1+i][6]; got != fmt.Sprint(want) {
			t.Errorf("row %d of the form: %s, happened %d", 1+i, got, want)
		}
	}
}
