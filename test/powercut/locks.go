package powercut

import (
	"sync"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// shmSlots is how many locks an index of a write-ahead log has.
const shmSlots = 8

// inode is what all who have a file open share beside its content: locks, and the index of its
// write-ahead log. Both are memory, which a power cut empties.
//
// https://www.sqlite.org/lockingv3.html
type inode struct {
	mu      sync.Mutex
	shared  map[*handle]bool
	writer  *handle // holds RESERVED or more
	pending *handle // lets nobody else in any more
	shm     []uintptr
	mapped  int
	slots   [shmSlots]slot
}

// slot is a lock of an index.
type slot struct {
	shared    map[*handle]bool
	exclusive *handle
}

func newInode() *inode {
	n := &inode{shared: make(map[*handle]bool)}
	for i := range n.slots {
		n.slots[i].shared = make(map[*handle]bool)
	}
	return n
}

// lock raises the lock of h to a level; false when others stand in the way.
func (n *inode) lock(h *handle, level int32) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if level >= sqlite3.SQLITE_LOCK_SHARED && !n.shared[h] {
		if n.pending != nil && n.pending != h {
			return false
		}
		n.shared[h] = true
	}
	if level >= sqlite3.SQLITE_LOCK_RESERVED {
		if n.writer != nil && n.writer != h {
			return false
		}
		n.writer = h
	}
	if level >= sqlite3.SQLITE_LOCK_PENDING {
		n.pending = h
	}
	return level < sqlite3.SQLITE_LOCK_EXCLUSIVE || len(n.shared) == 1
}

// unlock lowers the lock of h to a level, SHARED or NONE.
func (n *inode) unlock(h *handle, level int32) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.pending == h {
		n.pending = nil
	}
	if n.writer == h {
		n.writer = nil
	}
	if level == sqlite3.SQLITE_LOCK_NONE {
		delete(n.shared, h)
	}
}

// reserved tells whether somebody means to write.
func (n *inode) reserved() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.writer != nil
}

// region returns a part of the index, which is made if need be and wanted; 0 when it is not there.
func (n *inode) region(tls *libc.TLS, h *handle, at, size int, extend bool) uintptr {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !h.mapped {
		h.mapped = true
		n.mapped++
	}
	for extend && len(n.shm) <= at {
		p := libc.Xcalloc(tls, 1, libc.Tsize_t(size))
		n.shm = append(n.shm, p)
	}
	if at >= len(n.shm) {
		return 0
	}
	return n.shm[at]
}

// lockRange takes or gives back some locks of the index; false when others stand in the way.
func (n *inode) lockRange(h *handle, from, count, flags int32) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	slots := n.slots[from : from+count]
	take, exclusive := flags&sqlite3.SQLITE_SHM_LOCK != 0, flags&sqlite3.SQLITE_SHM_EXCLUSIVE != 0
	if take {
		for i := range slots {
			if !slots[i].free(h, exclusive) {
				return false
			}
		}
	}
	for i := range slots {
		s := &slots[i]
		switch {
		case take && exclusive:
			s.exclusive = h
		case take:
			s.shared[h] = true
		default:
			s.release(h)
		}
	}
	return true
}

func (s *slot) free(h *handle, exclusive bool) bool {
	if s.exclusive != nil && s.exclusive != h {
		return false
	}
	others := len(s.shared)
	if s.shared[h] {
		others--
	}
	return !exclusive || others == 0
}

func (s *slot) release(h *handle) {
	delete(s.shared, h)
	if s.exclusive == h {
		s.exclusive = nil
	}
}

// unmap takes h's hands off the index, which the last one throws away.
func (n *inode) unmap(tls *libc.TLS, h *handle) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range n.slots {
		n.slots[i].release(h)
	}
	if !h.mapped {
		return
	}
	h.mapped = false
	if n.mapped--; n.mapped > 0 {
		return
	}
	for _, p := range n.shm {
		libc.Xfree(tls, p)
	}
	n.shm = nil
}
