package gateway

import (
	"cmp"
	"encoding/hex"
	"errors"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"parley/internal/limit"
	"parley/internal/mtproto/session"
)

// task is a query on its way through a session.
type task struct {
	session *Session
	query   session.Query
	frame   *frame
	ordered bool
	arrived time.Time
	check   time.Time // when a timer will look at it again
}

// Answers of the gateway itself.
var (
	errWaitFailed  = &RPCError{Code: 500, Message: "MSG_WAIT_FAILED"}
	errWaitTimeout = &RPCError{Code: 400, Message: "MSG_WAIT_TIMEOUT"}
	errRevoked     = &RPCError{Code: 401, Message: "SESSION_REVOKED"}
	errUnbound     = &RPCError{Code: 401, Message: "AUTH_KEY_PERM_EMPTY"}
)

// errPanic is what is left of a panic in a handler.
var errPanic = errors.New("gateway: handler panicked")

// enqueue adds a query to those that wait. The caller holds the lock, and calls start.
func (s *Session) enqueue(q *session.Query, f *frame) {
	t := &task{session: s, query: *q, frame: f, arrived: time.Now()}
	t.ordered = isControl(q) || s.server.o.Handler.Ordered(q.Body)
	i, _ := slices.BinarySearchFunc(s.pending, q.MsgID, func(t *task, id int64) int {
		return cmp.Compare(t.query.MsgID, id)
	})
	s.pending = slices.Insert(s.pending, i, t)
}

// start hands to the workers what may run now. Ordered queries run one at a time, in the order of
// their msg_ids, so an ordered one that must wait holds up those behind it. The caller holds the
// lock.
func (s *Session) start() {
	if len(s.pending) == 0 || s.state.WaitingBytes() > limit.AnswersWaiting {
		return
	}
	held := s.ordered
	rest := s.pending[:0]
	for _, t := range s.pending {
		verdict, refusal := wait, (*RPCError)(nil)
		if s.running < limit.QueriesPerSession && !(t.ordered && held) {
			verdict, refusal = s.judge(t)
		}
		switch verdict {
		case wait:
			held = held || t.ordered
			rest = append(rest, t)
		case refuse:
			s.answer(t, nil, refusal)
			t.frame.release()
		case run:
			s.running++
			if t.ordered {
				s.ordered, held = true, true
			}
			s.server.workers.submit(t)
		}
	}
	clear(s.pending[len(rest):])
	if s.pending = rest; len(rest) == 0 {
		s.pending = nil
	}
}

// verdict is what becomes of a query now.
type verdict int

const (
	wait verdict = iota
	run
	refuse
)

// judge looks at the queries that a query must follow.
//
// https://core.telegram.org/api/invoking#waiting-for-other-queries
func (s *Session) judge(t *task) (verdict, *RPCError) {
	for _, id := range t.query.After {
		if id >= t.query.MsgID || slices.Contains(s.failed, id) {
			return refuse, errWaitFailed
		}
		patience, refusal := limit.AfterResult, errWaitTimeout
		switch taken, running := s.state.Known(id); {
		case taken && !running:
			continue
		case !taken:
			patience, refusal = limit.AfterArrival, errWaitFailed
		}
		if time.Since(t.arrived) >= patience {
			return refuse, refusal
		}
		if check := t.arrived.Add(patience); check.After(t.check) {
			t.check = check
			time.AfterFunc(time.Until(check), s.startLater)
		}
		return wait, nil
	}
	return run, nil
}

// startLater is start for a timer.
func (s *Session) startLater() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start()
	s.wake()
	s.uncrowd(false)
}

// answer gives a query its answer. The caller holds the lock.
func (s *Session) answer(t *task, result []byte, fault *RPCError) {
	s.server.metrics.query(fault)
	if fault != nil {
		result = fault.Encode()
		if len(s.failed) == limit.FailuresKept {
			s.failed = slices.Delete(s.failed, 0, 1)
		}
		s.failed = append(s.failed, t.query.MsgID)
	}
	s.state.Reply(t.query.MsgID, result)
}

