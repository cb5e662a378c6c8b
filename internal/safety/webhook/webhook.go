// Package webhook tells the programs of agencies and hotlines what happened to what they sent: a
// signed POST to an address that a supervisor of the agency has set. It is an outbox: what is to be
// told is written in the transaction of what it tells of, and delivered later, until the receiver
// took it.
//
// Invariants: a call names our references and states, and nothing of what was reported, ordered or
// decided; an address begins with https and leads to the public internet, looked at as the
// connection is made; one that leads elsewhere is given up, and nobody learns what answered there.
// A call may come twice, under the same Idempotency-Key; nothing is lost before three days of tries
// are over. The papers and outcomes themselves lie with the agency whatever becomes of its calls.
package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/clock"
	"parley/internal/hook"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/agency"
	"parley/internal/safety/owed"
	"parley/internal/store"
)

// Kind is what a call tells of. It is part of the public form.
type Kind string

// The kinds.
const (
	// Test is sent when an address was set.
	Test Kind = "test"
	// Receipt is a submission that was stored, Outcome how one of its things ended or ended anew.
	Receipt Kind = "receipt"
	Outcome Kind = "outcome"
	// Warning and Suspension are measures for misuse, Complaint what was decided about one.
	Warning    Kind = "warning"
	Suspension Kind = "suspension"
	Complaint  Kind = "complaint"
	// Paper is a signed paper about an order that waits to be fetched.
	Paper Kind = "paper"
)

// Event is what a program is told, as it is sent.
type Event struct {
	Event Kind `json:"event"`
	// At is when it happened, by RFC 3339.
	At string `json:"at"`
	// Reference is ours of what it is about, Of that of what it belongs to, State how it is now.
	Reference string `json:"reference,omitempty"`
	Of        string `json:"of,omitempty"`
	State     string `json:"state,omitempty"`
	// Path is where it lies at the interface of programs.
	Path string `json:"path,omitempty"`
}

// Address is where the programs of an agency are told.
type Address struct {
	URL string `cbor:"1,keyasint"`
	// Officer set it, Set when; Nonce is what its secret is derived from.
	Officer int64  `cbor:"2,keyasint"`
	Set     int64  `cbor:"3,keyasint"`
	Nonce   []byte `cbor:"4,keyasint"`
	// Took is when the receiver took a call last, Failed when it last took none, and Problem why.
	Took    int64  `cbor:"5,keyasint,omitempty"`
	Failed  int64  `cbor:"6,keyasint,omitempty"`
	Problem string `cbor:"7,keyasint,omitempty"`
}

// Errors of the package.
var (
	// ErrStanding says that only a supervisor of the agency sets its address.
	ErrStanding = errors.New("webhook: only a supervisor sets the address")
	// ErrURL says that an address is not one of https, or names a user.
	ErrURL = errors.New("webhook: not an https address")
)

const (
	// period is how often calls are looked for that nobody woke Run for.
	period = 10 * time.Second
	// page is how many calls are made in one go.
	page = 100
	// giveUp is for how long a call is tried, in seconds.
	giveUp = 3 * 24 * 60 * 60
	// urlBytes bounds an address, in bytes; nonceBytes is the size of a nonce.
	urlBytes   = 500
	nonceBytes = 16
)

// between is the time between two tries of a call.
func between() owed.Backoff { return owed.Backoff{First: 30 * time.Second, Last: 6 * time.Hour} }

// Options are what a Service is made of.
type Options struct {
	Store  *store.Store
	Clock  clock.Clock
	Random io.Reader
	// Key is what the secrets that calls are signed with are derived from.
	Key [32]byte
	// Private lets addresses lead to this machine, RootCAs are who is trusted: for tests. Nothing
	// in the configuration sets them.
	Private bool
	RootCAs *x509.CertPool
	Log     *slog.Logger
	// Called hears of every call that was made or given up; nil hears nothing.
	Called func(k Kind, made bool)
}

// Service tells programs. It is safe for concurrent use.
type Service struct {
	Options
	worker owed.Worker
}

