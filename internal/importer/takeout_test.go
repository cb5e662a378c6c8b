package importer_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"parley/internal/chat/account"
	"parley/internal/chat/media"
	"parley/internal/chat/media/imaging"
	"parley/internal/chat/message"
	"parley/internal/chat/takeout"
	"parley/internal/ids"
	"parley/internal/importer"
	"parley/internal/node/nodetest"
	"parley/internal/store"
)

// owner is an account with a saved message of every kind that a copy has.
func owner(t *testing.T, s *nodetest.Server) ids.UserID {
	t.Helper()
	ctx := context.Background()
	me, _, err := s.Node.Account.CreateAccount(ctx, "", "Member", "")
	if err != nil {
		t.Fatal(err)
	}
	picture, err := os.Open(filepath.Join(export(t), "photos", "quay.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = picture.Close() }()
	photo, err := s.Node.Media.AddPhoto(ctx, me, picture, imaging.Message)
	if err != nil {
		t.Fatal(err)
	}
	list := []message.Content{
		{Text: "bold and plain", Entities: []message.Entity{{Kind: message.Bold, Length: 4}}},
		{Text: "a photo", Media: &message.Media{Kind: message.Photo, ID: photo.ID}},
		{Media: &message.Media{Kind: message.Geo, Lat: 52.5, Long: 13.25}},
	}
	for i := range 3 {
		doc, err := s.Node.Media.AddDocument(ctx, me, strings.NewReader("file "+strconv.Itoa(i)),
			"text/plain", []media.Attribute{{Kind: media.Filename, Text: "../notes: 1.txt"}})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, message.Content{
			Text: "file", Media: &message.Media{Kind: message.Document, ID: doc.ID},
		})
	}
	for i, c := range list {
		_, err := s.Node.Message.Send(ctx, message.Outgoing{
			From: me, To: me.Peer(), Random: int64(i + 1), Content: c,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return me
}

// unpack unpacks all parts of an account's copy into one folder and returns how many there were.
// Every part but the first is made twice.
func unpack(t *testing.T, c *takeout.Service, me ids.UserID, into string) (parts int) {
	t.Helper()
	var at takeout.Cursor
	for !at.Done {
		var one, again bytes.Buffer
		next, err := c.Part(context.Background(), me, at, &one)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := c.Part(context.Background(), me, at, &again); err != nil || same != next ||
			!bytes.Equal(one.Bytes(), again.Bytes()) {
			t.Errorf("part %d made again is another, or ends at %+v, not %+v: %v", at.Part, same,
				next, err)
		}
		z, err := zip.NewReader(bytes.NewReader(one.Bytes()), int64(one.Len()))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(into, filepath.FromSlash(f.Name)), b)
		}
		at = next
	}
	return at.Part
}

// TestACopyComesBack brings the copy of an account into a server again: every message with its
// markup, and every file with its bytes, out of several parts.
func TestACopyComesBack(t *testing.T) {
	s := nodetest.Start(t, nil)
	me := owner(t, s)
	copies := &takeout.Service{Store: s.Node.Store, Files: s.Node.Media.Blobs, Most: 2}
	dir := t.TempDir()
	if n := unpack(t, copies, me, dir); n != 2 {
		t.Errorf("%d parts of two files", n)
	}
	im := s.Node.Importer(account.ServiceUser)
	if _, err := im.Import(context.Background(), dir, ""); !errors.Is(err, importer.ErrChat) ||
		!strings.Contains(err.Error(), strconv.FormatInt(int64(me), 10)) {
		t.Errorf("which of the chats: %v", err)
	}
	im.Chat = int64(me)
	r, err := im.Import(context.Background(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if r.Imported != 6 || len(r.Damaged)+len(r.Lacking) != 0 {
		t.Fatalf("%+v", r)
	}
	var files []string
	for i, m := range posts(t, s, r) {
		c := content(t, m)
		switch {
		case i == 0 && (len(c.Entities) != 1 || c.Entities[0].Kind != message.Bold):
			t.Errorf("markup %+v", c.Entities)
		case c.Media != nil && c.Media.Kind == message.Document:
			files = append(files, bytesOf(t, s, c.Media.ID))
		}
	}
	if got := strings.Join(files, ","); got != "file 0,file 1,file 2" {
		t.Errorf("files %q", got)
	}
}

// bytesOf are the bytes of a document.
func bytesOf(t *testing.T, s *nodetest.Server, id int64) string {
	t.Helper()
	var b []byte
	err := s.Node.Store.View(context.Background(), func(r *store.Reader) error {
		f, row, err := media.Load(r, id)
		if err != nil {
			return err
		}
		digest, size, _ := f.Bytes(row, "")
		b, err = s.Node.Media.Read(context.Background(), digest, 0, int(size))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestAnArchive imports from a ZIP archive as it is.
func TestAnArchive(t *testing.T) {
	s := nodetest.Start(t, nil)
	at := filepath.Join(t.TempDir(), "export.zip")
	f, err := os.Create(at)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	if err := errors.Join(z.AddFS(os.DirFS(export(t))), z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	r, err := s.Node.Importer(account.ServiceUser).Import(context.Background(), at, "")
	if err != nil || r.Imported != 7 {
		t.Errorf("%+v: %v", r, err)
	}
}
