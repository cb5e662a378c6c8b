package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/keyring"
	"parley/internal/limit"
	"parley/internal/mtproto/crypt"
	"parley/internal/mtproto/handshake"
	"parley/internal/mtproto/session"
)

// Key is a permanent auth key as it is stored.
type Key struct {
	crypt.AuthKey
	// DC is the data centre that the client named when it created the key, 0 for none.
	DC int
}

// authKey is an auth key in use, with its sessions.
type authKey struct {
	crypt.AuthKey
	server  *Server
	initial keyring.Initial
	dc      int
	temp    bool
	created time.Time

	// perm is the permanent key that this one stands for: itself, or what it is bound to, or 0.
	perm atomic.Int64
	// expires is when a temporary key ends, in Unix seconds.
	expires atomic.Int64
	// gone is set when the entry must not be used any more, stale when a permanent key must be
	// looked for again before it is.
	gone, stale atomic.Bool

	mu       sync.Mutex
	sessions []*Session
	floor    int64     // the highest msg_id of sessions that were forgotten
	used     time.Time // when the last session was forgotten, or a connection asked for one
	said     *said     // what the client said of itself when no handler could hear it
}

// said is what invokeWithLayer and initConnection said.
type said struct {
	layer int
	init  *session.Init
}

// Current implements session.Salts.
func (k *authKey) Current(now time.Time) int64 { return k.server.o.Salts.Current(k.ID, now) }

// Valid implements session.Salts.
func (k *authKey) Valid(salt int64, now time.Time) bool {
	return k.server.o.Salts.Valid(k.ID, salt, now, k.initial)
}

// Future implements session.Salts.
func (k *authKey) Future(now time.Time, n int) []session.Salt {
	salts := k.server.o.Salts.Future(k.ID, now, n)
	out := make([]session.Salt, len(salts))
	for i, salt := range salts {
		out[i] = session.Salt(salt)
	}
	return out
}

// fresh reports whether the key may be used without being looked for.
func (k *authKey) fresh(now time.Time) bool {
	return !k.gone.Load() && !k.stale.Load() && !(k.temp && now.Unix() >= k.expires.Load())
}

// touch notes that somebody is about to use the key. It reports false if it is gone.
func (k *authKey) touch(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.used = now
	return !k.gone.Load()
}

// keys is the table of auth keys in use. Temporary keys exist nowhere else.
type keys struct {
	mu    sync.Mutex
	byID  map[int64]*authKey
	bound map[int64][]*authKey // the temporary keys of a permanent one, the oldest first
	temps int
	// drops counts how often the use of permanent keys was ended: what was read of a key before one
	// of these is not believed after it.
	drops uint64
}

// get returns the key with an id if it is in the table.
func (t *keys) get(id int64) *authKey {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id]
}

// put adds a key, unless one with its id is there already, and returns the one that is there.
func (t *keys) put(k *authKey) *authKey {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.byID[k.ID]
	switch {
	case old != nil && !old.gone.Load():
		return old
	case k.temp && t.temps >= limit.TempKeys:
		k.gone.Store(true)
		return k
	case k.temp:
		t.temps++
	}
	t.byID[k.ID] = k
	return k
}

// dropped returns how often the use of permanent keys was ended so far.
func (t *keys) dropped() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.drops
}

// found adds a permanent key that was looked for after so many drops, or says of the entry that is
// there that its key still exists, and returns the entry. It returns nil if some key was dropped
// since, and then nothing happened.
func (t *keys) found(k *authKey, drops uint64) *authKey {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.drops != drops {
		return nil
	}
	if old := t.byID[k.ID]; old != nil && !old.gone.Load() {
		old.stale.Store(false)
		return old
	}
	t.byID[k.ID] = k
	return k
}

// outdate has a permanent key looked for again before it is used, and returns the keys that stand
// for it, itself included.
func (t *keys) outdate(perm int64) []*authKey {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drops++
	all := t.deviceLocked(perm)
	for _, k := range all {
		k.stale.Store(true)
	}
	return all
}

// remove takes a key out of the table and ends its use.
func (t *keys) remove(k *authKey) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.removeLocked(k)
}

func (t *keys) removeLocked(k *authKey) {
	k.gone.Store(true)
	if t.byID[k.ID] != k {
		return
	}
	delete(t.byID, k.ID)
	if !k.temp {
		return
	}
	t.temps--
	perm := k.perm.Load()
	rest := slices.DeleteFunc(t.bound[perm], func(b *authKey) bool { return b == k })
	if t.bound[perm] = rest; len(rest) == 0 {
		delete(t.bound, perm)
	}
}

// errBound says that a temporary key is bound to another permanent key.
var errBound = errors.New("gateway: temporary key is bound")

// bind makes a temporary key stand for a permanent one until expires. The oldest of too many is
// returned, and is gone. It is ErrNoKey when either was ended since it was found.
//
// Telegram's documentation allows one temporary key for each permanent one, but its own client
// library binds one for each of the sessions that it has at the same time.
//
// https://core.telegram.org/api/pfs
func (t *keys) bind(temp, to *authKey, expires int64) (oldest *authKey, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	perm := to.ID
	switch old := temp.perm.Load(); {
	case temp.gone.Load(), to.gone.Load(), to.stale.Load():
		return nil, ErrNoKey
	case old == perm:
		return nil, nil
	case old != 0:
		return nil, errBound
	}
	temp.expires.Store(min(temp.expires.Load(), expires))
	temp.perm.Store(perm)
	t.bound[perm] = append(t.bound[perm], temp)
	if len(t.bound[perm]) > limit.TempKeysPerKey {
		oldest = t.bound[perm][0]
		t.removeLocked(oldest)
	}
	return oldest, nil
}

