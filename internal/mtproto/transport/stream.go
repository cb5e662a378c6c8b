package transport

import (
	"crypto/cipher"
	"io"
	"net"
)

// readAhead is how many bytes are taken from the socket at once while a header is awaited. A
// typical small query fits, so that it costs one system call; it is paid by every idle connection.
const readAhead = 256

// source reads from the socket. Long reads bypass its buffer.
type source struct {
	nc   net.Conn
	r, w int // buf[r:w] has arrived and is not yet read
	buf  [readAhead]byte
}

// Read implements io.Reader. It returns at least one byte or an error.
func (s *source) Read(p []byte) (int, error) {
	if s.empty() {
		if len(p) >= len(s.buf) {
			return some(s.nc.Read(p))
		}
		if err := s.refill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.buf[s.r:s.w])
	s.r += n
	return n, nil
}

func (s *source) empty() bool { return s.r == s.w }

// refill reads into the empty buffer what has arrived, at least one byte.
func (s *source) refill() error {
	n, err := some(s.nc.Read(s.buf[:]))
	s.r, s.w = 0, n
	return err
}

// some postpones an error that came together with bytes, and knows no read without either.
func some(n int, err error) (int, error) {
	if n > 0 {
		return n, nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return 0, err
}

// peek waits for the next n bytes, at most readAhead, and returns them without reading them.
func (s *source) peek(n int) ([]byte, error) {
	if s.r+n > len(s.buf) {
		s.w = copy(s.buf[:], s.buf[s.r:s.w])
		s.r = 0
	}
	for s.w-s.r < n {
		m, err := some(s.nc.Read(s.buf[s.w:]))
		if err != nil {
			return nil, err
		}
		s.w += m
	}
	return s.buf[s.r : s.r+n], nil
}

// skip reads n bytes that peek returned.
func (s *source) skip(n int) { s.r += n }

// wrapper is the disguise of a stream: TLS records or web socket frames.
type wrapper interface {
	// read reads bytes of the stream like io.Reader, and deals with whatever else arrives.
	read(src *source, p []byte) (int, error)
	// header appends to dst the header of a record that carries n bytes or the first of them, and
	// returns how many.
	header(dst []byte, n int) ([]byte, int)
}

// stream reads the stream of frames: unwrapped, and in the clear.
type stream struct {
	source
	wrapper wrapper       // nil: frames stand in the socket's stream itself
	decrypt cipher.Stream // nil: not obfuscated
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (n int, err error) {
	if s.wrapper == nil {
		n, err = s.source.Read(p)
	} else {
		n, err = s.wrapper.read(&s.source, p)
	}
	if s.decrypt != nil {
		s.decrypt.XORKeyStream(p[:n], p[:n])
	}
	return n, err
}
