package crypt

import (
	"crypto/subtle"

	"filippo.io/bigmod"
)

const (
	// windowBits is the size of the digits into which an exponent of the generator is cut.
	windowBits = 4
	windows    = KeySize * 8 / windowBits
	digits     = 1<<windowBits - 1
)

// powers are the generator's powers g^(d * 16^w) for every digit d > 0 in every window w, as limbs.
// With them g^e is a product of one factor per window, without squaring: less than half the work.
type powers struct {
	modulus *bigmod.Modulus
	width   int // limbs of one element
	limbs   []uint
}

// newPowers computes the table, two megabytes in some 20 ms.
func newPowers(m *bigmod.Modulus) *powers {
	base := bigmod.NewNat().SetUint(Generator).ExpandFor(m)
	t := &powers{modulus: m, width: len(base.Bits())}
	t.limbs = make([]uint, 0, windows*digits*t.width)
	for range windows {
		power := bigmod.NewNat().SetUint(1).ExpandFor(m)
		for range digits {
			t.limbs = append(t.limbs, power.Mul(base, m).Bits()...)
		}
		base = power.Mul(base, m)
	}
	return t
}

// exp returns g^exponent. Which factors it takes does not show in its memory accesses.
func (t *powers) exp(exponent *[KeySize]byte) *bigmod.Nat {
	out := bigmod.NewNat().SetUint(1).ExpandFor(t.modulus)
	factor := bigmod.NewNat().ExpandFor(t.modulus)
	for w := range windows {
		b := exponent[KeySize-1-w/2] >> (w % 2 * windowBits)
		t.choose(factor.Bits(), w, b&digits)
		out.Mul(factor, t.modulus)
	}
	return out
}

// choose copies the power for one digit in window w into out, and 1 for the digit 0.
func (t *powers) choose(out []uint, w int, digit byte) {
	clear(out)
	out[0] = uint(subtle.ConstantTimeByteEq(digit, 0))
	row := t.limbs[w*digits*t.width:]
	for d := range byte(digits) {
		mask := -uint(subtle.ConstantTimeByteEq(digit, d+1))
		for i, limb := range row[int(d)*t.width : (int(d)+1)*t.width] {
			out[i] |= mask & limb
		}
	}
}
