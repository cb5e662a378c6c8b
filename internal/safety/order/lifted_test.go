package order_test

import (
	"slices"
	"testing"
	"time"

	"parley/internal/safety"
	"parley/internal/safety/decide"
	"parley/internal/safety/order"
	"parley/internal/store"
	"parley/internal/tlog/paper"
)

// TestLiftedIsTold lifts the measure about one of two items, as a complaint does: the authority
// gets a signed paper that says so, once, and the rest stands.
func TestLiftedIsTold(t *testing.T) {
	w := start(t)
	one, two := w.Post("one"), w.Post("two")
	o := w.approve(w.check(w.submit(sender(w.officer), w.removal(one, two)).Order))
	w.ok(w.CarryOut(w.ctx()))
	items := w.items(o)
	_, err := w.World.Decisions.Lift(w.ctx(), one.Peer, items[0].Decision,
		safety.Actor{Staff: clara}, "It is a news report.")
	w.ok(err)
	w.Deliver()
	w.Deliver()
	o = w.order(o.Agency, o.ID)
	papers := w.papers(o)
	want := []paper.Kind{paper.Receipt, paper.Effect, paper.Restored}
	if got := kinds(papers); !slices.Equal(got, want) {
		t.Fatalf("papers: %v, want %v", got, want)
	}
	last := papers[2]
	if last.Text != "It is a news report." || last.Items[0].State != "restored" ||
		last.Items[1].State != "done" {
		t.Errorf("%+v", last)
	}
	if o.State != order.Answered || w.withheld(one, "DE") || !w.withheld(two, "DE") {
		t.Errorf("%v", o.State)
	}
	_, err = w.Annul(w.ctx(), boris, o.Agency, o.ID, "annulled")
	w.ok(err)
	w.Deliver()
	if got := kinds(w.papers(o)); len(got) != 4 {
		t.Errorf("papers after the annulment: %v", got)
	}
}

// TestPartlyReversedIsTold: when a complaint has a milder measure take the place of one that was
// ordered, the authority gets a signed paper with what holds now, and is told of that one's end.
func TestPartlyReversedIsTold(t *testing.T) {
	w := start(t)
	one, two := w.Post("one"), w.Post("two")
	o := w.approve(w.check(w.submit(sender(w.officer), w.removal(one, two)).Order))
	w.ok(w.CarryOut(w.ctx()))
	item := w.items(o)[0]
	milder := w.replaced(item, "A note is enough.")
	w.Deliver()
	w.Deliver()
	papers := w.papers(o)
	want := []paper.Kind{paper.Receipt, paper.Effect, paper.Effect}
	if got := kinds(papers); !slices.Equal(got, want) {
		t.Fatalf("papers: %v, want %v", got, want)
	}
	if last := papers[2]; last.Given != "partly" || last.Text != "A note is enough." ||
		last.Items[0].Measure != "label" || last.Items[0].State != "done" ||
		last.Items[1].Measure != "disable" {
		t.Errorf("%+v", last)
	}
	if now := w.items(o)[0]; now.Decision != milder.ID || now.State != order.Done {
		t.Errorf("the item is %+v", now)
	}
	_, err := w.World.Decisions.Lift(w.ctx(), one.Peer, milder.ID, safety.Actor{Staff: clara},
		"Not even that.")
	w.ok(err)
	w.Deliver()
	if last := w.papers(o)[3]; last.Kind != paper.Restored || last.Items[0].State != "restored" {
		t.Errorf("%+v", last)
	}
}

// TestAnnulledAfterReplacement: what took the place of an order's measure goes with the order, also
// before the authority was told of it.
func TestAnnulledAfterReplacement(t *testing.T) {
	w := start(t)
	post := w.Post("one")
	o := w.approve(w.check(w.submit(sender(w.officer), w.removal(post)).Order))
	w.ok(w.CarryOut(w.ctx()))
	milder := w.replaced(w.items(o)[0], "A note is enough.")
	_, err := w.Annul(w.ctx(), boris, o.Agency, o.ID, "annulled")
	w.ok(err)
	if d := w.World.Decision(post.Peer, milder.ID); d.State != decide.Lifted {
		t.Errorf("what took its place is %v", d.State)
	}
}

// replaced has a complaint put a label in the place of what was done to an item.
func (w *world) replaced(i order.Item, why string) (out decide.Decision) {
	w.Helper()
	w.World.Clock.Advance(time.Hour)
	old := w.World.Decision(i.Subject.Peer, i.Decision)
	draft := old.Draft
	draft.Measures = []safety.MeasureSpec{{Measure: safety.Label, Detail: "disputed"}}
	draft.Facts, draft.Explanation = "It is disputed.", why
	draft.By = safety.Actor{Staff: clara}
	w.Update(i.Subject.Peer, func(tx *store.Tx) (err error) {
		out, err = w.World.Decisions.Replace(tx, old, draft, old.ID+1, w.now())
		return err
	})
	return out
}
