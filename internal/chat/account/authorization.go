package account

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"parley/internal/chat"
	"parley/internal/chat/device"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// Bits of store.Authorization.Flags.
const (
	provedPassword = 1 << 0
	refusesSecret  = 1 << 1
	refusesCalls   = 1 << 2
	owesPassword   = 1 << 3
	unconfirmed    = 1 << 4
)

// freshFor is how long a new device may not end others, nor change the password or the number.
const freshFor = 24 * time.Hour

// confirmedAfter is when a new device counts as confirmed although no other one said so. Clients
// know it as authorization_autoconfirm_period.
const confirmedAfter = 7 * 24 * time.Hour

// touchEvery is how exactly it is known when a device was last used.
const touchEvery = 5 * time.Minute

// Bounds of the days after which silent devices and accounts end.
const (
	deviceTTLLeast  = 7
	accountTTLLeast = 30
	ttlMost         = 730
	defaultTTLDays  = 548
)

// deviceTTLSetting names the setting that keeps after how many days a user's devices end.
const deviceTTLSetting = "device_ttl"

// Refusals about devices.
var (
	errHash       = chat.Invalid("HASH_INVALID")
	errTTL        = chat.Invalid("TTL_DAYS_INVALID")
	errFresh      = chat.Refusal{Code: 406, Reason: "FRESH_RESET_AUTHORISATION_FORBIDDEN"}
	errFreshPhone = chat.Refusal{Code: 406, Reason: "FRESH_CHANGE_PHONE_FORBIDDEN"}
)

// Device is one of an account's devices as its owner sees it.
type Device struct {
	store.Authorization
	// Current is the device that asks.
	Current bool
	// LangPack tells which application it is.
	LangPack string
}

// PasswordPending tells that the device has given a right code and not yet the password.
func (d Device) PasswordPending() bool { return d.Flags&owesPassword != 0 }

// RefusesSecretChats tells that the device takes no secret chats.
func (d Device) RefusesSecretChats() bool { return d.Flags&refusesSecret != 0 }

// RefusesCalls tells that the device takes no calls.
func (d Device) RefusesCalls() bool { return d.Flags&refusesCalls != 0 }

// Unconfirmed tells at a time that no other device has said yet that this one is welcome.
func (d Device) Unconfirmed(now int64) bool {
	return d.Flags&unconfirmed != 0 && now < d.Created+int64(confirmedAfter/time.Second)
}

func (s *Service) number() (int64, error) {
	var b [8]byte
	for {
		if _, err := io.ReadFull(s.Rand, b[:]); err != nil {
			return 0, fmt.Errorf("account: random number: %w", err)
		}
		if n := int64(binary.LittleEndian.Uint64(b[:])); n != 0 {
			return n, nil
		}
	}
}

// List returns the caller's devices and after how many silent days they end.
//
// https://core.telegram.org/method/account.getAuthorizations
func (s *Service) List(ctx context.Context, c Caller) (list []Device, ttlDays int, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		rows, err := r.Authorizations(c.user())
		if err != nil {
			return err
		}
		list = list[:0]
		self := MainKey(rows, c.Key.ID)
		for _, a := range rows {
			if a.Parent != 0 {
				continue
			}
			d := Device{Authorization: a, Current: a.KeyID == self}
			if k, err := r.AuthKey(a.KeyID); err == nil {
				d.LangPack = k.LangPack
			}
			list = append(list, d)
		}
		ttlDays, err = s.deviceTTL(r, c.user())
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("account: devices: %w", err)
	}
	return list, ttlDays, nil
}

// MainKey returns the key of the device that a key belongs to.
func MainKey(rows []store.Authorization, key int64) int64 {
	for _, a := range rows {
		if a.KeyID == key && a.Parent != 0 {
			return a.Parent
		}
	}
	return key
}

func (s *Service) deviceTTL(r *store.Reader, user ids.UserID) (int, error) {
	value, err := r.Setting(user, deviceTTLSetting)
	if err != nil {
		return 0, err
	}
	if days, err := strconv.Atoi(string(value)); err == nil {
		return days, nil
	}
	return int(s.IdleDevices / (24 * time.Hour)), nil
}

// own returns the caller's devices and the one that asks.
func (s *Service) own(
	ctx context.Context, c Caller,
) (self store.Authorization, rows []store.Authorization, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		rows, err = r.Authorizations(c.user())
		return err
	})
	if err != nil {
		return self, nil, fmt.Errorf("account: devices: %w", err)
	}
	key := MainKey(rows, c.Key.ID)
	for _, a := range rows {
		if a.KeyID == key {
			self = a
		}
	}
	return self, rows, nil
}

// fresh tells whether a device is too new to act against others.
func (s *Service) fresh(self store.Authorization) bool {
	return s.now() < self.Created+int64(freshFor/time.Second)
}

