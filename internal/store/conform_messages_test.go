package store_test

import (
	"parley/internal/ids"
	"parley/internal/store"
)

// add stores a message and sets its id.
func add(d *desk, m *store.Message) store.Event {
	d.Helper()
	var e store.Event
	d.updateAs(m.Box, func(tx *store.Tx) (err error) {
		e, err = tx.AddMessage(m, 1, func(id int64) []byte { return []byte{byte(id)} })
		return err
	})
	return e
}

// fill stores n messages with peer, dated 10, 20 and so on; every third one goes out.
func fill(d *desk, box, peer ids.Peer, n int64) []store.Message {
	d.Helper()
	var out []store.Message
	for i := range n {
		m := store.Message{Box: box, Peer: peer, From: peer, Date: 10 * (i + 1), Origin: peer,
			Nonce: i, Body: []byte{byte(i)}}
		if i%3 == 0 {
			m.Flags, m.From = store.Out, box
		}
		add(d, &m)
		out = append(out, m)
	}
	return out
}

// idsOf lists the ids of messages.
func idsOf(list []store.Message) []int64 {
	var out []int64
	for _, m := range list {
		out = append(out, m.ID)
	}
	return out
}

func testMessages(d *desk) {
	m := store.Message{Box: d.peer(1), Peer: d.peer(2), From: d.peer(1), Date: 5,
		Flags: store.Out | store.Silent, Edited: 6, Origin: d.peer(1), Nonce: -7, Grouped: 8,
		ReplyTo: 9, Media: 10, Body: []byte{0, 255}}
	get := func(r *store.Reader) (store.Message, error) { return r.Message(m.Box, 1) }
	absent(d, get)
	e := add(d, &m)
	equal(d, "id", m.ID, int64(1))
	stored := m
	equal(d, "event", e, store.Event{
		Box: m.Box, Pts: 2, Count: 1, Date: 5, Kind: 1, Body: []byte{1}, Message: &stored,
	})
	equal(d, "message", read(d, get), m)
	m.Edited, m.Flags, m.ReplyTo, m.Media, m.Body = 11, store.Out, 0, 0, []byte{}
	d.update(func(tx *store.Tx) error { return tx.SetMessage(&m) })
	equal(d, "changed", read(d, get), m)
	missing := m
	missing.ID = 99
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { return tx.SetMessage(&missing) })
	box := func() store.Box {
		return read(d, func(r *store.Reader) (store.Box, error) { return r.Box(m.Box) })
	}
	equal(d, "box", box(), store.Box{ID: m.Box, Pts: 2, TopID: 1, TopDate: 5, Messages: 1})
	for _, want := range []bool{true, false} {
		var found bool
		d.update(func(tx *store.Tx) (err error) {
			if err = tx.SetReactions(m.Box, m.ID, d.user(2), 1, []string{"👍"}); err != nil {
				return err
			}
			found, err = tx.DeleteMessage(m.Box, m.ID)
			return err
		})
		equal(d, "was there", found, want)
	}
	absent(d, get)
	equal(d, "box without it", box(), store.Box{ID: m.Box, Pts: 2, TopID: 1, TopDate: 5})
	d.update(func(tx *store.Tx) error { return tx.SkipIDs(m.Box, 10) })
	m.Nonce++
	add(d, &m)
	equal(d, "after skipped ids", m.ID, int64(12))
}

