package keyring

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"

	"golang.org/x/crypto/chacha20poly1305"

	"parley/internal/mtproto/crypt"
)

// boxVersion is the first byte of everything sealed, so that the form can change one day.
const boxVersion = 1

// BoxOverhead is how much longer a sealed secret is, in bytes.
const BoxOverhead = 1 + chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead

// ErrSealed says that bytes were not sealed by this box for this purpose and id.
var ErrSealed = errors.New("keyring: sealed secret does not open")

// Box seals small secrets for storage, with XChaCha20-Poly1305. A sealed secret opens only for the
// purpose and the id that it was sealed for, so that rows cannot be exchanged for one another. It
// is safe for concurrent use.
//
// https://datatracker.ietf.org/doc/html/draft-irtf-cfrg-xchacha
type Box struct {
	aead cipher.AEAD
	rand *crypt.Random
}

// NewBox returns the box with the given key.
func NewBox(key [32]byte, rand *crypt.Random) *Box {
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		panic("keyring: " + err.Error())
	}
	return &Box{aead: aead, rand: rand}
}

// Seal appends the sealed form of secret to dst. The purpose names the kind of secret, such as
// "auth key"; the id names the one.
func (b *Box) Seal(dst, secret []byte, purpose string, id int64) []byte {
	var nonce [chacha20poly1305.NonceSizeX]byte
	b.rand.Read(nonce[:])
	dst = append(dst, boxVersion)
	dst = append(dst, nonce[:]...)
	return b.aead.Seal(dst, nonce[:], secret, context(purpose, id))
}

// Open appends to dst the secret that Seal sealed for the same purpose and id, or answers
// ErrSealed.
func (b *Box) Open(dst, sealed []byte, purpose string, id int64) ([]byte, error) {
	if len(sealed) < BoxOverhead || sealed[0] != boxVersion {
		return nil, ErrSealed
	}
	nonce := sealed[1 : 1+chacha20poly1305.NonceSizeX]
	out, err := b.aead.Open(dst, nonce, sealed[1+len(nonce):], context(purpose, id))
	if err != nil {
		return nil, ErrSealed
	}
	return out, nil
}

// context is the associated data of a sealed secret.
func context(purpose string, id int64) []byte {
	out := append([]byte{boxVersion}, purpose...)
	return binary.BigEndian.AppendUint64(out, uint64(id))
}
