package view

import (
	"github.com/gotd/td/tg"

	"parley/internal/chat/group"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
)

// AdminEvent renders an entry of a channel's recent actions for an admin.
//
// https://core.telegram.org/constructor/channelAdminLogEvent
func (v *View) AdminEvent(e store.AdminEvent, l group.Log) tg.ChannelAdminLogEvent {
	v.User(e.User)
	return tg.ChannelAdminLogEvent{
		ID: e.ID, Date: int(e.Date), UserID: int64(e.User), Action: v.adminAction(e.Peer, l),
	}
}

func (v *View) adminAction(peer ids.Peer, l group.Log) tg.ChannelAdminLogEventActionClass {
	on := l.NewN != 0
	if !v.ShowsProfile(peer) {
		// What the chat shows of itself is withheld, and so is what it showed before.
		switch l.Kind {
		case group.LogAbout:
			l.Old, l.New = "", ""
		case group.LogPhoto:
			l.OldN, l.NewN = 0, 0
		}
	}
	switch l.Kind {
	case group.LogTitle:
		return &tg.ChannelAdminLogEventActionChangeTitle{PrevValue: l.Old, NewValue: l.New}
	case group.LogAbout:
		return &tg.ChannelAdminLogEventActionChangeAbout{PrevValue: l.Old, NewValue: l.New}
	case group.LogUsername:
		return &tg.ChannelAdminLogEventActionChangeUsername{PrevValue: l.Old, NewValue: l.New}
	case group.LogPhoto:
		return &tg.ChannelAdminLogEventActionChangePhoto{
			PrevPhoto: v.loggedPhoto(peer, l.OldN, Origin{Peer: peer}),
			NewPhoto:  v.loggedPhoto(peer, l.NewN, Origin{Peer: peer}),
		}
	case group.LogSignatures:
		return &tg.ChannelAdminLogEventActionToggleSignatures{NewValue: on}
	case group.LogProfiles:
		return &tg.ChannelAdminLogEventActionToggleSignatureProfiles{NewValue: on}
	case group.LogHistoryHidden:
		return &tg.ChannelAdminLogEventActionTogglePreHistoryHidden{NewValue: on}
	case group.LogSlowMode:
		return &tg.ChannelAdminLogEventActionToggleSlowMode{
			PrevValue: int(l.OldN), NewValue: int(l.NewN),
		}
	case group.LogDefaultRights:
		return &tg.ChannelAdminLogEventActionDefaultBannedRights{
			PrevBannedRights: BannedRights(rights.Banned(l.OldN), 0),
			NewBannedRights:  BannedRights(rights.Banned(l.NewN), 0),
		}
	case group.LogNoForwards:
		return &tg.ChannelAdminLogEventActionToggleNoForwards{NewValue: on}
	case group.LogDelete:
		gone := &tg.MessageEmpty{ID: int(l.NewN)}
		gone.SetPeerID(v.Peer(peer))
		return &tg.ChannelAdminLogEventActionDeleteMessage{Message: gone}
	case group.LogInvite, group.LogBan, group.LogAdmin, group.LogRank:
		return v.standingAction(peer, l)
	default:
		return v.linkAction(peer, l)
	}
}

// standingAction renders an entry about somebody's standing.
func (v *View) standingAction(peer ids.Peer, l group.Log) tg.ChannelAdminLogEventActionClass {
	self := v.SelfIn(peer)
	render := func(s *group.Standing) tg.ChannelParticipantClass {
		if s == nil {
			s = &group.Standing{}
		}
		return v.Participant(s.Member(peer), self)
	}
	switch l.Kind {
	case group.LogInvite:
		return &tg.ChannelAdminLogEventActionParticipantInvite{Participant: render(l.After)}
	case group.LogBan:
		return &tg.ChannelAdminLogEventActionParticipantToggleBan{
			PrevParticipant: render(l.Before), NewParticipant: render(l.After),
		}
	case group.LogAdmin:
		return &tg.ChannelAdminLogEventActionParticipantToggleAdmin{
			PrevParticipant: render(l.Before), NewParticipant: render(l.After),
		}
	default:
		out := &tg.ChannelAdminLogEventActionParticipantEditRank{PrevRank: l.Old, NewRank: l.New}
		if l.After != nil {
			v.User(l.After.User)
			out.UserID = int64(l.After.User)
		}
		return out
	}
}

// linkAction renders an entry about an invite link.
func (v *View) linkAction(peer ids.Peer, l group.Log) tg.ChannelAdminLogEventActionClass {
	render := func(i *group.Link) tg.ExportedChatInviteClass {
		if i == nil {
			return &tg.ChatInvitePublicJoinRequests{}
		}
		return v.Invite(i.Invite(peer))
	}
	switch l.Kind {
	case group.LogInviteEdit:
		return &tg.ChannelAdminLogEventActionExportedInviteEdit{
			PrevInvite: render(l.Invite), NewInvite: render(l.Edited),
		}
	case group.LogInviteRevoke:
		return &tg.ChannelAdminLogEventActionExportedInviteRevoke{Invite: render(l.Invite)}
	case group.LogInviteDelete:
		return &tg.ChannelAdminLogEventActionExportedInviteDelete{Invite: render(l.Invite)}
	default:
		v.User(l.Actor)
		return &tg.ChannelAdminLogEventActionParticipantJoinByRequest{
			Invite: render(l.Invite), ApprovedBy: int64(l.Actor),
		}
	}
}
