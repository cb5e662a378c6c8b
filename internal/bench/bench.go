// Package bench measures the real server over real sockets with real encryption, and beside it, in
// the same run, the least that this machine allows (Floor). What it prints are ratios: absolute
// figures of a shared machine mean little. The server runs as a process of its own, so that its
// processor time is its own.
//
// What is not measured: a network card, packet loss, key exchanges (the devices of a run are put
// into the store beforehand; go test -bench in mtproto/handshake measures those).
package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/gotd/td/crypto"

	"parley/internal/ids"
)

// World is a server's data before the server runs: people with devices, and chats.
type World interface {
	// Person makes the nth account with a device, and returns the device's key.
	Person(ctx context.Context, n int) (ids.UserID, crypto.AuthKey, error)
	// Channel makes a channel of which people are members, and as many again without devices as
	// make the total.
	Channel(ctx context.Context, owner ids.UserID, members []ids.UserID, total int) (ids.Peer, error)
	// Say writes messages into a chat, whose texts are text(0) to text(count-1).
	Say(ctx context.Context, from ids.UserID, to ids.Peer, text func(int) string, count int) error
	// Hash is the access hash of a peer for a viewer.
	Hash(viewer, peer int64) int64
	// Close writes everything out and closes the data.
	Close() error
}

// Options say what to measure.
type Options struct {
	// Open opens the data of a server in a directory.
	Open func(ctx context.Context, dir string) (World, error)
	// Serve and Floor are the command lines of the server and the floor; the directory and the
	// address are appended as two words.
	Serve, Floor []string
	// Dir is where the data goes.
	Dir string
	// Quick measures a tenth of everything.
	Quick bool
	// Only are the letters of what is measured; empty for all.
	Only string
	Out  io.Writer
}

// Result is one line of the outcome.
type Result struct {
	What   string
	Server string
	Floor  string
	// Ratio is the server's cost over the floor's, 0 where there is no floor.
	Ratio  float64
	Target string
}

// bench is one run.
type bench struct {
	Options
	table *tabwriter.Writer
}

// Run measures and prints a line per figure as it comes.
func Run(ctx context.Context, o Options) error {
	b := &bench{Options: o, table: tabwriter.NewWriter(o.Out, 2, 8, 2, ' ', 0)}
	_, _ = fmt.Fprintln(o.Out, conditions())
	_, _ = fmt.Fprintln(b.table, "what\tserver\tfloor of this machine\tratio\ttarget")
	for _, s := range []struct {
		letter  string
		measure func(context.Context) error
	}{
		{"d", b.start}, {"c", b.idle}, {"b", b.pairs}, {"e", b.history},
		{"a", func(ctx context.Context) error { return b.fanout(ctx, 1000, 1000) }},
		{"a", func(ctx context.Context) error { return b.fanout(ctx, 10_000, 10_000) }},
		{"f", func(ctx context.Context) error { return b.fanout(ctx, 10_000, 1_000_000) }},
		{"g", func(ctx context.Context) error { return b.measures(ctx, removal(), 1000) }},
		{"g", func(ctx context.Context) error { return b.measures(ctx, removal(), 10_000) }},
		{"h", func(ctx context.Context) error { return b.measures(ctx, hour(), 1000) }},
	} {
		if o.Only != "" && !strings.Contains(o.Only, s.letter) {
			continue
		}
		if err := s.measure(ctx); err != nil {
			return fmt.Errorf("bench: (%s): %w", s.letter, err)
		}
	}
	_, _ = fmt.Fprintln(b.table, conditions())
	return b.table.Flush()
}

// conditions are what the figures depend on besides the server: read them with every figure.
func conditions() string {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		load = []byte("unknown")
	}
	return fmt.Sprintf("%s: %d processors, %s, load %s; clients and floor share the processors",
		time.Now().UTC().Format(time.TimeOnly), runtime.NumCPU(), runtime.Version(),
		strings.TrimSpace(string(load)))
}

func (b *bench) print(r Result) {
	ratio := "-"
	if r.Ratio > 0 {
		ratio = fmt.Sprintf("%.2f", r.Ratio)
	}
	_, _ = fmt.Fprintf(b.table, "%s\t%s\t%s\t%s\t%s\n", r.What, r.Server, r.Floor, ratio, r.Target)
	_ = b.table.Flush()
}

// scaled is n, or a tenth of it in a quick run.
func (b *bench) scaled(n int) int {
	if b.Quick {
		return max(n/10, 1)
	}
	return n
}

// world makes the data of a server in a new directory.
func (b *bench) world(ctx context.Context, name string) (string, World, error) {
	dir := filepath.Join(b.Dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return dir, nil, err
	}
	w, err := b.Open(ctx, dir)
	return dir, w, err
}

// server runs the server on a directory.
func (b *bench) server(ctx context.Context, dir string) (*process, string, error) {
	return b.launch(ctx, "clients:", b.Serve, dir)
}

// floor runs the floor.
func (b *bench) floor(ctx context.Context) (*process, string, error) {
	return b.launch(ctx, "floor:", b.Floor, b.Dir)
}

func (b *bench) launch(
	ctx context.Context, ready string, command []string, dir string,
) (*process, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, "", err
	}
	argv := append(append([]string{}, command...), dir, addr)
	p, err := start(ctx, ready, argv...)
	return p, addr, err
}

// people makes accounts with devices.
func people(ctx context.Context, w World, n int) ([]ids.UserID, []crypto.AuthKey, error) {
	users := make([]ids.UserID, n)
	keys := make([]crypto.AuthKey, n)
	err := parallel(n, func(i int) (err error) {
		users[i], keys[i], err = w.Person(ctx, i)
		return err
	})
	return users, keys, err
}

// lanes is how many things are prepared side by side.
const lanes = 64

// parallel calls fn for 0 to n-1, several at a time, and returns the first error.
func parallel(n int, fn func(i int) error) error {
	next := make(chan int)
	errs := make(chan error, lanes)
	for range lanes {
		go func() {
			var first error
			for i := range next {
				if first == nil {
					first = fn(i)
				}
			}
			errs <- first
		}()
	}
	for i := range n {
		next <- i
	}
	close(next)
	var first error
	for range lanes {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// percentile is how long so many in a hundred took at most.
func percentile(list []time.Duration, percent int) time.Duration {
	if len(list) == 0 {
		return 0
	}
	list = slices.Sorted(slices.Values(list))
	return list[min(len(list)*percent/100, len(list)-1)]
}

func millis(d time.Duration) string { return fmt.Sprintf("%.1f ms", micros(d, 1)/1000) }

func micros(d time.Duration, n int) float64 {
	return float64(d.Microseconds()) / float64(max(n, 1))
}
