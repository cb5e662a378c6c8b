package account

import (
	"context"
	"errors"
	"fmt"

	"parley/internal/chat"
	"parley/internal/ids"
	"parley/internal/store"
)

// Refusals about numbers.
var (
	// ErrUnoccupied is a number without an account, where none may be made.
	ErrUnoccupied = chat.Invalid("PHONE_NUMBER_UNOCCUPIED")
	// ErrOccupied is a number that has an account already.
	ErrOccupied = chat.Invalid("PHONE_NUMBER_OCCUPIED")
	// ErrBanned is the number of an account that the service ended.
	ErrBanned = chat.Invalid("PHONE_NUMBER_BANNED")
)

// holder is what the row of a number says. The row, the account's row and those that a crash can
// leave between them are of different shards, so a number counts as occupied only when the account
// agrees; everything else is put right by whoever needs the number next.
type holder struct {
	// user is who has or had the number, 0 for nobody.
	user ids.UserID
	// occupied says that user lives and has this number.
	occupied bool
	// reserved says that user was promised to a sign-up that has not ended.
	reserved bool
}

// holderOf reads as much for a number that nobody has as for any other, so that the time that it
// takes tells nothing.
func holderOf(r *store.Reader, phone string) (holder, error) {
	user, err := r.UserByPhone(phone)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return holder{}, err
	}
	u, err := r.User(user)
	if errors.Is(err, store.ErrNotFound) {
		return holder{user: user, reserved: user != 0}, nil
	}
	if err != nil {
		return holder{}, err
	}
	return holder{
		user: user, occupied: !u.Flags.Has(store.UserDeleted) && u.Phone == phone,
	}, nil
}

// reserve gives a number to an id, which is the one of an unfinished sign-up with that number, or
// the one that next makes. It answers ErrOccupied when an account has the number.
func (s *Service) reserve(
	ctx context.Context, phone string, next func() (ids.UserID, error),
) (ids.UserID, error) {
	for {
		var h holder
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			h, err = holderOf(r, phone)
			return err
		})
		if err != nil {
			return 0, fmt.Errorf("account: number: %w", err)
		}
		if h.occupied {
			return 0, ErrOccupied
		}
		if h.user != 0 && !h.reserved {
			if err := s.freePhone(ctx, phone, h.user); err != nil {
				return 0, err
			}
		}
		user := h.user
		if !h.reserved {
			if user, err = next(); err != nil {
				return 0, err
			}
			err = s.counter(ctx, func(tx *store.Tx) error { return tx.TakePhone(phone, user) })
			if errors.Is(err, store.ErrConflict) {
				continue
			}
			if err != nil {
				return 0, fmt.Errorf("account: number: %w", err)
			}
		}
		return user, nil
	}
}

func (s *Service) freePhone(ctx context.Context, phone string, user ids.UserID) error {
	err := s.counter(ctx, func(tx *store.Tx) error { return tx.FreePhone(phone, user) })
	if err != nil {
		return fmt.Errorf("account: number: %w", err)
	}
	return nil
}

// create makes an account for a number. Two sign-ups at once with one number make one account.
func (s *Service) create(
	ctx context.Context, phone, first, last, lang string,
) (ids.UserID, error) {
	user, err := s.reserve(ctx, phone, func() (id ids.UserID, err error) {
		err = s.counter(ctx, func(tx *store.Tx) error {
			n, err := tx.Next("user", firstUser)
			id = ids.UserID(n)
			return err
		})
		return id, err
	})
	if err != nil {
		return 0, err
	}
	err = s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		_, err := tx.User(user)
		if err == nil {
			return ErrOccupied
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return tx.PutUser(store.User{
			ID: user, Phone: phone, FirstName: first, LastName: last, Lang: lang,
			Created: s.now(), Seen: s.now(), TTLDays: defaultTTLDays,
		})
	})
	if err != nil {
		return 0, err
	}
	return user, nil
}
