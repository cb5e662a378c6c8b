package store_test

import (
	"errors"

	"parley/internal/ids"
	"parley/internal/store"
)

func testSecretChats(d *desk) {
	alice, bob := d.user(1), d.user(2)
	c := store.SecretChat{
		User: alice, ID: 7, Peer: bob, KeyID: 11, State: store.SecretWaiting,
		Flags: store.SecretOutgoing, Date: 100, Changed: 100, GA: []byte("a"), GB: []byte{},
	}
	put := func(c store.SecretChat) {
		d.updateAs(c.User.Peer(), func(tx *store.Tx) error { return tx.PutSecretChat(c) })
	}
	get := func(user ids.UserID, id int64) store.SecretChat {
		return read(d, func(r *store.Reader) (store.SecretChat, error) {
			return r.SecretChat(user, id)
		})
	}
	put(c)
	equal(d, "as written", get(alice, 7), c)
	equal(d, "for each party", errors.Is(d.s.View(d.Context(), func(r *store.Reader) error {
		_, err := r.SecretChat(bob, 7)
		return err
	}), store.ErrNotFound), true)
	requests := func(before int64) int {
		return len(read(d, func(r *store.Reader) ([]store.SecretChat, error) {
			return r.SecretRequestsBefore(before, 100)
		}))
	}
	equal(d, "young requests", requests(100), 0)
	equal(d, "old requests", requests(101), 1)
	c.State, c.GB, c.Fingerprint, c.Changed, c.ReadMax, c.ReadDate =
		store.SecretReady, []byte("b"), -5, 200, 150, 160
	put(c)
	equal(d, "changed", get(alice, 7), c)
	equal(d, "answered requests", requests(101), 0)
	changed := func(since int64) []store.SecretChat {
		return read(d, func(r *store.Reader) ([]store.SecretChat, error) {
			return r.SecretChatsChanged(alice, since, 10)
		})
	}
	equal(d, "changed since", changed(200), []store.SecretChat{c})
	equal(d, "not since", len(changed(201)), 0)
	open := func() int {
		return len(read(d, func(r *store.Reader) ([]store.SecretChat, error) {
			return r.OpenSecretChats(alice)
		}))
	}
	equal(d, "open", open(), 1)
	c.State = store.SecretDiscarded
	put(c)
	equal(d, "over", open(), 0)
	d.update(func(tx *store.Tx) error { return tx.ForgetSecrets(200) })
	equal(d, "kept", len(changed(0)), 1)
	d.update(func(tx *store.Tx) error { return tx.ForgetSecrets(201) })
	equal(d, "forgotten", len(changed(0)), 0)
}

