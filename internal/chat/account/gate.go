package account

import (
	"context"
	"fmt"
	"time"

	"parley/internal/chat"
	"parley/internal/limit"
	"parley/internal/store"
)

// gate bounds how often something may be tried, durably, so that neither a restart nor another
// connection forgets.
type gate struct {
	// name keeps the subjects of gates apart.
	name string
	// window is how long a try counts.
	window time.Duration
	// gap is the least time after the last try when n of them count.
	gap func(n int64) time.Duration
}

// earlyMost bounds how often trying again too early lengthens a wait; each time adds a quarter.
const earlyMost = 4

// pass counts a try and lets it through, or refuses it for some time. Whoever was refused and tries
// again before that time waits longer.
//
// https://core.telegram.org/api/errors#420-flood
func (s *Service) pass(ctx context.Context, g gate, subject string) error {
	now := s.now()
	key := g.name + "/" + subject
	refusals := key + "/refused"
	var wait time.Duration
	err := s.counter(ctx, func(tx *store.Tx) error {
		wait = 0
		since := now - int64(g.window/time.Second) + 1
		n, err := tx.Counted(key, since)
		if err != nil {
			return err
		}
		last, err := tx.LastCounted(key, since)
		if err != nil {
			return err
		}
		refused, err := tx.Counted(refusals, last)
		if err != nil {
			return err
		}
		left := func(early int64) time.Duration {
			gap := g.gap(n)
			gap += gap / earlyMost * time.Duration(min(early, earlyMost))
			return time.Duration(last-now)*time.Second + gap
		}
		if n == 0 || left(max(refused-1, 0)) <= 0 {
			_, err = tx.Count(key, now, 1)
			return err
		}
		wait = left(refused)
		if refused <= earlyMost {
			_, err = tx.Count(refusals, now, 1)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("account: %s: %w", g.name, err)
	}
	if wait > 0 {
		return chat.Wait(int((wait + time.Second - 1) / time.Second))
	}
	return nil
}

// refund takes a counted try back that was none: right, or about nothing.
func (s *Service) refund(ctx context.Context, g gate, subject string) error {
	err := s.counter(ctx, func(tx *store.Tx) error {
		last, err := tx.LastCounted(g.name+"/"+subject, s.now()-int64(g.window/time.Second)+1)
		if err != nil || last == 0 {
			return err
		}
		_, err = tx.Count(g.name+"/"+subject, last, -1)
		return err
	})
	if err != nil {
		return fmt.Errorf("account: %s: %w", g.name, err)
	}
	return nil
}

// rateGate lets Burst tries through at once, and then one each Per/Burst.
func rateGate(name string, r limit.Rate) gate {
	return gate{name: name, window: r.Per, gap: func(n int64) time.Duration {
		if n < int64(r.Burst) {
			return 0
		}
		return r.Per / time.Duration(r.Burst)
	}}
}

// phoneGate lets Burst codes through, the last two only after growing waits, and then none until
// the last one is Per ago.
func phoneGate(r limit.Rate) gate {
	return gate{name: "code", window: r.Per, gap: func(n int64) time.Duration {
		switch left := int64(r.Burst) - n; {
		case left <= 0:
			return r.Per
		case left == 1:
			return min(10*time.Minute, r.Per)
		case left == 2:
			return min(time.Minute, r.Per)
		default:
			return 0
		}
	}}
}

// passwordFree is how many wrong passwords are let through before waits begin. They grow by
// passwordStep each, which comes to about twenty tries in the first day.
const (
	passwordFree = 5
	passwordStep = 10 * time.Minute
)

// passwordGate bounds guesses at a cloud password, per account and not per session.
func passwordGate() gate {
	return gate{name: "password", window: 24 * time.Hour, gap: func(n int64) time.Duration {
		return time.Duration(max(n-passwordFree+1, 0)) * passwordStep
	}}
}
