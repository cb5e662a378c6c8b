package node

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gotd/td/tg"

	"parley/internal/blob"
	"parley/internal/ids"
	"parley/internal/store"
)

// TestHousekeepingGoesOn: what cannot be cleared away keeps nothing else from it.
func TestHousekeepingGoesOn(t *testing.T) {
	w := newWorld(t)
	b := w.join("Member 2")
	must(b.AccountDeleteAccount(ctx(), &tg.AccountDeleteAccountRequest{Reason: "test"}))(t)
	broken := errors.New("no pages")
	w.n.public = func() (publicDoor, error) { return publicDoor{}, broken }
	for range 3 {
		if err := w.n.clean(ctx()); !errors.Is(err, broken) {
			t.Errorf("housekeeping: %v", err)
		}
		w.settle()
	}
	err := w.n.Store.View(ctx(), func(r *store.Reader) error {
		u, err := r.User(b.self)
		if err == nil && !u.Flags.Has(store.UserErased) {
			t.Error("an account that was deleted is still there")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestErasure deletes an account: after some rounds of housekeeping nothing of its box is left, and
// the others keep what they have.
func TestErasure(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.join("Member 1"), w.join("Member 2"), w.join("Member 3")
	room, large := a.group(t, "Group", b, c), a.channel(t, "Room", false, b)
	a.say(b.self.Peer(), "private")
	b.say(room, "to the group")
	b.say(large, "to the room")
	b.say(b.self.Peer(), "to myself")
	b.profilePhoto(t)
	must(b.AccountDeleteAccount(ctx(), &tg.AccountDeleteAccountRequest{Reason: "test"}))(t)
	a.say(room, "without him")
	for range 3 {
		if err := w.n.clean(ctx()); err != nil {
			t.Fatal(err)
		}
		w.settle()
	}
	err := w.n.Store.View(ctx(), func(r *store.Reader) error {
		u, err := r.User(b.self)
		if err != nil || !u.Flags.Has(store.UserDeleted|store.UserErased) {
			t.Errorf("the account is %+v, %v", u, err)
		}
		for _, peer := range []ids.Peer{a.self.Peer(), b.self.Peer(), room} {
			rows, err := r.Older(b.self.Peer(), peer, 1<<31-1, 0, 10, 0)
			if err != nil || len(rows) > 0 {
				t.Errorf("%d messages with %d, %v", len(rows), peer, err)
			}
		}
		list, err := r.Dialogs(b.self)
		if err != nil || len(list) > 0 {
			t.Errorf("%d lines of the chat list, %v", len(list), err)
		}
		events, err := r.Events(b.self.Peer(), 0, 0, 10)
		if err != nil || len(events) > 0 {
			t.Errorf("%d entries of the log, %v", len(events), err)
		}
		photos, _, err := r.ProfilePhotos(b.self.Peer(), 10, 0)
		if err != nil || len(photos) > 0 {
			t.Errorf("%d photos, %v", len(photos), err)
		}
		for _, peer := range []ids.Peer{room, large} {
			m, err := r.Member(peer, b.self)
			if err != nil || m.Role.In() {
				t.Errorf("still in %d as %v, %v", peer, m.Role, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := a.history(t, b.self.Peer()); len(got) != 1 {
		t.Errorf("who wrote to him has %q", got)
	}
	if got := c.history(t, room); len(got) != 2 || got[1] != "to the group" {
		t.Errorf("the group has %q", got)
	}
	full, shown := c.full(t, room)
	if n := len(full.(*tg.ChatFull).Participants.(*tg.ChatParticipants).Participants); n != 2 ||
		shown.(*tg.Chat).ParticipantsCount != 2 {
		t.Errorf("the group has %d members, and says %+v", n, shown)
	}
}

// TestPapersAreSwept: housekeeping removes papers that nothing names, once they are a day old, and
// looks for them once a day.
func TestPapersAreSwept(t *testing.T) {
	w := newWorld(t)
	upload := func() blob.Digest {
		d, _, err := w.n.Papers.Put(ctx(), strings.NewReader("brought, and never sent"))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	clean := func(what string, want bool) {
		t.Helper()
		d := upload()
		if what != "young" {
			w.clock.Advance(25 * time.Hour)
		}
		if err := w.n.clean(ctx()); err != nil {
			t.Fatal(err)
		}
		_, err := w.n.Papers.Stat(ctx(), d)
		if err != nil && !errors.Is(err, blob.ErrNotFound) || (err == nil) != want {
			t.Errorf("%s: %v", what, err)
		}
	}
	clean("young", true)
	clean("old", false)
	clean("old again", false)
}
