package handshake

import (
	"encoding/binary"
	"io"
	"math/bits"
)

// The proof of work is small on purpose, because honest phones do it too: p has 27 bits and q 31.
// So pq always takes eight bytes and either factor four, without a sign bit, which several clients
// take for granted.
const (
	bitsP = 27
	bitsQ = 31
)

// drawPQ draws two random primes of those sizes.
func drawPQ(rand io.Reader) (p, q uint32, err error) {
	if p, err = drawPrime(rand, bitsP); err != nil {
		return 0, 0, err
	}
	q, err = drawPrime(rand, bitsQ)
	return p, q, err
}

// drawPrime draws a random prime of exactly the given number of bits, 3 to 32.
func drawPrime(rand io.Reader, size int) (uint32, error) {
	var buf [64]byte
	for {
		if _, err := io.ReadFull(rand, buf[:]); err != nil {
			return 0, err
		}
		for b := buf[:]; len(b) > 0; b = b[4:] {
			n := binary.LittleEndian.Uint32(b)>>(32-size) | 1<<(size-1) | 1
			if isPrime(n) {
				return n, nil
			}
		}
	}
}

// isPrime decides whether an odd n > 7 is prime. Four bases of the Miller-Rabin test are proof
// enough below 3,215,031,751, and n has 31 bits at most.
func isPrime(n uint32) bool {
	shift := bits.TrailingZeros32(n - 1)
	for _, base := range [...]uint64{2, 3, 5, 7} {
		if !isWitnessed(uint64(n), base, uint64(n-1)>>shift, shift) {
			return false
		}
	}
	return true
}

// isWitnessed reports whether base is consistent with n = odd*2^shift + 1 being prime.
func isWitnessed(n, base, odd uint64, shift int) bool {
	x := uint64(1)
	for ; odd > 0; odd >>= 1 {
		if odd&1 == 1 {
			x = x * base % n
		}
		base = base * base % n
	}
	if x == 1 || x == n-1 {
		return true
	}
	for range shift - 1 {
		if x = x * x % n; x == n-1 {
			return true
		}
	}
	return false
}
