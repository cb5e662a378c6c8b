// Package storetest opens stores for the tests of any package: SQLite in a directory of the test,
// PostgreSQL in an empty database of its own. The PostgreSQL server is the one that
// PARLEY_TEST_POSTGRES names, or a throwaway one on loopback that is started when the first test
// asks for it and stopped when the last one has ended. Where there is neither, the test is skipped
// and says so.
//
// The server that is shared by the tests of a process, and the bytes of a database that was made
// once, are all that the package remembers.
package storetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/store"
)

// ServerEnv names the variable that holds the URL of a PostgreSQL server for tests. Its user must
// be allowed to create databases.
const ServerEnv = "PARLEY_TEST_POSTGRES"

// patience bounds how long a server may take for anything.
const patience = time.Minute

// Each runs fn on a new, empty store of each engine.
func Each(t *testing.T, fn func(t *testing.T, s *store.Store)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { fn(t, Postgres(t)) })
}

// SQLite opens a new, empty SQLite store that is closed after the test.
func SQLite(t testing.TB) *store.Store {
	t.Helper()
	return open(t, SQLiteURL(t))
}

// SQLiteURL is the URL of a new, empty SQLite store.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "parley.db")
	SQLiteFile(t, path)
	return "sqlite:" + path
}

// SQLiteFile makes the file of a new, empty SQLite store. A server makes it itself; but to wait for
// the migrations of every server of a test takes longer than most tests.
func SQLiteFile(t testing.TB, path string) {
	t.Helper()
	b, err := empty()
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatalf("storetest: %v", err)
	}
}

// empty is the file of a store that was opened and closed.
var empty = sync.OnceValues(func() (b []byte, err error) {
	dir, err := os.MkdirTemp("", "parley-store-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "parley.db")
	s, err := store.Open(context.Background(), store.Options{URL: "sqlite:" + path})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// Postgres opens a new, empty PostgreSQL store that is closed after the test.
func Postgres(t testing.TB) *store.Store {
	t.Helper()
	return open(t, PostgresURL(t))
}

func open(t testing.TB, at string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{
		URL:   at,
		Fatal: func(err error) { t.Errorf("storetest: %v", err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("storetest: close: %v", err)
		}
	})
	return s
}

// PostgresURL is the URL of a new, empty store in a PostgreSQL database that is dropped after the
// test.
func PostgresURL(t testing.TB) string {
	t.Helper()
	server := serverURL(t)
	return database(t, server, pattern(t, server))
}

// PostgresDatabase is the URL of a PostgreSQL database in which there is nothing, and which is
// dropped after the test.
func PostgresDatabase(t testing.TB) string {
	t.Helper()
	return database(t, serverURL(t), "template1")
}

// serverURL is the URL of the server that tests use.
func serverURL(t testing.TB) string {
	t.Helper()
	if server := os.Getenv(ServerEnv); server != "" {
		return server
	}
	return sharedServer(t)
}

// database is the URL of a new copy of a database.
func database(t testing.TB, server, of string) string {
	t.Helper()
	at, err := url.Parse(server)
	if err != nil {
		t.Fatalf("storetest: %s: %v", ServerEnv, err)
	}
	name := "parley_" + strings.ToLower(rand.Text())
	command(t, server, "create database "+name+" template "+of)
	t.Cleanup(func() { command(t, server, "drop database "+name+" with (force)") })
	at.Path = "/" + name
	return at.String()
}

// pattern is the database of the server that the others are copies of: one that was migrated. It
// stays on the server, under a name that tells which migrations it has seen.
func pattern(t testing.TB, server string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	name, err := patternName()
	if err != nil {
		t.Fatalf("storetest: %v", err)
	}
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatalf("storetest: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }() // lets the lock go
	if _, err := conn.Exec(ctx, "select pg_advisory_lock(hashtext($1))", name); err != nil {
		t.Fatalf("storetest: %v", err)
	}
	var there bool
	err = conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", name).
		Scan(&there)
	if err == nil && !there {
		err = makePattern(ctx, conn, server, name)
	}
	if err != nil {
		t.Fatalf("storetest: %v", err)
	}
	return name
}

func patternName() (string, error) {
	files := store.Migrations()
	sum := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(files, path)
		fmt.Fprintf(sum, "%s %d %s", path, len(b), b)
		return err
	})
	return fmt.Sprintf("parley_empty_%x", sum.Sum(nil)[:8]), err
}

// makePattern makes the database under another name first, so that the name stands for all of it.
func makePattern(ctx context.Context, conn *pgx.Conn, server, name string) error {
	making := name + "_" + strings.ToLower(rand.Text())
	if _, err := conn.Exec(ctx, "create database "+making); err != nil {
		return err
	}
	at, err := url.Parse(server)
	if err != nil {
		return err
	}
	at.Path = "/" + making
	s, err := store.Open(ctx, store.Options{URL: at.String()})
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "alter database "+making+" rename to "+name)
	return err
}

// command runs one statement on the server.
func command(t testing.TB, server, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatalf("storetest: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, text); err != nil {
		t.Fatalf("storetest: %s: %v", text, err)
	}
}

// shared is the throwaway server of this process and how many use it.
var shared struct {
	sync.Mutex
	users  int
	server *server
}

// sharedServer returns the URL of the throwaway server, which lives at least as long as the test.
func sharedServer(t testing.TB) string {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		s, err := startServer()
		if err != nil {
			t.Fatalf("storetest: PostgreSQL: %v", err)
		}
		if s == nil {
			t.Skipf("storetest: no PostgreSQL: %s is not set and no server is installed", ServerEnv)
		}
		shared.server = s
	}
	shared.users++
	t.Cleanup(func() {
		if err := release(); err != nil {
			t.Errorf("storetest: %v", err)
		}
	})
	return shared.server.url
}

// release stops the server after its last user.
func release() error {
	shared.Lock()
	defer shared.Unlock()
	shared.users--
	if shared.users > 0 || shared.server == nil {
		return nil
	}
	s := shared.server
	shared.server = nil
	return s.stop()
}

// Main runs the tests of a package that has many for PostgreSQL, for its TestMain: the throwaway
// server, once started, then serves them all.
func Main(m *testing.M) int {
	shared.Lock()
	shared.users++
	shared.Unlock()
	code := m.Run()
	if err := release(); err != nil {
		fmt.Fprintln(os.Stderr, "storetest:", err)
		return max(code, 1)
	}
	return code
}
