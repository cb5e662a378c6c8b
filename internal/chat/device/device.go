// Package device keeps the auth keys that clients hold: whom each acts for, and what its client said
// of itself (layer, application, language), which must outlive connections and restarts because many
// clients say it only once. Permanent keys are in the store, sealed; temporary ones only in memory.
// It decides nothing about logging in: chat/account does.
//
// Invariants: a permanent key is durable before Add returns; a temporary key is never written; what
// Find returns is what the last Change wrote.
package device

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/keyring"
	"parley/internal/mtproto/crypt"
	"parley/internal/store"
)

// cached is how many devices are kept in memory; more are read again from the store.
const cached = 200_000

// tempsPerKey is how many temporary keys may be bound to one permanent key. TDLib binds one per
// session: the main one and several for files.
const tempsPerKey = 16

// sealPurpose keeps sealed auth keys apart from other sealed secrets.
const sealPurpose = "auth key"

// ErrUnknown says that there is no such key.
var ErrUnknown = errors.New("device: unknown auth key")

// Device is a permanent key with its row.
type Device struct {
	store.AuthKey
	// Key is the key itself.
	Key crypt.AuthKey
}

// Registry knows the devices. It is safe for concurrent use.
type Registry struct {
	store *store.Store
	box   *keyring.Box
	clock clock.Clock

	mu    sync.RWMutex
	known map[int64]*Device
	temps map[int64]*Temp
	bound map[int64][]int64
}

// New returns a registry over a store whose keys are sealed by box.
func New(s *store.Store, box *keyring.Box, c clock.Clock) *Registry {
	return &Registry{
		store: s, box: box, clock: c,
		known: make(map[int64]*Device),
		temps: make(map[int64]*Temp),
		bound: make(map[int64][]int64),
	}
}

// Add stores a new permanent key with the salt of its exchange.
func (r *Registry) Add(ctx context.Context, key crypt.AuthKey, salt int64) error {
	stored := key.Stored()
	row := store.AuthKey{
		ID: key.ID, Sealed: r.box.Seal(nil, stored[:], sealPurpose, key.ID), Salt: salt,
		Created: r.clock.Now().Unix(),
	}
	err := r.store.Update(ctx, ids.Peer(key.ID), func(tx *store.Tx) error {
		return tx.AddAuthKey(row)
	})
	if err != nil {
		return fmt.Errorf("device: add: %w", err)
	}
	r.remember(&Device{AuthKey: row, Key: key})
	return nil
}

// Exists tells whether a permanent or temporary key has this id.
func (r *Registry) Exists(ctx context.Context, id int64) (bool, error) {
	r.mu.RLock()
	_, temp := r.temps[id]
	r.mu.RUnlock()
	if temp {
		return true, nil
	}
	_, err := r.Find(ctx, id)
	if errors.Is(err, ErrUnknown) {
		return false, nil
	}
	return err == nil, err
}

// Find returns a permanent key, or ErrUnknown.
func (r *Registry) Find(ctx context.Context, id int64) (Device, error) {
	r.mu.RLock()
	d := r.known[id]
	r.mu.RUnlock()
	if d != nil {
		return *d, nil
	}
	return r.load(ctx, id)
}

func (r *Registry) load(ctx context.Context, id int64) (Device, error) {
	d := &Device{}
	err := r.store.View(ctx, func(v *store.Reader) (err error) {
		d.AuthKey, err = v.AuthKey(id)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return Device{}, ErrUnknown
	}
	if err != nil {
		return Device{}, fmt.Errorf("device: find: %w", err)
	}
	stored, err := r.box.Open(nil, d.Sealed, sealPurpose, id)
	if err != nil {
		return Device{}, fmt.Errorf("device: open: %w", err)
	}
	if d.Key, err = crypt.ParseStored(stored); err != nil {
		return Device{}, fmt.Errorf("device: %w", err)
	}
	r.remember(d)
	return *d, nil
}

// remember keeps a device in memory; when there are too many, an arbitrary one makes room.
func (r *Registry) remember(d *Device) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.known[d.ID]; !ok && len(r.known) >= cached {
		for id := range r.known {
			delete(r.known, id)
			break
		}
	}
	r.known[d.ID] = d
}

