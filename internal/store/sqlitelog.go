package store

import (
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
//
// https://www.sqlite.org/c3ref/c_fcntl_begin_atomic_write.html
func (c *sqliteConn) rewriteLog() error {
	code := sqlite3.Xsqlite3_file_control(c.tls, c.db, 0, sqlite3.SQLITE_FCNTL_JOURNAL_POINTER, c.out)
	if code != sqlite3.SQLITE_OK {
		return c.fault(code)
	}
	f := sqliteFile{tls: c.tls, id: word(c.out)}
	if f.methods = word(f.id); f.methods == 0 {
		return nil // there is no log yet
	}
	size, code := f.size(c.out)
	for at := int64(0); code == sqlite3.SQLITE_OK && at < size; at += bufferSize {
		n := int32(min(size-at, bufferSize))
		if code = f.read(c.buffer, n, at); code == sqlite3.SQLITE_OK {
			code = f.write(c.buffer, n, at)
		}
	}
	if code == sqlite3.SQLITE_OK {
		code = f.sync()
	}
	if code != sqlite3.SQLITE_OK {
		return c.fault(code)
	}
	return nil
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
	pointer := word(f.methods + offset)
	return *(*F)(unsafe.Pointer(&pointer))
}

func (f sqliteFile) size(out uintptr) (size int64, code int32) {
	fn := method[func(*libc.TLS, uintptr, uintptr) int32](f,
		unsafe.Offsetof(sqlite3.Tsqlite3_io_methods{}.FxFileSize))
	code = fn(f.tls, f.id, out)
	return *(*int64)(unsafe.Pointer(unsafe.SliceData(libc.GoBytes(out, 8)))), code
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

func (f sqliteFile) sync() int32 {
	fn := method[func(*libc.TLS, uintptr, int32) int32](f,
		unsafe.Offsetof(sqlite3.Tsqlite3_io_methods{}.FxSync))
	return fn(f.tls, f.id, sqlite3.SQLITE_SYNC_FULL)
}
