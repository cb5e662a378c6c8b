package secret

import (
	"context"

	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/chat/media"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// Outgoing is ciphertext that a device sends.
type Outgoing struct {
	Chat int64
	// Random is the sender's own number of the message.
	Random int64
	Data   []byte
	// Service says that the sender calls it a service message.
	Service bool
	// File is what comes with it, nil for nothing.
	File *Input
}

// Input is an encrypted file as its sender names it: an upload with the fingerprint of its key, or
// by ID one that is here already.
type Input struct {
	media.Input
	Fingerprint int64
	ID          int64
}

// Sent is how a message was sent.
type Sent struct {
	Date int64
	// File is the file that went with it, nil for none.
	File *store.SecretFile
}

// message is the body of a TellMessage row.
type message struct {
	ID      int64  `cbor:"1,keyasint"`
	Random  int64  `cbor:"2,keyasint"`
	Date    int64  `cbor:"3,keyasint"`
	Service bool   `cbor:"4,keyasint,omitempty"`
	Data    []byte `cbor:"5,keyasint"`
	File    *file  `cbor:"6,keyasint,omitempty"`
}

// file is the file of a message.
type file struct {
	ID          int64  `cbor:"1,keyasint"`
	Size        int64  `cbor:"2,keyasint"`
	Fingerprint int64  `cbor:"3,keyasint"`
	Date        int64  `cbor:"4,keyasint"`
	Digest      []byte `cbor:"5,keyasint"`
}

// of is the chat of a caller's device, ready to be used.
func of(r *store.Reader, who Caller, id int64) (store.SecretChat, error) {
	c, err := r.SecretChat(who.User, id)
	switch {
	case store.IsNotFound(err):
		return c, chat.ErrChatInvalid
	case err != nil:
		return c, err
	case c.KeyID != who.Key:
		return c, errChat
	case c.State == store.SecretDiscarded:
		return c, errOver
	case c.State != store.SecretReady:
		return c, errChat
	}
	return c, nil
}

// The shape of ciphertext: the fingerprint of its key and the key of the message before blocks.
//
// https://core.telegram.org/api/end-to-end#serialization-and-encryption-of-outgoing-messages
const (
	cipherHead  = 8 + 16
	cipherBlock = 16
)

// check refuses what can be no ciphertext.
func (o Outgoing) check() error {
	switch n := len(o.Data); {
	case o.Random == 0:
		return errRandomEmpty
	case n > limit.SecretBytes:
		return errDataLong
	case n < cipherHead+cipherBlock, (n-cipherHead)%cipherBlock != 0:
		return errData
	}
	return nil
}

// Send sends ciphertext to the other device of a chat, durably. Sending the same number again sends
// nothing and answers as before.
//
// https://core.telegram.org/method/messages.sendEncrypted
func (s *Service) Send(ctx context.Context, who Caller, o Outgoing) (out Sent, err error) {
	if err := o.check(); err != nil {
		return out, err
	}
	again := false
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		if _, err := of(r, who, o.Chat); err != nil {
			return err
		}
		if out, again, err = sent(r, who, o); err != nil || again {
			return err
		}
		return s.maySend(r, who, o.Chat)
	})
	if err != nil || again {
		return out, err
	}
	f, err := s.take(ctx, who, o.File)
	if err != nil {
		return out, err
	}
	now := s.now()
	err = s.Store.Update(ctx, who.User.Peer(), func(tx *store.Tx) error {
		c, err := of(&tx.Reader, who, o.Chat)
		if err != nil {
			return err
		}
		if out, again, err = sent(&tx.Reader, who, o); err != nil || again {
			return err
		}
		out = Sent{Date: now, File: f}
		return post(tx, c, o, out)
	})
	return out, err
}

// sent tells how a message was sent that was sent before.
func sent(r *store.Reader, who Caller, o Outgoing) (out Sent, again bool, err error) {
	was, err := r.SecretSent(store.SecretSent{User: who.User, Chat: o.Chat, Random: o.Random})
	if store.IsNotFound(err) {
		return out, false, nil
	}
	if err != nil {
		return out, false, err
	}
	out.Date = was.Date
	if was.File != 0 {
		f, err := r.SecretFile(who.User, was.File, who.Key)
		if err == nil {
			out.File = &f
		} else if !store.IsNotFound(err) {
			return out, false, err
		}
	}
	return out, true, nil
}

// maySend refuses what the other may not or need not get, and asks to wait while too much waits for
// his device.
func (s *Service) maySend(r *store.Reader, who Caller, id int64) error {
	c, err := of(r, who, id)
	if err != nil {
		return err
	}
	if err := partners(r, c.User, c.Peer, errGone); err != nil {
		return err
	}
	if c.Outgoing() {
		// Who was asked for the chat may answer in it.
		if err := s.MayWrite(r, c.User, c.Peer.Peer()); err != nil {
			return err
		}
	}
	there, err := r.SecretChat(c.Peer, id)
	if store.IsNotFound(err) {
		return errOver
	}
	if err != nil {
		return err
	}
	d, err := r.SecretDevice(c.Peer, there.KeyID)
	if err == nil && (d.Waiting >= limit.SecretWaiting || d.Bytes >= limit.SecretWaitingBytes) {
		err = chat.Wait(fullPause)
	}
	return err
}

