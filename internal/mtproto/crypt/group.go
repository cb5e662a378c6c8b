package crypt

import (
	"bytes"
	"encoding/hex"
	"errors"
	"sync"

	"filippo.io/bigmod"
)

// Generator is the generator g of the Diffie-Hellman group.
const Generator = 3

// primeHex is the safe prime that Telegram's documentation names; clients know it by heart and skip
// the costly primality test for it. A test proves that it is a safe prime and that 3 generates the
// subgroup of prime order.
//
// https://core.telegram.org/mtproto/auth_key#6-server-responds-with
const primeHex = "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f" +
	"48198a0aa7c14058229493d22530f4dbfa336f6e0ac925139543aed44cce7c37" +
	"20fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64" +
	"2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4" +
	"a4a695811051907e162753b56b0f6b410dba74d8a84b2a14b3144e0ef1284754" +
	"fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4" +
	"e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f" +
	"0d8115f635b105ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b"

// ErrElement says that a number is outside the range in which the group's elements are accepted.
var ErrElement = errors.New("crypt: group element out of range")

// Group is the 2048-bit Diffie-Hellman group of the handshake, of secret chats and of the password
// protocol. Arithmetic takes constant time. A Group is safe for concurrent use; share one, for its
// table of powers takes two megabytes.
type Group struct {
	prime [KeySize]byte
	// low and high bound accepted elements: 2^1984 and prime - 2^1984.
	low, high [KeySize]byte
	modulus   *bigmod.Modulus
	powers    func() *powers
}

// NewGroup returns the group.
func NewGroup() *Group {
	g := &Group{}
	if n, err := hex.Decode(g.prime[:], []byte(primeHex)); err != nil || n != KeySize {
		panic("crypt: the built-in prime is malformed")
	}
	m, err := bigmod.NewModulus(g.prime[:])
	if err != nil {
		panic("crypt: the built-in prime is malformed: " + err.Error())
	}
	g.modulus = m
	g.powers = sync.OnceValue(func() *powers { return newPowers(m) })
	const bound = KeySize - 1984/8 - 1
	g.low[bound] = 1
	g.high = g.prime
	for i := bound; ; i-- {
		g.high[i]--
		if g.high[i] != 0xff {
			break
		}
	}
	return g
}

// Prime returns the group's prime, big-endian.
func (g *Group) Prime() [KeySize]byte { return g.prime }

// Element reads a public number as clients send it, big-endian and at most 256 bytes, and answers
// ErrElement unless 2^1984 < x < prime - 2^1984. The check takes no constant time.
//
// https://core.telegram.org/mtproto/auth_key#dh-key-exchange-complete
func (g *Group) Element(b []byte) ([KeySize]byte, error) {
	var x [KeySize]byte
	if len(b) > KeySize {
		return x, ErrElement
	}
	copy(x[KeySize-len(b):], b)
	if bytes.Compare(x[:], g.low[:]) <= 0 || bytes.Compare(x[:], g.high[:]) >= 0 {
		return [KeySize]byte{}, ErrElement
	}
	return x, nil
}

// Modulus returns the prime as a modulus for further constant-time arithmetic.
func (g *Group) Modulus() *bigmod.Modulus { return g.modulus }

// Exp returns base^exponent in the group, in time that depends on the exponent's length only. The
// base must be less than the prime, else Exp answers ErrElement.
func (g *Group) Exp(base *[KeySize]byte, exponent []byte) ([KeySize]byte, error) {
	var out [KeySize]byte
	b, err := bigmod.NewNat().SetBytes(base[:], g.modulus)
	if err != nil {
		return out, ErrElement
	}
	copy(out[:], bigmod.NewNat().Exp(b, exponent, g.modulus).Bytes(g.modulus))
	return out, nil
}

// ExpGenerator returns Generator^exponent in the group. Its first call takes some 20 ms longer,
// because it builds a table of powers.
func (g *Group) ExpGenerator(exponent *[KeySize]byte) [KeySize]byte {
	return [KeySize]byte(g.powers().exp(exponent).Bytes(g.modulus))
}
