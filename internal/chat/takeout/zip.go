package takeout

import (
	"archive/zip"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"parley/internal/blob"
	"parley/internal/ids"
	"parley/internal/store"
)

// Bounds of a part of a copy. Parts are files of this service themselves, and a ZIP archive needs
// memory for each file that is in it.
const (
	// partRoom is what a part's own lists may take, in bytes.
	partRoom = 32 << 20
	// partBytes is how long the files of a part may be together.
	partBytes = blob.MaxSize - partRoom
	// largestFile is the largest file that a copy has.
	largestFile = partBytes
	// partFiles is how many files a part has at most.
	partFiles = 20_000
)

// Files reads the bytes of files.
type Files interface {
	// ReadAt is blob.Store's.
	ReadAt(ctx context.Context, d blob.Digest, p []byte, off int64) (int, error)
}

// Service writes copies.
type Service struct {
	Store *store.Store
	Files Files
	// Bytes and Most are how long the files of a part may be together and how many it has; zero for
	// as much as a file of this service holds. result.json is not counted.
	Bytes int64
	Most  int
}

// Cursor is how far a copy is: its zero value is before the first part.
type Cursor struct {
	// Part is how many parts are made.
	Part int `json:"part"`
	// Peer is the chat that the next part begins with, and From its first message whose file is
	// missing.
	Peer ids.Peer `json:"peer,omitempty"`
	From int64    `json:"from,omitempty"`
	// Done is set after the last part.
	Done bool `json:"done,omitempty"`
}

// Part writes the next part of an account's copy as a ZIP archive, and returns where the one after
// it begins. The first has result.json, which names all files; each has the files of some messages.
// Unpacked in one folder they are an export. A part may be written again, from the same cursor.
// ErrEnded.
func (s *Service) Part(
	ctx context.Context, user ids.UserID, from Cursor, to io.Writer,
) (next Cursor, err error) {
	z := zip.NewWriter(to)
	if from.Part == 0 {
		w, err := z.Create("result.json")
		if err != nil {
			return from, fmt.Errorf("takeout: %w", err)
		}
		if err := s.Write(ctx, user, w); err != nil {
			return from, err
		}
	}
	next, err = s.files(ctx, user, from, z)
	if err != nil {
		return from, fmt.Errorf("takeout: %w", err)
	}
	if err := z.Close(); err != nil {
		return from, fmt.Errorf("takeout: %w", err)
	}
	next.Part = from.Part + 1
	return next, nil
}

// part is a part under way.
type part struct {
	*zip.Writer
	bytes int64
	has   map[string]bool
}

// files puts files into a part until it is full.
func (s *Service) files(
	ctx context.Context, user ids.UserID, from Cursor, z *zip.Writer,
) (next Cursor, err error) {
	p := &part{Writer: z, has: map[string]bool{}}
	list, err := s.dialogs(ctx, user)
	for _, d := range list {
		if err != nil {
			return from, err
		}
		if d.Peer < from.Peer {
			continue
		}
		first := int64(0)
		if d.Peer == from.Peer {
			first = from.From
		}
		full := int64(0)
		err = s.each(ctx, user, d, first, func(list []found) (bool, error) {
			for _, x := range list {
				switch ok, err := s.put(ctx, p, x.file); {
				case err != nil:
					return false, err
				case !ok:
					full = x.item.ID
					return false, nil
				}
			}
			return true, nil
		})
		if err == nil && full != 0 {
			return Cursor{Peer: d.Peer, From: full}, nil
		}
	}
	return Cursor{Done: true}, err
}

// put adds a file to a part, unless it is full.
func (s *Service) put(ctx context.Context, p *part, f *attached) (bool, error) {
	if f == nil || p.has[f.path] {
		return true, nil
	}
	most, bytes := s.Most, s.Bytes
	if most <= 0 {
		most = partFiles
	}
	if bytes <= 0 {
		bytes = partBytes
	}
	if len(p.has) > 0 && (len(p.has) >= most || p.bytes+f.size > bytes) {
		return false, nil
	}
	there, err := s.there(ctx, f)
	if err != nil || !there {
		return err == nil, err
	}
	// Files are kept as they are: most are compressed already.
	w, err := p.CreateHeader(&zip.FileHeader{Name: f.path, Method: zip.Store})
	if err != nil {
		return false, err
	}
	n, err := io.Copy(w, io.NewSectionReader(readerAt{ctx, s.Files, f.digest}, 0, f.size))
	if err != nil {
		return false, fmt.Errorf("%s: %w", f.path, err)
	}
	if n != f.size {
		return false, fmt.Errorf("%s: %w", f.path, io.ErrUnexpectedEOF)
	}
	p.has[f.path] = true
	p.bytes += n
	return true, nil
}

// readerAt reads one file.
type readerAt struct {
	ctx    context.Context
	files  Files
	digest blob.Digest
}

func (r readerAt) ReadAt(p []byte, off int64) (int, error) {
	return r.files.ReadAt(r.ctx, r.digest, p, off)
}

// dialogs are the chats of an account, in an order that stays.
func (s *Service) dialogs(ctx context.Context, user ids.UserID) (list []store.Dialog, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		list, err = r.Dialogs(user)
		return err
	})
	slices.SortFunc(list, func(a, b store.Dialog) int { return cmp.Compare(a.Peer, b.Peer) })
	return list, err
}

// Name is what a part is called, by its number from 1 and the day on which it was made.
func Name(part int, at time.Time) string {
	return fmt.Sprintf("export-%s-%d.zip", at.UTC().Format(time.DateOnly), part)
}
