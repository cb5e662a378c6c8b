package blob

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/clock"
)

// crashEnv makes the test binary put blobs into the directory it names until it is killed.
const crashEnv = "PARLEY_TEST_BLOB_CRASH"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashEnv); dir != "" {
		putForever(dir)
	}
	os.Exit(m.Run())
}

// putForever puts blobs and prints the digest of each once it is acknowledged.
func putForever(dir string) {
	d, err := OpenDir(dir, clock.System{})
	if err != nil {
		panic(err)
	}
	for i := 0; ; i++ {
		content := fmt.Appendf(nil, "%d %d %s", os.Getpid(), i, strings.Repeat("x", i%70_000))
		digest, _, err := d.Put(context.Background(), bytes.NewReader(content))
		if err != nil {
			panic(err)
		}
		fmt.Println(digest)
	}
}

func openTestDir(t *testing.T) (*Dir, *clock.Fake, string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "blobs")
	clk := clock.NewFake(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	d, err := OpenDir(name, clk)
	if err != nil {
		t.Fatal(err)
	}
	d.max = testMax
	t.Cleanup(func() { _ = d.Close() })
	return d, clk, name
}

func TestDirConforms(t *testing.T) {
	conform(t, func(t *testing.T) form {
		d, clk, _ := openTestDir(t)
		within := func(name string) Store {
			inner, err := d.Within(name)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = inner.Close() })
			return inner
		}
		return form{store: d, within: within, later: func() { clk.Advance(time.Minute) }}
	})
}

func TestDirKeepsNothingUnfinished(t *testing.T) {
	d, _, name := openTestDir(t)
	put(t, d, noise(1, 100_000))
	if _, _, err := d.Put(t.Context(), endless{}); !errors.Is(err, ErrTooLarge) {
		t.Fatal(err)
	}
	left, err := os.ReadDir(filepath.Join(name, tempFolder))
	if err != nil || len(left) != 0 {
		t.Errorf("temporary files left: %v, %v", left, err)
	}
}

func TestDirDatesByItsClock(t *testing.T) {
	d, clk, _ := openTestDir(t)
	digest := put(t, d, []byte("dated"))
	info, err := d.Stat(t.Context(), digest)
	if err != nil || !info.Stored.Equal(clk.Now()) {
		t.Errorf("stored at %v, the clock says %v, %v", info.Stored, clk.Now(), err)
	}
}

func TestDirModes(t *testing.T) {
	d, _, name := openTestDir(t)
	put(t, d, []byte("private"))
	err := filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDirRemovesStaleFilesOnly(t *testing.T) {
	d, clk, name := openTestDir(t)
	for file, age := range map[string]time.Duration{"1-old": 25 * time.Hour, "1-new": time.Hour} {
		full := filepath.Join(name, tempFolder, file)
		if err := os.WriteFile(full, []byte("half"), fileMode); err != nil {
			t.Fatal(err)
		}
		then := clk.Now().Add(-age)
		if err := os.Chtimes(full, then, then); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDir(name, clk); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(filepath.Join(name, tempFolder))
	if err != nil || len(left) != 1 || left[0].Name() != "1-new" {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestDirMendsAndFindsDamage(t *testing.T) {
	d, _, name := openTestDir(t)
	content := noise(3, 4000)
	digest := put(t, d, content)
	full := filepath.Join(name, filepath.FromSlash(blobName(digest)))
	damaged := bytes.Clone(content)
	damaged[2000] ^= 1
	if err := os.WriteFile(full, damaged, fileMode); err != nil {
		t.Fatal(err)
	}
	if err := Verify(t.Context(), d, digest); !errors.Is(err, ErrCorrupt) {
		t.Errorf("Verify of a damaged blob = %v", err)
	}
	put(t, d, content)
	if err := Verify(t.Context(), d, digest); err != nil {
		t.Errorf("Verify after a second Put = %v", err)
	}
}

func TestDirPassesOverStrangeFiles(t *testing.T) {
	d, _, name := openTestDir(t)
	digest := put(t, d, []byte("a blob"))
	shard := filepath.Join(name, filepath.Dir(filepath.FromSlash(blobName(digest))))
	for _, strange := range []string{"README", digest.String() + "x", strings.Repeat("Z", 64)} {
		if err := os.WriteFile(filepath.Join(shard, strange), nil, fileMode); err != nil {
			t.Fatal(err)
		}
	}
	if list := digests(t, d); len(list) != 1 || list[0] != digest.String() {
		t.Errorf("All = %v", list)
	}
}

func TestDirNeverLeavesItsRoot(t *testing.T) {
	d, _, name := openTestDir(t)
	digest := Digest(sha256.Sum256([]byte("outside")))
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("outside"), fileMode); err != nil {
		t.Fatal(err)
	}
	full := filepath.Join(name, filepath.FromSlash(blobName(digest)))
	if err := os.MkdirAll(filepath.Dir(full), folderMode); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, full); err != nil {
		t.Fatal(err)
	}
	if n, err := d.ReadAt(t.Context(), digest, make([]byte, 7), 0); n != 0 || err == nil {
		t.Errorf("a link out of the root was followed: %d, %v", n, err)
	}
}

func TestDirStaysFailed(t *testing.T) {
	d, _, name := openTestDir(t)
	digest := put(t, d, []byte("before"))
	if err := os.RemoveAll(filepath.Join(name, tempFolder)); err != nil {
		t.Fatal(err)
	}
	_, _, first := d.Put(t.Context(), strings.NewReader("during"))
	var storage *StorageError
	if !errors.As(first, &storage) || !errors.Is(first, fs.ErrNotExist) {
		t.Fatalf("Put without its folder = %v", first)
	}
	if err := os.Mkdir(filepath.Join(name, tempFolder), folderMode); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Put(t.Context(), strings.NewReader("after")); !errors.Is(err, first) {
		t.Errorf("Put after a failure = %v", err)
	}
	if _, err := d.Delete(t.Context(), digest, time.Time{}); !errors.Is(err, first) {
		t.Errorf("Delete after a failure = %v", err)
	}
	if err := Verify(t.Context(), d, digest); err != nil {
		t.Errorf("reading must go on: %v", err)
	}
}

func TestOpenDirFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, fileMode); err != nil {
		t.Fatal(err)
	}
	var storage *StorageError
	if _, err := OpenDir(file, clock.System{}); !errors.As(err, &storage) {
		t.Errorf("OpenDir of a file = %v", err)
	}
}

