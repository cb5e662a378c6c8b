package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxFile is the longest key file, in bytes.
const maxFile = 64 << 10

// ErrPermissions says that users other than the owner may get at a secret.
var ErrPermissions = errors.New("permissions too wide")

// readSecret reads a key file after checking that nobody else can.
func readSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: mode %04o, want 0600: %w", path, info.Mode().Perm(),
			ErrPermissions)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("%s: too long for a key file", path)
	}
	return b, err
}

// createSecret creates a key file that only the owner can read. The file appears complete or not at
// all, and is on disk afterwards. It answers an fs.ErrExist when there is one already.
func createSecret(path string, content []byte) error {
	return install(path, content, 0o600, os.Link)
}

// replaceFile puts content into a public file, if it is not there yet.
func replaceFile(path string, content []byte) error {
	old, err := os.ReadFile(path)
	if err == nil && bytes.Equal(old, content) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return install(path, content, 0o644, os.Rename)
}

// install writes and syncs a temporary file, moves it to path by the given way, and syncs the
// directory.
func install(
	path string, content []byte, mode fs.FileMode, move func(from, to string) error,
) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := move(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
