package page

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"parley/internal/clock"
	"parley/internal/limit"
)

// world is a site with one page and one form.
func world(t *testing.T, change func(*Options)) (*Site, *Set, *clock.Fake) {
	t.Helper()
	at := clock.NewFake(time.Unix(1_800_000_000, 0))
	o := Options{
		URL: "https://chat.example.org", Name: "Parley", Key: [32]byte{1}, Clock: at,
		Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Log:     slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{"pages/one.tmpl": {Data: []byte(`{{define "title"}}One{{end}}` +
		`{{define "main"}}<form method="post" action="{{.Link "/one"}}">` +
		`{{template "fields" .Form "one"}}<p title="{{.Data}}">{{.Data}}</p></form>{{end}}`)}}
	for _, l := range Languages() {
		files["texts/"+l.Code+".toml"] = &fstest.MapFile{Data: []byte("\"word\" = \"word\"\n")}
	}
	set, err := s.Set(files)
	if err != nil {
		t.Fatal(err)
	}
	return s, set, at
}

// ask sends a request and returns the answer.
func ask(h http.Handler, r *http.Request) (*http.Response, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Result().Body)
	return w.Result(), string(body)
}

func TestEscapingAndPolicy(t *testing.T) {
	s, set, _ := world(t, nil)
	hostile := `"><script>alert(1)</script>`
	h := s.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return set.Render(w, r, http.StatusOK, "one", hostile)
	})
	res, body := ask(h, httptest.NewRequest("GET", "/one?lang=fa", nil))
	if strings.Contains(body, "<script") {
		t.Error("what people wrote became markup")
	}
	if !strings.Contains(body, `<html lang="fa" dir="rtl">`) ||
		!strings.Contains(body, `action="/one?lang=fa"`) {
		t.Error("the page is not in the language that was chosen")
	}
	policy := res.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "style-src 'self'", "form-action 'self'",
		"frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %s", want)
		}
	}
	if strings.Contains(policy, "script-src") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy lets scripts run: %s", policy)
	}
	if res.Header.Get("Set-Cookie") != "" {
		t.Error("a page sets a cookie")
	}
}

func TestLanguageIsChosen(t *testing.T) {
	for accept, want := range map[string]string{
		"": "en", "fa-IR,fa;q=0.9,en;q=0.5": "fa", "pt,ko;q=0.4": "ko", "zh-TW": "zh",
		"xx,*;q=0.1": "en", "de;q=0,ru": "ru", ";;;": "en", "in-ID": "id",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Language", accept)
		if l, chosen := LanguageOf(r); l.Code != want || chosen {
			t.Errorf("%q: %s, chosen %v", accept, l.Code, chosen)
		}
	}
	r := httptest.NewRequest("GET", "/?lang=ar", nil)
	r.Header.Set("Accept-Language", "de")
	if l, chosen := LanguageOf(r); l.Code != "ar" || !chosen {
		t.Errorf("the switch chose %s", l.Code)
	}
}

