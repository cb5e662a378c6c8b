package signin

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"parley/internal/clock"
)

// Errors of ceremonies.
var (
	// ErrProof says that somebody did not prove who he is. It never says what was wrong.
	ErrProof = errors.New("signin: not proven")
	// ErrTooOften says that somebody tries too often.
	ErrTooOften = errors.New("signin: too many tries")
	// ErrNoKeys says that security keys cannot be bound to a numeric address.
	ErrNoKeys = errors.New("signin: security keys need a host name")
)

// ceremonyTime is how long a person may take to touch his key, maxCeremonies how many of the newest
// are remembered.
const (
	ceremonyTime  = 3 * time.Minute
	maxCeremonies = 1000
)

// Keys holds the ceremonies of security keys that are bound to one address. It is safe for
// concurrent use.
type Keys struct {
	web   *webauthn.WebAuthn
	clock clock.Clock
	rand  io.Reader

	mu   sync.Mutex
	open map[string]ceremony
}

// ceremony is a challenge that was not answered yet.
type ceremony struct {
	session webauthn.SessionData
	ends    time.Time
	// token is that of the enrolment link when a key is being enrolled.
	token string
}

// NewKeys returns ceremonies for keys of the host of an address, to people under a service's name.
// A numeric address has no keys: every ceremony there ends with ErrNoKeys.
func NewKeys(at, service string, c clock.Clock) (*Keys, error) {
	web, err := relyingParty(at, service)
	if err != nil {
		return nil, fmt.Errorf("signin: %w", err)
	}
	return &Keys{web: web, clock: c, rand: rand.Reader, open: make(map[string]ceremony)}, nil
}

// relyingParty is what security keys are bound to: a name, never a numeric address. A loopback
// address goes by its name; for any other there are no keys, and nil is returned.
func relyingParty(at, service string) (*webauthn.WebAuthn, error) {
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
		RPID: host, RPDisplayName: service, RPOrigins: []string{u.Scheme + "://" + u.Host},
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: &resident,
			ResidentKey:        protocol.ResidentKeyRequirementRequired,
			UserVerification:   protocol.VerificationRequired,
		},
	})
}

// Holder is somebody with keys.
type Holder struct {
	// Handle is the user handle, by which a key says whose it is.
	Handle []byte
	Name   string
	Keys   []webauthn.Credential
}

// WebAuthnID is the user handle.
func (h Holder) WebAuthnID() []byte { return h.Handle }

// WebAuthnName is the holder's name.
func (h Holder) WebAuthnName() string { return h.Name }

// WebAuthnDisplayName is the holder's name.
func (h Holder) WebAuthnDisplayName() string { return h.Name }

// WebAuthnCredentials are the holder's keys.
func (h Holder) WebAuthnCredentials() []webauthn.Credential { return h.Keys }

// ReadKeys reads credentials as MarshalKey wrote them.
func ReadKeys(bodies ...[]byte) (out []webauthn.Credential, err error) {
	for _, b := range bodies {
		var c webauthn.Credential
		if err := json.Unmarshal(b, &c); err != nil {
			return nil, fmt.Errorf("signin: credential: %w", err)
		}
		out = append(out, c)
	}
	return out, nil
}

// MarshalKey writes a credential as it is stored, with its counter.
func MarshalKey(c *webauthn.Credential) ([]byte, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("signin: credential: %w", err)
	}
	return b, nil
}

// begin remembers a challenge and returns under which name.
func (k *Keys) begin(session *webauthn.SessionData, token string) (string, error) {
	name, err := Secret(k.rand)
	if err != nil {
		return "", err
	}
	now := k.clock.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	oldest, first := "", now.Add(ceremonyTime)
	for n, c := range k.open {
		if c.ends.Before(now) {
			delete(k.open, n)
		} else if !c.ends.After(first) {
			oldest, first = n, c.ends
		}
	}
	if len(k.open) >= maxCeremonies {
		delete(k.open, oldest) // whoever opens many keeps nobody else out for long
	}
	k.open[name] = ceremony{session: *session, ends: now.Add(ceremonyTime), token: token}
	return name, nil
}

// finish forgets a challenge, so that it can be answered once, and returns it.
func (k *Keys) finish(name string) (ceremony, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c, ok := k.open[name]
	delete(k.open, name)
	if !ok || c.ends.Before(k.clock.Now()) {
		return ceremony{}, ErrProof
	}
	return c, nil
}

// BeginSignIn asks a browser for a signature by any key that is bound here. It returns the options
// for the browser, and under which name to finish.
//
// https://www.w3.org/TR/webauthn-3/#sctn-verifying-assertion
func (k *Keys) BeginSignIn() (options any, name string, err error) {
	if k.web == nil {
		return nil, "", ErrNoKeys
	}
	o, session, err := k.web.BeginDiscoverableLogin(
		webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, "", fmt.Errorf("signin: key: %w", err)
	}
	name, err = k.begin(session, "")
	return o, name, err
}

// FinishSignIn checks a browser's answer to BeginSignIn against the keys of whoever a user handle
// names, which find reads. ErrProof when it proves nobody, also when the key's counter tells that
// there are two of it. The credential has its new counter and must be kept.
func (k *Keys) FinishSignIn(
	name string, answer []byte, find func(handle []byte) (Holder, error),
) (*webauthn.Credential, error) {
	c, err := k.finish(name)
	if err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBody(bytes.NewReader(answer))
	if err != nil {
		return nil, ErrProof
	}
	credential, err := k.web.ValidateDiscoverableLogin(
		func(_, handle []byte) (webauthn.User, error) { return find(handle) }, c.session, parsed)
	if err != nil || credential.Authenticator.CloneWarning {
		return nil, ErrProof
	}
	return credential, nil
}

// BeginEnrol asks the browser of whoever holds an enrolment link for a new key.
//
// https://www.w3.org/TR/webauthn-3/#sctn-registering-a-new-credential
func (k *Keys) BeginEnrol(h Holder, token string) (options any, name string, err error) {
	if k.web == nil {
		return nil, "", ErrNoKeys
	}
	o, session, err := k.web.BeginRegistration(h)
	if err != nil {
		return nil, "", fmt.Errorf("signin: key: %w", err)
	}
	name, err = k.begin(session, token)
	return o, name, err
}

// FinishEnrol checks the key that a browser made for BeginEnrol; find says for whom the token of
// the link is, and its errors are returned. ErrProof for a key that is not good.
func (k *Keys) FinishEnrol(
	name string, answer []byte, find func(token string) (Holder, error),
) (*webauthn.Credential, string, error) {
	c, err := k.finish(name)
	if err != nil {
		return nil, "", err
	}
	h, err := find(c.token)
	if err != nil {
		return nil, "", err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBody(bytes.NewReader(answer))
	if err != nil {
		return nil, "", ErrProof
	}
	credential, err := k.web.CreateCredential(h, c.session, parsed)
	if err != nil {
		return nil, "", errors.Join(ErrProof, err)
	}
	return credential, c.token, nil
}

// Secret draws 32 bytes as text.
func Secret(random io.Reader) (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("signin: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}
