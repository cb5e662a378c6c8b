// Package srp is the server side of the password of two-factor authentication: SRP 6a over the
// 2048-bit group, as Telegram's clients speak it.
//
// It sees no password and stores nothing durable: the caller keeps the Verifier, counts tries
// before it calls Verify, and says who may try at all. It refuses group elements that would let
// anybody in, and verifiers that no client computes.
//
// Invariants: a challenge is answered once, by whom it was made for, within ChallengeLife and for
// the verifier that it was made from; what depends on a verifier or on the server's exponent takes
// constant time; the number of open challenges is bounded.
//
// https://core.telegram.org/api/srp
package srp

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"io"
	"time"

	"filippo.io/bigmod"

	"parley/internal/clock"
	"parley/internal/mtproto/crypt"
)

const (
	// Size is the length of every group element, in bytes.
	Size = crypt.KeySize
	// salt1Size and salt2Size are the lengths of the salts that the server chooses.
	salt1Size = 8
	salt2Size = 16
	// clientSaltSize is how much a client appends to salt 1.
	clientSaltSize = 32
	// ChallengeLife is how long a challenge may be answered.
	ChallengeLife = 5 * time.Minute
	// maxChallenges bounds the open challenges of a server, and maxPerKey those of one auth key;
	// the oldest make room. A client asks for a few when several screens need the password.
	maxChallenges = 16384
	maxPerKey     = 4
)

// The ways in which a password can be refused. The API names are those of the errors that clients
// expect.
var (
	// ErrPassword is PASSWORD_HASH_INVALID: the password is wrong, or the proof is malformed.
	ErrPassword = errors.New("srp: wrong password")
	// ErrID is SRP_ID_INVALID: no such challenge is open for this client.
	ErrID = errors.New("srp: no such challenge")
	// ErrChanged is SRP_PASSWORD_CHANGED: the verifier is another one since the challenge was made.
	ErrChanged = errors.New("srp: password changed")
	// ErrSalt is NEW_SALT_INVALID: the salts of a new password do not build on those offered.
	ErrSalt = errors.New("srp: invalid new salt")
	// ErrSettings is NEW_SETTINGS_INVALID: group or verifier of a new password are not acceptable.
	ErrSettings = errors.New("srp: invalid new settings")
)

// Algo holds the salts with which a client hashes a password. Group and generator are always those
// of crypt.Group.
//
// https://core.telegram.org/api/srp#checking-the-password-with-srp
type Algo struct {
	Salt1, Salt2 []byte
}

// Verifier is what a server knows of a password. Whoever steals it can guess at the password, but
// cannot log in with it; keep it sealed.
type Verifier struct {
	Algo
	V [Size]byte
}

// Challenge is what a client answers.
type Challenge struct {
	// ID is srp_id.
	ID int64
	// B is srp_B.
	B [Size]byte
}

// Config is what a Server needs.
type Config struct {
	Clock clock.Clock
	// Rand is a cryptographic source, safe for concurrent use.
	Rand io.Reader
	// Secret chooses the salts that are offered for new passwords.
	Secret [32]byte
	// Group is shared with the handshake.
	Group *crypt.Group
}

// Server makes and checks challenges. It is safe for concurrent use.
type Server struct {
	clock clock.Clock
	rand  io.Reader
	salts *crypt.PRF
	group *crypt.Group
	// k is the multiplier H(p | g), and start is H(p) xor H(g), with which proofs begin.
	k     *bigmod.Nat
	start [sha256.Size]byte
	open  table
}

// NewServer returns a server without open challenges.
func NewServer(c Config) *Server {
	s := &Server{
		clock: c.Clock, rand: c.Rand, salts: crypt.NewPRF(c.Secret), group: c.Group,
	}
	p, g := c.Group.Prime(), [Size]byte{Size - 1: crypt.Generator}
	hp, hg := sha256.Sum256(p[:]), sha256.Sum256(g[:])
	subtle.XORBytes(s.start[:], hp[:], hg[:])
	s.k = s.number(hash(p[:], g[:]))
	return s
}

// Offer returns the salts from which the user's next password must be hashed. They stay the same
// for a user, because the client adds randomness of its own.
func (s *Server) Offer(user int64) Algo {
	word := func(n uint64) []byte {
		return binary.LittleEndian.AppendUint64(nil, s.salts.Sum(uint64(user), n))
	}
	return Algo{Salt1: word(0), Salt2: append(word(1), word(2)...)}
}

