package store_test

import (
	"math"
	"slices"
	"strconv"

	"parley/internal/ids"
	"parley/internal/store"
)

func testHotlines(d *desk) {
	s := store.HotlineSubmission{
		Agency: d.id(1), ID: d.id(2), Reference: "a", Digest: "b", Officer: 3, At: 4, Items: 5,
	}
	get := func(r *store.Reader) (store.HotlineSubmission, error) {
		return r.Submission(s.Agency, s.ID)
	}
	absent(d, get)
	d.update(func(tx *store.Tx) error { return tx.AddSubmission(s) })
	again := s
	again.ID++
	d.refused(store.ErrConflict, func(tx *store.Tx) error { return tx.AddSubmission(again) })
	equal(d, "submission", read(d, get), s)
	equal(d, "by reference", read(d, func(r *store.Reader) (store.HotlineSubmission, error) {
		return r.SubmissionBy(s.Agency, "a")
	}), s)
	equal(d, "submissions", read(d, func(r *store.Reader) ([]store.HotlineSubmission, error) {
		return r.Submissions(s.Agency, math.MaxInt64, 5)
	}), []store.HotlineSubmission{s})

	i := store.HotlineItem{
		Agency: s.Agency, ID: d.id(3), Submission: s.ID, Kind: 1, State: 1, Category: "c",
		Created: 4, Body: []byte{1},
	}
	put := func(tx *store.Tx) error { return tx.ChangeHotlineItem(i) }
	add := func(tx *store.Tx) error { return tx.AddHotlineItem(i) }
	item := func(r *store.Reader) (store.HotlineItem, error) {
		return r.HotlineItem(i.Agency, i.ID)
	}
	received := func() bool {
		return slices.ContainsFunc(read(d, func(r *store.Reader) ([]store.HotlineItem, error) {
			return r.ReceivedHotlineItems(i.ID-1, 100)
		}), func(x store.HotlineItem) bool { return x.ID == i.ID })
	}
	absent(d, item)
	d.refused(store.ErrNotFound, put)
	d.update(add)
	d.refused(store.ErrConflict, add)
	equal(d, "received", received(), true)
	i.State, i.Subject, i.Report, i.Decided, i.Outcome, i.First = 3, d.peer(1), d.id(4), 9, 1, 2
	i.Decision, i.Notified, i.Body = 7, 8, []byte{2}
	d.update(put)
	equal(d, "item", read(d, item), i)
	equal(d, "taken up", received(), false)
	for what, list := range map[string]func(*store.Reader) ([]store.HotlineItem, error){
		"of the submission": func(r *store.Reader) ([]store.HotlineItem, error) {
			return r.HotlineItems(i.Agency, s.ID, 0, 5)
		},
		"of the report": func(r *store.Reader) ([]store.HotlineItem, error) {
			return r.HotlineItemsOfReport(i.Agency, i.Report)
		},
		"decided": func(r *store.Reader) ([]store.HotlineItem, error) {
			return r.DecidedHotlineItems(i.Agency, 9, i.ID-1, 5)
		},
	} {
		equal(d, what, read(d, list), []store.HotlineItem{i})
	}
	equal(d, "decided, above it", read(d, func(r *store.Reader) (int, error) {
		list, err := r.DecidedHotlineItems(i.Agency, 9, i.ID, 5)
		return len(list), err
	}), 0)
	testHotlineTold(d, i)
	testHotlineHeld(d, i)
	testHotlineMeasures(d)
	equal(d, "names", read(d, func(r *store.Reader) (bool, error) {
		list, err := r.UsernamesAfter("\U0010ffff", 5)
		return len(list) == 0, err
	}), true)
}