// device returns the keys that stand for a permanent one, itself included.
func (t *keys) device(perm int64) []*authKey {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.deviceLocked(perm)
}

func (t *keys) deviceLocked(perm int64) []*authKey {
	all := slices.Clone(t.bound[perm])
	if k := t.byID[perm]; k != nil && !k.temp {
		all = append(all, k)
	}
	return all
}

// all returns every key.
func (t *keys) all() []*authKey {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*authKey, 0, len(t.byID))
	for _, k := range t.byID {
		all = append(all, k)
	}
	return all
}

// findKey returns the key with an id, from the table or from where the permanent ones are kept. It
// answers ErrNoKey if there is none.
func (s *Server) findKey(ctx context.Context, id int64) (*authKey, error) {
	now := s.o.Clock.Now()
	k := s.keys.get(id)
	if k != nil && k.fresh(now) && k.touch(now) {
		return k, nil
	}
	if k != nil && k.temp {
		s.removeKey(k)
		return nil, ErrNoKey
	}
	ctx, cancel := context.WithTimeout(ctx, limit.KeyLookup)
	defer cancel()
	for {
		drops := s.keys.dropped()
		found, err := s.lookUp(ctx, id)
		if err != nil {
			if k != nil && errors.Is(err, ErrNoKey) {
				s.removeKey(k)
			}
			return nil, fmt.Errorf("gateway: find key: %w", err)
		}
		next := &authKey{AuthKey: found.AuthKey, server: s, dc: found.DC, created: now, used: now}
		next.perm.Store(next.ID)
		if next = s.keys.found(next, drops); next != nil && next.touch(now) {
			return next, nil
		}
	}
}

// lookUp asks for a key in a goroutine of its own. To read a database takes a deep stack, and the
// goroutine of a connection would keep one while the connection rests, which most of them do.
func (s *Server) lookUp(ctx context.Context, id int64) (Key, error) {
	var key Key
	err := errLookUp
	done := make(chan struct{})
	go func() {
		defer func() {
			if p := recover(); p != nil {
				s.panicked(p)
			}
			close(done)
		}()
		key, err = s.o.Keys.Find(ctx, id)
	}()
	<-done
	return key, err
}

// errLookUp says that looking for a key has panicked.
var errLookUp = errors.New("gateway: a key cannot be looked for")

// removeKey ends the use of a key, and forgets its sessions.
func (s *Server) removeKey(k *authKey) {
	s.keys.remove(k)
	for _, sess := range k.list() {
		k.forget(sess)
	}
}

// addKey takes a key that a client has just created.
func (s *Server) addKey(r *handshake.Result) {
	now := s.o.Clock.Now()
	k := &authKey{
		AuthKey: r.Key, server: s, dc: r.DC, temp: r.Temp, created: now, used: now,
		initial: keyring.Initial{Value: r.Salt, Since: now},
	}
	outcome := "permanent"
	if r.Temp {
		outcome = "temporary"
		k.expires.Store(r.ExpiresAt.Unix())
	} else {
		k.perm.Store(k.ID)
	}
	s.metrics.handshakes.WithLabelValues(outcome).Inc()
	s.keys.put(k)
}

// session returns the key's session with an id, a new one if there is none; nil if the key is gone.
func (k *authKey) session(id int64) *Session {
	k.mu.Lock()
	if k.gone.Load() {
		k.mu.Unlock()
		return nil
	}
	now := k.server.o.Clock.Now()
	k.used = now
	for _, s := range k.sessions {
		if s.id == id {
			k.mu.Unlock()
			return s
		}
	}
	s := newSession(k, id, now)
	k.sessions = append(k.sessions, s)
	k.server.metrics.sessions.Inc()
	var worst *Session
	if len(k.sessions) > limit.SessionsPerKey {
		worst = k.leastWanted(s)
	}
	k.mu.Unlock()
	if worst != nil {
		k.forget(worst)
	}
	return s
}

// leastWanted returns the session other than except that is best given up: one that is empty rather
// than one that is not, one without a connection rather than one with, the longest silent first.
func (k *authKey) leastWanted(except *Session) *Session {
	var worst *Session
	var rank, silent int64
	for _, s := range k.sessions {
		if s == except {
			continue
		}
		r, active := s.wanted()
		if worst == nil || r < rank || r == rank && active < silent {
			worst, rank, silent = s, r, active
		}
	}
	return worst
}

// forget drops a session and remembers what must not be replayed to a successor.
func (k *authKey) forget(s *Session) {
	highest, told := s.close()
	k.mu.Lock()
	i := slices.Index(k.sessions, s)
	if i >= 0 {
		k.sessions = slices.Delete(k.sessions, i, i+1)
		k.floor = max(k.floor, highest)
		k.used = k.server.o.Clock.Now()
		k.server.metrics.sessions.Dec()
	}
	k.mu.Unlock()
	if i >= 0 && told {
		k.server.tellClosed(s)
	}
}

// list returns the key's sessions.
func (k *authKey) list() []*Session {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.sessions)
}

// note keeps what a query said of its client, for the first query that a handler hears.
func (k *authKey) note(q *session.Query) {
	if !q.Wrapped() {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.said == nil {
		k.said = &said{}
	}
	if q.Layer != 0 {
		k.said.layer = q.Layer
	}
	if q.Init != nil {
		k.said.init = q.Init
	}
}

// recall adds to a query what was noted before, unless the query says it itself.
func (k *authKey) recall(q *session.Query) {
	k.mu.Lock()
	noted := k.said
	k.said = nil
	k.mu.Unlock()
	if noted == nil {
		return
	}
	if q.Layer == 0 {
		q.Layer = noted.layer
	}
	if q.Init == nil {
		q.Init = noted.init
	}
}
