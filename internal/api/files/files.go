// Package files answers what is about files: the upload.* and photos.* methods and
// messages.uploadMedia. It also makes stored media of what clients send with messages. Who may
// fetch a file follows from where he met it, and is asked anew at each request.
//
// https://core.telegram.org/api/files
package files

import (
	"context"
	"math"

	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/desk"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/box"
	"parley/internal/chat/contact"
	"parley/internal/chat/media"
	"parley/internal/chat/media/imaging"
	"parley/internal/chat/message"
	"parley/internal/chat/secret"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// Handlers answer upload.* and photos.*.
type Handlers struct {
	desk.Desk
	Media      *media.Service
	Secret     *secret.Service
	References view.References
	// Changed tells those who may see it that a person has another photo.
	Changed func(ctx context.Context, user ids.UserID) error
}

// Methods are the rows of the namespaces.
func (h *Handlers) Methods() []api.Method {
	return []api.Method{
		api.On(api.User, api.File, h.saveFilePart),
		api.On(api.User, api.File, h.saveBigFilePart),
		api.On(api.User, api.File, h.getFile).WhenFrozen(true),
		api.On(api.User, api.File, h.getFileHashes).WhenFrozen(true),
		api.On(api.User, api.Write, h.uploadMedia),
		api.On(api.User, api.Write, h.uploadProfilePhoto),
		api.On(api.User, api.Write, h.updateProfilePhoto),
		api.On(api.User, api.Write, h.deletePhotos),
		api.On(api.User, api.Read, h.getUserPhotos),
	}
}

// saveFilePart keeps a part of a small file.
//
// https://core.telegram.org/method/upload.saveFilePart
func (h *Handlers) saveFilePart(
	c *api.Call, req *tg.UploadSaveFilePartRequest,
) (*tg.BoolBox, error) {
	err := h.Media.SavePart(c.Context, c.Self, req.FileID, req.FilePart, 0, req.Bytes)
	return view.True, err
}

// saveBigFilePart keeps a part of a file of any size.
//
// https://core.telegram.org/method/upload.saveBigFilePart
func (h *Handlers) saveBigFilePart(
	c *api.Call, req *tg.UploadSaveBigFilePartRequest,
) (*tg.BoolBox, error) {
	if req.FileTotalParts == 0 {
		return nil, chat.Invalid("FILE_PARTS_INVALID")
	}
	err := h.Media.SavePart(c.Context, c.Self, req.FileID, req.FilePart, req.FileTotalParts,
		req.Bytes)
	return view.True, err
}

func input(in tg.InputFileClass) (media.Input, error) {
	switch f := in.(type) {
	case *tg.InputFile:
		return media.Input{FileID: f.ID, Parts: f.Parts, MD5: f.MD5Checksum}, nil
	case *tg.InputFileBig:
		return media.Input{FileID: f.ID, Parts: f.Parts}, nil
	default:
		return media.Input{}, chat.Invalid("FILE_ID_INVALID")
	}
}

// Medium makes the medium of a message of what a client sends with it.
//
// https://core.telegram.org/type/InputMedia
func (h *Handlers) Medium(c *api.Call, in tg.InputMediaClass) (*message.Media, error) {
	switch m := in.(type) {
	case *tg.InputMediaUploadedPhoto:
		file, err := input(m.File)
		if err != nil {
			return nil, err
		}
		f, err := h.Media.Photo(c.Context, c.Self, file, imaging.Message)
		return &message.Media{Kind: message.Photo, ID: f.ID, Spoiler: m.Spoiler}, err
	case *tg.InputMediaUploadedDocument:
		return h.uploaded(c, m)
	case *tg.InputMediaPhoto:
		p, ok := m.ID.(*tg.InputPhoto)
		if !ok {
			return nil, chat.Invalid("PHOTO_INVALID")
		}
		_, err := h.met(c, media.PhotoKind, p.ID, p.AccessHash, p.FileReference)
		return &message.Media{Kind: message.Photo, ID: p.ID, Spoiler: m.Spoiler}, err
	case *tg.InputMediaDocument:
		d, ok := m.ID.(*tg.InputDocument)
		if !ok {
			return nil, chat.Invalid("DOCUMENT_INVALID")
		}
		f, err := h.met(c, media.DocumentKind, d.ID, d.AccessHash, d.FileReference)
		return &message.Media{
			Kind: message.Document, ID: d.ID, Spoiler: m.Spoiler, Class: class(f),
		}, err
	case *tg.InputMediaGeoPoint:
		return place(m.GeoPoint, "", "")
	case *tg.InputMediaVenue:
		return place(m.GeoPoint, m.Title, m.Address)
	case *tg.InputMediaContact:
		if len(m.PhoneNumber)+len(m.FirstName)+len(m.LastName)+len(m.Vcard) > cardBytes {
			return nil, chat.Invalid("MEDIA_INVALID")
		}
		return &message.Media{
			Kind: message.ContactCard, Phone: m.PhoneNumber, First: m.FirstName, Last: m.LastName,
			VCard: m.Vcard,
		}, nil
	default:
		return nil, chat.Invalid("MEDIA_INVALID")
	}
}

// cardBytes bounds a contact's card.
const cardBytes = 4096

func place(in tg.InputGeoPointClass, title, address string) (*message.Media, error) {
	p, ok := in.(*tg.InputGeoPoint)
	if !ok || !(math.Abs(p.Lat) <= 90 && math.Abs(p.Long) <= 180) || p.AccuracyRadius < 0 ||
		len(title)+len(address) > cardBytes {
		return nil, chat.Invalid("GEO_POINT_INVALID")
	}
	m := &message.Media{
		Kind: message.Geo, Lat: p.Lat, Long: p.Long, Accuracy: p.AccuracyRadius,
	}
	if title != "" {
		m.Kind, m.Text, m.Address = message.Venue, title, address
	}
	return m, nil
}

func (h *Handlers) uploaded(
	c *api.Call, m *tg.InputMediaUploadedDocument,
) (*message.Media, error) {
	file, err := input(m.File)
	if err != nil {
		return nil, err
	}
	var thumb *media.Input
	if m.Thumb != nil {
		t, err := input(m.Thumb)
		if err != nil {
			return nil, err
		}
		thumb = &t
	}
	f, err := h.Media.Document(c.Context, c.Self, file, m.MimeType, attributes(m.Attributes), thumb)
	return &message.Media{
		Kind: message.Document, ID: f.ID, Spoiler: m.Spoiler, Class: class(f),
	}, err
}

func attributes(in []tg.DocumentAttributeClass) []media.Attribute {
	var out []media.Attribute
	for _, a := range in {
		switch a := a.(type) {
		case *tg.DocumentAttributeFilename:
			out = append(out, media.Attribute{Kind: media.Filename, Text: a.FileName})
		case *tg.DocumentAttributeImageSize:
			out = append(out, media.Attribute{Kind: media.ImageSize, Width: a.W, Height: a.H})
		case *tg.DocumentAttributeAnimated:
			out = append(out, media.Attribute{Kind: media.Animated})
		case *tg.DocumentAttributeVideo:
			out = append(out, media.Attribute{
				Kind: media.Video, Width: a.W, Height: a.H, Duration: a.Duration,
				Round: a.RoundMessage, Streaming: a.SupportsStreaming, Silent: a.Nosound,
			})
		case *tg.DocumentAttributeAudio:
			out = append(out, media.Attribute{
				Kind: media.Audio, Duration: float64(a.Duration), Voice: a.Voice, Text: a.Title,
				Performer: a.Performer, Waveform: a.Waveform,
			})
		case *tg.DocumentAttributeSticker:
			out = append(out, media.Attribute{Kind: media.Sticker, Text: a.Alt})
		}
	}
	return out
}

func class(f media.File) message.DocumentClass {
	video, round, voice, audio, gif, sticker := media.Classify(f)
	switch {
	case sticker:
		return message.Sticker
	case gif:
		return message.GIF
	case round:
		return message.RoundVideo
	case video:
		return message.Video
	case voice:
		return message.Voice
	case audio:
		return message.Audio
	default:
		return message.File
	}
}

// uploadMedia keeps a medium before it is sent, and returns it.
//
// https://core.telegram.org/method/messages.uploadMedia
func (h *Handlers) uploadMedia(
	c *api.Call, req *tg.MessagesUploadMediaRequest,
) (out tg.MessageMediaClass, err error) {
	if _, err := h.Peer(c, req.Peer); err != nil {
		return nil, err
	}
	m, err := h.Medium(c, req.Media)
	if err != nil {
		return nil, err
	}
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		out = v.Medium(m, view.Origin{Box: c.Self.Peer()})
		return nil
	})
	return out, err
}

