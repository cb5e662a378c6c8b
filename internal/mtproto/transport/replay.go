package transport

import (
	"sync"

	"parley/internal/limit"
)

// helloDigest identifies an authentic TLS hello: the first half of its signature.
type helloDigest [16]byte

// ReplayCache remembers the last limit.HelloReplays fake TLS hellos that were accepted, so that a
// recorded one cannot be used to find out that this is no web server. It does not forget a hello
// because of its age: the time in a hello is not signed, and whoever recorded one can change it. It
// is shared by all connections and safe for concurrent use.
type ReplayCache struct {
	mu   sync.Mutex
	seen map[helloDigest]struct{}
	ring []helloDigest // what seen holds, in order of arrival
	next int           // where in a full ring the oldest stands
}

// NewReplayCache returns an empty cache.
func NewReplayCache() *ReplayCache {
	return &ReplayCache{seen: make(map[helloDigest]struct{})}
}

// use reports whether the digest is new, and remembers it. A nil cache knows every digest.
func (r *ReplayCache) use(d helloDigest) bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.seen[d]; ok {
		return false
	}
	r.seen[d] = struct{}{}
	if len(r.ring) < limit.HelloReplays {
		r.ring = append(r.ring, d)
		return true
	}
	delete(r.seen, r.ring[r.next])
	r.ring[r.next] = d
	r.next = (r.next + 1) % len(r.ring)
	return true
}
