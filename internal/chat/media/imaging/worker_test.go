package imaging

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/internal/confine"
)

// The ways in which the test binary can be a bad worker, by its first argument. All but the first
// behave on a one-pixel image, which is what NewWorker sends.
const (
	neverAnswers = "worker-never-answers"
	sleeps       = "worker-sleeps"
	spins        = "worker-spins"
	crashes      = "worker-crashes"
	lies         = "worker-lies"
	floodsOut    = "worker-floods"
	eats         = "worker-eats"
	escapes      = "worker-escapes"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 {
		switch os.Args[1] {
		case WorkerArg:
			os.Exit(WorkerMain(os.Stdin, os.Stdout))
		case neverAnswers, sleeps, spins, crashes, lies, floodsOut, eats, escapes:
			badWorker(os.Args[1])
		}
	}
	os.Exit(m.Run())
}

// badWorker is a worker that an image has taken over.
func badWorker(way string) {
	if way == neverAnswers {
		os.Exit(1)
	}
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		os.Exit(1)
	}
	if len(in) < 200 {
		os.Exit(WorkerMain(bytes.NewReader(in), os.Stdout))
	}
	ask, _, err := readRequestHead(bytes.NewReader(in))
	if err != nil {
		os.Exit(1)
	}
	confine.Enter(ask.memory, ask.cpu)
	switch way {
	case sleeps:
		time.Sleep(time.Hour)
	case spins:
		for i := 0; ; i++ {
			runtime.KeepAlive(i)
		}
	case lies:
		_, _ = os.Stdout.WriteString("everything went very well")
	case floodsOut:
		for {
			if _, err := os.Stdout.Write(make([]byte, 1<<20)); err != nil {
				os.Exit(1)
			}
		}
	case eats:
		var all [][]byte
		for range 64 {
			all = append(all, bytes.Repeat([]byte{1}, 16<<20))
		}
		fmt.Println(len(all))
	case escapes:
		tryEscapes()
	case crashes:
		panic("taken over")
	}
	os.Exit(0)
}

// tryEscapes prints a line for each way out, with the error that barred it.
func tryEscapes() {
	report := func(way string, err error) { fmt.Printf("%s: %v\n", way, err) }
	_, err := os.ReadFile("/etc/hostname")
	report("read a file", err)
	report("write a file", os.WriteFile("/tmp/parley-imaging-escape", []byte("x"), 0o600))
	_, err = net.DialTimeout("tcp", "127.0.0.1:9", time.Second)
	report("connect", err)
	_, err = net.Listen("tcp", "127.0.0.1:0")
	report("listen", err)
	_, err = net.Dial("unix", "/run/x.sock")
	report("connect locally", err)
	report("start a program", exec.Command("/bin/true").Run())
	server, err := os.FindProcess(os.Getppid())
	if err == nil {
		err = server.Signal(syscall.Signal(0))
	}
	report("signal the server", err)
	report("walk about", os.Chdir("/proc"))
}

// testProgram is the command of a worker made of the test binary.
func testProgram(t testing.TB, arg string) []string {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return []string{program, arg}
}

