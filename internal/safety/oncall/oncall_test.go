package oncall_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/internal/chat/account"
	"parley/internal/hook"
	"parley/internal/safety/oncall"
	"parley/internal/safety/safetytest"
	"parley/internal/smtp"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

const wait = 10 * time.Minute

var hookSecret = []byte("a secret of the pager")

// posted is a call as a hook got it.
type posted struct {
	Key, Status, Person, Confirm, Title, By string
	Round                                   int64
}

// line is an emergency line whose calls are recorded.
type line struct {
	*safetytest.World
	*oncall.Service
	mu    sync.Mutex
	posts []posted
	mails []smtp.Letter
	loud  int
	// status is what the hook answers, refuse what the mail server does.
	status int
	refuse error
	server *httptest.Server
}

func newLine(t *testing.T) *line {
	l := &line{World: safetytest.New(t, storetest.SQLite(t)), status: http.StatusOK}
	l.server = httptest.NewServer(http.HandlerFunc(l.receive))
	t.Cleanup(l.server.Close)
	l.Update(safetytest.Reader.Peer(), func(tx *store.Tx) error {
		return tx.TakePhone("4930901820", safetytest.Reader)
	})
	l.start()
	return l
}

// start makes the service, as a process does that starts.
func (l *line) start() {
	l.Helper()
	var err error
	l.Service, err = oncall.New(oncall.Options{
		Store: l.Store, Clock: l.Clock, Wait: wait, Lang: "en", Message: l.Message,
		Levels: [][]oncall.Person{
			{{Name: "Desk", Hook: l.server.URL}},
			{{Name: "Lead", Mail: "lead@example.org", Account: "+4930901820"}},
		},
		Mail: l.mail, Secret: hookSecret, Key: [32]byte{7}, URL: "https://chat.example.org",
		Console: "https://staff.example.org", Name: "Parley",
		Log:        slog.New(slog.DiscardHandler),
		Unanswered: func(oncall.Alert) { l.loud++ },
	})
	if err != nil {
		l.Fatal(err)
	}
}

