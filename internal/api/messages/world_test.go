package messages

import (
	"context"
	"testing"

	"parley/internal/api/chats/roomtest"
	"parley/internal/chat/search"
	"parley/internal/ids"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

const (
	alice = roomtest.Alice
	bob   = roomtest.Bob
	carol = roomtest.Carol
)

var channel = ids.PeerChannel(5)

// newWorld returns handlers on a store with so many readers, and a supergroup of alice and bob.
func newWorld(t *testing.T, readers int) (*roomtest.World, *Handlers) {
	t.Helper()
	s, err := store.Open(context.Background(), store.Options{
		URL: storetest.SQLiteURL(t), Readers: readers,
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
	w.Update(channel, func(tx *store.Tx) error {
		err := tx.PutChat(store.Chat{Peer: channel, Title: "Super", Flags: store.Megagroup})
		if err != nil {
			return err
		}
		for who, role := range map[ids.UserID]store.Role{
			alice: store.Creator, bob: store.Participant,
		} {
			err := tx.PutMember(store.Member{Peer: channel, User: who, Role: role, Date: 1})
			if err != nil {
				return err
			}
		}
		return nil
	})
	for _, who := range []ids.UserID{alice, bob} {
		w.Update(who.Peer(), func(tx *store.Tx) error {
			return tx.PutDialog(store.Dialog{User: who, Peer: channel})
		})
	}
	return w, &Handlers{
		Desk: w.Desk, Message: w.Message, Settled: w.Settled, Search: &search.Service{Store: s},
	}
}
