package keyring

import (
	"crypto/subtle"

	"parley/internal/mtproto/crypt"
)

// AccessHashes computes the access hashes by which a viewer proves to have met a peer. They are
// computed from both ids, so that none need be stored, and one viewer's are worth nothing to
// another. It is safe for concurrent use.
//
// https://core.telegram.org/api/peers#access-hash
type AccessHashes struct {
	prf *crypt.PRF
}

// NewAccessHashes returns the access hashes that follow from the secret. Use another secret for
// each kind of thing whose ids are counted apart.
func NewAccessHashes(secret [32]byte) *AccessHashes {
	return &AccessHashes{prf: crypt.NewPRF(secret)}
}

// AccessHash returns the hash by which viewer may address peer. It is never 0.
func (h *AccessHashes) AccessHash(viewer, peer int64) int64 {
	return nonZero(h.prf.Sum(uint64(viewer), uint64(peer)))
}

// Valid reports in constant time whether hash is the one by which viewer may address peer.
func (h *AccessHashes) Valid(viewer, peer, hash int64) bool {
	diff := uint64(h.AccessHash(viewer, peer) ^ hash)
	return subtle.ConstantTimeEq(int32(diff), 0)&subtle.ConstantTimeEq(int32(diff>>32), 0) == 1
}
