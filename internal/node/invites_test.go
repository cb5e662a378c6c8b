package node

import (
	"slices"
	"strings"
	"testing"

	"github.com/gotd/td/tg"

	"parley/internal/ids"
)

// export makes an invite link.
func (d *client) export(
	t *testing.T, peer ids.Peer, change func(*tg.MessagesExportChatInviteRequest),
) *tg.ChatInviteExported {
	t.Helper()
	in := &tg.MessagesExportChatInviteRequest{Peer: d.input(peer)}
	if change != nil {
		change(in)
	}
	return must(d.MessagesExportChatInvite(ctx(), in))(t).(*tg.ChatInviteExported)
}

// hashOf is the secret of an invite link.
func hashOf(link string) string { return link[strings.LastIndexAny(link, "/+")+1:] }

func (d *client) follow(link string) error {
	return failure(d.MessagesImportChatInvite(ctx(), hashOf(link)))
}

// promote makes somebody an admin of a channel.
func (d *client) promote(t *testing.T, room ids.Peer, who *person, rights tg.ChatAdminRights) {
	t.Helper()
	must(d.ChannelsEditAdmin(ctx(), &tg.ChannelsEditAdminRequest{
		Channel: d.inputChannel(room), UserID: d.inputUser(who), AdminRights: rights,
	}))(t)
	d.w.settle()
}

func TestInviteLinks(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.join("Member 1"), w.join("Member 2"), w.join("Member 3")
	guest := w.join("Member 4")
	room := a.channel(t, "Room", false, b, c)
	a.promote(t, room, b, tg.ChatAdminRights{InviteUsers: true})
	standing := a.export(t, room, nil)
	other := a.export(t, room, func(in *tg.MessagesExportChatInviteRequest) { in.SetTitle("poster") })
	theirs := b.export(t, room, nil)
	if !standing.Permanent || other.Permanent || other.Title != "poster" {
		t.Errorf("the first link is %+v, a further one %+v", standing, other)
	}
	get := func(d *client, link string) (*tg.ChatInviteExported, error) {
		out, err := d.MessagesGetExportedChatInvite(ctx(), &tg.MessagesGetExportedChatInviteRequest{
			Peer: d.input(room), Link: link,
		})
		if err != nil {
			return nil, err
		}
		return out.(*tg.MessagesExportedChatInvite).Invite.(*tg.ChatInviteExported), nil
	}
	if err := guest.follow(other.Link); err != nil {
		t.Fatal(err)
	}
	if got := must(get(a.client, other.Link))(t); got.Usage != 1 || got.Title != "poster" {
		t.Errorf("one link is %+v", got)
	}
	if got := must(get(a.client, theirs.Link))(t); got.AdminID != int64(b.self) {
		t.Errorf("the creator sees another admin's link as %+v", got)
	}
	refused(t, "another's link", failure(get(b.client, other.Link)), "CHAT_ADMIN_REQUIRED")
	refused(t, "a member who is no admin", failure(get(c.client, other.Link)),
		"CHAT_ADMIN_REQUIRED")
	refused(t, "a link that is none", failure(get(a.client, "https://example.org/+nothing")),
		"INVITE_HASH_EXPIRED")

	remove := func(d *client, link string) error {
		return failure(d.MessagesDeleteExportedChatInvite(ctx(),
			&tg.MessagesDeleteExportedChatInviteRequest{Peer: d.input(room), Link: link}))
	}
	revoke := func(link string) {
		t.Helper()
		must(a.MessagesEditExportedChatInvite(ctx(), &tg.MessagesEditExportedChatInviteRequest{
			Peer: a.input(room), Link: link, Revoked: true,
		}))(t)
	}
	refused(t, "deleting what still leads in", remove(a.client, other.Link),
		"INVITE_REVOKED_MISSING")
	revoke(other.Link)
	counts := func() map[int64][2]int {
		t.Helper()
		out := make(map[int64][2]int)
		list := must(a.MessagesGetAdminsWithInvites(ctx(), a.input(room)))(t)
		for _, x := range list.Admins {
			out[x.AdminID] = [2]int{x.InvitesCount, x.RevokedInvitesCount}
		}
		if len(list.Users) != len(out) {
			t.Errorf("%d admins, %d users", len(out), len(list.Users))
		}
		return out
	}
	if got := counts(); got[int64(a.self)] != [2]int{1, 1} || got[int64(b.self)] != [2]int{1, 0} {
		t.Errorf("each admin has links, live and revoked: %v", got)
	}
	refused(t, "another admin's overview",
		failure(b.MessagesGetAdminsWithInvites(ctx(), b.input(room))), "CHAT_ADMIN_REQUIRED")
	if err := w.join("Member 5").follow(other.Link); err == nil {
		t.Error("a revoked link leads in")
	}
	refused(t, "another's revoked link", remove(b.client, other.Link), "CHAT_ADMIN_REQUIRED")
	if err := remove(a.client, other.Link); err != nil {
		t.Fatal(err)
	}
	refused(t, "a deleted link", failure(get(a.client, other.Link)), "INVITE_HASH_EXPIRED")

	// All revoked ones at once: the admin's own, not those of others.
	for range 3 {
		revoke(a.export(t, room, func(in *tg.MessagesExportChatInviteRequest) {
			in.SetUsageLimit(5)
		}).Link)
	}
	revoke(theirs.Link)
	clear := func(d *client, admin *person) error {
		return failure(d.MessagesDeleteRevokedExportedChatInvites(ctx(),
			&tg.MessagesDeleteRevokedExportedChatInvitesRequest{
				Peer: d.input(room), AdminID: d.inputUser(admin),
			}))
	}
	refused(t, "another's revoked links", clear(b.client, a), "CHAT_ADMIN_REQUIRED")
	if err := clear(a.client, a); err != nil {
		t.Fatal(err)
	}
	if got := counts(); got[int64(a.self)] != [2]int{1, 0} || got[int64(b.self)][1] != 1 {
		t.Errorf("after the revoked ones went: %v", got)
	}
}

