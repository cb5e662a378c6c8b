package store

import (
	"context"
	"errors"
	"fmt"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteConn is one connection to an SQLite database, with its statements prepared once. It calls
// the library itself, beneath its database/sql driver: driver and database/sql together cost as
// much as the database does. One goroutine at a time uses it.
//
// The library sees no memory of Go's: texts and bytes go through a buffer of its own kind, results
// are copied before the next call.
//
// https://www.sqlite.org/c3ref/intro.html
type sqliteConn struct {
	tls   *libc.TLS
	db    uintptr
	ready []*sqliteStmt
	bare  map[string]*sqliteStmt
	// open is the statement whose rows are being read.
	open *sqliteStmt
	// failure is the error that ended the transaction, broken the first error of the disk.
	failure, broken error
	// log gathers what is written to the log, if it is set.
	log *gathering
	// out is where the library writes results of two words.
	out uintptr
	// buffer holds the texts and bytes bound to the running statement, of size bytes, used so far.
	buffer     uintptr
	size, used int
}

// sqliteStmt is a prepared statement and the rows being read from it.
type sqliteStmt struct {
	conn *sqliteConn
	// of is the statement whose rows are read.
	of *statement
	// then is what gives its rows, when it does not itself.
	then    *sqliteStmt
	handle  uintptr
	columns int32
	result  int32
	stepped bool
}

// sqliteError is an error of the library, told by its extended result code.
//
// https://www.sqlite.org/rescode.html
type sqliteError struct {
	code int32
	text string
}

func (e *sqliteError) Error() string { return fmt.Sprintf("sqlite: %s (%d)", e.text, e.code) }

// taken tells whether the error says that a unique key is taken.
func (e *sqliteError) taken() bool {
	return e.code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY ||
		e.code == sqlite3.SQLITE_CONSTRAINT_UNIQUE
}

const (
	// wordSize is the size of a pointer in bytes.
	wordSize = int(unsafe.Sizeof(uintptr(0)))
	// bufferSize is how large the buffer for arguments is between statements, in bytes.
	bufferSize = 64 << 10
	// static tells the library that what is bound stays where it is.
	//
	// https://www.sqlite.org/c3ref/c_static.html
	static = 0
)

// errReading says that a statement was started while rows of another were being read.
var errReading = errors.New("rows are being read")

func dialSQLite(path, vfs string) (*sqliteConn, error) {
	c := &sqliteConn{
		tls:   libc.NewTLS(),
		ready: make([]*sqliteStmt, len(statements)),
		bare:  make(map[string]*sqliteStmt),
	}
	c.out = libc.Xmalloc(c.tls, libc.Tsize_t(2*wordSize))
	c.buffer, c.size = libc.Xmalloc(c.tls, bufferSize), bufferSize
	name, err := libc.CString(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	defer libc.Xfree(c.tls, name)
	var vfsName uintptr
	if vfs != "" {
		if vfsName, err = libc.CString(vfs); err != nil {
			return nil, fmt.Errorf("sqlite: %w", err)
		}
		defer libc.Xfree(c.tls, vfsName)
	}
	code := sqlite3.Xsqlite3_open_v2(c.tls, name, c.out,
		sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_CREATE|sqlite3.SQLITE_OPEN_NOMUTEX,
		vfsName)
	c.db = *pointer[uintptr](c.out)
	if code != sqlite3.SQLITE_OK {
		err := c.fault(code)
		return nil, errors.Join(err, c.close())
	}
	sqlite3.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	sqlite3.Xsqlite3_busy_timeout(c.tls, c.db, lockWait)
	return c, nil
}

// fault is the error that the last call left, and ends the transaction.
func (c *sqliteConn) fault(code int32) error {
	err := &sqliteError{code: code, text: libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db))}
	if c.broken == nil && storageError(code) {
		c.broken = err
	}
	if c.failure == nil {
		c.failure = err
	}
	return err
}

func (c *sqliteConn) failed() error { return c.failure }

