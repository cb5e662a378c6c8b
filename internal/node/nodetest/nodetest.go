// Package nodetest runs a whole server inside a test: real sockets, real store, real handshakes. Its
// people log in with the numbers 99966XYYYY, whose code is XXXXX.
package nodetest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/internal/chat/media/imaging"
	"parley/internal/clock"
	"parley/internal/config"
	"parley/internal/keyring/keyringtest"
	"parley/internal/limit"
	"parley/internal/node"
	"parley/internal/safety/attachment"
	"parley/internal/store/storetest"
)

// Server is a running server.
type Server struct {
	Node *node.Node
	// Addr is where clients connect.
	Addr *net.TCPAddr
	// Web is where browsers connect.
	Web string
	// Dir is the data directory.
	Dir string

	t      testing.TB
	log    slog.Handler
	clock  clock.Clock
	cfg    config.Config
	cancel context.CancelFunc
	done   chan error
}

// Main runs the tests of a package whose servers make photo sizes: the test program is then also
// the program of the workers.
func Main(m *testing.M) {
	if code, is := attachment.Worker(os.Args[1:], os.Stdin, os.Stdout); is {
		os.Exit(code)
	}
	if len(os.Args) > 1 && os.Args[1] == imaging.WorkerArg {
		os.Exit(imaging.WorkerMain(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// Start runs a server until the test ends. change may alter its configuration.
func Start(t testing.TB, change func(*config.Config)) *Server {
	t.Helper()
	return Timed(t, nil, change)
}

// Timed is Start by a clock, nil for the machine's.
func Timed(t testing.TB, c clock.Clock, change func(*config.Config)) *Server {
	t.Helper()
	return start(t, slog.NewTextHandler(writer{t}, &slog.HandlerOptions{
		Level: slog.LevelWarn,
	}), c, change)
}

// Observe is Start with the server's diagnostics going to h.
func Observe(t testing.TB, h slog.Handler, change func(*config.Config)) *Server {
	t.Helper()
	return start(t, h, nil, change)
}

func start(
	t testing.TB, h slog.Handler, c clock.Clock, change func(*config.Config),
) *Server {
	t.Helper()
	addr, web := freeAddrs(t)
	s := &Server{
		t: t, Addr: addr, Web: "http://" + web.String(), Dir: t.TempDir(), log: h, clock: c,
	}
	keyringtest.Fill(t, s.Dir)
	storetest.SQLiteFile(t, filepath.Join(s.Dir, "parley.db"))
	cfg, err := config.Load(config.Sources{Flags: map[string]string{
		"data": s.Dir, "listen": addr.String(), "web": web.String(), "demo": "true",
		"inner.listen": "", "console.listen": "",
	}})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Limits.Handshakes = limit.Rate{}
	cfg.Limits.Messages = limit.Rate{}
	cfg.Limits.CodesPerAddress = limit.Rate{}
	cfg.Limits.ConnectionsPerAddress = cfg.Limits.Connections
	if change != nil {
		change(&cfg)
	}
	s.cfg = cfg
	s.run()
	t.Cleanup(s.Stop)
	return s
}

// freeAddrs finds two ports that nobody listens on.
func freeAddrs(t testing.TB) (one, two *net.TCPAddr) {
	t.Helper()
	for _, addr := range []**net.TCPAddr{&one, &two} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		*addr = l.Addr().(*net.TCPAddr)
	}
	return one, two
}

func (s *Server) run() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	n, err := node.Open(ctx, s.cfg, node.Options{
		Log: slog.New(s.log), Out: writer{s.t}, Clock: s.clock,
	})
	if err != nil {
		cancel()
		s.t.Fatal(err)
	}
	s.Node, s.cancel, s.done = n, cancel, make(chan error, 1)
	ready := make(chan struct{})
	go func() {
		s.done <- n.Run(ctx, func(_, _ []net.Addr) { close(ready) })
	}()
	select {
	case <-ready:
	case err := <-s.done:
		s.t.Fatalf("the server did not start: %v", err)
	}
}

// Stop ends the server. Stopping twice is stopping once.
func (s *Server) Stop() {
	s.t.Helper()
	if s.cancel == nil {
		return
	}
	s.cancel()
	if err := <-s.done; err != nil {
		s.t.Errorf("the server ended with %v", err)
	}
	if err := s.Node.Close(); err != nil {
		s.t.Errorf("closing the server: %v", err)
	}
	s.cancel = nil
}

// Restart stops the server and starts it again on the same data and address.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	s.run()
}

// PublicKey returns the file with the server's public keys.
func (s *Server) PublicKey() []byte {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.Dir, "keys", "public.pem"))
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// Phone returns the number of the nth person, and Code his login code.
func Phone(n int) string { return fmt.Sprintf("999662%04d", n) }

// Code is the login code of every Phone.
const Code = "22222"

// writer sends what the server writes to the test's log.
type writer struct{ t testing.TB }

func (w writer) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimRight(string(b), "\n"))
	return len(b), nil
}
