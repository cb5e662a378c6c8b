package message

import (
	"context"

	"parley/internal/chat/box"
	"parley/internal/ids"
	"parley/internal/store"
)

// read is the body of a TellRead row: somebody read the target's messages up to an id of the
// target's own numbering.
type read struct {
	Peer ids.Peer `cbor:"1,keyasint"`
	ID   int64    `cbor:"2,keyasint"`
}

// contents is the body of a TellContents row: somebody looked at or listened to messages.
type contents struct {
	Refs []Ref `cbor:"1,keyasint"`
}

// Read marks the messages with a peer as read up to an id and lets their senders know.
//
// https://core.telegram.org/method/messages.readHistory
func (s *Service) Read(
	ctx context.Context, user ids.UserID, peer ids.Peer, upTo int64,
) (out Affected, err error) {
	if peer.Kind() == ids.Channel {
		return out, s.ReadPosts(ctx, user, peer, upTo)
	}
	now := s.Clock.Now().Unix()
	err = s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		b, err := tx.Box(user.Peer())
		if err != nil {
			return err
		}
		out = Affected{Pts: b.Pts}
		d, err := tx.Dialog(user, peer)
		if err != nil {
			return dropGone(err)
		}
		if upTo == 0 || upTo > d.TopID {
			upTo = d.TopID
		}
		if upTo <= d.ReadIn {
			return unmark(tx, d, now)
		}
		senders, err := tx.Senders(user, peer, d.ReadIn, upTo)
		if err != nil {
			return err
		}
		d.ReadIn = upTo
		if d.Unread, err = tx.Unread(user, peer, upTo); err != nil {
			return err
		}
		if err := readOn(tx, d, now); err != nil {
			return err
		}
		e, err := append1(tx, user.Peer(), box.ReadInbox, now,
			box.Entry{Peer: peer, ID: upTo, N: d.Unread})
		if err != nil {
			return err
		}
		out = Affected{Pts: e.Pts, Count: e.Count}
		for sender, top := range senders {
			body := read{Peer: mirror(user, peer), ID: top}
			if err := tell(tx, user.Peer(), sender, TellRead, body); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// readOn writes a dialog that was read further, without its unread mark.
func readOn(tx *store.Tx, d store.Dialog, now int64) error {
	if d.Flags.Has(store.UnreadMark) {
		return unmark(tx, d, now)
	}
	return tx.PutDialog(d)
}

// unmark takes the user's own unread mark off a dialog.
func unmark(tx *store.Tx, d store.Dialog, now int64) error {
	if !d.Flags.Has(store.UnreadMark) {
		return nil
	}
	d.Flags &^= store.UnreadMark
	if err := tx.PutDialog(d); err != nil {
		return err
	}
	_, err := box.Note(tx, d.User.Peer(), box.DialogUnreadMark, now, box.Entry{Peer: d.Peer})
	return err
}

func (s *Service) applyRead(tx *store.Tx, o store.Outbox) error {
	var body read
	if err := told(o, &body); err != nil {
		return err
	}
	d, err := tx.Dialog(o.Target.User(), body.Peer)
	if err != nil {
		return dropGone(err)
	}
	if body.ID <= d.ReadOut {
		return nil
	}
	d.ReadOut = body.ID
	if err := tx.PutDialog(d); err != nil {
		return err
	}
	now, entry := s.Clock.Now().Unix(), box.Entry{Peer: body.Peer, ID: body.ID}
	if body.Peer.Kind() == ids.Channel {
		_, err = box.Note(tx, o.Target, box.ReadChannelOutbox, now, entry)
	} else {
		_, err = append1(tx, o.Target, box.ReadOutbox, now, entry)
	}
	return err
}

// ReadPosts moves the user's watermark in a channel. In a supergroup the authors of what was newly
// read see that somebody did.
//
// https://core.telegram.org/method/channels.readHistory
func (s *Service) ReadPosts(
	ctx context.Context, user ids.UserID, channel ids.Peer, upTo int64,
) error {
	now := s.Clock.Now().Unix()
	authors := make(map[ids.UserID]int64)
	err := s.Store.View(ctx, func(r *store.Reader) error {
		a, err := See(r, user, channel, now)
		if err != nil {
			return err
		}
		b, err := r.Box(channel)
		if err != nil {
			return err
		}
		if upTo == 0 || upTo > b.TopID {
			upTo = b.TopID
		}
		if !a.Chat.Flags.Has(store.Megagroup) {
			return nil
		}
		d, err := r.DialogOrNew(user, channel)
		if err != nil {
			return err
		}
		rows, err := r.Older(channel, channel, upTo+1, d.ReadIn, readAuthors, 0)
		for _, m := range rows {
			if from := m.From.User(); from != 0 && from != user {
				authors[from] = max(authors[from], m.ID)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		d, err := tx.Dialog(user, channel)
		if err != nil {
			return dropGone(err)
		}
		if upTo <= d.ReadIn {
			return unmark(tx, d, now)
		}
		d.ReadIn = upTo
		if err := readOn(tx, d, now); err != nil {
			return err
		}
		for author, id := range authors {
			body := read{Peer: channel, ID: id}
			if err := tell(tx, user.Peer(), author.Peer(), TellRead, body); err != nil {
				return err
			}
		}
		return noteReadPosts(tx, d, now)
	})
}

// noteReadPosts tells a user's devices how far he has read a channel.
func noteReadPosts(tx *store.Tx, d store.Dialog, now int64) error {
	left, err := tx.UnreadPosts(d.Peer, d.ReadIn, d.User, unreadMost)
	if err != nil {
		return err
	}
	_, err = box.Note(tx, d.User.Peer(), box.ReadChannelInbox, now,
		box.Entry{Peer: d.Peer, ID: d.ReadIn, N: left})
	return err
}

const (
	// readAuthors bounds how many newly read messages of a supergroup are told to their authors.
	readAuthors = 100
	// unreadMost is where counting unread posts stops.
	unreadMost = 10_000
)

// ReadContents marks messages as looked at: mentions seen, voice messages heard. It returns what it
// did to the user's own box, and for other boxes lets them know.
//
// https://core.telegram.org/method/messages.readMessageContents
func (s *Service) ReadContents(
	ctx context.Context, user ids.UserID, peer ids.Peer, list []int64,
) (out Affected, err error) {
	if peer.Kind() == ids.Channel {
		return out, s.seeMentions(ctx, user, peer, list)
	}
	now := s.Clock.Now().Unix()
	err = s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		var seen []int64
		refs := make(map[ids.Peer][]Ref)
		for _, id := range list {
			m, err := tx.Message(user.Peer(), id)
			if err != nil || m.Flags.Has(store.Out) || !m.Flags.Has(store.MediaUnread) {
				if dropGone(err) != nil {
					return err
				}
				continue
			}
			if err := heard(tx, m); err != nil {
				return err
			}
			seen = append(seen, id)
			if ref := RefOf(m); ref.Box != user.Peer() {
				refs[ref.Box] = append(refs[ref.Box], ref)
			}
		}
		b, err := tx.Box(user.Peer())
		out = Affected{Pts: b.Pts}
		if err != nil || len(seen) == 0 {
			return err
		}
		for target, list := range refs {
			if err := tell(tx, user.Peer(), target, TellContents, contents{list}); err != nil {
				return err
			}
		}
		e, err := box.Append(tx, user.Peer(), box.ReadContents, int64(len(seen)), now,
			box.Entry{IDs: seen})
		out = Affected{Pts: e.Pts, Count: e.Count}
		return err
	})
	return out, err
}

// heard takes the unread mark off a message's content, and its mention.
func heard(tx *store.Tx, m store.Message) error {
	m.Flags &^= store.MediaUnread
	if err := tx.SetMessage(&m); err != nil {
		return err
	}
	_, err := dropMentions(tx, m.Box.User(), m.Peer, []int64{m.ID})
	return err
}

// seeMentions takes mentions of a channel's messages off the user's dialog.
func (s *Service) seeMentions(
	ctx context.Context, user ids.UserID, channel ids.Peer, list []int64,
) error {
	now := s.Clock.Now().Unix()
	return s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		seen, err := dropMentions(tx, user, channel, list)
		if err != nil || len(seen) == 0 {
			return err
		}
		_, err = box.Note(tx, user.Peer(), box.ReadChannelContents, now,
			box.Entry{Peer: channel, IDs: seen})
		return err
	})
}

