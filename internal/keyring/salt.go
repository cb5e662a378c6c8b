package keyring

import (
	"time"

	"parley/internal/mtproto/crypt"
)

const (
	// saltSlot is how long one salt is the current one. It stays valid for one slot more.
	saltSlot = 30 * time.Minute
	// saltSkew is how early the next salt is accepted, because clients count their own seconds.
	saltSkew = time.Minute
	// InitialSaltLife is how long the salt of the handshake stays valid. Clients learn a further
	// one in new_session_created, long before.
	InitialSaltLife = 2 * time.Hour
	// MaxFutureSalts is the largest number of salts in one answer.
	MaxFutureSalts = 64
)

// Salts computes the server salts of every auth key, so that none need be stored. The salts of
// different keys change at different times, lest all clients meet a new one in the same second.
//
// https://core.telegram.org/mtproto/description#server-salt
type Salts struct {
	prf   *crypt.PRF
	epoch uint32
}

// Salt is a server salt and when it is valid.
type Salt struct {
	Since, Until time.Time
	Value        int64
}

// Initial is the salt that a handshake left to a key; the zero value is none. Keep it in memory
// only: after a restart it must not be valid any more, because what was sent with it could be
// replayed.
type Initial struct {
	Value int64
	Since time.Time
}

// NewSalts returns the salts that follow from the secret and the epoch. The epoch must be a new one
// whenever the server may have forgotten which messages it has seen: then all salts change at once,
// and messages recorded before are refused.
func NewSalts(secret [32]byte, epoch uint32) *Salts {
	return &Salts{prf: crypt.NewPRF(secret), epoch: epoch}
}

// Current returns the salt that the server uses for a key, and tells to clients.
func (s *Salts) Current(keyID int64, now time.Time) int64 {
	return s.value(keyID, slotOf(keyID, now))
}

// Valid reports whether a client may use salt now: it is the current one, the one before, or, for
// InitialSaltLife, the initial one.
func (s *Salts) Valid(keyID, salt int64, now time.Time, initial Initial) bool {
	if salt == 0 {
		return false
	}
	if salt == initial.Value && now.Sub(initial.Since) < InitialSaltLife {
		return true
	}
	slot := slotOf(keyID, now)
	return salt == s.value(keyID, slot) || salt == s.value(keyID, slot-1) ||
		salt == s.value(keyID, slotOf(keyID, now.Add(saltSkew)))
}

// Future returns the current salt and those that follow it, n in all but at most MaxFutureSalts and
// at least one.
//
// https://core.telegram.org/mtproto/service_messages#request-for-several-future-salts
func (s *Salts) Future(keyID int64, now time.Time, n int) []Salt {
	first := slotOf(keyID, now)
	salts := make([]Salt, min(max(n, 1), MaxFutureSalts))
	for i := range salts {
		slot := first + int64(i)
		since := time.Unix(slot*int64(saltSlot/time.Second)-offsetOf(keyID), 0)
		salts[i] = Salt{
			Since: since, Until: since.Add(2 * saltSlot), Value: s.value(keyID, slot),
		}
	}
	return salts
}

// value is the salt of one slot. It is never 0, which clients use for want of a salt.
func (s *Salts) value(keyID, slot int64) int64 {
	return nonZero(s.prf.Sum(uint64(keyID), uint64(slot)<<32|uint64(s.epoch)))
}

// slotOf counts the slots of a key up to now.
func slotOf(keyID int64, now time.Time) int64 {
	return (now.Unix() + offsetOf(keyID)) / int64(saltSlot/time.Second)
}

// offsetOf is by how many seconds the slots of a key are early.
func offsetOf(keyID int64) int64 {
	return int64(uint64(keyID) % uint64(saltSlot/time.Second))
}

// nonZero turns the one forbidden value 0 into 1.
func nonZero(x uint64) int64 { return int64(max(x, 1)) }
