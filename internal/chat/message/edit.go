package message

import (
	"context"

	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// edit is the body of a TellEdit row.
type edit struct {
	Ref    Ref    `cbor:"1,keyasint"`
	Edited int64  `cbor:"2,keyasint"`
	Media  int64  `cbor:"3,keyasint,omitempty"`
	Body   []byte `cbor:"4,keyasint"`
}

// Change is what an edit makes of a message; what is nil stays.
type Change struct {
	Text     *string
	Entities []Entity
	Media    *Media
	OnTop    *bool
}

// Edit changes a message of the user's own, or as an admin who may edit posts.
//
// https://core.telegram.org/method/messages.editMessage
func (s *Service) Edit(
	ctx context.Context, user ids.UserID, peer ids.Peer, id int64, ch Change,
) (sent Sent, err error) {
	now := s.Clock.Now().Unix()
	var targets []ids.UserID
	var next Content
	err = s.Store.View(ctx, func(r *store.Reader) error {
		a, err := See(r, user, peer, now)
		if err != nil {
			return err
		}
		m, err := Get(r, user, peer, id)
		if err != nil {
			return err
		}
		if err := mayEdit(user, m, a, now); err != nil {
			return err
		}
		if err := s.MayWrite(r, user, peer); err != nil {
			return err
		}
		if next, err = ch.apply(m); err != nil {
			return err
		}
		targets, err = others(r, user, peer)
		return err
	})
	if err != nil {
		return sent, err
	}
	if s.Screen != nil {
		if err := s.Screen(ctx, user, peer, next); err != nil {
			return sent, err
		}
	}
	err = s.Store.Update(ctx, BoxOf(user, peer), func(tx *store.Tx) error {
		sent = Sent{}
		m, err := Get(&tx.Reader, user, peer, id)
		if err != nil {
			return err
		}
		if next, err = ch.apply(m); err != nil {
			return err
		}
		if sent.Event, err = rewrite(tx, &m, next, now); err != nil {
			return err
		}
		sent.Message = m
		body := edit{Ref: RefOf(m), Edited: now, Media: m.Media, Body: m.Body}
		for _, t := range targets {
			if err := tell(tx, m.Box, t.Peer(), TellEdit, body); err != nil {
				return err
			}
		}
		return nil
	})
	return sent, err
}

// apply returns the content after the change, or ErrNotModified.
func (ch Change) apply(m store.Message) (Content, error) {
	c, err := DecodeContent(m.Body)
	if err != nil {
		return c, err
	}
	if ch.Text != nil {
		c.Text, c.Entities = *ch.Text, ch.Entities
	}
	if ch.Media != nil {
		c.Media = ch.Media
	}
	if ch.OnTop != nil {
		c.MediaOnTop = *ch.OnTop
	}
	if c.Text == "" && c.Media == nil {
		return c, chat.Invalid("MESSAGE_EMPTY")
	}
	next, err := c.Encode()
	if err == nil && string(next) == string(m.Body) {
		return c, chat.Invalid("MESSAGE_NOT_MODIFIED")
	}
	return c, err
}

// rewrite writes new content into a message's row, with its event.
func rewrite(tx *store.Tx, m *store.Message, c Content, now int64) (store.Event, error) {
	body, err := c.Encode()
	if err != nil {
		return store.Event{}, err
	}
	m.Body, m.Edited = body, now
	m.Flags &^= store.HideEdit
	if c.Media != nil {
		m.Media = int64(c.Media.Kind)<<8 | int64(c.Media.Class)
	}
	if err := tx.SetMessage(m); err != nil {
		return store.Event{}, err
	}
	return append1(tx, m.Box, box.EditMessage, now, box.Entry{ID: m.ID})
}

// mayEdit tells whether the user may edit a message.
func mayEdit(user ids.UserID, m store.Message, a Access, now int64) error {
	if m.Flags.Has(store.Service) {
		return chat.ErrMessageIDInvalid
	}
	if err := mayAct(a, m.Peer); err != nil {
		return err
	}
	if m.Flags.Has(store.Post) {
		own := m.Origin == user.Peer() && rights.Has(a.Member, rights.PostMessages)
		if !own && !rights.Has(a.Member, rights.EditMessages) {
			return chat.ErrAdminRequired
		}
		return nil
	}
	mine := m.From == user.Peer() || m.From == m.Peer && m.Origin == user.Peer()
	if !mine || m.Box.Kind() != ids.Channel && !m.Flags.Has(store.Out) {
		return chat.Forbidden("MESSAGE_AUTHOR_REQUIRED")
	}
	if c, err := DecodeContent(m.Body); err != nil || c.Forward != nil {
		return chat.Forbidden("MESSAGE_AUTHOR_REQUIRED")
	}
	if m.Peer == user.Peer() {
		return nil
	}
	if now-m.Date > int64(limit.EditWindow.Seconds()) {
		return chat.Invalid("MESSAGE_EDIT_TIME_EXPIRED")
	}
	return nil
}

// MayEdit tells whether the user may edit a message of his view of a peer.
func (s *Service) MayEdit(r *store.Reader, user ids.UserID, m store.Message) error {
	now := s.Clock.Now().Unix()
	a, err := See(r, user, m.Peer, now)
	if err != nil {
		return err
	}
	return mayEdit(user, m, a, now)
}

func (s *Service) applyEdit(tx *store.Tx, o store.Outbox) error {
	var e edit
	if err := told(o, &e); err != nil {
		return err
	}
	m, ok, err := s.arrived(tx, o, e.Ref, e)
	if err != nil || !ok {
		return err
	}
	if string(m.Body) == string(e.Body) {
		return nil
	}
	m.Body, m.Edited, m.Media = e.Body, e.Edited, e.Media
	m.Flags &^= store.HideEdit
	if err := tx.SetMessage(&m); err != nil {
		return err
	}
	_, err = append1(tx, o.Target, box.EditMessage, e.Edited, box.Entry{ID: m.ID})
	return err
}
