package live_test

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"parley/internal/api/chats/roomtest"
	"parley/internal/api/live"
	"parley/internal/chat/box"
	"parley/internal/chat/message"
	"parley/internal/chat/restrict"
	"parley/internal/ids"
	"parley/internal/store"
)

var channel = ids.PeerChannel(5)

// TestEditOfHiddenHistory: who joined a group that hides its history hears nothing of what was said
// before, also not when it is edited or reacted to.
func TestEditOfHiddenHistory(t *testing.T) {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{
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
	w := roomtest.New(t, s)
	join := func(who ids.UserID, hidden int64) {
		w.Update(channel, func(tx *store.Tx) error {
			return tx.PutMember(store.Member{
				Peer: channel, User: who, Role: store.Participant, Date: w.Clock.Now().Unix(),
			})
		})
		w.Update(who.Peer(), func(tx *store.Tx) error {
			return tx.PutDialog(store.Dialog{User: who, Peer: channel, MinID: hidden})
		})
	}
	w.Update(channel, func(tx *store.Tx) error {
		return tx.PutChat(store.Chat{
			Peer: channel, Title: "Veiled", Flags: store.Megagroup | store.HistoryHidden,
		})
	})
	join(roomtest.Alice, 0)
	join(roomtest.Carol, 0)
	w.Clock.Advance(time.Hour)
	old := w.Post(roomtest.Alice, channel, "before")
	w.Clock.Advance(time.Hour)
	join(roomtest.Bob, old)
	w.Clock.Advance(time.Hour)

	var edited store.Event
	w.Store.OnCommit(func(c store.Commit) {
		for _, e := range c.Events {
			if e.Box == channel && box.Kind(e.Kind) == box.EditMessage {
				edited = e
			}
		}
		w.Courier.Committed(c)
	})
	text := "the secret"
	_, err = w.Message.Edit(ctx, roomtest.Alice, channel, old, message.Change{Text: &text})
	if err != nil {
		t.Fatal(err)
	}
	x := &live.Renderer{Store: s, Env: w.Desk.Env, Clock: w.Clock}
	render := x.Render(func(_ int, body []byte) ([]byte, error) { return body, nil })
	shared, err := render.Shared(ctx, channel, []store.Event{edited}, restrict.Audience{})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(shared.Body, []byte(text)) {
		t.Error("those who were there are not told of the edit")
	}
	if slices.Contains(shared.Apart, roomtest.Carol) {
		t.Error("who was there is told apart")
	}
	if !slices.Contains(shared.Apart, roomtest.Bob) {
		t.Fatal("who joined later is told what was said before")
	}
	body, err := render.Apart(ctx, roomtest.Bob, channel, []store.Event{edited})
	if err != nil || body != nil {
		t.Errorf("who joined later is told %d bytes: %v", len(body), err)
	}
	body, err = render.Apart(ctx, roomtest.Alice, channel, []store.Event{edited})
	if err != nil || !bytes.Contains(body, []byte(text)) {
		t.Errorf("the author is told %d bytes: %v", len(body), err)
	}
}
