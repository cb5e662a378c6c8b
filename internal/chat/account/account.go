// Package account decides who gets in: login codes, sign-up, the cloud password, devices and how
// they are ended, QR login, the change of a phone number and the end of an account. It knows no TL
// types; keys live in chat/device, the SRP arithmetic in account/srp, and what carries a code to a
// person is account/codesender.
//
// Who may sign up is the registration mode: anybody whose number can be verified (open), only who
// holds an invitation (invite), or only whom the operator made an account (closed). An unmodified
// client has no field for an invitation, so an invitation is a number and a code printed with it:
// "+888 0421 7730, code 83021". Whoever enters the number as his phone number and the code as his
// login code may sign up, without owning a phone. No network uses the calling code 888. The number
// becomes the account's when the invitation is for one person, else every person gets a fresh one.
// Later logins to such an account take the code from one of its other devices, a QR code, or a code
// that the operator issues. The store keeps only a digest of number and code, so a number that was
// never printed, one that was, and one that is in use look alike to whoever asks for a code.
//
// Invariants: every guess at a secret is counted, durably, before it is compared, and compared in
// constant time; a code is good only for the key and the number that it was made for; a revoked
// device is refused by its key before its authorization disappears from the list; sending a code
// tells nobody whether a number has an account, unless PreferApp is set.
//
// https://core.telegram.org/api/auth
package account

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"parley/internal/chat"
	"parley/internal/chat/account/codesender"
	"parley/internal/chat/account/srp"
	"parley/internal/chat/device"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/keyring"
	"parley/internal/limit"
	"parley/internal/mtproto/crypt"
	"parley/internal/store"
)

// Service is the account through which the server itself speaks. Clients know its id and show its
// messages apart.
const (
	ServiceUser  = ids.UserID(777000)
	servicePhone = "42777"
)

// firstUser is the id of the first account.
const firstUser = 1000

// Mode says who may sign up.
type Mode int

// The registration modes.
const (
	// Open lets anybody sign up whose phone number can be verified.
	Open Mode = iota
	// Invite lets only those sign up who hold an invitation.
	Invite
	// Closed leaves it to the operator to make accounts.
	Closed
)

// Options are what a service depends on. Notify, Cut and TokenAccepted must be set.
type Options struct {
	Store   *store.Store
	Devices *device.Registry
	Clock   clock.Clock
	// Rand is a cryptographic source, safe for concurrent use.
	Rand io.Reader
	SRP  *srp.Server
	// Seal seals the verifiers of passwords at rest.
	Seal *keyring.Box
	// Codes carries login codes to phone numbers, Mail carries codes to mail addresses; a nil Mail
	// means that passwords cannot have a recovery address.
	Codes codesender.Sender
	Mail  codesender.Sender
	Log   *slog.Logger

	Mode Mode
	// Apps are the api_hash of each api_id that may log in; empty admits every application.
	Apps map[int]string
	// Demo gives the numbers 99966XYYYY the code XXXXX and sends them nothing.
	Demo bool
	// PreferApp sends the code of somebody who is logged in elsewhere to his devices alone. That
	// resists stolen phone numbers and saves messages, and it shows that the number has an account.
	PreferApp bool
	// CodesLater hands codes to Codes after the client has its answer, for a sender that reaches
	// only some people, such as mail: otherwise the time of the answer tells whom.
	CodesLater bool
	// CodesPerPhone, CodesPerAddress and CodesTotal bound the codes for one number, asked for from
	// one address, and sent at all. The zero Rate is no limit.
	CodesPerPhone   limit.Rate
	CodesPerAddress limit.Rate
	CodesTotal      limit.Rate
	// Admit may refuse a phone number, one that has no account yet (fresh) or one that has; nil
	// admits all.
	Admit func(ctx context.Context, phone string, fresh bool) error
	// IdleDevices is how long a device may be silent before it is logged out, unless its user chose
	// another time; 0 means for ever.
	IdleDevices time.Duration
	// KeepAddresses is how long the addresses of silent devices are kept; 0 means for ever.
	KeepAddresses time.Duration

	// Notify writes a message of the service account to a user.
	Notify func(ctx context.Context, user ids.UserID, text, lang string) error
	// Ended does what follows from a device being logged out, or for key 0 from an account being
	// ended, in a transaction of its user's box; nil is nothing.
	Ended func(tx *store.Tx, user ids.UserID, key, now int64) error
	// Cut ends the live sessions of a key once they have sent what they are answering. It must not
	// block.
	Cut func(keyID int64)
	// TokenAccepted tells the live sessions of a key that its login token was accepted
	// (updateLoginToken). It must not block.
	TokenAccepted func(keyID int64)
}

