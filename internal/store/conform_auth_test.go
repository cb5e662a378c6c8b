package store_test

import (
	"parley/internal/store"
)

func testAuthKeys(d *desk) {
	k := store.AuthKey{
		ID: -d.id(1), Sealed: []byte{0, 1, 255}, Salt: -5, DC: 2, Created: 1000, State: store.KeyFresh,
	}
	get := func(r *store.Reader) (store.AuthKey, error) { return r.AuthKey(k.ID) }
	absent(d, get)
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { return tx.SetAuthKey(k) })
	d.update(func(tx *store.Tx) error { return tx.AddAuthKey(k) })
	equal(d, "new key", read(d, get), k)
	d.refused(store.ErrConflict, func(tx *store.Tx) error { return tx.AddAuthKey(k) })
	k.User, k.State, k.Layer, k.APIID = d.user(1), store.KeyAuthorized, 229, 4
	k.Device, k.System, k.App = "D", "S", "A"
	k.LangPack, k.Lang, k.SystemLang = "android", "fa", "fa-IR"
	d.update(func(tx *store.Tx) error { return tx.SetAuthKey(k) })
	equal(d, "changed key", read(d, get), k)
	d.update(func(tx *store.Tx) error { return tx.DeleteAuthKey(k.ID) })
	absent(d, get)
}

func testAuthorizations(d *desk) {
	a := store.Authorization{User: d.user(1), KeyID: 1, Hash: -7, Created: 10, Active: 20, APIID: 3,
		Device: "D", System: "S", App: "A", IP: "127.0.0.1", Flags: 5}
	b := store.Authorization{User: d.user(1), KeyID: 2, Hash: 8, Active: 30, Parent: 1}
	list := func(r *store.Reader) ([]store.Authorization, error) { return r.Authorizations(a.User) }
	d.update(func(tx *store.Tx) error {
		if err := tx.PutAuthorization(a); err != nil {
			return err
		}
		return tx.PutAuthorization(b)
	})
	equal(d, "devices", read(d, list), []store.Authorization{b, a})
	a.Active, a.IP, a.Device, a.System, a.App = 40, "::1", "D2", "S2", "A2"
	d.update(func(tx *store.Tx) error { return tx.TouchAuthorization(a) })
	equal(d, "touched", read(d, list), []store.Authorization{a, b})
	a.Flags, a.APIID = 9, 4
	d.update(func(tx *store.Tx) error { return tx.PutAuthorization(a) })
	equal(d, "written again", read(d, list), []store.Authorization{a, b})
	d.update(func(tx *store.Tx) error { return tx.ForgetAddresses(41) })
	a.IP = ""
	equal(d, "without address", read(d, list), []store.Authorization{a, b})
	d.update(func(tx *store.Tx) error { return tx.DeleteAuthorization(a.User, a.KeyID) })
	equal(d, "one left", read(d, list), []store.Authorization{b})
}

func testIdleAuthorizations(d *desk) {
	var want []store.Authorization
	d.update(func(tx *store.Tx) error {
		for n := range int64(3) {
			a := store.Authorization{User: d.user(n / 2), KeyID: n, Active: -1000 + n}
			if err := tx.PutAuthorization(a); err != nil {
				return err
			}
		}
		child := store.Authorization{User: d.user(5), KeyID: 9, Active: -1000, Parent: 1}
		return tx.PutAuthorization(child)
	})
	for n := range int64(3) {
		want = append(want, store.Authorization{User: d.user(n / 2), KeyID: n, Active: -1000 + n})
	}
	var after store.Authorization
	for _, a := range want {
		got := read(d, func(r *store.Reader) ([]store.Authorization, error) {
			return r.IdleAuthorizations(-900, after, 1)
		})
		equal(d, "idle", got, []store.Authorization{a})
		after = a
	}
	equal(d, "no more", read(d, func(r *store.Reader) ([]store.Authorization, error) {
		return r.IdleAuthorizations(-900, after, 1)
	}), []store.Authorization{})
}

func testLoginCodes(d *desk) {
	c := store.LoginCode{Hash: "code h1", Phone: "4900", Code: "12345", KeyID: 4, Created: -500}
	get := func(r *store.Reader) (store.LoginCode, error) { return r.LoginCode(c.Hash) }
	absent(d, get)
	d.update(func(tx *store.Tx) error { return tx.PutLoginCode(c) })
	equal(d, "code", read(d, get), c)
	c.Code, c.Tries, c.Flags = "54321", 2, 1
	d.update(func(tx *store.Tx) error { return tx.PutLoginCode(c) })
	equal(d, "changed code", read(d, get), c)
	d.update(func(tx *store.Tx) error { return tx.ExpireLoginCodes(c.Created) })
	equal(d, "not yet expired", read(d, get), c)
	d.update(func(tx *store.Tx) error { return tx.ExpireLoginCodes(c.Created + 1) })
	absent(d, get)
	d.update(func(tx *store.Tx) error { return tx.PutLoginCode(c) })
	d.update(func(tx *store.Tx) error { return tx.DeleteLoginCode(c.Hash) })
	absent(d, get)
}

