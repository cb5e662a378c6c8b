package staff

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"parley/internal/store"
)

// ceremonyTime is how long a person may take to touch his key, maxCeremonies how many may do so at
// once.
const (
	ceremonyTime  = 3 * time.Minute
	maxCeremonies = 1000
)

// ceremony is a challenge that was not answered yet.
type ceremony struct {
	session webauthn.SessionData
	ends    time.Time
	// token is that of the enrolment link when a key is being enrolled.
	token string
}

// relyingParty is what security keys are bound to: a name, never a numeric address. A loopback
// address goes by its name; for any other there are no keys, and nil is returned.
func relyingParty(at string) (*webauthn.WebAuthn, error) {
	u, err := url.Parse(at)
	if err != nil {
		return nil, err
	}
	host := u.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		if !ip.IsLoopback() {
			return nil, nil
		}
		host = "localhost"
		u.Host = net.JoinHostPort(host, u.Port())
	}
	resident := true
	return webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: "Parley", RPOrigins: []string{u.Scheme + "://" + u.Host},
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: &resident,
			ResidentKey:        protocol.ResidentKeyRequirementRequired,
			UserVerification:   protocol.VerificationRequired,
		},
	})
}

// holder is a member of staff as the library wants to see him.
type holder struct {
	row  store.Staff
	keys []webauthn.Credential
}

// WebAuthnID is the member's id as a user handle.
func (h holder) WebAuthnID() []byte { return binary.BigEndian.AppendUint64(nil, uint64(h.row.ID)) }

// WebAuthnName is the member's name.
func (h holder) WebAuthnName() string { return h.row.Name }

// WebAuthnDisplayName is the member's name.
func (h holder) WebAuthnDisplayName() string { return h.row.Name }

// WebAuthnCredentials are the member's keys.
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

// readHolder reads a member of staff and his keys.
func readHolder(r *store.Reader, id int64) (h holder, err error) {
	if h.row, err = r.Staff(id); err != nil {
		return h, err
	}
	rows, err := r.StaffCredentials(id)
	for _, row := range rows {
		var c webauthn.Credential
		if err := json.Unmarshal(row.Body, &c); err != nil {
			return h, fmt.Errorf("staff: credential: %w", err)
		}
		h.keys = append(h.keys, c)
	}
	return h, err
}

// begin remembers a challenge and returns under which name.
func (s *Service) begin(session *webauthn.SessionData, token string) (string, error) {
	name, err := s.secret()
	if err != nil {
		return "", err
	}
	now := s.Clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, c := range s.ceremony {
		if c.ends.Before(now) {
			delete(s.ceremony, n)
		}
	}
	if len(s.ceremony) >= maxCeremonies {
		return "", ErrTooOften
	}
	s.ceremony[name] = ceremony{session: *session, ends: now.Add(ceremonyTime), token: token}
	return name, nil
}

// finish forgets a challenge, so that it can be answered once, and returns it.
func (s *Service) finish(name string) (ceremony, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.ceremony[name]
	delete(s.ceremony, name)
	if !ok || c.ends.Before(s.Clock.Now()) {
		return ceremony{}, ErrProof
	}
	return c, nil
}

// BeginKey asks a browser for a signature by any key of the staff. It returns the options for the
// browser, and under which name to finish.
//
// https://www.w3.org/TR/webauthn-3/#sctn-verifying-assertion
func (s *Service) BeginKey(address string) (options any, name string, err error) {
	if s.web == nil {
		return nil, "", ErrNoKeys
	}
	if s.tooOften(address, "") {
		return nil, "", ErrTooOften
	}
	o, session, err := s.web.BeginDiscoverableLogin(
		webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, "", fmt.Errorf("staff: key: %w", err)
	}
	name, err = s.begin(session, "")
	return o, name, err
}

// FinishKey proves somebody by the browser's answer to BeginKey; ErrProof when it proves nobody.
func (s *Service) FinishKey(ctx context.Context, name string, answer []byte) (Member, error) {
	c, err := s.finish(name)
	if err != nil {
		return Member{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBody(bytes.NewReader(answer))
	if err != nil {
		return Member{}, ErrProof
	}
	var h holder
	find := func(_, handle []byte) (webauthn.User, error) {
		if len(handle) != 8 {
			return nil, ErrProof
		}
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			h, err = readHolder(r, int64(binary.BigEndian.Uint64(handle)))
			return err
		})
		return h, err
	}
	credential, err := s.web.ValidateDiscoverableLogin(find, c.session, parsed)
	if err != nil || h.row.Flags&disabled != 0 || credential.Authenticator.CloneWarning {
		return member(h.row), ErrProof
	}
	return member(h.row), s.keepKey(ctx, h.row.ID, credential, nil)
}

// keepKey writes a key, with its counter, and what changed of its holder.
func (s *Service) keepKey(
	ctx context.Context, id int64, c *webauthn.Credential, also func(*store.Staff) error,
) error {
	body, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("staff: credential: %w", err)
	}
	now := s.Clock.Now().Unix()
	return s.change(ctx, id, func(tx *store.Tx, row *store.Staff) error {
		if also != nil {
			if err := also(row); err != nil {
				return err
			}
		}
		return tx.PutStaffCredential(store.StaffCredential{
			Staff: id, ID: base64.RawURLEncoding.EncodeToString(c.ID), Body: body, Created: now,
			Used: now,
		})
	})
}

// BeginEnrolKey asks the browser of whoever holds an enrolment link for a new key.
//
// https://www.w3.org/TR/webauthn-3/#sctn-registering-a-new-credential
func (s *Service) BeginEnrolKey(
	ctx context.Context, token string,
) (options any, name string, err error) {
	if s.web == nil {
		return nil, "", ErrNoKeys
	}
	m, err := s.Enrolling(ctx, token)
	if err != nil {
		return nil, "", err
	}
	var h holder
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		h, err = readHolder(r, m.ID)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	o, session, err := s.web.BeginRegistration(h)
	if err != nil {
		return nil, "", fmt.Errorf("staff: key: %w", err)
	}
	name, err = s.begin(session, token)
	return o, name, err
}

// FinishEnrolKey keeps the key that a browser made for BeginEnrolKey. The link is used up.
func (s *Service) FinishEnrolKey(ctx context.Context, name string, answer []byte) (Member, error) {
	c, err := s.finish(name)
	if err != nil {
		return Member{}, err
	}
	m, err := s.Enrolling(ctx, c.token)
	if err != nil {
		return Member{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBody(bytes.NewReader(answer))
	if err != nil {
		return Member{}, ErrProof
	}
	credential, err := s.web.CreateCredential(holder{row: store.Staff{ID: m.ID, Name: m.Name}},
		c.session, parsed)
	if err != nil {
		return Member{}, errors.Join(ErrProof, err)
	}
	return m, s.keepKey(ctx, m.ID, credential, func(row *store.Staff) error {
		if !s.linkIs(row, c.token) {
			return ErrLink
		}
		row.EnrolHash, row.EnrolExpires = "", 0
		return nil
	})
}
