package secret_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"testing"
	"time"

	"parley/internal/chat/secret"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/mtproto/crypt"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

const (
	alice, bob, carol ids.UserID = 1001, 1002, 1003
	phone, laptop     int64      = 11, 12
)

// world is three people whose outboxes are carried only when a test wants it, and each row twice:
// that is what a crash leads to.
type world struct {
	*testing.T
	*secret.Service
	carried map[ids.Peer]int64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, carried: make(map[ids.Peer]int64), Service: &secret.Service{
		Store: storetest.SQLite(t), Clock: clock.NewFake(time.Unix(1_700_000_000, 0)),
		Rand: rand.Reader, Group: crypt.NewGroup(),
		MayWrite: func(*store.Reader, ids.UserID, ids.Peer) error { return nil },
	}}
	for _, user := range []ids.UserID{alice, bob, carol} {
		w.update(user, func(tx *store.Tx) error {
			return tx.PutUser(store.User{ID: user, FirstName: "Somebody"})
		})
	}
	return w
}

func (w *world) update(user ids.UserID, fn func(*store.Tx) error) {
	w.Helper()
	if err := w.Store.Update(w.Context(), user.Peer(), fn); err != nil {
		w.Fatal(err)
	}
}

// carry carries out what boxes have to tell, twice, until nothing is left.
func (w *world) carry() {
	w.Helper()
	for {
		var rows []store.Outbox
		err := w.Store.View(w.Context(), func(r *store.Reader) (err error) {
			rows, err = r.Outbox(1000)
			return err
		})
		if err != nil {
			w.Fatal(err)
		}
		done := true
		for _, o := range rows {
			if o.N <= w.carried[o.Box] {
				continue
			}
			done = false
			w.carried[o.Box] = o.N
			for range 2 {
				w.update(o.Target.User(), func(tx *store.Tx) error {
					return w.Appliers()[o.Kind](tx, o)
				})
			}
		}
		if done {
			return
		}
	}
}

// again carries out all rows once more, as a process does that finds them left behind.
func (w *world) again() {
	w.Helper()
	clear(w.carried)
	w.carry()
}

func (w *world) element() []byte {
	w.Helper()
	var x [crypt.KeySize]byte
	if _, err := rand.Read(x[:]); err != nil {
		w.Fatal(err)
	}
	x = w.Group.ExpGenerator(&x)
	return x[:]
}

func (w *world) request(from, to ids.UserID, id int64) {
	w.Helper()
	who := secret.Caller{User: from, Key: phone + int64(from)}
	if _, err := w.Request(w.Context(), who, to, id, w.element()); err != nil {
		w.Fatal(err)
	}
}

func (w *world) state(user ids.UserID, id int64) store.SecretState {
	w.Helper()
	var c store.SecretChat
	err := w.Store.View(w.Context(), func(r *store.Reader) (err error) {
		c, err = r.SecretChat(user, id)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return c.State
}

func (w *world) are(what string, id int64, want map[ids.UserID]store.SecretState) {
	w.Helper()
	for user, state := range want {
		if got := w.state(user, id); got != state {
			w.Errorf("%s: for %d it is in state %d, want %d", what, user, got, state)
		}
	}
}

func (w *world) waiting(who secret.Caller) (out []store.SecretMessage) {
	w.Helper()
	err := w.Store.View(w.Context(), func(r *store.Reader) (err error) {
		out, err = r.SecretMessages(who.User, who.Key, 0, 100)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return out
}

// TestRowsRunTwice: every row may be carried out again, at once and much later, and what it did
// happens once.
func TestRowsRunTwice(t *testing.T) {
	w := newWorld(t)
	ctx := w.Context()
	a, b := secret.Caller{User: alice, Key: phone + int64(alice)}, secret.Caller{User: bob, Key: laptop}
	w.request(alice, bob, 7)
	w.carry()
	w.are("asked", 7, map[ids.UserID]store.SecretState{
		alice: store.SecretWaiting, bob: store.SecretRequested,
	})
	if _, err := w.Accept(ctx, b, 7, w.element(), 5); err != nil {
		t.Fatal(err)
	}
	w.carry()
	ready := map[ids.UserID]store.SecretState{alice: store.SecretReady, bob: store.SecretReady}
	w.are("accepted", 7, ready)
	data := bytes.Repeat([]byte{1}, 40)
	for n := range int64(3) {
		if _, err := w.Send(ctx, a, secret.Outgoing{Chat: 7, Random: n + 1, Data: data}); err != nil {
			t.Fatal(err)
		}
	}
	w.carry()
	if got := w.waiting(b); len(got) != 3 || got[2].Qts != 4 {
		t.Errorf("%d messages wait", len(got))
	}
	if _, err := w.Received(ctx, b, 4); err != nil {
		t.Fatal(err)
	}
	w.again()
	w.are("carried again", 7, ready)
	if got := w.waiting(b); len(got) != 0 {
		t.Errorf("messages came back: %v", got)
	}
	if err := w.Discard(ctx, b, 7, false); err != nil {
		t.Fatal(err)
	}
	w.carry()
	w.again()
	w.are("ended", 7, map[ids.UserID]store.SecretState{
		alice: store.SecretDiscarded, bob: store.SecretDiscarded,
	})
}

// TestCrossing: what both sides do at the same time ends alike on both.
func TestCrossing(t *testing.T) {
	over := map[ids.UserID]store.SecretState{
		alice: store.SecretDiscarded, bob: store.SecretDiscarded,
	}
	for name, cross := range map[string]func(ctx context.Context, w *world) error{
		"accepted while withdrawn": func(ctx context.Context, w *world) error {
			w.request(alice, bob, 7)
			w.carry()
			a := secret.Caller{User: alice, Key: phone + int64(alice)}
			if err := w.Discard(ctx, a, 7, false); err != nil {
				return err
			}
			_, err := w.Accept(ctx, secret.Caller{User: bob, Key: laptop}, 7, w.element(), 5)
			return err
		},
		"ended by both": func(ctx context.Context, w *world) error {
			w.request(alice, bob, 7)
			w.carry()
			a := secret.Caller{User: alice, Key: phone + int64(alice)}
			if err := w.Discard(ctx, a, 7, true); err != nil {
				return err
			}
			return w.Discard(ctx, secret.Caller{User: bob, Key: laptop}, 7, false)
		},
		"asked by both under one id": func(_ context.Context, w *world) error {
			w.request(alice, bob, 7)
			w.request(bob, alice, 7)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if err := cross(w.Context(), w); err != nil {
				t.Fatal(err)
			}
			w.carry()
			w.are(name, 7, over)
		})
	}
	t.Run("two ask one under one id", func(t *testing.T) {
		w := newWorld(t)
		w.request(alice, bob, 7)
		w.request(carol, bob, 7)
		w.carry()
		w.are("the first", 7, map[ids.UserID]store.SecretState{
			alice: store.SecretWaiting, bob: store.SecretRequested, carol: store.SecretDiscarded,
		})
	})
}
