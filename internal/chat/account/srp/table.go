package srp

import (
	"slices"
	"sync"
	"time"
)

// pending is an open challenge.
type pending struct {
	id, key, user int64
	until         time.Time
	// b is the server's secret exponent, and public is B.
	b, public [Size]byte
	// verifier is the digest of the verifier that B was made from.
	verifier []byte
}

// table holds the open challenges in the order of their making, which is that of their ends too.
// Challenges that were answered leave a gap there until their time is over.
type table struct {
	mu    sync.Mutex
	byID  map[int64]*pending
	byKey map[int64][]*pending
	order []*pending
}

// add opens a challenge.
func (t *table) add(now time.Time, p pending) {
	p.until = now.Add(ChallengeLife)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID == nil {
		t.byID, t.byKey = make(map[int64]*pending), make(map[int64][]*pending)
	}
	for len(t.order) > 0 && (len(t.order) >= maxChallenges || now.After(t.order[0].until)) {
		t.remove(t.order[0])
		t.order[0] = nil
		t.order = t.order[1:]
	}
	if of := t.byKey[p.key]; len(of) >= maxPerKey {
		t.remove(of[0])
	}
	t.byID[p.id] = &p
	t.byKey[p.key] = append(t.byKey[p.key], &p)
	t.order = append(t.order, &p)
}

// take closes a challenge and returns it, if it is open for this key and user.
func (t *table) take(now time.Time, key, user, id int64) (pending, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.byID[id]
	if p == nil || p.key != key || p.user != user {
		return pending{}, false
	}
	out := *p
	t.remove(p)
	return out, !now.After(out.until)
}

// remove forgets a challenge and erases its secret; only its place in the order remains.
func (t *table) remove(p *pending) {
	if t.byID[p.id] != p {
		return
	}
	delete(t.byID, p.id)
	rest := slices.DeleteFunc(t.byKey[p.key], func(q *pending) bool { return q == p })
	if len(rest) == 0 {
		delete(t.byKey, p.key)
	} else {
		t.byKey[p.key] = rest
	}
	clear(p.b[:])
}
