package order_test

import (
	"errors"
	"slices"
	"testing"

	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/tlog/paper"
)

// TestUnknownSenderIsAttached: a court that nobody knew wrote by mail. Its order waits with its
// clock standing, wakes nobody, and when the court has been let in goes the way of any other: an
// officer's key, a call.
func TestUnknownSenderIsAttached(t *testing.T) {
	w := start(t)
	post := w.Post("join the fight")
	d := w.removal(post)
	d.Number, d.Authority = "U 1", "New Office"
	o := w.submit(order.Sender{}, d).Order
	w.nobody(t, o, post)
	if len(w.alarms) != 0 {
		t.Errorf("a mail woke somebody: %q", w.alarms)
	}
	w.View(func(r *store.Reader) error {
		list, err := w.Open(r, order.Wanted{Unknown: true, Still: true}, order.Place{}, 10)
		if len(list) != 1 || list[0].ID != o.ID {
			t.Errorf("staff see %+v", list)
		}
		return err
	})
	if _, err := w.Attach(w.ctx(), anna, o.ID, w.office.ID+1, "asked"); !errors.Is(err,
		order.ErrStanding) {
		t.Errorf("put to nobody: %v", err)
	}
	fresh := w.onboard("New Office", "DE", agency.TerroristContent)
	got, err := w.Attach(w.ctx(), anna, o.ID, fresh.ID, "It was called, and confirmed it.")
	w.ok(err)
	if got.Agency != fresh.ID || got.State != order.Received || !got.Mail ||
		!slices.Contains(got.Verdict.Unverified, policy.CallBack) ||
		got.Due != w.now()+3600 {
		t.Errorf("put to its agency: %v, %v, due in %d s", got.State, got.Verdict.Unverified,
			got.Due-w.now())
	}
	o = w.order(0, o.ID)
	papers := w.papers(o)
	if last := papers[len(papers)-1]; o.State != order.Attached || o.To != got.Reference ||
		last.Kind != paper.Moved {
		t.Errorf("the first one: %v %s %+v", o.State, o.To, last)
	}
	if _, err := w.Attach(w.ctx(), anna, o.ID, fresh.ID, "again"); !errors.Is(err,
		order.ErrState) {
		t.Errorf("put twice: %v", err)
	}
	got, err = w.Vouch(w.ctx(), sender(w.enrol(fresh.ID, "Clerk", agency.Member)), got.ID)
	w.ok(err)
	if got.State != order.Received || w.withheld(post, "DE") {
		t.Errorf("vouched for, and not called yet: %v", got.State)
	}
	got, err = w.CallBack(w.ctx(), anna, got.Agency, got.ID, order.Call{
		Number: "+49 30 5559 999", Spoke: "B, desk", Confirmed: true,
	})
	w.ok(err)
	w.approve(w.check(got))
	w.ok(w.CarryOut(w.ctx()))
	if !w.withheld(post, "DE") || len(w.lines(got)) != 2 {
		t.Errorf("carried out: %v, %+v", w.withheld(post, "DE"), w.lines(got))
	}
}

// TestManyMailsFillNoLog: what nobody gets is refused at once to nobody known as well, but no more
// than so many a day have lines of their own.
func TestManyMailsFillNoLog(t *testing.T) {
	w := start(t)
	post := w.Post("anything")
	refused := 0
	for n := range 150 {
		d := w.removal(post)
		d.Number, d.Action, d.Instrument = "F "+decimal(int64(n)+1), policy.Keys, instrument.Order
		o := w.submit(order.Sender{}, d).Order
		if o.State == order.Refused {
			refused++
			continue
		}
		w.nobody(t, o, post)
	}
	if refused != 99 && refused != 100 {
		t.Errorf("%d were refused one by one", refused)
	}
	w.lapsed(t)
}
