package blob

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"parley/internal/clock"
	"parley/internal/limit"
)

type partsBed struct {
	*Parts
	store *Dir
	clock *clock.Fake
	name  string
}

func openTestParts(t *testing.T) partsBed {
	t.Helper()
	store, clk, _ := openTestDir(t)
	store.max = MaxSize
	name := filepath.Join(t.TempDir(), "uploads")
	p, err := OpenParts(name, store, clk)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return partsBed{Parts: p, store: store, clock: clk, name: name}
}

// send cuts content into parts of the given size and stores them, the last part first, as clients
// with several connections may.
func (b partsBed) send(t *testing.T, u Upload, content []byte, size int) (parts int) {
	t.Helper()
	parts = (len(content) + size - 1) / size
	for i := parts - 1; i >= 0; i-- {
		part := content[i*size : min((i+1)*size, len(content))]
		if err := b.Put(t.Context(), u, i, part); err != nil {
			t.Fatal(err)
		}
	}
	return parts
}

func TestAssemble(t *testing.T) {
	tests := []struct {
		name       string
		size, part int
	}{
		{"one byte", 1, 1024},
		{"one odd part", 1025, 512 << 10},
		{"one full part", 512 << 10, 512 << 10},
		{"exact parts", 64 << 10, 16 << 10},
		{"short last part", 64<<10 + 1, 16 << 10},
		{"smallest parts", 5000, 1024},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := openTestParts(t)
			u := Upload{Scope: -7, FileID: math.MinInt64}
			content := noise(9, test.size)
			parts := b.send(t, u, content, test.part)
			got, err := b.Assemble(t.Context(), u, parts)
			if err != nil {
				t.Fatal(err)
			}
			sum := md5.Sum(content)
			want := Assembled{
				Digest: sha256.Sum256(content), Size: int64(test.size),
				MD5: hex.EncodeToString(sum[:]),
			}
			if got != want {
				t.Errorf("Assemble = %+v, want %+v", got, want)
			}
			if err := Verify(t.Context(), b.store, got.Digest); err != nil {
				t.Error(err)
			}
			if again, err := b.Assemble(t.Context(), u, parts); err != nil || again != want {
				t.Errorf("a second Assemble = %+v, %v", again, err)
			}
		})
	}
}

func TestAssembleRefuses(t *testing.T) {
	const kib = 1024
	tests := []struct {
		name  string
		sizes map[int]int
		count int
		want  error
	}{
		{"nothing there", nil, 1, &MissingPartError{Part: 0}},
		{"gap", map[int]int{0: kib, 2: kib}, 3, &MissingPartError{Part: 1}},
		{"no last", map[int]int{0: kib, 1: kib}, 3, &MissingPartError{Part: 2}},
		{"no first", map[int]int{1: kib}, 2, &MissingPartError{Part: 0}},
		{"size changes", map[int]int{0: 2 * kib, 1: kib, 2: 2 * kib}, 3, ErrPartSizes},
		{"last longer", map[int]int{0: kib, 1: 2 * kib}, 2, ErrPartSizes},
		{"odd size", map[int]int{0: kib + 1, 1: 5}, 2, ErrPartSizes},
		{"no divisor of 512 KiB", map[int]int{0: 3 * kib, 1: 5}, 2, ErrPartSizes},
		{"no parts", map[int]int{0: kib}, 0, ErrPartNumber},
		{"negative parts", map[int]int{0: kib}, -1, ErrPartNumber},
		{"too many parts", map[int]int{0: kib}, limit.UploadParts + 1, ErrPartNumber},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := openTestParts(t)
			u := Upload{Scope: 1, FileID: 2}
			for part, size := range test.sizes {
				if err := b.Put(t.Context(), u, part, noise(1, size)); err != nil {
					t.Fatal(err)
				}
			}
			_, err := b.Assemble(t.Context(), u, test.count)
			var missing, wanted *MissingPartError
			if errors.As(test.want, &wanted) {
				if !errors.As(err, &missing) || *missing != *wanted {
					t.Errorf("Assemble = %v, want %v", err, test.want)
				}
			} else if !errors.Is(err, test.want) {
				t.Errorf("Assemble = %v, want %v", err, test.want)
			}
			if list := digests(t, b.store); len(list) != 0 {
				t.Errorf("something was stored: %v", list)
			}
		})
	}
}

