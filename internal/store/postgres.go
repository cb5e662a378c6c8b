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
)

// postgresTries bounds how often a transaction is run again after a conflict with another.
const postgresTries = 10

// postgresEngine keeps the store in PostgreSQL or anything that speaks its protocol and SQL.
type postgresEngine struct {
	pool *pgxpool.Pool
	once sync.Once
	// order lets one hook run at a time. Two commits to one box may still be told in the wrong
	// order; whoever listens goes by pts.
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
			return fmt.Errorf("store: begin: %w", err)
		}
		defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
		return attempt(fn, &postgresTx{tx: tx})
	})
}

func (e *postgresEngine) write(ctx context.Context, fn func(querier) error, committed func()) error {
	return e.retry(ctx, func() error {
		tx, err := e.pool.BeginTx(ctx, pgx.TxOptions{})
		if err != nil {
			return fmt.Errorf("store: begin: %w", err)
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

// commitError tells a refused commit, which did not happen, from one without an answer.
func commitError(err error) error {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
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
