package tlog_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"

	"parley/internal/tlog"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/verify"
	"parley/internal/tlog/witness"
)

const origin = "parley.example/log"

// kept is a log on disk, and whom strangers trust.
type kept struct {
	t    testing.TB
	dir  string
	keys *tlog.Keys
	opts tlog.Options
}

func newKept(t testing.TB) *kept {
	k := &kept{t: t, dir: t.TempDir()}
	k.load()
	return k
}

// load reads the keys, as a start of the server does.
func (k *kept) load() {
	k.t.Helper()
	keys, err := tlog.OpenKeys(k.dir, origin, rand.Reader)
	if err != nil {
		k.t.Fatal(err)
	}
	k.keys = keys
	k.opts.Dir, k.opts.Signed = filepath.Join(k.dir, "log"), filepath.Join(k.dir, "log.signed")
	k.opts.Keys, k.opts.Interval = keys, 100*time.Millisecond
}

func (k *kept) open() *tlog.Log {
	k.t.Helper()
	l, err := tlog.Open(k.t.Context(), k.opts)
	if err != nil {
		k.t.Fatal(err)
	}
	return l
}

// trust is what a stranger knows who asks for no witness.
func (k *kept) trust() verify.Keys {
	k.t.Helper()
	v, err := verify.NewKeys(origin, strings.Fields(k.keys.Public()), nil, 0)
	if err != nil {
		k.t.Fatal(err)
	}
	return v
}

func (k *kept) check(since verify.Seen) (verify.Result, error) {
	return verify.Check{
		Source: verify.Dir(k.opts.Dir), Keys: k.trust(), Since: since, Reports: true,
	}.Run(k.t.Context())
}

// decision is an entry about nothing in particular.
func decision(t testing.TB, n int) ([]byte, [entry.SaltSize]byte, []byte) {
	t.Helper()
	var salt [entry.SaltSize]byte
	salt[0], salt[1], salt[2] = byte(n), byte(n>>8), byte(n>>16)
	record := fmt.Appendf(nil, "record %d", n)
	id := make([]byte, 16)
	copy(id, salt[:])
	b, err := entry.Entry{
		V: entry.Version, Kind: entry.Decision, ID: hex.EncodeToString(id),
		Day: fmt.Sprintf("2026-11-%02d", 1+n/200%28), Subject: "message",
		Measures:   []string{"DECISION_VISIBILITY_CONTENT_REMOVED"},
		Commitment: entry.Commit(salt, record), Items: 1, Minutes: int64(n % 90),
	}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b, salt, record
}

