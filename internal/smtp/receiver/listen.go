package receiver

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// addressOf is the address of a peer, none where there is none.
func addressOf(c net.Conn) netip.Addr {
	p, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return p.Addr().Unmap().WithZone("")
}

// network is who an address is counted with: whoever has one of IPv6 has 2^64 of them.
func network(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return p.Addr()
}

// doorkeeper lets in so many connections, so many of them from one network, each for so long.
type doorkeeper struct {
	net.Listener
	session time.Duration

	mu     sync.Mutex
	in     map[*guest]bool
	from   map[netip.Addr]int
	closed bool
}

// Accept returns the next connection that is let in. Others are told to come back.
func (d *doorkeeper) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		g := &guest{Conn: c, keeper: d, of: network(addressOf(c))}
		g.session = time.AfterFunc(d.session, g.cut)
		if d.enter(g) {
			return g, nil
		}
		g.session.Stop()
		// So few bytes fit into the buffer of a new connection.
		_, _ = c.Write([]byte("421 4.7.0 Too many connections; come back later\r\n"))
		_ = c.Close()
	}
}

func (d *doorkeeper) enter(g *guest) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || len(d.in) >= connections || d.from[g.of] >= perAddress {
		return false
	}
	d.in[g] = true
	d.from[g.of]++
	return true
}

func (d *doorkeeper) left(g *guest) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.in[g] {
		return
	}
	delete(d.in, g)
	if d.from[g.of]--; d.from[g.of] <= 0 {
		delete(d.from, g.of)
	}
}

// close lets nobody in any more, and returns who is in.
func (d *doorkeeper) close() (in []*guest) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for g := range d.in {
		in = append(in, g)
	}
	return in
}

// guest is a connection that is heard for as long as its time and that of its mail last, however
// busy its peer looks, and no more once it was too slow. What it is owed is told it even then.
type guest struct {
	net.Conn
	keeper *doorkeeper
	of     netip.Addr
	// session cuts the peer short when the time of the connection is over.
	session *time.Timer

	mu sync.Mutex
	// mail cuts the peer short when the mail that is coming in takes too long, nil for none.
	mail *time.Timer
	// leaving says that nothing more is heard but a mail that began before, over that nothing is.
	leaving, over bool
}

// Close ends the connection.
func (g *guest) Close() error {
	g.session.Stop()
	g.end()
	g.keeper.left(g)
	return g.Conn.Close()
}

// Read reads what the peer says. A peer that was too slow once is not heard again: what it still
// has to say of a mail must not be taken for commands.
func (g *guest) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		g.cut()
	}
	return n, err
}

// past is a time that is over.
var past = time.Unix(1, 0)

// SetReadDeadline sets until when the peer is heard, unless it is heard no more.
func (g *guest) SetReadDeadline(t time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over || g.leaving && g.mail == nil {
		t = past
	}
	return g.Conn.SetReadDeadline(t)
}

// cut hears the peer no more.
func (g *guest) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	_ = g.Conn.SetReadDeadline(past)
}

// begin begins a mail, which must be whole after a time. It reports false when none may begin.
func (g *guest) begin(within time.Duration) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.leaving || g.over {
		return false
	}
	g.mail = time.AfterFunc(within, g.cut)
	return g.Conn.SetReadDeadline(time.Time{}) == nil
}

// end says that a mail is whole, or given up.
func (g *guest) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mail != nil {
		g.mail.Stop()
		g.mail = nil
	}
}

// leave has the peer heard no more, once the mail is done with that it has begun.
func (g *guest) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leaving = true
	if g.mail == nil {
		_ = g.Conn.SetReadDeadline(past)
	}
}

// guestOf is the guest of a connection of the library's.
func guestOf(c net.Conn) *guest {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	g, _ := c.(*guest)
	return g
}