// uploadProfilePhoto gives the caller a new photo.
//
// https://core.telegram.org/method/photos.uploadProfilePhoto
func (h *Handlers) uploadProfilePhoto(
	c *api.Call, req *tg.PhotosUploadProfilePhotoRequest,
) (*tg.PhotosPhoto, error) {
	if req.File == nil || req.Bot != nil {
		return nil, chat.Invalid("PHOTO_FILE_MISSING")
	}
	file, err := input(req.File)
	if err != nil {
		return nil, err
	}
	f, err := h.Media.Photo(c.Context, c.Self, file, imaging.Profile)
	if err != nil {
		return nil, err
	}
	if err := h.setPhoto(c, f.ID); err != nil {
		return nil, err
	}
	return h.ownPhoto(c, f.ID)
}

// setPhoto makes a photo the caller's current one; 0 takes it off.
func (h *Handlers) setPhoto(c *api.Call, id int64) error {
	self := c.Self.Peer()
	err := h.Store.Update(c.Context, self, func(tx *store.Tx) error {
		u, err := tx.User(c.Self)
		if err != nil {
			return err
		}
		taken, err := tx.PhotoRemoved(self, id)
		if err != nil {
			return err
		}
		if taken {
			return chat.Invalid("PHOTO_INVALID")
		}
		u.PhotoID = id
		if err := tx.PutUser(u); err != nil {
			return err
		}
		if id != 0 {
			if err := tx.AddProfilePhoto(self, id, c.Unix()); err != nil {
				return err
			}
		}
		_, err = box.Note(tx, self, box.UserChanged, c.Unix(), box.Entry{User: c.Self})
		return err
	})
	if err != nil {
		return err
	}
	return h.Changed(c.Context, c.Self)
}

