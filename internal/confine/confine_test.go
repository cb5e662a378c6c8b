//go:build linux && (amd64 || arm64)

package confine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// way is the argument with which this program is a confined process, and what it does then.
const way = "confined:"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], way) {
		os.Exit(child(strings.TrimPrefix(os.Args[1], way)))
	}
	os.Exit(m.Run())
}

// child is the confined process.
func child(does string) int {
	is := Enter(64<<20, time.Second)
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		return 1
	}
	switch does {
	case "tell":
		fmt.Printf("%s %s\n", is, in)
		for _, e := range os.Environ() {
			fmt.Println("environment", e)
		}
		fmt.Println("signal", unix.Kill(os.Getppid(), 0)) // harmless, and allowed to anybody else
		_, err := unix.Open("/etc/passwd", unix.O_RDONLY, 0)
		fmt.Println("open", err)
		_, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
		fmt.Println("socket", err)
	case "spin":
		for {
			in = append(in[:0], byte(len(in)))
		}
	case "eat":
		var all [][]byte
		for {
			all = append(all, bytes.Repeat([]byte{1}, 1<<20))
		}
	case "talk":
		fmt.Print(strings.Repeat("x", 1<<20))
	case "sleep":
		<-time.After(time.Hour)
	}
	return 0
}

// ask runs a confined process with the strongest isolation that starts.
func ask(t *testing.T, does string, timeout time.Duration, most int) (out []byte, err error) {
	t.Helper()
	self, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	for _, space := range Spaces() {
		out, err = Command{
			Argv: []string{self, way + does}, Space: space, Timeout: timeout, Answer: most,
		}.Ask(context.Background(), []byte("question"))
		if !strings.Contains(fmt.Sprint(err), "operation not permitted") {
			break
		}
	}
	return out, err
}

// TestConfined: a process that entered reads what it is asked and answers, and can do nothing else.
// Where the kernel has filters and limits, that they are not in force is a failure.
func TestConfined(t *testing.T) {
	if _, err := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0); err != nil {
		t.Skip("this kernel has no filters of system calls")
	}
	t.Setenv("SECRET", "of the server")
	out, err := ask(t, "tell", time.Minute, 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Split(strings.TrimSpace(string(out)), "\n")
	want := (Limits | Syscalls).String() + " question"
	if said[0] != want {
		t.Errorf("it is %q, want %q", said[0], want)
	}
	for _, line := range said[1:] {
		what, rest, _ := strings.Cut(line, " ")
		switch {
		case what == "environment" && strings.HasPrefix(rest, "GO"):
		case what != "environment" && rest == unix.EPERM.Error():
		default:
			t.Errorf("it could: %s", line)
		}
	}
	for _, what := range []string{"signal", "open", "socket"} {
		if !slices.ContainsFunc(said, func(l string) bool { return strings.HasPrefix(l, what) }) {
			t.Errorf("nothing was said of %s", what)
		}
	}
}

// TestBounds: time, memory and the length of an answer end with a reason.
func TestBounds(t *testing.T) {
	for does, want := range map[string]error{
		"spin": ErrTimeout, "sleep": ErrTimeout, "eat": ErrCrashed, "talk": ErrCrashed,
	} {
		t.Run(does, func(t *testing.T) {
			timeout := time.Minute
			if does == "sleep" {
				timeout = time.Second
			}
			out, err := ask(t, does, timeout, 1000)
			if !errors.Is(err, want) || len(out) > 1000 {
				t.Errorf("%d bytes, %v", len(out), err)
			}
		})
	}
}
