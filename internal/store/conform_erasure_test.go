package store_test

import (
	"slices"

	"parley/internal/ids"
	"parley/internal/store"
)

func testEarly(d *desk) {
	box, origin := d.peer(1), d.peer(2)
	row := func(from ids.Peer, n int64) store.Outbox {
		return store.Outbox{Box: from, N: n, Target: box, Kind: 5, Body: []byte{byte(n)}}
	}
	put := func(nonce, date int64, o store.Outbox) {
		d.updateAs(box, func(tx *store.Tx) error { return tx.PutEarly(origin, nonce, date, o) })
	}
	take := func(nonce int64) (out []store.Outbox) {
		d.updateAs(box, func(tx *store.Tx) (err error) {
			out, err = tx.TakeEarly(box, origin, nonce)
			return err
		})
		return out
	}
	equal(d, "none", len(take(7)), 0)
	put(7, 50, row(d.peer(3), 2))
	put(7, 50, row(d.peer(3), 1))
	put(7, 50, row(d.peer(3), 1)) // carried out twice, it waits once
	put(8, 50, row(d.peer(3), 3))
	equal(d, "in order", take(7), []store.Outbox{row(d.peer(3), 1), row(d.peer(3), 2)})
	equal(d, "taken once", len(take(7)), 0)
	d.update(func(tx *store.Tx) error { return tx.ForgetEarly(50) })
	equal(d, "kept", len(take(8)), 1)
	put(8, 50, row(d.peer(3), 3))
	d.update(func(tx *store.Tx) error { return tx.ForgetEarly(51) })
	equal(d, "forgotten", len(take(8)), 0)
}

func testErasure(d *desk) {
	user, other := d.user(1), d.user(2)
	box := user.Peer()
	add := func(in, peer ids.Peer, n int64) (m store.Message) {
		m = store.Message{Box: in, Peer: peer, From: peer, Origin: peer, Nonce: n, Body: []byte("m")}
		d.updateAs(in, func(tx *store.Tx) error {
			_, err := tx.AddMessage(&m, 1, func(int64) []byte { return nil })
			return err
		})
		return m
	}
	for n := range int64(3) {
		add(box, other.Peer(), n+1)
	}
	kept := add(other.Peer(), box, 9)
	d.updateAs(box, func(tx *store.Tx) error {
		if err := tx.SetReactions(box, 1, other, 5, []string{"a"}); err != nil {
			return err
		}
		if err := tx.AddMention(user, other.Peer(), 1); err != nil {
			return err
		}
		return tx.PutDialog(store.Dialog{User: user, Peer: other.Peer(), TopID: 3})
	})
	pts := read(d, func(r *store.Reader) (store.Box, error) { return r.Box(box) }).Pts
	erase := func(limit int) (n int64) {
		d.updateAs(box, func(tx *store.Tx) (err error) {
			n, err = tx.EraseMessages(box, limit)
			return err
		})
		return n
	}
	equal(d, "a slice", erase(2), int64(2))
	equal(d, "the rest", erase(2), int64(1))
	equal(d, "nothing", erase(2), int64(0))
	d.updateAs(box, func(tx *store.Tx) error { return tx.EraseBox(user) })
	equal(d, "messages", len(read(d, func(r *store.Reader) ([]store.Message, error) {
		return r.Older(box, other.Peer(), 100, 0, 10, 0)
	})), 0)
	equal(d, "log", len(events(d, box, 0, 0, 10)), 0)
	equal(d, "chat list", len(read(d, func(r *store.Reader) ([]store.Dialog, error) {
		return r.Dialogs(user)
	})), 0)
	equal(d, "mentions", len(read(d, func(r *store.Reader) ([]int64, error) {
		return r.Mentions(user, other.Peer(), 100, 10)
	})), 0)
	equal(d, "reactions", len(read(d, func(r *store.Reader) ([]store.Reaction, error) {
		return r.Reactions(box, 1)
	})), 0)
	state := read(d, func(r *store.Reader) (store.Box, error) { return r.Box(box) })
	equal(d, "the numbers go on", []int64{state.Pts, state.TopID, state.Messages}, []int64{pts, 3, 0})
	equal(d, "another's box", read(d, func(r *store.Reader) (store.Message, error) {
		return r.Message(kept.Box, kept.ID)
	}), kept)
}

func testDeletedUsers(d *desk) {
	deleted := func() (out []ids.UserID) {
		list := read(d, func(r *store.Reader) ([]ids.UserID, error) {
			return r.DeletedUsers(d.user(0), 100)
		})
		return slices.DeleteFunc(list, func(id ids.UserID) bool { return id > d.user(9) })
	}
	put := func(n int64, flags store.UserFlags) {
		d.updateAs(d.peer(n), func(tx *store.Tx) error {
			return tx.PutUser(store.User{ID: d.user(n), Flags: flags})
		})
	}
	put(1, 0)
	put(2, store.UserDeleted)
	put(3, store.UserDeleted|store.UserSynthetic)
	put(4, store.UserTerminated)
	equal(d, "deleted", deleted(), []ids.UserID{d.user(2), d.user(3)})
	put(2, store.UserDeleted|store.UserErased)
	equal(d, "not yet erased", deleted(), []ids.UserID{d.user(3)})
}
