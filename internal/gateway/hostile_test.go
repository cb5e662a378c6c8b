package gateway

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gotd/td/crypto"
	"github.com/gotd/td/mt"
	"github.com/gotd/td/tg"
	dto "github.com/prometheus/client_model/go"

	"parley/internal/limit"
	"parley/internal/mtproto/session"
)

// control is a client that goes about its business while others misbehave.
func (w *world) control() (check func()) {
	c := w.client()
	c.answer(c.send(method()))
	return func() {
		w.t.Helper()
		start := time.Now()
		c.answer(c.send(method()))
		fresh := w.client()
		fresh.answer(fresh.send(method()))
		if took := time.Since(start); took > 5*time.Second {
			w.t.Errorf("others waited for %v", took)
		}
	}
}

// code waits for a transport error.
func (r *raw) code() int32 {
	r.t.Helper()
	m := r.await(func(m *received) bool { return m.code != 0 })
	return m.code
}

// TestUnknownKey: the client is told, and may go on with a key that is known.
func TestUnknownKey(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	c.answer(c.send(method()))
	known, unknown := c.key, crypto.Key{1}.WithID()
	for range limit.UnknownKeys {
		c.key = unknown
		c.send(method())
		if code := c.code(); code != codeNotFound {
			t.Fatalf("code %d", code)
		}
		c.key = known
		c.answer(c.send(method()))
	}
	c.key = unknown
	c.send(method())
	if code := c.code(); code != codeFlood {
		t.Errorf("code %d", code)
	}
	c.closed()

	large := w.client()
	large.key = unknown
	large.send(make([]byte, 2*limit.FrameUnkeyed))
	if code := large.code(); code != codeNotFound {
		t.Errorf("code %d", code)
	}
	large.closed()
}

// TestTampered: what does not open ends the connection without a word.
func TestTampered(t *testing.T) {
	w := newWorld(t)
	check := w.control()
	c := w.client()
	frame := c.seal(c.msgID(), 1, method())
	for name, damage := range map[string]func([]byte) []byte{
		"msg_key":   func(b []byte) []byte { b[4+10] ^= 1; return b },
		"data":      func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"truncated": func(b []byte) []byte { b = b[:len(b)-16]; b[0] -= 16; return b },
		"session 0": func([]byte) []byte { c.session = 0; return c.seal(c.msgID(), 1, method()) },
	} {
		c.connect(w.addr)
		c.write(damage(append([]byte(nil), frame...)))
		got, err := c.receive(patience)
		if len(got) != 0 || err == nil || errors.Is(err, errTimeout) {
			t.Errorf("%s: received %d messages, %v", name, len(got), err)
		}
	}
	check()
}

// TestFrames sends what is no frame.
func TestFrames(t *testing.T) {
	w := newWorld(t, many)
	check := w.control()
	for _, first := range []string{"\xef", "\xee\xee\xee\xee", "\xdd\xdd\xdd\xdd", ""} {
		for _, length := range []uint32{0, 1, 3, 4, 7, 8, 0x7f, 0x7fffffff, 0xffffffff, 1 << 24} {
			nc, err := net.Dial("tcp", w.addr)
			if err != nil {
				t.Fatal(err)
			}
			nc.Write(append([]byte(first), binary.LittleEndian.AppendUint32(nil, length)...))
			nc.Write(make([]byte, 64))
			nc.(*net.TCPConn).CloseWrite()
			nc.SetReadDeadline(time.Now().Add(patience))
			if _, err := io.Copy(io.Discard, nc); errors.Is(err, errTimeout) {
				t.Errorf("after %q, length %x: still open", first, length)
			}
			nc.Close()
		}
	}
	check()
}

