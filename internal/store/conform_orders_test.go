package store_test

import (
	"math"

	"parley/internal/ids"
	"parley/internal/store"
)

func testAgencies(d *desk) {
	name := "DE office " + d.Name()
	d.update(func(tx *store.Tx) error { return tx.TakeAgencyName(name, d.id(1)) })
	d.refused(store.ErrConflict, func(tx *store.Tx) error {
		return tx.TakeAgencyName(name, d.id(2))
	})
	equal(d, "by name", read(d, func(r *store.Reader) (int64, error) {
		return r.AgencyByName(name)
	}), d.id(1))
	a := store.Agency{
		ID: d.id(1), Name: "Office", Country: "DE", Kind: 2, State: 1, Lang: "de", ProposedBy: 7,
		Created: 5, Attest: 9, Body: []byte{1},
	}
	put := func(a store.Agency) func(*store.Tx) error {
		return func(tx *store.Tx) error { return tx.PutAgency(a) }
	}
	get := func(r *store.Reader) (store.Agency, error) { return r.Agency(a.ID) }
	absent(d, get)
	d.update(put(a))
	for what, bad := range map[string]func(*store.Agency){
		"approves himself":   func(a *store.Agency) { a.ApprovedBy = a.ProposedBy },
		"active unapproved":  func(a *store.Agency) { a.State = 3 },
		"proposed by nobody": func(a *store.Agency) { a.ProposedBy = 0 },
	} {
		b := a
		bad(&b)
		if err := d.s.Update(d.Context(), ids.Peer(a.ID), put(b)); err == nil {
			d.Errorf("%s: accepted", what)
		}
	}
	a.State, a.ApprovedBy, a.Approved, a.Body = 3, 8, 6, []byte{2}
	d.update(put(a))
	equal(d, "agency", read(d, get), a)
	equal(d, "all", read(d, func(r *store.Reader) ([]store.Agency, error) {
		return r.Agencies(d.id(0), 1)
	}), []store.Agency{a})
	equal(d, "lapsing", read(d, func(r *store.Reader) ([]store.Agency, error) {
		return r.LapsingAgencies(10, 5)
	}), []store.Agency{a})
	e := store.AgencyEvent{Agency: a.ID, N: 1, At: 2, Staff: 3, Officer: 4, Kind: 5,
		Body: []byte{6}}
	d.update(func(tx *store.Tx) error { return tx.AddAgencyEvent(e) })
	d.refused(store.ErrConflict, func(tx *store.Tx) error { return tx.AddAgencyEvent(e) })
	equal(d, "last event", read(d, func(r *store.Reader) (int64, error) {
		return r.LastAgencyEvent(a.ID)
	}), int64(1))
	equal(d, "events", read(d, func(r *store.Reader) ([]store.AgencyEvent, error) {
		return r.AgencyEvents(a.ID, math.MaxInt64, 5)
	}), []store.AgencyEvent{e})
}

// testOfficerSessions writes sessions of an officer and the places that he came from.
func testOfficerSessions(d *desk, o store.Officer) {
	x := store.OfficerSession{
		Agency: o.Agency, Officer: o.ID, Hash: "a", Binding: "browser", Place: "net", Created: 1,
		Seen: 2, Proved: 3, Expires: 30,
	}
	session := func(hash string) func(r *store.Reader) (store.OfficerSession, error) {
		return func(r *store.Reader) (store.OfficerSession, error) {
			return r.OfficerSession(o.Agency, o.ID, hash)
		}
	}
	absent(d, session("a"))
	d.update(func(tx *store.Tx) error { return tx.PutOfficerSession(x) })
	x.Seen, x.Proved = 5, 6
	d.update(func(tx *store.Tx) error { return tx.PutOfficerSession(x) })
	old := x
	old.Hash, old.Expires = "b", 10
	d.update(func(tx *store.Tx) error { return tx.PutOfficerSession(old) })
	equal(d, "session", read(d, session("a")), x)
	d.update(func(tx *store.Tx) error { return tx.ExpireOfficerSessions(20) })
	absent(d, session("b"))
	d.update(func(tx *store.Tx) error { return tx.EndOfficerSession(o.Agency, o.ID, "a") })
	absent(d, session("a"))
	p := store.OfficerPlace{Agency: o.Agency, Officer: o.ID, Place: "net", First: 4, Last: 4}
	d.update(func(tx *store.Tx) error { return tx.PutOfficerPlace(p) })
	again := p
	again.First, again.Last = 9, 9
	d.update(func(tx *store.Tx) error { return tx.PutOfficerPlace(again) })
	p.Last = 9
	equal(d, "places", read(d, func(r *store.Reader) ([]store.OfficerPlace, error) {
		return r.OfficerPlaces(o.Agency, o.ID, 5)
	}), []store.OfficerPlace{p})
}

