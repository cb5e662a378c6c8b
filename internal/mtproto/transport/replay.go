package transport

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"parley/internal/limit"
)

// helloDigest identifies an authentic TLS hello: the first half of its signature.
type helloDigest [16]byte

// ReplayCache remembers the last limit.HelloReplays fake TLS hellos that were accepted, so that a
// recorded one cannot be used to find out that this is no web server. It does not forget a hello
// because of its age: the time in a hello is not signed, and whoever recorded one can change it.
// For the same reason no comparison of that time with the start of the process can stand in for
// what an earlier process remembered; OpenReplayCache keeps that in a file. It is shared by all
// connections and safe for concurrent use.
type ReplayCache struct {
	mu   sync.Mutex
	seen map[helloDigest]struct{}
	ring []helloDigest // what seen holds, in order of arrival
	next int           // where in a full ring the oldest stands

	file   *os.File // has the digests one after the other; nil for a cache in memory
	length int      // how many digests the file has
	failed func(error)
}

// NewReplayCache returns an empty cache, which its process takes with it.
func NewReplayCache() *ReplayCache {
	return &ReplayCache{seen: make(map[helloDigest]struct{})}
}

// OpenReplayCache returns a cache that outlives its process: it is kept in a file, of at most twice
// limit.HelloReplays digests. What the system had not written yet is lost with its power. An error
// of writing is told to failed; the cache works on in memory.
func OpenReplayCache(path string, failed func(error)) (*ReplayCache, error) {
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("transport: replays: %w", err)
	}
	r := NewReplayCache()
	for len(b) >= len(helloDigest{}) {
		r.use(helloDigest(b))
		b = b[len(helloDigest{}):]
	}
	r.failed = failed
	if r.file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600); err != nil {
		return nil, fmt.Errorf("transport: replays: %w", err)
	}
	if err := r.rewrite(); err != nil {
		return nil, errors.Join(fmt.Errorf("transport: replays: %w", err), r.file.Close())
	}
	return r, nil
}

// Close closes the file once it is on the disk.
func (r *ReplayCache) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return nil
	}
	err := errors.Join(r.file.Sync(), r.file.Close())
	r.file = nil
	return err
}

// keep adds a digest to the file.
func (r *ReplayCache) keep(d helloDigest) {
	if r.file == nil {
		return
	}
	var err error
	if r.length < 2*limit.HelloReplays {
		_, err = r.file.WriteAt(d[:], int64(r.length*len(d)))
		r.length++
	} else {
		err = r.rewrite()
	}
	if err != nil {
		r.failed(fmt.Errorf("transport: replays: %w", err))
	}
}

// rewrite has the file hold what is remembered and no more.
func (r *ReplayCache) rewrite() error {
	b := make([]byte, 0, len(r.ring)*len(helloDigest{}))
	for i := range r.ring {
		d := r.ring[(r.next+i)%len(r.ring)]
		b = append(b, d[:]...)
	}
	if _, err := r.file.WriteAt(b, 0); err != nil {
		return err
	}
	r.length = len(r.ring)
	return r.file.Truncate(int64(len(b)))
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
	} else {
		delete(r.seen, r.ring[r.next])
		r.ring[r.next] = d
		r.next = (r.next + 1) % len(r.ring)
	}
	r.keep(d)
	return true
}
