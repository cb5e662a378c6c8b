package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"sync"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// groupLimit is how many transactions may share one commit. A commit costs one fsync whatever it
// holds; the bound keeps the wait of the first of them short.
const groupLimit = 256

// sqliteEngine keeps the store in one SQLite file: one writer whose callers share commits, and a
// pool of readers that see only what is committed.
type sqliteEngine struct {
	writer  *sqliteConn
	writes  *sql.DB
	reads   *sql.DB
	readers chan *sqliteConn
	ops     chan *writeOp
	stop    chan struct{}
	done    chan struct{}
	once    sync.Once
	fatal   func(error)
	failed  error
}

// writeOp is one transaction that waits for the writer.
type writeOp struct {
	fn        func(querier) error
	committed func()
	err       error
	done      chan struct{}
}

// durable are the pragmas that durability rests on; they are read back after opening.
//
// https://www.sqlite.org/pragma.html
var durable = []struct{ name, set, want string }{
	{"journal_mode", "WAL", "wal"},
	{"synchronous", "FULL", "2"},
	{"fullfsync", "1", "1"},
	{"cell_size_check", "1", "1"},
}

func openSQLite(ctx context.Context, path string, o Options) (engine, error) {
	writes, err := sql.Open("sqlite", sqliteDSN(path, "_pragma=busy_timeout(10000)"))
	if err != nil {
		return nil, fmt.Errorf("store: open %s: %w", path, err)
	}
	writes.SetMaxOpenConns(1)
	e := &sqliteEngine{
		writes: writes,
		ops:    make(chan *writeOp, 4*groupLimit),
		stop:   make(chan struct{}),
		done:   make(chan struct{}),
		fatal:  o.Fatal,
	}
	if err := e.prepare(ctx, path, o.Readers); err != nil {
		return nil, errors.Join(err, writes.Close())
	}
	go e.run()
	return e, nil
}

func sqliteDSN(path, options string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + options
}

// prepare opens the writer, brings the schema up to date, then opens the readers.
func (e *sqliteEngine) prepare(ctx context.Context, path string, readers int) error {
	for _, p := range durable {
		if _, err := e.writes.ExecContext(ctx, "pragma "+p.name+"="+p.set); err != nil {
			return fmt.Errorf("store: pragma %s: %w", p.name, err)
		}
		var got string
		if err := e.writes.QueryRowContext(ctx, "pragma "+p.name).Scan(&got); err != nil {
			return fmt.Errorf("store: pragma %s: %w", p.name, err)
		}
		if got != p.want {
			return fmt.Errorf("store: pragma %s is %s, want %s: is %s on a network filesystem?",
				p.name, got, p.want, path)
		}
	}
	if err := migrateSQLite(ctx, e.writes); err != nil {
		return err
	}
	conn, err := e.writes.Conn(ctx)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	e.writer = newSQLiteConn(conn)
	e.reads, err = sql.Open("sqlite", sqliteDSN(path,
		"_pragma=busy_timeout(10000)&_pragma=query_only(1)&_pragma=mmap_size(268435456)"))
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	e.reads.SetMaxOpenConns(readers)
	e.readers = make(chan *sqliteConn, readers)
	for range readers {
		c, err := e.reads.Conn(ctx)
		if err != nil {
			return errors.Join(fmt.Errorf("store: %w", err), e.reads.Close())
		}
		e.readers <- newSQLiteConn(c)
	}
	return nil
}

func (e *sqliteEngine) read(ctx context.Context, fn func(querier) error) error {
	select {
	case c := <-e.readers:
		defer func() { e.readers <- c }()
		return e.snapshot(ctx, c, fn)
	case <-e.stop:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// snapshot runs fn between begin and rollback. The connection must come back clean even when ctx
// ends, so begin and rollback do not follow it.
func (e *sqliteEngine) snapshot(ctx context.Context, c *sqliteConn, fn func(querier) error) error {
	bare := context.WithoutCancel(ctx)
	if err := c.run(bare, "begin"); err != nil {
		return e.check(err)
	}
	err := fn(c)
	if rerr := c.run(bare, "rollback"); rerr != nil && err == nil {
		err = rerr
	}
	return e.check(err)
}

func (e *sqliteEngine) write(ctx context.Context, fn func(querier) error, committed func()) error {
	op := &writeOp{fn: fn, committed: committed, done: make(chan struct{})}
	select {
	case e.ops <- op:
	case <-e.stop:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-op.done:
		return op.err
	case <-e.done:
		select {
		case <-op.done:
			return op.err
		default:
			return ErrStopped
		}
	}
}

// run is the writer: it takes what waits, runs it in one transaction, commits once, and only then
// answers. The first storage error ends it.
func (e *sqliteEngine) run() {
	defer close(e.done)
	batch := make([]*writeOp, 0, groupLimit)
	for {
		batch = batch[:0]
		select {
		case op := <-e.ops:
			batch = append(batch, op)
		case <-e.stop:
			return
		}
		if err := e.commit(&batch); err != nil {
			e.fail(err)
			for _, op := range batch {
				op.err = fmt.Errorf("%w: %w", ErrUnknown, err)
				close(op.done)
			}
			return
		}
		for _, op := range batch {
			if op.err == nil {
				op.committed()
			}
			close(op.done)
		}
	}
}

// commit runs the batch, which grows by what arrives meanwhile, and commits it. It returns storage
// errors only; an error of one transaction stays with it.
func (e *sqliteEngine) commit(batch *[]*writeOp) error {
	ctx := context.Background()
	if err := e.writer.run(ctx, "begin immediate"); err != nil {
		return err
	}
	for i := 0; i < len(*batch); i++ {
		op := (*batch)[i]
		if err := e.apply(ctx, op); err != nil {
			return err
		}
		if i+1 < len(*batch) || len(*batch) == groupLimit {
			continue
		}
		select {
		case next := <-e.ops:
			*batch = append(*batch, next)
		default:
		}
	}
	return e.writer.run(ctx, "commit")
}

// apply runs one transaction under a savepoint, so that its error undoes it alone.
func (e *sqliteEngine) apply(ctx context.Context, op *writeOp) error {
	if err := e.writer.run(ctx, "savepoint op"); err != nil {
		return err
	}
	op.err = guarded(op.fn, e.writer)
	if op.err == nil {
		return e.writer.run(ctx, "release op")
	}
	if storageError(op.err) {
		return op.err
	}
	if err := e.writer.run(ctx, "rollback to op"); err != nil {
		return err
	}
	return e.writer.run(ctx, "release op")
}

// guarded turns a panic of fn into an error: it must not end the writer that all depend on.
func guarded(fn func(querier) error, q querier) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("store: panic in a transaction: %v", p)
		}
	}()
	return fn(q)
}

