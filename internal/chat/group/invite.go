package group

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/chat/message"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
)

const (
	// hashBytes is the entropy of an invite link.
	hashBytes = 15
	// invitesMost is how many links a chat keeps.
	invitesMost = 1000
	// inviteTitleRunes is the longest name of a link, in characters.
	inviteTitleRunes = 32
	// usesMost is the largest limit of uses.
	usesMost = 99_999
)

var (
	errHashEmpty   = chat.Invalid("INVITE_HASH_EMPTY")
	errHashExpired = chat.Invalid("INVITE_HASH_EXPIRED")
)

// Terms are what an admin sets about an invite link.
type Terms struct {
	// Expires is when the link ends, in Unix seconds, 0 for never.
	Expires int64
	// Uses is how many may come by it, 0 for any number.
	Uses    int64
	Request bool
	Title   string
}

func (t Terms) check(now int64) error {
	switch {
	case t.Expires != 0 && t.Expires <= now:
		return chat.Invalid("EXPIRE_DATE_INVALID")
	case t.Uses < 0 || t.Uses > usesMost:
		return chat.Invalid("USAGE_LIMIT_INVALID")
	case t.Request && t.Uses != 0:
		return chat.Invalid("CHAT_INVITE_PERMANENT")
	case utf8.RuneCountInString(t.Title) > inviteTitleRunes || !utf8.ValidString(t.Title):
		return chat.Invalid("INVITE_TITLE_INVALID")
	}
	return nil
}

func (t Terms) apply(i *store.Invite) {
	i.Expires, i.Uses, i.Title = t.Expires, t.Uses, strings.TrimSpace(t.Title)
	i.Flags &^= store.InviteRequest
	if t.Request {
		i.Flags |= store.InviteRequest
	}
}

// newHash reserves the hash of a new link for a chat. A hash without a link leads nowhere.
func (s *Service) newHash(ctx context.Context, peer ids.Peer) (string, error) {
	var b [hashBytes]byte
	if _, err := io.ReadFull(s.Rand, b[:]); err != nil {
		return "", fmt.Errorf("group: invite link: %w", err)
	}
	hash := base64.RawURLEncoding.EncodeToString(b[:])
	err := s.Store.Update(ctx, 0, func(tx *store.Tx) error { return tx.TakeInviteHash(hash, peer) })
	return hash, err
}

// inviter returns the standing of who may make links.
func inviter(r *store.Reader, user ids.UserID, peer ids.Peer, now int64) (store.Member, error) {
	_, m, err := Access(r, user, peer, now)
	if err == nil && !rights.Has(m, rights.InviteUsers) {
		err = chat.ErrAdminRequired
	}
	return m, err
}

// Export makes an invite link. With renew it is the admin's new permanent link, and the old one is
// revoked; so is the first link without any terms.
//
// https://core.telegram.org/method/messages.exportChatInvite
func (s *Service) Export(
	ctx context.Context, user ids.UserID, peer ids.Peer, t Terms, renew bool,
) (store.Invite, error) {
	return s.export(ctx, user, peer, t, renew, false)
}

// export is Export; with first it makes nothing for an admin who has a permanent link.
func (s *Service) export(
	ctx context.Context, user ids.UserID, peer ids.Peer, t Terms, renew, first bool,
) (out store.Invite, err error) {
	now := s.now()
	if err := t.check(now); err != nil {
		return out, err
	}
	if err := s.mayInvite(ctx, user, peer, now); err != nil {
		return out, err
	}
	hash, err := s.newHash(ctx, peer)
	if err != nil {
		return out, err
	}
	err = s.Store.Update(ctx, peer, func(tx *store.Tx) error {
		if _, err := inviter(&tx.Reader, user, peer, now); err != nil {
			return err
		}
		all, err := tx.Invites(peer)
		if err != nil {
			return err
		}
		if len(all) >= invitesMost {
			return chat.Invalid("INVITES_TOO_MUCH")
		}
		old := Permanent(all, user)
		if first && old != nil {
			out = *old
			return nil
		}
		out = store.Invite{Peer: peer, Hash: hash, Creator: user, Date: now}
		if renew || old == nil && t == (Terms{}) {
			out.Flags |= store.InvitePermanent
		}
		if renew && old != nil {
			old.Flags = old.Flags&^store.InvitePermanent | store.InviteRevoked
			if err := tx.PutInvite(*old); err != nil {
				return err
			}
			l := Log{Kind: LogInviteRevoke, Invite: LinkOf(*old)}
			if err := AddLog(tx, peer, user, now, l); err != nil {
				return err
			}
		}
		t.apply(&out)
		return tx.PutInvite(out)
	})
	return out, err
}

