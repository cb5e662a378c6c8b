package channel

import (
	"context"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/chat"
	"parley/internal/chat/group"
	"parley/internal/chat/message"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// sweepMost is how many members of a deleted channel one transaction removes.
const sweepMost = 500

// Delete ends a channel for everybody. Only the creator may. From then on nobody sees it, however
// long it takes to strike it off the lists of all who were in it.
//
// https://core.telegram.org/method/channels.deleteChannel
func (s *Service) Delete(ctx context.Context, user ids.UserID, channel ids.Peer) error {
	var before, after store.Chat
	err := s.Store.Update(ctx, channel, func(tx *store.Tx) error {
		c, m, err := group.Access(&tx.Reader, user, channel, s.now())
		if err != nil {
			return err
		}
		if err := group.Creator(c, m, 0); err != nil {
			return err
		}
		before = c
		c.Flags |= store.Deactivated
		c.Username = ""
		c.Version++
		after = c
		if err := tx.PutChat(c); err != nil {
			return err
		}
		return sweep(tx, channel)
	})
	if err != nil {
		return err
	}
	if err := s.free(ctx, channel, before.Username); err != nil {
		return err
	}
	return s.reterm(ctx, before, after)
}

// sweep asks for the next members of a deleted channel to be removed.
func sweep(tx *store.Tx, channel ids.Peer) error {
	return tx.Tell(store.Outbox{Box: channel, Target: channel, Kind: TellSweep, Body: []byte{}})
}

// applySweep removes some members of a deleted channel, and asks for the next.
func (s *Service) applySweep(tx *store.Tx, o store.Outbox) error {
	members, err := tx.Members(o.Target, store.Participant, store.Creator, sweepMost, 0)
	if err != nil {
		return err
	}
	now := s.now()
	for _, m := range members {
		after := store.Member{Peer: m.Peer, User: m.User, Role: store.Left, Date: now}
		if err := group.Exit(tx, m, after, now); err != nil {
			return err
		}
	}
	if len(members) < sweepMost {
		return nil
	}
	return sweep(tx, o.Target)
}

// DeletePosts removes messages from a channel for everybody, and writes into its log which messages
// of others an admin removed: their ids only, for what is deleted is shown to nobody.
//
// https://core.telegram.org/method/channels.deleteMessages
func (s *Service) DeletePosts(
	ctx context.Context, user ids.UserID, channel ids.Peer, list []int64,
) (message.Affected, error) {
	var foreign []int64
	err := s.Store.View(ctx, func(r *store.Reader) error {
		foreign = nil
		for _, id := range list {
			m, err := r.Message(channel, id)
			if store.IsNotFound(err) {
				continue
			}
			if err != nil {
				return err
			}
			if m.Origin != user.Peer() {
				foreign = append(foreign, id)
			}
		}
		return nil
	})
	if err != nil {
		return message.Affected{}, err
	}
	out, err := s.Message.DeletePosts(ctx, user, channel, list)
	if err != nil || len(foreign) == 0 {
		return out, err
	}
	now := s.now()
	return out, s.Store.Update(ctx, channel, func(tx *store.Tx) error {
		for _, id := range foreign {
			l := group.Log{Kind: group.LogDelete, NewN: id}
			if err := group.AddLog(tx, channel, user, now, l); err != nil {
				return err
			}
		}
		return nil
	})
}

// migrate is the body of a TellMigrate row: a basic group that is to be a supergroup.
type migrate struct {
	From    ids.Peer         `cbor:"1,keyasint"`
	Title   string           `cbor:"2,keyasint"`
	About   string           `cbor:"3,keyasint,omitempty"`
	Photo   int64            `cbor:"4,keyasint,omitempty"`
	Creator ids.UserID       `cbor:"5,keyasint,omitempty"`
	Banned  int64            `cbor:"6,keyasint,omitempty"`
	Flags   store.ChatFlags  `cbor:"7,keyasint,omitempty"`
	Members []group.Standing `cbor:"8,keyasint"`
}

// Migrate makes a supergroup of a basic group, with the same members. Only the creator may. It
// returns the supergroup and the service messages that tell of it in both.
//
// https://core.telegram.org/method/messages.migrateChat
func (s *Service) Migrate(
	ctx context.Context, user ids.UserID, old ids.Peer,
) (channel ids.Peer, sent []message.Sent, err error) {
	if old.Kind() != ids.Chat {
		return 0, nil, chat.ErrChatInvalid
	}
	id, err := group.NextID(ctx, s.Store, "channel", firstChannel)
	if err != nil {
		return 0, nil, err
	}
	channel = ids.PeerChannel(ids.ChannelID(id))
	var title string
	err = s.Store.Update(ctx, old, func(tx *store.Tx) (err error) {
		title, err = s.close(tx, user, old, channel)
		return err
	})
	if err != nil {
		return 0, nil, err
	}
	if err := s.Settled(ctx, old); err != nil {
		return 0, nil, err
	}
	to, err := s.Message.Announce(ctx, user, old, message.Action{
		Kind: message.MigrateTo, Peer: channel,
	}, message.Announcement{})
	if err != nil {
		return 0, nil, err
	}
	from, err := s.Message.Announce(ctx, user, channel, message.Action{
		Kind: message.MigrateFrom, Peer: old, Title: title,
	}, message.Announcement{})
	if err != nil {
		return 0, nil, err
	}
	// Every copy of the last message puts the old group on a list once more; after that it goes.
	if err := s.Settled(ctx, user.Peer()); err != nil {
		return 0, nil, err
	}
	return channel, []message.Sent{to, from}, s.hideOld(ctx, old)
}

// close ends a basic group and says what its supergroup is to be.
func (s *Service) close(
	tx *store.Tx, user ids.UserID, old, channel ids.Peer,
) (title string, err error) {
	c, self, err := group.Access(&tx.Reader, user, old, s.now())
	if err != nil {
		return "", err
	}
	if err := group.Creator(c, self, 0); err != nil {
		return "", err
	}
	members, err := tx.Members(old, store.Kicked, store.Creator, limit.ChatMembers*10, 0)
	if err != nil {
		return "", err
	}
	body := migrate{
		From: old, Title: c.Title, About: c.About, Photo: c.PhotoID, Creator: c.Creator,
		Banned: c.Banned, Flags: c.Flags & store.ChatNoForwards,
	}
	for _, m := range members {
		body.Members = append(body.Members, *group.StandingOf(m))
	}
	c.Flags |= store.Deactivated
	c.Linked = channel
	c.Version++
	if err := tx.PutChat(c); err != nil {
		return "", err
	}
	b, err := cbor.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("channel: encode outbox row: %w", err)
	}
	return c.Title, tx.Tell(store.Outbox{Box: old, Target: channel, Kind: TellMigrate, Body: b})
}

