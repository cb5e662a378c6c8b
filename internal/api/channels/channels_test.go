package channels

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/chats"
	. "parley/internal/api/chats/roomtest"
	"parley/internal/api/messages"
	"parley/internal/chat"
	"parley/internal/chat/group"
	"parley/internal/chat/message"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

func newHandlers(t *testing.T) (*World, *Handlers) {
	w := New(t, storetest.SQLite(t))
	m := &messages.Handlers{Desk: w.Desk, Message: w.Message, Settled: w.Settled}
	return w, &Handlers{
		Room:  chats.Room{Desk: w.Desk, Settled: w.Settled},
		Group: w.Group, Channel: w.Channel, Message: w.Message,
		Photo:       func(*api.Call, tg.InputChatPhotoClass) (int64, error) { return 77, nil },
		Messages:    m.ChannelMessages,
		Subscribers: func(ids.Peer) []ids.UserID { return nil },
	}
}

// create makes a channel of Alice's; a name makes it public.
func create(w *World, h *Handlers, megagroup bool, name string) ids.Peer {
	w.T.Helper()
	out, err := h.createChannel(w.Call(Alice), &tg.ChannelsCreateChannelRequest{
		Title: "News", About: "of the day", Megagroup: megagroup, Broadcast: !megagroup,
	})
	if err != nil {
		w.T.Fatal(err)
	}
	u := out.(*tg.Updates)
	named, news := 0, 0
	for _, x := range u.Updates {
		switch x := x.(type) {
		case *tg.UpdateMessageID:
			named++
		case *tg.UpdateNewChannelMessage:
			news++
			if _, ok := x.Message.(*tg.MessageService).Action.(*tg.MessageActionChannelCreate); !ok {
				w.T.Errorf("the first message is %+v", x.Message)
			}
		}
	}
	if named != 1 || news != 1 || len(u.Chats) != 1 {
		w.T.Fatalf("createChannel answers with %+v", u)
	}
	peer := ids.PeerChannel(ids.ChannelID(u.Chats[0].(*tg.Channel).ID))
	if name != "" {
		if err := username(w, h, Alice, peer, name); err != nil {
			w.T.Fatal(err)
		}
	}
	return peer
}

func username(w *World, h *Handlers, who ids.UserID, peer ids.Peer, name string) error {
	_, err := h.updateUsername(w.Call(who), &tg.ChannelsUpdateUsernameRequest{
		Channel: InputChannel(who, peer), Username: name,
	})
	return err
}

func join(w *World, h *Handlers, who ids.UserID, peer ids.Peer) error {
	_, err := h.joinChannel(w.Call(who), &tg.ChannelsJoinChannelRequest{
		Channel: InputChannel(who, peer),
	})
	return err
}

func leave(w *World, h *Handlers, who ids.UserID, peer ids.Peer) error {
	_, err := h.leaveChannel(w.Call(who), &tg.ChannelsLeaveChannelRequest{
		Channel: InputChannel(who, peer),
	})
	return err
}

func invite(w *World, h *Handlers, who ids.UserID, peer ids.Peer, others ...ids.UserID) error {
	req := &tg.ChannelsInviteToChannelRequest{Channel: InputChannel(who, peer)}
	for _, id := range others {
		req.Users = append(req.Users, InputUser(who, id))
	}
	_, err := h.inviteToChannel(w.Call(who), req)
	return err
}

func promote(w *World, h *Handlers, who ids.UserID, peer ids.Peer, other ids.UserID, r tg.ChatAdminRights) error {
	_, err := h.editAdmin(w.Call(who), &tg.ChannelsEditAdminRequest{
		Channel: InputChannel(who, peer), UserID: InputUser(who, other), AdminRights: r,
	})
	return err
}

func ban(w *World, h *Handlers, who ids.UserID, peer ids.Peer, other ids.UserID, r tg.ChatBannedRights) error {
	_, err := h.editBanned(w.Call(who), &tg.ChannelsEditBannedRequest{
		Channel: InputChannel(who, peer), Participant: InputPeer(who, other.Peer()), BannedRights: r,
	})
	return err
}

