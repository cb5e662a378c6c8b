package store_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"sync"

	"parley/internal/ids"
	"parley/internal/store"
)

// events returns the entries of a box after pts.
func events(d *desk, box ids.Peer, pts, since int64, limit int) []store.Event {
	d.Helper()
	return read(d, func(r *store.Reader) ([]store.Event, error) {
		return r.Events(box, pts, since, limit)
	})
}

// appendEvent adds an entry to a box's log.
func appendEvent(d *desk, e store.Event) store.Event {
	d.Helper()
	var out store.Event
	d.updateAs(e.Box, func(tx *store.Tx) (err error) {
		out, err = tx.Append(e)
		return err
	})
	return out
}

func testBoxes(d *desk) {
	get := func(r *store.Reader) (store.Box, error) { return r.Box(d.peer(1)) }
	equal(d, "untouched", read(d, get), store.Box{ID: d.peer(1), Pts: store.FirstPts})
	appendEvent(d, store.Event{Box: d.peer(1), Count: 3})
	equal(d, "pts", read(d, get).Pts, int64(store.FirstPts+3))
	appendEvent(d, store.Event{Box: d.peer(1)})
	equal(d, "no pts of its own", read(d, get).Pts, int64(store.FirstPts+3))
}

func testEvents(d *desk) {
	box := d.peer(1)
	equal(d, "first of none", read(d, func(r *store.Reader) (int64, error) {
		return r.FirstEvent(box)
	}), int64(store.FirstPts))
	var want []store.Event
	for i, count := range []int64{1, 0, 0, 2, 1} {
		e := store.Event{Box: box, Count: count, Date: int64(100 + i), Kind: int64(i), Body: []byte{9}}
		want = append(want, appendEvent(d, e))
	}
	places := make([][2]int64, 0, len(want))
	for _, e := range want {
		places = append(places, [2]int64{e.Pts, e.Sub})
	}
	equal(d, "places", places, [][2]int64{{2, 0}, {2, 1}, {2, 2}, {4, 0}, {5, 0}})
	equal(d, "all", events(d, box, 1, 0, 9), want)
	equal(d, "with what came after the pts", events(d, box, 2, 0, 9), want[1:])
	equal(d, "without old ones", events(d, box, 2, 102, 9), want[2:])
	equal(d, "limit", events(d, box, 1, 0, 2), want[:2])
	equal(d, "up to date", events(d, box, 5, 0, 9), []store.Event{})
	first := func() int64 {
		return read(d, func(r *store.Reader) (int64, error) { return r.FirstEvent(box) })
	}
	equal(d, "first", first(), int64(1))
	d.update(func(tx *store.Tx) error { return tx.TrimEvents(box, 2) })
	equal(d, "after trimming", events(d, box, 1, 0, 9), want[3:])
	equal(d, "first after trimming", first(), int64(2))
	d.update(func(tx *store.Tx) error { return tx.TrimEvents(box, 5) })
	equal(d, "first when all are gone", first(), int64(5))
}

// testTrimming forgets old entries of all boxes, but never the last of a box.
func testTrimming(d *desk) {
	var last []store.Event
	for n := range int64(2) {
		for date := range int64(3) {
			e := store.Event{Box: d.peer(n), Count: 1, Date: -1000 + date}
			e = appendEvent(d, e)
			if date == 2 {
				e.Body = []byte{}
				last = append(last, e)
			}
		}
	}
	d.update(func(tx *store.Tx) error { return tx.TrimOldEvents(-900) })
	for n := range int64(2) {
		equal(d, "what stays", events(d, d.peer(n), 0, -2000, 9), last[n:n+1])
	}
}

