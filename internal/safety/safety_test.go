package safety

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"parley/internal/ids"
	"parley/internal/web/page"
	"parley/internal/web/page/pagetest"
)

func TestReferences(t *testing.T) {
	k := References{Key: [32]byte{1}}
	rapid.Check(t, func(t *rapid.T) {
		subject := ids.Peer(rapid.Int64().Draw(t, "subject"))
		id := rapid.Int64().Draw(t, "id")
		ref := k.Make(DecisionRef, subject, id)
		spoken := strings.ToLower(ref[:4] + "-" + ref[4:9] + " " + ref[9:])
		kind, s, i, err := k.Read(spoken)
		if err != nil || kind != DecisionRef || s != subject || i != id {
			t.Fatalf("%q: %c %d %d %v", spoken, kind, s, i, err)
		}
		at := rapid.IntRange(0, len(ref)-2).Draw(t, "at")
		other := []byte(ref)
		if other[at]++; other[at] > 'Z' || other[at] == '8' {
			other[at] = 'A'
		}
		if _, _, _, err := k.Read(string(other)); !errors.Is(err, ErrReference) {
			t.Fatalf("%q is taken for %q: %v", other, ref, err)
		}
		if _, _, _, err := (References{}).Read(ref); !errors.Is(err, ErrReference) {
			t.Fatal("another key reads the reference")
		}
	})
}

func FuzzReference(f *testing.F) {
	k := References{Key: [32]byte{1}}
	f.Add(k.Make(ReportRef, 7, math.MaxInt64))
	f.Fuzz(func(_ *testing.T, s string) { _, _, _, _ = k.Read(s) })
}

func TestIDsSortByTime(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	a, _ := NewID(now, bytes.NewReader([]byte{255, 255, 255, 255}))
	b, _ := NewID(now.Add(time.Millisecond), bytes.NewReader(make([]byte, 4)))
	if a <= 0 || a >= b || !IDTime(a).Equal(now) {
		t.Errorf("%d of %v is not before %d", a, IDTime(a), b)
	}
}

// TestVocabulary: every name has a text in every language, every measure a restriction wherever it
// fits.
func TestVocabulary(t *testing.T) {
	if len(Categories()) != 16 || len(EEA()) != 30 {
		t.Error("the database has 16 categories and 30 territories")
	}
	pagetest.Texts(t, Texts())
	texts, err := page.ReadTexts(Texts())
	if err != nil {
		t.Fatal(err)
	}
	for name := range names() {
		if !texts.Has(name) {
			t.Errorf("%s has no text", name)
		}
	}
	for _, lang := range []string{"ru", "fa", "ar", "zh", "ko"} {
		for name, text := range texts[lang] {
			if strings.ContainsFunc(text, func(r rune) bool { return r < 128 && unicode.IsLetter(r) }) {
				t.Errorf("%s: %s is not translated: %s", lang, name, text)
			}
		}
	}
	for _, m := range Measures() {
		fits := 0
		for _, kind := range []Kind{Account, Chat, Message, Photo, Reaction} {
			if !m.Fits(kind) {
				continue
			}
			fits++
			if m.Restriction(kind).Value == "" {
				t.Errorf("%s of a %s has no restriction", m, kind)
			}
		}
		if fits == 0 || m.String() == "unknown" {
			t.Errorf("measure %d fits nothing", m)
		}
	}
}
