package group

import (
	"context"

	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/chat/message"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

const (
	// channelsMost is how many channels and supergroups one account may be in.
	channelsMost = 1000
	// addMost is how many people one request may add.
	addMost = 200
	// asksMost is how many requests to join a chat keeps.
	asksMost = 10_000
)

// Announced tells whether a chat says by service messages who comes and goes: broadcast channels do
// not, and neither does a supergroup so large that nobody could read anything else.
func Announced(c store.Chat) bool {
	return !c.Flags.Has(store.Broadcast) && c.Members < limit.JoinNotices
}

// veil hides the history of a chat from somebody who is about to come in, before he does: the entry
// and his list are not one transaction.
func (s *Service) veil(ctx context.Context, c store.Chat, user ids.UserID) error {
	if c.Peer.Kind() != ids.Channel || !Veiled(c) {
		return nil
	}
	return s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		m, err := tx.Member(c.Peer, user)
		if err != nil || m.Role.In() {
			return err
		}
		b, err := tx.Box(c.Peer)
		if err != nil {
			return err
		}
		d, err := tx.Dialog(user, c.Peer)
		if store.IsNotFound(err) {
			d, err = store.Dialog{User: user, Peer: c.Peer, Flags: store.Hidden}, nil
		}
		if err != nil {
			return err
		}
		d.MinID = max(d.MinID, b.TopID)
		return tx.PutDialog(d)
	})
}

// room refuses somebody who is in as many channels as one may be.
func room(r *store.Reader, user ids.UserID) error {
	list, err := r.ChannelsOf(user)
	if err == nil && len(list) >= channelsMost {
		err = chat.Invalid("CHANNELS_TOO_MUCH")
	}
	return err
}

// Join makes a user a member of a public channel by his own will, or notes that he asks to.
//
// https://core.telegram.org/method/channels.joinChannel
func (s *Service) Join(
	ctx context.Context, user ids.UserID, peer ids.Peer,
) (sent message.Sent, err error) {
	now := s.now()
	var c store.Chat
	var in bool
	err = s.Store.View(ctx, func(r *store.Reader) error {
		var m store.Member
		var err error
		if c, m, err = Access(r, user, peer, now); err != nil {
			return err
		}
		in = m.Role.In()
		return room(r, user)
	})
	if err != nil || in {
		return sent, err
	}
	if c.Flags.Has(store.JoinRequest) {
		return sent, s.ask(ctx, store.JoinAsk{Peer: peer, User: user, Date: now})
	}
	var entered bool
	err = s.Store.Update(ctx, peer, func(tx *store.Tx) error {
		fresh, _, err := Access(&tx.Reader, user, peer, now)
		if err != nil {
			return err
		}
		_, entered, err = Enter(tx, fresh, Entry{User: user, Actor: user}, now)
		return err
	})
	if err != nil || !entered || !Announced(c) {
		return sent, err
	}
	return s.Message.Announce(ctx, user, peer, message.Action{
		Kind: message.ChatAddUser, Users: []ids.UserID{user},
	}, message.Announcement{})
}

// ask notes a request to join and lets the admins know.
func (s *Service) ask(ctx context.Context, a store.JoinAsk) error {
	err := s.Store.Update(ctx, a.Peer, func(tx *store.Tx) error {
		m, err := tx.Member(a.Peer, a.User)
		if err != nil || m.Role.In() {
			return err
		}
		if rights.KickedNow(m, a.Date) {
			return errKicked
		}
		_, before, err := tx.JoinAsks(a.Peer, 1)
		if err != nil {
			return err
		}
		if before >= asksMost {
			return chat.Invalid("USERS_TOO_MUCH")
		}
		if err := tx.PutJoinAsk(a); err != nil {
			return err
		}
		return s.tellAsks(tx, a.Peer)
	})
	if err != nil {
		return err
	}
	return chat.Invalid("INVITE_REQUEST_SENT")
}

