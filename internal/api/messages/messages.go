// Package messages answers the messages.* methods that are about messages and the chat list, for
// all kinds of chats: it translates between the API's objects and chat/message and chat/dialog.
// Methods of the namespace that manage basic groups are in api/chats, those about files in
// api/files.
//
// https://core.telegram.org/methods#working-with-messages
package messages

import (
	"context"
	"errors"
	"slices"

	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/desk"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/store"
)

// Handlers answer messages.*.
type Handlers struct {
	desk.Desk
	Message *message.Service
	// Media makes a stored medium of what a client sends with a message.
	Media func(c *api.Call, in tg.InputMediaClass) (*message.Media, error)
	// Tell pushes an update that is kept nowhere to the live sessions of users.
	Tell func(body []byte, users ...ids.UserID)
	// Subscribers are the users with live sessions in a channel.
	Subscribers func(channel ids.Peer) []ids.UserID
	// Settled waits until what a box had to tell others is done.
	Settled func(ctx context.Context, box ids.Peer) error
	// Shown hears of every text that an account sends, before it is sent.
	Shown func(ctx context.Context, user ids.UserID, text string) error
	// Search finds messages of a chat by words.
	Search Finder
}

// Finder finds messages by words.
type Finder interface {
	// Find returns up to limit ids of messages with peer that match, below an id, newest first.
	Find(
		ctx context.Context, user ids.UserID, peer ids.Peer, query string, below int64, limit int,
	) ([]int64, error)
}

// Methods are the rows of the namespace.
func (h *Handlers) Methods() []api.Method {
	return append(h.nothing(), []api.Method{
		api.On(api.User, api.Send, h.sendMessage).WhenFrozen(true),
		api.On(api.User, api.Send, h.sendMedia),
		api.On(api.User, api.Send, h.sendMultiMedia),
		api.On(api.User, api.Send, h.forwardMessages),
		api.On(api.User, api.Write, h.editMessage),
		api.On(api.User, api.Read, h.getMessageEditData),
		api.On(api.User, api.Write, h.deleteMessages),
		api.On(api.User, api.Write, h.deleteHistory),
		api.On(api.User, api.Write, h.readHistory).WhenFrozen(true),
		api.On(api.User, api.Write, h.readMessageContents).WhenFrozen(true),
		api.On(api.User, api.Read, h.receivedMessages),
		api.On(api.User, api.Read, h.setTyping).WhenFrozen(false),
		api.On(api.User, api.Read, h.getHistory),
		api.On(api.User, api.Read, h.getMessages),
		api.On(api.User, api.Costly, h.search).WhenFrozen(true),
		api.On(api.User, api.Read, h.getMessagesViews),
		api.On(api.User, api.Read, h.getDialogs),
		api.On(api.User, api.Read, h.getPeerDialogs),
		api.On(api.User, api.Read, h.getPinnedDialogs),
		api.On(api.User, api.Write, h.toggleDialogPin),
		api.On(api.User, api.Write, h.reorderPinnedDialogs),
		api.On(api.User, api.Write, h.markDialogUnread),
		api.On(api.User, api.Read, h.getDialogUnreadMarks),
		api.On(api.User, api.Write, h.saveDraft),
		api.On(api.User, api.Read, h.getAllDrafts),
		api.On(api.User, api.Write, h.clearAllDrafts),
		api.On(api.User, api.Write, h.updatePinnedMessage),
		api.On(api.User, api.Write, h.unpinAllMessages),
		api.On(api.User, api.Read, h.getUnreadMentions),
		api.On(api.User, api.Write, h.readMentions).WhenFrozen(true),
		api.On(api.User, api.Write, h.sendReaction),
		api.On(api.User, api.Read, h.getMessagesReactions),
		api.On(api.User, api.Read, h.getMessageReactionsList),
		api.On(api.User, api.Read, h.getFactCheck),
		api.On(api.User, api.Read, h.getPeerSettings),
		api.On(api.User, api.Write, h.hidePeerSettingsBar),
		api.On(api.User, api.Read, h.getCommonChats),
		api.On(api.User, api.Write, h.editPeerFolders),
	}...)
}

