package verify_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	mrand "math/rand/v2"
	"slices"
	"strings"
	"testing"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"parley/internal/tlog/entry"
	"parley/internal/tlog/report"
	"parley/internal/tlog/verify"
)

const origin = "parley.example/log"

// files is a published log in memory.
type files map[string][]byte

// Get returns a file.
func (f files) Get(_ context.Context, path string, most int64) ([]byte, error) {
	b, ok := f[path]
	if !ok {
		return nil, fmt.Errorf("%w: %s", verify.ErrMissing, path)
	}
	return b[:min(int64(len(b)), most)], nil
}

// author writes logs with the code of golang.org/x/mod: another implementation than the server's.
type author struct {
	t        testing.TB
	log      note.Signer
	witness  note.Signer
	keys     verify.Keys
	entries  [][]byte
	book     *report.Book
	reports  files
	hashes   []tlog.Hash
	unknowns int
}

func newAuthor(t testing.TB) *author {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		t.Fatal(err)
	}
	a := &author{t: t, book: report.NewBook(origin), reports: files{}}
	if a.log, err = note.NewSigner(secret); err != nil {
		t.Fatal(err)
	}
	secret, witness, err := note.GenerateKey(rand.Reader, "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	if a.witness, err = fnote.NewSignerForCosignatureV1(secret); err != nil {
		t.Fatal(err)
	}
	a.keys, err = verify.NewKeys(origin, []string{public}, []string{witness}, 1)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *author) add(e entry.Entry) {
	a.t.Helper()
	a.unknowns++
	var id [16]byte
	binary.BigEndian.PutUint64(id[:], uint64(a.unknowns))
	e.V, e.ID = entry.Version, hex.EncodeToString(id[:])
	if e.Commitment == "" {
		e.Commitment = entry.Commit([entry.SaltSize]byte{}, id[:])
	}
	b, err := e.Encode()
	if err != nil {
		a.t.Fatal(err)
	}
	if err := a.book.Add(e); err != nil {
		a.t.Fatal(err)
	}
	a.append(b)
}

func (a *author) append(b []byte) {
	a.t.Helper()
	stored, err := tlog.StoredHashes(int64(len(a.entries)), b, a.reader())
	if err != nil {
		a.t.Fatal(err)
	}
	a.hashes = append(a.hashes, stored...)
	a.entries = append(a.entries, b)
}

func (a *author) reader() tlog.HashReaderFunc {
	return func(list []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, i := range list {
			out = append(out, a.hashes[i])
		}
		return out, nil
	}
}

// report closes a day.
func (a *author) report(day string) {
	a.t.Helper()
	r, err := a.book.Report(day)
	if err != nil {
		a.t.Fatal(err)
	}
	b, err := r.JSON()
	if err != nil {
		a.t.Fatal(err)
	}
	table, err := r.CSV()
	if err != nil {
		a.t.Fatal(err)
	}
	a.reports[verify.ReportFile(day, "json")] = b
	a.reports[verify.ReportFile(day, "csv")] = table
	text, err := r.Note()
	if err != nil {
		a.t.Fatal(err)
	}
	a.reports[verify.ReportFile(day, "note")], err = note.Sign(&note.Note{Text: text}, a.log)
	if err != nil {
		a.t.Fatal(err)
	}
	a.add(entry.Entry{
		Kind: entry.Report, Day: day, Items: a.book.Entries(), Commitment: entry.Digest(b),
	})
}

// days writes so many days of decisions, appeals and orders.
func (a *author) days(n, each int, r *mrand.Rand) {
	for d := range n {
		day := fmt.Sprintf("2026-11-%02d", 1+d)
		for range each {
			a.add(entry.Entry{
				Kind: entry.Decision, Day: day, Subject: pick(r, "message", "chat", "account"),
				Measures: []string{pick(r, "DECISION_VISIBILITY_CONTENT_REMOVED",
					"DECISION_PROVISION_TOTAL_TERMINATION")},
				Keywords: []string{pick(r, "KEYWORD_TERRORIST_CONTENT", "KEYWORD_OTHER")},
				Items:    1, Accounts: 1, Told: 1, Minutes: r.Int64N(500),
			})
			a.add(entry.Entry{Kind: entry.Appeal, Day: day, Outcome: pick(r, "upheld", "reversed")})
			a.add(entry.Entry{
				Kind: entry.Refusal, Day: day, Country: pick(r, "FR", "IR", "RU"), Accounts: 5,
				Reason: pick(r, "overbroad", "unauthenticated"), Minutes: r.Int64N(90),
			})
		}
		if d > 0 {
			late := fmt.Sprintf("2026-11-%02d", d)
			a.add(entry.Entry{Kind: entry.Lift, Day: late})
		}
		a.report(day)
	}
}

func pick(r *mrand.Rand, list ...string) string { return list[r.IntN(len(list))] }

