package gateway

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gotd/td/mt"

	"parley/internal/limit"
	"parley/internal/mtproto/crypt"
	"parley/internal/mtproto/handshake"
	"parley/internal/mtproto/session"
	"parley/internal/mtproto/transport"
)

// Transport errors.
//
// https://core.telegram.org/mtproto/mtproto-transports#transport-errors
const (
	codeNotFound = -404
	codeFlood    = -429
)

// Why connections end. A peer that only went away has none of these.
var (
	errSealed   = errors.New("envelope does not open")
	errSession  = errors.New("session id is zero")
	errKeys     = errors.New("too many unknown keys")
	errLargeKey = errors.New("large frame under an unknown key")
	errRate     = errors.New("too many key exchanges")
)

// conn is one connection. Its goroutine reads; writers write.
type conn struct {
	server  *Server
	tc      *transport.Conn
	socket  *socket
	link    session.Link
	addr    netip.AddrPort
	state   atomic.Uint32 // of writing
	leaving atomic.Bool   // to be closed as soon as what waits is written

	// Of the reading goroutine.
	key      *authKey
	session  *Session
	exchange *handshake.Exchange
	plainAt  time.Time // when the exchange was last used
	deadline time.Time
	delay    time.Duration // that the client asked for between packets
	unknown  int           // frames under unknown keys
	largest  int           // of the frames that arrived whole

	mu       sync.Mutex
	sessions []*Session // that came over the connection
	extras   []extra
	closed   bool
}

// extra is something to write that is no session's.
type extra struct {
	kind  extraKind
	code  int32  // of a transport error
	token uint32 // of a quick acknowledgement
	plain []byte // unencrypted message
}

type extraKind uint8

const (
	plainMessage extraKind = iota
	transportError
	quickAck
)

// serve runs a connection until nothing more is read from it.
func (s *Server) serve(nc net.Conn, addr netip.AddrPort, hidden bool) {
	defer func() {
		if p := recover(); p != nil {
			s.panicked(p)
			nc.Close()
		}
	}()
	sock := newSocket(nc)
	o := *s.transport.Load()
	o.Hidden = hidden
	tc, err := transport.Accept(sock, o)
	var stranger *transport.StrangerError
	if errors.As(err, &stranger) {
		s.front(nc, stranger)
		nc.Close()
		return
	}
	if err != nil {
		s.metrics.refused.WithLabelValues("transport").Inc()
		return
	}
	c := &conn{
		server: s, tc: tc, socket: sock, addr: addr, link: session.Link(s.links.Add(1)),
	}
	kind := s.metrics.connections.WithLabelValues(tc.Kind().String())
	kind.Inc()
	defer kind.Dec()
	defer c.end()
	c.ended(c.read())
}

// ended counts and logs why reading ended, if that is remarkable.
func (c *conn) ended(err error) {
	reason := ""
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		reason = "timeout"
	case errors.Is(err, errSealed), errors.Is(err, errSession):
		reason = "sealed"
	case errors.Is(err, errKeys), errors.Is(err, errLargeKey):
		reason = "unknown key"
	case errors.Is(err, session.ErrFlood), errors.Is(err, errRate):
		reason = "flood"
	case errors.Is(err, transport.ErrFrameLength), errors.Is(err, transport.ErrFrameTooLong),
		errors.Is(err, transport.ErrChecksum), errors.Is(err, transport.ErrSequence),
		errors.Is(err, transport.ErrRecord):
		reason = "frame"
	default:
		return
	}
	c.server.metrics.refused.WithLabelValues(reason).Inc()
}

// end takes the connection out of everything after its last frame was read, and closes it. If the
// client is to hear why, what it still sends is read and ignored for a moment: closing a socket
// with unread bytes would make the client's kernel drop what it has not read either.
func (c *conn) end() {
	c.mu.Lock()
	sessions := c.sessions
	c.sessions = nil
	c.mu.Unlock()
	for _, s := range sessions {
		s.detach(c)
	}
	if c.leaving.Load() {
		c.server.writers.wake(c)
		c.tc.SetReadDeadline(time.Now().Add(limit.Farewell))
		io.Copy(io.Discard, c.socket)
	}
	c.close()
}

// close closes the socket, which ends reading.
func (c *conn) close() {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	c.closed = true
	sessions := slices.Clone(c.sessions)
	c.mu.Unlock()
	c.tc.Close()
	for _, s := range sessions {
		s.mu.Lock()
		s.uncrowd(true)
		s.mu.Unlock()
	}
}

// isClosed reports whether close was called.
func (c *conn) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// add notes that a session came over the connection.
func (c *conn) add(s *Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.sessions, s) {
		c.sessions = append(c.sessions, s)
	}
}

// send queues what is no session's.
func (c *conn) send(e extra) {
	c.mu.Lock()
	if c.closed || len(c.extras) >= limit.NoticesHeld {
		c.mu.Unlock()
		return
	}
	c.extras = append(c.extras, e)
	c.mu.Unlock()
	c.server.writers.wake(c)
}

// fail tells the client a transport error, after which the connection ends.
func (c *conn) fail(code int32, err error) error {
	c.send(extra{kind: transportError, code: code})
	c.leaving.Store(true)
	return err
}

// await sets how long the next frame may take. A deadline is not moved for a second or two.
func (c *conn) await(d time.Duration) error {
	const fine = 2 * time.Second
	at := time.Now().Add(d)
	if gain := at.Sub(c.deadline); gain >= 0 && gain < fine {
		return nil
	}
	c.deadline = at
	return c.tc.SetReadDeadline(at)
}

