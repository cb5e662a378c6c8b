package view

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"parley/internal/clock"
	"parley/internal/ids"
)

// referenceLife is how long a file reference is good: long enough for a download that pauses, short
// enough that what was deleted is not fetched for long by those who saw it.
const referenceLife = 24 * time.Hour

const (
	referenceVersion = 1
	referenceMAC     = 16
	referenceSize    = 1 + 8 + 8 + 8 + 8 + referenceMAC
)

var (
	// ErrReference says that a file reference was not made here, or was changed.
	ErrReference = errors.New("view: invalid file reference")
	// ErrReferenceExpired says that a file reference has run out.
	ErrReferenceExpired = errors.New("view: file reference has expired")
)

// References makes and opens file references: where a viewer met a file, until when that may be
// used, and a code over both.
//
// https://core.telegram.org/api/file_reference
type References struct {
	Key   [32]byte
	Clock clock.Clock
}

// Make returns a reference to an origin.
func (x References) Make(o Origin) []byte {
	b := make([]byte, 0, referenceSize)
	b = append(b, referenceVersion)
	b = binary.LittleEndian.AppendUint64(b, uint64(o.Box))
	b = binary.LittleEndian.AppendUint64(b, uint64(o.Message))
	b = binary.LittleEndian.AppendUint64(b, uint64(o.Peer))
	b = binary.LittleEndian.AppendUint64(b, uint64(x.Clock.Now().Add(referenceLife).Unix()))
	return append(b, x.code(b)...)
}

// Open returns the origin of a reference, or ErrReference or ErrReferenceExpired.
func (x References) Open(b []byte) (Origin, error) {
	if len(b) != referenceSize || b[0] != referenceVersion {
		return Origin{}, ErrReference
	}
	body := b[:referenceSize-referenceMAC]
	if !hmac.Equal(x.code(body), b[len(body):]) {
		return Origin{}, ErrReference
	}
	if int64(binary.LittleEndian.Uint64(b[25:])) < x.Clock.Now().Unix() {
		return Origin{}, ErrReferenceExpired
	}
	return Origin{
		Box:     ids.Peer(binary.LittleEndian.Uint64(b[1:])),
		Message: int64(binary.LittleEndian.Uint64(b[9:])),
		Peer:    ids.Peer(binary.LittleEndian.Uint64(b[17:])),
	}, nil
}

func (x References) code(b []byte) []byte {
	h := hmac.New(sha256.New, x.Key[:])
	h.Write(b)
	return h.Sum(nil)[:referenceMAC]
}