// publish makes the files of the log as it is now.
func (a *author) publish() files {
	a.t.Helper()
	out := maps.Clone(a.reports)
	size := int64(len(a.entries))
	for n := int64(0); n*256 < size; n++ {
		var b []byte
		for i := n * 256; i < min(size, n*256+256); i++ {
			b = binary.BigEndian.AppendUint16(b, uint16(len(a.entries[i])))
			b = append(b, a.entries[i]...)
		}
		out[bundlePath(n, size)] = b
	}
	for _, t := range tlog.NewTiles(8, 0, size) {
		b, err := tlog.ReadTileData(t, a.reader())
		if err != nil {
			a.t.Fatal(err)
		}
		out[strings.Replace(t.Path(), "tile/8/", "tile/", 1)] = b
	}
	root, err := tlog.TreeHash(size, a.reader())
	if err != nil {
		a.t.Fatal(err)
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", origin, size, root)
	out[verify.CheckpointFile], err = note.Sign(&note.Note{Text: text}, a.log, a.witness)
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

func bundlePath(n, size int64) string {
	at := fmt.Sprintf("tile/entries/%03d", n)
	if rest := size - n*256; rest < 256 {
		at += fmt.Sprintf(".p/%d", rest)
	}
	return at
}

func (a *author) check(f files, since verify.Seen) (verify.Result, error) {
	return verify.Check{Source: f, Keys: a.keys, Since: since, Reports: true}.
		Run(context.Background())
}

// tampering changes a published log; it returns the place that a finding has to name, or "" where
// the class says enough. nil when nothing was changed.
type tampering func(r *mrand.Rand, a *author, f files) files

// tamperings are the ways to lie.
func tamperings() map[string]tampering {
	return map[string]tampering{
		"bit": func(r *mrand.Rand, _ *author, f files) files {
			at := file(r, f, "")
			f[at] = bytes.Clone(f[at])
			f[at][r.IntN(len(f[at]))] ^= 1 << r.IntN(8)
			return f
		},
		"missing file": func(r *mrand.Rand, _ *author, f files) files {
			delete(f, file(r, f, "tile/"))
			return f
		},
		"cut file": func(r *mrand.Rand, _ *author, f files) files {
			at := file(r, f, "")
			f[at] = f[at][:r.IntN(len(f[at]))]
			return f
		},
		"cosignature": func(r *mrand.Rand, _ *author, f files) files {
			lines := strings.SplitAfter(string(f[verify.CheckpointFile]), "\n")
			line := []byte(lines[5])
			at := len("— witness.example ") + r.IntN(80)
			line[at] = "ABCD"[r.IntN(4)]
			if string(line) == lines[5] {
				return nil
			}
			lines[5] = string(line)
			f[verify.CheckpointFile] = []byte(strings.Join(lines, ""))
			return f
		},
		"checkpoint's size": func(r *mrand.Rand, a *author, f files) files {
			size := fmt.Sprintf("\n%d\n", len(a.entries))
			other := fmt.Sprintf("\n%d\n", len(a.entries)-1-r.IntN(3))
			f[verify.CheckpointFile] = bytes.Replace(f[verify.CheckpointFile], []byte(size),
				[]byte(other), 1)
			return f
		},
		"entry": func(r *mrand.Rand, a *author, f files) files {
			return entries(a, f, func(list [][]byte) bool {
				i, j := r.IntN(len(list)), r.IntN(len(list))
				changed := !bytes.Equal(list[i], list[j])
				list[i] = list[j]
				return changed
			})
		},
		"order": func(r *mrand.Rand, a *author, f files) files {
			return entries(a, f, func(list [][]byte) bool {
				i, j := r.IntN(len(list)), r.IntN(len(list))
				list[i], list[j] = list[j], list[i]
				return i != j
			})
		},
		"figure": func(r *mrand.Rand, _ *author, f files) files {
			at := file(r, f, "reports/")
			digits := []int{}
			for i, c := range f[at] {
				if c >= '0' && c <= '9' {
					digits = append(digits, i)
				}
			}
			i := digits[r.IntN(len(digits))]
			was := f[at][i]
			f[at] = bytes.Clone(f[at])
			f[at][i] = '0' + byte(r.IntN(10))
			if f[at][i] == was {
				return nil
			}
			return f
		},
	}
}

func file(r *mrand.Rand, f files, prefix string) string {
	var list []string
	for _, at := range slices.Sorted(maps.Keys(f)) {
		if strings.HasPrefix(at, prefix) {
			list = append(list, at)
		}
	}
	return list[r.IntN(len(list))]
}

// entries rewrites the bundles of a log with other entries.
func entries(a *author, f files, change func([][]byte) bool) files {
	list := slices.Clone(a.entries)
	if !change(list) {
		return nil
	}
	other := &author{t: a.t, entries: list}
	size := int64(len(list))
	for n := int64(0); n*256 < size; n++ {
		var b []byte
		for i := n * 256; i < min(size, n*256+256); i++ {
			b = binary.BigEndian.AppendUint16(b, uint16(len(other.entries[i])))
			b = append(b, other.entries[i]...)
		}
		f[bundlePath(n, size)] = b
	}
	return f
}

// TestEveryTamperingIsNamed lies about logs in 100,000 ways.
func TestEveryTamperingIsNamed(t *testing.T) {
	for _, c := range []struct{ days, each, rounds int }{{2, 2, 100_000}, {5, 25, 2_000}} {
		if testing.Short() {
			c.rounds /= 50
		}
		r := mrand.New(mrand.NewPCG(1, uint64(c.days)))
		a := newAuthor(t)
		a.days(c.days, c.each, r)
		whole := a.publish()
		if _, err := a.check(whole, verify.Seen{}); err != nil {
			t.Fatal(err)
		}
		ways := tamperings()
		names := slices.Sorted(maps.Keys(ways))
		for n := 0; n < c.rounds; {
			name := names[n%len(names)]
			f := ways[name](r, a, maps.Clone(whole))
			if f == nil {
				continue
			}
			n++
			var bad *verify.Finding
			if _, err := a.check(f, verify.Seen{}); !errors.As(err, &bad) {
				t.Fatalf("%s, %d: not noticed: %v", name, n, err)
			} else if bad.Where == "" || bad.Why == "" {
				t.Fatalf("%s, %d: not named: %v", name, n, err)
			}
		}
	}
}

// TestNamesTheFirst: the finding is about what was changed and nothing else.
func TestNamesTheFirst(t *testing.T) {
	r := mrand.New(mrand.NewPCG(2, 2))
	a := newAuthor(t)
	a.days(4, 40, r)
	whole := a.publish()
	for name, c := range map[string]struct {
		change func(files)
		what   verify.What
		where  string
	}{
		"entry": {func(f files) {
			entries(a, f, func(list [][]byte) bool { list[301] = list[300]; return true })
		}, verify.BadEntry, "301"},
		"tile": {func(f files) {
			f["tile/0/000"] = bytes.Clone(f["tile/0/000"])
			f["tile/0/000"][100] ^= 1
		}, verify.BadTile, "tile/0/000"},
		"figure": {func(f files) {
			at := verify.ReportFile("2026-11-03", "json")
			f[at] = bytes.Replace(f[at], []byte(`"decisions": 40`), []byte(`"decisions": 41`), 1)
		}, verify.BadReport, "reports/2026-11-03.json"},
		"report": {func(f files) {
			delete(f, verify.ReportFile("2026-11-02", "csv"))
		}, verify.BadReport, "reports/2026-11-02.csv"},
		"signature missing": {func(f files) {
			delete(f, verify.ReportFile("2026-11-02", "note"))
		}, verify.BadReport, "reports/2026-11-02.note"},
		"signature of another day": {func(f files) {
			f[verify.ReportFile("2026-11-02", "note")] = f[verify.ReportFile("2026-11-01", "note")]
		}, verify.BadReport, "reports/2026-11-02.note"},
		"signature by another": {func(f files) {
			at := verify.ReportFile("2026-11-02", "note")
			n, err := note.Open(f[at], note.VerifierList(a.keys.Log...))
			if err != nil {
				t.Fatal(err)
			}
			f[at], err = note.Sign(&note.Note{Text: n.Text}, newAuthor(t).log)
			if err != nil {
				t.Fatal(err)
			}
		}, verify.BadReport, "reports/2026-11-02.note"},
	} {
		f := maps.Clone(whole)
		c.change(f)
		_, err := a.check(f, verify.Seen{})
		var bad *verify.Finding
		if !errors.As(err, &bad) || bad.What != c.what || bad.Where != c.where {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestHistory: a smaller log and another history are told from what was seen before.
func TestHistory(t *testing.T) {
	a := newAuthor(t)
	a.days(2, 60, mrand.New(mrand.NewPCG(3, 3)))
	old := a.publish()
	first, err := a.check(old, verify.Seen{})
	if err != nil {
		t.Fatal(err)
	}
	seen := first.Checkpoint.Seen()
	other := *a
	a.add(entry.Entry{Kind: entry.Decision, Day: "2026-11-03"})
	second, err := a.check(a.publish(), seen)
	if err != nil {
		t.Fatal(err)
	}
	var bad *verify.Finding
	if _, err := a.check(old, second.Checkpoint.Seen()); !errors.As(err, &bad) ||
		bad.What != verify.Rollback {
		t.Errorf("rollback: %v", err)
	}
	other.book = report.NewBook(origin)
	other.entries, other.hashes = nil, nil
	other.days(2, 62, mrand.New(mrand.NewPCG(4, 4)))
	if _, err := other.check(other.publish(), seen); !errors.As(err, &bad) ||
		bad.What != verify.Fork {
		t.Errorf("fork: %v", err)
	}
}

// BenchmarkCheck is a stranger's recomputation: entries a second, and memory that does not grow.
func BenchmarkCheck(b *testing.B) {
	for _, each := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprint(each*3*10), func(b *testing.B) {
			a := newAuthor(b)
			a.days(10, each, mrand.New(mrand.NewPCG(5, 5)))
			f := a.publish()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := a.check(f, verify.Seen{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(a.entries))*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}
