// Package tlog writes the transparency log: an append-only tree of entries, whose checkpoints are
// signed with the operator's key and cosigned by witnesses. It stores bytes in the form of C2SP
// tlog-tiles with the help of Tessera and knows nothing of what they mean; tlog/entry does. Reading
// and checking is tlog/verify, which strangers have too.
//
// Invariants: an entry that Append returned survives a power cut; entries are in the order of the
// calls; no checkpoint is signed that is smaller than, or does not continue, the last one that was
// signed, whatever was restored from a backup; nothing is published that too few witnesses
// cosigned.
//
// https://c2sp.org/tlog-tiles
package tlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"

	"parley/internal/tlog/verify"
)

// ErrRollback says that the log on disk is older than, or another than, what was signed before: it
// was restored from a backup, or changed. Nothing is signed until the newer files are back.
var ErrRollback = errors.New("tlog: the log is not the one that was signed before")

const (
	// batchSize and batchAge bound how many entries are written together, and how long the first of
	// them waits for others.
	batchSize = 2048
	batchAge  = 20 * time.Millisecond
	// freshTime is how often a checkpoint is signed and cosigned anew though nothing was added: so
	// strangers see that the log lives, and new witnesses cosign it soon.
	freshTime = 10 * time.Minute
	// pollTime is how often it is looked whether an entry is published yet.
	pollTime = 50 * time.Millisecond
	// witnessTime bounds how long a witness may take to answer.
	witnessTime = 10 * time.Second
)

// Options are what a log is made of.
type Options struct {
	// Dir has the files of the log, all of which but those that begin with a dot are public.
	Dir string
	// Signed is the file that remembers what was signed last. It must not lie in Dir, so that who
	// restores Dir from a backup does not restore it as well.
	Signed string
	// Keys sign checkpoints.
	Keys *Keys
	// Witnesses is who must cosign, in the form of a C2SP policy file; empty for nobody.
	Witnesses string
	// Interval is how often a checkpoint is published.
	Interval time.Duration
	// Client asks witnesses; http.DefaultClient when nil.
	Client *http.Client
	// Crash is called between steps by tests that stop the process there; nil in production.
	Crash func(point string)
}

// at marks a point between two steps.
func (o Options) at(point string) {
	if o.Crash != nil {
		o.Crash(point)
	}
}

// Log is a log that is written. It is safe for concurrent use.
type Log struct {
	Options

	reader tessera.LogReader
	append tessera.AddFn
	await  *tessera.PublicationAwaiter
	stop   func(context.Context) error
	cancel context.CancelFunc

	// mu keeps entries in the order of calls.
	mu sync.Mutex
}

// Open opens a log, or makes one. ErrRollback says that it is older than what was signed.
func Open(ctx context.Context, o Options) (*Log, error) {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("tlog: %w", err)
	}
	guard := &guard{Signer: o.Keys.primary, options: o}
	settings := tessera.NewAppendOptions().
		WithCheckpointSigner(guard, o.Keys.older...).
		WithCheckpointInterval(o.Interval).
		WithCheckpointRepublishInterval(max(freshTime, o.Interval)).
		WithBatching(batchSize, batchAge)
	if o.Witnesses != "" {
		group, err := tessera.NewWitnessGroupFromPolicy([]byte(o.Witnesses))
		if err != nil {
			return nil, fmt.Errorf("tlog: policy of witnesses: %w", err)
		}
		settings.WithWitnesses(group, &tessera.WitnessOptions{Timeout: witnessTime})
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	appender, stop, reader, err := begin(ctx, o, settings)
	if err != nil && o.Witnesses != "" {
		// A new log wants its first checkpoint, of nothing, cosigned before it begins. It has begun
		// now, and the checkpoint can wait for the witnesses like any other.
		appender, stop, reader, err = begin(ctx, o, settings)
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("tlog: open: %w", err)
	}
	l := &Log{
		Options: o, reader: reader, append: appender.Add, stop: stop, cancel: cancel,
		await: tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, pollTime),
	}
	if err := guard.check(ctx, reader); err != nil {
		return nil, errors.Join(err, l.Close(ctx))
	}
	return l, nil
}

func begin(ctx context.Context, o Options, settings *tessera.AppendOptions) (
	*tessera.Appender, func(context.Context) error, tessera.LogReader, error,
) {
	driver, err := posix.New(ctx, posix.Config{Path: o.Dir, HTTPClient: o.Client})
	if err != nil {
		return nil, nil, nil, err
	}
	return tessera.NewAppender(ctx, driver, settings)
}

