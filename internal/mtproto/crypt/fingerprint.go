package crypt

import (
	"crypto/rsa"
	"crypto/sha1" // The protocol defines fingerprints by SHA-1.
	"encoding/binary"
	"math/big"

	"github.com/gotd/td/bin"
)

// Fingerprint returns the number by which clients name a server's RSA key: the lower 64 bits of the
// SHA-1 of its modulus and exponent as TL strings.
//
// https://core.telegram.org/mtproto/auth_key#2-server-sends-response-of-the-form
func Fingerprint(key *rsa.PublicKey) int64 {
	var b bin.Buffer
	b.PutBytes(key.N.Bytes())
	b.PutBytes(big.NewInt(int64(key.E)).Bytes())
	sum := sha1.Sum(b.Buf)
	return int64(binary.LittleEndian.Uint64(sum[12:]))
}
