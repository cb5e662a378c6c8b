package agency

import (
	"context"
	"fmt"
	"strings"

	"parley/internal/safety"
	"parley/internal/store"
)

// Key is a key with which a program of an agency gives notices and brings orders, and reads what
// became of them. It gives no order by itself: an officer has to put his key to what it brought.
type Key struct {
	Agency, ID       int64
	Label            string
	Staff            int64
	Created, Expires int64
	Revoked          int64
}

// IssueKey makes a key of an active agency's program, good until a time, and returns its secret,
// which cannot be shown again.
func (s *Service) IssueKey(
	ctx context.Context, staff, agency int64, label string, expires int64,
) (secret string, err error) {
	now := s.Clock.Now()
	if label = strings.TrimSpace(label); label == "" || expires <= now.Unix() {
		return "", Refusal{"key", "missing"}
	}
	id, err := safety.NewID(now, s.Random)
	if err != nil {
		return "", fmt.Errorf("agency: %w", err)
	}
	secret, hash, err := s.secret(keyPurpose, agency, id)
	if err != nil {
		return "", err
	}
	err = s.change(ctx, agency, func(tx *store.Tx, a *Agency, now int64) (Event, error) {
		if a.State != Active {
			return Event{}, ErrState
		}
		return Event{Staff: staff, Kind: KeyIssued, Text: label}, tx.PutAgencyKey(store.AgencyKey{
			Agency: agency, ID: id, Label: label, Hash: hash, Staff: staff, Created: now,
			Expires: expires,
		})
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// Keys returns the keys of an agency's programs, the oldest first.
func Keys(r *store.Reader, agency int64) (out []Key, err error) {
	rows, err := r.AgencyKeys(agency, most)
	for _, x := range rows {
		out = append(out, Key{
			Agency: x.Agency, ID: x.ID, Label: x.Label, Staff: x.Staff, Created: x.Created,
			Expires: x.Expires, Revoked: x.Revoked,
		})
	}
	return out, err
}

// RevokeKey takes a key back. store.ErrNotFound.
func (s *Service) RevokeKey(ctx context.Context, staff, agency, id int64) error {
	return s.change(ctx, agency, func(tx *store.Tx, _ *Agency, now int64) (Event, error) {
		rows, err := tx.AgencyKeys(agency, most)
		if err != nil {
			return Event{}, err
		}
		for _, x := range rows {
			if x.ID == id {
				x.Revoked = now
				return Event{Staff: staff, Kind: KeyRevoked, Text: x.Label}, tx.PutAgencyKey(x)
			}
		}
		return Event{}, store.ErrNotFound
	})
}

// ByKey returns the agency whose program has a key's secret. ErrProof when the key is good for
// nobody, or its agency has no standing.
func (s *Service) ByKey(ctx context.Context, secret string) (a Agency, err error) {
	agency, id, ok := parts(secret)
	if !ok {
		return a, ErrProof
	}
	now := s.Clock.Now().Unix()
	err = s.Store.View(ctx, func(r *store.Reader) error {
		rows, err := r.AgencyKeys(agency, most)
		if err != nil {
			return err
		}
		for _, x := range rows {
			if x.ID != id || x.Revoked != 0 || x.Expires <= now ||
				!same(x.Hash, digest(keyPurpose, secret)) {
				continue
			}
			if a, err = Of(r, agency); err == nil && a.problem(now) != "" {
				err = ErrProof
			}
			return err
		}
		return ErrProof
	})
	if err != nil {
		return Agency{}, err
	}
	return a, nil
}
