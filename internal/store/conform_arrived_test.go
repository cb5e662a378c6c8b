package store_test

import (
	"fmt"

	"parley/internal/store"
)

func testArrivedMails(d *desk) {
	m := store.ArrivedMail{
		Agency: int64(d.peer(1)), ID: d.id(1), Message: d.id(2), At: d.id(3), Door: "authorities",
		Outcome: "order", Digest: "ab", Size: 5, Due: d.id(4), Sealed: []byte{1}, Body: []byte{2},
	}
	key := d.peer(1)
	put := func(m store.ArrivedMail) {
		d.updateAs(key, func(tx *store.Tx) error {
			return tx.AddArrivedMail(m)
		})
	}
	change := func(m store.ArrivedMail) func(*store.Tx) error {
		return func(tx *store.Tx) error { return tx.ChangeArrivedMail(m) }
	}
	get := func(r *store.Reader) (store.ArrivedMail, error) { return r.ArrivedMail(m.Agency, m.ID) }
	// ours are those of this test: other parts have mails, too.
	ours := func(list []store.ArrivedMail) (out []store.ArrivedMail) {
		for _, x := range list {
			if x.Agency == m.Agency {
				out = append(out, x)
			}
		}
		return out
	}
	owed := func(at int64) []store.ArrivedMail {
		return ours(read(d, func(r *store.Reader) ([]store.ArrivedMail, error) {
			return r.OwedAnswers(at, 100)
		}))
	}
	absent(d, get)
	put(m)
	again := m
	again.Outcome, again.Due = "aside", 0
	put(again)
	equal(d, "stored once", read(d, get), m)
	equal(d, "by its Message-ID", read(d, func(r *store.Reader) ([]store.ArrivedMail, error) {
		return r.ArrivedMailsOf(m.Agency, m.Message, 2)
	}), []store.ArrivedMail{m})
	equal(d, "before it is due", len(owed(m.Due-1)), 0)
	equal(d, "when it is due", owed(m.Due), []store.ArrivedMail{m})
	equal(d, "the last ones", ours(read(d, func(r *store.Reader) ([]store.ArrivedMail, error) {
		return r.ArrivedMails(store.ArrivedFilter{}, m.At+1, 0, 100)
	})), []store.ArrivedMail{m})
	for _, c := range []struct {
		f    store.ArrivedFilter
		want int
	}{
		{store.ArrivedFilter{Door: "authorities"}, 1}, {store.ArrivedFilter{Door: "people"}, 0},
		{store.ArrivedFilter{Outcome: "order"}, 1},
		{store.ArrivedFilter{Door: "authorities", Outcome: "order"}, 1},
		{store.ArrivedFilter{Door: "people", Outcome: "order"}, 0},
		{store.ArrivedFilter{Outcome: "aside"}, 0},
	} {
		got := ours(read(d, func(r *store.Reader) ([]store.ArrivedMail, error) {
			return r.ArrivedMails(c.f, m.At+1, 0, 100)
		}))
		equal(d, "filtered by "+c.f.Door+" "+c.f.Outcome, len(got), c.want)
	}
	equal(d, "none before it", len(ours(read(d, func(r *store.Reader) ([]store.ArrivedMail, error) {
		return r.ArrivedMails(store.ArrivedFilter{}, m.At, m.ID, 100)
	}))), 0)
	m.Due, m.Tries, m.Body, m.Door, m.Outcome = 0, 1, []byte{3}, "people", fmt.Sprint(m.ID)
	d.updateAs(key, change(m))
	equal(d, "told", read(d, get), m)
	equal(d, "and nothing owed", len(owed(d.id(9))), 0)
	equal(d, "counted", read(d, func(r *store.Reader) ([]store.ArrivedCount, error) {
		return r.ArrivedCounts(m.Outcome)
	}), []store.ArrivedCount{{Door: m.Door, Mails: 1, Oldest: m.At}})
	testMailsEnd(d, m)
}

