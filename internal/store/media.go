package store

import (
	"errors"

	"parley/internal/ids"
)

// Media is a photo or a document. Its bytes are in the blob store under Digest; Body holds what
// clients are told of it and is opaque to the store.
type Media struct {
	ID     int64
	Kind   int64
	Owner  ids.UserID
	Date   int64
	Size   int64
	Digest []byte
	Mime   string
	Body   []byte
}

var (
	mediaPut = define("media.put", "media", "media_id",
		`insert into media (media_id, kind, owner, date, size, digest, mime, body)
		values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (media_id) do update set body = excluded.body`)
	mediaGet = define("media.get", "media", "media_id",
		`select kind, owner, date, size, digest, mime, body from media where media_id = $1`)
	photoPut = define("profile_photo.put", "profile_photos", "peer_id",
		`insert into profile_photos (peer_id, media_id, date) values ($1, $2, $3)
		on conflict (peer_id, media_id) do update set date = excluded.date`)
	photoDelete = define("profile_photo.delete", "profile_photos", "peer_id",
		`delete from profile_photos where peer_id = $1 and media_id = $2`)
	photoList = define("profile_photo.list", "profile_photos", "peer_id",
		`select media_id from profile_photos where peer_id = $1
		order by date desc, media_id desc limit $2 offset $3`)
	photoCount = define("profile_photo.count", "profile_photos", "peer_id",
		`select count(*) from profile_photos where peer_id = $1`)
	photoHas = define("profile_photo.has", "profile_photos", "peer_id",
		`select date from profile_photos where peer_id = $1 and media_id = $2`)
	importPut = define("import.put", "imports", "peer_id",
		`insert into imports (peer_id, source, item, id) values ($1, $2, $3, $4)
		on conflict (peer_id, source, item) do nothing`)
	importGet = define("import.get", "imports", "peer_id",
		`select id from imports where peer_id = $1 and source = $2 and item = $3`)
)

// PutMedia writes a photo or document; of one that is there only Body changes.
func (t *Tx) PutMedia(m Media) error {
	return t.exec(mediaPut, m.ID, m.Kind, m.Owner, m.Date, m.Size, m.Digest, m.Mime, m.Body)
}

// Media returns a photo or document.
func (r *Reader) Media(id int64) (Media, error) {
	m := Media{ID: id}
	err := r.one(mediaGet, []any{id}, &m.Kind, &m.Owner, &m.Date, &m.Size, &m.Digest, &m.Mime,
		&m.Body)
	return m, err
}

// AddProfilePhoto adds a photo to those that a peer has had.
func (t *Tx) AddProfilePhoto(peer ids.Peer, id, date int64) error {
	return t.exec(photoPut, peer, id, date)
}

// DropProfilePhoto takes a photo from those that a peer has had; false when it was not one.
func (t *Tx) DropProfilePhoto(peer ids.Peer, id int64) (bool, error) {
	n, err := t.q.exec(t.ctx, photoDelete, peer, id)
	return n > 0, err
}

// ProfilePhotos returns a peer's photos, the newest first, and how many there are.
func (r *Reader) ProfilePhotos(peer ids.Peer, limit, offset int) (list []int64, total int64, err error) {
	if err := r.one(photoCount, []any{peer}, &total); err != nil {
		return nil, 0, err
	}
	err = r.each(photoList, []any{peer, limit, offset}, func(row rows) error {
		var id int64
		if err := row.Scan(&id); err != nil {
			return err
		}
		list = append(list, id)
		return nil
	})
	return list, total, err
}

// HasProfilePhoto tells whether a photo is among those that a peer has had.
func (r *Reader) HasProfilePhoto(peer ids.Peer, id int64) (bool, error) {
	found := false
	err := r.each(photoHas, []any{peer, id}, func(rows) error {
		found = true
		return nil
	})
	return found, err
}

// MarkImported notes that an item of an export became a message here.
func (t *Tx) MarkImported(peer ids.Peer, source string, item, id int64) error {
	return t.exec(importPut, peer, source, item, id)
}

// Imported returns which message an item of an export became; 0 when it was not imported.
func (r *Reader) Imported(peer ids.Peer, source string, item int64) (id int64, err error) {
	err = r.one(importGet, []any{peer, source, item}, &id)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	return id, err
}