// Close writes what was appended and publishes it, if the witnesses let it before ctx ends. What
// was not published is at the next start.
func (l *Log) Close(ctx context.Context) error {
	err := l.stop(ctx)
	l.cancel()
	if err != nil {
		return fmt.Errorf("tlog: close: %w", err)
	}
	return nil
}

// Append appends what fn returns, which is given the number of entries so far. Nothing else is
// appended meanwhile. The first entry has that number as its index, the next the one after. They
// are on disk when Append returns, and published later.
func (l *Log) Append(ctx context.Context, fn func(size int64) ([][]byte, error)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	next, err := l.reader.NextIndex(ctx)
	if err != nil {
		return fmt.Errorf("tlog: size: %w", err)
	}
	list, err := fn(int64(next))
	if err != nil {
		return err
	}
	futures := make([]tessera.IndexFuture, len(list))
	for i, b := range list {
		futures[i] = l.append(ctx, tessera.NewEntry(b))
	}
	for i, f := range futures {
		at, err := f()
		if err != nil {
			return fmt.Errorf("tlog: append: %w", err)
		}
		if want := next + uint64(i); at.Index != want {
			return fmt.Errorf("tlog: entry %d was written as %d", want, at.Index)
		}
	}
	return nil
}

// Size is how many entries were appended, published or not.
func (l *Log) Size(ctx context.Context) (int64, error) {
	n, err := l.reader.IntegratedSize(ctx)
	if err != nil {
		return 0, fmt.Errorf("tlog: size: %w", err)
	}
	return int64(n), nil
}

// Checkpoint is the newest that was published, the zero Checkpoint before there is one.
func (l *Log) Checkpoint(ctx context.Context) (verify.Checkpoint, error) {
	raw, err := l.reader.ReadCheckpoint(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return verify.Checkpoint{}, nil
	}
	if err != nil {
		return verify.Checkpoint{}, fmt.Errorf("tlog: checkpoint: %w", err)
	}
	return l.Keys.verifier().Open(raw)
}

// State is how many entries were appended, and how many of them are published.
func (l *Log) State(ctx context.Context) (appended, published int64, err error) {
	if appended, err = l.Size(ctx); err != nil {
		return 0, 0, err
	}
	c, err := l.Checkpoint(ctx)
	return appended, c.Size, err
}

// Published returns once the entry of an index is in a published checkpoint.
func (l *Log) Published(ctx context.Context, index int64) error {
	_, _, err := l.await.Await(ctx, func() (tessera.Index, error) {
		return tessera.Index{Index: uint64(index)}, nil
	})
	if err != nil {
		return fmt.Errorf("tlog: entry %d: %w", index, err)
	}
	return nil
}

// Receipt proves that an entry is in the log, by the newest published checkpoint. A *verify.Finding
// says that it is not published yet.
func (l *Log) Receipt(ctx context.Context, index int64) (verify.Receipt, error) {
	c, err := l.Checkpoint(ctx)
	if err != nil {
		return verify.Receipt{}, err
	}
	return verify.NewReceipt(ctx, l.Source(), l.Keys.origin, c, index)
}

// Source reads the log's files.
func (l *Log) Source() verify.Source { return verify.Dir(l.Dir) }

// Note signs a text with the log's keys; see Keys.Note.
func (l *Log) Note(text string, earlier []byte) ([]byte, error) {
	return l.Keys.Note(text, earlier)
}

// Origin is the log's name.
func (l *Log) Origin() string { return l.Keys.origin }

// File is where a public file besides the log's own lies: a report.
func (l *Log) File(path string) string { return filepath.Join(l.Dir, filepath.FromSlash(path)) }

// ServeHTTP serves the log's public files: to anybody, from anywhere.
func (l *Log) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := strings.TrimPrefix(r.URL.Path, "/")
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("X-Content-Type-Options", "nosniff")
	switch {
	case at == verify.CheckpointFile:
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Cache-Control", "no-cache")
	case at == KeysFile:
		h.Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(l.Keys.Public()))
		return
	case strings.HasPrefix(at, "tile/"):
		h.Set("Content-Type", "application/octet-stream")
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	case strings.HasPrefix(at, verify.DocumentFile("")):
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	case strings.HasPrefix(at, verify.ReportsDir+"/"):
		h.Set("Cache-Control", "public, max-age=300")
	default:
		http.NotFound(w, r)
		return
	}
	if strings.Contains(at, "/.") || strings.HasSuffix(at, "/") {
		http.NotFound(w, r)
		return
	}
	http.ServeFileFS(w, r, os.DirFS(l.Dir), at)
}
