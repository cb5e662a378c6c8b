package node

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gotd/td/tg"

	"parley/internal/chat"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/safety"
	"parley/internal/store"
)

// TestPagesAreReserved walks the public pages from their links, and mounts one that nobody thought
// of: nobody is called like a page.
func TestPagesAreReserved(t *testing.T) {
	w := newWorld(t)
	door, err := w.n.public()
	if err != nil {
		t.Fatal(err)
	}
	v := w.visitor()
	names := []string{"assets"}
	_, home := v.get("/")
	for _, m := range regexp.MustCompile(`href="/([a-z]+)`).FindAllStringSubmatch(home, -1) {
		names = append(names, m[1])
	}
	if len(names) < 4 {
		t.Errorf("the home page leads to %q only", names)
	}
	door.mux.Handle("GET /opening_hours/{day}", http.NotFoundHandler())
	door.mux.Handle("GET /visiting_hours", http.NotFoundHandler())
	for _, name := range append(names, "opening_hours", "Visiting_Hours") {
		if err := w.n.Channel.Names.Check(name); !errors.Is(err, chat.ErrUsernameOccupied) {
			t.Errorf("somebody may be called %s: %v", name, err)
		}
	}
	if err := w.n.Channel.Names.Check("business_hours"); err != nil {
		t.Errorf("nobody may be called like no page: %v", err)
	}
}

// visitor is somebody with a browser and no account.
type visitor struct {
	w     *world
	pages http.Handler
	addr  string
}

func (w *world) visitor() *visitor {
	w.t.Helper()
	pages, err := w.n.pages()
	if err != nil {
		w.t.Fatal(err)
	}
	return &visitor{w: w, pages: pages, addr: "192.0.2.77:1000"}
}

func (v *visitor) send(r *http.Request) (int, string) {
	v.w.t.Helper()
	r.RemoteAddr = v.addr
	rec := httptest.NewRecorder()
	v.pages.ServeHTTP(rec, r)
	if rec.Header().Get("Set-Cookie") != "" {
		v.w.t.Errorf("%s sets a cookie", r.URL.Path)
	}
	return rec.Code, rec.Body.String()
}

func (v *visitor) get(at string) (int, string) {
	v.w.t.Helper()
	return v.send(httptest.NewRequest(http.MethodGet, v.w.cfg.Web.PublicURL+at, nil))
}

