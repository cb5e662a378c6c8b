package resolve_test

import (
	"context"
	"errors"
	"testing"

	"github.com/gotd/td/tg"

	"parley/internal/api/resolve"
	"parley/internal/chat"
	"parley/internal/chat/message"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

const (
	self  = ids.UserID(1001)
	other = ids.UserID(1002)
)

func hash(viewer, peer int64) int64 { return viewer*31 + peer }

func open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), store.Options{
		URL: storetest.SQLiteURL(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestNoPeerInDisguise makes sure that an address of one kind never resolves to a peer of another,
// whatever its numbers: a channel's id may be chosen so that its marked form is a user's.
func TestNoPeerInDisguise(t *testing.T) {
	const mark = 1_000_000_000_000
	x := resolve.Resolver{Hash: hash}
	channel := ids.PeerChannel(77)
	asChannel := int64(-mark) - int64(other)
	userHash := hash(int64(self), int64(other))
	channelHash := hash(int64(self), int64(channel))
	err := open(t).View(context.Background(), func(r *store.Reader) error {
		if p, err := x.Channel(r, self, &tg.InputChannel{
			ChannelID: asChannel, AccessHash: userHash,
		}); !errors.Is(err, chat.ErrChannelInvalid) {
			t.Errorf("a user's box resolved as channel %d: %v", p, err)
		}
		if p, err := x.Channel(r, self, &tg.InputChannel{
			ChannelID: int64(-mark) - int64(self),
		}); !errors.Is(err, chat.ErrChannelInvalid) {
			t.Errorf("the own box resolved as channel %d: %v", p, err)
		}
		for name, in := range map[string]tg.InputPeerClass{
			"a user as a channel": &tg.InputPeerChannel{
				ChannelID: asChannel, AccessHash: userHash,
			},
			"a channel as a user": &tg.InputPeerUser{
				UserID: int64(channel), AccessHash: channelHash,
			},
			"a basic group as a channel": &tg.InputPeerChannel{
				ChannelID: 5 - mark, AccessHash: hash(int64(self), -5),
			},
			"nobody": &tg.InputPeerUser{},
		} {
			if p, err := x.Peer(r, self, in); !errors.Is(err, chat.ErrPeerInvalid) {
				t.Errorf("%s resolved to %d: %v", name, p, err)
			}
		}
		if u, err := x.User(r, self, &tg.InputUser{
			UserID: int64(channel), AccessHash: channelHash,
		}); !errors.Is(err, chat.ErrUserInvalid) {
			t.Errorf("a channel resolved as user %d: %v", u, err)
		}
		if p, err := x.Channel(r, self, &tg.InputChannel{
			ChannelID: 77, AccessHash: channelHash,
		}); err != nil || p != channel {
			t.Errorf("a channel resolved to %d: %v", p, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestMessageOfAClosedChannel makes sure that messages vouch for nobody once their channel is
// closed to the viewer.
func TestMessageOfAClosedChannel(t *testing.T) {
	s := open(t)
	channel := ids.PeerChannel(77)
	write := func(fn func(*store.Tx) error) {
		t.Helper()
		if err := s.Update(context.Background(), channel, fn); err != nil {
			t.Fatal(err)
		}
	}
	body, err := message.Content{Text: "hello"}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	role := func(role store.Role, rights rights.Banned, until int64) {
		write(func(tx *store.Tx) error {
			return tx.PutMember(store.Member{
				Peer: channel, User: self, Role: role, Rights: int64(rights), Until: until, Date: 1,
			})
		})
	}
	m := store.Message{
		Box: channel, Peer: channel, From: other.Peer(), Origin: other.Peer(), Nonce: 1, Body: body,
	}
	write(func(tx *store.Tx) error {
		if err := tx.PutChat(store.Chat{Peer: channel, Flags: store.Megagroup}); err != nil {
			return err
		}
		_, err := tx.AddMessage(&m, 1, func(int64) []byte { return nil })
		return err
	})
	find := func(now int64) error {
		return s.View(context.Background(), func(r *store.Reader) error {
			x := resolve.Resolver{Hash: hash, Now: now}
			_, err := x.User(r, self, &tg.InputUserFromMessage{
				Peer: &tg.InputPeerChannel{
					ChannelID: 77, AccessHash: hash(int64(self), int64(channel)),
				},
				MsgID: int(m.ID), UserID: int64(other),
			})
			return err
		})
	}
	role(store.Participant, 0, 0)
	if err := find(1000); err != nil {
		t.Errorf("a member: %v", err)
	}
	role(store.Kicked, rights.NoView, 2000)
	if err := find(1000); !errors.Is(err, chat.ErrChannelPrivate) {
		t.Errorf("a banned user: %v", err)
	}
}
