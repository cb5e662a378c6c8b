package handshake

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"parley/internal/clock"
	"parley/internal/mtproto/crypt"
)

const (
	// poolSize is how many Diffie-Hellman pairs are kept ready.
	poolSize = 64
	// waitingPerSlot is how many steps may wait for each slot of the processor; a step takes some
	// milliseconds, so nobody waits for much longer than one quarter of a second.
	waitingPerSlot = 32
	// rememberedNonces is how many new_nonce values are remembered in order to refuse a repetition.
	rememberedNonces = 4096
)

// Config is what a Server needs.
type Config struct {
	// Keys are offered to clients in this order; at least one, at most four, of 2048 bits each.
	Keys []*rsa.PrivateKey
	// Clock tells server_time and judges message ids.
	Clock clock.Clock
	// Rand is a cryptographic source, safe for concurrent use.
	Rand io.Reader
	// Save stores a permanent key durably. The client is told of the key only after Save returned
	// nil. It is not called for temporary keys.
	Save func(ctx context.Context, r Result) error
	// Exists says whether a key with this id is known already.
	Exists func(ctx context.Context, id int64) (bool, error)
	// DCs is the highest data centre number that is ours; 0 stands for 5.
	DCs int
	// Parallel is how many costly steps may run at once; 0 stands for half of the processors.
	Parallel int
}

// Server holds what all handshakes share. It is safe for concurrent use.
type Server struct {
	clock  clock.Clock
	rand   io.Reader
	save   func(ctx context.Context, r Result) error
	exists func(ctx context.Context, id int64) (bool, error)
	dcs    int
	keys   []*privateKey
	group  *crypt.Group

	pairs   chan pair
	slots   chan struct{}
	waiting atomic.Int64
	nonces  seen
}

// pair is a secret exponent a and g^a, each used for one run only.
type pair struct {
	a, ga [crypt.KeySize]byte
}

// NewServer checks the configuration and returns a server. The pool of Diffie-Hellman pairs is
// empty until Run fills it.
func NewServer(c Config) (*Server, error) {
	if len(c.Keys) < 1 || len(c.Keys) > maxKeys {
		return nil, fmt.Errorf("handshake: %d RSA keys; want 1 to %d", len(c.Keys), maxKeys)
	}
	if c.Clock == nil || c.Rand == nil || c.Save == nil || c.Exists == nil {
		return nil, errors.New("handshake: incomplete configuration")
	}
	if c.DCs == 0 {
		c.DCs = defaultDCs
	}
	if c.Parallel == 0 {
		c.Parallel = max(1, runtime.GOMAXPROCS(0)/2)
	}
	s := &Server{
		clock: c.Clock, rand: c.Rand, save: c.Save, exists: c.Exists, dcs: c.DCs,
		group: crypt.NewGroup(),
		pairs: make(chan pair, poolSize),
		slots: make(chan struct{}, c.Parallel),
	}
	for _, key := range c.Keys {
		k, err := newPrivateKey(key)
		if err != nil {
			return nil, err
		}
		s.keys = append(s.keys, k)
	}
	return s, nil
}

// Run keeps the pool of Diffie-Hellman pairs full until ctx ends, on at most one processor. Without
// it every handshake computes its own pair.
func (s *Server) Run(ctx context.Context) error {
	for {
		p, err := s.newPair()
		if err != nil {
			return fmt.Errorf("handshake: %w", err)
		}
		select {
		case s.pairs <- p:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Start begins the handshakes of one connection.
func (s *Server) Start() *Exchange { return &Exchange{server: s} }

// pair takes a pair from the pool or computes one.
func (s *Server) pair() (pair, error) {
	select {
	case p := <-s.pairs:
		return p, nil
	default:
		return s.newPair()
	}
}

func (s *Server) newPair() (pair, error) {
	var p pair
	for {
		if _, err := io.ReadFull(s.rand, p.a[:]); err != nil {
			return pair{}, err
		}
		p.ga = s.group.ExpGenerator(&p.a)
		if _, err := s.group.Element(p.ga[:]); err == nil {
			return p, nil
		}
	}
}

// acquire waits for the right to compute and returns the function that gives it back. It answers
// Flood, and leaves the run as it is, when too many wait already.
func (s *Server) acquire(ctx context.Context) (release func(), err *Error) {
	release = func() { <-s.slots }
	select {
	case s.slots <- struct{}{}:
		return release, nil
	default:
	}
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > int64(waitingPerSlot*cap(s.slots)) {
		return nil, &Error{Code: Flood, Reason: "too many handshakes at once"}
	}
	select {
	case s.slots <- struct{}{}:
		return release, nil
	case <-ctx.Done():
		return nil, &Error{Close: true, Reason: "waiting for the processor", Err: ctx.Err()}
	}
}

// key returns the RSA key with the given fingerprint, or nil.
func (s *Server) key(fingerprint int64) *privateKey {
	for _, k := range s.keys {
		if k.fingerprint == fingerprint {
			return k
		}
	}
	return nil
}

// seen remembers the latest values of new_nonce by their hashes. A client that repeats one has no
// randomness worth the name.
type seen struct {
	mu   sync.Mutex
	set  map[[16]byte]struct{}
	ring [rememberedNonces][16]byte
	next int
}

// add reports whether nonce is new, and remembers it.
func (s *seen) add(nonce *[32]byte) bool {
	sum := sha256.Sum256(nonce[:])
	h := [16]byte(sum[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.set[h]; ok {
		return false
	}
	if s.set == nil {
		s.set = make(map[[16]byte]struct{}, rememberedNonces)
	}
	delete(s.set, s.ring[s.next])
	s.ring[s.next] = h
	s.set[h] = struct{}{}
	s.next = (s.next + 1) % rememberedNonces
	return true
}
