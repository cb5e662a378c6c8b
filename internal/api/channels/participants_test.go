package channels

import (
	"context"
	"testing"

	"github.com/gotd/td/tg"

	. "parley/internal/api/chats/roomtest"
	"parley/internal/chat"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/store"
)

func TestParticipants(t *testing.T) {
	w, h := newHandlers(t)
	group, news := create(w, h, true, ""), create(w, h, false, "")
	for _, peer := range []ids.Peer{group, news} {
		if err := invite(w, h, Alice, peer, Bob, Carol, Dave); err != nil {
			t.Fatal(err)
		}
	}
	if err := ban(w, h, Alice, group, Dave, tg.ChatBannedRights{ViewMessages: true}); err != nil {
		t.Fatal(err)
	}
	if err := ban(w, h, Alice, group, Carol, tg.ChatBannedRights{SendMedia: true}); err != nil {
		t.Fatal(err)
	}
	w.Update(Bob.Peer(), func(tx *store.Tx) error {
		return tx.PutContact(store.Contact{User: Bob, Contact: Carol, FirstName: "Carol"})
	})
	list := func(who ids.UserID, peer ids.Peer, f tg.ChannelParticipantsFilterClass) (int, int, error) {
		out, err := h.getParticipants(w.Call(who), &tg.ChannelsGetParticipantsRequest{
			Channel: InputChannel(who, peer), Filter: f, Limit: 100,
		})
		if err != nil {
			return 0, 0, err
		}
		x := out.(*tg.ChannelsChannelParticipants)
		return x.Count, len(x.Participants), nil
	}
	for _, test := range []struct {
		who    ids.UserID
		peer   ids.Peer
		filter tg.ChannelParticipantsFilterClass
		want   int
		err    error
	}{
		{Bob, group, &tg.ChannelParticipantsRecent{}, 3, nil},
		{Bob, group, &tg.ChannelParticipantsAdmins{}, 1, nil},
		{Bob, group, &tg.ChannelParticipantsSearch{Q: "caR"}, 1, nil},
		{Bob, group, &tg.ChannelParticipantsSearch{Q: "dave"}, 0, nil},
		{Bob, group, &tg.ChannelParticipantsContacts{}, 1, nil},
		{Bob, group, &tg.ChannelParticipantsBots{}, 0, nil},
		{Bob, group, &tg.ChannelParticipantsKicked{}, 0, chat.ErrAdminRequired},
		{Bob, group, &tg.ChannelParticipantsBanned{}, 0, chat.ErrAdminRequired},
		{Alice, group, &tg.ChannelParticipantsKicked{}, 1, nil},
		{Alice, group, &tg.ChannelParticipantsKicked{Q: "bob"}, 0, nil},
		{Alice, group, &tg.ChannelParticipantsBanned{}, 1, nil},
		{Alice, news, &tg.ChannelParticipantsRecent{}, 4, nil},
		{Bob, news, &tg.ChannelParticipantsRecent{}, 0, chat.ErrAdminRequired},
		{Bob, news, &tg.ChannelParticipantsAdmins{}, 0, chat.ErrAdminRequired},
		{Erin, news, &tg.ChannelParticipantsRecent{}, 0, chat.ErrChannelPrivate},
	} {
		count, n, err := list(test.who, test.peer, test.filter)
		if err != test.err || n != test.want || count != test.want {
			t.Errorf("%d asks %d for %T: %d of %d, %v", test.who, test.peer, test.filter, n, count, err)
		}
	}
	one, err := h.getParticipant(w.Call(Bob), &tg.ChannelsGetParticipantRequest{
		Channel: InputChannel(Bob, group), Participant: &tg.InputPeerSelf{},
	})
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := one.Participant.(*tg.ChannelParticipantSelf); !ok || p.InviterID != int64(Alice) {
		t.Errorf("Bob is %+v", one.Participant)
	}
	_, err = h.getParticipant(w.Call(Bob), &tg.ChannelsGetParticipantRequest{
		Channel: InputChannel(Bob, group), Participant: InputPeer(Bob, Erin.Peer()),
	})
	w.Refused("who is not in", err, chat.ErrNotParticipant)
}

func TestSlowModeAndDeletion(t *testing.T) {
	w, h := newHandlers(t)
	peer := create(w, h, true, "")
	if err := invite(w, h, Alice, peer, Bob, Carol); err != nil {
		t.Fatal(err)
	}
	_, err := h.toggleSlowMode(w.Call(Alice), &tg.ChannelsToggleSlowModeRequest{
		Channel: InputChannel(Alice, peer), Seconds: 7,
	})
	w.Refused("an odd pace", err, chat.Invalid("SECONDS_INVALID"))
	_, err = h.toggleSlowMode(w.Call(Alice), &tg.ChannelsToggleSlowModeRequest{
		Channel: InputChannel(Alice, peer), Seconds: 60,
	})
	if err != nil {
		t.Fatal(err)
	}
	first := w.Post(Bob, peer, "one")
	_, err = w.Message.Send(context.Background(), message.Outgoing{
		From: Bob, To: peer, Random: w.Random(), Content: message.Content{Text: "two"},
	})
	w.Refused("writing at once again", err, chat.SlowMode(60))
	_, err = h.deleteMessages(w.Call(Carol), &tg.ChannelsDeleteMessagesRequest{
		Channel: InputChannel(Carol, peer), ID: []int{int(first)},
	})
	w.Refused("deleting another's message", err, chat.Forbidden("MESSAGE_DELETE_FORBIDDEN"))
	_, err = h.deleteParticipantHistory(w.Call(Carol), &tg.ChannelsDeleteParticipantHistoryRequest{
		Channel: InputChannel(Carol, peer), Participant: InputPeer(Carol, Bob.Peer()),
	})
	w.Refused("deleting another's messages", err, chat.ErrAdminRequired)
	out, err := h.deleteParticipantHistory(w.Call(Alice), &tg.ChannelsDeleteParticipantHistoryRequest{
		Channel: InputChannel(Alice, peer), Participant: InputPeer(Alice, Bob.Peer()),
	})
	if err != nil || out.PtsCount == 0 || out.Offset != 0 {
		t.Errorf("%+v, %v", out, err)
	}
	if got, err := texts(w, h, Carol, peer, first); err != nil || len(got) != 0 {
		t.Errorf("Carol reads %q, %v", got, err)
	}
	kept := w.Post(Carol, peer, "for a while")
	_, err = h.deleteHistory(w.Call(Bob), &tg.ChannelsDeleteHistoryRequest{
		Channel: InputChannel(Bob, peer), MaxID: int(kept),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := texts(w, h, Bob, peer, kept); len(got) != 0 {
		t.Errorf("Bob still reads %q", got)
	}
	if got, _ := texts(w, h, Carol, peer, kept); len(got) != 1 {
		t.Error("Carol reads no more")
	}
	_, err = h.deleteHistory(w.Call(Bob), &tg.ChannelsDeleteHistoryRequest{
		Channel: InputChannel(Bob, peer), ForEveryone: true,
	})
	w.Refused("a member's clearing", err, chat.ErrAdminRequired)
	_, err = h.deleteHistory(w.Call(Alice), &tg.ChannelsDeleteHistoryRequest{
		Channel: InputChannel(Alice, peer), ForEveryone: true,
	})
	if got, _ := texts(w, h, Carol, peer, kept); err != nil || len(got) != 0 {
		t.Errorf("Carol reads %q, %v", got, err)
	}
}