// ResetDevice logs another device out.
//
// https://core.telegram.org/method/account.resetAuthorization
func (s *Service) ResetDevice(ctx context.Context, c Caller, hash int64) error {
	self, rows, err := s.own(ctx, c)
	if err != nil {
		return err
	}
	for _, a := range rows {
		if hash == 0 || a.Hash != hash || a.Parent != 0 || a.KeyID == self.KeyID {
			continue
		}
		if s.fresh(self) {
			return errFresh
		}
		return s.revoke(ctx, c.user(), []int64{a.KeyID})
	}
	return errHash
}

// ResetOthers logs all other devices out.
//
// https://core.telegram.org/method/auth.resetAuthorizations
func (s *Service) ResetOthers(ctx context.Context, c Caller) error {
	self, rows, err := s.own(ctx, c)
	if err != nil {
		return err
	}
	if s.fresh(self) {
		return errFresh
	}
	var others []int64
	for _, a := range rows {
		if a.KeyID != self.KeyID && a.Parent != self.KeyID {
			others = append(others, a.KeyID)
		}
	}
	return s.revoke(ctx, c.user(), others)
}

// LogOut ends the caller's device: its key acts for nobody any more.
//
// https://core.telegram.org/method/auth.logOut
func (s *Service) LogOut(ctx context.Context, c Caller) error {
	var rows []store.Authorization
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		rows, err = r.Authorizations(c.Key.User)
		return err
	})
	if err != nil {
		return fmt.Errorf("account: log out: %w", err)
	}
	keys := []int64{c.Key.ID}
	if self := MainKey(rows, c.Key.ID); self != c.Key.ID {
		keys = append(keys, self)
	}
	return s.revoke(ctx, c.Key.User, keys)
}

