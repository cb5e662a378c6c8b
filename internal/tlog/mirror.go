package tlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
	"golang.org/x/sync/errgroup"

	"parley/internal/blob"
	"parley/internal/tlog/verify"
)

// Bucket is where a copy of a log lies: blob.Bucket in an S3 bucket, Folder on a disk.
type Bucket interface {
	// Get returns an object of at most most bytes, or blob.ErrNotFound.
	Get(ctx context.Context, name string, most int64) ([]byte, error)
	// Put makes an object have some bytes, whole or not at all.
	Put(ctx context.Context, name string, content []byte, mime, cache string) error
	// Delete removes an object, if it is there.
	Delete(ctx context.Context, name string) error
	// List visits the objects whose names begin with a prefix.
	List(ctx context.Context, prefix string) iter.Seq2[blob.Object, error]
}

const (
	// puts is how many files are copied at the same time.
	puts = 16
	// youngReports is how many of the newest reports are compared byte for byte with their copies
	// at a start: their files were written before their entries, and may have been written anew.
	youngReports = 3
	// copyMost bounds a file that is read back from a copy, in bytes.
	copyMost = 8 << 20
)

// How public files are served.
const (
	mimeText  = "text/plain; charset=utf-8"
	mimeTile  = "application/octet-stream"
	cacheNone = "no-cache"
	cacheEver = "public, max-age=31536000, immutable"
	cacheSome = "public, max-age=300"
)

// Mirror keeps a copy of a log's public files elsewhere, so that strangers load another machine
// than the one that writes. It is the only writer there.
//
// Invariant: a checkpoint is copied when all that it speaks of is there, so whoever reads the copy
// at any moment finds a log in order, also after a crash between any two files: what was copied
// last is read from the copy itself.
type Mirror struct {
	Log *Log
	To  Bucket

	// known tells that the fields below say what the copy has.
	known   bool
	last    verify.Checkpoint
	reports map[string]int64
	keys    bool
}

// Update copies what was published since the last time. ErrRollback says that the copy has what the
// log has not, and nothing is changed then.
func (m *Mirror) Update(ctx context.Context) error {
	c, err := m.Log.Checkpoint(ctx)
	if err != nil {
		return err
	}
	if !m.known {
		if err := m.look(ctx, c); err != nil {
			return err
		}
	}
	if len(c.Raw) == 0 || bytes.Equal(c.Raw, m.last.Raw) {
		return nil
	}
	// Whatever goes wrong from here on, the copy is looked at again.
	m.known = false
	if err := m.publish(ctx, c); err != nil {
		return fmt.Errorf("tlog: copy: %w", err)
	}
	m.known = true
	return nil
}

// look finds out what the copy has.
func (m *Mirror) look(ctx context.Context, c verify.Checkpoint) error {
	m.last, m.keys, m.reports = verify.Checkpoint{}, false, map[string]int64{}
	raw, err := m.To.Get(ctx, verify.CheckpointFile, copyMost)
	if err != nil && !errors.Is(err, blob.ErrNotFound) {
		return fmt.Errorf("tlog: copy: %w", err)
	}
	if err == nil {
		if m.last, err = m.Log.Keys.verifier().Open(raw); err != nil {
			return fmt.Errorf("tlog: the copy is of another log: %w", err)
		}
		if err := m.begins(ctx, c); err != nil {
			return err
		}
	}
	for _, dir := range []string{verify.ReportsDir + "/", verify.DocumentFile("")} {
		for object, err := range m.To.List(ctx, dir) {
			if err != nil {
				return fmt.Errorf("tlog: copy: %w", err)
			}
			m.reports[object.Name] = object.Size
		}
	}
	m.known = true
	return nil
}

