package gateway

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/limit"
	"parley/internal/mtproto/crypt"
	"parley/internal/mtproto/session"
)

// Session is one session of a client, over whatever connections it has at the moment. Its methods
// are safe for concurrent use.
type Session struct {
	id      int64
	key     *authKey
	server  *Server
	revoked atomic.Bool

	mu         sync.Mutex
	state      session.Session
	conns      []*conn // that proved to be the client's, the newest last
	addr       netip.AddrPort
	dc         int
	attachment any
	active     int64 // when the client was last heard of, in Unix seconds
	told       bool  // a handler knows the session
	closed     bool
	trimmed    bool // since it was last active
	acking     bool // it is on the list of those with something to acknowledge

	pending []*task // waiting to run, by msg_id
	running int
	ordered bool          // an ordered query runs
	failed  []int64       // queries that failed, for those that follow them
	crowd   chan struct{} // closed when the reader may go on; nil when nobody waits
}

func newSession(k *authKey, id int64, now time.Time) *Session {
	var unique [8]byte
	k.server.random.Read(unique[:])
	return &Session{
		id: id, key: k, server: k.server, active: now.Unix(),
		state: session.New(session.Options{
			ID: id, Unique: int64(binary.LittleEndian.Uint64(unique[:])), Floor: k.floor,
			Salts: k, Gzip: &k.server.gzip,
		}),
	}
}

// ID returns the session_id, which the client chose. It is unique for one key only.
func (s *Session) ID() int64 { return s.id }

// KeyID returns the id of the permanent auth key, 0 while a temporary one is not bound to any.
func (s *Session) KeyID() int64 { return s.key.perm.Load() }

// TempKeyID returns the id of the temporary auth key that the session uses, 0 if it uses none.
func (s *Session) TempKeyID() int64 {
	if s.key.temp {
		return s.key.ID
	}
	return 0
}

// DC returns the number of the data centre that the client believes to talk to, 0 when it never
// named one.
func (s *Session) DC() int {
	if s.key.dc != 0 {
		return s.key.dc
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dc
}

// RemoteAddr returns the address of the newest connection, or of the last one that there was.
func (s *Session) RemoteAddr() netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// IP returns the address of RemoteAddr as text.
func (s *Session) IP() string { return s.RemoteAddr().Addr().String() }

// Online reports whether the session has a connection.
func (s *Session) Online() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns) > 0
}

// LastActive returns when the client was last heard of.
func (s *Session) LastActive() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Unix(s.active, 0)
}

// Attach keeps a value with the session, in place of an earlier one.
func (s *Session) Attach(v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attachment = v
}

// Attachment returns the value of Attach, or nil.
func (s *Session) Attachment() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attachment
}

// AttachIfNone keeps a value with the session unless there is one, and returns what is there: of
// queries that run at once, each may be the first.
func (s *Session) AttachIfNone(v any) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.attachment == nil {
		s.attachment = v
	}
	return s.attachment
}

// Push queues a body for the client and returns at once. It is kept until the client acknowledges
// it, over as many connections as that takes, within bounds; beyond them the client is told to ask
// for what it missed. A body that cannot be sent is dropped.
func (s *Session) Push(body session.Body) {
	if err := body.Check(); err != nil {
		s.server.o.Log.Error("push refused", "error", err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.revoked.Load() {
		return
	}
	lost := s.state.Lost()
	s.state.Push(body)
	if !lost && s.state.Lost() {
		s.server.metrics.overflows.Inc()
	}
	if n := len(s.conns); n > 0 {
		s.server.writers.wake(s.conns[n-1])
	}
}

// Revoke ends the session: no query of it runs any more, and its connections are closed as soon as
// the answers to the earlier ones have had time to leave.
func (s *Session) Revoke() {
	if s.revoked.Swap(true) {
		return
	}
	s.mu.Lock()
	conns := slices.Clone(s.conns)
	s.mu.Unlock()
	time.AfterFunc(limit.Farewell, func() {
		for _, c := range conns {
			c.close()
		}
		s.key.forget(s)
	})
}

// wanted tells how much a session is wanted, for comparison, and since when it was not heard of.
func (s *Session) wanted() (rank, active int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Begun() {
		rank++
	}
	if len(s.conns) > 0 {
		rank += 2
	}
	return rank, s.active
}

// close ends the session's use. It returns the highest msg_id that it took, and whether a handler
// must hear of the end.
func (s *Session) close() (highest int64, told bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.uncrowd(true)
	told, s.told = s.told, false
	if s.state.Begun() {
		highest = s.state.Highest()
	}
	return highest, told
}

// receive takes an envelope that came over c. It reports false when the session was forgotten, and
// then nothing happened.
func (s *Session) receive(c *conn, p *crypt.Plain, f *frame) (alive bool, err error) {
	now := s.server.o.Clock.Now()
	list := s.server.queries.Get().(*[]session.Query)
	defer s.server.queries.Put(list)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false, nil
	}
	queries, err := s.state.Receive(now, session.Envelope{
		Link: c.link, Salt: p.Salt, MsgID: p.MsgID, SeqNo: p.SeqNo, Body: p.Body,
	}, (*list)[:0])
	s.server.metrics.received(err) // before the refusal can be on its way
	c.add(s)
	if s.state.Fresh() {
		s.attach(c)
		s.active, s.trimmed = now.Unix(), false
	}
	c.delay = s.state.PingDelay()
	f.refs.Store(int32(len(queries)) + 1)
	for i := range queries {
		s.enqueue(&queries[i], f)
	}
	clear(queries)
	*list = queries
	s.start()
	if !s.acking && s.state.Unacked() {
		s.acking = true
		s.server.ackLater(s)
	}
	s.wake()
	if s.state.Ready(c.link) {
		s.server.writers.wake(c)
	}
	return true, err
}

// attach makes c one of the session's connections.
func (s *Session) attach(c *conn) {
	if slices.Contains(s.conns, c) {
		return
	}
	s.conns = append(s.conns, c)
	s.addr = c.addr
	s.dc = dataCentre(c.tc.DC())
	s.state.Attach(c.link)
}

// detach takes a connection away that has ended.
func (s *Session) detach(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.conns, c); i >= 0 {
		s.conns = slices.Delete(s.conns, i, i+1)
	}
	newest := session.Link(0)
	if n := len(s.conns); n > 0 {
		newest = s.conns[n-1].link
	}
	s.state.Detach(c.link, newest)
	s.uncrowd(true)
	s.wake()
}

// wake has the connections written to for which something waits.
func (s *Session) wake() {
	for _, c := range s.conns {
		if s.state.Ready(c.link) {
			s.server.writers.wake(c)
		}
	}
}

// Data centres have the numbers 1 to 5, negative for their media servers, and from 10001 on in the
// test environment.
const (
	dataCentres = 5
	testCentres = 10_000
)

// dataCentre returns the number of the data centre that an obfuscated header names, 0 for none.
func dataCentre(dc int16) int {
	n := int(dc)
	if n < 0 {
		n = -n
	}
	if n > testCentres {
		n -= testCentres
	}
	if n > dataCentres {
		return 0
	}
	return n
}
