package chats

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/gotd/td/tg"

	"parley/internal/api"
	. "parley/internal/api/chats/roomtest"
	"parley/internal/chat"
	"parley/internal/chat/contact"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
	"parley/internal/store/storetest"
)

func newHandlers(t *testing.T) (*World, *Handlers) {
	w := New(t, storetest.SQLite(t))
	return w, &Handlers{
		Room:  Room{Desk: w.Desk, Settled: w.Settled},
		Group: w.Group, Channel: w.Channel,
		Photo:       func(*api.Call, tg.InputChatPhotoClass) (int64, error) { return 77, nil },
		Subscribers: func(ids.Peer) []ids.UserID { return nil },
	}
}

// create makes a basic group of Alice's.
func create(w *World, h *Handlers, others ...ids.UserID) ids.Peer {
	w.T.Helper()
	req := &tg.MessagesCreateChatRequest{Title: " Friends\n"}
	for _, id := range others {
		req.Users = append(req.Users, InputUser(Alice, id))
	}
	out, err := h.createChat(w.Call(Alice), req)
	if err != nil {
		w.T.Fatal(err)
	}
	u := out.Updates.(*tg.Updates)
	ids_, news := 0, 0
	for _, x := range u.Updates {
		switch x := x.(type) {
		case *tg.UpdateMessageID:
			ids_++
		case *tg.UpdateNewMessage:
			news++
			action := x.Message.(*tg.MessageService).Action.(*tg.MessageActionChatCreate)
			if action.Title != "Friends" {
				w.T.Errorf("created %q", action.Title)
			}
		}
	}
	if ids_ != 1 || news != 1 || len(u.Chats) != 1 || len(u.Users) != len(others)+1 {
		w.T.Errorf("createChat answers with %d ids, %d messages, %d chats, %d users",
			ids_, news, len(u.Chats), len(u.Users))
	}
	return ids.PeerChat(ids.ChatID(u.Chats[0].(*tg.Chat).ID))
}

func TestBasicGroup(t *testing.T) {
	w, h := newHandlers(t)
	w.Update(Dave.Peer(), func(tx *store.Tx) error {
		return contact.SetRule(tx, Dave, contact.Invite, contact.Rule{At: contact.Nobody}, 1)
	})
	peer := create(w, h, Bob, Carol)
	id := int64(peer.Chat())
	w.Exact(peer, 3)
	for _, who := range []ids.UserID{Alice, Bob, Carol} {
		if !w.Listed(who, peer) {
			t.Errorf("%d does not have the group on his list", who)
		}
	}
	out, err := h.addChatUser(w.Call(Bob), &tg.MessagesAddChatUserRequest{
		ChatID: id, UserID: InputUser(Bob, Dave),
	})
	if err != nil || len(out.MissingInvitees) != 1 || w.Member(peer, Dave).Role.In() {
		t.Errorf("Dave lets nobody add him: %+v, %v", out, err)
	}
	_, err = h.addChatUser(w.Call(Bob), &tg.MessagesAddChatUserRequest{
		ChatID: id, UserID: InputUser(Bob, Erin),
	})
	if err != nil || !w.Listed(Erin, peer) {
		t.Errorf("Erin was not added: %v", err)
	}
	w.Exact(peer, 4)
	_, err = h.deleteChatUser(w.Call(Carol), &tg.MessagesDeleteChatUserRequest{
		ChatID: id, UserID: InputUser(Carol, Erin),
	})
	w.Refused("an ordinary member's removal of somebody he did not add", err, chat.ErrAdminRequired)
	_, err = h.deleteChatUser(w.Call(Bob), &tg.MessagesDeleteChatUserRequest{
		ChatID: id, UserID: InputUser(Bob, Erin),
	})
	if err != nil || w.Member(peer, Erin).Role.In() {
		t.Errorf("Bob may remove whom he added: %v", err)
	}
	w.Exact(peer, 3)
	w.Post(Alice, peer, "without Erin")
	w.View(func(r *store.Reader) error {
		rows, err := message.History(r, Erin, peer, 0, message.Page{Limit: 10})
		for _, m := range rows {
			c, _ := message.DecodeContent(m.Body)
			if c.Text != "" {
				t.Errorf("Erin got %q", c.Text)
			}
		}
		return err
	})
	full, err := h.getFullChat(w.Call(Erin), &tg.MessagesGetFullChatRequest{ChatID: id})
	if err != nil {
		t.Fatal(err)
	}
	f := full.FullChat.(*tg.ChatFull)
	if _, ok := f.Participants.(*tg.ChatParticipantsForbidden); !ok || f.About != "" {
		t.Errorf("who was removed sees %+v", f)
	}
	_, err = h.getFullChat(w.Call(Dave), &tg.MessagesGetFullChatRequest{ChatID: id})
	w.Refused("a stranger's look", err, chat.ErrChatInvalid)
}

