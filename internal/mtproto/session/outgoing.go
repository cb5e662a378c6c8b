package session

import (
	"encoding/binary"
	"slices"

	"parley/internal/limit"
	"parley/internal/mtproto/crypt"
)

// kind tells outgoing messages apart by what happens to them.
type kind uint8

const (
	// notice needs no acknowledgement and is forgotten when sent.
	notice kind = iota
	// created is new_session_created, whose last eight bytes are the salt of the moment.
	created
	// answer is the result of the query req; its body lacks the head of rpc_result.
	answer
	// push is what nobody asked for.
	push
	// overflow is the updatesTooLong that stands for pushes that were dropped.
	overflow
)

// message is an outgoing message. Its id and seqno are given out when it is first sent and stay
// with it from then on.
type message struct {
	body    []byte
	patches []crypt.Patch
	id      int64
	req     int64
	resent  int64 // when it was last sent again on request, in Unix nanoseconds
	link    Link  // where it goes, or went; 0 for the newest connection
	seqNo   int32
	kind    kind
}

// size is the length of the message's body on the wire.
func (m *message) size() int {
	if m.kind == answer {
		return resultHead + len(m.body)
	}
	return len(m.body)
}

// Push queues a body for the client. When too much is unacknowledged, all pushes are dropped for
// one updatesTooLong, which makes the client ask for what it missed. The body must pass Check.
//
// https://core.telegram.org/constructor/updatesTooLong
func (s *Session) Push(b Body) {
	if s.tooLong {
		return
	}
	m := message{kind: push, body: b.Bytes, patches: b.Patches}
	s.hold(&m)
	s.waiting = append(s.waiting, m)
	if s.pushes.n > limit.PushesHeld || s.pushes.bytes > limit.PushesHeldBytes {
		s.waiting = slices.DeleteFunc(s.waiting, isPush)
		s.sent = slices.DeleteFunc(s.sent, isPush)
		s.pushes, s.tooLong = held{}, true
		s.waiting = append(s.waiting, message{
			kind: overflow, body: appendWord(nil, idUpdatesTooLong),
		})
	}
}

func isPush(m message) bool { return m.kind == push || m.kind == overflow }

// Lost reports whether pushes were dropped and the client has not been told yet.
func (s *Session) Lost() bool { return s.tooLong }

// hold and release account for what is kept.
func (s *Session) hold(m *message)    { s.account(m, 1) }
func (s *Session) release(m *message) { s.account(m, -1) }

func (s *Session) account(m *message, sign int) {
	switch m.kind {
	case answer:
		s.answers += sign * len(m.body)
	case push:
		s.pushes.n += sign
		s.pushes.bytes += sign * len(m.body)
	}
}

// Reply answers the query id with a result, which the session takes over: a TL value, or
// gzip_packed around one. It does nothing when the query does not run.
func (s *Session) Reply(id int64, result []byte) {
	i, running := s.call(id)
	if !running {
		return
	}
	c := s.running[i]
	s.running = slices.Delete(s.running, i, i+1)
	if c.dropped {
		result = appendWord(nil, idAnswerRunning)
	}
	s.result(c.link, id, result)
}

// Destroyed is what became of what a client wanted destroyed.
type Destroyed uint8

// The outcomes.
const (
	Gone Destroyed = iota
	NotFound
	Failed
)

// ReplyDestroyed answers the query id, which was a destroy_session for session, or a
// destroy_auth_key if session is 0.
//
// A destroy_auth_key that came bare expects its answer bare, as TDLib does; one that came in a
// wrapper of the API expects a result, as Telegram Desktop does.
//
// https://core.telegram.org/mtproto/service_messages#request-to-destroy-session
func (s *Session) ReplyDestroyed(id int64, session int64, outcome Destroyed, wrapped bool) {
	b := make([]byte, 0, wordBytes+longBytes)
	if session != 0 {
		b = appendWord(b, [...]uint32{idSessionGone, idSessionNone, idSessionNone}[outcome])
		b = appendLong(b, session)
	} else {
		b = appendWord(b, [...]uint32{idKeyGone, idKeyNone, idKeyFail}[outcome])
	}
	if wrapped {
		s.Reply(id, b)
		return
	}
	if i, running := s.call(id); running {
		link := s.running[i].link
		s.running = slices.Delete(s.running, i, i+1)
		s.window.mark(id, isDone)
		s.notify(link, b)
	}
}

// DestroysSession returns the session that a query wants destroyed.
func (q *Query) DestroysSession() (session int64, ok bool) {
	r := reader{b: q.Body}
	ok = r.word() == idDestroySession
	session = r.long()
	return session, ok && !r.bad
}

// DestroysKey reports whether a query wants the auth key destroyed.
func (q *Query) DestroysKey() bool { return Constructor(q.Body) == idDestroyKey }

// Wrapped reports whether the query announced its layer or itself.
func (q *Query) Wrapped() bool { return q.Layer != 0 || q.Init != nil }

// result queues the answer to the message id.
func (s *Session) result(link Link, id int64, body []byte) {
	s.window.mark(id, isQuery)
	m := message{kind: answer, link: link, body: body, req: id}
	s.hold(&m)
	s.waiting = append(s.waiting, m)
	// The oldest answer goes first: its client has had the most time to acknowledge it.
	for i := 0; s.answers > limit.AnswersHeld && i < len(s.sent); {
		if s.sent[i].kind != answer {
			i++
			continue
		}
		s.release(&s.sent[i])
		s.sent = slices.Delete(s.sent, i, i+1)
	}
}

