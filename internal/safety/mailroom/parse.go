package mailroom

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/mail"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/charset"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/order"
)

// Bounds of a mail.
const (
	// headBytes bounds the head of a mail; those of its parts are bounded with the mail.
	headBytes = 64 << 10
	// depth is how deep parts lie in each other, allParts how many there are, mostParts how many
	// are taken as papers of an order.
	depth     = 8
	allParts  = 200
	mostParts = 20
	// textBytes bounds the text of a mail, lineRunes a line of its head, reasonRunes what of the
	// text becomes the reasons of an order, in characters.
	textBytes   = 1 << 20
	lineRunes   = 300
	reasonRunes = 9_000
	// mostOrders is how many orders one mail may bring.
	mostOrders = 10
)

// writer is who wrote a mail.
type writer int

// The writers.
const (
	// aPerson may be anybody, aProgram one that files orders.
	aPerson writer = iota
	aProgram
	// aList wrote to many, aResponder answers mails or tells of failures.
	aList
	aResponder
)

// content is a mail as it was read.
type content struct {
	// id is its Message-ID without brackets, answers those that it answers.
	id      string
	answers string
	from    mail.Address
	subject string
	date    string
	lang    string
	// written is who wrote it.
	written writer
	text    string
	parts   []part
	// lost is how many parts were beyond the bounds, or could not be read.
	lost int
}

// part is a paper that came with a mail.
type part struct {
	name, mime string
	body       []byte
}

// identity is what makes a mail the same when it comes again by another way.
func (m content) identity() [][]byte {
	out := [][]byte{
		[]byte(m.id), []byte(m.from.Address), []byte(m.subject), []byte(m.date), []byte(m.text),
	}
	for _, p := range m.parts {
		out = append(out, []byte(p.name), p.body)
	}
	return out
}

// parse reads a mail. Whatever of it cannot be read is counted and left out: the mail as it came is
// kept anyhow. ErrMail is for what has no head.
func parse(b []byte) (m content, err error) {
	e, err := readHead(b)
	if err != nil {
		return m, err
	}
	h := e.Header
	m.id = cut(strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f || r == '<' || r == '>' {
			return -1
		}
		return r
	}, h.Get("Message-Id")), lineRunes)
	m.answers = cut(h.Get("In-Reply-To")+" "+h.Get("References"), 10*lineRunes)
	m.subject = line(h, "Subject")
	m.date = cut(h.Get("Date"), lineRunes)
	m.lang = language(h.Get("Content-Language"))
	m.from = address(h.Get("From"))
	if to := address(h.Get("Reply-To")); to.Address != "" {
		m.from = to
	}
	m.written = writtenBy(h)
	count := 0
	m.read(e, 0, &count)
	return m, nil
}

// readHead reads the head of a mail.
func readHead(b []byte) (*message.Entity, error) {
	e, err := message.ReadWithOptions(bytes.NewReader(b), &message.ReadOptions{
		MaxHeaderBytes: headBytes,
	})
	if e == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return nil, errors.Join(ErrMail, err)
	}
	return e, nil
}

// read takes in a part and what lies in it.
func (m *content) read(e *message.Entity, deep int, count *int) {
	if *count++; *count > allParts || deep > depth {
		m.lost++
		return
	}
	if parts := e.MultipartReader(); parts != nil {
		for *count <= allParts {
			next, err := parts.NextPart()
			if errors.Is(err, io.EOF) {
				return
			}
			if next == nil {
				m.lost++
				return
			}
			m.read(next, deep+1, count)
		}
		m.lost++
		return
	}
	kind, params, err := e.Header.ContentType()
	if err != nil || kind == "" {
		kind = "text/plain"
	}
	how, about, _ := e.Header.ContentDisposition()
	name := about["filename"]
	if name == "" {
		name = params["name"]
	}
	body, err := io.ReadAll(e.Body)
	if err != nil {
		m.lost++ // what could be read of it is kept
	}
	if kind == "text/plain" && how != "attachment" && name == "" {
		m.said(string(body))
		return
	}
	if len(body) == 0 || len(m.parts) >= mostParts-1 {
		m.lost++
		return
	}
	m.parts = append(m.parts, part{fileName(name, kind), kind, body})
}

