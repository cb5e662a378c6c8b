package limit

import (
	"sync"
	"time"

	"parley/internal/clock"
)

// BucketKeys is how many keys a Bucket remembers unless its owner knows better. A key costs about
// a hundred bytes, so a full bucket stays near ten megabytes.
const BucketKeys = 100_000

// floodFactor bounds the punishment of impatience: no wait exceeds this many times Rate.Per.
const floodFactor = 4

// Bucket limits how often each key may act. It is a token bucket, kept as one instant for each key
// (the generic cell rate algorithm): the time at which the key's tokens are all back. It remembers
// a fixed number of keys and forgets the one that was silent longest; a forgotten key starts
// afresh. It is safe for concurrent use.
//
// A key that was refused and comes back before its wait is over is charged once more, so an early
// retry never shortens the wait and lengthens it, up to four times Rate.Per from then.
//
// https://core.telegram.org/api/errors#420-flood
type Bucket[K comparable] struct {
	clock    clock.Clock
	tokens   int   // of a full bucket; 0 for no limit
	interval int64 // nanoseconds that bring back one token
	burst    int64 // nanoseconds that bring back all of them
	size     int

	mu      sync.Mutex
	index   map[K]int32
	entries []entry[K] // entries[0] is the head of the ring: next is newest, prev is oldest
}

// entry is one key's state and its place in the ring of keys, ordered by last use.
type entry[K comparable] struct {
	key        K
	fullAt     int64 // Unix nanoseconds at which all tokens are back
	prev, next int32
	refused    bool // the last answer was a refusal
}

// NewBucket returns a bucket that grants each key rate, remembers at most size keys (at least one)
// and reads the time from clk. The zero Rate limits nothing.
func NewBucket[K comparable](rate Rate, size int, clk clock.Clock) *Bucket[K] {
	b := &Bucket[K]{
		clock:   clk,
		size:    max(size, 1),
		index:   make(map[K]int32),
		entries: make([]entry[K], 1),
	}
	if !rate.Unlimited() {
		b.tokens = rate.Burst
		b.interval = max(int64(rate.Per)/int64(rate.Burst), 1)
		b.burst = b.interval * int64(rate.Burst)
	}
	return b
}

// Allow takes one token of key. When there is none it reports false and how long to wait.
func (b *Bucket[K]) Allow(key K) (wait time.Duration, ok bool) { return b.AllowN(key, 1) }

// AllowN takes n tokens of key, all or none. When there are too few it reports false and how long
// to wait for them. More tokens than Rate.Burst are never granted: refuse such a request before
// asking.
func (b *Bucket[K]) AllowN(key K, n int) (wait time.Duration, ok bool) {
	if b.tokens == 0 || n <= 0 {
		return 0, true
	}
	cost := b.interval * int64(min(n, b.tokens+1))
	now := b.clock.Now().UnixNano()
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entry(key)
	e.fullAt = max(e.fullAt, now)
	if e.fullAt+cost-now <= b.burst {
		e.fullAt += cost
		e.refused = false
		return 0, true
	}
	if e.refused {
		e.fullAt += cost
	}
	e.refused = true
	// The bound also frees a key that a clock set back would otherwise lock out for as long.
	e.fullAt = min(e.fullAt, now+(1+floodFactor)*b.burst-cost)
	return time.Duration(e.fullAt + cost - now - b.burst), false
}

// Len returns how many keys the bucket remembers.
func (b *Bucket[K]) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.index)
}

// entry returns the state of key, marked as the most recently used, evicting the least recently
// used key when key is new and the bucket is full. The caller holds the lock and keeps the pointer
// no longer than that.
func (b *Bucket[K]) entry(key K) *entry[K] {
	i, known := b.index[key]
	switch {
	case known:
		b.unlink(i)
	case len(b.entries) <= b.size:
		i = int32(len(b.entries))
		b.entries = append(b.entries, entry[K]{key: key})
		b.index[key] = i
	default:
		i = b.entries[0].prev
		b.unlink(i)
		delete(b.index, b.entries[i].key)
		b.entries[i] = entry[K]{key: key}
		b.index[key] = i
	}
	b.link(i)
	return &b.entries[i]
}

func (b *Bucket[K]) unlink(i int32) {
	e := &b.entries[i]
	b.entries[e.prev].next = e.next
	b.entries[e.next].prev = e.prev
}

func (b *Bucket[K]) link(i int32) {
	newest := b.entries[0].next
	b.entries[i].prev, b.entries[i].next = 0, newest
	b.entries[newest].prev = i
	b.entries[0].next = i
}

// FloodSeconds rounds a wait up to whole seconds, at least one, as FLOOD_WAIT_X states it: a client
// that waits that long is never early.
func FloodSeconds(wait time.Duration) int {
	return int(max((wait+time.Second-1)/time.Second, 1))
}
