package layertest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/tg"
)

// page is what messages.getHistory answers for a lively group: 50 messages with photos, documents,
// web pages, replies, reactions and entities, 20 users, 3 channels.
func page() *tg.MessagesChannelMessages {
	p := &tg.MessagesChannelMessages{Pts: 4711, Count: 1234}
	for i := range 50 {
		p.Messages = append(p.Messages, pageMessage(i))
	}
	for i := range 20 {
		u := &tg.User{ID: int64(1000 + i), Contact: i%3 == 0}
		u.SetAccessHash(int64(i) << 40)
		u.SetFirstName("First name")
		u.SetLastName("Last name")
		u.SetUsername("username_of_this")
		u.SetPhoto(&tg.UserProfilePhoto{PhotoID: 1 << 50, DCID: 2, StrippedThumb: make([]byte, 60)})
		u.SetStatus(&tg.UserStatusOffline{WasOnline: 1700000000})
		p.Users = append(p.Users, u)
	}
	for i := range 3 {
		c := &tg.Channel{ID: int64(5000 + i), Title: "A channel of many", Megagroup: true,
			Photo: &tg.ChatPhotoEmpty{}, Date: 1600000000}
		c.SetAccessHash(int64(i) << 40)
		c.SetUsername("channel_name")
		c.SetDefaultBannedRights(tg.ChatBannedRights{SendGames: true})
		p.Chats = append(p.Chats, c)
	}
	return p
}

func pageMessage(i int) *tg.Message {
	m := &tg.Message{ID: 100 + i, PeerID: &tg.PeerChannel{ChannelID: 5000}, Date: 1700000000 + i,
		Message: "A message of the usual length, with a few words in it, and a link."}
	m.SetFromID(&tg.PeerUser{UserID: int64(1000 + i%20)})
	m.SetEntities([]tg.MessageEntityClass{
		&tg.MessageEntityBold{Offset: 2, Length: 7}, &tg.MessageEntityURL{Offset: 60, Length: 4},
	})
	switch i % 5 {
	case 0:
		photo := &tg.Photo{ID: int64(i) << 33, AccessHash: 77, FileReference: make([]byte, 24),
			Date: 1700000000, DCID: 2, Sizes: []tg.PhotoSizeClass{
				&tg.PhotoStrippedSize{Type: "i", Bytes: make([]byte, 80)},
				&tg.PhotoSize{Type: "m", W: 320, H: 240, Size: 20000},
				&tg.PhotoSizeProgressive{Type: "y", W: 1280, H: 960, Sizes: []int{1, 2, 3, 4, 5}},
			}}
		media := &tg.MessageMediaPhoto{}
		media.SetPhoto(photo)
		m.SetMedia(media)
	case 1:
		media := &tg.MessageMediaDocument{}
		media.SetDocument(&tg.Document{ID: int64(i) << 33, AccessHash: 78, Size: 1 << 20,
			FileReference: make([]byte, 24), MimeType: "video/mp4", DCID: 2,
			Attributes: []tg.DocumentAttributeClass{
				&tg.DocumentAttributeVideo{Duration: 12.5, W: 640, H: 480},
				&tg.DocumentAttributeFilename{FileName: "video.mp4"},
			}})
		m.SetMedia(media)
	case 2:
		m.SetMedia(&tg.MessageMediaWebPage{Webpage: &tg.WebPage{ID: 9, URL: "https://example.org",
			DisplayURL: "example.org", Title: "Example", Description: "What it is about"}})
	case 3:
		reply := &tg.MessageReplyHeader{}
		reply.SetReplyToMsgID(90)
		m.SetReplyTo(reply)
	}
	if i%2 == 0 {
		m.SetReactions(tg.MessageReactions{Results: []tg.ReactionCount{
			{Reaction: &tg.ReactionEmoji{Emoticon: "👍"}, Count: 12},
			{Reaction: &tg.ReactionEmoji{Emoticon: "❤"}, Count: 3},
		}})
	}
	return m
}

// push is one new message with its sender, as it is sent to everybody online.
func push() *tg.Updates {
	p := page()
	return &tg.Updates{Updates: []tg.UpdateClass{
		&tg.UpdateNewChannelMessage{Message: p.Messages[3], Pts: 10, PtsCount: 1},
	}, Users: p.Users[:1], Chats: p.Chats[:1], Date: 1700000000}
}

// BenchmarkDown measures rewriting, with encoding in the same run to compare with.
func BenchmarkDown(b *testing.B) {
	s, _ := newSet(b)
	for _, v := range []struct {
		name  string
		value bin.Encoder
	}{{"page", page()}, {"push", push()}} {
		b.Run(v.name+"/encode", func(b *testing.B) {
			var buf bin.Buffer
			b.ReportAllocs()
			for b.Loop() {
				buf.Reset()
				if err := v.value.Encode(&buf); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(buf.Len()))
		})
		body := encode(b, v.value)
		for _, layer := range []int{228, 227, 198, 144} {
			b.Run(fmt.Sprintf("%s/down%d", v.name, layer), func(b *testing.B) {
				var out []byte
				var err error
				b.ReportAllocs()
				b.SetBytes(int64(len(body)))
				for b.Loop() {
					if out, err = s.Down(out[:0], layer, body); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkRatio compares rewriting with encoding in turns, so that a busy machine slows both; it
// reports the quotient of the best times.
func BenchmarkRatio(b *testing.B) {
	s, _ := newSet(b)
	for _, v := range []struct {
		name  string
		value bin.Encoder
	}{{"page", page()}, {"push", push()}} {
		body := encode(b, v.value)
		for _, layer := range []int{228, 227, 225, 223, 198, 152, 144} {
			b.Run(fmt.Sprintf("%s/%d", v.name, layer), func(b *testing.B) {
				var buf bin.Buffer
				var out []byte
				var err error
				best := [2]time.Duration{time.Hour, time.Hour}
				rounds := max(1, 200_000/len(body))
				for b.Loop() {
					start := time.Now()
					for range rounds {
						buf.Reset()
						err = errors.Join(err, v.value.Encode(&buf))
					}
					middle := time.Now()
					for range rounds {
						out, err = s.Down(out[:0], layer, body)
					}
					best[0] = min(best[0], middle.Sub(start))
					best[1] = min(best[1], time.Since(middle))
					if err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(best[0])/float64(rounds), "ns/encode")
				b.ReportMetric(float64(best[1])/float64(rounds), "ns/down")
				b.ReportMetric(float64(best[1])/float64(best[0]), "down/encode")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// BenchmarkUp measures requests: one that needs a rule, and one that needs nothing.
func BenchmarkUp(b *testing.B) {
	s, table := newSet(b)
	for _, l := range []int{158, 229} {
		v := M{"_": "messages.sendMessage", "message": "hello", "random_id": 1,
			"peer": M{"_": "inputPeerUser", "user_id": 7, "access_hash": 8}}
		if l == 158 {
			v["reply_to_msg_id"] = 17
		}
		body := NewBook(l, table.At(l)).Pack(v)
		b.Run(fmt.Sprintf("sendMessage/%d", l), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Up(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNew measures what the start of the server takes, and the first client of a layer.
func BenchmarkNew(b *testing.B) {
	body := encode(b, &tg.UpdatesTooLong{})
	for b.Loop() {
		s, _ := newSet(b)
		if _, err := s.Down(nil, 198, body); err != nil {
			b.Fatal(err)
		}
	}
}
