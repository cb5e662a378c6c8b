package presence_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"parley/internal/chat/presence"
	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/store/storetest"
)

const alice ids.UserID = 1001

// TestGone takes somebody offline with his last session, and not if he is back by then.
func TestGone(t *testing.T) {
	s := storetest.SQLite(t)
	ctx, told := context.Background(), 0
	now := clock.NewFake(time.Unix(1_800_000_000, 0))
	p := presence.New(s, now, slog.New(slog.DiscardHandler),
		func(context.Context, ids.UserID) { told++ })
	online := func() {
		t.Helper()
		if err := p.Set(ctx, alice, true); err != nil {
			t.Fatal(err)
		}
	}
	online()
	if told != 1 || p.Online(alice) == 0 {
		t.Fatalf("online until %d, told %d times", p.Online(alice), told)
	}
	// A session that begins while the end of the last one is seen to has him stay.
	p.Gone(ctx, alice, func(ids.UserID) bool { return true })
	if told != 1 || p.Online(alice) == 0 {
		t.Errorf("back: online until %d, told %d times", p.Online(alice), told)
	}
	p.Gone(ctx, alice, func(ids.UserID) bool { return false })
	if told != 2 || p.Online(alice) != 0 {
		t.Errorf("gone: online until %d, told %d times", p.Online(alice), told)
	}
	p.Gone(ctx, alice, func(ids.UserID) bool { return false })
	if told != 2 {
		t.Error("told again that somebody went who was not there")
	}
	online()
	now.Advance(time.Hour)
	if p.Online(alice) != 0 {
		t.Error("silent for an hour, and online")
	}
}
