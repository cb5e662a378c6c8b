package node

import (
	"slices"
	"strings"
	"testing"

	"github.com/gotd/td/tg"

	"parley/internal/ids"
)

// message returns a message of the own box, nil when there is none.
func (d *client) message(t *testing.T, id int) *tg.Message {
	t.Helper()
	out, _ := must(d.MessagesGetMessages(ctx(), []tg.InputMessageClass{
		&tg.InputMessageID{ID: id},
	}))(t).AsModified()
	m, _ := out.GetMessages()[0].(*tg.Message)
	return m
}

// texts are the texts of messages, the newest first; service messages have none.
func texts(list []tg.MessageClass) (out []string) {
	for _, x := range list {
		if m, ok := x.(*tg.Message); ok {
			out = append(out, m.Message)
		}
	}
	return out
}

// history are the texts with a peer, the newest first.
func (d *client) history(t *testing.T, peer ids.Peer) []string {
	t.Helper()
	out, _ := must(d.MessagesGetHistory(ctx(), &tg.MessagesGetHistoryRequest{
		Peer: d.input(peer), Limit: 100,
	}))(t).AsModified()
	return texts(out.GetMessages())
}

func TestMessagesByID(t *testing.T) {
	w := newWorld(t)
	a, b, stranger := w.join("Member 1"), w.join("Member 2"), w.join("Member 3")
	first := a.say(b.self.Peer(), "first")
	u := must(a.MessagesSendMessage(ctx(), &tg.MessagesSendMessageRequest{
		Peer: a.input(b.self.Peer()), Message: "second", RandomID: random(),
		ReplyTo: &tg.InputReplyToMessage{ReplyToMsgID: first},
	}))(t)
	second := idOf(t, u)
	out, _ := must(a.MessagesGetMessages(ctx(), []tg.InputMessageClass{
		&tg.InputMessageID{ID: second}, &tg.InputMessageReplyTo{ID: second},
		&tg.InputMessageID{ID: 4711}, &tg.InputMessageID{ID: first},
	}))(t).AsModified()
	list := out.GetMessages()
	if got := texts(list); len(list) != 4 || !slices.Equal(got, []string{"second", "first", "first"}) {
		t.Errorf("in the order asked for: %v", got)
	}
	if _, empty := list[2].(*tg.MessageEmpty); !empty || list[2].GetID() != 4711 {
		t.Errorf("what is not there is %v", list[2])
	}
	if m := stranger.message(t, first); m != nil {
		t.Errorf("somebody else is given %v", m)
	}
	many := slices.Repeat([]tg.InputMessageClass{&tg.InputMessageID{ID: 1}}, 101)
	_, err := a.MessagesGetMessages(ctx(), many)
	refused(t, "too many", err, "LIMIT_INVALID")
}

func TestEditData(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	id := a.say(b.self.Peer(), "hello")
	ask := func(d *client, peer ids.Peer, id int) (*tg.MessagesMessageEditData, error) {
		return d.MessagesGetMessageEditData(ctx(), &tg.MessagesGetMessageEditDataRequest{
			Peer: d.input(peer), ID: id,
		})
	}
	if got := must(ask(a.client, b.self.Peer(), id))(t); got.Caption {
		t.Error("a text is no caption")
	}
	photo := a.picture(t, b.self.Peer(), "caption")
	if got := must(ask(a.client, b.self.Peer(), photo))(t); !got.Caption {
		t.Error("the text under a photo is a caption")
	}
	refused(t, "somebody else's message", failure(ask(b.client, a.self.Peer(),
		b.theirs(t, a.self.Peer(), 0))), "MESSAGE_AUTHOR_REQUIRED")
	refused(t, "no message", failure(ask(a.client, b.self.Peer(), 4711)), "MESSAGE_ID_INVALID")
	w.clock.Advance(49 * 60 * 60 * 1e9)
	refused(t, "after the time to edit", failure(ask(a.client, b.self.Peer(), id)),
		"MESSAGE_EDIT_TIME_EXPIRED")
}