// fullPause is for how many seconds who writes to a device for which too much waits should wait.
const fullPause = 600

// post writes what is sent: that it was, and the row by which it gets to the other side.
func post(tx *store.Tx, c store.SecretChat, o Outgoing, out Sent) error {
	note := store.SecretSent{User: c.User, Chat: c.ID, Random: o.Random, Date: out.Date}
	m := message{
		ID: c.ID, Random: o.Random, Date: out.Date, Service: o.Service, Data: o.Data,
	}
	if f := out.File; f != nil {
		note.File = f.ID
		m.File = &file{
			ID: f.ID, Size: f.Size, Fingerprint: f.Fingerprint, Date: f.Date, Digest: f.Digest,
		}
		if err := tx.PutSecretFile(*f); err != nil {
			return err
		}
	}
	if err := tx.PutSecretSent(note); err != nil {
		return err
	}
	return tell(tx, c, TellMessage, m)
}

// applyMessage lets ciphertext wait for the device that it is for.
func (s *Service) applyMessage(tx *store.Tx, o store.Outbox) error {
	var body message
	if err := told(o, &body); err != nil {
		return err
	}
	c, found, err := theirs(tx, o, body.ID)
	if err != nil || !found || c.State == store.SecretDiscarded {
		return err
	}
	if c.State != store.SecretReady {
		return errChat // the row by which it becomes ready is still to be carried out
	}
	came := store.SecretSent{
		User: c.User, Chat: c.ID, Came: true, Random: body.Random, Date: s.now(),
	}
	if _, err := tx.SecretSent(came); !store.IsNotFound(err) {
		return err
	}
	if err := tx.PutSecretSent(came); err != nil {
		return err
	}
	m := store.SecretMessage{
		User: c.User, KeyID: c.KeyID, Chat: c.ID, Random: body.Random, Date: body.Date,
		Service: body.Service, Body: body.Data,
	}
	if f := body.File; f != nil {
		m.File = f.ID
		err := tx.PutSecretFile(store.SecretFile{
			User: c.User, ID: f.ID, KeyID: c.KeyID, Size: f.Size, Fingerprint: f.Fingerprint,
			Date: f.Date, Digest: f.Digest,
		})
		if err != nil {
			return err
		}
	}
	qts, err := tx.QueueSecret(m)
	if err != nil {
		return err
	}
	box.Announce(tx, o.Target, box.SecretMessage, body.Date, box.Entry{ID: qts, N: c.KeyID})
	return nil
}

// Upload keeps an encrypted file for a chat before it is sent.
//
// https://core.telegram.org/method/messages.uploadEncryptedFile
func (s *Service) Upload(
	ctx context.Context, who Caller, id int64, in Input,
) (f store.SecretFile, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error { return s.maySend(r, who, id) })
	if err != nil {
		return f, err
	}
	made, err := s.take(ctx, who, &in)
	if err != nil {
		return f, err
	}
	err = s.Store.Update(ctx, who.User.Peer(), func(tx *store.Tx) error {
		return tx.PutSecretFile(*made)
	})
	return *made, err
}

// take finds or makes the file that a sender names; nil for none.
func (s *Service) take(ctx context.Context, who Caller, in *Input) (*store.SecretFile, error) {
	if in == nil {
		return nil, nil
	}
	if in.ID != 0 {
		f, err := s.File(ctx, who, in.ID)
		return &f, err
	}
	digest, size, err := s.Files.Encrypted(ctx, who.User, in.Input)
	if err != nil {
		return nil, err
	}
	return &store.SecretFile{
		User: who.User, ID: s.Random(), KeyID: who.Key, Size: size, Fingerprint: in.Fingerprint,
		Date: s.now(), Digest: digest[:],
	}, nil
}

// File returns an encrypted file that the caller's device may fetch.
func (s *Service) File(
	ctx context.Context, who Caller, id int64,
) (f store.SecretFile, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		f, err = r.SecretFile(who.User, id, who.Key)
		if store.IsNotFound(err) || err == nil && f.Date < s.ago(limit.SecretFileKept) {
			err = errFile
		}
		return err
	})
	return f, err
}

// Typing returns whom the caller's typing in a chat is told: a person and his device.
//
// https://core.telegram.org/method/messages.setEncryptedTyping
func (s *Service) Typing(
	ctx context.Context, who Caller, id int64,
) (peer ids.UserID, key int64, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		c, err := of(r, who, id)
		if err != nil {
			return err
		}
		if err := partners(r, c.User, c.Peer, errGone); err != nil {
			return err
		}
		there, err := r.SecretChat(c.Peer, id)
		if err == nil && there.Peer == c.User {
			peer, key = c.Peer, there.KeyID
		}
		if store.IsNotFound(err) {
			err = nil
		}
		return err
	})
	return peer, key, err
}
