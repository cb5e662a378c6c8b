package tlog_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	xtlog "golang.org/x/mod/sumdb/tlog"
	// The database of the other witness is written by hand: its own tool asks for the network.
	_ "modernc.org/sqlite"

	"parley/internal/tlog/verify"
)

// TestOthersRead: a client of the format that knows nothing of us reads every entry of our log over
// HTTP, and proves it.
func TestOthersRead(t *testing.T) {
	k := newKept(t)
	l := k.open()
	fill(t, l, 0, 700)
	s := httptest.NewServer(l)
	defer s.Close()
	defer closed(t, l)
	f, err := torchwood.NewTileFetcher(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	client, err := torchwood.NewClient(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := f.ReadEndpoint(t.Context(), "checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(raw, note.VerifierList(k.trust().Log...))
	if err != nil {
		t.Fatal(err)
	}
	c, err := torchwood.ParseCheckpoint(n.Text)
	if err != nil || c.Origin != origin || c.N != 700 {
		t.Fatalf("%+v: %v", c, err)
	}
	var next int64
	for next < c.N {
		from := next
		for i, b := range client.Entries(t.Context(), c.Tree, next) {
			want, _, _ := decision(t, int(i))
			if i != next || !bytes.Equal(b, want) {
				t.Fatalf("entry %d is %s", i, b)
			}
			next++
		}
		if client.Err() != nil || next == from {
			t.Fatalf("after %d entries: %v", next, client.Err())
		}
	}
	if _, _, err := client.Entry(t.Context(), c.Tree, 699); err != nil {
		t.Error(err)
	}
}

// TestOthersWrite: the verifier checks a log that others' code wrote, signed and cosigned.
func TestOthersWrite(t *testing.T) {
	dir := t.TempDir()
	write := func(at string, b []byte) {
		t.Helper()
		at = filepath.Join(dir, filepath.FromSlash(at))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const size = 600
	var hashes []xtlog.Hash
	stored := xtlog.HashReaderFunc(func(list []int64) (out []xtlog.Hash, err error) {
		for _, i := range list {
			out = append(out, hashes[i])
		}
		return out, nil
	})
	var bundle []byte
	for i := int64(0); i < size; i++ {
		b, _, _ := decision(t, int(i))
		more, err := xtlog.StoredHashes(i, b, stored)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, more...)
		if bundle, err = torchwood.AppendTileEntry(bundle, b); err != nil {
			t.Fatal(err)
		}
		if (i+1)%torchwood.TileWidth == 0 || i+1 == size {
			tile := xtlog.Tile{H: torchwood.TileHeight, L: -1, N: i / torchwood.TileWidth,
				W: int(i%torchwood.TileWidth) + 1}
			write(torchwood.TilePath(tile), bundle)
			bundle = nil
		}
	}
	for _, tile := range xtlog.NewTiles(torchwood.TileHeight, 0, size) {
		b, err := xtlog.ReadTileData(tile, stored)
		if err != nil {
			t.Fatal(err)
		}
		write(torchwood.TilePath(tile), b)
	}
	root, err := xtlog.TreeHash(size, stored)
	if err != nil {
		t.Fatal(err)
	}
	secret, public, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cosigner, err := torchwood.NewCosignatureSigner("witness.example", private)
	if err != nil {
		t.Fatal(err)
	}
	c := torchwood.Checkpoint{Origin: origin, Tree: xtlog.Tree{N: size, Hash: root}}
	raw, err := note.Sign(&note.Note{Text: c.String()}, signer, cosigner)
	if err != nil {
		t.Fatal(err)
	}
	write("checkpoint", raw)
	keys, err := verify.NewKeys(origin, []string{public}, []string{cosigner.Verifier().String()}, 1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := verify.Check{Source: verify.Dir(dir), Keys: keys}.Run(t.Context())
	if err != nil || r.Entries != size || len(r.Checkpoint.Witnesses) != 1 {
		t.Errorf("%d entries, witnesses %v: %v", r.Entries, r.Checkpoint.Witnesses, err)
	}
}

// TestOthersCosign: a witness that others wrote cosigns our log as it grows, and refuses another
// history of it.
func TestOthersCosign(t *testing.T) {
	k := newKept(t)
	public, address := startLitewitness(t, strings.Fields(k.keys.Public())[0])
	k.opts.Witnesses = fmt.Sprintf("witness w %s %s\nquorum w\n", public, address)
	l := k.open()
	fill(t, l, 0, 10)
	fill(t, l, 10, 300)
	closed(t, l)
	keys, err := verify.NewKeys(origin, strings.Fields(k.keys.Public()), []string{public}, 1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := verify.Check{Source: verify.Dir(k.opts.Dir), Keys: keys}.Run(t.Context())
	if err != nil || r.Entries != 300 {
		t.Fatalf("%d entries: %v", r.Entries, err)
	}
	// Somebody forgets what was signed and writes another history.
	k.opts.Signed = filepath.Join(k.dir, "forgotten")
	if err := os.RemoveAll(k.opts.Dir); err != nil {
		t.Fatal(err)
	}
	answers := make(answers, 100)
	k.opts.Client = &http.Client{Transport: answers}
	l = k.open()
	err = l.Append(t.Context(), func(int64) ([][]byte, error) {
		b, _, _ := decision(t, 4711)
		return [][]byte{b}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if status := <-answers; status != http.StatusConflict {
		t.Errorf("another history: %d", status)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = l.Close(ctx)
}

// answers are the states with which a witness answers.
type answers chan int

// RoundTrip asks the witness.
func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		select {
		case a <- resp.StatusCode:
		default:
		}
	}
	return resp, err
}

// litewitness is the witness of others, as it is installed for tests.
const litewitness = "PARLEY_TEST_LITEWITNESS"

// startLitewitness runs the witness until the test ends, and returns its key and its address.
func startLitewitness(t *testing.T, log string) (public, address string) {
	t.Helper()
	program := os.Getenv(litewitness)
	if program == "" {
		var err error
		if program, err = exec.LookPath("litewitness"); err != nil {
			t.Skipf("%s names no program: scripts/install-test-packages builds it", litewitness)
		}
	}
	dir := t.TempDir()
	run := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "SSH_AUTH_SOCK="+filepath.Join(dir, "agent"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", name, err, out)
		}
		return string(out)
	}
	start(t, dir, "ssh-agent", "-D", "-a", "agent").find("SSH_AUTH_SOCK")
	run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key")
	run("ssh-add", "-q", "key")
	fingerprint := strings.Fields(run("ssh-keygen", "-l", "-f", "key"))[1]
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	_ = l.Close()
	w := start(t, dir, program, "-name=other.example", "-key="+fingerprint, "-ssh-agent=agent",
		"-listen="+at)
	line := w.find("vkey=")
	w.find("listening")
	follow(t, filepath.Join(dir, "litewitness.db"), log)
	_, public, _ = strings.Cut(line, "vkey=")
	return strings.Trim(strings.TrimSpace(public), `"`), "http://" + at
}

// follow makes the witness follow a log.
func follow(t *testing.T, file, key string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	empty, err := xtlog.TreeHash(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), `INSERT INTO log VALUES (?, 0, ?)`, origin, empty.String())
	if err == nil {
		_, err = db.ExecContext(t.Context(), `INSERT INTO key VALUES (?, ?)`, origin, key)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// program is one that runs until the test ends.
type program struct {
	t     *testing.T
	lines *bufio.Scanner
}

func start(t *testing.T, dir, name string, args ...string) program {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = r.Close()
	})
	return program{t, bufio.NewScanner(r)}
}

// find returns the next line of its output that has a word.
func (p program) find(word string) string {
	p.t.Helper()
	var said []string
	for p.lines.Scan() {
		if strings.Contains(p.lines.Text(), word) {
			return p.lines.Text()
		}
		said = append(said, p.lines.Text())
	}
	p.t.Fatalf("it ended without %q: %q", word, said)
	return ""
}
