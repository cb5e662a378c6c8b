package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"parley/internal/ids"
	"parley/internal/store"
)

// Invitation is what is handed to whom one wants to have here. It can be shown only once: the store
// keeps a digest of it.
type Invitation struct {
	// Number is entered as the phone number, Code as the login code.
	Number string
	Code   string
}

// invitationDigest is all that the store knows of number and code.
func invitationDigest(number, code string) string {
	sum := sha256.Sum256([]byte("parley invitation\x00" + number + "\x00" + code))
	return hex.EncodeToString(sum[:16])
}

// Invite makes an invitation in the name of a user, or of the operator (0), that may be used so
// often, 0 for any number of times, and until it expires; the zero time is never.
func (s *Service) Invite(
	ctx context.Context, creator ids.UserID, uses int, expires time.Time,
) (Invitation, error) {
	number, err := s.anonymousNumber(ctx)
	if err != nil {
		return Invitation{}, err
	}
	code, err := s.digits(codeDigits)
	if err != nil {
		return Invitation{}, err
	}
	row := store.Invitation{
		Hash: invitationDigest(number, code), Creator: creator, Created: s.now(),
		Uses: int64(uses),
	}
	if !expires.IsZero() {
		row.Expires = expires.Unix()
	}
	err = s.counter(ctx, func(tx *store.Tx) error { return tx.PutInvitation(row) })
	if err != nil {
		return Invitation{}, fmt.Errorf("account: invite: %w", err)
	}
	return Invitation{Number: number, Code: code}, nil
}

// anonymousNumber draws a number that no account has.
func (s *Service) anonymousNumber(ctx context.Context) (string, error) {
	for {
		tail, err := s.digits(anonymousDigits)
		if err != nil {
			return "", err
		}
		number := anonymousPrefix + tail
		var h holder
		err = s.Store.View(ctx, func(r *store.Reader) (err error) {
			h, err = holderOf(r, number)
			return err
		})
		if err != nil {
			return "", fmt.Errorf("account: number: %w", err)
		}
		if h.user == 0 {
			return number, nil
		}
	}
}

// invited tells whether number and code are an invitation that can still be used.
func (s *Service) invited(ctx context.Context, number, code string) (bool, error) {
	var row store.Invitation
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		row, err = r.Invitation(invitationDigest(number, code))
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("account: invitation: %w", err)
	}
	return s.usable(row), nil
}

func (s *Service) usable(i store.Invitation) bool {
	return (i.Expires == 0 || s.now() < i.Expires) && (i.Uses == 0 || i.Used < i.Uses)
}

// redeem uses an invitation once and returns the number of the account that it makes: its own when
// it is for one person, else a fresh one.
func (s *Service) redeem(ctx context.Context, number, code string) (string, error) {
	var single bool
	err := s.counter(ctx, func(tx *store.Tx) error {
		row, err := tx.Invitation(invitationDigest(number, code))
		if errors.Is(err, store.ErrNotFound) {
			return ErrCodeExpired
		}
		if err != nil {
			return err
		}
		if !s.usable(row) {
			return ErrCodeExpired
		}
		single = row.Uses == 1
		row.Used++
		return tx.PutInvitation(row)
	})
	if err != nil {
		return "", err
	}
	if single {
		return number, nil
	}
	return s.anonymousNumber(ctx)
}