func TestPutPartRefuses(t *testing.T) {
	b := openTestParts(t)
	u := Upload{Scope: 1, FileID: 2}
	tests := []struct {
		part, size int
		want       error
	}{
		{-1, 1, ErrPartNumber},
		{limit.UploadParts, 1, ErrPartNumber},
		{math.MaxInt32, 1, ErrPartNumber},
		{0, 0, ErrPartLength},
		{0, limit.UploadPart + 1, ErrPartLength},
	}
	for _, test := range tests {
		err := b.Put(t.Context(), u, test.part, make([]byte, test.size))
		if !errors.Is(err, test.want) {
			t.Errorf("Put of part %d, %d bytes = %v", test.part, test.size, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Put(ctx, u, 0, []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("Put = %v", err)
	}
	if total := b.Total(); total != (Usage{}) {
		t.Errorf("refused parts were counted: %+v", total)
	}
	last := limit.UploadParts - 1
	if err := b.Put(t.Context(), u, last, make([]byte, limit.UploadPart)); err != nil {
		t.Errorf("Put of the last and largest part = %v", err)
	}
}

func TestScopesAreApart(t *testing.T) {
	b := openTestParts(t)
	mine, other := Upload{Scope: 1, FileID: 5}, Upload{Scope: 2, FileID: 5}
	b.send(t, mine, []byte("mine"), 1024)
	var missing *MissingPartError
	if _, err := b.Assemble(t.Context(), other, 1); !errors.As(err, &missing) {
		t.Errorf("a foreign file id was assembled: %v", err)
	}
	b.send(t, other, []byte("other's"), 1024)
	got, err := b.Assemble(t.Context(), mine, 1)
	if err != nil || got.Digest != sha256.Sum256([]byte("mine")) {
		t.Errorf("Assemble = %+v, %v", got, err)
	}
}

func TestUsage(t *testing.T) {
	b := openTestParts(t)
	first, second := Upload{Scope: 1, FileID: 1}, Upload{Scope: 1, FileID: 2}
	b.send(t, first, noise(1, 3000), 1024)
	b.send(t, second, noise(1, 10), 1024)
	b.send(t, Upload{Scope: 9, FileID: 1}, noise(1, 7), 1024)
	check := func(when string, scope int64, want Usage) {
		t.Helper()
		if got := b.Usage(scope); got != want {
			t.Errorf("%s: Usage(%d) = %+v, want %+v", when, scope, got, want)
		}
	}
	check("sent", 1, Usage{Uploads: 2, Parts: 4, Bytes: 3010})
	check("sent", 9, Usage{Uploads: 1, Parts: 1, Bytes: 7})
	check("nobody", 5, Usage{})
	if err := b.Put(t.Context(), second, 0, noise(1, 4)); err != nil {
		t.Fatal(err)
	}
	check("part sent again", 1, Usage{Uploads: 2, Parts: 4, Bytes: 3004})
	reopened, err := OpenParts(b.name, b.store, b.clock)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := reopened.Total(), b.Total(); got != want || got.Bytes != 3011 {
		t.Errorf("after reopening: %+v, want %+v", got, want)
	}
	for range 2 {
		if err := b.Discard(first); err != nil {
			t.Fatal(err)
		}
	}
	check("discarded", 1, Usage{Uploads: 1, Parts: 1, Bytes: 4})
	if got := b.Total(); got != (Usage{Uploads: 2, Parts: 2, Bytes: 11}) {
		t.Errorf("Total = %+v", got)
	}
}

func TestExpire(t *testing.T) {
	b := openTestParts(t)
	old, revived := Upload{Scope: 1, FileID: 1}, Upload{Scope: 1, FileID: 2}
	b.send(t, old, noise(1, 3000), 1024)
	b.send(t, revived, noise(2, 3000), 1024)
	b.clock.Advance(time.Hour)
	border := b.clock.Now()
	if err := b.Put(t.Context(), revived, 0, noise(3, 1024)); err != nil {
		t.Fatal(err)
	}
	// An earlier process's uploads are dated by their files.
	reopened, err := OpenParts(b.name, b.store, b.clock)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := reopened.Expire(border); n != 1 || err != nil {
		t.Errorf("Expire = %d, %v", n, err)
	}
	if n, err := reopened.Expire(border); n != 0 || err != nil {
		t.Errorf("a second Expire = %d, %v", n, err)
	}
	if _, err := reopened.Assemble(t.Context(), revived, 3); err != nil {
		t.Errorf("the revived upload is gone: %v", err)
	}
	b.clock.Advance(time.Hour)
	if n, err := reopened.Expire(b.clock.Now()); n != 1 || err != nil {
		t.Errorf("Expire = %d, %v", n, err)
	}
	left, err := os.ReadDir(b.name)
	if err != nil || len(left) != 0 || reopened.Total() != (Usage{}) {
		t.Errorf("left %v, %+v, %v", left, reopened.Total(), err)
	}
}

func TestExpireSparesUploadsInUse(t *testing.T) {
	b := openTestParts(t)
	u := Upload{Scope: 1, FileID: 1}
	b.send(t, u, []byte("in use"), 1024)
	state, _ := b.find(u)
	b.clock.Advance(time.Hour)
	if n, err := b.Expire(b.clock.Now()); n != 0 || err != nil {
		t.Errorf("Expire of an upload in use = %d, %v", n, err)
	}
	state.mu.RUnlock()
	if n, err := b.Expire(b.clock.Now()); n != 1 || err != nil {
		t.Errorf("Expire = %d, %v", n, err)
	}
}

func TestOpenPartsCleansUp(t *testing.T) {
	b := openTestParts(t)
	u := Upload{Scope: 1, FileID: 1}
	b.send(t, u, noise(1, 2000), 1024)
	half := filepath.Join(b.name, u.folder(), tempPart+"99")
	if err := os.WriteFile(half, []byte("half"), fileMode); err != nil {
		t.Fatal(err)
	}
	strange := filepath.Join(b.name, u.folder(), "4000")
	if err := os.WriteFile(strange, []byte("no part"), fileMode); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(b.name, "lost+found"), folderMode); err != nil {
		t.Fatal(err)
	}
	reopened, err := OpenParts(b.name, b.store, b.clock)
	if err != nil {
		t.Fatal(err)
	}
	if got := reopened.Total(); got != (Usage{Uploads: 1, Parts: 2, Bytes: 2000}) {
		t.Errorf("Total = %+v", got)
	}
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the unfinished part is still there: %v", err)
	}
}

// TestPartsInParallel lets parts arrive while uploads expire and are discarded under them: no
// operation fails, and what is counted is what lies on disk.
func TestPartsInParallel(t *testing.T) {
	b := openTestParts(t)
	const uploads, rounds = 3, 40
	var group sync.WaitGroup
	for id := range int64(uploads) {
		u := Upload{Scope: 1, FileID: id}
		for part := range 2 {
			group.Go(func() {
				for range rounds {
					if err := b.Put(t.Context(), u, part, noise(1, 1024)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Go(func() {
			for range rounds {
				_, err := b.Assemble(t.Context(), u, 2)
				var missing *MissingPartError
				if err != nil && !errors.As(err, &missing) {
					t.Error(err)
				}
				if err := b.Discard(u); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Go(func() {
		for range rounds {
			b.clock.Advance(time.Second)
			if _, err := b.Expire(b.clock.Now()); err != nil {
				t.Error(err)
			}
		}
	})
	group.Wait()
	reopened, err := OpenParts(b.name, b.store, b.clock)
	if err != nil {
		t.Fatal(err)
	}
	got, want := b.Total(), reopened.Total()
	got.Uploads, want.Uploads = 0, 0
	if got != want {
		t.Errorf("counted %+v, on disk %+v", got, want)
	}
}

func TestPartsReportBrokenStorage(t *testing.T) {
	b := openTestParts(t)
	u := Upload{Scope: 1, FileID: 1}
	b.send(t, u, []byte("part"), 1024)
	folder := filepath.Join(b.name, u.folder())
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(folder, nil, fileMode); err != nil {
		t.Fatal(err)
	}
	var storage *StorageError
	if err := b.Put(t.Context(), u, 1, []byte("x")); !errors.As(err, &storage) {
		t.Errorf("Put = %v", err)
	}
	if got := b.Usage(1); got != (Usage{Uploads: 1, Parts: 1, Bytes: 4}) {
		t.Errorf("a part that failed was counted: %+v", got)
	}
	if _, err := b.Assemble(t.Context(), u, 1); !errors.As(err, &storage) {
		t.Errorf("Assemble = %v", err)
	}
}

func FuzzParseFolder(f *testing.F) {
	f.Add(Upload{Scope: -1, FileID: 1}.folder())
	f.Add("../../etc")
	f.Fuzz(func(t *testing.T, name string) {
		if u, ok := parseFolder(name); ok && u.folder() != name {
			t.Errorf("%q became %+v", name, u)
		}
	})
}

func BenchmarkPutPart(b *testing.B) {
	store, err := OpenDir(b.TempDir(), clock.System{})
	if err != nil {
		b.Fatal(err)
	}
	p, err := OpenParts(b.TempDir(), store, clock.System{})
	if err != nil {
		b.Fatal(err)
	}
	part := bytes.Repeat([]byte{7}, limit.UploadPart)
	b.SetBytes(int64(len(part)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := p.Put(b.Context(), Upload{FileID: int64(i)}, i%4000, part); err != nil {
			b.Fatal(err)
		}
	}
}