// notify queues a message that needs no acknowledgement.
func (s *Session) notify(link Link, body []byte) {
	s.waiting = append(s.waiting, message{kind: notice, link: link, body: body})
	s.notices++
}

// acknowledge queues an acknowledgement, which waits for company.
func (s *Session) acknowledge(id int64) {
	if len(s.acks) == limit.AcksHeld {
		s.acks = slices.Delete(s.acks, 0, 1)
	}
	s.acks = append(s.acks, id)
}

// AckRunning makes the queries acknowledged that still run and were not, and all other waiting
// acknowledgements sent even if nothing else is. It reports whether there is anything to send.
func (s *Session) AckRunning() bool {
	for i := range s.running {
		if c := &s.running[i]; !c.acked {
			c.acked = true
			s.acknowledge(c.id)
		}
	}
	s.ackNow = s.ackNow || len(s.acks) > 0
	return s.ackNow
}

// Unacked reports whether AckRunning would find anything to do.
func (s *Session) Unacked() bool { return len(s.acks) > 0 || len(s.running) > 0 }

// acked forgets a message of ours that the client has.
func (s *Session) acked(id int64) {
	if i, held := s.sentAs(id); held {
		s.delivered(&s.sent[i])
		s.sent = slices.Delete(s.sent, i, i+1)
		return
	}
	for i := range s.waiting {
		if s.waiting[i].id == id && id != 0 {
			s.delivered(&s.waiting[i])
			s.waiting = slices.Delete(s.waiting, i, i+1)
			return
		}
	}
}

func (s *Session) delivered(m *message) {
	s.release(m)
	if m.kind == answer {
		s.window.mark(m.req, isDone)
	}
}

// sentAs finds an unacknowledged message by its msg_id.
func (s *Session) sentAs(id int64) (int, bool) {
	return slices.BinarySearchFunc(s.sent, id, func(m message, id int64) int {
		switch {
		case m.id < id:
			return -1
		case m.id > id:
			return 1
		}
		return 0
	})
}

// waits reports whether a message waits to be sent again.
func (s *Session) waits(id int64) bool {
	return slices.ContainsFunc(s.waiting, func(m message) bool { return m.id == id && id != 0 })
}

// answerTo finds the unacknowledged answer to a query.
func (s *Session) answerTo(req int64) (int, bool) {
	i := slices.IndexFunc(s.sent, func(m message) bool { return m.kind == answer && m.req == req })
	return i, i >= 0
}

// answerWaits reports whether the answer to a query waits to be sent.
func (s *Session) answerWaits(req int64) bool {
	return slices.ContainsFunc(s.waiting, func(m message) bool {
		return m.kind == answer && m.req == req
	})
}

// removeAnswer takes back the answer to a query.
func (s *Session) removeAnswer(req int64) (message, bool) {
	for _, from := range []*[]message{&s.sent, &s.waiting} {
		for i, m := range *from {
			if m.kind == answer && m.req == req {
				s.release(&m)
				*from = slices.Delete(*from, i, i+1)
				return m, true
			}
		}
	}
	return message{}, false
}

// resend queues sent[i] again for a connection, unless that was done just now.
func (s *Session) resend(at int64, link Link, i int) {
	m := s.sent[i]
	if at-m.resent < int64(limit.ResendEvery) {
		return
	}
	m.resent, m.link = at, link
	s.sent = slices.Delete(s.sent, i, i+1)
	s.waiting = append(s.waiting, m)
}

// Attach makes link the newest connection, which gets the pushes, and queues again for it what is
// unacknowledged: nobody knows what an older connection, which may be dead already, has delivered.
func (s *Session) Attach(link Link) {
	s.newest = link
	s.requeue(func(message) bool { return true })
}

// Detach tells that a connection is gone, and which one is the newest now, 0 for none. What went
// over it without being acknowledged is queued again.
func (s *Session) Detach(link, newest Link) {
	s.newest = newest
	for i := range s.waiting {
		if s.waiting[i].link == link {
			s.waiting[i].link = 0
		}
	}
	s.requeue(func(m message) bool { return m.link == link })
	for i := range s.running {
		if s.running[i].link == link {
			s.running[i].link = 0
		}
	}
}

// requeue moves unacknowledged messages to the front of those that wait.
func (s *Session) requeue(which func(message) bool) {
	var again []message
	s.sent = slices.DeleteFunc(s.sent, func(m message) bool {
		if !which(m) {
			return false
		}
		m.link = 0
		again = append(again, m)
		return true
	})
	if len(again) > 0 {
		s.waiting = append(again, s.waiting...)
	}
}

// Packet is an envelope ready to be sealed. Body and Patches are valid until the next use of the
// same Packet, which keeps a buffer between uses.
type Packet struct {
	Header  crypt.Header
	Body    []byte
	Patches []crypt.Patch
	buf     []byte
}

// appendMessage appends the head of a container's message and its body.
func (p *Packet) appendMessage(id int64, seqNo int32, m *message) {
	p.buf = appendLong(p.buf, id)
	p.buf = appendWord(p.buf, uint32(seqNo))
	p.buf = appendWord(p.buf, uint32(m.size()))
	p.appendBody(m)
}

// appendBody appends the body of a message as it is on the wire.
func (p *Packet) appendBody(m *message) {
	if m.kind == answer {
		p.buf = appendLong(appendWord(p.buf, idRPCResult), m.req)
	}
	start := len(p.buf)
	p.buf = append(p.buf, m.body...)
	for _, patch := range m.patches {
		binary.LittleEndian.PutUint64(p.buf[start+patch.Off:], uint64(patch.Value))
	}
}
