package messages

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gotd/td/tg"

	"parley/internal/api/chats/roomtest"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/dialog"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/store"
)

// TestSearchNeedsOneSnapshot: searches that run side by side never wait for each other's snapshots.
func TestSearchNeedsOneSnapshot(t *testing.T) {
	w, h := newWorld(t, 1)
	w.Post(alice, channel, "hello world")
	w.Post(alice, bob.Peer(), "hello bob")
	for _, peer := range []ids.Peer{channel, bob.Peer()} {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		c := w.Call(alice)
		c.Context = ctx
		out, err := h.search(c, &tg.MessagesSearchRequest{
			Peer: roomtest.InputPeer(alice, peer), Q: "hello", Limit: 10,
			Filter: &tg.InputMessagesFilterEmpty{},
		})
		cancel()
		if err != nil {
			t.Fatalf("searching %d: %v", peer, err)
		}
		if n := len(list(out)); n != 1 {
			t.Errorf("found %d messages", n)
		}
	}
}

func list(in tg.MessagesMessagesClass) []tg.MessageClass {
	m, _ := in.AsModified()
	if m == nil {
		return nil
	}
	return m.GetMessages()
}

// TestDialogPages: page after page the chat list is told whole, without repeats, however pins,
// equal dates and drafts lie.
func TestDialogPages(t *testing.T) {
	for _, exclude := range []bool{false, true} {
		for size := 1; size <= 7; size++ {
			w, h := newWorld(t, 2)
			var peers []ids.Peer
			for i := range 9 {
				id := ids.UserID(3000 + i)
				w.AddUser(id, "Somebody")
				peers = append(peers, id.Peer())
				if i%3 == 0 {
					w.Clock.Advance(time.Second)
				}
				w.Post(id, alice.Peer(), "hello")
			}
			for _, i := range []int{1, 7} {
				err := dialog.Pin(context.Background(), w.Store, alice, peers[i], true, 1)
				if err != nil {
					t.Fatal(err)
				}
			}
			empty := ids.UserID(3100)
			w.AddUser(empty, "Draft")
			err := dialog.SaveDraft(context.Background(), w.Store, alice, empty.Peer(),
				dialog.Draft{Text: "begun"}, 1)
			if err != nil {
				t.Fatal(err)
			}
			want := len(peers) + 2
			if exclude {
				want -= 2
			}
			if got := pages(t, w, h, size, exclude); len(got) != want {
				t.Errorf("exclude %v, pages of %d: %d lines, want %d",
					exclude, size, len(got), want)
			}
		}
	}
}

// pages reads the chat list of alice to its end as clients do, and returns its peers.
func pages(
	t *testing.T, w *roomtest.World, h *Handlers, size int, exclude bool,
) map[ids.Peer]bool {
	t.Helper()
	got := make(map[ids.Peer]bool)
	req := &tg.MessagesGetDialogsRequest{
		OffsetPeer: &tg.InputPeerEmpty{}, Limit: size, ExcludePinned: exclude,
	}
	for range 30 {
		out, err := h.getDialogs(w.Call(alice), req)
		if err != nil {
			t.Fatal(err)
		}
		m, _ := out.AsModified()
		if len(m.GetDialogs()) == 0 {
			return got
		}
		dates := make(map[int]int)
		for _, x := range m.GetMessages() {
			if n, ok := x.AsNotEmpty(); ok {
				dates[n.GetID()] = n.GetDate()
			}
		}
		for _, x := range m.GetDialogs() {
			d := x.(*tg.Dialog)
			var peer ids.Peer
			switch p := d.Peer.(type) {
			case *tg.PeerUser:
				peer = ids.UserID(p.UserID).Peer()
			case *tg.PeerChannel:
				peer = ids.PeerChannel(ids.ChannelID(p.ChannelID))
			}
			if got[peer] {
				t.Errorf("pages of %d: %d comes twice", size, peer)
			}
			got[peer] = true
			req.OffsetPeer, req.OffsetID = roomtest.InputPeer(alice, peer), d.TopMessage
			req.OffsetDate = dates[d.TopMessage]
		}
	}
	t.Errorf("pages of %d: no end", size)
	return got
}

