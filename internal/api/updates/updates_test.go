package updates

import (
	"testing"

	"parley/internal/api/chats/roomtest"
	"parley/internal/chat/box"
	"parley/internal/ids"
	"parley/internal/store"
)

// TestManyChangesAtOnePts: however much happened without moving the pts, a difference gets beyond
// it and tells all messages.
func TestManyChangesAtOnePts(t *testing.T) {
	for _, n := range []int{0, 9, 10, 11, 200, 3000} {
		x := newStory(t, 1)
		x.Post(roomtest.Alice, roomtest.Bob.Peer(), "first")
		note := func(in ids.Peer) {
			x.Update(in, func(tx *store.Tx) error {
				for range n {
					_, err := box.Note(tx, in, box.DialogPinned, x.Clock.Now().Unix(),
						box.Entry{Peer: roomtest.Bob.Peer(), On: true})
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		note(roomtest.Alice.Peer())
		note(channel)
		for range 40 {
			x.Post(roomtest.Alice, roomtest.Bob.Peer(), "more")
			x.Post(roomtest.Bob, channel, "more")
		}
		note(roomtest.Alice.Peer())
		for _, pts := range []int{1, 2, 3} {
			k := newClient(roomtest.Alice)
			k.pts[roomtest.Alice.Peer()] = pts
			x.ask(roomtest.Alice, k)
			want := 41
			if pts > 1 {
				want -= pts - 1
			}
			if got := len(k.messages[roomtest.Alice.Peer()]); got != want {
				t.Errorf("%d changes, from pts %d: %d messages, want %d", n, pts, got, want)
			}
			if got := len(k.messages[channel]); got != 40 {
				t.Errorf("%d changes: %d posts, want 40", n, got)
			}
		}
	}
}
