package channels

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/tg"

	. "parley/internal/api/chats/roomtest"
	"parley/internal/api/live"
	"parley/internal/chat/fanout"
	"parley/internal/ids"
	"parley/internal/mtproto/session"
	"parley/internal/store"
)

// device is a live session that keeps what it is pushed.
type device struct {
	mu   sync.Mutex
	got  [][]byte
	news chan struct{}
}

func newDevice() *device { return &device{news: make(chan struct{}, 1000)} }

func (*device) Layer() int { return 0 }

func (*device) KeyID() int64 { return 0 }

func (d *device) Push(b session.Body) {
	d.mu.Lock()
	d.got = append(d.got, bytes.Clone(b.Bytes))
	d.mu.Unlock()
	d.news <- struct{}{}
}

func (d *device) has(text string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, b := range d.got {
		if bytes.Contains(b, []byte(text)) {
			return true
		}
	}
	return false
}

// await waits until the device was pushed a text.
func (d *device) await(t *testing.T, text string) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for !d.has(text) {
		select {
		case <-d.news:
		case <-limit:
			t.Fatalf("%q was never pushed", text)
		}
	}
}

// follows waits until the hub knows whether somebody with a device is in a channel; the device is
// pushed that something changed right after that.
func (d *device) follows(t *testing.T, hub *fanout.Hub, who ids.UserID, peer ids.Peer, in bool) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for slices.Contains(hub.Subscribers(peer), who) != in {
		select {
		case <-d.news:
		case <-limit:
			t.Fatalf("the hub never learned that %d is in (%v)", who, in)
		}
	}
}

func TestPushesFollowMembership(t *testing.T) {
	w, h := newHandlers(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	renderer := &live.Renderer{Store: w.Store, Env: w.Desk.Env, Clock: w.Clock}
	same := func(_ int, body []byte) ([]byte, error) { return body, nil }
	hub := fanout.NewHub(ctx, w.Store, renderer.Render(same), slog.New(slog.DiscardHandler), 1)
	w.Store.OnCommit(func(c store.Commit) {
		hub.Committed(c)
		w.Courier.Committed(c)
	})
	peer := create(w, h, true, "open_group")
	devices := make(map[ids.UserID]*device)
	for _, who := range []ids.UserID{Bob, Carol} {
		devices[who] = newDevice()
		if err := hub.Attach(ctx, who, devices[who]); err != nil {
			t.Fatal(err)
		}
		if err := join(w, h, who, peer); err != nil {
			t.Fatal(err)
		}
		devices[who].follows(t, hub, who, peer, true)
	}
	// Pushes of one channel are made one after the other, so that who got the third text was past
	// the second.
	w.Post(Alice, peer, "first text")
	devices[Bob].await(t, "first text")
	devices[Carol].await(t, "first text")
	if err := ban(w, h, Alice, peer, Bob, tg.ChatBannedRights{ViewMessages: true}); err != nil {
		t.Fatal(err)
	}
	w.Post(Alice, peer, "second text")
	w.Post(Alice, peer, "third text")
	devices[Carol].await(t, "third text")
	if devices[Bob].has("second text") {
		t.Error("who is banned was pushed a message")
	}
	if err := leave(w, h, Carol, peer); err != nil {
		t.Fatal(err)
	}
	devices[Carol].follows(t, hub, Carol, peer, false)
	if err := ban(w, h, Alice, peer, Bob, tg.ChatBannedRights{}); err != nil {
		t.Fatal(err)
	}
	if err := join(w, h, Bob, peer); err != nil {
		t.Fatal(err)
	}
	devices[Bob].follows(t, hub, Bob, peer, true)
	w.Post(Alice, peer, "fourth text")
	w.Post(Alice, peer, "fifth text")
	devices[Bob].await(t, "fifth text")
	if devices[Carol].has("fourth text") {
		t.Error("who left was pushed a message")
	}
}
