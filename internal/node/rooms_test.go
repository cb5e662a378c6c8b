package node

import (
	"slices"
	"strings"
	"testing"

	"github.com/gotd/td/tg"

	"parley/internal/ids"
)

// full is all that a device is told of a chat, and how it is shown.
func (d *client) full(t *testing.T, room ids.Peer) (tg.ChatFullClass, tg.ChatClass) {
	t.Helper()
	var out *tg.MessagesChatFull
	if room.Kind() == ids.Chat {
		out = must(d.MessagesGetFullChat(ctx(), int64(room.Chat())))(t)
	} else {
		out = must(d.ChannelsGetFullChannel(ctx(), d.inputChannel(room)))(t)
	}
	return out.FullChat, out.Chats[0]
}

func TestChannelProfile(t *testing.T) {
	w := newWorld(t)
	a, b, stranger := w.join("Member 1"), w.join("Member 2"), w.join("Member 3")
	room := a.channel(t, "Room", false, b)
	title := func(d *client, title string) error {
		return failure(d.ChannelsEditTitle(ctx(), &tg.ChannelsEditTitleRequest{
			Channel: d.inputChannel(room), Title: title,
		}))
	}
	photo := func(d *client, in tg.InputChatPhotoClass) error {
		return failure(d.ChannelsEditPhoto(ctx(), &tg.ChannelsEditPhotoRequest{
			Channel: d.inputChannel(room), Photo: in,
		}))
	}
	about := func(d *client, text string) error {
		return failure(d.MessagesEditChatAbout(ctx(), &tg.MessagesEditChatAboutRequest{
			Peer: d.input(room), About: text,
		}))
	}
	forget(b.client)
	if err := title(a.client, " Common\nroom "); err != nil {
		t.Fatal(err)
	}
	hears(b.client, func(u *tg.UpdateNewChannelMessage) bool {
		m, _ := u.Message.(*tg.MessageService)
		action, _ := m.Action.(*tg.MessageActionChatEditTitle)
		return action != nil && action.Title == "Common room"
	})
	uploaded := &tg.InputChatUploadedPhoto{}
	uploaded.SetFile(a.upload(t, picture(t, 200, 200, 7)))
	if err := photo(a.client, uploaded); err != nil {
		t.Fatal(err)
	}
	told := hears(b.client, func(u *tg.UpdateNewChannelMessage) bool {
		m, _ := u.Message.(*tg.MessageService)
		_, is := m.Action.(*tg.MessageActionChatEditPhoto)
		return is
	})
	action := told.Message.(*tg.MessageService).Action.(*tg.MessageActionChatEditPhoto)
	if err := about(a.client, "All about it."); err != nil {
		t.Fatal(err)
	}
	hears(b.client, func(u *tg.UpdateChannel) bool { return u.ChannelID == int64(room.Channel()) })
	full, shown := b.full(t, room)
	now := shown.(*tg.Channel)
	small, _ := now.Photo.(*tg.ChatPhoto)
	if now.Title != "Common room" || small == nil || small.PhotoID != action.Photo.GetID() {
		t.Errorf("shown as %+v", now)
	}
	if full := full.(*tg.ChannelFull); full.About != "All about it." {
		t.Errorf("described as %q", full.About)
	}
	if err := photo(a.client, &tg.InputChatPhotoEmpty{}); err != nil {
		t.Fatal(err)
	}
	hears(b.client, func(u *tg.UpdateNewChannelMessage) bool {
		m, _ := u.Message.(*tg.MessageService)
		_, is := m.Action.(*tg.MessageActionChatDeletePhoto)
		return is
	})
	refused(t, "no title", title(a.client, " \n"), "CHAT_TITLE_EMPTY")
	refused(t, "the same title", title(a.client, "Common room"), "CHAT_NOT_MODIFIED")
	refused(t, "a long description", about(a.client, strings.Repeat("x", 256)),
		"CHAT_ABOUT_TOO_LONG")
	refused(t, "the same description", about(a.client, "All about it."),
		"CHAT_ABOUT_NOT_MODIFIED")
	refused(t, "a photo that is none", photo(a.client, &tg.InputChatUploadedPhoto{}),
		"PHOTO_FILE_MISSING")
	// What members may do they may be kept from.
	must(a.MessagesEditChatDefaultBannedRights(ctx(), &tg.MessagesEditChatDefaultBannedRightsRequest{
		Peer: a.input(room), BannedRights: tg.ChatBannedRights{ChangeInfo: true},
	}))(t)
	for what, err := range map[string]error{
		"a title": title(b.client, "Mine"), "a description": about(b.client, "Mine"),
		"a photo": photo(b.client, &tg.InputChatPhotoEmpty{}),
	} {
		refused(t, "a member's change of "+what, err, "CHAT_ADMIN_REQUIRED")
	}
	refused(t, "a stranger's change", title(stranger.client, "Mine"), "CHANNEL_PRIVATE")
}

