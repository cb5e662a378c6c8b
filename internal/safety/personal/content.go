package personal

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"

	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/safety/policy"
	"parley/internal/store"
)

// page is how many messages are read together, and so are in memory beside what is given out.
const page = 200

// each calls fn for every message that the person himself has sent in the time that is asked for:
// in private chats and basic groups, and in the groups and channels of his list. An order about a
// channel's posts names the channel: what goes out under a channel's name is not read here. More
// than MaxRecords of all places together are ErrMuch.
func each(r *store.Reader, q Query, fn func(store.Message, message.Content) error) error {
	boxes := []ids.Peer{q.Person.Peer()}
	places, err := groups(r, q.Person)
	if err != nil {
		return err
	}
	for _, p := range places {
		if p.Kind() == ids.Channel {
			boxes = append(boxes, p)
		}
	}
	left := MaxRecords
	for _, box := range boxes {
		if err := eachOf(r, q, box, &left, fn); err != nil {
			return err
		}
	}
	return nil
}

// eachOf is each for one place, where at most left messages may be; it takes its own off.
func eachOf(
	r *store.Reader, q Query, box ids.Peer, left *int,
	fn func(store.Message, message.Content) error,
) error {
	until := q.To
	if until == 0 {
		until = math.MaxInt64
	}
	for below := int64(math.MaxInt32); ; {
		list, err := r.MessagesIn(box, q.Person.Peer(), q.From, until, below, page)
		if err != nil {
			return err
		}
		for _, m := range list {
			below = m.ID
			c, err := message.DecodeContent(m.Body)
			if err != nil {
				return fmt.Errorf("message %d of %d: %w", m.ID, box, err)
			}
			if c.Action != nil {
				continue // an event of a group, and nothing that anybody wrote
			}
			if *left--; *left < 0 {
				return ErrMuch
			}
			if err := fn(m, c); err != nil {
				return err
			}
		}
		if len(list) < page {
			return nil
		}
	}
}

func messages(r *store.Reader, q Query) (out []Record, err error) {
	err = each(r, q, func(m store.Message, c message.Content) error {
		where := m.Peer
		if m.Box.Kind() == ids.Channel {
			where = m.Box
		}
		x := record(policy.Messages, "messages", m.Date, "id", number(m.ID),
			"peer_id", number(where), "date", moment(m.Date), "edited", moment(m.Edited),
			"body.text", c.Text)
		x.Fields = append(x.Fields, carried(c.Media)...)
		out = append(out, x)
		return nil
	})
	oldestFirst(out)
	return out, err
}

// oldestFirst sorts records by their time, and those of one moment by where they are.
func oldestFirst(list []Record) {
	slices.SortStableFunc(list, func(a, b Record) int {
		return int(a.At - b.At)
	})
}

// carried is what a message carries beside its text.
func carried(m *message.Media) []Field {
	if m == nil {
		return nil
	}
	kind := "other"
	switch m.Kind {
	case message.Photo:
		kind = "photo"
	case message.Document:
		kind = document(m.Class)
	}
	coordinate := func(x float64) string {
		if m.Lat == 0 && m.Long == 0 {
			return ""
		}
		return strconv.FormatFloat(x, 'f', 6, 64)
	}
	return record("", "", 0, "body.media", kind, "body.media.text", m.Text,
		"body.media.latitude", coordinate(m.Lat), "body.media.longitude", coordinate(m.Long),
		"body.media.phone", m.Phone, "body.media.first_name", m.First,
		"body.media.last_name", m.Last, "body.media.address", m.Address).Fields
}

// document is what a document is, in a word.
func document(c message.DocumentClass) string {
	switch c {
	case message.Video, message.RoundVideo:
		return "video"
	case message.Voice, message.Audio:
		return "sound"
	case message.GIF:
		return "animation"
	case message.Sticker:
		return "sticker"
	default:
		return "file"
	}
}

func files(r *store.Reader, q Query) (out []Record, err error) {
	seen := make(map[int64]bool)
	err = each(r, q, func(m store.Message, c message.Content) error {
		if c.Media == nil || c.Media.ID == 0 || seen[c.Media.ID] ||
			c.Media.Kind != message.Photo && c.Media.Kind != message.Document {
			return nil
		}
		seen[c.Media.ID] = true
		f, err := r.Media(c.Media.ID)
		if store.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		out = append(out, record(policy.Files, "media", m.Date, "media_id", number(f.ID),
			"date", moment(f.Date), "size", number(f.Size), "digest", hex.EncodeToString(f.Digest),
			"mime", f.Mime))
		return nil
	})
	oldestFirst(out)
	return out, err
}
