package secret

import (
	"context"

	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/store"
)

// Received erases what waited for the caller's device up to a qts, because it has that, and returns
// the random_ids of what was erased.
//
// https://core.telegram.org/method/messages.receivedQueue
func (s *Service) Received(
	ctx context.Context, who Caller, qts int64,
) (randoms []int64, err error) {
	err = s.Store.Update(ctx, who.User.Peer(), func(tx *store.Tx) error {
		d, err := tx.SecretDevice(who.User, who.Key)
		if err != nil {
			return err
		}
		if qts < 0 || qts > d.Qts {
			return errQts
		}
		randoms = nil
		if qts <= d.Taken {
			return nil
		}
		randoms, err = tx.TakeSecrets(who.User, who.Key, qts)
		return err
	})
	return randoms, err
}

// Has takes it that a device which asks for what came after a qts has what came before, as clients
// mean it that never call messages.receivedQueue. A qts that no message had says nothing.
//
// https://core.telegram.org/api/updates#secret-chats
func (s *Service) Has(ctx context.Context, who Caller, qts int64) error {
	var d store.SecretDevice
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		d, err = r.SecretDevice(who.User, who.Key)
		return err
	})
	if err != nil || qts > d.Qts || qts <= d.Taken || d.Waiting == 0 {
		return err
	}
	_, err = s.Received(ctx, who, qts)
	return err
}

// read is the body of a TellRead row.
type read struct {
	ID   int64 `cbor:"1,keyasint"`
	Max  int64 `cbor:"2,keyasint"`
	Date int64 `cbor:"3,keyasint"`
}

// Read tells the other side up to which date the caller has read.
//
// https://core.telegram.org/method/messages.readEncryptedHistory
func (s *Service) Read(ctx context.Context, who Caller, id, max int64) error {
	now := s.now()
	if max <= 0 || max > now+readAhead {
		return chat.Invalid("MAX_DATE_INVALID")
	}
	return s.Store.Update(ctx, who.User.Peer(), func(tx *store.Tx) error {
		c, err := of(&tx.Reader, who, id)
		if err != nil {
			return err
		}
		return tell(tx, c, TellRead, read{ID: id, Max: max, Date: now})
	})
}

// readAhead is by how many seconds the clock of a client may be ahead.
const readAhead = 300

// applyRead notes on the sender's side how far the other has read.
func (s *Service) applyRead(tx *store.Tx, o store.Outbox) error {
	var body read
	if err := told(o, &body); err != nil {
		return err
	}
	c, found, err := theirs(tx, o, body.ID)
	if err != nil || !found || c.State != store.SecretReady || body.Max <= c.ReadMax {
		return err
	}
	c.ReadMax, c.ReadDate = body.Max, body.Date
	c.Changed = s.now()
	if err := tx.PutSecretChat(c); err != nil {
		return err
	}
	box.Announce(tx, o.Target, box.SecretRead, c.Changed, box.Entry{ID: c.ID})
	return nil
}
