package powercut

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// nameMax is the longest name of a file, in bytes.
	nameMax = 512
	// wordSize is the size of a pointer, in bytes.
	wordSize = int(unsafe.Sizeof(uintptr(0)))
	// claimedSector is the sector size that SQLite is told, the same as on any Unix. The disk tears
	// at the smaller SectorSize.
	claimedSector = 4096
)

// VFS is an SQLite file layer whose files are on a disk of this package. It is safe for concurrent
// use.
//
// https://www.sqlite.org/vfs.html
type VFS struct {
	name   string
	token  uintptr
	memory [2]uintptr
	disk   atomic.Pointer[mount]
}

// mount is a disk in use, with what programs that use it share in memory.
type mount struct {
	*Disk
	mu     sync.Mutex
	inodes map[*file]*inode
}

func (m *mount) inode(f *file) *inode {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.inodes[f]
	if n == nil {
		n = newInode()
		m.inodes[f] = n
	}
	return n
}

// handle is a file that SQLite has open.
type handle struct {
	disk  *mount
	file  *file
	inode *inode
	name  string
	// enters says that the first sync of the file also syncs the directory, as SQLite does on Unix
	// for its journals.
	enters bool
	// forget says that the file goes when it is closed.
	forget bool
	mapped bool
}

// registry finds the Go value that a number stands for. SQLite calls functions without a context,
// so that they need a place that all of them know.
type registry struct {
	mu     sync.RWMutex
	last   uintptr
	values map[uintptr]any
}

var known = registry{values: make(map[uintptr]any)}

func (r *registry) add(v any) uintptr {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	r.values[r.last] = v
	return r.last
}

func (r *registry) get(n uintptr) any {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.values[n]
}

func (r *registry) drop(n uintptr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.values, n)
}

// Register makes a file layer known to SQLite under a name that no other has.
func Register() (*VFS, error) {
	tls := libc.NewTLS()
	defer tls.Close()
	v := &VFS{}
	v.token = known.add(v)
	v.name = fmt.Sprintf("powercut-%d", v.token)
	name, err := libc.CString(v.name)
	if err != nil {
		return nil, fmt.Errorf("powercut: %w", err)
	}
	layer := *field[sqlite3.Tsqlite3_vfs](sqlite3.Xsqlite3_vfs_find(tls, 0))
	layer.FiVersion, layer.FszOsFile, layer.FmxPathname = 2, int32(2*wordSize), nameMax
	layer.FpNext, layer.FzName, layer.FpAppData = 0, name, v.token
	layer.FxOpen, layer.FxDelete = function(xOpen), function(xDelete)
	layer.FxAccess, layer.FxFullPathname = function(xAccess), function(xFullPathname)
	layer.FxGetLastError = function(xGetLastError)
	v.memory = [2]uintptr{place(tls, layer), name}
	if code := sqlite3.Xsqlite3_vfs_register(tls, v.memory[0], 0); code != sqlite3.SQLITE_OK {
		return nil, fmt.Errorf("powercut: register: %d", code)
	}
	return v, nil
}

// Name is the name under which SQLite knows the file layer.
func (v *VFS) Name() string { return v.name }

// Mount puts a disk under the file layer; nobody may have files of another open any more.
func (v *VFS) Mount(d *Disk) {
	v.disk.Store(&mount{Disk: d, inodes: make(map[*file]*inode)})
}

// Close takes the file layer away. All databases on it must be closed.
func (v *VFS) Close() {
	tls := libc.NewTLS()
	defer tls.Close()
	sqlite3.Xsqlite3_vfs_unregister(tls, v.memory[0])
	for _, p := range v.memory {
		libc.Xfree(tls, p)
	}
	known.drop(v.token)
}

// function is the address of a Go function, as the library calls it.
func function[F any](fn F) uintptr { return *(*uintptr)(unsafe.Pointer(&fn)) }

// place copies a value to the library's memory.
func place[T any](tls *libc.TLS, v T) uintptr {
	size := int(unsafe.Sizeof(v))
	p := libc.Xmalloc(tls, libc.Tsize_t(size))
	copy(libc.GoBytes(p, size), unsafe.Slice((*byte)(unsafe.Pointer(&v)), size))
	return p
}

// field is a variable of type T in the library's memory.
func field[T any](at uintptr) *T {
	var v T
	return (*T)(unsafe.Pointer(unsafe.SliceData(libc.GoBytes(at, int(unsafe.Sizeof(v))))))
}

// code is what SQLite is told of an error.
func code(err error, otherwise int32) int32 {
	switch {
	case err == nil:
		return sqlite3.SQLITE_OK
	case errors.Is(err, ErrFull):
		return sqlite3.SQLITE_FULL
	default:
		return otherwise
	}
}

func diskOf(vfs uintptr) *mount {
	token := *field[uintptr](vfs + unsafe.Offsetof(sqlite3.Tsqlite3_vfs{}.FpAppData))
	return known.get(token).(*VFS).disk.Load()
}
