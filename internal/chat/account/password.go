package account

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"parley/internal/chat"
	"parley/internal/chat/account/srp"
	"parley/internal/ids"
	"parley/internal/mtproto/crypt"
	"parley/internal/store"
)

// hintRunes is the longest hint of a password, in characters.
const hintRunes = 255

// sealPurpose names verifiers among all that is sealed.
const sealPurpose = "cloud password"

// secureRandomBytes is how much randomness a client gets to mix into its own.
const secureRandomBytes = 256

// ErrNewSettings is a new password that cannot be one, or comes with what is not kept here.
var ErrNewSettings = chat.Invalid("NEW_SETTINGS_INVALID")

// Refusals about passwords.
var (
	errPasswordHash    = chat.Invalid("PASSWORD_HASH_INVALID")
	errPasswordEmpty   = chat.Invalid("PASSWORD_EMPTY")
	errPasswordChanged = chat.Invalid("SRP_PASSWORD_CHANGED")
	errSRPID           = chat.Invalid("SRP_ID_INVALID")
	errNewSalt         = chat.Invalid("NEW_SALT_INVALID")
	errNothingNew      = chat.Invalid("NEW_SETTINGS_EMPTY")
)

// password is the record of a cloud password with its verifier sealed; the zero value is none.
type password struct{ store.Password }

// set tells whether there is a password; a record may also hold only one that waits for its
// recovery address to be confirmed.
func (p password) set() bool { return len(p.Verifier) > 0 }

// passwordOf returns the record of a user, an empty one when there is none.
func passwordOf(r *store.Reader, user ids.UserID) (password, error) {
	row, err := r.Password(user)
	if errors.Is(err, store.ErrNotFound) {
		return password{store.Password{User: user}}, nil
	}
	return password{row}, err
}

func (s *Service) password(ctx context.Context, user ids.UserID) (p password, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		p, err = passwordOf(r, user)
		return err
	})
	if err != nil {
		return p, fmt.Errorf("account: password: %w", err)
	}
	return p, nil
}

// verifier opens the sealed verifier of a password that is set.
func (s *Service) verifier(p password) (*srp.Verifier, error) {
	plain, err := s.Seal.Open(nil, p.Verifier, sealPurpose, int64(p.User))
	if err != nil || len(plain) != srp.Size {
		return nil, fmt.Errorf("account: verifier of %d does not open: %w", p.User, err)
	}
	v := &srp.Verifier{Algo: srp.Algo{Salt1: p.Salt1, Salt2: p.Salt2}}
	copy(v.V[:], plain)
	return v, nil
}

func (s *Service) seal(user ids.UserID, v srp.Verifier) []byte {
	return s.Seal.Seal(nil, v.V[:], sealPurpose, int64(user))
}

// PasswordState is what a client must know to prove or change a cloud password.
type PasswordState struct {
	// Set tells whether there is a password; Current and Challenge are for proving it.
	Set       bool
	Current   srp.Algo
	Challenge srp.Challenge
	// Prime and Generator are the group of the proof, for all passwords the same.
	Prime     [srp.Size]byte
	Generator int
	Hint      string
	// Recovery tells whether there is a recovery address, Unconfirmed is the pattern of one that
	// waits to be confirmed.
	Recovery    bool
	Unconfirmed string
	// Next is what a new password must build on.
	Next         srp.Algo
	SecureRandom []byte
	// ResetAt is when a requested reset may be completed, 0 when none was requested.
	ResetAt int64
}