// found renders messages as an answer: the whole of a list, or a slice of total.
func found(
	v *view.View, peer ids.Peer, rows []store.Message, total int, pts int64,
) tg.MessagesMessagesClass {
	list := make([]tg.MessageClass, 0, len(rows))
	for _, m := range rows {
		list = append(list, v.Message(m))
	}
	if peer.Kind() == ids.Channel {
		v.Chat(peer)
		out := &tg.MessagesChannelMessages{
			Pts: int(pts), Count: total, Messages: list, Users: v.Users(), Chats: v.Chats(),
		}
		out.SetFlags()
		return out
	}
	if total > len(list) {
		out := &tg.MessagesMessagesSlice{
			Count: total, Messages: list, Users: v.Users(), Chats: v.Chats(),
		}
		out.SetFlags()
		return out
	}
	return &tg.MessagesMessages{Messages: list, Users: v.Users(), Chats: v.Chats()}
}

func affected(a message.Affected) *tg.MessagesAffectedMessages {
	return &tg.MessagesAffectedMessages{Pts: int(a.Pts), PtsCount: int(a.Count)}
}

func affectedHistory(a message.Affected) *tg.MessagesAffectedHistory {
	offset := 0
	if a.More {
		offset = 1
	}
	return &tg.MessagesAffectedHistory{Pts: int(a.Pts), PtsCount: int(a.Count), Offset: offset}
}

func longs(in []int) []int64 {
	out := make([]int64, len(in))
	for i, n := range in {
		out[i] = int64(n)
	}
	return out
}

// getHistory returns a stretch of a chat.
//
// https://core.telegram.org/method/messages.getHistory
func (h *Handlers) getHistory(
	c *api.Call, req *tg.MessagesGetHistoryRequest,
) (out tg.MessagesMessagesClass, err error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		if _, err := message.See(r, c.Self, peer, c.Unix()); err != nil {
			return err
		}
		d, err := r.DialogOrNew(c.Self, peer)
		if err != nil {
			return err
		}
		rows, err := message.History(r, c.Self, peer, d.MinID, message.Page{
			OffsetID: int64(req.OffsetID), OffsetDate: int64(req.OffsetDate),
			AddOffset: req.AddOffset, Limit: req.Limit,
			Below: int64(req.MaxID), Above: int64(req.MinID),
		})
		if err != nil {
			return err
		}
		total := d.Messages
		b := store.Box{}
		if peer.Kind() == ids.Channel {
			if b, err = r.Box(peer); err != nil {
				return err
			}
			total = b.Messages
		}
		out = found(v, peer, rows, int(total), b.Pts)
		return nil
	})
	return out, err
}

// getMessages returns messages of the caller's own box by id.
//
// https://core.telegram.org/method/messages.getMessages
func (h *Handlers) getMessages(
	c *api.Call, req *tg.MessagesGetMessagesRequest,
) (out tg.MessagesMessagesClass, err error) {
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		list, err := byID(r, v, c.Self.Peer(), 0, req.ID)
		out = &tg.MessagesMessages{Messages: list, Users: v.Users(), Chats: v.Chats()}
		return err
	})
	return out, err
}

// ChannelMessages returns messages of a channel by id, for api/channels.
//
// https://core.telegram.org/method/channels.getMessages
func (h *Handlers) ChannelMessages(
	c *api.Call, channel ids.Peer, in []tg.InputMessageClass,
) (out tg.MessagesMessagesClass, err error) {
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		if _, err := message.See(r, c.Self, channel, c.Unix()); err != nil {
			return err
		}
		above, err := message.Horizon(r, c.Self, channel)
		if err != nil {
			return err
		}
		b, err := r.Box(channel)
		if err != nil {
			return err
		}
		list, err := byID(r, v, channel, above, in)
		v.Chat(channel)
		m := &tg.MessagesChannelMessages{
			Pts: int(b.Pts), Count: len(list), Messages: list, Users: v.Users(), Chats: v.Chats(),
		}
		m.SetFlags()
		out = m
		return err
	})
	return out, err
}