// fail stops the engine for good.
func (e *sqliteEngine) fail(err error) {
	e.once.Do(func() {
		e.failed = err
		close(e.stop)
		e.fatal(fmt.Errorf("store: storage error, stopping: %w", err))
	})
}

// check stops the engine when a read met a storage error.
func (e *sqliteEngine) check(err error) error {
	if err != nil && storageError(err) {
		e.fail(err)
	}
	return err
}

func (e *sqliteEngine) close() error {
	e.once.Do(func() { close(e.stop) })
	<-e.done
	var errs []error
	for range cap(e.readers) {
		errs = append(errs, (<-e.readers).close())
	}
	errs = append(errs, e.writer.close(), e.reads.Close(), e.writes.Close())
	return errors.Join(errs...)
}

// sqliteConn is one connection with its statements prepared once.
type sqliteConn struct {
	conn  *sql.Conn
	ready []*sql.Stmt
	bare  map[string]*sql.Stmt
}

func newSQLiteConn(conn *sql.Conn) *sqliteConn {
	return &sqliteConn{
		conn:  conn,
		ready: make([]*sql.Stmt, len(statements)),
		bare:  make(map[string]*sql.Stmt),
	}
}

// run executes transaction control.
func (c *sqliteConn) run(ctx context.Context, text string) error {
	st := c.bare[text]
	if st == nil {
		var err error
		if st, err = c.conn.PrepareContext(ctx, text); err != nil {
			return fmt.Errorf("store: %s: %w", text, err)
		}
		c.bare[text] = st
	}
	if _, err := st.ExecContext(ctx); err != nil {
		return fmt.Errorf("store: %s: %w", text, err)
	}
	return nil
}

func (c *sqliteConn) prepared(ctx context.Context, st *statement) (*sql.Stmt, error) {
	if p := c.ready[st.number]; p != nil {
		return p, nil
	}
	p, err := c.conn.PrepareContext(ctx, st.sqliteText())
	if err != nil {
		return nil, fmt.Errorf("store: %s: %w", st.name, err)
	}
	c.ready[st.number] = p
	return p, nil
}

func (c *sqliteConn) exec(ctx context.Context, st *statement, args ...any) (int64, error) {
	p, err := c.prepared(ctx, st)
	if err != nil {
		return 0, err
	}
	res, err := p.ExecContext(ctx, args...)
	if err != nil {
		return 0, sqliteError(st, err)
	}
	return res.RowsAffected()
}

func (c *sqliteConn) query(ctx context.Context, st *statement, args ...any) (rows, error) {
	p, err := c.prepared(ctx, st)
	if err != nil {
		return nil, err
	}
	r, err := p.QueryContext(ctx, args...)
	if err != nil {
		return nil, sqliteError(st, err)
	}
	return sqliteRows{r}, nil
}

func (c *sqliteConn) close() error {
	var errs []error
	for _, st := range c.ready {
		if st != nil {
			errs = append(errs, st.Close())
		}
	}
	for _, st := range c.bare {
		errs = append(errs, st.Close())
	}
	return errors.Join(append(errs, c.conn.Close())...)
}

type sqliteRows struct{ *sql.Rows }

func (r sqliteRows) Close() { _ = r.Rows.Close() }

// sqliteError names the statement and tells a taken key from other errors.
func sqliteError(st *statement, err error) error {
	var se *sqlite.Error
	if errors.As(err, &se) && se.Code()&0xff == sqlite3.SQLITE_CONSTRAINT {
		return fmt.Errorf("%w: %s", ErrConflict, st.name)
	}
	return fmt.Errorf("store: %s: %w", st.name, err)
}

// storageError tells whether an error means that the disk, not the caller, is at fault.
func storageError(err error) bool {
	if errors.Is(err, driver.ErrBadConn) {
		return true
	}
	var se *sqlite.Error
	if !errors.As(err, &se) {
		return false
	}
	switch se.Code() & 0xff {
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PROTOCOL:
		return true
	}
	return false
}