// TestDraftKeepsTheDialog: beginning to write in a channel where nothing was read yet does not take
// it off the chat list.
func TestDraftKeepsTheDialog(t *testing.T) {
	w, h := newWorld(t, 2)
	_, err := h.saveDraft(w.Call(bob), &tg.MessagesSaveDraftRequest{
		Peer: roomtest.InputPeer(bob, channel), Message: "begun",
	})
	if err != nil {
		t.Fatal(err)
	}
	if !w.Listed(bob, channel) {
		t.Error("the channel is no longer listed")
	}
	_, err = h.saveDraft(w.Call(carol), &tg.MessagesSaveDraftRequest{
		Peer: roomtest.InputPeer(carol, channel), Message: "begun",
	})
	if err == nil && w.Listed(carol, channel) {
		t.Error("a stranger has the channel on his list")
	}
}

// TestCaptionLimit: an edit of a caption is held to the length of captions.
func TestCaptionLimit(t *testing.T) {
	w, h := newWorld(t, 2)
	sent, err := w.Message.Send(context.Background(), message.Outgoing{
		From: alice, To: bob.Peer(), Random: w.Random(), Content: message.Content{
			Text: "caption", Media: &message.Media{Kind: message.Geo},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	text := w.Post(alice, bob.Peer(), "text")
	edit := func(id int64, text string) error {
		req := &tg.MessagesEditMessageRequest{
			Peer: roomtest.InputPeer(alice, bob.Peer()), ID: int(id),
		}
		req.SetMessage(text)
		_, err := h.editMessage(w.Call(alice), req)
		return err
	}
	w.Refused("a long caption", edit(sent.Message.ID, strings.Repeat("a", 1025)),
		chat.Invalid("MEDIA_CAPTION_TOO_LONG"))
	w.Refused("the longest caption", edit(sent.Message.ID, strings.Repeat("a", 1024)), nil)
	w.Refused("the longest text", edit(text, strings.Repeat("😀", 2048)), nil)
	w.Refused("a longer text", edit(text, strings.Repeat("😀", 2048)+"a"),
		chat.Invalid("MESSAGE_TOO_LONG"))
}

// TestAlbumAgain: a repeated album is answered with all of its messages, and moves nothing.
func TestAlbumAgain(t *testing.T) {
	w, h := newWorld(t, 2)
	var sent []message.Sent
	for range 2 {
		sent = sent[:0]
		for i := range 3 {
			s, err := w.Message.Send(context.Background(), message.Outgoing{
				From: alice, To: bob.Peer(), Random: int64(90 + i), Grouped: 90,
				Content: message.Content{Text: "item", Media: &message.Media{Kind: message.Geo}},
			})
			if err != nil {
				t.Fatal(err)
			}
			sent = append(sent, s)
		}
	}
	out, err := h.sent(w.Call(alice), sent...)
	if err != nil {
		t.Fatal(err)
	}
	ids, fresh := 0, 0
	for _, u := range out.(*tg.Updates).Updates {
		switch u := u.(type) {
		case *tg.UpdateMessageID:
			ids++
		case *tg.UpdateNewMessage:
			fresh++
			if u.PtsCount != 0 {
				t.Errorf("a repeat moves the pts by %d", u.PtsCount)
			}
		}
	}
	if ids != 3 || fresh != 3 {
		t.Errorf("%d ids and %d messages, want 3 of each", ids, fresh)
	}
}

// TestViewsOfWhatOneSees: what is deleted or hidden has no views to tell of.
func TestViewsOfWhatOneSees(t *testing.T) {
	w, h := newWorld(t, 2)
	w.Update(channel, func(tx *store.Tx) error {
		return tx.PutChat(store.Chat{Peer: channel, Title: "News", Flags: store.Broadcast})
	})
	hidden, gone, seen := w.Post(alice, channel, "1"), w.Post(alice, channel, "2"),
		w.Post(alice, channel, "3")
	w.Update(bob.Peer(), func(tx *store.Tx) error {
		return tx.PutDialog(store.Dialog{User: bob, Peer: channel, MinID: hidden})
	})
	_, err := w.Message.DeletePosts(context.Background(), alice, channel, []int64{gone})
	if err != nil {
		t.Fatal(err)
	}
	out, err := h.getMessagesViews(w.Call(bob), &tg.MessagesGetMessagesViewsRequest{
		Peer: roomtest.InputPeer(bob, channel), Increment: true,
		ID: []int{int(hidden), int(gone), int(seen)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{false, false, true} {
		if n, ok := out.Views[i].GetViews(); ok != want {
			t.Errorf("post %d: %d views, told %v, want %v", i, n, ok, want)
		}
	}
	w.View(func(r *store.Reader) error {
		views, _, err := r.Views(channel, hidden)
		if views != 0 {
			t.Errorf("a hidden post was seen %d times", views)
		}
		return err
	})
}

// TestHostileVectors: long lists are refused before any of their work is done.
func TestHostileVectors(t *testing.T) {
	w, h := newWorld(t, 2)
	long := make([]int, 5000)
	_, err := h.readMessageContents(w.Call(alice), &tg.MessagesReadMessageContentsRequest{ID: long})
	w.Refused("contents", err, chat.Invalid("LIMIT_INVALID"))
	_, err = h.getPeerDialogs(w.Call(alice), &tg.MessagesGetPeerDialogsRequest{
		Peers: []tg.InputDialogPeerClass{&tg.InputDialogPeerFolder{}},
	})
	w.Refused("a folder as a peer", err, chat.ErrPeerInvalid)
	for _, offset := range []int{-1 << 31, -101, 1<<31 - 1} {
		_, err := h.getHistory(w.Call(alice), &tg.MessagesGetHistoryRequest{
			Peer: roomtest.InputPeer(alice, bob.Peer()), AddOffset: offset, Limit: -5,
		})
		var refusal chat.Refusal
		if err != nil && !errors.As(err, &refusal) {
			t.Errorf("add_offset %d: %v", offset, err)
		}
	}
}

// TestCommonChatsAreOnesOwn: who left a group does not learn who is still in it.
func TestCommonChatsAreOnesOwn(t *testing.T) {
	w, h := newWorld(t, 2)
	group := ids.Peer(-7)
	member := func(who ids.UserID, role store.Role) {
		w.Update(group, func(tx *store.Tx) error {
			return tx.PutMember(store.Member{Peer: group, User: who, Role: role, Date: 1})
		})
	}
	w.Update(group, func(tx *store.Tx) error {
		return tx.PutChat(store.Chat{Peer: group, Title: "Group"})
	})
	member(alice, store.Creator)
	member(bob, store.Participant)
	w.Post(alice, group, "hello")
	for role, want := range map[store.Role]int{store.Participant: 2, store.Left: 1} {
		member(bob, role)
		out, err := h.getCommonChats(w.Call(bob), &tg.MessagesGetCommonChatsRequest{
			UserID: roomtest.InputUser(bob, alice), Limit: 10,
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(out.GetChats()); got != want {
			t.Errorf("role %d: %d common chats, want %d", role, got, want)
		}
	}
}

// TestSharedViewOfAGroup: an update for all subscribers of a channel makes no channel of a basic
// group that it refers to.
func TestSharedViewOfAGroup(t *testing.T) {
	w, h := newWorld(t, 2)
	group := ids.Peer(-7)
	w.Update(group, func(tx *store.Tx) error {
		return tx.PutChat(store.Chat{Peer: group, Title: "Group", PhotoID: 4})
	})
	err := h.View(w.Call(0), func(_ *store.Reader, v *view.View) error {
		v.Peer(group)
		for _, c := range v.Chats() {
			t.Errorf("a shared view has %T %d", c, c.GetID())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestReactionsAreEmoji: words are no reactions, nor are they custom emoji in disguise.
func TestReactionsAreEmoji(t *testing.T) {
	w, h := newWorld(t, 2)
	id := w.Post(alice, channel, "hello")
	invalid := chat.Invalid("REACTION_INVALID")
	for emoji, want := range map[string]error{
		"👍": nil, "❤": nil, "❤️": nil, "👨‍👩‍👧": nil, "🇩🇪": nil, "1️⃣": nil,
		"": invalid, "hello": invalid, "custom:7": invalid, "👍 buy now": invalid, "\n": invalid,
		"7": invalid, "й": invalid, strings.Repeat("👍", 20): invalid,
	} {
		_, err := h.sendReaction(w.Call(bob), &tg.MessagesSendReactionRequest{
			Peer: roomtest.InputPeer(bob, channel), MsgID: int(id),
			Reaction: []tg.ReactionClass{&tg.ReactionEmoji{Emoticon: emoji}},
		})
		w.Refused("the reaction "+emoji, err, want)
	}
}
