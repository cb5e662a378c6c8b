package answer

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/go-fonts/dejavu/dejavusans"
	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"

	"parley/internal/safety/words"
)

// Names of the files inside of a PDF.
const (
	noteFile   = "answer.note"
	letterFile = "letter.txt"
)

// Measures of a page, in points.
const (
	pageWidth, pageHeight = 595.28, 841.89
	margin                = 56
	textSize, titleSize   = 10, 15
	leading               = 1.45
)

// PDF says a signed paper in words on pages, for people, in a language. The signed paper itself is
// attached to it, so that the file is its own proof (paper.FromPDF), and the letter as plain text:
// what is drawn are outlines of letters, which cannot be copied. The same paper in the same
// language is the same file, byte for byte, as long as the fonts are the same.
//
// Latin, Greek, Cyrillic and Arabic letters come with the program. Where a letter needs others and
// the machine has no font for them, the pages are in English and say so; letter.txt is in the
// language that was asked for.
func (s *Signer) PDF(signed []byte, lang string) ([]byte, error) {
	l, err := s.Letter(signed, lang)
	if err != nil {
		return nil, err
	}
	p, err := s.Read(signed)
	if err != nil {
		return nil, err
	}
	at, err := time.Parse(time.RFC3339, p.At)
	if err != nil {
		return nil, fmt.Errorf("answer: pdf: %w", err)
	}
	text := l.String()
	s.drawing.Lock()
	defer s.drawing.Unlock()
	faces, err := s.drawing.faces(text)
	if err != nil {
		return nil, err
	}
	if !faces.cover(l.Title + l.Text) {
		if l, err = s.Letter(signed, words.Fallback); err != nil {
			return nil, err
		}
		l.Foot = s.text(words.Fallback, "pdf.font") + " " + l.Foot
	}
	doc := fpdf.New("P", "pt", "A4", "")
	doc.SetCatalogSort(true)
	doc.SetCreationDate(at)
	doc.SetModificationDate(at)
	doc.SetTitle(l.Title+" "+p.Reference, true)
	doc.SetLang(l.Lang)
	doc.SetAutoPageBreak(false, 0)
	doc.SetAttachments([]fpdf.Attachment{
		{Content: signed, Filename: noteFile, Description: "the signed paper"},
		{Content: []byte(text), Filename: letterFile, Description: "the letter as text"},
	})
	(&sheet{doc: doc, faces: faces, rtl: l.RTL, lang: l.Lang}).letter(l)
	var b bytes.Buffer
	if err := doc.Output(&b); err != nil {
		return nil, fmt.Errorf("answer: pdf: %w", err)
	}
	return b.Bytes(), nil
}

// fonts are where Debian's packages put fonts for the scripts that the program has none for.
func fonts() []string {
	return []string{
		"/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
		"/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
		"/usr/share/fonts/truetype/unfonts-core/UnDotum.ttf",
	}
}

// faces choose a font for each letter: the first that has it.
type faces struct {
	list []*font.Face
}

// drawing are the fonts of papers, which one paper uses at a time: a face belongs to one user, and
// a font of Chinese letters has tens of megabytes.
type drawing struct {
	sync.Mutex
	fonts faces
	// searched is set when the machine's fonts are among them, as far as it has any.
	searched bool
}

// faces are the fonts for a text. The machine's are read when a text first needs them.
func (d *drawing) faces(text string) (faces, error) {
	if d.fonts.list == nil {
		own, err := font.ParseTTF(bytes.NewReader(dejavusans.TTF))
		if err != nil {
			return faces{}, fmt.Errorf("answer: font: %w", err)
		}
		d.fonts.list = []*font.Face{own}
	}
	if d.searched || d.fonts.cover(text) {
		return d.fonts, nil
	}
	d.searched = true
	for _, name := range fonts() {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // not on this machine
		}
		all, err := opentype.NewLoaders(bytes.NewReader(b))
		if err != nil || len(all) == 0 {
			continue
		}
		first, err := font.NewFont(all[0])
		if err != nil {
			continue
		}
		d.fonts.list = append(d.fonts.list, font.NewFace(first))
	}
	return d.fonts, nil
}

// ResolveFace is the font of a letter.
func (f faces) ResolveFace(r rune) *font.Face {
	for _, face := range f.list {
		if _, ok := face.NominalGlyph(r); ok {
			return face
		}
	}
	return f.list[0]
}

// cover tells whether there is a font for each letter of a text.
func (f faces) cover(text string) bool {
	for _, r := range text {
		if _, ok := f.ResolveFace(r).NominalGlyph(r); !ok && r > ' ' {
			return false
		}
	}
	return true
}

