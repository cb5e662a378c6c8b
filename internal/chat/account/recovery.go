package account

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"parley/internal/chat"
	"parley/internal/chat/account/codesender"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

const (
	// mailDigits is the length of a code sent by mail, mailLife how long it may be used.
	mailDigits = 6
	mailLife   = 30 * time.Minute
	// mailRunes is the longest mail address, in characters.
	mailRunes = 254
	// resetWait is how long a password can still be saved from being reset, and how long nobody may
	// ask again after it was.
	resetWait = 7 * 24 * time.Hour
)

// Refusals about recovery.
var (
	errEmail          = chat.Invalid("EMAIL_INVALID")
	errEmailForbidden = chat.Invalid("EMAIL_NOT_ALLOWED")
	errEmailMissing   = chat.Invalid("EMAIL_HASH_EXPIRED")
	errMailCode       = chat.Invalid("CODE_INVALID")
	errMailCodeEmpty  = chat.Invalid("CODE_EMPTY")
	errNoRecovery     = chat.Invalid("PASSWORD_RECOVERY_NA")
	errRecoveryLate   = chat.Invalid("PASSWORD_RECOVERY_EXPIRED")
	errNoReset        = chat.Invalid("RESET_REQUEST_MISSING")
)

// mailRate is how many codes are sent to the recovery address of one account.
var mailRate = limit.Rate{Burst: 10, Per: 24 * time.Hour}

// mailPattern shows an address to whoever may know that there is one, but not which.
func mailPattern(address string) string {
	name, domain, _ := strings.Cut(address, "@")
	first, size := utf8.DecodeRuneInString(name)
	last, _ := utf8.DecodeLastRuneInString(name)
	if size == len(name) {
		return string(first) + "***@" + domain
	}
	return string(first) + "***" + string(last) + "@" + domain
}

// codeHash names the code that was sent to the address of a user; there is one for each purpose.
func codeHash(p purpose, user ids.UserID) string {
	if p == forEmail {
		return "email/" + user.Peer().String()
	}
	return "recovery/" + user.Peer().String()
}

// mailCode makes a code and sends it to an address of a user.
func (s *Service) mailCode(
	ctx context.Context, c Caller, p purpose, user ids.UserID, address string,
) error {
	gate := rateGate("mail", mailRate)
	if err := s.pass(ctx, gate, user.Peer().String()); err != nil {
		return err
	}
	code, err := s.digits(mailDigits)
	if err != nil {
		return err
	}
	err = s.counter(ctx, func(tx *store.Tx) error {
		if err := tx.DeleteLoginCode(codeHash(p, user)); err != nil {
			return err
		}
		return tx.PutLoginCode(store.LoginCode{
			Hash: codeHash(p, user), Phone: address, Code: code, Created: s.now(),
			Flags: p.flags(),
		})
	})
	if err != nil {
		return fmt.Errorf("account: mail code: %w", err)
	}
	m := codesender.Message{
		Code: code, Purpose: codesender.VerifyEmail, Lang: c.lang(), Time: s.Clock.Now(),
		Email: address,
	}
	if p == forRecovery {
		m.Purpose = codesender.Recovery
	}
	if err := s.Mail.Send(ctx, m); err != nil {
		return fmt.Errorf("account: mail code: %w", err)
	}
	return nil
}

// unconfirmedEmail is the answer to a new address: a code of so many digits was sent to it.
var unconfirmedEmail = chat.Invalid(fmt.Sprintf("EMAIL_UNCONFIRMED_%d", mailDigits))

// await keeps a change until the owner of a new recovery address has confirmed it.
func (s *Service) await(
	ctx context.Context, c Caller, p password, next store.Password, address string,
) error {
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || utf8.RuneCountInString(address) > mailRunes {
		return errEmail
	}
	if s.Mail == nil {
		return errEmailForbidden
	}
	pending := withoutPending(p.Password)
	pending.PendingEmail = address
	if string(next.Verifier) != string(p.Verifier) {
		pending.PendingSalt1, pending.PendingSalt2 = next.Salt1, next.Salt2
		pending.PendingVerifier, pending.PendingHint = next.Verifier, next.Hint
	}
	err = s.Store.Update(ctx, p.User.Peer(), func(tx *store.Tx) error {
		if err := unchanged(tx, p); err != nil {
			return err
		}
		return tx.PutPassword(pending)
	})
	if err != nil {
		return err
	}
	if err := s.mailCode(ctx, c, forEmail, p.User, address); err != nil {
		return err
	}
	return unconfirmedEmail
}

