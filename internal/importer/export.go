package importer

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"parley/internal/chat/markup"
	"parley/internal/chat/message"
)

// itemBytes is the largest entry of an export that is read.
const itemBytes = 4 << 20

// head is what an export says of the chat itself.
type head struct {
	Name string `json:"name"`
	Type string `json:"type"`
	ID   int64  `json:"id"`
}

// item is a message of an export.
//
// https://core.telegram.org/import-export
type item struct {
	ID          int64           `json:"id"`
	Type        string          `json:"type"`
	Date        string          `json:"date_unixtime"`
	Edited      string          `json:"edited_unixtime"`
	From        string          `json:"from"`
	FromID      string          `json:"from_id"`
	Author      string          `json:"author"`
	ForwardFrom string          `json:"forwarded_from"`
	ReplyTo     int64           `json:"reply_to_message_id"`
	Photo       string          `json:"photo"`
	File        string          `json:"file"`
	FileName    string          `json:"file_name"`
	MediaType   string          `json:"media_type"`
	Mime        string          `json:"mime_type"`
	Duration    float64         `json:"duration_seconds"`
	Width       int             `json:"width"`
	Height      int             `json:"height"`
	Performer   string          `json:"performer"`
	Title       string          `json:"title"`
	Emoji       string          `json:"sticker_emoji"`
	Action      string          `json:"action"`
	Text        json.RawMessage `json:"text"`
	Entities    []piece         `json:"text_entities"`
	Location    *struct {
		Lat  float64 `json:"latitude"`
		Long float64 `json:"longitude"`
	} `json:"location_information"`
	Contact *struct {
		First string `json:"first_name"`
		Last  string `json:"last_name"`
		Phone string `json:"phone_number"`
	} `json:"contact_information"`
}

// piece is a stretch of text with one kind of markup.
type piece struct {
	Type      string `json:"type"`
	Text      string `json:"text"`
	Href      string `json:"href"`
	Language  string `json:"language"`
	Collapsed bool   `json:"collapsed"`
}

// kinds are the kinds of markup of an export. What is not among them is plain here.
var kinds = map[string]message.EntityKind{
	"mention": message.Mention, "hashtag": message.Hashtag, "bot_command": message.BotCommand,
	"link": message.URL, "email": message.Email, "bold": message.Bold, "italic": message.Italic,
	"code": message.Code, "pre": message.Pre, "text_link": message.TextURL,
	"phone": message.Phone, "cashtag": message.Cashtag, "underline": message.Underline,
	"strikethrough": message.Strike, "bank_card": message.BankCard, "spoiler": message.Spoiler,
	"blockquote": message.Blockquote,
}

// pieces returns the text of an entry as stretches with markup, from whichever field has it.
func (it *item) pieces() ([]piece, error) {
	if len(it.Entities) > 0 {
		return it.Entities, nil
	}
	if len(it.Text) == 0 {
		return nil, nil
	}
	var plain string
	if json.Unmarshal(it.Text, &plain) == nil {
		return []piece{{Type: "plain", Text: plain}}, nil
	}
	var mixed []json.RawMessage
	if err := json.Unmarshal(it.Text, &mixed); err != nil {
		return nil, fmt.Errorf("text is neither a string nor a list: %w", err)
	}
	out := make([]piece, 0, len(mixed))
	for _, raw := range mixed {
		p := piece{Type: "plain"}
		if json.Unmarshal(raw, &p.Text) != nil {
			if err := json.Unmarshal(raw, &p); err != nil {
				return nil, fmt.Errorf("part of the text: %w", err)
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// text returns the text of an entry with its markup.
func (it *item) text() (string, []message.Entity, error) {
	list, err := it.pieces()
	if err != nil {
		return "", nil, err
	}
	var b strings.Builder
	var entities []message.Entity
	at := 0
	for _, p := range list {
		if !utf8.ValidString(p.Text) {
			return "", nil, errors.New("text is not valid UTF-8")
		}
		n := markup.Length(p.Text)
		if kind, ok := kinds[p.Type]; ok && n > 0 {
			e := message.Entity{Kind: kind, Offset: at, Length: n, Collapsed: p.Collapsed}
			switch kind {
			case message.TextURL:
				e.Text = p.Href
			case message.Pre:
				e.Text = p.Language
			}
			entities = append(entities, e)
		}
		b.WriteString(p.Text)
		at += n
	}
	return markup.Fix(b.String(), entities)
}

// unix reads a time in Unix seconds; 0 for none.
func unix(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is no time in Unix seconds", s)
	}
	return n, nil
}

// scanner reads an export piece by piece: the head, then the raw text of each message. A message that
// is no valid JSON does not hide the ones after it.
type scanner struct {
	r   *bufio.Reader
	off int64
}

// errEnd says that there are no more messages.
var errEnd = errors.New("importer: no more messages")

func newScanner(r io.Reader) *scanner { return &scanner{r: bufio.NewReaderSize(r, 64<<10)} }

func (s *scanner) next() (byte, error) {
	b, err := s.r.ReadByte()
	if err == nil {
		s.off++
	}
	return b, err
}

// message returns the raw text of the next message and where it begins, or errEnd. An end in the
// middle of a message is io.ErrUnexpectedEOF with what there is of it.
func (s *scanner) message() (raw []byte, at int64, err error) {
	for {
		b, err := s.next()
		switch {
		case err != nil:
			return nil, s.off, io.ErrUnexpectedEOF
		case b == ']':
			return nil, s.off, errEnd
		case b == '{':
			at = s.off - 1
			raw, err := s.object()
			return raw, at, err
		}
	}
}

// object reads to the brace that closes the one just read.
func (s *scanner) object() ([]byte, error) {
	raw := []byte{'{'}
	depth, quoted, escaped := 1, false, false
	for depth > 0 {
		b, err := s.next()
		if err != nil {
			return raw, io.ErrUnexpectedEOF
		}
		if len(raw) < itemBytes {
			raw = append(raw, b)
		}
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped = b == '\\'
			quoted = b != '"'
		case b == '"':
			quoted = true
		case b == '{':
			depth++
		case b == '}':
			depth--
		}
	}
	if len(raw) >= itemBytes {
		return raw, fmt.Errorf("longer than %d bytes", itemBytes)
	}
	return raw, nil
}