// sheet draws a letter, line after line.
type sheet struct {
	doc    *fpdf.Fpdf
	faces  faces
	rtl    bool
	lang   string
	y      float64
	shaper shaping.HarfbuzzShaper
	split  shaping.Segmenter
	wrap   shaping.LineWrapper
}

// letter draws all of a letter.
func (s *sheet) letter(l Letter) {
	s.page()
	s.write(l.Title, titleSize)
	s.gap()
	s.write(l.Text, textSize)
	s.gap()
	for _, f := range l.Fields {
		s.write(f.Name+": "+apart(l.Lang, f.Value), textSize)
	}
	for _, m := range l.Missing {
		s.write("– "+apart(l.Lang, m), textSize)
	}
	for _, i := range l.Items {
		s.gap()
		s.write(apart(l.Lang, i.Location), textSize)
		s.write(i.State, textSize)
	}
	if l.Reasons != "" {
		s.gap()
		s.write(apart(l.Lang, l.Reasons), textSize)
	}
	s.gap()
	s.write(l.Foot, textSize)
}

func (s *sheet) page() {
	s.doc.AddPage()
	s.y = margin
}

func (s *sheet) gap() { s.y += textSize }

// write draws a text of any number of paragraphs.
func (s *sheet) write(text string, size float64) {
	for _, paragraph := range bytes.Split([]byte(text), []byte("\n")) {
		s.paragraph([]rune(string(paragraph)), size)
	}
}

// paragraph draws one paragraph: directions are resolved, letters joined as their script wants, and
// lines broken.
//
// https://www.unicode.org/reports/tr9/
func (s *sheet) paragraph(text []rune, size float64) {
	if len(text) == 0 {
		s.y += size * leading
		return
	}
	in := shaping.Input{
		Text: text, RunEnd: len(text), Direction: di.DirectionLTR, Size: points(size),
		Language: language.NewLanguage(s.lang),
	}
	if s.rtl {
		in.Direction = di.DirectionRTL
	}
	var runs []shaping.Output
	for _, run := range s.split.Split(in, s.faces) {
		runs = append(runs, s.shaper.Shape(run))
	}
	lines, _ := s.wrap.WrapParagraphF(shaping.WrapConfig{Direction: in.Direction},
		points(pageWidth-2*margin), text, shaping.NewSliceIterator(runs))
	for _, line := range lines {
		if s.y += size * leading; s.y > pageHeight-margin {
			s.page()
			s.y += size * leading
		}
		s.line(line)
	}
}

// line draws the runs of a line from left to right; from the right margin on where that is where
// the language begins.
func (s *sheet) line(line shaping.Line) {
	runs := slices.Clone(line)
	slices.SortStableFunc(runs, func(a, b shaping.Output) int {
		return int(a.VisualIndex - b.VisualIndex)
	})
	x := float64(margin)
	if s.rtl {
		x = pageWidth - margin
		for _, run := range runs {
			x -= real(run.Advance)
		}
	}
	for _, run := range runs {
		scale := real(run.Size) / float64(run.Face.Upem())
		for _, g := range run.Glyphs {
			if o, ok := run.Face.GlyphData(g.GlyphID).(font.GlyphOutline); ok {
				s.glyph(o, x+real(g.XOffset), s.y-real(g.YOffset), scale)
			}
			x += real(g.Advance)
		}
	}
}

// glyph draws an outline at a place.
func (s *sheet) glyph(o font.GlyphOutline, x, y, scale float64) {
	if len(o.Segments) == 0 {
		return
	}
	at := func(p opentype.SegmentPoint) (float64, float64) {
		return x + float64(p.X)*scale, y - float64(p.Y)*scale
	}
	open := false
	for _, seg := range o.Segments {
		x0, y0 := at(seg.Args[0])
		x1, y1 := at(seg.Args[1])
		x2, y2 := at(seg.Args[2])
		switch seg.Op {
		case opentype.SegmentOpMoveTo:
			if open {
				s.doc.ClosePath()
			}
			s.doc.MoveTo(x0, y0)
			open = true
		case opentype.SegmentOpLineTo:
			s.doc.LineTo(x0, y0)
		case opentype.SegmentOpQuadTo:
			s.doc.CurveTo(x0, y0, x1, y1)
		case opentype.SegmentOpCubeTo:
			s.doc.CurveBezierCubicTo(x0, y0, x1, y1, x2, y2)
		}
	}
	s.doc.ClosePath()
	s.doc.DrawPath("F")
}

// points is a number of points as fonts count.
func points(n float64) fixed.Int26_6 { return fixed.Int26_6(n * 64) }

// real is a length of a font in points.
func real(n fixed.Int26_6) float64 { return float64(n) / 64 }
