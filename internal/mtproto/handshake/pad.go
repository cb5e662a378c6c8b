package handshake

import (
	"crypto/sha1" // The older padding is defined by SHA-1.
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"slices"

	"parley/internal/mtproto/crypt"
)

// The constructors of the inner data, with and without data centre and lifetime.
//
// https://core.telegram.org/mtproto/auth_key#4-encrypted-data-payload-generation
const (
	innerPlain  = 0x83c95aec // p_q_inner_data
	innerDC     = 0xa9f55f95 // p_q_inner_data_dc
	innerTemp   = 0x3c6a84d4 // p_q_inner_data_temp
	innerTempDC = 0x56fddf88 // p_q_inner_data_temp_dc
)

// Inner data has a fixed layout, because our pq always takes eight bytes and p and q four each.
const (
	innerKnown    = 4 // after the constructor: pq, p, q, nonce, server_nonce
	innerNewNonce = innerKnown + knownSize
	innerTail     = innerNewNonce + 32 // dc or expires_in, expires_in
	innerSize     = innerTail + 8      // of the longest form
	knownSize     = 12 + 8 + 8 + 16 + 16
)

// known is the part of the inner data that repeats what the server knows already, encoded.
type known [knownSize]byte

// inner is what a client says under RSA.
type inner struct {
	newNonce  [32]byte
	temp      bool
	expiresIn int32
	hasDC     bool
	dc        int32
}

// openInner removes the padding of a decrypted block, by either scheme, and reads the inner data.
// It takes the same time and gives the same answer, false, whatever is wrong.
func openInner(block *[rsaSize]byte, want *known) (inner, bool) {
	padded, padOK := unpadRSA(block)
	hashed, hashOK := unpadSHA1(block)
	data := hashed
	subtle.ConstantTimeCopy(padOK, data[:], padded[:])
	same := subtle.ConstantTimeCompare(data[innerKnown:innerNewNonce], want[:])
	ok := (padOK | hashOK) & same
	id := binary.LittleEndian.Uint32(data[:])
	first := int32(binary.LittleEndian.Uint32(data[innerTail:]))
	second := int32(binary.LittleEndian.Uint32(data[innerTail+4:]))
	in := inner{newNonce: [32]byte(data[innerNewNonce:innerTail])}
	switch id {
	case innerPlain:
	case innerDC:
		in.hasDC, in.dc = true, first
	case innerTemp:
		in.temp, in.expiresIn = true, first
	case innerTempDC:
		in.hasDC, in.dc, in.temp, in.expiresIn = true, first, true, second
	default:
		ok = 0
	}
	return in, ok == 1
}

// unpadRSA undoes RSA_PAD and returns the start of the data, and 1 if its hash is right.
//
// https://core.telegram.org/mtproto/auth_key#4-encrypted-data-payload-generation
func unpadRSA(block *[rsaSize]byte) ([innerSize]byte, int) {
	var key, iv [32]byte
	var data [rsaSize - 32]byte
	copy(data[:], block[32:])
	sum := sha256.Sum256(data[:])
	subtle.XORBytes(key[:], sum[:], block[:32])
	crypt.DecryptIGE(&key, &iv, data[:])
	const padded = len(data) - sha256.Size
	slices.Reverse(data[:padded])
	var hashed [32 + padded]byte
	copy(hashed[:], key[:])
	copy(hashed[32:], data[:padded])
	sum = sha256.Sum256(hashed[:])
	return [innerSize]byte(data[:]), subtle.ConstantTimeCompare(sum[:], data[padded:])
}

// unpadSHA1 undoes the padding of older clients: a zero byte, the hash of the data, the data, and
// random bytes. The data's length is known only through its constructor. It returns the start of
// the data, and 1 if the hash is right.
func unpadSHA1(block *[rsaSize]byte) ([innerSize]byte, int) {
	sum, data := block[1:1+sha1.Size], block[1+sha1.Size:]
	id := int32(binary.LittleEndian.Uint32(data))
	ok := 0
	for _, form := range [...]struct {
		id   uint32
		size int
	}{
		{innerPlain, innerTail}, {innerDC, innerTail + 4},
		{innerTemp, innerTail + 4}, {innerTempDC, innerSize},
	} {
		got := sha1.Sum(data[:form.size])
		ok |= subtle.ConstantTimeEq(id, int32(form.id)) & subtle.ConstantTimeCompare(got[:], sum)
	}
	return [innerSize]byte(data), ok & subtle.ConstantTimeByteEq(block[0], 0)
}
