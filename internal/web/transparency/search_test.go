package transparency

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/internal/safety"
	"parley/internal/tlog/archive"
	"parley/internal/tlog/entry"
)

// Words of decisions of which there are few and many.
const (
	removed  = "DECISION_VISIBILITY_CONTENT_REMOVED"
	withheld = "DECISION_VISIBILITY_CONTENT_DISABLED"
	machines = "AUTOMATED_DECISION_FULLY"
	people   = "AUTOMATED_DECISION_NOT_AUTOMATED"
)

// history is what the pages of these tests are about.
func history() (out []entry.Entry) {
	for i := range 60 {
		e := entry.Entry{
			Kind: entry.Decision, Day: "2026-11-29", Subject: "message", Items: 1, Accounts: 1,
			Measures: []string{removed}, Ground: string(safety.Illegal), Decided: people,
			Category: string(safety.Violence), Source: string(safety.Article16), Minutes: 90,
		}
		if i%3 == 0 {
			e.Decided, e.Category, e.Day = machines, string(safety.ScamsAndFraud), "2026-11-30"
		}
		out = append(out, e)
	}
	return append(out,
		entry.Entry{Kind: entry.Order, Day: "2026-11-30", Country: "DE", Instrument: "TCO_ARTICLE_3",
			Items: 1},
		entry.Entry{Kind: entry.Refusal, Day: "2026-11-30", Country: "DE", Reason: "overbroad",
			Instrument: "TCO_ARTICLE_3", Minutes: 20},
		entry.Entry{Kind: entry.Decision, Day: "2026-11-30", Subject: "chat", Items: 1,
			Measures: []string{withheld}, Territory: []string{"DE"}, Decided: people},
		entry.Entry{Kind: entry.Appeal, Day: "2026-11-30", Subject: "message", Outcome: "reversed"},
	)
}

// written is a log of some entries in a directory, of which the archive knows.
func written(t *testing.T, list []entry.Entry, keys ...string) Rooms {
	t.Helper()
	dir := t.TempDir()
	r := rooms(t, dir, keys...)
	var bundle []byte
	for i, e := range list {
		var id [16]byte
		binary.BigEndian.PutUint64(id[:], uint64(i))
		e.V, e.ID = entry.Version, hex.EncodeToString(id[:])
		if e.Commitment == "" {
			e.Commitment = strings.Repeat("0", 64)
		}
		b, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		bundle = append(binary.BigEndian.AppendUint16(bundle, uint16(len(b))), b...)
	}
	at := filepath.Join(dir, "tile/entries", fmt.Sprintf("000.p/%d", len(list)))
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, bundle, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.Archive.Follow(context.Background(), int64(len(list))); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSearchPage: what matches is found page by page, and in JSON the same.
func TestSearchPage(t *testing.T) {
	h := served(t, written(t, history()))
	const at = "/transparency/search?category=STATEMENT_CATEGORY_VIOLENCE"
	_, first := get(t, h, at)
	if n := strings.Count(first, "/transparency/entry/"); n != searchPage ||
		!strings.Contains(first, `rel="next"`) || !strings.Contains(first, " selected") {
		t.Errorf("the first page has %d lines: %s", n, first)
	}
	var hits []int64
	for next := strings.Replace(at, "search", "search.json", 1); next != ""; {
		u, err := url.Parse(next)
		if err != nil {
			t.Fatal(err)
		}
		code, body := get(t, h, u.RequestURI())
		var got struct {
			Hits []archive.Hit
			Next string
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || code != http.StatusOK {
			t.Fatalf("%d, %v: %s", code, err, body)
		}
		for _, x := range got.Hits {
			hits = append(hits, x.Index)
			if x.Entry.Category != string(safety.Violence) {
				t.Errorf("found %+v", x)
			}
		}
		next = got.Next
	}
	if len(hits) != 40 || hits[0] != 59 || hits[39] != 1 {
		t.Errorf("found %v", hits)
	}
	for query, want := range map[string]int{
		"kind=order": 1, "country=DE": 3, "decided=machine": 20, "from=2026-11-30&kind=decision": 20,
		"to=2026-11-28": 0, "measure=" + withheld: 1, "subject=chat": 1, "country=FR": 0,
	} {
		_, body := get(t, h, "/transparency/search?"+query)
		if n := strings.Count(body, "/transparency/entry/"); n != want {
			t.Errorf("%s finds %d lines, not %d", query, n, want)
		}
	}
	if _, body := get(t, h, "/transparency/search?to=2026-11-28"); !strings.Contains(body, "No line") {
		t.Errorf("nothing is found without saying so: %s", body)
	}
}

// TestHostileSearches: whatever stands in the address, the answer says what is wrong with it, and
// nothing of it becomes markup.
func TestHostileSearches(t *testing.T) {
	h := served(t, written(t, history()))
	const evil = `"><script>alert(1)</script>`
	for query, want := range map[string]int{
		"kind=" + url.QueryEscape(evil):     http.StatusBadRequest,
		"kind=nothing":                      http.StatusBadRequest,
		"country=" + url.QueryEscape(evil):  http.StatusBadRequest,
		"country=de":                        http.StatusBadRequest,
		"country=EU1":                       http.StatusBadRequest,
		"from=yesterday":                    http.StatusBadRequest,
		"from=2026-02-30":                   http.StatusBadRequest,
		"from=2026-11-30&to=2026-11-01":     http.StatusBadRequest,
		"decided=me":                        http.StatusBadRequest,
		"below=x":                           http.StatusNotFound,
		"below=-1":                          http.StatusNotFound,
		"below=99999999999999999999":        http.StatusNotFound,
		"below=9223372036854775807":         http.StatusOK,
		"unknown=" + url.QueryEscape(evil):  http.StatusOK,
		"%zz":                               http.StatusOK,
		"from=" + strings.Repeat("9", 5000): http.StatusBadRequest,
	} {
		for _, at := range []string{"/transparency/search", "/transparency/search.json"} {
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.URL.Path, r.URL.RawQuery = at, query
			h.ServeHTTP(w, r)
			asJSON := strings.HasSuffix(at, ".json")
			if asJSON && want == http.StatusNotFound {
				want = http.StatusBadRequest
			}
			if w.Code != want || strings.Contains(w.Body.String(), "<script>alert") {
				t.Errorf("%s?%.80s: %d: %s", at, query, w.Code, w.Body.String())
			}
			if asJSON && !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s: no JSON: %s", query, w.Body.String())
			}
			if w.Code != http.StatusOK && w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: an error may be kept", query)
			}
		}
	}
	if _, body := get(t, h, "/transparency/search?from=x"); !strings.Contains(body, "Write a day as") ||
		!strings.Contains(body, `value="x"`) || !strings.Contains(body, `href="#from"`) {
		t.Errorf("what is wrong is not said: %s", body)
	}
}