func TestBasicGroupRights(t *testing.T) {
	w, h := newHandlers(t)
	peer := create(w, h, Bob, Carol)
	id := int64(peer.Chat())
	title := func(who ids.UserID, s string) error {
		_, err := h.editChatTitle(w.Call(who), &tg.MessagesEditChatTitleRequest{ChatID: id, Title: s})
		return err
	}
	if err := title(Bob, "Ours"); err != nil {
		t.Error(err)
	}
	if a := w.Last(Bob, peer); a.Kind != message.ChatEditTitle || a.Title != "Ours" {
		t.Errorf("the group was told %+v", a)
	}
	w.Refused("the same title", title(Bob, "Ours"), chat.ErrNotModified)
	_, err := h.editChatDefaultBannedRights(w.Call(Bob),
		&tg.MessagesEditChatDefaultBannedRightsRequest{Peer: InputPeer(Bob, peer)})
	w.Refused("a member's default rights", err, chat.ErrAdminRequired)
	_, err = h.editChatDefaultBannedRights(w.Call(Alice),
		&tg.MessagesEditChatDefaultBannedRightsRequest{
			Peer:         InputPeer(Alice, peer),
			BannedRights: tg.ChatBannedRights{ChangeInfo: true, InviteUsers: true},
		})
	if err != nil {
		t.Fatal(err)
	}
	w.Refused("a title without the right", title(Bob, "Mine"), chat.ErrAdminRequired)
	_, err = h.addChatUser(w.Call(Bob), &tg.MessagesAddChatUserRequest{
		ChatID: id, UserID: InputUser(Bob, Dave),
	})
	w.Refused("adding without the right", err, chat.ErrAdminRequired)
	admin := func(who, other ids.UserID) error {
		_, err := h.editChatAdmin(w.Call(who), &tg.MessagesEditChatAdminRequest{
			ChatID: id, UserID: InputUser(who, other), IsAdmin: true,
		})
		return err
	}
	w.Refused("a member's promotion", admin(Bob, Bob), chat.ErrAdminRequired)
	if err := admin(Alice, Bob); err != nil {
		t.Fatal(err)
	}
	if err := title(Bob, "Mine"); err != nil {
		t.Error(err)
	}
	_, err = h.deleteChatUser(w.Call(Bob), &tg.MessagesDeleteChatUserRequest{
		ChatID: id, UserID: InputUser(Bob, Alice),
	})
	w.Refused("the creator's removal", err, chat.ErrAdminRequired)
	if _, err := h.editChatPhoto(w.Call(Bob), &tg.MessagesEditChatPhotoRequest{ChatID: id}); err != nil {
		t.Error(err)
	}
	if c := w.Chat(peer); c.PhotoID != 77 {
		t.Errorf("the photo is %d", c.PhotoID)
	}
}