// said takes in text.
func (m *content) said(s string) {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\r\n", "\n"), "\ufffd")
	s = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
	if len(m.text)+len(s) > textBytes {
		m.lost++
		return
	}
	m.text += s
}

// line is a line of the head, decoded.
func line(h message.Header, name string) string {
	s, err := h.Text(name)
	if err != nil {
		s = h.Get(name)
	}
	return cut(strings.TrimSpace(s), lineRunes)
}

// address is the first address of a line of the head; none if there is none.
func address(s string) mail.Address {
	if len(s) > 8<<10 {
		return mail.Address{}
	}
	p := mail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: charset.Reader}}
	list, err := p.ParseList(s)
	if err != nil || len(list) == 0 || len(list[0].Address) > 254 {
		return mail.Address{}
	}
	return mail.Address{Name: cut(list[0].Name, lineRunes), Address: list[0].Address}
}

// writtenBy tells who wrote a mail by what its head says of that. Answers of machines and notices
// of failures must not be answered. That somebody wants no notices of absence says nothing:
// programs for files put X-Auto-Response-Suppress on whatever leaves an office.
//
// https://www.rfc-editor.org/rfc/rfc3834#section-2
func writtenBy(h message.Header) writer {
	said, _, _ := strings.Cut(strings.ToLower(h.Get("Auto-Submitted")), ";")
	said = strings.TrimSpace(said)
	rank := strings.ToLower(strings.TrimSpace(h.Get("Precedence")))
	kind, _, _ := h.ContentType()
	switch {
	case said != "" && said != "no" && said != "auto-generated",
		h.Has("X-Failed-Recipients"), kind == "multipart/report":
		return aResponder
	case rank == "bulk", rank == "list", rank == "junk",
		h.Has("List-Id"), h.Has("List-Post"), h.Has("List-Unsubscribe"):
		return aList
	case said == "auto-generated":
		return aProgram
	default:
		return aPerson
	}
}

// language is the first language that a mail names, by two letters.
func language(s string) string {
	s, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(s)), ",")
	s, _, _ = strings.Cut(s, "-")
	if len(s) != 2 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") != "" {
		return ""
	}
	return s
}

// fileName is the name of a part, without ways to elsewhere.
func fileName(name, kind string) string {
	name = path.Base(strings.ReplaceAll(strings.TrimSpace(cut(name, lineRunes)), `\`, "/"))
	if name == "." || name == "/" || name == ".." {
		name = "part" + map[string]string{
			"text/html": ".html", "text/plain": ".txt", "application/pdf": ".pdf",
			"message/rfc822": ".eml",
		}[kind]
	}
	return name
}

// cut is a text of so many characters, without those that control something.
func cut(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || r == utf8.RuneError) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i]
		}
	}
	return s
}

// reference is the first reference of ours that a mail carries, in its subject, the mails that it
// answers, or its text.
func (a *arrival) reference() (kind safety.RefKind, peer ids.Peer, id int64, ok bool) {
	text := a.m.text[:min(len(a.m.text), headBytes)]
	for _, where := range []string{a.m.subject, a.m.answers, text} {
		for _, word := range strings.FieldsFunc(where, func(r rune) bool {
			return !(r >= 'A' && r <= 'Z' || r >= '2' && r <= '7')
		}) {
			if len(word) < 40 || len(word) > 60 || word[0] != byte(safety.OrderRef) {
				continue
			}
			if kind, peer, id, err := a.References.Read(word); err == nil {
				return kind, peer, id, true
			}
		}
	}
	return 0, 0, 0, false
}

// dated is a day or a time that a form says, in Unix seconds; 0 for none, order.Unreadable for what
// is no time.
func dated(s string) int64 {
	if s == "" {
		return 0
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02 15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Unix()
		}
	}
	return order.Unreadable
}