// TestEntryPages: a line is shown with its public fields, in JSON, and as a receipt that opens
// nothing; there is no other line.
func TestEntryPages(t *testing.T) {
	s := newScribe(t)
	list := history()
	r := written(t, list, s.public...)
	for i := range list {
		_, raw, err := r.Archive.Entry(context.Background(), int64(i))
		if err != nil {
			t.Fatal(err)
		}
		s.add(string(raw))
	}
	r.Log.Receipt = s.prove
	h := served(t, r)
	_, body := get(t, h, "/transparency/entry/62")
	for _, want := range []string{"Withheld", "Germany", "People", "Group or channel"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q: %s", want, body)
		}
	}
	if _, body = get(t, h, "/transparency/entry/61.json"); !strings.Contains(body, `"overbroad"`) {
		t.Errorf("in JSON: %s", body)
	}
	code, body := get(t, h, "/transparency/entry/61/receipt")
	if code != http.StatusOK || verdict(t, s.trust(), []byte(body)) != "good" ||
		strings.Contains(body, `"salt"`) {
		t.Errorf("the receipt: %d %s", code, body)
	}
	for _, at := range []string{"64", "-1", "01", "x", "9999999999999999999999", "1.json.json"} {
		if code, _ := get(t, h, "/transparency/entry/"+at); code != http.StatusNotFound {
			t.Errorf("line %s: %d", at, code)
		}
	}
}

// TestCountryPages: the pages of countries show what tlog/report says of them, and JSON is the same.
func TestCountryPages(t *testing.T) {
	h := served(t, written(t, history()))
	_, body := get(t, h, "/transparency/countries")
	if !strings.Contains(body, "Germany") || strings.Contains(body, "France") {
		t.Errorf("all countries: %s", body)
	}
	_, body = get(t, h, "/transparency/country/DE?lang=de")
	for _, want := range []string{"Deutschland", "overbroad", "TCO_ARTICLE_3", "2026-11"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q: %s", want, body)
		}
	}
	_, body = get(t, h, "/transparency/country/DE.json")
	for _, want := range []string{`"received": 1`, `"refused": 1`, `"withheld_items": 1`, `"v": 1`} {
		if !strings.Contains(body, want) {
			t.Errorf("JSON lacks %q: %s", want, body)
		}
	}
	_, body = get(t, h, "/transparency/refusals.csv")
	if !strings.Contains(body, "DE,2026-11,TCO_ARTICLE_3,overbroad,1\r\n") {
		t.Errorf("the register: %q", body)
	}
	if code, body := get(t, h, "/transparency/country/FR"); code != http.StatusOK ||
		!strings.Contains(body, "No authority of this country") {
		t.Errorf("a country of which there is nothing: %d", code)
	}
	for _, at := range []string{"de", "XX", "001", "EU", "DEU", "..", "%22%3E"} {
		if code, _ := get(t, h, "/transparency/country/"+at); code == http.StatusOK {
			t.Errorf("%s is a country", at)
		}
	}
}

// TestEveryLanguageHasTheWords: every word that a line can have by the vocabularies has a text.
func TestEveryLanguageHasTheWords(t *testing.T) {
	p, err := New(rooms(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	texts := p.set.Texts()
	for _, f := range fields(nil) {
		for _, word := range f.Options {
			if !texts.Has(f.Name+"."+word) && !texts.Has(word) {
				t.Errorf("%s.%s has no text", f.Name, word)
			}
		}
		if !texts.Has("field." + f.Name) {
			t.Errorf("the field %s has no text", f.Name)
		}
	}
	for _, key := range append(words(), "form") {
		if !texts.Has("say." + key) {
			t.Errorf("say.%s has no text", key)
		}
	}
}

// TestFiguresAreLive: the first page counts what is published, day and month.
func TestFiguresAreLive(t *testing.T) {
	h := served(t, written(t, history()))
	_, body := get(t, h, "/transparency/figures.json")
	var got struct {
		Counted      int64
		Day          string
		Today, Month struct{ Decisions int64 }
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if got.Counted != 64 || got.Day != "2026-11-30" || got.Today.Decisions != 21 ||
		got.Month.Decisions != 61 {
		t.Errorf("%+v", got)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/transparency/", nil))
	if !strings.Contains(w.Body.String(), `<p class="value">21</p>`) ||
		!strings.HasPrefix(w.Header().Get("Cache-Control"), "public") {
		t.Errorf("the first page: %s", w.Body.String())
	}
}
