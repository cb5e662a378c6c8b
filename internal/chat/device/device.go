// Package device keeps the auth keys that clients hold: whom each acts for, and what its client
// said of itself (layer, application, language), which must outlive connections and restarts
// because many clients say it only once. Permanent keys are in the store, sealed; temporary ones
// only in memory. It decides nothing about logging in: chat/account does.
//
// Invariants: a permanent key is durable before Add returns; a temporary key is never written; what
// Find returns is what the last Change wrote.
package device

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/keyring"
	"parley/internal/mtproto/crypt"
	"parley/internal/store"
)

// cached is how many devices are kept in memory; more are read again from the store.
const cached = 200_000

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
	// turns lets one goroutine at a time read or change a key's row and remember what it found, so
	// that what is remembered is what was written last.
	turns [256]sync.Mutex
}

// New returns a registry over a store whose keys are sealed by box.
func New(s *store.Store, box *keyring.Box, c clock.Clock) *Registry {
	return &Registry{
		store: s, box: box, clock: c,
		known: make(map[int64]*Device),
	}
}

// Add stores a new permanent key with the salt of its exchange and the data centre that its client
// named, 0 for none.
func (r *Registry) Add(ctx context.Context, key crypt.AuthKey, salt int64, dc int) error {
	stored := key.Stored()
	row := store.AuthKey{
		ID: key.ID, Sealed: r.box.Seal(nil, stored[:], sealPurpose, key.ID), Salt: salt,
		DC: int64(dc), Created: r.clock.Now().Unix(),
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

// Exists tells whether a key has this id.
func (r *Registry) Exists(ctx context.Context, id int64) (bool, error) {
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
	turn := r.turn(id)
	turn.Lock()
	defer turn.Unlock()
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
func (r *Registry) Change(
	ctx context.Context, id int64, fn func(*store.AuthKey) error,
) (Device, error) {
	d, err := r.Find(ctx, id)
	if err != nil {
		return Device{}, err
	}
	turn := r.turn(id)
	turn.Lock()
	defer turn.Unlock()
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

// Destroy removes a key for good.
func (r *Registry) Destroy(ctx context.Context, id int64) error {
	turn := r.turn(id)
	turn.Lock()
	defer turn.Unlock()
	err := r.store.Update(ctx, ids.Peer(id), func(tx *store.Tx) error {
		return tx.DeleteAuthKey(id)
	})
	r.forget(id)
	if err != nil {
		return fmt.Errorf("device: destroy: %w", err)
	}
	return nil
}

// turn is the lock of a key's row.
func (r *Registry) turn(id int64) *sync.Mutex { return &r.turns[uint64(id)%uint64(len(r.turns))] }

func (r *Registry) forget(id int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.known, id)
}
