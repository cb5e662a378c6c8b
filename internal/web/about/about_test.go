package about

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley/internal/clock"
	"parley/internal/config"
	"parley/internal/web/page"
	"parley/internal/web/page/pagetest"
)

func TestTexts(t *testing.T) { pagetest.Texts(t, files, page.Files()) }

// contactPage is the page of a server with a configuration.
func contactPage(t *testing.T, lang string, c config.Contact) string {
	t.Helper()
	site, err := page.New(page.Options{
		URL: "https://chat.example.org", Clock: clock.NewFake(time.Unix(1_800_000_000, 0)),
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(site, c)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	p.Mount(mux)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/contact?lang="+lang, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// TestContact: what the operator configured is there, in every language, and nothing that he did not.
func TestContact(t *testing.T) {
	full := config.Contact{
		Provider: "Example <b>e.V.</b>", People: "help@example.org",
		Authorities: "https://example.org/orders", Languages: []string{"en", "fa"},
		Representative: "Somebody in Brussels", Terms: "https://example.org/terms",
		Disputes: []string{"https://disputes.example.org/"},
	}
	for _, l := range page.Languages() {
		body := contactPage(t, l.Code, full)
		for _, want := range []string{
			"Example &lt;b&gt;e.V.&lt;/b&gt;", `href="mailto:help@example.org"`,
			`href="https://example.org/orders"`, "English", "فارسی", "Somebody in Brussels",
			`href="https://example.org/terms"`, `href="https://disputes.example.org/"`,
		} {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page lacks %s", l.Code, want)
			}
		}
		if strings.Contains(body, "%!") || !strings.Contains(body, "180") {
			t.Errorf("%s: the rule about misuse is not filled in", l.Code)
		}
	}
	body := contactPage(t, "en", config.Contact{})
	if !strings.Contains(body, "has not said yet") || strings.Contains(body, "Legal representative") {
		t.Errorf("a server without contacts says %s", body)
	}
}
