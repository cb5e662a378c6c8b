package files

import (
	"cmp"
	"errors"

	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/account"
	"parley/internal/chat/contact"
	"parley/internal/chat/media"
	"parley/internal/chat/message"
	"parley/internal/chat/restrict"
	"parley/internal/chat/secret"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

var (
	errLocation  = chat.Invalid("LOCATION_INVALID")
	errReference = chat.Invalid("FILE_REFERENCE_INVALID")
	errExpired   = chat.Invalid("FILE_REFERENCE_EXPIRED")
	errForwards  = chat.Invalid("CHAT_FORWARDS_RESTRICTED")
)

// The units of offsets and lengths of a download.
//
// https://core.telegram.org/api/files#downloading-files
const (
	downloadUnit = 4 << 10
	preciseUnit  = 1 << 10
)

// getFile returns a range of a file's bytes.
//
// https://core.telegram.org/method/upload.getFile
func (h *Handlers) getFile(
	c *api.Call, req *tg.UploadGetFileRequest,
) (tg.UploadFileClass, error) {
	unit := downloadUnit
	if req.Precise {
		unit = preciseUnit
	}
	if req.Offset < 0 || req.Offset%int64(unit) != 0 {
		return nil, chat.Invalid("OFFSET_INVALID")
	}
	if req.Limit <= 0 || req.Limit > limit.DownloadPart || req.Limit%unit != 0 {
		return nil, chat.Invalid("LIMIT_INVALID")
	}
	f, row, size, err := h.locate(c, req.Location)
	if err != nil {
		return nil, err
	}
	digest, length, ok := f.Bytes(row, size)
	if !ok {
		return nil, errLocation
	}
	n := int(min(int64(req.Limit), max(length-req.Offset, 0)))
	out := &tg.UploadFile{Type: fileType(f, size), Mtime: int(f.Date), Bytes: []byte{}}
	if n == 0 {
		return out, nil
	}
	out.Bytes, err = h.Media.Read(c.Context, digest, req.Offset, n)
	return out, err
}

func fileType(f media.File, size string) tg.StorageFileTypeClass {
	if size != "" {
		return &tg.StorageFileJpeg{}
	}
	switch f.Mime {
	case "image/jpeg":
		return &tg.StorageFileJpeg{}
	case "image/png":
		return &tg.StorageFilePng{}
	case "image/gif":
		return &tg.StorageFileGif{}
	case "image/webp":
		return &tg.StorageFileWebp{}
	case "video/mp4":
		return &tg.StorageFileMp4{}
	case "audio/mpeg":
		return &tg.StorageFileMp3{}
	case "application/pdf":
		return &tg.StorageFilePdf{}
	default:
		return &tg.StorageFileUnknown{}
	}
}

// getFileHashes is about files on other data centres' caches; there are none.
//
// https://core.telegram.org/method/upload.getFileHashes
func (h *Handlers) getFileHashes(
	c *api.Call, req *tg.UploadGetFileHashesRequest,
) (*tg.FileHashVector, error) {
	if _, _, _, err := h.locate(c, req.Location); err != nil {
		return nil, err
	}
	return &tg.FileHashVector{}, nil
}

// locate finds the file and the size that a location means, if the caller may fetch it now.
func (h *Handlers) locate(
	c *api.Call, in tg.InputFileLocationClass,
) (f media.File, row store.Media, size string, err error) {
	switch l := in.(type) {
	case *tg.InputPhotoFileLocation:
		size = l.ThumbSize
		if size == "" {
			return f, row, size, errLocation
		}
		f, row, err = h.fetchable(c, l.ID, l.AccessHash, l.FileReference)
	case *tg.InputDocumentFileLocation:
		size = l.ThumbSize
		f, row, err = h.fetchable(c, l.ID, l.AccessHash, l.FileReference)
	case *tg.InputPeerPhotoFileLocation:
		return h.peerPhoto(c, l)
	case *tg.InputEncryptedFileLocation:
		f, row, err = h.encrypted(c, l)
	default:
		err = errLocation
	}
	return f, row, size, err
}

// encrypted finds a file of a secret chat, for the device that it was sent from or to.
func (h *Handlers) encrypted(
	c *api.Call, l *tg.InputEncryptedFileLocation,
) (f media.File, row store.Media, err error) {
	if l.AccessHash != h.Env.SecretHash(int64(c.Self), l.ID) {
		return f, row, errLocation
	}
	who := secret.Caller{User: c.Self}
	err = h.Store.View(c.Context, func(r *store.Reader) error {
		list, err := r.Authorizations(c.Self)
		who.Key = account.MainKey(list, c.Key.ID)
		return err
	})
	if err != nil {
		return f, row, err
	}
	e, err := h.Secret.File(c.Context, who, l.ID)
	if err != nil {
		return f, row, err
	}
	f = media.File{ID: e.ID, Kind: media.DocumentKind, Date: e.Date, Size: e.Size}
	return f, store.Media{ID: e.ID, Size: e.Size, Digest: e.Digest}, nil
}

// met is fetchable for a file that the caller names in order to send it on as what it is, which is
// as good as a forward.
func (h *Handlers) met(
	c *api.Call, kind media.Kind, id, hash int64, reference []byte,
) (media.File, error) {
	f, _, err := h.fetchable(c, id, hash, reference)
	if err == nil && f.Kind != kind {
		err = chat.Invalid("MEDIA_INVALID")
	}
	if err != nil {
		return f, err
	}
	origin, err := h.References.Open(reference)
	if err != nil || origin.Message == 0 {
		return f, err
	}
	err = h.Store.View(c.Context, func(r *store.Reader) error {
		m, err := r.Message(origin.Box, origin.Message)
		if err != nil {
			return err
		}
		verdict, err := h.verdict(c, r, m)
		if err == nil && verdict.Still {
			err = errForwards
		}
		return err
	})
	return f, err
}

// fetchable returns a file that the caller can still see where he met it.
func (h *Handlers) fetchable(
	c *api.Call, id, hash int64, reference []byte,
) (f media.File, row store.Media, err error) {
	if hash != h.Env.MediaHash(id) {
		return f, row, errLocation
	}
	origin, err := h.References.Open(reference)
	switch {
	case errors.Is(err, view.ErrReferenceExpired):
		return f, row, errExpired
	case err != nil:
		return f, row, errReference
	}
	err = h.Store.View(c.Context, func(r *store.Reader) (err error) {
		if f, row, err = media.Load(r, id); store.IsNotFound(err) {
			return errLocation
		}
		if err != nil {
			return err
		}
		return h.still(c, r, origin, row)
	})
	return f, row, err
}

// still tells whether the caller can still see a file where he met it.
func (h *Handlers) still(c *api.Call, r *store.Reader, o view.Origin, row store.Media) error {
	switch {
	case o.Peer != 0:
		return h.stillPhoto(c, r, o.Peer, row.ID)
	case o.Message == 0:
		if o.Box != c.Self.Peer() || row.Owner != c.Self {
			return errReference
		}
		return nil
	case o.Box.Kind() != ids.Channel && o.Box != c.Self.Peer():
		return errReference
	}
	if o.Box.Kind() == ids.Channel {
		if _, err := message.See(r, c.Self, o.Box, c.Unix()); err != nil {
			return err
		}
	}
	m, err := r.Message(o.Box, o.Message)
	if store.IsNotFound(err) {
		return errExpired
	}
	if err != nil {
		return err
	}
	if o.Box.Kind() == ids.Channel {
		above, err := message.Horizon(r, c.Self, o.Box)
		if err != nil || m.ID <= above {
			return errExpired
		}
	}
	return h.shows(c, r, m, row.ID)
}

// shows tells whether a message that is there shows a file to the caller.
func (h *Handlers) shows(c *api.Call, r *store.Reader, m store.Message, id int64) error {
	if m.Peer.Kind() == ids.Chat {
		row, err := r.Chat(m.Peer)
		if err != nil || row.Flags.Has(store.ChatTerminated) {
			return cmp.Or(err, error(errExpired))
		}
	}
	verdict, err := h.verdict(c, r, m)
	if err != nil || verdict.Hidden() {
		return cmp.Or(err, error(errExpired))
	}
	content, err := message.DecodeContent(m.Body)
	if err != nil {
		return err
	}
	if content.Media != nil && content.Media.ID == id {
		return nil
	}
	if content.Action == nil || content.Action.Photo != id {
		return errExpired
	}
	taken, err := r.PhotoRemoved(m.Peer, id)
	if err == nil && taken {
		err = errExpired
	}
	return err
}

// verdict is what the service has restricted of a message for the caller.
func (h *Handlers) verdict(
	c *api.Call, r *store.Reader, m store.Message,
) (restrict.Verdict, error) {
	v := view.New(r, h.Env, c.Self, c.Unix())
	return v.Verdict(m), v.Err()
}

// photoShown refuses the profile photo of a peer that is withheld from the caller.
func (h *Handlers) photoShown(c *api.Call, r *store.Reader, peer ids.Peer) error {
	v := view.New(r, h.Env, c.Self, c.Unix())
	shown := v.ShowsProfile(peer)
	if err := v.Err(); err != nil || shown {
		return err
	}
	return errExpired
}

// stillPhoto tells whether a photo is a peer's and the caller may see it.
func (h *Handlers) stillPhoto(c *api.Call, r *store.Reader, peer ids.Peer, id int64) error {
	has, err := r.HasProfilePhoto(peer, id)
	if err != nil {
		return err
	}
	if !has {
		return errExpired
	}
	if err := h.photoShown(c, r, peer); err != nil {
		return err
	}
	if peer.Kind() != ids.User {
		_, err := message.See(r, c.Self, peer, c.Unix())
		return err
	}
	if peer == c.Self.Peer() {
		return nil
	}
	sees, err := contact.Allows(r, c.Self, peer.User(), contact.Photo)
	if err == nil && !sees {
		err = errLocation
	}
	return err
}

// peerPhoto finds the profile photo of a peer, small or big.
func (h *Handlers) peerPhoto(
	c *api.Call, l *tg.InputPeerPhotoFileLocation,
) (f media.File, row store.Media, size string, err error) {
	peer, err := h.Peer(c, l.Peer)
	if err != nil {
		return f, row, "", err
	}
	size = "a"
	if l.Big {
		size = "c"
	}
	err = h.Store.View(c.Context, func(r *store.Reader) (err error) {
		if err := h.stillPhoto(c, r, peer, l.PhotoID); err != nil {
			return err
		}
		f, row, err = media.Load(r, l.PhotoID)
		return err
	})
	if len(f.Sizes) > 0 {
		if _, _, ok := f.Bytes(row, size); !ok {
			size = f.Sizes[len(f.Sizes)-1].Type
		}
	}
	return f, row, size, err
}
