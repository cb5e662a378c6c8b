package view

import (
	"github.com/gotd/td/tg"

	"parley/internal/chat/box"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
)

// Update renders an entry of a box's log for the viewer; nil when it tells him nothing (the message
// is gone meanwhile, or the entry is for others).
func (v *View) Update(e store.Event) tg.UpdateClass {
	entry, err := box.Decode(e)
	if v.fail(err) {
		return nil
	}
	if e.Count > 0 {
		if e.Box.Kind() == ids.Channel {
			return v.channelUpdate(e, entry)
		}
		return v.commonUpdate(e, entry)
	}
	return v.stateUpdate(e, entry)
}

// commonUpdate renders what moved the pts of a user's box.
func (v *View) commonUpdate(e store.Event, entry box.Entry) tg.UpdateClass {
	pts, count := int(e.Pts), int(e.Count)
	switch box.Kind(e.Kind) {
	case box.NewMessage:
		if m := v.messageOf(e, entry.ID); m != nil {
			return &tg.UpdateNewMessage{Message: m, Pts: pts, PtsCount: count}
		}
		return &tg.UpdateDeleteMessages{Messages: []int{int(entry.ID)}, Pts: pts, PtsCount: count}
	case box.EditMessage:
		if m := v.messageOf(e, entry.ID); m != nil {
			return &tg.UpdateEditMessage{Message: m, Pts: pts, PtsCount: count}
		}
		return &tg.UpdateDeleteMessages{Messages: []int{int(entry.ID)}, Pts: pts, PtsCount: count}
	case box.DeleteMessages:
		return &tg.UpdateDeleteMessages{Messages: ints(entry.IDs), Pts: pts, PtsCount: count}
	case box.ReadInbox:
		u := &tg.UpdateReadHistoryInbox{
			Peer: v.Peer(entry.Peer), MaxID: int(entry.ID), StillUnreadCount: int(entry.N),
			Pts: pts, PtsCount: count,
		}
		u.SetFlags()
		return u
	case box.ReadOutbox:
		return &tg.UpdateReadHistoryOutbox{
			Peer: v.Peer(entry.Peer), MaxID: int(entry.ID), Pts: pts, PtsCount: count,
		}
	case box.ReadContents:
		u := &tg.UpdateReadMessagesContents{
			Messages: ints(entry.IDs), Pts: pts, PtsCount: count,
		}
		u.SetFlags()
		return u
	case box.PinMessages:
		u := &tg.UpdatePinnedMessages{
			Pinned: entry.On, Peer: v.Peer(entry.Peer), Messages: ints(entry.IDs),
			Pts: pts, PtsCount: count,
		}
		u.SetFlags()
		return u
	case box.FolderPeer:
		return &tg.UpdateFolderPeers{
			FolderPeers: []tg.FolderPeer{{Peer: v.Peer(entry.Peer), FolderID: int(entry.N)}},
			Pts:         pts, PtsCount: count,
		}
	}
	return nil
}

// channelUpdate renders what moved the pts of a channel.
func (v *View) channelUpdate(e store.Event, entry box.Entry) tg.UpdateClass {
	pts, count := int(e.Pts), int(e.Count)
	gone := &tg.UpdateDeleteChannelMessages{
		ChannelID: int64(e.Box.Channel()), Messages: []int{int(entry.ID)},
		Pts: pts, PtsCount: count,
	}
	switch box.Kind(e.Kind) {
	case box.NewMessage:
		if m := v.messageOf(e, entry.ID); m != nil {
			return &tg.UpdateNewChannelMessage{Message: m, Pts: pts, PtsCount: count}
		}
		return gone
	case box.EditMessage:
		if m := v.messageOf(e, entry.ID); m != nil {
			return &tg.UpdateEditChannelMessage{Message: m, Pts: pts, PtsCount: count}
		}
		return gone
	case box.DeleteMessages:
		gone.Messages = ints(entry.IDs)
		return gone
	case box.PinMessages:
		u := &tg.UpdatePinnedChannelMessages{
			Pinned: entry.On, ChannelID: int64(e.Box.Channel()), Messages: ints(entry.IDs),
			Pts: pts, PtsCount: count,
		}
		u.SetFlags()
		return u
	}
	return nil
}

