package gateway

import (
	"slices"
	"testing"
	"time"

	"github.com/gotd/td/crypto"
)

// TestCopiedKey uses keys from two addresses in the ways that clients and thieves do. Time is what
// the housekeeper is told.
func TestCopiedKey(t *testing.T) {
	var told []int64
	w := newWorld(t, func(o *Options) { o.Copied = func(key int64) { told = append(told, key) } })
	from := func(key crypto.AuthKey, address string) *Session {
		t.Helper()
		r := &raw{t: t, key: key, session: randomLong()}
		r.salt = w.o.Salts.Current(key.IntID(), time.Now())
		r.connectFrom(address, w.addr)
		r.answer(r.send(method()))
		for _, s := range w.Sessions(key.IntID()) {
			if s.id == r.session {
				return s
			}
		}
		t.Fatal("no session")
		return nil
	}
	copied, moved, family := w.newKey(), w.newKey(), w.newKey()
	owner, thief := from(copied, "127.0.0.1"), from(copied, "127.0.0.2")
	before, after := from(moved, "127.0.0.1"), from(moved, "127.0.0.2")
	one, other := from(family, "127.0.0.1"), from(family, "127.0.0.1")
	begin := time.Now()
	heard := func(now time.Time, list ...*Session) {
		for _, s := range list {
			s.mu.Lock()
			s.active = now.Unix()
			s.mu.Unlock()
		}
	}
	for minute := range 12 {
		now := begin.Add(time.Duration(minute) * time.Minute)
		heard(now, owner, thief, after, one, other)
		if minute == 0 {
			heard(now, before)
		}
		w.watch(now)
		w.watch(now.Add(time.Second))
		if minute < 4 && len(told) > 0 {
			t.Fatalf("told after %d minutes", minute)
		}
	}
	if !slices.Equal(told, []int64{copied.IntID()}) {
		t.Errorf("told of %v, want once of %d (moved %d, one place %d)", told, copied.IntID(),
			moved.IntID(), family.IntID())
	}
	// The thief falls silent, and comes again.
	for minute := 12; minute < 40; minute++ {
		now := begin.Add(time.Duration(minute) * time.Minute)
		heard(now, owner)
		if minute > 25 {
			heard(now, thief)
		}
		w.watch(now)
	}
	if len(told) != 2 {
		t.Errorf("told %d times", len(told))
	}
}
