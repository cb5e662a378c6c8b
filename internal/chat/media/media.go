// Package media keeps photos and documents: it takes the parts that clients upload, makes files of
// them, has photo sizes made in a sandboxed worker, and serves ranges of bytes. Bytes lie in the
// blob store under their digest, so that equal files are kept once; rows say what clients are told
// of them. Who may fetch a file is decided above, by where he met it; nothing is decoded in this
// process.
//
// Invariants: a part is durable before it is acknowledged; a row refers only to bytes that are
// there; names that clients give never reach a filesystem.
package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/blob"
	"parley/internal/chat"
	"parley/internal/chat/media/imaging"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

const (
	// pendingUploads and pendingBytes bound the unfinished uploads of one account.
	pendingUploads = 100
	pendingBytes   = 4 << 30
	// smallFile is the largest file that may be uploaded with saveFilePart.
	smallFile = 10 << 20
	// textBytes bounds the names that come with a file.
	textBytes = 1024
)

// Service keeps media.
type Service struct {
	Store *store.Store
	Blobs blob.Store
	Parts *blob.Parts
	// Images gives who makes photo sizes, and is first asked for the first; nil refuses photos.
	Images func() (*imaging.Worker, error)
	Clock  clock.Clock
	// Random gives new ids; never 0.
	Random func() int64
}

// Input is an uploaded file as its sender names it.
type Input struct {
	FileID int64
	Parts  int
	// MD5 is what the file should hash to, empty when the client does not say.
	MD5 string
}

// UnknownParts is the number of parts of a big file whose end its sender does not know yet.
//
// https://core.telegram.org/api/files#streamed-uploads
const UnknownParts = -1

// SavePart keeps a part of a file, durably. total is the number of parts of a big file, or
// UnknownParts; 0 makes it a small one.
//
// https://core.telegram.org/method/upload.saveFilePart
func (s *Service) SavePart(
	ctx context.Context, user ids.UserID, fileID int64, part, total int, data []byte,
) error {
	if total != UnknownParts && (total < 0 || total > limit.UploadParts) ||
		total > 0 && part >= total {
		return chat.Invalid("FILE_PARTS_INVALID")
	}
	if total == 0 && (part+1)*len(data) > smallFile+limit.UploadPart {
		return chat.Invalid("FILE_PART_TOO_BIG")
	}
	use := s.Parts.Usage(int64(user))
	if use.Bytes+int64(len(data)) > pendingBytes || use.Uploads > pendingUploads {
		return chat.Wait(uploadPause)
	}
	err := s.Parts.Put(ctx, blob.Upload{Scope: int64(user), FileID: fileID}, part, data)
	switch {
	case errors.Is(err, blob.ErrPartNumber):
		return chat.Invalid("FILE_PART_INVALID")
	case errors.Is(err, blob.ErrPartLength):
		if len(data) == 0 {
			return chat.Invalid("FILE_PART_EMPTY")
		}
		return chat.Invalid("FILE_PART_TOO_BIG")
	}
	return err
}

// uploadPause is for how many seconds an account with too many unfinished uploads should wait.
const uploadPause = 60

// assemble makes a file of its parts.
func (s *Service) assemble(ctx context.Context, user ids.UserID, in Input) (blob.Assembled, error) {
	u := blob.Upload{Scope: int64(user), FileID: in.FileID}
	a, err := s.Parts.Assemble(ctx, u, in.Parts)
	return checked(in, a, err)
}

// checked holds an assembled file against what its sender said of it.
func checked(in Input, a blob.Assembled, err error) (blob.Assembled, error) {
	var missing *blob.MissingPartError
	switch {
	case errors.As(err, &missing):
		return a, chat.Invalid(fmt.Sprintf("FILE_PART_%d_MISSING", missing.Part))
	case errors.Is(err, blob.ErrPartNumber):
		return a, chat.Invalid("FILE_PARTS_INVALID")
	case errors.Is(err, blob.ErrPartSizes):
		return a, chat.Invalid("FILE_PART_SIZE_CHANGED")
	case err != nil:
		return a, err
	case in.MD5 != "" && in.MD5 != a.MD5:
		return a, chat.Invalid("MD5_CHECKSUM_INVALID")
	}
	return a, nil
}

// tailBytes is how long what makes the blob of an encrypted file its own is.
const tailBytes = 32

