package message

import (
	"errors"

	"parley/internal/chat/box"
	"parley/internal/ids"
	"parley/internal/store"
)

// In a basic group what a member does about a message goes from his box to the others', and the
// message itself comes to them from its sender's: the one may overtake the other. What comes early
// waits in the target's box for the message.

// arrived returns the target's row of the message that an outbox row is about, and false when there
// is none: it was deleted, or it is still under way. Then the row waits for it with this body.
func (s *Service) arrived(
	tx *store.Tx, o store.Outbox, ref Ref, body any,
) (m store.Message, ok bool, err error) {
	m, err = find(&tx.Reader, o.Target, ref)
	if !errors.Is(err, store.ErrNotFound) {
		return m, err == nil, err
	}
	return m, false, s.await(tx, o, ref, body)
}

// await keeps an outbox row until the message comes that it is about. What comes from the same box
// comes in order, and what was deleted does not come.
func (s *Service) await(tx *store.Tx, o store.Outbox, ref Ref, body any) (err error) {
	if ref.Box == o.Target || ref.Box == o.Box {
		return nil
	}
	gone, err := tx.Erased(o.Target, ref.Box, ref.ID)
	if err != nil || gone {
		return err
	}
	if o.Body, err = encode(body); err != nil {
		return err
	}
	return tx.PutEarly(ref.Box, ref.ID, s.Clock.Now().Unix(), o)
}

// applyEarly carries out what waited for the copy of a message of a basic group that has come.
func (s *Service) applyEarly(tx *store.Tx, d deliver, in ids.Peer) error {
	if d.Peer.Kind() != ids.Chat {
		return nil
	}
	waiting, err := tx.TakeEarly(in, d.Ref.Box, d.Ref.ID)
	if err != nil {
		return err
	}
	appliers := s.Appliers()
	for _, o := range waiting {
		if err := appliers[o.Kind](tx, o); err != nil {
			return err
		}
	}
	return nil
}

// answered makes a message that is there an answer to one that came later.
func (s *Service) answered(tx *store.Tx, o store.Outbox, d deliver, m store.Message) error {
	if d.Reply == (Ref{}) || m.ReplyTo != 0 {
		return nil
	}
	to, ok, err := s.arrived(tx, o, d.Reply, d)
	if err != nil || !ok {
		return err
	}
	now := s.Clock.Now().Unix()
	m.ReplyTo = to.ID
	if m.Edited == 0 {
		// Clients leave out an edit without a date, and show one that is hidden as none.
		m.Edited = now
		m.Flags |= store.HideEdit
	}
	if err := tx.SetMessage(&m); err != nil {
		return err
	}
	_, err = append1(tx, m.Box, box.EditMessage, now, box.Entry{ID: m.ID})
	return err
}
