package order_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"parley/internal/ids"
	"parley/internal/safety/order"
	"parley/internal/store"
)

// receiptBytes is about how many bytes an order with its receipt adds to the database.
const receiptBytes = 8 << 10

// BenchmarkReceipt is from the paper to the signed receipt on disk. The metric p99-ms is the
// slowest of a hundred, xfloor how many times that of writing as many bytes to a file and syncing
// it, which takes turns with it. The target is 50 ms.
func BenchmarkReceipt(b *testing.B) {
	w := start(b)
	d := w.removal(w.Post("join the fight"))
	file, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	body := make([]byte, receiptBytes)
	var took, least []time.Duration
	b.ReportAllocs()
	for i := range b.N {
		d.Number = fmt.Sprint(i)
		began := time.Now()
		w.submit(sender(w.officer), d)
		took = append(took, time.Since(began))
		b.StopTimer()
		began = time.Now()
		if _, err := file.Write(body); err != nil {
			b.Fatal(err)
		}
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
		least = append(least, time.Since(began))
		b.StartTimer()
	}
	p99 := func(list []time.Duration) float64 {
		slices.Sort(list)
		return float64(list[len(list)*99/100].Microseconds()) / 1000
	}
	b.ReportMetric(p99(took), "p99-ms")
	b.ReportMetric(p99(took)/p99(least), "xfloor")
}

// BenchmarkHour is from the last signature under a removal order until its post is withheld and the
// answer signed.
func BenchmarkHour(b *testing.B) {
	w := start(b)
	b.ReportAllocs()
	for i := range b.N {
		b.StopTimer()
		d := w.removal(w.Post("join the fight"))
		d.Number = fmt.Sprint(i)
		o := w.check(w.submit(sender(w.officer), d).Order)
		b.StartTimer()
		w.approve(o)
		w.ok(w.CarryOut(w.ctx()))
	}
}

// BenchmarkQueue reads what the staff's page of orders shows, a page of the queue over all states and
// the counts, with as many orders open as are counted at most, and with a hundred thousand. The
// metric ratio is how many times longer the second takes.
func BenchmarkQueue(b *testing.B) {
	const counted = 1000
	var few float64
	for _, open := range []int64{counted, 100_000} {
		b.Run(fmt.Sprint(open), func(b *testing.B) {
			w := start(b)
			const batch = 1000
			for from := int64(0); from < open; from += batch {
				w.Update(ids.Peer(w.office.ID), func(tx *store.Tx) error {
					for n := from; n < min(from+batch, open); n++ {
						err := tx.AddOrder(store.Order{
							Agency: w.office.ID, ID: n + 1, Number: fmt.Sprint(n), Digest: "d",
							State: int64(order.Assessed), Due: n * 7919 % 100_003, Next: 1 << 40,
							Body: []byte("{}"),
						})
						if err != nil {
							return err
						}
					}
					return nil
				})
			}
			for b.Loop() {
				w.View(func(r *store.Reader) error {
					list, err := w.Open(r, order.Wanted{}, order.Place{}, 100)
					if len(list) != 100 {
						b.Fatalf("%d orders: %v", len(list), err)
					}
					if err == nil {
						_, err = order.Counts(r, w.now(), counted)
					}
					return err
				})
			}
			each := float64(b.Elapsed()) / float64(b.N)
			if few == 0 {
				few = each
			}
			b.ReportMetric(each/few, "ratio")
		})
	}
}
