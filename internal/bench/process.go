package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server under measurement: a process of its own.
type process struct {
	cmd *exec.Cmd
	// in takes orders, and said are the lines that it prints once it is ready.
	in   io.WriteCloser
	said chan string
}

// readyTime is how long a server may take to say that it listens.
const readyTime = time.Minute

// start runs a program until it prints a line that contains ready.
func start(ctx context.Context, ready string, argv ...string) (*process, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, in: in, said: make(chan string, 16)}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	found := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if strings.Contains(lines.Text(), ready) {
				found <- true
				break
			}
		}
		close(found)
		for lines.Scan() {
			select {
			case p.said <- lines.Text():
			default: // nobody has asked for anything
			}
		}
		close(p.said)
	}()
	select {
	case ok := <-found:
		if ok {
			return p, nil
		}
		return nil, errors.Join(errors.New("bench: a server ended before it listened"), p.stop())
	case <-time.After(readyTime):
		return nil, errors.Join(errors.New("bench: a server does not come up"), p.stop())
	}
}

// order gives an order and waits for the line that says it is carried out.
func (p *process) order(line, want string) error {
	if _, err := fmt.Fprintln(p.in, line); err != nil {
		return err
	}
	select {
	case got, ok := <-p.said:
		if !ok || got != want {
			return fmt.Errorf("bench: the server answered %q", got)
		}
		return nil
	case <-time.After(patience):
		return errors.New("bench: the server does not answer")
	}
}

// stop ends the process and waits for it.
func (p *process) stop() error {
	if p.cmd.Process == nil {
		return nil
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil
	}
	return err
}

// ticks is how many of the units of /proc/PID/stat are in a second. Linux fixes it for programs.
const ticks = 100

// cpu is how much processor time the process has used, by itself and in the kernel.
func (p *process) cpu() (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 13 {
		return 0, errors.New("bench: /proc/PID/stat is not as expected")
	}
	user, uerr := strconv.ParseInt(fields[11], 10, 64)
	system, serr := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticks, errors.Join(uerr, serr)
}

// rss is how much memory the process occupies, in bytes.
func (p *process) rss() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(string(b), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("bench: /proc/PID/status is not as expected")
}

// Quiet is when a process works less than one part in quietPart of the time; what it does after its
// start, in the background, is waited for at most quietMost.
const (
	quietLook = 200 * time.Millisecond
	quietPart = 10
	quietMost = 10 * time.Second
)

// settle waits until the process has done what it does once.
func (p *process) settle() error {
	before, err := p.cpu()
	for end := time.Now().Add(quietMost); err == nil && time.Now().Before(end); {
		time.Sleep(quietLook)
		var now time.Duration
		if now, err = p.cpu(); now-before < quietLook/quietPart {
			break
		}
		before = now
	}
	return err
}

// spent runs fn, once the process is quiet, and returns how much time passed and how much the
// process worked meanwhile.
func (p *process) spent(fn func() error) (wall, cpu time.Duration, err error) {
	if err := p.settle(); err != nil {
		return 0, 0, err
	}
	before, err := p.cpu()
	if err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	if err := fn(); err != nil {
		return 0, 0, err
	}
	wall = time.Since(begin)
	after, err := p.cpu()
	return wall, after - before, err
}
