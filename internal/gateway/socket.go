package gateway

import (
	"net"
	"os"
	"sync/atomic"
	"syscall"
)

// socket is a net.Conn whose writes never wait: what the kernel does not take at once is left over
// with a timeout error. Only whoever set patient waits, within the write deadline.
type socket struct {
	net.Conn
	raw     syscall.RawConn // nil when the connection is no file: then writes wait
	attempt func(fd uintptr) bool
	patient atomic.Bool

	// Of the write under way; the transport does one at a time.
	data []byte
	n    int
	err  error
}

func newSocket(nc net.Conn) *socket {
	s := &socket{Conn: nc}
	if file, ok := nc.(syscall.Conn); ok {
		if raw, err := file.SyscallConn(); err == nil {
			s.raw, s.attempt = raw, s.once
		}
	}
	return s
}

// Write implements net.Conn.
func (s *socket) Write(p []byte) (int, error) {
	if s.raw == nil || s.patient.Load() {
		return s.Conn.Write(p)
	}
	s.data, s.n, s.err = p, 0, nil
	err := s.raw.Write(s.attempt)
	s.data = nil
	switch {
	case err != nil:
		return s.n, err
	case s.err != nil:
		return s.n, os.NewSyscallError("write", s.err)
	case s.n < len(p):
		return s.n, os.ErrDeadlineExceeded
	}
	return s.n, nil
}

// finish tells the peer that nothing more will come.
func (s *socket) finish() {
	if half, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
		return
	}
	s.Conn.Close()
}
