package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/gotd/td/telegram/downloader"
	"github.com/gotd/td/telegram/uploader"
	"github.com/gotd/td/tg"
)

func (p *person) sendFile(ctx context.Context, a args) (any, error) {
	k, err := p.meet(a.Chat)
	if err != nil {
		return nil, err
	}
	file, err := uploader.NewUploader(p.Client).FromPath(ctx, a.Path)
	if err != nil {
		return nil, err
	}
	var media tg.InputMediaClass = &tg.InputMediaUploadedPhoto{File: file}
	if a.As == "document" {
		media = &tg.InputMediaUploadedDocument{
			File: file, MimeType: "application/octet-stream", ForceFile: true,
			Attributes: []tg.DocumentAttributeClass{
				&tg.DocumentAttributeFilename{FileName: filepath.Base(a.Path)},
			},
		}
	}
	got, err := p.MessagesSendMedia(ctx, &tg.MessagesSendMediaRequest{
		Peer: k.peer, Media: media, Message: a.Text, RandomID: random(),
	})
	if err != nil {
		return nil, err
	}
	return sent(got)
}

func (p *person) download(ctx context.Context, a args) (any, error) {
	got, err := p.MessagesGetMessages(ctx, []tg.InputMessageClass{&tg.InputMessageID{ID: a.ID}})
	if err != nil {
		return nil, err
	}
	list, ok := got.AsModified()
	if !ok || len(list.GetMessages()) != 1 {
		return nil, fmt.Errorf("no message %d in %T", a.ID, got)
	}
	m, ok := list.GetMessages()[0].(*tg.Message)
	if !ok {
		return nil, fmt.Errorf("message %d is %T", a.ID, list.GetMessages()[0])
	}
	at, err := location(m.Media)
	if err != nil {
		return nil, err
	}
	_, err = downloader.NewDownloader().Download(p.Client, at).ToPath(ctx, a.Path)
	return nil, err
}

// location returns where a document is, or the biggest size of a photo.
func location(media tg.MessageMediaClass) (tg.InputFileLocationClass, error) {
	switch media := media.(type) {
	case *tg.MessageMediaDocument:
		if d, ok := media.Document.(*tg.Document); ok {
			return &tg.InputDocumentFileLocation{
				ID: d.ID, AccessHash: d.AccessHash, FileReference: d.FileReference,
			}, nil
		}
	case *tg.MessageMediaPhoto:
		photo, ok := media.Photo.(*tg.Photo)
		if !ok {
			break
		}
		at := &tg.InputPhotoFileLocation{
			ID: photo.ID, AccessHash: photo.AccessHash, FileReference: photo.FileReference,
		}
		width := 0
		for _, size := range photo.Sizes {
			if s, ok := size.(*tg.PhotoSize); ok && s.W > width {
				at.ThumbSize, width = s.Type, s.W
			}
		}
		return at, nil
	}
	return nil, fmt.Errorf("no file in %T", media)
}
