package store_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"parley/internal/ids"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// held is an SQLite store whose writer is kept busy by a transaction, so that what is written
// meanwhile shares its commit.
type held struct {
	s       *store.Store
	release chan struct{}
	done    chan error
	queued  int
}

// hold has a transaction wait inside of fn until it is released.
func hold(t *testing.T, s *store.Store) *held {
	t.Helper()
	h := &held{s: s, release: make(chan struct{}), done: make(chan error, 1)}
	running := make(chan struct{})
	runs := sync.OnceFunc(func() { close(running) })
	go func() {
		h.done <- s.Update(t.Context(), 1, func(tx *store.Tx) error {
			err := tx.PutUser(store.User{ID: 1})
			runs()
			<-h.release
			return err
		})
	}()
	<-running
	return h
}

// update starts a transaction and returns once it waits for the writer.
func (h *held) update(ctx context.Context, fn func(*store.Tx) error) <-chan error {
	out := make(chan error, 1)
	go func() { out <- h.s.Update(ctx, 1, fn) }()
	h.queued++
	for h.s.Queued() < h.queued {
		runtime.Gosched()
	}
	return out
}

func putUser(id ids.UserID) func(*store.Tx) error {
	return func(tx *store.Tx) error { return tx.PutUser(store.User{ID: id}) }
}