func testHistory(d *desk) {
	box, peer := d.peer(1), d.peer(2)
	fill(d, box, peer, 9)
	fill(d, box, d.chat(3), 2)
	older := func(below, above int64, limit, skip int) []int64 {
		return idsOf(read(d, func(r *store.Reader) ([]store.Message, error) {
			return r.Older(box, peer, below, above, limit, skip)
		}))
	}
	equal(d, "newest", older(100, 0, 3, 0), []int64{9, 8, 7})
	equal(d, "next page", older(7, 0, 3, 0), []int64{6, 5, 4})
	equal(d, "skipped", older(100, 0, 2, 3), []int64{6, 5})
	equal(d, "above", older(100, 7, 9, 0), []int64{9, 8})
	equal(d, "newer", idsOf(read(d, func(r *store.Reader) ([]store.Message, error) {
		return r.Newer(box, peer, 4, 8, 3)
	})), []int64{4, 5, 6})
	date := func(at int64) int64 {
		return read(d, func(r *store.Reader) (int64, error) { return r.IDByDate(box, peer, at) })
	}
	equal(d, "before a date", date(50), int64(4))
	equal(d, "before all", date(10), int64(0))
	equal(d, "count", read(d, func(r *store.Reader) (int64, error) {
		return r.CountMessages(d.user(1), peer)
	}), int64(9))
	equal(d, "of a sender", read(d, func(r *store.Reader) ([]int64, error) {
		return r.MessagesOf(box, peer, 9, 2)
	}), []int64{8, 6})
	in := func(since, until, below int64, limit int) []int64 {
		return idsOf(read(d, func(r *store.Reader) ([]store.Message, error) {
			return r.MessagesIn(box, peer, since, until, below, limit)
		}))
	}
	equal(d, "of a sender in a time", in(30, 60, 100, 9), []int64{6, 5, 3})
	equal(d, "of a sender in a time, a page", in(30, 60, 6, 1), []int64{5})
	equal(d, "of a sender, oldest first", read(d, func(r *store.Reader) ([]int64, error) {
		return r.NewerOf(box, peer, 4, 2)
	}), []int64{5, 6})
}

func testPosts(d *desk) {
	box := d.channel(1)
	fill(d, box, box, 6)
	equal(d, "older", idsOf(read(d, func(r *store.Reader) ([]store.Message, error) {
		return r.Older(box, box, 6, 1, 2, 1)
	})), []int64{4, 3})
	equal(d, "newer", idsOf(read(d, func(r *store.Reader) ([]store.Message, error) {
		return r.Newer(box, box, 2, 6, 2)
	})), []int64{2, 3})
	date := func(at int64) int64 {
		return read(d, func(r *store.Reader) (int64, error) { return r.IDByDate(box, box, at) })
	}
	equal(d, "before a date", date(31), int64(3))
	equal(d, "before all", date(1), int64(0))
	unread := func(after int64, most int) int64 {
		return read(d, func(r *store.Reader) (int64, error) {
			return r.UnreadPosts(box, after, d.user(9), most)
		})
	}
	equal(d, "unread", unread(2, 100), int64(4))
	equal(d, "unread, at most", unread(0, 3), int64(3))
}

func testExactlyOnce(d *desk) {
	m := store.Message{Box: d.peer(1), Peer: d.peer(2), From: d.peer(1), Origin: d.peer(1), Nonce: 5,
		Body: []byte{1}}
	add(d, &m)
	again := m
	d.refused(store.ErrConflict, func(tx *store.Tx) error {
		_, err := tx.AddMessage(&again, 1, func(int64) []byte { return nil })
		return err
	})
	equal(d, "no second event", read(d, func(r *store.Reader) (store.Box, error) {
		return r.Box(m.Box)
	}), store.Box{ID: m.Box, Pts: 2, TopID: 1, Messages: 1})
	by := func(origin ids.Peer, nonce int64) (*store.Message, error) {
		var m store.Message
		err := d.s.View(d.Context(), func(r *store.Reader) (err error) {
			m, err = r.MessageByOrigin(d.peer(1), origin, nonce)
			return err
		})
		return &m, err
	}
	found, err := by(m.Origin, m.Nonce)
	if err != nil {
		d.Fatal(err)
	}
	equal(d, "found again", *found, m)
	if _, err := by(m.Origin, 6); !store.IsNotFound(err) {
		d.Errorf("another nonce: %v", err)
	}
	other := m
	other.Box = d.peer(3)
	add(d, &other)
}

func testReadingState(d *desk) {
	me, box, peer := d.user(1), d.peer(1), d.chat(2)
	fill(d, box, peer, 3)
	for i := range int64(3) {
		add(d, &store.Message{Box: box, Peer: peer, From: d.peer(7), Origin: d.peer(7), Nonce: 10 + i,
			Body: []byte{}})
	}
	equal(d, "unread", read(d, func(r *store.Reader) (int64, error) {
		return r.Unread(me, peer, 2)
	}), int64(4))
	equal(d, "senders", read(d, func(r *store.Reader) (map[ids.Peer]int64, error) {
		return r.Senders(me, peer, 0, 5)
	}), map[ids.Peer]int64{peer: 2, d.peer(7): 11})
}

