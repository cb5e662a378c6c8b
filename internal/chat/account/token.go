package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"parley/internal/chat"
	"parley/internal/chat/device"
	"parley/internal/ids"
	"parley/internal/store"
)

// Kinds of store.LoginToken.
const (
	tokenQR     = 1
	tokenExport = 2
)

const (
	// tokenBytes is the entropy of a token.
	tokenBytes = 32
	// qrLife is how long a QR code is good, exportLife how long an exported authorization is.
	qrLife     = 30 * time.Second
	exportLife = 60 * time.Second
	// exceptMost is how many accounts a client may name that it has already.
	exceptMost = 16
	// dataCentres is how many data centres clients know of; all of them are this server.
	dataCentres = 5
)

// Refusals of tokens.
var (
	errTokenInvalid  = chat.Invalid("AUTH_TOKEN_INVALID")
	errTokenExpired  = chat.Invalid("AUTH_TOKEN_EXPIRED")
	errTokenAccepted = chat.Invalid("AUTH_TOKEN_ALREADY_ACCEPTED")
	errTokenExcept   = chat.Invalid("AUTH_TOKEN_EXCEPTION")
	errBytes         = chat.Invalid("AUTH_BYTES_INVALID")
	errDC            = chat.Invalid("DC_ID_INVALID")
)

// LoginToken is what a waiting device shows as a QR code, or that it is in.
type LoginToken struct {
	Token   []byte
	Expires int64
	// User is set instead once another device has accepted the token.
	User ids.UserID
}

func tokenDigest(token []byte) string {
	sum := sha256.Sum256(token)
	return hex.EncodeToString(sum[:])
}

// newToken keeps the digest of a fresh token.
func (s *Service) newToken(ctx context.Context, row store.LoginToken) ([]byte, error) {
	token := make([]byte, tokenBytes)
	if _, err := io.ReadFull(s.Rand, token); err != nil {
		return nil, fmt.Errorf("account: token: %w", err)
	}
	row.Hash, row.Created = tokenDigest(token), s.now()
	err := s.counter(ctx, func(tx *store.Tx) error { return tx.PutLoginToken(row) })
	if err != nil {
		return nil, fmt.Errorf("account: token: %w", err)
	}
	return token, nil
}

// ExportLoginToken returns a token for the caller to show as a QR code, or his account when a
// device has accepted one. It answers ErrPasswordNeeded when that account has a cloud password.
//
// https://core.telegram.org/api/qr-login
func (s *Service) ExportLoginToken(
	ctx context.Context, c Caller, app App, except []int64,
) (LoginToken, error) {
	if err := s.admitApp(app); err != nil {
		return LoginToken{}, err
	}
	if done, t, err := accepted(c); done {
		return t, err
	}
	token, err := s.newToken(ctx, store.LoginToken{
		Kind: tokenQR, KeyID: c.Key.ID, Except: joined(except),
	})
	if err != nil {
		return LoginToken{}, err
	}
	return LoginToken{Token: token, Expires: s.now() + int64(qrLife/time.Second)}, nil
}

// accepted answers a device that was let in since it showed its token.
func accepted(c Caller) (bool, LoginToken, error) {
	switch c.Key.State {
	case store.KeyAuthorized:
		return true, LoginToken{User: c.Key.User}, nil
	case store.KeyPassword:
		return true, LoginToken{}, ErrPasswordNeeded
	default:
		return false, LoginToken{}, nil
	}
}

func joined(list []int64) string {
	if len(list) > exceptMost {
		list = list[:exceptMost]
	}
	parts := make([]string, len(list))
	for i, id := range list {
		parts[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(parts, ",")
}

func contains(list string, user ids.UserID) bool {
	for part := range strings.SplitSeq(list, ",") {
		if part == strconv.FormatInt(int64(user), 10) {
			return true
		}
	}
	return false
}

// ImportLoginToken returns what ExportLoginToken would for a token that the caller has shown. It
// exists for logins that go on at another data centre; here all of them are one.
//
// https://core.telegram.org/method/auth.importLoginToken
func (s *Service) ImportLoginToken(
	ctx context.Context, c Caller, token []byte,
) (LoginToken, error) {
	var row store.LoginToken
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		row, err = s.shown(r, token)
		return err
	})
	if err != nil {
		return LoginToken{}, err
	}
	if row.KeyID != c.Key.ID {
		return LoginToken{}, errTokenInvalid
	}
	if done, t, err := accepted(c); done {
		return t, err
	}
	return LoginToken{Token: token, Expires: row.Created + int64(qrLife/time.Second)}, nil
}

// shown returns a token of a QR code that has not expired.
func (s *Service) shown(r *store.Reader, token []byte) (store.LoginToken, error) {
	row, err := r.LoginToken(tokenDigest(token))
	if errors.Is(err, store.ErrNotFound) || err == nil && row.Kind != tokenQR {
		return row, errTokenInvalid
	}
	if err != nil {
		return row, fmt.Errorf("account: token: %w", err)
	}
	if s.now() >= row.Created+int64(qrLife/time.Second) {
		return row, errTokenExpired
	}
	return row, nil
}

