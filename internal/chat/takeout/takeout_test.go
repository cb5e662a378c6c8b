package takeout_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	entries "parley/internal/chat/box"
	"parley/internal/chat/message"
	"parley/internal/chat/takeout"
	"parley/internal/ids"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(storetest.Main(m)) }

// TestEverythingOnce has all of an account's messages once, over several pages, of a channel only
// its own, and nothing of a history that was deleted.
func TestEverythingOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const me, other = ids.UserID(7001), ids.UserID(7002)
		channel := ids.ChannelID(9).Peer()
		update := func(key ids.Peer, fn func(*store.Tx) error) {
			t.Helper()
			if err := s.Update(context.Background(), key, fn); err != nil {
				t.Fatal(err)
			}
		}
		put := func(box, peer, from ids.Peer, id int64, text string) {
			t.Helper()
			body, err := message.Content{Text: text}.Encode()
			if err != nil {
				t.Fatal(err)
			}
			update(box, func(tx *store.Tx) error {
				_, err := tx.AddMessage(&store.Message{
					Box: box, Peer: peer, From: from, Date: 1_800_000_000 + id, Body: body,
					Origin: from, Nonce: id,
				}, int64(entries.NewMessage), func(int64) []byte { return nil })
				return err
			})
		}
		for _, u := range []ids.UserID{me, other} {
			update(u.Peer(), func(tx *store.Tx) error {
				return tx.PutUser(store.User{ID: u, FirstName: fmt.Sprint("N", u), Phone: "491"})
			})
		}
		update(channel, func(tx *store.Tx) error {
			return tx.PutChat(store.Chat{Peer: channel, Title: "News"})
		})
		update(me.Peer(), func(tx *store.Tx) error {
			err := tx.PutDialog(store.Dialog{User: me, Peer: other.Peer(), MinID: 3})
			if err == nil {
				err = tx.PutDialog(store.Dialog{User: me, Peer: channel})
			}
			return err
		})
		for id := int64(1); id <= 450; id++ {
			from := me.Peer()
			if id%2 == 0 {
				from = other.Peer()
			}
			put(me.Peer(), other.Peer(), from, id, fmt.Sprintf(`m%d "<`, id))
		}
		put(channel, channel, me.Peer(), 1, "mine")
		put(channel, channel, other.Peer(), 2, "not mine")
		var out bytes.Buffer
		if err := (&takeout.Service{Store: s}).Write(context.Background(), me, &out); err != nil {
			t.Fatal(err)
		}
		check(t, out.Bytes())
	})
}

// check reads the file as another program does.
func check(t *testing.T, file []byte) {
	t.Helper()
	var got struct {
		Person struct {
			ID    int64  `json:"user_id"`
			Phone string `json:"phone_number"`
		} `json:"personal_information"`
		Chats struct {
			List []struct {
				Name, Type string
				Messages   []struct {
					ID     int64
					Text   string
					FromID string `json:"from_id"`
				}
			}
		}
	}
	if err := json.Unmarshal(file, &got); err != nil {
		t.Fatalf("%v: %s", err, file[:min(len(file), 500)])
	}
	if got.Person.ID != 7001 || got.Person.Phone != "+491" || len(got.Chats.List) != 2 {
		t.Fatalf("%+v, %d chats", got.Person, len(got.Chats.List))
	}
	for _, c := range got.Chats.List {
		if c.Type == "private_supergroup" {
			if len(c.Messages) != 1 || c.Messages[0].Text != "mine" {
				t.Errorf("of the channel: %+v", c.Messages)
			}
			continue
		}
		seen := map[int64]bool{}
		for _, m := range c.Messages {
			if m.Text != fmt.Sprintf(`m%d "<`, m.ID) || m.ID <= 3 || seen[m.ID] {
				t.Fatalf("message %+v", m)
			}
			seen[m.ID] = true
		}
		if len(seen) != 447 {
			t.Errorf("%d messages of %s", len(seen), c.Name)
		}
	}
}