func testSecretQueue(d *desk) {
	user := d.user(1)
	const key, other = 11, 12
	device := func(key int64) store.SecretDevice {
		return read(d, func(r *store.Reader) (store.SecretDevice, error) {
			return r.SecretDevice(user, key)
		})
	}
	fresh := func(key int64) store.SecretDevice {
		return store.SecretDevice{
			User: user, KeyID: key, Qts: store.FirstQts, Taken: store.FirstQts,
		}
	}
	equal(d, "nothing yet", device(key), fresh(key))
	add := func(key, chat, random int64, body string) (m store.SecretMessage) {
		m = store.SecretMessage{
			User: user, KeyID: key, Chat: chat, Random: random, Date: 50, Service: random == 2,
			File: random * 10, Body: []byte(body),
		}
		d.updateAs(user.Peer(), func(tx *store.Tx) (err error) {
			m.Qts, err = tx.QueueSecret(m)
			return err
		})
		return m
	}
	one, two := add(key, 7, 1, "a"), add(key, 7, 2, "bb")
	equal(d, "the first message moves it to 2", []int64{one.Qts, two.Qts}, []int64{2, 3})
	three := add(key, 8, 3, "ccc")
	equal(d, "each device by itself", add(other, 9, 4, "d").Qts, int64(2))
	after := func(key, qts int64) []store.SecretMessage {
		return read(d, func(r *store.Reader) ([]store.SecretMessage, error) {
			return r.SecretMessages(user, key, qts, 10)
		})
	}
	equal(d, "in order", after(key, 2), []store.SecretMessage{two, three})
	equal(d, "how much", device(key), store.SecretDevice{
		User: user, KeyID: key, Qts: 4, Taken: 1, Waiting: 3, Bytes: 6,
	})
	var taken []int64
	take := func(upTo int64) {
		d.updateAs(user.Peer(), func(tx *store.Tx) (err error) {
			taken, err = tx.TakeSecrets(user, key, upTo)
			return err
		})
	}
	take(3)
	equal(d, "taken", taken, []int64{1, 2})
	equal(d, "what is left", after(key, 0), []store.SecretMessage{three})
	equal(d, "how much is left", device(key), store.SecretDevice{
		User: user, KeyID: key, Qts: 4, Taken: 3, Waiting: 1, Bytes: 3,
	})
	old := func(before int64) []store.SecretChat {
		return read(d, func(r *store.Reader) ([]store.SecretChat, error) {
			return r.SecretQueuesBefore(before, 100)
		})
	}
	equal(d, "young", len(old(50)), 0)
	equal(d, "old", len(old(51)), 2)
	d.updateAs(user.Peer(), func(tx *store.Tx) error { return tx.DropSecrets(user, key, 8) })
	equal(d, "a chat's", len(after(key, 0)), 0)
	equal(d, "counted off", device(key), store.SecretDevice{
		User: user, KeyID: key, Qts: 4, Taken: 3,
	})
	d.updateAs(user.Peer(), func(tx *store.Tx) error { return tx.EndSecretDevice(user, other) })
	equal(d, "a device's", len(after(other, 0)), 0)
	equal(d, "begun anew", device(other), fresh(other))
}

func testSecretFiles(d *desk) {
	user := d.user(1)
	s := store.SecretSent{User: user, Chat: 7, Random: 1, Date: 50, File: 9}
	note := func(s store.SecretSent) error {
		return d.s.Update(d.Context(), user.Peer(), func(tx *store.Tx) error {
			return tx.PutSecretSent(s)
		})
	}
	equal(d, "noted", note(s), nil)
	equal(d, "once", errors.Is(note(s), store.ErrConflict), true)
	came := s
	came.Came = true
	equal(d, "each way", note(came), nil)
	equal(d, "complete", read(d, func(r *store.Reader) (store.SecretSent, error) {
		return r.SecretSent(store.SecretSent{User: user, Chat: 7, Random: 1})
	}), s)
	f := store.SecretFile{
		User: user, ID: 9, KeyID: 11, Size: 5, Fingerprint: -3, Date: 50, Digest: []byte("x"),
	}
	put := func(f store.SecretFile) {
		d.updateAs(user.Peer(), func(tx *store.Tx) error { return tx.PutSecretFile(f) })
	}
	has := func(key int64) bool {
		err := d.s.View(d.Context(), func(r *store.Reader) error {
			got, err := r.SecretFile(user, 9, key)
			if err == nil {
				equal(d, "file", got.Digest, f.Digest)
			}
			return err
		})
		return err == nil
	}
	put(f)
	put(f)
	equal(d, "a device's", has(11), true)
	equal(d, "not another's", has(12), false)
	d.updateAs(user.Peer(), func(tx *store.Tx) error { return tx.EndSecretDevice(user, 11) })
	equal(d, "no longer", has(11), false)
	f.KeyID = 12
	put(f)
	d.updateAs(user.Peer(), func(tx *store.Tx) error { return tx.EraseBox(user) })
	equal(d, "nor when erased", has(12), false)
	old := func(before int64) []store.SecretFile {
		return read(d, func(r *store.Reader) ([]store.SecretFile, error) {
			return r.SecretFilesBefore(before, 10)
		})
	}
	equal(d, "young", len(old(50)), 0)
	list := old(51)
	equal(d, "old", len(list), 2)
	for _, f := range list {
		d.updateAs(user.Peer(), func(tx *store.Tx) error { return tx.DropSecretFile(f) })
	}
	equal(d, "gone", len(old(51)), 0)
}
