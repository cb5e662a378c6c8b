package session

import (
	"encoding/binary"
	"slices"
	"time"

	"parley/internal/limit"
)

// Receive takes an envelope from the client and appends to queries the API calls in it, in the
// order of their msg_ids. What the session itself has to say waits to be sent.
//
// The error is a *BadMsgError when the envelope was refused as a whole, and ErrFlood when the
// connection should end. Bodies of queries alias e.Body.
func (s *Session) Receive(now time.Time, e Envelope, queries []Query) ([]Query, error) {
	at := s.tick(now)
	s.fresh = false
	s.window.prune(msgID(at - int64(limit.MsgPast)))
	if fault := s.examine(at, now, &e); fault != 0 {
		return queries, s.refuse(now, &e, fault)
	}
	in := intake{
		session: s, now: now, at: at, link: e.Link, first: e.MsgID,
		spare: limit.Unpacked, queries: queries,
	}
	var err error
	if Constructor(e.Body) == idContainer {
		err = in.container(&e)
	} else {
		err = in.message(e.MsgID, e.SeqNo, e.Body)
	}
	got := in.queries[len(queries):]
	if !slices.IsSortedFunc(got, byMsgID) {
		slices.SortFunc(got, byMsgID)
	}
	if err == nil && s.notices > limit.NoticesHeld {
		err = ErrFlood
	}
	return in.queries, err
}

func byMsgID(a, b Query) int {
	if a.MsgID < b.MsgID {
		return -1
	}
	return 1
}

// examine judges what stands outside of the body.
//
// Clients exist that leave the lower half of a msg_id zero, or that give service messages odd
// seqnos, so neither is held against them. The window detects replays without such hints.
func (s *Session) examine(at int64, now time.Time, e *Envelope) Fault {
	switch {
	case e.MsgID&idBits != 0:
		return MsgIDBits
	case e.MsgID < msgID(at-int64(limit.MsgPast)):
		return MsgIDTooLow
	case e.MsgID > msgID(at+int64(limit.MsgFuture)):
		return MsgIDTooHigh
	case !s.salts.Valid(e.Salt, now):
		return WrongSalt
	case e.SeqNo < 0, e.MsgID > s.window.highest() && e.SeqNo < s.topSeqNo-limit.SeqNoSlack:
		return SeqNoTooLow
	}
	s.topSeqNo = max(s.topSeqNo, e.SeqNo)
	return 0
}

// refuse queues the notice about a refused envelope.
//
// https://core.telegram.org/mtproto/service_messages_about_messages
func (s *Session) refuse(now time.Time, e *Envelope, f Fault) error {
	id := uint32(idBadMsg)
	if f == WrongSalt {
		id = idBadSalt
	}
	b := make([]byte, 0, 3*wordBytes+2*longBytes)
	b = appendLong(appendWord(b, id), e.MsgID)
	b = appendWord(appendWord(b, uint32(e.SeqNo)), uint32(f))
	if f == WrongSalt {
		b = appendLong(b, s.salts.Current(now))
	}
	s.notify(e.Link, b)
	if s.notices > limit.NoticesHeld {
		return ErrFlood
	}
	return &BadMsgError{MsgID: e.MsgID, Fault: f}
}

// begin queues new_session_created before anything else, once.
//
// https://core.telegram.org/mtproto/service_messages#new-session-creation-notification
func (in *intake) begin() {
	s := in.session
	s.begun = true
	b := make([]byte, 0, wordBytes+3*longBytes)
	b = appendLong(appendWord(b, idNewSession), in.first)
	b = appendLong(b, s.unique)
	s.waiting = slices.Insert(s.waiting, 0, message{
		kind: created, link: in.link, body: appendLong(b, 0),
	})
}

// intake is one envelope on its way into a session.
type intake struct {
	session *Session
	now     time.Time
	at      int64 // now by the session's clock, in Unix nanoseconds
	link    Link
	first   int64 // the lowest msg_id in the envelope
	spare   int   // bytes that may still be unpacked
	queries []Query
}

// inner is one message of a container.
type inner struct {
	id    int64
	seqNo int32
	body  []byte
}

// next reads the next message of a container.
func (r *reader) next() inner {
	m := inner{id: r.long(), seqNo: r.int()}
	n := r.int()
	m.body = r.take(int(n))
	if n%wordBytes != 0 {
		r.bad = true
	}
	return m
}