// Change lets fn change what is known of a key, durably, and returns it as it then is.
func (r *Registry) Change(ctx context.Context, id int64, fn func(*store.AuthKey) error) (Device, error) {
	d, err := r.Find(ctx, id)
	if err != nil {
		return Device{}, err
	}
	var row store.AuthKey
	err = r.store.Update(ctx, ids.Peer(id), func(tx *store.Tx) (err error) {
		if row, err = tx.AuthKey(id); err != nil {
			return err
		}
		if err := fn(&row); err != nil {
			return err
		}
		return tx.SetAuthKey(row)
	})
	if err != nil {
		r.forget(id)
		return Device{}, err
	}
	next := &Device{AuthKey: row, Key: d.Key}
	r.remember(next)
	return *next, nil
}

// Destroy removes a permanent key with the temporary one bound to it, for good.
func (r *Registry) Destroy(ctx context.Context, id int64) error {
	err := r.store.Update(ctx, ids.Peer(id), func(tx *store.Tx) error {
		return tx.DeleteAuthKey(id)
	})
	r.forget(id)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, temp := range r.bound[id] {
		delete(r.temps, temp)
	}
	delete(r.bound, id)
	if err != nil {
		return fmt.Errorf("device: destroy: %w", err)
	}
	return nil
}

func (r *Registry) forget(id int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.known, id)
}

// Temp is a temporary key.
//
// https://core.telegram.org/api/pfs
type Temp struct {
	Key     crypt.AuthKey
	Salt    int64
	Expires time.Time
	// Perm is the permanent key that it is bound to, 0 before.
	Perm int64
}

// AddTemp keeps a temporary key in memory until it expires.
func (r *Registry) AddTemp(key crypt.AuthKey, salt int64, expires time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweep()
	r.temps[key.ID] = &Temp{Key: key, Salt: salt, Expires: expires}
}

// sweep forgets what has expired once there is much of it.
func (r *Registry) sweep() {
	if len(r.temps) < cached {
		return
	}
	now := r.clock.Now()
	for id, t := range r.temps {
		if !t.Expires.After(now) {
			r.drop(id, t)
		}
	}
}

func (r *Registry) drop(id int64, t *Temp) {
	delete(r.temps, id)
	r.bound[t.Perm] = slices.DeleteFunc(r.bound[t.Perm], func(x int64) bool { return x == id })
	if len(r.bound[t.Perm]) == 0 {
		delete(r.bound, t.Perm)
	}
}

// FindTemp returns a temporary key that has not expired.
func (r *Registry) FindTemp(id int64) (Temp, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.temps[id]
	if !ok {
		return Temp{}, false
	}
	if !t.Expires.After(r.clock.Now()) {
		r.drop(id, t)
		return Temp{}, false
	}
	return *t, true
}

// Bind makes a temporary key act for a permanent one until a time. A client may hold several at
// once, one per session; when there are too many the oldest is forgotten and returned, so that its
// connections can be cut.
func (r *Registry) Bind(temp, perm int64, until time.Time) (old int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.temps[temp]
	if !ok {
		return 0, ErrUnknown
	}
	if until.Before(t.Expires) {
		t.Expires = until
	}
	if t.Perm == perm {
		return 0, nil
	}
	t.Perm = perm
	r.bound[perm] = append(r.bound[perm], temp)
	if len(r.bound[perm]) > tempsPerKey {
		old = r.bound[perm][0]
		r.drop(old, r.temps[old])
	}
	return old, nil
}

// Temps returns the temporary keys bound to a permanent one, the oldest first.
func (r *Registry) Temps(perm int64) []int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.bound[perm])
}
