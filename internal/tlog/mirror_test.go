package tlog_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"parley/internal/blob"
	"parley/internal/blob/blobtest"
	"parley/internal/tlog"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/verify"
)

// watched is a bucket whose readers look after every change, and which fails at one of them.
type watched struct {
	tlog.Folder
	look func()

	mu      sync.Mutex
	changes int
	failAt  int
}

var errBroken = errors.New("the bucket is broken")

func (w *watched) change(fn func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changes++
	if w.changes == w.failAt {
		return errBroken
	}
	defer w.look()
	return fn()
}

func (w *watched) Put(ctx context.Context, name string, b []byte, mime, cache string) error {
	return w.change(func() error { return w.Folder.Put(ctx, name, b, mime, cache) })
}

func (w *watched) Delete(ctx context.Context, name string) error {
	return w.change(func() error { return w.Folder.Delete(ctx, name) })
}

// TestMirrorIsAlwaysInOrder: whoever looks at the copy between any two changes, or after it broke
// off at any of them and another process went on, finds a log in order that only grows.
func TestMirrorIsAlwaysInOrder(t *testing.T) {
	k := newKept(t)
	l := k.open()
	defer closed(t, l)
	b := &watched{Folder: tlog.Folder(t.TempDir())}
	var seen verify.Seen
	b.look = func() {
		t.Helper()
		if _, err := b.Get(t.Context(), verify.CheckpointFile, 1<<20); err != nil {
			return
		}
		c := verify.Check{Source: verify.Dir(b.Folder), Keys: k.trust(), Since: seen, Reports: true}
		r, err := c.Run(t.Context())
		if err != nil {
			t.Fatalf("after %d changes: %v", b.changes, err)
		}
		seen = r.Checkpoint.Seen()
	}
	from := 0
	for _, to := range []int{3, 255, 256, 300, 700} {
		fill(t, l, from, to-1)
		document(t, l, to-1)
		from = to
		for n := 1; ; n++ {
			// Each time another process goes on.
			m := &tlog.Mirror{Log: l, To: b}
			b.changes, b.failAt = 0, n
			if err := m.Update(t.Context()); err == nil {
				break
			} else if !errors.Is(err, errBroken) {
				t.Fatal(err)
			}
		}
		if seen.Size != int64(to) {
			t.Errorf("the copy has %d entries of %d", seen.Size, to)
		}
	}
	left, err := filepath.Glob(filepath.Join(string(b.Folder), "tile/entries/00[01].p/*"))
	if err != nil || len(left) > 0 {
		t.Errorf("parts of what is whole are left: %v, %v", left, err)
	}
}

// document publishes a document as the next entry: first its file, then the line that commits to it.
func document(t *testing.T, l *tlog.Log, at int) {
	t.Helper()
	body := fmt.Appendf(nil, "Rules, version %d\n", at)
	file := l.File(verify.DocumentFile(entry.Digest(body)))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, body, 0o644); err != nil {
		t.Fatal(err)
	}
	err := l.Append(t.Context(), func(int64) ([][]byte, error) {
		b, err := entry.Entry{
			V: entry.Version, Kind: entry.Publication, Day: "2026-11-01", Subject: "rules",
			ID: fmt.Sprintf("%032x", at), Commitment: entry.Digest(body),
		}.Encode()
		return [][]byte{b}, err
	})
	if err == nil {
		err = l.Published(t.Context(), int64(at))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestMirrorRefuses: a copy that is ahead of the log, or of another log, is left as it is.
func TestMirrorRefuses(t *testing.T) {
	k := newKept(t)
	l := k.open()
	fill(t, l, 0, 20)
	to := tlog.Folder(t.TempDir())
	if err := (&tlog.Mirror{Log: l, To: to}).Update(t.Context()); err != nil {
		t.Fatal(err)
	}
	closed(t, l)
	ahead, err := to.Get(t.Context(), verify.CheckpointFile, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(k.opts.Dir); err != nil {
		t.Fatal(err)
	}
	k.opts.Signed = filepath.Join(k.dir, "forgotten")
	l = k.open()
	defer closed(t, l)
	from := 0
	for _, size := range []int{10, 30} {
		fillOther(t, l, from, size)
		from = size
		err := (&tlog.Mirror{Log: l, To: to}).Update(t.Context())
		if !errors.Is(err, tlog.ErrRollback) {
			t.Errorf("a log of %d other entries: %v", size, err)
		}
	}
	if is, err := to.Get(t.Context(), verify.CheckpointFile, 1<<20); err != nil ||
		string(is) != string(ahead) {
		t.Errorf("the copy has now %s: %v", is, err)
	}
}

// TestMirrorInBucket: strangers check a log in an S3 bucket that anybody may read.
func TestMirrorInBucket(t *testing.T) {
	g := blobtest.Start(t)
	url := g.URL(t, "public-log", "&prefix=log/")
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",` +
		`"Action":["s3:GetObject"],"Resource":["arn:aws:s3:::public-log/*"]}]}`
	if err := g.Admin.SetBucketPolicy(t.Context(), "public-log", policy); err != nil {
		t.Fatal(err)
	}
	bucket, err := blob.OpenBucket(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	k := newKept(t)
	l := k.open()
	defer closed(t, l)
	m := &tlog.Mirror{Log: l, To: bucket}
	var seen verify.Seen
	for _, to := range []int{700, 705, 1030} {
		fill(t, l, int(seen.Size), to)
		if err := m.Update(t.Context()); err != nil {
			t.Fatal(err)
		}
		r, err := verify.Check{
			Source: verify.Web{URL: fmt.Sprintf("http://%s/public-log/log", g.Addr)},
			Keys:   k.trust(), Since: seen, Reports: true,
		}.Run(t.Context())
		if err != nil || r.Entries != int64(to) {
			t.Fatalf("%d entries of %d: %v", r.Entries, to, err)
		}
		seen = r.Checkpoint.Seen()
	}
	for o, err := range bucket.List(t.Context(), "tile/") {
		if err != nil || strings.HasPrefix(o.Name, "tile/entries/002.p/") {
			t.Errorf("%s is left: %v", o.Name, err)
		}
	}
}
