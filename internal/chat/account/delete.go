package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"parley/internal/chat"
	"parley/internal/chat/search/terms"
	"parley/internal/ids"
	"parley/internal/store"
)

// deleteWait is how long an account must be unused before somebody without its password may end it.
const deleteWait = 7 * 24 * time.Hour

// Delete ends the caller's account: its number and username are free, its devices are logged out,
// its address book and settings are gone, and others see a deleted account. A device that has given
// a right code may do it without the cloud password once nobody has used the account for a week;
// its owner stops that by using it.
//
// https://core.telegram.org/api/account-deletion
func (s *Service) Delete(ctx context.Context, c Caller, proof *Proof) error {
	if c.user() == 0 && proof == nil {
		wait, err := s.idle(ctx, c.Key.User)
		if err != nil {
			return err
		}
		if wait > 0 {
			return chat.Refusal{Code: 420, Reason: fmt.Sprintf("2FA_CONFIRM_WAIT_%d", wait)}
		}
		return s.end(ctx, c.Key.User)
	}
	if _, err := s.prove(ctx, c, proof); err != nil {
		return err
	}
	return s.end(ctx, c.Key.User)
}

// idle returns for how many more seconds an account must be unused.
func (s *Service) idle(ctx context.Context, user ids.UserID) (wait int64, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		last, err := lastUsed(r, user)
		wait = last + int64(deleteWait/time.Second) - s.now()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("account: delete: %w", err)
	}
	return max(wait, 0), nil
}

// lastUsed is when an account last gave a sign of life.
func lastUsed(r *store.Reader, user ids.UserID) (int64, error) {
	u, err := r.User(user)
	if err != nil {
		return 0, err
	}
	last := u.Seen
	rows, err := r.Authorizations(user)
	for _, a := range rows {
		if proven(a) {
			last = max(last, a.Active)
		}
	}
	return last, err
}

// end ends an account. Keys go first and the number last: a crash on the way leaves an account that
// its owner can end again, and a number that holderOf knows to be free.
func (s *Service) end(ctx context.Context, user ids.UserID) error {
	var u store.User
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		u, err = r.User(user)
		return err
	})
	if err != nil {
		return fmt.Errorf("account: delete: %w", err)
	}
	if u.Flags.Has(store.UserService) {
		return chat.ErrUserInvalid
	}
	if err := s.RevokeAll(ctx, user); err != nil {
		return err
	}
	if err := s.unname(ctx, u); err != nil {
		return err
	}
	err = s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		row, err := tx.User(user)
		if err != nil {
			return err
		}
		rows, err := tx.Authorizations(user)
		if err != nil {
			return err
		}
		for _, a := range rows {
			if err := tx.DeleteAuthorization(user, a.KeyID); err != nil {
				return err
			}
		}
		if err := s.Ended(tx, user, 0, s.now()); err != nil {
			return err
		}
		if err := tx.DeletePassword(user); err != nil {
			return err
		}
		if err := tx.ForgetUser(user); err != nil {
			return err
		}
		return tx.PutUser(store.User{
			ID: user, Flags: row.Flags | store.UserDeleted, Created: row.Created,
		})
	})
	if err != nil {
		return fmt.Errorf("account: delete: %w", err)
	}
	return s.freePhone(ctx, u.Phone, user)
}

// unname makes an account's username free and takes its names out of the search.
func (s *Service) unname(ctx context.Context, u store.User) error {
	if u.Username == "" {
		return nil
	}
	peer := u.ID.Peer()
	err := s.counter(ctx, func(tx *store.Tx) error {
		return tx.FreeUsername(strings.ToLower(u.Username), peer)
	})
	for _, term := range terms.Index(u.FirstName + " " + u.LastName) {
		err = errors.Join(err, s.counter(ctx, func(tx *store.Tx) error {
			return tx.DropNameTerm(term, peer)
		}))
	}
	if err != nil {
		return fmt.Errorf("account: delete: %w", err)
	}
	return nil
}
