package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"sync"

	_ "modernc.org/sqlite" // the driver that the migrations run on
	sqlite3 "modernc.org/sqlite/lib"

	"parley/internal/ids"
)

const (
	// groupLimit is how many transactions may share one commit. A commit costs one fsync whatever
	// it holds; the bound keeps the wait of the first of them short.
	groupLimit = 256
	// checkpointPages is after how many pages written to the log they are moved to the database. A
	// page that changed often in between is moved once; more would lengthen recovery and reads.
	checkpointPages = 4000
	// lockWait is how long another process may hold the database, in milliseconds.
	lockWait = 10_000
)

// sqliteEngine keeps the store in one SQLite file: one writer whose callers share commits, and a
// pool of readers that see only what is committed.
type sqliteEngine struct {
	writer  *sqliteConn
	readers chan *sqliteConn
	rows    *rowCache
	ops     chan *writeOp
	fatal   func(error)
	// stop is closed when no more work is taken, done when the writer has ended.
	stop, done chan struct{}
	// halt closes stop, alarm calls fatal, end closes the connections with the result closed.
	halt, alarm, end sync.Once
	closed           error
	// every is after how many pages written they are moved to the database, unmoved how many have
	// been written since.
	every, unmoved int64
	// at is the number of the commit that the transaction of the writer began at.
	at uint64
}

// writeOp is one transaction that waits for the writer.
type writeOp struct {
	ctx       context.Context
	fn        func(querier) error
	committed func()
	err       error
	done      chan struct{}
}

// durable are the pragmas that durability rests on; they are read back after opening.
//
// https://www.sqlite.org/pragma.html
var durable = []pragma{
	{"journal_mode", "wal", "wal"},
	{"synchronous", "full", "2"},
	{"fullfsync", "1", "1"},
	{"checkpoint_fullfsync", "1", "1"},
	{"cell_size_check", "1", "1"},
}

// swift are the writer's pragmas that only speed rests on: moving pages is the engine's own
// business, where its errors are seen; a page cache of 32 MiB; what a savepoint may have to undo in
// memory; a log file of at most 64 MiB once it is empty.
var swift = []pragma{
	{"wal_autocheckpoint", "0", "0"},
	{"cache_size", "-32768", "-32768"},
	{"temp_store", "memory", "2"},
	{"journal_size_limit", "67108864", "67108864"},
}

// reading are the pragmas of a reader.
var reading = []pragma{
	{"query_only", "1", "1"},
	{"mmap_size", "2147418112", ""},
}

// pragma is a setting, and what reading it back must give where that matters.
type pragma struct{ name, set, want string }

func openSQLite(ctx context.Context, path string, o Options) (engine, error) {
	e := &sqliteEngine{
		readers: make(chan *sqliteConn, o.Readers),
		ops:     make(chan *writeOp, 4*groupLimit),
		fatal:   o.Fatal,
		every:   cmp.Or(o.seams.checkpoint, checkpointPages),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
	}
	var err error
	if e.writer, err = dialSQLite(path, o.seams.vfs); err != nil {
		return nil, fmt.Errorf("store: open %s: %w", path, err)
	}
	if err := e.prepare(ctx, path, o); err != nil {
		close(e.readers)
		for c := range e.readers {
			_ = c.close()
		}
		_ = e.writer.close()
		return nil, fmt.Errorf("store: open %s: %w", path, err)
	}
	go e.run()
	return e, nil
}

