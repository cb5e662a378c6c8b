package verify

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Seen is what was checked before, and so must still hold.
type Seen struct {
	Size int64  `json:"size"`
	Root string `json:"root"`
}

// Seen is what a checkpoint lets one expect of later ones.
func (c Checkpoint) Seen() Seen { return Seen{Size: c.Size, Root: c.Root.String()} }

// LoadSeen reads a file that Save wrote; the zero Seen when there is none.
func LoadSeen(file string) (s Seen, err error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("verify: %w", err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("verify: %s: %w", file, err)
	}
	return s, nil
}

// Save writes what was seen to a file, whole or not at all; it is on disk when Save returns.
func (s Seen) Save(file string) error {
	b, err := json.Marshal(s)
	if err == nil {
		err = Replace(file, b, 0o600)
	}
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	return nil
}

// Replace makes a file have some bytes, whole or not at all; they are on disk when Replace returns.
// Meanwhile there is a file beside it whose name begins with a dot.
func Replace(file string, b []byte, mode fs.FileMode) error {
	dir := filepath.Dir(file)
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
