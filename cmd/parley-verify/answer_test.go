package main

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"parley/internal/tlog/paper"
)

// TestAnswer checks a true answer, and finds altered ones and those about something else.
func TestAnswer(t *testing.T) {
	secret, public, err := note.GenerateKey(rand.Reader, "chat.example.org/answers")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	sent := []byte(`{"number":"7 Js 1/26"}`)
	sum := sha256.Sum256(sent)
	signed, err := paper.Sign(paper.Paper{
		Kind: paper.Effect, Issuer: signer.Name(), At: "2026-11-29T05:00:00Z", Reference: "OABC",
		Number: "7 Js 1/26", Instrument: "TCO_ARTICLE_3", Document: hex.EncodeToString(sum[:]),
		Received: "2026-11-29T04:30:00Z", Lang: "de", Given: "yes",
		Items: []paper.Item{{N: 1, Location: "https://t.me/news/5", State: "done"}},
	}, signer)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		at := filepath.Join(dir, name)
		if err := os.WriteFile(at, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return at
	}
	answer, order := file("answer", signed), file("order.json", sent)
	pdf := file("answer.pdf", attached(t, signed))
	forged := file("forged.pdf", attached(t, bytes.Replace(signed, []byte("news/5"),
		[]byte("news/6"), 1)))
	empty := file("empty.pdf", []byte("%PDF-1.3\nnothing"))
	altered := file("altered", bytes.Replace(signed, []byte("news/5"), []byte("news/6"), 1))
	_, stranger, err := note.GenerateKey(rand.Reader, "chat.example.org/answers")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want int
		says string
	}{
		{[]string{"--key", public, "--order", order, answer}, inOrder, "effect given: yes"},
		{[]string{"--key", public, altered}, doesNot, "not signed by a known key"},
		{[]string{"--key", stranger, answer}, doesNot, "not signed by a known key"},
		{[]string{"--key", public, "--order", altered, answer}, doesNot, "another document"},
		{[]string{"--key", "nonsense", answer}, unchecked, "key"},
		{[]string{"--key", public, "--order", order, pdf}, inOrder, "was not looked at"},
		{[]string{"--key", public, forged}, doesNot, "not signed by a known key"},
		{[]string{"--key", public, empty}, doesNot, "no paper is attached"},
		{[]string{"--key", public, "--package", order, answer}, doesNot, "another package"},
	} {
		var out bytes.Buffer
		got := run(append([]string{"answer"}, c.args...), &out, &out)
		if got != c.want || !strings.Contains(out.String(), c.says) {
			t.Errorf("%q: %d, want %d: %s", c.args, got, c.want, &out)
		}
	}
}

// TestOpenedPackage: what was in a package is held to the signed answer, file by file.
func TestOpenedPackage(t *testing.T) {
	secret, public, err := note.GenerateKey(rand.Reader, "chat.example.org/answers")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	sum := func(b string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(b))) }
	sums := sum("the data") + "  data.json\n" + sum("a picture") + "  files/1.jpg\n"
	signed, err := paper.Sign(paper.Paper{
		Kind: paper.Effect, Issuer: signer.Name(), At: "2026-11-29T05:00:00Z", Reference: "OABC",
		Number: "7 Js 1/26", Instrument: "EE_PRODUCTION_ORDER", Document: sum(""),
		Received: "2026-11-29T04:30:00Z", Lang: "de",
		Package: &paper.Package{Manifest: sum(sums)},
	}, signer)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	answer := filepath.Join(dir, "answer")
	if err := os.WriteFile(answer, signed, 0o600); err != nil {
		t.Fatal(err)
	}
	whole := [][2]string{
		{"data.json", "the data"}, {"files/1.jpg", "a picture"}, {"SHA256SUMS", sums},
	}
	for _, c := range []struct {
		files [][2]string
		want  int
		says  string
	}{
		{whole, inOrder, "SHA256SUMS in it"},
		{whole[:2], doesNot, "it has no SHA256SUMS"},
		{whole[1:], doesNot, `"data.json" is missing`},
		{append(whole[1:], [2]string{"data.json", "The data"}), doesNot, `"data.json" was changed`},
		{append(whole[:3:3], [2]string{"more", ""}), doesNot, `"more" is not in SHA256SUMS`},
		{append(whole[:3:3], whole[0]), doesNot, `"data.json" is not in SHA256SUMS, or stands twice`},
		{append(whole[:2:2], [2]string{"SHA256SUMS", sums + "\n"}), doesNot, "not the one that was"},
	} {
		var out bytes.Buffer
		got := run([]string{
			"answer", "--key", public, "--opened", zipped(t, c.files), answer,
		}, &out, &out)
		if got != c.want || !strings.Contains(out.String(), c.says) {
			t.Errorf("%q: %d, want %d: %s", c.files, got, c.want, &out)
		}
	}
}

// zipped is a file with files of the given names and contents.
func zipped(t *testing.T, files [][2]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.Create(f[0])
		if err == nil {
			_, err = w.Write([]byte(f[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(t.TempDir(), "package.zip")
	if err := os.WriteFile(at, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return at
}

// attached is as much of a PDF as an attached file needs.
func attached(t *testing.T, body []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	if _, err := z.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return fmt.Appendf(nil, "%%PDF-1.3\n<< /Type /EmbeddedFile /Length %d /Filter "+
		"/FlateDecode >>\nstream\n%s\nendstream", packed.Len(), packed.Bytes())
}
