package enforce

import (
	"errors"

	"parley/internal/chat/message"
	"parley/internal/safety"
	"parley/internal/store"
)

// takeReaction takes away what somebody chose for a message and returns how many that were.
func takeReaction(tx *store.Tx, on safety.Subject, now int64) (int, error) {
	all, err := tx.Reactions(on.Peer, on.Item)
	if err != nil {
		return 0, err
	}
	var own []store.Reaction
	for _, x := range all {
		if x.User == on.Author {
			own = append(own, x)
		}
	}
	if len(own) == 0 {
		return 0, nil
	}
	if err := tx.RemoveReactions(on.Peer, on.Item, own); err != nil {
		return 0, err
	}
	return len(own), setReaction(tx, on, nil, now)
}

// returnReaction gives them back, unless their author has chosen others meanwhile.
func returnReaction(tx *store.Tx, on safety.Subject, now int64) (int, error) {
	kept, err := tx.RemovedReactions(on.Peer, on.Item, on.Author)
	if err != nil || len(kept) == 0 {
		return 0, err
	}
	if err := tx.ForgetRemovedReactions(on.Peer, on.Item, on.Author); err != nil {
		return 0, err
	}
	newer, err := tx.ReactionsOf(on.Peer, on.Item, on.Author)
	if err != nil || len(newer) > 0 {
		return 0, err
	}
	if _, err := tx.Message(on.Peer, on.Item); errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	return len(kept), setReaction(tx, on, kept, now)
}

// setReaction sets somebody's reactions here and in all copies of the message.
func setReaction(tx *store.Tx, on safety.Subject, list []store.Reaction, now int64) error {
	own, boxes, err := rows(&tx.Reader, on)
	if err != nil || own == nil {
		return err
	}
	if err := message.SetReactions(tx, *own, on.Author, list, now); err != nil {
		return err
	}
	body := change{Now: now, User: on.Author, Reactions: list}
	return tellCopies(tx, on, boxes, TellReaction, body)
}

func (s *Service) applyReaction(tx *store.Tx, o store.Outbox) error {
	var c change
	if err := told(o, &c); err != nil {
		return err
	}
	m, err := message.At(&tx.Reader, o.Target, c.Ref)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return message.SetReactions(tx, m, c.User, c.Reactions, c.Now)
}
