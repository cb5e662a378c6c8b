package receiver

import (
	"net"
	"net/netip"
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
	mu   sync.Mutex
	all  int
	from map[netip.Addr]int
}

// Accept returns the next connection that is let in. Others are told to come back.
func (d *doorkeeper) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		of := network(addressOf(c))
		if d.enter(of) {
			over := time.AfterFunc(sessionTime, func() { _ = c.Close() })
			return &guest{Conn: c, leave: sync.OnceFunc(func() {
				over.Stop()
				d.left(of)
			})}, nil
		}
		// So few bytes fit into the buffer of a new connection.
		_, _ = c.Write([]byte("421 4.7.0 Too many connections; come back later\r\n"))
		_ = c.Close()
	}
}

func (d *doorkeeper) enter(of netip.Addr) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all >= connections || d.from[of] >= perAddress {
		return false
	}
	d.all++
	d.from[of]++
	return true
}

func (d *doorkeeper) left(of netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all--
	if d.from[of]--; d.from[of] <= 0 {
		delete(d.from, of)
	}
}

// guest is a connection that ends when its time is over, however busy its peer looks.
type guest struct {
	net.Conn
	leave func()
}

// Close ends the connection.
func (g *guest) Close() error {
	g.leave()
	return g.Conn.Close()
}
