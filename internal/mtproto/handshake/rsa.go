package handshake

import (
	"crypto/rsa"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"sync"

	"filippo.io/bigmod"

	"parley/internal/mtproto/crypt"
)

const (
	// rsaSize is the length of the modulus and of encrypted_data, in bytes.
	rsaSize = 256
	// blindingUses is how often a blinding pair is squared before a fresh one is drawn.
	blindingUses = 64
)

// errRange says that a ciphertext is not less than the modulus.
var errRange = errors.New("ciphertext out of range")

// privateKey is an RSA key prepared for the bare private operation: by the Chinese remainder
// theorem, in constant time, and blinded besides. The standard library offers that operation only
// beneath paddings that MTProto does not use.
type privateKey struct {
	fingerprint int64
	n, p, q     *bigmod.Modulus
	dP, dQ      []byte
	qInv        *bigmod.Nat // q^-1 mod p
	e           uint

	mu sync.Mutex
	// blind is r^e and unblind is r^-1 mod n, for an r that nobody knows.
	blind, unblind *bigmod.Nat
	uses           int
}

// newPrivateKey prepares a key of exactly 2048 bits and two primes.
func newPrivateKey(key *rsa.PrivateKey) (*privateKey, error) {
	if err := key.Validate(); err != nil {
		return nil, fmt.Errorf("handshake: RSA key: %w", err)
	}
	if key.N.BitLen() != rsaSize*8 || len(key.Primes) != 2 {
		return nil, errors.New("handshake: RSA key is not of 2048 bits and two primes")
	}
	key.Precompute()
	k := &privateKey{fingerprint: crypt.Fingerprint(&key.PublicKey), e: uint(key.E)}
	var err error
	modulus := func(b []byte) *bigmod.Modulus {
		m, e := bigmod.NewModulus(b)
		err = errors.Join(err, e)
		return m
	}
	k.n, k.p, k.q = modulus(key.N.Bytes()), modulus(key.Primes[0].Bytes()),
		modulus(key.Primes[1].Bytes())
	if err != nil {
		return nil, fmt.Errorf("handshake: RSA key: %w", err)
	}
	k.dP = key.Precomputed.Dp.FillBytes(make([]byte, k.p.Size()))
	k.dQ = key.Precomputed.Dq.FillBytes(make([]byte, k.q.Size()))
	qInv := key.Precomputed.Qinv.FillBytes(make([]byte, k.p.Size()))
	if k.qInv, err = bigmod.NewNat().SetBytes(qInv, k.p); err != nil {
		return nil, fmt.Errorf("handshake: RSA key: %w", err)
	}
	return k, nil
}

// decrypt returns c^d mod n, or errRange when c is no ciphertext of this key. Any other error means
// that the machine failed.
func (k *privateKey) decrypt(c *[rsaSize]byte, rand io.Reader) ([rsaSize]byte, error) {
	var out [rsaSize]byte
	x, err := bigmod.NewNat().SetBytes(c[:], k.n)
	if err != nil {
		return out, errRange
	}
	unblind, err := k.applyBlinding(x, rand)
	if err != nil {
		return out, err
	}
	m := k.power(x)
	// A fault in one half of the computation would reveal a factor of n.
	check := bigmod.NewNat().ExpShortVarTime(m, k.e, k.n)
	if subtle.ConstantTimeCompare(check.Bytes(k.n), x.Bytes(k.n)) != 1 {
		return out, errors.New("private operation gave a wrong result")
	}
	copy(out[:], m.Mul(unblind, k.n).Bytes(k.n))
	return out, nil
}

// power computes x^d mod n from the two halves modulo p and q.
func (k *privateKey) power(x *bigmod.Nat) *bigmod.Nat {
	t := bigmod.NewNat()
	mP := bigmod.NewNat().Exp(t.Mod(x, k.p), k.dP, k.p)
	mQ := bigmod.NewNat().Exp(t.Mod(x, k.q), k.dQ, k.q)
	// m = mQ + q * ((mP - mQ) / q mod p)
	m := mP.Sub(t.Mod(mQ, k.p), k.p).Mul(k.qInv, k.p)
	m.ExpandFor(k.n).Mul(t.Mod(k.q.Nat(), k.n), k.n)
	return m.Add(mQ.ExpandFor(k.n), k.n)
}

// applyBlinding multiplies x with r^e and returns r^-1, which undoes it after the private
// operation.
func (k *privateKey) applyBlinding(x *bigmod.Nat, rand io.Reader) (*bigmod.Nat, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.uses%blindingUses == 0 {
		if err := k.drawBlinding(rand); err != nil {
			return nil, err
		}
	} else {
		k.blind.Mul(k.blind, k.n)
		k.unblind.Mul(k.unblind, k.n)
	}
	k.uses++
	x.Mul(k.blind, k.n)
	return bigmod.NewNat().SetBytes(k.unblind.Bytes(k.n), k.n)
}

// drawBlinding draws a fresh r. The inverse takes time that depends on its argument, so r is
// multiplied with a second random number first, and what can be observed is independent of r.
func (k *privateKey) drawBlinding(rand io.Reader) error {
	draw := func() (*bigmod.Nat, error) {
		var b [rsaSize]byte
		if _, err := io.ReadFull(rand, b[:]); err != nil {
			return nil, err
		}
		return bigmod.NewNat().SetOverflowingBytes(b[:], k.n)
	}
	for {
		r, err := draw()
		if err != nil {
			return err
		}
		mask, err := draw()
		if err != nil {
			return err
		}
		masked, err := bigmod.NewNat().SetBytes(r.Bytes(k.n), k.n)
		if err != nil {
			return err
		}
		inverse, ok := bigmod.NewNat().InverseVarTime(masked.Mul(mask, k.n), k.n)
		if !ok {
			continue
		}
		k.unblind = inverse.Mul(mask, k.n)
		k.blind = bigmod.NewNat().ExpShortVarTime(r, k.e, k.n)
		return nil
	}
}
