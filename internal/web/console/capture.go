package console

import (
	"fmt"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/chat/media"
	"parley/internal/chat/message"
	"parley/internal/safety"
	"parley/internal/safety/evidence"
	"parley/internal/store"
)

// captured is a capture as a page shows it: text, and files behind a veil.
type captured struct {
	evidence.Capture
	Item   *said
	Around []said
	Files  []veiled
	// More says how many messages are around it.
	More string
	// FromSecret says why there are none of a secret chat.
	FromSecret string
}

// said is a message as a page shows it.
type said struct {
	Date, Edited int64
	ByAuthor     bool
	Text         string
	// Links are addresses that the text hides behind other words, written so that nobody follows
	// them by mistake.
	Links []string
	// Other says what else it carries: a place, a contact, a poll.
	Other string
	Files []veiled
}

// veiled is a file that is not shown before somebody asks for it.
type veiled struct {
	// N is its number in the case.
	N int
	// Form is how a reveal is asked for.
	Form Form
	// Kind is image, video, audio or file; Name what its sender called it.
	Kind, Name, Mime string
	Size             int64
	// Preview is the address of a small picture that is shown blurred, "" for none.
	Preview string
	// Label says how it is revealed.
	Label string
}

// captured prepares the captures of a case for its page.
func (c *Console) captured(v *visit, x store.Case, list []evidence.Capture) []captured {
	p := &preparer{
		Console: c, form: frame{v: v}.Form(casePath(x) + "/reveal"), seal: sealed(x),
		label: v.set.Text(v.r, "veil.hold"),
	}
	out := make([]captured, len(list))
	for i, e := range list {
		out[i] = captured{
			Capture: e, More: v.set.Text(v.r, "case.around", len(e.Context)),
		}
		if s := e.Secret; s != nil {
			out[i].FromSecret = v.set.Text(v.r, secretText(*s))
		}
		if e.Item != nil {
			item := p.said(*e.Item)
			out[i].Item = &item
		}
		for _, m := range e.Context {
			out[i].Around = append(out[i].Around, p.said(m))
		}
		out[i].Files = p.files(loose(e))
	}
	return out
}

// secretText is the text that says of a secret chat what is known of it.
func secretText(s evidence.SecretChat) string {
	switch {
	case s.ByAuthor && s.Accepted:
		return "case.secret.author"
	case s.ByAuthor:
		return "case.secret.author.open"
	default:
		return "case.secret.other"
	}
}

// loose are the files of a capture that belong to no message.
func loose(e evidence.Capture) (out []evidence.File) {
	if e.Photo != nil {
		out = append(out, *e.Photo)
	}
	if e.Author != nil && e.Author.Photo != nil {
		out = append(out, *e.Author.Photo)
	}
	if e.Place != nil && e.Place.Photo != nil {
		out = append(out, *e.Place.Photo)
	}
	return out
}

// filesOf are all files of a case's captures in the order in which a page numbers them.
func filesOf(list []evidence.Capture) (out []evidence.File) {
	for _, e := range list {
		if e.Item != nil {
			out = append(out, e.Item.Files...)
		}
		for _, m := range e.Context {
			out = append(out, m.Files...)
		}
		out = append(out, loose(e)...)
	}
	return out
}

// sealed tells whether nothing of a case is shown before it is asked for, and nothing may be taken
// out of the console: what shows the abuse of children.
func sealed(x store.Case) bool { return safety.Lane(x.Lane) == safety.ChildSafety }

// preparer numbers files as it goes.
type preparer struct {
	*Console
	form  Form
	label string
	seal  bool
	n     int
}

func (p *preparer) said(m evidence.Message) said {
	return said{
		Date: m.Date, Edited: m.Edited, ByAuthor: m.ByAuthor, Text: m.Content.Text,
		Links: links(m.Content), Other: otherMedia(m.Content.Media), Files: p.files(m.Files),
	}
}

func (p *preparer) files(list []evidence.File) (out []veiled) {
	for _, f := range list {
		about := described(f)
		x := veiled{
			N: p.n, Form: p.form, Kind: kindOf(f.Mime), Name: nameOf(about), Mime: f.Mime,
			Size: f.Size, Label: p.label,
		}
		if small := smallest(about); small != nil && !p.seal {
			x.Preview = p.mediaURL(grant{digest: small, mime: imageMime})
		}
		p.n++
		out = append(out, x)
	}
	return out
}

// imageMime is what the sizes of photos and thumbnails are.
const imageMime = "image/jpeg"

// described is what a file says of itself; nothing when that cannot be read.
func described(f evidence.File) (out media.File) {
	if err := cbor.Unmarshal(f.Body, &out); err != nil {
		return media.File{}
	}
	return out
}

// smallest is the digest of the smallest picture of a file, nil when it has none.
func smallest(f media.File) []byte {
	var out []byte
	least := int64(1) << 62
	for _, s := range f.Sizes {
		if s.Size > 0 && s.Size < least {
			out, least = s.Digest, s.Size
		}
	}
	return out
}

func nameOf(f media.File) string {
	for _, a := range f.Attributes {
		if a.Kind == media.Filename {
			return a.Text
		}
	}
	return ""
}

// kindOf is how a file is shown. What could hold more than pixels and sound is never shown, only
// handed out.
func kindOf(mime string) string {
	switch mime {
	case "image/jpeg", "image/png", "image/webp", "image/gif":
		return "image"
	case "video/mp4", "video/webm":
		return "video"
	case "audio/ogg", "audio/mpeg", "audio/mp4", "audio/aac", "audio/flac":
		return "audio"
	default:
		return "file"
	}
}

// links are the addresses that stand behind the words of a message.
func links(m message.Content) (out []string) {
	for _, e := range m.Entities {
		if e.Kind == message.TextURL {
			out = append(out, defanged(e.Text))
		}
	}
	return out
}

// defanged writes an address so that neither people nor programs follow it by mistake.
func defanged(address string) string {
	return strings.NewReplacer("http", "hxxp", "HTTP", "hXXp", ".", "[.]").Replace(address)
}

// otherMedia says what a medium is that is no file.
func otherMedia(m *message.Media) string {
	if m == nil {
		return ""
	}
	switch m.Kind {
	case message.Geo:
		return fmt.Sprintf("%.5f, %.5f", m.Lat, m.Long)
	case message.Venue:
		return strings.Join([]string{m.Text, m.Address}, ", ")
	case message.ContactCard:
		return strings.TrimSpace(m.First + " " + m.Last)
	case message.WebPage:
		return defanged(m.Text)
	case message.Dice:
		return m.Text
	default:
		return ""
	}
}

// wordsOf are all words of a capture, for search.
func wordsOf(e evidence.Capture) (out []string) {
	if e.Author != nil {
		out = append(out, e.Author.First, e.Author.Last, e.Author.Username, e.Author.About)
	}
	if e.Place != nil {
		out = append(out, e.Place.Title, e.Place.Username, e.Place.About)
	}
	if e.Item != nil {
		out = append(out, e.Item.Content.Text)
		for _, f := range e.Item.Files {
			out = append(out, nameOf(described(f)))
		}
	}
	return out
}

// folded is the form of words that is compared.
func folded(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

func contains(texts []string, words string) bool {
	for _, t := range texts {
		if strings.Contains(folded(t), words) {
			return true
		}
	}
	return false
}
