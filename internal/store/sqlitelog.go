package store

import (
	"errors"
	"fmt"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// refresh makes sure that the log that an earlier run has left is on the disk as it is in memory,
// and empties it. After a sync that failed, the system holds pages that look written and never
// were: a log that is believed, moved to the database and then found shorter by a power cut would
// take pages of the database back to older ones. Writing the log over itself before anything is
// moved has the disk get all of it.
func (c *sqliteConn) refresh() error {
	if err := c.run("begin immediate"); err != nil { // others leave the log alone meanwhile
		return err
	}
	if err := c.rewriteLog(); err != nil {
		return fmt.Errorf("store: write the log again: %w", err)
	}
	if err := c.run("rollback"); err != nil {
		return err
	}
	c.checkpoint()
	return c.broken
}

// rewriteLog writes every byte of the write-ahead log where it is, and syncs the log.
func (c *sqliteConn) rewriteLog() error {
	f, err := c.file(sqlite3.SQLITE_FCNTL_JOURNAL_POINTER)
	if err != nil || f.methods == 0 {
		return err // without methods there is no log yet
	}
	size, code := f.size(c.out)
	for at := int64(0); code == sqlite3.SQLITE_OK && at < size; at += bufferSize {
		n := int32(min(size-at, bufferSize))
		if code = f.read(c.buffer, n, at); code == sqlite3.SQLITE_OK {
			code = f.write(c.buffer, n, at)
		}
	}
	if code == sqlite3.SQLITE_OK {
		code = f.sync(sqlite3.SQLITE_SYNC_FULL)
	}
	if code != sqlite3.SQLITE_OK {
		return c.fault(code)
	}
	return nil
}

// file is a file of the connection, by the operation that asks for it.
//
// https://www.sqlite.org/c3ref/c_fcntl_begin_atomic_write.html
func (c *sqliteConn) file(operation int32) (sqliteFile, error) {
	code := sqlite3.Xsqlite3_file_control(c.tls, c.db, 0, operation, c.out)
	if code != sqlite3.SQLITE_OK {
		return sqliteFile{}, c.fault(code)
	}
	id := *pointer[uintptr](c.out)
	return sqliteFile{tls: c.tls, id: id, methods: *pointer[uintptr](id)}, nil
}

// commits is where the library counts the commits of all processes: in the header of the index of
// the log, which they share. The log must be open.
//
// https://www.sqlite.org/walformat.html#the_wal_index_header
func (c *sqliteConn) commits() (*uint32, error) {
	const (
		first      = 0 // the region that begins with the header
		regionSize = 32 << 10
		change     = 8 // iChange
	)
	f, err := c.file(sqlite3.SQLITE_FCNTL_FILE_POINTER)
	if err != nil {
		return nil, err
	}
	index, code := f.index(first, regionSize, c.out)
	if code != sqlite3.SQLITE_OK {
		return nil, c.fault(code)
	}
	if index == 0 {
		return nil, errors.New("the log has no index")
	}
	return pointer[uint32](index + change), nil
}

// sqliteFile is a file that the library has open, with the functions of its file layer.
//
// https://www.sqlite.org/c3ref/io_methods.html
type sqliteFile struct {
	tls         *libc.TLS
	id, methods uintptr
}

// method is the function at an offset of the methods.
func method[F any](f sqliteFile, offset uintptr) F {
	at := *pointer[uintptr](f.methods + offset)
	return *(*F)(unsafe.Pointer(&at))
}

func (f sqliteFile) size(out uintptr) (size int64, code int32) {
	fn := method[func(*libc.TLS, uintptr, uintptr) int32](f,
		unsafe.Offsetof(sqlite3.Tsqlite3_io_methods{}.FxFileSize))
	code = fn(f.tls, f.id, out)
	return *pointer[int64](out), code
}

func (f sqliteFile) read(buffer uintptr, n int32, at int64) int32 {
	fn := method[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](f,
		unsafe.Offsetof(sqlite3.Tsqlite3_io_methods{}.FxRead))
	return fn(f.tls, f.id, buffer, n, at)
}

func (f sqliteFile) write(buffer uintptr, n int32, at int64) int32 {
	fn := method[func(*libc.TLS, uintptr, uintptr, int32, int64) int32](f,
		unsafe.Offsetof(sqlite3.Tsqlite3_io_methods{}.FxWrite))
	return fn(f.tls, f.id, buffer, n, at)
}

func (f sqliteFile) truncate(size int64) int32 {
	fn := method[func(*libc.TLS, uintptr, int64) int32](f,
		unsafe.Offsetof(sqlite3.Tsqlite3_io_methods{}.FxTruncate))
	return fn(f.tls, f.id, size)
}

func (f sqliteFile) sync(flags int32) int32 {
	fn := method[func(*libc.TLS, uintptr, int32) int32](f,
		unsafe.Offsetof(sqlite3.Tsqlite3_io_methods{}.FxSync))
	return fn(f.tls, f.id, flags)
}

func (f sqliteFile) close() int32 {
	fn := method[func(*libc.TLS, uintptr) int32](f,
		unsafe.Offsetof(sqlite3.Tsqlite3_io_methods{}.FxClose))
	return fn(f.tls, f.id)
}

// index is where a region of the log's index is in memory, 0 when it is not there.
func (f sqliteFile) index(region, size int32, out uintptr) (at uintptr, code int32) {
	fn := method[func(*libc.TLS, uintptr, int32, int32, int32, uintptr) int32](f,
		unsafe.Offsetof(sqlite3.Tsqlite3_io_methods{}.FxShmMap))
	code = fn(f.tls, f.id, region, size, 0, out)
	return *pointer[uintptr](out), code
}