// TestDirSurvivesKill kills a process in the middle of its Puts: what it acknowledged is there,
// and whatever is visible is whole.
func TestDirSurvivesKill(t *testing.T) {
	dir := t.TempDir()
	acked := make(map[string]bool)
	for round := range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashEnv+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for i := 0; lines.Scan(); i++ {
			acked[lines.Text()] = true
			if i == 20+13*round {
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
	}
	d, err := OpenDir(dir, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	found := make(map[string]bool)
	for _, name := range digests(t, d) {
		digest, err := ParseDigest(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := Verify(t.Context(), d, digest); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		found[name] = true
	}
	for name := range acked {
		if !found[name] {
			t.Errorf("acknowledged and lost: %s", name)
		}
	}
	if len(acked) < 60 {
		t.Errorf("only %d acknowledged", len(acked))
	}
}

func TestParseDigest(t *testing.T) {
	d := Digest(sha256.Sum256([]byte("x")))
	if got, err := ParseDigest(d.String()); err != nil || got != d {
		t.Errorf("ParseDigest of its own text = %v, %v", got, err)
	}
	for _, s := range []string{
		"", "00", strings.Repeat("g", 64), strings.Repeat("A", 64), d.String() + "0",
		"../../../../etc/passwd", strings.Repeat("0", 63) + "/",
	} {
		if _, err := ParseDigest(s); !errors.Is(err, ErrDigest) {
			t.Errorf("ParseDigest(%q) = %v", s, err)
		}
	}
}

func FuzzParseDigest(f *testing.F) {
	f.Add(strings.Repeat("0", 64))
	f.Add("../" + strings.Repeat("a", 61))
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseDigest(s); err == nil && d.String() != s {
			t.Errorf("%q became %v", s, d)
		}
	})
}

func BenchmarkDirReadAt(b *testing.B) {
	d, err := OpenDir(b.TempDir(), clock.System{})
	if err != nil {
		b.Fatal(err)
	}
	digest, _, err := d.Put(b.Context(), bytes.NewReader(noise(1, 4<<20)))
	if err != nil {
		b.Fatal(err)
	}
	p := make([]byte, 64<<10)
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := d.ReadAt(b.Context(), digest, p, int64(i%64)*int64(len(p))); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDirPut(b *testing.B) {
	d, err := OpenDir(b.TempDir(), clock.System{})
	if err != nil {
		b.Fatal(err)
	}
	content := noise(1, 100_000)
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		copy(content, fmt.Sprint(i))
		if _, _, err := d.Put(b.Context(), bytes.NewReader(content)); err != nil {
			b.Fatal(err)
		}
	}
}