func TestChannelNames(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	room, posts := a.channel(t, "Room", false, b), a.channel(t, "Posts", true)
	must(b.AccountUpdateUsername(ctx(), "second_member"))(t)
	free := func(channel tg.InputChannelClass, name string) (bool, error) {
		return a.ChannelsCheckUsername(ctx(), &tg.ChannelsCheckUsernameRequest{
			Channel: channel, Username: name,
		})
	}
	public := func(d *client) (out []ids.Peer) {
		t.Helper()
		list := must(d.ChannelsGetAdminedPublicChannels(ctx(),
			&tg.ChannelsGetAdminedPublicChannelsRequest{}))(t)
		for _, c := range list.GetChats() {
			out = append(out, ids.PeerChannel(ids.ChannelID(c.GetID())))
		}
		return out
	}
	for name, want := range map[string]bool{"common_room": true, "Second_Member": false, "Notice": false} {
		for what, in := range map[string]tg.InputChannelClass{
			"a channel": a.inputChannel(room), "a channel to come": &tg.InputChannelEmpty{},
		} {
			if got := must(free(in, name))(t); got != want {
				t.Errorf("%s may be called %s: %v", what, name, got)
			}
		}
	}
	if got := public(a.client); len(got) != 0 {
		t.Errorf("public before any has a name: %v", got)
	}
	must(a.ChannelsUpdateUsername(ctx(), &tg.ChannelsUpdateUsernameRequest{
		Channel: a.inputChannel(room), Username: "common_room",
	}))(t)
	if got := must(free(a.inputChannel(posts), "Common_Room"))(t); got {
		t.Error("a name that another channel has is free")
	}
	if got := public(a.client); !slices.Equal(got, []ids.Peer{room}) {
		t.Errorf("public are %v", got)
	}
	if got := public(b.client); len(got) != 0 {
		t.Errorf("a member who did not make it has %v", got)
	}
	for _, bad := range []string{"", "four", "1room", "room-one", strings.Repeat("x", 33)} {
		refused(t, bad, failure(free(a.inputChannel(room), bad)), "USERNAME_INVALID")
	}
	refused(t, "a made up address", failure(free(&tg.InputChannel{
		ChannelID: int64(room.Channel()), AccessHash: 1,
	}, "other_room")), "CHANNEL_INVALID")
}

func TestSignatures(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.join("Member 1"), w.join("Member 2"), w.join("Member 3")
	posts, room := a.channel(t, "Posts", true, b, c), a.channel(t, "Room", false)
	a.promote(t, posts, b, tg.ChatAdminRights{PostMessages: true})
	sign := func(d *client, channel ids.Peer, names, profiles bool) error {
		return failure(d.ChannelsToggleSignatures(ctx(), &tg.ChannelsToggleSignaturesRequest{
			Channel: d.inputChannel(channel), SignaturesEnabled: names, ProfilesEnabled: profiles,
		}))
	}
	post := func(text string) *tg.Message {
		t.Helper()
		forget(c.client)
		b.say(posts, text)
		u := hears(c.client, func(u *tg.UpdateNewChannelMessage) bool { return true })
		return u.Message.(*tg.Message)
	}
	if m := post("unsigned"); m.PostAuthor != "" {
		t.Errorf("signed by %q", m.PostAuthor)
	}
	if err := sign(a.client, posts, true, false); err != nil {
		t.Fatal(err)
	}
	if _, shown := c.full(t, posts); !shown.(*tg.Channel).Signatures {
		t.Error("the channel does not say that it is signed")
	}
	if m := post("signed"); m.PostAuthor != "Member 2" {
		t.Errorf("signed by %q", m.PostAuthor)
	}
	if err := sign(a.client, posts, true, true); err != nil {
		t.Fatal(err)
	}
	if m := post("with a profile"); m.FromID == nil || peerOf(t, m.FromID) != b.self.Peer() {
		t.Errorf("shown as from %v", m.FromID)
	}
	if err := sign(a.client, posts, false, false); err != nil {
		t.Fatal(err)
	}
	if m := post("unsigned again"); m.PostAuthor != "" || m.FromID != nil {
		t.Errorf("signed by %q, %v", m.PostAuthor, m.FromID)
	}
	refused(t, "an admin without that right", sign(b.client, posts, true, false),
		"CHAT_ADMIN_REQUIRED")
	refused(t, "as it is", sign(a.client, posts, false, true), "CHAT_NOT_MODIFIED")
	refused(t, "a supergroup", sign(a.client, room, true, false), "CHANNEL_INVALID")
}