func testOfficers(d *desk) {
	o := store.Officer{
		Agency: d.id(1), ID: d.id(2), Name: "Officer", Role: 1, State: 1, ProposedBy: 7, Created: 5,
		EnrolHash: "hash", EnrolExpires: 9,
	}
	put := func(o store.Officer) func(*store.Tx) error {
		return func(tx *store.Tx) error { return tx.PutOfficer(o) }
	}
	get := func(r *store.Reader) (store.Officer, error) { return r.Officer(o.Agency, o.ID) }
	absent(d, get)
	d.update(put(o))
	for what, bad := range map[string]func(*store.Officer){
		"approves himself": func(o *store.Officer) { o.ApprovedBy = o.ProposedBy },
		"unapproved":       func(o *store.Officer) { o.State = 2 },
		"without a key":    func(o *store.Officer) { o.State, o.ApprovedBy = 3, 8 },
	} {
		b := o
		bad(&b)
		if err := d.s.Update(d.Context(), ids.Peer(o.Agency), put(b)); err == nil {
			d.Errorf("%s: accepted", what)
		}
	}
	o.State, o.ApprovedBy, o.Bound, o.Attest, o.EnrolHash, o.EnrolExpires = 3, 8, 6, 99, "", 0
	d.update(put(o))
	equal(d, "officer", read(d, get), o)
	equal(d, "officers", read(d, func(r *store.Reader) ([]store.Officer, error) {
		return r.Officers(o.Agency, 5)
	}), []store.Officer{o})
	absent(d, func(r *store.Reader) (store.Officer, error) { return r.Officer(d.id(9), o.ID) })
	c := store.OfficerCredential{Agency: o.Agency, Officer: o.ID, ID: "key", Body: []byte{1},
		Created: 1}
	d.update(func(tx *store.Tx) error { return tx.PutOfficerCredential(c) })
	c.Body, c.Used = []byte{2}, 7
	d.update(func(tx *store.Tx) error { return tx.PutOfficerCredential(c) })
	keys := func(r *store.Reader) ([]store.OfficerCredential, error) {
		return r.OfficerCredentials(o.Agency, o.ID)
	}
	equal(d, "credentials", read(d, keys), []store.OfficerCredential{c})
	d.update(func(tx *store.Tx) error { return tx.ForgetOfficerCredentials(o.Agency, o.ID) })
	equal(d, "no credentials", read(d, keys), []store.OfficerCredential{})
	testOfficerSessions(d, o)
	k := store.AgencyKey{Agency: o.Agency, ID: 1, Label: "hotline", Hash: "h", Staff: 7, Created: 2,
		Expires: 3}
	d.update(func(tx *store.Tx) error { return tx.PutAgencyKey(k) })
	k.Revoked = 4
	d.update(func(tx *store.Tx) error { return tx.PutAgencyKey(k) })
	equal(d, "keys", read(d, func(r *store.Reader) ([]store.AgencyKey, error) {
		return r.AgencyKeys(o.Agency, 5)
	}), []store.AgencyKey{k})
}