func testOutbox(d *desk) {
	box := d.peer(1)
	var want []store.Outbox
	for n := range int64(3) {
		o := store.Outbox{Box: box, Target: d.peer(n), Kind: n, Body: []byte{byte(n)}}
		d.updateAs(box, func(tx *store.Tx) error { return tx.Tell(o) })
		o.N = n + 1
		want = append(want, o)
	}
	list := func(limit int) []store.Outbox {
		return read(d, func(r *store.Reader) ([]store.Outbox, error) { return r.OutboxOf(box, limit) })
	}
	equal(d, "in order", list(9), want)
	equal(d, "limit", list(2), want[:2])
	d.update(func(tx *store.Tx) error { return tx.Told(box, 2, 2) })
	equal(d, "without the told one", list(9), []store.Outbox{want[0], want[2]})
	equal(d, "of all boxes", read(d, func(r *store.Reader) ([]store.Outbox, error) {
		return r.Outbox(9)
	}), []store.Outbox{want[0], want[2]})
	d.update(func(tx *store.Tx) error {
		return errors.Join(tx.Told(box, 1, 1), tx.Told(box, 3, 3))
	})
	equal(d, "none", list(9), []store.Outbox{})
	d.updateAs(box, func(tx *store.Tx) error { return tx.Tell(want[0]) })
	equal(d, "numbers are never used again", list(9)[0].N, int64(4))
	d.updateAs(box, func(tx *store.Tx) error {
		m := store.Message{Box: box, Peer: d.peer(2), Origin: box, Nonce: 1, Body: []byte{}}
		tx.WillTell(2)
		_, err := tx.AddMessage(&m, 1, func(int64) []byte { return nil })
		return errors.Join(err, tx.Tell(want[0]), tx.Tell(want[1]), tx.Tell(want[2]))
	})
	var numbers []int64
	for _, o := range list(9) {
		numbers = append(numbers, o.N)
	}
	equal(d, "two of them allotted with a message", numbers, []int64{4, 5, 6, 7})
	d.update(func(tx *store.Tx) error { return tx.Told(box, 4, 7) })
	equal(d, "a stretch told", list(9), []store.Outbox{})
}

// testCommits checks what the listener is told.
func testCommits(d *desk) {
	var mu sync.Mutex
	var got []store.Commit
	d.s.OnCommit(func(c store.Commit) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, c)
	})
	defer d.s.OnCommit(func(store.Commit) {})
	box := d.peer(1)
	want := store.Commit{
		Events: []store.Event{{Box: box, Pts: 2, Count: 1, Body: []byte{}},
			{Box: box, Pts: 2, Sub: 1, Body: []byte{7}}},
		Outbox: []store.Outbox{{Box: box, N: 1, Target: d.peer(2), Body: []byte{8}}},
	}
	d.updateAs(box, func(tx *store.Tx) error {
		if _, err := tx.Append(store.Event{Box: box, Count: 1}); err != nil {
			return err
		}
		if _, err := tx.Append(store.Event{Box: box, Body: []byte{7}}); err != nil {
			return err
		}
		return tx.Tell(store.Outbox{Box: box, Target: d.peer(2), Body: []byte{8}})
	})
	d.update(func(tx *store.Tx) error { return tx.Told(box, 1, 1) })
	d.refused(errOwn, func(tx *store.Tx) error {
		_, err := tx.Append(store.Event{Box: box, Count: 1})
		return errors.Join(err, errOwn)
	})
	mu.Lock()
	defer mu.Unlock()
	equal(d, "told", got, []store.Commit{want})
}

// errOwn is an error of a caller.
var errOwn = errors.New("own error")

// testErrorsUndo checks that an error of a transaction undoes all of it and comes back as it is.
func testErrorsUndo(d *desk) {
	box := d.peer(1)
	appendEvent(d, store.Event{Box: box, Count: 1})
	err := d.s.Update(d.Context(), box, func(tx *store.Tx) error {
		if _, err := tx.Append(store.Event{Box: box, Count: 1}); err != nil {
			return err
		}
		if err := tx.PutUser(store.User{ID: d.user(1)}); err != nil {
			return err
		}
		return errOwn
	})
	if err != errOwn { //nolint:errorlint // exactly this one
		d.Fatalf("got %v, want the very same error", err)
	}
	equal(d, "events", len(events(d, box, 0, 0, 9)), 1)
	absent(d, func(r *store.Reader) (store.User, error) { return r.User(d.user(1)) })
	equal(d, "no gap", appendEvent(d, store.Event{Box: box, Count: 1}).Pts, int64(3))
}

// testErrorsLast checks that a failed statement ends the transaction, also for a caller who passes
// over the error.
func testErrorsLast(d *desk) {
	d.update(func(tx *store.Tx) error { return tx.TakeUsername("errors_last", 1) })
	var next error
	d.refused(store.ErrConflict, func(tx *store.Tx) error {
		if err := tx.PutUser(store.User{ID: d.user(1)}); err != nil {
			return err
		}
		if err := tx.TakeUsername("errors_last", 2); !errors.Is(err, store.ErrConflict) {
			return err
		}
		_, next = tx.User(d.user(1))
		return nil
	})
	if !errors.Is(next, store.ErrConflict) {
		d.Errorf("the statement after the failed one: %v", next)
	}
	absent(d, func(r *store.Reader) (store.User, error) { return r.User(d.user(1)) })
}

