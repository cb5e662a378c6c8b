package message

import (
	"context"
	"errors"

	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
)

// erase is the body of a TellDelete row.
type erase struct {
	Refs []Ref `cbor:"1,keyasint"`
}

// Affected is what a deletion or a reading did to a box.
//
// https://core.telegram.org/constructor/messages.affectedMessages
type Affected struct {
	Pts   int64
	Count int64
	// More says that the call is to be repeated until it is false.
	More bool
}

// Delete removes messages from a user's own box and, if asked to and allowed, from the boxes of all
// others who have them. Ids that are not there are passed over.
//
// https://core.telegram.org/method/messages.deleteMessages
func (s *Service) Delete(
	ctx context.Context, user ids.UserID, list []int64, forAll bool,
) (Affected, error) {
	now := s.Clock.Now().Unix()
	var revoke map[ids.UserID][]Ref
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		revoke, err = s.revocable(r, user, list, forAll, now)
		return err
	})
	if err != nil {
		return Affected{}, err
	}
	var out Affected
	err = s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) (err error) {
		if out, err = remove(tx, user, list, now); err != nil {
			return err
		}
		for target, refs := range revoke {
			if err := tell(tx, user.Peer(), target.Peer(), TellDelete, erase{refs}); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// revocable finds whose copies of the messages are to go as well.
func (s *Service) revocable(
	r *store.Reader, user ids.UserID, list []int64, forAll bool, now int64,
) (map[ids.UserID][]Ref, error) {
	out := make(map[ids.UserID][]Ref)
	for _, id := range list {
		m, err := r.Message(user.Peer(), id)
		if errors.Is(err, store.ErrNotFound) {
			m, err = r.Removed(user.Peer(), id)
		}
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !forAll {
			continue
		}
		if m.Peer.Kind() == ids.Chat && !m.Flags.Has(store.Out) {
			a, err := See(r, user, m.Peer, now)
			if err != nil {
				return nil, err
			}
			if !rights.IsAdmin(a.Member) {
				return nil, chat.Forbidden("MESSAGE_DELETE_FORBIDDEN")
			}
		}
		targets, err := others(r, user, m.Peer)
		if err != nil {
			return nil, err
		}
		for _, t := range targets {
			out[t] = append(out[t], RefOf(m))
		}
	}
	return out, nil
}

// remove deletes rows from a user's box, with one event, and mends the dialogs they were in.
func remove(tx *store.Tx, user ids.UserID, list []int64, now int64) (Affected, error) {
	var gone []int64
	touched := make(map[ids.Peer]bool)
	for _, id := range list {
		m, err := tx.Message(user.Peer(), id)
		if errors.Is(err, store.ErrNotFound) {
			// What the service took away is deleted for good.
			if _, err := tx.ForgetRemoved(user.Peer(), id); err != nil {
				return Affected{}, err
			}
			continue
		}
		if err != nil {
			return Affected{}, err
		}
		if _, err := tx.DeleteMessage(user.Peer(), id); err != nil {
			return Affected{}, err
		}
		if _, err := tx.DropMention(user, m.Peer, id); err != nil {
			return Affected{}, err
		}
		gone = append(gone, id)
		touched[m.Peer] = true
	}
	for peer := range touched {
		if err := mend(tx, user, peer); err != nil {
			return Affected{}, err
		}
	}
	return erased(tx, user.Peer(), gone, now)
}

// erased records that messages went.
func erased(tx *store.Tx, in ids.Peer, gone []int64, now int64) (Affected, error) {
	if len(gone) == 0 {
		b, err := tx.Box(in)
		return Affected{Pts: b.Pts}, err
	}
	e, err := box.Append(tx, in, box.DeleteMessages, int64(len(gone)), now, box.Entry{IDs: gone})
	return Affected{Pts: e.Pts, Count: e.Count}, err
}

// mend recomputes what a dialog of the common box keeps, after messages of it went.
func mend(tx *store.Tx, user ids.UserID, peer ids.Peer) error {
	d, err := tx.Dialog(user, peer)
	if err != nil {
		return dropGone(err)
	}
	top, err := tx.Older(user.Peer(), peer, maxID, 0, 1, 0)
	if err != nil {
		return err
	}
	if len(top) > 0 {
		d.TopID, d.TopDate = top[0].ID, top[0].Date
	} else {
		d.TopID = 0
	}
	if d.Unread, err = tx.Unread(user, peer, d.ReadIn); err != nil {
		return err
	}
	if d.Messages, err = tx.CountMessages(user, peer); err != nil {
		return err
	}
	mentions, err := tx.Mentions(user, peer, maxID, 1000)
	if err != nil {
		return err
	}
	d.Mentions = int64(len(mentions))
	return tx.PutDialog(d)
}

func (s *Service) applyDelete(tx *store.Tx, o store.Outbox) error {
	var e erase
	if err := told(o, &e); err != nil {
		return err
	}
	now := s.Clock.Now().Unix()
	var list []int64
	for _, ref := range e.Refs {
		m, err := find(&tx.Reader, o.Target, ref)
		switch {
		case err == nil:
			list = append(list, m.ID)
		case !errors.Is(err, store.ErrNotFound):
			return err
		default:
			if err := forget(tx, o.Target, ref); err != nil {
				return err
			}
			if ref.Box == o.Target {
				continue
			}
			// Its delivery, by another box, may still be under way.
			if err := tx.Erase(o.Target, ref.Box, ref.ID, now); err != nil {
				return err
			}
		}
	}
	if len(list) == 0 {
		return nil
	}
	_, err := remove(tx, o.Target.User(), list, now)
	return err
}

// forget deletes the copy of a message for good that the service has taken away.
func forget(tx *store.Tx, in ids.Peer, ref Ref) error {
	id := ref.ID
	if ref.Box != in {
		m, err := tx.RemovedByOrigin(in, ref.Box, ref.ID)
		if err != nil {
			return dropGone(err)
		}
		id = m.ID
	}
	_, err := tx.ForgetRemoved(in, id)
	return err
}

// DeletePosts removes messages from a channel for everybody. Their authors may, and admins.
//
// https://core.telegram.org/method/channels.deleteMessages
func (s *Service) DeletePosts(
	ctx context.Context, user ids.UserID, channel ids.Peer, list []int64,
) (out Affected, err error) {
	now := s.Clock.Now().Unix()
	err = s.Store.Update(ctx, channel, func(tx *store.Tx) error {
		a, err := See(&tx.Reader, user, channel, now)
		if err != nil {
			return err
		}
		var gone []int64
		for _, id := range list {
			m, err := tx.Message(channel, id)
			if errors.Is(err, store.ErrNotFound) {
				if err := forgetPost(tx, user, a, channel, id); err != nil {
					return err
				}
				continue
			}
			if err != nil {
				return err
			}
			if m.Origin != user.Peer() && !rights.Has(a.Member, rights.DeleteMessages) {
				return chat.Forbidden("MESSAGE_DELETE_FORBIDDEN")
			}
			if _, err := tx.DeleteMessage(channel, id); err != nil {
				return err
			}
			if err := uncall(tx, m); err != nil {
				return err
			}
			gone = append(gone, id)
		}
		out, err = erased(tx, channel, gone, now)
		return err
	})
	return out, err
}

// forgetPost deletes a post for good that the service has taken away, if the user might delete it.
func forgetPost(tx *store.Tx, user ids.UserID, a Access, channel ids.Peer, id int64) error {
	m, err := tx.Removed(channel, id)
	if err != nil {
		return dropGone(err)
	}
	if m.Origin == user.Peer() || rights.Has(a.Member, rights.DeleteMessages) {
		_, err = tx.ForgetRemoved(channel, id)
	}
	return err
}

// uncall lets those whom a post called know that it is gone.
func uncall(tx *store.Tx, m store.Message) error { return callees(tx, m, mention{Gone: true}) }

// callees tells those whom a post calls what became of it.
func callees(tx *store.Tx, m store.Message, body mention) error {
	c, err := DecodeContent(m.Body)
	if err != nil {
		return err
	}
	body.Channel, body.ID = m.Box, m.ID
	for _, user := range c.Mentioned {
		if err := tell(tx, m.Box, user.Peer(), TellMention, body); err != nil {
			return err
		}
	}
	return nil
}

// historySlice is how many messages one call of DeleteHistory removes.
const historySlice = 500

// DeleteHistory removes the messages with a peer up to an id, from the user's box or, in private
// chats and on request, from both. With clear the dialog stays, empty.
//
// https://core.telegram.org/method/messages.deleteHistory
func (s *Service) DeleteHistory(
	ctx context.Context, user ids.UserID, peer ids.Peer, upTo int64, clear, forAll bool,
) (out Affected, err error) {
	now := s.Clock.Now().Unix()
	if upTo == 0 {
		upTo = maxID - 1
	}
	err = s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		rows, err := tx.Older(user.Peer(), peer, upTo+1, 0, historySlice, 0)
		if err != nil {
			return err
		}
		var list []int64
		var refs []Ref
		for _, m := range rows {
			list = append(list, m.ID)
			refs = append(refs, RefOf(m))
		}
		if out, err = remove(tx, user, list, now); err != nil {
			return err
		}
		if err := tx.ForgetRemovedWith(user.Peer(), peer, upTo); err != nil {
			return err
		}
		out.More = len(rows) == historySlice
		if forAll && peer.Kind() == ids.User && peer != user.Peer() && len(refs) > 0 {
			if err := tell(tx, user.Peer(), peer, TellDelete, erase{refs}); err != nil {
				return err
			}
		}
		if out.More || clear {
			return nil
		}
		d, err := tx.Dialog(user, peer)
		if err != nil {
			return dropGone(err)
		}
		if d.TopID == 0 {
			d.Flags |= store.Hidden
			d.Pin = 0
		}
		return tx.PutDialog(d)
	})
	return out, err
}