func (c *sqliteConn) prepare(text string) (*sqliteStmt, error) {
	sql, err := libc.CString(text)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	defer libc.Xfree(c.tls, sql)
	code := sqlite3.Xsqlite3_prepare_v3(c.tls, c.db, sql, -1, sqlite3.SQLITE_PREPARE_PERSISTENT,
		c.out, 0)
	if code != sqlite3.SQLITE_OK {
		return nil, c.fault(code)
	}
	s := &sqliteStmt{conn: c, handle: *pointer[uintptr](c.out)}
	s.columns = sqlite3.Xsqlite3_column_count(c.tls, s.handle)
	return s, nil
}

// prepareFor prepares a statement of the package.
func (c *sqliteConn) prepareFor(st *statement) (*sqliteStmt, error) {
	text, then := st.sqliteText()
	s, err := c.prepare(text)
	if err != nil || then == "" {
		return s, err
	}
	if s.then, err = c.prepare(then); err != nil {
		s.finalize()
	}
	return s, err
}

// run executes transaction control.
func (c *sqliteConn) run(text string) error {
	s := c.bare[text]
	if s == nil {
		var err error
		if s, err = c.prepare(text); err != nil {
			return fmt.Errorf("store: %s: %w", text, err)
		}
		c.bare[text] = s
	}
	err := s.start(nil)
	s.reset()
	if err != nil {
		c.failure = nil
		return fmt.Errorf("store: %s: %w", text, err)
	}
	return nil
}

// set changes a setting and reads it back.
func (c *sqliteConn) set(p pragma) error {
	s, err := c.prepare("pragma " + p.name + "=" + p.set)
	if err != nil {
		return fmt.Errorf("pragma %s: %w", p.name, err)
	}
	err = s.start(nil)
	s.finalize()
	if err != nil {
		return fmt.Errorf("pragma %s: %w", p.name, err)
	}
	if s, err = c.prepare("pragma " + p.name); err != nil {
		return fmt.Errorf("pragma %s: %w", p.name, err)
	}
	defer s.finalize()
	if err := s.start(nil); err != nil {
		return fmt.Errorf("pragma %s: %w", p.name, err)
	}
	if p.want == "" {
		return nil
	}
	if got := s.text(0); got != p.want {
		return fmt.Errorf("pragma %s is %q, want %q: is this a network filesystem?",
			p.name, got, p.want)
	}
	return nil
}

// busy tells whether a transaction is open.
func (c *sqliteConn) busy() bool { return sqlite3.Xsqlite3_get_autocommit(c.tls, c.db) == 0 }

// written is how many pages the connection has written to the log since this was last asked.
//
// https://www.sqlite.org/c3ref/c_dbstatus_options.html
func (c *sqliteConn) written() int64 {
	sqlite3.Xsqlite3_db_status(c.tls, c.db, sqlite3.SQLITE_DBSTATUS_CACHE_WRITE, c.out,
		c.out+uintptr(wordSize), 1)
	return int64(*pointer[int32](c.out))
}

// pointer points to a variable in the library's memory.
func pointer[T any](at uintptr) *T {
	var v T
	return (*T)(unsafe.Pointer(unsafe.SliceData(libc.GoBytes(at, int(unsafe.Sizeof(v))))))
}

// checkpoint moves what no reader needs any more from the log to the database. Readers and other
// processes may keep it from moving all.
func (c *sqliteConn) checkpoint() {
	code := sqlite3.Xsqlite3_wal_checkpoint_v2(c.tls, c.db, 0, sqlite3.SQLITE_CHECKPOINT_PASSIVE,
		0, 0)
	if code != sqlite3.SQLITE_OK && code&0xff != sqlite3.SQLITE_BUSY {
		c.broken = c.fault(code)
	}
}

// begin finds the prepared statement and starts it.
func (c *sqliteConn) begin(ctx context.Context, st *statement, args []any) (*sqliteStmt, error) {
	if c.failure != nil {
		return nil, c.failure
	}
	if err := ctx.Err(); err != nil {
		c.failure = err
		return nil, err
	}
	s := c.ready[st.number]
	if s == nil {
		var err error
		if s, err = c.prepareFor(st); err != nil {
			return nil, c.named(st, err)
		}
		c.ready[st.number] = s
	}
	if c.open != nil {
		return nil, c.named(st, errReading)
	}
	if err := s.start(args); err != nil {
		s.reset()
		return nil, c.named(st, err)
	}
	return s, nil
}

