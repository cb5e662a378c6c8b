package view

import (
	"github.com/gotd/td/tg"

	"parley/internal/chat/channel"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
)

// Participant renders somebody's standing in a channel for a member whose own standing is self.
//
// https://core.telegram.org/type/ChannelParticipant
func (v *View) Participant(m, self store.Member) tg.ChannelParticipantClass {
	v.User(m.User)
	banned := rights.BannedNow(m, v.now)
	switch {
	case m.Role == store.Creator:
		p := &tg.ChannelParticipantCreator{
			UserID: int64(m.User), AdminRights: AdminRights(adminRights(m)), Rank: m.Rank,
		}
		p.SetFlags()
		return p
	case m.Role == store.Admin:
		return v.adminParticipant(m, self)
	case banned != 0:
		v.User(m.Actor)
		p := &tg.ChannelParticipantBanned{
			Left: !m.Role.In(), Peer: &tg.PeerUser{UserID: int64(m.User)},
			KickedBy: int64(m.Actor), Date: int(m.Date),
			BannedRights: BannedRights(banned, m.Until),
		}
		p.SetFlags()
		return p
	case !m.Role.In():
		return &tg.ChannelParticipantLeft{Peer: &tg.PeerUser{UserID: int64(m.User)}}
	case m.User == v.viewer:
		v.User(m.Actor)
		p := &tg.ChannelParticipantSelf{
			UserID: int64(m.User), InviterID: int64(m.Actor), Date: int(m.Date), Rank: m.Rank,
		}
		p.SetFlags()
		return p
	default:
		p := &tg.ChannelParticipant{UserID: int64(m.User), Date: int(m.Date), Rank: m.Rank}
		p.SetFlags()
		return p
	}
}

func (v *View) adminParticipant(m, self store.Member) tg.ChannelParticipantClass {
	p := &tg.ChannelParticipantAdmin{
		CanEdit: channel.MayEditAdmin(self, m), Self: m.User == v.viewer, UserID: int64(m.User),
		PromotedBy: int64(m.Actor), Date: int(m.Date), AdminRights: AdminRights(adminRights(m)),
		Rank: m.Rank,
	}
	v.User(m.Actor)
	if p.Self {
		p.SetInviterID(int64(m.Actor))
	}
	p.SetFlags()
	return p
}

// AdminBits are the rights that an API object gives.
func AdminBits(in tg.ChatAdminRights) rights.Admin {
	var out rights.Admin
	for _, x := range []struct {
		on  bool
		bit rights.Admin
	}{
		{in.ChangeInfo, rights.ChangeInfo}, {in.PostMessages, rights.PostMessages},
		{in.EditMessages, rights.EditMessages}, {in.DeleteMessages, rights.DeleteMessages},
		{in.BanUsers, rights.BanUsers}, {in.InviteUsers, rights.InviteUsers},
		{in.PinMessages, rights.PinMessages}, {in.AddAdmins, rights.AddAdmins},
		{in.Anonymous, rights.Anonymous}, {in.ManageCall, rights.ManageCall},
		{in.Other, rights.Other}, {in.ManageTopics, rights.ManageTopics},
		{in.PostStories, rights.PostStories}, {in.EditStories, rights.EditStories},
		{in.DeleteStories, rights.DeleteStories},
	} {
		if x.on {
			out |= x.bit
		}
	}
	return out
}

// BannedBits are the rights that an API object takes.
func BannedBits(in tg.ChatBannedRights) rights.Banned {
	var out rights.Banned
	for _, x := range []struct {
		on  bool
		bit rights.Banned
	}{
		{in.ViewMessages, rights.NoView}, {in.SendMessages, rights.NoSend},
		{in.SendMedia, rights.NoMedia}, {in.SendStickers, rights.NoStickers},
		{in.SendGifs, rights.NoGIFs}, {in.SendGames, rights.NoGames},
		{in.SendInline, rights.NoInline}, {in.EmbedLinks, rights.NoLinks},
		{in.SendPolls, rights.NoPolls}, {in.ChangeInfo, rights.NoChangeInfo},
		{in.InviteUsers, rights.NoInvite}, {in.PinMessages, rights.NoPin},
		{in.ManageTopics, rights.NoTopics}, {in.SendPhotos, rights.NoPhotos},
		{in.SendVideos, rights.NoVideos}, {in.SendRoundvideos, rights.NoRoundVideos},
		{in.SendAudios, rights.NoAudios}, {in.SendVoices, rights.NoVoices},
		{in.SendDocs, rights.NoDocs}, {in.SendPlain, rights.NoPlain},
	} {
		if x.on {
			out |= x.bit
		}
	}
	return out
}

// SelfIn returns the viewer's own standing in a chat.
func (v *View) SelfIn(peer ids.Peer) store.Member {
	m, err := v.r.Member(peer, v.viewer)
	v.fail(err)
	return m
}
