package srp

import (
	"bytes"
	"crypto/rand"
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"

	peer "github.com/gotd/td/crypto/srp"

	"parley/internal/clock"
	"parley/internal/mtproto/crypt"
)

// The auth key and the user of most tests.
const (
	testKey  = 11
	testUser = 22
)

var testGroup = sync.OnceValue(crypt.NewGroup)

func newServer() (*Server, *clock.Fake) {
	c := clock.NewFake(time.Unix(1_790_000_000, 0))
	return NewServer(Config{
		Clock: c, Rand: rand.Reader, Secret: [32]byte{1}, Group: testGroup(),
	}), c
}

// input is what an independent client is told.
func input(a Algo) peer.Input {
	p := testGroup().Prime()
	return peer.Input{Salt1: a.Salt1, Salt2: a.Salt2, G: crypt.Generator, P: p[:]}
}

// setPassword lets an independent client choose a password.
func setPassword(t testing.TB, s *Server, password string) *Verifier {
	t.Helper()
	in := input(s.Offer(testUser))
	hash, salt, err := peer.NewSRP(rand.Reader).NewHash([]byte(password), in)
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Accept(testUser, Algo{salt, in.Salt2}, in.G, in.P, hash)
	if err != nil {
		t.Fatal(err)
	}
	return &v
}

// answer lets an independent client answer a challenge.
func answer(t testing.TB, password string, v *Verifier, c Challenge) (a, m1 []byte) {
	t.Helper()
	random := make([]byte, 256)
	rand.Read(random)
	out, err := peer.NewSRP(rand.Reader).Hash([]byte(password), c.B[:], random, input(v.Algo))
	if err != nil {
		t.Fatal(err)
	}
	return out.A, out.M1
}

