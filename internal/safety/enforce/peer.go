package enforce

import (
	"errors"

	"parley/internal/chat/box"
	"parley/internal/chat/group"
	"parley/internal/chat/secret"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/store"
)

// measures are those in force on a subject.
func measures(r *store.Reader, on safety.Subject) (map[safety.Measure]bool, error) {
	list, err := r.Restrictions(key(on))
	out := make(map[safety.Measure]bool, len(list))
	for _, x := range list {
		out[safety.Measure(x.Measure)] = true
	}
	return out, err
}

// settleAccount makes an account's row say what is in force on it, and lets its devices and the
// dispatcher know that something changed.
func settleAccount(tx *store.Tx, user ids.UserID, now int64) error {
	u, err := tx.User(user)
	if errors.Is(err, store.ErrNotFound) || err == nil && u.Flags.Has(store.UserService) {
		return ErrSubject
	}
	if err != nil {
		return err
	}
	has, err := measures(&tx.Reader, safety.Subject{Peer: user.Peer(), Kind: safety.Account})
	if err != nil {
		return err
	}
	before := u.Flags
	u.Flags &^= store.UserMeasured | store.UserTerminated
	if has[safety.Terminate] {
		u.Flags |= store.UserTerminated
		delete(has, safety.Terminate)
	}
	if len(has) > 0 {
		u.Flags |= store.UserMeasured
	}
	if u.Flags != before {
		if err := tx.PutUser(u); err != nil {
			return err
		}
	}
	if ended := u.Flags &^ before; ended.Has(store.UserTerminated) {
		if err := secret.EndAccount(tx, user, now); err != nil {
			return err
		}
	}
	_, err = box.Note(tx, user.Peer(), box.Restricted, now, box.Entry{User: user})
	return err
}

// settleChat makes a chat's row say what is in force on it, and lets everybody in it know.
func settleChat(tx *store.Tx, peer ids.Peer, now int64) error {
	c, err := tx.Chat(peer)
	if errors.Is(err, store.ErrNotFound) {
		return ErrSubject
	}
	if err != nil {
		return err
	}
	has, err := measures(&tx.Reader, safety.Subject{Peer: peer, Kind: safety.Chat})
	if err != nil {
		return err
	}
	ended := c.Flags.Has(store.ChatTerminated)
	c.Flags &^= store.ChatMeasured | store.ChatTerminated
	if has[safety.Terminate] {
		c.Flags |= store.ChatTerminated
		delete(has, safety.Terminate)
	}
	if len(has) > 0 {
		c.Flags |= store.ChatMeasured
	}
	c.Version++
	if err := tx.PutChat(c); err != nil {
		return err
	}
	if peer.Kind() != ids.Channel {
		return group.Noted(tx, peer, box.ChatChanged, now)
	}
	back := ended && !c.Flags.Has(store.ChatTerminated)
	_, err = box.Note(tx, peer, box.Restricted, now, box.Entry{Peer: peer, On: back})
	return err
}

// takePhoto takes a profile photo away; 0 when the peer does not have it.
func takePhoto(tx *store.Tx, on safety.Subject, now int64) (int, error) {
	shown, err := shownPhoto(&tx.Reader, on.Peer)
	if err != nil {
		return 0, err
	}
	gone, err := tx.RemovePhoto(on.Peer, on.Item, shown == on.Item)
	if err != nil || !gone {
		return 0, err
	}
	if shown != on.Item {
		return 1, nil
	}
	return 1, showNewest(tx, on.Peer, now)
}

// returnPhoto gives a profile photo back; it is shown again if it was, and no newer one is.
func returnPhoto(tx *store.Tx, on safety.Subject, now int64) (int, error) {
	used, err := tx.ReturnPhoto(on.Peer, on.Item)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil || !used {
		return 1, err
	}
	list, _, err := tx.ProfilePhotos(on.Peer, 1, 0)
	if err != nil || list[0] != on.Item {
		return 1, err
	}
	return 1, showNewest(tx, on.Peer, now)
}

func shownPhoto(r *store.Reader, peer ids.Peer) (int64, error) {
	if peer.Kind() == ids.User {
		u, err := r.User(peer.User())
		return u.PhotoID, err
	}
	c, err := r.Chat(peer)
	return c.PhotoID, err
}

// showNewest makes the newest of a peer's photos the one that is shown, and tells of it.
func showNewest(tx *store.Tx, peer ids.Peer, now int64) error {
	list, _, err := tx.ProfilePhotos(peer, 1, 0)
	if err != nil {
		return err
	}
	var next int64
	if len(list) > 0 {
		next = list[0]
	}
	if peer.Kind() != ids.User {
		c, err := tx.Chat(peer)
		if err != nil {
			return err
		}
		c.PhotoID = next
		c.Version++
		if err := tx.PutChat(c); err != nil {
			return err
		}
		return group.Noted(tx, peer, box.ChatChanged, now)
	}
	u, err := tx.User(peer.User())
	if err != nil {
		return err
	}
	u.PhotoID = next
	if err := tx.PutUser(u); err != nil {
		return err
	}
	_, err = box.Note(tx, peer, box.Restricted, now, box.Entry{User: u.ID})
	return err
}
