package verify

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"parley/internal/tlog/entry"
	"parley/internal/tlog/report"
)

// Check is how a log is checked.
type Check struct {
	Source Source
	Keys   Keys
	// Since is what was checked before; the zero Seen for nothing.
	Since Seen
	// Reports says that the files of the daily reports and of other documents are to be checked
	// too, not only what the log says of them.
	Reports bool
}

// Result is what a check found in order.
type Result struct {
	Checkpoint Checkpoint
	// Entries were read and Reports recomputed; Last is the day of the last.
	Entries int64
	Reports int64
	Last    string
	// Book is what the entries add up to.
	Book *report.Book
	// Newest has the newest entry of each published document, by its name.
	Newest map[string]entry.Entry
}

// Run checks a whole log: signatures, history, every tile, every entry and every report. What does
// not fit is a *Finding. Memory grows with the number of days and not of entries.
func (c Check) Run(ctx context.Context) (Result, error) {
	var out Result
	raw, err := c.Source.Get(ctx, CheckpointFile, checkpointMost)
	if err != nil {
		return out, err
	}
	out.Checkpoint, err = c.Keys.Open(raw)
	if err != nil {
		return out, err
	}
	if out.Checkpoint.Size < c.Since.Size {
		return out, finding(Rollback, CheckpointFile, "the log had %d entries and has %d",
			c.Since.Size, out.Checkpoint.Size)
	}
	p := pass{check: c, ctx: ctx, out: &out}
	p.tree.full = p.tile
	out.Book = report.NewBook(c.Keys.Origin)
	if err := p.run(); err != nil {
		return out, err
	}
	out.Last = out.Book.Last()
	return out, nil
}

// pass is one reading of a log from its beginning.
type pass struct {
	check Check
	ctx   context.Context
	out   *Result
	tree  builder
	// first is the first thing that looked wrong. Whether it is, or the file that it was held
	// against, is known once the tree is complete.
	first error
	// broken is the first entry that cannot be counted; nothing after it is.
	broken error
}

func (p *pass) run() error {
	size := p.out.Checkpoint.Size
	if err := p.since(); err != nil {
		return err
	}
	for n := int64(0); n*width < size; n++ {
		if err := p.ctx.Err(); err != nil {
			return err
		}
		if err := p.bundle(n, int(min(size-n*width, width))); err != nil {
			return err
		}
	}
	if err := p.tree.rest(p.tile); err != nil {
		return err
	}
	if p.tree.root() != p.out.Checkpoint.Root {
		return p.culprit()
	}
	if p.first != nil {
		return p.first
	}
	return p.broken
}

// since checks, at the size that was seen before, that the tree is the one of then.
func (p *pass) since() error {
	if p.tree.size != p.check.Since.Size || p.check.Since.Root == "" {
		return nil
	}
	if p.tree.root().String() != p.check.Since.Root && p.first == nil {
		p.first = finding(Fork, CheckpointFile, "the first %d entries are not those of before",
			p.tree.size)
	}
	return nil
}

// bundle reads and counts the entries of a bundle.
func (p *pass) bundle(n int64, w int) error {
	b, at, err := read(p.ctx, p.check.Source, -1, n, w, bundleMost)
	var bad *Finding
	switch {
	case errors.Is(err, ErrMissing):
		return finding(BadEntry, fmt.Sprint(n*width), "%s is missing", at)
	case errors.As(err, &bad):
		return finding(BadEntry, fmt.Sprint(n*width), "%s: %s", at, bad.Why)
	case err != nil:
		return err
	}
	list, err := Bundle(b, w)
	if err != nil {
		return finding(BadEntry, fmt.Sprint(n*width+int64(len(list))), "%s: %v", at, err)
	}
	for _, raw := range list {
		if p.broken == nil {
			if err := p.count(raw); err != nil {
				if errors.As(err, &bad) {
					p.broken = err
				} else {
					return err
				}
			}
		}
		if err := p.tree.add(tlog.RecordHash(raw)); err != nil {
			return err
		}
		if err := p.since(); err != nil {
			return err
		}
	}
	p.out.Entries += int64(len(list))
	return nil
}

// count adds an entry to the book, and recomputes the report that it may be of.
func (p *pass) count(raw []byte) error {
	at := fmt.Sprint(p.tree.size)
	e, err := entry.Parse(raw)
	if err != nil {
		return finding(BadEntry, at, "%v", err)
	}
	if e.Kind == entry.Report {
		if err := p.report(e); err != nil {
			return err
		}
		p.out.Reports++
	}
	if e.Kind == entry.Publication {
		if err := p.document(e); err != nil {
			return err
		}
	}
	if err := p.out.Book.Add(e); err != nil {
		return finding(BadReport, e.Day, "entry %s: %v", at, err)
	}
	return nil
}

// tile holds a computed tile against the file.
func (p *pass) tile(level int, n int64, hashes []tlog.Hash) error {
	b, at, err := read(p.ctx, p.check.Source, level, n, len(hashes), width*tlog.HashSize)
	var bad *Finding
	switch {
	case errors.Is(err, ErrMissing):
		return p.note(finding(BadTile, at, "it is missing"))
	case errors.As(err, &bad):
		return p.note(err)
	case err != nil:
		return err
	}
	if i := differs(b, hashes); i >= 0 {
		return p.note(finding(BadTile, at, "its hash %d is not that of the entries", i))
	}
	if whole := len(hashes) * tlog.HashSize; at == path(level, n, len(hashes)) && len(b) != whole {
		return p.note(finding(BadTile, at, "it has %d bytes", len(b)))
	}
	return nil
}

func (p *pass) note(err error) error {
	if p.first == nil {
		p.first = err
	}
	return nil
}

// culprit names what makes the entries another tree than the one that was signed: the first entry
// that is not the one of a tile which the checkpoint vouches for.
func (p *pass) culprit() error {
	c := p.out.Checkpoint
	hashes := Hashes(p.ctx, p.check.Source, c.Size, c.Root)
	for n := int64(0); n*width < c.Size; n++ {
		w := int(min(c.Size-n*width, width))
		b, at, err := read(p.ctx, p.check.Source, -1, n, w, bundleMost)
		if err != nil {
			return err
		}
		list, err := Bundle(b, w)
		if err != nil {
			return finding(BadEntry, fmt.Sprint(n*width), "%s: %v", at, err)
		}
		index := make([]int64, len(list))
		for i := range index {
			index[i] = tlog.StoredHashIndex(0, n*width+int64(i))
		}
		signed, err := hashes.ReadHashes(index)
		if err != nil {
			// The tiles do not lead to the root either, so nothing tells which entry is wrong.
			return p.astray(err)
		}
		for i, raw := range list {
			if tlog.RecordHash(raw) != signed[i] {
				return finding(BadEntry, fmt.Sprint(n*width+int64(i)),
					"%s has another entry than the one that was signed", at)
			}
		}
	}
	return finding(BadTree, CheckpointFile, "the entries make the tree %s", p.tree.root())
}

func (p *pass) astray(err error) error {
	if p.first != nil {
		return p.first
	}
	if p.broken != nil {
		return p.broken
	}
	return finding(BadTree, CheckpointFile, "the entries make the tree %s: %v", p.tree.root(), err)
}