// prepare sets up the writer, sees to what an earlier run has left, brings the schema up to date
// and opens the readers.
func (e *sqliteEngine) prepare(ctx context.Context, path string, o Options) error {
	for _, p := range append(durable, swift...) {
		if p.name == "synchronous" && o.seams.synchronous != "" {
			p.set, p.want = o.seams.synchronous, ""
		}
		if err := e.writer.set(p); err != nil {
			return err
		}
	}
	if err := e.writer.refresh(); err != nil {
		return err
	}
	if err := migrateSQLiteFile(ctx, path, o.seams); err != nil {
		return err
	}
	if err := e.writer.gather(); err != nil {
		return err
	}
	count, err := e.writer.commits()
	if err != nil {
		return err
	}
	e.rows = newRowCache(count)
	for range o.Readers {
		c, err := dialSQLite(path, o.seams.vfs)
		if err != nil {
			return err
		}
		e.readers <- c
		for _, p := range reading {
			if err := c.set(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// migrateSQLiteFile brings the schema up to date, on a connection of its own that syncs as
// carefully as the writer.
func migrateSQLiteFile(ctx context.Context, path string, s seams) error {
	options := url.Values{"_pragma": {fmt.Sprintf("busy_timeout=%d", lockWait)}}
	for _, p := range durable {
		options.Add("_pragma", p.name+"="+p.set)
	}
	if s.vfs != "" {
		options.Set("vfs", s.vfs)
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+options.Encode())
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	db.SetMaxOpenConns(1)
	return errors.Join(migrateSQLite(ctx, db, s.schema()), db.Close())
}

// write returns once the outcome is known, also when ctx ends meanwhile: a transaction whose turn
// comes after the end of its ctx fails, one that has run is committed.
func (e *sqliteEngine) write(
	ctx context.Context, _ ids.Peer, fn func(querier) error, committed func(),
) error {
	if e.halted() {
		return ErrStopped
	}
	op := &writeOp{ctx: ctx, fn: fn, committed: committed, done: make(chan struct{})}
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
	for !e.halted() {
		select {
		case op := <-e.ops:
			batch = append(batch[:0], op)
		case <-e.stop:
			return
		}
		err := e.commit(&batch)
		for _, op := range batch {
			if err != nil {
				op.err = err
			}
			if op.err == nil {
				op.committed()
			}
			close(op.done)
		}
		clear(batch)
		if e.writer.broken == nil {
			e.checkpoint()
		}
		if e.writer.broken != nil {
			e.fail(e.writer.broken)
			return
		}
	}
}

// commit runs the batch, which grows by what arrives meanwhile, and commits it. It returns what
// went wrong for all of the batch; the error of one transaction stays with it.
func (e *sqliteEngine) commit(batch *[]*writeOp) error {
	if err := e.begin(); err != nil {
		return e.undone(err)
	}
	careful := false
	for i := 0; i < len(*batch); i++ {
		failed, err := e.apply((*batch)[i], careful)
		if err == nil && failed && !careful {
			careful = i > 0
			err = e.again((*batch)[:i])
		}
		if err != nil {
			return e.undone(err)
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
	err := e.writer.run("commit")
	if err != nil && e.writer.broken == nil {
		return e.undone(err)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	if pages := e.writer.written(); pages > 0 {
		e.unmoved += pages
		e.rows.committed()
	}
	return nil
}

// begin begins a transaction of the writer, at the last commit of whatever process.
func (e *sqliteEngine) begin() error {
	if err := e.writer.run("begin immediate"); err != nil {
		return err
	}
	e.at = e.rows.begin()
	return nil
}

// again undoes the batch, of which a transaction has failed, and runs those before it once more.
// From then on each has a savepoint, so that this happens once in a batch.
func (e *sqliteEngine) again(before []*writeOp) error {
	if err := e.writer.run("rollback"); err != nil {
		return err
	}
	if err := e.begin(); err != nil {
		return err
	}
	for _, op := range before {
		if _, err := e.apply(op, true); err != nil {
			return err
		}
	}
	return nil
}

// undone is the error of a batch that certainly was not committed. An error that is not the
// disk's, such as a lock that another process holds, leaves the writer as it was.
func (e *sqliteEngine) undone(err error) error {
	if e.writer.broken != nil {
		return fmt.Errorf("%w: %w", ErrStopped, err)
	}
	if e.writer.busy() {
		if rerr := e.writer.run("rollback"); rerr != nil {
			e.writer.broken = rerr
		}
	}
	return err
}

// apply runs one transaction and tells whether it failed. One that does leaves the batch as it was
// if it has a savepoint. A savepoint costs a copy of every page that is changed under it, so it is
// for batches in which something fails, which are few.
func (e *sqliteEngine) apply(op *writeOp, savepoint bool) (failed bool, err error) {
	if op.err = op.ctx.Err(); op.err != nil {
		return false, nil
	}
	if savepoint {
		if err := e.writer.run("savepoint op"); err != nil {
			return true, err
		}
	}
	op.err = attempt(op.fn, writing{e.writer, e.rows, e.at})
	e.writer.failure = nil
	switch {
	case e.writer.broken != nil:
		return true, e.writer.broken
	case !savepoint:
		return op.err != nil, nil
	case op.err == nil:
		return false, e.writer.run("release op")
	}
	return true, errors.Join(e.writer.run("rollback to op"), e.writer.run("release op"))
}

// checkpoint moves pages from the log to the database once there are enough, after those who
// waited have their answer. Left to the library it would happen inside the commit, with its errors
// passed over.
//
// https://www.sqlite.org/wal.html#checkpointing
func (e *sqliteEngine) checkpoint() {
	if e.unmoved >= e.every {
		e.unmoved = 0
		e.writer.checkpoint()
	}
}

func (e *sqliteEngine) halted() bool {
	select {
	case <-e.stop:
		return true
	default:
		return false
	}
}

// fail stops the engine for good and says why, once.
func (e *sqliteEngine) fail(err error) {
	e.halt.Do(func() { close(e.stop) })
	e.alarm.Do(func() { go e.fatal(fmt.Errorf("store: storage error, stopping: %w", err)) })
}

func (e *sqliteEngine) close() error {
	e.halt.Do(func() { close(e.stop) })
	e.end.Do(func() {
		<-e.done
		e.rows.close()
		var errs []error
		for range cap(e.readers) {
			errs = append(errs, (<-e.readers).close())
		}
		e.closed = errors.Join(append(errs, e.writer.close())...)
	})
	return e.closed
}

// storageError tells whether a result code means that the disk, not the caller, is at fault.
//
// https://www.sqlite.org/rescode.html
func storageError(code int32) bool {
	switch code & 0xff {
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PROTOCOL,
		sqlite3.SQLITE_NOMEM:
		return true
	}
	return false
}
