package channel

import (
	"context"
	"slices"

	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/chat/group"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
)

// slowSeconds are the paces that slow mode may have.
//
// https://core.telegram.org/method/channels.toggleSlowMode
var slowSeconds = [...]int64{0, 5, 10, 30, 60, 300, 900, 3600}

// SetSlowMode lets members of a supergroup write once in so many seconds, 0 for as they like.
//
// https://core.telegram.org/method/channels.toggleSlowMode
func (s *Service) SetSlowMode(
	ctx context.Context, user ids.UserID, channel ids.Peer, seconds int64,
) error {
	if !slices.Contains(slowSeconds[:], seconds) {
		return chat.Invalid("SECONDS_INVALID")
	}
	return s.Group.Change(ctx, group.Change{
		User: user, Peer: channel, Note: chatChanged, May: megagroup(rights.BanUsers),
		Do: func(_ *store.Tx, c *store.Chat) (group.Log, error) {
			if c.Slow == seconds {
				return group.Log{}, chat.ErrNotModified
			}
			l := group.Log{Kind: group.LogSlowMode, OldN: c.Slow, NewN: seconds}
			c.Slow = seconds
			return l, nil
		},
	})
}

// megagroup is the rule of an admin right in supergroups only.
func megagroup(right rights.Admin) func(store.Chat, store.Member, int64) error {
	return func(c store.Chat, m store.Member, now int64) error {
		if !c.Flags.Has(store.Megagroup) {
			return chat.ErrChannelInvalid
		}
		return group.Needs(right)(c, m, now)
	}
}

// SetSignatures shows the authors of posts in a broadcast channel by name, and with profiles by who
// they are.
//
// https://core.telegram.org/method/channels.toggleSignatures
func (s *Service) SetSignatures(
	ctx context.Context, user ids.UserID, channel ids.Peer, names, profiles bool,
) error {
	profiles = profiles && names
	return s.Group.Change(ctx, group.Change{
		User: user, Peer: channel, Note: chatChanged,
		May: func(c store.Chat, m store.Member, now int64) error {
			if !c.Flags.Has(store.Broadcast) {
				return chat.ErrChannelInvalid
			}
			return group.Needs(rights.ChangeInfo)(c, m, now)
		},
		Do: func(_ *store.Tx, c *store.Chat) (group.Log, error) {
			flags := c.Flags &^ (store.Signatures | store.SignatureProfiles)
			l := group.Log{Kind: group.LogSignatures}
			if names {
				flags |= store.Signatures
				l.NewN = 1
			}
			if profiles {
				flags |= store.SignatureProfiles
			}
			if flags == c.Flags {
				return l, chat.ErrNotModified
			}
			if c.Flags.Has(store.Signatures) == names {
				l = group.Log{Kind: group.LogProfiles}
				if profiles {
					l.NewN = 1
				}
			}
			c.Flags = flags
			return l, nil
		},
	})
}

// SetHistoryHidden hides from newcomers of a private supergroup what was before them. Those who
// joined meanwhile keep seeing what they see.
//
// https://core.telegram.org/method/channels.togglePreHistoryHidden
func (s *Service) SetHistoryHidden(
	ctx context.Context, user ids.UserID, channel ids.Peer, on bool,
) error {
	may := func(c store.Chat, m store.Member, now int64) error {
		if on && c.Username != "" {
			return chat.Invalid("CHAT_LINK_EXISTS")
		}
		return megagroup(rights.ChangeInfo)(c, m, now)
	}
	return s.Group.SetFlag(ctx, user, channel, store.HistoryHidden, on, group.LogHistoryHidden, may)
}

// SetJoinToSend lets only members write in a public supergroup.
//
// https://core.telegram.org/method/channels.toggleJoinToSend
func (s *Service) SetJoinToSend(
	ctx context.Context, user ids.UserID, channel ids.Peer, on bool,
) error {
	return s.Group.SetFlag(ctx, user, channel, store.JoinToSend, on, 0, megagroup(rights.ChangeInfo))
}

