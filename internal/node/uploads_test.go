package node

import (
	"bytes"
	"slices"
	"testing"

	"github.com/gotd/td/tg"

	"parley/internal/ids"
	"parley/internal/limit"
)

// fetch downloads a document from the message in which a device met it.
func (d *client) fetch(t *testing.T, doc *tg.Document) []byte {
	t.Helper()
	var all []byte
	for int64(len(all)) < doc.Size {
		out := must(d.UploadGetFile(ctx(), &tg.UploadGetFileRequest{
			Location: doc.AsInputDocumentFileLocation(""), Offset: int64(len(all)),
			Limit: limit.DownloadPart,
		}))(t).(*tg.UploadFile)
		if len(out.Bytes) == 0 {
			t.Fatalf("the file ends after %d of %d bytes", len(all), doc.Size)
		}
		all = append(all, out.Bytes...)
	}
	return all
}

func TestBigFile(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	const parts = 23 // more than a small file may have, with the last part short
	content := bytes.Repeat([]byte("0123456789abcdef"), ((parts-1)*limit.UploadPart+5*1024)/16)
	for what, known := range map[string]bool{"number of parts known": true, "streamed": false} {
		id := random()
		chunks := slices.Collect(slices.Chunk(content, limit.UploadPart))
		for _, i := range []int{1, 0, parts - 1, 2} { // in any order, and what repeats is the same
			save(t, a.client, id, i, chunks, known)
		}
		for i := 2; i < parts-1; i++ {
			save(t, a.client, id, i, chunks, known)
		}
		u := must(a.MessagesSendMedia(ctx(), &tg.MessagesSendMediaRequest{
			Peer: a.input(b.self.Peer()), RandomID: random(), Media: &tg.InputMediaUploadedDocument{
				File: &tg.InputFileBig{ID: id, Parts: parts, Name: "big"}, MimeType: "text/plain",
				Attributes: []tg.DocumentAttributeClass{&tg.DocumentAttributeFilename{FileName: "big"}},
			},
		}))(t)
		w.settle()
		if idOf(t, u) == 0 {
			t.Fatal(what)
		}
		m := b.message(t, b.theirs(t, a.self.Peer(), 0))
		doc := m.Media.(*tg.MessageMediaDocument).Document.(*tg.Document)
		if !bytes.Equal(b.fetch(t, doc), content) {
			t.Errorf("%s: the file came changed", what)
		}
	}
	part := func(i, total int, b []byte) error {
		return failure(a.UploadSaveBigFilePart(ctx(), &tg.UploadSaveBigFilePartRequest{
			FileID: 1, FilePart: i, FileTotalParts: total, Bytes: b,
		}))
	}
	for _, bad := range []struct {
		part, total, length int
		reason              string
	}{
		{0, 0, 1024, "FILE_PARTS_INVALID"}, {0, -2, 1024, "FILE_PARTS_INVALID"},
		{0, limit.UploadParts + 1, 1024, "FILE_PARTS_INVALID"},
		{3, 3, 1024, "FILE_PARTS_INVALID"}, {-1, 3, 1024, "FILE_PART_INVALID"},
		{0, 3, 0, "FILE_PART_EMPTY"}, {0, 3, limit.UploadPart + 1024, "FILE_PART_TOO_BIG"},
	} {
		refused(t, "a bad part", part(bad.part, bad.total, make([]byte, bad.length)), bad.reason)
	}
	if err := part(0, 3, make([]byte, 1024)); err != nil {
		t.Fatal(err)
	}
	refused(t, "a file that lacks a part", failure(a.MessagesUploadMedia(ctx(),
		&tg.MessagesUploadMediaRequest{
			Peer: &tg.InputPeerSelf{}, Media: &tg.InputMediaUploadedDocument{
				File: &tg.InputFileBig{ID: 1, Parts: 3}, MimeType: "text/plain",
			},
		})), "FILE_PART_1_MISSING")
}

// save uploads a part of a big file.
func save(t *testing.T, d *client, id int64, i int, chunks [][]byte, known bool) {
	t.Helper()
	total := -1
	if known || i == len(chunks)-1 {
		total = len(chunks)
	}
	must(d.UploadSaveBigFilePart(ctx(), &tg.UploadSaveBigFilePartRequest{
		FileID: id, FilePart: i, FileTotalParts: total, Bytes: chunks[i],
	}))(t)
}