func newTestWorker(t testing.TB, arg string) *Worker {
	t.Helper()
	w, err := NewWorker(t.Context(), Options{Argv: testProgram(t, arg), Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWorkerResizes(t *testing.T) {
	w, err := NewWorker(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("isolation here: %v", w.Isolation())
	file := asJPEG(t, corners(1000, 750))
	got, err := w.Resize(t.Context(), Message, file)
	if err != nil {
		t.Fatal(err)
	}
	want, err := render(Message, file)
	if err != nil {
		t.Fatal(err)
	}
	if describe(got) != describe(want) || !bytes.Equal(got.Stripped, want.Stripped) {
		t.Errorf("got %s, want %s", describe(got), describe(want))
	}
	for i := range got.Sizes {
		if !bytes.Equal(got.Sizes[i].JPEG, want.Sizes[i].JPEG) {
			t.Errorf("%s differs from what the decoder made", got.Sizes[i].Type)
		}
	}
	if got.Width != 1000 || got.Height != 750 {
		t.Errorf("told %dx%d", got.Width, got.Height)
	}
}

func TestWorkerRefuses(t *testing.T) {
	w := newTestWorker(t, WorkerArg)
	tests := map[string]struct {
		file []byte
		want error
	}{
		"garbage":   {[]byte("garbage"), ErrNotImage},
		"truncated": {asJPEG(t, corners(300, 300))[:400], ErrNotImage},
		"too long":  {make([]byte, MaxInput+1), ErrTooLarge},
	}
	for name, flood := range floods() {
		tests["flood "+name] = struct {
			file []byte
			want error
		}{flood, ErrTooLarge}
	}
	for name, test := range tests {
		if _, err := w.Resize(t.Context(), Message, test.file); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if _, err := w.Resize(t.Context(), 9, asPNG(t, corners(9, 9))); !errors.Is(err, ErrCrashed) {
		t.Errorf("unknown purpose: %v", err)
	}
	if _, err := w.Resize(t.Context(), Message, asPNG(t, corners(9, 9))); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

// TestLargestImages has the largest images of each kind decoded within the default limits.
func TestLargestImages(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("takes the better part of the processor time that a worker has")
	}
	w := newTestWorker(t, WorkerArg)
	plain := corners(5000, 5000)
	for name, file := range map[string][]byte{
		"jpeg": asJPEG(t, plain), "png": asPNG(t, plain), "webp": asWebP(5000, 5000, blue),
	} {
		if _, err := w.Resize(t.Context(), Message, file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadWorkers(t *testing.T) {
	large := asPNG(t, corners(200, 200))
	tests := []struct {
		way    string
		change func(*Options)
		want   error
	}{
		{sleeps, func(o *Options) { o.Timeout = 300 * time.Millisecond }, ErrTimeout},
		{spins, func(o *Options) { o.CPU = time.Second }, ErrTimeout},
		{crashes, nil, ErrCrashed},
		{lies, nil, ErrCrashed},
		{floodsOut, nil, ErrCrashed},
		{eats, func(o *Options) { o.MemoryLimit = 256 << 20 }, ErrCrashed},
	}
	for _, test := range tests {
		t.Run(test.way, func(t *testing.T) {
			w := newTestWorker(t, test.way)
			if test.change != nil {
				test.change(&w.options)
			}
			if test.way == eats && w.Isolation()&confine.Limits == 0 {
				t.Skip("no limits on this machine")
			}
			_, err := w.Resize(t.Context(), Message, large)
			if !errors.Is(err, test.want) {
				t.Errorf("Resize = %v, want %v", err, test.want)
			}
			if len(w.slots) != 0 {
				t.Error("the worker's slot is not free again")
			}
		})
	}
}

func TestWorkerIsConfined(t *testing.T) {
	w := newTestWorker(t, escapes)
	if w.Isolation()&confine.Syscalls == 0 {
		t.Skipf("no filter of system calls on this machine: %v", w.Isolation())
	}
	out, err := w.run(t.Context(), request{
		purpose: Message, cpu: defaultCPU, memory: defaultMemory, image: make([]byte, 1000),
	})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 8 {
		t.Errorf("the worker reported %q", out)
	}
	for _, line := range lines {
		way, outcome, _ := strings.Cut(line, ": ")
		if outcome == "<nil>" {
			t.Errorf("a worker can %s", way)
		}
	}
}

func TestWorkerThatNeverAnswers(t *testing.T) {
	for _, argv := range [][]string{testProgram(t, neverAnswers), {"/no/such/program"}} {
		if _, err := NewWorker(t.Context(), Options{Argv: argv}); !errors.Is(err, ErrCrashed) {
			t.Errorf("%s: NewWorker = %v", argv, err)
		}
	}
}

func TestWorkerCancelled(t *testing.T) {
	w := newTestWorker(t, sleeps)
	w.slots = make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(t.Context())
	large := asPNG(t, corners(200, 200))
	var group sync.WaitGroup
	for range 2 {
		// One runs, the other waits for it: both must end.
		group.Go(func() {
			if _, err := w.Resize(ctx, Message, large); !errors.Is(err, context.Canceled) {
				t.Errorf("Resize = %v", err)
			}
		})
	}
	for len(w.slots) == 0 {
		runtime.Gosched()
	}
	cancel()
	group.Wait()
}

// TestWorkersAreApart runs good and bad images side by side: the bad ones spoil nothing.
func TestWorkersAreApart(t *testing.T) {
	w := newTestWorker(t, WorkerArg)
	w.slots = make(chan struct{}, 2)
	good, bad := asJPEG(t, corners(300, 200)), floods()["png"]
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			got, err := w.Resize(t.Context(), Profile, good)
			if err != nil || len(got.Sizes) != 3 {
				t.Errorf("good image: %v", err)
			}
		})
		group.Go(func() {
			if _, err := w.Resize(t.Context(), Profile, bad); !errors.Is(err, ErrTooLarge) {
				t.Errorf("bad image: %v", err)
			}
		})
	}
	group.Wait()
}

func TestWorkerMainRefuses(t *testing.T) {
	ask := request{purpose: Message, cpu: time.Second, memory: 1 << 30, image: []byte("x")}
	good := ask.encode()
	for name, in := range map[string][]byte{
		"nothing":         nil,
		"half a head":     good[:requestHead-1],
		"wrong magic":     append([]byte("XXXX"), good[4:]...),
		"unknown purpose": append([]byte(requestMagic+"\x09"), good[5:]...),
		"huge length":     append(good[:requestHead-5:requestHead-5], 0xff, 0xff, 0xff, 0xff, 0xff),
	} {
		var out bytes.Buffer
		if code := WorkerMain(bytes.NewReader(in), &out); code == 0 || out.Len() != 0 {
			t.Errorf("%s: exit code %d, %d bytes", name, code, out.Len())
		}
	}
}

func FuzzDecodeReply(f *testing.F) {
	good, err := render(Message, asPNG(f, corners(150, 90)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint8(Message), reply{status: statusDone, result: good}.encode())
	f.Add(uint8(Profile), reply{status: statusNotImage}.encode())
	f.Fuzz(func(t *testing.T, p uint8, b []byte) {
		purpose := Purpose(p)
		r, err := decodeReply(purpose, b)
		if err != nil || r.status != statusDone {
			return
		}
		boxes := purpose.boxes()
		for i, s := range r.result.Sizes {
			if s.Type != string(boxes[i].letter) || s.Width > boxes[i].side || s.Width < 1 ||
				s.Height > boxes[i].side || s.Height < 1 || len(s.JPEG) == 0 {
				t.Errorf("accepted %+v", s)
			}
		}
		if !bytes.Equal(r.encode(), b) {
			t.Error("accepted what encode would not write")
		}
	})
}

func BenchmarkWorker(b *testing.B) {
	w := newTestWorker(b, WorkerArg)
	for name, file := range map[string][]byte{
		"1x1": asPNG(b, corners(1, 1)), "1280x960": asJPEG(b, corners(1280, 960)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.Resize(b.Context(), Message, file); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
