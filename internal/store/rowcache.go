package store

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"parley/internal/ids"
)

// cachedTables are the tables whose single rows are remembered: hardly an answer does without them,
// and they change seldom. The first argument of all their statements is the shard key.
var cachedTables = []string{"blocks", "chats", "contacts", "members", "settings", "users"}

const (
	// rowsKept is how many rows are remembered before the older ones are forgotten. A row takes
	// about 400 bytes, so that all take 2 * rowsKept * 400 = 13 MB at most.
	rowsKept = 1 << 14
	// changeSlots is over how many places the shard keys are spread that are written to. Keys that
	// share one make each other's rows be read again, nothing worse.
	changeSlots = 1 << 14
)

// rowCache remembers single rows of a few tables, found or not. A reader of SQLite begins every
// snapshot that follows a commit with no page in memory: without this a message costs more for
// who its people are than for being written.
//
// Commits are numbered. A row is remembered as of a commit, and serves whoever began at a commit
// if nothing was written under its shard key from the older of the two on: then it is the row as
// of his beginning. What a transaction writes is noted before its commit, with the number of that
// commit, so that the transactions of a batch see what they have changed.
//
// Other processes commit too. SQLite counts the commits of all in the index of its log; while the
// count is not what the last commit here has left, nothing is taken from memory.
//
// https://www.sqlite.org/walformat.html#the_wal_index_header
type rowCache struct {
	// changed is the number of the last commit, or of the one under way, that wrote under a key.
	changed [changeSlots]atomic.Uint64

	mu sync.RWMutex
	// count is SQLite's, in its memory; nil when that is gone.
	count *uint32
	// commit is the number of the last commit. Its low half is what the count was after it.
	commit uint64
	// since is the number of the last commit of another process.
	since      uint64
	young, old map[rowKey]row
}

// rowKey is a statement with its arguments.
type rowKey struct {
	statement     int
	shard, second int64
	text          string
}

// row is what a statement gave at a commit; nil values when it found nothing.
type row struct {
	at     uint64
	values []any
}

func newRowCache(count *uint32) *rowCache {
	return &rowCache{
		count: count, commit: 1<<32 | uint64(atomic.LoadUint32(count)), young: make(map[rowKey]row),
	}
}

// now is the number of the last commit; 0 says that there may be a later one.
func (c *rowCache) now() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if !c.alone() {
		return 0
	}
	return c.commit
}

// alone tells whether no other process has committed since the last commit here.
func (c *rowCache) alone() bool {
	return c.count != nil && atomic.LoadUint32(c.count) == uint32(c.commit)
}

// begin is for the writer, once nobody else can commit. It returns the number of the last commit.
func (c *rowCache) begin() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ahead := atomic.LoadUint32(c.count) - uint32(c.commit); ahead > 0 {
		c.commit += uint64(ahead)
		c.since = c.commit
	}
	return c.commit
}

// committed is for the writer, after a commit that wrote something.
func (c *rowCache) committed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.commit++
}

// close forgets where SQLite counts, before its memory is given back.
func (c *rowCache) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count = nil
}

// write is for the writer, before a statement that changes rows.
func (c *rowCache) write(st *statement, args []any) {
	if !st.cached || !st.writes {
		return
	}
	shard, _ := integer(args[0])
	c.slot(shard).Store(c.commit + 1)
}

func (c *rowCache) slot(shard int64) *atomic.Uint64 {
	const spread = 0x9e3779b97f4a7c15 // 2^64 over the golden ratio
	return &c.changed[uint64(shard)*spread>>32%changeSlots]
}

// one reads the row of a statement for who began at a commit: from memory, or else with q.
func (c *rowCache) one(
	ctx context.Context, at uint64, q querier, st *statement, args []any, dest []any,
) error {
	key, ok := keyOf(st, args)
	if !ok || at == 0 {
		return one(ctx, q, st, args, dest...)
	}
	if r, ok := c.get(at, key); ok {
		return r.scan(dest)
	}
	err := one(ctx, q, st, args, dest...)
	switch {
	case err == nil:
		c.put(key, row{at, valuesOf(dest)})
	case errors.Is(err, ErrNotFound):
		c.put(key, row{at: at})
	}
	return err
}

func (c *rowCache) get(at uint64, key rowKey) (row, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	r, ok := c.young[key]
	if !ok {
		r, ok = c.old[key]
	}
	if !ok || !c.alone() {
		return row{}, false
	}
	oldest := min(r.at, at)
	return r, c.since <= oldest && c.slot(key.shard).Load() <= oldest
}

func (c *rowCache) put(key rowKey, r row) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= rowsKept {
		c.young, c.old = make(map[rowKey]row), c.young
	}
	c.young[key] = r
}

// keyOf is the key of a row; false when the statement's rows are not remembered.
func keyOf(st *statement, args []any) (key rowKey, ok bool) {
	if !st.cached || st.writes || len(args) > 2 {
		return key, false
	}
	key.statement = st.number
	if key.shard, ok = integer(args[0]); !ok || len(args) == 1 {
		return key, ok
	}
	if key.second, ok = integer(args[1]); !ok {
		key.text, ok = args[1].(string)
	}
	return key, ok
}

// valuesOf copies what a row was scanned into.
func valuesOf(dest []any) []any {
	out := make([]any, len(dest))
	for i, d := range dest {
		switch d := d.(type) {
		case *string:
			out[i] = *d
		case *[]byte:
			out[i] = bytes.Clone(*d)
		default:
			out[i] = reflect.ValueOf(d).Elem().Int()
		}
	}
	return out
}

// scan is Scan of rows for a row that is remembered.
func (r row) scan(dest []any) error {
	if r.values == nil {
		return ErrNotFound
	}
	for i, d := range dest {
		switch v := r.values[i].(type) {
		case string:
			*d.(*string) = v
		case []byte:
			*d.(*[]byte) = bytes.Clone(v)
		case int64:
			setInteger(d, v)
		}
	}
	return nil
}

// integer is an argument as the integer that it is.
func integer(arg any) (int64, bool) {
	switch v := arg.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case ids.Peer:
		return int64(v), true
	case ids.UserID:
		return int64(v), true
	case string, []byte:
		return 0, false
	}
	if v := reflect.ValueOf(arg); v.CanInt() {
		return v.Int(), true
	}
	return 0, false
}

// setInteger sets what dest points to; false when that is no integer.
func setInteger(dest any, v int64) bool {
	switch d := dest.(type) {
	case *int64:
		*d = v
	case *ids.Peer:
		*d = ids.Peer(v)
	case *ids.UserID:
		*d = ids.UserID(v)
	default:
		p := reflect.ValueOf(dest)
		if p.Kind() != reflect.Pointer || !p.Elem().CanInt() {
			return false
		}
		p.Elem().SetInt(v)
	}
	return true
}

// isCached tells whether single rows of a table are remembered.
func isCached(table string) bool { return slices.Contains(cachedTables, table) }
