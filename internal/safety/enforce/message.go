package enforce

import (
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/store"
)

// change is the body of an outbox row about the copy of a message.
type change struct {
	Ref message.Ref `cbor:"1,keyasint"`
	Now int64       `cbor:"2,keyasint"`
	// On says whether restrictions are on the message.
	On bool `cbor:"3,keyasint,omitempty"`
	// User chose Reactions.
	User      ids.UserID       `cbor:"4,keyasint,omitempty"`
	Reactions []store.Reaction `cbor:"5,keyasint,omitempty"`
}

func tell(tx *store.Tx, from, to ids.Peer, kind int64, body any) error {
	b, err := cbor.Marshal(body)
	if err != nil {
		return fmt.Errorf("enforce: encode outbox row: %w", err)
	}
	return tx.Tell(store.Outbox{Box: from, Target: to, Kind: kind, Body: b})
}

func told(o store.Outbox, body any) error {
	if err := cbor.Unmarshal(o.Body, body); err != nil {
		return fmt.Errorf("enforce: outbox row %d of %d: %w", o.N, o.Box, err)
	}
	return nil
}

// tellCopies tells boxes that have copies of a message.
func tellCopies(
	tx *store.Tx, on safety.Subject, list []ids.Peer, kind int64, body change,
) error {
	body.Ref = message.Ref{Box: on.Peer, ID: on.Item}
	for _, to := range list {
		if err := tell(tx, on.Peer, to, kind, body); err != nil {
			return err
		}
	}
	return nil
}

// withdraw takes a message away from everybody; 0 when nobody has it, or it is away already.
func withdraw(tx *store.Tx, on safety.Subject, now int64) (int, error) {
	own, list, err := rows(&tx.Reader, on)
	if err != nil {
		return 0, err
	}
	if own == nil {
		if shown, err := anyShown(&tx.Reader, on, list); err != nil || !shown {
			return 0, err
		}
	} else if err := message.Withdraw(tx, *own, now); err != nil {
		return 0, err
	}
	return 1, tellCopies(tx, on, list, TellWithdraw, change{Now: now})
}

// anyShown tells whether a message whose own row is not shown is shown in one of some boxes.
func anyShown(r *store.Reader, on safety.Subject, list []ids.Peer) (bool, error) {
	_, err := r.Removed(on.Peer, on.Item)
	if !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	for _, box := range list {
		_, err := message.At(r, box, message.Ref{Box: on.Peer, ID: on.Item})
		if !errors.Is(err, store.ErrNotFound) {
			return err == nil, err
		}
	}
	return false, nil
}

func (s *Service) applyWithdraw(tx *store.Tx, o store.Outbox) error {
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
	return message.Withdraw(tx, m, c.Now)
}

// restore gives a message back to everybody; 0 when its author deleted it meanwhile.
func restore(tx *store.Tx, on safety.Subject, now int64) (int, error) {
	_, list, err := rows(&tx.Reader, on)
	if err != nil {
		return 0, err
	}
	back, err := message.Restore(tx, on.Peer, on.Item, now)
	if err != nil || !back && len(list) == 0 {
		return 0, err
	}
	if err := tellCopies(tx, on, list, TellRestore, change{Now: now}); err != nil {
		return 0, err
	}
	// Other measures may have come or gone meanwhile.
	return 1, mark(tx, on, now)
}

func (s *Service) applyRestore(tx *store.Tx, o store.Outbox) error {
	var c change
	if err := told(o, &c); err != nil {
		return err
	}
	m, err := tx.RemovedByOrigin(o.Target, c.Ref.Box, c.Ref.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = message.Restore(tx, o.Target, m.ID, c.Now)
	return err
}

// inForce tells whether anything but its removal is in force on a message.
func inForce(r *store.Reader, on safety.Subject) (bool, error) {
	list, err := r.Restrictions(key(on))
	for _, x := range list {
		if safety.Measure(x.Measure) != safety.Remove {
			return true, err
		}
	}
	return false, err
}

// mark makes the rows of a message say whether there are restrictions on it, and clients see it
// anew. A message that is away is marked when it comes back.
func mark(tx *store.Tx, on safety.Subject, now int64) error {
	has, err := inForce(&tx.Reader, on)
	if err != nil {
		return err
	}
	own, list, err := rows(&tx.Reader, on)
	switch {
	case err != nil:
		return err
	case own == nil:
		if _, err = tx.Removed(on.Peer, on.Item); !errors.Is(err, store.ErrNotFound) {
			return err
		}
	case !has && !own.Flags.Has(store.Measured):
		return nil
	default:
		if err := message.Mark(tx, *own, has, true, now); err != nil {
			return err
		}
	}
	return tellCopies(tx, on, list, TellMark, change{Now: now, On: has})
}

func (s *Service) applyMark(tx *store.Tx, o store.Outbox) error {
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
	return message.Mark(tx, m, c.On, c.On, c.Now)
}
