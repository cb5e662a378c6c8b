package transport

import (
	"errors"
	"io"
)

// What ends a connection. Errors of the socket are passed on as they are.
var (
	// ErrUnknown means that the first bytes belong to no known transport, or to an obfuscated one
	// with a secret that is not ours.
	ErrUnknown = errors.New("not a known transport")
	// ErrHTTP means that the peer sent an HTTP request that opens no web socket. It was answered.
	ErrHTTP = errors.New("not a web socket")
	// ErrHello means that a TLS hello is malformed, is not signed with one of our secrets, or is
	// too old or too new.
	ErrHello = errors.New("unauthentic TLS hello")
	// ErrReplay means that an authentic TLS hello was used before.
	ErrReplay = errors.New("replayed TLS hello")
	// ErrRecord means that a TLS record or a web socket frame breaks the rules of its protocol.
	ErrRecord = errors.New("malformed record")
	// ErrFrameLength means that a frame announces a length that its codec does not allow.
	ErrFrameLength = errors.New("impossible frame length")
	// ErrFrameTooLong means that a frame announces more than SetMaxFrame admits.
	ErrFrameTooLong = errors.New("frame too long")
	// ErrSequence means that a full frame is out of sequence.
	ErrSequence = errors.New("frame out of sequence")
	// ErrChecksum means that a full frame arrived damaged.
	ErrChecksum = errors.New("wrong frame checksum")
)

// StrangerError says that a peer has shown no secret, on a port that pretends to be a website: he
// is to be handed on to that website with what he has sent. The connection is open, and nothing was
// written to it.
type StrangerError struct {
	// Sent are the bytes that were read.
	Sent []byte
	// Err is what was wrong with them: io.EOF or io.ErrUnexpectedEOF when nothing more will come,
	// os.ErrDeadlineExceeded when nothing more has come yet.
	Err error
}

// Error describes what was wrong.
func (e *StrangerError) Error() string { return "transport: a stranger: " + e.Err.Error() }

// Unwrap returns what was wrong.
func (e *StrangerError) Unwrap() error { return e.Err }

// ErrPending is returned by Write while an earlier write waits for Flush.
var ErrPending = errors.New("transport: earlier write is pending")

// ErrSecret is returned by ParseSecret. It does not quote the secret.
var ErrSecret = errors.New("transport: malformed proxy secret")

// inside makes the end of the stream unexpected, where it comes in the middle of something.
func inside(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
