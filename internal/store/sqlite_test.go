package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func openFile(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{
		URL: "sqlite:" + path, Fatal: func(err error) { t.Errorf("fatal: %v", err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestPragmas reads back what durability rests on from the connections as they are used.
func TestPragmas(t *testing.T) {
	e := openFile(t, filepath.Join(t.TempDir(), "p.db")).engine.(*sqliteEngine)
	for _, p := range []pragma{{"journal_mode", "", "wal"}, {"synchronous", "", "2"},
		{"fullfsync", "", "1"}, {"checkpoint_fullfsync", "", "1"}, {"cell_size_check", "", "1"},
		{"wal_autocheckpoint", "", "0"}} {
		if got := readPragma(t, e.writer, p.name); got != p.want {
			t.Errorf("%s is %s, want %s", p.name, got, p.want)
		}
	}
	if err := e.writer.set(pragma{"synchronous", "full", "1"}); err == nil {
		t.Error("a pragma that is not as it should be passed")
	}
	e.writer.failure = nil
	c := <-e.readers
	defer func() { e.readers <- c }()
	_, err := c.exec(t.Context(), metaPut, "x", 1)
	if c.failure = nil; err == nil {
		t.Error("a reader wrote")
	}
}

func readPragma(t *testing.T, c *sqliteConn, name string) string {
	t.Helper()
	s, err := c.prepare("pragma " + name)
	if err != nil {
		t.Fatal(err)
	}
	defer s.finalize()
	if err := s.start(nil); err != nil {
		t.Fatal(err)
	}
	return s.text(0)
}

// TestLockedByAnother has another program hold the database for too long: those who wait are told
// so, and the store goes on.
func TestLockedByAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	s := openFile(t, path)
	if err := s.engine.(*sqliteEngine).writer.run("pragma busy_timeout=20"); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	conn, err := other.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	hold := func(text string) {
		if _, err := conn.ExecContext(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	put := func() error {
		return s.Update(t.Context(), 1, func(tx *Tx) error { return tx.SetMeta("locked", 1) })
	}
	hold("begin immediate")
	for range 2 {
		err := put()
		if err == nil || errors.Is(err, ErrStopped) || errors.Is(err, ErrUnknown) {
			t.Errorf("while another holds the lock: %v", err)
		}
	}
	hold("rollback")
	if err := put(); err != nil {
		t.Errorf("once the lock is free: %v", err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

// TestOddPaths opens a database whose path means something in a URL.
func TestOddPaths(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a b?c=d&e%41#f.db")
	s := openFile(t, path)
	if err := s.Update(t.Context(), 1, func(tx *Tx) error { return tx.SetMeta("x", 1) }); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range list {
		if !strings.HasPrefix(entry.Name(), filepath.Base(path)) {
			t.Errorf("made a file %q", entry.Name())
		}
	}
}

// TestRefusals lists what is not opened.
func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("garbage ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"", "mysql://x", garbage, "sqlite:" + garbage, "sqlite:" + dir,
		"sqlite:" + filepath.Join(dir, "no", "such", "directory", "x.db"), "postgres://127.0.0.1:1/x"} {
		if s, err := Open(context.Background(), Options{URL: url}); err == nil {
			t.Errorf("opened %q", url)
			_ = s.Close()
		}
	}
}