func challenge(t testing.TB, s *Server, v *Verifier) Challenge {
	t.Helper()
	c, err := s.Challenge(testKey, testUser, v)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// testVerifier is a verifier that no password is needed for.
func testVerifier() *Verifier {
	return &Verifier{
		Algo: Algo{Salt1: []byte{1}, Salt2: []byte{2}},
		V:    testGroup().ExpGenerator(&[Size]byte{1, 2, 3}),
	}
}

func TestIndependentClient(t *testing.T) {
	s, _ := newServer()
	v := setPassword(t, s, "correct horse")
	c := challenge(t, s, v)
	a, m1 := answer(t, "correct horse", v, c)
	if err := s.Verify(testKey, testUser, v, c.ID, a, m1); err != nil {
		t.Errorf("right password: %v", err)
	}
	if err := s.Verify(testKey, testUser, v, c.ID, a, m1); !errors.Is(err, ErrID) {
		t.Errorf("same answer again: %v", err)
	}
	c = challenge(t, s, v)
	if err := s.Verify(testKey, testUser, v, c.ID, a, m1); !errors.Is(err, ErrPassword) {
		t.Errorf("recorded answer to another challenge: %v", err)
	}
	c = challenge(t, s, v)
	a, m1 = answer(t, "wrong horse", v, c)
	if err := s.Verify(testKey, testUser, v, c.ID, a, m1); !errors.Is(err, ErrPassword) {
		t.Errorf("wrong password: %v", err)
	}
}

// TestEvilA plays a thief who knows salts and B but no password, and who chooses A so that the
// shared secret is one that he can compute.
func TestEvilA(t *testing.T) {
	s, _ := newServer()
	v := testVerifier()
	prime := testGroup().Prime()
	p := new(big.Int).SetBytes(prime[:])
	one := big.NewInt(1)
	double := new(big.Int).Lsh(p, 1)
	long := append([]byte{0}, make([]byte, 256)...)
	long[256] = 5
	for name, a := range map[string][]byte{
		"empty": nil, "0": {0}, "256 zero bytes": make([]byte, 256), "1": {1}, "g": {3},
		"p-1": new(big.Int).Sub(p, one).Bytes(), "p": prime[:],
		"p+1": new(big.Int).Add(p, one).Bytes(), "2p": double.Bytes(),
		"2^2048-1": bytes.Repeat([]byte{0xff}, 256), "257 bytes": long,
		"p^2": new(big.Int).Mul(p, p).Bytes(),
	} {
		for secret, shared := range map[string][]byte{
			"0": make([]byte, 256), "1": {255: 1},
			"p-1": new(big.Int).Sub(p, one).FillBytes(make([]byte, 256)),
		} {
			c := challenge(t, s, v)
			padded := append(make([]byte, max(0, 256-len(a))), a...)
			m1 := hash(s.start[:], hash(v.Salt1), hash(v.Salt2), padded, c.B[:], hash(shared))
			err := s.Verify(testKey, testUser, v, c.ID, a, m1)
			if !errors.Is(err, ErrPassword) {
				t.Errorf("A = %s, secret %s: %v", name, secret, err)
			}
		}
	}
}

// TestVerifierIsUseless answers with the verifier in place of the password.
func TestVerifierIsUseless(t *testing.T) {
	s, _ := newServer()
	v := testVerifier()
	c := challenge(t, s, v)
	m1 := hash(s.start[:], hash(v.Salt1), hash(v.Salt2), v.V[:], c.B[:], hash(v.V[:]))
	if err := s.Verify(testKey, testUser, v, c.ID, v.V[:], m1); !errors.Is(err, ErrPassword) {
		t.Errorf("A = v: %v", err)
	}
}

func TestChallengeIsBound(t *testing.T) {
	s, fake := newServer()
	v := testVerifier()
	// A wrong proof of the right form tells ErrPassword from ErrID.
	a, m1 := testVerifier().V, make([]byte, 32)
	try := func(key, user, id int64, v *Verifier) error {
		return s.Verify(key, user, v, id, a[:], m1)
	}
	c := challenge(t, s, v)
	if err := try(testKey+1, testUser, c.ID, v); !errors.Is(err, ErrID) {
		t.Errorf("other auth key: %v", err)
	}
	if err := try(testKey, testUser+1, c.ID, v); !errors.Is(err, ErrID) {
		t.Errorf("other user: %v", err)
	}
	if err := try(testKey, testUser, c.ID+1, v); !errors.Is(err, ErrID) {
		t.Errorf("other id: %v", err)
	}
	if err := try(testKey, testUser, c.ID, v); !errors.Is(err, ErrPassword) {
		t.Errorf("the attempts of others used the challenge up: %v", err)
	}
	c = challenge(t, s, v)
	fake.Advance(ChallengeLife)
	if err := try(testKey, testUser, c.ID, v); !errors.Is(err, ErrPassword) {
		t.Errorf("at the last moment: %v", err)
	}
	c = challenge(t, s, v)
	fake.Advance(ChallengeLife + 1)
	if err := try(testKey, testUser, c.ID, v); !errors.Is(err, ErrID) {
		t.Errorf("too late: %v", err)
	}
	for name, change := range map[string]func(v *Verifier){
		"salt 1": func(v *Verifier) { v.Salt1 = []byte{9} },
		"salt 2": func(v *Verifier) { v.Salt2 = []byte{9} },
		"value":  func(v *Verifier) { v.V[9] ^= 1 },
	} {
		c = challenge(t, s, v)
		changed := *v
		change(&changed)
		if err := try(testKey, testUser, c.ID, &changed); !errors.Is(err, ErrChanged) {
			t.Errorf("%s changed in between: %v", name, err)
		}
	}
}

func TestChallengesAreFresh(t *testing.T) {
	s, _ := newServer()
	v := testVerifier()
	ids, bs := map[int64]bool{}, map[[Size]byte]bool{}
	for range 10 {
		c := challenge(t, s, v)
		ids[c.ID], bs[c.B] = true, true
		if _, err := testGroup().Element(c.B[:]); err != nil {
			t.Errorf("B: %v", err)
		}
	}
	if len(ids) != 10 || len(bs) != 10 {
		t.Errorf("%d ids and %d values of B in 10 challenges", len(ids), len(bs))
	}
}

func TestOpenChallengesAreBounded(t *testing.T) {
	var s table
	now := time.Unix(1_790_000_000, 0)
	for id := range int64(maxPerKey + 2) {
		s.add(now, pending{id: id, key: 1})
	}
	for id := range int64(maxPerKey + 2) {
		if _, ok := s.take(now, 1, 0, id); ok != (id >= 2) {
			t.Errorf("challenge %d of one key: open = %v", id, ok)
		}
	}
	for id := range int64(maxChallenges + 50) {
		s.add(now, pending{id: id, key: id})
	}
	if len(s.order) > maxChallenges || len(s.byID) > maxChallenges || len(s.byKey) > maxChallenges {
		t.Errorf("%d, %d, %d challenges kept", len(s.order), len(s.byID), len(s.byKey))
	}
	if _, ok := s.take(now, 3, 0, 3); ok {
		t.Error("the oldest challenge did not make room")
	}
	if _, ok := s.take(now, 60, 0, 60); !ok {
		t.Error("a young challenge had to make room")
	}
	s.add(now.Add(ChallengeLife+time.Second), pending{id: -1, key: -1})
	if len(s.order) != 1 || len(s.byID) != 1 || len(s.byKey) != 1 {
		t.Errorf("%d, %d, %d challenges outlive their time", len(s.order), len(s.byID),
			len(s.byKey))
	}
}

func TestTakenSecretsAreErased(t *testing.T) {
	var s table
	now := time.Unix(1_790_000_000, 0)
	s.add(now, pending{id: 1, key: 1, b: [Size]byte{1, 2, 3}})
	kept := s.order[0]
	if p, ok := s.take(now, 1, 0, 1); !ok || p.b != [Size]byte{1, 2, 3} {
		t.Fatal("challenge lost")
	}
	if kept.b != [Size]byte{} {
		t.Error("the secret exponent is still in memory")
	}
}

func TestAccept(t *testing.T) {
	s, _ := newServer()
	offer := s.Offer(testUser)
	prime := testGroup().Prime()
	good := testVerifier().V
	salt := append(bytes.Clone(offer.Salt1), make([]byte, clientSaltSize)...)
	if len(offer.Salt1) != salt1Size || len(offer.Salt2) != salt2Size {
		t.Errorf("salts of %d and %d bytes", len(offer.Salt1), len(offer.Salt2))
	}
	if again := s.Offer(testUser + 1); bytes.Equal(again.Salt1, offer.Salt1) ||
		bytes.Equal(again.Salt2, offer.Salt2) {
		t.Error("two users are offered the same salts")
	}
	number := func(x int64) []byte { return big.NewInt(x).FillBytes(make([]byte, Size)) }
	last := new(big.Int).Sub(new(big.Int).SetBytes(prime[:]), big.NewInt(1)).Bytes()
	wrongPrime := prime
	wrongPrime[Size-1] ^= 2
	for _, tt := range []struct {
		name         string
		salt1, salt2 []byte
		g            int
		p, v         []byte
		want         error
	}{
		{"good", salt, offer.Salt2, 3, prime[:], good[:], nil},
		{"nothing appended", offer.Salt1, offer.Salt2, 3, prime[:], good[:], ErrSalt},
		{"31 bytes appended", salt[:len(salt)-1], offer.Salt2, 3, prime[:], good[:], ErrSalt},
		{"33 bytes appended", append(salt, 0), offer.Salt2, 3, prime[:], good[:], ErrSalt},
		{"own salt 1", make([]byte, len(salt)), offer.Salt2, 3, prime[:], good[:], ErrSalt},
		{"own salt 2", salt, make([]byte, 16), 3, prime[:], good[:], ErrSalt},
		{"no salts", nil, nil, 3, prime[:], good[:], ErrSalt},
		{"generator 2", salt, offer.Salt2, 2, prime[:], good[:], ErrSettings},
		{"other prime", salt, offer.Salt2, 3, wrongPrime[:], good[:], ErrSettings},
		{"v empty", salt, offer.Salt2, 3, prime[:], nil, ErrSettings},
		{"v of 255 bytes", salt, offer.Salt2, 3, prime[:], good[1:], ErrSettings},
		{"v = 0", salt, offer.Salt2, 3, prime[:], number(0), ErrSettings},
		{"v = 1", salt, offer.Salt2, 3, prime[:], number(1), ErrSettings},
		{"v = p-1", salt, offer.Salt2, 3, prime[:], last, ErrSettings},
		{"v = p", salt, offer.Salt2, 3, prime[:], prime[:], ErrSettings},
	} {
		v, err := s.Accept(testUser, Algo{tt.salt1, tt.salt2}, tt.g, tt.p, tt.v)
		if !errors.Is(err, tt.want) || err == nil && v.V != good {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestChallengeOfBrokenVerifier(t *testing.T) {
	s, _ := newServer()
	v := testVerifier()
	v.V = testGroup().Prime()
	if _, err := s.Challenge(testKey, testUser, v); !errors.Is(err, ErrSettings) {
		t.Errorf("verifier p: %v", err)
	}
}

func FuzzVerify(f *testing.F) {
	s, _ := newServer()
	v := testVerifier()
	f.Add(v.V[:], make([]byte, 32))
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, a, m1 []byte) {
		c := challenge(t, s, v)
		if err := s.Verify(testKey, testUser, v, c.ID, a, m1); !errors.Is(err, ErrPassword) {
			t.Fatalf("error %v", err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	s, _ := newServer()
	v := testVerifier()
	b.ReportAllocs()
	for b.Loop() {
		c := challenge(b, s, v)
		_ = s.Verify(testKey, testUser, v, c.ID, v.V[:], make([]byte, 32))
	}
}
