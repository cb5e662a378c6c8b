package transparency

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// sources is all of this repository that the verifier is made of: nothing of the server.
func sources() []string {
	return []string{
		"cmd/parley-verify", "internal/clock", "internal/tlog/entry", "internal/tlog/paper",
		"internal/tlog/report", "internal/tlog/verify", "internal/tlog/witness",
	}
}

// TestReproducible: the verifier's own sources alone, in two folders of two people, give the same
// bytes. So who checks a server can check first that his program is the one that others read.
func TestReproducible(t *testing.T) {
	top := filepath.Join("..", "..")
	var programs [2][]byte
	for i := range programs {
		dir := filepath.Join(t.TempDir(), []string{"one", "the other's"}[i])
		for _, folder := range sources() {
			from := os.DirFS(filepath.Join(top, filepath.FromSlash(folder)))
			if err := os.CopyFS(filepath.Join(dir, filepath.FromSlash(folder)), from); err != nil {
				t.Fatal(err)
			}
		}
		for _, file := range []string{"go.mod", "go.sum"} {
			b, err := os.ReadFile(filepath.Join(top, file))
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, file), b, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		// As docs/transparency.md says.
		build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "./cmd/parley-verify")
		build.Dir = dir
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "TMPDIR="+t.TempDir())
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var err error
		if programs[i], err = os.ReadFile(filepath.Join(dir, "parley-verify")); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(programs[0], programs[1]) {
		t.Error("two folders give two programs")
	}
}
