package store_test

import "parley/internal/store"

func testAlerts(d *desk) {
	a := store.Alert{
		ID: d.id(1), Key: "order 1", Kind: "order", State: 1, Next: d.id(5), Created: d.id(4),
		Body: []byte{1},
	}
	get := func(r *store.Reader) (store.Alert, error) { return r.Alert(a.ID) }
	change := func(tx *store.Tx) error { return tx.ChangeAlert(a) }
	due := func(at int64) (out []store.Alert) {
		for _, x := range read(d, func(r *store.Reader) ([]store.Alert, error) {
			return r.DueAlerts(at, 100)
		}) {
			if x.ID == a.ID {
				out = append(out, x)
			}
		}
		return out
	}
	absent(d, get)
	d.refused(store.ErrNotFound, change)
	d.update(func(tx *store.Tx) error { return tx.AddAlert(a) })
	d.refused(store.ErrConflict, func(tx *store.Tx) error { return tx.AddAlert(a) })
	equal(d, "before its round", len(due(d.id(4))), 0)
	equal(d, "at its round", due(d.id(5)), []store.Alert{a})
	a.State, a.Round, a.Next, a.Acked, a.AckedBy, a.Via = 2, 1, 0, d.id(6), "desk", "link"
	d.update(change)
	equal(d, "alert", read(d, get), a)
	equal(d, "confirmed", len(due(d.id(99))), 0)
	equal(d, "the newest", read(d, func(r *store.Reader) ([]store.Alert, error) {
		return r.Alerts(1)
	}), []store.Alert{a})

	c := store.AlertCall{
		Alert: a.ID, N: 1, Round: 1, What: 1, Person: "desk", Way: "mail", State: 1, Due: d.id(7),
	}
	put := func(tx *store.Tx) error { return tx.PutAlertCall(c) }
	owed := func(at int64) (n int) {
		for _, x := range read(d, func(r *store.Reader) ([]store.AlertCall, error) {
			return r.DueAlertCalls(at, 100)
		}) {
			if x == c {
				n++
			}
		}
		return n
	}
	d.update(put)
	equal(d, "before it is due", owed(d.id(6)), 0)
	equal(d, "when it is due", owed(d.id(7)), 1)
	c.State, c.Tries, c.Ended, c.Reason = 3, 2, d.id(8), "no answer"
	d.update(put)
	equal(d, "given up", owed(d.id(99)), 0)
	equal(d, "calls", read(d, func(r *store.Reader) ([]store.AlertCall, error) {
		return r.AlertCalls(a.ID)
	}), []store.AlertCall{c})
}
