package agency

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"parley/internal/safety"
	"parley/internal/store"
)

// Role is what an officer may do. Values are stored.
type Role int64

// The roles.
const (
	// Member gives orders and reads answers.
	Member Role = 1
	// Supervisor confirms emergency orders of others as well.
	Supervisor Role = 2
)

// Officer is a person of an agency.
type Officer struct {
	Agency, ID             int64
	Name                   string
	Role                   Role
	State                  State
	ProposedBy, ApprovedBy int64
	Created                int64
	// Bound is since when he has his key, in Unix seconds; 0 while he has none.
	Bound int64
	// Attest is until when his standing has to be confirmed again.
	Attest int64
}

func officer(x store.Officer) Officer {
	return Officer{
		Agency: x.Agency, ID: x.ID, Name: x.Name, Role: Role(x.Role), State: State(x.State),
		ProposedBy: x.ProposedBy, ApprovedBy: x.ApprovedBy, Created: x.Created, Bound: x.Bound,
		Attest: x.Attest,
	}
}

// OfficerOf returns an officer of an agency. store.ErrNotFound.
func OfficerOf(r *store.Reader, agency, id int64) (Officer, error) {
	x, err := r.Officer(agency, id)
	return officer(x), err
}

// Officers returns the officers of an agency, the oldest first.
func Officers(r *store.Reader, agency int64) (out []Officer, err error) {
	rows, err := r.Officers(agency, most)
	for _, x := range rows {
		out = append(out, officer(x))
	}
	return out, err
}

// ProposeOfficer writes an officer of an active agency down. He has no standing until another
// member of staff approved him and he bound a key. It returns his link as well, which whoever
// proposes him sends him and which cannot be shown again: half of what he enrols with.
func (s *Service) ProposeOfficer(
	ctx context.Context, staff, agency int64, name string, role Role,
) (o Officer, link string, err error) {
	name = strings.Join(strings.Fields(name), " ")
	switch {
	case name == "":
		return o, "", Refusal{"name", "missing"}
	case utf8.RuneCountInString(name) > nameRunes:
		return o, "", Refusal{"name", "long"}
	case role != Member && role != Supervisor:
		return o, "", Refusal{"role", "unknown"}
	}
	now := s.Clock.Now()
	id, err := safety.NewID(now, s.Random)
	if err != nil {
		return o, "", fmt.Errorf("agency: %w", err)
	}
	link, hash, err := s.secret(linkPurpose, agency, id)
	if err != nil {
		return o, "", err
	}
	x := store.Officer{
		Agency: agency, ID: id, Name: name, Role: int64(role), State: int64(Proposed),
		ProposedBy: staff, Created: now.Unix(), EnrolHash: hash,
	}
	err = s.Store.Update(ctx, key(agency), func(tx *store.Tx) error {
		a, err := Of(&tx.Reader, agency)
		if err != nil {
			return err
		}
		if a.State != Active {
			return ErrState
		}
		return putOfficer(tx, x, Event{At: x.Created, Staff: staff, Kind: OfficerProposed})
	})
	if err != nil {
		return o, "", err
	}
	return officer(x), link, nil
}

func putOfficer(tx *store.Tx, x store.Officer, e Event) error {
	if err := tx.PutOfficer(x); err != nil {
		return err
	}
	if e.Text == "" {
		e.Text = x.Name
	}
	return add(tx, x.Agency, e)
}

// ApproveOfficer lets an officer enrol and returns the code that his link is worth nothing without:
// good once, for a week, and not to be shown again. Whoever approves him says it to him on the
// telephone, at the number that is kept of the agency. So neither who proposed nor who approved an
// officer can enrol in his place, nor can who reads the mail that brings the link. ErrSamePerson is
// for who proposed him.
func (s *Service) ApproveOfficer(
	ctx context.Context, staff, agency, id int64,
) (code string, err error) {
	if code, err = s.code(); err != nil {
		return "", err
	}
	err = s.changeOfficer(ctx, agency, id, func(x *store.Officer, now int64) (Event, error) {
		switch {
		case State(x.State) != Proposed || x.EnrolHash == "":
			return Event{}, ErrState
		case staff <= 0 || staff == x.ProposedBy:
			return Event{}, ErrSamePerson
		}
		x.State, x.ApprovedBy = int64(Enrolling), staff
		x.EnrolHash = digest(linkPurpose, x.EnrolHash+plain(code))
		x.EnrolExpires = now + seconds(linkTime)
		return Event{Staff: staff, Kind: OfficerApproved}, nil
	})
	if err != nil {
		return "", err
	}
	return code, nil
}