// fill appends decisions from a number up to before another and waits until they are published.
func fill(t testing.TB, l *tlog.Log, from, to int) {
	t.Helper()
	err := l.Append(t.Context(), func(size int64) ([][]byte, error) {
		if size != int64(from) {
			t.Fatalf("the log has %d entries, not %d", size, from)
		}
		var list [][]byte
		for n := from; n < to; n++ {
			b, _, _ := decision(t, n)
			list = append(list, b)
		}
		return list, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Published(t.Context(), int64(to)-1); err != nil {
		t.Fatal(err)
	}
}

func closed(t testing.TB, l *tlog.Log) {
	t.Helper()
	if err := l.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// TestLogIsWhatWasAppended: a stranger checks it, and so do others' readers of the format.
func TestLogIsWhatWasAppended(t *testing.T) {
	k := newKept(t)
	l := k.open()
	fill(t, l, 0, 3)
	first, err := k.check(verify.Seen{})
	if err != nil || first.Entries != 3 {
		t.Fatalf("%d entries: %v", first.Entries, err)
	}
	fill(t, l, 3, 700)
	closed(t, l)
	again, err := k.check(first.Checkpoint.Seen())
	if err != nil || again.Entries != 700 {
		t.Fatalf("%d entries: %v", again.Entries, err)
	}
	if got := again.Book.Days(); len(got) != 4 {
		t.Errorf("days: %v", got)
	}
	thirdParty(t, k, 700)
}

// thirdParty lets another implementation read and check the log.
func thirdParty(t *testing.T, k *kept, size uint64) {
	t.Helper()
	v, err := note.NewVerifier(strings.Fields(k.keys.Public())[0])
	if err != nil {
		t.Fatal(err)
	}
	files := client.FileFetcher{Root: k.opts.Dir}
	c, _, _, err := client.FetchCheckpoint(t.Context(), files.ReadCheckpoint, v, origin)
	if err != nil || c.Size != size {
		t.Fatalf("checkpoint of %d: %v", c.Size, err)
	}
	f := fsck.New(origin, v, files, fsckHasher, fsck.Opts{N: 2})
	if err := f.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// fsckHasher hashes the leaves of a bundle with others' code.
func fsckHasher(bundle []byte) (out [][]byte, err error) {
	var b api.EntryBundle
	if err := b.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	for _, e := range b.Entries {
		out = append(out, rfc6962.DefaultHasher.HashLeaf(e))
	}
	return out, nil
}

// TestReceipt: it proves an entry and what it is about, without the log.
func TestReceipt(t *testing.T) {
	k := newKept(t)
	l := k.open()
	fill(t, l, 0, 300)
	r, err := l.Receipt(t.Context(), 257)
	if err != nil {
		t.Fatal(err)
	}
	closed(t, l)
	_, salt, record := decision(t, 257)
	r.Salt, r.Record = salt[:], record
	p, err := k.trust().Receipt(r)
	if err != nil || !p.Opened || p.Entry.Day != "2026-11-02" {
		t.Fatalf("%+v: %v", p, err)
	}
	for name, spoil := range map[string]func(*verify.Receipt){
		"record": func(r *verify.Receipt) { r.Record = []byte("record 258") },
		"salt":   func(r *verify.Receipt) { r.Salt = bytes.Repeat([]byte{1}, entry.SaltSize) },
		"index":  func(r *verify.Receipt) { r.Index-- },
		"entry": func(r *verify.Receipt) {
			r.Entry = strings.Replace(r.Entry, "11-02", "11-03", 1)
		},
		"proof":  func(r *verify.Receipt) { r.Proof = r.Proof[1:] },
		"origin": func(r *verify.Receipt) { r.Origin = "other.example/log" },
		"checkpoint": func(r *verify.Receipt) {
			r.Checkpoint = strings.Replace(r.Checkpoint, "\n300\n", "\n301\n", 1)
		},
	} {
		bad := r
		spoil(&bad)
		var f *verify.Finding
		if _, err := k.trust().Receipt(bad); !errors.As(err, &f) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRestoredBackupIsNotSigned: neither a shorter log nor another one of any length.
func TestRestoredBackupIsNotSigned(t *testing.T) {
	k := newKept(t)
	l := k.open()
	fill(t, l, 0, 40)
	closed(t, l)
	backup := t.TempDir()
	if err := os.CopyFS(backup, os.DirFS(k.opts.Dir)); err != nil {
		t.Fatal(err)
	}
	l = k.open()
	fill(t, l, 40, 60)
	closed(t, l)
	if err := os.RemoveAll(k.opts.Dir); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(k.opts.Dir, os.DirFS(backup)); err != nil {
		t.Fatal(err)
	}
	if _, err := tlog.Open(t.Context(), k.opts); !errors.Is(err, tlog.ErrRollback) {
		t.Fatalf("shorter: %v", err)
	}
	// Somebody forgets what was signed, writes another history, and remembers again.
	aside := k.opts.Signed
	k.opts.Signed = filepath.Join(k.dir, "forgotten")
	l = k.open()
	fillOther(t, l, 40, 80)
	closed(t, l)
	k.opts.Signed = aside
	if _, err := tlog.Open(t.Context(), k.opts); !errors.Is(err, tlog.ErrRollback) {
		t.Fatalf("forked: %v", err)
	}
}

func fillOther(t *testing.T, l *tlog.Log, from, to int) {
	t.Helper()
	err := l.Append(t.Context(), func(int64) ([][]byte, error) {
		var list [][]byte
		for n := from; n < to; n++ {
			b, _, _ := decision(t, n+1000)
			list = append(list, b)
		}
		return list, nil
	})
	if err == nil {
		err = l.Published(t.Context(), int64(to)-1)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestRotation: after a rotation both keys sign, and who knows either can check.
func TestRotation(t *testing.T) {
	k := newKept(t)
	before := k.trust()
	l := k.open()
	fill(t, l, 0, 5)
	closed(t, l)
	if err := tlog.RotateKey(k.dir, origin, rand.Reader); err != nil {
		t.Fatal(err)
	}
	k.load()
	l = k.open()
	fill(t, l, 5, 9)
	closed(t, l)
	for name, keys := range map[string]verify.Keys{"old": before, "new": k.trust()} {
		check := verify.Check{Source: verify.Dir(k.opts.Dir), Keys: keys}
		if _, err := check.Run(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(strings.Fields(k.keys.Public())); n != 2 {
		t.Errorf("%d public keys", n)
	}
}

// newWitness runs a witness and returns its handler, address and public key.
func newWitness(t *testing.T, k *kept) (*httptest.Server, string) {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := fnote.NewSignerForCosignatureV1(secret)
	if err != nil {
		t.Fatal(err)
	}
	w, err := witness.New(t.TempDir(), signer, witness.Log{Origin: origin, Keys: k.trust().Log})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(w)
	t.Cleanup(s.Close)
	cosigner, err := fnote.VKeyToCosignatureV1(public)
	if err != nil {
		t.Fatal(err)
	}
	return s, cosigner
}

// TestWitness: what is published is cosigned, and without the witness nothing is published.
func TestWitness(t *testing.T) {
	k := newKept(t)
	s, public := newWitness(t, k)
	k.opts.Witnesses = fmt.Sprintf("witness w %s %s\nquorum w\n", public, s.URL)
	l := k.open()
	fill(t, l, 0, 10)
	trust, err := verify.NewKeys(origin, strings.Fields(k.keys.Public()), []string{public}, 1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Receipt(t.Context(), 4)
	if err != nil {
		t.Fatal(err)
	}
	p, err := trust.Receipt(r)
	if err != nil || len(p.Checkpoint.Witnesses) != 1 {
		t.Fatalf("%v: %v", p.Checkpoint.Witnesses, err)
	}
	s.Close()
	var last int64
	err = l.Append(t.Context(), func(size int64) ([][]byte, error) {
		last = size
		b, _, _ := decision(t, 10)
		return [][]byte{b}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := l.Published(ctx, last); err == nil {
		t.Error("published without its witness")
	}
	if n, err := l.Size(t.Context()); err != nil || n != last+1 {
		t.Errorf("%d entries are kept: %v", n, err)
	}
	_ = l.Close(ctx)
}

// TestWitnessComesLater: a log whose witness was never there begins, keeps what it is given and
// publishes nothing; and all of it once the witness is there.
func TestWitnessComesLater(t *testing.T) {
	k := newKept(t)
	s, public := newWitness(t, k)
	var there atomic.Bool
	inner := s.Config.Handler
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !there.Load() {
			http.Error(w, "broken", http.StatusInternalServerError)
			return
		}
		inner.ServeHTTP(w, r)
	})
	k.opts.Witnesses = fmt.Sprintf("witness w %s %s\nquorum w\n", public, s.URL)
	l := k.open()
	err := l.Append(t.Context(), func(int64) ([][]byte, error) {
		b, _, _ := decision(t, 0)
		return [][]byte{b}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	appended, published, err := l.State(t.Context())
	if err != nil || appended != 1 || published != 0 {
		t.Errorf("%d appended, %d published: %v", appended, published, err)
	}
	if err := (&tlog.Mirror{Log: l, To: tlog.Folder(t.TempDir())}).Update(t.Context()); err != nil {
		t.Errorf("a copy of nothing: %v", err)
	}
	there.Store(true)
	fill(t, l, 1, 9)
	r, err := k.check(verify.Seen{})
	if err != nil || r.Entries != 9 {
		t.Errorf("%d entries: %v", r.Entries, err)
	}
	closed(t, l)
}

// TestServesWhatIsPublic: the files of the format and nothing else of the directory.
func TestServesWhatIsPublic(t *testing.T) {
	k := newKept(t)
	l := k.open()
	fill(t, l, 0, 20)
	s := httptest.NewServer(l)
	defer s.Close()
	check := verify.Check{Source: verify.Web{URL: s.URL}, Keys: k.trust()}
	if r, err := check.Run(t.Context()); err != nil || r.Entries != 20 {
		t.Errorf("%d entries: %v", r.Entries, err)
	}
	for _, at := range []string{"/.state/treeState", "/tile/.x", "/tile/", "/", "/../log.key"} {
		resp, err := http.Get(s.URL + at)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", at, resp.Status)
		}
	}
	closed(t, l)
}