// Service applies the rules of getting in. It is safe for concurrent use.
type Service struct {
	Options
	prime      [srp.Size]byte
	background sync.WaitGroup
}

// New returns a service.
func New(o Options) *Service {
	if o.Ended == nil {
		o.Ended = func(*store.Tx, ids.UserID, int64, int64) error { return nil }
	}
	return &Service{Options: o, prime: crypt.NewGroup().Prime()}
}

// Start makes sure that the service account exists under the given name.
func (s *Service) Start(ctx context.Context, name string) error {
	err := s.Store.Update(ctx, ServiceUser.Peer(), func(tx *store.Tx) error {
		u, err := tx.User(ServiceUser)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err != nil {
			u.Created = s.now()
		}
		u.ID, u.Phone, u.FirstName = ServiceUser, servicePhone, name
		u.Flags |= store.UserService
		return tx.PutUser(u)
	})
	if err != nil {
		return fmt.Errorf("account: service account: %w", err)
	}
	return nil
}

// Close waits for the messages that are still being delivered.
func (s *Service) Close() { s.background.Wait() }

// Caller is the device that asks.
type Caller struct {
	// Key is its permanent auth key.
	Key store.AuthKey
	// IP is the address that it connects from.
	IP string
}

// user is the account that the caller acts for, 0 when it is none.
func (c Caller) user() ids.UserID {
	if c.Key.State != store.KeyAuthorized {
		return 0
	}
	return c.Key.User
}

// lang is the language of the caller's application.
func (c Caller) lang() string { return c.Key.Lang }

// network is what counts as one address: an IPv4 address, or the /64 that one IPv6 customer has.
func (c Caller) network() string {
	addr, err := netip.ParseAddr(c.IP)
	if err != nil {
		return c.IP
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return c.IP
	}
	return prefix.String()
}

// ErrPasswordNeeded is a right code for an account that has a cloud password too.
var ErrPasswordNeeded = chat.Refusal{Code: 401, Reason: "SESSION_PASSWORD_NEEDED"}

// errRestart tells a client whose key acts for an account already to begin anew.
var errRestart = chat.Refusal{Code: 500, Reason: "AUTH_RESTART"}

func (s *Service) now() int64 { return s.Clock.Now().Unix() }

// counter runs fn in a transaction on one row that is keyed by a text.
func (s *Service) counter(ctx context.Context, fn func(*store.Tx) error) error {
	return s.Store.Update(ctx, 0, fn)
}

// deliveryTime is how long a message in the background may take.
const deliveryTime = 30 * time.Second

// later runs fn after the caller has its answer, so that the time of an answer does not tell what
// else was done.
func (s *Service) later(ctx context.Context, what string, fn func(context.Context) error) {
	s.background.Add(1)
	ctx = context.WithoutCancel(ctx)
	go func() {
		defer s.background.Done()
		ctx, cancel := context.WithTimeout(ctx, deliveryTime)
		defer cancel()
		if err := fn(ctx); err != nil {
			s.Log.Warn("message of the service account failed", "what", what, "err", err)
		}
	}()
}

// notify tells a user something in his language, in the background.
func (s *Service) notify(ctx context.Context, user ids.UserID, t text, args ...any) {
	s.later(ctx, t.name, func(ctx context.Context) error { return s.tell(ctx, user, t, args...) })
}

func (s *Service) tell(ctx context.Context, user ids.UserID, t text, args ...any) error {
	lang, err := s.langOf(ctx, user)
	if err != nil {
		return err
	}
	return s.Notify(ctx, user, t.in(lang, args...), lang)
}

func (s *Service) langOf(ctx context.Context, user ids.UserID) (lang string, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		u, err := r.User(user)
		lang = u.Lang
		return err
	})
	return lang, err
}