// ConfirmEmail puts a change into effect that waited for its recovery address.
//
// https://core.telegram.org/method/account.confirmPasswordEmail
func (s *Service) ConfirmEmail(ctx context.Context, c Caller, code string) error {
	p, err := s.pending(ctx, c)
	if err != nil {
		return err
	}
	if err := s.mailGuess(ctx, forEmail, p.User, p.PendingEmail, code); err != nil {
		return err
	}
	next := withoutPending(p.Password)
	next.Email = p.PendingEmail
	if len(p.PendingVerifier) > 0 {
		next.Salt1, next.Salt2 = p.PendingSalt1, p.PendingSalt2
		next.Verifier, next.Hint = p.PendingVerifier, p.PendingHint
		next.Changed, next.ResetAfter = s.now(), 0
	}
	if err := s.forget(ctx, codeHash(forEmail, p.User)); err != nil {
		return err
	}
	return s.keepPassword(ctx, p, next)
}

// withoutPending is a record in which nothing waits.
func withoutPending(p store.Password) store.Password {
	p.PendingEmail, p.PendingHint = "", ""
	p.PendingSalt1, p.PendingSalt2, p.PendingVerifier = nil, nil, nil
	return p
}

// pending returns the caller's record when an address waits in it.
func (s *Service) pending(ctx context.Context, c Caller) (password, error) {
	p, err := s.password(ctx, c.user())
	if err == nil && p.PendingEmail == "" {
		err = errEmailMissing
	}
	return p, err
}

// mailGuess counts a guess at a code that was sent by mail, and checks it.
func (s *Service) mailGuess(
	ctx context.Context, p purpose, user ids.UserID, address, code string,
) error {
	if code == "" {
		return errMailCodeEmpty
	}
	_, err := s.guess(ctx, codeHash(p, user), 0, address, p, code)
	switch {
	case errors.Is(err, ErrCodeInvalid):
		return errMailCode
	case errors.Is(err, ErrCodeExpired) && p == forEmail:
		return errEmailMissing
	case errors.Is(err, ErrCodeExpired):
		return errRecoveryLate
	}
	return err
}

// ResendEmail sends a new code to the address that waits to be confirmed.
//
// https://core.telegram.org/method/account.resendPasswordEmail
func (s *Service) ResendEmail(ctx context.Context, c Caller) error {
	p, err := s.pending(ctx, c)
	if err != nil {
		return err
	}
	return s.mailCode(ctx, c, forEmail, p.User, p.PendingEmail)
}

// CancelEmail gives up a change that waits for its recovery address.
//
// https://core.telegram.org/method/account.cancelPasswordEmail
func (s *Service) CancelEmail(ctx context.Context, c Caller) error {
	p, err := s.pending(ctx, c)
	if err != nil {
		return err
	}
	if err := s.forget(ctx, codeHash(forEmail, p.User)); err != nil {
		return err
	}
	return s.Store.Update(ctx, p.User.Peer(), func(tx *store.Tx) error {
		if err := unchanged(tx, p); err != nil {
			return err
		}
		if !p.set() {
			return tx.DeletePassword(p.User)
		}
		return tx.PutPassword(withoutPending(p.Password))
	})
}

// RequestRecovery sends a code to the recovery address of the account that the caller acts for or
// is about to, and returns the pattern of the address.
//
// https://core.telegram.org/method/auth.requestPasswordRecovery
func (s *Service) RequestRecovery(ctx context.Context, c Caller) (pattern string, err error) {
	p, err := s.password(ctx, c.Key.User)
	switch {
	case err != nil:
		return "", err
	case !p.set():
		return "", errPasswordEmpty
	case p.Email == "" || s.Mail == nil:
		return "", errNoRecovery
	}
	if err := s.mailCode(ctx, c, forRecovery, p.User, p.Email); err != nil {
		return "", err
	}
	return mailPattern(p.Email), nil
}

