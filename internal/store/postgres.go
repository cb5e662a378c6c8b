package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/puddle/v2"

	"parley/internal/ids"
)

const (
	// postgresTries bounds how often a transaction is run again after a conflict with another.
	postgresTries = 10
	// postgresTurns is over how many queues the keys are spread.
	postgresTurns = 1024
)

// postgresEngine keeps the store in PostgreSQL or anything that speaks its protocol and SQL.
type postgresEngine struct {
	pool *pgxpool.Pool
	once sync.Once
	// turns lets one transaction of a key run at a time: it would wait for the other's row lock
	// anyway, but with a connection of the pool, and its commit could be told too early.
	turns [postgresTurns]chan struct{}
	// order lets one hook run at a time.
	order sync.Mutex
}

// safe are the server settings that durability rests on, with the values that keep it.
//
// https://www.postgresql.org/docs/current/runtime-config-wal.html
var safe = []struct {
	name string
	ok   []string
}{
	{"fsync", []string{"on"}},
	{"synchronous_commit", []string{"on", "remote_apply", "remote_write"}},
	{"full_page_writes", []string{"on"}},
	{"data_sync_retry", []string{"off"}},
}

func openPostgres(ctx context.Context, url string, o Options) (engine, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	e := &postgresEngine{pool: pool}
	for i := range e.turns {
		e.turns[i] = make(chan struct{}, 1)
	}
	if err := e.prepare(ctx, o.seams.schema()); err != nil {
		pool.Close()
		return nil, err
	}
	return e, nil
}

func (e *postgresEngine) prepare(ctx context.Context, files fs.FS) error {
	for _, s := range safe {
		var got string
		if err := e.pool.QueryRow(ctx, "show "+s.name).Scan(&got); err != nil {
			return fmt.Errorf("store: show %s: %w", s.name, err)
		}
		found := false
		for _, ok := range s.ok {
			found = found || ok == got
		}
		if !found {
			return fmt.Errorf("store: the server runs with %s=%s, which loses acknowledged "+
				"messages; it must be one of %v", s.name, got, s.ok)
		}
	}
	return migratePostgres(ctx, e.pool, files)
}

func (e *postgresEngine) read(ctx context.Context, fn func(querier) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return e.retry(ctx, func() error {
		tx, err := e.pool.BeginTx(ctx, options)
		if err != nil {
			return beginError(err)
		}
		defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
		return attempt(fn, &postgresTx{tx: tx})
	})
}

func (e *postgresEngine) write(
	ctx context.Context, key ids.Peer, fn func(querier) error, committed func(),
) error {
	turn := e.turns[uint64(key)%postgresTurns]
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return e.retry(ctx, func() error {
		tx, err := e.pool.BeginTx(ctx, pgx.TxOptions{})
		if err != nil {
			return beginError(err)
		}
		defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
		if err := attempt(fn, &postgresTx{tx: tx}); err != nil {
			return err
		}
		if err := tx.Commit(ctx); err != nil {
			return commitError(err)
		}
		e.order.Lock()
		defer e.order.Unlock()
		committed()
		return nil
	})
}

func beginError(err error) error {
	if errors.Is(err, puddle.ErrClosedPool) {
		return ErrStopped
	}
	return fmt.Errorf("store: begin: %w", err)
}

// commitError tells a commit that was refused, and so did not happen, from one without an answer. A
// server that is going away may have committed what it no longer answers for, and the driver takes
// a connection that breaks during a commit for one that it never used.
func commitError(err error) error {
	var pe *pgconn.PgError
	refused := errors.As(err, &pe) && pe.SeverityUnlocalized == "ERROR" &&
		pe.Code != "40003" // statement_completion_unknown
	if refused {
		return fmt.Errorf("store: commit: %w", err)
	}
	return fmt.Errorf("%w: %w", ErrUnknown, err)
}

// retry runs fn again after serialization failures, deadlocks, fail-overs and connections that
// broke before anything was sent. An unknown commit is never run again.
func (e *postgresEngine) retry(ctx context.Context, fn func() error) error {
	wait := time.Millisecond
	for try := 1; ; try++ {
		err := fn()
		if err == nil || try == postgresTries || errors.Is(err, ErrUnknown) || !passing(err) {
			return err
		}
		select {
		case <-time.After(wait):
			wait *= 2
		case <-ctx.Done():
			return err
		}
	}
}

// passing tells whether an error may be gone at the next try.
//
// https://www.postgresql.org/docs/current/errcodes-appendix.html
func passing(err error) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		switch pe.Code {
		case "40001", "40P01", "25006", "57P01", "57P02", "57P03":
			return true
		}
		return false
	}
	return pgconn.SafeToRetry(err)
}

func (e *postgresEngine) close() error {
	e.once.Do(e.pool.Close)
	return nil
}

// postgresTx is a transaction, with the error that ended it.
type postgresTx struct {
	tx      pgx.Tx
	failure error
}

func (t *postgresTx) failed() error { return t.failure }

func (t *postgresTx) exec(ctx context.Context, st *statement, args ...any) (int64, error) {
	if t.failure != nil {
		return 0, t.failure
	}
	tag, err := t.tx.Exec(ctx, st.text, args...)
	if err != nil {
		return 0, t.named(st, err)
	}
	return tag.RowsAffected(), nil
}

func (t *postgresTx) query(ctx context.Context, st *statement, args ...any) (rows, error) {
	if t.failure != nil {
		return nil, t.failure
	}
	r, err := t.tx.Query(ctx, st.text, args...)
	if err != nil {
		return nil, t.named(st, err)
	}
	return &postgresRows{Rows: r, tx: t, of: st}, nil
}

func (t *postgresTx) row(ctx context.Context, st *statement, args []any, dest ...any) error {
	return one(ctx, t, st, args, dest...)
}

// named names the statement of an error, tells a taken key from other errors, and ends the
// transaction.
func (t *postgresTx) named(st *statement, err error) error {
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "23505" {
		t.failure = fmt.Errorf("%w: %s", ErrConflict, st.name)
	} else {
		t.failure = fmt.Errorf("store: %s: %w", st.name, err)
	}
	return t.failure
}

// postgresRows are rows being read; most errors of a query come only with them.
type postgresRows struct {
	pgx.Rows
	tx *postgresTx
	of *statement
}

// Err implements rows.
func (r *postgresRows) Err() error {
	if err := r.Rows.Err(); err != nil {
		return r.tx.named(r.of, err)
	}
	return nil
}