// post opens a page with a form, takes the time that a person needs, and sends the form.
func (v *visitor) post(at string, values url.Values) (int, string) {
	v.w.t.Helper()
	_, body := v.get(at)
	token := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(body)
	if token == nil {
		v.w.t.Fatalf("%s has no form: %s", at, body)
	}
	v.w.clock.Advance(time.Minute)
	values.Set("token", token[1])
	to, _, _ := strings.Cut(at, "?")
	r := httptest.NewRequest(http.MethodPost, v.w.cfg.Web.PublicURL+to,
		strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return v.send(r)
}

// notice is a complete notice of places.
func violent(places ...string) url.Values {
	return url.Values{
		"locations": {strings.Join(places, "\n")}, "name": {"Member 1"},
		"kind":        {"STATEMENT_CATEGORY_VIOLENCE/KEYWORD_COORDINATED_HARM"},
		"explanation": {"It calls for harm."}, "email": {"member1@example.org"},
		"good_faith": {"yes"},
	}
}

// publicChannel is a channel with a name and some posts.
func (w *world) publicChannel(owner *person, name string, posts ...string) ids.Peer {
	w.t.Helper()
	made := must(owner.ChannelsCreateChannel(ctx(), &tg.ChannelsCreateChannelRequest{
		Broadcast: true, Title: "News", About: "What is new",
	}))(w.t).(*tg.Updates)
	peer := ids.ChannelID(made.Chats[0].GetID()).Peer()
	must(owner.ChannelsUpdateUsername(ctx(), &tg.ChannelsUpdateUsernameRequest{
		Channel: owner.inputChannel(peer), Username: name,
	}))(w.t)
	for _, p := range posts {
		owner.say(peer, p)
	}
	return peer
}

// reports are those about a subject's peer, by the item that each is about.
func (w *world) reports(of ids.Peer) map[int64]store.Report {
	w.t.Helper()
	out := make(map[int64]store.Report)
	err := w.n.Store.View(ctx(), func(r *store.Reader) error {
		for item := range int64(9) {
			kind := safety.Message
			if item == 0 {
				kind = safety.Chat
			}
			c, err := r.OpenCase(store.Case{Subject: of, Kind: int64(kind), Item: item})
			if store.IsNotFound(err) {
				continue
			}
			if err != nil {
				return err
			}
			list, err := r.Reports(of, c.ID, 0, 9)
			if err != nil {
				return err
			}
			out[item] = list[0]
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// refs are the references on a page, in order and each once.
func refs(body string) (out []string) {
	for _, m := range regexp.MustCompile(`/r/(R[A-Z2-7]{42})`).FindAllStringSubmatch(body, -1) {
		if len(out) == 0 || out[len(out)-1] != m[1] {
			out = append(out, m[1])
		}
	}
	return out
}

// TestNoticeReachesTheExactMessage: links of Telegram and of this server lead to the post that they
// name, each becomes a report of its own, and its receipt shows its state.
func TestNoticeReachesTheExactMessage(t *testing.T) {
	w := newWorld(t)
	owner := w.join("Member 1")
	peer := w.publicChannel(owner, "some_news", "one", "two", "three")
	link := must(owner.ChannelsExportMessageLink(ctx(), &tg.ChannelsExportMessageLinkRequest{
		Channel: owner.inputChannel(peer), ID: 3,
	}))(t).Link
	v := w.visitor()
	if status, body := v.get(strings.TrimPrefix(link, w.cfg.Web.PublicURL)); status != 200 ||
		!strings.Contains(body, "two") {
		t.Fatalf("%s: %d %s", link, status, body)
	}
	status, body := v.post("/notice", violent("https://t.me/some_news/2", link,
		"https://t.me/c/"+strconv.FormatInt(int64(peer.Channel()), 10)+"/4", "t.me/some_news/2"))
	got := refs(body)
	if status != http.StatusOK || len(got) != 4 || got[0] != got[3] {
		t.Fatalf("%d, %d references: %s", status, len(got), body)
	}
	reports := w.reports(peer)
	if len(reports) != 3 {
		t.Fatalf("%d reports are stored", len(reports))
	}
	for item, r := range reports {
		ref := w.n.safetyReferences().Make(safety.ReportRef, peer, r.ID)
		if item < 2 || item > 4 || r.Source != string(safety.Article16) || r.Net == 0 ||
			ref != got[item-2] {
			t.Errorf("post %d: %+v", item, r)
		}
		if status, body := v.get("/r/" + ref); status != 200 || !strings.Contains(body, "waiting") {
			t.Errorf("post %d: %d %s", item, status, body)
		}
	}
	// The same notice again is the same.
	_, body = v.post("/notice", violent("https://t.me/some_news/2"))
	if again := refs(body); len(again) != 1 || again[0] != got[0] {
		t.Errorf("the same notice again has references %v", again)
	}
}

// TestFormsAreLimited: an address that sends many notices is told to wait and loses nothing, and a
// notice about a child in danger is taken in beside them.
func TestFormsAreLimited(t *testing.T) {
	w := newWorld(t)
	owner := w.join("Member 1")
	w.publicChannel(owner, "some_news", "one")
	w.n.Config.Limits.Forms = limit.Rate{Burst: 2, Per: 24 * time.Hour}
	v := w.visitor()
	for range 2 {
		if status, body := v.post("/notice", violent("@some_news/2")); status != http.StatusOK {
			t.Fatalf("a notice: %d %s", status, body)
		}
	}
	status, body := v.post("/notice", violent("@some_news/2"))
	if status != http.StatusTooManyRequests || !strings.Contains(body, "It calls for harm.") {
		t.Errorf("a flood of notices: %d", status)
	}
	urgent := violent("@some_news/2")
	urgent.Set("kind", "STATEMENT_CATEGORY_PROTECTION_OF_MINORS/KEYWORD_CHILD_SEXUAL_ABUSE_MATERIAL")
	if status, body = v.post("/notice", urgent); status != http.StatusOK {
		t.Errorf("a notice about a child: %d %s", status, body)
	}
}