func (h *Handlers) ownPhoto(c *api.Call, id int64) (*tg.PhotosPhoto, error) {
	out := &tg.PhotosPhoto{Photo: &tg.PhotoEmpty{ID: id}}
	err := h.View(c, func(_ *store.Reader, v *view.View) error {
		v.User(c.Self)
		if id != 0 {
			out.Photo = v.Photo(id, view.Origin{Peer: c.Self.Peer()})
		}
		out.Users = v.Users()
		return nil
	})
	return out, err
}

// updateProfilePhoto makes an earlier photo the current one, or takes it off.
//
// https://core.telegram.org/method/photos.updateProfilePhoto
func (h *Handlers) updateProfilePhoto(
	c *api.Call, req *tg.PhotosUpdateProfilePhotoRequest,
) (*tg.PhotosPhoto, error) {
	var id int64
	if p, ok := req.ID.(*tg.InputPhoto); ok {
		_, err := h.met(c, media.PhotoKind, p.ID, p.AccessHash, p.FileReference)
		if err != nil {
			return nil, err
		}
		id = p.ID
	}
	if err := h.setPhoto(c, id); err != nil {
		return nil, err
	}
	return h.ownPhoto(c, id)
}

// deletePhotos takes photos from those that the caller has had.
//
// https://core.telegram.org/method/photos.deletePhotos
func (h *Handlers) deletePhotos(
	c *api.Call, req *tg.PhotosDeletePhotosRequest,
) (*tg.LongVector, error) {
	if len(req.ID) > limit.HistoryPage {
		return nil, chat.Invalid("LIMIT_INVALID")
	}
	out := &tg.LongVector{}
	current := false
	err := h.Store.Update(c.Context, c.Self.Peer(), func(tx *store.Tx) error {
		out.Elems, current = nil, false
		u, err := tx.User(c.Self)
		if err != nil {
			return err
		}
		for _, in := range req.ID {
			p, ok := in.(*tg.InputPhoto)
			if !ok {
				continue
			}
			gone, err := tx.DropProfilePhoto(c.Self.Peer(), p.ID)
			if err != nil {
				return err
			}
			if gone {
				out.Elems = append(out.Elems, p.ID)
				current = current || u.PhotoID == p.ID
			}
		}
		return nil
	})
	if err != nil || !current {
		return out, err
	}
	left, _, err := h.photos(c, c.Self.Peer(), 1, 0)
	if err != nil {
		return out, err
	}
	next := int64(0)
	if len(left) > 0 {
		next = left[0]
	}
	return out, h.setPhoto(c, next)
}

