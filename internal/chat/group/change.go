package group

import (
	"context"

	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/chat/message"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
)

// Change is a change of a chat's row by one of its members.
type Change struct {
	User ids.UserID
	Peer ids.Peer
	// May refuses it.
	May func(c store.Chat, m store.Member, now int64) error
	// Do makes it, and says what to write into the log of a channel. chat.ErrNotModified leaves all
	// as it was.
	Do func(tx *store.Tx, c *store.Chat) (Log, error)
	// Note is how members' devices learn of it.
	Note box.Kind
}

// Change carries out a change.
func (s *Service) Change(ctx context.Context, ch Change) error {
	now := s.now()
	return s.Store.Update(ctx, ch.Peer, func(tx *store.Tx) error {
		c, m, err := Access(&tx.Reader, ch.User, ch.Peer, now)
		if err != nil {
			return err
		}
		if err := ch.May(c, m, now); err != nil {
			return err
		}
		entry, err := ch.Do(tx, &c)
		if err != nil {
			return err
		}
		c.Version++
		if err := tx.PutChat(c); err != nil {
			return err
		}
		if err := AddLog(tx, ch.Peer, ch.User, now, entry); err != nil {
			return err
		}
		return Noted(tx, ch.Peer, ch.Note, now)
	})
}

// Needs makes a rule of an admin right.
func Needs(right rights.Admin) func(store.Chat, store.Member, int64) error {
	return func(_ store.Chat, m store.Member, _ int64) error {
		if !rights.Has(m, right) {
			return chat.ErrAdminRequired
		}
		return nil
	}
}

// NeedsOr makes a rule of an admin right that ordinary members have too, unless it was taken from
// them.
func NeedsOr(right rights.Admin, unless rights.Banned) func(store.Chat, store.Member, int64) error {
	return func(c store.Chat, m store.Member, now int64) error {
		if !rights.Can(c, m, right, unless, now) {
			return chat.ErrAdminRequired
		}
		return nil
	}
}

// mayInfo is the rule of changing what a chat is called and shows.
var mayInfo = NeedsOr(rights.ChangeInfo, rights.NoChangeInfo)

// SetTitle renames a chat and tells the chat by a service message.
//
// https://core.telegram.org/method/channels.editTitle
func (s *Service) SetTitle(
	ctx context.Context, user ids.UserID, peer ids.Peer, title string,
) (message.Sent, error) {
	title, err := Title(title)
	if err != nil {
		return message.Sent{}, err
	}
	err = s.Change(ctx, Change{
		User: user, Peer: peer, May: mayInfo, Note: box.ChatChanged,
		Do: func(_ *store.Tx, c *store.Chat) (Log, error) {
			if c.Title == title {
				return Log{}, chat.ErrNotModified
			}
			l := Log{Kind: LogTitle, Old: c.Title, New: title}
			c.Title = title
			return l, nil
		},
	})
	if err != nil {
		return message.Sent{}, err
	}
	return s.Message.Announce(ctx, user, peer, message.Action{
		Kind: message.ChatEditTitle, Title: title,
	}, message.Announcement{})
}

// SetAbout describes a chat anew.
//
// https://core.telegram.org/method/messages.editChatAbout
func (s *Service) SetAbout(
	ctx context.Context, user ids.UserID, peer ids.Peer, about string,
) error {
	about, err := About(about)
	if err != nil {
		return err
	}
	return s.Change(ctx, Change{
		User: user, Peer: peer, May: mayInfo, Note: box.ChatChanged,
		Do: func(_ *store.Tx, c *store.Chat) (Log, error) {
			if c.About == about {
				return Log{}, chat.Invalid("CHAT_ABOUT_NOT_MODIFIED")
			}
			l := Log{Kind: LogAbout, Old: c.About, New: about}
			c.About = about
			return l, nil
		},
	})
}

// SetPhoto gives a chat a photo, or with 0 takes it off, and tells the chat.
//
// https://core.telegram.org/method/channels.editPhoto
func (s *Service) SetPhoto(
	ctx context.Context, user ids.UserID, peer ids.Peer, photo int64,
) (message.Sent, error) {
	now := s.now()
	err := s.Change(ctx, Change{
		User: user, Peer: peer, May: mayInfo, Note: box.ChatChanged,
		Do: func(tx *store.Tx, c *store.Chat) (Log, error) {
			if c.PhotoID == photo {
				return Log{}, chat.ErrNotModified
			}
			taken, err := tx.PhotoRemoved(peer, photo)
			if err != nil {
				return Log{}, err
			}
			if taken {
				return Log{}, chat.Invalid("PHOTO_INVALID")
			}
			l := Log{Kind: LogPhoto, OldN: c.PhotoID, NewN: photo}
			c.PhotoID = photo
			if photo == 0 {
				return l, nil
			}
			return l, tx.AddProfilePhoto(peer, photo, now)
		},
	})
	if err != nil {
		return message.Sent{}, err
	}
	a := message.Action{Kind: message.ChatEditPhoto, Photo: photo}
	if photo == 0 {
		a.Kind = message.ChatDeletePhoto
	}
	return s.Message.Announce(ctx, user, peer, a, message.Announcement{})
}

// SetDefaultRights sets what ordinary members of a group may not do.
//
// https://core.telegram.org/method/messages.editChatDefaultBannedRights
func (s *Service) SetDefaultRights(
	ctx context.Context, user ids.UserID, peer ids.Peer, banned rights.Banned,
) error {
	if banned&rights.NoView != 0 {
		return chat.Invalid("BANNED_RIGHTS_INVALID")
	}
	return s.Change(ctx, Change{
		User: user, Peer: peer, Note: box.DefaultRights,
		May: func(c store.Chat, m store.Member, now int64) error {
			if c.Flags.Has(store.Broadcast) {
				return chat.ErrPeerInvalid
			}
			return Needs(rights.BanUsers)(c, m, now)
		},
		Do: func(_ *store.Tx, c *store.Chat) (Log, error) {
			if rights.Banned(c.Banned) == banned {
				return Log{}, chat.ErrNotModified
			}
			l := Log{Kind: LogDefaultRights, OldN: c.Banned, NewN: int64(banned)}
			c.Banned = int64(banned)
			return l, nil
		},
	})
}

// SetFlag sets or takes off a flag of a chat.
func (s *Service) SetFlag(
	ctx context.Context, user ids.UserID, peer ids.Peer, flag store.ChatFlags, on bool, kind LogKind,
	may func(store.Chat, store.Member, int64) error,
) error {
	return s.Change(ctx, Change{
		User: user, Peer: peer, May: may, Note: box.ChatChanged,
		Do: func(_ *store.Tx, c *store.Chat) (Log, error) {
			if c.Flags.Has(flag) == on {
				return Log{}, chat.ErrNotModified
			}
			c.Flags ^= flag
			l := Log{Kind: kind}
			if on {
				l.NewN = 1
			}
			return l, nil
		},
	})
}

// SetNoForwards protects the content of a chat, or ends that. Only the creator may.
//
// https://core.telegram.org/method/messages.toggleNoForwards
func (s *Service) SetNoForwards(
	ctx context.Context, user ids.UserID, peer ids.Peer, on bool,
) error {
	return s.SetFlag(ctx, user, peer, store.ChatNoForwards, on, LogNoForwards, Creator)
}

// Creator is the rule that only a chat's creator may.
func Creator(_ store.Chat, m store.Member, _ int64) error {
	if m.Role != store.Creator {
		return chat.ErrAdminRequired
	}
	return nil
}
