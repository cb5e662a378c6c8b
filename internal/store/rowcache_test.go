package store

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"parley/internal/ids"
)

const cached = ids.UserID(7)

func putName(t testing.TB, s *Store, name string) {
	t.Helper()
	err := s.Update(context.Background(), cached.Peer(), func(tx *Tx) error {
		return tx.PutUser(User{ID: cached, FirstName: name})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func name(t testing.TB, s *Store) (name string) {
	t.Helper()
	err := s.View(context.Background(), func(r *Reader) error {
		u, err := r.User(cached)
		name = u.FirstName
		return err
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	return name
}

// TestCachedStatements: the first argument of each statement on a table whose rows are remembered
// is the shard key, and none writes across shards.
func TestCachedStatements(t *testing.T) {
	seen := make(map[string]bool)
	for _, st := range statements {
		if !st.cached {
			continue
		}
		seen[st.table] = true
		routed := strings.Contains(st.text, "where "+st.key+" = $1") ||
			strings.HasPrefix(st.text, "insert into "+st.table+" ("+st.key+", ") &&
				strings.Contains(st.text, "values ($1, ")
		if st.key == acrossShards && st.writes || st.key != acrossShards && !routed {
			t.Errorf("%s: its first argument is not the shard key: %s", st.name, st.text)
		}
	}
	for _, table := range cachedTables {
		if !seen[table] {
			t.Errorf("no statement is about %s", table)
		}
	}
}

// TestRowCacheFollows: what is remembered is what was committed, by whom ever.
func TestRowCacheFollows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.db")
	s, tool := openFile(t, path), openFile(t, path)
	expect := func(want string) {
		t.Helper()
		for _, from := range []string{"the database", "memory"} {
			if got := name(t, s); got != want {
				t.Errorf("from %s: %q, want %q", from, got, want)
			}
		}
	}
	expect("")
	putName(t, s, "one")
	expect("one")
	putName(t, tool, "two")
	expect("two")
	putName(t, s, "three")
	putName(t, tool, "four")
	putName(t, s, "five")
	expect("five")
	failed := errors.New("failed")
	err := s.Update(t.Context(), cached.Peer(), func(tx *Tx) error {
		if err := tx.PutUser(User{ID: cached, FirstName: "never"}); err != nil {
			return err
		}
		if u, err := tx.User(cached); err != nil || u.FirstName != "never" {
			t.Errorf("a transaction that wrote sees %q: %v", u.FirstName, err)
		}
		return failed
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	expect("five")
}

// TestRowCacheServes: what is remembered is not read again.
func TestRowCacheServes(t *testing.T) {
	s := openFile(t, filepath.Join(t.TempDir(), "p.db"))
	putName(t, s, "one")
	name(t, s)
	e := s.engine.(*sqliteEngine)
	taken := make([]*sqliteConn, 0, cap(e.readers))
	for range cap(e.readers) {
		taken = append(taken, <-e.readers)
	}
	defer func() {
		for _, c := range taken {
			e.readers <- c
		}
	}()
	if got := name(t, s); got != "one" { // waits for ever when it is read
		t.Errorf("remembered as %q", got)
	}
}

// TestRowCacheIsNeverBehind: who asks after a commit gets what it wrote, or something newer.
func TestRowCacheIsNeverBehind(t *testing.T) {
	const writes, readers = 300, 3
	s := openFile(t, filepath.Join(t.TempDir(), "p.db"))
	var written atomic.Int64
	put := func(n int64) error {
		return s.Update(context.Background(), cached.Peer(), func(tx *Tx) error {
			return tx.PutUser(User{ID: cached, Seen: n})
		})
	}
	if err := put(0); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range readers {
		group.Go(func() {
			for last := int64(0); last < writes; {
				least := max(last, written.Load())
				err := s.View(context.Background(), func(r *Reader) error {
					u, err := r.User(cached)
					last = u.Seen
					return err
				})
				if err != nil || last < least {
					t.Errorf("%d after %d: %v", last, least, err)
					return
				}
			}
		})
	}
	for n := int64(1); n <= writes; n++ {
		if err := put(n); err != nil {
			t.Error(err)
		}
		written.Store(n)
	}
	group.Wait()
}

// TestRowCacheForgets: what is remembered is bounded, and what is asked for again comes back.
func TestRowCacheForgets(t *testing.T) {
	count := new(uint32)
	c := newRowCache(count)
	first := rowKey{statement: 1, shard: 1}
	for n := range int64(5 * rowsKept) {
		c.put(rowKey{statement: 1, shard: n}, row{at: c.now(), values: []any{n}})
	}
	if n := len(c.young) + len(c.old); n > 2*rowsKept {
		t.Errorf("%d rows are remembered", n)
	}
	if _, ok := c.get(c.now(), first); ok {
		t.Error("the first row is still remembered")
	}
	c.put(first, row{at: c.now(), values: []any{int64(1)}})
	r, ok := c.get(c.now(), first)
	if !ok || !slices.Equal(r.values, []any{int64(1)}) {
		t.Errorf("remembered as %v, %v", r, ok)
	}
}