func (h *Handlers) photos(
	c *api.Call, peer ids.Peer, most, skip int,
) (list []int64, total int64, err error) {
	err = h.Store.View(c.Context, func(r *store.Reader) (err error) {
		list, total, err = r.ProfilePhotos(peer, most, skip)
		return err
	})
	return list, total, err
}

// getUserPhotos returns the photos that a person has had.
//
// https://core.telegram.org/method/photos.getUserPhotos
func (h *Handlers) getUserPhotos(
	c *api.Call, req *tg.PhotosGetUserPhotosRequest,
) (out tg.PhotosPhotosClass, err error) {
	user, err := h.User(c, req.UserID)
	if err != nil {
		return nil, err
	}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		v.User(user)
		if !v.ShowsProfile(user.Peer()) {
			out = &tg.PhotosPhotos{Users: v.Users()}
			return nil
		}
		sees, err := contact.Allows(r, c.Self, user, contact.Photo)
		if err != nil {
			return err
		}
		if !sees && user != c.Self {
			out = &tg.PhotosPhotos{Users: v.Users()}
			return nil
		}
		list, total, err := r.ProfilePhotos(user.Peer(), min(max(req.Limit, 1), limit.HistoryPage),
			max(req.Offset, 0))
		if err != nil {
			return err
		}
		photos := make([]tg.PhotoClass, 0, len(list))
		for _, id := range list {
			photos = append(photos, v.Photo(id, view.Origin{Peer: user.Peer()}))
		}
		if int(total) > len(photos) {
			out = &tg.PhotosPhotosSlice{Count: int(total), Photos: photos, Users: v.Users()}
		} else {
			out = &tg.PhotosPhotos{Photos: photos, Users: v.Users()}
		}
		return nil
	})
	return out, err
}

// ChatPhoto makes the photo of a chat of what a client sends; 0 takes it off.
func (h *Handlers) ChatPhoto(c *api.Call, in tg.InputChatPhotoClass) (int64, error) {
	switch p := in.(type) {
	case *tg.InputChatPhotoEmpty:
		return 0, nil
	case *tg.InputChatUploadedPhoto:
		if p.File == nil {
			return 0, chat.Invalid("PHOTO_FILE_MISSING")
		}
		file, err := input(p.File)
		if err != nil {
			return 0, err
		}
		f, err := h.Media.Photo(c.Context, c.Self, file, imaging.Profile)
		return f.ID, err
	case *tg.InputChatPhoto:
		id, ok := p.ID.(*tg.InputPhoto)
		if !ok {
			return 0, chat.Invalid("PHOTO_INVALID")
		}
		_, err := h.met(c, media.PhotoKind, id.ID, id.AccessHash, id.FileReference)
		return id.ID, err
	default:
		return 0, chat.Invalid("PHOTO_INVALID")
	}
}
