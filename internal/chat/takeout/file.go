package takeout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"

	"parley/internal/blob"
	"parley/internal/chat/account"
	"parley/internal/chat/media"
	"parley/internal/chat/message"
	"parley/internal/store"
)

// Why a file is named and not put in, in the place of its path: importers know such a text by its
// parenthesis.
const (
	tooLarge = "(File not included: it is too large for a copy. Download it in the application.)"
	isGone   = "(File not included: it is not there any more.)"
	isCopy   = "(File not included: it is a copy like this one.)"
)

// nameRunes is how long the name of a file in a copy may be, in characters.
const nameRunes = 80

// attached is a file that hangs on a message.
type attached struct {
	path   string
	digest blob.Digest
	size   int64
}

// place is a place on the map.
type place struct {
	Lat  float64 `json:"latitude"`
	Long float64 `json:"longitude"`
}

// card is somebody's card.
type card struct {
	First string `json:"first_name"`
	Last  string `json:"last_name,omitempty"`
	Phone string `json:"phone_number"`
}

// medium is what an item says of what hangs on it.
type medium struct {
	Photo     string  `json:"photo,omitempty"`
	File      string  `json:"file,omitempty"`
	Name      string  `json:"file_name,omitempty"`
	Type      string  `json:"media_type,omitempty"`
	Mime      string  `json:"mime_type,omitempty"`
	Duration  float64 `json:"duration_seconds,omitempty"`
	Width     int     `json:"width,omitempty"`
	Height    int     `json:"height,omitempty"`
	Performer string  `json:"performer,omitempty"`
	Title     string  `json:"title,omitempty"`
	Emoji     string  `json:"sticker_emoji,omitempty"`
	Location  *place  `json:"location_information,omitempty"`
	Contact   *card   `json:"contact_information,omitempty"`
}

// attach says what hangs on a message, and which file that is, if it is one.
func attach(
	r *store.Reader, of store.Message, m *message.Media,
) (out medium, file *attached, err error) {
	switch m.Kind {
	case message.Geo, message.Venue:
		out.Location = &place{m.Lat, m.Long}
	case message.ContactCard:
		out.Contact = &card{m.First, m.Last, m.Phone}
	case message.Photo, message.Document:
		f, row, err := media.Load(r, m.ID)
		if store.IsNotFound(err) {
			out.File = isGone
			return out, nil, nil
		}
		if err != nil {
			return out, nil, err
		}
		service := account.ServiceUser
		if of.Peer == service.Peer() && of.From == service.Peer() && row.Owner == service {
			out.File = isCopy
			return out, nil, nil
		}
		return ofFile(f, row)
	}
	return out, nil, nil
}

// ofFile says what a file is.
func ofFile(f media.File, row store.Media) (out medium, file *attached, err error) {
	size, id := "", strconv.FormatInt(f.ID, 10)
	file = &attached{}
	if f.Kind == media.PhotoKind {
		if len(f.Sizes) == 0 {
			out.Photo = isGone
			return out, nil, nil
		}
		largest := slices.MaxFunc(f.Sizes, func(a, b media.Size) int {
			return cmp.Compare(a.Width*a.Height, b.Width*b.Height)
		})
		size, out.Width, out.Height = largest.Type, largest.Width, largest.Height
		file.path = "photos/photo_" + id + ".jpg"
	} else {
		describe(&out, f)
		file.path = "files/" + id + "_" + clean(out.Name)
	}
	var there bool
	file.digest, file.size, there = f.Bytes(row, size)
	written := &out.Photo
	if f.Kind != media.PhotoKind {
		written = &out.File
	}
	switch {
	case !there:
		*written, file = isGone, nil
	case file.size > largestFile:
		*written, file = tooLarge, nil
	default:
		*written = file.path
	}
	return out, file, nil
}

// describe fills in what a document is, in the words of an export.
func describe(out *medium, f media.File) {
	out.Mime = f.Mime
	video, round, voice, audio, gif, sticker := media.Classify(f)
	for _, a := range f.Attributes {
		switch a.Kind {
		case media.Filename:
			out.Name = a.Text
		case media.Video, media.ImageSize:
			out.Width, out.Height = a.Width, a.Height
			out.Duration = max(out.Duration, a.Duration)
		case media.Audio:
			out.Duration, out.Title, out.Performer = a.Duration, a.Text, a.Performer
		case media.Sticker:
			out.Emoji = a.Text
		}
	}
	switch {
	case sticker:
		out.Type = "sticker"
	case gif:
		out.Type = "animation"
	case round:
		out.Type = "video_message"
	case video:
		out.Type = "video_file"
	case voice:
		out.Type = "voice_message"
	case audio:
		out.Type = "audio_file"
	}
}

// clean makes a name that is one on every system, and no path.
func clean(name string) string {
	name = strings.Map(func(r rune) rune {
		bad := strings.ContainsRune(`/\:*?"<>|`, r) || r == unicode.ReplacementChar
		if bad || unicode.IsControl(r) {
			return '_'
		}
		return r
	}, name)
	if runes := []rune(name); len(runes) > nameRunes {
		name = string(runes[len(runes)-nameRunes:]) // the end says what kind of file it is
	}
	name = strings.TrimRight(name, ". ")
	if name == "" {
		return "file"
	}
	return name
}

// there tells whether the bytes of a file are there.
func (s *Service) there(ctx context.Context, f *attached) (bool, error) {
	if f.size == 0 {
		return true, nil
	}
	var one [1]byte
	n, err := s.Files.ReadAt(ctx, f.digest, one[:], 0)
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return false, nil
	case n == len(one):
		return true, nil
	default:
		return false, fmt.Errorf("takeout: %w", err)
	}
}

// piece is a stretch of text with one kind of markup.
type piece struct {
	Type      string `json:"type"`
	Text      string `json:"text"`
	Href      string `json:"href,omitempty"`
	Language  string `json:"language,omitempty"`
	Collapsed bool   `json:"collapsed,omitempty"`
}

// kinds are the kinds of markup in the words of an export; what is not among them is plain.
var kinds = map[message.EntityKind]string{
	message.Mention: "mention", message.Hashtag: "hashtag", message.BotCommand: "bot_command",
	message.URL: "link", message.Email: "email", message.Bold: "bold",
	message.Italic: "italic", message.Code: "code", message.Pre: "pre",
	message.TextURL: "text_link", message.Phone: "phone", message.Cashtag: "cashtag",
	message.Underline: "underline", message.Strike: "strikethrough",
	message.BankCard: "bank_card", message.Spoiler: "spoiler", message.Blockquote: "blockquote",
}

// pieces cuts a text where its markup begins and ends. Of markup within markup the outer is told.
func pieces(text string, list []message.Entity) (out []piece) {
	units := utf16.Encode([]rune(text))
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b message.Entity) int {
		return cmp.Compare(a.Offset, b.Offset)
	})
	at := 0
	plain := func(to int) {
		if to > at {
			out = append(out, piece{Type: "plain", Text: string(utf16.Decode(units[at:to]))})
			at = to
		}
	}
	for _, e := range list {
		end := e.Offset + e.Length
		if kinds[e.Kind] == "" || e.Offset < at || e.Length <= 0 || end > len(units) {
			continue
		}
		plain(e.Offset)
		p := piece{
			Type: kinds[e.Kind], Text: string(utf16.Decode(units[at:end])), Collapsed: e.Collapsed,
		}
		switch e.Kind {
		case message.TextURL:
			p.Href = e.Text
		case message.Pre:
			p.Language = e.Text
		}
		out, at = append(out, p), end
	}
	plain(len(units))
	return out
}
