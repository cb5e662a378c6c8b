package store_test

import (
	"parley/internal/ids"
	"parley/internal/store"
)

func testUsers(d *desk) {
	u := store.User{ID: d.user(1), Phone: "98912", FirstName: "Ж", LastName: "L", Username: "u",
		About: "a", PhotoID: 1, Flags: store.UserBot, Created: 3, Seen: 4, TTLDays: 0, Lang: "ru"}
	get := func(r *store.Reader) (store.User, error) { return r.User(u.ID) }
	absent(d, get)
	d.update(func(tx *store.Tx) error { return tx.PutUser(u) })
	equal(d, "user", read(d, get), u)
	u.FirstName, u.Flags, u.TTLDays = "", store.UserDeleted, 7
	d.update(func(tx *store.Tx) error { return tx.PutUser(u) })
	equal(d, "changed user", read(d, get), u)
	u.Seen = 10
	d.update(func(tx *store.Tx) error { return tx.Seen(u.ID, 10) })
	d.update(func(tx *store.Tx) error { return tx.Seen(u.ID, 9) })
	equal(d, "seen never goes back", read(d, get), u)
}

func testIdleUsers(d *desk) {
	users := []store.User{
		{ID: d.user(1), Seen: -500, TTLDays: 30},
		{ID: d.user(2), Seen: -500, TTLDays: 0},
		{ID: d.user(3), Seen: -500, TTLDays: 30, Flags: store.UserDeleted},
		{ID: d.user(4), Seen: -100, TTLDays: 30},
		{ID: d.user(5), Seen: -500, TTLDays: 30},
	}
	d.update(func(tx *store.Tx) error {
		for _, u := range users {
			if err := tx.PutUser(u); err != nil {
				return err
			}
		}
		return nil
	})
	idle := func(after ids.UserID, limit int) []store.User {
		return read(d, func(r *store.Reader) ([]store.User, error) {
			return r.IdleUsers(-400, after, limit)
		})
	}
	equal(d, "all", idle(0, 9), []store.User{users[0], users[4]})
	equal(d, "first", idle(0, 1), []store.User{users[0]})
	equal(d, "second", idle(users[0].ID, 1), []store.User{users[4]})
}

func testNames(d *desk) {
	phone := func(r *store.Reader) (ids.UserID, error) { return r.UserByPhone("49001") }
	absent(d, phone)
	d.update(func(tx *store.Tx) error { return tx.TakePhone("49001", d.user(1)) })
	equal(d, "phone", read(d, phone), d.user(1))
	equal(d, "phones from one on", read(d, func(r *store.Reader) ([]store.Phone, error) {
		return r.Phones("49001", "49002", 5)
	}), []store.Phone{{Number: "49001", User: d.user(1)}})
	d.refused(store.ErrConflict, func(tx *store.Tx) error { return tx.TakePhone("49001", d.user(2)) })
	d.update(func(tx *store.Tx) error { return tx.FreePhone("49001", d.user(2)) })
	equal(d, "phone of another", read(d, phone), d.user(1))
	d.update(func(tx *store.Tx) error { return tx.FreePhone("49001", d.user(1)) })
	absent(d, phone)
	d.update(func(tx *store.Tx) error {
		for n, number := range []string{"4911", "49", "4912", "50", "48"} {
			if err := tx.TakePhone(number, d.user(int64(n))); err != nil {
				return err
			}
		}
		return nil
	})
	phones := func(from string, limit int) []store.Phone {
		return read(d, func(r *store.Reader) ([]store.Phone, error) {
			return r.Phones(from, "50", limit)
		})
	}
	equal(d, "numbers", phones("49", 9), []store.Phone{
		{Number: "49", User: d.user(1)}, {Number: "4911", User: d.user(0)},
		{Number: "4912", User: d.user(2)},
	})
	equal(d, "some numbers", phones("491", 1), []store.Phone{{Number: "4911", User: d.user(0)}})

	name := func(r *store.Reader) (ids.Peer, error) { return r.PeerByUsername("nameb") }
	absent(d, name)
	d.update(func(tx *store.Tx) error {
		for n, s := range []string{"namea", "nameb", "namé", "namf", "nam"} {
			if err := tx.TakeUsername(s, d.peer(int64(n))); err != nil {
				return err
			}
		}
		return nil
	})
	equal(d, "name", read(d, name), d.peer(1))
	d.refused(store.ErrConflict, func(tx *store.Tx) error { return tx.TakeUsername("nameb", 1) })
	prefix := func(p string, limit int) []ids.Peer {
		return read(d, func(r *store.Reader) ([]ids.Peer, error) {
			return r.PeersByUsernamePrefix(p, limit)
		})
	}
	equal(d, "bytewise order", prefix("nam", 9),
		[]ids.Peer{d.peer(4), d.peer(0), d.peer(1), d.peer(3), d.peer(2)})
	equal(d, "longer prefix", prefix("name", 9), []ids.Peer{d.peer(0), d.peer(1)})
	equal(d, "limit", prefix("name", 1), []ids.Peer{d.peer(0)})
	d.update(func(tx *store.Tx) error { return tx.FreeUsername("nameb", d.peer(2)) })
	equal(d, "name of another", read(d, name), d.peer(1))
	d.update(func(tx *store.Tx) error { return tx.FreeUsername("nameb", d.peer(1)) })
	absent(d, name)
}

