// Package archive reads a log as it grows and answers what pages ask about it: what its entries add
// up to, and which of them are about something. It knows what is published and nothing else, holds
// no entry in memory, and works on any copy of a log, like tlog/verify.
//
// Of 256 entries it keeps a few words: of which days they are, and a filter that tells which words
// none of them has. So a search for what is rare leaves most of the log unread, one for what is
// frequent ends soon, and one between the two reads a bounded part and says from where to go on.
package archive

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"

	"parley/internal/tlog/entry"
	"parley/internal/tlog/report"
	"parley/internal/tlog/verify"
)

// ErrNoEntry says that the published log has no such entry.
var ErrNoEntry = errors.New("archive: no such entry")

const (
	// width is how many entries lie in a bundle.
	width = 256
	// searchBundles is how many bundles one search reads at most: some 16,000 entries.
	searchBundles = 64
)

// Archive is what is known of a log. It is safe for concurrent use.
type Archive struct {
	source verify.Source
	seed   maphash.Seed

	// following is held by the one who reads on.
	following sync.Mutex

	mu        sync.RWMutex
	book      *report.Book
	size      int64
	digests   []digest
	documents []Hit
}

// New returns the archive of a log of which nothing was read yet.
func New(origin string, source verify.Source) *Archive {
	return &Archive{source: source, seed: maphash.MakeSeed(), book: report.NewBook(origin)}
}

// Follow reads on until the log has size entries, which must be published. It may be called again
// after an error.
func (a *Archive) Follow(ctx context.Context, size int64) error {
	a.following.Lock()
	defer a.following.Unlock()
	return verify.Each(ctx, a.source, a.Size(), size, func(i int64, raw []byte) error {
		e, err := entry.Parse(raw)
		if err != nil {
			return fmt.Errorf("archive: entry %d: %w", i, err)
		}
		return a.add(i, e)
	})
}

// add takes the next entry in.
func (a *Archive) add(i int64, e entry.Entry) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.book.Add(e); err != nil {
		return fmt.Errorf("archive: entry %d: %w", i, err)
	}
	if i%width == 0 {
		a.digests = append(a.digests, digest{first: e.Day, last: e.Day})
	}
	a.digests[len(a.digests)-1].add(a.seed, e)
	if e.Kind == entry.Publication {
		a.documents = append(a.documents, Hit{i, e})
	}
	a.size = i + 1
	return nil
}

// Size is how many entries were read.
func (a *Archive) Size() int64 {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.size
}

// Read calls fn with what the entries add up to; fn must not keep it.
func (a *Archive) Read(fn func(*report.Book) error) error {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return fn(a.book)
}

// Documents are the entries about published documents, the oldest first.
func (a *Archive) Documents() []Hit {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return slices.Clone(a.documents)
}

// Hit is an entry and its place in the log.
type Hit struct {
	Index int64       `json:"index"`
	Entry entry.Entry `json:"entry"`
}

// Entry returns an entry and its bytes; ErrNoEntry when it is not published.
func (a *Archive) Entry(ctx context.Context, index int64) (e entry.Entry, raw []byte, err error) {
	if index < 0 || index >= a.Size() {
		return e, nil, ErrNoEntry
	}
	err = a.each(ctx, index/width, index+1, func(i int64, b []byte) error {
		if i == index {
			raw = slices.Clone(b)
		}
		return nil
	})
	if err == nil {
		e, err = entry.Parse(raw)
	}
	return e, raw, err
}

// each calls fn with the entries of a bundle below an index. It reads the bundle as it was when the
// log had as many entries as are known: of that size there is a file.
func (a *Archive) each(
	ctx context.Context, n, below int64, fn func(index int64, raw []byte) error,
) error {
	end := min((n+1)*width, a.Size())
	return verify.Each(ctx, a.source, n*width, end, func(i int64, raw []byte) error {
		if i >= below {
			return nil
		}
		return fn(i, raw)
	})
}
