package imaging

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"runtime"
	"time"

	"parley/internal/confine"
)

// Defaults of Options.
const (
	defaultTimeout = 20 * time.Second
	defaultCPU     = 5 * time.Second
	defaultMemory  = 512 << 20
)

// Options say how workers are run. The zero value is the default.
type Options struct {
	// Argv is the command of a worker; this program with WorkerArg by default.
	Argv []string
	// Timeout is how long one image may take; 20 s by default.
	Timeout time.Duration
	// CPU is how much processor time one image may take, in whole seconds; 5 s by default.
	CPU time.Duration
	// MemoryLimit is how many bytes a worker may use beyond what it starts with; 512 MiB by
	// default.
	MemoryLimit int64
	// Processes is how many workers run at the same time; half of the processors by default.
	Processes int
}

// Worker makes sizes in processes of its own, a bounded number at a time. It is safe for
// concurrent use.
type Worker struct {
	options   Options
	space     confine.Space
	isolation confine.Isolation
	slots     chan struct{}
}

// NewWorker starts a worker on a small image to find the strongest isolation that this machine
// permits. It fails with ErrCrashed or ErrTimeout when no worker answers at all.
func NewWorker(ctx context.Context, options Options) (*Worker, error) {
	if options.Argv == nil {
		program, err := confine.Self()
		if err != nil {
			return nil, fmt.Errorf("%w: find this program: %w", ErrCrashed, err)
		}
		options.Argv = []string{program, WorkerArg}
	}
	if options.Timeout <= 0 {
		options.Timeout = defaultTimeout
	}
	if options.CPU <= 0 {
		options.CPU = defaultCPU
	}
	if options.MemoryLimit <= 0 {
		options.MemoryLimit = defaultMemory
	}
	if options.Processes <= 0 {
		options.Processes = max(1, runtime.NumCPU()/2)
	}
	w := &Worker{options: options, slots: make(chan struct{}, options.Processes)}
	probe, err := probeImage()
	if err != nil {
		return nil, err
	}
	spaces := confine.Spaces()
	for i, space := range spaces {
		w.space = space
		answer, err := w.ask(ctx, Message, probe)
		if err == nil && answer.status != statusDone {
			err = ErrCrashed
		}
		if err == nil {
			w.isolation = answer.isolation&^confine.Network | space.Isolation()
			return w, nil
		}
		if i == len(spaces)-1 || ctx.Err() != nil {
			return nil, err
		}
	}
	return nil, ErrCrashed
}

// probeImage returns the smallest image.
func probeImage() ([]byte, error) {
	var probe bytes.Buffer
	if err := png.Encode(&probe, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		return nil, fmt.Errorf("imaging: encode probe: %w", err)
	}
	return probe.Bytes(), nil
}

// Isolation returns what keeps the workers apart from this machine.
func (w *Worker) Isolation() confine.Isolation { return w.isolation }

// Resize makes the sizes of an image for a purpose. It waits for a free worker as long as the
// context allows. Errors: ErrNotImage, ErrTooLarge, ErrTimeout, ErrCrashed, the context's.
func (w *Worker) Resize(ctx context.Context, purpose Purpose, image []byte) (Result, error) {
	if len(image) > MaxInput {
		return Result{}, ErrTooLarge
	}
	if _, known := sniff(image); !known {
		return Result{}, ErrNotImage
	}
	answer, err := w.ask(ctx, purpose, image)
	if err != nil {
		return Result{}, err
	}
	switch answer.status {
	case statusDone:
		return answer.result, nil
	case statusNotImage:
		return Result{}, ErrNotImage
	case statusTooLarge:
		return Result{}, ErrTooLarge
	default:
		return Result{}, fmt.Errorf("%w: it could not encode", ErrCrashed)
	}
}

// ask runs one worker on one image.
func (w *Worker) ask(ctx context.Context, purpose Purpose, image []byte) (reply, error) {
	select {
	case w.slots <- struct{}{}:
		defer func() { <-w.slots }()
	case <-ctx.Done():
		return reply{}, ctx.Err()
	}
	out, err := w.run(ctx, request{
		purpose: purpose, cpu: w.options.CPU, memory: w.options.MemoryLimit, image: image,
	})
	if err != nil {
		return reply{}, err
	}
	answer, err := decodeReply(purpose, out)
	if err != nil {
		return reply{}, fmt.Errorf("%w: its answer is %w", ErrCrashed, err)
	}
	return answer, nil
}

// run starts a worker, hands it the request, and returns what it wrote when it ended well.
func (w *Worker) run(ctx context.Context, ask request) ([]byte, error) {
	return confine.Command{
		Argv: w.options.Argv, Space: w.space, Timeout: w.options.Timeout, Answer: maxReply,
	}.Ask(ctx, ask.encode())
}
