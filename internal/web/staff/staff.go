// Package staff knows who works in the console: their accounts and roles, how they prove who they
// are, what they have looked at and done, and how much of it a person can bear.
//
// Nobody registers himself: an administrator or the operator makes a link with which somebody
// enrols a security key, or a password and a generator of one-time codes. A role takes effect
// once a second person has confirmed it; only the first administrators are made by the operator
// alone.
//
// Invariants: the store has no password, no token and no cookie, only digests, and codes' secrets
// only sealed; a one-time code is good once; every row of the audit is bound to the one before it;
// whoever may not sign in has no session. The package serves no pages and knows no cases.
package staff

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/keyring"
	"parley/internal/limit"
	"parley/internal/store"
	"parley/internal/web/signin"
)

// Errors of the package.
var (
	// ErrProof says that somebody did not prove who he is. It never says what was wrong.
	ErrProof = signin.ErrProof
	// ErrTooOften says that somebody tries too often.
	ErrTooOften = signin.ErrTooOften
	// ErrNoSession says that a cookie stands for no session, or for one that has ended.
	ErrNoSession = errors.New("staff: no session")
	// ErrLink says that an enrolment link was used, has run out, or never was one.
	ErrLink = errors.New("staff: no such enrolment link")
	// ErrName says that a name is taken or is none.
	ErrName = errors.New("staff: name is taken, empty or too long")
	// ErrSamePerson says that a second person is needed.
	ErrSamePerson = errors.New("staff: another person is needed")
	// ErrWeak says that a password is too short.
	ErrWeak = errors.New("staff: password has fewer than 12 characters")
	// ErrLimit says that somebody has seen as much as he should in a shift, or has to rest.
	ErrLimit = errors.New("staff: limit of the shift is reached")
	// ErrNoKeys says that security keys cannot be bound to a numeric address.
	ErrNoKeys = signin.ErrNoKeys
	// ErrRole says that a role does not exist, or that a change is not open.
	ErrRole = errors.New("staff: no such role or change")
)

// Operator is who works at the command line.
const Operator int64 = 0

// MaxStaff bounds how many members of staff are listed.
const MaxStaff = 1000

// disabled is the flag of a member of staff who may not sign in.
const disabled = 1

// Options are what a service is made of.
type Options struct {
	Store *store.Store
	Clock clock.Clock
	// Box seals the secrets of one-time codes.
	Box *keyring.Box
	// Key is the secret of the tokens in forms.
	Key [32]byte
	// URL is where the console is reached: its host is what security keys are bound to.
	URL string
	// Limits are the wellness limits; zero fields take the defaults.
	Limits Limits
	// Memory is how many KiB the digest of a new password takes, 0 for 64 MiB: less is for tests.
	Memory uint32
	// Alarm is told what a person should look at at once; nil for nobody.
	Alarm func(action, detail string)
}

// Service keeps the staff. It is safe for concurrent use.
type Service struct {
	Options
	rand    io.Reader
	keys    *signin.Keys
	tries   *limit.Bucket[string]
	hashing chan struct{}
}

// New returns a service.
func New(o Options) (*Service, error) {
	s := &Service{
		Options: o, rand: rand.Reader, hashing: make(chan struct{}, parallelHashes),
		tries: limit.NewBucket[string](triesRate, 10_000, o.Clock),
	}
	s.Limits, s.Memory = o.Limits.withDefaults(), cmp.Or(o.Memory, hashMemory)
	var err error
	s.keys, err = signin.NewKeys(o.URL, "Parley", o.Clock)
	if err != nil {
		return nil, fmt.Errorf("staff: %w", err)
	}
	return s, nil
}

// Member is a member of staff as others see him.
type Member struct {
	ID       int64
	Name     string
	Role     Role
	Disabled bool
	Created  time.Time
	// HasPassword tells that he enrolled a password and one-time codes.
	HasPassword bool
	// Enrolling tells that his link was not used yet.
	Enrolling bool
}

func member(s store.Staff) Member {
	return Member{
		ID: s.ID, Name: s.Name, Role: Role(s.Role), Disabled: s.Flags&disabled != 0,
		Created: time.Unix(s.Created, 0), HasPassword: s.Password != "",
		Enrolling: s.EnrolHash != "",
	}
}

// folded is the form of a name that is compared.
func folded(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), " ")) }

// maxName is how many characters a name may have.
const maxName = 64