// TestSilent: many that say nothing, or half of something, are closed in time, and nobody waits for
// them.
func TestSilent(t *testing.T) {
	w := newWorld(t, many, func(o *Options) { o.Limits.Unkeyed = 500 * time.Millisecond })
	check := w.control()
	starts := [][]byte{
		nil, {0xef}, {0xee, 0xee, 0xee, 0xee}, {0xee, 0xee, 0xee, 0xee, 40, 0, 0, 0},
		{0xee, 0xee, 0xee, 0xee, 0, 0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8},
		{0xef, 0x7f, 0xff, 0xff, 0x7f},
	}
	var all []net.Conn
	for i := range 1200 {
		nc, err := net.Dial("tcp", w.addr)
		if err != nil {
			t.Fatal(err)
		}
		nc.Write(starts[i%len(starts)])
		all = append(all, nc)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	check()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("%d bytes for silent connections", grown)
	}
	for i, nc := range all {
		nc.SetReadDeadline(time.Now().Add(patience))
		if _, err := nc.Read(make([]byte, 1)); errors.Is(err, errTimeout) {
			t.Fatalf("connection %d is still open", i)
		}
		nc.Close()
	}
}

// TestLargeClaim: an announced length claims no memory of its size.
func TestLargeClaim(t *testing.T) {
	w := newWorld(t, many)
	var all []*raw
	var before, after runtime.MemStats
	for range 200 {
		c := w.client()
		c.answer(c.send(method()))
		all = append(all, c)
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	for _, c := range all {
		frame := c.seal(c.msgID(), 1, make([]byte, 1<<20))
		c.write(frame[:2000])
	}
	time.Sleep(100 * time.Millisecond)
	runtime.GC()
	runtime.ReadMemStats(&after)
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	if each := grown / int64(len(all)); each > 2*limit.FrameStep {
		t.Errorf("%d bytes each", each)
	}
}

// TestPerAddress: one address gets so many connections, and no others suffer.
func TestPerAddress(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Limits.ConnectionsPerAddress = 3 })
	var all []*raw
	for range 3 {
		c := w.client()
		c.answer(c.send(method()))
		all = append(all, c)
	}
	nc, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	nc.SetReadDeadline(time.Now().Add(limit.FirstBytes / 2))
	if _, err := nc.Read(make([]byte, 1)); errors.Is(err, errTimeout) || err == nil {
		t.Errorf("the fourth connection: %v", err)
	}
	nc.Close()
	all[0].nc.Close()
	eventually(t, "room", func() bool {
		w.conns.mu.Lock()
		defer w.conns.mu.Unlock()
		return len(w.conns.open) == 2
	})
	c := w.client()
	c.answer(c.send(method()))
}

func TestConnectionsInAll(t *testing.T) {
	l := Limits{Connections: 2, ConnectionsPerAddress: 2}
	c := conns{open: make(map[net.Conn]struct{}), each: nil}
	c.each = map[prefix]int{}
	pipes := make([]net.Conn, 3)
	for i := range pipes {
		pipes[i], _ = net.Pipe()
	}
	for i, want := range []string{"", "", "connections"} {
		if got := c.add(pipes[i], address("10.0.0.1").Next(), &l); got != want {
			t.Errorf("connection %d: %q, want %q", i, got, want)
		}
	}
}

// TestExchangeRate: the costly part of key exchanges is rationed.
func TestExchangeRate(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Limits.Handshakes = limit.Rate{Burst: 2, Per: time.Hour}
	})
	for i, want := range []int32{codeNotFound, codeNotFound, codeFlood} {
		c := w.client()
		c.sendPlain(&mt.ReqDHParamsRequest{})
		if code := c.code(); code != want {
			t.Errorf("exchange %d: code %d, want %d", i, code, want)
		}
	}
}

// TestServiceFlood: who asks for more service than any client needs is told so, and cut off.
func TestServiceFlood(t *testing.T) {
	w := newWorld(t)
	check := w.control()
	c := w.client()
	c.send(c.encode(&mt.MsgsAck{MsgIDs: make([]int64, limit.ServiceIDs+1)}))
	if code := c.code(); code != codeFlood {
		t.Errorf("code %d", code)
	}
	c.closed()
	check()
}

// fileBytes is an answer that is not compressed.
func fileBytes(n int) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, tg.UploadFileTypeID), make([]byte, n)...)
}

