package session

import (
	"encoding/binary"
	"slices"
	"time"

	"parley/internal/limit"
	"parley/internal/mtproto/crypt"
)

// Ready reports whether Next has a packet for a connection.
func (s *Session) Ready(link Link) bool {
	if s.ackNow && link == s.newest {
		return true
	}
	for i := range s.waiting {
		if s.goes(&s.waiting[i], link) {
			return true
		}
	}
	return false
}

// goes reports whether a waiting message belongs on a connection.
func (s *Session) goes(m *message, link Link) bool {
	return m.link == link || m.link == 0 && link == s.newest
}

// WaitingBytes returns how much the answers come to that are not sent or not acknowledged: the
// measure by which to hold back a client that asks for more than it reads.
func (s *Session) WaitingBytes() int {
	n := 0
	for i := range s.waiting {
		if s.waiting[i].kind == answer {
			n += len(s.waiting[i].body)
		}
	}
	return n
}

// Next forms in p the next packet for a connection, and reports whether there is one. A message
// that is alone and was never sent goes as it is; several, or one that is sent again, go in a
// container, together with the acknowledgements that wait.
func (s *Session) Next(now time.Time, link Link, p *Packet) bool {
	first, many := s.choose(link)
	if first < 0 && !(s.ackNow && link == s.newest) {
		return false
	}
	at := s.tick(now)
	p.buf, p.Patches = p.buf[:0], nil
	p.Header = crypt.Header{Salt: s.salts.Current(now), SessionID: s.id}
	switch {
	case first < 0:
		s.alone(at, p, &message{kind: notice, body: s.takeAcks()})
	case !many && s.waiting[first].id == 0:
		m := s.waiting[first]
		s.waiting = slices.Delete(s.waiting, first, first+1)
		s.alone(at, p, &m)
		s.keep(&m, link)
	default:
		s.container(at, link, p)
	}
	return true
}

// choose finds the first message for a connection, and whether it shares its packet with others.
func (s *Session) choose(link Link) (first int, many bool) {
	first = -1
	for i := range s.waiting {
		m := &s.waiting[i]
		switch {
		case !s.goes(m, link):
		case first >= 0:
			return first, true
		case m.size() >= limit.ContainerBytes:
			return i, false
		default:
			first = i
		}
	}
	return first, len(s.acks) > 0
}

// alone makes a message the whole packet. Its bytes are not copied, unless it is an answer.
func (s *Session) alone(at int64, p *Packet, m *message) {
	s.stamp(at, p.Header.Salt, m)
	p.Header.MsgID, p.Header.SeqNo = m.id, m.seqNo
	p.Body, p.Patches = m.body, m.patches
	if m.kind == answer {
		p.appendBody(m)
		p.Body = p.buf
	}
}

// container fills a container with the messages for a connection, and acknowledgements. A failure
// ends it: GramJS forgets what follows a failure in the same container, answers and updates alike.
func (s *Session) container(at int64, link Link, p *Packet) {
	p.buf = appendWord(appendWord(p.buf, idContainer), 0)
	n, kind := 0, int64(fromPush)
	if len(s.acks) > 0 {
		m := message{kind: notice, body: s.takeAcks()}
		s.stamp(at, p.Header.Salt, &m)
		p.appendMessage(m.id, m.seqNo, &m)
		n++
	}
	full, kept := false, s.waiting[:0]
	for _, m := range s.waiting {
		tooBig := n > 0 && len(p.buf)+m.size() > limit.ContainerBytes
		full = full || tooBig || n == limit.ContainerSent
		if full || !s.goes(&m, link) {
			kept = append(kept, m)
			continue
		}
		s.stamp(at, p.Header.Salt, &m)
		p.appendMessage(m.id, m.seqNo, &m)
		n++
		if m.kind == answer {
			kind = fromAnswer
			full = Constructor(m.body) == idRPCError
		}
		s.keep(&m, link)
	}
	clear(s.waiting[len(kept):])
	s.waiting = kept
	binary.LittleEndian.PutUint32(p.buf[wordBytes:], uint32(n))
	p.Header.MsgID, p.Header.SeqNo = s.nextID(at, kind), int32(2*s.contents)
	p.Body = p.buf
}

// stamp gives a message its id and seqno when it is sent for the first time.
//
// https://core.telegram.org/mtproto/description#message-sequence-number-msg-seqno
func (s *Session) stamp(at int64, salt int64, m *message) {
	if m.id != 0 {
		return
	}
	if m.kind == created {
		patchSalt(m.body, salt)
	}
	kind := int64(fromPush)
	if m.kind == answer || m.kind == notice {
		kind = fromAnswer
	}
	m.id = s.nextID(at, kind)
	m.seqNo = int32(2 * s.contents)
	if m.kind != notice {
		m.seqNo++
		s.contents++
	}
}

// keep remembers a message that was just sent until the client acknowledges it.
func (s *Session) keep(m *message, link Link) {
	if m.kind == notice {
		s.notices--
		return
	}
	if m.kind == overflow {
		s.tooLong = false
	}
	m.link = link
	i, _ := s.sentAs(m.id)
	s.sent = slices.Insert(s.sent, i, *m)
}

// takeAcks returns msgs_ack for all that waits to be acknowledged.
//
// https://core.telegram.org/mtproto/service_messages_about_messages#acknowledgment-of-receipt
func (s *Session) takeAcks() []byte {
	b := make([]byte, 0, 3*wordBytes+longBytes*len(s.acks))
	b = appendWord(appendWord(b, idAck), idVector)
	b = appendWord(b, uint32(len(s.acks)))
	for _, id := range s.acks {
		b = appendLong(b, id)
	}
	s.acks, s.ackNow = s.acks[:0], false
	return b
}
