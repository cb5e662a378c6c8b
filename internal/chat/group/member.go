package group

import (
	"errors"

	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// errKicked refuses somebody who is banned from the chat that he wants to enter.
var errKicked = chat.Invalid("USER_KICKED")

// Entry is how somebody comes into a chat.
type Entry struct {
	User ids.UserID
	// Actor invited or let in.
	Actor ids.UserID
	// Invite is the hash of the link that he came by.
	Invite string
	// Unban lets in somebody who was banned.
	Unban bool
}

// joined is the body of a TellJoined row: the target is in a channel now.
type joined struct {
	Peer ids.Peer `cbor:"1,keyasint"`
	// Top was the newest message then; the newcomer has nothing unread.
	Top int64 `cbor:"2,keyasint,omitempty"`
	// MinID hides what was before.
	MinID int64 `cbor:"3,keyasint,omitempty"`
}

// left is the body of a TellLeft row: the target is not in a chat any more.
type left struct {
	Peer ids.Peer `cbor:"1,keyasint"`
	// Hide takes the chat off his list.
	Hide bool `cbor:"2,keyasint,omitempty"`
}

// most is how many members a chat may have, 0 for any number.
func most(c store.Chat) int64 {
	switch {
	case c.Peer.Kind() == ids.Chat:
		return limit.ChatMembers
	case c.Flags.Has(store.Megagroup):
		return limit.MegagroupMembers
	default:
		return 0
	}
}

// Enter makes somebody a member of a chat, in a transaction of the chat. It returns his new
// standing, and false when he was in already.
func Enter(tx *store.Tx, c store.Chat, e Entry, now int64) (store.Member, bool, error) {
	m, err := tx.Member(c.Peer, e.User)
	if err != nil || m.Role.In() {
		return m, false, err
	}
	if rights.KickedNow(m, now) && !e.Unban {
		return m, false, errKicked
	}
	if n := most(c); n > 0 && c.Members >= n {
		return m, false, chat.Invalid("USERS_TOO_MUCH")
	}
	next := store.Member{
		Peer: c.Peer, User: e.User, Role: store.Participant, Actor: e.Actor, Date: now,
		Invite: e.Invite,
	}
	if kept := rights.BannedNow(m, now) &^ rights.NoView; kept != 0 && !e.Unban {
		next.Role, next.Rights, next.Until = store.Restricted, int64(kept), m.Until
	}
	if err := tx.PutMember(next); err != nil {
		return m, false, err
	}
	if err := tx.CountMembers(c.Peer, 1); err != nil {
		return m, false, err
	}
	if _, err := tx.DeleteJoinAsk(c.Peer, e.User); err != nil {
		return m, false, err
	}
	if c.Peer.Kind() == ids.Chat {
		return next, true, nil
	}
	b, err := tx.Box(c.Peer)
	if err != nil {
		return m, false, err
	}
	body := joined{Peer: c.Peer, Top: b.TopID}
	if Veiled(c) {
		body.MinID = b.TopID
	}
	return next, true, tell(tx, c.Peer, e.User.Peer(), TellJoined, body)
}

// Veiled tells whether newcomers do not see what was before they joined.
func Veiled(c store.Chat) bool { return c.Flags.Has(store.HistoryHidden) && c.Username == "" }

// Exit gives somebody a standing outside the chat, in a transaction of the chat. The live index of
// a channel's readers hears of it at once when it was not by his own will.
func Exit(tx *store.Tx, before, after store.Member, now int64) error {
	if err := tx.PutMember(after); err != nil {
		return err
	}
	if !before.Role.In() {
		return nil
	}
	if err := tx.CountMembers(before.Peer, -1); err != nil {
		return err
	}
	channel := before.Peer.Kind() == ids.Channel
	if channel && after.Role == store.Kicked {
		_, err := box.Note(tx, before.Peer, box.Participant, now, box.Entry{User: before.User})
		if err != nil {
			return err
		}
	}
	body := left{Peer: before.Peer, Hide: channel}
	return tell(tx, before.Peer, before.User.Peer(), TellLeft, body)
}

// Out is the standing of somebody who left by himself: a restriction waits for him.
func Out(m store.Member, now int64) store.Member {
	out := store.Member{Peer: m.Peer, User: m.User, Role: store.Left, Date: now}
	if banned := rights.BannedNow(m, now); banned != 0 {
		out.Role, out.Rights, out.Until, out.Actor = store.RestrictedOut, m.Rights, m.Until, m.Actor
	}
	return out
}

// applyJoined puts a channel on the list of its new member.
func (s *Service) applyJoined(tx *store.Tx, o store.Outbox) error {
	var j joined
	if err := told(o, &j); err != nil {
		return err
	}
	user := o.Target.User()
	d, err := tx.Dialog(user, j.Peer)
	switch {
	case errors.Is(err, store.ErrNotFound):
		d = store.Dialog{User: user, Peer: j.Peer}
	case err != nil:
		return err
	case d.Flags&(store.Hidden|store.Removed) == 0:
		return nil
	}
	d.Flags &^= store.Hidden | store.Removed
	d.ReadIn = max(d.ReadIn, j.Top)
	d.MinID = max(d.MinID, j.MinID)
	if err := tx.PutDialog(d); err != nil {
		return err
	}
	_, err = box.Note(tx, o.Target, box.ChatChanged, s.now(), box.Entry{Peer: j.Peer})
	return err
}

// applyLeft takes a chat off the list of somebody who is no longer in it, or marks it there.
func (s *Service) applyLeft(tx *store.Tx, o store.Outbox) error {
	var l left
	if err := told(o, &l); err != nil {
		return err
	}
	user := o.Target.User()
	d, err := tx.Dialog(user, l.Peer)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err == nil {
		d.Flags |= store.Removed
		if l.Hide {
			d.Flags |= store.Hidden
		}
		d.Flags &^= store.UnreadMark
		d.Pin, d.Mentions, d.Draft = 0, 0, nil
		if _, err := tx.ClearMentions(user, l.Peer, maxID); err != nil {
			return err
		}
		if err := tx.PutDialog(d); err != nil {
			return err
		}
	}
	_, err = box.Note(tx, o.Target, box.ChatChanged, s.now(), box.Entry{Peer: l.Peer})
	return err
}

// maxID is above every message id.
const maxID = 1<<31 - 1

// HideFrom takes a chat off somebody's list, in a transaction of the chat.
func HideFrom(tx *store.Tx, peer ids.Peer, user ids.UserID) error {
	return tell(tx, peer, user.Peer(), TellLeft, left{Peer: peer, Hide: true})
}

// ShowTo puts a channel on somebody's list, in a transaction of the channel.
func ShowTo(tx *store.Tx, channel ids.Peer, user ids.UserID) error {
	b, err := tx.Box(channel)
	if err != nil {
		return err
	}
	return tell(tx, channel, user.Peer(), TellJoined, joined{Peer: channel, Top: b.TopID})
}
