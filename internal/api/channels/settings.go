package channels

import (
	"slices"
	"strings"

	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/group"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
)

// logFilter is what a client wants to see of the log.
type logFilter struct {
	text   string
	events *tg.ChannelAdminLogEventsFilter
	admins []ids.UserID
}

func (f logFilter) wants(r *store.Reader, e store.AdminEvent, l group.Log) bool {
	if len(f.admins) > 0 && !slices.Contains(f.admins, e.User) {
		return false
	}
	if f.events != nil && !f.kind(l) {
		return false
	}
	if f.text == "" {
		return true
	}
	if strings.Contains(strings.ToLower(l.Old+"\n"+l.New), strings.ToLower(f.text)) {
		return true
	}
	who := []ids.UserID{e.User}
	if l.After != nil {
		who = append(who, l.After.User)
	}
	for _, id := range who {
		if u, err := r.User(id); err == nil && group.Named(u, f.text) {
			return true
		}
	}
	return false
}

// kind tells whether the filter names the kind of an entry.
func (f logFilter) kind(l group.Log) bool {
	e := f.events
	switch l.Kind {
	case group.LogTitle, group.LogAbout, group.LogUsername, group.LogPhoto:
		return e.Info
	case group.LogInvite:
		return e.Invite
	case group.LogBan:
		if l.Before == nil || l.After == nil {
			return false
		}
		was, is := l.Before.Role == store.Kicked, l.After.Role == store.Kicked
		return e.Kick && is || e.Unkick && was && !is || e.Ban && !is && l.After.Rights != 0 ||
			e.Unban && !was && l.After.Rights == 0
	case group.LogAdmin:
		if l.After != nil && l.After.Role >= store.Admin {
			return e.Promote
		}
		return e.Demote
	case group.LogRank:
		return e.EditRank
	case group.LogDelete:
		return e.Delete
	case group.LogInviteEdit, group.LogInviteRevoke, group.LogInviteDelete:
		return e.Invites
	case group.LogJoinByRequest:
		return e.Join || e.Invites
	default:
		return e.Settings
	}
}

// editTitle renames a channel.
//
// https://core.telegram.org/method/channels.editTitle
func (h *Handlers) editTitle(
	c *api.Call, req *tg.ChannelsEditTitleRequest,
) (tg.UpdatesClass, error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	sent, err := h.Channel.SetTitle(c.Context, c.Self, peer, req.Title)
	if err != nil {
		return nil, err
	}
	return h.Answer(c, peer, nil, sent)
}

// editPhoto gives a channel a photo.
//
// https://core.telegram.org/method/channels.editPhoto
func (h *Handlers) editPhoto(
	c *api.Call, req *tg.ChannelsEditPhotoRequest,
) (tg.UpdatesClass, error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	photo, err := h.Photo(c, req.Photo)
	if err != nil {
		return nil, err
	}
	sent, err := h.Group.SetPhoto(c.Context, c.Self, peer, photo)
	if err != nil {
		return nil, err
	}
	return h.Answer(c, peer, nil, sent)
}

// checkUsername tells whether a channel could have a username.
//
// https://core.telegram.org/method/channels.checkUsername
func (h *Handlers) checkUsername(
	c *api.Call, req *tg.ChannelsCheckUsernameRequest,
) (*tg.BoolBox, error) {
	var peer ids.Peer
	if _, empty := req.Channel.(*tg.InputChannelEmpty); !empty {
		var err error
		if peer, err = h.Desk.Channel(c, req.Channel); err != nil {
			return nil, err
		}
	}
	out := view.False
	err := h.View(c, func(r *store.Reader, _ *view.View) error {
		free, err := h.Channel.NameFree(r, peer, req.Username)
		if free {
			out = view.True
		}
		return err
	})
	return out, err
}

// updateUsername makes a channel public under a name, or private.
//
// https://core.telegram.org/method/channels.updateUsername
func (h *Handlers) updateUsername(
	c *api.Call, req *tg.ChannelsUpdateUsernameRequest,
) (*tg.BoolBox, error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	return view.True, h.Channel.SetUsername(c.Context, c.Self, peer, req.Username)
}

// toggleSlowMode sets the pace of a supergroup.
//
// https://core.telegram.org/method/channels.toggleSlowMode
func (h *Handlers) toggleSlowMode(
	c *api.Call, req *tg.ChannelsToggleSlowModeRequest,
) (tg.UpdatesClass, error) {
	return h.set(c, req.Channel, func(peer ids.Peer) error {
		return h.Channel.SetSlowMode(c.Context, c.Self, peer, int64(req.Seconds))
	})
}

// set changes a channel and answers that it did.
func (h *Handlers) set(
	c *api.Call, in tg.InputChannelClass, change func(ids.Peer) error,
) (tg.UpdatesClass, error) {
	peer, err := h.Desk.Channel(c, in)
	if err != nil {
		return nil, err
	}
	if err := change(peer); err != nil {
		return nil, err
	}
	return h.Refresh(c, peer)
}

// toggleSignatures shows who writes in a broadcast channel.
//
// https://core.telegram.org/method/channels.toggleSignatures
func (h *Handlers) toggleSignatures(
	c *api.Call, req *tg.ChannelsToggleSignaturesRequest,
) (tg.UpdatesClass, error) {
	return h.set(c, req.Channel, func(peer ids.Peer) error {
		return h.Channel.SetSignatures(c.Context, c.Self, peer, req.SignaturesEnabled,
			req.ProfilesEnabled)
	})
}

