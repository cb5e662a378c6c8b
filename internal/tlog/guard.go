package tlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/transparency-dev/tessera"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"parley/internal/tlog/verify"
)

// guard signs a checkpoint only if it continues the last one that was signed, which it keeps in a
// file. What was signed is on disk before the signature is used.
type guard struct {
	note.Signer
	options Options
}

// Sign signs the text of a checkpoint, or says why not.
func (g *guard) Sign(text []byte) ([]byte, error) {
	size, root, err := verify.Body(g.Name(), string(text))
	if err != nil {
		return nil, err
	}
	last, err := verify.LoadSeen(g.options.Signed)
	if err != nil {
		return nil, err
	}
	if err := g.continues(last, size, root); err != nil {
		return nil, err
	}
	g.options.at("signing")
	if seen := (verify.Seen{Size: size, Root: root.String()}); seen != last {
		if err := seen.Save(g.options.Signed); err != nil {
			return nil, err
		}
	}
	g.options.at("signed")
	return g.Signer.Sign(text)
}

// continues tells whether a tree has the one that was signed last as its beginning.
func (g *guard) continues(last verify.Seen, size int64, root tlog.Hash) error {
	if last.Size == 0 {
		return nil
	}
	if size < last.Size {
		return fmt.Errorf("%w: %d entries were signed, it has %d", ErrRollback, last.Size, size)
	}
	hashes := verify.Hashes(context.Background(), verify.Dir(g.options.Dir), size, root)
	then, err := tlog.TreeHash(last.Size, hashes)
	if err != nil {
		return fmt.Errorf("%w: its first %d entries: %w", ErrRollback, last.Size, err)
	}
	if then.String() != last.Root {
		return fmt.Errorf("%w: its first %d entries are others", ErrRollback, last.Size)
	}
	return nil
}

// check compares the log on disk with what was signed last.
func (g *guard) check(ctx context.Context, r tessera.LogReader) error {
	last, err := verify.LoadSeen(g.options.Signed)
	if err != nil {
		return err
	}
	size, err := r.IntegratedSize(ctx)
	if err != nil {
		return fmt.Errorf("tlog: size: %w", err)
	}
	if int64(size) < last.Size {
		return fmt.Errorf("%w: %d entries were signed, it has %d", ErrRollback, last.Size, size)
	}
	raw, err := r.ReadCheckpoint(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		// Nothing is published yet.
		return nil
	}
	if err != nil {
		return fmt.Errorf("tlog: checkpoint: %w", err)
	}
	text, _, _ := strings.Cut(string(raw), "\n\n")
	signed, root, err := verify.Body(g.Name(), text+"\n")
	if err != nil {
		return err
	}
	if signed < last.Size {
		// Signed, and not published before the process ended.
		return nil
	}
	return g.continues(last, signed, root)
}
