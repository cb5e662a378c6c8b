package gateway

import (
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"parley/internal/limit"
	"parley/internal/mtproto/crypt"
	"parley/internal/mtproto/session"
)

// States of a connection's write side.
const (
	atRest  = iota // nothing to write that a writer does not know of
	queued         // in the queue of the writers
	writing        // with a writer, or with the goroutine of a slow peer
	again          // the same, and something has come since
)

// writers share the work of writing: each takes a connection for which something waits, seals all
// of it into one buffer and writes that at once.
type writers struct {
	server *Server
	mu     sync.Mutex
	some   sync.Cond
	queue  fifo[*conn]
	idle   int
	closed bool
}

// wake has a connection written to. It is cheap when that is going to happen anyway.
func (w *writers) wake(c *conn) {
	for {
		switch state := c.state.Load(); state {
		case atRest:
			if c.state.CompareAndSwap(atRest, queued) {
				w.push(c)
				return
			}
		case writing:
			if c.state.CompareAndSwap(writing, again) {
				return
			}
		default:
			return
		}
	}
}

func (w *writers) push(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.queue.push(c)
	if w.idle > 0 {
		w.some.Signal()
	}
}

// run is one writer.
func (w *writers) run() {
	out := writer{server: w.server}
	for {
		w.mu.Lock()
		for w.queue.len() == 0 && !w.closed {
			w.idle++
			w.some.Wait()
			w.idle--
		}
		if w.closed {
			w.mu.Unlock()
			return
		}
		c := w.queue.pop()
		w.mu.Unlock()
		out.serve(c)
	}
}

func (w *writers) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed, w.queue = true, fifo[*conn]{}
	w.some.Broadcast()
}

// waiting returns how many connections wait for a writer.
func (w *writers) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queue.len()
}

// writer is what one writer needs.
type writer struct {
	server   *Server
	buf      []byte
	packet   session.Packet
	sessions []*Session
	extras   []extra
}

// serve writes what waits for a connection.
func (w *writer) serve(c *conn) {
	defer w.server.catch(c)
	c.state.Store(writing)
	w.buf = w.buf[:0]
	more := w.collect(c)
	if len(w.buf) > 0 {
		_, err := c.tc.Write(w.buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			w.buf = nil // It is the connection's until all of it is written.
			go c.drain()
			return
		case err != nil:
			c.close()
			return
		}
		if cap(w.buf) > 2*limit.WriteBatch {
			w.buf = nil
		}
	}
	c.wrote(more)
}

// wrote ends a turn of writing.
func (c *conn) wrote(more bool) {
	if !more && c.state.CompareAndSwap(writing, atRest) {
		if c.leaving.Load() && c.state.Load() == atRest {
			c.socket.finish()
		}
		return
	}
	c.state.Store(queued)
	c.server.writers.push(c)
}

// drain waits for a peer that does not take what was written, as long as it takes some of it.
func (c *conn) drain() {
	defer c.server.catch(c)
	c.server.metrics.slow.Inc()
	c.socket.patient.Store(true)
	for {
		c.tc.SetWriteDeadline(time.Now().Add(c.server.o.Limits.SlowWrite))
		n, err := c.tc.Flush()
		if err == nil {
			break
		}
		if n < limit.SlowBytes || !errors.Is(err, os.ErrDeadlineExceeded) {
			c.server.metrics.cut.Inc()
			c.close()
			return
		}
	}
	c.tc.SetWriteDeadline(time.Time{})
	c.socket.patient.Store(false)
	c.wrote(true)
}

// collect seals what waits for a connection, and reports whether there is more.
func (w *writer) collect(c *conn) (more bool) {
	c.mu.Lock()
	w.extras, c.extras = c.extras, nil
	w.sessions = append(w.sessions[:0], c.sessions...)
	c.mu.Unlock()
	for i := range w.extras {
		w.extra(c, &w.extras[i])
	}
	w.extras = nil
	now := w.server.o.Clock.Now()
	for _, s := range w.sessions {
		for !more && s.next(now, c, &w.packet) {
			w.seal(c, s.key)
			more = len(w.buf) >= limit.WriteBatch
		}
	}
	clear(w.sessions)
	w.packet.Body, w.packet.Patches = nil, nil
	return more
}

// next forms a session's next packet for a connection, and lets queries run that waited for room.
func (s *Session) next(now time.Time, c *conn, p *session.Packet) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.state.Next(now, c.link, p) {
		return false
	}
	s.start()
	s.uncrowd(false)
	return true
}

// headRoom is room for the header of a frame, whose length is known only when it is sealed.
const headRoom = 8

// seal appends the frame of a packet.
func (w *writer) seal(c *conn, key *authKey) {
	start := len(w.buf)
	w.buf = slices.Grow(w.buf, headRoom+len(w.packet.Body)+crypt.MaxOverhead+headRoom)
	w.buf = append(w.buf, make([]byte, headRoom)...)
	w.buf = crypt.AppendSealed(w.buf, &key.AuthKey, w.packet.Header, w.packet.Body,
		w.packet.Patches, w.server.random)
	w.frame(c, start)
}

// frame makes a frame of the payload that begins headRoom bytes after start.
func (w *writer) frame(c *conn, start int) {
	payload := w.buf[start+headRoom:]
	var room [headRoom]byte
	head := c.tc.BeginFrame(room[:0], len(payload))
	copy(w.buf[start:], head)
	w.buf = append(w.buf[:start+len(head)], payload...)
	w.buf = c.tc.EndFrame(w.buf, start)
}

// extra appends what is no session's.
func (w *writer) extra(c *conn, e *extra) {
	switch e.kind {
	case transportError:
		w.buf = c.tc.AppendError(w.buf, e.code)
	case quickAck:
		w.buf = c.tc.AppendQuickAck(w.buf, e.token)
	default:
		start := len(w.buf)
		w.buf = append(w.buf, make([]byte, headRoom)...)
		w.buf = append(w.buf, e.plain...)
		w.frame(c, start)
	}
}
