package attachment

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	xunicode "golang.org/x/text/encoding/unicode"
)

// decoded reads bytes as text: UTF-8, UTF-16 with its mark, or else the letters of Western Europe;
// false for what is none.
func decoded(b []byte) (string, bool) {
	switch {
	case len(b) >= 2 && (b[0] == 0xff && b[1] == 0xfe || b[0] == 0xfe && b[1] == 0xff):
		return by(xunicode.UTF16(xunicode.LittleEndian, xunicode.ExpectBOM), b)
	case validUTF8(b):
		return strings.TrimPrefix(string(b), "\ufeff"), !notText(b)
	case notText(b):
		return "", false
	default:
		return by(charmap.Windows1252, b)
	}
}

func by(e encoding.Encoding, b []byte) (string, bool) {
	out, err := e.NewDecoder().Bytes(b)
	return string(out), err == nil
}

// validUTF8 tells whether bytes are UTF-8, but for a character that was cut off at their end.
func validUTF8(b []byte) bool {
	for n := 0; n < utf8.UTFMax && n <= len(b); n++ {
		if utf8.Valid(b[:len(b)-n]) {
			return true
		}
	}
	return false
}

// notText tells whether bytes have what no text has.
func notText(b []byte) bool {
	for _, c := range b {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b {
			return true
		}
	}
	return false
}

// writer collects text up to MaxText.
type writer struct {
	b   strings.Builder
	cut bool
	// lines is set once it breaks lines by itself.
	lines bool
}

// add appends text without what a reader does not see but a terminal or a line's direction obeys.
func (w *writer) add(s string) {
	if w.cut {
		return
	}
	s = visible(s)
	if w.b.Len()+len(s) > MaxText {
		s = s[:MaxText-w.b.Len()]
		for !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
		w.cut = true
	}
	w.b.WriteString(s)
}

// line ends a line, if one was begun; never are there more than two in a row.
func (w *writer) line() {
	w.lines = true
	if s := w.b.String(); s != "" && !strings.HasSuffix(s, "\n\n") {
		w.add("\n")
	}
}

// visible is a text without control characters, and without those that turn the direction of what
// follows, with which a text can be made to look like another.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r' || r == '\f':
			return '\n'
		case r == utf8.RuneError, unicode.IsControl(r),
			r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return '\ufffd'
		default:
			return r
		}
	}, strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\r\n", "\n"))
}

// plain shows a text as it is, and XML as it is written.
func plain(b []byte, kind Kind) View {
	v := View{Kind: kind}
	text, ok := decoded(b)
	if !ok {
		v.Reason = Broken
		return v
	}
	if kind == XML {
		v.found(inXML(text)...)
	}
	var w writer
	w.add(text)
	return w.into(v)
}

// into is a view with the text, without empty lines at its end.
func (w *writer) into(v View) View {
	v.Text = w.b.String()
	if w.lines {
		v.Text = strings.TrimRight(v.Text, "\n\t ")
	}
	switch {
	case w.cut:
		v.Reason = Cut
	case v.Text == "":
		v.Reason = Empty
	}
	return v
}

// inXML are the findings of XML as it is written. It is not parsed: nothing in it is expanded.
func inXML(text string) (out []Finding) {
	lower := strings.ToLower(text)
	if strings.Contains(lower, "<!doctype") || strings.Contains(lower, "<!entity") {
		out = append(out, Entity)
	}
	if strings.Contains(lower, "<script") || strings.Contains(lower, "javascript:") {
		out = append(out, Script)
	}
	if strings.Contains(lower, "xlink:href=\"http") || strings.Contains(lower, "system \"") {
		out = append(out, Outside)
	}
	return out
}