func texts(w *World, h *Handlers, who ids.UserID, peer ids.Peer, list ...int64) (out []string, err error) {
	req := &tg.ChannelsGetMessagesRequest{Channel: InputChannel(who, peer)}
	for _, id := range list {
		req.ID = append(req.ID, &tg.InputMessageID{ID: int(id)})
	}
	got, err := h.getMessages(w.Call(who), req)
	if err != nil {
		return nil, err
	}
	for _, m := range got.(*tg.MessagesChannelMessages).Messages {
		if m, ok := m.(*tg.Message); ok {
			out = append(out, m.Message)
		}
	}
	return out, nil
}

func TestJoinAndLeave(t *testing.T) {
	w, h := newHandlers(t)
	peer := create(w, h, false, "the_news")
	post := w.Post(Alice, peer, "hello")
	if err := join(w, h, Bob, peer); err != nil {
		t.Fatal(err)
	}
	w.Exact(peer, 2)
	if !w.Listed(Bob, peer) {
		t.Error("the channel is not on Bob's list")
	}
	if err := join(w, h, Bob, peer); err != nil {
		t.Errorf("joining twice: %v", err)
	}
	w.Exact(peer, 2)
	if a := w.Last(Alice, peer); a.Kind != message.NoAction {
		t.Errorf("a broadcast channel was told %+v", a)
	}
	if got, err := texts(w, h, Bob, peer, post); err != nil || len(got) != 1 {
		t.Errorf("Bob reads %q, %v", got, err)
	}
	w.Refused("the creator's leaving", leave(w, h, Alice, peer), chat.Invalid("USER_CREATOR"))
	if err := leave(w, h, Bob, peer); err != nil || w.Listed(Bob, peer) {
		t.Errorf("leaving: %v", err)
	}
	w.Refused("leaving twice", leave(w, h, Bob, peer), chat.ErrNotParticipant)
	w.Exact(peer, 1)
	if err := join(w, h, Bob, peer); err != nil || !w.Listed(Bob, peer) {
		t.Errorf("coming back: %v", err)
	}
	secret := create(w, h, false, "")
	w.Refused("joining a private channel", join(w, h, Bob, secret), chat.ErrChannelPrivate)
	_, err := h.getChannels(w.Call(Bob), &tg.ChannelsGetChannelsRequest{
		ID: []tg.InputChannelClass{&tg.InputChannel{ChannelID: int64(peer.Channel()), AccessHash: 5}},
	})
	w.Refused("a guessed hash", err, chat.ErrChannelInvalid)
}

func TestMembersCountsStayExact(t *testing.T) {
	w, h := newHandlers(t)
	peer := create(w, h, true, "crowd_here")
	var wg sync.WaitGroup
	for i := range 8 {
		id := ids.UserID(5000 + i)
		w.AddUser(id, fmt.Sprint("Person ", i))
		for range 3 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for range 4 {
					_, err := w.Group.Join(context.Background(), id, peer)
					if err != nil {
						t.Error(err)
					}
					_, err = w.Group.Leave(context.Background(), id, peer)
					if err != nil && err != chat.ErrNotParticipant {
						t.Error(err)
					}
				}
				if _, err := w.Group.Join(context.Background(), id, peer); err != nil {
					t.Error(err)
				}
			}()
		}
	}
	wg.Wait()
	n := int64(1)
	for i := range 8 {
		if w.Member(peer, ids.UserID(5000+i)).Role.In() {
			n++
		}
	}
	w.Exact(peer, n)
	if err := w.Settled(context.Background(), peer); err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		id := ids.UserID(5000 + i)
		if w.Listed(id, peer) != w.Member(peer, id).Role.In() {
			t.Errorf("the list of %d does not follow his membership", id)
		}
	}
}