// tellAsks lets those who decide know how many requests wait.
func (s *Service) tellAsks(tx *store.Tx, peer ids.Peer) error {
	_, waiting, err := tx.JoinAsks(peer, 1)
	if err != nil {
		return err
	}
	admins, err := tx.Members(peer, store.Admin, store.Creator, limit.Admins, 0)
	if err != nil {
		return err
	}
	for _, m := range admins {
		if !rights.Has(m, rights.InviteUsers) {
			continue
		}
		n := note{box.JoinRequests, box.Entry{Peer: peer, N: waiting}}
		if err := tell(tx, peer, m.User.Peer(), TellNote, n); err != nil {
			return err
		}
	}
	return nil
}

// Add makes people members of a chat in a member's name, those who let him. It returns who does
// not.
//
// https://core.telegram.org/method/channels.inviteToChannel
func (s *Service) Add(
	ctx context.Context, user ids.UserID, peer ids.Peer, list []ids.UserID,
) (sent message.Sent, missing []ids.UserID, err error) {
	if len(list) > addMost {
		return sent, nil, chat.Invalid("USERS_TOO_MUCH")
	}
	now := s.now()
	var c store.Chat
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		c, err = mayAdd(r, user, peer, now)
		return err
	})
	if err != nil {
		return sent, nil, err
	}
	willing, missing, err := s.willing(ctx, user, list)
	if err != nil {
		return sent, nil, err
	}
	for _, id := range willing {
		if err := s.veil(ctx, c, id); err != nil {
			return sent, nil, err
		}
	}
	added, err := s.add(ctx, user, peer, willing, now)
	if err != nil || len(added) == 0 || !Announced(c) {
		return sent, missing, err
	}
	sent, err = s.Message.Announce(ctx, user, peer, message.Action{
		Kind: message.ChatAddUser, Users: added,
	}, message.Announcement{})
	return sent, missing, err
}

func mayAdd(r *store.Reader, user ids.UserID, peer ids.Peer, now int64) (store.Chat, error) {
	c, m, err := Access(r, user, peer, now)
	if err == nil && !rights.Can(c, m, rights.InviteUsers, rights.NoInvite, now) {
		err = chat.ErrAdminRequired
	}
	return c, err
}

// add is the transaction of Add. It returns who was not in before.
func (s *Service) add(
	ctx context.Context, user ids.UserID, peer ids.Peer, list []ids.UserID, now int64,
) (added []ids.UserID, err error) {
	err = s.Store.Update(ctx, peer, func(tx *store.Tx) error {
		added = nil
		for _, id := range list {
			c, err := mayAdd(&tx.Reader, user, peer, now)
			if err != nil {
				return err
			}
			self, err := tx.Member(peer, user)
			if err != nil {
				return err
			}
			// Only who could ban may let in somebody who was banned.
			e := Entry{User: id, Actor: user, Unban: rights.Has(self, rights.BanUsers)}
			m, entered, err := Enter(tx, c, e, now)
			if err != nil {
				return err
			}
			if !entered {
				continue
			}
			added = append(added, id)
			if rights.IsAdmin(self) {
				l := Log{Kind: LogInvite, After: StandingOf(m)}
				if err := AddLog(tx, peer, user, now, l); err != nil {
					return err
				}
			}
		}
		if len(added) == 0 || peer.Kind() == ids.Channel {
			return nil
		}
		return Noted(tx, peer, box.ChatParticipants, now)
	})
	return added, err
}

// enrollStep is how many people one transaction of Enroll adds.
const enrollStep = 500

// Enroll makes people members of a channel without asking them or telling the channel: for imports,
// demonstrations and benchmarks. It returns how many were not in before.
func (s *Service) Enroll(
	ctx context.Context, channel ids.Peer, list []ids.UserID,
) (added int64, err error) {
	now := s.now()
	for from := 0; from < len(list); from += enrollStep {
		var n int64
		err := s.Store.Update(ctx, channel, func(tx *store.Tx) error {
			n = 0
			for _, id := range list[from:min(from+enrollStep, len(list))] {
				c, err := tx.Chat(channel)
				if err != nil {
					return err
				}
				_, entered, err := Enter(tx, c, Entry{User: id, Actor: id}, now)
				if err != nil {
					return err
				}
				if entered {
					n++
				}
			}
			return nil
		})
		if err != nil {
			return added, err
		}
		added += n
	}
	return added, nil
}

