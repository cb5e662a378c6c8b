package archive

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"slices"

	"parley/internal/tlog/entry"
)

// fully is the word of entries for what machines decided alone.
//
// https://transparency.dsa.ec.europa.eu/page/api-documentation
const fully = "AUTOMATED_DECISION_FULLY"

// Query says which entries are looked for. What is empty matches all.
type Query struct {
	Kind                      entry.Kind
	Subject, Ground, Category string
	Measure                   string
	// Country is where a measure applies, or whose authority asked.
	Country string
	// Automated wants what machines decided alone, People what they did not.
	Automated, People bool
	// From and To are the first and the last day.
	From, To string
	// Below wants entries with smaller indices, 0 all.
	Below int64
	// Limit is how many are wanted.
	Limit int
}

// Result are the newest entries that a query finds, the newest first.
type Result struct {
	Hits []Hit
	// Next is from below which index to go on, 0 when everything was looked at. There may be a Next
	// and no hit: then a bounded part of the log was read and had none.
	Next int64
}

// Search looks for entries from the newest on.
func (a *Archive) Search(ctx context.Context, q Query) (out Result, err error) {
	below := a.Size()
	if q.Below > 0 {
		below = min(q.Below, below)
	}
	words := q.words()
	opened := 0
	for n := (below - 1) / width; below > 0 && n >= 0; n-- {
		below = min(below, (n+1)*width)
		if !a.mayHave(n, q, words) {
			continue
		}
		if opened++; opened > searchBundles {
			out.Next = below
			return out, nil
		}
		hits, err := a.bundle(ctx, n, below, q)
		if err != nil {
			return out, err
		}
		for _, h := range hits {
			if len(out.Hits) == q.Limit {
				out.Next = out.Hits[len(out.Hits)-1].Index
				return out, nil
			}
			out.Hits = append(out.Hits, h)
		}
	}
	return out, nil
}

// bundle finds the entries of a bundle below an index, the newest first.
func (a *Archive) bundle(ctx context.Context, n, below int64, q Query) (hits []Hit, err error) {
	err = a.each(ctx, n, below, func(i int64, raw []byte) error {
		var e entry.Entry
		if err := json.Unmarshal(raw, &e); err != nil {
			return fmt.Errorf("archive: entry %d: %w", i, err)
		}
		if q.matches(e) {
			hits = append(hits, Hit{i, e})
		}
		return nil
	})
	slices.Reverse(hits)
	return hits, err
}

// matches tells whether a query wants an entry.
func (q Query) matches(e entry.Entry) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	return is(string(q.Kind), string(e.Kind)) && is(q.Subject, e.Subject) &&
		is(q.Ground, e.Ground) && is(q.Category, e.Category) &&
		(q.Measure == "" || slices.Contains(e.Measures, q.Measure)) &&
		(q.Country == "" || e.Country == q.Country || slices.Contains(e.Territory, q.Country)) &&
		(!q.Automated || e.Decided == fully) &&
		(!q.People || e.Decided != fully && e.Decided != "") &&
		(q.From == "" || e.Day >= q.From) && (q.To == "" || e.Day <= q.To)
}

// words are those that an entry must have to match.
func (q Query) words() []string {
	out := filled(string(q.Kind), q.Subject, q.Ground, q.Category, q.Measure, q.Country)
	if q.Automated {
		out = append(out, fully)
	}
	return out
}

// digest is what is kept of a bundle.
type digest struct {
	first, last string // days
	// filter has the bits of each word of each entry.
	filter [filterBits / 64]uint64
}

// filterBits is the size of a filter: a bundle has some dozens of different words.
const filterBits = 512

func (d *digest) add(seed maphash.Seed, e entry.Entry) {
	d.first, d.last = min(d.first, e.Day), max(d.last, e.Day)
	words := filled(string(e.Kind), e.Subject, e.Ground, e.Category, e.Country, e.Decided)
	for _, w := range slices.Concat(words, e.Measures, e.Territory) {
		for _, bit := range bits(seed, w) {
			d.filter[bit/64] |= 1 << (bit % 64)
		}
	}
}

func (d *digest) has(seed maphash.Seed, word string) bool {
	for _, bit := range bits(seed, word) {
		if d.filter[bit/64]&(1<<(bit%64)) == 0 {
			return false
		}
	}
	return true
}

// bits are the two bits of a word in a filter.
func bits(seed maphash.Seed, word string) [2]uint64 {
	h := maphash.String(seed, word)
	return [2]uint64{h % filterBits, h >> 32 % filterBits}
}

// mayHave tells whether a bundle may have what a query wants.
func (a *Archive) mayHave(n int64, q Query, words []string) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	d := &a.digests[n]
	if q.From != "" && d.last < q.From || q.To != "" && d.first > q.To {
		return false
	}
	return !slices.ContainsFunc(words, func(w string) bool { return !d.has(a.seed, w) })
}

// filled are those of some words that are not empty.
func filled(words ...string) (out []string) {
	for _, w := range words {
		if w != "" {
			out = append(out, w)
		}
	}
	return out
}
