package node

import (
	"testing"
	"time"

	"github.com/gotd/td/tg"

	"parley/internal/safety"
)

// TestDailyPost: after midnight the service's channel has the report with its plot as a photo, once
// however often the server starts.
func TestDailyPost(t *testing.T) {
	w := newWorld(t)
	owner := w.join("Member 1")
	peer := w.publicChannel(owner, "some_news", "one")
	w.decided(removal(safety.Subject{
		Peer: peer, Kind: safety.Message, Item: 2, Author: owner.self,
	}))
	w.clock.Advance(24 * time.Hour)
	for range 2 {
		w.close()
		w.cfg.Transparency.ReportChannel = "daily_report"
		w.open()
		if err := w.n.transparency.daily.Publish(ctx()); err != nil {
			t.Fatal(err)
		}
	}
	d := owner.another()
	found := must(d.ContactsResolveUsername(ctx(), &tg.ContactsResolveUsernameRequest{
		Username: "daily_report",
	}))(t)
	channel := found.Chats[0].(*tg.Channel)
	history := must(d.MessagesGetHistory(ctx(), &tg.MessagesGetHistoryRequest{
		Peer: channel.AsInputPeer(), Limit: 10,
	}))(t).(*tg.MessagesChannelMessages)
	photos := 0
	for _, m := range history.Messages {
		if m, ok := m.(*tg.Message); ok {
			if _, ok := m.Media.(*tg.MessageMediaPhoto); ok {
				photos++
			}
		}
	}
	if photos != 1 {
		t.Errorf("%d posts with a plot in %+v", photos, history.Messages)
	}
}
