// Package chats answers the messages.* methods that manage chats of many people: basic groups, what
// their kinds have in common, invite links and requests to join. It translates between the API's
// objects and chat/group; channels.* is api/channels.
//
// https://core.telegram.org/api/channel
package chats

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
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

// Handlers answer the methods of this package.
type Handlers struct {
	Room
	Group   *group.Service
	Channel *channel.Service
	// Photo makes the photo of a chat of what a client sends; 0 takes it off.
	Photo func(c *api.Call, in tg.InputChatPhotoClass) (mediaID int64, err error)
	// Subscribers are the users with live sessions in a channel.
	Subscribers func(channel ids.Peer) []ids.UserID
}

// Methods are the rows of this part of the namespace.
func (h *Handlers) Methods() []api.Method {
	return []api.Method{
		api.On(api.User, api.Join, h.createChat),
		api.On(api.User, api.Read, h.getChats),
		api.On(api.User, api.Read, h.getFullChat),
		api.On(api.User, api.Send, h.addChatUser),
		api.On(api.User, api.Write, h.deleteChatUser).WhenFrozen(true),
		api.On(api.User, api.Write, h.editChatTitle),
		api.On(api.User, api.Write, h.editChatPhoto),
		api.On(api.User, api.Write, h.editChatAbout),
		api.On(api.User, api.Write, h.editChatAdmin),
		api.On(api.User, api.Write, h.editChatDefaultBannedRights),
		api.On(api.User, api.Write, h.editChatParticipantRank),
		api.On(api.User, api.Write, h.toggleNoForwards),
		api.On(api.User, api.Write, h.migrateChat),
		api.On(api.User, api.Write, h.deleteChat),
		api.On(api.User, api.Read, h.getOnlines),
		api.On(api.User, api.Write, h.exportChatInvite),
		api.On(api.User, api.Costly, h.checkChatInvite).WhenFrozen(true),
		api.On(api.User, api.Join, h.importChatInvite),
		api.On(api.User, api.Read, h.getExportedChatInvites),
		api.On(api.User, api.Read, h.getExportedChatInvite),
		api.On(api.User, api.Write, h.editExportedChatInvite),
		api.On(api.User, api.Write, h.deleteExportedChatInvite),
		api.On(api.User, api.Write, h.deleteRevokedExportedChatInvites),
		api.On(api.User, api.Read, h.getAdminsWithInvites),
		api.On(api.User, api.Read, h.getChatInviteImporters),
		api.On(api.User, api.Write, h.hideChatJoinRequest),
		api.On(api.User, api.Write, h.hideAllChatJoinRequests),
	}
}

// basic resolves the id of a basic group that the caller is or was in.
func (h *Handlers) basic(c *api.Call, id int64) (ids.Peer, error) {
	peer, err := h.Peer(c, &tg.InputPeerChat{ChatID: id})
	if err == chat.ErrPeerInvalid {
		err = chat.ErrChatInvalid
	}
	return peer, err
}

// many resolves a basic group or channel.
func (h *Handlers) many(c *api.Call, in tg.InputPeerClass) (ids.Peer, error) {
	peer, err := h.Peer(c, in)
	if err == nil && peer.Kind() == ids.User {
		err = chat.ErrPeerInvalid
	}
	return peer, err
}

// createChat makes a basic group.
//
// https://core.telegram.org/method/messages.createChat
func (h *Handlers) createChat(
	c *api.Call, req *tg.MessagesCreateChatRequest,
) (*tg.MessagesInvitedUsers, error) {
	if len(req.Users) >= limit.ChatMembers {
		return nil, chat.Invalid("USERS_TOO_MUCH")
	}
	others, err := h.Users(c, req.Users)
	if err != nil {
		return nil, err
	}
	peer, sent, missing, err := h.Group.Create(c.Context, c.Self, req.Title, others)
	if err != nil {
		return nil, err
	}
	if err := h.Settle(c, c.Self.Peer()); err != nil {
		return nil, err
	}
	u, err := h.Roster(c, peer, Created(sent), sent)
	return &tg.MessagesInvitedUsers{Updates: u, MissingInvitees: Missing(missing)}, err
}