// Add makes a member of staff who has to enrol, and proposes a role for him. It returns the token
// of the link. The operator's word alone is enough as long as there are fewer than two
// administrators.
func (s *Service) Add(
	ctx context.Context, by int64, name string, role Role,
) (id int64, token string, err error) {
	name = strings.Join(strings.Fields(name), " ")
	if name == "" || utf8.RuneCountInString(name) > maxName {
		return 0, "", ErrName
	}
	if !role.Valid() {
		return 0, "", ErrRole
	}
	id, err = s.newID()
	if err != nil {
		return 0, "", err
	}
	err = s.Store.Update(ctx, ids.Peer(id), func(tx *store.Tx) error {
		return tx.TakeStaffName(folded(name), id)
	})
	if errors.Is(err, store.ErrConflict) {
		return 0, "", ErrName
	} else if err != nil {
		return 0, "", fmt.Errorf("staff: add: %w", err)
	}
	row := store.Staff{ID: id, Name: name, Created: s.Clock.Now().Unix()}
	if token, err = s.newToken(&row); err != nil {
		return 0, "", err
	}
	alone, err := s.mayActAlone(ctx, by)
	if err != nil {
		return 0, "", err
	}
	if alone {
		row.Role = int64(role)
	}
	err = s.Store.Update(ctx, ids.Peer(id), func(tx *store.Tx) error {
		if err := tx.PutStaff(row); err != nil || alone {
			return err
		}
		return s.propose(tx, id, by, role)
	})
	if err != nil {
		return 0, "", fmt.Errorf("staff: add: %w", err)
	}
	return id, token, nil
}

// mayActAlone tells whether nobody is there yet who could confirm.
func (s *Service) mayActAlone(ctx context.Context, by int64) (bool, error) {
	if by != Operator {
		return false, nil
	}
	all, err := s.All(ctx)
	admins := 0
	for _, m := range all {
		if m.Role == Admin && !m.Disabled {
			admins++
		}
	}
	return admins < 2, err
}

// newID draws an id that can be stored as a positive number.
func (s *Service) newID() (int64, error) {
	var b [8]byte
	if _, err := io.ReadFull(s.rand, b[:]); err != nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint64(b[:])>>1 | 1<<61), nil
}

// enrolTime is how long an enrolment link may be used.
const enrolTime = 48 * time.Hour

// newToken gives a member of staff a new enrolment link, and returns its token.
func (s *Service) newToken(row *store.Staff) (string, error) {
	secret, err := signin.Secret(s.rand)
	if err != nil {
		return "", err
	}
	token := fmt.Sprintf("%d.%s", row.ID, secret)
	row.EnrolHash = digest("enrol", token)
	row.EnrolExpires = s.Clock.Now().Add(enrolTime).Unix()
	return token, nil
}

// digest is all that the store knows of a secret.
func digest(purpose, secret string) string {
	sum := sha256.Sum256([]byte("parley staff " + purpose + "\x00" + secret))
	return hex.EncodeToString(sum[:])
}

// All lists the staff by name.
func (s *Service) All(ctx context.Context) (out []Member, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		rows, err := r.AllStaff(MaxStaff)
		out = nil
		for _, row := range rows {
			out = append(out, member(row))
		}
		return err
	})
	return out, err
}

// Of returns a member of staff. store.ErrNotFound.
func Of(r *store.Reader, id int64) (Member, error) {
	row, err := r.Staff(id)
	return member(row), err
}

// Member returns a member of staff. store.ErrNotFound.
func (s *Service) Member(ctx context.Context, id int64) (m Member, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		m, err = Of(r, id)
		return err
	})
	return m, err
}

// Find returns the member of staff of that name.
func (s *Service) Find(ctx context.Context, name string) (m Member, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		id, err := r.StaffByName(folded(name))
		if err != nil {
			return err
		}
		row, err := r.Staff(id)
		m = member(row)
		return err
	})
	return m, err
}

// change alters a member of staff in a transaction.
func (s *Service) change(
	ctx context.Context, id int64, fn func(*store.Tx, *store.Staff) error,
) error {
	return s.Store.Update(ctx, ids.Peer(id), func(tx *store.Tx) error {
		row, err := tx.Staff(id)
		if err != nil {
			return err
		}
		if err := fn(tx, &row); err != nil {
			return err
		}
		return tx.PutStaff(row)
	})
}

// Reset takes all that a member of staff proves himself with, ends his sessions, and returns the
// token of a new enrolment link. Whoever has the link could be him: unless the operator resets
// somebody, his role therefore awaits a second person again. ErrSamePerson is for oneself.
func (s *Service) Reset(ctx context.Context, by, id int64) (token string, err error) {
	if by == id {
		return "", ErrSamePerson
	}
	err = s.change(ctx, id, func(tx *store.Tx, row *store.Staff) (err error) {
		row.Password, row.TOTP, row.Step = "", nil, 0
		if role := Role(row.Role); by != Operator && role != NoRole {
			row.Role = int64(NoRole)
			if err := s.propose(tx, id, by, role); err != nil {
				return err
			}
		}
		if token, err = s.newToken(row); err != nil {
			return err
		}
		if err := tx.ForgetStaffCredentials(id); err != nil {
			return err
		}
		return tx.EndStaffSessions(id)
	})
	return token, err
}

// Disable keeps a member of staff out and ends his sessions at once, or lets him in again.
func (s *Service) Disable(ctx context.Context, id int64, out bool) error {
	return s.change(ctx, id, func(tx *store.Tx, row *store.Staff) error {
		row.Flags &^= disabled
		if out {
			row.Flags |= disabled
		}
		return tx.EndStaffSessions(id)
	})
}
