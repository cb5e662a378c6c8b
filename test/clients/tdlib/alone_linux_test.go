package tdlib

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"unsafe"
)

// TDLib knows the addresses of Telegram's servers and tries them before anybody can tell it of
// others. So it runs in a network of its own, in which there is nothing but a way to the server of
// the test.
// aloneArg makes the test program run another one alone.
const aloneArg = "-run-alone"

// alone is a command in a network of its own, from which a socket in the file system leads to one
// port of this machine: it has the same number there.
func alone(t *testing.T, port int, program string, args ...string) *exec.Cmd {
	t.Helper()
	path := filepath.Join(t.TempDir(), "server")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go carry(l, "tcp", local(port))
	cmd := exec.Command(os.Args[0],
		append([]string{aloneArg, path, strconv.Itoa(port), program}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	return cmd
}

// local is a port of the network in which a process is.
func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// carry carries the connections of a listener to an address until it is closed.
func carry(l net.Listener, network, address string) {
	for {
		from, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = from.Close() }()
			to, err := net.Dial(network, address)
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = from.Close() }()
				_, _ = io.Copy(from, to)
			}()
			defer func() { _ = to.Close() }()
			_, _ = io.Copy(to, from)
		}()
	}
}

// runAlone runs a command in the new network, whose port leads to a socket, and returns how it
// ended.
func runAlone(server, port string, command []string) int {
	if err := raise("lo"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go carry(l, "unix", server)
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// raise lets an interface work.
func raise(name string) error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer func() { _ = syscall.Close(fd) }()
	var request struct {
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(request.name[:], name)
	request.flags = syscall.IFF_UP | syscall.IFF_RUNNING
	_, _, failed := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS,
		uintptr(unsafe.Pointer(&request)))
	if failed != 0 {
		return failed
	}
	return nil
}