// dropMentions takes mentions off a dialog, and returns those that were there.
func dropMentions(
	tx *store.Tx, user ids.UserID, peer ids.Peer, list []int64,
) (gone []int64, err error) {
	for _, id := range list {
		dropped, err := tx.DropMention(user, peer, id)
		if err != nil {
			return nil, err
		}
		if dropped {
			gone = append(gone, id)
		}
	}
	if len(gone) == 0 {
		return nil, nil
	}
	d, err := tx.Dialog(user, peer)
	if err != nil {
		return gone, dropGone(err)
	}
	d.Mentions = max(d.Mentions-int64(len(gone)), 0)
	return gone, tx.PutDialog(d)
}

// ReadMentions takes all mentions off a dialog.
//
// https://core.telegram.org/method/messages.readMentions
func (s *Service) ReadMentions(
	ctx context.Context, user ids.UserID, peer ids.Peer,
) (Affected, error) {
	var list []int64
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		list, err = r.Mentions(user, peer, maxID, historySlice)
		return err
	})
	if err != nil {
		return Affected{}, err
	}
	return s.ReadContents(ctx, user, peer, list)
}

func (s *Service) applyContents(tx *store.Tx, o store.Outbox) error {
	var body contents
	if err := told(o, &body); err != nil {
		return err
	}
	var seen []int64
	for _, ref := range body.Refs {
		m, err := find(&tx.Reader, o.Target, ref)
		if err != nil {
			if dropGone(err) != nil {
				return err
			}
			continue
		}
		if m.Flags.Has(store.MediaUnread) {
			m.Flags &^= store.MediaUnread
			if err := tx.SetMessage(&m); err != nil {
				return err
			}
			seen = append(seen, m.ID)
		}
	}
	if len(seen) == 0 {
		return nil
	}
	_, err := box.Append(tx, o.Target, box.ReadContents, int64(len(seen)),
		s.Clock.Now().Unix(), box.Entry{IDs: seen})
	return err
}
