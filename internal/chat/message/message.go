// Package message makes the rules of messages: sending, editing, deleting, forwarding, reading,
// pinning and reacting, in private chats, basic groups and channels. Who is in a chat and with what
// rights is group's and channel's; the chat list is dialog's; nothing here renders or pushes.
//
// In a private chat or a basic group a message is a row in the box of every participant, each in
// its own numbering. The sender's transaction writes the sender's row and tells the other boxes by
// the outbox; their rows refer back to it (Ref), and so do later edits, deletions and reactions. In
// a channel there is one row for all.
//
// Invariants: a (sender, random_id) is one message, however often it is sent; whoever may not read
// a chat learns nothing of its messages; what is deleted for all disappears from every box.
package message

import (
	"context"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/chat/restrict"
	"parley/internal/chat/rights"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/store"
)

// Kinds of outbox rows that this package writes and applies. Values are stored.
const (
	TellDeliver    = 1
	TellEdit       = 2
	TellDelete     = 3
	TellRead       = 4
	TellReact      = 5
	TellPin        = 6
	TellMention    = 7
	TellChannelOwn = 8
	TellContents   = 9
)

// Screener looks at a message before it is accepted; an error refuses it.
type Screener func(ctx context.Context, from ids.UserID, to ids.Peer, c Content) error

// Service applies the rules of messages.
type Service struct {
	Store *store.Store
	Clock clock.Clock
	// Random gives the random_id of messages that the server itself sends; never 0.
	Random func() int64
	// Screen is asked before a message is accepted; nil accepts all.
	Screen Screener
	// Accounts knows whom the service keeps from writing; nil keeps nobody.
	Accounts *restrict.Accounts
}

// Ref names a message in all boxes: the box where it was sent, and its id there.
type Ref struct {
	Box ids.Peer `cbor:"1,keyasint"`
	ID  int64    `cbor:"2,keyasint"`
}

// RefOf returns the name of a message by one of its rows.
func RefOf(m store.Message) Ref {
	if m.Box.Kind() == ids.Channel || m.Flags.Has(store.Out) || m.Origin == m.Box {
		return Ref{Box: m.Box, ID: m.ID}
	}
	return Ref{Box: m.Origin, ID: m.Nonce}
}

// find returns the row of a message in a box.
func find(r *store.Reader, in ids.Peer, ref Ref) (store.Message, error) {
	if ref.Box == in {
		return r.Message(in, ref.ID)
	}
	return r.MessageByOrigin(in, ref.Box, ref.ID)
}

// BoxOf returns the box in which a user sees a peer's messages.
func BoxOf(user ids.UserID, peer ids.Peer) ids.Peer {
	if peer.Kind() == ids.Channel {
		return peer
	}
	return user.Peer()
}

// Get returns a message as a row of the user's view of peer, ErrMessageIDInvalid when there is none
// or it is hidden from him. Whether he may see the peer at all is See's to tell.
func Get(r *store.Reader, user ids.UserID, peer ids.Peer, id int64) (store.Message, error) {
	m, err := r.Message(BoxOf(user, peer), id)
	if errors.Is(err, store.ErrNotFound) || err == nil && m.Peer != peer {
		return store.Message{}, chat.ErrMessageIDInvalid
	}
	if err != nil || peer.Kind() != ids.Channel {
		return m, err
	}
	above, err := Horizon(r, user, peer)
	if err == nil && id <= above {
		err = chat.ErrMessageIDInvalid
	}
	return m, err
}

// Horizon returns the id up to which a user does not see a peer's messages: what was before he
// joined a chat that hides its history, or what he deleted for himself.
func Horizon(r *store.Reader, user ids.UserID, peer ids.Peer) (int64, error) {
	d, err := r.DialogOrNew(user, peer)
	return d.MinID, err
}

// Access is what a user may do with a peer: the chat's row and his standing in it, or in a private
// chat the other's row.
type Access struct {
	User   store.User
	Chat   store.Chat
	Member store.Member
}

