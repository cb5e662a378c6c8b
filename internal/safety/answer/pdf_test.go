package answer_test

import (
	"bytes"
	"image"
	_ "image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"parley/internal/safety/words"
	"parley/internal/tlog/paper"
)

// program is a program of poppler.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s: scripts/install-test-packages installs it", name)
	}
	return path
}

// drawn is the first page of a PDF as another program draws it.
func drawn(t *testing.T, pdf string) image.Image {
	t.Helper()
	out := filepath.Join(t.TempDir(), "page")
	cmd := exec.Command(program(t, "pdftoppm"), "-png", "-r", "72", "-singlefile", pdf, out)
	if b, err := cmd.CombinedOutput(); err != nil || len(b) > 0 {
		t.Fatalf("pdftoppm: %v %s", err, b)
	}
	f, err := os.Open(out + ".png")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	page, _, err := image.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// ink is between which columns a row of text stands: that of the title.
func ink(page image.Image, from, to int) (left, right int) {
	left, right = -1, -1
	for x := range page.Bounds().Dx() {
		for y := from; y < to; y++ {
			if r, _, _, _ := page.At(x, y).RGBA(); r < 0x8000 {
				if left < 0 {
					left = x
				}
				right = x
			}
		}
	}
	return left, right
}

// TestPDF draws a paper in every language: the signed paper and the letter can be taken out of it,
// it is the same file each time, and a reader draws lines that begin where the language begins.
func TestPDF(t *testing.T) {
	s := open(t, t.TempDir())
	signed, err := s.Sign(written(paper.Effect))
	if err != nil {
		t.Fatal(err)
	}
	sizes := make(map[int]bool)
	for _, lang := range words.Authorities() {
		pdf, err := s.PDF(signed, lang)
		if err != nil {
			t.Fatalf("%s: %v", lang, err)
		}
		again, err := s.PDF(signed, lang)
		if err != nil || !bytes.Equal(pdf, again) {
			t.Errorf("%s: another file the second time: %v", lang, err)
		}
		note, err := paper.FromPDF(pdf)
		if err != nil || !bytes.Equal(note, signed) {
			t.Errorf("%s: the signed paper is not attached as it is: %v", lang, err)
		}
		name := filepath.Join(t.TempDir(), lang+".pdf")
		if dir := os.Getenv("PARLEY_PDF"); dir != "" {
			name = filepath.Join(dir, lang+".pdf")
		}
		if err := os.WriteFile(name, pdf, 0o600); err != nil {
			t.Fatal(err)
		}
		letter := filepath.Join(t.TempDir(), "letter")
		cmd := exec.Command(program(t, "pdfdetach"), "-save", "2", "-o", letter, name)
		if b, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("pdfdetach: %v %s", err, b)
		}
		text, err := os.ReadFile(letter)
		if err != nil {
			t.Fatal(err)
		}
		l, err := s.Letter(signed, lang)
		if err != nil || string(text) != l.String() {
			t.Errorf("%s: the attached letter is another: %v", lang, err)
		}
		left, right := ink(drawn(t, name), 56, 85)
		switch rtl := lang == "fa" || lang == "ar"; {
		case left < 0:
			t.Errorf("%s: nothing is drawn", lang)
		case !rtl && (left > 62 || right > 539):
			t.Errorf("%s: the title is from %d to %d", lang, left, right)
		case rtl && (right < 533 || right > 541 || left < 56):
			t.Errorf("%s: the title is from %d to %d", lang, left, right)
		}
		sizes[right-left] = true
	}
	if n := len(words.Authorities()); len(sizes) < n-4 {
		t.Errorf("%d languages have titles of %d widths", n, len(sizes))
	}
}

// TestLongPapersHaveMorePages draws a paper with a thousand items.
func TestLongPapersHaveMorePages(t *testing.T) {
	s := open(t, t.TempDir())
	p := written(paper.Effect)
	for n := range 1000 {
		p.Items = append(p.Items, paper.Item{
			N: int64(n), Location: "https://t.me/" + strings.Repeat("long", 100), State: "done",
		})
	}
	signed, err := s.Sign(p)
	if err != nil {
		t.Fatal(err)
	}
	pdf, err := s.PDF(signed, "de")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(pdf, []byte("/Type /Page\n")); n < 50 {
		t.Errorf("%d pages", n)
	}
	if note, err := paper.FromPDF(pdf); err != nil || !bytes.Equal(note, signed) {
		t.Errorf("the signed paper is not attached: %v", err)
	}
}

// TestDatesStandApart marks what is put into lines that are written from right to left, which would
// turn a date or a reference about.
func TestDatesStandApart(t *testing.T) {
	s := open(t, t.TempDir())
	signed, err := s.Sign(written(paper.Effect))
	if err != nil {
		t.Fatal(err)
	}
	for lang, want := range map[string]bool{"fa": true, "ar": true, "de": false} {
		l, err := s.Letter(signed, lang)
		if err != nil {
			t.Fatal(err)
		}
		for _, value := range []string{
			"2027-11-29T05:00:00Z", "2026-11-29T04:30:00Z", "7 Js 1/26",
		} {
			if got := strings.Contains(l.String(), "\u2068"+value+"\u2069"); got != want {
				t.Errorf("%s: %q stands apart: %v", lang, value, got)
			}
		}
	}
}
