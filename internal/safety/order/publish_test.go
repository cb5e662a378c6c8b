package order_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"parley/internal/ids"
	"parley/internal/safety/order"
	"parley/internal/safety/orderform"
	"parley/internal/store"
	"parley/internal/tlog/entry"
)

// text is what becomes of an order's text; its state is 0 for one that is not to be published.
func (w *world) text(o order.Order) (t order.Text) {
	w.Helper()
	w.View(func(r *store.Reader) (err error) {
		t, err = order.TextOf(r, o.Agency, o.ID)
		if store.IsNotFound(err) {
			err = nil
		}
		return err
	})
	return t
}

// awaited are the texts that wait for a person now.
func (w *world) awaited() (list []order.Text) {
	w.Helper()
	w.View(func(r *store.Reader) (err error) {
		list, err = order.Texts(r, order.TextAwaited, w.now(), order.Place{}, 10)
		return err
	})
	return list
}

// TestTextIsPublished has a person take out of an order what identifies people, and the text
// published with the lines of the log about the order.
func TestTextIsPublished(t *testing.T) {
	w := start(t)
	d := w.removal(w.Post("join the fight"))
	d.Reasons = "The post by @some_body (+49 30 5559 123) incites others."
	o := w.approve(w.check(w.submit(sender(w.officer), d).Order))
	if got := w.awaited(); len(got) != 0 || w.text(o).State != 0 {
		t.Errorf("an open order's text waits: %+v", got)
	}
	w.ok(w.CarryOut(w.ctx()))
	o = w.order(o.Agency, o.ID)
	if got := w.awaited(); len(got) != 1 || got[0].Order != o.ID {
		t.Fatalf("waiting are %+v", got)
	}
	draft := o.Redacted()
	for _, gone := range []string{"some_body", "5559", d.Number, "t.me"} {
		if strings.Contains(draft, gone) {
			t.Errorf("%q is in the draft: %s", gone, draft)
		}
	}
	for _, kept := range []string{"Federal Office (DE)", "2021/784", "incites others"} {
		if !strings.Contains(draft, kept) {
			t.Errorf("%q is not in the draft: %s", kept, draft)
		}
	}
	for text, want := range map[string]error{
		" \n": order.ErrReason, "Call +49 30 5559 123.": orderform.ErrText,
	} {
		if _, err := w.PublishText(w.ctx(), clara, o.Agency, o.ID, text); !errors.Is(err, want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	_, err := w.PublishText(w.ctx(), clara, o.Agency, o.ID, "One.\r\nTwo.")
	w.ok(err)
	if x := w.text(o); x.State != order.TextApproved || x.Body != "One.\nTwo." || x.Staff != clara {
		t.Errorf("%+v", x)
	}
	for range 2 {
		w.ok(w.TextIsOut(w.ctx(), o.Agency, o.ID))
	}
	if x := w.text(o); x.State != order.TextPublished {
		t.Errorf("%+v", x)
	}
	if _, err = w.PublishText(w.ctx(), clara, o.Agency, o.ID, "Again."); !errors.Is(err,
		order.ErrState) {
		t.Errorf("a published text is changed: %v", err)
	}
	w.View(func(r *store.Reader) error {
		list, err := order.Lines(r, o.Agency, o.ID)
		if len(list) != 2 || list[0].Kind != entry.Order || list[1].Kind != entry.Effect {
			t.Errorf("lines %+v", list)
		}
		return err
	})
}

// TestTextWaitsForTheBar: as long as whom an order concerns may not be told, its text is published
// by nobody, also when another order has made that time longer.
func TestTextWaitsForTheBar(t *testing.T) {
	w := start(t)
	d := w.removal(w.Post("join the fight"))
	d.Bar = &order.Bar{Basis: "Art. 11(3)", Until: w.now() + 7*86400}
	o := w.approve(w.check(w.submit(sender(w.officer), d).Order))
	w.ok(w.CarryOut(w.ctx()))
	if got := w.awaited(); len(got) != 0 {
		t.Errorf("it waits for a person already: %+v", got)
	}
	if _, err := w.PublishText(w.ctx(), clara, o.Agency, o.ID, "One."); !errors.Is(err,
		order.ErrUntold) {
		t.Errorf("published while the bar holds: %v", err)
	}
	if x := w.text(o); x.State != order.TextAwaited || x.Due != d.Bar.Until {
		t.Errorf("%+v", x)
	}
	w.World.Clock.Advance(8 * 24 * time.Hour)
	if got := w.awaited(); len(got) != 1 {
		t.Fatalf("waiting are %+v", got)
	}
	_, err := w.KeepTextBack(w.ctx(), clara, o.Agency, o.ID, "It would lead to the person.")
	w.ok(err)
	if got := w.awaited(); len(got) != 0 {
		t.Errorf("kept back, and waiting: %+v", got)
	}
	_, err = w.PublishText(w.ctx(), boris, o.Agency, o.ID, "One.")
	w.ok(err)
}

// TestForgedTextIsNotPublished: what an agency says it never ordered is not published in its name,
// nor is what nobody known sent.
func TestForgedTextIsNotPublished(t *testing.T) {
	w := start(t)
	o := w.submit(sender(w.officer), w.removal(w.Post("join the fight"))).Order
	o, err := w.CallBack(w.ctx(), anna, o.Agency, o.ID, order.Call{
		Number: "+49 30 5559 999", Spoke: "B, desk",
	})
	w.ok(err)
	if x := w.text(o); o.State != order.Refused || x.State != 0 {
		t.Errorf("%s: %+v", o.State, x)
	}
	// It waited before the agency was asked.
	w.Update(ids.Peer(o.Agency), func(tx *store.Tx) error {
		return tx.PutOrderPublication(store.OrderPublication{
			Agency: o.Agency, Order: o.ID, State: int64(order.TextKeptBack),
		})
	})
	if _, err := w.PublishText(w.ctx(), clara, o.Agency, o.ID, "One."); !errors.Is(err,
		order.ErrState) {
		t.Errorf("published though it was denied: %v", err)
	}
	o = w.submit(order.Sender{}, w.removal(w.Post("two"))).Order
	if o.Agency != 0 || w.text(o).State != 0 {
		t.Errorf("from nobody: %+v", w.text(o))
	}
}

// TestTextWaitsForReview: what a sender ordered who was suspended since is not published in his
// agency's name before somebody has looked at it.
func TestTextWaitsForReview(t *testing.T) {
	w := start(t)
	w.halting()
	o := w.approve(w.check(w.submit(sender(w.officer), w.removal(w.Post("one"))).Order))
	w.ok(w.CarryOut(w.ctx()))
	w.ok(w.Agencies.SuspendOfficer(w.ctx(), anna, o.Agency, o.Officer, "key stolen"))
	if _, err := w.PublishText(w.ctx(), clara, o.Agency, o.ID, "One."); !errors.Is(err,
		order.ErrState) {
		t.Errorf("published before it was looked at: %v", err)
	}
	_, err := w.Reviewed(w.ctx(), boris, o.Agency, o.ID, "The agency stands by it.")
	w.ok(err)
	_, err = w.Service.Decide(w.ctx(), boris, o.Agency, o.ID, false, "It incites.")
	w.ok(err)
	_, err = w.PublishText(w.ctx(), clara, o.Agency, o.ID, "One.")
	w.ok(err)
}