// ResetOfficer takes an officer's keys, because he lost one or it was stolen. He begins anew: the
// link that it returns is as ProposeOfficer's, another member of staff approves him, and his
// emergency orders wait again.
func (s *Service) ResetOfficer(
	ctx context.Context, staff, agency, id int64, reason string,
) (link string, err error) {
	link, hash, err := s.secret(linkPurpose, agency, id)
	if err != nil {
		return "", err
	}
	err = s.changeOfficer(ctx, agency, id, func(x *store.Officer, _ int64) (Event, error) {
		x.State, x.ProposedBy, x.ApprovedBy = int64(Proposed), staff, 0
		x.Bound, x.Attest, x.EnrolHash, x.EnrolExpires = 0, 0, hash, 0
		return Event{Staff: staff, Kind: OfficerReset, Text: x.Name + ": " + reason}, nil
	})
	if err != nil {
		return "", err
	}
	s.halted(ctx, agency, id)
	return link, nil
}

// SuspendOfficer takes an officer's standing; ResetOfficer is the way back.
func (s *Service) SuspendOfficer(
	ctx context.Context, staff, agency, id int64, reason string,
) error {
	err := s.Store.Update(ctx, key(agency), func(tx *store.Tx) error {
		return s.SuspendOfficerIn(tx, staff, agency, id, reason)
	})
	if err == nil {
		s.halted(ctx, agency, id)
	}
	return err
}

// SuspendOfficerIn is SuspendOfficer in a transaction of the agency, together with what led to it.
// Halted does not hear of it: the caller has what he ordered stopped.
func (s *Service) SuspendOfficerIn(tx *store.Tx, staff, agency, id int64, reason string) error {
	return s.changeOfficerIn(tx, agency, id, func(x *store.Officer, _ int64) (Event, error) {
		x.State = int64(Suspended)
		return Event{Staff: staff, Kind: OfficerSuspended, Text: x.Name + ": " + reason}, nil
	})
}

// AttestOfficer confirms that an officer still is one, for 90 days more.
func (s *Service) AttestOfficer(ctx context.Context, staff, agency, id int64, spoke string) error {
	if strings.TrimSpace(spoke) == "" {
		return Refusal{"spoke", "missing"}
	}
	return s.changeOfficer(ctx, agency, id, func(x *store.Officer, now int64) (Event, error) {
		if State(x.State) != Active {
			return Event{}, ErrState
		}
		x.Attest = now + seconds(attestation)
		return Event{Staff: staff, Kind: OfficerAttested, Text: x.Name + ": " + spoke}, nil
	})
}

func (s *Service) changeOfficer(
	ctx context.Context, agency, id int64,
	fn func(x *store.Officer, now int64) (Event, error),
) error {
	return s.Store.Update(ctx, key(agency), func(tx *store.Tx) error {
		return s.changeOfficerIn(tx, agency, id, fn)
	})
}

func (s *Service) changeOfficerIn(
	tx *store.Tx, agency, id int64, fn func(x *store.Officer, now int64) (Event, error),
) error {
	x, err := tx.Officer(agency, id)
	if err != nil {
		return err
	}
	now := s.Clock.Now().Unix()
	e, err := fn(&x, now)
	if err != nil {
		return err
	}
	if e.Kind == OfficerReset {
		if err := tx.ForgetOfficerCredentials(agency, id); err != nil {
			return err
		}
	}
	e.At = now
	return putOfficer(tx, x, e)
}

// Credential is a public key of an officer as the library of the pages wrote it down.
//
// https://www.w3.org/TR/webauthn-3/#credential-record
type Credential struct {
	ID   string
	Body []byte
}

// Both puts a link and the code for it together, as Enrolling and Bind take them.
func Both(link, code string) string { return strings.TrimSpace(link) + "." + plain(code) }

