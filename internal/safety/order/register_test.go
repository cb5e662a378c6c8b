package order_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/internal/chat/search/terms"
	"parley/internal/ids"
	"parley/internal/safety/order"
	"parley/internal/store"
)

// register is the register of refusals, by number and class.
func (w *world) register() (out []string) {
	w.Helper()
	w.View(func(r *store.Reader) error {
		list, err := order.Refusals(r, store.RefusalFilter{At: 1 << 60}, "", 10)
		out = nil
		for _, x := range list {
			out = append(out, x.Number+" "+x.Class)
		}
		slices.Sort(out)
		return err
	})
	return out
}

// TestPartlyRefused: an order of which something was declined is in the register, with the reason
// of that. What is not here was not refused.
func TestPartlyRefused(t *testing.T) {
	w := start(t)
	d := w.removal(w.Post("one"))
	d.Number = "P 1"
	d.Items = append(d.Items, order.Target{URL: "https://t.me/the_news"})
	o := w.approve(w.check(w.submit(sender(w.officer), d).Order))
	w.ok(w.CarryOut(w.ctx()))
	if o = w.order(o.Agency, o.ID); o.State != order.Answered {
		t.Fatal(o.State)
	}
	effect := func(o order.Order) (out string) {
		for _, l := range w.lines(o) {
			if l.Kind == "effect" {
				out = l.Outcome + " " + l.Reason
			}
		}
		return out
	}
	if got := effect(o); got != "partial over-broad" {
		t.Errorf("in the public log: %q", got)
	}
	d = w.removal(w.Post("two"))
	d.Number = "P 2"
	d.Items = append(d.Items, order.Target{URL: "https://t.me/the_news/99"})
	o = w.approve(w.check(w.submit(sender(w.officer), d).Order))
	w.ok(w.CarryOut(w.ctx()))
	if got := effect(o); got != "partial " {
		t.Errorf("in the public log: %q", got)
	}
	if got := w.register(); !slices.Equal(got, []string{"P 1 over-broad"}) {
		t.Errorf("%v", got)
	}
}

// TestRefusedBeforeTheRegister: what was refused before there was a register is entered when the
// service starts, with the time of the refusal, and once however often that is done.
func TestRefusedBeforeTheRegister(t *testing.T) {
	w := start(t)
	d := w.removal(w.Post("one"))
	d.Number = "B 1"
	o := w.submit(sender(w.officer), d).Order
	closed := w.now()
	w.Update(ids.Peer(o.Agency), func(tx *store.Tx) error {
		x, err := tx.Order(o.Agency, o.ID)
		if err != nil {
			return err
		}
		var body map[string]any
		if err := json.Unmarshal(x.Body, &body); err != nil {
			return err
		}
		body["refused"] = "policy"
		x.State, x.Closed, x.Next = int64(order.Refused), closed, 0
		if x.Body, err = json.Marshal(body); err != nil {
			return err
		}
		return tx.ChangeOrder(x)
	})
	w.World.Clock.Advance(time.Hour)
	for range 2 {
		again := &order.Service{
			Store: w.Service.Store, Clock: w.World.Clock, References: w.World.References,
		}
		w.ok(again.EnterRefused(w.ctx()))
		if got := w.register(); !slices.Equal(got, []string{"B 1 policy"}) {
			t.Errorf("%v", got)
		}
	}
	w.View(func(r *store.Reader) error {
		list, err := order.Refusals(r, store.RefusalFilter{At: 1 << 60}, "", 10)
		if len(list) != 1 || list[0].At != closed {
			t.Errorf("%+v", list)
		}
		return err
	})
}

// registered is how many lines the register of the benchmark has.
const registered = 100_000

// BenchmarkRegister searches a register of many lines for a word that stands in few of them, and
// for one that stands in none. The metric xpage is how many times that takes of the page without a
// word, which takes turns with it.
func BenchmarkRegister(b *testing.B) {
	w := start(b)
	for n := 0; n < registered; n += 1000 {
		w.Update(ids.Peer(w.office.ID), func(tx *store.Tx) error {
			for k := n; k < n+1000; k++ {
				words := fmt.Sprintf("order %d of the federal office: not covered by any rule", k)
				if k%10_000 == 0 {
					words += " lighthouse"
				}
				err := tx.AddOrderRefusal(store.OrderRefusal{
					Agency: w.office.ID, Order: int64(k + 1), At: int64(k), Class: "not-covered",
					Country: "DE", Instrument: "order", Number: fmt.Sprint(k),
					Authority: "Federal Office", Words: words,
				}, terms.Index(words))
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	read := func(words string) (took time.Duration) {
		began := time.Now()
		w.View(func(r *store.Reader) error {
			_, err := order.Refusals(r, store.RefusalFilter{At: 1 << 60}, words, 50)
			return err
		})
		return time.Since(began)
	}
	for name, words := range map[string]string{
		"few": "lighthouse", "none": "submarine", "beside": "order lighthouse", "all": "federal",
	} {
		b.Run(name, func(b *testing.B) {
			var page, search time.Duration
			for range b.N {
				page += read("")
				search += read(words)
			}
			b.ReportMetric(float64(search)/float64(page), "xpage")
			b.ReportMetric(float64(search.Microseconds())/float64(b.N)/1000, "search-ms")
		})
	}
}
