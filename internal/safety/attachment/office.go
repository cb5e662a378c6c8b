package attachment

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// Bounds of an archive.
const (
	// entries is how many files of an archive are listed or looked at.
	entries = 2000
	// unpacked is how much is unpacked of one, in bytes, and how much of a whole archive.
	unpacked    = 8 << 20
	unpackedAll = 32 << 20
	// depth is how deep elements of XML lie in each other.
	depth = 256
)

var (
	errTooLarge = errors.New("too large")
	errBroken   = errors.New("broken")
)

// archive shows what a ZIP file holds: the text, of a file of an office program, else the names.
// Files inside are not opened.
func archive(b []byte) View {
	v := View{Kind: Archive}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		v.Reason = Broken
		return v
	}
	if len(z.File) > entries {
		v.Reason = TooLarge
		return v
	}
	parts, macros := officeParts(z)
	if len(parts) > 0 {
		v.Kind = Office
		if macros {
			v.found(Macro)
		}
		return office(v, z, parts)
	}
	var w writer
	v.found(Inside)
	for _, f := range z.File {
		w.add(fmt.Sprintf("%s (%d)\n", strings.ReplaceAll(f.Name, "\n", " "), f.UncompressedSize64))
	}
	return w.into(v)
}

// speaking tells whether a part of a file of an office program has text for readers.
//
// https://ecma-international.org/publications-and-standards/standards/ecma-376/
func speaking(name string) bool {
	if name == "content.xml" { // of OpenDocument
		return true
	}
	name, isXML := strings.CutSuffix(name, ".xml")
	switch strings.TrimRight(name, "0123456789") {
	case "word/document", "word/header", "word/footer", "word/footnotes", "word/endnotes",
		"word/comments", "ppt/slides/slide", "ppt/notesSlides/notesSlide", "xl/sharedStrings",
		"xl/worksheets/sheet":
		return isXML
	default:
		return false
	}
}

// officeParts are the parts of a file of an office program in which text stands, the main one
// first, and whether there are macros; none for another archive.
func officeParts(z *zip.Reader) (out []*zip.File, macros bool) {
	isOffice := false
	for _, f := range z.File {
		name := f.Name
		switch {
		case name == "[Content_Types].xml", name == "META-INF/manifest.xml":
			isOffice = true
		case speaking(name):
			out = append(out, f)
		case strings.EqualFold(path.Base(name), "vbaProject.bin"),
			strings.HasPrefix(name, "Basic/"), strings.HasPrefix(name, "Scripts/"):
			macros = true
		}
	}
	if !isOffice {
		return nil, false
	}
	slices.SortStableFunc(out, func(a, b *zip.File) int {
		if n := rank(a.Name) - rank(b.Name); n != 0 {
			return n
		}
		if n := len(a.Name) - len(b.Name); n != 0 {
			return n // slide2 before slide10
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out, macros
}

// rank puts the main part first.
func rank(name string) int {
	if name == "word/document.xml" || name == "content.xml" || name == "xl/sharedStrings.xml" ||
		strings.HasPrefix(name, "ppt/slides/") {
		return 0
	}
	return 1
}

// office reads the text of a file of an office program.
func office(v View, z *zip.Reader, parts []*zip.File) View {
	var w writer
	left := int64(unpackedAll)
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, ".rels") {
			if strings.Contains(f.Name, "embeddings/") ||
				strings.HasPrefix(f.Name, "ObjectReplacements/") {
				v.found(Inside)
			}
			continue
		}
		if b, err := unpack(f, &left); err == nil && loads(b) {
			v.found(Outside)
		}
	}
	for _, f := range parts {
		err := errTooLarge
		var b []byte
		if left > 0 {
			b, err = unpack(f, &left)
		}
		if err == nil {
			err = textOf(b, &w, &v)
		}
		switch {
		case errors.Is(err, errTooLarge):
			out := w.into(v)
			out.Reason = TooLarge
			return out
		case err != nil:
			out := w.into(v)
			out.Reason = Broken
			return out
		}
		w.line()
	}
	return w.into(v)
}

// loads tells whether one of a part's relationships is with something elsewhere that opening would
// load: a link, which waits for somebody to follow it, is none.
func loads(relationships []byte) bool {
	x := xml.NewDecoder(bytes.NewReader(relationships))
	x.Entity = map[string]string{}
	for {
		token, err := x.Token()
		if errors.Is(err, io.EOF) {
			return false
		}
		if err != nil {
			return true // no office program writes that
		}
		t, is := token.(xml.StartElement)
		if !is {
			continue
		}
		outside, link := false, false
		for _, a := range t.Attr {
			switch a.Name.Local {
			case "TargetMode":
				outside = strings.EqualFold(a.Value, "external")
			case "Type":
				link = strings.HasSuffix(a.Value, "/hyperlink")
			}
		}
		if outside && !link {
			return true
		}
	}
}

// unpack unpacks a file of an archive within what is left. What its head says of its size is not
// believed.
func unpack(f *zip.File, left *int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, errBroken
	}
	defer func() { _ = r.Close() }()
	most := min(int64(unpacked), *left)
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, errBroken
	}
	if int64(len(b)) > most {
		return nil, errTooLarge
	}
	*left -= int64(len(b))
	return b, nil
}

// textOf reads the text of a part. A document type ends it: no office program writes one, and there
// are no entities but those of XML itself.
func textOf(b []byte, w *writer, v *View) error {
	x := xml.NewDecoder(bytes.NewReader(b))
	x.Entity = map[string]string{}
	x.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errBroken }
	deep, says := 0, 0
	for !w.cut {
		token, err := x.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errBroken
		}
		switch t := token.(type) {
		case xml.Directive:
			v.found(Entity)
			return errBroken
		case xml.StartElement:
			if deep++; deep > depth {
				return errTooLarge
			}
			if says > 0 || speaks(t.Name) {
				says++
			}
			switch t.Name.Local {
			case "tab":
				w.add("\t")
			case "vanish":
				v.found(Hidden)
			case "instrText", "script":
				v.found(Script)
			}
		case xml.EndElement:
			deep--
			says = max(says-1, 0)
			switch t.Name.Local {
			case "p", "br", "h", "row", "si", "tr", "table-row":
				w.line()
			case "c", "tc", "table-cell":
				w.add("\t")
			}
		case xml.CharData:
			if says > 0 {
				w.add(string(t))
			}
		}
	}
	return nil
}

// speaks tells whether the character data of an element is text for readers.
func speaks(n xml.Name) bool {
	switch n.Local {
	case "t", "v", "f", "delText", "instrText": // of OOXML
		return true
	case "p", "h": // of OpenDocument, where text stands in paragraphs themselves
		return strings.HasPrefix(n.Space, "urn:oasis:names:tc:opendocument")
	default:
		return false
	}
}