func testNameTerms(d *desk) {
	find := func(p string) []ids.Peer {
		return read(d, func(r *store.Reader) ([]ids.Peer, error) { return r.PeersByNameTerm(p, 9) })
	}
	d.update(func(tx *store.Tx) error {
		for range 2 {
			if err := tx.AddNameTerm("иван", d.peer(1)); err != nil {
				return err
			}
		}
		return tx.AddNameTerm("иванов", d.peer(1))
	})
	equal(d, "once each", find("ива"), []ids.Peer{d.peer(1)})
	d.update(func(tx *store.Tx) error { return tx.DropNameTerm("иван", d.peer(1)) })
	equal(d, "one term left", find("ива"), []ids.Peer{d.peer(1)})
	d.update(func(tx *store.Tx) error { return tx.DropNameTerm("иванов", d.peer(1)) })
	equal(d, "none left", find("ива"), []ids.Peer{})
}

func testMeta(d *desk) {
	get := func(r *store.Reader) (int64, error) { return r.Meta("conformance") }
	absent(d, get)
	for want := int64(100); want < 103; want++ {
		var got int64
		d.update(func(tx *store.Tx) (err error) {
			got, err = tx.Next("conformance", 100)
			return err
		})
		equal(d, "next", got, want)
	}
	equal(d, "meta", read(d, get), int64(102))
	d.update(func(tx *store.Tx) error { return tx.SetMeta("conformance", -1) })
	equal(d, "written", read(d, get), int64(-1))
}

func testContacts(d *desk) {
	a := store.Contact{User: d.user(1), Contact: d.user(3), Phone: "1", FirstName: "F", LastName: "L",
		Flags: 1, Created: 5}
	b := store.Contact{User: d.user(1), Contact: d.user(2), FirstName: "G"}
	get := func(r *store.Reader) (store.Contact, error) { return r.Contact(a.User, a.Contact) }
	list := func(r *store.Reader) ([]store.Contact, error) { return r.Contacts(a.User) }
	absent(d, get)
	d.update(func(tx *store.Tx) error {
		if err := tx.PutContact(a); err != nil {
			return err
		}
		return tx.PutContact(b)
	})
	equal(d, "contact", read(d, get), a)
	equal(d, "by id", read(d, list), []store.Contact{b, a})
	a.FirstName, a.Flags = "X", 0
	d.update(func(tx *store.Tx) error { return tx.PutContact(a) })
	equal(d, "changed", read(d, get), a)
	for _, want := range []bool{true, false} {
		var found bool
		d.update(func(tx *store.Tx) (err error) {
			found, err = tx.DeleteContact(a.User, a.Contact)
			return err
		})
		equal(d, "was there", found, want)
	}
	equal(d, "one left", read(d, list), []store.Contact{b})
}

