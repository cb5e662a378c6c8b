package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/limit"
	"parley/internal/mtproto/crypt"
	"parley/internal/mtproto/session"
	"parley/internal/mtproto/transport"
)

// Server serves clients on any number of listeners. It is safe for concurrent use.
type Server struct {
	o         Options
	metrics   *metrics
	transport atomic.Pointer[transport.Options]
	random    *crypt.Random
	gzip      session.Gzip
	exchanges *limit.Bucket[netip.Prefix]
	frames    frames
	queries   sync.Pool // of *[]session.Query
	keys      keys
	conns     conns
	writers   writers
	workers   workers
	links     atomic.Uint64
	draining  atomic.Bool

	ctx     context.Context // of queries; ends with the last connection
	cancel  context.CancelFunc
	running sync.WaitGroup // goroutines that Shutdown waits for

	acksMu sync.Mutex
	acks   []*Session

	places places
}

// New returns a server and starts its goroutines, which Shutdown stops. The options must be
// complete.
func New(o Options) *Server {
	o.Limits.fill()
	if o.Replay == nil {
		o.Replay = transport.NewReplayCache()
	}
	ctx, cancel := context.WithCancel(context.Background())
	random := crypt.NewRandom(o.Rand)
	s := &Server{
		o: o, metrics: newMetrics(o.Metrics), random: random, ctx: ctx, cancel: cancel,
		exchanges: limit.NewBucket[netip.Prefix](o.Limits.Handshakes, limit.BucketKeys, o.Clock),
		keys:      keys{byID: make(map[int64]*authKey), bound: make(map[int64][]*authKey)},
		conns:     conns{open: make(map[net.Conn]struct{}), each: make(map[netip.Prefix]int)},
	}
	s.SetSecrets(o.Secrets)
	s.gzip.PackFrom = o.Limits.PackFrom
	s.queries.New = func() any { return new([]session.Query) }
	s.writers.server, s.writers.some.L = s, &s.writers.mu
	s.workers.most, s.workers.some.L = o.Limits.Queries, &s.workers.mu
	for range runtime.GOMAXPROCS(0) {
		s.running.Go(s.writers.run)
	}
	s.running.Go(s.keepHouse)
	return s
}

// SetSecrets replaces the secrets of proxies. Connections that are open stay so.
func (s *Server) SetSecrets(secrets []transport.Secret) {
	s.transport.Store(&transport.Options{
		Secrets: secrets, Origins: s.o.Origins, Replay: s.o.Replay, Clock: s.o.Clock,
		Rand: s.random, Front: s.o.Front != nil,
	})
}

// Serve accepts connections from a listener until ctx ends, the listener is closed or the server
// shuts down, and then closes the listener. Other errors of accept are waited out.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	return s.listen(ctx, ln, false)
}

// ErrNoFront says that there is no website to hand strangers on to.
var ErrNoFront = errors.New("gateway: a hidden port needs a website to hand strangers on to")

// ServeHidden is Serve for a port that admits nothing but fake TLS with a secret, and hands on
// everybody else to Options.Front, so that it cannot be told from that website by asking it
// something. Without Front it is ErrNoFront.
func (s *Server) ServeHidden(ctx context.Context, ln net.Listener) error {
	if s.o.Front == nil {
		return ErrNoFront
	}
	return s.listen(ctx, ln, true)
}

func (s *Server) listen(ctx context.Context, ln net.Listener, hidden bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(ctx, func() { ln.Close() })
	context.AfterFunc(s.ctx, cancel)
	if !s.conns.listen(cancel) {
		return nil
	}
	pause := time.Duration(0)
	for {
		nc, err := ln.Accept()
		if err == nil {
			pause = 0
			s.admit(nc, hidden)
			continue
		}
		if errors.Is(err, net.ErrClosed) || ctx.Err() != nil {
			return nil
		}
		pause = min(max(2*pause, 5*time.Millisecond), limit.AcceptPause)
		s.o.Log.Warn("accept failed", "error", err, "pause", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil
		}
	}
}

// admit serves a connection if there is room for it.
func (s *Server) admit(nc net.Conn, hidden bool) {
	addr := addrOf(nc)
	if reason := s.conns.add(nc, addr.Addr(), &s.o.Limits); reason != "" {
		s.metrics.refused.WithLabelValues(reason).Inc()
		nc.Close()
		return
	}
	s.running.Go(func() {
		defer s.conns.remove(nc, addr.Addr())
		s.serve(nc, addr, hidden)
	})
}

func addrOf(nc net.Conn) netip.AddrPort {
	if tcp, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		at := tcp.AddrPort()
		return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	}
	return netip.AddrPort{}
}

// shutdownStep is how often Shutdown looks whether the work is done.
const shutdownStep = 10 * time.Millisecond

// Shutdown stops accepting and reading, waits until the queries that run are answered or ctx ends,
// closes all connections and waits until they have ended. The error is that of ctx if it cut
// something short.
func (s *Server) Shutdown(ctx context.Context) error {
	s.draining.Store(true)
	s.conns.stopListening()
	step := time.NewTicker(shutdownStep)
	defer step.Stop()
	for ctx.Err() == nil && s.workers.busy()+s.writers.waiting() > 0 {
		select {
		case <-step.C:
		case <-ctx.Done():
		}
	}
	s.cancel()
	s.workers.stop()
	s.writers.stop()
	s.conns.closeAll()
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("gateway: shutdown: %w", ctx.Err())
	}
}

// conns are the open connections, counted by where they come from.
type conns struct {
	mu     sync.Mutex
	open   map[net.Conn]struct{}
	each   map[netip.Prefix]int
	stop   []context.CancelFunc // of listeners
	closed bool
}

// Bits of an address that tell one client's site from another.
const (
	siteBits4 = 32
	siteBits6 = 64
)

// budgetOf returns the prefix for which connections and key exchanges are counted.
func budgetOf(a netip.Addr) netip.Prefix {
	bits := siteBits6
	if a.Is4() {
		bits = siteBits4
	}
	prefix, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}

// add counts a connection in, or returns why there is no room for it.
func (c *conns) add(nc net.Conn, a netip.Addr, l *Limits) (refusal string) {
	site := budgetOf(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return "shutdown"
	case len(c.open) >= l.Connections:
		return "connections"
	case site.IsValid() && c.each[site] >= l.ConnectionsPerAddress:
		return "address"
	}
	c.open[nc] = struct{}{}
	c.each[site]++
	return ""
}

func (c *conns) remove(nc net.Conn, a netip.Addr) {
	site := budgetOf(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, nc)
	if c.each[site]--; c.each[site] == 0 {
		delete(c.each, site)
	}
}

// listen registers how to stop a listener. It reports false after stopListening.
func (c *conns) listen(stop context.CancelFunc) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stop = append(c.stop, stop)
	return !c.closed
}

func (c *conns) stopListening() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, stop := range c.stop {
		stop()
	}
}

func (c *conns) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for nc := range c.open {
		nc.Close()
	}
}
