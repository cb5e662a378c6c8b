package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// strict is the policy of a page that is as it should be.
const strict = "default-src 'none'; img-src data:"

// serve answers every address with a document under a policy.
func serve(t *testing.T, policy, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/missing" {
			http.NotFound(w, r)
			return
		}
		if policy != "" {
			w.Header().Set("Content-Security-Policy", policy)
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><html lang="en"><title>t</title>` +
			`<link rel="icon" href="data:,"><main><h1>Here</h1><p id="lang">` +
			r.Header.Get("Accept-Language") + `</p>` + body + `</main>`))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// recorder is a test that only notes how it fails.
type recorder struct {
	testing.TB
	errors []string
	clean  []func()
}

func (r *recorder) Cleanup(fn func()) { r.clean = append(r.clean, fn) }
func (r *recorder) Error(args ...any) { r.errors = append(r.errors, fmt.Sprint(args...)) }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// end runs what the test would run at its end, and returns how it failed.
func (r *recorder) end() []string {
	for _, fn := range r.clean {
		fn()
	}
	return r.errors
}

// TestWhatFails opens pages that are wrong in ways that nobody sees, and one that is right.
func TestWhatFails(t *testing.T) {
	b := Start(t)
	for name, c := range map[string]struct {
		policy, body string
		wrong        bool
	}{
		"right":     {strict, "", false},
		"console":   {"", "<script>console.error('no')</script>", true},
		"threw":     {"", "<script>throw new Error('no')</script>", true},
		"script":    {strict, "<script>1</script>", true},
		"style":     {strict, "<p style='color:red'>p</p>", true},
		"handler":   {strict, "<img src='data:,' onerror='alert(1)'>", true},
		"elsewhere": {"", "<img src='http://example.org/a.png' alt=''>", true},
		"missing":   {"", "<img src='/missing' alt=''>", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{TB: t}
			p := b.Page(r, Look{})
			if status := p.Open(serve(t, c.policy, c.body)); status != http.StatusOK {
				t.Errorf("status %d", status)
			}
			if failed := r.end(); len(failed) > 0 != c.wrong {
				t.Errorf("the page failed its test with %q", failed)
			}
		})
	}
}

func TestSteps(t *testing.T) {
	b := Start(t)
	at := serve(t, "", `<form action="/next"><input id="f" name="f"><select id="s"><option>a`+
		`<option>b</select><a id="a" href="/missing">away</a></form>`)
	p := b.Page(t, Look{Lang: "fa"})
	p.Open(at)
	if got := p.Text("#lang"); got != "fa" {
		t.Errorf("the browser asks for %q", got)
	}
	p.Fill("#f", "one")
	p.Fill("#f", "two")
	p.Set("#s", "b")
	if got := Eval[string](p, "f.value + s.value"); got != "twob" {
		t.Errorf("the fields have %q", got)
	}
	p.Click("#f")
	if p.PressAndLeave("\r"); !strings.HasSuffix(p.Location(), "/next?f=two") {
		t.Errorf("the form went to %s", p.Location())
	}
	if status := p.Follow("#a"); status != http.StatusNotFound || p.Has("#a") {
		t.Errorf("the link led to %d", status)
	}
	if _, err := os.Stat(p.Screenshot("missing")); err != nil {
		t.Error(err)
	}
}

func TestWithoutScripts(t *testing.T) {
	p := Start(t).Page(t, Look{NoScripts: true})
	p.Open(serve(t, "", `<p id="p">before</p><input id="f"><script>p.textContent = "after"</script>`))
	p.Fill("#f", "typed")
	if got := p.Text("#p") + Eval[string](p, "f.value"); got != "beforetyped" {
		t.Errorf("a script ran, or nobody could type: %s", got)
	}
}

func TestChecks(t *testing.T) {
	b := Start(t)
	good := serve(t, strict, `<p>Text</p>`)
	bad := serve(t, "", `<input><pre>`+strings.Repeat("wide", 200)+`</pre>`)
	for at, want := range map[string]int{good: 0, bad: 2} {
		r := &recorder{TB: t}
		p := b.Page(r, Phone("en"))
		p.Open(at)
		p.Accessible()
		p.Fits()
		if got := r.end(); len(got) < want || want == 0 && len(got) > 0 {
			t.Errorf("%s failed %q", at, got)
		}
	}
}

// TestAuthenticator makes a credential with the virtual security key.
func TestAuthenticator(t *testing.T) {
	p := Start(t).Page(t, Look{})
	at := strings.Replace(serve(t, "", ""), "127.0.0.1", "localhost", 1)
	p.Open(at)
	p.Authenticator()
	kind := Eval[string](p, `navigator.credentials.create({publicKey: {
		challenge: new Uint8Array(16), rp: {id: "localhost", name: "n"},
		user: {id: new Uint8Array(4), name: "n", displayName: "n"},
		pubKeyCredParams: [{type: "public-key", alg: -7}]}}).then(c => c.type)`)
	if kind != "public-key" {
		t.Errorf("made a %q", kind)
	}
}
