// Package group makes the rules of chats with many people, whatever their kind: who is a member and
// how he becomes or ceases to be one, what a chat is called and shows, invite links and requests to
// join, the log of what admins did; and basic groups altogether. What only supergroups and
// broadcast channels have (names, bans, admins' rights) is in package channel. Messages are
// message's.
//
// A chat's row, members, links and log are one shard, each member's chat list another: what a
// membership means for the list travels by the outbox, and its appliers may run again with the same
// row.
//
// Invariants: a chat's count of members is the number of its member rows that are in; nobody gets
// in who is banned, or past the limit; joining costs the same in a chat of any size.
//
// https://core.telegram.org/api/channel
package group

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/chat/contact"
	"parley/internal/chat/message"
	"parley/internal/chat/restrict"
	"parley/internal/chat/rights"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// Kinds of outbox rows that this package writes and applies. Values are stored.
const (
	TellJoined = 20
	TellLeft   = 21
	TellNote   = 22
)

// firstGroup is the id of the first basic group.
const firstGroup = 100_001

// AdminRights are what an admin of a basic group may do.
const AdminRights = rights.ChangeInfo | rights.DeleteMessages | rights.BanUsers |
	rights.InviteUsers | rights.PinMessages | rights.ManageCall | rights.Other

// Service applies the rules of this package.
type Service struct {
	Store   *store.Store
	Clock   clock.Clock
	Message *message.Service
	// Rand gives the secrets of invite links.
	Rand io.Reader
}

// Appliers carry out the outbox rows of this package in the target's box.
func (s *Service) Appliers() map[int64]func(*store.Tx, store.Outbox) error {
	return map[int64]func(*store.Tx, store.Outbox) error{
		TellJoined: s.applyJoined,
		TellLeft:   s.applyLeft,
		TellNote:   s.applyNote,
	}
}

func (s *Service) now() int64 { return s.Clock.Now().Unix() }

// Title checks and trims the name of a chat.
func Title(title string) (string, error) {
	title = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, title))
	if title == "" || !utf8.ValidString(title) {
		return "", chat.Invalid("CHAT_TITLE_EMPTY")
	}
	if utf8.RuneCountInString(title) > limit.TitleRunes {
		return "", chat.Invalid("CHAT_TITLE_EMPTY")
	}
	return title, nil
}

// About checks and trims the description of a chat.
func About(about string) (string, error) {
	about = strings.TrimSpace(about)
	if !utf8.ValidString(about) || utf8.RuneCountInString(about) > limit.AboutRunes {
		return "", chat.Invalid("CHAT_ABOUT_TOO_LONG")
	}
	return about, nil
}

// Access returns a chat and the user's standing in it, or a refusal when he may not see what goes
// on in it: a channel that is hidden from him, a basic group that he is not in.
func Access(
	r *store.Reader, user ids.UserID, peer ids.Peer, now int64,
) (store.Chat, store.Member, error) {
	a, err := message.See(r, user, peer, now)
	if err != nil {
		return a.Chat, a.Member, err
	}
	if peer.Kind() == ids.Chat && (!a.Member.Role.In() || a.Chat.Flags.Has(store.Deactivated)) {
		return a.Chat, a.Member, chat.ErrChatInvalid
	}
	if peer.Kind() == ids.User {
		err = chat.ErrPeerInvalid
	}
	return a.Chat, a.Member, err
}

