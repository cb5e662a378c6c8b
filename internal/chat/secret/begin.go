package secret

import (
	"bytes"
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// request is the body of a TellRequest row.
type request struct {
	ID   int64  `cbor:"1,keyasint"`
	Date int64  `cbor:"2,keyasint"`
	GA   []byte `cbor:"3,keyasint"`
}

// Request asks another person for a secret chat with the caller's device. id names the chat; asking
// again with the same says how it stands.
//
// https://core.telegram.org/method/messages.requestEncryption
func (s *Service) Request(
	ctx context.Context, who Caller, peer ids.UserID, id int64, ga []byte,
) (c store.SecretChat, err error) {
	if id == 0 {
		return c, errRandomEmpty
	}
	if _, err := s.Group.Element(ga); err != nil {
		return c, errGA
	}
	err = s.Store.View(ctx, func(r *store.Reader) error {
		return s.mayRequest(r, who, peer, id)
	})
	if err != nil {
		return c, err
	}
	now := s.now()
	err = s.Store.Update(ctx, who.User.Peer(), func(tx *store.Tx) error {
		old, err := tx.SecretChat(who.User, id)
		if err == nil {
			c = old
			if !c.Outgoing() || c.Peer != peer || c.KeyID != who.Key || !bytes.Equal(c.GA, ga) {
				return errRandomTaken
			}
			return nil
		}
		if !store.IsNotFound(err) {
			return err
		}
		if err := s.requests(tx, who.User, now); err != nil {
			return err
		}
		c = store.SecretChat{
			User: who.User, ID: id, Peer: peer, KeyID: who.Key, State: store.SecretWaiting,
			Flags: store.SecretOutgoing, Date: now, Changed: now, GA: ga,
		}
		if err := tx.PutSecretChat(c); err != nil {
			return err
		}
		return tell(tx, c, TellRequest, request{ID: id, Date: now, GA: ga})
	})
	return c, err
}

// mayRequest refuses a request that the other cannot get.
func (s *Service) mayRequest(r *store.Reader, who Caller, peer ids.UserID, id int64) error {
	u, err := r.User(peer)
	if store.IsNotFound(err) || err == nil && (peer == who.User || u.Flags.Has(store.UserService)) {
		return chat.ErrUserInvalid
	}
	if err != nil {
		return err
	}
	if err := partners(r, who.User, peer, errDeactivated); err != nil {
		return err
	}
	if err := s.MayWrite(r, who.User, peer.Peer()); err != nil {
		return err
	}
	// He may have a chat of this id with somebody else.
	other, err := r.SecretChat(peer, id)
	switch {
	case store.IsNotFound(err):
		return nil
	case err == nil && other.Peer != who.User:
		return errRandomTaken
	}
	return err
}

// requests refuses one more request of an account that has too many without an answer.
func (s *Service) requests(tx *store.Tx, user ids.UserID, now int64) error {
	open, err := tx.OpenSecretChats(user)
	if err != nil {
		return err
	}
	n, oldest := 0, now
	for _, c := range open {
		if c.State == store.SecretWaiting {
			n++
			oldest = min(oldest, c.Date)
		}
	}
	if n < limit.SecretRequests {
		return nil
	}
	kept := int64(limit.SecretRequestKept / time.Second)
	return chat.Wait(int(min(oldest+kept-now, requestPause)))
}

// requestPause is for how many seconds an account with too many requests should wait at most.
const requestPause = 24 * 60 * 60

// applyRequest lets the devices of whom a request is for know of it.
func (s *Service) applyRequest(tx *store.Tx, o store.Outbox) error {
	var body request
	if err := told(o, &body); err != nil {
		return err
	}
	c, found, err := theirs(tx, o, body.ID)
	if err == nil && found && c.State == store.SecretWaiting {
		return end(tx, c, false, s.now()) // each asked the other under the same id
	}
	if err != nil || found {
		return err
	}
	taken := c.Peer != 0
	c = store.SecretChat{
		User: o.Target.User(), ID: body.ID, Peer: o.Box.User(), State: store.SecretRequested,
		Date: body.Date, GA: body.GA,
	}
	u, err := tx.User(c.User)
	if err != nil && !store.IsNotFound(err) {
		return err
	}
	if taken || err != nil || u.Flags.Has(store.UserDeleted) || u.Flags.Has(store.UserTerminated) {
		return tell(tx, c, TellDiscard, discard{ID: c.ID})
	}
	return change(tx, c, s.now())
}

// accept is the body of a TellAccept row.
type accept struct {
	ID          int64  `cbor:"1,keyasint"`
	GB          []byte `cbor:"2,keyasint"`
	Fingerprint int64  `cbor:"3,keyasint"`
}

// Accept takes a request on the caller's device; the other devices of the account are told that the
// chat is not theirs.
//
// https://core.telegram.org/method/messages.acceptEncryption
func (s *Service) Accept(
	ctx context.Context, who Caller, id int64, gb []byte, fingerprint int64,
) (c store.SecretChat, err error) {
	if _, err := s.Group.Element(gb); err != nil {
		return c, errGB
	}
	now := s.now()
	err = s.Store.Update(ctx, who.User.Peer(), func(tx *store.Tx) error {
		c, err = tx.SecretChat(who.User, id)
		if store.IsNotFound(err) || err == nil && c.Outgoing() {
			return chat.ErrChatInvalid
		}
		if err != nil {
			return err
		}
		switch c.State {
		case store.SecretReady:
			if c.KeyID == who.Key && bytes.Equal(c.GB, gb) && c.Fingerprint == fingerprint {
				return nil
			}
			return errAccepted
		case store.SecretDiscarded:
			return errDeclined
		}
		if err := partners(&tx.Reader, c.User, c.Peer, errGone); err != nil {
			return err
		}
		refuses, err := Refuses(&tx.Reader, who)
		if err == nil && refuses {
			err = chat.ErrChatInvalid
		}
		if err != nil {
			return err
		}
		c.State, c.KeyID, c.GB, c.Fingerprint = store.SecretReady, who.Key, gb, fingerprint
		c.Changed = now
		if err := change(tx, c, now); err != nil {
			return err
		}
		return tell(tx, c, TellAccept, accept{ID: id, GB: gb, Fingerprint: fingerprint})
	})
	return c, err
}

// applyAccept completes a chat on the side that asked for it. One that it has ended meanwhile stays
// over: the other side is being told.
func (s *Service) applyAccept(tx *store.Tx, o store.Outbox) error {
	var body accept
	if err := told(o, &body); err != nil {
		return err
	}
	c, found, err := theirs(tx, o, body.ID)
	if err != nil || !found || c.State != store.SecretWaiting {
		return err
	}
	c.State, c.GB, c.Fingerprint = store.SecretReady, body.GB, body.Fingerprint
	return change(tx, c, s.now())
}
