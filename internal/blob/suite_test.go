package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"
)

// testMax is the largest blob of the stores under test, in bytes.
const testMax = 1 << 20

// form is one form of Store under test. later moves the store's clock by at least a second.
type form struct {
	store Store
	// within opens the store of a name within it.
	within func(name string) Store
	later  func()
}

// noise returns n bytes that depend on the seed alone.
func noise(seed uint64, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), 1}).Read(b)
	return b
}

// put stores b and fails the test when the answer is not b's digest and length.
func put(t *testing.T, s Store, b []byte) Digest {
	t.Helper()
	d, n, err := s.Put(t.Context(), bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if d != sha256.Sum256(b) || n != int64(len(b)) {
		t.Fatalf("Put returned %v, %d", d, n)
	}
	return d
}

// digests returns the digests that All visits, sorted.
func digests(t *testing.T, s Store) []string {
	t.Helper()
	var list []string
	for info, err := range s.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, info.Digest.String())
	}
	slices.Sort(list)
	return list
}

// conform runs the suite that every form must pass; open returns an empty store.
func conform(t *testing.T, open func(t *testing.T) form) {
	t.Run("ranges", func(t *testing.T) { testRanges(t, open(t).store) })
	t.Run("missing", func(t *testing.T) { testMissing(t, open(t).store) })
	t.Run("source fails", func(t *testing.T) { testSourceFails(t, open(t).store) })
	t.Run("cancelled", func(t *testing.T) { testCancelled(t, open(t).store) })
	t.Run("age", func(t *testing.T) { testAge(t, open(t)) })
	t.Run("sweep", func(t *testing.T) { testSweep(t, open(t)) })
	t.Run("within", func(t *testing.T) { testWithin(t, open(t)) })
	t.Run("concurrent", func(t *testing.T) { testConcurrent(t, open(t).store) })
}

func testRanges(t *testing.T, s Store) {
	const size = 300_000
	content := noise(1, size)
	d := put(t, s, content)
	tests := []struct {
		name    string
		off     int64
		len, n  int
		wantErr error
	}{
		{name: "start", off: 0, len: 1000, n: 1000},
		{name: "middle", off: 131_071, len: 70_000, n: 70_000},
		{name: "whole", off: 0, len: size, n: size},
		{name: "last byte", off: size - 1, len: 1, n: 1},
		{name: "over the end", off: size - 10, len: 20, n: 10, wantErr: io.EOF},
		{name: "at the end", off: size, len: 1, wantErr: io.EOF},
		{name: "beyond", off: size + 1<<40, len: 1, wantErr: io.EOF},
		{name: "nothing", off: 5, len: 0},
		{name: "negative", off: -1, len: 1, wantErr: ErrRange},
	}
	for _, test := range tests {
		p := make([]byte, test.len)
		n, err := s.ReadAt(t.Context(), d, p, test.off)
		if n != test.n || !errors.Is(err, test.wantErr) {
			t.Errorf("%s: ReadAt = %d, %v; want %d, %v", test.name, n, err, test.n, test.wantErr)
			continue
		}
		if n > 0 && !bytes.Equal(p[:n], content[test.off:test.off+int64(n)]) {
			t.Errorf("%s: wrong bytes", test.name)
		}
	}
	if info, err := s.Stat(t.Context(), d); err != nil || info.Size != size || info.Digest != d {
		t.Errorf("Stat = %+v, %v", info, err)
	}
	if err := Verify(t.Context(), s, d); err != nil {
		t.Errorf("Verify = %v", err)
	}
	empty := put(t, s, nil)
	if n, err := s.ReadAt(t.Context(), empty, make([]byte, 1), 0); n != 0 || err != io.EOF {
		t.Errorf("ReadAt of the empty blob = %d, %v", n, err)
	}
	if err := Verify(t.Context(), s, empty); err != nil {
		t.Errorf("Verify of the empty blob = %v", err)
	}
}

func testMissing(t *testing.T, s Store) {
	d := Digest(sha256.Sum256([]byte("never stored")))
	if _, err := s.ReadAt(t.Context(), d, make([]byte, 1), 0); !errors.Is(err, ErrNotFound) {
		t.Errorf("ReadAt = %v", err)
	}
	if _, err := s.Stat(t.Context(), d); !errors.Is(err, ErrNotFound) {
		t.Errorf("Stat = %v", err)
	}
	if removed, err := s.Delete(t.Context(), d, time.Time{}); removed || err != nil {
		t.Errorf("Delete = %v, %v", removed, err)
	}
	if list := digests(t, s); len(list) != 0 {
		t.Errorf("All = %v", list)
	}
	here := put(t, s, []byte("stored"))
	if removed, err := s.Delete(t.Context(), here, time.Time{}); !removed || err != nil {
		t.Errorf("Delete = %v, %v", removed, err)
	}
	if _, err := s.Stat(t.Context(), here); !errors.Is(err, ErrNotFound) {
		t.Errorf("Stat after Delete = %v", err)
	}
}

func testSourceFails(t *testing.T, s Store) {
	broken := errors.New("the sender went away")
	source := io.MultiReader(bytes.NewReader(noise(2, 200_000)), iotest.ErrReader(broken))
	_, _, err := s.Put(t.Context(), source)
	var storage *StorageError
	if !errors.Is(err, broken) || errors.As(err, &storage) {
		t.Errorf("Put = %v", err)
	}
	if _, _, err := s.Put(t.Context(), endless{}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("Put without end = %v", err)
	}
	if list := digests(t, s); len(list) != 0 {
		t.Errorf("All = %v", list)
	}
	put(t, s, []byte("and the store still works"))
}