func TestReactionLists(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.join("Member 1"), w.join("Member 2"), w.join("Member 3")
	room := a.channel(t, "Room", false, b, c)
	id := a.say(room, "react to this")
	forget(a.client)
	must(b.MessagesSendReaction(ctx(), reaction(b.input(room), id, "👍")))(t)
	must(c.MessagesSendReaction(ctx(), reaction(c.input(room), id, "👍", "🔥")))(t)
	hears(a.client, func(u *tg.UpdateEditChannelMessage) bool {
		m, _ := u.Message.(*tg.Message)
		return m != nil && len(m.Reactions.Results) == 2
	})
	list := listOf(t, must(a.MessagesGetMessagesReactions(ctx(),
		&tg.MessagesGetMessagesReactionsRequest{Peer: a.input(room), ID: []int{id, 4711}}))(t))
	if len(list) != 1 {
		t.Fatalf("reactions to one message and to none: %v", list)
	}
	counts := make(map[string]int)
	for _, r := range list[0].(*tg.UpdateMessageReactions).Reactions.Results {
		counts[r.Reaction.(*tg.ReactionEmoji).Emoticon] = r.Count
	}
	if counts["👍"] != 2 || counts["🔥"] != 1 {
		t.Errorf("counted %v", counts)
	}
	who := func(change func(*tg.MessagesGetMessageReactionsListRequest)) *tg.MessagesMessageReactionsList {
		t.Helper()
		in := &tg.MessagesGetMessageReactionsListRequest{Peer: a.input(room), ID: id, Limit: 10}
		change(in)
		return must(a.MessagesGetMessageReactionsList(ctx(), in))(t)
	}
	all := who(func(*tg.MessagesGetMessageReactionsListRequest) {})
	if all.Count != 3 || len(all.Reactions) != 3 || all.NextOffset != "" {
		t.Errorf("all are %+v", all)
	}
	fire := who(func(in *tg.MessagesGetMessageReactionsListRequest) {
		in.SetReaction(&tg.ReactionEmoji{Emoticon: "🔥"})
	})
	if len(fire.Reactions) != 1 || peerOf(t, fire.Reactions[0].PeerID) != c.self.Peer() {
		t.Errorf("one kind: %+v", fire)
	}
	seen := 0
	for offset, pages := "", 0; pages < 3; pages++ {
		page := who(func(in *tg.MessagesGetMessageReactionsListRequest) {
			in.Limit = 2
			in.SetOffset(offset)
		})
		seen += len(page.Reactions)
		if offset = page.NextOffset; offset == "" {
			break
		}
	}
	if seen != 3 {
		t.Errorf("the pages have %d reactions", seen)
	}
	ask := func(peer ids.Peer, id int, offset string) error {
		in := &tg.MessagesGetMessageReactionsListRequest{Peer: a.input(peer), ID: id, Limit: 10}
		in.SetOffset(offset)
		return failure(a.MessagesGetMessageReactionsList(ctx(), in))
	}
	refused(t, "no message", ask(room, 4711, ""), "MESSAGE_ID_INVALID")
	refused(t, "an offset that is none", ask(room, id, "-1"), "OFFSET_INVALID")
	posts := a.channel(t, "Posts", true)
	refused(t, "who reacted to a post", ask(posts, a.say(posts, "post"), ""),
		"BROADCAST_FORBIDDEN")
	// A reaction taken back is gone.
	must(c.MessagesSendReaction(ctx(), reaction(c.input(room), id)))(t)
	if all := who(func(*tg.MessagesGetMessageReactionsListRequest) {}); all.Count != 1 {
		t.Errorf("after taking them back: %+v", all)
	}
}