// testHotlineHeld: what waits for two people is in the queue of staff, and digests are counted.
func testHotlineHeld(d *desk, i store.HotlineItem) {
	held := func() bool {
		return slices.ContainsFunc(read(d, func(r *store.Reader) ([]store.HotlineSubmission, error) {
			return r.HeldSubmissions(1000)
		}), func(s store.HotlineSubmission) bool {
			return s.Agency == i.Agency && s.ID == i.Submission
		})
	}
	equal(d, "held", held(), false)
	i.ID, i.Kind, i.State = i.ID+100, 2, 6
	d.update(func(tx *store.Tx) error { return tx.AddHotlineItem(i) })
	equal(d, "held", held(), true)
	for from, want := range map[int64]int64{i.ID: 1, i.ID + 1: 0} {
		equal(d, "digests", read(d, func(r *store.Reader) (int64, error) {
			return r.CountHotlineDigests(i.Agency, from)
		}), want)
	}
	i.State = 1
	d.update(func(tx *store.Tx) error { return tx.ChangeHotlineItem(i) })
	equal(d, "held", held(), false)
}

func testHotlineTold(d *desk, i store.HotlineItem) {
	untold := func(r *store.Reader) ([]store.HotlineItem, error) {
		return r.UntoldHotlineItems(i.Agency, 5)
	}
	next := func(r *store.Reader) (store.HotlineItem, error) {
		return r.NextUntoldHotline(i.Agency - 1)
	}
	for notified, owed := range map[int64]bool{8: false, -1: false, 0: true, -70: true} {
		i.Notified = notified
		d.update(func(tx *store.Tx) error { return tx.ChangeHotlineItem(i) })
		equal(d, "to be told", len(read(d, untold)) == 1, owed)
	}
	i.Notified = -70
	d.update(func(tx *store.Tx) error { return tx.ChangeHotlineItem(i) })
	equal(d, "the next to be told", read(d, next), i)
	d.update(func(tx *store.Tx) error { return tx.TellHotlineItem(i.Agency, i.ID, 0, 5) })
	equal(d, "what changed is not told", len(read(d, untold)), 1)
	d.update(func(tx *store.Tx) error { return tx.TellHotlineItem(i.Agency, i.ID, -70, 5) })
	equal(d, "told", len(read(d, untold)), 0)
}

func testHotlineMeasures(d *desk) {
	m := store.HotlineMeasure{
		Agency: d.id(1), ID: d.id(5), Kind: 1, At: 2, Until: 3, Staff: 7, Body: []byte{1},
	}
	put := func(m store.HotlineMeasure) func(*store.Tx) error {
		return func(tx *store.Tx) error { return tx.PutHotlineMeasure(m) }
	}
	contested := func() bool {
		return slices.ContainsFunc(read(d, func(r *store.Reader) ([]store.HotlineMeasure, error) {
			return r.ContestedHotlineMeasures(100)
		}), func(x store.HotlineMeasure) bool { return x.ID == m.ID })
	}
	d.update(put(m))
	equal(d, "not contested", contested(), false)
	for what, bad := range map[string]func(*store.HotlineMeasure){
		"reviews himself":    func(m *store.HotlineMeasure) { m.Appeal, m.Reviewer = 2, m.Staff },
		"reviewed by nobody": func(m *store.HotlineMeasure) { m.Appeal = 3 },
	} {
		b := m
		bad(&b)
		if err := d.s.Update(d.Context(), ids.Peer(m.Agency), put(b)); err == nil {
			d.Errorf("%s: accepted", what)
		}
	}
	m.Appeal = 1
	d.update(put(m))
	equal(d, "contested", contested(), true)
	m.Appeal, m.Reviewer, m.Until, m.Body = 3, 8, 2, []byte{2}
	owed := func(now int64) bool {
		return slices.ContainsFunc(read(d, func(r *store.Reader) ([]store.HotlineMeasure, error) {
			return r.OwedHotlineMeasures(now, 100)
		}), func(x store.HotlineMeasure) bool { return x.ID == m.ID })
	}
	equal(d, "to be mailed", owed(1<<62), false)
	m.Tell, m.Tries = d.id(9), 2
	d.update(put(m))
	equal(d, "to be mailed", owed(m.Tell), true)
	equal(d, "to be mailed too early", owed(m.Tell-1), false)
	equal(d, "measures", read(d, func(r *store.Reader) ([]store.HotlineMeasure, error) {
		return r.HotlineMeasures(m.Agency)
	}), []store.HotlineMeasure{m})
}

