package attachment

import (
	"bytes"
	"strings"
)

// headBytes is how much of a paper is looked at to see what it is.
const headBytes = 1024

// kindOf is what a paper is by its first bytes. Where the bytes could be several things, that comes
// first which is drawn: a reader of PDF takes a file whose header comes late, and so must we.
func kindOf(b []byte) Kind {
	head := b[:min(len(b), headBytes)]
	switch {
	case bytes.Contains(head, []byte("%PDF-")):
		return PDF
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")),
		bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")),
		bytes.HasPrefix(head, []byte("GIF8")),
		len(head) > 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP":
		return Image
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return Archive // the confined process looks whether it is of an office program
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")), bytes.HasPrefix(head, []byte("{\\rtf")):
		return Unknown
	}
	text, ok := decoded(head)
	if !ok {
		return Unknown
	}
	text = strings.ToLower(strings.TrimSpace(text))
	switch {
	case strings.HasPrefix(text, "<svg"),
		strings.HasPrefix(text, "<?xml") && !strings.Contains(text, "<html"):
		return XML
	case strings.HasPrefix(text, "<!doctype html"), strings.Contains(text, "<html"),
		strings.Contains(text, "<body"), strings.Contains(text, "<script"):
		return HTML
	case strings.HasPrefix(text, "<!doctype"):
		return XML
	default:
		return Text
	}
}
