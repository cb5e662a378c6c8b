package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/chat/device"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/keyring"
	"parley/internal/limit"
	"parley/internal/mtproto/crypt"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

func newService(t testing.TB) (*Service, *clock.Fake) {
	t.Helper()
	now := clock.NewFake(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	st := storetest.SQLite(t)
	box := keyring.NewBox([32]byte{}, crypt.NewRandom(rand.Reader))
	return New(Options{
		Store: st, Clock: now, Rand: rand.Reader, Devices: device.New(st, box, now),
		Log: slog.New(slog.DiscardHandler), Cut: func(int64) {},
	}), now
}

// passes lets a gate answer and returns the wait, 0 for none.
func passes(t *testing.T, s *Service, g gate, subject string) time.Duration {
	t.Helper()
	err := s.pass(t.Context(), g, subject)
	if err == nil {
		return 0
	}
	var r chat.Refusal
	var seconds int
	if !errors.As(err, &r) {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(r.Reason, "FLOOD_WAIT_%d", &seconds); err != nil {
		t.Fatal(r)
	}
	return time.Duration(seconds) * time.Second
}

func TestRateGate(t *testing.T) {
	s, now := newService(t)
	g := rateGate("test", limit.Rate{Burst: 4, Per: time.Hour})
	granted := 0
	for range 10 * 60 {
		if passes(t, s, g, "x") == 0 {
			granted++
		}
		now.Advance(time.Minute)
	}
	// Whoever never waits gets less than the rate, and at least half of it.
	if granted < 20 || granted > 44 {
		t.Errorf("%d granted in ten hours", granted)
	}
	if wait := passes(t, s, g, "y"); wait != 0 {
		t.Errorf("another subject waits for %v", wait)
	}
}

// TestHonouredWaitEnds tells a wait, keeps it, and must then be let through, after any number of
// tries that came too early.
func TestHonouredWaitEnds(t *testing.T) {
	s, now := newService(t)
	g := phoneGate(limit.Rate{Burst: 5, Per: 24 * time.Hour})
	for hasty := range 8 {
		subject := fmt.Sprint(hasty)
		for range 3 {
			passes(t, s, g, subject)
		}
		wait := passes(t, s, g, subject)
		for range hasty {
			next := passes(t, s, g, subject)
			if next < wait || next > 2*time.Minute {
				t.Fatalf("%d too early: %v, then %v", hasty, wait, next)
			}
			wait = next
		}
		now.Advance(wait - time.Second)
		if hasty == 0 && passes(t, s, g, subject) == 0 {
			t.Error("let through a second too early")
		}
		now.Advance(time.Minute)
		if wait := passes(t, s, g, subject); wait != 0 {
			t.Errorf("%d too early: %v after the wait", hasty, wait)
		}
	}
}

func TestRefund(t *testing.T) {
	s, _ := newService(t)
	for range 20 {
		if wait := passes(t, s, passwordGate(), "1000"); wait != 0 {
			t.Fatalf("wait of %v", wait)
		}
		if err := s.refund(t.Context(), passwordGate(), "1000"); err != nil {
			t.Fatal(err)
		}
	}
	for range passwordFree {
		passes(t, s, passwordGate(), "1000")
	}
	if passes(t, s, passwordGate(), "1000") == 0 {
		t.Error("tries are not counted")
	}
}

func TestDigitsAreUniform(t *testing.T) {
	s, _ := newService(t)
	var seen [10]int
	const draws = 20000
	for range draws / codeDigits {
		code, err := s.digits(codeDigits)
		if err != nil {
			t.Fatal(err)
		}
		if len(code) != codeDigits {
			t.Fatalf("code %q", code)
		}
		for _, d := range code {
			seen[d-'0']++
		}
	}
	for d, n := range seen {
		if n < draws/10*85/100 || n > draws/10*115/100 {
			t.Errorf("digit %d was drawn %d times in %d", d, n, draws)
		}
	}
}

// BenchmarkCodeShown is what every message that an account sends goes through.
func BenchmarkCodeShown(b *testing.B) {
	s, _ := newService(b)
	ctx := context.Background()
	const user = ids.UserID(1000)
	err := s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		return noteCode(tx, user, "hash")
	})
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{
		"words":  strings.Repeat("see you tomorrow at the station, ", 6),
		"digits": "call me at 49 151 12345678",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := s.CodeShown(ctx, user, text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