// run runs a query in a worker's goroutine.
func (t *task) run() {
	s := t.session
	defer s.server.catch(t.frame.conn)
	result, err := t.invoke()
	var fault *RPCError
	if err != nil && !errors.As(err, &fault) {
		fault = s.server.conceal(err)
	}
	if fault == nil {
		result = s.server.gzip.Pack(result)
	}
	s.mu.Lock()
	s.answer(t, result, fault)
	s.running--
	if t.ordered {
		s.ordered = false
	}
	s.start()
	s.wake()
	s.uncrowd(false)
	late := s.closed && s.told
	s.told = s.told && !late
	s.mu.Unlock()
	t.frame.release()
	if late {
		s.server.tellClosed(s)
	}
}

// invoke calls the handler, or does what is the gateway's.
func (t *task) invoke() (result []byte, err error) {
	s, q := t.session, &t.query
	defer func() {
		if p := recover(); p != nil {
			s.server.panicked(p)
			err = errPanic
		}
	}()
	ctx := s.server.ctx
	switch {
	case s.revoked.Load():
		return nil, errRevoked
	case isControl(q):
		return s.server.control(ctx, s, q)
	case s.key.perm.Load() == 0:
		s.key.note(q)
		if !servedUnbound(q) {
			return nil, errUnbound
		}
	default:
		s.key.recall(q)
	}
	s.tell()
	result, err = s.server.o.Handler.Invoke(ctx, s, *q)
	if err == nil && (len(result) == 0 || len(result)%4 != 0) {
		err = errors.New("gateway: result is no TL value")
	}
	return result, err
}

// tell notes that the handler knows the session from now on, and must hear of its end.
func (s *Session) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = true
}

// conceal logs an error that is no business of the client's, and returns what it is told instead.
func (s *Server) conceal(err error) *RPCError {
	var id [4]byte
	s.random.Read(id[:])
	name := strings.ToUpper(hex.EncodeToString(id[:]))
	s.o.Log.Error("query failed", "id", name, "error", err)
	return &RPCError{Code: 500, Message: "INTERNAL_" + name}
}

// tellClosed tells the handler of a session's end.
func (s *Server) tellClosed(sess *Session) {
	defer s.catch(nil)
	s.o.Handler.Closed(sess)
}

// catch, when deferred, ends a panic and the connection that it came from, if any.
func (s *Server) catch(c *conn) {
	p := recover()
	if p == nil {
		return
	}
	s.panicked(p)
	if c != nil {
		c.close()
	}
}

// panicked logs a panic that was recovered from.
func (s *Server) panicked(p any) {
	s.metrics.panics.Inc()
	s.o.Log.Error("panic", "value", p, "stack", string(debug.Stack()))
}

// crowded reports whether a session has so much to do that no more should be read. The caller holds
// the lock.
func (s *Session) crowded() bool {
	return len(s.pending)+s.running >= limit.QueriesWaiting ||
		s.state.WaitingBytes() > limit.AnswersWaiting
}

// settle waits until the session has less to do, or until it, the connection or the server ends.
func (s *Session) settle(c *conn) {
	for {
		s.mu.Lock()
		if s.closed || !s.crowded() || c.isClosed() {
			s.mu.Unlock()
			return
		}
		if s.crowd == nil {
			s.crowd = make(chan struct{})
		}
		crowd := s.crowd
		s.mu.Unlock()
		select {
		case <-crowd:
		case <-s.server.ctx.Done():
			return
		}
	}
}

// uncrowd lets readers go on if there is room, or in any case. The caller holds the lock.
func (s *Session) uncrowd(anyway bool) {
	if s.crowd != nil && (anyway || !s.crowded()) {
		close(s.crowd)
		s.crowd = nil
	}
}