func TestUnreadMentions(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.join("Member 1"), w.join("Member 2"), w.join("Member 3")
	must(b.AccountUpdateUsername(ctx(), "second_member"))(t)
	tablet := b.another()
	for what, room := range map[string]ids.Peer{
		"basic group": a.group(t, "Group", b, c), "supergroup": a.channel(t, "Room", false, b, c),
	} {
		a.say(room, "hello all")
		a.say(room, "hello @second_member")
		a.say(room, "again @second_member")
		forget(b.client, tablet)
		mentions := func(d *client, most int) (texted []string, total int) {
			t.Helper()
			in := &tg.MessagesGetUnreadMentionsRequest{Peer: d.input(room), Limit: most}
			switch out := must(d.MessagesGetUnreadMentions(ctx(), in))(t).(type) {
			case *tg.MessagesMessages:
				return texts(out.Messages), len(out.Messages)
			case *tg.MessagesMessagesSlice:
				return texts(out.Messages), out.Count
			case *tg.MessagesChannelMessages:
				return texts(out.Messages), out.Count
			}
			return nil, 0
		}
		want := []string{"again @second_member", "hello @second_member"}
		if got, n := mentions(b.client, 10); !slices.Equal(got, want) || n != 2 {
			t.Errorf("%s: mentioned in %v, %d in all", what, got, n)
		}
		if got, n := mentions(b.client, 1); len(got) != 1 || n != 2 {
			t.Errorf("%s: a page is %v, %d in all", what, got, n)
		}
		if got, n := mentions(c.client, 10); len(got) != 0 || n != 0 {
			t.Errorf("%s: whom nobody called has %v", what, got)
		}
		if n := tablet.newestDialog(t, room).UnreadMentionsCount; n != 2 {
			t.Errorf("%s: the list counts %d", what, n)
		}
		must(b.MessagesReadMentions(ctx(), &tg.MessagesReadMentionsRequest{Peer: b.input(room)}))(t)
		if got, n := mentions(tablet, 10); len(got) != 0 || n != 0 {
			t.Errorf("%s: after reading %v", what, got)
		}
		if n := tablet.newestDialog(t, room).UnreadMentionsCount; n != 0 {
			t.Errorf("%s: after reading the list counts %d", what, n)
		}
		if room.Kind() == ids.Chat {
			hears(tablet, func(u *tg.UpdateReadMessagesContents) bool { return len(u.Messages) == 2 })
		} else {
			hears(tablet, func(u *tg.UpdateChannelReadMessagesContents) bool {
				return u.ChannelID == int64(room.Channel()) && len(u.Messages) == 2
			})
		}
	}
	_, err := b.MessagesGetUnreadMentions(ctx(), &tg.MessagesGetUnreadMentionsRequest{
		Peer: &tg.InputPeerChannel{ChannelID: 1, AccessHash: 1}, Limit: 1,
	})
	refused(t, "a made up address", err, "PEER_ID_INVALID")
}

func TestUnpinAll(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	for what, room := range map[string]ids.Peer{
		"private chat": b.self.Peer(), "basic group": a.group(t, "Group", b),
		"supergroup": a.channel(t, "Room", false, b),
	} {
		theirs := room // as b sees it
		if room.Kind() == ids.User {
			theirs = a.self.Peer()
		}
		for _, text := range []string{"first", "second"} {
			must(a.MessagesUpdatePinnedMessage(ctx(), &tg.MessagesUpdatePinnedMessageRequest{
				Peer: a.input(room), ID: a.say(room, text), Silent: true,
			}))(t)
		}
		w.settle()
		forget(b.client)
		pinned := func() []string {
			t.Helper()
			out, _ := must(b.MessagesSearch(ctx(), &tg.MessagesSearchRequest{
				Peer: b.input(theirs), Filter: &tg.InputMessagesFilterPinned{}, Limit: 10,
			}))(t).AsModified()
			return texts(out.GetMessages())
		}
		if got := pinned(); !slices.Equal(got, []string{"second", "first"}) {
			t.Errorf("%s: pinned are %v", what, got)
		}
		out := must(a.MessagesUnpinAllMessages(ctx(), &tg.MessagesUnpinAllMessagesRequest{
			Peer: a.input(room),
		}))(t)
		if out.Offset != 0 || out.PtsCount != 2 {
			t.Errorf("%s: answered with %+v", what, out)
		}
		w.settle()
		if room.Kind() == ids.Channel {
			hears(b.client, func(u *tg.UpdatePinnedChannelMessages) bool {
				return !u.Pinned && len(u.Messages) == 2
			})
		} else {
			hears(b.client, func(u *tg.UpdatePinnedMessages) bool {
				return !u.Pinned && len(u.Messages) == 2 && peerOf(t, u.Peer) == theirs
			})
		}
		if got := pinned(); len(got) != 0 {
			t.Errorf("%s: still pinned are %v", what, got)
		}
	}
	posts := a.channel(t, "Posts", true, b)
	_, err := b.MessagesUnpinAllMessages(ctx(), &tg.MessagesUnpinAllMessagesRequest{
		Peer: b.input(posts),
	})
	refused(t, "a reader of a channel", err, "CHAT_ADMIN_REQUIRED")
}

