package crypt

import (
	"crypto/rand"
	"errors"
	"math/big"
	"testing"
)

func number(b [KeySize]byte) *big.Int { return new(big.Int).SetBytes(b[:]) }

// TestPrimeIsSafe proves what Group takes for granted at run time.
func TestPrimeIsSafe(t *testing.T) {
	p := number(NewGroup().Prime())
	half := new(big.Int).Rsh(p, 1)
	if p.BitLen() != 2048 || !p.ProbablyPrime(20) || !half.ProbablyPrime(20) {
		t.Error("not a safe prime of 2048 bits")
	}
	if new(big.Int).Exp(big.NewInt(Generator), half, p).Cmp(big.NewInt(1)) != 0 {
		t.Error("the generator is no quadratic residue")
	}
}

func TestElementRange(t *testing.T) {
	g := NewGroup()
	p := number(g.Prime())
	one := big.NewInt(1)
	low := new(big.Int).Lsh(one, 1984)
	high := new(big.Int).Sub(p, low)
	add := func(x *big.Int, d int64) *big.Int { return new(big.Int).Add(x, big.NewInt(d)) }
	tests := []struct {
		name string
		x    *big.Int
		ok   bool
	}{
		{"0", new(big.Int), false}, {"1", one, false}, {"3", big.NewInt(3), false},
		{"2^1984", low, false}, {"2^1984+1", add(low, 1), true},
		{"p-2^1984-1", add(high, -1), true}, {"p-2^1984", high, false},
		{"p-1", add(p, -1), false}, {"p", p, false}, {"p+1", add(p, 1), false},
		{"2^2048-1", add(new(big.Int).Lsh(one, 2048), -1), false},
		{"2p", new(big.Int).Lsh(p, 1), false},
	}
	for _, tt := range tests {
		x, err := g.Element(tt.x.Bytes())
		if tt.ok && (err != nil || number(x).Cmp(tt.x) != 0) {
			t.Errorf("%s: %x, %v", tt.name, x, err)
		}
		if !tt.ok && !errors.Is(err, ErrElement) {
			t.Errorf("%s: accepted", tt.name)
		}
	}
	if _, err := g.Element(nil); !errors.Is(err, ErrElement) {
		t.Error("no bytes: accepted")
	}
}

func TestExpAgreesWithBigInt(t *testing.T) {
	g := NewGroup()
	p := number(g.Prime())
	for range 8 {
		var base, e [KeySize]byte
		rand.Read(base[1:])
		rand.Read(e[:])
		got, err := g.Exp(&base, e[:])
		want := new(big.Int).Exp(number(base), number(e), p)
		if err != nil || number(got).Cmp(want) != 0 {
			t.Fatalf("Exp differs, %v", err)
		}
		want.Exp(big.NewInt(Generator), number(e), p)
		if number(g.ExpGenerator(&e)).Cmp(want) != 0 {
			t.Fatal("ExpGenerator differs")
		}
	}
	for name, e := range map[string][KeySize]byte{
		"0": {}, "1": {KeySize - 1: 1}, "15": {KeySize - 1: 15}, "16": {KeySize - 1: 16},
		"2^2040": {1}, "15*2^2044": {0xf0}, "p": g.Prime(),
	} {
		want := new(big.Int).Exp(big.NewInt(Generator), number(e), p)
		if number(g.ExpGenerator(&e)).Cmp(want) != 0 {
			t.Errorf("ExpGenerator(%s) differs", name)
		}
	}
	prime := g.Prime()
	if _, err := g.Exp(&prime, []byte{1}); !errors.Is(err, ErrElement) {
		t.Errorf("base p: %v", err)
	}
}

func BenchmarkExp(b *testing.B) {
	g := NewGroup()
	var e [KeySize]byte
	rand.Read(e[:])
	base := g.ExpGenerator(&e)
	b.Run("generator", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			g.ExpGenerator(&e)
		}
	})
	b.Run("any", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := g.Exp(&base, e[:]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("math-big", func(b *testing.B) {
		x, y, p := number(base), number(e), number(g.Prime())
		for b.Loop() {
			new(big.Int).Exp(x, y, p)
		}
	})
}
