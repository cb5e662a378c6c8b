package archive

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"parley/internal/tlog/entry"
	"parley/internal/tlog/report"
	"parley/internal/tlog/verify"
)

// bundles are a log's bundles in memory, and how many of them were read.
type bundles struct {
	entries [][]byte
	read    int
}

// Get makes a bundle from its path.
func (b *bundles) Get(_ context.Context, path string, _ int64) (out []byte, err error) {
	var n, w int
	at, partial, _ := strings.Cut(strings.TrimPrefix(path, "tile/entries/"), ".p/")
	if _, err := fmt.Sscan(strings.ReplaceAll(strings.TrimLeft(at, "x0"), "/", ""), &n); err != nil {
		n = 0
	}
	if w = width; partial != "" {
		if _, err := fmt.Sscan(partial, &w); err != nil {
			return nil, err
		}
	}
	if n*width+w > len(b.entries) {
		return nil, verify.ErrMissing
	}
	b.read++
	for _, raw := range b.entries[n*width : n*width+w] {
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(raw))), raw...)
	}
	return out, nil
}

// add appends an entry.
func (b *bundles) add(t interface{ Fatal(...any) }, e entry.Entry) {
	e.V = entry.Version
	var id [16]byte
	binary.BigEndian.PutUint64(id[:], uint64(len(b.entries)))
	e.ID, e.Commitment = hex.EncodeToString(id[:]), strings.Repeat("0", 64)
	raw, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	b.entries = append(b.entries, raw)
}

func decision(i int) entry.Entry {
	e := entry.Entry{
		Kind: entry.Decision, Day: fmt.Sprintf("2026-11-%02d", 1+i/300),
		Category: fmt.Sprint("C", i%3), Measures: []string{fmt.Sprint("M", i%2)},
		Decided: "AUTOMATED_DECISION_NOT_AUTOMATED", Territory: []string{"FR"}, Items: 1,
	}
	if i%7 == 0 {
		e.Decided = fully
	}
	return e
}

// TestSearchIsAFilter: paging through a search of random entries finds those that match, each once
// and in order, while the log grows in steps.
func TestSearchIsAFilter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &bundles{}
		a := New("chat.example/log", b)
		for range rapid.IntRange(1, 4).Draw(t, "steps") {
			for range rapid.IntRange(0, 400).Draw(t, "entries") {
				b.add(t, decision(len(b.entries)))
			}
			if err := a.Follow(context.Background(), int64(len(b.entries))); err != nil {
				t.Fatal(err)
			}
		}
		word := func(label string, of ...string) string {
			return rapid.SampledFrom(append(of, "")).Draw(t, label)
		}
		q := Query{
			Category: word("category", "C0", "C1", "C9"), Measure: word("measure", "M0", "M1"),
			Country: word("country", "FR", "DE"), From: word("from", "2026-11-02", "2026-11-09"),
			To: word("to", "2026-11-01", "2026-11-03"), Limit: rapid.IntRange(1, 90).Draw(t, "limit"),
			Automated: rapid.Bool().Draw(t, "automated"), People: rapid.Bool().Draw(t, "people"),
		}
		var want, got []int64
		for i := len(b.entries) - 1; i >= 0; i-- {
			if q.matches(decision(i)) {
				want = append(want, int64(i))
			}
		}
		for {
			r, err := a.Search(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range r.Hits {
				got = append(got, h.Index)
			}
			if q.Below = r.Next; r.Next == 0 {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("found %v, not %v", got, want)
		}
	})
}

// TestSearchIsBounded: what is rare is found without reading the rest, and what no single entry
// matches is looked for in a bounded part of the log at a time.
func TestSearchIsBounded(t *testing.T) {
	b := &bundles{}
	a := New("chat.example/log", b)
	const all = 3 * searchBundles * width
	for i := range all {
		e := decision(0)
		e.Category, e.Measures = []string{"C0", "C1"}[i%2], []string{[]string{"M0", "M1"}[i%2]}
		if i == 5 {
			e.Category = "RARE"
		}
		b.add(t, e)
	}
	if err := a.Follow(context.Background(), all); err != nil {
		t.Fatal(err)
	}
	b.read = 0
	r, err := a.Search(context.Background(), Query{Category: "RARE", Limit: 2})
	if err != nil || len(r.Hits) != 1 || r.Hits[0].Index != 5 || r.Next != 0 || b.read > 4 {
		t.Errorf("what is rare: %+v, %v after %d bundles", r, err, b.read)
	}
	b.read = 0
	q := Query{Category: "C0", Measure: "M1", Limit: 2}
	steps := 0
	for {
		if r, err = a.Search(context.Background(), q); err != nil || len(r.Hits) > 0 {
			t.Fatalf("%+v, %v", r, err)
		}
		if steps++; b.read > steps*searchBundles {
			t.Fatalf("%d bundles were read in %d steps", b.read, steps)
		}
		if q.Below = r.Next; r.Next == 0 {
			break
		}
	}
	if steps != 3 {
		t.Errorf("%d steps", steps)
	}
}

// TestEntries: an entry is read as it was written, and none that is not published.
func TestEntries(t *testing.T) {
	b := &bundles{}
	a := New("chat.example/log", b)
	for i := range 300 {
		b.add(t, decision(i))
	}
	if err := a.Follow(context.Background(), 299); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int64{0, 255, 256, 298} {
		e, raw, err := a.Entry(context.Background(), i)
		if err != nil || string(raw) != string(b.entries[i]) || e.Category != decision(int(i)).Category {
			t.Errorf("entry %d: %s, %v", i, raw, err)
		}
	}
	for _, i := range []int64{-1, 299, 1 << 40} {
		if _, _, err := a.Entry(context.Background(), i); !errors.Is(err, ErrNoEntry) {
			t.Errorf("entry %d: %v", i, err)
		}
	}
	err := a.Read(func(book *report.Book) error {
		if book.Entries() != 299 {
			t.Errorf("the book has %d entries", book.Entries())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
