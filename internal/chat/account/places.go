package account

import (
	"context"
	"errors"

	"parley/internal/chat/device"
	"parley/internal/ids"
	"parley/internal/store"
)

// InTwoPlaces tells an account, in the background, that the key of one of its devices is in use
// from two places at once. Keys without an account are passed over.
func (s *Service) InTwoPlaces(ctx context.Context, key int64) {
	s.later(ctx, textPlaces.name, func(ctx context.Context) error {
		dev, err := s.Devices.Find(ctx, key)
		if errors.Is(err, device.ErrUnknown) || err == nil && dev.User == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		name, err := s.nameOf(ctx, dev.User, key)
		if err != nil {
			return err
		}
		return s.tell(ctx, dev.User, textPlaces, name)
	})
}

// nameOf is what a user's list of devices calls one of them.
func (s *Service) nameOf(
	ctx context.Context, user ids.UserID, key int64,
) (name string, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		rows, err := r.Authorizations(user)
		for _, a := range rows {
			if a.KeyID == key {
				a.IP = "" // it is in more than one place
				name = label(a)
			}
		}
		return err
	})
	return name, err
}
