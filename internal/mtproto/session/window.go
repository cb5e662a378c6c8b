package session

import (
	"slices"

	"parley/internal/limit"
)

// The two lowest bits of a client's msg_id are zero; the window keeps there what became of it.
const (
	idBits = 3
	// isQuery marks a message that was handed out as a Query.
	isQuery = 1
	// isDone marks a query whose answer the client has, or does not want.
	isDone = 2
)

// window remembers which msg_ids arrived, so that none is taken twice. It is exact: an id above the
// floor that it does not hold never arrived; of an id up to the floor nothing is known.
//
// https://core.telegram.org/mtproto/security_guidelines#checking-msg-id
type window struct {
	floor int64
	ids   []int64 // ascending, with the bits above
}

// find returns where id is or would be.
func (w *window) find(id int64) (int, bool) {
	if n := len(w.ids); n == 0 || w.ids[n-1]|idBits < id {
		return n, false
	}
	return slices.BinarySearchFunc(w.ids, id, func(have, want int64) int {
		have &^= idBits
		switch {
		case have < want:
			return -1
		case have > want:
			return 1
		}
		return 0
	})
}

// add remembers id. It must be above the floor and not yet known.
func (w *window) add(id int64) {
	if len(w.ids) == limit.MsgWindow {
		w.forget(limit.MsgWindow / 8)
	}
	if id <= w.floor {
		return
	}
	i, _ := w.find(id)
	w.ids = slices.Insert(w.ids, i, id)
}

// mark sets bits of an id that is known, and does nothing otherwise.
func (w *window) mark(id int64, bits int64) {
	if i, known := w.find(id); known {
		w.ids[i] |= bits
	}
}

// highest returns the newest id, 0 if there never was one.
func (w *window) highest() int64 {
	if n := len(w.ids); n > 0 {
		return w.ids[n-1] &^ idBits
	}
	return w.floor
}

// prune forgets the ids below oldest, which the time check refuses from now on.
func (w *window) prune(oldest int64) {
	i, _ := w.find(oldest)
	w.forget(i)
	if len(w.ids) == 0 {
		w.ids = nil
	}
}

// forget drops the n lowest ids and raises the floor to the last of them.
func (w *window) forget(n int) {
	if n == 0 {
		return
	}
	w.floor = max(w.floor, w.ids[n-1]&^idBits)
	w.ids = slices.Delete(w.ids, 0, n)
}
