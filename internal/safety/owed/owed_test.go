package owed_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/safety/owed"
)

// TestWakeIsNotLost wakes a worker before it runs, while it works and while it sleeps: each time it
// works once more, and an error ends no more than its round.
func TestWakeIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var w owed.Worker
		var rounds, failures int
		w.Wake()
		done := make(chan struct{})
		go func() {
			defer close(done)
			w.Run(ctx, time.Hour, func(error) { failures++ }, func(context.Context) error {
				if rounds++; rounds == 2 {
					w.Wake() // something more came while it worked
					w.Wake()
					return errors.New("no")
				}
				return nil
			})
		}()
		synctest.Wait()
		// At its start, by the wake before it, and by the one in the second round.
		if rounds != 3 || failures != 1 {
			t.Fatalf("%d rounds, %d failures; want 3 and 1", rounds, failures)
		}
		w.Wake()
		synctest.Wait()
		if rounds != 4 {
			t.Fatalf("%d rounds after a wake; want 4", rounds)
		}
		<-time.After(time.Hour) // of the bubble
		synctest.Wait()
		if rounds != 5 {
			t.Fatalf("%d rounds after the period; want 5", rounds)
		}
		stop()
		<-done
	})
}

// TestBrokenOff: what the end of the context broke off is no failure.
func TestBrokenOff(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var w owed.Worker
	w.Run(ctx, time.Hour, func(err error) { t.Error(err) }, func(ctx context.Context) error {
		stop()
		return ctx.Err()
	})
}

// TestDrain takes pages until there are no more, and stops at an error with what was sent.
func TestDrain(t *testing.T) {
	left := []int{1, 2, 3, 4, 5}
	due := func(context.Context) ([]int, error) { return left[:min(2, len(left))], nil }
	broken := errors.New("broken")
	for _, x := range []struct {
		breaks, sent int
		err          error
	}{{0, 5, nil}, {3, 2, broken}} {
		left = []int{1, 2, 3, 4, 5}
		n, err := owed.Drain(t.Context(), due, func(_ context.Context, page []int) (int, error) {
			if page[0] == x.breaks {
				return 0, broken
			}
			left = left[len(page):]
			return len(page), nil
		})
		if n != x.sent || !errors.Is(err, x.err) {
			t.Errorf("sent %d, %v; want %d, %v", n, err, x.sent, x.err)
		}
	}
}

// TestEach: what fails holds up nothing behind it, is tried once in a round, and is told of; a round
// in which all fail ends.
func TestEach(t *testing.T) {
	broken := errors.New("broken")
	own := func(x int) int { return x }
	left, tries := []int{1, 2, 3, 4, 5, 6, 7}, make(map[int]int)
	due := func(_ context.Context, limit int) ([]int, error) {
		return slices.Clone(left[:min(limit, len(left))]), nil
	}
	n, err := owed.Each(t.Context(), 2, due, own, func(_ context.Context, x int) (bool, error) {
		tries[x]++
		if x <= 3 {
			return false, broken
		}
		left = slices.DeleteFunc(left, func(y int) bool { return x == y })
		return x != 7, nil // which is nobody's any more
	})
	if n != 3 || !errors.Is(err, broken) || !slices.Equal(left, []int{1, 2, 3}) {
		t.Errorf("sent %d, %v, left %v", n, err, left)
	}
	for x, times := range tries {
		if times != 1 {
			t.Errorf("%d was tried %d times", x, times)
		}
	}
	left, tries = nil, make(map[int]int)
	for x := range 5000 {
		left = append(left, x)
	}
	_, err = owed.Each(t.Context(), 10, due, own, func(_ context.Context, x int) (bool, error) {
		tries[x]++
		return false, broken
	})
	if !errors.Is(err, broken) || len(tries) > 200 {
		t.Errorf("%v after %d tries", err, len(tries))
	}
}

// TestBackoff doubles between bounds, for any number of tries.
func TestBackoff(t *testing.T) {
	b := owed.Backoff{First: 30 * time.Second, Last: 6 * time.Hour}
	for tries, want := range map[int64]time.Duration{
		-1: b.First, 0: b.First, 1: b.First, 2: time.Minute, 5: 8 * time.Minute, 11: b.Last,
		1 << 40: b.Last,
	} {
		if got := b.After(tries); got != want {
			t.Errorf("after %d tries: %v, want %v", tries, got, want)
		}
	}
}

// TestWaited waits as long again, between bounds.
func TestWaited(t *testing.T) {
	b := owed.Backoff{First: 30 * time.Second, Last: time.Hour}
	for already, want := range map[time.Duration]time.Duration{
		0: b.First, time.Minute: time.Minute, 24 * time.Hour: b.Last,
	} {
		if got := b.Waited(already); got != want {
			t.Errorf("after %v: %v, want %v", already, got, want)
		}
	}
}

// TestRetryAfter reads both forms of the header and bounds them.
func TestRetryAfter(t *testing.T) {
	now := time.Date(2027, 1, 15, 8, 0, 0, 0, time.UTC)
	for said, want := range map[string]time.Duration{
		"": 0, "soon": 0, "-5": 0, "90": 90 * time.Second, "9999999": 24 * time.Hour,
		"Fri, 15 Jan 2027 08:01:00 GMT": time.Minute, "Fri, 15 Jan 2027 07:00:00 GMT": 0,
	} {
		h := http.Header{"Retry-After": {said}}
		if got := owed.RetryAfter(h, now); got != want {
			t.Errorf("%q: %v, want %v", said, got, want)
		}
	}
}

// TestRest leaves a peer alone for longer each time, or as long as it asks, and not after it worked.
func TestRest(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	r := owed.Rest{Backoff: owed.Backoff{First: time.Minute, Last: time.Hour}}
	until := func(d time.Duration) {
		t.Helper()
		if r.Over(now.Add(d)) || !r.Over(now.Add(d+time.Second)) {
			t.Errorf("the rest does not end after %v", d)
		}
	}
	if !r.Over(now) {
		t.Error("a peer that never failed rests")
	}
	r.Failed(now, 0, 0)
	until(time.Minute)
	r.Failed(now, 0, 0)
	until(2 * time.Minute)
	r.Failed(now, 15*time.Minute, 0)
	until(15 * time.Minute)
	r.Failed(now, 15*time.Minute, 10*time.Second)
	until(10 * time.Second)
	if r.Fails() != 4 {
		t.Errorf("%d failures", r.Fails())
	}
	r.Worked()
	if r.Fails() != 0 || !r.Over(now) {
		t.Error("it rests after it worked")
	}
}
