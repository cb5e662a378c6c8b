// Package store keeps everything that must survive: people, chats, messages, boxes, keys. It is one
// concrete store with two engines, SQLite inside the process and PostgreSQL beside it, that run the
// same SQL. SQL stands nowhere else.
//
// A transaction touches rows of one shard key (a user, a chat, a name, a file) plus the outbox rows
// of the same key; what others must learn of it travels by the outbox, whose consumers are
// idempotent. The package knows rows, not rules: who may do what is decided above it.
//
// Invariants: what Update returned nil for survives a power cut; the pts of a box is gap-free and
// monotone; (origin, nonce) of a message is unique in its box. The first storage error stops the
// store for good, because going on after a failed fsync corrupts data. A commit without an answer
// is ErrUnknown, never a failure.
package store

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"

	"parley/internal/ids"
)

// Options configure a store.
type Options struct {
	// URL is sqlite:PATH or postgres://...
	URL string
	// Readers is how many snapshots may be read at once; zero takes the default.
	Readers int
	// Fatal is called once, with the first storage error. The process should stop. PostgreSQL
	// stops itself instead.
	Fatal func(error)
	seams seams
}

// seams are what only tests of this package change.
type seams struct {
	// vfs is the SQLite file layer, empty for the system's.
	vfs string
	// synchronous is SQLite's, empty for the durable one.
	synchronous string
	// checkpoint is after how many pages SQLite's log is moved, zero for checkpointPages.
	checkpoint int64
	// migrations is the schema, nil for the package's.
	migrations fs.FS
}

func (s seams) schema() fs.FS {
	if s.migrations != nil {
		return s.migrations
	}
	return migrations
}

// Store is an open store. It is safe for concurrent use.
type Store struct {
	engine    engine
	committed atomic.Pointer[func(Commit)]
}

// Commit is what a transaction changed that others wait for.
type Commit struct {
	// Events are the entries appended to boxes, in order.
	Events []Event
	// Outbox are the outbox rows written, in order.
	Outbox []Outbox
	// Source is what WithSource said of the transaction's context, nil for nothing.
	Source any
}

type sourceKey struct{}

// WithSource makes commits under ctx name who caused them, so that listeners need not tell him.
func WithSource(ctx context.Context, source any) context.Context {
	return context.WithValue(ctx, sourceKey{}, source)
}

// Open opens the store at the URL and brings its schema up to date.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Fatal == nil {
		o.Fatal = func(error) {}
	}
	if o.Readers == 0 {
		o.Readers = 4
	}
	var e engine
	var err error
	switch {
	case strings.HasPrefix(o.URL, "sqlite:"):
		e, err = openSQLite(ctx, strings.TrimPrefix(o.URL, "sqlite:"), o)
	case strings.HasPrefix(o.URL, "postgres://"), strings.HasPrefix(o.URL, "postgresql://"):
		e, err = openPostgres(ctx, o.URL, o)
	default:
		return nil, fmt.Errorf("store: %q is neither sqlite:PATH nor postgres://...", o.URL)
	}
	if err != nil {
		return nil, err
	}
	return &Store{engine: e}, nil
}

// Close waits for the transactions under way and closes the store. Those that still wait for their
// turn get ErrStopped.
func (s *Store) Close() error { return s.engine.close() }

// OnCommit sets the function that hears of every commit that appended events or outbox rows, once
// it is durable and before its Update returns; in the order of the commits for each key. It must
// not block and must not call the store. Commits of other processes are not told.
func (s *Store) OnCommit(fn func(Commit)) { s.committed.Store(&fn) }

// View runs fn on one snapshot of the store. Rows that are remembered are as of the beginning of
// the View, all others as of the first of them that fn reads.
func (s *Store) View(ctx context.Context, fn func(*Reader) error) error {
	return s.engine.read(ctx, func(q querier) error { return fn(&Reader{ctx: ctx, q: q}) })
}

// Update runs fn in one transaction and returns once it is durable. All rows that fn writes belong
// to the one key. fn may run more than once and must leave its results only in variables that it
// sets anew each time. An error of fn undoes all that it did and is returned as it is.
func (s *Store) Update(ctx context.Context, key ids.Peer, fn func(*Tx) error) error {
	var tx *Tx
	return s.engine.write(ctx, key, func(q querier) error {
		tx = &Tx{Reader: Reader{ctx: ctx, q: q}, key: key}
		return fn(tx)
	}, func() {
		if hook := s.committed.Load(); hook != nil && !tx.commit.empty() {
			tx.commit.Source = ctx.Value(sourceKey{})
			(*hook)(tx.commit)
		}
	})
}

func (c Commit) empty() bool { return len(c.Events) == 0 && len(c.Outbox) == 0 }

// Reader reads rows of one snapshot.
type Reader struct {
	ctx context.Context
	q   querier
}

// Tx reads and writes rows of one transaction.
type Tx struct {
	Reader
	key    ids.Peer
	commit Commit
	tells  allotted
}

// allotted are numbers of outbox rows that a box has allotted: left of them up to last.
type allotted struct {
	box        ids.Peer
	left, last int64
}

func (r *Reader) one(st *statement, args []any, dest ...any) error {
	return r.q.row(r.ctx, st, args, dest...)
}

func (r *Reader) each(st *statement, args []any, scan func(rows) error) error {
	return each(r.ctx, r.q, st, args, scan)
}

func (t *Tx) exec(st *statement, args ...any) error {
	_, err := t.q.exec(t.ctx, st, args...)
	return err
}

// execOne is exec for a statement that must find its row.
func (t *Tx) execOne(st *statement, args ...any) error {
	n, err := t.q.exec(t.ctx, st, args...)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrNotFound
	}
	return nil
}
