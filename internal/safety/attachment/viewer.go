package attachment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"parley/internal/blob"
	"parley/internal/chat/media/imaging"
	"parley/internal/clock"
	"parley/internal/confine"
	"parley/internal/safety/enclosure"
)

// Defaults of Options.
const (
	defaultTimeout = 90 * time.Second
	defaultCPU     = 30 * time.Second
	defaultMemory  = 512 << 20
	// remembered is how many views are remembered: each is some kilobytes, the pages lie elsewhere.
	remembered = 256
	// rememberedFor is how long: the pictures are kept a little longer.
	rememberedFor = enclosure.Within
	// rememberedText bounds the text of all of them, in bytes.
	rememberedText = 16 << 20
)

// ErrMissing says that a paper is not in the blob store.
var ErrMissing = errors.New("attachment: the paper is not there")

// Options are what a Viewer is made of.
type Options struct {
	// Papers has the papers, and takes the pictures of their pages.
	Papers blob.Store
	// Clock says how old a view is, the machine's by default.
	Clock clock.Clock
	// Images starts what makes pictures of photos.
	Images func() (*imaging.Worker, error)
	// Cache is a folder for the machine's form of PDFium, which is made with the first PDF file; ""
	// has it made anew for each.
	Cache string
	// Argv is the command of a confined process; this program with WorkerArg by default.
	Argv []string
	// Timeout is how long one paper may take, 90 s by default; CPU how much processor time, 30 s by
	// default; Memory how many bytes beyond what the process starts with, 512 MiB by default.
	Timeout, CPU time.Duration
	Memory       int64
	// Seen hears of every paper that was opened, and what isolation its process had; nil hears
	// nothing.
	Seen func(View, confine.Isolation)
}

// Viewer shows papers, one at a time: each takes a processor and half a gigabyte. It is safe for
// concurrent use.
type Viewer struct {
	Options
	slot chan struct{}

	mu    sync.Mutex
	known map[blob.Digest]seen
	order []blob.Digest
	text  int
	space confine.Space
	tried bool
}

// seen is a view that was made at a time.
type seen struct {
	View
	at time.Time
}

