package answer_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"parley/internal/safety/answer"
	"parley/internal/safety/instrument"
	"parley/internal/safety/words"
	"parley/internal/tlog/paper"
)

func open(t *testing.T, dir string) *answer.Signer {
	t.Helper()
	s, err := answer.Open(dir, "chat.example.org", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func written(kind paper.Kind) paper.Paper {
	return paper.Paper{
		Kind: kind, At: "2026-11-29T05:00:00Z", Reference: "OABC", Number: "7 Js 1/26",
		Agency: "Office", Country: "DE", Instrument: "TCO_ARTICLE_3", Law: "Art. 3",
		Document: strings.Repeat("0a", 32), Received: "2026-11-29T04:30:00Z", Lang: "de",
		Given: "partly", Reason: "over-broad", Text: "Said by people.",
		Missing: []paper.Missing{{Law: "Art. 3", Field: "exact URL", What: "missing"}},
		Items: []paper.Item{
			{N: 1, Location: "https://t.me/news/5", State: "done", Measure: "disable",
				Territory: []string{"DE", "FR"}, Until: "2027-11-29T05:00:00Z"},
			{N: 2, Location: "https://t.me/news/6", State: "declined", Reason: "over-broad"},
		},
	}
}

// TestLettersSayWhatPapersSay says every kind of paper in every language.
func TestLettersSayWhatPapersSay(t *testing.T) {
	s := open(t, t.TempDir())
	for _, kind := range paper.Kinds() {
		signed, err := s.Sign(written(kind))
		if err != nil {
			t.Fatal(err)
		}
		titles := make(map[string]string)
		for _, lang := range words.Authorities() {
			l, err := s.Letter(signed, lang)
			if err != nil || l.Lang != lang || l.RTL != (lang == "fa" || lang == "ar") {
				t.Errorf("%s %s: %v %+v", kind, lang, err, l)
			}
			if other := titles[l.Title]; l.Title == "" || l.Text == "" || other != "" {
				t.Errorf("%s: %s says what %q says: %q", kind, lang, other, l.Title)
			}
			titles[l.Title] = lang
			text := l.String()
			for _, want := range []string{
				"OABC", "7 Js 1/26", "https://t.me/news/5", "DE, FR", "over-broad", "URL",
				"Said by people.", "2027-11-29",
			} {
				if !strings.Contains(text, want) {
					t.Errorf("%s %s lacks %q", kind, lang, want)
				}
			}
			if strings.Contains(text, ": \n") || strings.Contains(text, "  ;") {
				t.Errorf("%s %s has a gap: %s", kind, lang, text)
			}
		}
	}
}

// TestOtherLanguages: who is answered in a language without texts is answered in English, and the
// paper says so where it says its language.
func TestOtherLanguages(t *testing.T) {
	s := open(t, t.TempDir())
	for lang, want := range map[string]string{
		"de": "de", "es": "es", "ES": "es", "eo": "en", "hu": "en", "": "en",
	} {
		p := written(paper.Effect)
		p.Lang = lang
		signed, err := s.Sign(p)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Read(signed)
		if err != nil || got.Lang != want {
			t.Errorf("%q: the paper says %q: %v", lang, got.Lang, err)
		}
		if l, err := s.Letter(signed, lang); err != nil || l.Lang != want {
			t.Errorf("%q: the letter is in %q: %v", lang, l.Lang, err)
		}
	}
}

// TestTheKeyStays opens the key again, and reads only what it signed.
func TestTheKeyStays(t *testing.T) {
	dir := t.TempDir()
	one := open(t, dir)
	signed, err := one.Sign(written(paper.Receipt))
	if err != nil {
		t.Fatal(err)
	}
	again := open(t, dir)
	if again.Public() != one.Public() {
		t.Error("another key")
	}
	if _, err := again.Read(signed); err != nil {
		t.Error(err)
	}
	altered := bytes.Replace(signed, []byte("news/5"), []byte("news/7"), 1)
	if _, err := again.Letter(altered, "en"); !errors.Is(err, paper.ErrSignature) {
		t.Errorf("altered: %v", err)
	}
	if _, err := open(t, t.TempDir()).Read(signed); !errors.Is(err, paper.ErrSignature) {
		t.Errorf("another's: %v", err)
	}
	if _, err := answer.Open(dir, "other.example.org", rand.Reader); err == nil {
		t.Error("the key of another name was taken")
	}
}

// TestReasonsHaveNames: why something is refused is said in the language of the letter, with the
// word of the signed paper, by which programs know it.
func TestReasonsHaveNames(t *testing.T) {
	s := open(t, t.TempDir())
	p := written(paper.Refusal)
	p.Reason = "too-wide"
	p.Items = []paper.Item{{N: 1, Location: "a", State: "declined", Reason: "no-authority"}}
	signed, err := s.Sign(p)
	if err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string][]string{
		"de": {"zu weit [too-wide]", "dafür keine Behörde [no-authority]"},
		"fa": {"[too-wide]", "[no-authority]"}, "ko": {"[too-wide]", "[no-authority]"},
	} {
		l, err := s.Letter(signed, lang)
		for _, w := range want {
			if err != nil || !strings.Contains(l.String(), w) {
				t.Errorf("%s: %v: %s", lang, err, l.String())
			}
		}
	}
}

// TestProvisionsAreCited: the act by which an authority asks is cited in the language of the letter,
// and what is in no words of ours stands there as it is.
func TestProvisionsAreCited(t *testing.T) {
	s := open(t, t.TempDir())
	for _, c := range []struct{ lang, law, want string }{
		{"en", "Regulation (EU) 2022/2065, Art. 9", "Regulation (EU) 2022/2065, Art. 9"},
		{"it", "Regulation (EU) 2022/2065, Art. 9", "regolamento (UE) 2022/2065, art. 9"},
		{"cs", "Regulation (EU) 2021/784, Art. 3(4)(f)", "nařízení (EU) 2021/784, čl. 3(4)(f)"},
		{"zh", "Regulation (EU) 2022/2065, Art. 10", "(EU) 2022/2065 号条例, 第 10 条"},
		{"pl", "Regulation (EU) 2023/1543, Form 1", "rozporządzenie (UE) 2023/1543, formularz 1"},
		{"de", "the law of the authority's country", "das Recht des Landes der Behörde"},
		{"ru", "18 U.S.C. § 2703(f)", "18 U.S.C. § 2703(f)"},
		{"es", "Code pénal, art. 431-17", "Code pénal, art. 431-17"},
		{"hu", "Regulation (EU) 2022/2065, Art. 9", "Regulation (EU) 2022/2065, Art. 9"},
	} {
		if got := s.Law(c.lang, c.law); got != c.want {
			t.Errorf("%s: %q is cited as %q", c.lang, c.law, got)
		}
	}
	set, err := instrument.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range set.All() {
		ordered := in.Door == instrument.AuthorityDoor || in.Door == instrument.EmergencyDoor
		if !ordered || strings.Contains(in.Law, "U.S.C.") {
			continue
		}
		for _, lang := range words.Authorities() {
			if lang != words.Fallback && s.Law(lang, in.Law) == in.Law {
				t.Errorf("%s: %s is cited in English: %s", lang, in.ID, in.Law)
			}
		}
	}
}