// Enrolling returns for whom link and code are; ErrProof when they are good for nobody.
func (s *Service) Enrolling(ctx context.Context, token string) (o Officer, err error) {
	link, _, _ := strings.Cut(token, ".")
	agency, id, ok := parts(link)
	if !ok {
		return o, ErrProof
	}
	err = s.Store.View(ctx, func(r *store.Reader) error {
		x, err := r.Officer(agency, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && !s.linkIs(x, token) {
			return ErrProof
		}
		o = officer(x)
		return err
	})
	return o, err
}

func (s *Service) linkIs(x store.Officer, token string) bool {
	link, code, _ := strings.Cut(token, ".")
	return State(x.State) == Enrolling && x.EnrolExpires > s.Clock.Now().Unix() &&
		same(x.EnrolHash, digest(linkPurpose, digest(linkPurpose, link)+code))
}

// Bind gives whoever holds link and code his key. They are used up, and his standing begins; his
// emergency orders wait for a week from now on. ErrProof for what is good for nobody.
func (s *Service) Bind(ctx context.Context, token string, c Credential) (Officer, error) {
	link, _, _ := strings.Cut(token, ".")
	agency, id, ok := parts(link)
	if !ok || c.ID == "" || len(c.Body) == 0 {
		return Officer{}, ErrProof
	}
	var out Officer
	err := s.Store.Update(ctx, key(agency), func(tx *store.Tx) error {
		x, err := tx.Officer(agency, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && !s.linkIs(x, token) {
			return ErrProof
		}
		if err != nil {
			return err
		}
		now := s.Clock.Now().Unix()
		x.State, x.Bound, x.EnrolHash, x.EnrolExpires = int64(Active), now, "", 0
		x.Attest = now + seconds(attestation)
		out = officer(x)
		err = tx.PutOfficerCredential(store.OfficerCredential{
			Agency: agency, Officer: id, ID: c.ID, Body: c.Body, Created: now, Used: now,
		})
		if err != nil {
			return err
		}
		return putOfficer(tx, x, Event{At: now, Officer: id, Kind: OfficerBound})
	})
	return out, err
}

// Credentials returns the keys of an officer.
func Credentials(r *store.Reader, agency, id int64) (out []Credential, err error) {
	rows, err := r.OfficerCredentials(agency, id)
	for _, x := range rows {
		out = append(out, Credential{ID: x.ID, Body: x.Body})
	}
	return out, err
}

// Used writes a key's new state after its holder signed in with it. ErrProof for a key that is not
// his.
func (s *Service) Used(ctx context.Context, agency, id int64, c Credential) error {
	return s.Store.Update(ctx, key(agency), func(tx *store.Tx) error {
		rows, err := tx.OfficerCredentials(agency, id)
		if err != nil {
			return err
		}
		for _, x := range rows {
			if x.ID == c.ID {
				x.Body, x.Used = c.Body, s.Clock.Now().Unix()
				return tx.PutOfficerCredential(x)
			}
		}
		return ErrProof
	})
}

// Purposes of secrets: what is a link's is no key's.
const (
	linkPurpose = "officer enrolment"
	keyPurpose  = "agency key"
)

// codeAlphabet has no two letters that are mistaken for one another on the telephone's other end:
// no I, L, O and U.
//
// https://www.crockford.com/base32.html
const codeAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// codeSize is how many characters a code has, of five bits each: more than can be tried within the
// week in which it is good, against a door that counts tries.
const codeSize = 12

// code draws a code as it is read out: in groups of four.
func (s *Service) code() (string, error) {
	b := make([]byte, codeSize)
	if _, err := io.ReadFull(s.Random, b); err != nil {
		return "", fmt.Errorf("agency: %w", err)
	}
	var out strings.Builder
	for i, x := range b {
		if i > 0 && i%4 == 0 {
			out.WriteByte('-')
		}
		out.WriteByte(codeAlphabet[int(x)%len(codeAlphabet)])
	}
	return out.String(), nil
}

// plain is a code as it was typed: case, dashes and spaces count for nothing, and letters that it
// never has are what they look like.
func plain(code string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case 'O':
			return '0'
		case 'I', 'L':
			return '1'
		case '-', ' ':
			return -1
		}
		return r
	}, strings.ToUpper(strings.TrimSpace(code)))
}

// secretSize is how many random bytes a secret has.
const secretSize = 24

// secret draws a secret that says by itself whose it is, and its digest.
func (s *Service) secret(purpose string, agency, id int64) (secret, hash string, err error) {
	b := make([]byte, 16+secretSize)
	binary.BigEndian.PutUint64(b, uint64(agency))
	binary.BigEndian.PutUint64(b[8:], uint64(id))
	if _, err := io.ReadFull(s.Random, b[16:]); err != nil {
		return "", "", fmt.Errorf("agency: %w", err)
	}
	secret = base64.RawURLEncoding.EncodeToString(b)
	return secret, digest(purpose, secret), nil
}

// parts says whose a secret would be.
func parts(secret string) (agency, id int64, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(secret)
	if err != nil || len(b) != 16+secretSize {
		return 0, 0, false
	}
	return int64(binary.BigEndian.Uint64(b)), int64(binary.BigEndian.Uint64(b[8:])), true
}

func digest(purpose, secret string) string {
	sum := sha256.Sum256([]byte(purpose + "\x00" + secret))
	return hex.EncodeToString(sum[:])
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