// New returns a viewer. It starts nothing.
func New(o Options) (*Viewer, error) {
	if o.Argv == nil {
		program, err := confine.Self()
		if err != nil {
			return nil, fmt.Errorf("attachment: %w", err)
		}
		o.Argv = []string{program, WorkerArg}
	}
	if cache := makeCache(o.Cache); cache != "" {
		o.Argv = append(slices.Clone(o.Argv), cache)
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.CPU <= 0 {
		o.CPU = defaultCPU
	}
	if o.Memory <= 0 {
		o.Memory = defaultMemory
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	if o.Seen == nil {
		o.Seen = func(View, confine.Isolation) {}
	}
	return &Viewer{
		Options: o, slot: make(chan struct{}, 1), known: map[blob.Digest]seen{},
	}, nil
}

// View shows a paper of the blob store. What is wrong with the paper is no error. Errors:
// ErrMissing, those of the blob store, the context's.
func (v *Viewer) View(ctx context.Context, paper blob.Digest) (View, error) {
	if out, ok := v.recall(paper); ok {
		return out, nil
	}
	select {
	case v.slot <- struct{}{}:
		defer func() { <-v.slot }()
	case <-ctx.Done():
		return View{}, ctx.Err()
	}
	if out, ok := v.recall(paper); ok { // opened while this waited
		return out, nil
	}
	info, err := v.Papers.Stat(ctx, paper)
	if errors.Is(err, blob.ErrNotFound) {
		return View{}, ErrMissing
	}
	if err != nil {
		return View{}, fmt.Errorf("attachment: %w", err)
	}
	if info.Size > MaxSize {
		return View{Kind: Unknown, Reason: TooLarge}, nil
	}
	at := v.Clock.Now()
	b := make([]byte, info.Size)
	if n, err := v.Papers.ReadAt(ctx, paper, b, 0); n < len(b) {
		return View{}, fmt.Errorf("attachment: %w", err)
	}
	out, err := v.open(ctx, b)
	if err == nil && out.Reason != TooLong { // which may be the machine's fault
		v.remember(paper, seen{out, at})
	}
	return out, err
}

// open shows a paper.
func (v *Viewer) open(ctx context.Context, b []byte) (View, error) {
	kind := kindOf(b)
	switch {
	case len(b) == 0:
		return View{Kind: Unknown, Reason: Broken}, nil
	case kind == Unknown:
		return View{Kind: Unknown, Reason: Format}, nil
	case kind == Image:
		return v.photo(ctx, b)
	}
	a, err := v.ask(ctx, question{kind: kind, cpu: v.CPU, memory: v.Memory, paper: b})
	if err != nil {
		return View{}, err
	}
	for _, p := range a.pictures {
		page, err := v.keep(ctx, p)
		if err != nil {
			return View{}, err
		}
		a.Pages = append(a.Pages, page)
	}
	v.Seen(a.View, a.isolation)
	return a.View, nil
}

// ask runs one confined process, with the strongest isolation that the machine permits. A process
// that the paper ended says so by the reason.
func (v *Viewer) ask(ctx context.Context, q question) (a answer, err error) {
	v.mu.Lock()
	spaces := []confine.Space{v.space}
	if !v.tried {
		spaces = confine.Spaces()
	}
	v.mu.Unlock()
	var out []byte
	for _, space := range spaces {
		out, err = confine.Command{
			Argv: v.Argv, Space: space, Timeout: v.Timeout, Answer: maxAnswer,
		}.Ask(ctx, q.encode())
		if ctx.Err() != nil {
			return a, ctx.Err()
		}
		if len(out) > 0 { // it started
			v.mu.Lock()
			v.space, v.tried = space, true
			v.mu.Unlock()
			a, werr := readAnswer(q.kind, out)
			a.isolation = a.isolation&^confine.Network | space.Isolation()
			a.settle(err, werr)
			return a, nil
		}
	}
	return a, fmt.Errorf("attachment: no process started: %w", err)
}

// settle says why an answer is not whole.
func (a *answer) settle(err, wire error) {
	switch {
	case wire != nil:
		// Nothing of a process is believed that says what none says.
		*a = answer{View: View{Kind: a.Kind, Reason: TooMuch}, isolation: a.isolation}
	case errors.Is(err, confine.ErrTimeout):
		a.Reason = TooLong
	case err != nil, !a.ended:
		a.Reason = TooMuch
	}
}

// photo shows a photo.
func (v *Viewer) photo(ctx context.Context, b []byte) (View, error) {
	out := View{Kind: Image, Of: 1}
	w, err := v.Images()
	if err != nil {
		return out, err
	}
	got, err := w.Resize(ctx, imaging.Message, b)
	switch {
	case errors.Is(err, imaging.ErrNotImage):
		out.Reason = Broken
	case errors.Is(err, imaging.ErrTooLarge):
		out.Reason = TooLarge
	case errors.Is(err, imaging.ErrTimeout):
		out.Reason = TooLong
	case errors.Is(err, imaging.ErrCrashed):
		out.Reason = TooMuch
	case err != nil:
		return out, err
	default:
		s := got.Sizes[len(got.Sizes)-1]
		page, err := v.keep(ctx, picture{s.Width, s.Height, s.JPEG})
		if err != nil {
			return out, err
		}
		out.Pages = []Page{page}
	}
	v.Seen(out, w.Isolation())
	return out, nil
}

// keep stores the picture of a page.
func (v *Viewer) keep(ctx context.Context, p picture) (Page, error) {
	d, _, err := v.Papers.Put(ctx, io.Reader(bytes.NewReader(p.jpeg)))
	if err != nil {
		return Page{}, fmt.Errorf("attachment: page: %w", err)
	}
	return Page{Digest: d, Width: p.width, Height: p.height}, nil
}

func (v *Viewer) recall(d blob.Digest) (View, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	out, ok := v.known[d]
	return out.View, ok && v.Clock.Now().Sub(out.at) < rememberedFor
}

// remember keeps a view for the next who looks, the last ones only.
func (v *Viewer) remember(d blob.Digest, out seen) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if old, ok := v.known[d]; ok { // whose pictures may be gone
		v.text += len(out.Text) - len(old.Text)
		v.known[d] = out
		return
	}
	v.known[d] = out
	v.order = append(v.order, d)
	v.text += len(out.Text)
	for len(v.order) > remembered || v.text > rememberedText && len(v.order) > 1 {
		v.text -= len(v.known[v.order[0]].Text)
		delete(v.known, v.order[0])
		v.order = v.order[1:]
	}
}
