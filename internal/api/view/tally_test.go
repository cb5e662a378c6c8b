package view_test

import (
	"testing"

	"github.com/gotd/td/tg"

	"parley/internal/api/view"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

// A page shows each post with its own counters, whatever the order and the distance of the posts.
func TestCountersOfPage(t *testing.T) {
	s, err := store.Open(t.Context(), store.Options{
		URL: storetest.SQLiteURL(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	channel := ids.PeerChannel(7)
	list := []int64{500, 499, 300, 301, 1, 502}
	err = s.Update(t.Context(), channel, func(tx *store.Tx) error {
		if err := tx.PutChat(store.Chat{Peer: channel, Flags: store.Broadcast}); err != nil {
			return err
		}
		for _, id := range list[:5] {
			if err := tx.AddViews(channel, id, 10*id, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	body, err := message.Content{Text: "post"}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	env := &view.Env{Hash: func(viewer, peer int64) int64 { return viewer ^ peer }}
	err = s.View(t.Context(), func(r *store.Reader) error {
		v := view.New(r, env, 0, 1)
		for _, id := range list {
			m, ok := v.Message(store.Message{
				Box: channel, ID: id, Peer: channel, From: channel, Flags: store.Post, Body: body,
			}).(*tg.Message)
			if !ok {
				t.Fatalf("post %d is no message", id)
			}
			views, forwards := int(10*id)+1, int(id)
			if id == 502 {
				views, forwards = 1, 0
			}
			if m.Views != views || m.Forwards != forwards {
				t.Errorf("post %d: %d views, %d forwards, want %d, %d",
					id, m.Views, m.Forwards, views, forwards)
			}
		}
		return v.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
}
