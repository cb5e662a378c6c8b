package paper

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"strconv"
)

// pdfMagic is how a PDF begins.
const pdfMagic = "%PDF-"

// pdfMost bounds how many attached files of a PDF are looked at.
const pdfMost = 16

// IsPDF tells whether a file is a PDF.
func IsPDF(b []byte) bool { return bytes.HasPrefix(b, []byte(pdfMagic)) }

// FromPDF finds the signed paper that is attached to a PDF as this service writes it. Whether it is
// signed, Open tells. What the pages of the PDF show is not looked at: it proves nothing. ErrFormat
// says that no paper is attached, or more than one.
//
// https://pdfa.org/resource/iso-32000-2/
func FromPDF(b []byte) (note []byte, err error) {
	if !IsPDF(b) {
		return nil, fmt.Errorf("%w: not a PDF", ErrFormat)
	}
	for n := 0; ; n++ {
		at := bytes.Index(b, []byte("/Type /EmbeddedFile"))
		if at < 0 {
			break
		}
		if n == pdfMost {
			return nil, fmt.Errorf("%w: too many files are attached", ErrFormat)
		}
		b = b[at+1:]
		body, err := embedded(b)
		if err != nil {
			return nil, err
		}
		if !bytes.HasPrefix(body, []byte(`{"v":`)) {
			continue
		}
		if note != nil {
			return nil, fmt.Errorf("%w: two papers are attached", ErrFormat)
		}
		note = body
	}
	if note == nil {
		return nil, fmt.Errorf("%w: no paper is attached", ErrFormat)
	}
	return note, nil
}

// embedded reads the stream of an attached file, whose dictionary b begins with.
func embedded(b []byte) ([]byte, error) {
	bad := fmt.Errorf("%w: an attached file", ErrFormat)
	head, rest, ok := bytes.Cut(b, []byte("stream\n"))
	if !ok || len(head) > 512 || !bytes.Contains(head, []byte("/Filter /FlateDecode")) {
		return nil, bad
	}
	_, length, ok := bytes.Cut(head, []byte("/Length "))
	if !ok {
		return nil, bad
	}
	digits, _, _ := bytes.Cut(length, []byte(" "))
	n, err := strconv.Atoi(string(digits))
	if err != nil || n < 0 || n > len(rest) {
		return nil, bad
	}
	r, err := zlib.NewReader(bytes.NewReader(rest[:n]))
	if err != nil {
		return nil, bad
	}
	body, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil || len(body) > MaxSize {
		return nil, bad
	}
	return body, nil
}
