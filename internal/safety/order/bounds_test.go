package order_test

import (
	"slices"
	"strings"
	"testing"

	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/store"
)

// TestLongListsAreBounded: whoever writes a list longer than anybody means is told so, and neither
// its checks nor policy nor the plan, in which it would stand once for each item, go through all of
// it: a mail of a stranger could stop the service with that.
func TestLongListsAreBounded(t *testing.T) {
	w := start(t)
	d := w.removal(w.Post("one"), w.Post("two"))
	for range 5000 {
		d.Territory = append(d.Territory, "DE")
		d.Basis = append(d.Basis, d.Basis[0])
		d.Data = append(d.Data, policy.Subscriber)
		d.Keywords = append(d.Keywords, d.Keywords[0])
		d.Directives = append(d.Directives, order.Terrorism)
	}
	d.Territory = append(d.Territory, "FR")
	o := w.submit(order.Sender{}, d).Order
	for _, field := range []string{
		"territorial scope", "legal basis", "data sought", "category",
		"directive that lists the offence",
	} {
		if !slices.ContainsFunc(o.Problems, func(p order.Problem) bool {
			return p.Field == field && p.What == "too many"
		}) {
			t.Errorf("%s: not named as too long", field)
		}
	}
	q, known, err := w.RequestOf(w.ctx(), o.Agency, o.ID)
	w.ok(err)
	if n := len(q.Asked.Territory); !known || n > 300 || len(q.Asked.Data) != 1 {
		t.Errorf("policy is asked about %d countries and %d classes", n, len(q.Asked.Data))
	}
	for _, step := range w.plan(o).Steps {
		if step.Measure != nil && len(step.Measure.Territory) > 300 {
			t.Errorf("a step has %d countries", len(step.Measure.Territory))
		}
	}
}

// TestPapersAreBounded: no order has more papers than may come with one.
func TestPapersAreBounded(t *testing.T) {
	w := start(t)
	d := w.removal(w.Post("one"))
	for n := range 50 {
		d.Attached = append(d.Attached, order.Attachment{
			Name: "a", Mime: "text/plain", Size: 1,
			Digest: strings.Repeat("0", 62) + decimal(int64(n)+10),
		})
	}
	o := w.submit(sender(w.officer), d).Order
	var kept int
	w.View(func(r *store.Reader) error {
		list, err := r.OrderDocuments(o.Agency, o.ID)
		kept = len(list)
		return err
	})
	if kept != order.MaxPapers {
		t.Errorf("%d papers are noted", kept)
	}
}