func testOrders(d *desk) {
	o := store.Order{
		Agency: d.id(1), ID: d.id(2), Instrument: "i", Number: "n", Digest: "d", State: 2,
		Country: "FR", Officer: 3, Received: 4, Due: 50, Next: 40, Items: 1, Events: 1,
		Body: []byte{1},
	}
	add := func(o store.Order) func(*store.Tx) error {
		return func(tx *store.Tx) error { return tx.AddOrder(o) }
	}
	get := func(r *store.Reader) (store.Order, error) { return r.Order(o.Agency, o.ID) }
	absent(d, get)
	d.refused(store.ErrNotFound, func(tx *store.Tx) error { return tx.ChangeOrder(o) })
	d.update(add(o))
	again := o
	again.ID++
	d.refused(store.ErrConflict, add(again))
	again.Agency = d.id(9)
	d.update(add(again))
	absent(d, func(r *store.Reader) (store.Order, error) { return r.Order(again.Agency, o.ID) })
	o.Digest, o.State, o.Due, o.Paused, o.Next, o.Alarmed, o.Breached = "e", 60, 51, 5, 41, 6, 7
	o.Items, o.Events, o.Body, o.Officer, o.Instrument = 2, 3, []byte{2}, 4, "moved"
	d.update(func(tx *store.Tx) error { return tx.ChangeOrder(o) })
	equal(d, "order", read(d, get), o)
	same := func(digest string) func(*store.Reader) (store.Order, error) {
		return func(r *store.Reader) (store.Order, error) {
			return r.OrderSame(o.Agency, "n", digest)
		}
	}
	equal(d, "the same", read(d, same("e")), o)
	absent(d, same("f"))
	for what, list := range map[string]func(r *store.Reader) ([]store.Order, error){
		"numbered": func(r *store.Reader) ([]store.Order, error) {
			return r.OrdersNumbered(o.Agency, "n", 5)
		},
		"of the agency": func(r *store.Reader) ([]store.Order, error) {
			return r.OrdersOf(o.Agency, math.MaxInt64, 5)
		},
		"queue": func(r *store.Reader) ([]store.Order, error) { return r.OrderQueue(60, 0, 0, 5) },
		"open of the agency": func(r *store.Reader) ([]store.Order, error) {
			return r.OpenOrdersOf(o.Agency, 50, 0, 5)
		},
	} {
		equal(d, what, read(d, list), []store.Order{o})
	}
	equal(d, "clocks", read(d, func(r *store.Reader) ([]store.Order, error) {
		return r.OrderClocks(40, 5)
	}), []store.Order{again})
	for from, want := range map[int64]int64{51: 1, 52: 0} {
		equal(d, "count", read(d, func(r *store.Reader) (int64, error) {
			return r.CountOrders(60, from, math.MaxInt64, 5)
		}), want)
	}
	o.Closed = 70
	d.update(func(tx *store.Tx) error { return tx.ChangeOrder(o) })
	equal(d, "no queue", read(d, func(r *store.Reader) ([]store.Order, error) {
		return r.OrderQueue(60, 0, 0, 5)
	}), []store.Order{})
}

func testRefusals(d *desk) {
	a := store.OrderRefusal{
		Agency: d.id(1), Order: d.id(2), At: 5, Class: "no-handler", Country: "XA",
		Instrument: "order", Number: "7%1", Authority: "Office", Words: "7%1 office",
	}
	b := a
	b.Order, b.At, b.Class, b.Country, b.Number, b.Words = d.id(3), 6, "too-wide", "XB", "8", "8_"
	d.update(func(tx *store.Tx) error { return tx.AddOrderRefusal(a, []string{"office", "7"}) })
	again := a
	again.Class = "other"
	d.update(func(tx *store.Tx) error { return tx.AddOrderRefusal(again, []string{"office", "more"}) })
	d.update(func(tx *store.Tx) error { return tx.AddOrderRefusal(b, []string{"office"}) })
	for what, c := range map[string]struct {
		f    store.RefusalFilter
		term string
		want []store.OrderRefusal
	}{
		"all":           {store.RefusalFilter{}, "", []store.OrderRefusal{b, a}},
		"since":         {store.RefusalFilter{Since: 6}, "", []store.OrderRefusal{b}},
		"class":         {store.RefusalFilter{Class: a.Class}, "", []store.OrderRefusal{a}},
		"country":       {store.RefusalFilter{Country: "XB"}, "", []store.OrderRefusal{b}},
		"instrument":    {store.RefusalFilter{Instrument: "other"}, "", nil},
		"term":          {store.RefusalFilter{}, "office", []store.OrderRefusal{b, a}},
		"term of one":   {store.RefusalFilter{}, "7", []store.OrderRefusal{a}},
		"term anew":     {store.RefusalFilter{}, "more", []store.OrderRefusal{a}},
		"term of none":  {store.RefusalFilter{}, "other", nil},
		"term and more": {store.RefusalFilter{Country: "XB"}, "7", nil},
		"term below": {
			store.RefusalFilter{At: b.At, Order: b.Order}, "office", []store.OrderRefusal{a},
		},
		"term since": {store.RefusalFilter{Since: 6}, "office", []store.OrderRefusal{b}},
		"below":      {store.RefusalFilter{At: b.At, Order: b.Order}, "", []store.OrderRefusal{a}},
	} {
		if c.f.At == 0 {
			c.f.At = 7
		}
		equal(d, what, read(d, func(r *store.Reader) (out []store.OrderRefusal, err error) {
			list, err := r.OrderRefusals(c.f, 5)
			if c.term != "" {
				list, err = r.OrderRefusalsByTerm(c.f, c.term, 5)
			}
			for _, x := range list {
				if x.Agency == d.id(1) {
					out = append(out, x)
				}
			}
			return out, err
		}), c.want)
	}
	for most, want := range map[int]int64{1: 1, 5: 2} {
		equal(d, "lines of a term", min(read(d, func(r *store.Reader) (int64, error) {
			return r.CountOrderRefusalTerm("office", 5, most)
		}), 2), want)
	}
	counts := read(d, func(r *store.Reader) ([]store.RefusalCount, error) {
		return r.CountOrderRefusals(6)
	})
	equal(d, "count", counts, []store.RefusalCount{{
		Class: b.Class, Country: b.Country, Instrument: b.Instrument, Count: 1,
	}})
}

