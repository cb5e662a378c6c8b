package powercut

import (
	"errors"
	"sync"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// methods are the functions of an open file.
//
// https://www.sqlite.org/c3ref/io_methods.html
func methods() sqlite3.Tsqlite3_io_methods {
	return sqlite3.Tsqlite3_io_methods{
		FiVersion:               2,
		FxClose:                 function(xClose),
		FxRead:                  function(xRead),
		FxWrite:                 function(xWrite),
		FxTruncate:              function(xTruncate),
		FxSync:                  function(xSync),
		FxFileSize:              function(xFileSize),
		FxLock:                  function(xLock),
		FxUnlock:                function(xUnlock),
		FxCheckReservedLock:     function(xCheckReservedLock),
		FxFileControl:           function(xFileControl),
		FxSectorSize:            function(xSectorSize),
		FxDeviceCharacteristics: function(xDeviceCharacteristics),
		FxShmMap:                function(xShmMap),
		FxShmLock:               function(xShmLock),
		FxShmBarrier:            function(xShmBarrier),
		FxShmUnmap:              function(xShmUnmap),
	}
}

// table is the methods in the library's memory, for good.
var table = sync.OnceValue(func() uintptr {
	tls := libc.NewTLS()
	defer tls.Close()
	return place(tls, methods())
})

func xOpen(_ *libc.TLS, vfs, zName, id uintptr, flags int32, outFlags uintptr) int32 {
	*field[[2]uintptr](id) = [2]uintptr{}
	disk := diskOf(vfs)
	h := &handle{disk: disk, forget: flags&sqlite3.SQLITE_OPEN_DELETEONCLOSE != 0}
	if zName == 0 { // a temporary file, in no directory
		h.file = &file{}
	} else {
		h.name = libc.GoString(zName)
		f, err := disk.open(h.name, flags&sqlite3.SQLITE_OPEN_CREATE != 0)
		if err != nil {
			return sqlite3.SQLITE_CANTOPEN
		}
		h.file = f
	}
	h.inode = disk.inode(h.file)
	const journals = sqlite3.SQLITE_OPEN_MAIN_JOURNAL | sqlite3.SQLITE_OPEN_SUPER_JOURNAL |
		sqlite3.SQLITE_OPEN_WAL
	h.enters = flags&sqlite3.SQLITE_OPEN_CREATE != 0 && flags&journals != 0
	*field[[2]uintptr](id) = [2]uintptr{table(), known.add(h)}
	if outFlags != 0 {
		*field[int32](outFlags) = flags
	}
	return sqlite3.SQLITE_OK
}

func xDelete(_ *libc.TLS, vfs, zName uintptr, syncDirectory int32) int32 {
	err := diskOf(vfs).remove(libc.GoString(zName), syncDirectory != 0)
	if errors.Is(err, ErrAbsent) {
		return sqlite3.SQLITE_IOERR_DELETE_NOENT
	}
	return code(err, sqlite3.SQLITE_IOERR_DELETE)
}

func xAccess(_ *libc.TLS, vfs, zName uintptr, flags int32, out uintptr) int32 {
	there, err := diskOf(vfs).exists(libc.GoString(zName))
	if err != nil {
		return sqlite3.SQLITE_IOERR_ACCESS
	}
	*field[int32](out) = libc.BoolInt32(there || flags != sqlite3.SQLITE_ACCESS_EXISTS)
	return sqlite3.SQLITE_OK
}

func xFullPathname(_ *libc.TLS, _, zName uintptr, size int32, out uintptr) int32 {
	name := libc.GoString(zName)
	if len(name) >= int(size) {
		return sqlite3.SQLITE_CANTOPEN
	}
	copy(libc.GoBytes(out, int(size)), name+"\x00")
	return sqlite3.SQLITE_OK
}

func xGetLastError(*libc.TLS, uintptr, int32, uintptr) int32 { return 0 }

func handleOf(id uintptr) *handle {
	return known.get(field[[2]uintptr](id)[1]).(*handle)
}

func xClose(tls *libc.TLS, id uintptr) int32 {
	h := handleOf(id)
	h.inode.unmap(tls, h)
	h.inode.unlock(h, sqlite3.SQLITE_LOCK_NONE)
	if h.forget && h.name != "" {
		_ = h.disk.remove(h.name, false)
	}
	known.drop(field[[2]uintptr](id)[1])
	return sqlite3.SQLITE_OK
}

func xRead(_ *libc.TLS, id, buffer uintptr, amount int32, at int64) int32 {
	h := handleOf(id)
	p := libc.GoBytes(buffer, int(amount))
	n, err := h.disk.read(h.file, p, at)
	if err != nil {
		return sqlite3.SQLITE_IOERR_READ
	}
	if n < len(p) {
		clear(p[n:])
		return sqlite3.SQLITE_IOERR_SHORT_READ
	}
	return sqlite3.SQLITE_OK
}

func xWrite(_ *libc.TLS, id, buffer uintptr, amount int32, at int64) int32 {
	h := handleOf(id)
	err := h.disk.write(h.file, libc.GoBytes(buffer, int(amount)), at)
	return code(err, sqlite3.SQLITE_IOERR_WRITE)
}

func xTruncate(_ *libc.TLS, id uintptr, size int64) int32 {
	h := handleOf(id)
	return code(h.disk.truncate(h.file, size), sqlite3.SQLITE_IOERR_TRUNCATE)
}

func xSync(_ *libc.TLS, id uintptr, _ int32) int32 {
	h := handleOf(id)
	if err := h.disk.sync(h.file, h.enters); err != nil {
		return sqlite3.SQLITE_IOERR_FSYNC
	}
	h.enters = false
	return sqlite3.SQLITE_OK
}

func xFileSize(_ *libc.TLS, id, out uintptr) int32 {
	h := handleOf(id)
	n, err := h.disk.size(h.file)
	if err != nil {
		return sqlite3.SQLITE_IOERR_FSTAT
	}
	*field[int64](out) = n
	return sqlite3.SQLITE_OK
}

func xLock(_ *libc.TLS, id uintptr, level int32) int32 {
	if h := handleOf(id); !h.inode.lock(h, level) {
		return sqlite3.SQLITE_BUSY
	}
	return sqlite3.SQLITE_OK
}

func xUnlock(_ *libc.TLS, id uintptr, level int32) int32 {
	h := handleOf(id)
	h.inode.unlock(h, level)
	return sqlite3.SQLITE_OK
}

func xCheckReservedLock(_ *libc.TLS, id, out uintptr) int32 {
	*field[int32](out) = libc.BoolInt32(handleOf(id).inode.reserved())
	return sqlite3.SQLITE_OK
}

func xFileControl(*libc.TLS, uintptr, int32, uintptr) int32 { return sqlite3.SQLITE_NOTFOUND }

func xSectorSize(*libc.TLS, uintptr) int32 { return claimedSector }

// xDeviceCharacteristics claims what SQLite takes for granted of any Unix: that a write does not
// harm the bytes beside it.
func xDeviceCharacteristics(*libc.TLS, uintptr) int32 {
	return sqlite3.SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

func xShmMap(tls *libc.TLS, id uintptr, region, size, extend int32, out uintptr) int32 {
	h := handleOf(id)
	*field[uintptr](out) = h.inode.region(tls, h, int(region), int(size), extend != 0)
	return sqlite3.SQLITE_OK
}

func xShmLock(_ *libc.TLS, id uintptr, from, count, flags int32) int32 {
	if h := handleOf(id); !h.inode.lockRange(h, from, count, flags) {
		return sqlite3.SQLITE_BUSY
	}
	return sqlite3.SQLITE_OK
}

// xShmBarrier orders what goroutines see of the index: passing a mutex does.
func xShmBarrier(_ *libc.TLS, id uintptr) {
	h := handleOf(id)
	h.inode.mu.Lock()
	defer h.inode.mu.Unlock()
}

func xShmUnmap(tls *libc.TLS, id uintptr, _ int32) int32 {
	h := handleOf(id)
	h.inode.unmap(tls, h)
	return sqlite3.SQLITE_OK
}