// AcceptLoginToken lets the device that shows a token into the caller's account and returns it.
//
// https://core.telegram.org/method/auth.acceptLoginToken
func (s *Service) AcceptLoginToken(
	ctx context.Context, c Caller, token []byte,
) (Device, error) {
	var row store.LoginToken
	err := s.counter(ctx, func(tx *store.Tx) (err error) {
		if row, err = s.shown(&tx.Reader, token); err != nil {
			return err
		}
		switch {
		case row.User != 0:
			return errTokenAccepted
		case contains(row.Except, c.user()):
			return errTokenExcept
		}
		row.User = c.user()
		return tx.PutLoginToken(row)
	})
	if err != nil {
		return Device{}, err
	}
	dev, err := s.Devices.Find(ctx, row.KeyID)
	if errors.Is(err, device.ErrUnknown) || err == nil && dev.State != store.KeyFresh {
		return Device{}, errTokenInvalid
	}
	if err != nil {
		return Device{}, fmt.Errorf("account: token: %w", err)
	}
	return s.letIn(ctx, c, Caller{Key: dev.AuthKey})
}

// letIn authorizes a device that another one has vouched for.
func (s *Service) letIn(ctx context.Context, c, guest Caller) (Device, error) {
	var locked bool
	err := s.Store.View(ctx, func(r *store.Reader) error {
		p, err := passwordOf(r, c.user())
		locked = p.set()
		return err
	})
	if err != nil {
		return Device{}, fmt.Errorf("account: token: %w", err)
	}
	flags := int64(0)
	if locked {
		flags = owesPassword
	}
	if err := s.authorize(ctx, guest, c.user(), flags); err != nil {
		return Device{}, err
	}
	s.TokenAccepted(guest.Key.ID)
	var rows []store.Authorization
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		rows, err = r.Authorizations(c.user())
		return err
	})
	for _, a := range rows {
		if a.KeyID == guest.Key.ID {
			return Device{Authorization: a, LangPack: guest.Key.LangPack}, nil
		}
	}
	return Device{}, errors.Join(err, errTokenInvalid)
}

// ExportAuthorization returns what lets one more key act for the caller's account, once, within a
// minute: clients ask for it before they talk to what they take for another data centre.
//
// https://core.telegram.org/method/auth.exportAuthorization
func (s *Service) ExportAuthorization(ctx context.Context, c Caller, dc int) ([]byte, error) {
	if dc < 1 || dc > dataCentres {
		return nil, errDC
	}
	return s.newToken(ctx, store.LoginToken{
		Kind: tokenExport, KeyID: c.Key.ID, User: c.user(),
	})
}

// ImportAuthorization lets the caller's key act for the account that exported its authorization.
// The key becomes part of the device that did and ends with it.
//
// https://core.telegram.org/method/auth.importAuthorization
func (s *Service) ImportAuthorization(
	ctx context.Context, c Caller, user ids.UserID, token []byte,
) (Login, error) {
	var row store.LoginToken
	err := s.counter(ctx, func(tx *store.Tx) (err error) {
		row, err = tx.LoginToken(tokenDigest(token))
		if err != nil || row.Kind != tokenExport {
			return err
		}
		return tx.DeleteLoginToken(row.Hash)
	})
	if errors.Is(err, store.ErrNotFound) {
		return Login{}, errBytes
	}
	if err != nil {
		return Login{}, fmt.Errorf("account: import: %w", err)
	}
	late := s.now() >= row.Created+int64(exportLife/time.Second)
	if late || row.Kind != tokenExport || row.User != user {
		return Login{}, errBytes
	}
	if c.user() == user {
		return Login{User: user}, nil
	}
	if c.user() != 0 {
		return Login{}, errRestart
	}
	return Login{User: user}, s.adopt(ctx, c, user, row.KeyID)
}

// adopt makes a key part of a device, which must still be logged in.
func (s *Service) adopt(ctx context.Context, c Caller, user ids.UserID, exporter int64) error {
	hash, err := s.number()
	if err != nil {
		return err
	}
	err = s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
		rows, err := tx.Authorizations(user)
		if err != nil {
			return err
		}
		parent := MainKey(rows, exporter)
		for _, a := range rows {
			if a.KeyID != parent || !proven(a) {
				continue
			}
			a.Hash, a.KeyID, a.Parent = hash, c.Key.ID, parent
			a.Active, a.IP = s.now(), c.IP
			return tx.PutAuthorization(a)
		}
		return errBytes
	})
	if err != nil {
		return err
	}
	return s.grant(ctx, user, c.Key.ID, store.KeyAuthorized)
}
