package paper_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"parley/internal/tlog/paper"
)

func keys(t testing.TB, name string) (note.Signer, note.Verifiers) {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return signer, note.VerifierList(verifier)
}

func effect() paper.Paper {
	return paper.Paper{
		V: paper.Version, Kind: paper.Effect, Issuer: "chat.example.org/answers",
		At: "2026-11-29T05:00:00Z", Reference: "OABC", Number: "7 Js 1/26", Agency: "Office",
		Country: "DE", Instrument: "TCO_ARTICLE_3", Law: "Regulation (EU) 2021/784, Art. 3",
		Document: strings.Repeat("0a", 32), Received: "2026-11-29T04:30:00Z", Lang: "de",
		Given: "yes", Items: []paper.Item{{
			N: 1, Location: "https://t.me/news/5?<&>", State: "done", At: "2026-11-29T04:59:00Z",
			Measure: "disable", Territory: []string{"DE", "FR"},
		}},
	}
}

func TestSignedPapersOpen(t *testing.T) {
	signer, known := keys(t, "chat.example.org/answers")
	b, err := paper.Sign(effect(), signer)
	if err != nil {
		t.Fatal(err)
	}
	got, err := paper.Open(b, known)
	if err != nil || !reflect.DeepEqual(got, effect()) {
		t.Errorf("%v: %+v", err, got)
	}
	_, strangers := keys(t, "chat.example.org/answers")
	if _, err := paper.Open(b, strangers); !errors.Is(err, paper.ErrSignature) {
		t.Errorf("by a stranger's key: %v", err)
	}
}

// TestEveryByteCounts changes each byte of a paper in turn.
func TestEveryByteCounts(t *testing.T) {
	signer, known := keys(t, "chat.example.org/answers")
	b, err := paper.Sign(effect(), signer)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		bad := bytes.Clone(b)
		bad[i] ^= 1
		if _, err := paper.Open(bad, known); err == nil {
			t.Fatalf("byte %d of %d does not count", i, len(b))
		}
	}
}

func TestOnlyTheOneForm(t *testing.T) {
	signer, known := keys(t, "chat.example.org/answers")
	good, err := paper.Sign(effect(), signer)
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(good), "\n")
	for what, bad := range map[string]string{
		"not JSON":      "yes",
		"white space":   strings.Replace(text, ":", ": ", 1),
		"unknown field": strings.Replace(text, `{"v"`, `{"x":1,"v"`, 1),
		"other kind":    strings.Replace(text, `"effect"`, `"favour"`, 1),
		"other version": strings.Replace(text, `"v":1`, `"v":2`, 1),
		"local time":    strings.Replace(text, "05:00:00Z", "05:00:00+01:00", 1),
		"two of them":   text + text,
	} {
		b, err := note.Sign(&note.Note{Text: bad + "\n"}, signer)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := paper.Open(b, known); !errors.Is(err, paper.ErrFormat) {
			t.Errorf("%s: %v", what, err)
		}
	}
	none := effect()
	none.Reference = ""
	if _, err := paper.Sign(none, signer); !errors.Is(err, paper.ErrFormat) {
		t.Errorf("without a reference: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	signer, known := keys(f, "chat.example.org/answers")
	b, err := paper.Sign(effect(), signer)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := paper.Open(b, known)
		if err != nil {
			return
		}
		if _, err := paper.Sign(p, signer); err != nil {
			t.Errorf("opened what cannot be signed: %v", err)
		}
	})
}

func FuzzFromPDF(f *testing.F) {
	f.Add([]byte("%PDF-1.3\n/Type /EmbeddedFile /Length 3 /Filter /FlateDecode >>\nstream\nabc"))
	f.Add([]byte("%PDF-1.3\n/Type /EmbeddedFile /Type /EmbeddedFile /Length 99999999999999999999"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := paper.FromPDF(b)
		if (got == nil) == (err == nil) || err != nil && !errors.Is(err, paper.ErrFormat) {
			t.Errorf("%q: %v", got, err)
		}
	})
}
