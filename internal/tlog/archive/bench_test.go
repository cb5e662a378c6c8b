package archive

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"parley/internal/tlog/entry"
)

// filledBundles is a log of some size, whose second entry is the only one of its
// territory.
func filledBundles(b *testing.B, size int) *bundles {
	log := new(bundles)
	for i := range size {
		e := decision(i % 8000)
		if i == 1 {
			e.Territory = []string{"IS"}
		}
		log.add(b, e)
	}
	return log
}

// BenchmarkStart reads a whole log, as a server does when it starts; and finds, in a log that was
// read, the newest page of what is common, and the single entry of a territory at its beginning.
func BenchmarkStart(b *testing.B) {
	for _, size := range []int{10_000, 100_000, 1_000_000} {
		log := filledBundles(b, size)
		b.Run(fmt.Sprintf("entries=%d", size), func(b *testing.B) {
			var before, after runtime.MemStats
			var a *Archive
			runtime.GC()
			runtime.ReadMemStats(&before)
			for b.Loop() {
				a = New("log", log)
				if err := a.Follow(context.Background(), int64(size)); err != nil {
					b.Fatal(err)
				}
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(b.N)*float64(size)/b.Elapsed().Seconds(), "entries/s")
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(size), "bytes-kept/entry")
			runtime.KeepAlive(a)
		})
		for name, q := range map[string]Query{
			"common": {Kind: entry.Decision, Limit: 50}, "rare": {Country: "IS", Limit: 50},
		} {
			b.Run(fmt.Sprintf("entries=%d/search=%s", size, name), func(b *testing.B) {
				a := New("log", log)
				if err := a.Follow(context.Background(), int64(size)); err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					if _, err := a.Search(context.Background(), q); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
