package transparency

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/clock"
	"parley/internal/limit"
	"parley/internal/tlog/archive"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/report"
	"parley/internal/tlog/verify"
	"parley/internal/web/about"
	"parley/internal/web/page"
	"parley/internal/web/page/pagetest"
)

func TestTexts(t *testing.T) {
	pagetest.Texts(t, files, page.Files(), about.Shell())
}

// now is the time of the tests.
var now = time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)

// rooms are what pages of a log directory stand on; keys are those of the log and of its witnesses.
func rooms(t *testing.T, dir string, keys ...string) Rooms {
	t.Helper()
	clock := clock.NewFake(now)
	site, err := page.New(page.Options{
		URL: "https://chat.example", Name: "Parley", Key: sha256.Sum256(nil), Clock: clock,
		Pages: limit.Rate{}, Forms: limit.Rate{}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) == 0 {
		keys = []string{"chat.example/log+00000000+AAAA"}
	}
	return Rooms{
		Site: site, Clock: clock, Archive: archive.New(origin, verify.Dir(dir)),
		Log: Log{
			Dir: dir, Origin: origin, Keys: keys[0] + "\n", Witnesses: keys[1:],
			State: func(context.Context) (int64, int64, error) { return 12, 11, nil },
		},
	}
}

// served are the pages behind a door.
func served(t *testing.T, r Rooms) http.Handler {
	t.Helper()
	p, err := New(r)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	r.Site.Mount(mux)
	p.Mount(mux)
	return mux
}

// door serves the pages of a log directory.
func door(t *testing.T, dir string, keys ...string) http.Handler {
	t.Helper()
	return served(t, rooms(t, dir, keys...))
}

func get(t *testing.T, h http.Handler, at string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, at, nil))
	return w.Code, w.Body.String()
}

// publish writes the reports of two days into a directory as the server does.
func publish(t *testing.T, dir string) {
	t.Helper()
	book := report.NewBook("chat.example/log")
	for i, day := range []string{"2026-11-28", "2026-11-29"} {
		for range 3 + i {
			if err := book.Add(entry.Entry{
				Kind: entry.Decision, Day: day, Subject: "chat", Accounts: 1,
				Measures: []string{"DECISION_PROVISION_TOTAL_TERMINATION"},
				Keywords: []string{"KEYWORD_TERRORIST_CONTENT"},
			}); err != nil {
				t.Fatal(err)
			}
		}
		if i == 1 {
			e := entry.Entry{Kind: entry.Refusal, Day: day, Country: "FR", Reason: "overbroad"}
			if err := book.Add(e); err != nil {
				t.Fatal(err)
			}
			if err := book.Add(entry.Entry{Kind: entry.Lift, Day: "2026-11-28"}); err != nil {
				t.Fatal(err)
			}
		}
		r, err := book.Report(day)
		if err != nil {
			t.Fatal(err)
		}
		b, err := r.JSON()
		if err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(dir, verify.ReportFile(day, "json"))
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := book.Add(entry.Entry{
			Kind: entry.Report, Day: day, Items: book.Entries(),
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPages: what the reports say is on the pages, in every language; nothing else is a day.
func TestPages(t *testing.T) {
	dir := t.TempDir()
	h := door(t, dir)
	if code, body := get(t, h, "/transparency/"); code != http.StatusOK ||
		!strings.Contains(body, "No report is out yet") {
		t.Errorf("without reports, %d: %s", code, body)
	}
	publish(t, dir)
	for _, l := range page.Languages() {
		for _, at := range []string{
			"/transparency/", "/transparency/check", "/transparency/report/2026-11-29",
		} {
			code, body := get(t, h, at+"?lang="+l.Code)
			if code != http.StatusOK || !strings.Contains(body, `lang="`+l.Code+`"`) {
				t.Errorf("%s in %s: %d", at, l.Code, code)
			}
		}
	}
	_, body := get(t, h, "/transparency/report/2026-11-29")
	for _, want := range []string{">4<", ">7<", "FR", "2026-11-28 lifts"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not on the page:\n%s", want, body)
		}
	}
	if code, body := get(t, h, "/transparency/report/2026-11-29.png"); code != http.StatusOK ||
		!strings.HasPrefix(body, "\x89PNG") {
		t.Errorf("the picture: %d", code)
	}
	for _, at := range []string{"2026-11-27.png", "2026-11-27", "..%2f..%2fkeys", "x"} {
		if code, _ := get(t, h, "/transparency/report/"+at); code != http.StatusNotFound {
			t.Errorf("%s: %d", at, code)
		}
	}
}
