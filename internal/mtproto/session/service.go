package session

import (
	"time"

	"parley/internal/limit"
)

// service returns what handles a service message, if id is one. Answers and notices, which only a
// server sends, are service messages that nothing happens for.
//
// Destroying sessions and keys is beyond one session, so these two come out as queries.
func service(id uint32) (handle func(*intake, int64, []byte) error, ok bool) {
	switch id {
	case idAck:
		return (*intake).ack, true
	case idPing:
		return (*intake).ping, true
	case idPingDelay:
		return (*intake).pingDelayed, true
	case idGetFutureSalts:
		return (*intake).futureSalts, true
	case idDropAnswer:
		return (*intake).dropAnswer, true
	case idStateReq:
		return (*intake).stateReq, true
	case idResendReq:
		return (*intake).resendReq, true
	case idAllInfo:
		return (*intake).allInfo, true
	case idCopy:
		return (*intake).unpackCopy, true
	case idHTTPWait, idStateInfo, idDetailedInfo, idNewDetailedInfo, idRPCResult, idPong,
		idNewSession, idBadMsg, idBadSalt, idFutureSalts:
		return (*intake).ignore, true
	}
	return nil, false
}

// ignore accepts what needs no answer. http_wait has a meaning over HTTP alone.
func (in *intake) ignore(int64, []byte) error { return nil }

// malformed answers a service message that cannot be read.
func (in *intake) malformed(id int64) error {
	in.session.result(in.link, id, errFetch.Encode())
	return nil
}

// ids reads a service message that consists of a vector of msg_ids.
func (in *intake) ids(body []byte) (longs, error) {
	if tooManyIDs(body) {
		return nil, ErrFlood
	}
	r := reader{b: body[wordBytes:]}
	return r.longs(limit.ServiceIDs), nil
}

// https://core.telegram.org/mtproto/service_messages_about_messages#acknowledgment-of-receipt
func (in *intake) ack(_ int64, body []byte) error {
	ids, err := in.ids(body)
	for i := range ids.len() {
		in.session.acked(ids.at(i))
	}
	return err
}

// https://core.telegram.org/mtproto/service_messages#ping-messages-pingpong
func (in *intake) ping(id int64, body []byte) error {
	r := reader{b: body[wordBytes:]}
	ping := r.long()
	if r.bad {
		return in.malformed(id)
	}
	b := make([]byte, 0, wordBytes+2*longBytes)
	b = appendLong(appendWord(b, idPong), id)
	in.session.notify(in.link, appendLong(b, ping))
	return nil
}

func (in *intake) pingDelayed(id int64, body []byte) error {
	r := reader{b: body[wordBytes:]}
	r.long()
	delay := time.Duration(r.int()) * time.Second
	if !r.bad {
		in.session.pingDelay = min(max(delay, time.Second), limit.PingDelay)
	}
	return in.ping(id, body)
}

// https://core.telegram.org/mtproto/service_messages#request-for-several-future-salts
func (in *intake) futureSalts(id int64, body []byte) error {
	r := reader{b: body[wordBytes:]}
	n := min(max(int(r.int()), 1), limit.FutureSalts)
	if r.bad {
		return in.malformed(id)
	}
	salts := in.session.salts.Future(in.now, n)
	b := make([]byte, 0, 3*wordBytes+longBytes+len(salts)*(2*wordBytes+longBytes))
	b = appendLong(appendWord(b, idFutureSalts), id)
	b = appendWord(b, uint32(in.now.Unix()))
	b = appendWord(b, uint32(len(salts)))
	for _, salt := range salts {
		b = appendWord(b, uint32(salt.Since.Unix()))
		b = appendWord(b, uint32(salt.Until.Unix()))
		b = appendLong(b, salt.Value)
	}
	in.session.notify(in.link, b)
	return nil
}

// dropAnswer gives up an answer: one that is being made, one that was not acknowledged yet, or one
// that is unknown.
//
// https://core.telegram.org/mtproto/service_messages#cancellation-of-an-rpc-query
func (in *intake) dropAnswer(id int64, body []byte) error {
	s := in.session
	r := reader{b: body[wordBytes:]}
	target := r.long()
	if r.bad {
		return in.malformed(id)
	}
	b := appendWord(make([]byte, 0, 3*wordBytes+longBytes), idAnswerUnknown)
	if i, running := s.call(target); running {
		s.running[i].dropped = true
		b = appendWord(b[:0], idAnswerRunning)
	} else if m, ok := s.removeAnswer(target); ok {
		s.window.mark(target, isDone)
		b = appendLong(appendWord(b[:0], idAnswerDropped), m.id)
		b = appendWord(appendWord(b, uint32(m.seqNo)), uint32(m.size()))
	}
	s.result(in.link, id, b)
	return nil
}

