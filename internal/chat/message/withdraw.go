package message

import (
	"errors"

	"parley/internal/chat/box"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// Home returns the box and id under which a message is known to who restricts it: its sender's, or
// a channel's own.
func Home(m store.Message) (ids.Peer, int64) {
	ref := RefOf(m)
	return ref.Box, ref.ID
}

// At returns a box's row of the message that ref names; store.ErrNotFound when it has none.
func At(r *store.Reader, in ids.Peer, ref Ref) (store.Message, error) { return find(r, in, ref) }

// Copies returns in whose boxes besides its own a message may have copies: the other's of a private
// chat, and those of all who are or were in a basic group.
func Copies(r *store.Reader, m store.Message) (out []ids.Peer, err error) {
	switch {
	case m.Box.Kind() == ids.Channel || m.Peer == m.Box:
		return nil, nil
	case m.Peer.Kind() == ids.User:
		return []ids.Peer{m.Peer}, nil
	}
	members, err := r.Members(m.Peer, store.Left, store.Creator, limit.ChatMembers*10, 0)
	for _, x := range members {
		if x.User.Peer() != m.Box {
			out = append(out, x.User.Peer())
		}
	}
	return out, err
}

// Withdraw takes a message out of its box for as long as the service says, with its event. The
// author's own deletion stays possible meanwhile and is final.
func Withdraw(tx *store.Tx, m store.Message, now int64) error {
	if err := tx.RemoveMessage(m); err != nil {
		return err
	}
	if err := lessOf(tx, m); err != nil {
		return err
	}
	_, err := erased(tx, m.Box, []int64{m.ID}, now)
	return err
}

// lessOf mends what counts a message that went.
func lessOf(tx *store.Tx, m store.Message) error {
	if m.Box.Kind() == ids.Channel {
		return callees(tx, m, mention{Gone: true, Kept: true})
	}
	user := m.Box.User()
	if _, err := tx.DropMention(user, m.Peer, m.ID); err != nil {
		return err
	}
	return mend(tx, user, m.Peer)
}

// Restore puts a message back that Withdraw took out of a box; false when it is there, or was
// deleted meanwhile, or its place is taken.
func Restore(tx *store.Tx, in ids.Peer, id, now int64) (bool, error) {
	m, err := tx.Removed(in, id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = tx.MessageByOrigin(in, m.Origin, m.Nonce)
	if err == nil {
		_, err = tx.ForgetRemoved(in, id)
		return false, err
	}
	if !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	if err := tx.ReturnMessage(m); err != nil {
		return false, err
	}
	if err := moreOf(tx, m); err != nil {
		return false, err
	}
	_, err = append1(tx, in, box.NewMessage, now, box.Entry{ID: id})
	return err == nil, err
}

// moreOf mends what counts a message that came back.
func moreOf(tx *store.Tx, m store.Message) error {
	if m.Box.Kind() == ids.Channel {
		return callees(tx, m, mention{Back: true})
	}
	user := m.Box.User()
	if m.Flags.Has(store.Mentioned) && m.Flags.Has(store.MediaUnread) {
		if err := tx.AddMention(user, m.Peer, m.ID); err != nil {
			return err
		}
	}
	return mend(tx, user, m.Peer)
}

// Mark says in a message's row whether the service has restricted it, with the event by which
// clients see it anew; nothing happens when the row said so already and again is not set.
func Mark(tx *store.Tx, m store.Message, on, again bool, now int64) error {
	if m.Flags.Has(store.Measured) == on && !again {
		return nil
	}
	m.Flags &^= store.Measured
	if on {
		m.Flags |= store.Measured
	}
	if m.Edited == 0 {
		// Clients leave out an edit without a date, and show one that is hidden as none.
		m.Edited = now
		m.Flags |= store.HideEdit
	}
	if err := tx.SetMessage(&m); err != nil {
		return err
	}
	_, err := append1(tx, m.Box, box.EditMessage, now, box.Entry{ID: m.ID})
	return err
}

// SetReactions makes a message's row have these reactions of a user and no others, with the event.
func SetReactions(
	tx *store.Tx, m store.Message, user ids.UserID, list []store.Reaction, now int64,
) error {
	r := react{User: user, Date: now}
	for i, x := range list {
		if i == 0 {
			r.Date = x.Date
		}
		r.Reactions = append(r.Reactions, x.Reaction)
	}
	if m.Edited == 0 {
		m.Edited = now
		m.Flags |= store.HideEdit
	}
	_, err := setReactions(tx, m, r)
	return err
}
