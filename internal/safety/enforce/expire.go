package enforce

import (
	"context"
	"time"

	"parley/internal/store"
)

const (
	// expireMost is how many restrictions one read of those that ran out returns.
	expireMost = 200
	// longest is the longest that Run sleeps: what was decided meanwhile may end sooner than what
	// it knew of.
	longest = 15 * time.Second
)

// Expire ends the restrictions that have run out and undoes what they did.
func (s *Service) Expire(ctx context.Context) error {
	for {
		now := s.Clock.Now().Unix()
		var due []store.Restriction
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			due, err = r.RestrictionsDue(now, expireMost)
			return err
		})
		if err != nil || len(due) == 0 {
			return err
		}
		for _, x := range due {
			err := s.Store.Update(ctx, x.Peer, func(tx *store.Tx) error {
				var out Restored
				return s.end(tx, x, now, &out)
			})
			if err != nil {
				return err
			}
		}
	}
}

// Run ends restrictions as they run out, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := s.Expire(ctx); err != nil {
			return err
		}
		var next int64
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			next, err = r.NextRestrictionEnd()
			return err
		})
		if err != nil {
			return err
		}
		wait := longest
		if next > 0 {
			wait = min(wait, max(time.Unix(next, 0).Sub(s.Clock.Now()), 0))
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
	return nil
}
