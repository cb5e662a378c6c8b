package handshake

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"math/big"
	"sync"
	"testing"

	"filippo.io/bigmod"
)

func TestDecryptAgreesWithBigInt(t *testing.T) {
	for _, key := range testKeys() {
		k, err := newPrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		// More than blindingUses operations, so that a fresh pair is drawn in between.
		for i := range blindingUses + 6 {
			c, err := rand.Int(rand.Reader, key.N)
			if err != nil {
				t.Fatal(err)
			}
			if i < 3 {
				c = big.NewInt(int64(i))
			}
			want := new(big.Int).Exp(c, key.D, key.N)
			var in [rsaSize]byte
			c.FillBytes(in[:])
			got, err := k.decrypt(&in, rand.Reader)
			if err != nil || new(big.Int).SetBytes(got[:]).Cmp(want) != 0 {
				t.Fatalf("operation %d: wrong result, %v", i, err)
			}
		}
		var in [rsaSize]byte
		key.N.FillBytes(in[:])
		if _, err := k.decrypt(&in, rand.Reader); !errors.Is(err, errRange) {
			t.Errorf("ciphertext N: %v", err)
		}
	}
}

func TestDecryptConcurrently(t *testing.T) {
	key := testKeys()[0]
	k, err := newPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	in := [rsaSize]byte{rsaSize - 1: 7}
	want := new(big.Int).Exp(big.NewInt(7), key.D, key.N)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				got, err := k.decrypt(&in, rand.Reader)
				if err != nil || new(big.Int).SetBytes(got[:]).Cmp(want) != 0 {
					t.Errorf("wrong result, %v", err)
				}
			}
		})
	}
	wg.Wait()
}

// TestFaultIsNotShown disturbs one half of the computation, which would give a factor away.
func TestFaultIsNotShown(t *testing.T) {
	k, err := newPrivateKey(testKeys()[0])
	if err != nil {
		t.Fatal(err)
	}
	k.dP[5] ^= 1
	out, err := k.decrypt(&[rsaSize]byte{rsaSize - 1: 7}, rand.Reader)
	if err == nil || out != [rsaSize]byte{} {
		t.Errorf("a wrong result was returned, %v", err)
	}
}

func TestDecryptNeedsRandomness(t *testing.T) {
	k, err := newPrivateKey(testKeys()[0])
	if err != nil {
		t.Fatal(err)
	}
	in := [rsaSize]byte{rsaSize - 1: 7}
	if _, err := k.decrypt(&in, io.LimitReader(rand.Reader, 8)); err == nil {
		t.Error("decrypted without blinding")
	}
}

func TestNewPrivateKeyRefuses(t *testing.T) {
	broken := *testKeys()[0]
	broken.D = new(big.Int).Add(broken.D, big.NewInt(2))
	for name, key := range map[string]*rsa.PrivateKey{
		"1024 bits": shortKey(t), "inconsistent": &broken,
	} {
		if _, err := newPrivateKey(key); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestIsPrime(t *testing.T) {
	for n := uint32(9); n < 40_000; n += 2 {
		if want := big.NewInt(int64(n)).ProbablyPrime(0); isPrime(n) != want {
			t.Fatalf("isPrime(%d) = %v", n, !want)
		}
	}
	for n := uint32(1<<31 - 1); n > 1<<31-20_000; n -= 2 {
		if want := big.NewInt(int64(n)).ProbablyPrime(0); isPrime(n) != want {
			t.Fatalf("isPrime(%d) = %v", n, !want)
		}
	}
	// The least number that passes for bases 2, 3 and 5.
	if isPrime(25_326_001) {
		t.Error("isPrime(25326001) = true")
	}
}

// TestBlindingIsRenewed checks that blinding values follow from one another only for so long.
func TestBlindingIsRenewed(t *testing.T) {
	key := testKeys()[0]
	k, err := newPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	value := func() (blind, unblind *big.Int) {
		x := bigmod.NewNat().SetUint(2).ExpandFor(k.n)
		if _, err := k.applyBlinding(x, rand.Reader); err != nil {
			t.Fatal(err)
		}
		return new(big.Int).SetBytes(k.blind.Bytes(k.n)),
			new(big.Int).SetBytes(k.unblind.Bytes(k.n))
	}
	e := big.NewInt(int64(key.E))
	last, _ := value()
	for i := 1; i < 2*blindingUses; i++ {
		blind, unblind := value()
		squared := new(big.Int).Mul(last, last)
		follows := squared.Mod(squared, key.N).Cmp(blind) == 0
		if follows != (i%blindingUses != 0) {
			t.Fatalf("use %d: follows from the one before = %v", i, follows)
		}
		unblind.Exp(unblind, e, key.N).Mul(unblind, blind)
		if unblind.Mod(unblind, key.N).Cmp(big.NewInt(1)) != 0 {
			t.Fatalf("use %d: the pair does not cancel out", i)
		}
		last = blind
	}
}
