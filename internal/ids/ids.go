// Package ids names the things that the system counts: users, basic groups, channels and the peers
// that stand for any of them. An id is a plain integer, never reused and never secret; what proves
// that somebody may use it is an AccessHash. The package does arithmetic only: it stores nothing.
package ids

import "strconv"

// UserID identifies an account. Positive.
type UserID int64

// ChatID identifies a basic group. Positive.
type ChatID int64

// ChannelID identifies a supergroup or a broadcast channel. Positive.
type ChannelID int64

// Kind says what a peer is.
type Kind uint8

// The kinds of peer.
const (
	None Kind = iota
	User
	Chat
	Channel
)

// String returns the kind's name in the Telegram API.
func (k Kind) String() string {
	switch k {
	case User:
		return "user"
	case Chat:
		return "chat"
	case Channel:
		return "channel"
	default:
		return "none"
	}
}

// channelMark is subtracted from a negated channel id, so that one integer tells the kinds apart.
//
// https://core.telegram.org/api/bots/ids
const channelMark = 1_000_000_000_000

// Peer is an address: a user, a basic group or a channel in one integer. Users are positive, basic
// groups are -id, channels are -1000000000000-id; zero is no peer.
//
// https://core.telegram.org/api/bots/ids
type Peer int64

// PeerUser returns the peer of a user.
func PeerUser(id UserID) Peer { return Peer(id) }

// PeerChat returns the peer of a basic group.
func PeerChat(id ChatID) Peer { return Peer(-id) }

// PeerChannel returns the peer of a channel.
func PeerChannel(id ChannelID) Peer { return Peer(-channelMark - int64(id)) }

// Peer returns the user's peer.
func (id UserID) Peer() Peer { return PeerUser(id) }

// Peer returns the basic group's peer.
func (id ChatID) Peer() Peer { return PeerChat(id) }

// Peer returns the channel's peer.
func (id ChannelID) Peer() Peer { return PeerChannel(id) }

// Kind says what the peer is; None for zero.
func (p Peer) Kind() Kind {
	switch {
	case p > 0:
		return User
	case p == 0:
		return None
	case p > -channelMark:
		return Chat
	default:
		return Channel
	}
}

// User returns the user's id, or 0 when the peer is no user.
func (p Peer) User() UserID {
	if p.Kind() != User {
		return 0
	}
	return UserID(p)
}

// Chat returns the basic group's id, or 0 when the peer is no basic group.
func (p Peer) Chat() ChatID {
	if p.Kind() != Chat {
		return 0
	}
	return ChatID(-p)
}

// Channel returns the channel's id, or 0 when the peer is no channel.
func (p Peer) Channel() ChannelID {
	if p.Kind() != Channel {
		return 0
	}
	return ChannelID(-int64(p) - channelMark)
}

// String returns the marked id in decimal.
func (p Peer) String() string { return strconv.FormatInt(int64(p), 10) }