// ready uploads a photo without sending it.
func (d *client) ready(t *testing.T, peer ids.Peer) *tg.InputMediaPhoto {
	t.Helper()
	m := must(d.MessagesUploadMedia(ctx(), &tg.MessagesUploadMediaRequest{
		Peer: d.input(peer), Media: &tg.InputMediaUploadedPhoto{
			File: d.upload(t, picture(t, 120, 90, uint8(random()))),
		},
	}))(t)
	return &tg.InputMediaPhoto{ID: m.(*tg.MessageMediaPhoto).Photo.(*tg.Photo).AsInput()}
}

func TestAlbum(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	tablet := a.another()
	for what, to := range map[string]ids.Peer{
		"private chat": b.self.Peer(), "basic group": a.group(t, "Group", b),
		"supergroup": a.channel(t, "Room", false, b),
	} {
		forget(a.client, b.client, tablet)
		in := &tg.MessagesSendMultiMediaRequest{Peer: a.input(to)}
		for _, caption := range []string{"first", "second", ""} {
			in.MultiMedia = append(in.MultiMedia, tg.InputSingleMedia{
				Media: a.ready(t, to), RandomID: random(), Message: caption,
			})
		}
		answer := listOf(t, must(a.MessagesSendMultiMedia(ctx(), in))(t))
		var named []int64
		for _, x := range answer {
			if m, ok := x.(*tg.UpdateMessageID); ok {
				named = append(named, m.RandomID)
			}
		}
		for _, m := range in.MultiMedia {
			if !slices.Contains(named, m.RandomID) {
				t.Errorf("%s: the answer does not name %d: %v", what, m.RandomID, named)
			}
		}
		w.settle()
		from := to
		if to.Kind() == ids.User {
			from = a.self.Peer()
		}
		for who, d := range map[string]*client{"the other": b.client, "the tablet": tablet} {
			peer := from
			if d == tablet {
				peer = to
			}
			out, _ := must(d.MessagesGetHistory(ctx(), &tg.MessagesGetHistoryRequest{
				Peer: d.input(peer), Limit: 3,
			}))(t).AsModified()
			list := out.GetMessages()
			if got := texts(list); !slices.Equal(got, []string{"", "second", "first"}) {
				t.Fatalf("%s: %s has %q", what, who, got)
			}
			group := list[0].(*tg.Message).GroupedID
			for _, m := range list {
				if m := m.(*tg.Message); group == 0 || m.GroupedID != group || m.Media == nil {
					t.Errorf("%s: %s: not of the album: %+v", what, who, m)
				}
			}
		}
		// The same once more is the same album.
		again := must(a.MessagesSendMultiMedia(ctx(), in))(t)
		if idOf(t, again) != idOf(t, &tg.Updates{Updates: answer}) {
			t.Errorf("%s: a repeated album is another one", what)
		}
		if n := len(a.history(t, to)); n != 3 {
			t.Errorf("%s: %d messages after it was repeated", what, n)
		}
	}
	send := func(list ...tg.InputSingleMedia) error {
		return failure(a.MessagesSendMultiMedia(ctx(), &tg.MessagesSendMultiMediaRequest{
			Peer: a.input(b.self.Peer()), MultiMedia: list,
		}))
	}
	one := tg.InputSingleMedia{Media: a.ready(t, b.self.Peer()), RandomID: random()}
	refused(t, "no media", send(), "MULTI_MEDIA_TOO_LONG")
	refused(t, "too many", send(slices.Repeat([]tg.InputSingleMedia{one}, 11)...),
		"MULTI_MEDIA_TOO_LONG")
	stranger := one.Media.(*tg.InputMediaPhoto).ID.(*tg.InputPhoto)
	refused(t, "another's photo before it was sent", failure(b.MessagesUploadMedia(ctx(),
		&tg.MessagesUploadMediaRequest{
			Peer: &tg.InputPeerSelf{}, Media: &tg.InputMediaPhoto{ID: stranger},
		})), "FILE_REFERENCE")
	before := a.history(t, b.self.Peer())
	bad := one
	bad.Media, bad.RandomID = &tg.InputMediaPhoto{ID: &tg.InputPhoto{ID: 1, AccessHash: 1}}, random()
	if err := send(one, bad); err == nil {
		t.Error("an album with a photo that is none was sent")
	}
	if got := a.history(t, b.self.Peer()); !slices.Equal(got, before) {
		t.Errorf("a refused album left %q", got)
	}
}