// PasswordState returns the state of the password of the account that the caller acts for or is
// about to.
//
// https://core.telegram.org/method/account.getPassword
func (s *Service) PasswordState(ctx context.Context, c Caller) (PasswordState, error) {
	p, err := s.password(ctx, c.Key.User)
	if err != nil {
		return PasswordState{}, err
	}
	out := PasswordState{
		Set: p.set(), Hint: p.Hint, Recovery: p.Email != "",
		Next: s.SRP.Offer(int64(p.User)), SecureRandom: make([]byte, secureRandomBytes),
		ResetAt: max(p.ResetAfter, 0), Prime: s.prime, Generator: crypt.Generator,
	}
	if p.PendingEmail != "" {
		out.Unconfirmed = mailPattern(p.PendingEmail)
	}
	if _, err := io.ReadFull(s.Rand, out.SecureRandom); err != nil {
		return PasswordState{}, fmt.Errorf("account: password: %w", err)
	}
	if !out.Set {
		return out, nil
	}
	v, err := s.verifier(p)
	if err != nil {
		return PasswordState{}, err
	}
	out.Current = v.Algo
	out.Challenge, err = s.SRP.Challenge(c.Key.ID, int64(p.User), v)
	if err != nil {
		return PasswordState{}, fmt.Errorf("account: password: %w", err)
	}
	return out, nil
}

// Proof is a client's answer to a challenge; nil is none.
type Proof struct {
	ID int64
	A  []byte
	M1 []byte
}

// prove counts a try at a password, durably, and then checks it. An account without a password
// needs no proof.
//
// https://core.telegram.org/api/srp#checking-the-password-with-srp
func (s *Service) prove(ctx context.Context, c Caller, proof *Proof) (password, error) {
	p, err := s.password(ctx, c.Key.User)
	if err != nil || !p.set() {
		return p, err
	}
	if proof == nil {
		return p, errPasswordHash
	}
	v, err := s.verifier(p)
	if err != nil {
		return p, err
	}
	subject := ids.Peer(p.User).String()
	if err := s.pass(ctx, passwordGate(), subject); err != nil {
		return p, err
	}
	err = s.SRP.Verify(c.Key.ID, int64(p.User), v, proof.ID, proof.A, proof.M1)
	if errors.Is(err, srp.ErrPassword) {
		return p, errPasswordHash
	}
	if refused := s.refund(ctx, passwordGate(), subject); refused != nil {
		return p, refused
	}
	switch {
	case errors.Is(err, srp.ErrID):
		return p, errSRPID
	case errors.Is(err, srp.ErrChanged):
		return p, errPasswordChanged
	case err != nil:
		return p, fmt.Errorf("account: password: %w", err)
	}
	return p, nil
}

// CheckPassword completes a login to an account with a cloud password.
//
// https://core.telegram.org/method/auth.checkPassword
func (s *Service) CheckPassword(ctx context.Context, c Caller, proof *Proof) (Login, error) {
	if c.user() != 0 {
		return Login{User: c.user()}, nil
	}
	if _, err := s.prove(ctx, c, proof); err != nil {
		return Login{}, err
	}
	return s.admit(ctx, c)
}

// admit lets a device in that has given a right code and, one way or another, shown that it may do
// without the password.
func (s *Service) admit(ctx context.Context, c Caller) (Login, error) {
	return Login{User: c.Key.User}, s.authorize(ctx, c, c.Key.User, provedPassword|unconfirmed)
}

// RecoveryAddress returns the recovery address to whoever proves the password.
//
// https://core.telegram.org/method/account.getPasswordSettings
func (s *Service) RecoveryAddress(ctx context.Context, c Caller, proof *Proof) (string, error) {
	p, err := s.prove(ctx, c, proof)
	if err != nil {
		return "", err
	}
	if !p.set() {
		return "", errPasswordEmpty
	}
	return p.Email, nil
}

// NewPassword is what a client wants its password to be.
type NewPassword struct {
	// Algo, G, P and Hash describe the password; an empty Hash removes it.
	Algo srp.Algo
	G    int
	P    []byte
	Hash []byte
	Hint string
}

// PasswordChange is what a client wants to change; nil leaves as it is.
type PasswordChange struct {
	Password *NewPassword
	// Email is the recovery address, empty to remove it.
	Email *string
}

