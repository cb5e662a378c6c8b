package order_test

import (
	"slices"
	"testing"

	"parley/internal/safety"
	"parley/internal/safety/order"
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