// Encrypted makes a blob of an uploaded file of a secret chat, which nobody here can read. Equal
// files are kept apart, so that each can be erased when its time has come.
func (s *Service) Encrypted(
	ctx context.Context, user ids.UserID, in Input,
) (digest blob.Digest, size int64, err error) {
	tail := make([]byte, 0, tailBytes)
	for len(tail) < tailBytes {
		tail = binary.LittleEndian.AppendUint64(tail, uint64(s.Random()))
	}
	u := blob.Upload{Scope: int64(user), FileID: in.FileID}
	a, err := s.Parts.AssembleApart(ctx, u, in.Parts, tail)
	if a, err = checked(in, a, err); err != nil {
		return digest, 0, err
	}
	return a.Digest, a.Size, nil
}

// Erase removes the blob of an encrypted file.
func (s *Service) Erase(ctx context.Context, digest []byte) error {
	_, err := s.Blobs.Delete(ctx, blob.Digest(digest), time.Time{})
	return err
}

// Photo makes a photo of an uploaded image.
func (s *Service) Photo(
	ctx context.Context, user ids.UserID, in Input, purpose imaging.Purpose,
) (File, error) {
	a, err := s.assemble(ctx, user, in)
	if err != nil {
		return File{}, err
	}
	return s.photoOf(ctx, user, a.Digest, a.Size, purpose)
}

// AddPhoto makes a photo of an image that is at hand, for imports.
func (s *Service) AddPhoto(
	ctx context.Context, user ids.UserID, image io.Reader, purpose imaging.Purpose,
) (File, error) {
	digest, size, err := s.Blobs.Put(ctx, image)
	if err != nil {
		return File{}, err
	}
	return s.photoOf(ctx, user, digest, size, purpose)
}

func (s *Service) photoOf(
	ctx context.Context, user ids.UserID, digest blob.Digest, size int64, purpose imaging.Purpose,
) (File, error) {
	f := File{Kind: PhotoKind, Date: s.Clock.Now().Unix(), Size: size, Mime: "image/jpeg"}
	if size > imaging.MaxInput {
		return f, chat.Invalid("PHOTO_INVALID_DIMENSIONS")
	}
	image, err := s.whole(ctx, digest, size)
	if err != nil {
		return f, err
	}
	if err := s.render(ctx, image, purpose, &f); err != nil {
		return f, err
	}
	return s.keep(ctx, user, f, digest)
}

// render has the sizes of an image made and keeps them.
func (s *Service) render(
	ctx context.Context, image []byte, purpose imaging.Purpose, f *File,
) error {
	if s.Images == nil {
		return chat.Invalid("PHOTO_INVALID")
	}
	images, err := s.Images()
	if err != nil {
		return err
	}
	made, err := images.Resize(ctx, purpose, image)
	switch {
	case errors.Is(err, imaging.ErrNotImage), errors.Is(err, imaging.ErrCrashed):
		return chat.Invalid("IMAGE_PROCESS_FAILED")
	case errors.Is(err, imaging.ErrTooLarge), errors.Is(err, imaging.ErrTimeout):
		return chat.Invalid("PHOTO_INVALID_DIMENSIONS")
	case err != nil:
		return err
	}
	f.Stripped = made.Stripped
	for _, size := range made.Sizes {
		digest, n, err := s.Blobs.Put(ctx, bytes.NewReader(size.JPEG))
		if err != nil {
			return err
		}
		f.Sizes = append(f.Sizes, Size{
			Type: size.Type, Width: size.Width, Height: size.Height, Size: n, Digest: digest[:],
		})
	}
	return nil
}

// Document makes a document of an uploaded file. Of an image without a thumbnail one is made.
func (s *Service) Document(
	ctx context.Context, user ids.UserID, in Input, mime string, list []Attribute, thumb *Input,
) (File, error) {
	a, err := s.assemble(ctx, user, in)
	if err != nil {
		return File{}, err
	}
	var preview []byte
	if thumb != nil {
		t, err := s.assemble(ctx, user, *thumb)
		if err != nil {
			return File{}, err
		}
		if t.Size <= imaging.MaxInput {
			if preview, err = s.whole(ctx, t.Digest, t.Size); err != nil {
				return File{}, err
			}
		}
	}
	return s.documentOf(ctx, user, a.Digest, a.Size, mime, list, preview)
}