// begins tells whether what was copied is the beginning of what is published.
func (m *Mirror) begins(ctx context.Context, c verify.Checkpoint) error {
	if m.last.Size > c.Size {
		return fmt.Errorf("%w: the copy has %d entries, it has %d", ErrRollback, m.last.Size,
			c.Size)
	}
	if m.last.Size == 0 {
		return nil
	}
	root, err := tlog.TreeHash(m.last.Size, verify.Hashes(ctx, m.Log.Source(), c.Size, c.Root))
	if err != nil {
		return fmt.Errorf("tlog: the first %d entries: %w", m.last.Size, err)
	}
	if root != m.last.Root {
		return fmt.Errorf("%w: the copy's %d entries are others", ErrRollback, m.last.Size)
	}
	return nil
}

// publish copies reports, tiles and bundles, removes what nobody needs any more, and then copies
// the checkpoint.
func (m *Mirror) publish(ctx context.Context, c verify.Checkpoint) error {
	if !m.keys {
		keys := []byte(m.Log.Keys.Public())
		if err := m.To.Put(ctx, KeysFile, keys, mimeText, cacheSome); err != nil {
			return err
		}
		m.keys = true
	}
	if err := m.copyReports(ctx); err != nil {
		return err
	}
	if err := m.copyDocuments(ctx); err != nil {
		return err
	}
	g, in := errgroup.WithContext(ctx)
	g.SetLimit(puts)
	var whole []verify.File
	for f := range verify.Files(m.last.Size, c.Size) {
		if f.Whole {
			whole = append(whole, f)
		}
		g.Go(func() error {
			b, err := f.Read(in, m.Log.Source())
			if err != nil {
				return err
			}
			return m.To.Put(in, f.Path, b, mimeTile, cacheEver)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	m.Log.at("copied")
	if err := m.tidy(ctx, whole); err != nil {
		return err
	}
	if err := m.To.Put(ctx, verify.CheckpointFile, c.Raw, mimeText, cacheNone); err != nil {
		return err
	}
	m.Log.at("copy published")
	m.last = c
	return nil
}

// tidy removes the parts of files that are whole now. A reader of an older checkpoint takes the
// whole ones. At first there are none.
func (m *Mirror) tidy(ctx context.Context, whole []verify.File) error {
	if m.last.Size == 0 {
		return nil
	}
	for _, f := range whole {
		for object, err := range m.To.List(ctx, f.Parts()) {
			if err == nil {
				err = m.To.Delete(ctx, object.Name)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// copyReports copies the files of reports that are not there, or not the same there.
func (m *Mirror) copyReports(ctx context.Context) error {
	list, err := os.ReadDir(m.Log.File(verify.ReportsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var days []string
	for _, f := range list {
		if day := strings.TrimSuffix(f.Name(), path.Ext(f.Name())); !strings.HasPrefix(day, ".") {
			days = append(days, day)
		}
	}
	slices.Sort(days)
	days = slices.Compact(days)
	for i, day := range days {
		young := i >= len(days)-youngReports
		for suffix, mime := range map[string]string{
			"json": "application/json", "csv": "text/csv; charset=utf-8", "note": mimeText,
		} {
			if err := m.copyReport(ctx, verify.ReportFile(day, suffix), mime, young); err != nil {
				return err
			}
		}
	}
	return nil
}

// copyDocuments copies the published documents that are not there.
func (m *Mirror) copyDocuments(ctx context.Context) error {
	list, err := os.ReadDir(m.Log.File(verify.DocumentFile("")))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, f := range list {
		if strings.HasPrefix(f.Name(), ".") {
			continue
		}
		if err := m.copyReport(ctx, verify.DocumentFile(f.Name()), mimeText, false); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mirror) copyReport(ctx context.Context, name, mime string, young bool) error {
	b, err := os.ReadFile(m.Log.File(name))
	if errors.Is(err, fs.ErrNotExist) {
		// It is being written, and its entry comes later.
		return nil
	}
	if err != nil {
		return err
	}
	if size, there := m.reports[name]; there && size == int64(len(b)) {
		if !young {
			return nil
		}
		is, err := m.To.Get(ctx, name, copyMost)
		if err != nil || bytes.Equal(is, b) {
			return err
		}
	}
	if err := m.To.Put(ctx, name, b, mime, cacheSome); err != nil {
		return err
	}
	m.reports[name] = int64(len(b))
	return nil
}