// post is a form as a browser sends it from a page of the site.
func post(values url.Values) *http.Request {
	r := httptest.NewRequest("POST", "https://chat.example.org/one", strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

func TestForms(t *testing.T) {
	s, _, at := world(t, nil)
	var got error
	h := s.Handle(func(_ http.ResponseWriter, r *http.Request) error {
		got = s.Check(r, "one")
		return nil
	})
	token := s.token("one")
	at.Advance(time.Minute)
	cases := []struct {
		name   string
		values url.Values
		late   time.Duration
		want   error
	}{
		{"good", url.Values{"token": {token}}, 0, nil},
		{"none", url.Values{}, 0, ErrForm},
		{"of another form", url.Values{"token": {s.token("two")}}, 0, ErrForm},
		{"too quick", url.Values{"token": {s.token("one")}}, 0, ErrForm},
		{"trapped", url.Values{"token": {token}, "website": {"x"}}, 0, ErrForm},
		{"too old", url.Values{"token": {token}}, mostAge, ErrForm},
	}
	for _, c := range cases {
		at.Advance(c.late)
		got = errors.New("not asked")
		ask(h, post(c.values))
		if !errors.Is(got, c.want) {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	other, _, _ := world(t, func(o *Options) { o.Key = [32]byte{2} })
	r := post(url.Values{"token": {other.token("one")}})
	if _ = r.ParseForm(); s.Check(r, "one") == nil {
		t.Error("a token of another key is good")
	}
}

func TestForeignFormsAreRefused(t *testing.T) {
	s, _, _ := world(t, nil)
	reached := false
	h := s.Handle(func(http.ResponseWriter, *http.Request) error { reached = true; return nil })
	for name, change := range map[string]func(http.Header){
		"cross-site": func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") },
		"same-site":  func(h http.Header) { h.Set("Sec-Fetch-Site", "same-site") },
		"other origin": func(h http.Header) {
			h.Del("Sec-Fetch-Site")
			h.Set("Origin", "https://evil.example")
		},
	} {
		r := post(url.Values{})
		change(r.Header)
		if res, _ := ask(h, r); res.StatusCode != http.StatusForbidden || reached {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
	r := post(url.Values{})
	r.Header.Del("Sec-Fetch-Site")
	r.Header.Set("Origin", "https://chat.example.org")
	if ask(h, r); !reached {
		t.Error("an older browser's own form is refused")
	}
}

// TestFormsAreText: whatever bytes somebody sends, what a form says can be kept and read back.
func TestFormsAreText(t *testing.T) {
	s, _, _ := world(t, nil)
	var got url.Values
	h := s.Handle(func(_ http.ResponseWriter, r *http.Request) error {
		got = url.Values{"post": r.PostForm["text"], "all": r.Form["text"]}
		return nil
	})
	ask(h, post(url.Values{"text": {"a\xffb\x00c", "grün"}}))
	for _, from := range []string{"post", "all"} {
		if want := []string{"a\ufffdb\ufffdc", "grün"}; !slices.Equal(got[from], want) {
			t.Errorf("%s: %q", from, got[from])
		}
	}
}

func TestErrorsHavePages(t *testing.T) {
	s, _, _ := world(t, nil)
	for err, status := range map[error]int{
		ErrNotFound: 404, ErrForbidden: 403, ErrTooLarge: 413, ErrTooMany: 429, ErrMethod: 405,
		errors.New("secret of the server"): 500,
	} {
		h := s.Handle(func(http.ResponseWriter, *http.Request) error { return err })
		for _, l := range Languages() {
			res, body := ask(h, httptest.NewRequest("GET", "/?lang="+l.Code, nil))
			if res.StatusCode != status || !strings.Contains(body, "<h1>") ||
				strings.Contains(body, "error.") || strings.Contains(body, "secret") {
				t.Errorf("%v in %s: %d %s", err, l.Code, res.StatusCode, body)
			}
		}
	}
	h := s.Handle(func(http.ResponseWriter, *http.Request) error { panic("boom") })
	if res, _ := ask(h, httptest.NewRequest("GET", "/", nil)); res.StatusCode != 500 {
		t.Errorf("a panic is answered with %d", res.StatusCode)
	}
	h = s.Handle(func(http.ResponseWriter, *http.Request) error { return nil })
	big := post(url.Values{"text": {strings.Repeat("x", formBytes)}})
	if res, _ := ask(h, big); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a huge form is answered with %d", res.StatusCode)
	}
}

func TestLimitsByAddress(t *testing.T) {
	s, _, at := world(t, func(o *Options) { o.Forms = limit.Rate{Burst: 1, Per: 24 * time.Hour} })
	token := s.token("one")
	at.Advance(time.Minute)
	h := s.Handle(func(_ http.ResponseWriter, r *http.Request) error { return s.Check(r, "one") })
	send := func(from, via string) int {
		r := post(url.Values{"token": {token}})
		r.RemoteAddr = from
		if via != "" {
			r.Header.Set("X-Forwarded-For", via)
		}
		res, _ := ask(h, r)
		return res.StatusCode
	}
	for _, c := range []struct {
		from, via string
		want      int
	}{
		{"192.0.2.1:1", "", 200}, {"192.0.2.1:2", "", 429},
		{"192.0.2.1:3", "198.51.100.7", 429}, // a stranger's header is not believed
		{"127.0.0.1:1", "192.0.2.1", 429}, {"127.0.0.1:1", "192.0.2.2", 200},
		{"127.0.0.1:1", "192.0.2.9, 192.0.2.2", 429}, // the nearest counts
		{"[2001:db8::1]:1", "", 200}, {"[2001:db8::2]:1", "", 429},
	} {
		if got := send(c.from, c.via); got != c.want {
			t.Errorf("%s via %q: %d, not %d", c.from, c.via, got, c.want)
		}
	}
	h = s.Handle(func(_ http.ResponseWriter, r *http.Request) error {
		return s.CheckUrgent(r, "one")
	})
	for _, want := range []int{200, 429} {
		if got := send("192.0.2.1:1", ""); got != want {
			t.Errorf("an urgent form among others is answered with %d, not %d", got, want)
		}
	}
}

func TestGuessingIsLimited(t *testing.T) {
	s, _, _ := world(t, nil)
	r := httptest.NewRequest("GET", "/r/X", nil)
	for range lookups().Burst {
		if err := s.Miss(r); !errors.Is(err, ErrNotFound) {
			t.Fatal(err)
		}
	}
	if err := s.Miss(r); !errors.Is(err, ErrTooMany) {
		t.Errorf("guessing on: %v", err)
	}
}

func TestAssets(t *testing.T) {
	s, set, _ := world(t, nil)
	h := s.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return set.Render(w, r, http.StatusOK, "one", "")
	})
	_, body := ask(h, httptest.NewRequest("GET", "/one", nil))
	at := regexp.MustCompile(`href="(/assets/style[^"]+)"`).FindStringSubmatch(body)
	if at == nil {
		t.Fatal("the page has no style")
	}
	res, style := ask(s.Assets(), httptest.NewRequest("GET", at[1], nil))
	if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/css") {
		t.Errorf("%s: %d %s", at[1], res.StatusCode, res.Header.Get("Content-Type"))
	}
	if m := regexp.MustCompile(`url\(|@import|\b(left|right)\s*:`).FindString(style); m != "" {
		t.Errorf("the style has %q: it loads nothing, and has no fixed side", m)
	}
	if res, _ := ask(s.Assets(), httptest.NewRequest("GET", "/assets/none.css", nil)); res.StatusCode != 404 {
		t.Error("an asset that does not exist is served")
	}
}

func FuzzAddress(f *testing.F) {
	f.Add("127.0.0.1:1", "192.0.2.1, 10.0.0.1")
	at := clock.NewFake(time.Unix(0, 0))
	s, err := New(Options{URL: "http://127.0.0.1", Clock: at, Log: slog.Default(),
		Trusted: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(_ *testing.T, remote, via string) {
		r := &http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": {via}}}
		_ = prefix(s.Address(r))
	})
}
