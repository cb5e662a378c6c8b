// Package confine runs what a hostile file attacks first in a process of its own: this program
// started again with limits on processor time and memory, without network, files or secrets, and
// killed when it takes too long. What the process is asked and answers is its caller's; what it
// answers is to be read as suspiciously as what a stranger sends.
//
// Which isolation a machine permits is found out by trying, the strongest first; what is missing is
// told, for the operator to know. The package decodes nothing itself.
package confine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// reapWait is how long a killed process's pipes may stay open.
const reapWait = time.Second

var (
	// ErrTimeout says that the process used up its time.
	ErrTimeout = errors.New("confine: the process took too long")
	// ErrCrashed says that the process failed to start or died.
	ErrCrashed = errors.New("confine: the process crashed")
)

// Isolation is what keeps a process apart from the machine, as a set of bits.
type Isolation uint8

const (
	// Limits are bounds on processor time, memory, and files: none may be opened or grow.
	Limits Isolation = 1 << iota
	// Syscalls is a filter that lets through what computing needs and refuses all other system
	// calls: opening files, making sockets or processes, looking at other processes.
	Syscalls
	// Network is a network namespace without any device.
	Network
)

// String lists the bits for the operator.
func (i Isolation) String() string {
	var parts []string
	for _, bit := range []struct {
		bit  Isolation
		name string
	}{{Limits, "limits"}, {Syscalls, "syscalls"}, {Network, "network"}} {
		if i&bit.bit != 0 {
			parts = append(parts, bit.name)
		}
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, "+")
}

// Enter takes away from this process what computing does not need, for good, and returns what
// worked. From here on it may use so many bytes of memory and so much processor time, in whole
// seconds. It is called by the process itself before it reads anything of a stranger.
func Enter(memory int64, cpu time.Duration) Isolation { return enter(memory, cpu) }

// Space is a way to start a process apart from others.
type Space struct{ attributes *syscall.SysProcAttr }

// Spaces lists the ways to start a process without network, the strongest first; the last has one.
func Spaces() (out []Space) {
	for _, a := range namespaces() {
		out = append(out, Space{a})
	}
	return out
}

// Isolation is what the way of starting takes away.
func (s Space) Isolation() Isolation {
	if s.attributes == nil {
		return 0
	}
	return Network
}

// Self is the command that starts this very program.
func Self() (string, error) { return self() }

// Command is a process that is asked one thing.
type Command struct {
	Argv  []string
	Space Space
	// Timeout is how long it may take.
	Timeout time.Duration
	// Answer bounds what it may write, in bytes.
	Answer int
}

// Ask starts the process, hands it the question, and returns what it wrote; with an error, what it
// had written until then. Errors: ErrTimeout, ErrCrashed, the context's.
func (c Command) Ask(ctx context.Context, question []byte) ([]byte, error) {
	timed, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	cmd := exec.CommandContext(timed, c.Argv[0], c.Argv[1:]...)
	// Nothing of the server's environment, which may hold secrets. One processor is enough for
	// one question, and makes processor time and elapsed time the same.
	cmd.Env = []string{"GOMAXPROCS=1", "GOTRACEBACK=none"}
	cmd.Dir = "/"
	cmd.SysProcAttr = c.Space.attributes
	cmd.WaitDelay = reapWait
	cmd.Stdin = bytes.NewReader(question)
	out := bounded{most: c.Answer}
	cmd.Stdout = &out
	err := cmd.Run()
	switch {
	case err == nil:
	case ctx.Err() != nil:
		err = ctx.Err()
	case timed.Err() != nil:
		err = ErrTimeout
	case overspent(cmd.ProcessState):
		err = fmt.Errorf("%w: %w", ErrTimeout, err)
	default:
		err = fmt.Errorf("%w: %w", ErrCrashed, err)
	}
	return out.buffer.Bytes(), err
}

// bounded collects at most so many bytes.
type bounded struct {
	buffer bytes.Buffer
	most   int
}

// Write fails when there would be too much, which ends the process's pipe.
func (b *bounded) Write(p []byte) (int, error) {
	if b.buffer.Len()+len(p) > b.most {
		return 0, errors.New("confine: too long an answer")
	}
	return b.buffer.Write(p)
}