func (s *Service) mayInvite(ctx context.Context, user ids.UserID, peer ids.Peer, now int64) error {
	return s.Store.View(ctx, func(r *store.Reader) error {
		_, err := inviter(r, user, peer, now)
		return err
	})
}

// Permanent finds an admin's standing link among a chat's, nil when he has none.
func Permanent(all []store.Invite, admin ids.UserID) *store.Invite {
	for _, i := range all {
		if i.Creator == admin && i.Flags.Has(store.InvitePermanent) {
			return &i
		}
	}
	return nil
}

// Standing makes sure that an admin who may invite has a permanent link; for others it does
// nothing.
func (s *Service) Standing(ctx context.Context, user ids.UserID, peer ids.Peer) error {
	var need bool
	err := s.Store.View(ctx, func(r *store.Reader) error {
		need = false
		_, err := inviter(r, user, peer, s.now())
		if _, refused := err.(chat.Refusal); refused {
			return nil
		}
		if err != nil {
			return err
		}
		all, err := r.Invites(peer)
		need = Permanent(all, user) == nil
		return err
	})
	if err != nil || !need {
		return err
	}
	_, err = s.export(ctx, user, peer, Terms{}, false, true)
	return err
}

// own returns a link that the user may manage: his own, and for the creator of the chat anybody's.
func own(
	r *store.Reader, user ids.UserID, peer ids.Peer, hash string, now int64,
) (store.Invite, error) {
	m, err := inviter(r, user, peer, now)
	if err != nil {
		return store.Invite{}, err
	}
	i, err := r.Invite(peer, hash)
	if store.IsNotFound(err) {
		return i, errHashExpired
	}
	if err == nil && i.Creator != user && m.Role != store.Creator {
		err = chat.ErrAdminRequired
	}
	return i, err
}

// EditInvite changes a link or, with revoke, ends it. A permanent link that ends is replaced.
//
// https://core.telegram.org/method/messages.editExportedChatInvite
func (s *Service) EditInvite(
	ctx context.Context, user ids.UserID, peer ids.Peer, hash string, revoke bool, t *Terms,
) (out store.Invite, next *store.Invite, err error) {
	now := s.now()
	permanent := false
	err = s.Store.Update(ctx, peer, func(tx *store.Tx) error {
		i, err := own(&tx.Reader, user, peer, hash, now)
		if err != nil {
			return err
		}
		if i.Flags.Has(store.InviteRevoked) {
			return errHashExpired
		}
		l := Log{Kind: LogInviteEdit, Invite: LinkOf(i)}
		permanent = i.Flags.Has(store.InvitePermanent)
		if revoke {
			l.Kind = LogInviteRevoke
			i.Flags = i.Flags&^store.InvitePermanent | store.InviteRevoked
		} else if t != nil {
			if permanent {
				return chat.Invalid("CHAT_INVITE_PERMANENT")
			}
			if err := t.check(now); err != nil {
				return err
			}
			t.apply(&i)
		}
		l.Edited = LinkOf(i)
		out = i
		if err := tx.PutInvite(i); err != nil {
			return err
		}
		return AddLog(tx, peer, user, now, l)
	})
	if err != nil || !revoke || !permanent || out.Creator != user {
		return out, nil, err
	}
	fresh, err := s.Export(ctx, user, peer, Terms{}, true)
	return out, &fresh, err
}

// DeleteInvite forgets a revoked link.
//
// https://core.telegram.org/method/messages.deleteExportedChatInvite
func (s *Service) DeleteInvite(
	ctx context.Context, user ids.UserID, peer ids.Peer, hash string,
) error {
	now := s.now()
	return s.Store.Update(ctx, peer, func(tx *store.Tx) error {
		i, err := own(&tx.Reader, user, peer, hash, now)
		if err != nil {
			return err
		}
		if !i.Flags.Has(store.InviteRevoked) {
			return chat.Invalid("INVITE_REVOKED_MISSING")
		}
		if err := tx.DeleteInvite(peer, hash); err != nil {
			return err
		}
		return AddLog(tx, peer, user, now, Log{Kind: LogInviteDelete, Invite: LinkOf(i)})
	})
}

