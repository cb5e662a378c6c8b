// Package presence knows who is online. It lives in memory, and keeps only when somebody was last
// seen; who may know is contact's to say.
package presence

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/store"
)

const (
	// stay is how long somebody counts as online after his client last said so.
	stay = 5 * time.Minute
	// grain is how exactly the time of the last visit is kept while somebody stays online.
	grain = time.Minute
)

// Tracker follows who is online. It is safe for concurrent use.
type Tracker struct {
	store *store.Store
	clock clock.Clock
	log   *slog.Logger
	// changed hears that somebody came or went.
	changed func(ctx context.Context, user ids.UserID)

	mu    sync.Mutex
	until map[ids.UserID]int64
	kept  map[ids.UserID]int64
}

// New returns a tracker. changed hears that somebody came or went.
func New(
	s *store.Store, c clock.Clock, log *slog.Logger, changed func(context.Context, ids.UserID),
) *Tracker {
	return &Tracker{
		store: s, clock: c, log: log, changed: changed,
		until: make(map[ids.UserID]int64), kept: make(map[ids.UserID]int64),
	}
}

// Online tells until when somebody counts as online, in Unix seconds; 0 when he does not.
func (t *Tracker) Online(user ids.UserID) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	until := t.until[user]
	if until <= t.clock.Now().Unix() {
		return 0
	}
	return until
}

// Set says that somebody is online now, or went away.
func (t *Tracker) Set(ctx context.Context, user ids.UserID, online bool) error {
	now := t.clock.Now().Unix()
	t.mu.Lock()
	was, keep := t.mark(user, online, now)
	t.mu.Unlock()
	return t.tell(ctx, user, now, keep, was != online)
}

// mark takes note of whether somebody is online, and returns whether he was and whether the time is
// to be kept as that of his last visit. The caller holds the lock.
func (t *Tracker) mark(user ids.UserID, online bool, now int64) (was, keep bool) {
	was = t.until[user] > now
	if online {
		t.until[user] = now + int64(stay.Seconds())
	} else {
		delete(t.until, user)
	}
	keep = !online && was || now-t.kept[user] >= int64(grain.Seconds())
	if keep {
		t.kept[user] = now
	}
	if !online {
		delete(t.kept, user)
	}
	return was, keep
}

// tell keeps and tells what mark took note of.
func (t *Tracker) tell(ctx context.Context, user ids.UserID, now int64, keep, changed bool) error {
	if keep {
		err := t.store.Update(ctx, user.Peer(), func(tx *store.Tx) error {
			return tx.Seen(user, now)
		})
		if err != nil {
			return err
		}
	}
	if changed {
		t.changed(ctx, user)
	}
	return nil
}

// Gone says that the last live session of somebody ended, unless live says that there is another
// meanwhile. Sessions are live before they say that somebody is online.
func (t *Tracker) Gone(ctx context.Context, user ids.UserID, live func(ids.UserID) bool) {
	now := t.clock.Now().Unix()
	t.mu.Lock()
	gone, keep := t.until[user] > now && !live(user), false
	if gone {
		_, keep = t.mark(user, false, now)
	}
	t.mu.Unlock()
	if err := t.tell(ctx, user, now, keep, gone); err != nil {
		t.log.Warn("keeping when somebody was last seen", "error", err)
	}
}
