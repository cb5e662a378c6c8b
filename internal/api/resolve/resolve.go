// Package resolve turns the addresses that clients send into peers, and refuses those that the
// client has not met: every access hash is checked against the one that this viewer was given, and
// the forms without a hash against the message that they point at. It decides nothing about what
// may be done with a peer.
//
// https://core.telegram.org/api/peers
package resolve

import (
	"errors"

	"github.com/gotd/td/tg"

	"parley/internal/chat"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/store"
)

// Resolver checks addresses of one viewer.
type Resolver struct {
	// Hash is the access hash of a peer for a viewer.
	Hash func(viewer, peer int64) int64
	// Now is the time in Unix seconds, by which bans have run out or not.
	Now int64
}

// user and channel are the peers of ids that clients send, 0 for an id that cannot be one of that
// kind: its marked form must not be the box of somebody else.
func user(id int64) ids.Peer {
	if id <= 0 {
		return 0
	}
	return ids.PeerUser(ids.UserID(id))
}

func channel(id int64) ids.Peer {
	if peer := ids.PeerChannel(ids.ChannelID(id)); id > 0 && peer.Kind() == ids.Channel {
		return peer
	}
	return 0
}

// Peer resolves an InputPeer.
func (x Resolver) Peer(r *store.Reader, self ids.UserID, in tg.InputPeerClass) (ids.Peer, error) {
	switch p := in.(type) {
	case *tg.InputPeerSelf:
		return self.Peer(), nil
	case *tg.InputPeerUser:
		return x.hashed(self, user(p.UserID), p.AccessHash)
	case *tg.InputPeerChat:
		return x.chat(r, self, p.ChatID)
	case *tg.InputPeerChannel:
		return x.hashed(self, channel(p.ChannelID), p.AccessHash)
	case *tg.InputPeerUserFromMessage:
		return x.fromMessage(r, self, p.Peer, p.MsgID, user(p.UserID))
	case *tg.InputPeerChannelFromMessage:
		return x.fromMessage(r, self, p.Peer, p.MsgID, channel(p.ChannelID))
	default:
		return 0, chat.ErrPeerInvalid
	}
}

// User resolves an InputUser.
func (x Resolver) User(r *store.Reader, self ids.UserID, in tg.InputUserClass) (ids.UserID, error) {
	var peer ids.Peer
	var err error
	switch u := in.(type) {
	case *tg.InputUserSelf:
		return self, nil
	case *tg.InputUser:
		peer, err = x.hashed(self, user(u.UserID), u.AccessHash)
	case *tg.InputUserFromMessage:
		peer, err = x.fromMessage(r, self, u.Peer, u.MsgID, user(u.UserID))
	default:
		return 0, chat.ErrUserInvalid
	}
	if err != nil {
		if errors.Is(err, chat.ErrPeerInvalid) {
			err = chat.ErrUserInvalid
		}
		return 0, err
	}
	return peer.User(), nil
}

// Channel resolves an InputChannel.
func (x Resolver) Channel(
	r *store.Reader, self ids.UserID, in tg.InputChannelClass,
) (ids.Peer, error) {
	var peer ids.Peer
	var err error
	switch c := in.(type) {
	case *tg.InputChannel:
		peer, err = x.hashed(self, channel(c.ChannelID), c.AccessHash)
	case *tg.InputChannelFromMessage:
		peer, err = x.fromMessage(r, self, c.Peer, c.MsgID, channel(c.ChannelID))
	default:
		return 0, chat.ErrChannelInvalid
	}
	if errors.Is(err, chat.ErrPeerInvalid) {
		err = chat.ErrChannelInvalid
	}
	return peer, err
}

// hashed accepts a peer whose access hash is the one that this viewer was given.
func (x Resolver) hashed(self ids.UserID, peer ids.Peer, hash int64) (ids.Peer, error) {
	switch {
	case peer == 0:
		return 0, chat.ErrPeerInvalid
	case peer == self.Peer():
		return peer, nil
	case hash != x.Hash(int64(self), int64(peer)):
		return 0, chat.ErrPeerInvalid
	}
	return peer, nil
}

// chat accepts a basic group that the viewer is or was in: its address has no hash.
func (x Resolver) chat(r *store.Reader, self ids.UserID, id int64) (ids.Peer, error) {
	peer := ids.PeerChat(ids.ChatID(id))
	if id <= 0 || peer.Kind() != ids.Chat {
		return 0, chat.ErrPeerInvalid
	}
	m, err := r.Member(peer, self)
	if err != nil {
		return 0, err
	}
	if m.Date == 0 {
		return 0, chat.ErrPeerInvalid
	}
	return peer, nil
}

// fromMessage accepts a peer that a message which the viewer can see refers to.
func (x Resolver) fromMessage(
	r *store.Reader, self ids.UserID, in tg.InputPeerClass, id int, of ids.Peer,
) (ids.Peer, error) {
	switch in.(type) {
	case *tg.InputPeerUserFromMessage, *tg.InputPeerChannelFromMessage:
		return 0, chat.ErrPeerInvalid
	}
	where, err := x.Peer(r, self, in)
	if err != nil {
		return 0, err
	}
	if _, err := message.See(r, self, where, x.Now); err != nil {
		return 0, err
	}
	m, err := message.Get(r, self, where, int64(id))
	if err != nil {
		return 0, err
	}
	if of == 0 || !refers(m, of) {
		return 0, chat.ErrPeerInvalid
	}
	return of, nil
}

// refers tells whether a message names a peer.
func refers(m store.Message, of ids.Peer) bool {
	if m.From == of || m.Peer == of {
		return true
	}
	c, err := message.DecodeContent(m.Body)
	if err != nil {
		return false
	}
	if f := c.Forward; f != nil && (f.From == of || f.SavedPeer == of) {
		return true
	}
	for _, e := range c.Entities {
		if e.Kind == message.MentionName && ids.Peer(e.ID) == of {
			return true
		}
	}
	if a := c.Action; a != nil {
		if a.Peer == of || a.User.Peer() == of {
			return true
		}
		for _, u := range a.Users {
			if u.Peer() == of {
				return true
			}
		}
	}
	return c.Media != nil && c.Media.User != 0 && c.Media.User.Peer() == of
}
