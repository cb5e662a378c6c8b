// Package channels answers channels.*: supergroups and broadcast channels. It translates between
// the API's objects and chat/channel, chat/group and chat/message.
//
// https://core.telegram.org/api/channel
package channels

import (
	"fmt"
	"html"

	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/chats"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/channel"
	"parley/internal/chat/group"
	"parley/internal/chat/message"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// Handlers answer channels.*.
type Handlers struct {
	chats.Room
	Group   *group.Service
	Channel *channel.Service
	Message *message.Service
	// Photo makes the photo of a chat of what a client sends; 0 takes it off.
	Photo func(c *api.Call, in tg.InputChatPhotoClass) (mediaID int64, err error)
	// Messages returns messages of a channel by id.
	Messages func(c *api.Call, channel ids.Peer, in []tg.InputMessageClass) (
		tg.MessagesMessagesClass, error)
	// Subscribers are the users with live sessions in a channel.
	Subscribers func(channel ids.Peer) []ids.UserID
}

// Methods are the rows of the namespace.
func (h *Handlers) Methods() []api.Method {
	return []api.Method{
		api.On(api.User, api.Join, h.createChannel),
		api.On(api.User, api.Read, h.getChannels),
		api.On(api.User, api.Read, h.getFullChannel),
		api.On(api.User, api.Read, h.getMessages),
		api.On(api.User, api.Write, h.readHistory).WhenFrozen(true),
		api.On(api.User, api.Write, h.readMessageContents).WhenFrozen(true),
		api.On(api.User, api.Write, h.deleteMessages),
		api.On(api.User, api.Write, h.deleteHistory),
		api.On(api.User, api.Write, h.deleteParticipantHistory),
		api.On(api.User, api.Read, h.exportMessageLink),
		api.On(api.User, api.Read, h.getMessageAuthor),
		api.On(api.User, api.Join, h.joinChannel),
		api.On(api.User, api.Write, h.leaveChannel).WhenFrozen(true),
		api.On(api.User, api.Send, h.inviteToChannel),
		api.On(api.User, api.Write, h.deleteChannel),
		api.On(api.User, api.Read, h.getParticipants),
		api.On(api.User, api.Read, h.getParticipant),
		api.On(api.User, api.Write, h.editTitle),
		api.On(api.User, api.Write, h.editPhoto),
		api.On(api.User, api.Costly, h.checkUsername),
		api.On(api.User, api.Write, h.updateUsername),
		api.On(api.User, api.Write, h.editAdmin),
		api.On(api.User, api.Write, h.editBanned),
		api.On(api.User, api.Read, h.getAdminLog),
		api.On(api.User, api.Write, h.toggleSlowMode),
		api.On(api.User, api.Write, h.toggleSignatures),
		api.On(api.User, api.Write, h.togglePreHistoryHidden),
		api.On(api.User, api.Write, h.toggleJoinToSend),
		api.On(api.User, api.Write, h.toggleJoinRequest),
		api.On(api.User, api.Write, h.toggleParticipantsHidden),
		api.On(api.User, api.Read, h.getSendAs),
		api.On(api.User, api.Read, h.getAdminedPublicChannels),
		api.On(api.User, api.Read, h.getLeftChannels),
		api.On(api.User, api.Read, h.getInactiveChannels),
	}
}

func longs(in []int) []int64 {
	out := make([]int64, len(in))
	for i, n := range in {
		out[i] = int64(n)
	}
	return out
}

// createChannel makes a supergroup or a broadcast channel.
//
// https://core.telegram.org/method/channels.createChannel
func (h *Handlers) createChannel(
	c *api.Call, req *tg.ChannelsCreateChannelRequest,
) (tg.UpdatesClass, error) {
	if req.Forum || req.GeoPoint != nil {
		return nil, chat.Invalid("CHANNEL_FORUM_MISSING")
	}
	peer, sent, err := h.Channel.Create(c.Context, channel.New{
		Creator: c.Self, Title: req.Title, About: req.About, Broadcast: !req.Megagroup,
	})
	if err != nil {
		return nil, err
	}
	if err := h.Settle(c, peer); err != nil {
		return nil, err
	}
	return h.Answer(c, peer, chats.Created(sent), sent)
}

// getChannels returns channels.
//
// https://core.telegram.org/method/channels.getChannels
func (h *Handlers) getChannels(
	c *api.Call, req *tg.ChannelsGetChannelsRequest,
) (out tg.MessagesChatsClass, err error) {
	if len(req.ID) > limit.ForwardBatch {
		return nil, chat.Invalid("LIMIT_INVALID")
	}
	peers := make([]ids.Peer, 0, len(req.ID))
	for _, in := range req.ID {
		peer, err := h.Desk.Channel(c, in)
		if err != nil {
			return nil, err
		}
		peers = append(peers, peer)
	}
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		for _, p := range peers {
			v.Chat(p)
		}
		out = &tg.MessagesChats{Chats: v.Chats()}
		return nil
	})
	return out, err
}

