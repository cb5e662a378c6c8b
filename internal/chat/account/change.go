package account

import (
	"context"
	"fmt"

	"parley/internal/chat/box"
	"parley/internal/ids"
	"parley/internal/store"
)

// SendChangeCode sends a code to the number that the caller wants for his account.
//
// https://core.telegram.org/method/account.sendChangePhoneCode
func (s *Service) SendChangeCode(ctx context.Context, c Caller, written string) (Sent, error) {
	phone, err := Phone(written)
	if err != nil {
		return Sent{}, err
	}
	if anonymous(phone) {
		return Sent{}, ErrPhone
	}
	self, _, err := s.own(ctx, c)
	if err != nil {
		return Sent{}, err
	}
	if s.fresh(self) {
		return Sent{}, errFreshPhone
	}
	to, err := s.owner(ctx, phone)
	if err != nil {
		return Sent{}, err
	}
	if to.user != 0 {
		return Sent{}, ErrOccupied
	}
	return s.send(ctx, c, phone, forPhone)
}

// ChangePhone gives the caller's account another number. The old one is free afterwards.
//
// https://core.telegram.org/method/account.changePhone
func (s *Service) ChangePhone(ctx context.Context, c Caller, written, hash, code string) error {
	phone, err := Phone(written)
	if err != nil {
		return err
	}
	switch {
	case code == "":
		return ErrCodeEmpty
	case hash == "":
		return ErrHashEmpty
	}
	if _, err := s.guess(ctx, hash, c.Key.ID, phone, forPhone, code); err != nil {
		return err
	}
	user := c.user()
	id, err := s.reserve(ctx, phone, func() (ids.UserID, error) { return user, nil })
	if err != nil {
		return err
	}
	if id != user {
		// Somebody is signing up with the number at this moment.
		return ErrOccupied
	}
	var old string
	err = s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		u, err := tx.User(user)
		if err != nil {
			return err
		}
		old, u.Phone = u.Phone, phone
		if err := tx.PutUser(u); err != nil {
			return err
		}
		_, err = box.Note(tx, user.Peer(), box.UserPhone, s.now(), box.Entry{User: user})
		return err
	})
	if err != nil {
		return fmt.Errorf("account: change phone: %w", err)
	}
	if old != "" && old != phone {
		if err := s.freePhone(ctx, old, user); err != nil {
			return err
		}
	}
	return s.forget(ctx, hash)
}
