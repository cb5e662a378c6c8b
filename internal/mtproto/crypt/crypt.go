// Package crypt is the cryptography of MTProto: auth keys, the encrypted envelope of MTProto 2.0,
// AES-256 in IGE mode, the binding message of temporary keys, and the Diffie-Hellman group.
//
// It speaks for the server only: Open reads what clients sealed, AppendSealed seals for clients.
// It refuses MTProto 1.0, except for the binding message, which the protocol defines that way. It
// knows no session: salts, message ids and sequence numbers are carried, never judged.
//
// Invariants: no field of an envelope is read before its message key has been checked in constant
// time; every failure to open is the same error; keys print as "[auth key]"; nothing here panics on
// what a peer sent.
package crypt

import (
	"crypto/sha1" // The protocol defines key ids by SHA-1.
	"encoding/binary"
	"errors"
	"log/slog"
)

const (
	// KeySize is the length of an auth key, in bytes.
	KeySize = 256
	// usedSize is how much of an auth key any derivation reads, counted from its start.
	usedSize = 128
	// StoredSize is the length of AuthKey.Stored, in bytes.
	StoredSize = 8 + usedSize
)

// ErrStored says that bytes are no stored auth key.
var ErrStored = errors.New("crypt: not a stored auth key")

// AuthKey is the secret that one client application shares with the server, and its id. It is
// created once by the handshake and never changes; pass it by pointer.
//
// https://core.telegram.org/mtproto/description#terminology
type AuthKey struct {
	// Value is the key, big-endian. Keys that came from ParseStored are zero from byte 128 on.
	Value [KeySize]byte
	// ID is the key's id: the lower 64 bits of its SHA-1.
	ID int64
}

// NewAuthKey returns the auth key with the given value and computes its id.
func NewAuthKey(value [KeySize]byte) AuthKey {
	sum := sha1.Sum(value[:])
	return AuthKey{Value: value, ID: int64(binary.LittleEndian.Uint64(sum[12:]))}
}

// AuxHash returns the upper 64 bits of the key's SHA-1, which the handshake mixes into its answers.
// It is meaningless for a key that came from ParseStored.
//
// https://core.telegram.org/mtproto/auth_key#9-server-responds-in-one-of-three-ways
func (k *AuthKey) AuxHash() int64 {
	sum := sha1.Sum(k.Value[:])
	return int64(binary.LittleEndian.Uint64(sum[:8]))
}

// Stored returns what a server must keep of the key: its id, and the only bytes that encryption in
// either direction and key binding ever read. Whoever steals a store does not learn the rest.
func (k *AuthKey) Stored() [StoredSize]byte {
	var out [StoredSize]byte
	binary.LittleEndian.PutUint64(out[:], uint64(k.ID))
	copy(out[8:], k.Value[:usedSize])
	return out
}

// ParseStored is the inverse of Stored. It answers ErrStored for any other length.
func ParseStored(b []byte) (AuthKey, error) {
	if len(b) != StoredSize {
		return AuthKey{}, ErrStored
	}
	k := AuthKey{ID: int64(binary.LittleEndian.Uint64(b))}
	copy(k.Value[:], b[8:])
	return k, nil
}

// String hides the key.
func (AuthKey) String() string { return "[auth key]" }

// GoString hides the key.
func (AuthKey) GoString() string { return "[auth key]" }

// LogValue hides the key.
func (AuthKey) LogValue() slog.Value { return slog.StringValue("[auth key]") }
