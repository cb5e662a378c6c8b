package store_test

import (
	"parley/internal/ids"
	"parley/internal/store"
)

func testDisclosures(d *desk) {
	x := store.Disclosure{
		Agency: d.id(1), Order: d.id(2), ID: d.id(3), State: 1, Plan: "p", Content: "c",
		Fingerprint: "f", PreparedBy: 7, PreparedRole: "legal", Prepared: 5, Ends: 9, People: 2,
		Sealed: []byte{1}, Package: []byte{},
	}
	put := func(x store.Disclosure) func(*store.Tx) error {
		return func(tx *store.Tx) error { return tx.PutDisclosure(x) }
	}
	list := func(r *store.Reader) ([]store.Disclosure, error) {
		return r.Disclosures(x.Agency, x.Order)
	}
	d.update(put(x))
	equal(d, "laid out", read(d, list), []store.Disclosure{x})
	x.State, x.ReleasedBy, x.ReleasedRole, x.Released = 2, 8, "lead", 6
	x.Digest, x.Size, x.Sealed, x.Package = "d", 3, []byte{}, []byte{4}
	for what, bad := range map[string]func(*store.Disclosure){
		"by one person":    func(x *store.Disclosure) { x.ReleasedBy = x.PreparedBy },
		"in one role":      func(x *store.Disclosure) { x.ReleasedRole = x.PreparedRole },
		"by nobody":        func(x *store.Disclosure) { x.ReleasedBy = 0 },
		"fetched by none":  func(x *store.Disclosure) { x.State, x.Fetched = 3, 7 },
		"ran out unlet go": func(x *store.Disclosure) { x.State, x.Released = 5, 0 },
	} {
		y := x
		bad(&y)
		if err := d.s.Update(d.Context(), ids.Peer(x.Agency), put(y)); err == nil {
			d.Errorf("%s: accepted", what)
		}
	}
	d.update(put(x))
	equal(d, "released", read(d, list), []store.Disclosure{x})
	equal(d, "ending", read(d, func(r *store.Reader) ([]store.Disclosure, error) {
		return r.DisclosuresEnding(9, 5)
	}), []store.Disclosure{{Agency: x.Agency, Order: x.Order, ID: x.ID}})
	x.State, x.Officer, x.Fetched, x.Package = 3, 4, 8, []byte{}
	d.update(put(x))
	equal(d, "fetched", read(d, list), []store.Disclosure{x})
	equal(d, "none ends", read(d, func(r *store.Reader) ([]store.Disclosure, error) {
		return r.DisclosuresEnding(9, 5)
	}), []store.Disclosure{})
}

func testTellings(d *desk) {
	x := store.Telling{
		Agency: d.id(1), Order: d.id(2), Kind: 2, Number: d.id(3), Person: 5, Due: 7,
	}
	of := func(r *store.Reader) ([]store.Telling, error) { return r.Tellings(x.Agency, x.Order) }
	due := func(r *store.Reader) ([]store.Telling, error) { return r.TellingsDue(7, 5) }
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { return tx.ChangeTelling(x) })
	for range 2 {
		d.update(func(tx *store.Tx) error { return tx.AddTelling(x) })
	}
	equal(d, "tellings", read(d, of), []store.Telling{x})
	equal(d, "due", read(d, due), []store.Telling{x})
	x.Due = 8
	d.update(func(tx *store.Tx) error { return tx.ChangeTelling(x) })
	equal(d, "not yet", read(d, due), []store.Telling{})
	x.Due, x.Told = 6, 9
	d.update(func(tx *store.Tx) error { return tx.ChangeTelling(x) })
	equal(d, "told", read(d, due), []store.Telling{})
	equal(d, "tellings", read(d, of), []store.Telling{x})
}