// getFullChannel returns all about a channel.
//
// https://core.telegram.org/method/channels.getFullChannel
func (h *Handlers) getFullChannel(
	c *api.Call, req *tg.ChannelsGetFullChannelRequest,
) (out *tg.MessagesChatFull, err error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	if err := h.Group.Standing(c.Context, c.Self, peer); err != nil {
		return nil, err
	}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		row, _, err := group.Access(r, c.Self, peer, c.Unix())
		if err != nil {
			return err
		}
		online := 0
		if row.Flags.Has(store.Megagroup) {
			online = len(h.Subscribers(peer))
		}
		v.Chat(peer)
		full := v.FullChannel(peer, online)
		out = &tg.MessagesChatFull{FullChat: full, Chats: v.Chats(), Users: v.Users()}
		return nil
	})
	return out, err
}

// getMessages returns messages by id.
//
// https://core.telegram.org/method/channels.getMessages
func (h *Handlers) getMessages(
	c *api.Call, req *tg.ChannelsGetMessagesRequest,
) (tg.MessagesMessagesClass, error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	return h.Messages(c, peer, req.ID)
}

// readHistory marks a channel as read.
//
// https://core.telegram.org/method/channels.readHistory
func (h *Handlers) readHistory(
	c *api.Call, req *tg.ChannelsReadHistoryRequest,
) (*tg.BoolBox, error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	return view.True, h.Message.ReadPosts(c.Context, c.Self, peer, int64(req.MaxID))
}

// readMessageContents marks mentions as seen.
//
// https://core.telegram.org/method/channels.readMessageContents
func (h *Handlers) readMessageContents(
	c *api.Call, req *tg.ChannelsReadMessageContentsRequest,
) (*tg.BoolBox, error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	if len(req.ID) > limit.ForwardBatch {
		return nil, chat.Invalid("LIMIT_INVALID")
	}
	if err := h.mayRead(c, peer); err != nil {
		return nil, err
	}
	_, err = h.Message.ReadContents(c.Context, c.Self, peer, longs(req.ID))
	return view.True, err
}

// mayRead refuses who may not see a channel.
func (h *Handlers) mayRead(c *api.Call, peer ids.Peer) error {
	return h.View(c, func(r *store.Reader, _ *view.View) error {
		_, _, err := group.Access(r, c.Self, peer, c.Unix())
		return err
	})
}

// deleteMessages removes messages for everybody.
//
// https://core.telegram.org/method/channels.deleteMessages
func (h *Handlers) deleteMessages(
	c *api.Call, req *tg.ChannelsDeleteMessagesRequest,
) (*tg.MessagesAffectedMessages, error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	if len(req.ID) > limit.ForwardBatch {
		return nil, chat.Invalid("LIMIT_INVALID")
	}
	a, err := h.Channel.DeletePosts(c.Context, c.Self, peer, longs(req.ID))
	return &tg.MessagesAffectedMessages{Pts: int(a.Pts), PtsCount: int(a.Count)}, err
}

// deleteHistory hides the history of a channel from the caller, or removes it for everybody.
//
// https://core.telegram.org/method/channels.deleteHistory
func (h *Handlers) deleteHistory(
	c *api.Call, req *tg.ChannelsDeleteHistoryRequest,
) (tg.UpdatesClass, error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	if req.ForEveryone {
		err := h.Channel.ClearHistory(c.Context, c.Self, peer, int64(req.MaxID))
		if err != nil {
			return nil, err
		}
		return h.Refresh(c, peer)
	}
	if err := h.Channel.HideHistory(c.Context, c.Self, peer, int64(req.MaxID)); err != nil {
		return nil, err
	}
	var out *tg.Updates
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		above, err := message.Horizon(r, c.Self, peer)
		v.Chat(peer)
		out = v.Updates([]tg.UpdateClass{&tg.UpdateChannelAvailableMessages{
			ChannelID: int64(peer.Channel()), AvailableMinID: int(above),
		}})
		return err
	})
	return out, err
}