// testPanics checks that a panic undoes its transaction and no more.
func testPanics(d *desk) {
	err := d.s.Update(d.Context(), 1, func(tx *store.Tx) error {
		if err := tx.PutUser(store.User{ID: d.user(1)}); err != nil {
			return err
		}
		panic("of a caller")
	})
	if err == nil || !strings.Contains(err.Error(), "of a caller") {
		d.Errorf("a panic in Update gave %v", err)
	}
	absent(d, func(r *store.Reader) (store.User, error) { return r.User(d.user(1)) })
	for range 10 {
		err := d.s.View(d.Context(), func(*store.Reader) error { panic("of a caller") })
		if err == nil {
			d.Error("a panic in View gave no error")
		}
	}
	absent(d, func(r *store.Reader) (store.User, error) { return r.User(d.user(1)) })
}

// testNulls checks that a missing value is an error, and not the one of a key that is taken.
func testNulls(d *desk) {
	err := d.s.Update(d.Context(), 1, func(tx *store.Tx) error {
		return tx.PutMedia(store.Media{ID: d.id(1)})
	})
	if err == nil || errors.Is(err, store.ErrConflict) {
		d.Errorf("a missing value: %v", err)
	}
}

// testOneResult checks that a statement inside a loop over rows is refused: PostgreSQL cannot.
func testOneResult(d *desk) {
	fill(d, d.peer(1), d.peer(2), 2)
	err := d.s.View(d.Context(), func(r *store.Reader) error {
		return r.Nested(d.peer(1), d.peer(2))
	})
	if err == nil {
		d.Error("a statement ran while rows of another were being read")
	}
}

// testSnapshots checks that a View sees one state, whatever is committed meanwhile, and nothing
// that is not committed.
func testSnapshots(d *desk) {
	box := d.peer(1)
	appendEvent(d, store.Event{Box: box, Count: 1})
	pts := func(r *store.Reader) int64 {
		b, err := r.Box(box)
		if err != nil {
			d.Error(err)
		}
		return b.Pts
	}
	wrote, seen, done := make(chan bool), make(chan bool), make(chan error)
	go func() {
		done <- d.s.Update(d.Context(), box, func(tx *store.Tx) error {
			_, err := tx.Append(store.Event{Box: box, Count: 1})
			wrote <- true
			<-seen
			return err
		})
	}()
	<-wrote
	err := d.s.View(d.Context(), func(r *store.Reader) error {
		equal2(d, "uncommitted", pts(r), 2)
		seen <- true
		if err := <-done; err != nil {
			return err
		}
		equal2(d, "the same snapshot", pts(r), 2)
		return nil
	})
	if err != nil {
		d.Fatal(err)
	}
	equal(d, "a new snapshot", read(d, func(r *store.Reader) (int64, error) {
		return pts(r), nil
	}), int64(3))
}

// equal2 is equal where the test must go on.
func equal2(d *desk, what string, got, want int64) {
	d.Helper()
	if got != want {
		d.Errorf("%s: got %d, want %d", what, got, want)
	}
}

// testValues checks that odd values come back as they were.
func testValues(d *desk) {
	long := bytes.Repeat([]byte{0, 1, 255}, 300_000)
	for n, v := range [][]byte{{}, {0}, long} {
		name := strings.Repeat("s", n)
		d.update(func(tx *store.Tx) error { return tx.PutSetting(d.user(1), name, v) })
		got := read(d, func(r *store.Reader) ([]byte, error) { return r.Setting(d.user(1), name) })
		if got == nil || !bytes.Equal(got, v) {
			d.Errorf("%d bytes came back as %d", len(v), len(got))
		}
	}
	for n, text := range []string{"", "'; drop table users; --", "\U0001F600\u200d\ufeff", "$1 ?1"} {
		u := store.User{ID: d.user(int64(n)), FirstName: text, Created: math.MinInt64,
			Seen: math.MaxInt64}
		d.update(func(tx *store.Tx) error { return tx.PutUser(u) })
		equal(d, "user", read(d, func(r *store.Reader) (store.User, error) { return r.User(u.ID) }), u)
	}
}
