package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"parley/internal/safety/euform"
	"parley/internal/safety/figures"
	"parley/internal/store"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/tally"
	"parley/internal/tlog/verify"
)

// Tally counts the published entries of the log in a period.
func (n *Node) Tally(ctx context.Context, s tally.Span) (*tally.Tally, error) {
	_, size, err := published(n.logDir())
	if err != nil {
		return nil, err
	}
	c := n.counter()
	return c.Count(ctx, size, s)
}

// keepTallies counts what is new in the log, so that a report of a year has little left to count.
func (n *Node) keepTallies(ctx context.Context) error {
	_, size, err := published(n.logDir())
	if err != nil {
		return err
	}
	c := n.counter()
	return c.Keep(ctx, size)
}

func (n *Node) logDir() string { return filepath.Join(n.Config.Data, "log") }

func (n *Node) counter() tally.Counter {
	return tally.Counter{
		Source: verify.Dir(n.logDir()), Dir: filepath.Join(n.Config.Data, "tallies"),
	}
}

// published is the name of a log in a directory, and how many entries of it are published.
func published(dir string) (origin string, size int64, err error) {
	b, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, err
	}
	text, _, _ := strings.Cut(string(b), "\n\n")
	origin, _, _ = strings.Cut(text, "\n")
	size, _, err = verify.Body(origin, text+"\n")
	return origin, size, err
}

// OrderLines returns the name of the log, and the entries of orders that came in a period and of
// what came of them until now.
func (n *Node) OrderLines(
	ctx context.Context, s tally.Span,
) (origin string, out []entry.Entry, err error) {
	origin, size, err := published(n.logDir())
	if err != nil {
		return origin, nil, err
	}
	known := map[string]bool{}
	source := verify.Dir(n.logDir())
	err = verify.Each(ctx, source, 0, size, func(i int64, raw []byte) error {
		e, err := entry.Parse(raw)
		if err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		switch e.Kind {
		case entry.Order:
			known[e.ID] = s.From <= e.Day && e.Day <= s.To
		case entry.Effect, entry.Refusal, entry.Disclosure:
			known[e.ID] = known[e.Of]
		}
		if known[e.ID] {
			out = append(out, e)
		}
		return nil
	})
	return origin, out, err
}

// Counted counts what the EU's report forms ask of a period. waiting tells that some lines are not
// in the public log yet, and so are not counted.
func (n *Node) Counted(
	ctx context.Context, p euform.Period,
) (c euform.Counted, waiting bool, err error) {
	if c.Tally, err = n.Tally(ctx, p.Span()); err != nil {
		return c, false, err
	}
	err = n.Store.View(ctx, func(r *store.Reader) error {
		c.Form, err = figures.OfForm(r, p.From, p.End())
		if err != nil {
			return err
		}
		rows, err := r.PendingLedgerRows(1)
		waiting = len(rows) > 0
		return err
	})
	return c, waiting, err
}