// UpdatePassword sets, changes or removes the caller's password and its recovery address. A new
// address must be confirmed first, with the code that is sent to it: until then nothing changes,
// and the answer is a refusal EMAIL_UNCONFIRMED_N with the length of the code.
//
// https://core.telegram.org/method/account.updatePasswordSettings
func (s *Service) UpdatePassword(
	ctx context.Context, c Caller, proof *Proof, ch PasswordChange,
) error {
	p, err := s.prove(ctx, c, proof)
	if err != nil {
		return err
	}
	if err := s.seasoned(ctx, c); err != nil {
		return err
	}
	if ch.Password == nil && (ch.Email == nil || !p.set()) {
		return errNothingNew
	}
	if ch.Password != nil && len(ch.Password.Hash) == 0 {
		return s.removePassword(ctx, p)
	}
	next := withoutPending(p.Password)
	if ch.Password != nil {
		if err := s.choose(&next, *ch.Password); err != nil {
			return err
		}
	}
	if ch.Email != nil && *ch.Email != "" && *ch.Email != p.Email {
		return s.await(ctx, c, p, next, *ch.Email)
	}
	if ch.Email != nil {
		next.Email = *ch.Email
	}
	return s.keepPassword(ctx, p, next)
}

// seasoned refuses a device that is too new to change the password while the account has an older
// one: a thief of a phone number must not lock its owner out.
func (s *Service) seasoned(ctx context.Context, c Caller) error {
	self, rows, err := s.own(ctx, c)
	if err != nil {
		return err
	}
	if !s.fresh(self) {
		return nil
	}
	for _, a := range rows {
		if a.KeyID != self.KeyID && a.Parent == 0 && proven(a) && a.Created < self.Created {
			left := self.Created + int64(freshFor/time.Second) - s.now()
			return chat.Invalid(fmt.Sprintf("SESSION_TOO_FRESH_%d", left))
		}
	}
	return nil
}

// choose puts a new password into a record.
func (s *Service) choose(row *store.Password, n NewPassword) error {
	if utf8.RuneCountInString(n.Hint) > hintRunes {
		return ErrNewSettings
	}
	v, err := s.SRP.Accept(int64(row.User), n.Algo, n.G, n.P, n.Hash)
	switch {
	case errors.Is(err, srp.ErrSalt):
		return errNewSalt
	case err != nil:
		return ErrNewSettings
	}
	row.Salt1, row.Salt2 = v.Salt1, v.Salt2
	row.Verifier, row.Hint = s.seal(row.User, v), n.Hint
	row.Changed, row.ResetAfter = s.now(), 0
	return nil
}

// removePassword removes a password with everything that belongs to it.
func (s *Service) removePassword(ctx context.Context, p password) error {
	if !p.set() {
		return errNothingNew
	}
	err := s.Store.Update(ctx, p.User.Peer(), func(tx *store.Tx) error {
		if err := unchanged(tx, p); err != nil {
			return err
		}
		return tx.DeletePassword(p.User)
	})
	if err != nil {
		return err
	}
	s.notify(ctx, p.User, textPasswordOff)
	return nil
}

// keepPassword writes a record that replaces what the caller has seen.
func (s *Service) keepPassword(ctx context.Context, seen password, next store.Password) error {
	err := s.Store.Update(ctx, next.User.Peer(), func(tx *store.Tx) error {
		if err := unchanged(tx, seen); err != nil {
			return err
		}
		return tx.PutPassword(next)
	})
	if err != nil {
		return err
	}
	s.notify(ctx, next.User, textPasswordOn)
	return nil
}

// unchanged refuses to replace a password that another device has changed meanwhile.
func unchanged(tx *store.Tx, seen password) error {
	now, err := passwordOf(&tx.Reader, seen.User)
	if err != nil {
		return err
	}
	if string(now.Verifier) != string(seen.Verifier) {
		return errPasswordChanged
	}
	return nil
}
