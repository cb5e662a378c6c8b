// Package secret carries secret chats: conversations of two devices whose keys only these have. It
// hands on the public numbers of the key exchange and ciphertext, unchanged and in order, and keeps
// both no longer than that takes; what is in a message it cannot know. It makes no keys and checks
// none, beyond refusing public numbers that would make a weak one.
//
// Each party has a row of the chat in its own box; what changes on one side reaches the other by
// the outbox. A chat belongs to one device on each side, by its permanent auth key, and ends with
// it.
//
// Invariants: ciphertext is given to the one device that it is for and to nobody else; what a
// device says to have is erased; the qts of a device moves by one with each message; a chat that
// ends on one side ends on the other.
//
// https://core.telegram.org/api/end-to-end
package secret

import (
	"fmt"
	"io"
	"time"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/chat"
	"parley/internal/chat/account"
	"parley/internal/chat/box"
	"parley/internal/chat/media"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/mtproto/crypt"
	"parley/internal/store"
)

// Kinds of outbox rows that this package writes and applies. Values are stored.
const (
	TellRequest = 70
	TellAccept  = 71
	TellDiscard = 72
	TellMessage = 73
	TellRead    = 74
)

// Refusals of secret chats.
var (
	errGA          = chat.Invalid("DH_G_A_INVALID")
	errGB          = chat.Invalid("DH_G_B_INVALID")
	errChat        = chat.Invalid("ENCRYPTION_ID_INVALID")
	errAccepted    = chat.Invalid("ENCRYPTION_ALREADY_ACCEPTED")
	errDeclined    = chat.Invalid("ENCRYPTION_ALREADY_DECLINED")
	errOver        = chat.Invalid("ENCRYPTION_DECLINED")
	errData        = chat.Invalid("DATA_INVALID")
	errDataLong    = chat.Invalid("DATA_TOO_LONG")
	errRandomEmpty = chat.Invalid("RANDOM_ID_EMPTY")
	errRandomTaken = chat.Invalid("RANDOM_ID_DUPLICATE")
	errQts         = chat.Invalid("MAX_QTS_INVALID")
	errLength      = chat.Invalid("RANDOM_LENGTH_INVALID")
	errFile        = chat.Invalid("FILE_ID_INVALID")
	errBlockedBy   = chat.Forbidden("USER_IS_BLOCKED")
	errBlocked     = chat.Invalid("YOU_BLOCKED_USER")
	errGone        = chat.Forbidden("USER_DELETED")
	errDeactivated = chat.Invalid("INPUT_USER_DEACTIVATED")
)

// Service applies the rules of secret chats.
type Service struct {
	Store *store.Store
	Clock clock.Clock
	// Rand gives the random bytes of the configuration.
	Rand  io.Reader
	Group *crypt.Group
	Files *media.Service
	// Random gives new ids of files; never 0.
	Random func() int64
	// MayWrite holds an account to what the service lets it write to a peer.
	MayWrite func(r *store.Reader, from ids.UserID, to ids.Peer) error
}

// Caller is a device of an account.
type Caller struct {
	User ids.UserID
	// Key is the permanent key.
	Key int64
}

func (s *Service) now() int64 { return s.Clock.Now().Unix() }

// ago is a time in Unix seconds.
func (s *Service) ago(d time.Duration) int64 { return s.now() - int64(d/time.Second) }

// Appliers carry out the outbox rows of this package in the target's box. Each may run more than
// once with the same row.
func (s *Service) Appliers() map[int64]func(*store.Tx, store.Outbox) error {
	return map[int64]func(*store.Tx, store.Outbox) error{
		TellRequest: s.applyRequest,
		TellAccept:  s.applyAccept,
		TellDiscard: s.applyDiscard,
		TellMessage: s.applyMessage,
		TellRead:    s.applyRead,
	}
}

// tell writes an outbox row from one party of a chat to the other.
func tell(tx *store.Tx, c store.SecretChat, kind int64, body any) error {
	b, err := cbor.Marshal(body)
	if err != nil {
		return fmt.Errorf("secret: encode: %w", err)
	}
	return tx.Tell(store.Outbox{
		Box: c.User.Peer(), Target: c.Peer.Peer(), Kind: kind, Body: b,
	})
}

// told reads the body of an outbox row.
func told(o store.Outbox, body any) error {
	if err := cbor.Unmarshal(o.Body, body); err != nil {
		return fmt.Errorf("secret: outbox row %d of %d: %w", o.N, o.Box, err)
	}
	return nil
}

// theirs returns the row of a chat in the box of whom an outbox row is for; found is false when he
// has none with the one whom the row is from.
func theirs(tx *store.Tx, o store.Outbox, id int64) (c store.SecretChat, found bool, err error) {
	c, err = tx.SecretChat(o.Target.User(), id)
	if store.IsNotFound(err) || err == nil && c.Peer != o.Box.User() {
		return c, false, nil
	}
	return c, err == nil, err
}

// change writes a chat that has changed and lets the devices that it concerns know.
func change(tx *store.Tx, c store.SecretChat, now int64) error {
	c.Changed = now
	if err := tx.PutSecretChat(c); err != nil {
		return err
	}
	box.Announce(tx, c.User.Peer(), box.SecretChat, now, box.Entry{ID: c.ID})
	return nil
}

// partners refuses what two people may not do with each other: a block stands between them, or one
// is gone.
func partners(r *store.Reader, self, peer ids.UserID, gone error) error {
	u, err := r.User(peer)
	if err != nil {
		return err
	}
	if u.Flags.Has(store.UserDeleted) || u.Flags.Has(store.UserTerminated) {
		return gone
	}
	for _, b := range []struct {
		who, whom ids.UserID
		refusal   error
	}{{self, peer, errBlocked}, {peer, self, errBlockedBy}} {
		blocked, err := r.Blocked(b.who, b.whom.Peer())
		if err != nil {
			return err
		}
		if blocked {
			return b.refusal
		}
	}
	return nil
}

// Refuses tells whether a device takes no secret chats.
func Refuses(r *store.Reader, who Caller) (bool, error) {
	list, err := r.Authorizations(who.User)
	for _, a := range list {
		if a.KeyID == who.Key {
			return account.Device{Authorization: a}.RefusesSecretChats(), nil
		}
	}
	return false, err
}

// Config is the group of the key exchange, with random bytes for the client to mix into its own.
type Config struct {
	// Prime is nil for a client that has it already.
	Prime   []byte
	G       int
	Version int
	Random  []byte
}

// version is that of the group. It has never changed.
const version = 1

// randomMost is the largest number of random bytes in one answer.
const randomMost = 1024

// Config returns the group unless the client has this version of it.
//
// https://core.telegram.org/method/messages.getDhConfig
func (s *Service) Config(known, length int) (Config, error) {
	if length < 0 || length > randomMost {
		return Config{}, errLength
	}
	c := Config{G: crypt.Generator, Version: version, Random: make([]byte, length)}
	if known != version {
		prime := s.Group.Prime()
		c.Prime = prime[:]
	}
	_, err := io.ReadFull(s.Rand, c.Random)
	if err != nil {
		err = fmt.Errorf("secret: random bytes: %w", err)
	}
	return c, err
}