func TestHiddenParticipants(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.join("Member 1"), w.join("Member 2"), w.join("Member 3")
	room := a.channel(t, "Room", false, b, c)
	hide := func(d *client, on bool) error {
		return failure(d.ChannelsToggleParticipantsHidden(ctx(),
			&tg.ChannelsToggleParticipantsHiddenRequest{
				Channel: d.inputChannel(room), Enabled: on,
			}))
	}
	list := func(d *client) error {
		return failure(d.ChannelsGetParticipants(ctx(), &tg.ChannelsGetParticipantsRequest{
			Channel: d.inputChannel(room), Filter: &tg.ChannelParticipantsRecent{}, Limit: 10,
		}))
	}
	if err := list(b.client); err != nil {
		t.Fatal(err)
	}
	refused(t, "a member", hide(b.client, true), "CHAT_ADMIN_REQUIRED")
	forget(b.client)
	if err := hide(a.client, true); err != nil {
		t.Fatal(err)
	}
	hears(b.client, func(u *tg.UpdateChannel) bool { return u.ChannelID == int64(room.Channel()) })
	full, _ := b.full(t, room)
	if f := full.(*tg.ChannelFull); !f.ParticipantsHidden || f.CanViewParticipants {
		t.Errorf("the members are shown: %+v", f)
	}
	refused(t, "the list, to a member", list(b.client), "CHAT_ADMIN_REQUIRED")
	if err := list(a.client); err != nil {
		t.Errorf("the list, to an admin: %v", err)
	}
	refused(t, "as it is", hide(a.client, true), "CHAT_NOT_MODIFIED")
	if err := hide(a.client, false); err != nil {
		t.Fatal(err)
	}
	if err := list(b.client); err != nil {
		t.Errorf("the list once it shows again: %v", err)
	}
}

func TestInactiveChannels(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	quiet, lively := a.channel(t, "Quiet", false, b), a.channel(t, "Lively", true, b)
	inactive := func(d *client) (out []ids.Peer) {
		t.Helper()
		list := must(d.ChannelsGetInactiveChannels(ctx()))(t)
		if len(list.Dates) != len(list.Chats) {
			t.Errorf("%d dates of %d channels", len(list.Dates), len(list.Chats))
		}
		for _, c := range list.Chats {
			out = append(out, ids.PeerChannel(ids.ChannelID(c.GetID())))
		}
		return out
	}
	if got := inactive(b.client); len(got) != 0 {
		t.Errorf("inactive at once: %v", got)
	}
	w.clock.Advance(31 * 24 * 60 * 60 * 1e9)
	a.say(lively, "news")
	if got := inactive(b.client); !slices.Equal(got, []ids.Peer{quiet}) {
		t.Errorf("after a month inactive are %v", got)
	}
	must(b.ChannelsLeaveChannel(ctx(), b.inputChannel(quiet)))(t)
	w.settle()
	if got := inactive(b.client); len(got) != 0 {
		t.Errorf("inactive after leaving: %v", got)
	}
}

