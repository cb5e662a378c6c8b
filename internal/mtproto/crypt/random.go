package crypt

import (
	"io"
	"sync"
)

// randomBuffer is how many bytes Random fetches at a time.
const randomBuffer = 4096

// Random hands out bytes of a cryptographic source in small pieces without a system call for each.
// Every byte is handed out once and erased from the buffer. It is safe for concurrent use.
type Random struct {
	source io.Reader
	pool   sync.Pool
}

type randomPool struct {
	buf  [randomBuffer]byte
	used int
}

// NewRandom returns a Random over source, normally crypto/rand.Reader. The source must be safe for
// concurrent use.
func NewRandom(source io.Reader) *Random {
	return &Random{source: source}
}

// Read fills p; its error is always nil. It panics when the source fails, as crypto/rand does:
// there is no safe way to go on without randomness.
func (r *Random) Read(p []byte) (int, error) {
	if len(p) >= randomBuffer {
		r.fill(p)
	} else {
		r.fillSmall(p)
	}
	return len(p), nil
}

// fillSmall is Read as long as p is short; p does not escape.
func (r *Random) fillSmall(p []byte) {
	b, _ := r.pool.Get().(*randomPool)
	if b == nil {
		b = &randomPool{used: randomBuffer}
	}
	for rest := p; len(rest) > 0; {
		if b.used == randomBuffer {
			r.fill(b.buf[:])
			b.used = 0
		}
		n := copy(rest, b.buf[b.used:])
		clear(b.buf[b.used : b.used+n])
		b.used += n
		rest = rest[n:]
	}
	r.pool.Put(b)
}

func (r *Random) fill(p []byte) {
	if _, err := io.ReadFull(r.source, p); err != nil {
		panic("crypt: the source of randomness failed: " + err.Error())
	}
}
