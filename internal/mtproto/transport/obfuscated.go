package transport

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// obfuscatedHeader is the length of the random-looking header of an obfuscated stream: 8 bytes that
// are not used, key and initial vector of the client's direction, and encrypted with these the
// codec's tag, the data center and 2 bytes that are not used. The server's direction takes its key
// and vector from the same 48 bytes in reverse order.
//
// https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation
const obfuscatedHeader = 64

type obfuscation struct {
	codec            Codec
	dc               int16
	decrypt, encrypt cipher.Stream
}

// openObfuscated derives the ciphers from a client's header. It reports false unless what the
// header hides is a codec's tag that goes with the secret and the carrier: a secret for padded
// streams opens no other stream, and one for fake TLS opens nothing outside it.
func openObfuscated(header []byte, s *Secret, carrier Carrier) (obfuscation, bool) {
	if (s.form == secretTLS) != (carrier == FakeTLS) {
		return obfuscation{}, false
	}
	seed := slices.Clone(header[8:56])
	decrypt := keyStream(seed, s)
	plain := make([]byte, obfuscatedHeader)
	decrypt.XORKeyStream(plain, header)
	codec, ok := tag(plain[56:60])
	if !ok || s.form == secretPadded && codec != Padded {
		return obfuscation{}, false
	}
	slices.Reverse(seed)
	return obfuscation{
		codec:   codec,
		dc:      int16(binary.LittleEndian.Uint16(plain[60:62])),
		decrypt: decrypt,
		encrypt: keyStream(seed, s),
	}, true
}

// keyStream returns the cipher for a key and an initial vector; a proxy's secret is hashed into the
// key.
//
// https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation
func keyStream(seed []byte, s *Secret) cipher.Stream {
	key := [32]byte(seed)
	if s.form != secretNone {
		key = sha256.Sum256(append(key[:], s.key[:]...))
	}
	block, _ := aes.NewCipher(key[:]) // never refuses 32 bytes
	return cipher.NewCTR(block, seed[32:48])
}
