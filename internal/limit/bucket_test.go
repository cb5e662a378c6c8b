package limit

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/internal/clock"
)

var start = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// three is the rate of most tests: three tokens, one back each ten seconds.
var three = Rate{Burst: 3, Per: 30 * time.Second}

func TestBucketGrantsBurstThenOnePerInterval(t *testing.T) {
	clk := clock.NewFake(start)
	b := NewBucket[string](three, 10, clk)
	for i := range 3 {
		if wait, ok := b.Allow("a"); !ok || wait != 0 {
			t.Fatalf("token %d: got %v, %v", i, wait, ok)
		}
	}
	wait, ok := b.Allow("a")
	if ok || wait != 10*time.Second {
		t.Fatalf("fourth: got %v, %v; want 10s, false", wait, ok)
	}
	if _, ok := b.Allow("b"); !ok {
		t.Fatal("another key shares the first one's tokens")
	}
	clk.Advance(wait)
	if _, ok := b.Allow("a"); !ok {
		t.Fatal("refused after the whole wait")
	}
	if _, ok := b.Allow("a"); ok {
		t.Fatal("two tokens came back in one interval")
	}
}

// https://core.telegram.org/api/errors#420-flood
func TestBucketEarlyRetryLengthens(t *testing.T) {
	clk := clock.NewFake(start)
	b := NewBucket[int64](three, 10, clk)
	for range 3 {
		b.Allow(1)
	}
	wait, _ := b.Allow(1)
	until := clk.Now().Add(wait)
	for range 4 {
		clk.Advance(time.Second)
		wait, ok := b.Allow(1)
		if ok {
			t.Fatal("early retry was granted")
		}
		later := clk.Now().Add(wait)
		if got := later.Sub(until); got != 10*time.Second {
			t.Fatalf("early retry moved the end by %v, want 10s", got)
		}
		until = later
	}
	clk.Set(until)
	if wait, ok := b.Allow(1); !ok {
		t.Fatalf("refused at the promised time, for %v more", wait)
	}
}

func TestBucketWaitIsBounded(t *testing.T) {
	clk := clock.NewFake(start)
	b := NewBucket[int64](three, 10, clk)
	var last time.Duration
	for range 1000 {
		last, _ = b.Allow(1)
	}
	if want := floodFactor * three.Per; last != want {
		t.Fatalf("wait after a thousand early retries is %v, want %v", last, want)
	}
	clk.Advance(-24 * time.Hour)
	if wait, _ := b.Allow(1); wait > floodFactor*three.Per {
		t.Fatalf("a clock set back a day makes the key wait %v", wait)
	}
}

func TestBucketAllowN(t *testing.T) {
	clk := clock.NewFake(start)
	b := NewBucket[int64](three, 10, clk)
	if _, ok := b.AllowN(1, 2); !ok {
		t.Fatal("two of three tokens refused")
	}
	if wait, ok := b.AllowN(1, 2); ok || wait != 10*time.Second {
		t.Fatalf("two of one token: got %v, %v", wait, ok)
	}
	if wait, ok := b.AllowN(2, 1<<62); ok || wait <= 0 {
		t.Fatalf("more than the burst: got %v, %v", wait, ok)
	}
	if _, ok := b.AllowN(1, 0); !ok {
		t.Fatal("no tokens refused")
	}
}

func TestBucketWithoutLimit(t *testing.T) {
	b := NewBucket[int64](Rate{}, 10, clock.NewFake(start))
	for range 100 {
		if _, ok := b.Allow(1); !ok {
			t.Fatal("the zero rate refused")
		}
	}
	if n := b.Len(); n != 0 {
		t.Fatalf("the zero rate remembers %d keys", n)
	}
}

func TestBucketForgetsLeastRecentlyUsed(t *testing.T) {
	b := NewBucket[string](Rate{Burst: 1, Per: time.Hour}, 2, clock.NewFake(start))
	for _, key := range []string{"a", "b", "a", "c"} {
		b.Allow(key)
	}
	if n := b.Len(); n != 2 {
		t.Fatalf("bucket of 2 remembers %d keys", n)
	}
	if _, ok := b.Allow("a"); ok {
		t.Error("a was used last but one and is forgotten")
	}
	if _, ok := b.Allow("b"); !ok {
		t.Error("b was used first and is remembered")
	}
}

// TestBucketNeverExceedsRate compares any schedule of one key with the definition: in no window of
// Per may more than two bursts pass, and a caller who obeys the wait is always granted.
func TestBucketNeverExceedsRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		burst := rapid.IntRange(1, 20).Draw(t, "burst")
		per := time.Duration(rapid.IntRange(1, 3600).Draw(t, "seconds")) * time.Second
		clk := clock.NewFake(start)
		b := NewBucket[int64](Rate{burst, per}, 1, clk)
		var granted []time.Time
		for range rapid.IntRange(1, 200).Draw(t, "tries") {
			clk.Advance(time.Duration(rapid.Int64Range(0, int64(per)/4).Draw(t, "pause")))
			wait, ok := b.Allow(1)
			if !ok && rapid.Bool().Draw(t, "obeys") {
				clk.Advance(wait)
				if _, ok = b.Allow(1); !ok {
					t.Fatalf("refused after a wait of %v", wait)
				}
			}
			if ok {
				granted = append(granted, clk.Now())
			}
		}
		for i := 2 * burst; i < len(granted); i++ {
			if window := granted[i].Sub(granted[i-2*burst]); window < per {
				t.Fatalf("%d grants within %v at %d per %v", 2*burst+1, window, burst, per)
			}
		}
	})
}

func TestBucketConcurrent(t *testing.T) {
	b := NewBucket[int](Rate{Burst: 50, Per: time.Hour}, 4, clock.NewFake(start))
	var granted atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 400 {
				if _, ok := b.Allow(i % 4); ok {
					granted.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := granted.Load(); n != 4*50 {
		t.Fatalf("granted %d times, want 200", n)
	}
}

func TestFloodSeconds(t *testing.T) {
	for wait, want := range map[time.Duration]int{
		0:                             1,
		time.Nanosecond:               1,
		time.Second:                   1,
		time.Second + time.Nanosecond: 2,
		time.Hour:                     3600,
	} {
		if got := FloodSeconds(wait); got != want {
			t.Errorf("FloodSeconds(%v) = %d, want %d", wait, got, want)
		}
	}
}

func BenchmarkBucketAllow(b *testing.B) {
	for _, keys := range []int{1, 1_000, BucketKeys, 4 * BucketKeys} {
		b.Run("keys="+strconv.Itoa(keys), func(b *testing.B) {
			bucket := NewBucket[int64](Rate{60, time.Minute}, BucketKeys, clock.System{})
			for i := range keys {
				bucket.Allow(int64(i))
			}
			random := rand.New(rand.NewPCG(1, 2))
			b.ReportAllocs()
			for b.Loop() {
				bucket.Allow(random.Int64N(int64(keys)))
			}
		})
	}
}

func BenchmarkBucketAllowParallel(b *testing.B) {
	bucket := NewBucket[int64](Rate{60, time.Minute}, BucketKeys, clock.System{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		random := rand.New(rand.NewPCG(1, rand.Uint64()))
		for pb.Next() {
			bucket.Allow(random.Int64N(1000))
		}
	})
}
