package account

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/chat"
	"parley/internal/ids"
	"parley/internal/store"
)

// Bounds of push tokens.
const (
	// tokenMost is the longest token of a push service, in bytes. Web push tokens are JSON objects.
	tokenMost = 4096
	// secretMost is the longest key that a client gives for what is pushed to it, in bytes.
	secretMost = 256
	// tokenTypes is above every kind of push service that clients name.
	tokenTypes = 64
)

// pushPrefix begins the names of settings that keep push tokens: "push/KEY/TYPE".
const pushPrefix = "push/"

var errToken = chat.Invalid("TOKEN_INVALID")

// PushToken is where a device wants to be woken.
//
// https://core.telegram.org/method/account.registerDevice
type PushToken struct {
	// KeyID is the auth key of the device.
	KeyID int64 `cbor:"-"`
	// Type tells the push service.
	Type    int    `cbor:"-"`
	Token   string `cbor:"1,keyasint"`
	Sandbox bool   `cbor:"2,keyasint,omitempty"`
	// Secret is the key that pushed content is encrypted with, empty for none.
	Secret []byte `cbor:"3,keyasint,omitempty"`
	// NoMuted says that nothing is to be pushed about chats that are muted.
	NoMuted bool `cbor:"4,keyasint,omitempty"`
	// Since is when the token was given.
	Since int64 `cbor:"5,keyasint"`
}

func pushName(key int64, kind int) string {
	return pushPrefix + strconv.FormatInt(key, 10) + "/" + strconv.Itoa(kind)
}

// RegisterPush notes where the caller's device wants to be woken; it has one token of each type.
//
// https://core.telegram.org/method/account.registerDevice
func (s *Service) RegisterPush(ctx context.Context, c Caller, t PushToken) error {
	switch {
	case t.Type <= 0 || t.Type >= tokenTypes:
		return chat.Invalid("TOKEN_TYPE_INVALID")
	case t.Token == "":
		return chat.Invalid("TOKEN_EMPTY")
	case len(t.Token) > tokenMost || len(t.Secret) > secretMost:
		return errToken
	}
	t.Since = s.now()
	value, err := cbor.Marshal(t)
	if err != nil {
		return fmt.Errorf("account: push token: %w", err)
	}
	return s.Store.Update(ctx, c.user().Peer(), func(tx *store.Tx) error {
		return tx.PutSetting(c.user(), pushName(c.Key.ID, t.Type), value)
	})
}

// UnregisterPush takes a token back.
//
// https://core.telegram.org/method/account.unregisterDevice
func (s *Service) UnregisterPush(ctx context.Context, c Caller, kind int, token string) error {
	return s.Store.Update(ctx, c.user().Peer(), func(tx *store.Tx) error {
		list, err := PushTokens(&tx.Reader, c.user())
		if err != nil {
			return err
		}
		for _, t := range list {
			if t.Type == kind && t.Token == token {
				return tx.PutSetting(c.user(), pushName(t.KeyID, t.Type), nil)
			}
		}
		return errToken
	})
}

// PushTokens returns where a user's devices want to be woken.
func PushTokens(r *store.Reader, user ids.UserID) ([]PushToken, error) {
	all, err := r.Settings(user, pushPrefix)
	if err != nil {
		return nil, err
	}
	var out []PushToken
	for name, value := range all {
		var t PushToken
		if err := cbor.Unmarshal(value, &t); err != nil {
			return nil, fmt.Errorf("account: push token of %d: %w", user, err)
		}
		key, kind, _ := strings.Cut(strings.TrimPrefix(name, pushPrefix), "/")
		if t.KeyID, err = strconv.ParseInt(key, 10, 64); err == nil {
			t.Type, err = strconv.Atoi(kind)
		}
		if err != nil {
			return nil, fmt.Errorf("account: push token of %d: %w", user, err)
		}
		out = append(out, t)
	}
	return out, nil
}

// dropPush forgets the tokens of a device.
func dropPush(tx *store.Tx, user ids.UserID, key int64) error {
	all, err := tx.Settings(user, pushPrefix+strconv.FormatInt(key, 10)+"/")
	if err != nil {
		return err
	}
	for name := range all {
		if err := tx.PutSetting(user, name, nil); err != nil {
			return err
		}
	}
	return nil
}