// read reads frames until the connection ends.
func (c *conn) read() error {
	if err := c.await(c.server.o.Limits.Unkeyed); err != nil {
		return err
	}
	for {
		head, err := c.tc.Await()
		if err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
		if c.server.draining.Load() {
			<-c.server.ctx.Done()
			return nil
		}
		if err := c.frame(head); err != nil {
			return err
		}
		if c.session == nil {
			continue
		}
		c.session.settle(c)
		if err := c.await(c.patience()); err != nil {
			return err
		}
	}
}

// patience returns how long the client may be silent.
func (c *conn) patience() time.Duration {
	if c.delay != 0 {
		return c.delay
	}
	return c.server.o.Limits.Idle
}

// frame reads one frame and acts on it.
func (c *conn) frame(head transport.Head) error {
	key, err := c.find(head)
	if err != nil {
		return err
	}
	room := head.Size
	if key == nil {
		c.tc.SetMaxFrame(limit.FrameUnkeyed)
	} else {
		c.tc.SetMaxFrame(limit.FrameKeyed)
		room = min(room, max(limit.FrameStep, 2*c.largest))
	}
	if head.Size > frameSizes[0] {
		if err := c.await(min(limit.FrameTime, time.Until(c.deadline))); err != nil {
			return err
		}
	}
	f := c.server.frames.get(c, min(room, limit.FrameKeyed))
	f.refs.Store(1)
	defer f.release()
	got, err := c.tc.ReadFrame(f.buf)
	if err != nil {
		return err
	}
	f.buf = got.Payload
	c.largest = max(c.largest, len(got.Payload))
	switch {
	case got.Idle():
		return nil
	case head.KeyID == 0:
		return c.plain(got.Payload)
	case key == nil:
		return c.unknownKey()
	}
	f.quick = got.QuickAck
	return c.sealed(key, f)
}

// find returns the key of the frame at hand, nil if it has none or an unknown one.
func (c *conn) find(head transport.Head) (*authKey, error) {
	if head.KeyID == 0 {
		return nil, nil
	}
	if k := c.key; k != nil && k.ID == head.KeyID && k.fresh(c.server.o.Clock.Now()) {
		return k, nil
	}
	k, err := c.server.findKey(c.server.ctx, head.KeyID)
	switch {
	case err == nil:
		return k, nil
	case !errors.Is(err, ErrNoKey):
		c.server.o.Log.Error("key lookup failed", "error", err)
		return nil, err
	case head.Size > limit.FrameUnkeyed:
		return nil, c.fail(codeNotFound, errLargeKey)
	}
	return nil, nil
}

// unknownKey tells the client that its key is not known, and keeps all other state.
func (c *conn) unknownKey() error {
	c.unknown++
	if c.unknown > limit.UnknownKeys {
		return c.fail(codeFlood, errKeys)
	}
	c.send(extra{kind: transportError, code: codeNotFound})
	return nil
}

// plain takes an unencrypted message, which belongs to a key exchange.
func (c *conn) plain(payload []byte) error {
	const idAt = 20
	if len(payload) >= idAt+4 &&
		binary.LittleEndian.Uint32(payload[idAt:]) == mt.ReqDHParamsRequestTypeID {
		if _, ok := c.server.exchanges.Allow(budgetOf(c.addr.Addr())); !ok {
			return c.fail(codeFlood, errRate)
		}
	}
	if c.exchange == nil {
		c.exchange = c.server.o.Handshake.Start()
	}
	c.plainAt = time.Now()
	reply, done, err := c.exchange.Step(c.server.ctx, payload)
	var refused *handshake.Error
	if errors.As(err, &refused) {
		return c.refusePlain(refused)
	}
	if err != nil {
		return err
	}
	if done != nil {
		c.server.addKey(done)
		clear(done.Key.Value[:])
		if c.session == nil {
			err = c.await(c.server.o.Limits.Unkeyed)
		}
	}
	if reply != nil {
		c.send(extra{plain: reply})
	}
	return err
}

// refusePlain passes on what a key exchange found wrong.
func (c *conn) refusePlain(e *handshake.Error) error {
	c.server.metrics.handshakes.WithLabelValues("refused").Inc()
	if e.Err != nil {
		c.server.o.Log.Error("key exchange failed", "error", e)
	}
	switch {
	case e.Close && e.Code != handshake.None:
		return c.fail(int32(e.Code), e)
	case e.Close:
		return e
	case e.Code != handshake.None:
		c.send(extra{kind: transportError, code: int32(e.Code)})
	}
	return nil
}

// sealed takes an encrypted message.
func (c *conn) sealed(key *authKey, f *frame) error {
	plain, err := crypt.Open(&key.AuthKey, f.buf)
	if err != nil {
		f.quick = false
		return errSealed
	}
	if plain.SessionID == 0 {
		f.quick = false
		return errSession
	}
	f.token = plain.QuickAck
	for {
		s := c.session
		if s == nil || s.key != key || s.id != plain.SessionID {
			s = key.session(plain.SessionID)
		}
		if s == nil {
			f.quick = false
			return c.unknownKey()
		}
		alive, err := s.receive(c, &plain, f)
		if !alive {
			c.session = nil
			continue
		}
		c.key, c.session = key, s
		if err != nil {
			f.quick = false
			var bad *session.BadMsgError
			if !errors.As(err, &bad) {
				return c.fail(codeFlood, err)
			}
			return nil
		}
		break
	}
	if c.exchange != nil && time.Since(c.plainAt) > c.server.o.Limits.Unkeyed {
		c.exchange = nil
	}
	return nil
}
