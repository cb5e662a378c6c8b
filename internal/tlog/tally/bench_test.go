package tally_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"parley/internal/tlog/entry"
	"parley/internal/tlog/tally"
	"parley/internal/tlog/verify"
)

// bundles serves the entries of a log that is made up as it is read: a year of decisions.
type bundles struct {
	size int64
	// one is a bundle of each day of the year.
	days [][]byte
}

func newBundles(t testing.TB, size int64) *bundles {
	t.Helper()
	b := &bundles{size: size}
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	categories := []string{
		"STATEMENT_CATEGORY_SCAMS_AND_FRAUD", "STATEMENT_CATEGORY_VIOLENCE",
		"STATEMENT_CATEGORY_PROTECTION_OF_MINORS", "STATEMENT_CATEGORY_OTHER_VIOLATION_TC",
	}
	for day := range 365 {
		var list []byte
		for i := range 256 {
			line, err := entry.Entry{
				V: entry.Version, Kind: entry.Decision, ID: fmt.Sprintf("%032x", i),
				Day: entry.Day(first.AddDate(0, 0, day)), Subject: "message",
				Measures: []string{"DECISION_VISIBILITY_CONTENT_REMOVED"},
				Ground:   "DECISION_GROUND_INCOMPATIBLE_CONTENT",
				Category: categories[i%len(categories)], Source: "SOURCE_VOLUNTARY",
				Detected: true, Decided: tally.Fully, Content: []string{"CONTENT_TYPE_TEXT"},
				Lang: "EN", Items: 1, Accounts: 1, Told: 1, Minutes: int64(i * 7 % 600),
				Commitment: strings.Repeat("0123456789abcdef", 4),
			}.Encode()
			if err != nil {
				t.Fatal(err)
			}
			list = binary.BigEndian.AppendUint16(list, uint16(len(line)))
			list = append(list, line...)
		}
		b.days = append(b.days, list)
	}
	return b
}

// Get makes a bundle of 256 entries up; sizes that are asked for are multiples of it.
func (b *bundles) Get(_ context.Context, path string, _ int64) ([]byte, error) {
	digits, ok := strings.CutPrefix(path, "tile/entries/")
	if !ok {
		return nil, verify.ErrMissing
	}
	n := int64(0)
	for _, r := range digits {
		if r >= '0' && r <= '9' {
			n = 10*n + int64(r-'0')
		}
	}
	return b.days[n*256*365/b.size%365], nil
}

// BenchmarkYear counts a year of a log, anew and with what was kept of it, for growing sizes: a
// hundredth of a hundred million entries is the last. The kept part is what a report takes that is
// made while the server keeps counts.
func BenchmarkYear(b *testing.B) {
	year := tally.Span{From: "2026-01-01", To: "2026-12-31"}
	for _, size := range []int64{1 << 16, 1 << 18, 1 << 20} {
		src := newBundles(b, size)
		for _, kept := range []bool{false, true} {
			b.Run(fmt.Sprintf("entries=%d/kept=%t", size, kept), func(b *testing.B) {
				c := tally.Counter{Source: src}
				if kept {
					c.Dir = b.TempDir()
					if _, err := c.Count(b.Context(), size, year); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportAllocs()
				var before, after runtime.MemStats
				for b.Loop() {
					t, err := c.Count(b.Context(), size, year)
					if err != nil {
						b.Fatal(err)
					}
					runtime.ReadMemStats(&after)
					before.HeapInuse = max(before.HeapInuse, after.HeapInuse)
					if n := t.Languages["EN"].Count; n != size {
						b.Fatalf("counted %d of %d", n, size)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(size), "ns/entry")
				b.ReportMetric(float64(before.HeapInuse)/(1<<20), "MB-heap")
			})
		}
	}
}
