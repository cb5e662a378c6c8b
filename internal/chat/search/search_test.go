package search_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"parley/internal/chat/box"
	"parley/internal/chat/message"
	"parley/internal/chat/search"
	"parley/internal/ids"
	"parley/internal/store"
)

const (
	reader  = ids.UserID(1001)
	channel = ids.Peer(-1000000000007)
)

// place is a channel to search.
type place struct {
	*search.Service
	t *testing.T
}

func newPlace(t *testing.T) *place {
	t.Helper()
	s, err := store.Open(context.Background(), store.Options{
		URL: "sqlite:" + filepath.Join(t.TempDir(), "parley.db"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &place{&search.Service{Store: s}, t}
}

func (p *place) update(key ids.Peer, fn func(*store.Tx) error) {
	p.t.Helper()
	if err := p.Store.Update(context.Background(), key, fn); err != nil {
		p.t.Fatal(err)
	}
}

func body(t *testing.T, text string) []byte {
	t.Helper()
	b, err := message.Content{Text: text}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// post adds a message to a box and returns its id.
func (p *place) post(in, peer ids.Peer, text string) (id int64) {
	p.t.Helper()
	p.update(in, func(tx *store.Tx) error {
		b, err := tx.Box(in)
		if err != nil {
			return err
		}
		m := store.Message{
			Box: in, Peer: peer, From: reader.Peer(), Date: 1, Origin: reader.Peer(),
			Nonce: b.TopID + 1, Body: body(p.t, text),
		}
		_, err = tx.AddMessage(&m, int64(box.NewMessage), func(id int64) []byte {
			return box.Entry{ID: id}.Encode()
		})
		id = m.ID
		return err
	})
	return id
}

func (p *place) edit(id int64, text string) {
	p.t.Helper()
	p.update(channel, func(tx *store.Tx) error {
		m, err := tx.Message(channel, id)
		if err != nil {
			return err
		}
		m.Body = body(p.t, text)
		if err := tx.SetMessage(&m); err != nil {
			return err
		}
		_, err = box.Append(tx, channel, box.EditMessage, 1, 2, box.Entry{ID: id})
		return err
	})
}

func (p *place) expect(peer ids.Peer, query string, want ...int64) {
	p.t.Helper()
	got, err := p.Find(context.Background(), reader, peer, query, 1<<31-1, 100)
	if err != nil {
		p.t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		p.t.Errorf("%q finds %v, want %v", query, got, want)
	}
}

func TestSearchFollowsPostsEditsAndDeletions(t *testing.T) {
	p := newPlace(t)
	first := p.post(channel, channel, "Ships in the harbour")
	p.expect(channel, "ship", first)
	second := p.post(channel, channel, "Another ship")
	p.expect(channel, "ships", second, first)
	p.expect(channel, "another ship", second)
	p.edit(first, "Trains at the station")
	p.expect(channel, "ship", second)
	p.expect(channel, "train", first)
	p.update(channel, func(tx *store.Tx) error {
		_, err := tx.DeleteMessage(channel, second)
		return err
	})
	p.expect(channel, "ship")
}

func TestSearchOutlivesTheLog(t *testing.T) {
	p := newPlace(t)
	first := p.post(channel, channel, "Ships in the harbour")
	p.expect(channel, "harbour", first)
	p.edit(first, "Trains at the station")
	second := p.post(channel, channel, "Another train")
	p.update(channel, func(tx *store.Tx) error {
		b, err := tx.Box(channel)
		if err != nil {
			return err
		}
		return tx.TrimEvents(channel, b.Pts)
	})
	p.expect(channel, "train", second, first)
}

func TestPrivateChatsAreReadThrough(t *testing.T) {
	p := newPlace(t)
	friend := ids.UserID(1002).Peer()
	p.post(reader.Peer(), ids.UserID(1003).Peer(), "a ship elsewhere")
	id := p.post(reader.Peer(), friend, "our ship")
	p.expect(friend, "ships", id)
	p.update(0, func(tx *store.Tx) error {
		list, err := tx.MessagesByTerm(reader.Peer(), "ship", 1<<31-1, 10)
		if len(list) > 0 {
			t.Error("a private message is in the index")
		}
		return err
	})
}
