package staff

import (
	"context"
	"encoding/base64"
	"encoding/binary"

	"github.com/go-webauthn/webauthn/webauthn"

	"parley/internal/store"
	"parley/internal/web/signin"
)

// holder is a member of staff as a key names him.
func holder(row store.Staff, keys []webauthn.Credential) signin.Holder {
	return signin.Holder{
		Handle: binary.BigEndian.AppendUint64(nil, uint64(row.ID)), Name: row.Name, Keys: keys,
	}
}

// readHolder reads a member of staff and his keys.
func readHolder(r *store.Reader, id int64) (row store.Staff, h signin.Holder, err error) {
	if row, err = r.Staff(id); err != nil {
		return row, h, err
	}
	rows, err := r.StaffCredentials(id)
	if err != nil {
		return row, h, err
	}
	var bodies [][]byte
	for _, x := range rows {
		bodies = append(bodies, x.Body)
	}
	keys, err := signin.ReadKeys(bodies...)
	return row, holder(row, keys), err
}

// BeginKey asks a browser for a signature by any key of the staff. It returns the options for the
// browser, and under which name to finish.
func (s *Service) BeginKey(address string) (options any, name string, err error) {
	if s.tooOften(address, "") {
		return nil, "", ErrTooOften
	}
	return s.keys.BeginSignIn()
}

// FinishKey proves somebody by the browser's answer to BeginKey; ErrProof when it proves nobody.
func (s *Service) FinishKey(ctx context.Context, name string, answer []byte) (Member, error) {
	var row store.Staff
	credential, err := s.keys.FinishSignIn(name, answer, func(handle []byte) (h signin.Holder,
		err error) {
		if len(handle) != 8 {
			return h, ErrProof
		}
		err = s.Store.View(ctx, func(r *store.Reader) (err error) {
			row, h, err = readHolder(r, int64(binary.BigEndian.Uint64(handle)))
			return err
		})
		return h, err
	})
	if err == nil && row.Flags&disabled != 0 {
		err = ErrProof
	}
	if err != nil {
		return member(row), err
	}
	return member(row), s.keepKey(ctx, row.ID, credential, nil)
}

// keepKey writes a key, with its counter, and what changed of its holder.
func (s *Service) keepKey(
	ctx context.Context, id int64, c *webauthn.Credential, also func(*store.Staff) error,
) error {
	body, err := signin.MarshalKey(c)
	if err != nil {
		return err
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
func (s *Service) BeginEnrolKey(
	ctx context.Context, token string,
) (options any, name string, err error) {
	m, err := s.Enrolling(ctx, token)
	if err != nil {
		return nil, "", err
	}
	var h signin.Holder
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		_, h, err = readHolder(r, m.ID)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return s.keys.BeginEnrol(h, token)
}

// FinishEnrolKey keeps the key that a browser made for BeginEnrolKey. The link is used up.
func (s *Service) FinishEnrolKey(ctx context.Context, name string, answer []byte) (Member, error) {
	var m Member
	credential, token, err := s.keys.FinishEnrol(name, answer, func(token string) (h signin.Holder,
		err error) {
		m, err = s.Enrolling(ctx, token)
		return holder(store.Staff{ID: m.ID, Name: m.Name}, nil), err
	})
	if err != nil {
		return Member{}, err
	}
	return m, s.keepKey(ctx, m.ID, credential, func(row *store.Staff) error {
		if !s.linkIs(row, token) {
			return ErrLink
		}
		row.EnrolHash, row.EnrolExpires = "", 0
		return nil
	})
}
