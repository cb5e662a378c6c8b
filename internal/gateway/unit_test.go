package gateway

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gotd/td/mt"
	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/limit"
	"parley/internal/mtproto/session"
)

// TestSocket: a write takes what fits and says that the rest is left; a patient one waits.
func TestSocket(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	peer, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	nc, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s := newSocket(nc)
	data := bytes.Repeat([]byte("data"), 16<<20)
	n, err := s.Write(data)
	var slow net.Error
	if n == 0 || n == len(data) || !errors.Is(err, os.ErrDeadlineExceeded) ||
		!errors.As(err, &slow) || !slow.Timeout() {
		t.Fatalf("wrote %d, %v", n, err)
	}
	if m, err := s.Write(data[n:]); m != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Logf("wrote %d more, %v", m, err)
		n += m
	}
	got := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(peer)
		got <- b
	}()
	s.patient.Store(true)
	if m, err := s.Write(data[n:]); m != len(data)-n || err != nil {
		t.Errorf("patiently wrote %d, %v", m, err)
	}
	s.finish()
	if !bytes.Equal(<-got, data) {
		t.Error("the peer received something else")
	}
	s.patient.Store(false)
	if _, err := s.Write(data[:4]); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the end: %v", err)
	}
}

func TestSocketWithoutFile(t *testing.T) {
	a, b := net.Pipe()
	s := newSocket(a)
	go s.Write([]byte("data"))
	buf := make([]byte, 4)
	if _, err := io.ReadFull(b, buf); err != nil || string(buf) != "data" {
		t.Errorf("read %q, %v", buf, err)
	}
	s.finish()
	if _, err := b.Read(buf); err != io.EOF {
		t.Error(err)
	}
}

func TestFIFO(t *testing.T) {
	var q fifo[int]
	next, want := 0, 0
	for round := range 200 {
		for range round % 7 {
			q.push(next)
			next++
		}
		for range min(round%5, q.len()) {
			if got := q.pop(); got != want {
				t.Fatalf("popped %d, want %d", got, want)
			}
			want++
		}
		if q.len() != next-want {
			t.Fatalf("length %d, want %d", q.len(), next-want)
		}
	}
	if cap(q.items) > 4*(next-want)+64 {
		t.Errorf("capacity %d for %d items", cap(q.items), q.len())
	}
}

// TestWaitTimeout: a query does not wait for ever for one that takes long.
func TestWaitTimeout(t *testing.T) {
	w := newWorld(t)
	c := w.client()
	c.answer(c.send(method()))
	s := w.Sessions(c.key.IntID())[0]
	release := make(chan struct{})
	defer close(release)
	w.invoke = nil
	s.mu.Lock()
	defer s.mu.Unlock()
	running := c.msgID()
	_, err := s.state.Receive(time.Now(), session.Envelope{
		Link: 1, Salt: c.salt, MsgID: running, SeqNo: 1, Body: method(),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	follower := &task{session: s, arrived: time.Now(), query: session.Query{
		MsgID: c.msgID(), After: []int64{running},
	}}
	if v, _ := s.judge(follower); v != wait {
		t.Errorf("verdict %d", v)
	}
	follower.arrived = follower.arrived.Add(-limit.AfterResult)
	if v, fault := s.judge(follower); v != refuse || fault != errWaitTimeout {
		t.Errorf("verdict %d, %v", v, fault)
	}
	follower.query.After[0] = running - 4
	if v, fault := s.judge(follower); v != refuse || fault != errWaitFailed {
		t.Errorf("verdict %d, %v", v, fault)
	}
}

// TestMetrics: what is counted is named, and nothing in it tells of anybody.
func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	w := newWorld(t, func(o *Options) { o.Metrics = registry })
	c := w.client()
	c.answer(c.send(method()))
	c.salt++
	c.send(method())
	c.of(mt.BadServerSaltTypeID)
	all, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, family := range all {
		for _, m := range family.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			names = append(names, family.GetName()+"{"+strings.Join(labels, ",")+"}")
		}
	}
	for _, want := range []string{
		"parley_gateway_connections{transport=plain/intermediate}",
		"parley_gateway_queries_total{code=ok}", "parley_gateway_bad_messages_total{code=48}",
		"parley_gateway_sessions{}", "parley_gateway_overflows_total{}",
	} {
		if !slices.Contains(names, want) {
			t.Errorf("no %s in %v", want, names)
		}
	}
}

// TestFrames put back serve again, unless they grew too large.
func TestFramesReused(t *testing.T) {
	var p frames
	for _, size := range []int{0, 1, 1 << 10, 5000, limit.FrameKeyed} {
		f := p.get(nil, size)
		if cap(f.buf) < size {
			t.Errorf("room for %d of %d bytes", cap(f.buf), size)
		}
		f.buf = append(f.buf[:0], make([]byte, size)...)
		p.put(f)
	}
	f := p.get(nil, 10)
	f.buf = make([]byte, 1<<20)
	p.put(f)
	if again := p.get(nil, 10); cap(again.buf) > 4<<10 {
		t.Error("a small frame kept a large buffer")
	}
}

// TestWorkers runs many more tasks than there are workers, some of which start others.
func TestWorkers(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Limits.Queries = 3 })
	var running, most, runs atomic.Int32
	w.invoke = slowly(&running, &most, &runs)
	var clients []*raw
	for range 5 {
		c := w.client()
		for range 20 {
			c.send(method())
		}
		clients = append(clients, c)
	}
	eventually(t, "all ran", func() bool { return runs.Load() == 100 })
	if most.Load() > 3 {
		t.Errorf("%d at once", most.Load())
	}
	for _, c := range clients {
		c.ping()
	}
	eventually(t, "idle", func() bool { return w.workers.busy() == 0 })
}
