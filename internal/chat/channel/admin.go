package channel

import (
	"context"
	"unicode/utf8"

	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/chat/contact"
	"parley/internal/chat/group"
	"parley/internal/chat/message"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

const (
	chatChanged = box.ChatChanged
	// rankRunes is the longest title of an admin, in characters.
	rankRunes = 16
	// foreverFrom and foreverBelow are how far off the end of a ban may lie, in seconds; beyond
	// them it has none.
	//
	// https://core.telegram.org/constructor/chatBannedRights
	foreverFrom  = 366 * 86400
	foreverBelow = 30
)

// MayEditAdmin tells whether a member of a channel may change the rights of another: the creator
// those of everybody, an admin those of admins that he made.
func MayEditAdmin(self, other store.Member) bool {
	switch {
	case other.Role == store.Creator:
		return self.Role == store.Creator && self.User == other.User
	case self.Role == store.Creator:
		return true
	case other.Role == store.Admin:
		return other.Actor == self.User && rights.Has(self, rights.AddAdmins)
	default:
		return rights.Has(self, rights.AddAdmins)
	}
}

// SetAdmin gives somebody admin rights in a channel, or with none takes them. Somebody who is not
// in it is added, if he lets the user.
//
// https://core.telegram.org/method/channels.editAdmin
func (s *Service) SetAdmin(
	ctx context.Context, user ids.UserID, channel ids.Peer, other ids.UserID, give rights.Admin,
	rank string,
) error {
	if utf8.RuneCountInString(rank) > rankRunes || !utf8.ValidString(rank) {
		return chat.Invalid("ADMIN_RANK_INVALID")
	}
	var willing bool
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		if _, err = r.User(other); store.IsNotFound(err) {
			return chat.ErrUserInvalid
		}
		if err != nil {
			return err
		}
		willing, err = contact.Allows(r, user, other, contact.Invite)
		return err
	})
	if err != nil {
		return err
	}
	now := s.now()
	return s.Store.Update(ctx, channel, func(tx *store.Tx) error {
		c, self, err := group.Access(&tx.Reader, user, channel, now)
		if err != nil {
			return err
		}
		m, err := tx.Member(channel, other)
		if err != nil {
			return err
		}
		next, err := promoted(c, self, m, give, rank)
		if err != nil {
			return err
		}
		if !m.Role.In() && next.Role == store.Admin {
			if !willing {
				return chat.Forbidden("USER_PRIVACY_RESTRICTED")
			}
			e := group.Entry{User: other, Actor: user, Unban: rights.Has(self, rights.BanUsers)}
			in, _, err := group.Enter(tx, c, e, now)
			if err != nil {
				return err
			}
			next.Date = in.Date
		}
		return s.putAdmin(tx, user, m, next, now)
	})
}

// promoted is the standing of m once self has given him rights.
func promoted(
	c store.Chat, self, m store.Member, give rights.Admin, rank string,
) (store.Member, error) {
	next := m
	next.Rank = rank
	if m.Role == store.Creator {
		if self.User != m.User {
			return m, chat.Invalid("USER_CREATOR")
		}
		next.Rights = int64(give & rights.Anonymous)
		return next, nil
	}
	if !rights.IsAdmin(self) {
		return m, chat.ErrAdminRequired
	}
	if !MayEditAdmin(self, m) {
		return m, chat.Forbidden("RIGHT_FORBIDDEN")
	}
	has := rights.Admin(self.Rights)
	if self.Role == store.Creator {
		has = rights.AllAdmin | rights.Anonymous
	}
	if give&^has != 0 {
		return m, chat.Forbidden("RIGHT_FORBIDDEN")
	}
	if c.Flags.Has(store.Broadcast) {
		give &^= rights.PinMessages | rights.Anonymous | rights.ManageTopics
	} else {
		give &^= rights.PostMessages | rights.EditMessages
	}
	if give == 0 {
		if m.Role != store.Admin {
			return m, chat.ErrNotModified
		}
		next.Role, next.Rights, next.Rank = store.Participant, 0, ""
		return next, nil
	}
	next.Role, next.Rights, next.Until, next.Actor = store.Admin, int64(give), 0, self.User
	return next, nil
}

// putAdmin writes the new standing of an admin and tells him.
func (s *Service) putAdmin(
	tx *store.Tx, user ids.UserID, before, next store.Member, now int64,
) error {
	if next.Role == store.Admin && before.Role != store.Admin {
		n, err := tx.MemberCount(next.Peer, store.Admin, store.Creator)
		if err != nil {
			return err
		}
		if n >= limit.Admins {
			return chat.Invalid("ADMINS_TOO_MUCH")
		}
	}
	if err := tx.PutMember(next); err != nil {
		return err
	}
	err := group.AddLog(tx, next.Peer, user, now, group.Log{
		Kind: group.LogAdmin, Before: group.StandingOf(before), After: group.StandingOf(next),
	})
	if err != nil {
		return err
	}
	return group.NoteTo(tx, next.Peer, next.User, chatChanged)
}

