package officertest

import (
	"bytes"
	"encoding/json"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Browser is a browser without a screen at a door, with its cookies and a security key. It follows
// no redirect by itself.
type Browser struct {
	*Key
	t      testing.TB
	client *http.Client
	at     string
	// Agent is what it says of itself.
	Agent string
}

// NewBrowser returns a browser at a server.
func NewBrowser(t testing.TB, s *httptest.Server) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	return &Browser{
		Key: NewKey(t, at), t: t, at: at, Agent: "browser",
		client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}
}

// Answer is what a server said.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Do sends a request.
func (b *Browser) Do(r *http.Request) Answer {
	b.t.Helper()
	r.Header.Set("User-Agent", b.Agent)
	resp, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return Answer{resp.StatusCode, resp.Header, string(body)}
}

func (b *Browser) request(method, path, kind string, body io.Reader) *http.Request {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.at+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	return r
}

// Get asks for a page.
func (b *Browser) Get(path string) Answer {
	b.t.Helper()
	return b.Do(b.request(http.MethodGet, path, "", nil))
}

// Post sends a form.
func (b *Browser) Post(path string, fields url.Values) Answer {
	b.t.Helper()
	return b.Do(b.request(http.MethodPost, path, "application/x-www-form-urlencoded",
		strings.NewReader(fields.Encode())))
}

// Upload sends a form with files by the names of their fields; the fields come first.
func (b *Browser) Upload(path string, fields url.Values, files map[string]Upload) Answer {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, values := range fields {
		for _, v := range values {
			if err := w.WriteField(name, v); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	for name, f := range files {
		part, err := w.CreateFormFile(name, f.Name)
		if err != nil {
			b.t.Fatal(err)
		}
		if _, err := part.Write(f.Body); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.t.Fatal(err)
	}
	return b.Do(b.request(http.MethodPost, path, w.FormDataContentType(), &body))
}

// Upload is a file that is sent.
type Upload struct {
	Name string
	Body []byte
}

// Enrol binds the browser's key by a link's token.
func (b *Browser) Enrol(token string) Answer {
	b.t.Helper()
	begun := b.Post("/officer/enrol/key", url.Values{"token": {token}})
	if begun.Status != http.StatusOK {
		return begun
	}
	return b.Post("/officer/enrol/answer", url.Values{
		"token": {token}, "answer": {b.Create([]byte(begun.Body))},
	})
}

// Proof is an answer of the browser's key to a fresh challenge.
func (b *Browser) Proof() string {
	b.t.Helper()
	begun := b.Post("/officer/signin/key", nil)
	if begun.Status != http.StatusOK {
		b.t.Fatalf("no challenge: %d %s", begun.Status, begun.Body)
	}
	return b.Key.Get([]byte(begun.Body))
}

// SignIn signs in with the browser's key.
func (b *Browser) SignIn(next string) Answer {
	b.t.Helper()
	return b.Post("/officer/signin/answer", url.Values{"next": {next}, "answer": {b.Proof()}})
}

// Next is where a ceremony leads.
func (a Answer) Next() string {
	var leave struct {
		Next string `json:"next"`
	}
	_ = json.Unmarshal([]byte(a.Body), &leave)
	return leave.Next
}

// form is a form of a page, field one of its hidden fields.
var (
	form  = regexp.MustCompile(`(?s)<form[^>]* action="([^"]*)".*?</form>`)
	field = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// Hidden are the hidden fields of the page's form that posts to a path.
func (a Answer) Hidden(path string) url.Values {
	out := make(url.Values)
	for _, f := range form.FindAllStringSubmatch(a.Body, -1) {
		if html.UnescapeString(f[1]) != path {
			continue
		}
		for _, x := range field.FindAllStringSubmatch(f[0], -1) {
			out.Add(html.UnescapeString(x[1]), html.UnescapeString(x[2]))
		}
	}
	return out
}
