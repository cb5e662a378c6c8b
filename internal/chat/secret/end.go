package secret

import (
	"context"

	"parley/internal/chat"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// discard is the body of a TellDiscard row.
type discard struct {
	ID int64 `cbor:"1,keyasint"`
	// Forget asks the other side to delete what it has of the chat.
	Forget bool `cbor:"2,keyasint,omitempty"`
}

// Discard ends a chat of the caller's device, or a request to the caller's account. forget asks the
// other side to delete its history.
//
// https://core.telegram.org/method/messages.discardEncryption
func (s *Service) Discard(ctx context.Context, who Caller, id int64, forget bool) error {
	if id == 0 {
		return chat.Invalid("CHAT_ID_EMPTY")
	}
	return s.Store.Update(ctx, who.User.Peer(), func(tx *store.Tx) error {
		c, err := tx.SecretChat(who.User, id)
		switch {
		case store.IsNotFound(err):
			return errChat
		case err != nil:
			return err
		case c.State == store.SecretDiscarded:
			return errDeclined
		case c.KeyID != 0 && c.KeyID != who.Key:
			return errAccepted
		}
		return end(tx, c, forget, s.now())
	})
}

// end ends a chat on this side and tells the other. What waits for this side's device of it goes.
func end(tx *store.Tx, c store.SecretChat, forget bool, now int64) error {
	if c.KeyID != 0 {
		if err := tx.DropSecrets(c.User, c.KeyID, c.ID); err != nil {
			return err
		}
	}
	if err := over(tx, c, forget, now); err != nil {
		return err
	}
	return tell(tx, c, TellDiscard, discard{ID: c.ID, Forget: forget})
}

// over marks a chat as ended. Nothing of the key exchange is kept.
func over(tx *store.Tx, c store.SecretChat, forget bool, now int64) error {
	c.State, c.GA, c.GB, c.Fingerprint = store.SecretDiscarded, nil, nil, 0
	if forget {
		c.Flags |= store.SecretForgotten
	}
	return change(tx, c, now)
}

// applyDiscard ends a chat that the other side has ended. What it sent before still arrives, unless
// it wants all forgotten.
func (s *Service) applyDiscard(tx *store.Tx, o store.Outbox) error {
	var body discard
	if err := told(o, &body); err != nil {
		return err
	}
	c, found, err := theirs(tx, o, body.ID)
	if err != nil || !found || c.State == store.SecretDiscarded {
		return err
	}
	if body.Forget && c.KeyID != 0 {
		if err := tx.DropSecrets(c.User, c.KeyID, c.ID); err != nil {
			return err
		}
	}
	return over(tx, c, body.Forget, s.now())
}

// Ended is what follows from the end of a device or, for key 0, of an account.
func Ended(tx *store.Tx, user ids.UserID, key, now int64) error {
	if key == 0 {
		return EndAccount(tx, user, now)
	}
	return EndDevice(tx, user, key, now)
}

// EndDevice ends the chats of a device that is logged out, and erases what waits for it, in a
// transaction of its user's box.
func EndDevice(tx *store.Tx, user ids.UserID, key, now int64) error {
	err := endAll(tx, user, now, func(c store.SecretChat) bool { return c.KeyID == key })
	if err != nil {
		return err
	}
	return tx.EndSecretDevice(user, key)
}

// EndAccount ends all chats of an account that is deleted or that the service has terminated, in a
// transaction of its box.
func EndAccount(tx *store.Tx, user ids.UserID, now int64) error {
	return endAll(tx, user, now, func(store.SecretChat) bool { return true })
}

func endAll(
	tx *store.Tx, user ids.UserID, now int64, which func(store.SecretChat) bool,
) error {
	open, err := tx.OpenSecretChats(user)
	if err != nil {
		return err
	}
	for _, c := range open {
		if !which(c) {
			continue
		}
		if err := end(tx, c, false, now); err != nil {
			return err
		}
	}
	return nil
}

// sweepPage is how many rows one step of a sweep looks at.
const sweepPage = 500

// Sweep ends requests that nobody answered and chats of which some ciphertext was not fetched in
// time, erases files that have run out, and forgets chats that were over before a time in Unix
// seconds. It is to be run now and then.
func (s *Service) Sweep(ctx context.Context, before int64) error {
	err := s.endAged(ctx, func(r *store.Reader) ([]store.SecretChat, error) {
		return r.SecretRequestsBefore(s.ago(limit.SecretRequestKept), sweepPage)
	})
	if err != nil {
		return err
	}
	err = s.endAged(ctx, func(r *store.Reader) ([]store.SecretChat, error) {
		return r.SecretQueuesBefore(s.ago(limit.SecretMessageKept), sweepPage)
	})
	if err != nil {
		return err
	}
	if err := s.eraseFiles(ctx, s.ago(limit.SecretFileKept)); err != nil {
		return err
	}
	return s.Store.Update(ctx, 0, func(tx *store.Tx) error { return tx.ForgetSecrets(before) })
}

// endAged ends chats until none is found.
func (s *Service) endAged(
	ctx context.Context, find func(*store.Reader) ([]store.SecretChat, error),
) error {
	for {
		var list []store.SecretChat
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = find(r)
			return err
		})
		if err != nil {
			return err
		}
		for _, c := range list {
			if err := s.age(ctx, c); err != nil {
				return err
			}
		}
		if len(list) < sweepPage {
			return nil
		}
	}
}

// age ends a chat that waited too long, and erases what still waits for its device.
func (s *Service) age(ctx context.Context, of store.SecretChat) error {
	return s.Store.Update(ctx, of.User.Peer(), func(tx *store.Tx) error {
		if err := tx.DropSecrets(of.User, of.KeyID, of.ID); err != nil {
			return err
		}
		c, err := tx.SecretChat(of.User, of.ID)
		if store.IsNotFound(err) || err == nil && c.State == store.SecretDiscarded {
			return nil
		}
		if err != nil {
			return err
		}
		return end(tx, c, false, s.now())
	})
}

// eraseFiles erases the encrypted files from before a time: the bytes first, so that a crash
// between leaves a row by which they are erased again.
func (s *Service) eraseFiles(ctx context.Context, before int64) error {
	for {
		var list []store.SecretFile
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = r.SecretFilesBefore(before, sweepPage)
			return err
		})
		if err != nil {
			return err
		}
		for _, f := range list {
			if err := s.Files.Erase(ctx, f.Digest); err != nil {
				return err
			}
			err := s.Store.Update(ctx, f.User.Peer(), func(tx *store.Tx) error {
				return tx.DropSecretFile(f)
			})
			if err != nil {
				return err
			}
		}
		if len(list) < sweepPage {
			return nil
		}
	}
}
