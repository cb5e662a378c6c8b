//go:build unix

package gateway

import "syscall"

// once hands the kernel what it takes without waiting.
func (s *socket) once(fd uintptr) bool {
	for {
		n, err := syscall.Write(int(fd), s.data)
		switch err {
		case nil:
			s.n = n
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
		default:
			s.err = err
		}
		return true
	}
}