// byID renders messages of a box in the order asked for; what is not there is messageEmpty.
func byID(
	r *store.Reader, v *view.View, in ids.Peer, above int64, list []tg.InputMessageClass,
) ([]tg.MessageClass, error) {
	if len(list) > 100 {
		return nil, chat.Invalid("LIMIT_INVALID")
	}
	out := make([]tg.MessageClass, 0, len(list))
	for _, x := range list {
		id, err := targetOf(r, in, x)
		if err != nil {
			return nil, err
		}
		m, err := r.Message(in, id)
		if store.IsNotFound(err) || err == nil && id <= above {
			out = append(out, &tg.MessageEmpty{ID: int(id)})
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, v.Message(m))
	}
	return out, nil
}

// targetOf returns the id that an InputMessage means.
func targetOf(r *store.Reader, in ids.Peer, x tg.InputMessageClass) (int64, error) {
	switch x := x.(type) {
	case *tg.InputMessageID:
		return int64(x.ID), nil
	case *tg.InputMessageReplyTo:
		m, err := r.Message(in, int64(x.ID))
		if store.IsNotFound(err) {
			return 0, nil
		}
		return m.ReplyTo, err
	case *tg.InputMessagePinned:
		if in.Kind() != ids.Channel {
			return 0, nil
		}
		rows, err := r.Pinned(in, in, 1<<31-1, 1)
		if err != nil || len(rows) == 0 {
			return 0, err
		}
		return rows[0].ID, nil
	default:
		return 0, chat.ErrMessageIDInvalid
	}
}

// getMessagesViews returns how often posts were seen, and counts the caller in.
//
// https://core.telegram.org/method/messages.getMessagesViews
func (h *Handlers) getMessagesViews(
	c *api.Call, req *tg.MessagesGetMessagesViewsRequest,
) (*tg.MessagesMessageViews, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	if peer.Kind() != ids.Channel {
		return nil, chat.ErrPeerInvalid
	}
	if len(req.ID) > 100 {
		return nil, chat.Invalid("LIMIT_INVALID")
	}
	seen, err := h.visible(c, peer, req.ID)
	if err != nil {
		return nil, err
	}
	if req.Increment {
		if err := h.Message.CountViews(c.Context, peer, seen); err != nil {
			return nil, err
		}
	}
	out := &tg.MessagesMessageViews{Views: make([]tg.MessageViews, len(req.ID))}
	err = h.View(c, func(r *store.Reader, _ *view.View) error {
		for i, id := range req.ID {
			if !slices.Contains(seen, int64(id)) {
				continue
			}
			views, forwards, err := r.Views(peer, int64(id))
			if err != nil {
				return err
			}
			out.Views[i].SetViews(int(views) + 1)
			out.Views[i].SetForwards(int(forwards))
		}
		return nil
	})
	return out, err
}

// visible returns those of some messages with a peer that are there and that the caller sees.
func (h *Handlers) visible(c *api.Call, peer ids.Peer, list []int) (out []int64, err error) {
	err = h.View(c, func(r *store.Reader, _ *view.View) error {
		if _, err := message.See(r, c.Self, peer, c.Unix()); err != nil {
			return err
		}
		for _, id := range list {
			_, err := message.Get(r, c.Self, peer, int64(id))
			switch {
			case err == nil:
				out = append(out, int64(id))
			case !errors.Is(err, chat.ErrMessageIDInvalid):
				return err
			}
		}
		return nil
	})
	return out, err
}