func testInquiries(d *desk) {
	i := store.Inquiry{
		Agency: d.id(1), ID: d.id(2), Title: "t", State: 1, Opened: 3, Due: d.id(4), Lines: 1,
	}
	put := func(tx *store.Tx) error { return tx.PutInquiry(i) }
	get := func(r *store.Reader) (store.Inquiry, error) { return r.Inquiry(i.Agency, i.ID) }
	has := func(list func(*store.Reader) ([]store.Inquiry, error)) bool {
		return slices.Contains(read(d, list), i)
	}
	waiting := func(r *store.Reader) ([]store.Inquiry, error) {
		return r.WaitingInquiries(i.Due, i.ID-1, 100)
	}
	beyond := func(r *store.Reader) ([]store.Inquiry, error) {
		return r.WaitingInquiries(i.Due, i.ID, 100)
	}
	overdue := func(r *store.Reader) ([]store.Inquiry, error) {
		return r.OverdueInquiries(d.id(4), 100)
	}
	absent(d, get)
	d.update(put)
	equal(d, "waits", has(waiting), true)
	equal(d, "waits behind itself", has(beyond), false)
	equal(d, "overdue", has(overdue), true)
	i.Alarmed = 9
	d.update(put)
	equal(d, "overdue and told", has(overdue), false)
	i.State, i.Due, i.Lines = 3, 0, 2
	d.update(put)
	equal(d, "closed", has(waiting), false)
	equal(d, "inquiry", read(d, get), i)
	equal(d, "inquiries", read(d, func(r *store.Reader) ([]store.Inquiry, error) {
		return r.Inquiries(i.Agency, math.MaxInt64, 5)
	}), []store.Inquiry{i})
	l := store.InquiryLine{
		Agency: i.Agency, Inquiry: i.ID, N: 1, At: 5, Officer: 6, Body: []byte{1},
	}
	add := func(l store.InquiryLine) func(*store.Tx) error {
		return func(tx *store.Tx) error { return tx.AddInquiryLine(l) }
	}
	line := func(r *store.Reader) (store.InquiryLine, error) {
		return r.InquiryLine(i.Agency, i.ID, l.N)
	}
	absent(d, line)
	d.update(add(l))
	d.refused(store.ErrConflict, add(l))
	equal(d, "line", read(d, line), l)
	testInquiryAskers(d, i)
	both := l
	both.N, both.Staff = 2, 7
	if err := d.s.Update(d.Context(), ids.Peer(i.Agency), add(both)); err == nil {
		d.Errorf("said by both sides: accepted")
	}
	equal(d, "lines", read(d, func(r *store.Reader) ([]store.InquiryLine, error) {
		return r.InquiryLines(i.Agency, i.ID)
	}), []store.InquiryLine{l})
	testInquiriesEnd(d, i)
}

// testInquiriesEnd: an inquiry is looked at until it is dropped with all that belongs to it.
func testInquiriesEnd(d *desk, i store.Inquiry) {
	look := func(by int64) int {
		return len(read(d, func(r *store.Reader) ([]store.Inquiry, error) {
			return r.InquiriesToLookAt(i.Agency, by, 5)
		}))
	}
	equal(d, "never looked at", look(0), 1)
	d.update(func(tx *store.Tx) error { return tx.PutOffInquiry(i.Agency, i.ID, 9) })
	equal(d, "put off", look(8), 0)
	equal(d, "looked at again", look(9), 1)
	d.update(func(tx *store.Tx) error { return tx.DropInquiry(i.Agency, i.ID) })
	absent(d, func(r *store.Reader) (store.Inquiry, error) { return r.Inquiry(i.Agency, i.ID) })
	absent(d, func(r *store.Reader) (store.InquiryAsker, error) {
		return r.InquiryAsker(i.Agency, i.ID)
	})
	equal(d, "lines", len(read(d, func(r *store.Reader) ([]store.InquiryLine, error) {
		return r.InquiryLines(i.Agency, i.ID)
	})), 0)
}