// New returns a service.
func New(o Options) *Service {
	if o.Called == nil {
		o.Called = func(Kind, bool) {}
	}
	return &Service{Options: o}
}

// key is the shard of an agency.
func key(of int64) ids.Peer { return ids.Peer(of) }

// AddressOf returns where an agency's programs are told. store.ErrNotFound.
func AddressOf(r *store.Reader, of int64) (a Address, err error) {
	x, err := r.AgencyHook(of)
	if err != nil {
		return a, err
	}
	if err := cbor.Unmarshal(x.Body, &a); err != nil {
		return a, fmt.Errorf("webhook: address of %d: %w", of, err)
	}
	return a, nil
}

func put(tx *store.Tx, of int64, a Address) error {
	body, err := cbor.Marshal(a)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	return tx.PutAgencyHook(store.AgencyHook{Agency: of, Body: body})
}

// secret is what calls to an address are signed with.
func (s *Service) secret(of int64, nonce []byte) string {
	mac := hmac.New(sha256.New, s.Key[:])
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(of)))
	mac.Write(nonce)
	return hex.EncodeToString(mac.Sum(nil))
}

func (s *Service) poster(of int64, a Address) (*hook.Poster, error) {
	return hook.New(hook.Options{
		URL: a.URL, Secret: []byte(s.secret(of, a.Nonce)), AllowPrivate: s.Private,
		RootCAs: s.RootCAs,
	})
}

// Set has an agency's programs told at an address from now on, and returns the secret that calls to
// it are signed with, which cannot be shown again. The first call is a test. Errors: ErrStanding,
// ErrURL.
func (s *Service) Set(ctx context.Context, by agency.Officer, url string) (string, error) {
	a := Address{URL: url, Officer: by.ID, Nonce: make([]byte, nonceBytes)}
	if _, err := io.ReadFull(s.Random, a.Nonce); err != nil {
		return "", fmt.Errorf("webhook: %w", err)
	}
	if _, err := s.poster(by.Agency, a); err != nil || len(url) > urlBytes {
		return "", ErrURL
	}
	err := s.change(ctx, by, func(tx *store.Tx) error {
		a.Set = s.Clock.Now().Unix()
		if err := put(tx, by.Agency, a); err != nil {
			return err
		}
		return s.Owe(tx, by.Agency, Event{Event: Test})
	})
	if err != nil {
		return "", err
	}
	return s.secret(by.Agency, a.Nonce), nil
}

// Forget has an agency's programs told nothing any more. Errors: ErrStanding.
func (s *Service) Forget(ctx context.Context, by agency.Officer) error {
	return s.change(ctx, by, func(tx *store.Tx) error {
		return tx.ForgetAgencyHook(by.Agency)
	})
}

// change runs fn in the transaction of an agency for a supervisor of it who has standing.
func (s *Service) change(
	ctx context.Context, by agency.Officer, fn func(*store.Tx) error,
) error {
	err := s.Store.Update(ctx, key(by.Agency), func(tx *store.Tx) error {
		now := s.Clock.Now().Unix()
		st, err := agency.StandingOf(&tx.Reader, by.Agency, by.ID, now)
		if err == nil && (st.Problem != "" || st.Officer.Role != agency.Supervisor) {
			err = ErrStanding
		}
		if err != nil {
			return err
		}
		return fn(tx)
	})
	if err == nil {
		s.worker.Wake()
	}
	return err
}

// Owe writes what an agency's programs are to be told, in the transaction of the agency in which it
// happens. An agency that has no address is owed nothing. Run gets to it within seconds.
func (s *Service) Owe(tx *store.Tx, of int64, e Event) error {
	_, err := tx.AgencyHook(of)
	if store.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	if e.At == "" {
		e.At = now.UTC().Format(time.RFC3339)
	}
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	id, err := safety.NewID(now, s.Random)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	return tx.AddAgencyCall(store.AgencyCall{
		Agency: of, ID: id, Due: now.Unix(), Created: now.Unix(), Body: body,
	})
}