// testMailsEnd: a mail is looked at until it is dropped, and it alone.
func testMailsEnd(d *desk, m store.ArrivedMail) {
	look := func(by int64) (out []int64) {
		for _, x := range read(d, func(r *store.Reader) ([]store.ArrivedMail, error) {
			return r.ArrivedMailsToLookAt(by, 100)
		}) {
			if x.Agency == m.Agency {
				out = append(out, x.ID)
			}
		}
		return out
	}
	other := m
	other.ID = d.id(7)
	d.updateAs(d.peer(1), func(tx *store.Tx) error { return tx.AddArrivedMail(other) })
	equal(d, "never looked at", len(look(0)), 2)
	d.updateAs(d.peer(1), func(tx *store.Tx) error {
		return tx.PutOffArrivedMail(m.Agency, m.ID, d.id(8))
	})
	equal(d, "put off", look(d.id(8)-1), []int64{other.ID})
	equal(d, "again", look(d.id(8)), []int64{other.ID, m.ID})
	d.updateAs(d.peer(1), func(tx *store.Tx) error {
		return tx.DropArrivedMail(m.Agency, other.ID)
	})
	equal(d, "dropped", look(d.id(8)), []int64{m.ID})
	d.refused(store.ErrNotFound, func(tx *store.Tx) error {
		return tx.PutOffArrivedMail(m.Agency, other.ID, 0)
	})
}

// testPapers: what names papers is found, and a paper is barred by one at a time.
func testPapers(d *desk) {
	count := func(each func(r *store.Reader, visit func(string)) error, of string) int {
		return read(d, func(r *store.Reader) (n int, err error) {
			err = each(r, func(s string) {
				if s == of {
					n++
				}
			})
			return n, err
		})
	}
	digest, body := d.Name()+" digest", d.Name()+" body"
	agency, key := int64(d.peer(4)), d.peer(4)
	documents := func(r *store.Reader, visit func(string)) error {
		return r.EachOrderDocument(func(s string) error { visit(s); return nil })
	}
	mails := func(r *store.Reader, visit func(string)) error {
		return r.EachArrivedMail(func(s string, b []byte) error { visit(s + string(b)); return nil })
	}
	lines := func(r *store.Reader, visit func(string)) error {
		return r.EachInquiryLine(func(b []byte) error { visit(string(b)); return nil })
	}
	d.updateAs(key, func(tx *store.Tx) error {
		for order := range int64(2) {
			err := tx.AddOrderDocument(store.OrderDocument{
				Agency: agency, Order: order, Digest: digest,
			})
			if err != nil {
				return err
			}
		}
		err := tx.AddArrivedMail(store.ArrivedMail{
			Agency: agency, ID: 1, Digest: digest, Sealed: []byte{1}, Body: []byte(body),
		})
		if err != nil {
			return err
		}
		return tx.AddInquiryLine(store.InquiryLine{Agency: agency, N: 1, Body: []byte(body)})
	})
	equal(d, "documents of orders", count(documents, digest), 2)
	equal(d, "mails", count(mails, digest+body), 1)
	equal(d, "lines of inquiries", count(lines, body), 1)
	testPaperBars(d, digest)
}

func testPaperBars(d *desk, digest string) {
	get := func(r *store.Reader) (int64, error) { return r.PaperBar(digest) }
	bar := func(until, now int64) (got bool) {
		d.update(func(tx *store.Tx) (err error) {
			got, err = tx.BarPaper(digest, until, now)
			return err
		})
		return got
	}
	absent(d, get)
	equal(d, "barred", bar(20, 10), true)
	equal(d, "barred by another", bar(30, 19), false)
	equal(d, "until", read(d, get), int64(20))
	equal(d, "barred when that is over", bar(30, 20), true)
	lift := func(until int64) {
		d.update(func(tx *store.Tx) error { return tx.LiftPaperBar(digest, until) })
	}
	lift(20) // another's
	equal(d, "until later", read(d, get), int64(30))
	lift(30)
	absent(d, get)
}
