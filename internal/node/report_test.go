package node

import (
	"strings"
	"testing"
	"time"

	"github.com/gotd/td/tg"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/decide"
)

// TestDailyReportIsPosted: after midnight anybody finds it in the network's own channels, once,
// however often the server is started.
func TestDailyReportIsPosted(t *testing.T) {
	w := newWorld(t)
	who, reader := w.join("Concerned"), w.join("Reader")
	_, err := w.n.Decisions.Decide(ctx(), decide.Draft{
		Subject: safety.Subject{Peer: who.self.Peer(), Kind: safety.Account, Author: who.self},
		Ground:  safety.Incompatible, Reference: "Terms, section 2", Explanation: "It is spam.",
		Facts: "One text to 40 strangers.", Category: safety.ScamsAndFraud,
		Source: safety.Voluntary, By: safety.Actor{Staff: 7},
		Measures: []safety.MeasureSpec{{Measure: safety.LimitSending}},
		Means:    safety.Means{Decided: safety.NotAutomated},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(24 * time.Hour)
	for range 2 {
		if err := w.n.transparency.daily.Publish(ctx()); err != nil {
			t.Fatal(err)
		}
		w.settle()
		w.close()
		w.open()
	}
	for username, want := range map[string]string{
		"daily_report":     "2026-03-01: 1 decisions",
		"stop_child_abuse": "0 groups and channels related to child abuse banned on 2026-03-01",
		"stop_terror":      "0 groups and channels related to terrorism banned on 2026-03-01",
	} {
		found, err := reader.ContactsResolveUsername(ctx(), &tg.ContactsResolveUsernameRequest{
			Username: username,
		})
		if err != nil {
			t.Fatalf("%s: %v", username, err)
		}
		peer := ids.ChannelID(found.Peer.(*tg.PeerChannel).ChannelID).Peer()
		n := 0
		for _, text := range reader.history(t, peer) {
			if strings.HasPrefix(text, want) && strings.Contains(text, "/transparency/report/") {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s: %d posts", username, n)
		}
	}
}