func TestDeletePhotos(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	tablet := a.another()
	b.say(a.self.Peer(), "hello")
	var own []*tg.Photo
	for range 3 {
		own = append(own, a.profilePhoto(t))
		w.clock.Advance(1e9)
	}
	forget(b.client, tablet)
	photos := func(d *client) (out []int64) {
		t.Helper()
		list := must(d.PhotosGetUserPhotos(ctx(), &tg.PhotosGetUserPhotosRequest{
			UserID: d.inputUser(a), Limit: 10,
		}))(t)
		for _, p := range list.GetPhotos() {
			out = append(out, p.GetID())
		}
		return out
	}
	shown := func() int64 {
		t.Helper()
		u := must(b.UsersGetUsers(ctx(), []tg.InputUserClass{b.inputUser(a)}))(t)[0].(*tg.User)
		p, _ := u.Photo.(*tg.UserProfilePhoto)
		if p == nil {
			return 0
		}
		return p.PhotoID
	}
	drop := func(d *client, list ...*tg.Photo) []int64 {
		t.Helper()
		var in []tg.InputPhotoClass
		for _, p := range list {
			in = append(in, p.AsInput())
		}
		return must(d.PhotosDeletePhotos(ctx(), in))(t)
	}
	if got := drop(b.client, own[0]); len(got) != 0 || len(photos(b.client)) != 3 {
		t.Errorf("somebody else deleted %v", got)
	}
	if got := drop(a.client, own[0]); !slices.Equal(got, []int64{own[0].ID}) {
		t.Errorf("deleted %v", got)
	}
	if shown() != own[2].ID || len(photos(b.client)) != 2 {
		t.Errorf("after an old one went %d shows, of %v", shown(), photos(b.client))
	}
	// The one that shows gives way to the one before, and all are told.
	drop(a.client, own[2])
	hears(tablet, func(u *tg.UpdateUser) bool { return u.UserID == int64(a.self) })
	hears(b.client, func(u *tg.UpdateUser) bool { return u.UserID == int64(a.self) })
	if shown() != own[1].ID || !slices.Equal(photos(tablet), []int64{own[1].ID}) {
		t.Errorf("after the newest went %d shows, of %v", shown(), photos(tablet))
	}
	drop(a.client, own[1], own[1])
	if shown() != 0 || len(photos(b.client)) != 0 {
		t.Errorf("after the last went %d shows, of %v", shown(), photos(b.client))
	}
	many := make([]tg.InputPhotoClass, 101)
	for i := range many {
		many[i] = own[0].AsInput()
	}
	refused(t, "too many", failure(a.PhotosDeletePhotos(ctx(), many)), "LIMIT_INVALID")
}

// TestRepeatedMedia repeats sends whose answer was lost, long after the reference of the file has
// run out: the answer is the first one, and there is no second message.
func TestRepeatedMedia(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	one := &tg.MessagesSendMediaRequest{
		Peer: a.input(b.self.Peer()), RandomID: random(), Media: a.ready(t, b.self.Peer()),
	}
	album := &tg.MessagesSendMultiMediaRequest{Peer: one.Peer}
	for range 2 {
		album.MultiMedia = append(album.MultiMedia, tg.InputSingleMedia{
			Media: a.ready(t, b.self.Peer()), RandomID: random(),
		})
	}
	first := idOf(t, must(a.MessagesSendMedia(ctx(), one))(t))
	second := idOf(t, must(a.MessagesSendMultiMedia(ctx(), album))(t))
	w.settle()
	w.clock.Advance(30 * 24 * 60 * 60 * 1e9)
	refused(t, "the file in another message", failure(a.MessagesSendMedia(ctx(),
		&tg.MessagesSendMediaRequest{Peer: one.Peer, RandomID: random(), Media: one.Media})),
		"FILE_REFERENCE_EXPIRED")
	if id := idOf(t, must(a.MessagesSendMedia(ctx(), one))(t)); id != first {
		t.Errorf("the repeated photo is %d, not %d", id, first)
	}
	if id := idOf(t, must(a.MessagesSendMultiMedia(ctx(), album))(t)); id != second {
		t.Errorf("the repeated album begins with %d, not %d", id, second)
	}
	if n := len(b.history(t, a.self.Peer())); n != 3 {
		t.Errorf("the other has %d messages", n)
	}
}
