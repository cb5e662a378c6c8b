package store_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"parley/internal/ids"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

func connect(t *testing.T, at string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

// TestPostgresMustBeSafe refuses a database that acknowledges before it has written.
func TestPostgresMustBeSafe(t *testing.T) {
	at := storetest.PostgresURL(t)
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	_, err = connect(t, at).Exec(t.Context(),
		"alter database "+u.Path[1:]+" set synchronous_commit = off")
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Options{URL: at})
	if err == nil {
		t.Error("opened a database that loses what it has acknowledged")
		_ = s.Close()
	}
}

// TestPostgresTriesAgain kills the connection of a transaction under way and has two transactions
// wait for each other: both times the work is done in the end.
func TestPostgresTriesAgain(t *testing.T) {
	at := storetest.PostgresURL(t)
	s := openAt(t, store.Options{URL: at})
	conn := connect(t, at)
	runs := 0
	err := s.Update(t.Context(), 1, func(tx *store.Tx) error {
		if err := putUser(1)(tx); err != nil {
			return err
		}
		if runs++; runs == 1 {
			_, err := conn.Exec(t.Context(), `select pg_terminate_backend(pid)
				from pg_stat_activity where state = 'idle in transaction'`)
			if err != nil {
				return err
			}
		}
		return putUser(2)(tx)
	})
	if err != nil || runs != 2 || !hasUser(t, s, 1) || !hasUser(t, s, 2) {
		t.Errorf("a killed connection: %v after %d runs", err, runs)
	}

	var meet sync.WaitGroup
	meet.Add(2)
	var first [2]bool
	var group sync.WaitGroup
	var tries atomic.Int32
	for i := range 2 {
		group.Go(func() {
			mine, others := ids.UserID(1+i), ids.UserID(2-i)
			err := s.Update(t.Context(), mine.Peer(), func(tx *store.Tx) error {
				tries.Add(1)
				if err := tx.Seen(mine, 10); err != nil {
					return err
				}
				if !first[i] {
					first[i] = true
					meet.Done()
					meet.Wait()
				}
				return tx.Seen(others, 20+int64(i))
			})
			if err != nil {
				t.Errorf("a deadlock: %v", err)
			}
		})
	}
	group.Wait()
	// The one that was given up may take its row again before the other wakes.
	if tries.Load() < 3 {
		t.Errorf("%d runs of two transactions in a deadlock, want 3 or more", tries.Load())
	}
}

// proxy passes bytes between a client and a server, and breaks the connection at a commit.
type proxy struct {
	listener net.Listener
	server   string
	// breaks is 1 to break before the commit reaches the server, 2 to break before its answer
	// reaches the client, 0 to let all pass.
	breaks atomic.Int32
}

// startProxy returns a proxy before the server of a URL, and the URL through it.
func startProxy(t *testing.T, at string) (p *proxy, through string) {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p = &proxy{listener: l, server: u.Host}
	u.Host = l.Addr().String()
	var group sync.WaitGroup
	group.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		group.Wait()
	})
	return p, u.String()
}

// commitMessage is how the client asks for a commit.
//
// https://www.postgresql.org/docs/current/protocol-message-formats.html
var commitMessage = []byte("Q\x00\x00\x00\x0bcommit\x00")

func (p *proxy) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	answers := make(chan struct{})
	var cut atomic.Bool
	go func() {
		defer close(answers)
		defer func() { _ = client.Close() }()
		p.answer(client, server, &cut)
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			_ = server.Close()
			<-answers
			return
		}
		if bytes.Contains(buffer[:n], commitMessage) {
			switch p.breaks.Swap(0) {
			case 1:
				return
			case 2:
				cut.Store(true)
			}
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// answer passes what the server says, and breaks the connection instead once it is cut.
func (p *proxy) answer(client, server net.Conn, cut *atomic.Bool) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := server.Read(buffer)
		if err != nil && !errors.Is(err, io.EOF) || n == 0 {
			return
		}
		if cut.Load() {
			return
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// TestPostgresUnknownCommit breaks the connection while a commit is under way: the outcome is
// unknown, which it is, and nothing is done twice.
func TestPostgresUnknownCommit(t *testing.T) {
	p, through := startProxy(t, storetest.PostgresURL(t))
	s := openAt(t, store.Options{URL: through})
	var told atomic.Int32
	s.OnCommit(func(store.Commit) { told.Add(1) })
	for breaks, there := range map[int32]bool{1: false, 2: true} {
		box, runs := ids.Peer(breaks), 0
		p.breaks.Store(breaks)
		err := s.Update(t.Context(), box, func(tx *store.Tx) error {
			runs++
			_, err := tx.Append(store.Event{Box: box, Count: 1})
			return err
		})
		if !errors.Is(err, store.ErrUnknown) || runs != 1 {
			t.Errorf("break %d: %v after %d runs, want %v", breaks, err, runs, store.ErrUnknown)
		}
		var got store.Box
		if err := s.View(t.Context(), func(r *store.Reader) (err error) {
			got, err = r.Box(box)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if (got.Pts > store.FirstPts) != there {
			t.Errorf("break %d: pts %d", breaks, got.Pts)
		}
	}
	if told.Load() != 0 {
		t.Error("listeners heard of a commit whose outcome is unknown")
	}
}
