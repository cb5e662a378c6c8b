// Package erasure erases what deleted accounts leave behind: their memberships, and their box with
// its messages, log and chat list. What they sent to others is in the others' boxes and stays
// there. Ending an account is chat/account's.
//
// It works in steps that may be interrupted and repeated. An account counts as erased once a step
// has found nothing more of it: what was under way to it when it ended has then arrived and gone.
package erasure

import (
	"context"
	"fmt"

	"parley/internal/chat/group"
	"parley/internal/ids"
	"parley/internal/store"
)

const (
	// page is how many deleted accounts are looked for at once.
	page = 100
	// slice is how many messages one transaction erases.
	slice = 1000
)

// Service erases what deleted accounts leave behind.
type Service struct {
	Store *store.Store
	Group *group.Service
}

// Sweep takes a step with every deleted account that is not yet erased. It is to be run now and
// then.
func (s *Service) Sweep(ctx context.Context) error {
	var after ids.UserID
	for {
		var list []ids.UserID
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = r.DeletedUsers(after, page)
			return err
		})
		if err != nil {
			return fmt.Errorf("erasure: %w", err)
		}
		for _, user := range list {
			if err := s.erase(ctx, user); err != nil {
				return fmt.Errorf("erasure: of %d: %w", user, err)
			}
			after = user
		}
		if len(list) < page {
			return nil
		}
	}
}

// erase ends an account's memberships and empties its box, and marks it when there was nothing to
// do.
func (s *Service) erase(ctx context.Context, user ids.UserID) error {
	var dialogs []store.Dialog
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		dialogs, err = r.Dialogs(user)
		return err
	})
	if err != nil {
		return err
	}
	for _, d := range dialogs {
		if d.Peer.Kind() == ids.User {
			continue
		}
		if err := s.Group.Depart(ctx, user, d.Peer); err != nil {
			return err
		}
	}
	found := len(dialogs) > 0
	for {
		var n int64
		err := s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) (err error) {
			n, err = tx.EraseMessages(user.Peer(), slice)
			return err
		})
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		found = true
	}
	return s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		if err := tx.EraseBox(user); err != nil || found {
			return err
		}
		u, err := tx.User(user)
		if err != nil {
			return err
		}
		u.Flags |= store.UserErased
		return tx.PutUser(u)
	})
}
