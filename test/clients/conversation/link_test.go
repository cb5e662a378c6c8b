package conversation

import (
	"io"
	"net"
	"sync"
	"testing"
)

// link is the network between one client and the server, which can be cut.
type link struct {
	server string
	addr   *net.TCPAddr

	mu    sync.Mutex
	cut   bool
	conns map[net.Conn]struct{}
}

// newLink opens a link that stays until the test ends.
func newLink(t *testing.T, server net.Addr) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{
		server: server.String(), addr: listener.Addr().(*net.TCPAddr),
		conns: make(map[net.Conn]struct{}),
	}
	t.Cleanup(func() { _ = listener.Close(); l.set(true) })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go l.carry(conn)
		}
	}()
	return l
}

// set cuts or mends the link.
func (l *link) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	if cut {
		for conn := range l.conns {
			_ = conn.Close()
		}
	}
}

func (l *link) keep(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		_ = conn.Close()
		return false
	}
	l.conns[conn] = struct{}{}
	return true
}

func (l *link) drop(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, conn)
	_ = conn.Close()
}

// carry carries bytes both ways until either side ends.
func (l *link) carry(client net.Conn) {
	if !l.keep(client) {
		return
	}
	defer l.drop(client)
	server, err := net.Dial("tcp", l.server)
	if err != nil {
		return
	}
	if !l.keep(server) {
		return
	}
	defer l.drop(server)
	done := make(chan struct{}, 2)
	pipe := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		done <- struct{}{}
	}
	go pipe(server, client)
	go pipe(client, server)
	<-done
}