func (l *line) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		l.Error(err)
	}
	if got, want := r.Header.Get(hook.SignatureHeader),
		hook.Sign(hookSecret, l.Clock.Now(), body); got != want {
		l.Errorf("signed %s, want %s", got, want)
	}
	p := posted{Key: r.Header.Get(hook.KeyHeader)}
	if err := json.Unmarshal(body, &p); err != nil {
		l.Error(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.posts = append(l.posts, p)
	w.WriteHeader(l.status)
}

func (l *line) mail(_ context.Context, m smtp.Letter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refuse != nil {
		return l.refuse
	}
	l.mails = append(l.mails, m)
	return nil
}

// raise raises the one emergency of these tests.
func (l *line) raise() oncall.Alert {
	l.Helper()
	a, _, err := l.Raise(context.Background(), oncall.Emergency{
		Key: "order 7", Kind: oncall.Order,
		About: oncall.About{Reference: "O7", Country: "DE", Path: "/orders/7"},
	})
	if err != nil {
		l.Fatal(err)
	}
	return a
}

func (l *line) step() {
	l.Helper()
	err := l.Step(context.Background())
	if err == nil {
		err = l.Courier.Settled(context.Background(), account.ServiceUser.Peer())
	}
	if err != nil {
		l.Fatal(err)
	}
}

// pass lets time pass and steps.
func (l *line) pass(d time.Duration) {
	l.Helper()
	l.Clock.Advance(d)
	l.step()
}

func (l *line) alert(id int64) (a oncall.Alert) {
	l.Helper()
	l.View(func(r *store.Reader) (err error) {
		a, err = oncall.Of(r, id)
		return err
	})
	return a
}

// counts are how many were called by hook, by mail and in the chat, and how often it was loud.
func (l *line) counts() [4]int {
	return [4]int{len(l.posts), len(l.mails), len(l.Letters(safetytest.Reader)), l.loud}
}

func (l *line) want(what string, posts, mails, chats, loud int) {
	l.Helper()
	if got, want := l.counts(), [4]int{posts, mails, chats, loud}; got != want {
		l.Errorf("%s: hook, mail, chat, loud: %v, want %v", what, got, want)
	}
}

// TestEscalates: the first level, the second, then all of them again and again, until somebody
// confirms; the rest is told.
func TestEscalates(t *testing.T) {
	l := newLine(t)
	a := l.raise()
	l.step()
	l.want("the first level", 1, 0, 0, 0)
	if again := l.raise(); again.ID != a.ID {
		t.Errorf("raised twice: %d and %d", a.ID, again.ID)
	}
	l.pass(wait - time.Second)
	l.want("before the time is over", 1, 0, 0, 0)
	l.pass(time.Second)
	l.want("the second level", 1, 1, 1, 0)
	m := l.mails[0]
	if !strings.Contains(m.Body, "https://chat.example.org/oncall/") ||
		!strings.Contains(m.Body, "https://staff.example.org/orders/7") ||
		!strings.Contains(m.Body, "O7 (DE)") {
		t.Errorf("the mail: %s", m.Body)
	}
	l.start() // another process goes on where the last one ended
	l.pass(wait)
	l.want("nobody answered", 2, 2, 2, 1)
	if l.posts[1].Status != "unanswered" || l.mails[1].Subject != "NOBODY HAS ANSWERED" {
		t.Errorf("not loud: %+v, %s", l.posts[1], l.mails[1].Subject)
	}
	l.pass(wait)
	l.want("and again", 3, 3, 3, 2)
	token := l.posts[0].Confirm[strings.LastIndexByte(l.posts[0].Confirm, '/')+1:]
	if _, err := l.ConfirmLink(context.Background(), token, "link"); err != nil {
		t.Fatal(err)
	}
	l.step()
	l.want("the others are told", 3, 4, 4, 2)
	if l.mails[3].Subject != "Desk deals with it." {
		t.Errorf("told: %s", l.mails[3].Subject)
	}
	l.pass(24 * time.Hour)
	l.want("and then it is quiet", 3, 4, 4, 2)
	if a := l.alert(a.ID); a.State != oncall.Confirmed || a.By != "Desk" || a.Via != "link" ||
		a.Next != 0 {
		t.Errorf("%+v", a)
	}
	keys := map[string]bool{}
	for _, p := range l.posts {
		keys[p.Key] = true
	}
	if len(keys) != len(l.posts) {
		t.Errorf("calls share a key: %+v", l.posts)
	}
}

// TestButton: the account that was written to confirms by the button of the message; who asks later
// is told who has it.
func TestButton(t *testing.T) {
	l := newLine(t)
	l.raise()
	l.step()
	l.pass(wait)
	c := l.Content(l.Letters(safetytest.Reader)[0])
	if len(c.Buttons) != 2 || len(c.Buttons[0][0].Data) > 64 ||
		c.Buttons[1][0].URL != "https://staff.example.org/orders/7" {
		t.Fatalf("buttons: %+v", c.Buttons)
	}
	data := string(c.Buttons[0][0].Data)
	answer, ours, err := l.Press(context.Background(), safetytest.Reader, data)
	if err != nil || !ours || answer != "Lead deals with it." {
		t.Errorf("%q, %v, %v", answer, ours, err)
	}
	answer, _, err = l.Press(context.Background(), safetytest.Reader, data)
	if err != nil || answer != "Lead deals with it." {
		t.Errorf("again: %q, %v", answer, err)
	}
	if _, ours, _ := l.Press(context.Background(), safetytest.Reader, "D123"); ours {
		t.Error("another's button is taken for one of the line")
	}
	for _, bad := range []string{"", "x", data[:len(data)-1], "oncall:" + strings.Repeat("A", 32)} {
		_, err := l.ConfirmLink(context.Background(), strings.TrimPrefix(bad, "oncall:"), "link")
		if !errors.Is(err, oncall.ErrToken) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestFailingWays: a receiver that is down is tried again under the same key, and when a level
// cannot be reached at all the next one is called at once.
func TestFailingWays(t *testing.T) {
	l := newLine(t)
	l.status = http.StatusServiceUnavailable
	a := l.raise()
	l.step()
	l.want("tried once", 1, 0, 0, 0)
	for range 5 {
		l.pass(time.Minute)
	}
	l.want("given up, and the next level called", 6, 1, 1, 0)
	for _, p := range l.posts {
		if p.Key != l.posts[0].Key {
			t.Errorf("another key for the same call: %+v", p)
		}
	}
	var calls []oncall.Call
	l.View(func(r *store.Reader) (err error) {
		calls, err = oncall.Calls(r, a.ID)
		return err
	})
	if len(calls) != 3 || calls[0].Made != 0 || calls[0].Reason == "" || calls[1].Made == 0 {
		t.Errorf("%+v", calls)
	}
	l.refuse = &smtp.DeliveryError{Reason: "no such mailbox"}
	l.status = http.StatusOK
	l.pass(wait)
	l.want("one way is enough", 7, 1, 2, 1)
}

// TestNobodyOnCall: without anybody to call the line is loud by itself.
func TestNobodyOnCall(t *testing.T) {
	l := newLine(t)
	l.Levels = nil
	l.raise()
	l.step()
	l.pass(wait)
	l.want("no levels", 0, 0, 0, 2)
}

// TestCrash: what was owed when the process ended is called by the next one, once.
func TestCrash(t *testing.T) {
	l := newLine(t)
	a := l.raise()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Step(ctx); err == nil {
		t.Fatal("a step went on after its end")
	}
	l.start()
	l.step()
	l.step()
	l.want("after the crash", 1, 0, 0, 0)
	if got := l.alert(a.ID); got.Round != 1 {
		t.Errorf("%+v", got)
	}
}

func TestOptions(t *testing.T) {
	for what, o := range map[string]oncall.Options{
		"no time":      {},
		"a name twice": {Wait: 1, Levels: [][]oncall.Person{{{Name: "A"}}, {{Name: "A"}}}},
		"no name":      {Wait: 1, Levels: [][]oncall.Person{{{Mail: "a@example.org"}}}},
		"no secret": {Wait: 1, Levels: [][]oncall.Person{
			{{Name: "A", Hook: "https://pager.example.org/"}},
		}},
	} {
		if _, err := oncall.New(o); !errors.Is(err, oncall.ErrOptions) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestNobodyIsSaidOnce: that nobody answers is logged once for each emergency, however often
// everybody is called after that; also where nobody is on call.
func TestNobodyIsSaidOnce(t *testing.T) {
	l := newLine(t)
	var log bytes.Buffer
	l.Service.Log = slog.New(slog.NewTextHandler(&log, nil))
	l.Service.Levels = nil
	if l.Service.Awake() {
		t.Error("nobody is on call, and somebody is woken")
	}
	l.raise()
	l.step()
	for range 3 {
		l.pass(wait)
	}
	if n := strings.Count(log.String(), "NOBODY HAS ANSWERED"); n != 1 {
		t.Errorf("said %d times: %s", n, log.String())
	}
}
