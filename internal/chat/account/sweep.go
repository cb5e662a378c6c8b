package account

import (
	"context"
	"fmt"
	"time"

	"parley/internal/ids"
	"parley/internal/store"
)

// sweepPage is how many devices or accounts are looked at in one step of a sweep.
const sweepPage = 500

// day is a day in seconds.
const day = 86400

// countersKept is how long counts of attempts are kept; no gate looks further back.
const countersKept = 8 * 24 * time.Hour

// Sweep forgets codes, tokens and counts that are over, logs out devices and ends accounts that
// were silent for as long as their users said, and forgets old addresses. It is to be run every few
// hours; running it twice does no harm.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.now()
	ago := func(d time.Duration) int64 { return now - int64(d/time.Second) }
	steps := []func(*store.Tx) error{
		func(tx *store.Tx) error { return tx.ExpireLoginCodes(ago(issuedLife)) },
		func(tx *store.Tx) error { return tx.ExpireLoginTokens(ago(exportLife)) },
		func(tx *store.Tx) error { return tx.ExpireCounters(ago(countersKept)) },
	}
	if s.KeepAddresses > 0 {
		steps = append(steps, func(tx *store.Tx) error {
			return tx.ForgetAddresses(ago(s.KeepAddresses))
		})
	}
	for _, step := range steps {
		if err := s.counter(ctx, step); err != nil {
			return fmt.Errorf("account: sweep: %w", err)
		}
	}
	if err := s.sweepDevices(ctx); err != nil {
		return err
	}
	return s.sweepAccounts(ctx)
}

// sweepDevices logs out devices that were silent for too long.
func (s *Service) sweepDevices(ctx context.Context) error {
	var after store.Authorization
	for {
		var page []store.Authorization
		ends := make(map[ids.UserID][]int64)
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			clear(ends)
			page, err = r.IdleAuthorizations(s.now()-deviceTTLLeast*day, after, sweepPage)
			if err != nil {
				return err
			}
			for _, a := range page {
				days, err := s.deviceTTL(r, a.User)
				if err != nil {
					return err
				}
				if days > 0 && a.Active <= s.now()-int64(days)*day {
					ends[a.User] = append(ends[a.User], a.KeyID)
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("account: sweep: %w", err)
		}
		for user, keys := range ends {
			if err := s.revoke(ctx, user, keys); err != nil {
				return err
			}
		}
		if len(page) < sweepPage {
			return nil
		}
		after = page[len(page)-1]
	}
}

// sweepAccounts ends accounts that nobody has visited for too long.
func (s *Service) sweepAccounts(ctx context.Context) error {
	after := ids.UserID(0)
	for {
		var page []store.User
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			page, err = r.IdleUsers(s.now()-accountTTLLeast*day, after, sweepPage)
			return err
		})
		if err != nil {
			return fmt.Errorf("account: sweep: %w", err)
		}
		for _, u := range page {
			var last int64
			err := s.Store.View(ctx, func(r *store.Reader) (err error) {
				last, err = lastUsed(r, u.ID)
				return err
			})
			if err != nil {
				return fmt.Errorf("account: sweep: %w", err)
			}
			// Nobody can visit what the service ended; it stays for as long as it may come back.
			shut := u.Flags.Has(store.UserTerminated)
			if !shut && last <= s.now()-u.TTLDays*day {
				if err := s.end(ctx, u.ID); err != nil {
					return err
				}
			}
			after = u.ID
		}
		if len(page) < sweepPage {
			return nil
		}
	}
}
