package store_test

import (
	"math"

	"parley/internal/store"
)

func testStaff(d *desk) {
	one := store.Staff{
		ID: d.id(1), Name: "moderator 1", Role: 1, Created: 5, Password: "digest",
		TOTP: []byte{1, 2}, Step: 3, EnrolHash: "enrol", EnrolExpires: 9,
	}
	d.update(func(tx *store.Tx) error { return tx.TakeStaffName(one.Name, one.ID) })
	d.refused(store.ErrConflict, func(tx *store.Tx) error {
		return tx.TakeStaffName(one.Name, d.id(2))
	})
	d.update(func(tx *store.Tx) error { return tx.PutStaff(one) })
	one.Role, one.Flags, one.EnrolHash, one.Step = 2, 1, "", 4
	d.update(func(tx *store.Tx) error { return tx.PutStaff(one) })
	equal(d, "by name", read(d, func(r *store.Reader) (int64, error) {
		return r.StaffByName(one.Name)
	}), one.ID)
	equal(d, "staff", read(d, func(r *store.Reader) (store.Staff, error) {
		return r.Staff(one.ID)
	}), one)
	equal(d, "all", read(d, func(r *store.Reader) ([]store.Staff, error) {
		return r.AllStaff(10)
	}), []store.Staff{one})
}

func testStaffProof(d *desk) {
	c := store.StaffCredential{Staff: d.id(1), ID: "key", Body: []byte{1}, Created: 1}
	d.update(func(tx *store.Tx) error { return tx.PutStaffCredential(c) })
	c.Body, c.Used = []byte{2}, 7
	d.update(func(tx *store.Tx) error { return tx.PutStaffCredential(c) })
	list := func(r *store.Reader) ([]store.StaffCredential, error) {
		return r.StaffCredentials(c.Staff)
	}
	equal(d, "credentials", read(d, list), []store.StaffCredential{c})
	d.update(func(tx *store.Tx) error { return tx.ForgetStaffCredentials(c.Staff) })
	equal(d, "no credentials", read(d, list), []store.StaffCredential{})
	for i, hash := range []string{"a", "b", "c"} {
		d.update(func(tx *store.Tx) error {
			return tx.PutStaffSession(store.StaffSession{
				Staff: c.Staff, Hash: hash, Binding: "browser", Created: 1, Seen: 2, Strong: 3,
				Expires: int64(10 * (i + 1)),
			})
		})
	}
	d.update(func(tx *store.Tx) error { return tx.ExpireStaffSessions(15) })
	session := func(hash string) func(r *store.Reader) (store.StaffSession, error) {
		return func(r *store.Reader) (store.StaffSession, error) {
			return r.StaffSession(c.Staff, hash)
		}
	}
	absent(d, session("a"))
	equal(d, "session", read(d, session("b")), store.StaffSession{
		Staff: c.Staff, Hash: "b", Binding: "browser", Created: 1, Seen: 2, Strong: 3, Expires: 20,
	})
	d.update(func(tx *store.Tx) error { return tx.EndStaffSession(c.Staff, "b") })
	absent(d, session("b"))
	d.update(func(tx *store.Tx) error { return tx.EndStaffSessions(c.Staff) })
	absent(d, session("c"))
}

func testStaffRoles(d *desk) {
	c := store.StaffRoleChange{
		Staff: d.id(1), ID: 1, Role: 2, Proposer: d.id(2), Proposed: 3, Confirmer: -1,
	}
	d.update(func(tx *store.Tx) error { return tx.PutStaffRoleChange(c) })
	equal(d, "open", read(d, func(r *store.Reader) ([]store.StaffRoleChange, error) {
		return r.OpenStaffRoleChanges(5)
	}), []store.StaffRoleChange{c})
	for _, same := range []int64{c.Proposer, c.Staff} {
		alone := c
		alone.Confirmer, alone.Confirmed = same, 4
		err := d.s.Update(d.Context(), 1, func(tx *store.Tx) error {
			return tx.PutStaffRoleChange(alone)
		})
		if err == nil {
			d.Errorf("%d confirmed alone", same)
		}
	}
	c.Confirmer, c.Confirmed = d.id(3), 4
	d.update(func(tx *store.Tx) error { return tx.PutStaffRoleChange(c) })
	equal(d, "change", read(d, func(r *store.Reader) (store.StaffRoleChange, error) {
		return r.StaffRoleChange(c.Staff, c.ID)
	}), c)
}

func testStaffAudit(d *desk) {
	a := store.StaffAudit{
		Staff: d.id(1), Number: 1, At: 1 << 40, Action: "look", Outcome: "done", Subject: 5, Case: 6,
		Detail: "why", Chain: []byte{1},
	}
	b := a
	b.Number, b.At, b.Outcome, b.Chain = 2, a.At+1, "refused", []byte{2}
	for _, row := range []store.StaffAudit{a, b} {
		d.update(func(tx *store.Tx) error { return tx.AddStaffAudit(row) })
	}
	d.refused(store.ErrConflict, func(tx *store.Tx) error { return tx.AddStaffAudit(a) })
	equal(d, "last", read(d, func(r *store.Reader) (store.StaffAudit, error) {
		return r.LastStaffAudit(a.Staff)
	}), store.StaffAudit{Staff: a.Staff, Number: 2, Chain: []byte{2}})
	equal(d, "below", read(d, func(r *store.Reader) ([]store.StaffAudit, error) {
		return r.StaffAudits(a.Staff, 2, 5)
	}), []store.StaffAudit{a})
	end := store.AuditPlace{At: math.MaxInt64, Staff: math.MaxInt64, Number: math.MaxInt64}
	for of, want := range map[store.AuditFilter][]store.StaffAudit{
		{Below: end}: {b, a}, {Below: b.Place()}: {a}, {Below: a.Place()}: {},
		{Below: end, Action: "look"}: {b, a}, {Below: b.Place(), Action: "look"}: {a},
		{Below: end, Action: "other"}: {}, {Below: end, Staff: a.Staff}: {b, a},
		{Below: b.Place(), Staff: a.Staff}: {a}, {Below: end, Staff: a.Staff, Action: "x"}: {},
		{Below: end, Staff: a.Staff + 1}: {}, {Below: end, Since: b.At}: {b},
	} {
		of.Since = max(of.Since, a.At)
		equal(d, "filtered", read(d, func(r *store.Reader) ([]store.StaffAudit, error) {
			return r.FilteredAudits(of, 5)
		}), want)
	}
	for but, others := range map[int64]int64{a.Case: 0, a.Case + 1: 1} {
		equal(d, "cases but one", read(d, func(r *store.Reader) (int64, error) {
			n, seen, err := r.CountStaffCases(a.Staff, "look", 0, but)
			if seen != (but == a.Case) {
				d.Errorf("case %d: seen %v", but, seen)
			}
			return n, err
		}), others)
	}
	s := store.StaffShift{
		Staff: a.Staff, Started: 1, Run: 2, Seen: 3, Cases: 4, Reveals: 5, RestUntil: 6,
	}
	d.update(func(tx *store.Tx) error { return tx.PutStaffShift(s) })
	s.Cases = 5
	d.update(func(tx *store.Tx) error { return tx.PutStaffShift(s) })
	equal(d, "shift", read(d, func(r *store.Reader) (store.StaffShift, error) {
		return r.StaffShift(s.Staff)
	}), s)
}
