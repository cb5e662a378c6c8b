// Package channel makes the rules that only supergroups and broadcast channels have: names under
// which anybody finds them, admins with rights of their own, bans and restrictions, slow mode, who
// sees which history, and how a basic group becomes a supergroup. Membership and what all chats
// have in common is package group's, messages are message's.
//
// Invariants: an admin gives no right that he does not have and takes none from an admin that
// others made; nobody demotes or bans the creator; a name leads to one peer at most, and one that is taken
// back leads nowhere; deleting a channel costs its creator the same however many are in it.
//
// https://core.telegram.org/api/channel
package channel

import (
	"context"
	"errors"
	"strings"

	"parley/internal/chat"
	"parley/internal/chat/group"
	"parley/internal/chat/message"
	"parley/internal/chat/rights"
	"parley/internal/chat/search/terms"
	"parley/internal/chat/username"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/store"
)

// Kinds of outbox rows that this package writes and applies. Values are stored.
const (
	TellSweep   = 23
	TellMigrate = 24
)

// firstChannel is the id of the first channel. It has ten digits because there are clients, GramJS
// among them, that mark channels by writing -100 before the digits.
const firstChannel = 1_000_000_001

// Service applies the rules of this package.
type Service struct {
	Store   *store.Store
	Clock   clock.Clock
	Message *message.Service
	Group   *group.Service
	// Names are the usernames that channels may have.
	Names username.Rules
	// Settled waits until what a box had to tell others is done.
	Settled func(ctx context.Context, box ids.Peer) error
}

// Appliers carry out the outbox rows of this package in the target's box.
func (s *Service) Appliers() map[int64]func(*store.Tx, store.Outbox) error {
	return map[int64]func(*store.Tx, store.Outbox) error{
		TellSweep:   s.applySweep,
		TellMigrate: s.applyMigrate,
	}
}

func (s *Service) now() int64 { return s.Clock.Now().Unix() }

// New is a channel to be made.
type New struct {
	Creator   ids.UserID
	Title     string
	About     string
	Broadcast bool
	// Date is when it was made, 0 for now; imports set it.
	Date int64
}

// Create makes a supergroup or a broadcast channel, and its first message.
//
// https://core.telegram.org/method/channels.createChannel
func (s *Service) Create(ctx context.Context, n New) (peer ids.Peer, sent message.Sent, err error) {
	if n.Title, err = group.Title(n.Title); err != nil {
		return 0, sent, err
	}
	if n.About, err = group.About(n.About); err != nil {
		return 0, sent, err
	}
	if n.Date == 0 {
		n.Date = s.now()
	}
	id, err := group.NextID(ctx, s.Store, "channel", firstChannel)
	if err != nil {
		return 0, sent, err
	}
	peer = ids.PeerChannel(ids.ChannelID(id))
	row := store.Chat{
		Peer: peer, Title: n.Title, About: n.About, Creator: n.Creator, Created: n.Date, Members: 1,
		Version: 1, Flags: store.Megagroup, Banned: int64(rights.DefaultGroup),
	}
	if n.Broadcast {
		row.Flags, row.Banned = store.Broadcast, 0
	}
	err = s.Store.Update(ctx, peer, func(tx *store.Tx) error {
		if err := tx.PutChat(row); err != nil {
			return err
		}
		m := store.Member{
			Peer: peer, User: n.Creator, Role: store.Creator, Actor: n.Creator, Date: n.Date,
		}
		if err := tx.PutMember(m); err != nil {
			return err
		}
		return group.ShowTo(tx, peer, n.Creator)
	})
	if err != nil {
		return 0, sent, err
	}
	sent, err = s.Message.Announce(ctx, n.Creator, peer, message.Action{
		Kind: message.ChannelCreate, Title: n.Title,
	}, message.Announcement{})
	return peer, sent, err
}

// NameFree tells whether a channel (0 for one to be made) could have a username.
//
// https://core.telegram.org/method/channels.checkUsername
func (s *Service) NameFree(r *store.Reader, channel ids.Peer, name string) (bool, error) {
	switch err := s.Names.Check(name); {
	case errors.Is(err, chat.ErrUsernameOccupied):
		return false, nil
	case err != nil:
		return false, err
	}
	peer, err := r.PeerByUsername(strings.ToLower(name))
	if store.IsNotFound(err) {
		return true, nil
	}
	return peer == channel, err
}