func TestDeleteHistory(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	tablet := a.another()
	erase := func(peer ids.Peer, change func(*tg.MessagesDeleteHistoryRequest)) error {
		in := &tg.MessagesDeleteHistoryRequest{Peer: a.input(peer)}
		change(in)
		out, err := a.MessagesDeleteHistory(ctx(), in)
		if err == nil && out.Offset != 0 {
			t.Errorf("a short history takes more than one call: %+v", out)
		}
		w.settle()
		return err
	}
	peer, from := b.self.Peer(), a.self.Peer()
	first := a.say(peer, "first")
	a.say(peer, "second")
	b.say(from, "third")
	forget(a.client, b.client, tablet)

	// Up to an id, and only for oneself.
	if err := erase(peer, func(in *tg.MessagesDeleteHistoryRequest) {
		in.MaxID, in.JustClear = first, true
	}); err != nil {
		t.Fatal(err)
	}
	hears(tablet, func(u *tg.UpdateDeleteMessages) bool { return slices.Equal(u.Messages, []int{first}) })
	if got := a.history(t, peer); !slices.Equal(got, []string{"third", "second"}) {
		t.Errorf("left are %v", got)
	}
	if got := b.history(t, from); len(got) != 3 {
		t.Errorf("the other has %v", got)
	}
	silent(b.client, func(*tg.UpdateDeleteMessages) bool { return true })

	// All of it, for both: the dialog goes from the one's list, and its place stays with the other.
	if err := erase(peer, func(in *tg.MessagesDeleteHistoryRequest) { in.Revoke = true }); err != nil {
		t.Fatal(err)
	}
	hears(b.client, func(u *tg.UpdateDeleteMessages) bool { return len(u.Messages) == 2 })
	if got := b.history(t, from); !slices.Equal(got, []string{"first"}) {
		t.Errorf("the other still has %v", got)
	}
	if slices.Contains(tablet.listed(t, 0), peer) {
		t.Error("an empty dialog is on the list")
	}
	b.say(from, "hello again")
	if !slices.Contains(tablet.listed(t, 0), peer) {
		t.Error("a new message does not bring the dialog back")
	}

	// In a basic group everybody keeps his own.
	room := a.group(t, "Group", b)
	a.say(room, "to all")
	if err := erase(room, func(in *tg.MessagesDeleteHistoryRequest) { in.JustClear = true }); err != nil {
		t.Fatal(err)
	}
	if got := a.history(t, room); len(got) != 0 {
		t.Errorf("left are %v", got)
	}
	if got := b.history(t, room); !slices.Equal(got, []string{"to all"}) {
		t.Errorf("the other members have %v", got)
	}
	if !slices.Contains(tablet.listed(t, 0), room) {
		t.Error("a dialog that was only cleared is not on the list")
	}
	refused(t, "a channel", erase(a.channel(t, "Room", false), func(*tg.MessagesDeleteHistoryRequest) {}),
		"PEER_ID_INVALID")
	_, err := a.MessagesDeleteHistory(ctx(), &tg.MessagesDeleteHistoryRequest{
		Peer: &tg.InputPeerUser{UserID: int64(b.self), AccessHash: 1},
	})
	refused(t, "a made up address", err, "PEER_ID_INVALID")
	if got := strings.Join(b.history(t, from), " "); got != "hello again first" {
		t.Errorf("in the end the other has %q", got)
	}
}