// RevokeAll logs out every device of an account.
func (s *Service) RevokeAll(ctx context.Context, user ids.UserID) error {
	var keys []int64
	err := s.Store.View(ctx, func(r *store.Reader) error {
		rows, err := r.Authorizations(user)
		keys = keys[:0]
		for _, a := range rows {
			keys = append(keys, a.KeyID)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("account: devices: %w", err)
	}
	return s.revoke(ctx, user, keys)
}

// revoke ends devices with the keys that they exported their authorization to, and their live
// sessions. A key loses the account before it is taken off the list: a crash between leaves a line
// without power, never power without a line. It is told twice, because a login that was under way
// puts its key on the list, lets it act, and looks for its line again (see grant): whichever way
// the two interleave, the key ends up without the account.
func (s *Service) revoke(ctx context.Context, user ids.UserID, keys []int64) error {
	for len(keys) > 0 {
		if err := s.strip(ctx, user, keys); err != nil {
			return err
		}
		var orphans []int64
		err := s.Store.Update(ctx, user.Peer(), func(tx *store.Tx) (err error) {
			orphans, err = s.delist(tx, user, keys)
			return err
		})
		if err != nil {
			return fmt.Errorf("account: revoke: %w", err)
		}
		if err := s.strip(ctx, user, keys); err != nil {
			return err
		}
		for _, key := range keys {
			s.Cut(key)
		}
		keys = orphans
	}
	return nil
}

// strip makes keys act for nobody, as far as they act for the account.
func (s *Service) strip(ctx context.Context, user ids.UserID, keys []int64) error {
	for _, key := range keys {
		dev, err := s.Devices.Find(ctx, key)
		if err == nil && dev.User == user {
			_, err = s.Devices.Change(ctx, key, func(k *store.AuthKey) error {
				if k.User == user {
					k.User, k.State = 0, store.KeyFresh
				}
				return nil
			})
		}
		if err != nil && !errors.Is(err, device.ErrUnknown) {
			return fmt.Errorf("account: revoke: %w", err)
		}
	}
	return nil
}

// delist takes keys off the list and returns those left on it that belonged to them. When they were
// last used stays known as when the user was last seen: it decides when the account ends.
func (s *Service) delist(tx *store.Tx, user ids.UserID, keys []int64) ([]int64, error) {
	rows, err := tx.Authorizations(user)
	if err != nil {
		return nil, err
	}
	var orphans []int64
	for _, a := range rows {
		if slices.Contains(keys, a.KeyID) && proven(a) {
			if err := tx.Seen(user, a.Active); err != nil {
				return nil, err
			}
		}
		if slices.Contains(keys, a.Parent) && !slices.Contains(keys, a.KeyID) {
			orphans = append(orphans, a.KeyID)
		}
	}
	for _, key := range keys {
		if err := tx.DeleteAuthorization(user, key); err != nil {
			return nil, err
		}
		if err := dropPush(tx, user, key); err != nil {
			return nil, err
		}
		if err := s.Ended(tx, user, key, s.now()); err != nil {
			return nil, err
		}
	}
	return orphans, nil
}

// grant lets a key that is on the account's list act for it, or, while it owes the password, prove
// it. When the key was taken off the list meanwhile, it stays without the account.
func (s *Service) grant(
	ctx context.Context, user ids.UserID, key int64, state store.AuthKeyState,
) error {
	_, err := s.Devices.Change(ctx, key, func(k *store.AuthKey) error {
		k.User, k.State = user, state
		return nil
	})
	if err != nil {
		return fmt.Errorf("account: log in: %w", err)
	}
	listed := false
	err = s.Store.View(ctx, func(r *store.Reader) error {
		rows, err := r.Authorizations(user)
		listed = slices.ContainsFunc(rows, func(a store.Authorization) bool {
			return a.KeyID == key
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("account: log in: %w", err)
	}
	if listed {
		return nil
	}
	if err := s.strip(ctx, user, []int64{key}); err != nil {
		return err
	}
	return errRestart
}

// thin ends the devices that were silent longest when an account has too many.
func (s *Service) thin(ctx context.Context, others []store.Authorization) error {
	if len(others) < limit.Devices {
		return nil
	}
	var keys []int64
	for _, a := range others[limit.Devices-1:] {
		keys = append(keys, a.KeyID)
	}
	return s.revoke(ctx, others[0].User, keys)
}

// Touch notes that a device is in use, from where, and with which application.
func (s *Service) Touch(ctx context.Context, c Caller) error {
	self, rows, err := s.own(ctx, c)
	if err != nil {
		return err
	}
	for _, a := range rows {
		if a.KeyID != c.Key.ID && a.KeyID != self.KeyID {
			continue
		}
		recent := s.now() < a.Active+int64(touchEvery/time.Second)
		if recent && a.IP == c.IP && a.App == c.Key.App && a.Device == c.Key.Device {
			continue
		}
		a.Active, a.IP = s.now(), c.IP
		a.Device, a.System, a.App = c.Key.Device, c.Key.System, c.Key.App
		err := s.Store.Update(ctx, a.User.Peer(), func(tx *store.Tx) error {
			return tx.TouchAuthorization(a)
		})
		if err != nil {
			return fmt.Errorf("account: touch: %w", err)
		}
	}
	return nil
}

// SetDeviceTTL says after how many silent days the caller's devices end.
//
// https://core.telegram.org/method/account.setAuthorizationTTL
func (s *Service) SetDeviceTTL(ctx context.Context, c Caller, days int) error {
	if days < deviceTTLLeast || days > ttlMost {
		return errTTL
	}
	return s.Store.Update(ctx, c.user().Peer(), func(tx *store.Tx) error {
		return tx.PutSetting(c.user(), deviceTTLSetting, []byte(strconv.Itoa(days)))
	})
}

// DeviceChange is what a user changes about one of his devices; nil leaves as it is.
type DeviceChange struct {
	// Confirmed says that the device is welcome.
	Confirmed          bool
	RefusesSecretChats *bool
	RefusesCalls       *bool
}

// ChangeDevice changes a device of the caller, the one that asks when hash is 0.
//
// https://core.telegram.org/method/account.changeAuthorizationSettings
func (s *Service) ChangeDevice(ctx context.Context, c Caller, hash int64, ch DeviceChange) error {
	set := func(flags *int64, bit int64, value *bool) {
		if value == nil {
			return
		}
		*flags &^= bit
		if *value {
			*flags |= bit
		}
	}
	return s.Store.Update(ctx, c.user().Peer(), func(tx *store.Tx) error {
		rows, err := tx.Authorizations(c.user())
		if err != nil {
			return err
		}
		self := MainKey(rows, c.Key.ID)
		for _, a := range rows {
			if hash == 0 && a.KeyID != self || hash != 0 && a.Hash != hash || a.Parent != 0 {
				continue
			}
			set(&a.Flags, refusesSecret, ch.RefusesSecretChats)
			set(&a.Flags, refusesCalls, ch.RefusesCalls)
			if ch.Confirmed && a.KeyID != self {
				a.Flags &^= unconfirmed
			}
			return tx.PutAuthorization(a)
		}
		return errHash
	})
}

// AccountTTL returns after how many days without a visit the caller's account ends, and
// SetAccountTTL changes it.
//
// https://core.telegram.org/method/account.getAccountTTL
func (s *Service) AccountTTL(ctx context.Context, c Caller) (days int, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		u, err := r.User(c.user())
		days = int(u.TTLDays)
		return err
	})
	return days, err
}

// SetAccountTTL changes after how many days without a visit the caller's account ends.
//
// https://core.telegram.org/method/account.setAccountTTL
func (s *Service) SetAccountTTL(ctx context.Context, c Caller, days int) error {
	if days < accountTTLLeast || days > ttlMost {
		return errTTL
	}
	return s.Store.Update(ctx, c.user().Peer(), func(tx *store.Tx) error {
		u, err := tx.User(c.user())
		if err != nil {
			return err
		}
		u.TTLDays = int64(days)
		return tx.PutUser(u)
	})
}
