package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"parley/internal/ids"
)

// Errors that callers decide by.
var (
	// ErrNotFound says that no such row exists.
	ErrNotFound = errors.New("store: not found")
	// ErrConflict says that a unique key is taken: a username, a random_id, an invite hash.
	ErrConflict = errors.New("store: already exists")
	// ErrUnknown says that a commit got no answer: the change may or may not have happened. The
	// caller finds out by its idempotency key.
	ErrUnknown = errors.New("store: outcome of the commit is unknown")
	// ErrStopped says that the store has stopped, by Close or after its first storage error.
	ErrStopped = errors.New("store: stopped")
)

// tries is how often Repeat tries.
const tries = 3

// Repeat writes something, and writes it again when what was taken came in between, or the commit
// got no answer. write draws its ids anew each time, and finds what an earlier try of it, or of
// another, has written.
func Repeat(write func() error) (err error) {
	for range tries {
		err = write()
		if !errors.Is(err, ErrConflict) && !errors.Is(err, ErrUnknown) {
			break
		}
	}
	return err
}

// rows is a result being read.
type rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close()
}

// querier runs statements inside a transaction, one at a time: while rows are open no other
// statement may run. The first statement that fails ends the transaction; those after it fail with
// the same error. PostgreSQL wants it so, and SQLite must not be more lenient.
type querier interface {
	exec(ctx context.Context, st *statement, args ...any) (affected int64, err error)
	query(ctx context.Context, st *statement, args ...any) (rows, error)
	// row runs a query for a single row and scans it; ErrNotFound when there is none.
	row(ctx context.Context, st *statement, args []any, dest ...any) error
	// failed is the error that ended the transaction.
	failed() error
}

// engine is what SQLite and PostgreSQL have in common for the rest of the package.
type engine interface {
	// read runs fn on one snapshot.
	read(ctx context.Context, fn func(querier) error) error
	// write runs fn in a transaction of its own outcome, commits, and then calls committed, for
	// one key in the order of the commits.
	write(ctx context.Context, key ids.Peer, fn func(querier) error, committed func()) error
	close() error
}

// attempt runs fn. A panic of fn becomes an error, because others share the writer with it, and an
// error that fn passed over still undoes the transaction.
func attempt(fn func(querier) error, q querier) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("store: panic in a transaction: %v\n%s", p, debug.Stack())
		}
	}()
	if err := fn(q); err != nil {
		return err
	}
	return q.failed()
}

// one is row of a querier, by its query.
func one(ctx context.Context, q querier, st *statement, args []any, dest ...any) error {
	r, err := q.query(ctx, st, args...)
	if err != nil {
		return err
	}
	defer r.Close()
	if !r.Next() {
		if err := r.Err(); err != nil {
			return err
		}
		return ErrNotFound
	}
	if err := r.Scan(dest...); err != nil {
		return err
	}
	r.Close()
	return r.Err()
}

// each runs a query and calls scan once per row.
func each(ctx context.Context, q querier, st *statement, args []any, scan func(rows) error) error {
	r, err := q.query(ctx, st, args...)
	if err != nil {
		return err
	}
	defer r.Close()
	for r.Next() {
		if err := scan(r); err != nil {
			return err
		}
	}
	return r.Err()
}
