package storetest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// serverTries is how often another port is tried.
	serverTries = 5
	// memoryNeeded is how many bytes of shared memory must be free for a server's files to be put
	// there, where its fsyncs cost nothing.
	memoryNeeded = 2 << 30
)

// server is a throwaway PostgreSQL server.
type server struct {
	url    string
	home   string
	exited chan error
	pid    int
}

// startServer makes and starts a server; nil when none is installed.
func startServer() (*server, error) {
	bin := programs()
	if bin == "" {
		return nil, nil
	}
	home, err := os.MkdirTemp(filesDir(), "parley-postgres-")
	if err != nil {
		return nil, err
	}
	s, err := startIn(home, bin)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(home))
	}
	return s, nil
}

// programs is the directory of the newest installed server, "" when there is none.
func programs() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return ""
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(strings.Split(path, "/")[4])
		return n
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest)
}

func filesDir() string {
	const memory = "/dev/shm"
	var fs unix.Statfs_t
	if err := unix.Statfs(memory, &fs); err != nil ||
		fs.Bavail*uint64(fs.Bsize) < memoryNeeded || unix.Access(memory, unix.W_OK) != nil {
		return ""
	}
	return memory
}

func startIn(home, bin string) (*server, error) {
	as, err := owner(home)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(home, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "--pgdata="+data, "--username=parley",
		"--auth=trust", "--encoding=UTF8", "--locale=C", "--wal-segsize=4", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = home, &syscall.SysProcAttr{Credential: as}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	for try := 1; ; try++ {
		s, err := launch(home, bin, as)
		if err == nil || try == serverTries {
			return s, err
		}
	}
}

// owner gives the directory to the user that the server runs as: the server refuses to be root.
func owner(home string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(home, int(uid), int(gid)); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// launch starts the server on a free port and waits until it accepts connections.
func launch(home, bin string, as *syscall.Credential) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	settings := []string{"-D", filepath.Join(home, "data"), "-p", strconv.Itoa(port)}
	for _, c := range []string{"listen_addresses=127.0.0.1", "unix_socket_directories=",
		"max_connections=200", "fsync=on", "synchronous_commit=on", "full_page_writes=on",
		"max_wal_size=64MB"} {
		settings = append(settings, "-c", c)
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), settings...)
	// Should this process die before it stops the server, the kernel does it.
	cmd.Dir = home
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as, Pdeathsig: syscall.SIGINT}
	output, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	s := &server{
		url:    fmt.Sprintf("postgres://parley@127.0.0.1:%d/postgres?sslmode=disable", port),
		home:   home,
		exited: make(chan error, 1),
	}
	ready := make(chan error, 1)
	go s.watch(cmd, output, ready)
	select {
	case err := <-ready:
		return s, err
	case <-time.After(patience):
		return nil, errors.Join(errors.New("the server does not come up"), s.halt())
	}
}

// watch starts the server, reads its log and waits for its end. The thread stays the goroutine's
// own, because the death signal is tied to the thread that started the server.
func (s *server) watch(cmd *exec.Cmd, output io.Reader, ready chan<- error) {
	runtime.LockOSThread()
	if err := cmd.Start(); err != nil {
		ready <- err
		return
	}
	s.pid = cmd.Process.Pid
	var said strings.Builder
	up := false
	for lines := bufio.NewScanner(output); lines.Scan(); {
		if up {
			continue
		}
		said.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "ready to accept connections") {
			up = true
			ready <- nil
		}
	}
	err := cmd.Wait()
	if !up {
		ready <- fmt.Errorf("postgres: %w\n%s", err, said.String())
	}
	s.exited <- err
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// halt stops the server and waits for its end.
func (s *server) halt() error {
	if err := syscall.Kill(s.pid, syscall.SIGINT); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	select {
	case err := <-s.exited:
		return err
	case <-time.After(patience):
		return errors.Join(errors.New("the server does not stop"), syscall.Kill(s.pid, syscall.SIGKILL))
	}
}

// stop stops the server and removes its files.
func (s *server) stop() error { return errors.Join(s.halt(), os.RemoveAll(s.home)) }
