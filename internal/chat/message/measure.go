package message

import (
	"errors"

	"parley/internal/chat"
	"parley/internal/chat/restrict"
	"parley/internal/ids"
	"parley/internal/store"
)

// Verdict is what the service has restricted of a message for an audience: of the message itself,
// and of the chat or the account at the other end of the chat that it is in.
func Verdict(
	r *store.Reader, a restrict.Audience, m store.Message,
) (v restrict.Verdict, err error) {
	if v, err = OwnVerdict(r, a, m); err != nil {
		return v, err
	}
	peer, err := PeerVerdict(r, a, m)
	return v.And(peer), err
}

// OwnVerdict is the Verdict on a message alone.
func OwnVerdict(
	r *store.Reader, a restrict.Audience, m store.Message,
) (v restrict.Verdict, err error) {
	if !m.Flags.Has(store.Measured) {
		return v, nil
	}
	home, id := Home(m)
	return restrict.OfMessage(r, a, home, id)
}

// PeerVerdict is what the restrictions on a message's chat mean for the message. What somebody
// whose profile is withheld wrote is withheld in the chat with him.
func PeerVerdict(
	r *store.Reader, a restrict.Audience, m store.Message,
) (v restrict.Verdict, err error) {
	switch {
	case m.Peer == m.Box && m.Box.Kind() == ids.User:
		return v, nil
	case m.Peer.Kind() != ids.User:
		c, err := r.Chat(m.Peer)
		if store.IsNotFound(err) || err == nil && !c.Flags.Has(store.ChatMeasured) {
			return v, nil
		}
		if err != nil {
			return v, err
		}
	case m.From != m.Peer:
		return v, nil
	default:
		u, err := r.User(m.Peer.User())
		if store.IsNotFound(err) || err == nil && !u.Flags.Has(store.UserMeasured) {
			return v, nil
		}
		if err != nil {
			return v, err
		}
	}
	return restrict.OfPeer(r, a, m.Peer)
}

// open returns the verdict on a message that a user wants to do something with, and
// ErrMessageIDInvalid when its content is withheld from him.
func open(r *store.Reader, user ids.UserID, m store.Message) (restrict.Verdict, error) {
	v, err := Verdict(r, restrict.Audience{}, m)
	if err == nil && v.Varies {
		var a restrict.Audience
		if a, err = restrict.Of(r, user); err == nil {
			v, err = Verdict(r, a, m)
		}
	}
	if err == nil && v.Hidden() {
		err = chat.ErrMessageIDInvalid
	}
	return v, err
}

// Errors of accounts that may not write to others.
//
// https://core.telegram.org/api/errors
var (
	errLimited        = chat.Invalid("PEER_FLOOD")
	errLimitedInGroup = chat.Invalid("USER_BANNED_IN_CHANNEL")
)

// MayWrite holds somebody to what the service lets him write to a peer. A suspended account may
// write to the service itself, which it may ask to decide anew. One that is limited is kept from
// people who did not ask for its messages: it may also write to itself, to who has it in his
// address book or wrote to it, and post in the broadcast channels whose admin it is, where all have
// subscribed.
func (s *Service) MayWrite(r *store.Reader, from ids.UserID, to ids.Peer) error {
	standing, err := s.Accounts.In(r, from)
	if err != nil || standing == (restrict.Standing{}) {
		return err
	}
	closed := standing.Frozen || standing.Terminated
	if !closed && (!standing.Quiet || to == from.Peer()) {
		return nil
	}
	if to.Kind() == ids.User {
		u, err := r.User(to.User())
		if err != nil && !store.IsNotFound(err) || u.Flags.Has(store.UserService) {
			return err
		}
	}
	switch {
	case closed:
		return chat.ErrFrozen
	case to.Kind() == ids.Channel:
		c, err := r.Chat(to)
		if err == nil && !c.Flags.Has(store.Broadcast) {
			err = errLimitedInGroup
		}
		return err
	case to.Kind() == ids.Chat:
		return errLimited
	}
	return welcome(r, from, to.User())
}

// welcome refuses who is neither in somebody's address book nor was written to by him.
func welcome(r *store.Reader, from, to ids.UserID) error {
	_, err := r.Contact(to, from)
	if !store.IsNotFound(err) {
		return err
	}
	wrote, err := r.Senders(from, to.Peer(), 0, maxID)
	if err == nil && len(wrote) == 0 {
		err = errLimited
	}
	return err
}

// Quotable tells whether what a message quotes may be shown: not when the service has taken away
// the message that it is from, or withholds that from the audience. varies says that another
// audience may get another answer.
func Quotable(
	r *store.Reader, a restrict.Audience, m store.Message, of *Reply,
) (ok, varies bool, err error) {
	in := m.Box
	if of.Peer.Kind() == ids.Channel {
		in = of.Peer
	}
	if m.ReplyTo == 0 {
		return true, false, nil
	}
	answered, err := r.Message(in, m.ReplyTo)
	if errors.Is(err, store.ErrNotFound) {
		_, err = r.Removed(in, m.ReplyTo)
		if errors.Is(err, store.ErrNotFound) {
			return true, false, nil
		}
		return false, false, err
	}
	if err != nil {
		return false, false, err
	}
	v, err := Verdict(r, a, answered)
	return !v.Hidden(), v.Varies, err
}
