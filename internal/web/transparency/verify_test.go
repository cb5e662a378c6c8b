package transparency

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"net/http/httptest"
	"strings"
	"testing"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"parley/internal/tlog/entry"
	"parley/internal/tlog/verify"
	"parley/test/browser/browsertest"
)

// origin is the log's name in these tests.
const origin = "chat.example/log"

// scribe writes receipts, good ones and bad ones that are signed all the same.
type scribe struct {
	t            testing.TB
	log, witness note.Signer
	public       []string // the keys of the log and of the witness
	stored       []tlog.Hash
	raw          []string
	salt         [entry.SaltSize]byte
	record       []byte
}

func newScribe(t testing.TB) *scribe {
	t.Helper()
	s := &scribe{t: t, record: []byte(`{"decision":7}`)}
	secret, public := s.key(origin)
	var err error
	s.log = s.signer(secret)
	s.public = append(s.public, public)
	secret, public = s.key("witness.example")
	if s.witness, err = fnote.NewSignerForCosignatureV1(secret); err != nil {
		t.Fatal(err)
	}
	if public, err = fnote.VKeyToCosignatureV1(public); err != nil {
		t.Fatal(err)
	}
	s.public = append(s.public, public)
	return s
}

func (s *scribe) key(name string) (secret, public string) {
	s.t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		s.t.Fatal(err)
	}
	return secret, public
}

// signer signs with a secret key.
func (s *scribe) signer(secret string) note.Signer {
	s.t.Helper()
	signer, err := note.NewSigner(secret)
	if err != nil {
		s.t.Fatal(err)
	}
	return signer
}

// trust is whom the tests trust: the log and the witness.
func (s *scribe) trust() verify.Keys {
	s.t.Helper()
	k, err := verify.NewKeys(origin, s.public[:1], s.public[1:], 1)
	if err != nil {
		s.t.Fatal(err)
	}
	return k
}

// add appends what need not be an entry.
func (s *scribe) add(raw string) {
	s.t.Helper()
	hashes, err := tlog.StoredHashes(int64(len(s.raw)), []byte(raw), s)
	if err != nil {
		s.t.Fatal(err)
	}
	s.stored, s.raw = append(s.stored, hashes...), append(s.raw, raw)
}

// ReadHashes returns stored hashes.
func (s *scribe) ReadHashes(at []int64) (out []tlog.Hash, err error) {
	for _, i := range at {
		out = append(out, s.stored[i])
	}
	return out, nil
}

// entry is an entry with a keyword, about the scribe's record.
func (s *scribe) entry(word string) entry.Entry {
	return entry.Entry{
		V: entry.Version, Kind: entry.Decision, ID: strings.Repeat("0a", 16), Day: "2026-11-29",
		Subject: "chat", Measures: []string{"A", "B"}, Keywords: []string{word}, Detected: true,
		Territory: []string{"DE", "FR"}, Items: 1, Minutes: 90,
		Commitment: entry.Commit(s.salt, s.record),
	}
}

