package message

import (
	"context"

	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/ids"
	"parley/internal/store"
)

// maxReactions is how many reactions one person may leave on one message.
const maxReactions = 3

// react is the body of a TellReact row.
type react struct {
	Ref       Ref        `cbor:"1,keyasint"`
	User      ids.UserID `cbor:"2,keyasint"`
	Reactions []string   `cbor:"3,keyasint,omitempty"`
	Date      int64      `cbor:"4,keyasint"`
}

// React sets the user's reactions to a message; none takes them back.
//
// https://core.telegram.org/api/reactions
func (s *Service) React(
	ctx context.Context, user ids.UserID, peer ids.Peer, id int64, list []string,
) (out store.Event, err error) {
	if len(list) > maxReactions {
		return out, chat.Invalid("REACTIONS_TOO_MANY")
	}
	now := s.Clock.Now().Unix()
	var targets []ids.UserID
	err = s.Store.View(ctx, func(r *store.Reader) error {
		a, err := See(r, user, peer, now)
		if err != nil {
			return err
		}
		if err := mayAct(a, peer); err != nil {
			return err
		}
		m, err := Get(r, user, peer, id)
		if err != nil {
			return err
		}
		if m.Flags.Has(store.Service) {
			return chat.ErrMessageIDInvalid
		}
		targets, err = reached(r, user, peer)
		return err
	})
	if err != nil {
		return out, err
	}
	err = s.Store.Update(ctx, BoxOf(user, peer), func(tx *store.Tx) error {
		m, err := Get(&tx.Reader, user, peer, id)
		if err != nil {
			return err
		}
		body := react{Ref: RefOf(m), User: user, Reactions: list, Date: now}
		if out, err = setReactions(tx, m, body); err != nil {
			return err
		}
		for _, t := range targets {
			if err := tell(tx, m.Box, t.Peer(), TellReact, body); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// setReactions writes somebody's reactions to a row. The change is an edit that clients do not show
// as one, because that is how it reaches those who were offline.
func setReactions(tx *store.Tx, m store.Message, r react) (store.Event, error) {
	if err := tx.SetReactions(m.Box, m.ID, r.User, r.Date, r.Reactions); err != nil {
		return store.Event{}, err
	}
	counts, err := tx.ReactionCounts(m.Box, m.ID)
	if err != nil {
		return store.Event{}, err
	}
	m.Flags &^= store.Reacted
	if len(counts) > 0 {
		m.Flags |= store.Reacted
	}
	if m.Edited == 0 {
		m.Edited = r.Date
		m.Flags |= store.HideEdit
	}
	if err := tx.SetMessage(&m); err != nil {
		return store.Event{}, err
	}
	return append1(tx, m.Box, box.EditMessage, r.Date, box.Entry{ID: m.ID})
}

func (s *Service) applyReact(tx *store.Tx, o store.Outbox) error {
	var body react
	if err := told(o, &body); err != nil {
		return err
	}
	m, ok, err := s.arrived(tx, o, body.Ref, body)
	if err != nil || !ok {
		return err
	}
	_, err = setReactions(tx, m, body)
	return err
}