// AddDocument makes a document of bytes that are at hand, for imports.
func (s *Service) AddDocument(
	ctx context.Context, user ids.UserID, r io.Reader, mime string, list []Attribute,
) (File, error) {
	digest, size, err := s.Blobs.Put(ctx, r)
	if err != nil {
		return File{}, err
	}
	return s.documentOf(ctx, user, digest, size, mime, list, nil)
}

func (s *Service) documentOf(
	ctx context.Context, user ids.UserID, digest blob.Digest, size int64, mime string,
	list []Attribute, preview []byte,
) (File, error) {
	if len(mime) > textBytes {
		return File{}, chat.Invalid("DOCUMENT_INVALID")
	}
	for _, a := range list {
		if len(a.Text) > textBytes || len(a.Performer) > textBytes || len(a.Waveform) > textBytes {
			return File{}, chat.Invalid("DOCUMENT_INVALID")
		}
	}
	f := File{
		Kind: DocumentKind, Date: s.Clock.Now().Unix(), Size: size, Mime: mime, Attributes: list,
	}
	if preview != nil {
		// A thumbnail that cannot be read is left out: the document is what matters.
		err := s.render(ctx, preview, imaging.Message, &f)
		var refusal chat.Refusal
		if err != nil && !errors.As(err, &refusal) {
			return f, err
		}
		f.Sizes = f.Sizes[:min(len(f.Sizes), documentThumbs)]
	}
	return s.keep(ctx, user, f, digest)
}

// documentThumbs is how many of the smallest sizes of a thumbnail are kept.
const documentThumbs = 2

// keep writes the row of a file whose bytes are there.
func (s *Service) keep(
	ctx context.Context, user ids.UserID, f File, digest blob.Digest,
) (File, error) {
	f.ID = s.Random()
	body, err := cbor.Marshal(f)
	if err != nil {
		return f, fmt.Errorf("media: encode: %w", err)
	}
	err = s.Store.Update(ctx, ids.Peer(f.ID), func(tx *store.Tx) error {
		return tx.PutMedia(store.Media{
			ID: f.ID, Kind: int64(f.Kind), Owner: user, Date: f.Date, Size: f.Size,
			Digest: digest[:], Mime: f.Mime, Body: body,
		})
	})
	return f, err
}

// Load returns a stored file with the digest of its bytes and its owner.
func Load(r *store.Reader, id int64) (File, store.Media, error) {
	row, err := r.Media(id)
	if err != nil {
		return File{}, row, err
	}
	var f File
	if err := cbor.Unmarshal(row.Body, &f); err != nil {
		return f, row, fmt.Errorf("media: %d: %w", id, err)
	}
	f.ID, f.Kind, f.Date, f.Size, f.Mime = row.ID, Kind(row.Kind), row.Date, row.Size, row.Mime
	return f, row, nil
}

// Bytes returns which blob holds a size of a file ("" for the file itself) and how long it is;
// false when there is no such size.
func (f File) Bytes(row store.Media, size string) (digest blob.Digest, length int64, ok bool) {
	if size == "" {
		return blob.Digest(row.Digest), row.Size, f.Kind == DocumentKind
	}
	for _, s := range f.Sizes {
		if s.Type == size {
			return blob.Digest(s.Digest), s.Size, true
		}
	}
	return digest, 0, false
}

// Read returns up to n bytes of a blob from an offset; fewer at its end.
func (s *Service) Read(ctx context.Context, d blob.Digest, offset int64, n int) ([]byte, error) {
	out := make([]byte, n)
	got, err := s.Blobs.ReadAt(ctx, d, out, offset)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return out[:got], err
}

// whole reads a blob of bounded size.
func (s *Service) whole(ctx context.Context, d blob.Digest, size int64) ([]byte, error) {
	return s.Read(ctx, d, 0, int(size))
}

// Classify says what a document is to somebody who searches.
func Classify(f File) (video, round, voice, audio, gif, sticker bool) {
	for _, a := range f.Attributes {
		switch a.Kind {
		case Video:
			video, round = true, a.Round
		case Audio:
			audio, voice = true, a.Voice
		case Animated:
			gif = true
		case Sticker:
			sticker = true
		}
	}
	return video, round, voice, audio, gif, sticker
}