// testReviews has orders wait for a review, the one that began first first, until it is over.
func testReviews(d *desk) {
	x := store.OrderReview{Agency: d.id(1), Order: d.id(3), Since: 5}
	later := store.OrderReview{Agency: d.id(1), Order: d.id(2), Since: 6}
	again := x
	again.Since = 9
	for _, add := range []store.OrderReview{later, x, again} {
		d.update(func(tx *store.Tx) error { return tx.AddOrderReview(add) })
	}
	list := func(what string, since, order int64, want []store.OrderReview) {
		d.Helper()
		equal(d, what, read(d, func(r *store.Reader) ([]store.OrderReview, error) {
			return r.OrderReviews(since, order, 5)
		}), want)
	}
	list("all", 0, 0, []store.OrderReview{x, later})
	list("after one", x.Since, x.Order, []store.OrderReview{later})
	d.update(func(tx *store.Tx) error { return tx.EndOrderReview(x.Agency, x.Order) })
	list("one is over", 0, 0, []store.OrderReview{later})
}

// testPublications has a text wait, be written and be found in its new state alone.
func testPublications(d *desk) {
	x := store.OrderPublication{Agency: d.id(1), Order: d.id(2), State: d.id(10), Due: 5}
	put := func(x store.OrderPublication) {
		d.Helper()
		d.update(func(tx *store.Tx) error { return tx.PutOrderPublication(x) })
	}
	due := func(what string, state, by, after, order int64, want []store.OrderPublication) {
		d.Helper()
		equal(d, what, read(d, func(r *store.Reader) ([]store.OrderPublication, error) {
			return r.OrderPublications(state, by, after, order, 5)
		}), want)
	}
	put(x)
	later := x
	later.Order, later.Due = d.id(3), 6
	put(later)
	due("not due", x.State, 4, 0, 0, nil)
	due("due", x.State, 5, 0, 0, []store.OrderPublication{x})
	due("all", x.State, 6, 0, 0, []store.OrderPublication{x, later})
	due("after one", x.State, 6, x.Due, x.Order, []store.OrderPublication{later})
	now := x
	now.State, now.Due, now.Staff, now.At, now.Text, now.Why = d.id(11), 7, 3, 7, "text", "why"
	put(now)
	due("written", now.State, 7, 0, 0, []store.OrderPublication{now})
	due("not as before", x.State, 6, 0, 0, []store.OrderPublication{later})
	equal(d, "one", read(d, func(r *store.Reader) (store.OrderPublication, error) {
		return r.OrderPublication(x.Agency, x.Order)
	}), now)
	err := d.s.View(d.Context(), func(r *store.Reader) error {
		_, err := r.OrderPublication(x.Agency, d.id(4))
		return err
	})
	if !store.IsNotFound(err) {
		d.Errorf("a text that nobody wrote: %v", err)
	}
}

