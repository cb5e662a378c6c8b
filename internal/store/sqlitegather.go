package store

import (
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// gatherSize is how many bytes of the log are gathered before they are written, at most. The
// library does not write 128 KiB or more by one call.
const gatherSize = 64 << 10

// gathering stands before the file of a connection's log and gathers what is written to it: the
// library writes each page of a commit by two calls, of 24 and of 4096 bytes, and a batch has
// hundreds of pages. What was gathered is written before anything else is done with the file, above
// all before it is synced; an error of that is the error of what was to be done then. Nobody reads
// of the log what was not synced, but its writer.
//
// https://www.sqlite.org/c3ref/io_methods.html
type gathering struct {
	// file is as the library opened it, with the methods that it had.
	file sqliteFile
	// table is where the methods are that it has now, in the library's memory.
	table uintptr
	// held are the functions of table: the collector does not see that the library points to them.
	held []any
	// buffer holds used bytes that belong at an offset of the file.
	buffer   uintptr
	used, at int64
}

// gather has what the connection writes to the log gathered. The log must be open.
func (c *sqliteConn) gather() error {
	f, err := c.file(sqlite3.SQLITE_FCNTL_JOURNAL_POINTER)
	if err != nil {
		return err
	}
	table := *pointer[sqlite3.Tsqlite3_io_methods](f.methods)
	g := &gathering{
		file: f, table: libc.Xmalloc(c.tls, libc.Tsize_t(unsafe.Sizeof(table))),
		buffer: libc.Xmalloc(c.tls, gatherSize),
	}
	table.FxWrite = hold(g, g.write)
	table.FxRead = hold(g, g.read)
	table.FxTruncate = hold(g, g.truncate)
	table.FxSync = hold(g, g.sync)
	table.FxFileSize = hold(g, g.size)
	table.FxClose = hold(g, g.close)
	*pointer[sqlite3.Tsqlite3_io_methods](g.table) = table
	*pointer[uintptr](f.id) = g.table
	c.log = g
	return nil
}

// hold is a function as the library calls it.
func hold[F any](g *gathering, fn F) uintptr {
	g.held = append(g.held, fn)
	return *(*uintptr)(unsafe.Pointer(&fn))
}

// flush writes what was gathered.
func (g *gathering) flush() int32 {
	if g.used == 0 {
		return sqlite3.SQLITE_OK
	}
	n := g.used
	g.used = 0
	return g.file.write(g.buffer, int32(n), g.at)
}

func (g *gathering) write(_ *libc.TLS, _, from uintptr, n int32, at int64) int32 {
	if at != g.at+g.used || g.used+int64(n) > gatherSize {
		if code := g.flush(); code != sqlite3.SQLITE_OK {
			return code
		}
		g.at = at
	}
	if n > gatherSize {
		return g.file.write(from, n, at)
	}
	copy(libc.GoBytes(g.buffer+uintptr(g.used), int(n)), libc.GoBytes(from, int(n)))
	g.used += int64(n)
	return sqlite3.SQLITE_OK
}

func (g *gathering) read(_ *libc.TLS, _, to uintptr, n int32, at int64) int32 {
	if code := g.flush(); code != sqlite3.SQLITE_OK {
		return code
	}
	return g.file.read(to, n, at)
}

func (g *gathering) truncate(_ *libc.TLS, _ uintptr, size int64) int32 {
	if code := g.flush(); code != sqlite3.SQLITE_OK {
		return code
	}
	return g.file.truncate(size)
}

func (g *gathering) sync(_ *libc.TLS, _ uintptr, flags int32) int32 {
	if code := g.flush(); code != sqlite3.SQLITE_OK {
		return code
	}
	return g.file.sync(flags)
}

func (g *gathering) size(_ *libc.TLS, _, out uintptr) int32 {
	if code := g.flush(); code != sqlite3.SQLITE_OK {
		return code
	}
	_, code := g.file.size(out)
	return code
}

func (g *gathering) close(tls *libc.TLS, _ uintptr) int32 {
	code := g.flush()
	libc.Xfree(tls, g.buffer)
	if closed := g.file.close(); code == sqlite3.SQLITE_OK {
		code = closed
	}
	return code
}
