package store_test

import (
	"parley/internal/store"
)

func testMails(d *desk) {
	m := store.Mail{Subject: d.peer(1), Report: d.id(1), Kind: 2, Of: 3, Created: 4, Due: 5}
	owe := func(m store.Mail) func(*store.Tx) error {
		return func(tx *store.Tx) error { return tx.OweMail(m) }
	}
	change := func(m store.Mail) func(*store.Tx) error {
		return func(tx *store.Tx) error { return tx.ChangeMail(m) }
	}
	all := func(r *store.Reader) ([]store.Mail, error) { return r.Mails(m.Subject, m.Report) }
	// others are mails that other parts owe.
	owed := func(at int64) (out []store.Mail) {
		for _, x := range read(d, func(r *store.Reader) ([]store.Mail, error) {
			return r.OwedMails(at, 100)
		}) {
			if x.Subject == m.Subject {
				out = append(out, x)
			}
		}
		return out
	}
	d.refused(store.ErrNotFound, change(m))
	d.update(owe(m))
	again := m
	again.Due = 1
	d.update(owe(again))
	equal(d, "owed once", read(d, all), []store.Mail{m})
	equal(d, "before it is due", len(owed(4)), 0)
	equal(d, "when it is due", owed(5), []store.Mail{m})
	m.Due, m.Tries = 9, 1
	d.update(change(m))
	equal(d, "put off", len(owed(8)), 0)
	m.Sent = 10
	d.update(change(m))
	equal(d, "sent", len(owed(100)), 0)
	equal(d, "and known", read(d, all), []store.Mail{m})

	parts := func(r *store.Reader) ([]byte, error) { return r.Notice(m.Subject, m.Report) }
	absent(d, parts)
	for _, want := range [][]byte{{1}, {1, 2}} {
		d.update(func(tx *store.Tx) error { return tx.PutNotice(m.Subject, m.Report, want) })
		equal(d, "parts", read(d, parts), want)
	}
}