// Accept checks what a client made of Offer and returns the new verifier. It answers ErrSalt or
// ErrSettings. Whether the client knows the old password is for the caller to verify first.
//
// https://core.telegram.org/api/srp#setting-a-new-2fa-password
func (s *Server) Accept(user int64, algo Algo, g int, p, v []byte) (Verifier, error) {
	offer := s.Offer(user)
	own, ok := bytes.CutPrefix(algo.Salt1, offer.Salt1)
	if !ok || len(own) != clientSaltSize || !bytes.Equal(algo.Salt2, offer.Salt2) {
		return Verifier{}, ErrSalt
	}
	prime := s.group.Prime()
	if g != crypt.Generator || !bytes.Equal(p, prime[:]) || len(v) != Size {
		return Verifier{}, ErrSettings
	}
	value, err := s.group.Element(v)
	if err != nil {
		return Verifier{}, ErrSettings
	}
	return Verifier{
		Algo: Algo{Salt1: bytes.Clone(algo.Salt1), Salt2: bytes.Clone(algo.Salt2)}, V: value,
	}, nil
}

// Challenge makes a challenge for the holder of the permanent auth key key, who claims to know the
// password of user.
func (s *Server) Challenge(key, user int64, v *Verifier) (Challenge, error) {
	kv, err := bigmod.NewNat().SetBytes(v.V[:], s.group.Modulus())
	if err != nil {
		return Challenge{}, ErrSettings
	}
	kv.Mul(s.k, s.group.Modulus())
	p := pending{key: key, user: user, verifier: v.digest()}
	for {
		if _, err := io.ReadFull(s.rand, p.b[:]); err != nil {
			return Challenge{}, err
		}
		gb := s.group.ExpGenerator(&p.b)
		sum := s.number(gb[:]).Add(kv, s.group.Modulus()).Bytes(s.group.Modulus())
		if p.public, err = s.group.Element(sum); err == nil {
			break
		}
	}
	var id [8]byte
	if _, err := io.ReadFull(s.rand, id[:]); err != nil {
		return Challenge{}, err
	}
	p.id = int64(binary.LittleEndian.Uint64(id[:]))
	s.open.add(s.clock.Now(), p)
	return Challenge{ID: p.id, B: p.public}, nil
}

// Verify takes the answer to a challenge: a is A and m1 is M1 of inputCheckPasswordSRP. It answers
// nil if and only if the client knows the password behind v, else ErrPassword, ErrID or ErrChanged.
// The challenge is used up in any case. Count the try, durably, before the call.
func (s *Server) Verify(key, user int64, v *Verifier, id int64, a, m1 []byte) error {
	p, ok := s.open.take(s.clock.Now(), key, user, id)
	if !ok {
		return ErrID
	}
	if subtle.ConstantTimeCompare(p.verifier[:], v.digest()) != 1 {
		return ErrChanged
	}
	ga, err := s.group.Element(a)
	if err != nil {
		return ErrPassword
	}
	want, ok := s.proof(v, &p, &ga)
	if !ok || subtle.ConstantTimeCompare(want, m1) != 1 {
		return ErrPassword
	}
	return nil
}

// proof computes the M1 that a client with the right password sends; ok is false in the hopeless
// case that u is 0.
//
// https://core.telegram.org/api/srp#checking-the-password-with-srp
func (s *Server) proof(v *Verifier, p *pending, ga *[Size]byte) (m1 []byte, ok bool) {
	u := hash(ga[:], p.public[:])
	vu, err := s.group.Exp(&v.V, u)
	if err != nil || bytes.Count(u, []byte{0}) == len(u) {
		return nil, false
	}
	base := s.number(ga[:]).Mul(s.number(vu[:]), s.group.Modulus()).Bytes(s.group.Modulus())
	shared, err := s.group.Exp((*[Size]byte)(base), p.b[:])
	if err != nil {
		return nil, false
	}
	return hash(s.start[:], hash(v.Salt1), hash(v.Salt2), ga[:], p.public[:], hash(shared[:])), true
}

// number reads a group element, or a hash, which is shorter than the prime.
func (s *Server) number(b []byte) *bigmod.Nat {
	n, err := bigmod.NewNat().SetBytes(b, s.group.Modulus())
	if err != nil {
		panic("srp: number is not less than the prime")
	}
	return n
}

// digest tells verifiers apart.
func (v *Verifier) digest() []byte {
	return hash(hash(v.Salt1), hash(v.Salt2), v.V[:])
}

// hash is SHA-256 of the parts, one after the other.
func hash(parts ...[]byte) []byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}
