package notice

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/internal/chat/message"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/intake"
	"parley/internal/store"
	"parley/internal/store/storetest"
	"parley/internal/web/about"
	"parley/internal/web/page"
	"parley/internal/web/page/pagetest"
)

// hostile is text that would run if it became markup.
const hostile = `"><script>alert(1)</script>`

// world is the pages on a real store with one public channel, whose posts 1 and 2 say things.
type world struct {
	t       *testing.T
	store   *store.Store
	clock   *clock.Fake
	mux     *http.ServeMux
	refs    safety.References
	channel ids.Peer
	// sent are the notices that were taken in; hidden is what is withheld.
	sent   []intake.Report
	hidden map[int64]string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, store: storetest.SQLite(t), clock: clock.NewFake(time.Unix(1_800_000_000, 0)),
		mux: http.NewServeMux(), refs: safety.References{Key: [32]byte{3}},
		channel: ids.ChannelID(7).Peer(), hidden: map[int64]string{},
	}
	w.update(w.channel, func(tx *store.Tx) error {
		return tx.PutChat(store.Chat{
			Peer: w.channel, Title: "News " + hostile, About: "about " + hostile,
			Username: "Some_News", Creator: 1, Created: 1,
		})
	})
	w.update(0, func(tx *store.Tx) error { return tx.TakeUsername("some_news", w.channel) })
	for n := range int64(2) {
		w.update(w.channel, func(tx *store.Tx) error {
			body, err := message.Content{Text: "post " + hostile}.Encode()
			if err != nil {
				return err
			}
			m := store.Message{Box: w.channel, Peer: w.channel, From: w.channel, Date: 5,
				Origin: w.channel, Nonce: n + 1, Body: body}
			_, err = tx.AddMessage(&m, 1, func(int64) []byte { return nil })
			return err
		})
	}
	site, err := page.New(page.Options{
		URL: "https://chat.example.org", Name: "Parley", Clock: w.clock,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(Rooms{
		Site: site, Store: w.store, Report: w.report,
		Hidden: func(_ *store.Reader, _ ids.Peer, item int64) (string, error) {
			return w.hidden[item], nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	site.Mount(w.mux)
	p.Mount(w.mux)
	return w
}

func (w *world) update(key ids.Peer, fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(w.t.Context(), key, fn); err != nil {
		w.t.Fatal(err)
	}
}

// report takes a notice in, and makes a receipt for each place that it names.
func (w *world) report(_ context.Context, n intake.Report) (intake.Receipt, error) {
	w.sent = append(w.sent, n)
	var all []intake.Receipt
	for i, place := range n.Locations {
		ref := w.refs.Make(safety.ReportRef, w.channel, int64(i))
		all = append(all, intake.Receipt{Reference: ref, Place: place})
	}
	first := all[0]
	first.More = all[1:]
	return first, nil
}

func (w *world) send(r *http.Request) (int, string) {
	rec := httptest.NewRecorder()
	w.mux.ServeHTTP(rec, r)
	if strings.Contains(rec.Body.String(), "<script") {
		w.t.Errorf("%s: what people wrote became markup", r.URL.Path)
	}
	return rec.Code, rec.Body.String()
}

func (w *world) get(at string) (int, string) {
	return w.send(httptest.NewRequest("GET", at, nil))
}

// tokenOf finds the token of a page's form.
var tokenOf = regexp.MustCompile(`name="token" value="([^"]+)"`)

// fill asks for the form, waits as long as a person needs, and sends it.
func (w *world) fill(values url.Values) (int, string) {
	w.t.Helper()
	_, body := w.get("/notice")
	token := tokenOf.FindStringSubmatch(body)
	if token == nil {
		w.t.Fatal("the form has no token")
	}
	w.clock.Advance(time.Minute)
	values.Set("token", token[1])
	return w.post(values)
}

func (w *world) post(values url.Values) (int, string) {
	r := httptest.NewRequest("POST", "https://chat.example.org/notice",
		strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return w.send(r)
}

// good is a complete notice.
func good() url.Values {
	return url.Values{
		"locations": {"@some_news/1\nhttps://t.me/some_news/2"}, "name": {"Member 1"},
		"kind":        {"STATEMENT_CATEGORY_VIOLENCE/KEYWORD_COORDINATED_HARM"},
		"explanation": {"It calls for harm."}, "email": {"member1@example.org"},
		"good_faith": {"yes"},
	}
}

func TestNoticeToReceipt(t *testing.T) {
	w := newWorld(t)
	status, body := w.fill(good())
	ref := regexp.MustCompile(`id="reference"[^>]*>([^<]+)<`).FindStringSubmatch(body)
	if status != http.StatusOK || ref == nil || len(w.sent) != 1 {
		t.Fatalf("%d: %s", status, body)
	}
	n := w.sent[0]
	if len(n.Locations) != 2 || n.Keyword != "KEYWORD_COORDINATED_HARM" || !n.GoodFaith ||
		n.Email != "member1@example.org" || n.Lang != "en" || n.Source != safety.Article16 ||
		n.IP == "" {
		t.Errorf("the notice came as %+v", n)
	}
	for i := range n.Locations {
		if !strings.Contains(body, w.refs.Make(safety.ReportRef, w.channel, int64(i))) {
			t.Errorf("place %d has no reference", i)
		}
	}
	if strings.Contains(body, n.Email) || strings.Contains(body, n.Text) {
		t.Error("the receipt repeats who reported, or why")
	}
}

func TestFormKeepsWhatWasTyped(t *testing.T) {
	w := newWorld(t)
	for field, value := range map[string]string{
		"locations": "", "kind": "STATEMENT_CATEGORY_NONE", "explanation": "",
		"name": strings.Repeat("n", nameRunes+1), "email": "nobody", "good_faith": "",
	} {
		v := good()
		v.Set(field, value)
		if field != "explanation" {
			v.Set("explanation", hostile)
		}
		status, body := w.fill(v)
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, `href="#`+field) {
			t.Errorf("%s: %d", field, status)
		}
		if field != "explanation" && !strings.Contains(body, "alert(1)") {
			t.Errorf("%s: what was typed is lost", field)
		}
	}
	for _, field := range []string{"locations", "name", "email", "explanation", "kind"} {
		v := good()
		v.Set(field, hostile)
		v.Del("good_faith")
		w.fill(v)
	}
	status, body := w.post(good())
	if status != http.StatusUnprocessableEntity || !strings.Contains(body, "It calls for harm.") {
		t.Errorf("without a token: %d", status)
	}
	if len(w.sent) != 0 {
		t.Errorf("%d faulty notices were taken in", len(w.sent))
	}
}

// TestChildAbuseMayBeAnonymous: for it, and for nothing else, nobody need say who he is.
func TestChildAbuseMayBeAnonymous(t *testing.T) {
	w := newWorld(t)
	v := good()
	v.Del("name")
	v.Del("email")
	if status, _ := w.fill(v); status != http.StatusUnprocessableEntity {
		t.Errorf("an anonymous notice of violence: %d", status)
	}
	v.Set("kind", "STATEMENT_CATEGORY_PROTECTION_OF_MINORS/KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL")
	if status, _ := w.fill(v); status != http.StatusOK || len(w.sent) != 1 {
		t.Errorf("an anonymous notice of child sexual abuse: %d", status)
	}
}

func TestPublicPlaces(t *testing.T) {
	w := newWorld(t)
	status, body := w.get("/some_news/1")
	if status != 200 || !strings.Contains(body, "post ") ||
		!strings.Contains(body, "tg://resolve?domain=Some_News&amp;post=1") {
		t.Errorf("the post: %d %s", status, body)
	}
	if !strings.Contains(body, "/notice?location=%40Some_News%2F1") {
		t.Error("the post cannot be reported")
	}
	if _, body = w.get("/notice?location=%40Some_News%2F1"); !strings.Contains(body, ">@Some_News/1<") {
		t.Error("the form does not begin with the post")
	}
	if status, body = w.get("/Some_News"); status != 200 || !strings.Contains(body, "about ") {
		t.Errorf("the channel: %d", status)
	}
	for _, at := range []string{"/some_news/3", "/nobody_here", "/some_news/x", "/no.name"} {
		if status, _ := w.get(at); status != http.StatusNotFound {
			t.Errorf("%s: %d", at, status)
		}
	}
	w.hidden[2] = "terms"
	if _, body = w.get("/some_news/2"); strings.Contains(body, "post ") {
		t.Error("a withheld post is served")
	}
	w.hidden[0] = "legal"
	for _, at := range []string{"/some_news", "/some_news/1"} {
		status, body = w.get(at)
		if status != http.StatusUnavailableForLegalReasons || strings.Contains(body, "post ") ||
			strings.Contains(body, "News ") || strings.Contains(body, "about ") {
			t.Errorf("%s of a withheld channel: %d", at, status)
		}
	}
}

func TestTexts(t *testing.T) {
	w := newWorld(t)
	pagetest.Texts(t, files, page.Files(), about.Shell())
	for _, at := range []string{"/", "/notice"} {
		for _, l := range page.Languages() {
			if status, _ := w.get(at + "?lang=" + l.Code); status != 200 {
				t.Errorf("%s in %s: %d", at, l.Code, status)
			}
		}
	}
}
