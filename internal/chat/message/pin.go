package message

import (
	"context"

	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
)

// pin is the body of a TellPin row.
type pin struct {
	Peer ids.Peer `cbor:"1,keyasint"`
	Refs []Ref    `cbor:"2,keyasint"`
	On   bool     `cbor:"3,keyasint,omitempty"`
}

// Pin pins or unpins a message, for all or (in private chats) for oneself.
//
// https://core.telegram.org/method/messages.updatePinnedMessage
func (s *Service) Pin(
	ctx context.Context, user ids.UserID, peer ids.Peer, id int64, on, onlySelf bool,
) (store.Event, error) {
	return s.pin(ctx, user, peer, on, onlySelf, func(r *store.Reader) ([]store.Message, error) {
		m, err := Get(r, user, peer, id)
		return []store.Message{m}, err
	})
}

// UnpinAll unpins the messages of a chat, at most a slice of them at a time.
//
// https://core.telegram.org/method/messages.unpinAllMessages
func (s *Service) UnpinAll(ctx context.Context, user ids.UserID, peer ids.Peer) (Affected, error) {
	e, err := s.pin(ctx, user, peer, false, false, func(r *store.Reader) ([]store.Message, error) {
		return r.Pinned(BoxOf(user, peer), peer, maxID, historySlice)
	})
	return Affected{Pts: e.Pts, Count: e.Count, More: e.Count == historySlice}, err
}

func (s *Service) pin(
	ctx context.Context, user ids.UserID, peer ids.Peer, on, onlySelf bool,
	choose func(*store.Reader) ([]store.Message, error),
) (out store.Event, err error) {
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
		if peer.Kind() != ids.User && !mayPin(a, now) {
			return chat.ErrAdminRequired
		}
		if !onlySelf {
			targets, err = reached(r, user, peer)
		}
		return err
	})
	if err != nil {
		return out, err
	}
	in := BoxOf(user, peer)
	err = s.Store.Update(ctx, in, func(tx *store.Tx) error {
		rows, err := choose(&tx.Reader)
		if err != nil {
			return err
		}
		var refs []Ref
		for _, m := range rows {
			refs = append(refs, RefOf(m))
		}
		if out, err = setPinned(tx, in, peer, rows, on, now); err != nil {
			return err
		}
		for _, t := range targets {
			body := pin{Peer: mirror(user, peer), Refs: refs, On: on}
			if err := tell(tx, in, t.Peer(), TellPin, body); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

func mayPin(a Access, now int64) bool {
	if a.Chat.Flags.Has(store.Broadcast) {
		return rights.Has(a.Member, rights.EditMessages)
	}
	return rights.Can(a.Chat, a.Member, rights.PinMessages, rights.NoPin, now)
}

// setPinned writes the pins of rows that change by it, with one event; without any the event says
// where the box stands.
func setPinned(
	tx *store.Tx, in, peer ids.Peer, rows []store.Message, on bool, now int64,
) (store.Event, error) {
	var list []int64
	for _, m := range rows {
		if m.Flags.Has(store.Pinned) == on {
			continue
		}
		m.Flags ^= store.Pinned
		if err := tx.SetMessage(&m); err != nil {
			return store.Event{}, err
		}
		list = append(list, m.ID)
	}
	if len(list) == 0 {
		b, err := tx.Box(in)
		return store.Event{Box: in, Pts: b.Pts}, err
	}
	return box.Append(tx, in, box.PinMessages, int64(len(list)), now,
		box.Entry{Peer: peer, IDs: list, On: on})
}

func (s *Service) applyPin(tx *store.Tx, o store.Outbox) error {
	var body pin
	if err := told(o, &body); err != nil {
		return err
	}
	var rows []store.Message
	for _, ref := range body.Refs {
		alone := pin{Peer: body.Peer, Refs: []Ref{ref}, On: body.On}
		m, ok, err := s.arrived(tx, o, ref, alone)
		if err != nil {
			return err
		}
		if ok {
			rows = append(rows, m)
		}
	}
	_, err := setPinned(tx, o.Target, body.Peer, rows, body.On, s.Clock.Now().Unix())
	return err
}
