package fanout_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/internal/chat/box"
	"parley/internal/chat/fanout"
	"parley/internal/chat/restrict"
	"parley/internal/ids"
	"parley/internal/mtproto/session"
	"parley/internal/store"
)

const alice = ids.UserID(1001)

var channel = ids.PeerChannel(5)

// patience is how long a test waits for something that ought to happen.
const patience = 20 * time.Second

func open(t testing.TB) (*store.Store, context.Context) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s, err := store.Open(ctx, store.Options{
		URL: "sqlite:" + filepath.Join(t.TempDir(), "parley.db"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, ctx
}

func update(t testing.TB, s *store.Store, key ids.Peer, fn func(*store.Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), key, fn); err != nil {
		t.Fatal(err)
	}
}

// receiver is a live session that passes on what is pushed to it.
type receiver struct{ got chan string }

func newReceiver() *receiver { return &receiver{got: make(chan string, 10_000)} }

func (r *receiver) Layer() int          { return 1 }
func (r *receiver) KeyID() int64        { return 0 }
func (r *receiver) Push(b session.Body) { r.got <- string(b.Bytes) }

func (r *receiver) next(t testing.TB) string {
	t.Helper()
	select {
	case s := <-r.got:
		return s
	case <-time.After(patience):
		t.Fatal("nothing was pushed")
		return ""
	}
}

// render names what it renders; before is called first.
func render(before func()) fanout.Render {
	return fanout.Render{
		User: func(context.Context, ids.UserID, []store.Event) ([]byte, error) {
			before()
			return []byte("user"), nil
		},
		Shared: func(
			context.Context, ids.Peer, []store.Event, restrict.Audience,
		) (fanout.Shared, error) {
			return fanout.Shared{Body: []byte("channel")}, nil
		},
		Apart: func(context.Context, ids.UserID, ids.Peer, []store.Event) ([]byte, error) {
			return []byte("apart"), nil
		},
		TooLong: func(ids.Peer) []byte { return []byte("too long") },
		Down:    func(_ int, body []byte) ([]byte, error) { return body, nil },
		Hash:    func(viewer, peer int64) int64 { return viewer ^ peer },
	}
}

// setMember puts somebody into the channel or out of it, and tells his box or the channel's.
func setMember(t testing.TB, s *store.Store, user ids.UserID, in bool, tell bool) {
	t.Helper()
	role, flags := store.Left, store.Hidden
	if in {
		role, flags = store.Participant, 0
	}
	update(t, s, user.Peer(), func(tx *store.Tx) error {
		return tx.PutDialog(store.Dialog{User: user, Peer: channel, Flags: flags})
	})
	update(t, s, channel, func(tx *store.Tx) error {
		m := store.Member{Peer: channel, User: user, Role: role, Date: 1}
		if err := tx.PutMember(m); err != nil || !tell {
			return err
		}
		_, err := box.Note(tx, channel, box.Participant, 1, box.Entry{User: user})
		return err
	})
	if !tell {
		return
	}
	update(t, s, user.Peer(), func(tx *store.Tx) error {
		_, err := box.Note(tx, user.Peer(), box.ChatChanged, 1, box.Entry{Peer: channel})
		return err
	})
}

// TestOverflowIsTooLong: entries beyond the bound are told as one word; who was taken out of a
// channel meanwhile still hears of it no more.
func TestOverflowIsTooLong(t *testing.T) {
	s, ctx := open(t)
	entered, gate := make(chan struct{}, 10_000), make(chan struct{})
	hub := fanout.NewHub(ctx, s, render(func() { entered <- struct{}{}; <-gate }),
		slog.New(slog.DiscardHandler), 1)
	s.OnCommit(hub.Committed)
	setMember(t, s, alice, true, false)
	to := newReceiver()
	if err := hub.Attach(ctx, alice, to); err != nil {
		t.Fatal(err)
	}
	if got := hub.Subscribers(channel); len(got) != 1 {
		t.Fatalf("subscribers %v", got)
	}
	many := func(n int) {
		update(t, s, alice.Peer(), func(tx *store.Tx) error {
			for range n {
				_, err := box.Append(tx, alice.Peer(), box.ReadInbox, 1, 1, box.Entry{})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	many(1)
	<-entered
	many(600)
	setMember(t, s, alice, false, false)
	update(t, s, alice.Peer(), func(tx *store.Tx) error {
		_, err := box.Note(tx, alice.Peer(), box.ChatChanged, 1, box.Entry{Peer: channel})
		return err
	})
	close(gate)
	if got := to.next(t); got != "user" {
		t.Errorf("first %q", got)
	}
	if got := to.next(t); got != "too long" {
		t.Errorf("then %q, want that it is too long", got)
	}
	update(t, s, channel, func(tx *store.Tx) error {
		_, err := box.Append(tx, channel, box.EditMessage, 1, 1, box.Entry{ID: 1})
		return err
	})
	many(1)
	if got := to.next(t); got != "user" {
		t.Errorf("after he was taken out: %q", got)
	}
}

// speaker is a receiver whose client speaks a layer.
type speaker struct {
	*receiver
	layer int
}

func (s speaker) Layer() int { return s.layer }

// TestOncePerLayer: an update is rewritten once for each layer in use, however many sessions speak
// it, and one that a layer does not have goes to none of its sessions.
func TestOncePerLayer(t *testing.T) {
	s, ctx := open(t)
	var mu sync.Mutex
	rewritten := make(map[int]int)
	r := render(func() {})
	const without = 3
	r.Down = func(layer int, body []byte) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		rewritten[layer]++
		if layer == without {
			return nil, nil
		}
		return fmt.Appendf(nil, "%s in %d", body, layer), nil
	}
	hub := fanout.NewHub(ctx, s, r, slog.New(slog.DiscardHandler), 1)
	s.OnCommit(hub.Committed)
	var sessions []speaker
	for i := range 30 {
		to := speaker{newReceiver(), 1 + i%without}
		user := ids.UserID(2000 + i/2)
		setMember(t, s, user, true, false)
		if err := hub.Attach(ctx, user, to); err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, to)
	}
	update(t, s, channel, func(tx *store.Tx) error {
		_, err := box.Append(tx, channel, box.NewMessage, 1, 1, box.Entry{ID: 1})
		return err
	})
	for _, to := range sessions {
		if to.layer == without {
			continue
		}
		if got, want := to.next(t), fmt.Sprintf("channel in %d", to.layer); got != want {
			t.Errorf("pushed %q, want %q", got, want)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if want := map[int]int{1: 1, 2: 1, without: 1}; !maps.Equal(rewritten, want) {
		t.Errorf("rewritten, by layer: %v, want once each", rewritten)
	}
	for _, to := range sessions {
		if n := len(to.got); n != 0 {
			t.Errorf("a session of layer %d was pushed %d more", to.layer, n)
		}
	}
}

// TestMembershipRaces: however sessions come and go while their accounts join and leave a channel,
// in the end exactly the members' sessions hear of it.
func TestMembershipRaces(t *testing.T) {
	s, ctx := open(t)
	hub := fanout.NewHub(ctx, s, render(func() {}), slog.New(slog.DiscardHandler), 4)
	s.OnCommit(hub.Committed)
	var wg sync.WaitGroup
	const people = 8
	stay := make([]*receiver, people)
	for i := range people {
		user := ids.UserID(2000 + i)
		stay[i] = newReceiver()
		if err := hub.Attach(ctx, user, stay[i]); err != nil {
			t.Fatal(err)
		}
		wg.Add(2)
		go func() {
			defer wg.Done()
			for n := range 40 {
				setMember(t, s, user, n%2 == 0, true)
			}
			setMember(t, s, user, i%2 == 0, true)
		}()
		go func() {
			defer wg.Done()
			for range 60 {
				to := newReceiver()
				if err := hub.Attach(ctx, user, to); err != nil {
					t.Error(err)
				}
				if !hub.Detach(user, to) {
					t.Error("the session that stays is not known")
				}
			}
		}()
	}
	wg.Wait()
	// Entries of a box are pushed in order: once these are there, all before them are followed.
	for i := range people {
		user := ids.UserID(2000 + i)
		update(t, s, user.Peer(), func(tx *store.Tx) error {
			_, err := box.Append(tx, user.Peer(), box.FolderPeer, 1, 1, box.Entry{})
			return err
		})
	}
	deadline := time.Now().Add(patience)
	var want []ids.UserID
	for i := 0; i < people; i += 2 {
		want = append(want, ids.UserID(2000+i))
	}
	for {
		got := hub.Subscribers(channel)
		slices.Sort(got)
		if slices.Equal(got, want) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("subscribers %v, members %v", got, want)
		}
		time.Sleep(5 * time.Millisecond)
	}
	for i := range people {
		user := ids.UserID(2000 + i)
		if hub.Detach(user, stay[i]) || hub.Live(user) {
			t.Errorf("%d is live after the last session left", user)
		}
	}
	if got := hub.Subscribers(channel); len(got) != 0 {
		t.Errorf("subscribers left: %v", got)
	}
}

const (
	good = 1
	bad  = 2
	slow = 3
)

// carriage is a courier whose rows are letters: ! fails, ~ waits at the gate, others are kept.
type carriage struct {
	*fanout.Courier
	t             *testing.T
	store         *store.Store
	entered, gate chan struct{}

	mu   sync.Mutex
	kept map[ids.Peer]string
}

func newCarriage(t *testing.T) (*carriage, context.Context) {
	s, ctx := open(t)
	c := &carriage{
		t: t, store: s, kept: make(map[ids.Peer]string),
		entered: make(chan struct{}), gate: make(chan struct{}),
	}
	c.Courier = fanout.NewCourier(ctx, s, map[int64]fanout.Applier{
		good: func(_ *store.Tx, o store.Outbox) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.kept[o.Target] += string(o.Body)
			return nil
		},
		bad: func(*store.Tx, store.Outbox) error { return errors.New("never") },
		slow: func(*store.Tx, store.Outbox) error {
			c.entered <- struct{}{}
			<-c.gate
			return nil
		},
	}, slog.New(slog.DiscardHandler))
	s.OnCommit(c.Committed)
	return c, ctx
}

// tell commits a row of alice's box for each letter and target.
func (c *carriage) tell(letters string, targets ...ids.Peer) {
	c.t.Helper()
	kinds := map[rune]int64{'!': bad, '~': slow}
	update(c.t, c.store, alice.Peer(), func(tx *store.Tx) error {
		for _, letter := range letters {
			for _, target := range targets {
				err := tx.Tell(store.Outbox{
					Box: alice.Peer(), Target: target, Kind: max(kinds[letter], good),
					Body: []byte(string(letter)),
				})
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// TestCourier: rows of a box reach each target in order; one that cannot be carried out holds up
// none of the others, and stays.
func TestCourier(t *testing.T) {
	c, ctx := newCarriage(t)
	c.tell("ab!cd", 7, 8)
	if err := c.Settled(ctx, alice.Peer()); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	for _, target := range []ids.Peer{7, 8} {
		if got := c.kept[target]; !orderly(got, "abcd") {
			t.Errorf("target %d got %q, want the order abcd", target, got)
		}
	}
	c.mu.Unlock()
	deadline := time.Now().Add(patience)
	for left := 0; left != 2; {
		err := c.store.View(ctx, func(r *store.Reader) error {
			rows, err := r.OutboxOf(alice.Peer(), 100)
			left = len(rows)
			return err
		})
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("%d rows left, want the two that fail: %v", left, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// TestSettled: it waits for what was committed before it, and for no more.
func TestSettled(t *testing.T) {
	c, ctx := newCarriage(t)
	c.tell("~", 9)
	<-c.entered
	settled := make(chan error, 1)
	go func() { settled <- c.Settled(ctx, alice.Peer()) }()
	select {
	case err := <-settled:
		t.Errorf("settled before it was: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	// The writer is busy, so the later row is one that only the courier has heard of.
	c.Committed(store.Commit{Outbox: []store.Outbox{
		{Box: alice.Peer(), N: 1 << 20, Target: 9, Kind: slow},
	}})
	c.gate <- struct{}{}
	select {
	case err := <-settled:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("waits for what came later")
	}
	<-c.entered
	c.gate <- struct{}{}
	if err := c.Settled(ctx, alice.Peer()); err != nil {
		t.Fatal(err)
	}
}

// orderly tells whether got, which may repeat, first names the letters of want in their order.
func orderly(got, want string) bool {
	seen := ""
	for _, c := range got {
		if !slices.Contains([]rune(seen), c) {
			seen += string(c)
		}
	}
	return seen == want
}