// named names the statement of an error, tells a taken key from other errors, and ends the
// transaction.
func (c *sqliteConn) named(st *statement, err error) error {
	var se *sqliteError
	if errors.As(err, &se) && se.taken() {
		err = fmt.Errorf("%w: %s", ErrConflict, st.name)
	} else {
		err = fmt.Errorf("store: %s: %w", st.name, err)
	}
	c.failure = err
	return err
}

func (c *sqliteConn) exec(ctx context.Context, st *statement, args ...any) (int64, error) {
	s, err := c.begin(ctx, st, args)
	if err != nil {
		return 0, err
	}
	affected := sqlite3.Xsqlite3_changes64(c.tls, c.db)
	s.reset()
	return affected, nil
}

func (c *sqliteConn) query(ctx context.Context, st *statement, args ...any) (rows, error) {
	s, err := c.begin(ctx, st, args)
	if err != nil {
		return nil, err
	}
	if s.then != nil {
		s.reset()
		s = s.then
		if err := s.start(args[:1]); err != nil {
			s.reset()
			return nil, c.named(st, err)
		}
	}
	s.of, s.stepped = st, true
	c.open = s
	return s, nil
}

func (c *sqliteConn) close() error {
	for _, s := range c.ready {
		if s != nil {
			s.finalize()
		}
	}
	for _, s := range c.bare {
		s.finalize()
	}
	if c.broken != nil {
		c.keepLog()
	}
	libc.Xfree(c.tls, c.out)
	libc.Xfree(c.tls, c.buffer)
	var err error
	if code := sqlite3.Xsqlite3_close_v2(c.tls, c.db); code != sqlite3.SQLITE_OK {
		err = c.fault(code)
	}
	if c.log != nil {
		libc.Xfree(c.tls, c.log.table)
	}
	c.tls.Close()
	return err
}

// keepLog closes without moving the log to the database, which is not to be written to any more
// after an error of the disk; the next start recovers from the log.
//
// https://www.sqlite.org/c3ref/c_dbconfig_defensive.html
func (c *sqliteConn) keepLog() {
	const slot = 8 // bytes of a variadic argument
	args := libc.Xmalloc(c.tls, 2*slot)
	defer libc.Xfree(c.tls, args)
	sqlite3.Xsqlite3_db_config(c.tls, c.db, sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
		libc.VaList(args, int32(1), uintptr(0)))
}

// start binds the arguments and takes the first step.
func (s *sqliteStmt) start(args []any) error {
	s.conn.room(args)
	for i, arg := range args {
		code, err := s.bind(int32(i+1), arg)
		if err != nil {
			return err
		}
		if code != sqlite3.SQLITE_OK {
			return s.conn.fault(code)
		}
	}
	return s.step()
}

// room makes the buffer large enough for the arguments. What the statement before has left bound
// to its parameters is not looked at any more.
func (c *sqliteConn) room(args []any) {
	need := 0
	for _, arg := range args {
		switch v := arg.(type) {
		case string:
			need += len(v) + 1
		case []byte:
			need += len(v)
		}
	}
	c.used = 0
	if size := max(need, bufferSize); need > c.size || c.size > size {
		libc.Xfree(c.tls, c.buffer)
		c.buffer, c.size = libc.Xmalloc(c.tls, libc.Tsize_t(size)), size
	}
}

// put copies to the buffer and returns where.
func put[T string | []byte](c *sqliteConn, v T) uintptr {
	at := c.buffer + uintptr(c.used)
	copy(libc.GoBytes(at, len(v)), v)
	c.used += len(v)
	return at
}

func (s *sqliteStmt) step() error {
	s.result = sqlite3.Xsqlite3_step(s.conn.tls, s.handle)
	if s.result != sqlite3.SQLITE_ROW && s.result != sqlite3.SQLITE_DONE {
		return s.conn.fault(s.result)
	}
	return nil
}