// State of a message that the client sent.
//
// https://core.telegram.org/mtproto/service_messages_about_messages#informational-message-regarding-status-of-messages
const (
	stateUnknown  = 1
	stateMissing  = 2
	stateFuture   = 3
	stateReceived = 4
	stateAnswered = 64
	stateRunning  = 32
)

func (in *intake) stateReq(id int64, body []byte) error {
	if in.session.requested(in.at) {
		return ErrFlood
	}
	ids, err := in.ids(body)
	if err == nil {
		in.states(id, ids)
	}
	return err
}

// states tells what became of the client's messages ids, in answer to its message id.
func (in *intake) states(id int64, ids longs) {
	info := make([]byte, ids.len())
	for i := range info {
		info[i] = in.session.state(ids.at(i))
	}
	b := make([]byte, 0, 2*wordBytes+longBytes+longStringAt+len(info))
	b = appendLong(appendWord(b, idStateInfo), id)
	in.session.notify(in.link, appendBytes(b, info))
}

func (s *Session) state(id int64) byte {
	i, known := s.window.find(id)
	switch {
	case !known && (id&idBits != 0 || id <= s.window.floor):
		return stateUnknown
	case !known && id > s.window.highest():
		return stateFuture
	case !known:
		return stateMissing
	}
	mark := s.window.ids[i]
	if mark&isQuery == 0 || mark&isDone != 0 {
		return stateReceived
	}
	if _, running := s.call(id); running {
		return stateReceived | stateRunning
	}
	if _, held := s.answerTo(id); held || s.answerWaits(id) {
		return stateReceived | stateRunning | stateAnswered
	}
	// Its answer was given up for lack of room: only a new query helps the client.
	return stateUnknown
}

// resendReq sends unacknowledged messages again, in a container. If it names any that is not there,
// the client learns the state of all of them.
//
// https://core.telegram.org/mtproto/service_messages_about_messages#explicit-request-to-re-send-messages
func (in *intake) resendReq(id int64, body []byte) error {
	s := in.session
	if s.requested(in.at) {
		return ErrFlood
	}
	ids, err := in.ids(body)
	if err != nil {
		return err
	}
	missing := false
	for i := range ids.len() {
		if j, held := s.sentAs(ids.at(i)); held {
			s.resend(in.at, in.link, j)
		} else {
			missing = missing || !s.waits(ids.at(i))
		}
	}
	if missing {
		in.states(id, ids)
	}
	return nil
}

// requested counts a request for states or for messages, and reports whether there are too many.
func (s *Session) requested(at int64) bool {
	if at-s.requestsAt > int64(limit.ResendEvery) {
		s.requestsAt, s.requests = at, 0
	}
	s.requests++
	return s.requests > limit.ResendRequests
}

// allInfo takes the client's word for which messages it has.
//
// https://core.telegram.org/mtproto/service_messages_about_messages#voluntary-communication-of-status-of-messages
func (in *intake) allInfo(_ int64, body []byte) error {
	if tooManyIDs(body) {
		return ErrFlood
	}
	r := reader{b: body[wordBytes:]}
	ids := r.longs(limit.ServiceIDs)
	info := r.bytes()
	if r.bad || len(info) != ids.len() {
		return nil
	}
	for i, state := range info {
		if state&7 == stateReceived {
			in.session.acked(ids.at(i))
		}
	}
	return nil
}

// unpackCopy takes the message inside msg_copy as if it had come by itself.
//
// https://core.telegram.org/mtproto/service_messages#message-copies
func (in *intake) unpackCopy(id int64, body []byte) error {
	r := reader{b: body[wordBytes:]}
	m := r.next()
	switch c := Constructor(m.body); {
	case r.bad, len(r.b) != 0, m.id >= id, m.id <= 0, m.id&idBits != 0,
		c == idCopy, c == idContainer:
		return in.malformed(id)
	}
	return in.message(m.id, m.seqNo, m.body)
}