// See returns the access of a user to a peer, or a refusal when he may not read it.
func See(r *store.Reader, user ids.UserID, peer ids.Peer, now int64) (Access, error) {
	var a Access
	switch peer.Kind() {
	case ids.User:
		var err error
		a.User, err = r.User(peer.User())
		if errors.Is(err, store.ErrNotFound) {
			return a, chat.ErrPeerInvalid
		}
		return a, err
	case ids.Chat, ids.Channel:
	default:
		return a, chat.ErrPeerInvalid
	}
	var err error
	if a.Chat, err = r.Chat(peer); err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return a, chat.ErrPeerInvalid
		}
		return a, err
	}
	if a.Member, err = r.Member(peer, user); err != nil {
		return a, err
	}
	if peer.Kind() == ids.Channel && !rights.CanSee(a.Chat, a.Member, now) {
		return a, chat.ErrChannelPrivate
	}
	if a.Chat.Flags.Has(store.ChatTerminated) {
		return a, chat.ErrChatInvalid
	}
	return a, nil
}

// mayAct tells whether a user may change what others see of a peer's messages: in a basic group
// only members may, and nobody once it is closed. In a channel See has told already.
func mayAct(a Access, peer ids.Peer) error {
	closed := a.Chat.Flags.Has(store.Deactivated) || !a.Member.Role.In()
	if peer.Kind() == ids.Chat && closed {
		return chat.ErrWriteForbidden
	}
	return nil
}

// participants returns who gets a row of a basic group's messages.
func participants(r *store.Reader, peer ids.Peer) ([]ids.UserID, error) {
	members, err := r.Members(peer, store.Participant, store.Creator, maxParticipants, 0)
	if err != nil {
		return nil, err
	}
	out := make([]ids.UserID, len(members))
	for i, m := range members {
		out[i] = m.User
	}
	return out, nil
}

// others returns in whose boxes besides the user's the messages of a peer are.
func others(r *store.Reader, user ids.UserID, peer ids.Peer) ([]ids.UserID, error) {
	switch peer.Kind() {
	case ids.User:
		if peer.User() == user {
			return nil, nil
		}
		return []ids.UserID{peer.User()}, nil
	case ids.Chat:
		all, err := participants(r, peer)
		if err != nil {
			return nil, err
		}
		out := all[:0]
		for _, id := range all {
			if id != user {
				out = append(out, id)
			}
		}
		return out, nil
	}
	return nil, nil
}

// reached returns in whose boxes something new from the user arrives: all others', but for somebody
// who has blocked him. He does not learn of it.
func reached(r *store.Reader, user ids.UserID, peer ids.Peer) ([]ids.UserID, error) {
	list, err := others(r, user, peer)
	if err != nil || peer.Kind() != ids.User || len(list) == 0 {
		return list, err
	}
	blocked, err := r.Blocked(list[0], user.Peer())
	if blocked {
		return nil, err
	}
	return list, err
}

// maxParticipants bounds how many members of a basic group are read; the group itself is bounded
// lower, when people join.
const maxParticipants = 1000

// mirror is the peer under which somebody else sees the dialog that user has with peer.
func mirror(user ids.UserID, peer ids.Peer) ids.Peer {
	if peer.Kind() == ids.User {
		return user.Peer()
	}
	return peer
}

// tell writes an outbox row with a CBOR body.
func tell(tx *store.Tx, from, to ids.Peer, kind int64, body any) error {
	b, err := encode(body)
	if err != nil {
		return err
	}
	return tx.Tell(store.Outbox{Box: from, Target: to, Kind: kind, Body: b})
}

// encode writes the body of an outbox row.
func encode(body any) ([]byte, error) {
	b, err := cbor.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("message: encode outbox row: %w", err)
	}
	return b, nil
}

// told reads the body of an outbox row.
func told(o store.Outbox, body any) error {
	if err := cbor.Unmarshal(o.Body, body); err != nil {
		return fmt.Errorf("message: outbox row %d of %d: %w", o.N, o.Box, err)
	}
	return nil
}

// Appliers carry out the outbox rows of this package in the target's box. Each may run more than
// once with the same row.
func (s *Service) Appliers() map[int64]func(*store.Tx, store.Outbox) error {
	return map[int64]func(*store.Tx, store.Outbox) error{
		TellDeliver:    s.applyDeliver,
		TellEdit:       s.applyEdit,
		TellDelete:     s.applyDelete,
		TellRead:       s.applyRead,
		TellReact:      s.applyReact,
		TellPin:        s.applyPin,
		TellMention:    s.applyMention,
		TellChannelOwn: s.applyChannelOwn,
		TellContents:   s.applyContents,
	}
}

// dropGone makes an applier forgive that the message is no longer there.
func dropGone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// append1 adds an entry that counts one.
func append1(
	tx *store.Tx, in ids.Peer, kind box.Kind, now int64, e box.Entry,
) (store.Event, error) {
	return box.Append(tx, in, kind, 1, now, e)
}
