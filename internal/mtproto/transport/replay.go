package transport

import (
	"sync"
	"time"

	"parley/internal/limit"
)

// helloDigest identifies an authentic TLS hello: the first half of its signature.
type helloDigest [16]byte

// ReplayCache remembers the fake TLS hellos that were accepted, so that a recorded one cannot be
// used to find out that this is no web server. It forgets a hello when its time stamp would no
// longer be accepted, or when limit.HelloReplays newer ones came; only holders of a secret can
// make that happen. It is shared by all connections and safe for concurrent use.
type ReplayCache struct {
	mu    sync.Mutex
	seen  map[helloDigest]struct{}
	queue []usedHello // in order of arrival
}

type usedHello struct {
	digest helloDigest
	until  time.Time
}

// NewReplayCache returns an empty cache.
func NewReplayCache() *ReplayCache {
	return &ReplayCache{seen: make(map[helloDigest]struct{})}
}

// use reports whether the digest is new, and remembers it. A nil cache knows every digest.
func (r *ReplayCache) use(d helloDigest, now time.Time) bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.seen[d]; ok {
		return false
	}
	for len(r.queue) > 0 && (len(r.queue) >= limit.HelloReplays || now.After(r.queue[0].until)) {
		delete(r.seen, r.queue[0].digest)
		r.queue = r.queue[1:]
	}
	r.seen[d] = struct{}{}
	r.queue = append(r.queue, usedHello{d, now.Add(2 * limit.HelloSkew)})
	return true
}