func (v *View) messageOf(e store.Event, id int64) tg.MessageClass {
	if e.Message != nil {
		return v.present(*e.Message)
	}
	m, err := v.r.Message(e.Box, id)
	if v.fail(err) {
		return nil
	}
	return v.present(m)
}

// present renders a message, nil when the service has ended its chat.
func (v *View) present(m store.Message) tg.MessageClass {
	if v.gone(m) {
		return nil
	}
	return v.Message(m)
}

// stateUpdate renders a change without a pts.
func (v *View) stateUpdate(e store.Event, entry box.Entry) tg.UpdateClass {
	switch box.Kind(e.Kind) {
	case box.Draft, box.DialogPinned, box.PinnedDialogs, box.DialogUnreadMark,
		box.ReadChannelInbox, box.ReadChannelOutbox, box.ReadChannelContents,
		box.ChannelAvailable, box.PeerSettings:
		return v.dialogUpdate(box.Kind(e.Kind), entry)
	case box.ChatChanged:
		v.Peer(entry.Peer)
		if entry.Peer.Kind() == ids.Chat {
			return &tg.UpdateChat{ChatID: int64(entry.Peer.Chat())}
		}
		return &tg.UpdateChannel{ChannelID: int64(entry.Peer.Channel())}
	case box.ChatParticipants:
		return &tg.UpdateChatParticipants{Participants: v.Participants(entry.Peer)}
	case box.DefaultRights:
		row, err := v.ChatRow(entry.Peer)
		if v.fail(err) {
			return nil
		}
		return &tg.UpdateChatDefaultBannedRights{
			Peer:                v.Peer(entry.Peer),
			DefaultBannedRights: BannedRights(rights.Banned(row.Banned), 0),
			Version:             int(row.Version),
		}
	default:
		return v.personUpdate(box.Kind(e.Kind), entry)
	}
}

func (v *View) dialogUpdate(kind box.Kind, entry box.Entry) tg.UpdateClass {
	channel := int64(entry.Peer.Channel())
	switch kind {
	case box.Draft:
		d, err := v.r.DialogOrNew(v.viewer, entry.Peer)
		if v.fail(err) {
			return nil
		}
		return &tg.UpdateDraftMessage{Peer: v.Peer(entry.Peer), Draft: v.Draft(d)}
	case box.DialogPinned:
		u := &tg.UpdateDialogPinned{
			Pinned: entry.On, Peer: &tg.DialogPeer{Peer: v.Peer(entry.Peer)},
		}
		u.SetFolderID(int(entry.N))
		return u
	case box.PinnedDialogs:
		u := &tg.UpdatePinnedDialogs{}
		u.SetFolderID(int(entry.N))
		return u
	case box.DialogUnreadMark:
		u := &tg.UpdateDialogUnreadMark{
			Unread: entry.On, Peer: &tg.DialogPeer{Peer: v.Peer(entry.Peer)},
		}
		u.SetFlags()
		return u
	case box.ReadChannelInbox:
		b, err := v.r.Box(entry.Peer)
		if v.fail(err) {
			return nil
		}
		v.Chat(entry.Peer)
		u := &tg.UpdateReadChannelInbox{
			ChannelID: channel, MaxID: int(entry.ID), StillUnreadCount: int(entry.N),
			Pts: int(b.Pts),
		}
		u.SetFlags()
		return u
	case box.ReadChannelOutbox:
		return &tg.UpdateReadChannelOutbox{ChannelID: channel, MaxID: int(entry.ID)}
	case box.ReadChannelContents:
		return &tg.UpdateChannelReadMessagesContents{
			ChannelID: channel, Messages: ints(entry.IDs),
		}
	case box.ChannelAvailable:
		return &tg.UpdateChannelAvailableMessages{
			ChannelID: channel, AvailableMinID: int(entry.ID),
		}
	case box.PeerSettings:
		return &tg.UpdatePeerSettings{
			Peer: v.Peer(entry.Peer), Settings: v.PeerSettings(entry.Peer.User()),
		}
	}
	return nil
}