// testFences fences an item off, after somebody had it.
func testFences(d *desk) {
	f := store.OrderFence{
		Subject: d.peer(3), Agency: d.id(1), Order: d.id(2), Item: 1, Round: 1, At: 5,
	}
	claim := func(f store.OrderFence, want int64) {
		d.Helper()
		d.update(func(tx *store.Tx) error {
			at, err := tx.ClaimOrderItem(f)
			if err == nil && at != want {
				d.Errorf("%+v: fenced off since %d, not %d", f, at, want)
			}
			return err
		})
	}
	claim(f, 0)
	claim(f, 0)
	d.update(func(tx *store.Tx) error { return tx.PutOrderFence(f) })
	claim(f, 5)
	for what, change := range map[string]func(*store.OrderFence){
		"subject": func(x *store.OrderFence) { x.Subject = d.peer(4) },
		"agency":  func(x *store.OrderFence) { x.Agency = d.id(5) },
		"order":   func(x *store.OrderFence) { x.Order = d.id(3) },
		"item":    func(x *store.OrderFence) { x.Item = 2 },
		"round":   func(x *store.OrderFence) { x.Round = 2 },
	} {
		d.Log("of another " + what)
		other := f
		change(&other)
		claim(other, 0)
	}
}

func testOrderParts(d *desk) {
	i := store.OrderItem{Agency: d.id(1), Order: d.id(2), N: 1, Peer: d.peer(3), Kind: 3, Item: 4,
		Author: d.user(5), State: 1, At: 6, Body: []byte{1}}
	d.update(func(tx *store.Tx) error { return tx.PutOrderItem(i) })
	i.Peer, i.State, i.Decision, i.Hold, i.At, i.Body = d.peer(4), 2, d.id(7), 8, 9, []byte{2}
	d.update(func(tx *store.Tx) error { return tx.PutOrderItem(i) })
	equal(d, "items", read(d, func(r *store.Reader) ([]store.OrderItem, error) {
		return r.OrderItems(i.Agency, i.Order, 5)
	}), []store.OrderItem{i})
	equal(d, "items of a decision", read(d, func(r *store.Reader) ([]store.OrderItem, error) {
		return r.OrderItemsOfDecision(d.id(7), 5)
	}), []store.OrderItem{i})
	e := store.OrderEvent{Agency: i.Agency, Order: i.Order, N: 1, At: 2, Staff: 3, Officer: 4,
		Kind: 5, Body: []byte{6}}
	d.update(func(tx *store.Tx) error { return tx.AddOrderEvent(e) })
	d.refused(store.ErrConflict, func(tx *store.Tx) error { return tx.AddOrderEvent(e) })
	equal(d, "events", read(d, func(r *store.Reader) ([]store.OrderEvent, error) {
		return r.OrderEvents(i.Agency, i.Order, 0, 5)
	}), []store.OrderEvent{e})
	a := store.OrderApproval{Agency: i.Agency, Order: i.Order, Digest: "d", Staff: 3, Role: "legal",
		At: 4}
	d.update(func(tx *store.Tx) error { return tx.AddOrderApproval(a) })
	d.refused(store.ErrConflict, func(tx *store.Tx) error { return tx.AddOrderApproval(a) })
	nobody := a
	nobody.Staff = 0
	if d.s.Update(d.Context(), 1, func(tx *store.Tx) error {
		return tx.AddOrderApproval(nobody)
	}) == nil {
		d.Error("nobody signed")
	}
	equal(d, "approvals", read(d, func(r *store.Reader) ([]store.OrderApproval, error) {
		return r.OrderApprovals(i.Agency, i.Order)
	}), []store.OrderApproval{a})
	p := store.OrderPaper{Agency: i.Agency, Order: i.Order, N: 1, Kind: "receipt", At: 2,
		Body: []byte("note")}
	d.update(func(tx *store.Tx) error { return tx.AddOrderPaper(p) })
	d.refused(store.ErrConflict, func(tx *store.Tx) error { return tx.AddOrderPaper(p) })
	for _, at := range []int64{5, 6} { // the second time is not noted
		d.update(func(tx *store.Tx) error {
			return tx.OrderPaperFetched(p.Agency, p.Order, p.N, at)
		})
	}
	p.Fetched = 5
	equal(d, "papers", read(d, func(r *store.Reader) ([]store.OrderPaper, error) {
		return r.OrderPapers(i.Agency, i.Order)
	}), []store.OrderPaper{p})
	testFences(d)
	f := store.OrderDocument{Agency: i.Agency, Order: i.Order, Digest: "d", Name: "order.pdf",
		Mime: "application/pdf", Size: 3, At: 4}
	for range 2 {
		d.update(func(tx *store.Tx) error { return tx.AddOrderDocument(f) })
	}
	equal(d, "documents", read(d, func(r *store.Reader) ([]store.OrderDocument, error) {
		return r.OrderDocuments(i.Agency, i.Order)
	}), []store.OrderDocument{f})
}