func testWebhooks(d *desk) {
	h := store.AgencyHook{Agency: d.id(1), Body: []byte{1}}
	get := func(r *store.Reader) (store.AgencyHook, error) { return r.AgencyHook(h.Agency) }
	absent(d, get)
	for _, body := range [][]byte{{1}, {2}} {
		h.Body = body
		d.update(func(tx *store.Tx) error { return tx.PutAgencyHook(h) })
		equal(d, "hook", read(d, get), h)
	}
	c := store.AgencyCall{
		Agency: h.Agency, ID: d.id(2), Due: 5, Created: 4, Body: []byte{3},
	}
	due := func(at int64) (out []store.AgencyCall) {
		for _, x := range read(d, func(r *store.Reader) ([]store.AgencyCall, error) {
			return r.DueAgencyCalls(at, 1000)
		}) {
			if x.Agency == c.Agency {
				out = append(out, x)
			}
		}
		return out
	}
	d.update(func(tx *store.Tx) error { return tx.AddAgencyCall(c) })
	equal(d, "before it is due", len(due(4)), 0)
	equal(d, "due", due(5), []store.AgencyCall{c})
	c.Due, c.Tries = 9, 1
	d.update(func(tx *store.Tx) error { return tx.PutAgencyCall(c) })
	equal(d, "due later", due(9), []store.AgencyCall{c})
	later := c
	later.ID, later.Due, later.Tries = d.id(3), 11, 0
	d.update(func(tx *store.Tx) error { return tx.AddAgencyCall(later) })
	d.update(func(tx *store.Tx) error { return tx.DeferAgencyCalls(c.Agency, 10) })
	c.Due = 10
	equal(d, "all put off", due(11), []store.AgencyCall{c, later})
	d.update(func(tx *store.Tx) error { return tx.ForgetAgencyCall(later.Agency, later.ID) })
	d.update(func(tx *store.Tx) error { return tx.ForgetAgencyCall(c.Agency, c.ID) })
	equal(d, "forgotten", len(due(11)), 0)
	d.update(func(tx *store.Tx) error { return tx.AddAgencyCall(c) })
	d.update(func(tx *store.Tx) error { return tx.ForgetAgencyHook(c.Agency) })
	equal(d, "forgotten with its hook", len(due(11)), 0)
	absent(d, get)
}

func testInquiryAskers(d *desk, i store.Inquiry) {
	once := []byte(strconv.FormatInt(i.ID, 10))
	a := store.InquiryAsker{Agency: i.Agency, Inquiry: i.ID, Once: once, Sealed: []byte{1}}
	put := func(tx *store.Tx) error { return tx.PutInquiryAsker(a) }
	get := func(r *store.Reader) (store.InquiryAsker, error) {
		return r.InquiryAsker(i.Agency, i.ID)
	}
	sent := func(r *store.Reader) (store.InquiryAsker, error) {
		return r.InquiryAskerOnce(i.Agency, once)
	}
	has := func(list func(*store.Reader) ([]store.InquiryAsker, error)) bool {
		return slices.ContainsFunc(read(d, list), func(b store.InquiryAsker) bool {
			return b.Inquiry == i.ID
		})
	}
	ringing := func(by int64) bool {
		return has(func(r *store.Reader) ([]store.InquiryAsker, error) {
			return r.RingingInquiryAskers(by, 100)
		})
	}
	owed := func(by int64) bool {
		return has(func(r *store.Reader) ([]store.InquiryAsker, error) {
			return r.OwedInquiryAskers(by, 100)
		})
	}
	absent(d, get)
	absent(d, sent)
	d.update(put)
	equal(d, "owed nothing", owed(math.MaxInt64) || ringing(math.MaxInt64), false)
	a.Ring, a.Tell, a.Tries = d.id(5), d.id(6), 2
	d.update(put)
	equal(d, "asker", read(d, get), a)
	equal(d, "asker by what he sent", read(d, sent), a)
	equal(d, "rings later", ringing(a.Ring-1), false)
	equal(d, "rings", ringing(a.Ring), true)
	equal(d, "owed later", owed(a.Tell-1), false)
	equal(d, "owed", owed(a.Tell), true)
	b := a
	b.Inquiry++
	d.refused(store.ErrConflict, func(tx *store.Tx) error { return tx.PutInquiryAsker(b) })
	for range 2 { // those from before letters were told apart
		b.Inquiry, b.Once = b.Inquiry+1, nil
		d.update(func(tx *store.Tx) error { return tx.PutInquiryAsker(b) })
	}
}
