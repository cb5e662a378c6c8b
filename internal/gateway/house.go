package gateway

import (
	"time"

	"parley/internal/limit"
)

// houseStep is how often keys and sessions are looked through.
const houseStep = 15 * time.Second

// keepHouse sends acknowledgements that found no company, and forgets what is not needed any more.
func (s *Server) keepHouse() {
	acks, house := time.NewTicker(limit.AckDelay), time.NewTicker(houseStep)
	defer acks.Stop()
	defer house.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-acks.C:
			s.sendAcks()
		case <-house.C:
			s.watch(s.o.Clock.Now())
			s.tidy(s.o.Clock.Now())
		}
	}
}

// ackLater has a session looked at whose acknowledgements may find no company. The caller holds the
// session's lock.
func (s *Server) ackLater(sess *Session) {
	s.acksMu.Lock()
	defer s.acksMu.Unlock()
	s.acks = append(s.acks, sess)
}

func (s *Server) sendAcks() {
	defer s.catch(nil)
	s.acksMu.Lock()
	due := s.acks
	s.acks = nil
	s.acksMu.Unlock()
	for _, sess := range due {
		sess.mu.Lock()
		sess.acking = false
		if sess.state.AckRunning() {
			sess.wake()
		}
		sess.mu.Unlock()
	}
}

// tidy forgets keys and sessions that are not needed any more.
func (s *Server) tidy(now time.Time) {
	defer s.catch(nil)
	for _, k := range s.keys.all() {
		for _, sess := range k.list() {
			if sess.idle(now) {
				k.forget(sess)
			}
		}
		if k.unused(now) {
			s.removeKey(k)
		}
	}
}

// idle reports whether a session may be forgotten. It gives back memory that the session does not
// need for the time being.
func (s *Session) idle(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	silent := now.Sub(time.Unix(s.active, 0))
	if silent > limit.MsgPast+limit.MsgFuture && !s.trimmed {
		s.state.Trim(now)
		s.trimmed = true
	}
	switch {
	case s.running > 0 || len(s.pending) > 0:
		return false
	case !s.state.Begun():
		return silent > limit.SessionEmpty
	}
	return len(s.conns) == 0 && silent > limit.SessionKept
}

// unused reports whether nobody needs the entry of a key any more, and ends its use if so.
func (k *authKey) unused(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	var over bool
	switch {
	case k.temp && now.Unix() >= k.expires.Load():
		over = true
	case k.temp && k.perm.Load() != 0:
	case k.temp:
		over = now.Sub(k.created) > limit.UnboundTempKey
	default:
		over = len(k.sessions) == 0 && now.Sub(k.used) > limit.SessionKept
	}
	if over {
		k.gone.Store(true)
	}
	return over
}