// getChats returns basic groups.
//
// https://core.telegram.org/method/messages.getChats
func (h *Handlers) getChats(
	c *api.Call, req *tg.MessagesGetChatsRequest,
) (out tg.MessagesChatsClass, err error) {
	if len(req.ID) > limit.ForwardBatch {
		return nil, chat.Invalid("LIMIT_INVALID")
	}
	peers := make([]ids.Peer, 0, len(req.ID))
	for _, id := range req.ID {
		peer, err := h.basic(c, id)
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

// getFullChat returns all about a basic group.
//
// https://core.telegram.org/method/messages.getFullChat
func (h *Handlers) getFullChat(
	c *api.Call, req *tg.MessagesGetFullChatRequest,
) (out *tg.MessagesChatFull, err error) {
	peer, err := h.basic(c, req.ChatID)
	if err != nil {
		return nil, err
	}
	if err := h.Group.Standing(c.Context, c.Self, peer); err != nil {
		return nil, err
	}
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		v.Chat(peer)
		full := v.FullGroup(peer)
		out = &tg.MessagesChatFull{FullChat: full, Chats: v.Chats(), Users: v.Users()}
		return nil
	})
	return out, err
}

// addChatUser adds somebody to a basic group.
//
// https://core.telegram.org/method/messages.addChatUser
func (h *Handlers) addChatUser(
	c *api.Call, req *tg.MessagesAddChatUserRequest,
) (*tg.MessagesInvitedUsers, error) {
	peer, err := h.basic(c, req.ChatID)
	if err != nil {
		return nil, err
	}
	user, err := h.User(c, req.UserID)
	if err != nil {
		return nil, err
	}
	sent, missing, err := h.Group.Add(c.Context, c.Self, peer, []ids.UserID{user})
	if err != nil {
		return nil, err
	}
	if sent.Message.ID == 0 && len(missing) == 0 {
		return nil, chat.Invalid("USER_ALREADY_PARTICIPANT")
	}
	if err := h.Settle(c, c.Self.Peer(), peer); err != nil {
		return nil, err
	}
	u, err := h.Roster(c, peer, nil, sent)
	return &tg.MessagesInvitedUsers{Updates: u, MissingInvitees: Missing(missing)}, err
}

// deleteChatUser takes somebody, or the caller himself, out of a basic group.
//
// https://core.telegram.org/method/messages.deleteChatUser
func (h *Handlers) deleteChatUser(
	c *api.Call, req *tg.MessagesDeleteChatUserRequest,
) (tg.UpdatesClass, error) {
	peer, err := h.basic(c, req.ChatID)
	if err != nil {
		return nil, err
	}
	user, err := h.User(c, req.UserID)
	if err != nil {
		return nil, err
	}
	sent, err := h.Group.Remove(c.Context, c.Self, peer, user)
	if err != nil {
		return nil, err
	}
	if req.RevokeHistory && user != c.Self {
		if err := h.Group.DeleteHistoryOf(c.Context, peer, user); err != nil {
			return nil, err
		}
	}
	if err := h.Settle(c, peer, c.Self.Peer()); err != nil {
		return nil, err
	}
	return h.Roster(c, peer, nil, sent)
}

// editChatTitle renames a basic group.
//
// https://core.telegram.org/method/messages.editChatTitle
func (h *Handlers) editChatTitle(
	c *api.Call, req *tg.MessagesEditChatTitleRequest,
) (tg.UpdatesClass, error) {
	peer, err := h.basic(c, req.ChatID)
	if err != nil {
		return nil, err
	}
	sent, err := h.Group.SetTitle(c.Context, c.Self, peer, req.Title)
	if err != nil {
		return nil, err
	}
	return h.Answer(c, peer, nil, sent)
}

// editChatPhoto gives a basic group a photo.
//
// https://core.telegram.org/method/messages.editChatPhoto
func (h *Handlers) editChatPhoto(
	c *api.Call, req *tg.MessagesEditChatPhotoRequest,
) (tg.UpdatesClass, error) {
	peer, err := h.basic(c, req.ChatID)
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

// editChatAbout describes a chat.
//
// https://core.telegram.org/method/messages.editChatAbout
func (h *Handlers) editChatAbout(
	c *api.Call, req *tg.MessagesEditChatAboutRequest,
) (*tg.BoolBox, error) {
	peer, err := h.many(c, req.Peer)
	if err != nil {
		return nil, err
	}
	return view.True, h.Group.SetAbout(c.Context, c.Self, peer, req.About)
}

// editChatAdmin makes a member of a basic group an admin, or an ordinary member again.
//
// https://core.telegram.org/method/messages.editChatAdmin
func (h *Handlers) editChatAdmin(
	c *api.Call, req *tg.MessagesEditChatAdminRequest,
) (*tg.BoolBox, error) {
	peer, err := h.basic(c, req.ChatID)
	if err != nil {
		return nil, err
	}
	user, err := h.User(c, req.UserID)
	if err != nil {
		return nil, err
	}
	return view.True, h.Group.SetAdmin(c.Context, c.Self, peer, user, req.IsAdmin)
}

// editChatDefaultBannedRights sets what ordinary members may not do.
//
// https://core.telegram.org/method/messages.editChatDefaultBannedRights
func (h *Handlers) editChatDefaultBannedRights(
	c *api.Call, req *tg.MessagesEditChatDefaultBannedRightsRequest,
) (tg.UpdatesClass, error) {
	peer, err := h.many(c, req.Peer)
	if err != nil {
		return nil, err
	}
	bits := view.BannedBits(req.BannedRights)
	if err := h.Group.SetDefaultRights(c.Context, c.Self, peer, bits); err != nil {
		return nil, err
	}
	var out *tg.Updates
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		row, err := v.ChatRow(peer)
		u := &tg.UpdateChatDefaultBannedRights{
			Peer: v.Peer(peer), Version: int(row.Version),
			DefaultBannedRights: view.BannedRights(rights.Banned(row.Banned), 0),
		}
		out = v.Updates([]tg.UpdateClass{u})
		return err
	})
	return out, err
}