// Leave ends a user's own membership. A group is told.
//
// https://core.telegram.org/method/channels.leaveChannel
func (s *Service) Leave(
	ctx context.Context, user ids.UserID, peer ids.Peer,
) (sent message.Sent, err error) {
	now := s.now()
	var c store.Chat
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		c, err = mayLeave(r, user, peer, now)
		return err
	})
	if err != nil {
		return sent, err
	}
	action := message.Action{Kind: message.ChatDeleteUser, User: user}
	// Outside a private supergroup nobody could tell it anything, so it is told first.
	if peer.Kind() == ids.Channel && Announced(c) {
		if sent, err = s.Message.Announce(ctx, user, peer, action, message.Announcement{}); err != nil {
			return sent, err
		}
	}
	err = s.Store.Update(ctx, peer, func(tx *store.Tx) error {
		if _, err := mayLeave(&tx.Reader, user, peer, now); err != nil {
			return err
		}
		m, err := tx.Member(peer, user)
		if err != nil {
			return err
		}
		if err := Exit(tx, m, Out(m, now), now); err != nil || peer.Kind() == ids.Channel {
			return err
		}
		return Noted(tx, peer, box.ChatParticipants, now)
	})
	if err != nil || peer.Kind() == ids.Channel {
		return sent, err
	}
	return s.Message.Announce(ctx, user, peer, action, message.Announcement{})
}

// Depart ends the membership of a deleted account, without a word. The creator of a channel stays:
// nobody else owns it.
func (s *Service) Depart(ctx context.Context, user ids.UserID, peer ids.Peer) error {
	now := s.now()
	return s.Store.Update(ctx, peer, func(tx *store.Tx) error {
		m, err := tx.Member(peer, user)
		owner := m.Role == store.Creator && peer.Kind() == ids.Channel
		if err != nil || !m.Role.In() || owner {
			return err
		}
		if err := Exit(tx, m, Out(m, now), now); err != nil || peer.Kind() == ids.Channel {
			return err
		}
		return Noted(tx, peer, box.ChatParticipants, now)
	})
}

// mayLeave refuses who is not in, and the creator of a channel: nobody would own it.
func mayLeave(r *store.Reader, user ids.UserID, peer ids.Peer, now int64) (store.Chat, error) {
	c, m, err := Access(r, user, peer, now)
	switch {
	case err != nil:
	case !m.Role.In():
		err = chat.ErrNotParticipant
	case m.Role == store.Creator && peer.Kind() == ids.Channel:
		err = chat.Invalid("USER_CREATOR")
	}
	return c, err
}

// Remove takes somebody out of a basic group; himself, or in the name of an admin or of whom he was
// invited by. The group is told.
//
// https://core.telegram.org/method/messages.deleteChatUser
func (s *Service) Remove(
	ctx context.Context, user ids.UserID, peer ids.Peer, other ids.UserID,
) (message.Sent, error) {
	if other == user {
		return s.Leave(ctx, user, peer)
	}
	now := s.now()
	err := s.Store.Update(ctx, peer, func(tx *store.Tx) error {
		_, self, err := Access(&tx.Reader, user, peer, now)
		if err != nil {
			return err
		}
		m, err := tx.Member(peer, other)
		switch {
		case err != nil:
			return err
		case !m.Role.In():
			return chat.ErrNotParticipant
		case m.Role == store.Creator,
			m.Role == store.Admin && self.Role != store.Creator,
			!rights.Has(self, rights.BanUsers) && m.Actor != user:
			return chat.ErrAdminRequired
		}
		after := store.Member{
			Peer: peer, User: other, Role: store.Kicked, Rights: int64(rights.NoView), Actor: user,
			Date: now,
		}
		if err := Exit(tx, m, after, now); err != nil {
			return err
		}
		return Noted(tx, peer, box.ChatParticipants, now)
	})
	if err != nil {
		return message.Sent{}, err
	}
	return s.Message.Announce(ctx, user, peer, message.Action{
		Kind: message.ChatDeleteUser, User: other,
	}, message.Announcement{})
}

