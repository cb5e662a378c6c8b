package agency_test

import (
	"errors"
	"testing"

	"filippo.io/age"

	"parley/internal/safety/agency"
	"parley/internal/safety/recipient"
	"parley/internal/store"
)

// newKey is an age recipient and its fingerprint.
func newKey(t testing.TB) (text, fingerprint string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	k, err := recipient.Parse(id.Recipient().String())
	if err != nil {
		t.Fatal(err)
	}
	return id.Recipient().String(), k.Fingerprint
}

// TestKeysAreReadOut wants the fingerprint of an agency's key from the agency's own mouth before
// the agency has a standing, and again whenever the key is another.
func TestKeysAreReadOut(t *testing.T) {
	w := start(t)
	refused := func(err error, field string) {
		t.Helper()
		if r := (agency.Refusal{}); !errors.As(err, &r) || r.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	n := office()
	n.Key = "our key is on our website"
	_, err := w.Propose(w.ctx(), anna, n)
	refused(err, "key")
	var fingerprint string
	n.Key, fingerprint = newKey(t)
	a, err := w.Propose(w.ctx(), anna, n)
	w.ok(err)
	refused(w.Verify(w.ctx(), anna, a.ID, call()), "fingerprint")
	c := call()
	c.Fingerprint = fingerprint[:8] + " " + fingerprint[8:]
	w.ok(w.Verify(w.ctx(), anna, a.ID, c))
	w.ok(w.Approve(w.ctx(), boris, a.ID))

	next, newFingerprint := newKey(t)
	refused(w.Rekey(w.ctx(), anna, a.ID, "AGE-SECRET-KEY-1"), "key")
	w.ok(w.Rekey(w.ctx(), anna, a.ID, next))
	var now agency.Agency
	w.ok(w.Store.View(w.ctx(), func(r *store.Reader) (err error) {
		now, err = agency.Of(r, a.ID)
		return err
	}))
	if now.State == agency.Active || now.Key != next {
		t.Errorf("with another key it is %v", now.State)
	}
	if err := w.Approve(w.ctx(), boris, a.ID); !errors.Is(err, agency.ErrState) {
		t.Errorf("approved unchecked: %v", err)
	}
	refused(w.Verify(w.ctx(), boris, a.ID, c), "fingerprint")
	c.Fingerprint = newFingerprint
	w.ok(w.Verify(w.ctx(), boris, a.ID, c))
	if err := w.Approve(w.ctx(), anna, a.ID); !errors.Is(err, agency.ErrSamePerson) {
		t.Errorf("approved by who brought the key: %v", err)
	}
	w.ok(w.Approve(w.ctx(), clara, a.ID))
}
