package message

import (
	"errors"

	"parley/internal/chat/box"
	"parley/internal/ids"
	"parley/internal/store"
)

// mention is the body of a TellMention row: a post calls somebody, or is gone. One that the service
// took away may come Back.
type mention struct {
	Channel ids.Peer `cbor:"1,keyasint"`
	ID      int64    `cbor:"2,keyasint"`
	Gone    bool     `cbor:"3,keyasint,omitempty"`
	Kept    bool     `cbor:"4,keyasint,omitempty"`
	Back    bool     `cbor:"5,keyasint,omitempty"`
}

// channelOwn is the body of a TellChannelOwn row: what a post means for its author's dialog.
type channelOwn struct {
	Channel    ids.Peer `cbor:"1,keyasint"`
	ID         int64    `cbor:"2,keyasint"`
	ClearDraft bool     `cbor:"3,keyasint,omitempty"`
}

// applyDeliver stores the copy of a message in the box of somebody else.
func (s *Service) applyDeliver(tx *store.Tx, o store.Outbox) error {
	var d deliver
	if err := told(o, &d); err != nil {
		return err
	}
	there, err := tx.MessageByOrigin(o.Target, d.Ref.Box, d.Ref.ID)
	if err == nil {
		return s.answered(tx, o, d, there)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if gone, err := tx.Erased(o.Target, d.Ref.Box, d.Ref.ID); err != nil || gone {
		return err
	}
	m := store.Message{
		Box: o.Target, Peer: d.Peer, From: d.From, Date: d.Date, Flags: d.Flags,
		Origin: d.Ref.Box, Nonce: d.Ref.ID, Grouped: d.Grouped, Media: d.Media, Body: d.Body,
		Stored: s.Clock.Now().Unix(),
	}
	if d.Reply != (Ref{}) {
		to, _, err := s.arrived(tx, o, d.Reply, d)
		if err != nil {
			return err
		}
		m.ReplyTo = to.ID
	}
	var mentions int64
	if d.Mentioned {
		mentions = 1
		m.Flags |= store.Mentioned | store.MediaUnread
	}
	if _, err := addMessage(tx, &m, 0); err != nil {
		return err
	}
	user := o.Target.User()
	if err := tx.BumpDialog(user, m.Peer, m.ID, m.Date, 1, mentions); err != nil {
		return err
	}
	if mentions > 0 {
		if err := tx.AddMention(user, m.Peer, m.ID); err != nil {
			return err
		}
	}
	return s.applyEarly(tx, d, o.Target)
}

// applyMention counts a mention of a channel's post in the dialog of whom it calls, if he is there.
func (s *Service) applyMention(tx *store.Tx, o store.Outbox) error {
	var body mention
	if err := told(o, &body); err != nil {
		return err
	}
	user := o.Target.User()
	if body.Gone {
		return s.unmention(tx, user, body)
	}
	d, err := tx.Dialog(user, body.Channel)
	if err != nil {
		return dropGone(err)
	}
	if body.Back {
		kept, err := tx.ForgetRemovedMention(user, body.Channel, body.ID)
		if err != nil || !kept {
			return err
		}
	} else if d.ReadIn >= body.ID {
		return nil
	}
	has, err := mentions(&tx.Reader, user, body)
	if err != nil || has {
		return err
	}
	if err := tx.AddMention(user, body.Channel, body.ID); err != nil {
		return err
	}
	d.Mentions++
	return tx.PutDialog(d)
}

// unmention takes a mention off, and notes it when the post may come back.
func (s *Service) unmention(tx *store.Tx, user ids.UserID, body mention) error {
	has, err := mentions(&tx.Reader, user, body)
	if err != nil || !has {
		return err
	}
	if body.Kept {
		if err := tx.RemoveMention(user, body.Channel, body.ID); err != nil {
			return err
		}
	}
	_, err = dropMentions(tx, user, body.Channel, []int64{body.ID})
	return err
}

// mentions tells whether a mention is counted.
func mentions(r *store.Reader, user ids.UserID, body mention) (bool, error) {
	list, err := r.Mentions(user, body.Channel, body.ID+1, 1)
	return len(list) == 1 && list[0] == body.ID, err
}

// applyChannelOwn moves the author's watermark over his own post.
func (s *Service) applyChannelOwn(tx *store.Tx, o store.Outbox) error {
	var body channelOwn
	if err := told(o, &body); err != nil {
		return err
	}
	d, err := tx.Dialog(o.Target.User(), body.Channel)
	if err != nil {
		return dropGone(err)
	}
	now := s.Clock.Now().Unix()
	if body.ID > d.ReadIn {
		d.ReadIn = body.ID
		if err := noteReadPosts(tx, d, now); err != nil {
			return err
		}
	}
	if body.ClearDraft && len(d.Draft) > 0 {
		d.Draft = nil
		_, err := box.Note(tx, o.Target, box.Draft, now, box.Entry{Peer: body.Channel})
		if err != nil {
			return err
		}
	}
	return tx.PutDialog(d)
}
