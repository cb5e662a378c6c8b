package session

import (
	"errors"
	"fmt"
	"time"

	"parley/internal/limit"
	"parley/internal/mtproto/crypt"
)

// Salts knows the server salts of one auth key.
//
// https://core.telegram.org/mtproto/description#server-salt
type Salts interface {
	// Current returns the salt to send at the time now.
	Current(now time.Time) int64
	// Valid reports whether a client may still, or already, use salt at the time now.
	Valid(salt int64, now time.Time) bool
	// Future returns the salts from the current one on, at least one and at most n of them.
	Future(now time.Time, n int) []Salt
}

// Salt is a server salt with the span in which clients may use it.
type Salt struct {
	Since, Until time.Time
	Value        int64
}

// Link is the number by which the caller knows a connection; 0 is none.
type Link uint64

// Envelope is a message as it was opened.
type Envelope struct {
	Link  Link // the connection that it came over
	Salt  int64
	MsgID int64
	SeqNo int32
	Body  []byte
}

// Body is a TL value to push. It may be shared by many sessions: nobody writes to Bytes or Patches
// from now on. Patches are values of eight bytes that differ by receiver, such as access hashes.
type Body struct {
	Bytes   []byte
	Patches []crypt.Patch
}

// ErrBody says that a body is not whole words, or that a patch lies outside it.
var ErrBody = errors.New("session: malformed body")

// Check answers ErrBody for a body that cannot be sealed.
func (b Body) Check() error {
	if len(b.Bytes) == 0 || len(b.Bytes)%wordBytes != 0 {
		return ErrBody
	}
	for _, p := range b.Patches {
		if p.Off < 0 || p.Off > len(b.Bytes)-longBytes {
			return ErrBody
		}
	}
	return nil
}

// ErrFlood says that a client asks for more service than any client needs. Its connection should
// end with transport error 429.
var ErrFlood = errors.New("session: flood of service messages")

// Fault is why an envelope was refused.
//
// https://core.telegram.org/mtproto/service_messages_about_messages#notice-of-ignored-error-message
type Fault int32

// The faults that are found here.
const (
	MsgIDTooLow      Fault = 16
	MsgIDTooHigh     Fault = 17
	MsgIDBits        Fault = 18
	ContainerTwice   Fault = 19
	MsgIDForgotten   Fault = 20
	SeqNoTooLow      Fault = 32
	WrongSalt        Fault = 48
	ContainerInvalid Fault = 64
)

// BadMsgError reports an envelope that was refused as a whole. Nothing of it was executed, and the
// notice for the client waits to be sent.
type BadMsgError struct {
	MsgID int64
	Fault Fault
}

// Error implements error.
func (e *BadMsgError) Error() string {
	return fmt.Sprintf("session: message %d refused with code %d", e.MsgID, int32(e.Fault))
}

// Options are what a session starts with.
type Options struct {
	// ID is the session_id that the client chose.
	ID int64
	// Unique is a random number that tells this state from an earlier one under the same ID.
	Unique int64
	// Floor is a msg_id up to which messages are refused as forgotten: an earlier state of this
	// session, dropped too recently for the time check, may have taken them.
	Floor int64
	Salts Salts
	Gzip  *Gzip
}

// Session is the state of one session. The zero Session is unusable; New makes one. It must not be
// copied after use and is not safe for concurrent use.
type Session struct {
	id, unique int64
	salts      Salts
	gzip       *Gzip

	// The session's clock is ours plus ahead, and never runs backwards.
	wall  int64
	ahead int64

	lastID   int64  // the highest msg_id given out
	contents uint32 // content messages sent, half the next seqno

	window   window
	topSeqNo int32
	begun    bool // the client has sent a valid message
	fresh    bool // and the latest envelope had one that was new

	running []call  // queries handed out and not yet answered, by id
	acks    []int64 // msg_ids to acknowledge

	newest  Link
	waiting []message // to be sent, in this order
	sent    []message // to be acknowledged, by msg_id
	pushes  held      // in both
	answers int       // bytes of answers in both
	notices int       // of waiting, those that need no acknowledgement
	tooLong bool      // updatesTooLong waits, and stands for all pushes
	ackNow  bool      // acks wait for no other packet

	requests   uint16 // to resend, or for states, since requestsAt
	requestsAt int64
	pingDelay  time.Duration
}