// sign makes a checkpoint of a text.
func (s *scribe) sign(text string, by ...note.Signer) string {
	s.t.Helper()
	b, err := note.Sign(&note.Note{Text: text}, by...)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

// text is the text of the newest checkpoint.
func (s *scribe) text() string {
	s.t.Helper()
	root, err := tlog.TreeHash(int64(len(s.raw)), s)
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprintf("%s\n%d\n%s\n", origin, len(s.raw), root)
}

// receipt is that of an entry.
func (s *scribe) receipt(index int64) verify.Receipt {
	s.t.Helper()
	proof, err := tlog.ProveRecord(int64(len(s.raw)), index, s)
	if err != nil {
		s.t.Fatal(err)
	}
	return verify.Receipt{
		V: 1, Origin: origin, Index: index, Entry: s.raw[index], Proof: proof,
		Checkpoint: s.sign(s.text(), s.log, s.witness), Salt: s.salt[:], Record: s.record,
	}
}

// prove is what the pages make receipts by.
func (s *scribe) prove(_ context.Context, index int64) (verify.Receipt, error) {
	r := s.receipt(index)
	r.Salt, r.Record = nil, nil
	return r, nil
}

func (s *scribe) encoded(r verify.Receipt) []byte {
	s.t.Helper()
	b, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// verdict is what parley-verify says of a receipt: good, or what does not fit and where.
func verdict(t *testing.T, k verify.Keys, b []byte) string {
	t.Helper()
	r, err := verify.ParseReceipt(b)
	if err == nil {
		_, err = k.Receipt(r)
	}
	var bad *verify.Finding
	switch {
	case err == nil:
		return "good"
	case errors.As(err, &bad):
		return "bad " + string(bad.What) + " " + bad.Where
	default:
		t.Fatal(err)
		return ""
	}
}

// given has the page check a file, and returns its verdict.
func given(p *browsertest.Page, b []byte) string {
	return browsertest.Eval[string](p, `(async () => {
		const plain = atob("`+base64.StdEncoding.EncodeToString(b)+`");
		const bytes = Uint8Array.from(plain, (c) => c.charCodeAt(0));
		const chosen = new DataTransfer();
		chosen.items.add(new File([bytes], "receipt.json"));
		file.files = chosen.files;
		file.dispatchEvent(new Event("change"));
		delete result.dataset.verdict;
		const done = new Promise((resolve) => new MutationObserver(() => {
			if (result.dataset.verdict) resolve();
		}).observe(result, {attributes: true}));
		verify.requestSubmit();
		await done;
		return [result.dataset.verdict, result.dataset.finding].filter(Boolean).join(" ");
	})()`)
}

// changed are receipts that somebody changed, by what was done to them.
func changed(s *scribe, good verify.Receipt) map[string][]byte {
	out := make(map[string][]byte)
	with := func(name string, change func(r *verify.Receipt)) {
		r := good
		r.Proof = append([]tlog.Hash(nil), good.Proof...)
		r.Salt = bytes.Clone(good.Salt)
		change(&r)
		out[name] = s.encoded(r)
	}
	for i := range good.Proof {
		with(fmt.Sprint("hash ", i), func(r *verify.Receipt) { r.Proof[i][i] ^= 1 })
	}
	with("a hash less", func(r *verify.Receipt) { r.Proof = r.Proof[1:] })
	with("no last hash", func(r *verify.Receipt) { r.Proof = r.Proof[:len(r.Proof)-1] })
	with("a hash more", func(r *verify.Receipt) { r.Proof = append(r.Proof, r.Proof[0]) })
	with("swapped", func(r *verify.Receipt) { r.Proof[0], r.Proof[1] = r.Proof[1], r.Proof[0] })
	with("no hashes", func(r *verify.Receipt) { r.Proof = []tlog.Hash{} })
	with("null hashes", func(r *verify.Receipt) { r.Proof = nil })
	with("next place", func(r *verify.Receipt) { r.Index++ })
	with("before the log", func(r *verify.Receipt) { r.Index = -1 })
	with("after the log", func(r *verify.Receipt) { r.Index = int64(len(s.raw)) })
	with("other log", func(r *verify.Receipt) { r.Origin = "other.example/log" })
	with("other version", func(r *verify.Receipt) { r.V = 2 })
	with("other entry", func(r *verify.Receipt) { r.Entry = s.raw[0] })
	with("other day", func(r *verify.Receipt) {
		r.Entry = strings.Replace(r.Entry, "2026-11-29", "2026-11-28", 1)
	})
	with("other salt", func(r *verify.Receipt) { r.Salt[0] ^= 1 })
	with("no salt", func(r *verify.Receipt) { r.Salt = nil })
	with("short salt", func(r *verify.Receipt) { r.Salt = r.Salt[1:] })
	with("other record", func(r *verify.Receipt) { r.Record = []byte(`{"decision":8}`) })
	with("no record", func(r *verify.Receipt) { r.Record = nil })
	for name, text := range signed(s) {
		with("checkpoint "+name, func(r *verify.Receipt) { r.Checkpoint = text })
	}
	plain := string(s.encoded(good))
	swap := func(name, old, new string) {
		if !strings.Contains(plain, old) {
			s.t.Fatalf("%s: no %q", name, old)
		}
		out[name] = []byte(strings.Replace(plain, old, new, 1))
	}
	swap("unknown member", `{`, `{"x":1,`)
	swap("twice", `{`, `{"v":1,`)
	swap("capitals", `"origin"`, `"Origin"`)
	swap("escaped", origin, `\u0063hat.example/log`)
	swap("fraction", `"v": 1`, `"v": 1.0`)
	swap("exponent", `"v": 1`, `"v": 1e0`)
	swap("text for a number", `"v": 1`, `"v": "1"`)
	swap("null", `"v": 1`, `"v": null`)
	swap("a large place", `"index": 5`, `"index": 9007199254740991`)
	swap("minus nothing", `"index": 5`, `"index": -0`)
	out["more behind"] = []byte(plain + "{}")
	out["byte order mark"] = []byte("\ufeff" + plain)
	out["not UTF-8"] = []byte(strings.Replace(plain, "chat", "ch\xff\xfet", 1))
	out["half"] = []byte(plain[:len(plain)/2])
	out["nothing"] = nil
	out["a list"] = []byte("[]")
	out["no JSON"] = []byte("receipt")
	out["too large"] = []byte(plain + strings.Repeat(" ", 1<<20))
	return out
}

// signed are checkpoints with something wrong, some of which the log itself signed.
func signed(s *scribe) map[string]string {
	text := s.text()
	root := strings.Split(text, "\n")[2]
	other, _ := s.key(origin)
	stranger := s.signer(other)
	good := s.sign(text, s.log, s.witness)
	lines := strings.SplitAfter(good, "\n")
	both := func(text string) string { return s.sign(text, s.log, s.witness) }
	tail := func(line string) string { return line[:len(line)-4] + "AAA\n" }
	return map[string]string{
		"by a stranger":            s.sign(text, stranger, s.witness),
		"by nobody":                text + "\n",
		"by the log alone":         s.sign(text, s.log),
		"by the witness alone":     s.sign(text, s.witness),
		"with a broken signature":  strings.Join(lines[:4], "") + tail(lines[4]) + lines[5],
		"with a broken witness":    strings.Join(lines[:5], "") + tail(lines[5]),
		"with another size":        strings.Replace(good, "\n9\n", "\n8\n", 1),
		"of another log":           both("other.example/log\n9\n" + root + "\n"),
		"with a leading zero":      both(origin + "\n09\n" + root + "\n"),
		"with a negative size":     both(origin + "\n-9\n" + root + "\n"),
		"with a size too large":    both(origin + "\n9223372036854775808\n" + root + "\n"),
		"with a short hash":        both(origin + "\n9\n" + root[4:] + "\n"),
		"with too few lines":       both(origin + "\n9\n"),
		"with another root":        both(origin + "\n9\n" + strings.ToLower(root) + "\n"),
		"without an end":           strings.TrimSuffix(good, "\n"),
		"with a control character": strings.Replace(good, "\n9\n", "\n9\r\n", 1),
		"with a foreign line":      good + "hello\n",
		"with an empty line":       good + "\n",
	}
}

// odd are entries in the log that are not in the published format.
func odd(s *scribe) (out []string) {
	b, err := s.entry("K").Encode()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, x := range [][2]string{
		{`{"v":1`, `{ "v":1`}, {`"v":1`, `"v":2`}, {`"decision"`, `"decided"`},
		{"0a0a", "0A0a"}, {"2026-11-29", "2026-02-29"}, {"2026-11-29", "2026-1-29"},
		{`["A","B"]`, `["B","A"]`}, {`["A","B"]`, `[]`}, {`["A","B"]`, `["A","A"]`},
		{`"chat"`, `"a chat"`}, {`"chat"`, `""`}, {`"detected":true,`, `"detected":false,`},
		{`"DE"`, `"de"`}, {`"items":1`, `"items":0`}, {`"items":1`, `"items":-1`},
		{`"items":1`, `"items":9223372036854775808`}, {`"items":1`, `"items":"1"`},
		{`"items":1,"minutes":90`, `"minutes":90,"items":1`}, {`"minutes"`, `"Minutes"`},
		{`"K"`, `"` + strings.Repeat("K", 81) + `"`}, {`"}`, `","x":1}`}, {`"}`, `"} `},
		{`"commitment"`, `"persons":null,"commitment"`}, {`"subject":"chat",`, `"of":"0",`},
		{`"minutes"`, `"untold":1,"minutes"`}, {`"items"`, `"was":"a word","items"`},
	} {
		if !strings.Contains(string(b), x[0]) {
			s.t.Fatalf("no %q in %s", x[0], b)
		}
		out = append(out, strings.Replace(string(b), x[0], x[1], 1))
	}
	exact := strings.NewReplacer(`"decision"`, `"order"`, `"items":1`, `"items":2`)
	return append(out, exact.Replace(string(b)), "", "{}", strings.Repeat("x", entry.MaxSize+1))
}

// opened is a log of nine entries, and its page in a browser.
func opened(t *testing.T, look browsertest.Look) (*scribe, *browsertest.Page) {
	t.Helper()
	s := newScribe(t)
	for i := range 9 {
		b, err := s.entry(fmt.Sprint("K", i)).Encode()
		if err != nil {
			t.Fatal(err)
		}
		s.add(string(b))
	}
	server := httptest.NewServer(door(t, t.TempDir(), s.public...))
	t.Cleanup(server.Close)
	p := browsertest.Start(t).Page(t, look)
	p.Open(server.URL + "/transparency/verify")
	return s, p
}

// TestTheBrowserVerifiesAlike: of a good receipt, of every tampered one, and of entries that are
// signed and in no published format, the page in the browser says what the program for strangers
// says: the same class and the same place.
func TestTheBrowserVerifiesAlike(t *testing.T) {
	s, p := opened(t, browsertest.Look{})
	k := s.trust()
	good := s.receipt(5)
	if got := given(p, s.encoded(good)); got != "good" {
		t.Fatalf("a good receipt: %s", got)
	}
	text := p.Text("#result")
	for _, want := range []string{
		"entry 5 of the log chat.example/log: decision of 2026-11-29",
		"it was in the log when that had 9 entries; 1 witnesses saw it: witness.example",
		"about this record, and about no other", `"decision": 7`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q: %s", want, text)
		}
	}
	sealed := good
	sealed.Salt, sealed.Record = nil, nil
	if given(p, s.encoded(sealed)) != "good" || !strings.Contains(p.Text("#result"), "does not say whom") {
		t.Errorf("a sealed receipt: %s", p.Text("#result"))
	}
	cases := changed(s, good)
	for name, b := range cases {
		if want, got := verdict(t, k, b), given(p, b); got != want || want == "good" {
			t.Errorf("%s: parley-verify says %q, the browser %q", name, want, got)
		}
	}
	for _, raw := range odd(s) {
		s.add(raw)
		r := s.receipt(int64(len(s.raw)) - 1)
		if want, got := verdict(t, k, s.encoded(r)), given(p, s.encoded(r)); got != want ||
			want != "bad receipt entry" {
			t.Errorf("%.300s: parley-verify says %q, the browser %q", raw, want, got)
		}
	}
	for size := range int64(len(s.raw)) {
		if got := given(p, s.encoded(s.receipt(min(size, 8)))); got != "good" {
			t.Errorf("entry %d: %s", size, got)
		}
	}
	t.Logf("%d tampered receipts", len(cases)+len(odd(s)))
}

// TestTheBrowserVerifiesAlikeAtRandom changes bytes of a receipt.
func TestTheBrowserVerifiesAlikeAtRandom(t *testing.T) {
	s, p := opened(t, browsertest.Look{})
	k, plain := s.trust(), s.encoded(s.receipt(5))
	r := mrand.New(mrand.NewPCG(1, 2))
	for range 200 {
		b := bytes.Clone(plain)
		b[r.IntN(len(b))] = byte(32 + r.IntN(96))
		if want, got := verdict(t, k, b), given(p, b); got != want {
			t.Errorf("parley-verify says %q, the browser %q of %s", want, got, b)
		}
	}
}