func (s *sqliteStmt) reset() { sqlite3.Xsqlite3_reset(s.conn.tls, s.handle) }

func (s *sqliteStmt) finalize() {
	if s.then != nil {
		s.then.finalize()
	}
	sqlite3.Xsqlite3_finalize(s.conn.tls, s.handle)
}

// bind sets a parameter.
func (s *sqliteStmt) bind(i int32, arg any) (code int32, err error) {
	switch v := arg.(type) {
	case string:
		return s.bindText(i, v), nil
	case []byte:
		return s.bindBlob(i, v), nil
	}
	v, ok := integer(arg)
	if !ok {
		return 0, fmt.Errorf("argument %d is a %T", i, arg)
	}
	return s.bindInt(i, v), nil
}

func (s *sqliteStmt) bindInt(i int32, v int64) int32 {
	return sqlite3.Xsqlite3_bind_int64(s.conn.tls, s.handle, i, v)
}

func (s *sqliteStmt) bindText(i int32, v string) int32 {
	return sqlite3.Xsqlite3_bind_text(s.conn.tls, s.handle, i, put(s.conn, v), int32(len(v)), static)
}

func (s *sqliteStmt) bindBlob(i int32, v []byte) int32 {
	switch {
	case v == nil:
		return sqlite3.Xsqlite3_bind_null(s.conn.tls, s.handle, i)
	case len(v) == 0:
		return sqlite3.Xsqlite3_bind_zeroblob(s.conn.tls, s.handle, i, 0)
	}
	return sqlite3.Xsqlite3_bind_blob(s.conn.tls, s.handle, i, put(s.conn, v), int32(len(v)), static)
}

// Next implements rows.
func (s *sqliteStmt) Next() bool {
	if s.stepped {
		s.stepped = false
	} else if err := s.step(); err != nil {
		_ = s.conn.named(s.of, err)
	}
	return s.result == sqlite3.SQLITE_ROW
}

// Err implements rows.
func (s *sqliteStmt) Err() error { return s.conn.failure }

// Close implements rows.
func (s *sqliteStmt) Close() {
	if s.conn.open == s {
		s.conn.open = nil
		s.reset()
	}
}

// Scan implements rows.
func (s *sqliteStmt) Scan(dest ...any) error {
	if len(dest) != int(s.columns) {
		return fmt.Errorf("store: %s: %d columns into %d", s.of.name, s.columns, len(dest))
	}
	for i, d := range dest {
		if err := s.column(int32(i), d); err != nil {
			return fmt.Errorf("store: %s: column %d: %w", s.of.name, i+1, err)
		}
	}
	return nil
}

func (s *sqliteStmt) column(i int32, dest any) error {
	if sqlite3.Xsqlite3_column_type(s.conn.tls, s.handle, i) == sqlite3.SQLITE_NULL {
		return errors.New("is null")
	}
	switch d := dest.(type) {
	case *string:
		*d = s.text(i)
	case *[]byte:
		*d = s.blob(i)
	default:
		if !setInteger(dest, s.int(i)) {
			return fmt.Errorf("into a %T", dest)
		}
	}
	return nil
}

func (s *sqliteStmt) int(i int32) int64 {
	return sqlite3.Xsqlite3_column_int64(s.conn.tls, s.handle, i)
}

func (s *sqliteStmt) text(i int32) string {
	p := sqlite3.Xsqlite3_column_text(s.conn.tls, s.handle, i)
	n := sqlite3.Xsqlite3_column_bytes(s.conn.tls, s.handle, i)
	return string(libc.GoBytes(p, int(n)))
}

func (s *sqliteStmt) blob(i int32) []byte {
	p := sqlite3.Xsqlite3_column_blob(s.conn.tls, s.handle, i)
	n := sqlite3.Xsqlite3_column_bytes(s.conn.tls, s.handle, i)
	return append(make([]byte, 0, n), libc.GoBytes(p, int(n))...)
}
