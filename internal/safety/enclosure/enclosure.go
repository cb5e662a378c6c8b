// Package enclosure keeps papers: what came with orders, mails and letters, and mails as they came.
// It stores them under their digests, like blob, and forgets those that no row names any more, or
// ever did: what was uploaded and never sent, what belonged to a mail whose keeping is over, and
// the pictures of pages that safety/attachment makes. It does not know which rows name papers: each
// package with such rows says so.
//
// Invariants: a paper that a row names is never removed, whenever the process ends, and however
// many servers work on the same papers; a paper without a row stays for a day. Both hold because
// a row names a paper within Within of its being stored, or when another row names it already.
package enclosure

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"parley/internal/blob"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/store"
)

const (
	// Within is how long after a paper was stored a row may begin to name it. No form is open
	// longer: sessions are shorter.
	Within = 12 * time.Hour
	// young is how old a paper is at least that is removed. It is longer than Within by more than
	// any transaction takes and any two clocks differ.
	young = 24 * time.Hour
	// barred is how long a paper is barred at most that is being removed, and removing how long
	// that may take. The difference is for clocks that differ.
	barred   = 10 * time.Minute
	removing = time.Minute
)

// Names visits the digests of the papers that rows of a package name, in hexadecimal digits.
type Names func(r *store.Reader, visit func(digest string)) error

// Papers is the store of papers. It is a blob.Store, and safe for concurrent use.
type Papers struct {
	blob.Store
	Rows  *store.Store
	Clock clock.Clock
}

// Put stores a paper. See blob.Store. A paper that another server is removing at this moment is
// blob.ErrUnavailable: it can be put again soon.
func (p *Papers) Put(ctx context.Context, r io.Reader) (blob.Digest, int64, error) {
	d, n, err := p.Store.Put(ctx, r)
	if err != nil {
		return blob.Digest{}, 0, err
	}
	// Whoever removes it bars it before he looks how old it is. So either he sees that it is new,
	// or his bar is seen here, or what he did.
	var until int64
	err = p.Rows.View(ctx, func(r *store.Reader) (err error) {
		until, err = r.PaperBar(d.String())
		return err
	})
	switch {
	case store.IsNotFound(err) || err == nil && until <= p.Clock.Now().Unix():
		_, err = p.Store.Stat(ctx, d)
		if errors.Is(err, blob.ErrNotFound) {
			err = fmt.Errorf("%w: the paper was removed meanwhile", blob.ErrUnavailable)
		}
	case err == nil:
		err = fmt.Errorf("%w: the paper is being removed", blob.ErrUnavailable)
	}
	if err != nil {
		return blob.Digest{}, 0, fmt.Errorf("enclosure: %w", err)
	}
	return d, n, nil
}

// Delete removes a paper. See blob.Store. One that another server is removing is left to it.
func (p *Papers) Delete(ctx context.Context, d blob.Digest, before time.Time) (bool, error) {
	now := p.Clock.Now()
	until := now.Add(barred).Unix()
	var ours bool
	err := p.Rows.Update(ctx, shard(d), func(tx *store.Tx) (err error) {
		ours, err = tx.BarPaper(d.String(), until, now.Unix())
		return err
	})
	if err != nil || !ours {
		return false, err
	}
	within, cancel := context.WithTimeout(ctx, removing)
	defer cancel()
	removed, err := p.Store.Delete(within, d, before)
	if err != nil {
		return false, err // and the bar stands until its time: what became of it is not known
	}
	return removed, p.Rows.Update(ctx, shard(d), func(tx *store.Tx) error {
		return tx.LiftPaperBar(d.String(), until)
	})
}

// Sweep removes every paper that is older than a day and that no row names. It may run twice, and
// at several servers at the same time. While a row cannot be read nothing is removed.
func (p *Papers) Sweep(ctx context.Context, names ...Names) (blob.Swept, error) {
	// The border comes first: what begins to be named behind it is younger.
	border := p.Clock.Now().Add(-young)
	named := make(map[uint64]struct{})
	err := p.Rows.View(ctx, func(r *store.Reader) error {
		for _, each := range names {
			err := each(r, func(digest string) {
				if d, err := blob.ParseDigest(digest); err == nil {
					named[short(d)] = struct{}{}
				}
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return blob.Swept{}, fmt.Errorf("enclosure: what is named: %w", err)
	}
	done, err := blob.Sweep(ctx, p, border, func(_ context.Context, d blob.Digest) (bool, error) {
		_, is := named[short(d)]
		return is, nil
	})
	if err != nil {
		return done, fmt.Errorf("enclosure: %w", err)
	}
	return done, nil
}

// shard is the key of the transactions about a paper.
func shard(d blob.Digest) ids.Peer { return ids.Peer(short(d) >> 1) }

// short is the beginning of a digest, which is remembered of each that is named: a paper that is
// kept because it begins like another harms nothing.
func short(d blob.Digest) uint64 { return binary.BigEndian.Uint64(d[:]) }