func testLoginTokens(d *desk) {
	l := store.LoginToken{Hash: "token h1", Kind: 2, KeyID: 4, Created: -500, Except: "1,2"}
	get := func(r *store.Reader) (store.LoginToken, error) { return r.LoginToken(l.Hash) }
	absent(d, get)
	d.update(func(tx *store.Tx) error { return tx.PutLoginToken(l) })
	equal(d, "token", read(d, get), l)
	l.User = d.user(1)
	d.update(func(tx *store.Tx) error { return tx.PutLoginToken(l) })
	equal(d, "accepted token", read(d, get), l)
	d.update(func(tx *store.Tx) error { return tx.ExpireLoginTokens(l.Created) })
	equal(d, "not yet expired", read(d, get), l)
	d.update(func(tx *store.Tx) error { return tx.ExpireLoginTokens(l.Created + 1) })
	absent(d, get)
	d.update(func(tx *store.Tx) error { return tx.PutLoginToken(l) })
	d.update(func(tx *store.Tx) error { return tx.DeleteLoginToken(l.Hash) })
	absent(d, get)
}

func testCounters(d *desk) {
	count := func(slot, n, want int64) {
		d.Helper()
		var sum int64
		d.update(func(tx *store.Tx) (err error) {
			sum, err = tx.Count("subject", slot, n)
			return err
		})
		equal(d, "count", sum, want)
	}
	counted := func(since int64) int64 {
		return read(d, func(r *store.Reader) (int64, error) { return r.Counted("subject", since) })
	}
	equal(d, "never counted", counted(-100), int64(0))
	count(-10, 1, 1)
	count(-10, 2, 3)
	count(-9, 5, 5)
	count(-8, 0, 0)
	equal(d, "all", counted(-10), int64(8))
	equal(d, "later ones", counted(-9), int64(5))
	equal(d, "last", read(d, func(r *store.Reader) (int64, error) {
		return r.LastCounted("subject", -10)
	}), int64(-9))
	equal(d, "last of none", read(d, func(r *store.Reader) (int64, error) {
		return r.LastCounted("nobody", -10)
	}), int64(0))
	d.update(func(tx *store.Tx) error { return tx.ExpireCounters(-9) })
	equal(d, "after expiry", counted(-100), int64(5))
}

func testInvitations(d *desk) {
	a := store.Invitation{Hash: "invitation a", Creator: d.user(1), Created: 2, Expires: 9, Uses: 3}
	b := store.Invitation{Hash: "invitation b", Creator: d.user(1), Created: 1}
	get := func(r *store.Reader) (store.Invitation, error) { return r.Invitation(a.Hash) }
	absent(d, get)
	d.update(func(tx *store.Tx) error {
		if err := tx.PutInvitation(a); err != nil {
			return err
		}
		return tx.PutInvitation(b)
	})
	a.Used = 1
	d.update(func(tx *store.Tx) error { return tx.PutInvitation(a) })
	equal(d, "invitation", read(d, get), a)
	equal(d, "all", read(d, (*store.Reader).Invitations), []store.Invitation{b, a})
}

func testPasswords(d *desk) {
	p := store.Password{User: d.user(1), Salt1: []byte{1}, Salt2: []byte{2}, Verifier: []byte{3},
		Hint: "h", Email: "e", PendingEmail: "p", PendingSalt1: []byte{}, PendingSalt2: []byte{},
		PendingVerifier: []byte{}, PendingHint: "ph", Changed: 5, ResetAfter: -6}
	get := func(r *store.Reader) (store.Password, error) { return r.Password(p.User) }
	absent(d, get)
	d.update(func(tx *store.Tx) error { return tx.PutPassword(p) })
	equal(d, "password", read(d, get), p)
	p.Verifier, p.PendingVerifier, p.ResetAfter = []byte{4}, []byte{5}, 0
	d.update(func(tx *store.Tx) error { return tx.PutPassword(p) })
	equal(d, "changed password", read(d, get), p)
	d.update(func(tx *store.Tx) error { return tx.DeletePassword(p.User) })
	absent(d, get)
	empty := store.Password{User: d.user(2)}
	d.update(func(tx *store.Tx) error { return tx.PutPassword(empty) })
}