// Create makes a basic group of the creator and those of the others who let him add them, and tells
// them by its first message. It returns who could not be added.
//
// https://core.telegram.org/method/messages.createChat
func (s *Service) Create(
	ctx context.Context, creator ids.UserID, title string, others []ids.UserID,
) (peer ids.Peer, sent message.Sent, missing []ids.UserID, err error) {
	if title, err = Title(title); err != nil {
		return 0, sent, nil, err
	}
	add, missing, err := s.willing(ctx, creator, others)
	if err != nil {
		return 0, sent, nil, err
	}
	if len(add)+1 > limit.ChatMembers {
		return 0, sent, nil, chat.Invalid("USERS_TOO_MUCH")
	}
	id, err := NextID(ctx, s.Store, "chat", firstGroup)
	if err != nil {
		return 0, sent, nil, err
	}
	peer = ids.PeerChat(ids.ChatID(id))
	now := s.now()
	err = s.Store.Update(ctx, peer, func(tx *store.Tx) error {
		err := tx.PutChat(store.Chat{
			Peer: peer, Title: title, Creator: creator, Created: now,
			Members: int64(len(add)) + 1, Version: 1,
		})
		if err != nil {
			return err
		}
		for _, id := range append([]ids.UserID{creator}, add...) {
			m := store.Member{
				Peer: peer, User: id, Role: store.Participant, Actor: creator, Date: now,
			}
			if id == creator {
				m.Role = store.Creator
			}
			if err := tx.PutMember(m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, sent, nil, err
	}
	sent, err = s.Message.Announce(ctx, creator, peer, message.Action{
		Kind: message.ChatCreate, Title: title, Users: append([]ids.UserID{creator}, add...),
	}, message.Announcement{})
	return peer, sent, missing, err
}

// NextID allots an id from a named row of ids.
func NextID(ctx context.Context, s *store.Store, name string, first int64) (id int64, err error) {
	err = s.Update(ctx, 0, func(tx *store.Tx) (err error) {
		id, err = tx.Next(name, first)
		return err
	})
	return id, err
}

// willing divides people into those who let the user add them to chats, each once, and the rest.
func (s *Service) willing(
	ctx context.Context, user ids.UserID, list []ids.UserID,
) (yes, no []ids.UserID, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		yes, no = nil, nil
		seen := map[ids.UserID]bool{user: true}
		for _, id := range list {
			if seen[id] {
				continue
			}
			seen[id] = true
			ok, err := s.lets(r, user, id)
			if err != nil {
				return err
			}
			if ok {
				yes = append(yes, id)
			} else {
				no = append(no, id)
			}
		}
		return nil
	})
	return yes, no, err
}

// lets tells whether a user may add somebody else to a chat.
func (s *Service) lets(r *store.Reader, user, other ids.UserID) (bool, error) {
	u, err := r.User(other)
	if store.IsNotFound(err) {
		return false, chat.ErrUserInvalid
	}
	if err != nil || u.Flags.Has(store.UserDeleted) || u.Flags.Has(store.UserService) ||
		u.Flags.Has(store.UserTerminated) {
		return false, err
	}
	if u.Flags.Has(store.UserMeasured) {
		standing, err := restrict.StandingOf(r, other)
		if err != nil || standing.Frozen || standing.Stay {
			return false, err
		}
	}
	// To be added to a chat is to get its messages.
	var refused chat.Refusal
	if err := s.Message.MayWrite(r, user, other.Peer()); errors.As(err, &refused) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return contact.Allows(r, user, other, contact.Invite)
}

// tell writes an outbox row with a CBOR body.
func tell(tx *store.Tx, from, to ids.Peer, kind int64, body any) error {
	b, err := cbor.Marshal(body)
	if err != nil {
		return fmt.Errorf("group: encode outbox row: %w", err)
	}
	return tx.Tell(store.Outbox{Box: from, Target: to, Kind: kind, Body: b})
}

// told reads the body of an outbox row.
func told(o store.Outbox, body any) error {
	if err := cbor.Unmarshal(o.Body, body); err != nil {
		return fmt.Errorf("group: outbox row %d of %d: %w", o.N, o.Box, err)
	}
	return nil
}

// note is the body of a TellNote row: an entry without a pts for the target's log.
type note struct {
	Kind  box.Kind  `cbor:"1,keyasint"`
	Entry box.Entry `cbor:"2,keyasint"`
}

func (s *Service) applyNote(tx *store.Tx, o store.Outbox) error {
	var n note
	if err := told(o, &n); err != nil {
		return err
	}
	_, err := box.Note(tx, o.Target, n.Kind, s.now(), n.Entry)
	return err
}

// NoteTo lets somebody's devices know that a chat changed for him.
func NoteTo(tx *store.Tx, peer ids.Peer, user ids.UserID, kind box.Kind) error {
	return tell(tx, peer, user.Peer(), TellNote, note{kind, box.Entry{Peer: peer}})
}

// Noted lets everybody in a chat know that it changed: a channel by its own log, a basic group by a
// row for each member.
func Noted(tx *store.Tx, peer ids.Peer, kind box.Kind, now int64) error {
	if peer.Kind() == ids.Channel {
		_, err := box.Note(tx, peer, kind, now, box.Entry{Peer: peer})
		return err
	}
	members, err := tx.Members(peer, store.Participant, store.Creator, limit.ChatMembers, 0)
	if err != nil {
		return err
	}
	for _, m := range members {
		if err := NoteTo(tx, peer, m.User, kind); err != nil {
			return err
		}
	}
	return nil
}