func TestKickedReadsNothing(t *testing.T) {
	w, h := newHandlers(t)
	peer := create(w, h, true, "open_group")
	if err := invite(w, h, Alice, peer, Bob, Carol); err != nil {
		t.Fatal(err)
	}
	w.Exact(peer, 3)
	post := w.Post(Carol, peer, "before")
	w.Refused("a member's ban", ban(w, h, Bob, peer, Carol, tg.ChatBannedRights{ViewMessages: true}),
		chat.ErrAdminRequired)
	if err := ban(w, h, Alice, peer, Bob, tg.ChatBannedRights{ViewMessages: true}); err != nil {
		t.Fatal(err)
	}
	w.Exact(peer, 2)
	if a := w.Last(Carol, peer); a.Kind != message.ChatDeleteUser || a.User != Bob {
		t.Errorf("the group was told %+v", a)
	}
	if w.Listed(Bob, peer) {
		t.Error("the group is still on Bob's list")
	}
	in, c := InputChannel(Bob, peer), w.Call(Bob)
	for name, try := range map[string]func() error{
		"getMessages": func() error { _, err := texts(w, h, Bob, peer, post); return err },
		"getFullChannel": func() error {
			_, err := h.getFullChannel(c, &tg.ChannelsGetFullChannelRequest{Channel: in})
			return err
		},
		"getParticipants": func() error {
			_, err := h.getParticipants(c, &tg.ChannelsGetParticipantsRequest{
				Channel: in, Filter: &tg.ChannelParticipantsRecent{}, Limit: 10,
			})
			return err
		},
		"getParticipant": func() error {
			_, err := h.getParticipant(c, &tg.ChannelsGetParticipantRequest{
				Channel: in, Participant: &tg.InputPeerSelf{},
			})
			return err
		},
		"getAdminLog": func() error {
			_, err := h.getAdminLog(c, &tg.ChannelsGetAdminLogRequest{Channel: in, Limit: 10})
			return err
		},
		"exportMessageLink": func() error {
			_, err := h.exportMessageLink(c, &tg.ChannelsExportMessageLinkRequest{
				Channel: in, ID: int(post),
			})
			return err
		},
		"getMessageAuthor": func() error {
			_, err := h.getMessageAuthor(c, &tg.ChannelsGetMessageAuthorRequest{
				Channel: in, ID: int(post),
			})
			return err
		},
		"getSendAs": func() error {
			_, err := h.getSendAs(c, &tg.ChannelsGetSendAsRequest{Peer: InputPeer(Bob, peer)})
			return err
		},
		"readHistory": func() error {
			_, err := h.readHistory(c, &tg.ChannelsReadHistoryRequest{Channel: in})
			return err
		},
		"readMessageContents": func() error {
			_, err := h.readMessageContents(c, &tg.ChannelsReadMessageContentsRequest{Channel: in})
			return err
		},
		"joinChannel":   func() error { return join(w, h, Bob, peer) },
		"leaveChannel":  func() error { return leave(w, h, Bob, peer) },
		"invite":        func() error { return invite(w, h, Bob, peer, Dave) },
		"deleteHistory": func() error { _, err := h.deleteHistory(c, &tg.ChannelsDeleteHistoryRequest{Channel: in}); return err },
	} {
		w.Refused(name, try(), chat.ErrChannelPrivate)
	}
	out, err := h.getChannels(c, &tg.ChannelsGetChannelsRequest{ID: []tg.InputChannelClass{in}})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := out.(*tg.MessagesChats).Chats[0].(*tg.ChannelForbidden); !ok {
		t.Errorf("Bob sees %+v", out.(*tg.MessagesChats).Chats[0])
	}
	if err := ban(w, h, Alice, peer, Bob, tg.ChatBannedRights{}); err != nil {
		t.Fatal(err)
	}
	if err := join(w, h, Bob, peer); err != nil {
		t.Errorf("joining after the ban was lifted: %v", err)
	}
	until := int(w.Clock.Now().Unix()) + 600
	err = ban(w, h, Alice, peer, Bob, tg.ChatBannedRights{ViewMessages: true, UntilDate: until})
	if err != nil {
		t.Fatal(err)
	}
	w.Refused("joining during the ban", join(w, h, Bob, peer), chat.ErrChannelPrivate)
	w.Clock.Advance(601 * time.Second)
	if err := join(w, h, Bob, peer); err != nil {
		t.Errorf("joining after the ban ran out: %v", err)
	}
	w.Exact(peer, 3)
}

