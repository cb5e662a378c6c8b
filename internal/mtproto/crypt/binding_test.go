package crypt

import (
	"bytes"
	"crypto/aes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/gotd/ige"
	"github.com/gotd/td/bin"
	"github.com/gotd/td/crypto"
)

func TestOpenBindingReadsClients(t *testing.T) {
	perm, peer := testKey(t)
	want := Binding{
		Nonce: -5, TempKeyID: 6, PermKeyID: perm.ID, TempSessionID: 8,
		ExpiresAt: 1790000000, MsgID: 0x5e0b700a00000004,
	}
	sealed, err := crypto.EncryptBindMessage(rand.Reader, peer, want.MsgID,
		&crypto.BindAuthKeyInner{
			Nonce: want.Nonce, TempAuthKeyID: want.TempKeyID, PermAuthKeyID: want.PermKeyID,
			TempSessionID: want.TempSessionID, ExpiresAt: want.ExpiresAt,
		})
	if err != nil {
		t.Fatal(err)
	}
	before := bytes.Clone(sealed)
	got, err := OpenBinding(perm, sealed)
	if err != nil || got != want {
		t.Errorf("OpenBinding = %+v, %v; want %+v", got, err, want)
	}
	if !bytes.Equal(sealed, before) {
		t.Error("OpenBinding changed its argument")
	}
	for i := range sealed {
		if i >= prefixSize+64 {
			break // the last block carries eight bytes of padding, which nothing covers
		}
		forged := bytes.Clone(sealed)
		forged[i] ^= 1
		if _, err := OpenBinding(perm, forged); !errors.Is(err, ErrOpen) {
			t.Fatalf("flipped bit in byte %d: %v", i, err)
		}
	}
}

// rawBinding seals a plaintext of 80 bytes as the binding message is sealed.
func rawBinding(key crypto.AuthKey, plain []byte) []byte {
	return sealBinding(key, crypto.MessageKeyV1(plain[:bindPlain]), plain)
}

// sealBinding seals under a message key that need not be the plaintext's.
func sealBinding(key crypto.AuthKey, msgKey bin.Int128, plain []byte) []byte {
	k, iv := crypto.KeysV1(key.Value, msgKey)
	c, _ := aes.NewCipher(k[:])
	out := append(append(bytes.Clone(key.ID[:]), msgKey[:]...), make([]byte, len(plain))...)
	ige.EncryptBlocks(c, iv[:], out[24:], plain)
	return out
}

func TestOpenBindingForm(t *testing.T) {
	perm, peer := testKey(t)
	good := make([]byte, bindPadded)
	binary.LittleEndian.PutUint32(good[28:], bindInner)
	binary.LittleEndian.PutUint32(good[32:], bindInnerID)
	binary.LittleEndian.PutUint64(good[32+20:], uint64(perm.ID))
	if _, err := OpenBinding(perm, rawBinding(peer, good)); err != nil {
		t.Fatalf("well-formed message: %v", err)
	}
	for name, at := range map[string]int{
		"sequence number": 24, "length": 28, "constructor": 32, "permanent key": 52,
	} {
		bad := bytes.Clone(good)
		bad[at] ^= 1
		if _, err := OpenBinding(perm, rawBinding(peer, bad)); !errors.Is(err, ErrOpen) {
			t.Errorf("wrong %s: %v", name, err)
		}
	}
	foreign := sealBinding(peer, bin.Int128{1, 2, 3}, good)
	if _, err := OpenBinding(perm, foreign); !errors.Is(err, ErrOpen) {
		t.Errorf("message key of another message: %v", err)
	}
	for _, n := range []int{0, 16, 64, 96, 1 << 12} {
		frame := append(bytes.Clone(peer.ID[:]), make([]byte, 16+n)...)
		if _, err := OpenBinding(perm, frame); !errors.Is(err, ErrOpen) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	other, _ := testKey(t)
	if _, err := OpenBinding(other, rawBinding(peer, good)); !errors.Is(err, ErrOpen) {
		t.Errorf("other key: %v", err)
	}
}

func FuzzOpenBinding(f *testing.F) {
	perm, peer := testKey(f)
	f.Add(make([]byte, bindPadded), true)
	f.Fuzz(func(t *testing.T, in []byte, seal bool) {
		if seal && len(in) == bindPadded {
			in = rawBinding(peer, in)
		}
		if b, err := OpenBinding(perm, in); err == nil && b.PermKeyID != perm.ID {
			t.Fatal("accepted a binding of another key")
		} else if err != nil && !errors.Is(err, ErrOpen) {
			t.Fatalf("error %v", err)
		}
	})
}