// SetRank gives an admin another title.
//
// https://core.telegram.org/method/messages.editChatParticipantRank
func (s *Service) SetRank(
	ctx context.Context, user ids.UserID, channel ids.Peer, other ids.UserID, rank string,
) error {
	if utf8.RuneCountInString(rank) > rankRunes || !utf8.ValidString(rank) {
		return chat.Invalid("ADMIN_RANK_INVALID")
	}
	now := s.now()
	return s.Store.Update(ctx, channel, func(tx *store.Tx) error {
		_, self, err := group.Access(&tx.Reader, user, channel, now)
		if err != nil {
			return err
		}
		m, err := tx.Member(channel, other)
		if err != nil {
			return err
		}
		if !rights.IsAdmin(m) {
			return chat.ErrNotParticipant
		}
		if !MayEditAdmin(self, m) {
			return chat.Forbidden("RIGHT_FORBIDDEN")
		}
		l := group.Log{
			Kind: group.LogRank, Old: m.Rank, New: rank, After: group.StandingOf(m),
		}
		m.Rank = rank
		if err := tx.PutMember(m); err != nil {
			return err
		}
		return group.AddLog(tx, channel, user, now, l)
	})
}

// Ban takes rights from somebody until a time in Unix seconds, 0 for ever; the right to see the
// channel makes it a ban. No rights taken lifts what was. A group is told of a member who is
// banned.
//
// https://core.telegram.org/method/channels.editBanned
func (s *Service) Ban(
	ctx context.Context, user ids.UserID, channel ids.Peer, other ids.UserID, take rights.Banned,
	until int64,
) (sent message.Sent, err error) {
	now := s.now()
	if until <= now+foreverBelow || until > now+foreverFrom {
		until = 0
	}
	var removed bool
	var c store.Chat
	err = s.Store.Update(ctx, channel, func(tx *store.Tx) error {
		removed = false
		var self store.Member
		var err error
		if c, self, err = group.Access(&tx.Reader, user, channel, now); err != nil {
			return err
		}
		if _, err := tx.User(other); store.IsNotFound(err) {
			return chat.Invalid("PARTICIPANT_ID_INVALID")
		}
		m, err := tx.Member(channel, other)
		if err != nil {
			return err
		}
		next, err := banned(c, self, m, take, until, now)
		if err != nil {
			return err
		}
		removed = m.Role.In() && !next.Role.In()
		return s.putBanned(tx, user, m, next, now)
	})
	if err != nil || !removed || !group.Announced(c) {
		return sent, err
	}
	return s.Message.Announce(ctx, user, channel, message.Action{
		Kind: message.ChatDeleteUser, User: other,
	}, message.Announcement{})
}

// banned is the standing of m once self has taken rights from him.
func banned(
	c store.Chat, self, m store.Member, take rights.Banned, until, now int64,
) (store.Member, error) {
	switch {
	case !rights.Has(self, rights.BanUsers):
		return m, chat.ErrAdminRequired
	case self.User == m.User:
		return m, chat.Invalid("USER_ID_INVALID")
	case rights.IsAdmin(m) && !MayEditAdmin(self, m):
		return m, chat.Invalid("USER_ADMIN_INVALID")
	case c.Flags.Has(store.Broadcast) && take&^rights.NoView != 0 && take&rights.NoView == 0:
		return m, chat.Invalid("BANNED_RIGHTS_INVALID")
	}
	next := store.Member{
		Peer: m.Peer, User: m.User, Role: store.Left, Actor: self.User, Date: now, Invite: m.Invite,
	}
	if m.Role.In() {
		next.Role, next.Actor, next.Date = store.Participant, m.Actor, m.Date
	}
	switch {
	case take&rights.NoView != 0:
		next.Role, next.Date = store.Kicked, now
	case take != 0 && m.Role.In():
		next.Role = store.Restricted
	case take != 0:
		next.Role = store.RestrictedOut
	default:
		if rights.IsAdmin(m) || m.Rights == 0 {
			return m, chat.ErrNotModified
		}
		return next, nil
	}
	next.Rights, next.Until, next.Actor = int64(take), until, self.User
	return next, nil
}

// putBanned writes the new standing of somebody restricted or freed, and tells him.
func (s *Service) putBanned(
	tx *store.Tx, user ids.UserID, before, next store.Member, now int64,
) error {
	if next.Role == store.Kicked {
		if _, err := tx.DeleteJoinAsk(next.Peer, next.User); err != nil {
			return err
		}
	}
	err := group.AddLog(tx, next.Peer, user, now, group.Log{
		Kind: group.LogBan, Before: group.StandingOf(before), After: group.StandingOf(next),
	})
	if err != nil {
		return err
	}
	if before.Role.In() && !next.Role.In() {
		return group.Exit(tx, before, next, now)
	}
	if err := tx.PutMember(next); err != nil || !next.Role.In() {
		return err
	}
	return group.NoteTo(tx, next.Peer, next.User, chatChanged)
}
