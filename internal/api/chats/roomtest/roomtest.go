// Package roomtest gives tests of handlers about chats of many people a store with its courier, the
// services of the domain, and people.
package roomtest

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/desk"
	"parley/internal/api/view"
	"parley/internal/chat/channel"
	"parley/internal/chat/dialog"
	"parley/internal/chat/fanout"
	"parley/internal/chat/group"
	"parley/internal/chat/message"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/store"
)

// People of a world.
const (
	Alice = ids.UserID(1001)
	Bob   = ids.UserID(1002)
	Carol = ids.UserID(1003)
	Dave  = ids.UserID(1004)
	Erin  = ids.UserID(1005)
)

// World is a store with what works on it.
type World struct {
	T       testing.TB
	Store   *store.Store
	Clock   *clock.Fake
	Courier *fanout.Courier
	Message *message.Service
	Group   *group.Service
	Channel *channel.Service
	Desk    desk.Desk
	random  atomic.Int64
}

// New makes a world on a store.
func New(t testing.TB, s *store.Store) *World {
	t.Helper()
	w := &World{T: t, Store: s, Clock: clock.NewFake(time.Unix(1_700_000_000, 0))}
	w.Message = &message.Service{Store: s, Clock: w.Clock, Random: w.Random}
	w.Group = &group.Service{Store: s, Clock: w.Clock, Message: w.Message, Rand: rand.Reader}
	w.Channel = &channel.Service{
		Store: s, Clock: w.Clock, Message: w.Message, Group: w.Group, Settled: w.Settled,
	}
	appliers := make(map[int64]fanout.Applier)
	for _, of := range []map[int64]func(*store.Tx, store.Outbox) error{
		w.Message.Appliers(), w.Group.Appliers(), w.Channel.Appliers(),
	} {
		for kind, apply := range of {
			if appliers[kind] != nil {
				t.Fatalf("two appliers of kind %d", kind)
			}
			appliers[kind] = apply
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.Courier = fanout.NewCourier(ctx, s, appliers, slog.New(slog.DiscardHandler))
	s.OnCommit(w.Courier.Committed)
	t.Cleanup(func() {
		cancel()
		w.Courier.Wait()
	})
	w.Desk = desk.Desk{Store: s, Env: &view.Env{
		DC:        2,
		Hash:      Hash,
		MediaHash: func(id int64) int64 { return id },
		Reference: func(view.Origin) []byte { return nil },
		Online:    func(ids.UserID) int64 { return 0 },
		Prefix:    "https://chat.example/",
	}}
	for i, id := range []ids.UserID{Alice, Bob, Carol, Dave, Erin} {
		names := []string{"Alice", "Bob", "Carol", "Dave", "Erin"}
		w.AddUser(id, names[i])
	}
	return w
}

// Hash is the access hash of a peer for a viewer.
func Hash(viewer, peer int64) int64 { return viewer*31 + peer }

// Random is a random_id that was not given before.
func (w *World) Random() int64 { return w.random.Add(1) }

// Settled waits until what a box had to tell others is done.
func (w *World) Settled(ctx context.Context, in ids.Peer) error { return w.Courier.Settled(ctx, in) }

// Quiet waits until a box has nothing more to tell, what it tells itself included.
func (w *World) Quiet(in ids.Peer) {
	w.T.Helper()
	for {
		if err := w.Settled(context.Background(), in); err != nil {
			w.T.Fatal(err)
		}
		var left []store.Outbox
		err := w.Store.View(context.Background(), func(r *store.Reader) (err error) {
			left, err = r.OutboxOf(in, 1)
			return err
		})
		if err != nil {
			w.T.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
	}
}

// AddUser makes an account.
func (w *World) AddUser(id ids.UserID, name string) {
	w.T.Helper()
	w.Update(id.Peer(), func(tx *store.Tx) error {
		return tx.PutUser(store.User{ID: id, FirstName: name})
	})
}

// Call is a request of somebody.
func (w *World) Call(who ids.UserID) *api.Call {
	return &api.Call{Context: context.Background(), Self: who, Now: w.Clock.Now()}
}

// Update writes rows of one key.
func (w *World) Update(key ids.Peer, fn func(*store.Tx) error) {
	w.T.Helper()
	if err := w.Store.Update(context.Background(), key, fn); err != nil {
		w.T.Fatal(err)
	}
}

// View reads.
func (w *World) View(fn func(*store.Reader) error) {
	w.T.Helper()
	if err := w.Store.View(context.Background(), fn); err != nil {
		w.T.Fatal(err)
	}
}

// Post sends a text and returns its id in the sender's numbering.
func (w *World) Post(from ids.UserID, to ids.Peer, text string) int64 {
	w.T.Helper()
	sent, err := w.Message.Send(context.Background(), message.Outgoing{
		From: from, To: to, Random: w.Random(), Content: message.Content{Text: text},
	})
	if err != nil {
		w.T.Fatal(err)
	}
	if err := w.Settled(context.Background(), sent.Message.Box); err != nil {
		w.T.Fatal(err)
	}
	return sent.Message.ID
}

// Member returns somebody's standing.
func (w *World) Member(peer ids.Peer, who ids.UserID) (m store.Member) {
	w.T.Helper()
	w.View(func(r *store.Reader) (err error) {
		m, err = r.Member(peer, who)
		return err
	})
	return m
}

// Chat returns a chat's row.
func (w *World) Chat(peer ids.Peer) (c store.Chat) {
	w.T.Helper()
	w.View(func(r *store.Reader) (err error) {
		c, err = r.Chat(peer)
		return err
	})
	return c
}

// Exact fails unless the count of members is the number of member rows that are in.
func (w *World) Exact(peer ids.Peer, want int64) {
	w.T.Helper()
	w.View(func(r *store.Reader) error {
		n, err := r.MemberCount(peer, store.Participant, store.Creator)
		if c := w.Chat(peer); c.Members != n || n != want {
			w.T.Errorf("chat %d counts %d members and has %d, want %d", peer, c.Members, n, want)
		}
		return err
	})
}

// Listed tells whether a peer is on somebody's chat list.
func (w *World) Listed(who ids.UserID, peer ids.Peer) (found bool) {
	w.T.Helper()
	w.View(func(r *store.Reader) error {
		lines, err := dialog.List(r, who, 0)
		for _, l := range lines {
			found = found || l.Peer == peer
		}
		return err
	})
	return found
}

// Last returns the last service message in somebody's view of a chat.
func (w *World) Last(who ids.UserID, peer ids.Peer) message.Action {
	w.T.Helper()
	var out message.Action
	w.View(func(r *store.Reader) error {
		rows, err := message.History(r, who, peer, 0, message.Page{Limit: 1})
		if err != nil || len(rows) == 0 {
			return err
		}
		c, err := message.DecodeContent(rows[0].Body)
		if c.Action != nil {
			out = *c.Action
		}
		return err
	})
	return out
}

// Refused fails unless err is the refusal.
func (w *World) Refused(what string, err, want error) {
	w.T.Helper()
	if !errors.Is(err, want) {
		w.T.Errorf("%s: %v, want %v", what, err, want)
	}
}

// InputChannel makes the InputChannel of somebody.
func InputChannel(who ids.UserID, peer ids.Peer) *tg.InputChannel {
	return &tg.InputChannel{
		ChannelID: int64(peer.Channel()), AccessHash: Hash(int64(who), int64(peer)),
	}
}

// InputUser makes the InputUser of somebody about somebody.
func InputUser(who, about ids.UserID) *tg.InputUser {
	return &tg.InputUser{UserID: int64(about), AccessHash: Hash(int64(who), int64(about))}
}

// InputPeer makes the InputPeer of somebody.
func InputPeer(who ids.UserID, peer ids.Peer) tg.InputPeerClass {
	hash := Hash(int64(who), int64(peer))
	switch peer.Kind() {
	case ids.User:
		return &tg.InputPeerUser{UserID: int64(peer), AccessHash: hash}
	case ids.Chat:
		return &tg.InputPeerChat{ChatID: int64(peer.Chat())}
	default:
		return &tg.InputPeerChannel{ChannelID: int64(peer.Channel()), AccessHash: hash}
	}
}