// editChatParticipantRank gives an admin of a channel another title.
//
// https://core.telegram.org/method/messages.editChatParticipantRank
func (h *Handlers) editChatParticipantRank(
	c *api.Call, req *tg.MessagesEditChatParticipantRankRequest,
) (tg.UpdatesClass, error) {
	peer, err := h.many(c, req.Peer)
	if err != nil {
		return nil, err
	}
	if peer.Kind() != ids.Channel {
		return nil, chat.ErrPeerInvalid
	}
	other, err := h.Peer(c, req.Participant)
	if err != nil {
		return nil, err
	}
	if err := h.Channel.SetRank(c.Context, c.Self, peer, other.User(), req.Rank); err != nil {
		return nil, err
	}
	return h.Answer(c, peer, nil)
}

// toggleNoForwards protects the content of a chat.
//
// https://core.telegram.org/method/messages.toggleNoForwards
func (h *Handlers) toggleNoForwards(
	c *api.Call, req *tg.MessagesToggleNoForwardsRequest,
) (tg.UpdatesClass, error) {
	peer, err := h.many(c, req.Peer)
	if err != nil {
		return nil, err
	}
	if err := h.Group.SetNoForwards(c.Context, c.Self, peer, req.Enabled); err != nil {
		return nil, err
	}
	return h.Refresh(c, peer)
}

// migrateChat makes a supergroup of a basic group.
//
// https://core.telegram.org/method/messages.migrateChat
func (h *Handlers) migrateChat(
	c *api.Call, req *tg.MessagesMigrateChatRequest,
) (tg.UpdatesClass, error) {
	old, err := h.basic(c, req.ChatID)
	if err != nil {
		return nil, err
	}
	channel, sent, err := h.Channel.Migrate(c.Context, c.Self, old)
	if err != nil {
		return nil, err
	}
	if err := h.Settle(c, channel, old); err != nil {
		return nil, err
	}
	return h.Answer(c, channel, nil, sent...)
}

// deleteChat ends a basic group for everybody.
//
// https://core.telegram.org/method/messages.deleteChat
func (h *Handlers) deleteChat(
	c *api.Call, req *tg.MessagesDeleteChatRequest,
) (*tg.BoolBox, error) {
	peer, err := h.basic(c, req.ChatID)
	if err != nil {
		return nil, err
	}
	if err := h.Group.Delete(c.Context, c.Self, peer); err != nil {
		return nil, err
	}
	return view.True, h.Settle(c, peer)
}

// getOnlines counts the members of a chat who are online.
//
// https://core.telegram.org/method/messages.getOnlines
func (h *Handlers) getOnlines(
	c *api.Call, req *tg.MessagesGetOnlinesRequest,
) (*tg.ChatOnlines, error) {
	peer, err := h.many(c, req.Peer)
	if err != nil {
		return nil, err
	}
	out := &tg.ChatOnlines{}
	err = h.View(c, func(r *store.Reader, _ *view.View) error {
		out.Onlines = 0
		if _, err := message.See(r, c.Self, peer, c.Unix()); err != nil {
			return err
		}
		if peer.Kind() == ids.Channel {
			out.Onlines = len(h.Subscribers(peer))
			return nil
		}
		if _, _, err := group.Access(r, c.Self, peer, c.Unix()); err != nil {
			return err
		}
		members, err := r.Members(peer, store.Participant, store.Creator, limit.ChatMembers, 0)
		for _, m := range members {
			if h.Env.Online(m.User) > c.Unix() {
				out.Onlines++
			}
		}
		return err
	})
	return out, err
}