func TestAdminRights(t *testing.T) {
	w, h := newHandlers(t)
	peer := create(w, h, true, "")
	if err := invite(w, h, Alice, peer, Bob, Carol, Dave); err != nil {
		t.Fatal(err)
	}
	some := tg.ChatAdminRights{BanUsers: true, AddAdmins: true, DeleteMessages: true}
	w.Refused("a member's promotion", promote(w, h, Bob, peer, Carol, some), chat.ErrAdminRequired)
	if err := promote(w, h, Alice, peer, Bob, some); err != nil {
		t.Fatal(err)
	}
	forbidden := chat.Forbidden("RIGHT_FORBIDDEN")
	more := tg.ChatAdminRights{BanUsers: true, PinMessages: true}
	w.Refused("a right he does not have", promote(w, h, Bob, peer, Carol, more), forbidden)
	less := tg.ChatAdminRights{BanUsers: true}
	if err := promote(w, h, Bob, peer, Carol, less); err != nil {
		t.Fatal(err)
	}
	if err := promote(w, h, Alice, peer, Dave, less); err != nil {
		t.Fatal(err)
	}
	none := tg.ChatAdminRights{}
	w.Refused("another's admin", promote(w, h, Bob, peer, Dave, none), forbidden)
	w.Refused("demoting the creator", promote(w, h, Bob, peer, Alice, none),
		chat.Invalid("USER_CREATOR"))
	gone := tg.ChatBannedRights{ViewMessages: true}
	w.Refused("banning the creator", ban(w, h, Bob, peer, Alice, gone),
		chat.Invalid("USER_ADMIN_INVALID"))
	w.Refused("banning another's admin", ban(w, h, Carol, peer, Dave, gone),
		chat.Invalid("USER_ADMIN_INVALID"))
	if err := ban(w, h, Bob, peer, Carol, gone); err != nil {
		t.Errorf("banning an admin that he made: %v", err)
	}
	if err := promote(w, h, Alice, peer, Dave, none); err != nil {
		t.Error(err)
	}
	if m := w.Member(peer, Dave); m.Role != store.Participant || m.Rights != 0 {
		t.Errorf("Dave is %+v", m)
	}
	err := ban(w, h, Bob, peer, Dave, tg.ChatBannedRights{SendMessages: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Message.Send(context.Background(), message.Outgoing{
		From: Dave, To: peer, Random: w.Random(), Content: message.Content{Text: "may I?"},
	})
	w.Refused("writing while restricted", err, chat.ErrWriteForbidden)
	if err := leave(w, h, Dave, peer); err != nil {
		t.Fatal(err)
	}
	if err := invite(w, h, Alice, peer, Erin); err != nil {
		t.Fatal(err)
	}
	if m := w.Member(peer, Dave); m.Role != store.RestrictedOut {
		t.Errorf("who left restricted is %+v", m)
	}
	if err := username(w, h, Alice, peer, "back_again"); err != nil {
		t.Fatal(err)
	}
	if err := join(w, h, Dave, peer); err != nil {
		t.Fatal(err)
	}
	if m := w.Member(peer, Dave); m.Role != store.Restricted ||
		rights.Banned(m.Rights)&rights.NoSend == 0 {
		t.Errorf("who comes back restricted is %+v", m)
	}
	w.Exact(peer, 4)
	log, err := h.getAdminLog(w.Call(Alice), &tg.ChannelsGetAdminLogRequest{
		Channel: InputChannel(Alice, peer), Limit: 50,
	})
	if err != nil {
		t.Fatal(err)
	}
	kinds := make(map[string]int)
	for _, e := range log.Events {
		kinds[e.Action.TypeName()]++
	}
	if kinds["channelAdminLogEventActionParticipantToggleAdmin"] != 4 ||
		kinds["channelAdminLogEventActionParticipantToggleBan"] != 2 ||
		kinds["channelAdminLogEventActionChangeUsername"] != 1 ||
		kinds["channelAdminLogEventActionParticipantInvite"] != 4 {
		t.Errorf("the log has %v", kinds)
	}
	_, err = h.getAdminLog(w.Call(Dave), &tg.ChannelsGetAdminLogRequest{
		Channel: InputChannel(Dave, peer), Limit: 50,
	})
	w.Refused("a member's look at the log", err, chat.ErrAdminRequired)
}

func TestUsernames(t *testing.T) {
	w, h := newHandlers(t)
	one, two := create(w, h, false, "First_Name"), create(w, h, false, "")
	w.Refused("a taken name", username(w, h, Alice, two, "first_name"), chat.ErrUsernameOccupied)
	w.Refused("a bad name", username(w, h, Alice, two, "a b"), chat.ErrUsernameInvalid)
	if err := invite(w, h, Alice, two, Bob); err != nil {
		t.Fatal(err)
	}
	w.Refused("a member's naming", username(w, h, Bob, two, "bobs_own"), chat.ErrAdminRequired)
	who := func(name string) (peer ids.Peer) {
		w.View(func(r *store.Reader) error {
			peer, _ = r.PeerByUsername(name)
			return nil
		})
		return peer
	}
	found := func() (list []ids.Peer) {
		w.View(func(r *store.Reader) (err error) {
			list, err = r.PeersByNameTerm("news", 10)
			return err
		})
		return list
	}
	if who("bobs_own") != 0 {
		t.Error("a refused change keeps the name")
	}
	if len(found()) != 1 {
		t.Errorf("found %v", found())
	}
	if err := username(w, h, Alice, one, "other_name"); err != nil {
		t.Fatal(err)
	}
	if who("first_name") != 0 || who("other_name") != one {
		t.Error("the old name was not given back")
	}
	results := make([]error, 2)
	var wg sync.WaitGroup
	for i, p := range []ids.Peer{one, two} {
		wg.Add(1)
		go func() {
			defer wg.Done()
			results[i] = w.Channel.SetUsername(context.Background(), Alice, p, "contested")
		}()
	}
	wg.Wait()
	if (results[0] == nil) == (results[1] == nil) {
		t.Errorf("one name for two: %v", results)
	}
	if err := username(w, h, Alice, two, "second_name"); err != nil {
		t.Fatal(err)
	}
	_, err := h.deleteChannel(w.Call(Alice), &tg.ChannelsDeleteChannelRequest{
		Channel: InputChannel(Alice, two),
	})
	if err != nil {
		t.Fatal(err)
	}
	if who("second_name") != 0 || w.Listed(Bob, two) || w.Listed(Alice, two) {
		t.Error("a deleted channel is still there")
	}
	_, err = texts(w, h, Bob, two, 1)
	w.Refused("reading a deleted channel", err, chat.ErrChannelPrivate)
	for _, p := range found() {
		if p == two {
			t.Error("a deleted channel is found")
		}
	}
}

func TestDeleteReachesEveryMember(t *testing.T) {
	w, h := newHandlers(t)
	peer := create(w, h, false, "")
	var all []ids.UserID
	for i := range 1100 {
		all = append(all, ids.UserID(5000+i))
	}
	added, err := w.Group.Enroll(context.Background(), peer, append(all, all[0], Alice))
	if err != nil || added != 1100 {
		t.Fatalf("%d were enrolled, %v", added, err)
	}
	w.Exact(peer, 1101)
	if err := w.Channel.Delete(context.Background(), Alice, peer); err != nil {
		t.Fatal(err)
	}
	w.Quiet(peer)
	w.Exact(peer, 0)
	for _, id := range []ids.UserID{Alice, all[0], all[600], all[1099]} {
		if w.Listed(id, peer) {
			t.Errorf("%d still has it on his list", id)
		}
	}
}

func TestHiddenHistory(t *testing.T) {
	w, h := newHandlers(t)
	peer := create(w, h, true, "")
	if err := invite(w, h, Alice, peer, Bob); err != nil {
		t.Fatal(err)
	}
	before := w.Post(Alice, peer, "between us")
	hide := func(who ids.UserID, on bool) error {
		_, err := h.togglePreHistoryHidden(w.Call(who), &tg.ChannelsTogglePreHistoryHiddenRequest{
			Channel: InputChannel(who, peer), Enabled: on,
		})
		return err
	}
	w.Refused("a member's hiding", hide(Bob, true), chat.ErrAdminRequired)
	if err := hide(Alice, true); err != nil {
		t.Fatal(err)
	}
	link, err := w.Group.Export(context.Background(), Alice, peer, group.Terms{}, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := invite(w, h, Alice, peer, Carol); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Group.Import(context.Background(), Dave, link.Hash); err != nil {
		t.Fatal(err)
	}
	after := w.Post(Alice, peer, "for all")
	for who, want := range map[ids.UserID]int{Bob: 2, Carol: 1, Dave: 1} {
		got, err := texts(w, h, who, peer, before, after)
		if err != nil || len(got) != want {
			t.Errorf("%d reads %q, %v", who, got, err)
		}
	}
	_, err = h.exportMessageLink(w.Call(Carol), &tg.ChannelsExportMessageLinkRequest{
		Channel: InputChannel(Carol, peer), ID: int(before),
	})
	w.Refused("a link to what is hidden", err, chat.ErrMessageIDInvalid)
	full, err := h.getFullChannel(w.Call(Carol), &tg.ChannelsGetFullChannelRequest{
		Channel: InputChannel(Carol, peer),
	})
	if err != nil || full.FullChat.(*tg.ChannelFull).AvailableMinID < int(before) {
		t.Errorf("%+v, %v", full, err)
	}
}