func TestBasicGroupIsBounded(t *testing.T) {
	w, h := newHandlers(t)
	peer := create(w, h)
	var more []ids.UserID
	for i := range limit.ChatMembers + 10 {
		id := ids.UserID(5000 + i)
		w.AddUser(id, fmt.Sprint("Person ", i))
		more = append(more, id)
	}
	_, _, err := w.Group.Add(context.Background(), Alice, peer, more[:limit.ChatMembers-11])
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, id := range more[limit.ChatMembers-11:] {
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, _, err := w.Group.Add(context.Background(), Alice, peer, []ids.UserID{id})
			if err != nil && err != chat.Invalid("USERS_TOO_MUCH") {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	w.Exact(peer, limit.ChatMembers)
}

func TestInviteLinks(t *testing.T) {
	w, h := newHandlers(t)
	peer := create(w, h, Bob)
	export := func(who ids.UserID, req tg.MessagesExportChatInviteRequest) (*tg.ChatInviteExported, error) {
		req.Peer = InputPeer(who, peer)
		out, err := h.exportChatInvite(w.Call(who), &req)
		if err != nil {
			return nil, err
		}
		return out.(*tg.ChatInviteExported), nil
	}
	_, err := export(Bob, tg.MessagesExportChatInviteRequest{})
	w.Refused("a member's link", err, chat.ErrAdminRequired)
	first, err := export(Alice, tg.MessagesExportChatInviteRequest{})
	if err != nil || !first.Permanent {
		t.Fatalf("%+v, %v", first, err)
	}
	limited := tg.MessagesExportChatInviteRequest{}
	limited.SetUsageLimit(1)
	limited.SetExpireDate(int(w.Clock.Now().Unix()) + 100)
	once, err := export(Alice, limited)
	if err != nil || once.Permanent {
		t.Fatalf("%+v, %v", once, err)
	}
	enter := func(who ids.UserID, link string) error {
		_, err := h.importChatInvite(w.Call(who), &tg.MessagesImportChatInviteRequest{Hash: hash(link)})
		return err
	}
	seen, err := h.checkChatInvite(w.Call(Carol), &tg.MessagesCheckChatInviteRequest{
		Hash: hash(once.Link),
	})
	if x, ok := seen.(*tg.ChatInvite); err != nil || !ok || x.Title != "Friends" || x.ParticipantsCount != 2 {
		t.Errorf("%+v, %v", seen, err)
	}
	results := make([]error, 2)
	var wg sync.WaitGroup
	for i, who := range []ids.UserID{Carol, Dave} {
		wg.Add(1)
		go func() {
			defer wg.Done()
			results[i] = enter(who, once.Link)
		}()
	}
	wg.Wait()
	if (results[0] == nil) == (results[1] == nil) {
		t.Errorf("a link for one let in: %v", results)
	}
	w.Exact(peer, 3)
	gone := chat.Invalid("INVITE_HASH_EXPIRED")
	w.Refused("a used up link", enter(Erin, once.Link), gone)
	w.Refused("a made up link", enter(Erin, "nonsense"), gone)
	w.Refused("a member's return", enter(Bob, first.Link), chat.Invalid("USER_ALREADY_PARTICIPANT"))
	_, err = h.editExportedChatInvite(w.Call(Alice), &tg.MessagesEditExportedChatInviteRequest{
		Peer: InputPeer(Alice, peer), Link: first.Link, Revoked: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Refused("a revoked link", enter(Erin, first.Link), gone)
	list, err := h.getExportedChatInvites(w.Call(Alice), &tg.MessagesGetExportedChatInvitesRequest{
		Peer: InputPeer(Alice, peer), AdminID: &tg.InputUserSelf{}, Limit: 10, Revoked: true,
	})
	if err != nil || list.Count != 1 || len(list.Invites) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	came, err := h.getChatInviteImporters(w.Call(Alice), importers(peer, once.Link))
	if err != nil || came.Count != 1 || len(came.Importers) != 1 {
		t.Errorf("%+v, %v", came, err)
	}
}

func importers(peer ids.Peer, link string) *tg.MessagesGetChatInviteImportersRequest {
	req := &tg.MessagesGetChatInviteImportersRequest{
		Peer: InputPeer(Alice, peer), Limit: 10, OffsetUser: &tg.InputUserEmpty{},
	}
	req.SetLink(link)
	return req
}

func TestJoinRequests(t *testing.T) {
	w, h := newHandlers(t)
	peer := create(w, h, Bob)
	req := &tg.MessagesExportChatInviteRequest{Peer: InputPeer(Alice, peer), RequestNeeded: true}
	out, err := h.exportChatInvite(w.Call(Alice), req)
	if err != nil {
		t.Fatal(err)
	}
	link := out.(*tg.ChatInviteExported).Link
	for _, who := range []ids.UserID{Carol, Dave} {
		_, err := h.importChatInvite(w.Call(who), &tg.MessagesImportChatInviteRequest{Hash: hash(link)})
		w.Refused("asking", err, chat.Invalid("INVITE_REQUEST_SENT"))
	}
	w.Exact(peer, 2)
	decide := func(by, who ids.UserID, yes bool) error {
		_, err := h.hideChatJoinRequest(w.Call(by), &tg.MessagesHideChatJoinRequestRequest{
			Peer: InputPeer(by, peer), UserID: InputUser(by, who), Approved: yes,
		})
		return err
	}
	w.Refused("a member's decision", decide(Bob, Carol, true), chat.ErrAdminRequired)
	if err := decide(Alice, Carol, true); err != nil {
		t.Error(err)
	}
	if err := decide(Alice, Dave, false); err != nil {
		t.Error(err)
	}
	w.Refused("nobody asked", decide(Alice, Dave, true), chat.Invalid("HIDE_REQUESTER_MISSING"))
	w.Exact(peer, 3)
	if !w.Member(peer, Carol).Role.In() || w.Member(peer, Dave).Role.In() {
		t.Error("the decisions were not carried out")
	}
	if a := w.Last(Bob, peer); a.Kind != message.ChatJoinedByRequest {
		t.Errorf("the group was told %+v", a)
	}
}

func TestMigrate(t *testing.T) {
	w, h := newHandlers(t)
	peer := create(w, h, Bob, Carol)
	id := int64(peer.Chat())
	_, err := h.migrateChat(w.Call(Bob), &tg.MessagesMigrateChatRequest{ChatID: id})
	w.Refused("a member's migration", err, chat.ErrAdminRequired)
	out, err := h.migrateChat(w.Call(Alice), &tg.MessagesMigrateChatRequest{ChatID: id})
	if err != nil {
		t.Fatal(err)
	}
	old := w.Chat(peer)
	channel := old.Linked
	if !old.Flags.Has(store.Deactivated) || channel.Kind() != ids.Channel {
		t.Fatalf("the old group is %+v", old)
	}
	if len(out.(*tg.Updates).Chats) != 2 {
		t.Errorf("answered with %d chats", len(out.(*tg.Updates).Chats))
	}
	if c := w.Chat(channel); c.Title != "Friends" || c.Linked != peer || !c.Flags.Has(store.Megagroup) {
		t.Errorf("the supergroup is %+v", c)
	}
	w.Exact(channel, 3)
	if err := w.Settled(context.Background(), channel); err != nil {
		t.Fatal(err)
	}
	for _, who := range []ids.UserID{Alice, Bob, Carol} {
		if a := w.Last(who, peer); a.Kind != message.MigrateTo || a.Peer != channel {
			t.Errorf("%d was told %+v", who, a)
		}
		if !w.Listed(who, channel) || w.Listed(who, peer) {
			t.Errorf("%d has the wrong one on his list", who)
		}
	}
	if a := w.Last(Bob, channel); a.Kind != message.MigrateFrom || a.Peer != peer {
		t.Errorf("the supergroup was told %+v", a)
	}
	_, err = h.addChatUser(w.Call(Alice), &tg.MessagesAddChatUserRequest{
		ChatID: id, UserID: InputUser(Alice, Dave),
	})
	w.Refused("adding to the old group", err, chat.ErrChatInvalid)
	_, err = h.migrateChat(w.Call(Alice), &tg.MessagesMigrateChatRequest{ChatID: id})
	w.Refused("a second migration", err, chat.ErrChatInvalid)
}

func TestDeleteChat(t *testing.T) {
	w, h := newHandlers(t)
	peer := create(w, h, Bob)
	w.Post(Bob, peer, "soon gone")
	_, err := h.deleteChat(w.Call(Bob), &tg.MessagesDeleteChatRequest{ChatID: int64(peer.Chat())})
	w.Refused("a member's deletion", err, chat.ErrAdminRequired)
	_, err = h.deleteChat(w.Call(Alice), &tg.MessagesDeleteChatRequest{ChatID: int64(peer.Chat())})
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []ids.UserID{Alice, Bob} {
		if w.Listed(who, peer) {
			t.Errorf("%d still has it on his list", who)
		}
		w.View(func(r *store.Reader) error {
			rows, err := message.History(r, who, peer, 0, message.Page{Limit: 10})
			if len(rows) != 0 {
				t.Errorf("%d still has %d messages", who, len(rows))
			}
			return err
		})
	}
	w.Exact(peer, 0)
}