// togglePreHistoryHidden hides from newcomers what was before them.
//
// https://core.telegram.org/method/channels.togglePreHistoryHidden
func (h *Handlers) togglePreHistoryHidden(
	c *api.Call, req *tg.ChannelsTogglePreHistoryHiddenRequest,
) (tg.UpdatesClass, error) {
	return h.set(c, req.Channel, func(peer ids.Peer) error {
		return h.Channel.SetHistoryHidden(c.Context, c.Self, peer, req.Enabled)
	})
}

// toggleJoinToSend lets only members write.
//
// https://core.telegram.org/method/channels.toggleJoinToSend
func (h *Handlers) toggleJoinToSend(
	c *api.Call, req *tg.ChannelsToggleJoinToSendRequest,
) (tg.UpdatesClass, error) {
	return h.set(c, req.Channel, func(peer ids.Peer) error {
		return h.Channel.SetJoinToSend(c.Context, c.Self, peer, req.Enabled)
	})
}

// toggleJoinRequest makes newcomers ask.
//
// https://core.telegram.org/method/channels.toggleJoinRequest
func (h *Handlers) toggleJoinRequest(
	c *api.Call, req *tg.ChannelsToggleJoinRequestRequest,
) (tg.UpdatesClass, error) {
	return h.set(c, req.Channel, func(peer ids.Peer) error {
		return h.Channel.SetJoinRequest(c.Context, c.Self, peer, req.Enabled)
	})
}

// toggleParticipantsHidden shows the members to admins only.
//
// https://core.telegram.org/method/channels.toggleParticipantsHidden
func (h *Handlers) toggleParticipantsHidden(
	c *api.Call, req *tg.ChannelsToggleParticipantsHiddenRequest,
) (tg.UpdatesClass, error) {
	return h.set(c, req.Channel, func(peer ids.Peer) error {
		return h.Channel.SetMembersHidden(c.Context, c.Self, peer, req.Enabled)
	})
}

// getSendAs returns in whose name the caller may write in a chat.
//
// https://core.telegram.org/method/channels.getSendAs
func (h *Handlers) getSendAs(
	c *api.Call, req *tg.ChannelsGetSendAsRequest,
) (out *tg.ChannelsSendAsPeers, err error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	if peer.Kind() != ids.Channel {
		return nil, chat.ErrPeerInvalid
	}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		row, self, err := group.Access(r, c.Self, peer, c.Unix())
		if err != nil {
			return err
		}
		out = &tg.ChannelsSendAsPeers{}
		anonymous := rights.Admin(self.Rights)&rights.Anonymous != 0 && rights.IsAdmin(self)
		if row.Flags.Has(store.Broadcast) {
			if !rights.Has(self, rights.PostMessages) {
				return chat.ErrAdminRequired
			}
			out.Peers = append(out.Peers, tg.SendAsPeer{Peer: v.Peer(peer)})
		} else {
			out.Peers = append(out.Peers, tg.SendAsPeer{Peer: v.Peer(c.Self.Peer())})
			if anonymous {
				out.Peers = append(out.Peers, tg.SendAsPeer{Peer: v.Peer(peer)})
			}
		}
		out.Users, out.Chats = v.Users(), v.Chats()
		return nil
	})
	return out, err
}

// each visits the channels that the caller is in.
func each(
	r *store.Reader, c *api.Call, visit func(store.Chat, store.Member) error,
) error {
	list, err := r.ChannelsOf(c.Self)
	if err != nil {
		return err
	}
	for _, peer := range list {
		row, self, err := group.Access(r, c.Self, peer, c.Unix())
		if _, refused := err.(chat.Refusal); refused {
			continue
		}
		if err != nil {
			return err
		}
		if err := visit(row, self); err != nil {
			return err
		}
	}
	return nil
}

// getAdminedPublicChannels returns the public channels that the caller made.
//
// https://core.telegram.org/method/channels.getAdminedPublicChannels
func (h *Handlers) getAdminedPublicChannels(
	c *api.Call, req *tg.ChannelsGetAdminedPublicChannelsRequest,
) (out tg.MessagesChatsClass, err error) {
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		err := each(r, c, func(row store.Chat, self store.Member) error {
			if row.Username != "" && self.Role == store.Creator && !req.ByLocation {
				v.Chat(row.Peer)
			}
			return nil
		})
		out = &tg.MessagesChats{Chats: v.Chats()}
		return err
	})
	return out, err
}

// getLeftChannels is part of an export of an account, and there is none under way.
//
// https://core.telegram.org/method/channels.getLeftChannels
func (h *Handlers) getLeftChannels(
	*api.Call, *tg.ChannelsGetLeftChannelsRequest,
) (tg.MessagesChatsClass, error) {
	return nil, chat.Forbidden("TAKEOUT_REQUIRED")
}

// inactiveAfter is after how many seconds without a message a channel is called inactive.
const inactiveAfter = 30 * 86400

// getInactiveChannels returns the channels of the caller in which nothing has happened for long.
//
// https://core.telegram.org/method/channels.getInactiveChannels
func (h *Handlers) getInactiveChannels(
	c *api.Call, _ *tg.ChannelsGetInactiveChannelsRequest,
) (out *tg.MessagesInactiveChats, err error) {
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		out = &tg.MessagesInactiveChats{Dates: []int{}}
		err := each(r, c, func(row store.Chat, _ store.Member) error {
			b, err := r.Box(row.Peer)
			if err == nil && b.TopDate < c.Unix()-inactiveAfter {
				v.Chat(row.Peer)
				out.Dates = append(out.Dates, int(b.TopDate))
			}
			return err
		})
		out.Chats, out.Users = v.Chats(), v.Users()
		return err
	})
	return out, err
}