func TestNoForwards(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("Member 1"), w.join("Member 2")
	for what, room := range map[string]ids.Peer{
		"basic group": a.group(t, "Group", b), "supergroup": a.channel(t, "Room", false, b),
	} {
		protect := func(d *client, on bool) error {
			return failure(d.MessagesToggleNoForwards(ctx(), &tg.MessagesToggleNoForwardsRequest{
				Peer: d.input(room), Enabled: on,
			}))
		}
		forward := func() error {
			return failure(b.MessagesForwardMessages(ctx(), &tg.MessagesForwardMessagesRequest{
				FromPeer: b.input(room), ToPeer: &tg.InputPeerSelf{},
				ID: []int{b.theirs(t, room, 0)}, RandomID: []int64{random()},
			}))
		}
		a.say(room, "for you only")
		if err := forward(); err != nil {
			t.Fatal(err)
		}
		refused(t, what+": a member", protect(b.client, true), "CHAT_ADMIN_REQUIRED")
		if err := protect(a.client, true); err != nil {
			t.Fatal(err)
		}
		refused(t, what, forward(), "CHAT_FORWARDS_RESTRICTED")
		_, shown := b.full(t, room)
		switch c := shown.(type) {
		case *tg.Chat:
			if !c.Noforwards {
				t.Errorf("%s does not say that it is protected", what)
			}
		case *tg.Channel:
			if !c.Noforwards {
				t.Errorf("%s does not say that it is protected", what)
			}
		}
		refused(t, what+": as it is", protect(a.client, true), "CHAT_NOT_MODIFIED")
		if err := protect(a.client, false); err != nil {
			t.Fatal(err)
		}
		a.say(room, "for all")
		if err := forward(); err != nil {
			t.Errorf("%s: once it is not protected: %v", what, err)
		}
	}
	refused(t, "a person", failure(a.MessagesToggleNoForwards(ctx(),
		&tg.MessagesToggleNoForwardsRequest{Peer: a.input(b.self.Peer()), Enabled: true})),
		"PEER_ID_INVALID")
}

func TestAdminTitles(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.join("Member 1"), w.join("Member 2"), w.join("Member 3")
	room := a.channel(t, "Room", false, b, c)
	a.promote(t, room, b, tg.ChatAdminRights{InviteUsers: true})
	rank := func(d *client, room ids.Peer, who *person, rank string) error {
		return failure(d.MessagesEditChatParticipantRank(ctx(),
			&tg.MessagesEditChatParticipantRankRequest{
				Peer: d.input(room), Participant: d.input(who.self.Peer()), Rank: rank,
			}))
	}
	if err := rank(a.client, room, b, "host"); err != nil {
		t.Fatal(err)
	}
	p := must(c.ChannelsGetParticipant(ctx(), &tg.ChannelsGetParticipantRequest{
		Channel: c.inputChannel(room), Participant: c.input(b.self.Peer()),
	}))(t)
	if admin, ok := p.Participant.(*tg.ChannelParticipantAdmin); !ok || admin.Rank != "host" {
		t.Errorf("shown as %+v", p.Participant)
	}
	refused(t, "a member's", rank(c.client, room, b, "boss"), "RIGHT_FORBIDDEN")
	refused(t, "one who is no admin", rank(a.client, room, c, "guest"), "USER_NOT_PARTICIPANT")
	refused(t, "a long one", rank(a.client, room, b, strings.Repeat("x", 17)), "ADMIN_RANK_INVALID")
	refused(t, "in a basic group", rank(a.client, a.group(t, "Group", b), b, "host"),
		"PEER_ID_INVALID")
}

func TestOnlinesAndChats(t *testing.T) {
	w := newWorld(t)
	a, b, stranger := w.join("Member 1"), w.join("Member 2"), w.join("Member 3")
	small, large := a.group(t, "Group", b), a.channel(t, "Room", false, b)
	onlines := func(room ids.Peer) int {
		t.Helper()
		return must(a.MessagesGetOnlines(ctx(), a.input(room)))(t).Onlines
	}
	for _, p := range []*person{a, b} {
		must(p.AccountUpdateStatus(ctx(), false))(t)
	}
	if n := onlines(small); n != 2 {
		t.Errorf("%d are online in the basic group", n)
	}
	if n := onlines(large); n != 2 {
		t.Errorf("%d are online in the supergroup", n)
	}
	must(b.AccountUpdateStatus(ctx(), true))(t)
	if n := onlines(small); n != 1 {
		t.Errorf("after one went %d are online in the basic group", n)
	}
	refused(t, "a stranger", failure(stranger.MessagesGetOnlines(ctx(), stranger.input(large))),
		"CHANNEL_PRIVATE")
	other := a.group(t, "Other")
	list := must(a.MessagesGetChats(ctx(), []int64{int64(other.Chat()), int64(small.Chat())}))(t)
	if got := list.GetChats(); len(got) != 2 || got[0].(*tg.Chat).Title != "Other" ||
		got[1].(*tg.Chat).ParticipantsCount != 2 {
		t.Errorf("the groups are %+v", got)
	}
	refused(t, "a group that one is not in", failure(b.MessagesGetChats(ctx(),
		[]int64{int64(small.Chat()), int64(other.Chat())})), "CHAT_ID_INVALID")
	refused(t, "too many", failure(a.MessagesGetChats(ctx(), slices.Repeat([]int64{1}, 101))),
		"LIMIT_INVALID")
}
