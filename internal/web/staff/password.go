package staff

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"parley/internal/limit"
	"parley/internal/store"
)

// Parameters of Argon2id: the second recommended option of the specification, 64 MiB and three
// passes. A digest carries its own, so that these may change.
//
// https://datatracker.ietf.org/doc/html/rfc9106#section-4
const (
	hashTime    = 3
	hashMemory  = 64 << 10 // KiB, where Options.Memory says nothing else
	hashThreads = 4
	hashSize    = 32
	saltSize    = 16
	// parallelHashes bounds the memory that signing in can take.
	parallelHashes = 2
	minPassword    = 12
	maxPassword    = 256
)

// triesRate is how often one name, and one address, may try to sign in.
var triesRate = limit.Rate{Burst: 10, Per: 5 * time.Minute}

// hash makes the digest of a password.
func (s *Service) hash(ctx context.Context, password string) (string, error) {
	var salt [saltSize]byte
	if _, err := io.ReadFull(s.rand, salt[:]); err != nil {
		return "", err
	}
	sum, err := s.argon(ctx, password, salt[:], hashTime, s.Memory)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, s.Memory, hashTime,
		hashThreads, b64.EncodeToString(salt[:]), b64.EncodeToString(sum)), err
}

func (s *Service) argon(
	ctx context.Context, password string, salt []byte, passes, memory uint32,
) ([]byte, error) {
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(password), salt, passes, memory, hashThreads, hashSize), nil
}

// matches tells whether a password has that digest. It takes as long when there is no digest.
func (s *Service) matches(ctx context.Context, encoded, password string) (bool, error) {
	var version, memory, passes, threads uint32
	parts := strings.Split(encoded, "$")
	salt, want := make([]byte, saltSize), make([]byte, hashSize)
	known := false
	if len(parts) == 6 {
		_, err1 := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory,
			&passes, &threads)
		var err2, err3 error
		salt, err2 = base64.RawStdEncoding.DecodeString(parts[4])
		want, err3 = base64.RawStdEncoding.DecodeString(parts[5])
		if err := errors.Join(err1, err2, err3); err != nil {
			return false, fmt.Errorf("staff: password digest: %w", err)
		}
		known = true
	} else {
		memory, passes = s.Memory, hashTime
	}
	got, err := s.argon(ctx, password, salt, passes, memory)
	return known && subtle.ConstantTimeCompare(got, want) == 1, err
}

// Parameters of one-time codes, the ones that all generators know.
//
// https://datatracker.ietf.org/doc/html/rfc6238
const (
	totpStep   = 30
	totpDigits = 1_000_000
	totpSize   = 20
	totpSkew   = 1
)

// code is the one-time code of a time step.
//
// https://datatracker.ietf.org/doc/html/rfc4226#section-5.3
func code(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(step))
	mac.Write(b[:])
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%totpDigits)
}

// matchCode returns the time step of a code that is good at a time and after the last step that
// was used; 0 for none.
func matchCode(secret []byte, given string, at time.Time, last int64) int64 {
	given = strings.Join(strings.Fields(given), "")
	now := at.Unix() / totpStep
	for step := now - totpSkew; step <= now+totpSkew; step++ {
		same := subtle.ConstantTimeCompare([]byte(code(secret, step)), []byte(given)) == 1
		if same && step > last {
			return step
		}
	}
	return 0
}

// totpPurpose is what the box is told of a sealed secret of codes.
const totpPurpose = "staff one-time codes"

// NewTOTP draws a secret of one-time codes, in the form that people type into a generator.
func (s *Service) NewTOTP() (string, error) {
	var b [totpSize]byte
	_, err := io.ReadFull(s.rand, b[:])
	return totpEncoding().EncodeToString(b[:]), err
}

func totpEncoding() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }

// EnrolPassword gives whoever holds an enrolment link a password and one-time codes; code proves
// that his generator has the secret. The link is used up.
func (s *Service) EnrolPassword(ctx context.Context, token, password, secret, given string) error {
	if n := utf8.RuneCountInString(password); n < minPassword || n > maxPassword {
		return ErrWeak
	}
	raw, err := totpEncoding().DecodeString(strings.ToUpper(secret))
	if err != nil || len(raw) != totpSize {
		return ErrProof
	}
	m, err := s.Enrolling(ctx, token)
	if err != nil {
		return err
	}
	step := matchCode(raw, given, s.Clock.Now(), 0)
	if step == 0 {
		return ErrProof
	}
	encoded, err := s.hash(ctx, password)
	if err != nil {
		return err
	}
	return s.change(ctx, m.ID, func(_ *store.Tx, row *store.Staff) error {
		if !s.linkIs(row, token) {
			return ErrLink
		}
		row.Password, row.Step, row.EnrolHash, row.EnrolExpires = encoded, step, "", 0
		row.TOTP = s.Box.Seal(nil, raw, totpPurpose, m.ID)
		return nil
	})
}

// linkIs tells whether a token is that of a member's enrolment link, and still good.
func (s *Service) linkIs(row *store.Staff, token string) bool {
	return row.EnrolHash != "" && row.EnrolExpires > s.Clock.Now().Unix() &&
		row.EnrolHash == digest("enrol", token)
}

// Enrolling returns for whom an enrolment link is; ErrLink when it is good for nobody.
func (s *Service) Enrolling(ctx context.Context, token string) (Member, error) {
	id, _, ok := splitSecret(token)
	if !ok {
		return Member{}, ErrLink
	}
	var m Member
	err := s.Store.View(ctx, func(r *store.Reader) error {
		row, err := r.Staff(id)
		if errors.Is(err, store.ErrNotFound) || err == nil && !s.linkIs(&row, token) {
			return ErrLink
		}
		m = member(row)
		return err
	})
	return m, err
}

// SignIn proves somebody by name, password and one-time code. Unknown names take as long as known
// ones. ErrProof, or ErrTooOften.
func (s *Service) SignIn(
	ctx context.Context, address, name, password, given string,
) (Member, error) {
	m, err := s.signIn(ctx, address, name, password, given)
	if err != nil {
		return Member{}, err
	}
	return m, nil
}

// tooOften counts a try of a name and an address.
func (s *Service) tooOften(address, name string) bool {
	_, byAddress := s.tries.Allow("address " + address)
	_, byName := s.tries.Allow("name " + name)
	return !byAddress || name != "" && !byName
}

func (s *Service) signIn(
	ctx context.Context, address, name, password, given string,
) (m Member, err error) {
	name = folded(name)
	if s.tooOften(address, name) {
		return m, ErrTooOften
	}
	var row store.Staff
	err = s.Store.View(ctx, func(r *store.Reader) error {
		id, err := r.StaffByName(name)
		if err == nil {
			row, err = r.Staff(id)
		}
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return m, err
	}
	ok, err := s.matches(ctx, row.Password, password)
	if err != nil {
		return m, err
	}
	if !ok || row.Flags&disabled != 0 {
		return member(row), ErrProof
	}
	err = s.useCode(ctx, row.ID, given)
	return member(row), err
}

// useCode uses a one-time code up; ErrProof when it is not good, or not any more.
func (s *Service) useCode(ctx context.Context, id int64, given string) error {
	return s.change(ctx, id, func(_ *store.Tx, row *store.Staff) error {
		secret, err := s.Box.Open(nil, row.TOTP, totpPurpose, row.ID)
		if err != nil {
			return ErrProof
		}
		step := matchCode(secret, given, s.Clock.Now(), row.Step)
		if step == 0 {
			return ErrProof
		}
		row.Step = step
		return nil
	})
}
