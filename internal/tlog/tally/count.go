package tally

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"

	"parley/internal/tlog/entry"
	"parley/internal/tlog/verify"
)

// chunk is how many entries are counted at once: 256 files of the log.
const chunk = 1 << 16

// keptVersion is in the name of kept counts: what an older program kept is counted anew.
const keptVersion = "2"

// Span is a period of days, both of which belong to it, as entries have them.
type Span struct{ From, To string }

// Counter counts the entries of a log.
type Counter struct {
	Source verify.Source
	// Dir is where the counts of full chunks are kept, which never change: the log only grows.
	// Empty keeps nothing.
	Dir string
}

// days are the counts of a chunk by day.
type days map[string]*Tally

// Count adds up the entries of a log of some size whose days lie in a span.
func (c *Counter) Count(ctx context.Context, size int64, s Span) (*Tally, error) {
	out, mu := New(), sync.Mutex{}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for n := int64(0); n*chunk < size; n++ {
		g.Go(func() error {
			d, err := c.chunk(ctx, n, min((n+1)*chunk, size))
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for day, t := range d {
				if s.From <= day && day <= s.To {
					out.Merge(t)
				}
			}
			return nil
		})
	}
	return out, g.Wait()
}

// Keep counts what can be kept of a log of some size and is not kept yet, so that Count has little
// left to do.
func (c *Counter) Keep(ctx context.Context, size int64) error {
	for n := int64(0); (n+1)*chunk <= size; n++ {
		_, err := os.Stat(c.file(n))
		if errors.Is(err, fs.ErrNotExist) {
			_, err = c.chunk(ctx, n, (n+1)*chunk)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// chunk counts the entries of a chunk up to an index, or reads what was kept of them.
func (c *Counter) chunk(ctx context.Context, n, to int64) (days, error) {
	full := to == (n+1)*chunk && c.Dir != ""
	if full {
		d, err := c.kept(n)
		if d != nil || err != nil {
			return d, err
		}
	}
	d := days{}
	err := verify.Each(ctx, c.Source, n*chunk, to, func(i int64, raw []byte) error {
		e, err := entry.Parse(raw)
		if err != nil {
			return fmt.Errorf("tally: entry %d: %w", i, err)
		}
		of(d, e.Day).add(&e)
		return nil
	})
	if err == nil && full {
		err = c.keep(n, d)
	}
	return d, err
}

// add counts an entry in a tally that may be new.
func (t *Tally) add(e *entry.Entry) {
	if t.Measures == nil {
		*t = *New()
	}
	t.Add(e)
}

func (c *Counter) file(n int64) string {
	return filepath.Join(c.Dir, "tally-"+keptVersion+"-"+strconv.FormatInt(n, 10)+".json")
}

// kept reads the counts of a chunk; nil when none were kept.
func (c *Counter) kept(n int64) (d days, err error) {
	b, err := os.ReadFile(c.file(n))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &d)
	}
	if err != nil {
		return nil, fmt.Errorf("tally: kept counts: %w", err)
	}
	return d, nil
}

// keep writes the counts of a chunk, whole or not at all.
func (c *Counter) keep(n int64, d days) error {
	b, err := json.Marshal(d)
	if err == nil {
		err = os.MkdirAll(c.Dir, 0o700)
	}
	if err != nil {
		return fmt.Errorf("tally: keep: %w", err)
	}
	f, err := os.CreateTemp(c.Dir, ".tally-*")
	if err != nil {
		return fmt.Errorf("tally: keep: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), c.file(n))
	}
	if err != nil {
		return fmt.Errorf("tally: keep: %w", err)
	}
	return nil
}