// Participants renders who is in a basic group, for those who are.
func (v *View) Participants(peer ids.Peer) tg.ChatParticipantsClass {
	id := int64(peer.Chat())
	row, err := v.ChatRow(peer)
	if v.fail(err) {
		return &tg.ChatParticipantsForbidden{ChatID: id}
	}
	v.Chat(peer)
	self, err := v.r.Member(peer, v.viewer)
	if v.fail(err) || !self.Role.In() {
		return &tg.ChatParticipantsForbidden{ChatID: id}
	}
	members, err := v.r.Members(peer, store.Participant, store.Creator, int(row.Members)+1, 0)
	if v.fail(err) {
		return &tg.ChatParticipantsForbidden{ChatID: id}
	}
	out := &tg.ChatParticipants{ChatID: id, Version: int(row.Version)}
	for _, m := range members {
		v.User(m.User)
		out.Participants = append(out.Participants, groupParticipant(m))
	}
	return out
}

func groupParticipant(m store.Member) tg.ChatParticipantClass {
	switch m.Role {
	case store.Creator:
		return &tg.ChatParticipantCreator{UserID: int64(m.User)}
	case store.Admin:
		return &tg.ChatParticipantAdmin{
			UserID: int64(m.User), InviterID: int64(m.Actor), Date: int(m.Date),
		}
	default:
		return &tg.ChatParticipant{
			UserID: int64(m.User), InviterID: int64(m.Actor), Date: int(m.Date),
		}
	}
}

// restrictedUpdate tells that the service shows a channel otherwise, or lets the account do
// something else: its client asks for the configuration anew.
//
// https://core.telegram.org/api/config#client-configuration
func (v *View) restrictedUpdate(entry box.Entry) tg.UpdateClass {
	if entry.Peer.Kind() == ids.Channel {
		v.Chat(entry.Peer)
		return &tg.UpdateChannel{ChannelID: int64(entry.Peer.Channel())}
	}
	v.User(entry.User)
	return &tg.UpdateConfig{}
}

// personUpdate renders changes of people and of the account itself.
func (v *View) personUpdate(kind box.Kind, entry box.Entry) tg.UpdateClass {
	switch kind {
	case box.UserName:
		row, err := v.r.User(entry.User)
		if v.fail(err) {
			return nil
		}
		v.User(entry.User)
		u := &tg.UpdateUserName{
			UserID: int64(row.ID), FirstName: row.FirstName, LastName: row.LastName,
		}
		if row.Username != "" {
			u.Usernames = []tg.Username{{Editable: true, Active: true, Username: row.Username}}
			u.Usernames[0].SetFlags()
		}
		return u
	case box.UserChanged:
		v.User(entry.User)
		return &tg.UpdateUser{UserID: int64(entry.User)}
	case box.Restricted:
		return v.restrictedUpdate(entry)
	case box.UserPhone:
		row, err := v.r.User(entry.User)
		if v.fail(err) {
			return nil
		}
		return &tg.UpdateUserPhone{UserID: int64(entry.User), Phone: row.Phone}
	case box.PeerBlocked:
		u := &tg.UpdatePeerBlocked{Blocked: entry.On, PeerID: v.Peer(entry.Peer)}
		u.SetFlags()
		return u
	case box.NewAuthorization:
		u := &tg.UpdateNewAuthorization{Hash: entry.ID}
		u.SetFlags()
		return u
	case box.SecretChat, box.SecretMessage, box.SecretRead:
		return v.secretUpdate(kind, entry)
	case box.ContactsReset:
		return &tg.UpdateContactsReset{}
	default:
		return v.settingUpdate(kind, entry)
	}
}

func ints(list []int64) []int {
	out := make([]int, len(list))
	for i, n := range list {
		out[i] = int(n)
	}
	return out
}
