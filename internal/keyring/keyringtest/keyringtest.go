// Package keyringtest gives tests their keyrings. To find an RSA key takes longer than most tests,
// so all keyrings of one test process have the same; every other secret is a keyring's own. It may
// be imported by tests alone.
package keyringtest

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"parley/internal/keyring"
)

// key is a file of an RSA key: where it lies in a data directory, and what it holds.
type key struct {
	name  string
	bytes []byte
}

var shared = sync.OnceValues(func() (k key, err error) {
	dir, err := os.MkdirTemp("", "parley-rsa-")
	if err != nil {
		return k, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path, err := keyring.AddRSA(dir)
	if err != nil {
		return k, err
	}
	if k.name, err = filepath.Rel(dir, path); err != nil {
		return k, err
	}
	k.bytes, err = os.ReadFile(path)
	return k, err
})

// Fill puts the RSA key of the process into a data directory that has none.
func Fill(t testing.TB, dir string) {
	t.Helper()
	k, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, k.name)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, k.bytes, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Open is keyring.Open for a data directory that Fill has filled.
func Open(t testing.TB, dir string) *keyring.Keyring {
	t.Helper()
	Fill(t, dir)
	k, err := keyring.Open(dir, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
