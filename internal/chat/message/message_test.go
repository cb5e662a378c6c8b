package message_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/chat/fanout"
	"parley/internal/chat/message"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/store"
)

// world is a store with a courier, and people to write to each other.
type world struct {
	*message.Service
	t       *testing.T
	courier *fanout.Courier
	clock   *clock.Fake
	random  atomic.Int64
}

const (
	alice = ids.UserID(1001)
	bob   = ids.UserID(1002)
	carol = ids.UserID(1003)
	group = ids.Peer(-7)
)

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s, err := store.Open(ctx, store.Options{
		URL: "sqlite:" + filepath.Join(t.TempDir(), "parley.db"),
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, clock: clock.NewFake(time.Unix(1_700_000_000, 0))}
	w.Service = &message.Service{Store: s, Clock: w.clock, Random: w.next}
	appliers := make(map[int64]fanout.Applier)
	for kind, apply := range w.Appliers() {
		appliers[kind] = apply
	}
	w.courier = fanout.NewCourier(ctx, s, appliers, slog.New(slog.DiscardHandler))
	s.OnCommit(w.courier.Committed)
	t.Cleanup(func() {
		cancel()
		w.courier.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, id := range []ids.UserID{alice, bob, carol} {
		w.update(id.Peer(), func(tx *store.Tx) error {
			return tx.PutUser(store.User{ID: id, FirstName: "Person"})
		})
	}
	w.update(group, func(tx *store.Tx) error {
		if err := tx.PutChat(store.Chat{Peer: group, Title: "Group", Members: 3}); err != nil {
			return err
		}
		for i, id := range []ids.UserID{alice, bob, carol} {
			role := store.Participant
			if i == 0 {
				role = store.Creator
			}
			m := store.Member{Peer: group, User: id, Role: role, Date: 1}
			if err := tx.PutMember(m); err != nil {
				return err
			}
		}
		return nil
	})
	return w
}

func (w *world) next() int64 { return w.random.Add(1) }

func (w *world) update(key ids.Peer, fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.Store.Update(context.Background(), key, fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) view(fn func(*store.Reader) error) {
	w.t.Helper()
	if err := w.Store.View(context.Background(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// say sends a text and waits until all have it.
func (w *world) say(from ids.UserID, to ids.Peer, text string) message.Sent {
	w.t.Helper()
	return w.send(message.Outgoing{
		From: from, To: to, Random: w.next(), Content: message.Content{Text: text},
	})
}

func (w *world) send(o message.Outgoing) message.Sent {
	w.t.Helper()
	sent, err := w.Send(context.Background(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.settled(sent.Message.Box)
	return sent
}

func (w *world) settled(in ids.Peer) {
	w.t.Helper()
	if err := w.courier.Settled(context.Background(), in); err != nil {
		w.t.Fatal(err)
	}
}

// texts returns what a user sees with a peer, newest first.
func (w *world) texts(user ids.UserID, peer ids.Peer) (out []string) {
	w.t.Helper()
	w.view(func(r *store.Reader) error {
		rows, err := message.History(r, user, peer, 0, message.Page{Limit: 100})
		for _, m := range rows {
			c, err := message.DecodeContent(m.Body)
			if err != nil {
				return err
			}
			out = append(out, c.Text)
		}
		return err
	})
	return out
}

// copyOf returns somebody's row of a message.
func (w *world) copyOf(user ids.UserID, sent store.Message) (m store.Message) {
	w.t.Helper()
	w.view(func(r *store.Reader) (err error) {
		m, err = r.MessageByOrigin(user.Peer(), sent.Box, sent.ID)
		return err
	})
	return m
}

func (w *world) dialog(user ids.UserID, peer ids.Peer) (d store.Dialog) {
	w.t.Helper()
	w.view(func(r *store.Reader) (err error) {
		d, err = r.Dialog(user, peer)
		return err
	})
	return d
}

// whole fails unless the log of a box has every pts once and ends where the box stands.
func (w *world) whole(in ids.Peer) {
	w.t.Helper()
	w.view(func(r *store.Reader) error {
		b, err := r.Box(in)
		if err != nil {
			return err
		}
		events, err := r.Events(in, store.FirstPts, 0, 10_000)
		pts := int64(store.FirstPts)
		for _, e := range events {
			if e.Count > 0 && e.Pts-e.Count != pts {
				w.t.Errorf("box %d: %d follows %d", in, e.Pts, pts)
			}
			if e.Count > 0 {
				pts = e.Pts
			}
		}
		if pts != b.Pts {
			w.t.Errorf("box %d stands at %d, its log at %d", in, b.Pts, pts)
		}
		return err
	})
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %q, want %q", what, got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("%s: %q, want %q", what, got, want)
		}
	}
}

func TestPrivateMessageReachesBothBoxes(t *testing.T) {
	w := newWorld(t)
	w.say(alice, bob.Peer(), "one")
	w.say(bob, alice.Peer(), "two")
	equal(t, "alice sees", w.texts(alice, bob.Peer()), []string{"two", "one"})
	equal(t, "bob sees", w.texts(bob, alice.Peer()), []string{"two", "one"})
	if d := w.dialog(bob, alice.Peer()); d.Unread != 1 || d.Messages != 2 {
		t.Errorf("bob's dialog %+v", d)
	}
	w.whole(alice.Peer())
	w.whole(bob.Peer())
}

func TestRepeatedSendIsOneMessage(t *testing.T) {
	w := newWorld(t)
	o := message.Outgoing{
		From: alice, To: bob.Peer(), Random: 77, Content: message.Content{Text: "once"},
	}
	var wg sync.WaitGroup
	var fresh atomic.Int32
	var id atomic.Int64
	for range 20 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			sent, err := w.Send(context.Background(), o)
			if err != nil {
				t.Error(err)
				return
			}
			if !sent.Again {
				fresh.Add(1)
			}
			if old := id.Swap(sent.Message.ID); old != 0 && old != sent.Message.ID {
				t.Errorf("ids %d and %d", old, sent.Message.ID)
			}
		}()
	}
	wg.Wait()
	w.settled(alice.Peer())
	if fresh.Load() != 1 {
		t.Errorf("%d sends were fresh", fresh.Load())
	}
	equal(t, "bob sees", w.texts(bob, alice.Peer()), []string{"once"})
	w.whole(alice.Peer())
	w.whole(bob.Peer())
}

func TestGroupEditDeleteAndReadReachEveryCopy(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.say(bob, alice.Peer(), "shifts the numbering")
	sent := w.say(alice, group, "first")
	text := "changed"
	_, err := w.Edit(ctx, alice, group, sent.Message.ID, message.Change{Text: &text})
	if err != nil {
		t.Fatal(err)
	}
	w.settled(alice.Peer())
	for _, id := range []ids.UserID{alice, bob, carol} {
		equal(t, "after the edit", w.texts(id, group), []string{"changed"})
	}
	if _, err := w.Read(ctx, bob, group, 0); err != nil {
		t.Fatal(err)
	}
	w.settled(bob.Peer())
	if d := w.dialog(alice, group); d.ReadOut != sent.Message.ID {
		t.Errorf("alice learned that %d was read, want %d", d.ReadOut, sent.Message.ID)
	}
	if d := w.dialog(bob, group); d.Unread != 0 {
		t.Errorf("bob has %d unread", d.Unread)
	}
	if _, err := w.Delete(ctx, alice, []int64{sent.Message.ID}, true); err != nil {
		t.Fatal(err)
	}
	w.settled(alice.Peer())
	for _, id := range []ids.UserID{alice, bob, carol} {
		equal(t, "after the deletion", w.texts(id, group), nil)
		w.whole(id.Peer())
	}
}

func TestReplyPointsIntoEachBox(t *testing.T) {
	w := newWorld(t)
	w.say(carol, bob.Peer(), "shifts the numbering")
	first := w.say(alice, group, "question")
	reply := w.send(message.Outgoing{
		From: bob, To: group, Random: w.next(), Content: message.Content{Text: "answer"},
		ReplyTo: w.copyOf(bob, first.Message).ID,
	})
	for _, id := range []ids.UserID{alice, carol} {
		m := w.copyOf(id, reply.Message)
		want := first.Message.ID
		if id == carol {
			want = w.copyOf(carol, first.Message).ID
		}
		if m.ReplyTo != want {
			t.Errorf("%d sees a reply to %d, want %d", id, m.ReplyTo, want)
		}
	}
	if d := w.dialog(alice, group); d.Mentions != 1 {
		t.Errorf("alice has %d mentions, want 1", d.Mentions)
	}
	if d := w.dialog(carol, group); d.Mentions != 0 {
		t.Errorf("carol has %d mentions", d.Mentions)
	}
}

func TestBlockedSenderReachesNobody(t *testing.T) {
	w := newWorld(t)
	w.update(bob.Peer(), func(tx *store.Tx) error {
		_, err := tx.PutBlock(bob, alice.Peer(), 1)
		return err
	})
	w.say(alice, bob.Peer(), "hello?")
	equal(t, "alice sees", w.texts(alice, bob.Peer()), []string{"hello?"})
	equal(t, "bob sees", w.texts(bob, alice.Peer()), nil)
}

func TestReactionsReachEveryCopy(t *testing.T) {
	w := newWorld(t)
	sent := w.say(alice, group, "nice")
	other := w.copyOf(bob, sent.Message)
	if _, err := w.React(context.Background(), bob, group, other.ID, []string{"👍"}); err != nil {
		t.Fatal(err)
	}
	w.settled(bob.Peer())
	for _, m := range []store.Message{sent.Message, other, w.copyOf(carol, sent.Message)} {
		w.view(func(r *store.Reader) error {
			counts, err := r.ReactionCounts(m.Box, m.ID)
			if len(counts) != 1 || counts[0].Count != 1 || counts[0].Reaction != "👍" {
				t.Errorf("box %d: %+v", m.Box, counts)
			}
			return err
		})
	}
}

func TestStrangersMayNotWriteOrRead(t *testing.T) {
	w := newWorld(t)
	stranger := ids.UserID(1009)
	w.update(stranger.Peer(), func(tx *store.Tx) error {
		return tx.PutUser(store.User{ID: stranger})
	})
	_, err := w.Send(context.Background(), message.Outgoing{
		From: stranger, To: group, Random: 1, Content: message.Content{Text: "let me in"},
	})
	if !errors.Is(err, chat.ErrWriteForbidden) {
		t.Errorf("a stranger's message: %v", err)
	}
	sent := w.say(alice, group, "inside")
	text := "taken over"
	_, err = w.Edit(context.Background(), bob, group, w.copyOf(bob, sent.Message).ID,
		message.Change{Text: &text})
	if !errors.Is(err, chat.Forbidden("MESSAGE_AUTHOR_REQUIRED")) {
		t.Errorf("somebody else's edit: %v", err)
	}
}

func TestWhatIsDeliveredAgainStaysDeleted(t *testing.T) {
	w := newWorld(t)
	var rows []store.Outbox
	w.Store.OnCommit(func(c store.Commit) {
		rows = append(rows, c.Outbox...)
		w.courier.Committed(c)
	})
	sent := w.say(alice, bob.Peer(), "soon gone")
	copied := w.copyOf(bob, sent.Message)
	if _, err := w.Delete(context.Background(), bob, []int64{copied.ID}, false); err != nil {
		t.Fatal(err)
	}
	apply := w.Appliers()
	w.update(bob.Peer(), func(tx *store.Tx) error { return apply[rows[0].Kind](tx, rows[0]) })
	equal(t, "bob sees", w.texts(bob, alice.Peer()), nil)
}