// SetAdmin makes a member of a basic group an admin, or an ordinary member again. Only the creator
// may.
//
// https://core.telegram.org/method/messages.editChatAdmin
func (s *Service) SetAdmin(
	ctx context.Context, user ids.UserID, peer ids.Peer, other ids.UserID, on bool,
) error {
	if peer.Kind() != ids.Chat {
		return chat.ErrChatInvalid
	}
	return s.Change(ctx, Change{
		User: user, Peer: peer, May: Creator, Note: box.ChatParticipants,
		Do: func(tx *store.Tx, _ *store.Chat) (Log, error) {
			m, err := tx.Member(peer, other)
			switch {
			case err != nil:
				return Log{}, err
			case !m.Role.In():
				return Log{}, chat.ErrNotParticipant
			case m.Role == store.Creator:
				return Log{}, chat.Invalid("USER_CREATOR")
			case (m.Role == store.Admin) == on:
				return Log{}, chat.ErrNotModified
			}
			m.Role, m.Rights = store.Participant, 0
			if on {
				m.Role, m.Rights = store.Admin, int64(AdminRights)
			}
			return Log{}, tx.PutMember(m)
		},
	})
}

// Delete ends a basic group for everybody, with all that was said in it. Only the creator may.
//
// https://core.telegram.org/method/messages.deleteChat
func (s *Service) Delete(ctx context.Context, user ids.UserID, peer ids.Peer) error {
	if peer.Kind() != ids.Chat {
		return chat.ErrChatInvalid
	}
	var members []store.Member
	err := s.Store.Update(ctx, peer, func(tx *store.Tx) error {
		c, m, err := Access(&tx.Reader, user, peer, s.now())
		if err != nil {
			return err
		}
		if err := Creator(c, m, 0); err != nil {
			return err
		}
		// Those who have left still have what was said while they were in.
		members, err = tx.Members(peer, store.Left, store.Creator, maxID, 0)
		if err != nil {
			return err
		}
		c.Flags |= store.Deactivated
		c.Members = 0
		c.Version++
		if err := tx.PutChat(c); err != nil {
			return err
		}
		for _, m := range members {
			if err := HideFrom(tx, peer, m.User); err != nil {
				return err
			}
			m.Role, m.Rights = store.Left, 0
			if err := tx.PutMember(m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, m := range members {
		for more := true; more; {
			a, err := s.Message.DeleteHistory(ctx, m.User, peer, 0, false, false)
			if err != nil {
				return err
			}
			more = a.More
		}
	}
	return nil
}

// revokeStep is how many messages are looked at in one step of DeleteHistoryOf.
const revokeStep = 100

// DeleteHistoryOf removes what somebody said in a basic group, for everybody. Whether the caller
// may have it removed is what Remove decides before.
func (s *Service) DeleteHistoryOf(ctx context.Context, peer ids.Peer, other ids.UserID) error {
	below := int64(maxID)
	for {
		var rows []store.Message
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			rows, err = r.Older(other.Peer(), peer, below, 0, revokeStep, 0)
			return err
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		var list []int64
		for _, m := range rows {
			below = m.ID
			if m.Flags.Has(store.Out) && !m.Flags.Has(store.Service) {
				list = append(list, m.ID)
			}
		}
		if len(list) == 0 {
			continue
		}
		if _, err := s.Message.Delete(ctx, other, list, true); err != nil {
			return err
		}
	}
}
