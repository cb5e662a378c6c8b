package view

import (
	"github.com/gotd/td/tg"

	"parley/internal/chat/media"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/store"
)

// stripped returns the tiny preview of a photo, nil when there is none.
func (v *View) stripped(id int64) []byte {
	file, err := v.file(id)
	if v.fail(err) {
		return nil
	}
	return file.Stripped
}

func (v *View) file(id int64) (media.File, error) {
	f, _, err := media.Load(v.r, id)
	return f, err
}

// Photo renders a photo that the viewer met at an origin.
func (v *View) Photo(id int64, at Origin) tg.PhotoClass {
	f, err := v.file(id)
	if v.fail(err) {
		return &tg.PhotoEmpty{ID: id}
	}
	return &tg.Photo{
		ID:            id,
		AccessHash:    v.env.MediaHash(id),
		FileReference: v.env.Reference(at),
		Date:          int(f.Date),
		Sizes:         sizes(f),
		DCID:          v.env.DC,
	}
}

// Document renders a document that the viewer met at an origin.
func (v *View) Document(id int64, at Origin) tg.DocumentClass {
	f, err := v.file(id)
	if v.fail(err) {
		return &tg.DocumentEmpty{ID: id}
	}
	d := &tg.Document{
		ID:            id,
		AccessHash:    v.env.MediaHash(id),
		FileReference: v.env.Reference(at),
		Date:          int(f.Date),
		MimeType:      f.Mime,
		Size:          f.Size,
		DCID:          v.env.DC,
		Attributes:    attributes(f),
	}
	if thumbs := sizes(f); len(thumbs) > 0 {
		d.SetThumbs(thumbs)
	}
	d.SetFlags()
	return d
}

func sizes(f media.File) []tg.PhotoSizeClass {
	var out []tg.PhotoSizeClass
	if len(f.Stripped) > 0 {
		out = append(out, &tg.PhotoStrippedSize{Type: "i", Bytes: f.Stripped})
	}
	for _, s := range f.Sizes {
		out = append(out, &tg.PhotoSize{
			Type: s.Type, W: s.Width, H: s.Height, Size: int(s.Size),
		})
	}
	return out
}

func attributes(f media.File) []tg.DocumentAttributeClass {
	var out []tg.DocumentAttributeClass
	for _, a := range f.Attributes {
		out = append(out, attribute(a))
	}
	return out
}

func attribute(a media.Attribute) tg.DocumentAttributeClass {
	switch a.Kind {
	case media.Filename:
		return &tg.DocumentAttributeFilename{FileName: a.Text}
	case media.ImageSize:
		return &tg.DocumentAttributeImageSize{W: a.Width, H: a.Height}
	case media.Animated:
		return &tg.DocumentAttributeAnimated{}
	case media.Video:
		x := &tg.DocumentAttributeVideo{
			RoundMessage: a.Round, SupportsStreaming: a.Streaming, Nosound: a.Silent,
			Duration: a.Duration, W: a.Width, H: a.Height,
		}
		x.SetFlags()
		return x
	case media.Audio:
		x := &tg.DocumentAttributeAudio{
			Voice: a.Voice, Duration: int(a.Duration), Title: a.Text, Performer: a.Performer,
			Waveform: a.Waveform,
		}
		x.SetFlags()
		return x
	case media.Sticker:
		return &tg.DocumentAttributeSticker{Alt: a.Text, Stickerset: &tg.InputStickerSetEmpty{}}
	default:
		return &tg.DocumentAttributeHasStickers{}
	}
}

// Medium renders what hangs on a message that the viewer met at an origin.
func (v *View) Medium(m *message.Media, at Origin) tg.MessageMediaClass {
	switch m.Kind {
	case message.Photo:
		out := &tg.MessageMediaPhoto{Spoiler: m.Spoiler}
		out.SetPhoto(v.Photo(m.ID, at))
		return out
	case message.Document:
		out := &tg.MessageMediaDocument{
			Spoiler: m.Spoiler, Video: m.Class == message.Video,
			Round: m.Class == message.RoundVideo, Voice: m.Class == message.Voice,
		}
		out.SetDocument(v.Document(m.ID, at))
		return out
	case message.Geo:
		return &tg.MessageMediaGeo{Geo: v.point(m)}
	case message.Venue:
		return &tg.MessageMediaVenue{Geo: v.point(m), Title: m.Text, Address: m.Address}
	case message.ContactCard:
		v.mention(m.User)
		return &tg.MessageMediaContact{
			PhoneNumber: m.Phone, FirstName: m.First, LastName: m.Last, Vcard: m.VCard,
			UserID: int64(m.User),
		}
	case message.Dice:
		return &tg.MessageMediaDice{Emoticon: m.Text, Value: m.Value}
	default:
		return &tg.MessageMediaUnsupported{}
	}
}

func (v *View) point(m *message.Media) tg.GeoPointClass {
	p := &tg.GeoPoint{Lat: m.Lat, Long: m.Long, AccessHash: v.env.MediaHash(int64(m.Lat * 1e6))}
	if m.Accuracy > 0 {
		p.SetAccuracyRadius(m.Accuracy)
	}
	return p
}

// mention notes a person, if there is one.
func (v *View) mention(id ids.UserID) {
	if id != 0 {
		v.User(id)
	}
}

// at is where a viewer meets the file of a message.
func at(m store.Message) Origin { return Origin{Box: m.Box, Message: m.ID} }
