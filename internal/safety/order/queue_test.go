package order_test

import (
	"slices"
	"testing"

	"parley/internal/ids"
	"parley/internal/safety/order"
	"parley/internal/store"
)

// TestOpen reads the queue over all states, by state, by agency and by clock, page by page.
func TestOpen(t *testing.T) {
	w := start(t)
	add := func(of, id, due int64, s order.State) {
		w.Update(ids.Peer(of), func(tx *store.Tx) error {
			return tx.AddOrder(store.Order{
				Agency: of, ID: id, Number: decimal(id), Digest: "d", State: int64(s), Due: due,
				Body: []byte("{}"),
			})
		})
	}
	now := w.now()
	add(w.office.ID, 1, now+500, order.Received)
	add(w.office.ID, 2, now-100, order.Assessed)
	add(w.bureau.ID, 3, now+200, order.Held)
	add(w.bureau.ID, 4, 0, order.Incomplete)
	add(w.office.ID, 5, 0, order.Received)
	for name, c := range map[string]struct {
		f    order.Wanted
		want []int64
	}{
		"all":               {order.Wanted{}, []int64{2, 3, 1}},
		"still":             {order.Wanted{Still: true}, []int64{4, 5}},
		"received":          {order.Wanted{State: order.Received}, []int64{1}},
		"received, still":   {order.Wanted{State: order.Received, Still: true}, []int64{5}},
		"of an agency":      {order.Wanted{Agency: w.office.ID}, []int64{2, 1}},
		"of another, held":  {order.Wanted{Agency: w.bureau.ID, State: order.Held}, []int64{3}},
		"of an office, own": {order.Wanted{Agency: w.office.ID, Still: true}, []int64{5}},
	} {
		for _, page := range []int{1, 2, 10} {
			var got []int64
			var at order.Place
			for {
				var list []order.Order
				w.View(func(r *store.Reader) (err error) {
					list, err = w.Open(r, c.f, at, page)
					return err
				})
				for _, o := range list {
					got, at = append(got, o.ID), order.Place{Due: o.Due, ID: o.ID}
				}
				if len(list) < page {
					break
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s by %d: %v, want %v", name, page, got, c.want)
			}
		}
	}
	var counts []order.Count
	w.View(func(r *store.Reader) (err error) {
		counts, err = order.Counts(r, now, 100)
		return err
	})
	want := []order.Count{
		{State: order.Received, Open: 2, Soon: 1, Still: 1}, {State: order.Incomplete, Open: 1, Still: 1},
		{State: order.Held, Open: 1, Soon: 1}, {State: order.Assessed, Open: 1, Late: 1},
		{State: order.Approved}, {State: order.Ending},
	}
	if !slices.Equal(counts, want) {
		t.Errorf("counts\n got %+v\nwant %+v", counts, want)
	}
}

// TestRegisterOfRefusals has a line for each order that was refused, whoever sent it.
func TestRegisterOfRefusals(t *testing.T) {
	w := start(t)
	d := w.removal(w.Post("one"))
	d.Action, d.Number = "keys", "K 1"
	kept := w.submit(sender(w.officer), d).Order
	d.Number = "U 2"
	w.submit(order.Sender{}, d)
	d.Number, d.Action = "U 3", "withhold"
	w.waiting = append(w.waiting, w.submit(order.Sender{}, d).Order)
	d = w.removal(w.Post("two"))
	d.Number = "S 3"
	staffed := w.submit(sender(w.officer), d).Order
	_, err := w.Refuse(w.ctx(), anna, staffed.Agency, staffed.ID, "not-illegal",
		"The post QUOTES the text in a report.")
	w.ok(err)
	read := func(f store.RefusalFilter, words string) (out []string) {
		if f.At == 0 {
			f.At = 1 << 60
		}
		w.View(func(r *store.Reader) error {
			list, err := order.Refusals(r, f, words, 10)
			out = nil
			for _, x := range list {
				out = append(out, x.Number+" "+x.Class)
			}
			return err
		})
		slices.Sort(out)
		return out
	}
	for name, c := range map[string]struct {
		f     store.RefusalFilter
		words string
		want  []string
	}{
		"all": {store.RefusalFilter{}, "", []string{
			"K 1 no-handler", "S 3 not-illegal", "U 2 no-handler",
		}},
		"by class": {store.RefusalFilter{Class: "no-handler"}, "", []string{
			"K 1 no-handler", "U 2 no-handler",
		}},
		"by country":   {store.RefusalFilter{Country: "FR"}, "", nil},
		"by words":     {store.RefusalFilter{}, "quotes  the TEXT", []string{"S 3 not-illegal"}},
		"by reference": {store.RefusalFilter{}, kept.Reference, []string{"K 1 no-handler"}},
		"by words and class": {
			store.RefusalFilter{Class: "no-handler"}, "quotes", nil,
		},
		"by words of two lines": {store.RefusalFilter{}, "quotes " + kept.Reference, nil},
		"by no word":            {store.RefusalFilter{}, " % ", nil},
	} {
		if got := read(c.f, c.words); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