func testPins(d *desk) {
	box, peer := d.peer(1), d.peer(2)
	list := fill(d, box, peer, 4)
	for _, n := range []int{0, 2, 3} {
		list[n].Flags |= store.Pinned
		d.update(func(tx *store.Tx) error { return tx.SetMessage(&list[n]) })
	}
	pinned := func(below int64, limit int) []int64 {
		return idsOf(read(d, func(r *store.Reader) ([]store.Message, error) {
			return r.Pinned(box, peer, below, limit)
		}))
	}
	equal(d, "newest first", pinned(100, 9), []int64{4, 3, 1})
	equal(d, "below", pinned(4, 1), []int64{3})
}

func testErased(d *desk) {
	origin := d.user(7).Peer()
	m := store.Message{
		Box: d.user(1).Peer(), Peer: origin, From: origin, Date: 5, Origin: origin, Nonce: 70,
		Body: []byte("copy"),
	}
	erased := func() bool {
		return read(d, func(r *store.Reader) (bool, error) { return r.Erased(m.Box, origin, 70) })
	}
	d.update(func(tx *store.Tx) error {
		_, err := tx.AddMessage(&m, 1, func(int64) []byte { return nil })
		return err
	})
	equal(d, "erased before", erased(), false)
	d.update(func(tx *store.Tx) error {
		_, err := tx.DeleteMessage(m.Box, m.ID)
		return err
	})
	equal(d, "erased after", erased(), true)
	d.update(func(tx *store.Tx) error { return tx.ForgetErased(5) })
	equal(d, "erased is kept", erased(), true)
	d.update(func(tx *store.Tx) error { return tx.ForgetErased(6) })
	equal(d, "erased is forgotten", erased(), false)
}

func testViews(d *desk) {
	get := func() (out [2]int64) {
		_ = read(d, func(r *store.Reader) (_ int, err error) {
			out[0], out[1], err = r.Views(d.channel(1), 5)
			return 0, err
		})
		return out
	}
	equal(d, "none", get(), [2]int64{})
	d.update(func(tx *store.Tx) error { return tx.AddViews(d.channel(1), 5, 3, 1) })
	d.update(func(tx *store.Tx) error { return tx.AddViews(d.channel(1), 5, 4, 0) })
	equal(d, "sum", get(), [2]int64{7, 1})
	d.update(func(tx *store.Tx) error { return tx.AddViews(d.channel(1), 8, 1, 0) })
	between := func(first, last int64) map[int64]store.ViewCount {
		return read(d, func(r *store.Reader) (map[int64]store.ViewCount, error) {
			return r.ViewCounts(d.channel(1), first, last)
		})
	}
	five, eight := store.ViewCount{Views: 7, Forwards: 1}, store.ViewCount{Views: 1}
	equal(d, "both", between(5, 8), map[int64]store.ViewCount{5: five, 8: eight})
	equal(d, "first", between(4, 7), map[int64]store.ViewCount{5: five})
	equal(d, "none between", between(6, 7), map[int64]store.ViewCount{})
}

func testReactions(d *desk) {
	box := d.channel(1)
	set := func(n, date int64, list ...string) {
		d.update(func(tx *store.Tx) error { return tx.SetReactions(box, 5, d.user(n), date, list) })
	}
	set(1, 10, "👍")
	set(2, 20, "👎", "👍")
	set(3, 30, "custom:5", "👍")
	set(1, 40, "👎")
	all := []store.Reaction{{d.user(1), "👎", 40}, {d.user(3), "👍", 31},
		{d.user(3), "custom:5", 30}, {d.user(2), "👍", 21}, {d.user(2), "👎", 20}}
	equal(d, "newest first", read(d, func(r *store.Reader) ([]store.Reaction, error) {
		return r.Reactions(box, 5)
	}), all)
	equal(d, "recent", read(d, func(r *store.Reader) ([]store.Reaction, error) {
		return r.RecentReactions(box, 5, 2)
	}), all[:2])
	counts := func() []store.ReactionCount {
		return read(d, func(r *store.Reader) ([]store.ReactionCount, error) {
			return r.ReactionCounts(box, 5)
		})
	}
	equal(d, "counts", counts(), []store.ReactionCount{{"👍", 2}, {"👎", 2}, {"custom:5", 1}})
	equal(d, "of one", read(d, func(r *store.Reader) ([]string, error) {
		return r.ReactionsOf(box, 5, d.user(3))
	}), []string{"custom:5", "👍"})
	set(2, 50)
	equal(d, "taken back", counts(), []store.ReactionCount{{"custom:5", 1}, {"👍", 1}, {"👎", 1}})
}