// deleteParticipantHistory removes the messages of one member.
//
// https://core.telegram.org/method/channels.deleteParticipantHistory
func (h *Handlers) deleteParticipantHistory(
	c *api.Call, req *tg.ChannelsDeleteParticipantHistoryRequest,
) (*tg.MessagesAffectedHistory, error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	other, err := h.Peer(c, req.Participant)
	if err != nil {
		return nil, err
	}
	pts, count, more, err := h.Channel.DeleteHistoryOf(c.Context, c.Self, peer, other)
	out := &tg.MessagesAffectedHistory{Pts: int(pts), PtsCount: int(count)}
	if more {
		out.Offset = 1
	}
	return out, err
}

// exportMessageLink returns a link to a message.
//
// https://core.telegram.org/method/channels.exportMessageLink
func (h *Handlers) exportMessageLink(
	c *api.Call, req *tg.ChannelsExportMessageLinkRequest,
) (*tg.ExportedMessageLink, error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	out := &tg.ExportedMessageLink{}
	err = h.View(c, func(r *store.Reader, _ *view.View) error {
		row, _, err := group.Access(r, c.Self, peer, c.Unix())
		if err != nil {
			return err
		}
		if _, err := message.Get(r, c.Self, peer, int64(req.ID)); err != nil {
			return err
		}
		where := row.Username
		if where == "" {
			where = fmt.Sprintf("c/%d", peer.Channel())
		}
		out.Link = fmt.Sprintf("%s%s/%d", h.Env.Prefix, where, req.ID)
		if req.Grouped && !req.Thread {
			out.Link += "?single"
		}
		link := html.EscapeString(out.Link)
		out.HTML = fmt.Sprintf(`<a href="%s">%s</a>`, link, html.EscapeString(row.Title))
		return nil
	})
	return out, err
}

// getMessageAuthor tells admins who wrote a message that does not say so.
//
// https://core.telegram.org/method/channels.getMessageAuthor
func (h *Handlers) getMessageAuthor(
	c *api.Call, req *tg.ChannelsGetMessageAuthorRequest,
) (out tg.UserClass, err error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		_, self, err := group.Access(r, c.Self, peer, c.Unix())
		if err != nil {
			return err
		}
		if !rights.IsAdmin(self) {
			return chat.ErrAdminRequired
		}
		m, err := message.Get(r, c.Self, peer, int64(req.ID))
		if err != nil {
			return err
		}
		if m.Origin.User() == 0 {
			return chat.ErrMessageIDInvalid
		}
		out = v.User(m.Origin.User())
		return nil
	})
	return out, err
}

// joinChannel makes the caller a member of a public channel.
//
// https://core.telegram.org/method/channels.joinChannel
func (h *Handlers) joinChannel(
	c *api.Call, req *tg.ChannelsJoinChannelRequest,
) (tg.MessagesChatInviteJoinResultClass, error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	sent, err := h.Group.Join(c.Context, c.Self, peer)
	if err != nil {
		return nil, err
	}
	if err := h.Settle(c, peer); err != nil {
		return nil, err
	}
	return chats.Joined(h.Answer(c, peer, nil, sent))
}

// leaveChannel ends the caller's membership.
//
// https://core.telegram.org/method/channels.leaveChannel
func (h *Handlers) leaveChannel(
	c *api.Call, req *tg.ChannelsLeaveChannelRequest,
) (tg.UpdatesClass, error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	if _, err := h.Group.Leave(c.Context, c.Self, peer); err != nil {
		return nil, err
	}
	if err := h.Settle(c, peer); err != nil {
		return nil, err
	}
	return h.Answer(c, peer, nil)
}

// inviteToChannel adds people to a channel.
//
// https://core.telegram.org/method/channels.inviteToChannel
func (h *Handlers) inviteToChannel(
	c *api.Call, req *tg.ChannelsInviteToChannelRequest,
) (*tg.MessagesInvitedUsers, error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	users, err := h.Users(c, req.Users)
	if err != nil {
		return nil, err
	}
	sent, missing, err := h.Group.Add(c.Context, c.Self, peer, users)
	if err != nil {
		return nil, err
	}
	if err := h.Settle(c, peer); err != nil {
		return nil, err
	}
	u, err := h.Answer(c, peer, nil, sent)
	return &tg.MessagesInvitedUsers{Updates: u, MissingInvitees: chats.Missing(missing)}, err
}

// deleteChannel ends a channel for everybody.
//
// https://core.telegram.org/method/channels.deleteChannel
func (h *Handlers) deleteChannel(
	c *api.Call, req *tg.ChannelsDeleteChannelRequest,
) (tg.UpdatesClass, error) {
	peer, err := h.Desk.Channel(c, req.Channel)
	if err != nil {
		return nil, err
	}
	if err := h.Channel.Delete(c.Context, c.Self, peer); err != nil {
		return nil, err
	}
	if err := h.Settle(c, peer); err != nil {
		return nil, err
	}
	return h.Answer(c, peer, nil)
}
