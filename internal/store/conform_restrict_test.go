package store_test

import (
	"parley/internal/ids"
	"parley/internal/store"
)

func testRestrictions(d *desk) {
	on := store.Restricts{Peer: d.peer(1), Kind: 1}
	x := store.Restriction{Restricts: on, Decision: 7, Measure: 5, Territory: []string{"DE", "FR"},
		Starts: 3, Ends: 9, Detail: "text"}
	other := x
	other.Decision, other.Ends, other.Territory = 8, 0, nil
	put := func(x store.Restriction) (fresh bool) {
		d.update(func(tx *store.Tx) (err error) { fresh, err = tx.PutRestriction(x); return err })
		return fresh
	}
	equal(d, "first", put(x), true)
	equal(d, "again", put(x), false)
	equal(d, "other", put(other), true)
	force := func(r *store.Reader) ([]store.Restriction, error) { return r.Restrictions(on) }
	equal(d, "in force", read(d, force), []store.Restriction{x, other})
	equal(d, "due", read(d, func(r *store.Reader) ([]store.Restriction, error) {
		return r.RestrictionsDue(9, 10)
	}), []store.Restriction{x})
	next := func(r *store.Reader) (int64, error) { return r.NextRestrictionEnd() }
	equal(d, "next end", read(d, next), int64(9))
	equal(d, "restricted", read(d, func(r *store.Reader) ([]ids.Peer, error) {
		return r.Restricted(1)
	}), []ids.Peer{d.peer(1)})
	end := func() (ended bool) {
		d.update(func(tx *store.Tx) (err error) {
			ended, err = tx.EndRestriction(x, 20)
			return err
		})
		return ended
	}
	mention := func() (kept bool) {
		d.update(func(tx *store.Tx) (err error) {
			kept, err = tx.ForgetRemovedMention(d.user(1), d.peer(2), 5)
			return err
		})
		return kept
	}
	equal(d, "no mention", mention(), false)
	d.update(func(tx *store.Tx) error {
		if err := tx.RemoveMention(d.user(1), d.peer(2), 5); err != nil {
			return err
		}
		return tx.RemoveMention(d.user(1), d.peer(2), 5)
	})
	equal(d, "a mention", mention(), true)
	equal(d, "ends", end(), true)
	equal(d, "ends once", end(), false)
	equal(d, "in force after", read(d, force), []store.Restriction{other})
	x.Ended = 20
	equal(d, "of a decision", read(d, func(r *store.Reader) ([]store.Restriction, error) {
		return r.RestrictionsOf(on, 7)
	}), []store.Restriction{x})
	equal(d, "not put again", put(x), false)
	equal(d, "no next end", read(d, next), int64(0))
}

func testRemovedMessages(d *desk) {
	list := fill(d, d.peer(1), d.peer(2), 3)
	m := list[1]
	take := func(m store.Message) {
		d.update(func(tx *store.Tx) error { return tx.RemoveMessage(m) })
	}
	get := func(r *store.Reader) (store.Message, error) { return r.Message(m.Box, m.ID) }
	removed := func(r *store.Reader) (store.Message, error) { return r.Removed(m.Box, m.ID) }
	byOrigin := func(r *store.Reader) (store.Message, error) {
		return r.RemovedByOrigin(m.Box, m.Origin, m.Nonce)
	}
	count := func(r *store.Reader) (store.Box, error) { return r.Box(m.Box) }
	holders := func(r *store.Reader) ([]ids.Peer, error) {
		return r.CopyHolders(m.Origin, m.Nonce)
	}
	equal(d, "who has it", read(d, holders), []ids.Peer{m.Box})
	take(m)
	equal(d, "who had it", read(d, holders), []ids.Peer{m.Box})
	absent(d, get)
	equal(d, "removed", read(d, removed), m)
	equal(d, "by origin", read(d, byOrigin), m)
	equal(d, "counted", read(d, count).Messages, int64(2))
	gone := func(r *store.Reader) (bool, error) { return r.Erased(m.Box, m.Origin, m.Nonce) }
	equal(d, "does not come again", read(d, gone), true)
	d.update(func(tx *store.Tx) error { return tx.ReturnMessage(m) })
	equal(d, "returned", read(d, get), m)
	absent(d, removed)
	equal(d, "may come", read(d, gone), false)
	equal(d, "counted again", read(d, count).Messages, int64(3))
	take(m)
	forget := func() (had bool) {
		d.update(func(tx *store.Tx) (err error) {
			had, err = tx.ForgetRemoved(m.Box, m.ID)
			return err
		})
		return had
	}
	equal(d, "forgotten", forget(), true)
	equal(d, "nothing to forget", forget(), false)
	m = list[2]
	take(m)
	d.update(func(tx *store.Tx) error { return tx.ForgetRemovedWith(m.Box, m.Peer, m.ID) })
	absent(d, removed)
}

func testRemovedOthers(d *desk) {
	box, user := d.peer(1), d.user(2)
	list := []store.Reaction{
		{User: user, Reaction: "a", Date: 1}, {User: user, Reaction: "b", Date: 2},
	}
	kept := func(r *store.Reader) ([]store.Reaction, error) {
		return r.RemovedReactions(box, 5, user)
	}
	d.update(func(tx *store.Tx) error { return tx.RemoveReactions(box, 5, list) })
	equal(d, "reactions", read(d, kept), list)
	d.update(func(tx *store.Tx) error { return tx.ForgetRemovedReactions(box, 5, user) })
	equal(d, "no reactions", len(read(d, kept)), 0)
	var had, used bool
	d.update(func(tx *store.Tx) (err error) {
		if err := tx.AddProfilePhoto(box, 9, 4); err != nil {
			return err
		}
		had, err = tx.RemovePhoto(box, 9, true)
		return err
	})
	has := func(r *store.Reader) (bool, error) { return r.HasProfilePhoto(box, 9) }
	equal(d, "had", had, true)
	equal(d, "has", read(d, has), false)
	d.update(func(tx *store.Tx) (err error) { used, err = tx.ReturnPhoto(box, 9); return err })
	equal(d, "used", used, true)
	equal(d, "has again", read(d, has), true)
	absent(d, func(r *store.Reader) (bool, error) {
		_, err := (&store.Tx{Reader: *r}).ReturnPhoto(box, 9)
		return false, err
	})
}