// asked is what somebody who asks to join is told.
const asked = "INVITE_REQUEST_SENT"

func TestJoinRequests(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.join("Member 1"), w.join("Member 2"), w.join("Member 3")
	tablet := a.another()
	for what, room := range map[string]ids.Peer{
		"basic group": a.group(t, "Group"), "supergroup": a.channel(t, "Room", false),
		"channel": a.channel(t, "Posts", true),
	} {
		link := a.export(t, room, func(in *tg.MessagesExportChatInviteRequest) {
			in.RequestNeeded = true
		})
		another := a.export(t, room, func(in *tg.MessagesExportChatInviteRequest) {
			in.RequestNeeded = true
		})
		forget(tablet)
		refused(t, what, b.follow(link.Link), asked)
		refused(t, what, c.follow(another.Link), asked)
		hears(tablet, func(u *tg.UpdatePendingJoinRequests) bool {
			return u.RequestsPending == 2 && peerOf(t, u.Peer) == room
		})
		decide := func(d *client, yes bool, link string) error {
			in := &tg.MessagesHideAllChatJoinRequestsRequest{Peer: d.input(room), Approved: yes}
			if link != "" {
				in.SetLink(link)
			}
			u, err := d.MessagesHideAllChatJoinRequests(ctx(), in)
			if err != nil {
				return err
			}
			_, found := among(listOf(t, u), func(u *tg.UpdatePendingJoinRequests) bool {
				return peerOf(t, u.Peer) == room
			})
			if !found {
				t.Errorf("%s: the answer does not say how many wait", what)
			}
			return nil
		}
		if err := decide(b.client, true, ""); err == nil {
			t.Errorf("%s: one who asks lets himself in", what)
		}
		// Those who came by one link, and then the others.
		if err := decide(a.client, true, link.Link); err != nil {
			t.Fatal(err)
		}
		if !b.in(t, room) || c.in(t, room) {
			t.Errorf("%s: in are %v and %v", what, b.in(t, room), c.in(t, room))
		}
		hears(tablet, func(u *tg.UpdatePendingJoinRequests) bool { return u.RequestsPending == 1 })
		if err := decide(tablet, false, ""); err != nil {
			t.Fatal(err)
		}
		if c.in(t, room) {
			t.Errorf("%s: who was declined is in", what)
		}
		if err := decide(a.client, true, ""); err != nil {
			t.Errorf("%s: with nobody waiting: %v", what, err)
		}
		if c.in(t, room) {
			t.Errorf("%s: a declined request was kept", what)
		}
	}
}

// in tells whether a peer is on the own chat list.
func (d *client) in(t *testing.T, room ids.Peer) bool {
	t.Helper()
	d.w.settle()
	return slices.Contains(d.listed(t, 0), room)
}

func TestJoinSettings(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.join("Member 1"), w.join("Member 2"), w.join("Member 3")
	room := a.channel(t, "Room", false)
	posts := a.channel(t, "Posts", true)
	must(a.ChannelsUpdateUsername(ctx(), &tg.ChannelsUpdateUsernameRequest{
		Channel: a.inputChannel(room), Username: "open_room",
	}))(t)
	request := func(d *client, room ids.Peer, on bool) error {
		return failure(d.ChannelsToggleJoinRequest(ctx(), &tg.ChannelsToggleJoinRequestRequest{
			Channel: d.inputChannel(room), Enabled: on,
		}))
	}
	send := func(d *client, room ids.Peer, on bool) error {
		return failure(d.ChannelsToggleJoinToSend(ctx(), &tg.ChannelsToggleJoinToSendRequest{
			Channel: d.inputChannel(room), Enabled: on,
		}))
	}
	enter := func(d *client) error {
		return failure(d.ChannelsJoinChannel(ctx(), d.inputChannel(room)))
	}
	write := func(d *client) error {
		return failure(d.MessagesSendMessage(ctx(), &tg.MessagesSendMessageRequest{
			Peer: d.input(room), Message: "hello", RandomID: random(),
		}))
	}
	if err := write(b.client); err != nil {
		t.Errorf("whoever sees a public group writes in it: %v", err)
	}
	if err := send(a.client, room, true); err != nil {
		t.Fatal(err)
	}
	refused(t, "a stranger's message", write(b.client), "CHAT_WRITE_FORBIDDEN")
	if err := enter(b.client); err != nil {
		t.Fatal(err)
	}
	if err := write(b.client); err != nil {
		t.Errorf("a member's message: %v", err)
	}
	if err := request(a.client, room, true); err != nil {
		t.Fatal(err)
	}
	refused(t, "who must ask", enter(c.client), asked)
	chat := must(c.MessagesCheckChatInvite(ctx(), hashOf(a.export(t, room, nil).Link)))(t)
	if i, ok := chat.(*tg.ChatInvite); !ok || !i.Public {
		t.Errorf("a link leads to %+v", chat)
	}
	for what, toggle := range map[string]func(*client, ids.Peer, bool) error{
		"asking": request, "writing": send,
	} {
		refused(t, what+" by a member", toggle(b.client, room, false), "CHAT_ADMIN_REQUIRED")
		refused(t, what+" as it is", toggle(a.client, room, true), "CHAT_NOT_MODIFIED")
		refused(t, what+" in a broadcast channel", toggle(a.client, posts, true), "CHANNEL_INVALID")
		if err := toggle(a.client, room, false); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := enter(c.client); err != nil {
		t.Errorf("joining once nobody must ask: %v", err)
	}
}