func hasUser(t *testing.T, s *store.Store, id ids.UserID) bool {
	t.Helper()
	var err error
	if verr := s.View(t.Context(), func(r *store.Reader) error {
		_, err = r.User(id)
		return nil
	}); verr != nil {
		t.Fatal(verr)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

// TestBatchKeepsErrorsApart puts good and bad transactions into one commit: every good one is
// there afterwards, of the bad ones nothing is.
func TestBatchKeepsErrorsApart(t *testing.T) {
	s := storetest.SQLite(t)
	if err := s.Update(t.Context(), 1, func(tx *store.Tx) error {
		return tx.TakeUsername("taken", 1)
	}); err != nil {
		t.Fatal(err)
	}
	var commits int
	s.OnCommit(func(store.Commit) { commits++ })
	gone, cancel := context.WithCancel(t.Context())
	ending, end := context.WithCancel(t.Context())
	bad := []struct {
		name string
		ctx  context.Context
		want error
		fn   func(id ids.UserID) func(*store.Tx) error
	}{
		{"own error", t.Context(), errOwn, func(id ids.UserID) func(*store.Tx) error {
			return func(tx *store.Tx) error { return errors.Join(putUser(id)(tx), errOwn) }
		}},
		{"conflict", t.Context(), store.ErrConflict, func(id ids.UserID) func(*store.Tx) error {
			return func(tx *store.Tx) error {
				return errors.Join(putUser(id)(tx), tx.TakeUsername("taken", 2))
			}
		}},
		{"panic", t.Context(), nil, func(id ids.UserID) func(*store.Tx) error {
			return func(tx *store.Tx) error {
				if err := putUser(id)(tx); err != nil {
					return err
				}
				panic("of a caller")
			}
		}},
		{"ended context", gone, context.Canceled, putUser},
		{"context that ends", ending, context.Canceled, func(id ids.UserID) func(*store.Tx) error {
			return func(tx *store.Tx) error {
				err := putUser(id)(tx)
				end()
				return errors.Join(err, putUser(id+100)(tx))
			}
		}},
	}
	h := hold(t, s)
	var good, failing []<-chan error
	for i, b := range bad {
		failing = append(failing, h.update(b.ctx, b.fn(ids.UserID(200+i))))
		good = append(good, h.update(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Append(store.Event{Box: ids.Peer(i + 1), Count: 1})
			return errors.Join(err, putUser(ids.UserID(100+i))(tx))
		}))
	}
	cancel()
	close(h.release)
	if err := <-h.done; err != nil {
		t.Errorf("the first: %v", err)
	}
	for i, b := range bad {
		if err := <-failing[i]; err == nil || b.want != nil && !errors.Is(err, b.want) {
			t.Errorf("%s: got %v, want %v", b.name, err, b.want)
		}
		if hasUser(t, s, ids.UserID(200+i)) {
			t.Errorf("%s: left something behind", b.name)
		}
		if err := <-good[i]; err != nil {
			t.Errorf("beside %s: %v", b.name, err)
		}
		if !hasUser(t, s, ids.UserID(100+i)) {
			t.Errorf("beside %s: lost", b.name)
		}
	}
	if commits != len(bad) {
		t.Errorf("%d commits were told, want %d", commits, len(bad))
	}
}

// TestBatchIsInvisibleUntilCommitted checks that a transaction that has run, but shares a commit
// with one that still runs, is neither answered nor seen.
func TestBatchIsInvisibleUntilCommitted(t *testing.T) {
	s := storetest.SQLite(t)
	first := hold(t, s)
	early := first.update(t.Context(), putUser(2))
	running, release := make(chan struct{}), make(chan struct{})
	late := first.update(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.User(2); err != nil {
			return fmt.Errorf("the one before is not seen: %w", err)
		}
		close(running)
		<-release
		return nil
	})
	close(first.release)
	<-running
	for range 1000 { // time enough for an answer that should not come
		if hasUser(t, s, 1) || hasUser(t, s, 2) {
			t.Fatal("seen before its commit")
		}
	}
	select {
	case err := <-early:
		close(release)
		t.Fatalf("answered before its commit: %v", err)
	default:
	}
	close(release)
	for _, done := range []<-chan error{first.done, early, late} {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if !hasUser(t, s, 2) {
		t.Error("not seen after its commit")
	}
}

// TestContextEndsWhileRunning ends a context between two statements of its transaction.
func TestContextEndsWhileRunning(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.Update(ctx, 1, func(tx *store.Tx) error {
			if err := putUser(7)(tx); err != nil {
				return err
			}
			cancel()
			if err := putUser(8)(tx); !errors.Is(err, context.Canceled) {
				t.Errorf("a statement after the end of its context: %v", err)
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
		if hasUser(t, s, 7) {
			t.Error("left something behind")
		}
		if err := s.Update(t.Context(), 1, putUser(9)); err != nil {
			t.Errorf("the one after: %v", err)
		}
		if err := s.Update(ctx, 1, putUser(10)); !errors.Is(err, context.Canceled) {
			t.Errorf("with an ended context: %v", err)
		}
	})
}

// TestCloseWhileWaiting closes the store while transactions wait: each is told either that it was
// done or ErrStopped, and after opening again exactly those that were done are there.
func TestCloseWhileWaiting(t *testing.T) {
	const waiting = 3 * store.GroupLimit
	at := storetest.SQLiteURL(t)
	s := openAt(t, store.Options{URL: at})
	h := hold(t, s)
	var results []<-chan error
	for i := range waiting {
		results = append(results, h.update(t.Context(), putUser(ids.UserID(10+i))))
	}
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	for s.View(t.Context(), func(*store.Reader) error { return nil }) == nil {
		runtime.Gosched()
	}
	if err := s.Update(t.Context(), 1, putUser(2)); !errors.Is(err, store.ErrStopped) {
		t.Errorf("an update after close: got %v, want %v", err, store.ErrStopped)
	}
	close(h.release)
	if err := <-closed; err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-h.done; err != nil {
		t.Errorf("the transaction under way: %v", err)
	}
	s2 := openAt(t, store.Options{URL: at})
	done := 0
	for i, result := range results {
		err := <-result
		if err != nil && !errors.Is(err, store.ErrStopped) {
			t.Errorf("got %v, want %v", err, store.ErrStopped)
		}
		if err == nil {
			done++
		}
		if hasUser(t, s2, ids.UserID(10+i)) != (err == nil) {
			t.Errorf("told %v, which is not so", err)
		}
	}
	if done == 0 || done == waiting {
		t.Errorf("%d of %d were done: the test shows nothing", done, waiting)
	}
	if !hasUser(t, s2, 1) {
		t.Error("the transaction under way is lost")
	}
}

func openAt(t *testing.T, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestStopped checks what a closed store says.
func TestStopped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for range 2 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Update(t.Context(), 1, putUser(1)); !errors.Is(err, store.ErrStopped) {
			t.Errorf("update: %v", err)
		}
		err := s.View(t.Context(), func(*store.Reader) error { return nil })
		if !errors.Is(err, store.ErrStopped) {
			t.Errorf("view: %v", err)
		}
	})
}

// TestCommitsAreToldInOrder has many write to few boxes: the listener hears of each box in the
// order of its pts, and of every entry before the Update that made it returns.
func TestCommitsAreToldInOrder(t *testing.T) {
	const boxes, writers, each = 5, 20, 25
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var mu sync.Mutex
		last := make(map[ids.Peer]int64)
		s.OnCommit(func(c store.Commit) {
			mu.Lock()
			defer mu.Unlock()
			for _, e := range c.Events {
				if before := max(last[e.Box], store.FirstPts); e.Pts != before+1 {
					t.Errorf("box %v: told of pts %d after %d", e.Box, e.Pts, before)
				}
				last[e.Box] = e.Pts
			}
		})
		var group sync.WaitGroup
		for w := range writers {
			box := ids.Peer(1 + w%boxes)
			group.Go(func() {
				for range each {
					var e store.Event
					err := s.Update(t.Context(), box, func(tx *store.Tx) (err error) {
						e, err = tx.Append(store.Event{Box: box, Count: 1})
						return err
					})
					mu.Lock()
					if err != nil || last[box] < e.Pts {
						t.Errorf("pts %d: %v, told so far %d", e.Pts, err, last[box])
					}
					mu.Unlock()
				}
			})
		}
		group.Wait()
	})
}
