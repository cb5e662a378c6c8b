package gotd

import (
	"slices"
	"testing"

	"github.com/gotd/td/tg"
	"github.com/gotd/td/tgerr"

	"parley/internal/node/nodetest"
)

// found makes a channel or supergroup.
func (p *person) found(req *tg.ChannelsCreateChannelRequest) *tg.Channel {
	p.t.Helper()
	u, err := p.ChannelsCreateChannel(p.ctx, req)
	p.must(err)
	return u.(*tg.Updates).Chats[0].(*tg.Channel)
}

func isPost(text string) func(*tg.UpdateNewChannelMessage) bool {
	return func(u *tg.UpdateNewChannelMessage) bool { return hasText(u.Message, text) }
}

func TestChannel(t *testing.T) {
	s := nodetest.Start(t, nil)
	a, b := login(t, s, 1), login(t, s, 2)
	made := a.found(&tg.ChannelsCreateChannelRequest{Title: "News", Broadcast: true})
	_, err := a.ChannelsUpdateUsername(a.ctx, &tg.ChannelsUpdateUsernameRequest{
		Channel: made.AsInput(), Username: "the_news",
	})
	a.must(err)
	r, err := b.ContactsResolveUsername(b.ctx, &tg.ContactsResolveUsernameRequest{
		Username: "the_news",
	})
	b.must(err)
	channel := r.Chats[0].(*tg.Channel)
	_, err = b.ChannelsJoinChannel(b.ctx, channel.AsInput())
	b.must(err)
	a.say(made.AsInputPeer(), "first")
	post := expect(b, "the post", isPost("first"))
	_, err = b.MessagesSendMessage(b.ctx, &tg.MessagesSendMessageRequest{
		Peer: channel.AsInputPeer(), Message: "no", RandomID: next(),
	})
	if !tgerr.IsCode(err, 400, 403) {
		t.Errorf("a subscriber posts: %v", err)
	}

	state, err := b.UpdatesGetState(b.ctx)
	b.must(err)
	b.stop()
	a.say(made.AsInputPeer(), "second")
	b = connect(t, s, 2, b.storage, nil)
	d, err := b.UpdatesGetDifference(b.ctx, &tg.UpdatesGetDifferenceRequest{
		Pts: state.Pts, Date: state.Date,
	})
	b.must(err)
	named := slices.ContainsFunc(d.(*tg.UpdatesDifference).OtherUpdates, func(u tg.UpdateClass) bool {
		x, ok := u.(*tg.UpdateChannelTooLong)
		return ok && x.ChannelID == channel.ID && x.Pts == post.Pts+1
	})
	if !named {
		t.Errorf("the difference does not name the channel: %+v", d)
	}
	missed, err := b.UpdatesGetChannelDifference(b.ctx, &tg.UpdatesGetChannelDifferenceRequest{
		Channel: channel.AsInput(), Filter: &tg.ChannelMessagesFilterEmpty{}, Pts: post.Pts, Limit: 10,
	})
	b.must(err)
	diff, ok := missed.(*tg.UpdatesChannelDifference)
	if !ok || len(diff.NewMessages) != 1 || !hasText(diff.NewMessages[0], "second") {
		t.Errorf("the difference of the channel: %+v", missed)
	}
	hits, err := b.MessagesSearch(b.ctx, &tg.MessagesSearchRequest{
		Peer: channel.AsInputPeer(), Q: "SECOND", Filter: &tg.InputMessagesFilterEmpty{}, Limit: 10,
	})
	b.must(err)
	if list := hits.(*tg.MessagesChannelMessages).Messages; len(list) != 1 {
		t.Errorf("%d posts are found, want 1", len(list))
	}
}

func TestSupergroup(t *testing.T) {
	s := nodetest.Start(t, nil)
	a, b := login(t, s, 1), login(t, s, 2)
	toB, _ := meet(a, b)
	made := a.found(&tg.ChannelsCreateChannelRequest{Title: "Friends", Megagroup: true})
	friend := toB.(*tg.InputPeerUser)
	_, err := a.ChannelsInviteToChannel(a.ctx, &tg.ChannelsInviteToChannelRequest{
		Channel: made.AsInput(),
		Users:   []tg.InputUserClass{&tg.InputUser{UserID: friend.UserID, AccessHash: friend.AccessHash}},
	})
	a.must(err)
	list, err := b.ChannelsGetChannels(b.ctx, []tg.InputChannelClass{
		&tg.InputChannel{ChannelID: made.ID, AccessHash: channelHash(b, made.ID)},
	})
	b.must(err)
	group := list.(*tg.MessagesChats).Chats[0].(*tg.Channel)
	a.say(made.AsInputPeer(), "welcome")
	expect(b, "the welcome", isPost("welcome"))
	b.say(group.AsInputPeer(), "thank you")
	expect(a, "the thanks", isPost("thank you"))

	_, err = a.ChannelsEditBanned(a.ctx, &tg.ChannelsEditBannedRequest{
		Channel: made.AsInput(), Participant: toB,
		BannedRights: tg.ChatBannedRights{ViewMessages: true},
	})
	a.must(err)
	_, err = b.MessagesGetHistory(b.ctx, &tg.MessagesGetHistoryRequest{
		Peer: group.AsInputPeer(), Limit: 10,
	})
	if !tgerr.Is(err, "CHANNEL_PRIVATE") {
		t.Errorf("a banned member reads: %v", err)
	}
}

// channelHash returns the access hash under which p has a channel in his list of dialogs.
func channelHash(p *person, id int64) int64 {
	p.t.Helper()
	d, err := p.MessagesGetDialogs(p.ctx, &tg.MessagesGetDialogsRequest{
		OffsetPeer: &tg.InputPeerEmpty{}, Limit: 20,
	})
	p.must(err)
	for _, c := range d.(*tg.MessagesDialogs).Chats {
		if x, ok := c.(*tg.Channel); ok && x.ID == id {
			return x.AccessHash
		}
	}
	p.t.Fatalf("no dialog with channel %d", id)
	return 0
}
