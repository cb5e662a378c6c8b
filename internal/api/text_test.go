package api

import (
	"errors"
	"strings"
	"testing"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"

	"parley/internal/api/view"
)

// TestTextsAreUTF8 makes sure that no text that is not UTF-8 gets past the door, however deep it is
// in a request: stored, it would make the messages of whoever got it unreadable.
func TestTextsAreUTF8(t *testing.T) {
	const bad = "a\xffb"
	peer := &tg.InputPeerSelf{}
	media := func(m tg.InputMediaClass) bin.Encoder {
		return &tg.MessagesSendMediaRequest{Peer: peer, Media: m}
	}
	send := On(User, Send, func(*Call, *tg.MessagesSendMessageRequest) (*tg.BoolBox, error) {
		return nil, nil
	})
	sendMedia := On(User, Send, func(*Call, *tg.MessagesSendMediaRequest) (*tg.BoolBox, error) {
		return nil, nil
	})
	react := On(User, Write, func(*Call, *tg.MessagesSendReactionRequest) (*tg.BoolBox, error) {
		return nil, nil
	})
	part := On(User, File, func(*Call, *tg.UploadSaveFilePartRequest) (*tg.BoolBox, error) {
		return nil, nil
	})
	for name, c := range map[string]struct {
		row  Method
		req  bin.Encoder
		want error
	}{
		"text": {send, &tg.MessagesSendMessageRequest{Peer: peer, Message: bad}, ErrDecode},
		"link": {send, &tg.MessagesSendMessageRequest{
			Peer: peer, Message: "a", Entities: []tg.MessageEntityClass{
				&tg.MessageEntityTextURL{Length: 1, URL: bad},
			},
		}, ErrDecode},
		"contact card": {sendMedia, media(&tg.InputMediaContact{PhoneNumber: bad}), ErrDecode},
		"file name": {sendMedia, media(&tg.InputMediaUploadedDocument{
			File: &tg.InputFile{}, Attributes: []tg.DocumentAttributeClass{
				&tg.DocumentAttributeFilename{FileName: bad},
			},
		}), ErrDecode},
		"reaction": {react, &tg.MessagesSendReactionRequest{
			Peer: peer, Reaction: []tg.ReactionClass{&tg.ReactionEmoji{Emoticon: bad}},
		}, ErrDecode},
		"bytes are no text": {part, &tg.UploadSaveFilePartRequest{Bytes: []byte(bad)}, nil},
		"a good text":       {send, &tg.MessagesSendMessageRequest{Peer: peer, Message: "ä"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := view.Encode(c.req)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.row.call(&Call{}, &bin.Buffer{Buf: body}); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func BenchmarkLegible(b *testing.B) {
	b.ReportAllocs()
	row := On(User, Send, func(*Call, *tg.MessagesSendMessageRequest) (*tg.BoolBox, error) {
		return nil, nil
	})
	body, err := view.Encode(&tg.MessagesSendMessageRequest{
		Peer: &tg.InputPeerUser{UserID: 1}, Message: "hello there",
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := row.call(&Call{}, &bin.Buffer{Buf: body}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestLabel makes sure that what a client says of itself can be kept.
func TestLabel(t *testing.T) {
	for in, want := range map[string]string{
		"Desktop":                     "Desktop",
		"a\xffb":                      "ab",
		strings.Repeat("ä", 1000):     strings.Repeat("ä", 64),
		"x" + strings.Repeat("ä", 64): "x" + strings.Repeat("ä", 63),
	} {
		if got := label(in); got != want {
			t.Errorf("label(%q) = %q, want %q", in, got, want)
		}
	}
}