// DeleteRevoked forgets all revoked links of an admin.
//
// https://core.telegram.org/method/messages.deleteRevokedExportedChatInvites
func (s *Service) DeleteRevoked(
	ctx context.Context, user ids.UserID, peer ids.Peer, admin ids.UserID,
) error {
	now := s.now()
	return s.Store.Update(ctx, peer, func(tx *store.Tx) error {
		m, err := inviter(&tx.Reader, user, peer, now)
		if err != nil {
			return err
		}
		if admin != user && m.Role != store.Creator {
			return chat.ErrAdminRequired
		}
		all, err := tx.Invites(peer)
		if err != nil {
			return err
		}
		for _, i := range all {
			if i.Creator != admin || !i.Flags.Has(store.InviteRevoked) {
				continue
			}
			if err := tx.DeleteInvite(peer, i.Hash); err != nil {
				return err
			}
		}
		return nil
	})
}

// Invites returns the links of a chat that the user may manage, of one admin, or for 0 of all.
func Invites(
	r *store.Reader, user ids.UserID, peer ids.Peer, admin ids.UserID, now int64,
) ([]store.Invite, error) {
	m, err := inviter(r, user, peer, now)
	if err != nil {
		return nil, err
	}
	if admin != user && m.Role != store.Creator {
		return nil, chat.ErrAdminRequired
	}
	all, err := r.Invites(peer)
	if err != nil || admin == 0 {
		return all, err
	}
	out := all[:0]
	for _, i := range all {
		if i.Creator == admin {
			out = append(out, i)
		}
	}
	return out, nil
}

// InviteOf returns one link that the user may manage.
func InviteOf(
	r *store.Reader, user ids.UserID, peer ids.Peer, hash string, now int64,
) (store.Invite, error) {
	return own(r, user, peer, hash, now)
}

// valid tells whether a link lets somebody in now.
func valid(i store.Invite, now int64) bool {
	return !i.Flags.Has(store.InviteRevoked) && (i.Expires == 0 || i.Expires > now) &&
		(i.Uses == 0 || i.Used < i.Uses)
}

// Invited is what a link leads to.
type Invited struct {
	Chat   store.Chat
	Member store.Member
	Invite store.Invite
}

// Check says what a link leads to. Whoever is banned there learns nothing.
//
// https://core.telegram.org/method/messages.checkChatInvite
func Check(r *store.Reader, user ids.UserID, hash string, now int64) (out Invited, err error) {
	if hash == "" {
		return out, errHashEmpty
	}
	peer, err := r.ChatByInvite(hash)
	if store.IsNotFound(err) {
		return out, errHashExpired
	}
	if err != nil {
		return out, err
	}
	if out.Chat, err = r.Chat(peer); err != nil {
		return out, err
	}
	if out.Member, err = r.Member(peer, user); err != nil {
		return out, err
	}
	out.Invite, err = r.Invite(peer, hash)
	if store.IsNotFound(err) {
		return Invited{}, errHashExpired
	}
	if err != nil {
		return out, err
	}
	hidden := rights.Closed(out.Chat) || rights.KickedNow(out.Member, now) ||
		!out.Member.Role.In() && !valid(out.Invite, now)
	if hidden {
		return Invited{}, errHashExpired
	}
	return out, nil
}

// asking tells whether who comes by a link has to ask first.
func (i Invited) asking() bool {
	return i.Invite.Flags.Has(store.InviteRequest)
}

// Import makes a user a member by an invite link, or notes that he asks to.
//
// https://core.telegram.org/method/messages.importChatInvite
func (s *Service) Import(
	ctx context.Context, user ids.UserID, hash string,
) (peer ids.Peer, sent message.Sent, err error) {
	now := s.now()
	var to Invited
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		if to, err = Check(r, user, hash, now); err != nil {
			return err
		}
		if to.Member.Role.In() {
			return chat.Invalid("USER_ALREADY_PARTICIPANT")
		}
		return room(r, user)
	})
	if err != nil {
		return 0, sent, err
	}
	peer = to.Chat.Peer
	if to.asking() {
		ask := store.JoinAsk{Peer: peer, User: user, Hash: hash, Date: now}
		return peer, sent, s.ask(ctx, ask)
	}
	if err := s.veil(ctx, to.Chat, user); err != nil {
		return 0, sent, err
	}
	entered, err := s.use(ctx, user, hash, now)
	if err != nil || !entered || !Announced(to.Chat) {
		return peer, sent, err
	}
	sent, err = s.Message.Announce(ctx, user, peer, message.Action{
		Kind: message.ChatJoinedByLink, User: to.Invite.Creator,
	}, message.Announcement{})
	return peer, sent, err
}