// SetUsername makes a channel public under a name, or with "" private. Only the creator may. The
// name is taken before the channel's row changes and the old one given back after, so that whatever
// happens between, no two peers have one name.
//
// https://core.telegram.org/method/channels.updateUsername
func (s *Service) SetUsername(
	ctx context.Context, user ids.UserID, channel ids.Peer, name string,
) error {
	if name != "" {
		if err := s.Names.Check(name); err != nil {
			return err
		}
	}
	err := s.Store.View(ctx, func(r *store.Reader) error {
		c, m, err := group.Access(r, user, channel, s.now())
		if err == nil && c.Username == name {
			err = chat.Invalid("USERNAME_NOT_MODIFIED")
		}
		if err == nil {
			err = group.Creator(c, m, 0)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := s.take(ctx, channel, name); err != nil {
		return err
	}
	var before, after store.Chat
	err = s.Group.Change(ctx, group.Change{
		User: user, Peer: channel, May: group.Creator, Note: chatChanged,
		Do: func(_ *store.Tx, c *store.Chat) (group.Log, error) {
			before = *c
			c.Username = name
			after = *c
			return group.Log{Kind: group.LogUsername, Old: before.Username, New: name}, nil
		},
	})
	if _, refused := err.(chat.Refusal); refused {
		return errors.Join(err, s.release(ctx, channel, name))
	}
	if err != nil {
		return err
	}
	if !strings.EqualFold(before.Username, name) {
		if err := s.free(ctx, channel, before.Username); err != nil {
			return err
		}
	}
	return s.reterm(ctx, before, after)
}

// take reserves a username for a channel.
func (s *Service) take(ctx context.Context, channel ids.Peer, name string) error {
	if name == "" {
		return nil
	}
	name = strings.ToLower(name)
	return s.Store.Update(ctx, 0, func(tx *store.Tx) error {
		peer, err := tx.PeerByUsername(name)
		switch {
		case store.IsNotFound(err):
			return tx.TakeUsername(name, channel)
		case err != nil:
			return err
		case peer != channel:
			return chat.ErrUsernameOccupied
		}
		return nil
	})
}

// release gives back a name that was taken for a change that is refused, unless the channel has it.
func (s *Service) release(ctx context.Context, channel ids.Peer, name string) error {
	var has bool
	err := s.Store.View(ctx, func(r *store.Reader) error {
		c, err := r.Chat(channel)
		has = strings.EqualFold(c.Username, name)
		return err
	})
	if err != nil || has {
		return err
	}
	return s.free(ctx, channel, name)
}

func (s *Service) free(ctx context.Context, channel ids.Peer, name string) error {
	if name == "" {
		return nil
	}
	return s.Store.Update(ctx, 0, func(tx *store.Tx) error {
		return tx.FreeUsername(strings.ToLower(name), channel)
	})
}

// reterm lets a public channel be found by the words of its title, and by no others.
func (s *Service) reterm(ctx context.Context, before, after store.Chat) error {
	words := func(c store.Chat) map[string]bool {
		out := make(map[string]bool)
		if c.Username != "" && !c.Flags.Has(store.Deactivated) {
			for _, t := range terms.Index(c.Title) {
				out[t] = true
			}
		}
		return out
	}
	old, now := words(before), words(after)
	for t := range old {
		if now[t] {
			continue
		}
		if err := s.Store.Update(ctx, 0, func(tx *store.Tx) error {
			return tx.DropNameTerm(t, before.Peer)
		}); err != nil {
			return err
		}
	}
	for t := range now {
		if old[t] {
			continue
		}
		if err := s.Store.Update(ctx, 0, func(tx *store.Tx) error {
			return tx.AddNameTerm(t, after.Peer)
		}); err != nil {
			return err
		}
	}
	return nil
}

// SetTitle renames a channel. Under its new name it is found, under the old one no more.
//
// https://core.telegram.org/method/channels.editTitle
func (s *Service) SetTitle(
	ctx context.Context, user ids.UserID, channel ids.Peer, title string,
) (sent message.Sent, err error) {
	var before, after store.Chat
	read := func(into *store.Chat) error {
		return s.Store.View(ctx, func(r *store.Reader) (err error) {
			*into, err = r.Chat(channel)
			if store.IsNotFound(err) {
				err = chat.ErrChannelInvalid
			}
			return err
		})
	}
	if err := read(&before); err != nil {
		return sent, err
	}
	if sent, err = s.Group.SetTitle(ctx, user, channel, title); err != nil {
		return sent, err
	}
	if err := read(&after); err != nil {
		return sent, err
	}
	return sent, s.reterm(ctx, before, after)
}

// foldName is the form under which names are kept.
func foldName(name string) string {
	return strings.ToLower(strings.TrimPrefix(strings.TrimSpace(name), "@"))
}
