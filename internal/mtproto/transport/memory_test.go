//go:build !race

package transport

import (
	"io"
	"net"
	"runtime"
	"testing"
	"time"
)

// idleBudget is what a connection that waits for a frame may cost, in bytes, with its goroutine.
const idleBudget = 5 << 10

// TestIdleConnectionsAreSmall measures connections that spoke once and now wait, in a goroutine
// that does nothing else.
func TestIdleConnectionsAreSmall(t *testing.T) {
	idleCost(t, Plain) // the runtime learns how small stacks may be
	sockets := socketCost(t)
	for _, carrier := range []Carrier{Plain, Obfuscated, WebSocket, FakeTLS} {
		each := idleCost(t, carrier) - sockets/2
		t.Logf("%v: %d bytes per connection", carrier, each)
		if each > idleBudget {
			t.Errorf("%v: %d bytes per connection", carrier, each)
		}
	}
}

// idleCost returns what each of many idle connections costs, with both ends of the socket.
func idleCost(t *testing.T, carrier Carrier) int {
	frames, done := make(chan *Conn), make(chan struct{})
	defer close(frames)
	go serve(t, frames, done)
	addr, results := listen(t, testOptions(t))
	var open [2 * idleConnections]io.Closer
	before := memoryInUse()
	for i := range idleConnections {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		nc.Write(conversation(t, carrier))
		r := <-results
		if r.err != nil {
			t.Fatal(r.err)
		}
		open[2*i], open[2*i+1] = nc, r.conn
		go await(r.conn, frames, done)
		if _, err := io.ReadFull(nc, make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
	}
	each := (memoryInUse() - before) / idleConnections
	for _, s := range open {
		s.Close()
	}
	return each
}

const idleConnections = 1000

// socketCost returns what a pair of sockets costs by itself. Half of it is not ours: the peer lives
// in the same process.
func socketCost(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var open []net.Conn
	before := memoryInUse()
	for range idleConnections {
		for _, connect := range []func() (net.Conn, error){
			func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) }, l.Accept,
		} {
			nc, err := connect()
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			open = append(open, nc)
		}
	}
	return (memoryInUse() - before) / len(open) * 2
}

// await waits for frames and leaves them to serve, which has a larger stack and a buffer.
func await(c *Conn, frames chan<- *Conn, done <-chan struct{}) {
	for {
		if _, err := c.Await(); err != nil {
			return
		}
		frames <- c
		<-done
	}
}

// serve sends every frame back.
func serve(t *testing.T, frames <-chan *Conn, done chan<- struct{}) {
	buf := make([]byte, 0, 4096)
	for c := range frames {
		f, err := c.ReadFrame(buf)
		if err != nil {
			t.Error(err)
		}
		if _, err := c.Write(appendFrame(c, nil, f.Payload)); err != nil {
			t.Error(err)
		}
		done <- struct{}{}
	}
}

// conversation is what a client says up to and including its first frame.
func conversation(t *testing.T, carrier Carrier) []byte {
	if carrier == Plain {
		return append([]byte{0xef}, frame(Abridged, 0, message(20))...)
	}
	var s Secret
	if carrier == FakeTLS {
		s = secret(t, "ee")
	}
	header, encrypt := obfuscatedOpening(t, Abridged, 2, s)
	m := frame(Abridged, 0, message(20))
	encrypt.XORKeyStream(m, m)
	stream := append(header, m...)
	switch carrier {
	case WebSocket:
		return append([]byte(wsRequest("/apiws")), wsFrame(0x82, stream)...)
	case FakeTLS:
		return append(clientHelloRecord(s, time.Now(), 32, 400), record(0x17, stream)...)
	}
	return stream
}

func memoryInUse() int {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}
