package view

import (
	"github.com/gotd/td/tg"

	"parley/internal/chat/dialog"
	"parley/internal/chat/group"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
)

// requestersMost is how many of those who asked to join are named at once.
const requestersMost = 3

// FullGroup renders all that the viewer may know of a basic group.
//
// https://core.telegram.org/constructor/chatFull
func (v *View) FullGroup(peer ids.Peer) *tg.ChatFull {
	out := &tg.ChatFull{ID: int64(peer.Chat())}
	row, err := v.ChatRow(peer)
	if v.fail(err) {
		return out
	}
	self := v.SelfIn(peer)
	out.Participants = v.Participants(peer)
	out.NotifySettings = v.notifyFor(peer)
	if !self.Role.In() {
		out.SetFlags()
		return out
	}
	out.About = row.About
	out.CanSetUsername = self.Role == store.Creator
	if row.PhotoID != 0 {
		out.SetChatPhoto(v.fullPhoto(row))
	}
	out.SetAvailableReactions(&tg.ChatReactionsAll{})
	if id := v.pinned(v.viewer.Peer(), peer); id != 0 {
		out.SetPinnedMsgID(id)
	}
	d, err := v.r.DialogOrNew(v.viewer, peer)
	if !v.fail(err) && d.Folder == dialog.Archive {
		out.SetFolderID(dialog.Archive)
	}
	if rights.Has(self, rights.InviteUsers) {
		if i := v.standing(peer); i != nil {
			out.SetExportedInvite(i)
		}
		if n, recent := v.asks(peer); n > 0 {
			out.SetRequestsPending(n)
			out.SetRecentRequesters(recent)
		}
	}
	out.SetFlags()
	return out
}

// FullChannel renders all that the viewer, who may see it, may know of a channel. online is how
// many of its members are.
//
// https://core.telegram.org/constructor/channelFull
func (v *View) FullChannel(peer ids.Peer, online int) *tg.ChannelFull {
	out := &tg.ChannelFull{ID: int64(peer.Channel()), ChatPhoto: &tg.PhotoEmpty{}}
	row, err := v.ChatRow(peer)
	if v.fail(err) {
		return out
	}
	self := v.SelfIn(peer)
	out.NotifySettings = v.notifyFor(peer)
	admin := rights.IsAdmin(self)
	out.About = row.About
	out.ChatPhoto = v.fullPhoto(row)
	out.CanViewParticipants = admin ||
		!row.Flags.Has(store.Broadcast) && !row.Flags.Has(store.MembersHidden)
	out.CanSetUsername = self.Role == store.Creator
	out.CanDeleteChannel = self.Role == store.Creator
	out.HiddenPrehistory = row.Flags.Has(store.HistoryHidden)
	out.ParticipantsHidden = row.Flags.Has(store.MembersHidden)
	out.SetParticipantsCount(int(row.Members))
	out.SetAvailableReactions(&tg.ChatReactionsAll{})
	if row.Flags.Has(store.Megagroup) {
		out.SetOnlineCount(online)
	}
	if row.Slow > 0 {
		out.SetSlowmodeSeconds(int(row.Slow))
		v.nextSend(row, self, out)
	}
	v.lineOf(row, out)
	if admin {
		v.channelStaff(peer, self, out)
	}
	out.SetFlags()
	return out
}

// lineOf sets where the viewer stands in a channel, and what it is tied to.
func (v *View) lineOf(row store.Chat, out *tg.ChannelFull) {
	peer := row.Peer
	d, err := v.r.DialogOrNew(v.viewer, peer)
	if v.fail(err) {
		return
	}
	d.Peer = peer
	line, err := dialog.Complete(v.r, d)
	if v.fail(err) {
		return
	}
	out.Pts = int(line.Pts)
	out.ReadInboxMaxID, out.ReadOutboxMaxID = int(d.ReadIn), int(d.ReadOut)
	if !d.Flags.Has(store.Hidden) {
		out.UnreadCount = int(line.Unread)
	}
	if d.MinID > 0 {
		out.SetAvailableMinID(int(d.MinID))
	}
	if d.Folder == dialog.Archive {
		out.SetFolderID(dialog.Archive)
	}
	if id := v.pinned(peer, peer); int64(id) > d.MinID {
		out.SetPinnedMsgID(id)
	}
	switch row.Linked.Kind() {
	case ids.Chat:
		v.migratedFrom(row.Linked, out)
	case ids.Channel:
		v.Chat(row.Linked)
		out.SetLinkedChatID(int64(row.Linked.Channel()))
	}
}

// migratedFrom sets the basic group that a supergroup was, for those who were in it.
func (v *View) migratedFrom(old ids.Peer, out *tg.ChannelFull) {
	d, err := v.r.Dialog(v.viewer, old)
	if v.fail(err) {
		return
	}
	v.Chat(old)
	out.SetMigratedFromChatID(int64(old.Chat()))
	out.SetMigratedFromMaxID(int(d.TopID))
}

// channelStaff sets what only admins see.
func (v *View) channelStaff(peer ids.Peer, self store.Member, out *tg.ChannelFull) {
	count := func(low, high store.Role) int {
		n, err := v.r.MemberCount(peer, low, high)
		v.fail(err)
		return int(n)
	}
	out.SetAdminsCount(count(store.Admin, store.Creator))
	out.SetKickedCount(count(store.Kicked, store.Kicked))
	out.SetBannedCount(count(store.Restricted, store.Restricted) +
		count(store.RestrictedOut, store.RestrictedOut))
	if !rights.Has(self, rights.InviteUsers) {
		return
	}
	if i := v.standing(peer); i != nil {
		out.SetExportedInvite(i)
	}
	if n, recent := v.asks(peer); n > 0 {
		out.SetRequestsPending(n)
		out.SetRecentRequesters(recent)
	}
}

// nextSend sets when slow mode lets the viewer write again.
func (v *View) nextSend(row store.Chat, self store.Member, out *tg.ChannelFull) {
	if rights.IsAdmin(self) {
		return
	}
	last, err := v.r.MessagesOf(row.Peer, v.viewer.Peer(), 1<<31-1, 1)
	if v.fail(err) || len(last) == 0 {
		return
	}
	m, err := v.r.Message(row.Peer, last[0])
	if !v.fail(err) && m.Date+row.Slow > v.now {
		out.SetSlowmodeNextSendDate(int(m.Date + row.Slow))
	}
}

// pinned returns the newest pinned message of a peer in a box, 0 when there is none.
func (v *View) pinned(box, peer ids.Peer) int {
	rows, err := v.r.Pinned(box, peer, 1<<31-1, 1)
	if v.fail(err) || len(rows) == 0 {
		return 0
	}
	return int(rows[0].ID)
}

// standing renders the viewer's permanent link, nil when he has none.
func (v *View) standing(peer ids.Peer) tg.ExportedChatInviteClass {
	all, err := v.r.Invites(peer)
	if v.fail(err) {
		return nil
	}
	if i := group.Permanent(all, v.viewer); i != nil {
		return v.Invite(*i)
	}
	return nil
}

// asks returns how many wait to be let in, and the newest of them.
func (v *View) asks(peer ids.Peer) (int, []int64) {
	list, total, err := v.r.JoinAsks(peer, requestersMost)
	if v.fail(err) {
		return 0, nil
	}
	recent := make([]int64, 0, len(list))
	for _, a := range list {
		v.User(a.User)
		recent = append(recent, int64(a.User))
	}
	return int(total), recent
}
