package main

import (
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
