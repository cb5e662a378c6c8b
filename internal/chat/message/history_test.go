package message_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// page is a page of a history by the letter: the messages between the bounds, newest first; the
// first with an id below the offset, or a date before it; from there on AddOffset further, and
// Limit of them, counting newer ones that are not there unless that leaves none.
func page(rows []store.Message, minID int64, p message.Page) (out []int64) {
	var list []store.Message
	for _, m := range rows {
		if m.ID > max(minID, p.Above) && (p.Below <= 0 || m.ID < p.Below) {
			list = append(list, m)
		}
	}
	first := 0
	for first < len(list) && (p.OffsetID > 0 && list[first].ID >= p.OffsetID ||
		p.OffsetID <= 0 && p.OffsetDate > 0 && list[first].Date >= p.OffsetDate) {
		first++
	}
	add := max(p.AddOffset, -limit.HistoryPage)
	most := min(max(p.Limit, 0), limit.HistoryPage)
	from := min(max(first+add, 0), len(list))
	to := min(max(first+add+most, first), len(list))
	for _, m := range list[from:max(from, to)] {
		if len(out) < most {
			out = append(out, m.ID)
		}
	}
	return out
}

// TestHistoryPages compares pages with all kinds of offsets and bounds to a naive model.
func TestHistoryPages(t *testing.T) {
	w := newWorld(t)
	w.addSuper(nil)
	rnd := rand.New(rand.NewPCG(8, 8))
	for _, peer := range []ids.Peer{bob.Peer(), super} {
		var gone []int64
		for range 40 {
			id := w.say(alice, peer, "x").Message.ID
			w.say(alice, carol.Peer(), "elsewhere")
			if rnd.IntN(2) == 0 {
				w.clock.Advance(time.Second)
			}
			if rnd.IntN(5) == 0 {
				gone = append(gone, id)
			}
		}
		var err error
		if peer == super {
			_, err = w.DeletePosts(context.Background(), alice, super, gone)
		} else {
			_, err = w.Delete(context.Background(), alice, gone, false)
		}
		if err != nil {
			t.Fatal(err)
		}
		w.view(func(r *store.Reader) error {
			all, err := message.History(r, alice, peer, 0, message.Page{Limit: 100})
			if err != nil {
				return err
			}
			top := all[0].ID
			id := func() int64 { return rnd.Int64N(top+6) - 2 }
			maybe := func(n int64) int64 {
				if rnd.IntN(2) == 0 {
					return 0
				}
				return n
			}
			for range 3000 {
				p := message.Page{
					OffsetID: maybe(id()), AddOffset: rnd.IntN(61) - 30, Limit: rnd.IntN(50) - 2,
					Below: maybe(id()), Above: maybe(id()),
					OffsetDate: maybe(all[rnd.IntN(len(all))].Date + rnd.Int64N(3) - 1),
				}
				if rnd.IntN(20) == 0 {
					p.AddOffset = -1 << 31
				}
				minID := maybe(id())
				rows, err := message.History(r, alice, peer, minID, p)
				if err != nil {
					return err
				}
				var got []int64
				for _, m := range rows {
					got = append(got, m.ID)
				}
				if want := page(all, minID, p); !slices.Equal(got, want) {
					t.Fatalf("peer %d, hidden %d, %+v:\n got %v\nwant %v",
						peer, minID, p, got, want)
				}
			}
			return nil
		})
	}
}
