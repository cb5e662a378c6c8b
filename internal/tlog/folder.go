package tlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"parley/internal/blob"
	"parley/internal/tlog/verify"
)

// Folder is a Bucket in a directory, which some web server serves.
type Folder string

func (f Folder) at(name string) string { return filepath.Join(string(f), filepath.FromSlash(name)) }

// Get reads a file. See Bucket.
func (f Folder) Get(ctx context.Context, name string, most int64) ([]byte, error) {
	b, err := verify.Dir(f).Get(ctx, name, most)
	if errors.Is(err, verify.ErrMissing) {
		return nil, blob.ErrNotFound
	}
	return b, err
}

// Put writes a file. How it is served is up to the web server. See Bucket.
func (f Folder) Put(_ context.Context, name string, content []byte, _, _ string) error {
	dir := filepath.Dir(f.at(name))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("tlog: folder: %w", err)
	}
	if err := verify.Replace(f.at(name), content, 0o644); err != nil {
		return fmt.Errorf("tlog: folder: %w", err)
	}
	return nil
}

// Delete removes a file. See Bucket.
func (f Folder) Delete(_ context.Context, name string) error {
	if err := os.Remove(f.at(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("tlog: folder: %w", err)
	}
	return nil
}

// List visits files. See Bucket.
func (f Folder) List(_ context.Context, prefix string) iter.Seq2[blob.Object, error] {
	return func(yield func(blob.Object, error) bool) {
		top := f.at(prefix[:strings.LastIndexByte(prefix, '/')+1])
		err := filepath.WalkDir(top, func(at string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			name, err := filepath.Rel(string(f), at)
			if err != nil {
				return err
			}
			name = filepath.ToSlash(name)
			if !strings.HasPrefix(name, prefix) {
				return nil
			}
			if !yield(blob.Object{Name: name, Size: info.Size()}, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(blob.Object{}, fmt.Errorf("tlog: folder: %w", err))
		}
	}
}