// use is the transaction of Import.
func (s *Service) use(
	ctx context.Context, user ids.UserID, hash string, now int64,
) (entered bool, err error) {
	var peer ids.Peer
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		peer, err = r.ChatByInvite(hash)
		return err
	})
	if err != nil {
		return false, err
	}
	err = s.Store.Update(ctx, peer, func(tx *store.Tx) error {
		to, err := Check(&tx.Reader, user, hash, now)
		if err != nil {
			return err
		}
		if to.asking() {
			return errHashExpired
		}
		e := Entry{User: user, Actor: to.Invite.Creator, Invite: hash}
		if _, entered, err = Enter(tx, to.Chat, e, now); err != nil || !entered {
			return err
		}
		to.Invite.Used++
		if err := tx.PutInvite(to.Invite); err != nil || peer.Kind() == ids.Channel {
			return err
		}
		return Noted(tx, peer, box.ChatParticipants, now)
	})
	return entered, err
}

// Decide lets somebody in who asked to join, or does not.
//
// https://core.telegram.org/method/messages.hideChatJoinRequest
func (s *Service) Decide(
	ctx context.Context, user ids.UserID, peer ids.Peer, other ids.UserID, yes bool,
) (sent message.Sent, err error) {
	now := s.now()
	var c store.Chat
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		if _, err = inviter(r, user, peer, now); err != nil {
			return err
		}
		c, err = r.Chat(peer)
		return err
	})
	if err != nil {
		return sent, err
	}
	if yes {
		if err := s.veil(ctx, c, other); err != nil {
			return sent, err
		}
	}
	var entered bool
	err = s.Store.Update(ctx, peer, func(tx *store.Tx) (err error) {
		entered, err = s.decide(tx, user, peer, other, yes, now)
		return err
	})
	if err != nil || !entered || !Announced(c) {
		return sent, err
	}
	return s.Message.Announce(ctx, other, peer, message.Action{
		Kind: message.ChatJoinedByRequest,
	}, message.Announcement{})
}

// decide is the transaction of Decide.
func (s *Service) decide(
	tx *store.Tx, user ids.UserID, peer ids.Peer, other ids.UserID, yes bool, now int64,
) (entered bool, err error) {
	if _, err := inviter(&tx.Reader, user, peer, now); err != nil {
		return false, err
	}
	asks, _, err := tx.JoinAsks(peer, asksMost)
	if err != nil {
		return false, err
	}
	ask := store.JoinAsk{}
	for _, a := range asks {
		if a.User == other {
			ask = a
		}
	}
	if ask.User == 0 {
		return false, chat.Invalid("HIDE_REQUESTER_MISSING")
	}
	if _, err := tx.DeleteJoinAsk(peer, other); err != nil {
		return false, err
	}
	if err := s.tellAsks(tx, peer); err != nil || !yes {
		return false, err
	}
	c, err := tx.Chat(peer)
	if err != nil {
		return false, err
	}
	m, entered, err := Enter(tx, c, Entry{User: other, Actor: user, Invite: ask.Hash}, now)
	if err != nil || !entered {
		return false, err
	}
	l := Log{Kind: LogJoinByRequest, After: StandingOf(m), Actor: user}
	if i, err := tx.Invite(peer, ask.Hash); err == nil {
		l.Invite = LinkOf(i)
		i.Used++
		if err := tx.PutInvite(i); err != nil {
			return true, err
		}
	}
	if err := AddLog(tx, peer, other, now, l); err != nil || peer.Kind() == ids.Channel {
		return true, err
	}
	return true, Noted(tx, peer, box.ChatParticipants, now)
}

// DecideAll decides about everybody who asked to join, by one link or for "" by any.
//
// https://core.telegram.org/method/messages.hideAllChatJoinRequests
func (s *Service) DecideAll(
	ctx context.Context, user ids.UserID, peer ids.Peer, hash string, yes bool,
) error {
	var asks []store.JoinAsk
	err := s.Store.View(ctx, func(r *store.Reader) error {
		if _, err := inviter(r, user, peer, s.now()); err != nil {
			return err
		}
		var err error
		asks, _, err = r.JoinAsks(peer, asksMost)
		return err
	})
	if err != nil {
		return err
	}
	for _, a := range asks {
		if hash != "" && a.Hash != hash {
			continue
		}
		_, err := s.Decide(ctx, user, peer, a.User, yes)
		if err != nil && err != chat.Invalid("HIDE_REQUESTER_MISSING") {
			return err
		}
	}
	return nil
}