// endless reads as zeros for ever.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func testCancelled(t *testing.T, s Store) {
	d := put(t, s, []byte("here"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Put(ctx, strings.NewReader("late")); !errors.Is(err, context.Canceled) {
		t.Errorf("Put = %v", err)
	}
	if _, err := s.ReadAt(ctx, d, make([]byte, 1), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("ReadAt = %v", err)
	}
	if _, err := s.Delete(ctx, d, time.Time{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Delete = %v", err)
	}
	for _, err := range s.All(ctx) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("All = %v", err)
		}
	}
	if err := Verify(t.Context(), s, d); err != nil {
		t.Errorf("Verify = %v", err)
	}
}

func testAge(t *testing.T, f form) {
	content := []byte("put twice")
	d := put(t, f.store, content)
	first, err := f.store.Stat(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	f.later()
	if removed, err := f.store.Delete(t.Context(), d, first.Stored); removed || err != nil {
		t.Errorf("Delete of one just as old = %v, %v", removed, err)
	}
	put(t, f.store, content)
	second, err := f.store.Stat(t.Context(), d)
	if err != nil || !second.Stored.After(first.Stored) {
		t.Fatalf("a second Put did not renew %v: %v, %v", first.Stored, second.Stored, err)
	}
	removed, err := f.store.Delete(t.Context(), d, second.Stored)
	if removed || err != nil {
		t.Errorf("Delete of a renewed blob = %v, %v", removed, err)
	}
	border := second.Stored.Add(time.Nanosecond)
	if removed, err := f.store.Delete(t.Context(), d, border); !removed || err != nil {
		t.Errorf("Delete of an older blob = %v, %v", removed, err)
	}
}

// testWithin keeps equal bytes in three stores of which two lie within the first, and has each lose
// its own in every way that there is.
func testWithin(t *testing.T, f form) {
	content := []byte("a paper that is somebody's file as well")
	stores := []Store{f.store, f.within("papers"), f.within("other")}
	for i, s := range stores {
		d := put(t, s, content)
		for j, other := range stores {
			if j != i && j > i {
				if list := digests(t, other); len(list) != 0 {
					t.Fatalf("%d shows what lies in %d: %v", j, i, list)
				}
				if _, err := other.Stat(t.Context(), d); !errors.Is(err, ErrNotFound) {
					t.Fatalf("%d has what was put into %d: %v", j, i, err)
				}
			}
		}
	}
	gone := func(i int) {
		t.Helper()
		for j, s := range stores {
			err := Verify(t.Context(), s, Digest(sha256.Sum256(content)))
			if j == i && !errors.Is(err, ErrNotFound) || j != i && err != nil {
				t.Errorf("without it in %d, %d says %v", i, j, err)
			}
		}
		put(t, stores[i], content)
	}
	d := Digest(sha256.Sum256(content))
	for i, s := range stores {
		if ok, err := s.Delete(t.Context(), d, time.Time{}); !ok || err != nil {
			t.Errorf("Delete in %d = %v, %v", i, ok, err)
		}
		gone(i)
		never := func(context.Context, Digest) (bool, error) { return false, nil }
		done, err := Sweep(t.Context(), s, time.Now().AddDate(100, 0, 0), never)
		if err != nil || done.Blobs != 1 {
			t.Errorf("Sweep of %d = %+v, %v", i, done, err)
		}
		gone(i)
	}
}

func testSweep(t *testing.T, f form) {
	kept := put(t, f.store, []byte("referenced"))
	old := put(t, f.store, []byte("forgotten"))
	renewed := put(t, f.store, []byte("forgotten, and sent again"))
	f.later()
	young := put(t, f.store, []byte("young"))
	info, err := f.store.Stat(t.Context(), young)
	if err != nil {
		t.Fatal(err)
	}
	var asked []Digest
	done, err := Sweep(t.Context(), f.store, info.Stored,
		func(_ context.Context, d Digest) (bool, error) {
			asked = append(asked, d)
			if d == renewed {
				put(t, f.store, []byte("forgotten, and sent again"))
			}
			return d == kept, nil
		})
	if err != nil || done != (Swept{Blobs: 1, Bytes: int64(len("forgotten"))}) {
		t.Errorf("Sweep = %+v, %v", done, err)
	}
	if len(asked) != 3 || slices.Contains(asked, young) {
		t.Errorf("asked for %v", asked)
	}
	want := []string{kept.String(), renewed.String(), young.String()}
	slices.Sort(want)
	if list := digests(t, f.store); !slices.Equal(list, want) {
		t.Errorf("left %v, want %v (without %v)", list, want, old)
	}
	broken := errors.New("no database")
	_, err = Sweep(t.Context(), f.store, info.Stored.Add(time.Hour),
		func(context.Context, Digest) (bool, error) { return false, broken })
	if !errors.Is(err, broken) {
		t.Errorf("Sweep with a failing keep = %v", err)
	}
	if list := digests(t, f.store); !slices.Equal(list, want) {
		t.Errorf("a failing keep removed something: %v", list)
	}
}

func testConcurrent(t *testing.T, s Store) {
	const writers, blobs = 4, 12
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for i := range uint64(blobs) {
				content := noise(i, 5000+int(i))
				if _, _, err := s.Put(t.Context(), bytes.NewReader(content)); err != nil {
					t.Error(err)
				}
				if err := Verify(t.Context(), s, sha256.Sum256(content)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if list := digests(t, s); len(list) != blobs {
		t.Errorf("%d blobs, want %d", len(list), blobs)
	}
}