// container takes the messages of a container if all of them are well formed.
//
// https://core.telegram.org/mtproto/service_messages#simple-container
func (in *intake) container(e *Envelope) error {
	s := in.session
	r := reader{b: e.Body[wordBytes:]}
	count := r.count(messageHead, limit.ContainerTaken)
	messages := r
	for range count {
		m := r.next()
		if r.bad || m.id >= e.MsgID || m.id <= 0 || m.id&idBits != 0 ||
			Constructor(m.body) == idContainer {
			return s.refuse(in.now, e, ContainerInvalid)
		}
		in.first = min(in.first, m.id)
	}
	if r.bad || len(r.b) != 0 {
		return s.refuse(in.now, e, ContainerInvalid)
	}
	if _, known := s.window.find(e.MsgID); known {
		return s.refuse(in.now, e, ContainerTwice)
	}
	if e.MsgID <= s.window.floor {
		return s.refuse(in.now, e, MsgIDForgotten)
	}
	s.window.add(e.MsgID)
	s.fresh = true
	for range count {
		m := messages.next()
		if err := in.message(m.id, m.seqNo, m.body); err != nil {
			return err
		}
	}
	return nil
}

// message takes one message that stands by itself or in a container.
func (in *intake) message(id int64, seqNo int32, body []byte) error {
	s := in.session
	if i, known := s.window.find(id); known {
		s.repeated(in, s.window.ids[i], seqNo)
		return nil
	}
	if id <= s.window.floor {
		s.forgotten(in, id, seqNo)
		return nil
	}
	if !s.begun {
		in.begin()
	}
	s.window.add(id)
	s.fresh = true
	if handle, isService := service(Constructor(body)); isService {
		if seqNo&1 != 0 {
			s.acknowledge(id)
		}
		return handle(in, id, body)
	}
	in.query(id, body)
	return nil
}

// query hands out an API call, or answers it when its wrappers are at fault.
func (in *intake) query(id int64, body []byte) {
	s := in.session
	s.window.mark(id, isQuery)
	i, _ := s.call(id)
	s.running = slices.Insert(s.running, i, call{id: id, link: in.link})
	q, fault := s.gzip.unwrap(body, &in.spare)
	if fault != nil {
		s.Reply(id, fault.Encode())
		return
	}
	q.MsgID = id
	in.queries = append(in.queries, q)
}

// forgotten refuses one message of which nobody can tell whether it was taken before.
func (s *Session) forgotten(in *intake, id int64, seqNo int32) {
	s.refuse(in.now, &Envelope{Link: in.link, MsgID: id, SeqNo: seqNo}, MsgIDForgotten)
}

// repeated deals with a message that was taken before; mark is its entry in the window. A query is
// told where its answer is, and gets it again if it is small, but over the connection that has
// proved itself with a new message: this one may come from somebody who recorded it.
//
// https://core.telegram.org/mtproto/service_messages_about_messages#extended-voluntary-communication-of-status-of-one-message
func (s *Session) repeated(in *intake, mark int64, seqNo int32) {
	id := mark &^ idBits
	if mark&isQuery == 0 {
		if seqNo&1 != 0 {
			s.acknowledge(id)
		}
		return
	}
	_, running := s.call(id)
	i, held := s.answerTo(id)
	switch {
	case running, mark&isDone != 0:
		s.acknowledge(id)
		s.ackNow = true
	case held && s.sent[i].size() <= limit.AnswerRepeated:
		s.resend(in.at, 0, i)
	case held:
		s.detail(in, &s.sent[i])
	case s.answerWaits(id):
	default:
		s.forgotten(in, id, seqNo)
	}
}

// detail tells the client of an answer that it can ask for.
func (s *Session) detail(in *intake, m *message) {
	b := make([]byte, 0, 3*wordBytes+2*longBytes)
	b = appendLong(appendWord(b, idDetailedInfo), m.req)
	b = appendLong(b, m.id)
	b = appendWord(b, uint32(m.size()))
	s.notify(in.link, appendWord(b, 0))
}

// call finds a running query.
func (s *Session) call(id int64) (int, bool) {
	if n := len(s.running); n == 0 || s.running[n-1].id < id {
		return n, false
	}
	return slices.BinarySearchFunc(s.running, id, func(c call, id int64) int {
		switch {
		case c.id < id:
			return -1
		case c.id > id:
			return 1
		}
		return 0
	})
}

// patchSalt writes the salt of the moment into new_session_created, which may have waited long.
func patchSalt(body []byte, salt int64) {
	binary.LittleEndian.PutUint64(body[len(body)-longBytes:], uint64(salt))
}