// TestSlowReader: who asks for much and reads nothing costs a bounded amount of memory, then its
// connection, and nobody else's time.
func TestSlowReader(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Limits.SlowWrite = 2 * time.Second })
	var runs atomic.Int32
	w.invoke = func(_ context.Context, _ *Session, q session.Query) ([]byte, error) {
		if len(q.Body) == 4 {
			return trueValue(), nil
		}
		runs.Add(1)
		return fileBytes(512 << 10), nil
	}
	check := w.control()
	var slow []*raw
	for range 4 {
		c := w.client()
		c.nc.(*net.TCPConn).SetReadBuffer(4 << 10)
		slow = append(slow, c)
	}
	for _, c := range slow {
		go func() {
			for range 500 {
				if _, err := c.nc.Write(c.seal(c.msgID(), 1, method(1))); err != nil {
					return
				}
			}
		}()
	}
	for range 10 {
		check()
	}
	if n := runs.Load(); n > 4*40 {
		t.Errorf("%d answers for those who do not read", n)
	}
	for _, c := range slow {
		eventually(t, "cut", func() bool {
			_, err := c.nc.Write(c.seal(c.msgID(), 1, method()))
			return err != nil
		})
	}
	check()
}

// reluctant is a connection that is read slowly.
type reluctant struct{ net.Conn }

func (c reluctant) Read(p []byte) (int, error) {
	const most = 64 << 10
	time.Sleep(5 * time.Millisecond)
	return c.Conn.Read(p[:min(len(p), most)])
}

// TestSlowButAlive: who reads slowly but steadily gets everything, while others are served.
func TestSlowButAlive(t *testing.T) {
	w := newWorld(t)
	w.invoke = func(_ context.Context, _ *Session, q session.Query) ([]byte, error) {
		if len(q.Body) == 4 {
			return trueValue(), nil
		}
		return fileBytes(1 << 20), nil
	}
	other, c := w.client(), w.client()
	c.nc.(*net.TCPConn).SetReadBuffer(256 << 10)
	var ids []int64
	for range 16 {
		ids = append(ids, c.send(method(1)))
	}
	c.nc = reluctant{c.nc}
	for _, id := range ids {
		// Nobody reads for the slow one meanwhile: others who waited for it would wait for good.
		for range 4 {
			other.answer(other.send(method(1)))
		}
		if got := c.answer(id); !bytes.Equal(got, fileBytes(1<<20)) {
			t.Error("the answer is damaged")
		}
	}
	var slow dto.Metric
	if err := w.metrics.slow.Write(&slow); err != nil || slow.GetCounter().GetValue() == 0 {
		t.Errorf("it was not slow: %v", err)
	}
}

// failing is a listener that fails now and then.
type failing struct {
	net.Listener
	calls atomic.Int32
}

func (l *failing) Accept() (net.Conn, error) {
	if l.calls.Add(1)%2 == 1 {
		return nil, errors.New("too many open files")
	}
	return l.Listener.Accept()
}

func TestAcceptErrors(t *testing.T) {
	w := newWorld(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- w.Serve(ctx, &failing{Listener: ln}) }()
	w.addr = ln.Addr().String()
	for range 3 {
		c := w.client()
		c.answer(c.send(method()))
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := w.Serve(t.Context(), ln); err != nil {
		t.Errorf("closed listener: %v", err)
	}
}

// TestProbes opens and closes connections.
func TestProbes(t *testing.T) {
	w := newWorld(t, many)
	check := w.control()
	var probes sync.WaitGroup
	for range 8 {
		probes.Go(func() {
			for range 200 {
				if nc, err := net.Dial("tcp", w.addr); err == nil {
					nc.(*net.TCPConn).SetLinger(0)
					nc.Close()
				}
			}
		})
	}
	probes.Wait()
	check()
	eventually(t, "forgotten", func() bool {
		w.conns.mu.Lock()
		defer w.conns.mu.Unlock()
		return len(w.conns.open) <= 3
	})
}

// TestPanicOutside: a panic that no handler caused ends one connection.
func TestPanicOutside(t *testing.T) {
	w := newWorld(t)
	check := w.control()
	w.ordered = func(query []byte) bool {
		if len(query) > 4 {
			panic("ordered")
		}
		return false
	}
	c := w.client()
	c.send(method(1))
	c.closed()
	check()
}