// call is a query that is being executed.
type call struct {
	id      int64
	link    Link
	acked   bool // the client was told that the query came
	dropped bool // the client no longer wants the answer
}

// held counts pushes and their bytes.
type held struct{ n, bytes int }

// New returns a session that has heard nothing yet.
func New(o Options) Session {
	return Session{
		id: o.ID, unique: o.Unique, salts: o.Salts, gzip: o.Gzip,
		window: window{floor: o.Floor},
	}
}

// ID returns the session_id.
func (s *Session) ID() int64 { return s.id }

// Begun reports whether the client has sent a valid message. Before that, the session is nothing
// but a place for notices, and may be dropped without trace.
func (s *Session) Begun() bool { return s.begun }

// Fresh reports whether the latest envelope held a message that had not come before. Only then it
// proves that the client is at the other end of its connection: any other may be a recording.
func (s *Session) Fresh() bool { return s.fresh }

// Highest returns the highest msg_id taken, fit for Options.Floor of a successor.
func (s *Session) Highest() int64 { return s.window.highest() }

// Running returns how many queries are handed out and not yet answered.
func (s *Session) Running() int { return len(s.running) }

// PingDelay returns how long the client may be silent before its connection ends, as it asked with
// ping_delay_disconnect; 0 if it never did.
//
// https://core.telegram.org/mtproto/service_messages#deferred-connection-closure-ping
func (s *Session) PingDelay() time.Duration { return s.pingDelay }

// Known tells what became of the message id: whether it was taken, and whether it is a query that
// still runs. Of a message that is long past nothing is known.
func (s *Session) Known(id int64) (taken, running bool) {
	_, taken = s.window.find(id)
	_, running = s.call(id)
	return taken, running
}

// tick returns the session's time in Unix nanoseconds. When our clock is set back, the session's
// goes on from where it was: its client has adopted that time from our msg_ids.
func (s *Session) tick(now time.Time) int64 {
	wall := now.UnixNano()
	if wall < s.wall {
		s.ahead += s.wall - wall
	}
	s.wall = wall
	return wall + s.ahead
}

// msgID returns the msg_id of an instant in Unix nanoseconds, its lowest bits zero.
//
// https://core.telegram.org/mtproto/description#message-identifier-msg-id
func msgID(nanos int64) int64 {
	sec, frac := nanos/int64(time.Second), nanos%int64(time.Second)
	return sec<<32 | (frac<<32/int64(time.Second))&^idBits
}

// Kinds of msg_ids to clients, which are their lowest two bits.
const (
	fromAnswer = 1
	fromPush   = 3
)

// nextID gives out a msg_id of one of the two kinds.
func (s *Session) nextID(at int64, kind int64) int64 {
	id := max(msgID(at), s.lastID&^idBits+idBits+1) | kind
	s.lastID = id
	return id
}

// Trim gives back memory that an idle session does not need, and forgets answers so old that their
// queries can no longer be repeated.
func (s *Session) Trim(now time.Time) {
	oldest := msgID(s.tick(now) - int64(limit.MsgPast))
	s.window.prune(oldest)
	s.window.ids = fit(s.window.ids)
	kept := s.sent[:0]
	for _, m := range s.sent {
		if m.kind == answer && m.req < oldest {
			s.release(&m)
			continue
		}
		kept = append(kept, m)
	}
	clear(s.sent[len(kept):])
	s.sent = fit(kept)
	s.waiting, s.running, s.acks = fit(s.waiting), fit(s.running), fit(s.acks)
}

// fit moves a slice that occupies much more than it needs.
func fit[T any](v []T) []T {
	if len(v) > 0 && cap(v) < 2*len(v)+2 {
		return v
	}
	return append([]T(nil), v...)
}