func testBlocks(d *desk) {
	put := func(peer ids.Peer, date int64) (fresh bool) {
		d.Helper()
		d.update(func(tx *store.Tx) (err error) {
			fresh, err = tx.PutBlock(d.user(1), peer, date)
			return err
		})
		return fresh
	}
	equal(d, "new block", put(d.peer(2), 5), true)
	equal(d, "again", put(d.peer(2), 6), false)
	equal(d, "another", put(d.channel(3), 7), true)
	blocked := func(peer ids.Peer) bool {
		return read(d, func(r *store.Reader) (bool, error) { return r.Blocked(d.user(1), peer) })
	}
	equal(d, "blocked", blocked(d.peer(2)), true)
	equal(d, "not blocked", blocked(d.peer(4)), false)
	page := func(limit, offset int) []store.Block {
		return read(d, func(r *store.Reader) ([]store.Block, error) {
			list, total, err := r.Blocks(d.user(1), limit, offset)
			equal(d, "total", total, int64(2))
			return list, err
		})
	}
	equal(d, "newest first", page(9, 0), []store.Block{{d.channel(3), 7}, {d.peer(2), 5}})
	equal(d, "second page", page(1, 1), []store.Block{{d.peer(2), 5}})
	for _, want := range []bool{true, false} {
		var found bool
		d.update(func(tx *store.Tx) (err error) {
			found, err = tx.DeleteBlock(d.user(1), d.peer(2))
			return err
		})
		equal(d, "was there", found, want)
	}
}

func testSettings(d *desk) {
	get := func(name string) []byte {
		return read(d, func(r *store.Reader) ([]byte, error) { return r.Setting(d.user(1), name) })
	}
	put := func(name string, value []byte) {
		d.update(func(tx *store.Tx) error { return tx.PutSetting(d.user(1), name, value) })
	}
	equal(d, "never set", get("privacy.a") == nil, true)
	put("privacy.a", []byte{1})
	put("privacy.b", []byte{})
	put("notify.a", []byte{2})
	put("privacy.a", []byte{3})
	equal(d, "set", get("privacy.a"), []byte{3})
	equal(d, "empty is not unset", get("privacy.b") == nil, false)
	equal(d, "by prefix", read(d, func(r *store.Reader) (map[string][]byte, error) {
		return r.Settings(d.user(1), "privacy.")
	}), map[string][]byte{"privacy.a": {3}, "privacy.b": {}})
	put("privacy.a", nil)
	equal(d, "removed", get("privacy.a") == nil, true)
}

func testForgetUser(d *desk) {
	me := d.user(1)
	d.update(func(tx *store.Tx) error {
		for _, user := range []ids.UserID{me, d.user(2)} {
			if err := tx.PutContact(store.Contact{User: user, Contact: d.user(3)}); err != nil {
				return err
			}
			if _, err := tx.PutBlock(user, d.peer(3), 1); err != nil {
				return err
			}
			if err := tx.PutSetting(user, "a", []byte{1}); err != nil {
				return err
			}
		}
		return tx.ForgetUser(me)
	})
	for user, want := range map[ids.UserID]int{me: 0, d.user(2): 1} {
		got := read(d, func(r *store.Reader) ([3]int, error) {
			contacts, err := r.Contacts(user)
			if err != nil {
				return [3]int{}, err
			}
			blocks, _, err := r.Blocks(user, 9, 0)
			if err != nil {
				return [3]int{}, err
			}
			settings, err := r.Settings(user, "")
			return [3]int{len(contacts), len(blocks), len(settings)}, err
		})
		equal(d, "rows", got, [3]int{want, want, want})
	}
}
