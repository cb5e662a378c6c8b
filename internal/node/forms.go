package node

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"parley/internal/safety/euform"
	"parley/internal/safety/figures"
	"parley/internal/store"
	"parley/internal/tlog/tally"
	"parley/internal/tlog/verify"
)

// Tally counts the published entries of the log in a period.
func (n *Node) Tally(ctx context.Context, s tally.Span) (*tally.Tally, error) {
	dir := filepath.Join(n.Config.Data, "log")
	size, err := published(dir)
	if err != nil {
		return nil, err
	}
	c := tally.Counter{Source: verify.Dir(dir), Dir: filepath.Join(n.Config.Data, "tallies")}
	return c.Count(ctx, size, s)
}

// published is how many entries a log in a directory has published.
func published(dir string) (int64, error) {
	b, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	text, _, _ := strings.Cut(string(b), "\n\n")
	origin, _, _ := strings.Cut(text, "\n")
	size, _, err := verify.Body(origin, text+"\n")
	return size, err
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
