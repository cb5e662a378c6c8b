package node

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"testing"

	"github.com/gotd/td/tg"

	"parley/internal/ids"
)

// picture is a JPEG of a size, and of a shade that makes it differ from others.
func picture(t *testing.T, width, height int, shade uint8) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width {
		for j := range height {
			m.Set(i, j, color.RGBA{R: shade, G: uint8(i), B: uint8(j), A: 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// upload sends a small file in one part.
func (d *client) upload(t *testing.T, content []byte) *tg.InputFile {
	t.Helper()
	id := random()
	must(d.UploadSaveFilePart(ctx(), &tg.UploadSaveFilePartRequest{
		FileID: id, Bytes: content,
	}))(t)
	return &tg.InputFile{ID: id, Parts: 1, Name: "file"}
}

// picture sends a photo with a caption and returns its id for the sender.
func (d *client) picture(t *testing.T, to ids.Peer, caption string) int {
	t.Helper()
	u := must(d.MessagesSendMedia(ctx(), &tg.MessagesSendMediaRequest{
		Peer: d.input(to), RandomID: random(), Message: caption,
		Media: &tg.InputMediaUploadedPhoto{
			File: d.upload(t, picture(t, 100, 100, uint8(random()))),
		},
	}))(t)
	d.w.settle()
	return idOf(t, u)
}

// profilePhoto gives the own account a photo, of another shade than what scenes are furnished with.
func (d *client) profilePhoto(t *testing.T) *tg.Photo {
	t.Helper()
	in := &tg.PhotosUploadProfilePhotoRequest{}
	in.SetFile(d.upload(t, picture(t, 200, 200, 128|uint8(random()))))
	out := must(d.PhotosUploadProfilePhoto(ctx(), in))(t)
	return out.Photo.(*tg.Photo)
}

// voice sends a voice message.
func (d *client) voice(t *testing.T, to ids.Peer) error {
	t.Helper()
	_, err := d.MessagesSendMedia(ctx(), &tg.MessagesSendMediaRequest{
		Peer: d.input(to), RandomID: random(), Media: &tg.InputMediaUploadedDocument{
			File: d.upload(t, []byte("voice")), MimeType: "audio/ogg",
			Attributes: []tg.DocumentAttributeClass{
				&tg.DocumentAttributeAudio{Voice: true, Duration: 1},
			},
		},
	})
	d.w.settle()
	return err
}