// SetJoinRequest makes newcomers of a public supergroup ask first.
//
// https://core.telegram.org/method/channels.toggleJoinRequest
func (s *Service) SetJoinRequest(
	ctx context.Context, user ids.UserID, channel ids.Peer, on bool,
) error {
	return s.Group.SetFlag(ctx, user, channel, store.JoinRequest, on, 0, megagroup(rights.ChangeInfo))
}

// SetMembersHidden shows the list of a supergroup's members to its admins only.
//
// https://core.telegram.org/method/channels.toggleParticipantsHidden
func (s *Service) SetMembersHidden(
	ctx context.Context, user ids.UserID, channel ids.Peer, on bool,
) error {
	return s.Group.SetFlag(ctx, user, channel, store.MembersHidden, on, 0, megagroup(rights.BanUsers))
}

// historyMost is how many messages of somebody one request removes.
const historyMost = 100

// DeleteHistoryOf removes messages of one member for everybody, the newest first, and tells whether
// there are more.
//
// https://core.telegram.org/method/channels.deleteParticipantHistory
func (s *Service) DeleteHistoryOf(
	ctx context.Context, user ids.UserID, channel, other ids.Peer,
) (pts, count int64, more bool, err error) {
	var list []int64
	err = s.Store.View(ctx, func(r *store.Reader) error {
		_, m, err := group.Access(r, user, channel, s.now())
		if err != nil {
			return err
		}
		if !rights.Has(m, rights.DeleteMessages) {
			return chat.ErrAdminRequired
		}
		list, err = r.MessagesOf(channel, other, 1<<31-1, historyMost)
		return err
	})
	if err != nil {
		return 0, 0, false, err
	}
	a, err := s.DeletePosts(ctx, user, channel, list)
	return a.Pts, a.Count, len(list) == historyMost, err
}

// HideHistory hides what is in a channel up to an id from one of its members, by his own wish.
//
// https://core.telegram.org/method/channels.deleteHistory
func (s *Service) HideHistory(
	ctx context.Context, user ids.UserID, channel ids.Peer, upTo int64,
) error {
	now := s.now()
	return s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		if _, _, err := group.Access(&tx.Reader, user, channel, now); err != nil {
			return err
		}
		d, err := tx.Dialog(user, channel)
		if store.IsNotFound(err) {
			return chat.ErrNotParticipant
		}
		if err != nil {
			return err
		}
		b, err := tx.Box(channel)
		if err != nil {
			return err
		}
		if upTo <= 0 || upTo > b.TopID {
			upTo = b.TopID
		}
		if upTo <= d.MinID {
			return nil
		}
		d.MinID = upTo
		d.ReadIn = max(d.ReadIn, upTo)
		if err := tx.PutDialog(d); err != nil {
			return err
		}
		_, err = box.Note(tx, user.Peer(), box.ChannelAvailable, now,
			box.Entry{Peer: channel, ID: upTo})
		return err
	})
}

// ClearHistory removes all messages of a channel up to an id for everybody. Only the creator may.
//
// https://core.telegram.org/method/channels.deleteHistory
func (s *Service) ClearHistory(
	ctx context.Context, user ids.UserID, channel ids.Peer, upTo int64,
) error {
	if upTo <= 0 || upTo >= 1<<31-1 {
		upTo = 1<<31 - 2
	}
	for {
		var list []int64
		err := s.Store.View(ctx, func(r *store.Reader) error {
			list = nil
			c, m, err := group.Access(r, user, channel, s.now())
			if err == nil {
				err = group.Creator(c, m, 0)
			}
			if err != nil {
				return err
			}
			rows, err := r.Older(channel, channel, upTo+1, 0, historyMost, 0)
			for _, m := range rows {
				list = append(list, m.ID)
			}
			return err
		})
		if err != nil || len(list) == 0 {
			return err
		}
		if _, err := s.Message.DeletePosts(ctx, user, channel, list); err != nil {
			return err
		}
	}
}