// applyMigrate makes the supergroup.
func (s *Service) applyMigrate(tx *store.Tx, o store.Outbox) error {
	var from migrate
	if err := cbor.Unmarshal(o.Body, &from); err != nil {
		return fmt.Errorf("channel: outbox row %d of %d: %w", o.N, o.Box, err)
	}
	if _, err := tx.Chat(o.Target); !store.IsNotFound(err) {
		return err
	}
	c := store.Chat{
		Peer: o.Target, Title: from.Title, About: from.About, PhotoID: from.Photo,
		Creator: from.Creator, Created: s.now(), Banned: from.Banned | int64(rights.NoPin),
		Flags: store.Megagroup | from.Flags, Version: 1, Linked: from.From,
	}
	for _, was := range from.Members {
		m := was.Member(o.Target)
		if m.Role.In() {
			c.Members++
		}
		if m.Role == store.Admin {
			m.Actor = from.Creator
		}
		if err := tx.PutMember(m); err != nil {
			return err
		}
	}
	if from.Photo != 0 {
		if err := tx.AddProfilePhoto(o.Target, from.Photo, c.Created); err != nil {
			return err
		}
	}
	if err := tx.PutChat(c); err != nil {
		return err
	}
	for _, was := range from.Members {
		if !was.Role.In() {
			continue
		}
		if err := group.ShowTo(tx, o.Target, was.User); err != nil {
			return err
		}
	}
	return nil
}

// hideOld takes a migrated group off the lists of its members.
func (s *Service) hideOld(ctx context.Context, old ids.Peer) error {
	return s.Store.Update(ctx, old, func(tx *store.Tx) error {
		members, err := tx.Members(old, store.Participant, store.Creator, limit.ChatMembers, 0)
		if err != nil {
			return err
		}
		for _, m := range members {
			if err := group.HideFrom(tx, old, m.User); err != nil {
				return err
			}
		}
		return nil
	})
}
