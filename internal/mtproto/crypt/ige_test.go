package crypt

import (
	"bytes"
	"crypto/aes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/gotd/ige"
)

// TestIGEAgreesWithPeer compares both implementations with an independent one, and with each other,
// over all lengths up to 40 blocks.
func TestIGEAgreesWithPeer(t *testing.T) {
	for blocks := range 41 {
		var key, iv [32]byte
		rand.Read(key[:])
		rand.Read(iv[:])
		plain := make([]byte, blocks*aes.BlockSize)
		rand.Read(plain)
		want := make([]byte, len(plain))
		c, _ := aes.NewCipher(key[:])
		ige.EncryptBlocks(c, iv[:], want, plain)
		for name, f := range map[string][2]func(key, iv *[32]byte, data []byte){
			"chosen":  {EncryptIGE, DecryptIGE},
			"generic": {encryptGeneric, decryptGeneric},
		} {
			data := bytes.Clone(plain)
			ivBefore := iv
			f[0](&key, &iv, data)
			if !bytes.Equal(data, want) {
				t.Fatalf("%s: %d blocks encrypt differently", name, blocks)
			}
			f[1](&key, &iv, data)
			if !bytes.Equal(data, plain) {
				t.Fatalf("%s: %d blocks do not decrypt", name, blocks)
			}
			if iv != ivBefore {
				t.Fatalf("%s: initialization vector changed", name)
			}
		}
	}
}

// TestIGEStaysInBounds puts guard bytes around the data at every alignment.
func TestIGEStaysInBounds(t *testing.T) {
	var key, iv [32]byte
	for offset := range 17 {
		buf := bytes.Repeat([]byte{0xa5}, 128)
		EncryptIGE(&key, &iv, buf[offset:offset+64])
		DecryptIGE(&key, &iv, buf[offset:offset+64])
		if !bytes.Equal(buf, bytes.Repeat([]byte{0xa5}, 128)) {
			t.Fatalf("offset %d: wrote outside of the data", offset)
		}
	}
}

func TestIGERefusesPartOfBlock(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic for 17 bytes")
		}
	}()
	EncryptIGE(&[32]byte{}, &[32]byte{}, make([]byte, 17))
}

func TestPRFIsAES(t *testing.T) {
	for range 100 {
		var key [32]byte
		rand.Read(key[:])
		var in, out [16]byte
		rand.Read(in[:])
		c, _ := aes.NewCipher(key[:])
		c.Encrypt(out[:], in[:])
		a, b := binary.LittleEndian.Uint64(in[:8]), binary.LittleEndian.Uint64(in[8:])
		if got := NewPRF(key).Sum(a, b); got != binary.LittleEndian.Uint64(out[:8]) {
			t.Fatalf("Sum = %x, want %x", got, out[:8])
		}
	}
}

func FuzzIGE(f *testing.F) {
	f.Add(make([]byte, 96))
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) < 64 {
			return
		}
		key, iv := (*[32]byte)(in), (*[32]byte)(in[32:])
		plain := in[64 : 64+(len(in)-64)/16*16]
		want := make([]byte, len(plain))
		c, _ := aes.NewCipher(key[:])
		ige.EncryptBlocks(c, iv[:], want, plain)
		got := bytes.Clone(plain)
		EncryptIGE(key, iv, got)
		if !bytes.Equal(got, want) {
			t.Fatal("encrypts differently")
		}
		DecryptIGE(key, iv, got)
		if !bytes.Equal(got, plain) {
			t.Fatal("does not decrypt")
		}
	})
}

func BenchmarkIGE(b *testing.B) {
	var key, iv [32]byte
	for _, size := range []int{272, 16 << 10} {
		data := make([]byte, size)
		out := make([]byte, size)
		run := func(name string, f func()) {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					f()
				}
			})
		}
		run("encrypt", func() { EncryptIGE(&key, &iv, data) })
		run("decrypt", func() { DecryptIGE(&key, &iv, data) })
		run("generic", func() { encryptGeneric(&key, &iv, data) })
		run("peer", func() {
			c, _ := aes.NewCipher(key[:])
			ige.EncryptBlocks(c, iv[:], out, data)
		})
	}
}

func BenchmarkPRF(b *testing.B) {
	p := NewPRF([32]byte{1})
	b.ReportAllocs()
	var n uint64
	for b.Loop() {
		n = p.Sum(n, 7)
	}
}
