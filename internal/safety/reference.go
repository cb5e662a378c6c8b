package safety

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"strings"

	"parley/internal/ids"
)

// ErrReference says that a reference was not made here, or was mistyped.
var ErrReference = errors.New("safety: no such reference")

// References makes and reads the references that people are given: strings that say by themselves
// what they mean, and that nobody who was not given one can make. Whoever holds one may see what it
// leads to.
type References struct {
	// Key is secret and stays the same as long as references are to be read.
	Key [32]byte
}

// RefKind is what a reference leads to: its first letter.
type RefKind byte

// The kinds of references.
const (
	ReportRef    RefKind = 'R'
	DecisionRef  RefKind = 'D'
	AppealRef    RefKind = 'A'
	PersonRef    RefKind = 'P'
	StatementRef RefKind = 'S'
	// OrderRef leads to an authority's order, whose key is the agency.
	OrderRef RefKind = 'O'
	// LetterRef leads to a letter of somebody without a key, whose key is 0.
	LetterRef RefKind = 'L'
	// FlagRef leads to what a hotline reported, whose key is the agency.
	FlagRef RefKind = 'F'
)

// proofSize is how many bytes of a reference prove it: enough that guessing is hopeless.
const proofSize = 10

// encoding has no letters that are mistaken for one another when they are read out, but for those
// that everybody knows from codes.
func encoding() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }

// Make returns the reference of something about a subject's peer.
func (k References) Make(kind RefKind, subject ids.Peer, id int64) string {
	b := make([]byte, 0, 16+proofSize)
	b = binary.BigEndian.AppendUint64(b, uint64(subject))
	b = binary.BigEndian.AppendUint64(b, uint64(id))
	b = append(b, k.proof(kind, b)...)
	return string(kind) + encoding().EncodeToString(b)
}

// Read returns what a reference leads to; ErrReference for one that is not ours. Case, spaces and
// hyphens do not matter.
func (k References) Read(ref string) (kind RefKind, subject ids.Peer, id int64, err error) {
	ref = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(ref))
	if ref == "" {
		return 0, 0, 0, ErrReference
	}
	kind = RefKind(ref[0])
	b, err := encoding().DecodeString(ref[1:])
	if err != nil || len(b) != 16+proofSize || !hmac.Equal(b[16:], k.proof(kind, b[:16])) {
		return 0, 0, 0, ErrReference
	}
	subject = ids.Peer(binary.BigEndian.Uint64(b))
	return kind, subject, int64(binary.BigEndian.Uint64(b[8:])), nil
}

func (k References) proof(kind RefKind, what []byte) []byte {
	h := hmac.New(sha256.New, k.Key[:])
	h.Write([]byte{byte(kind)})
	h.Write(what)
	return h.Sum(nil)[:proofSize]
}