// CheckRecovery tells whether a code is the one that was sent to the recovery address. It is a
// guess as any other.
//
// https://core.telegram.org/method/auth.checkRecoveryPassword
func (s *Service) CheckRecovery(ctx context.Context, c Caller, code string) error {
	p, err := s.password(ctx, c.Key.User)
	if err != nil {
		return err
	}
	return s.mailGuess(ctx, forRecovery, p.User, p.Email, code)
}

// Recover replaces or, with a nil next, removes a forgotten password, and completes a login that
// waited for it.
//
// https://core.telegram.org/method/auth.recoverPassword
func (s *Service) Recover(
	ctx context.Context, c Caller, code string, next *NewPassword,
) (Login, error) {
	p, err := s.password(ctx, c.Key.User)
	switch {
	case err != nil:
		return Login{}, err
	case !p.set():
		return Login{}, errPasswordEmpty
	}
	row := p.Password
	if next != nil && len(next.Hash) > 0 {
		if err := s.choose(&row, *next); err != nil {
			return Login{}, err
		}
	}
	if err := s.mailGuess(ctx, forRecovery, p.User, p.Email, code); err != nil {
		return Login{}, err
	}
	if err := s.forget(ctx, codeHash(forRecovery, p.User)); err != nil {
		return Login{}, err
	}
	if next != nil && len(next.Hash) > 0 {
		err = s.keepPassword(ctx, p, row)
	} else {
		err = s.removePassword(ctx, p)
	}
	if err != nil {
		return Login{}, err
	}
	if c.user() != 0 {
		return Login{User: c.user()}, nil
	}
	return s.admit(ctx, c)
}

// Reset is how far the reset of a forgotten password has come.
type Reset struct {
	// Done says that the password is gone.
	Done bool
	// Until is when it may be completed, or, with Declined, requested again.
	Until    int64
	Declined bool
}

// ResetPassword asks for the caller's password to be reset, which takes a week in which any of his
// devices can decline it; called again after that week, it removes the password.
//
// https://core.telegram.org/api/srp#password-reset
func (s *Service) ResetPassword(ctx context.Context, c Caller) (Reset, error) {
	var out Reset
	asked := false
	err := s.Store.Update(ctx, c.user().Peer(), func(tx *store.Tx) error {
		out, asked = Reset{}, false
		p, err := passwordOf(&tx.Reader, c.user())
		if err != nil {
			return err
		}
		now := s.now()
		switch {
		case !p.set():
			return errPasswordEmpty
		case p.ResetAfter > now:
			out.Until = p.ResetAfter
			return nil
		case p.ResetAfter > 0:
			out.Done = true
			return tx.DeletePassword(p.User)
		case -p.ResetAfter > now:
			out.Until, out.Declined = -p.ResetAfter, true
			return nil
		}
		asked = true
		p.ResetAfter = now + int64(resetWait/time.Second)
		out.Until = p.ResetAfter
		return tx.PutPassword(p.Password)
	})
	switch {
	case err != nil:
		return Reset{}, err
	case out.Done:
		s.notify(ctx, c.user(), textPasswordOff)
	case asked:
		s.notify(ctx, c.user(), textReset)
	}
	return out, nil
}

// DeclineReset keeps the password after all.
//
// https://core.telegram.org/method/account.declinePasswordReset
func (s *Service) DeclineReset(ctx context.Context, c Caller) error {
	return s.Store.Update(ctx, c.user().Peer(), func(tx *store.Tx) error {
		p, err := passwordOf(&tx.Reader, c.user())
		if err != nil {
			return err
		}
		if p.ResetAfter <= 0 {
			return errNoReset
		}
		p.ResetAfter = -(s.now() + int64(resetWait/time.Second))
		return tx.PutPassword(p.Password)
	})
}
