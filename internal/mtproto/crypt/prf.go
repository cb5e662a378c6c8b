package crypt

import "encoding/binary"

// PRF is a keyed pseudorandom function from two 64-bit numbers to one: AES-256 of the pair, cut to
// its first half. What it returns tells nothing about the key or about other values. It is
// immutable and safe for concurrent use.
type PRF struct {
	cipher prfCipher
}

// NewPRF returns the function with the given key.
func NewPRF(key [32]byte) *PRF {
	p := &PRF{}
	p.cipher.init(&key)
	return p
}

// Sum returns the function's value for (a, b).
func (p *PRF) Sum(a, b uint64) uint64 {
	var block [16]byte
	binary.LittleEndian.PutUint64(block[:8], a)
	binary.LittleEndian.PutUint64(block[8:], b)
	p.cipher.encrypt(&block)
	return binary.LittleEndian.Uint64(block[:8])
}
