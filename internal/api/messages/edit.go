package messages

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// editMessage changes a message.
//
// https://core.telegram.org/method/messages.editMessage
func (h *Handlers) editMessage(
	c *api.Call, req *tg.MessagesEditMessageRequest,
) (tg.UpdatesClass, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	if req.ScheduleDate != 0 {
		return nil, chat.Invalid("SCHEDULE_DATE_INVALID")
	}
	var ch message.Change
	if text, ok := req.GetMessage(); ok {
		most, err := h.longest(c, peer, req)
		if err != nil {
			return nil, err
		}
		text, entities, err := h.text(c, text, req.Entities, most)
		if err != nil {
			return nil, err
		}
		ch.Text, ch.Entities = &text, entities
	}
	if req.Media != nil {
		if ch.Media, err = h.Media(c, req.Media); err != nil {
			return nil, err
		}
	}
	if req.InvertMedia {
		ch.OnTop = &req.InvertMedia
	}
	sent, err := h.Message.Edit(c.Context, c.Self, peer, int64(req.ID), ch)
	if err != nil {
		return nil, err
	}
	return h.Updates(c, nil, sent.Event)
}

// longest is how long the text of a message may be after an edit: less under a medium.
func (h *Handlers) longest(
	c *api.Call, peer ids.Peer, req *tg.MessagesEditMessageRequest,
) (int, error) {
	if req.Media != nil {
		return limit.CaptionRunes, nil
	}
	most := limit.MessageRunes
	err := h.View(c, func(r *store.Reader, _ *view.View) error {
		m, err := message.Get(r, c.Self, peer, int64(req.ID))
		if m.Media != 0 {
			most = limit.CaptionRunes
		}
		return err
	})
	return most, err
}

// getMessageEditData tells whether the caller may edit a message.
//
// https://core.telegram.org/method/messages.getMessageEditData
func (h *Handlers) getMessageEditData(
	c *api.Call, req *tg.MessagesGetMessageEditDataRequest,
) (*tg.MessagesMessageEditData, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	out := &tg.MessagesMessageEditData{}
	err = h.View(c, func(r *store.Reader, _ *view.View) error {
		m, err := message.Get(r, c.Self, peer, int64(req.ID))
		if err != nil {
			return err
		}
		if err := h.Message.MayEdit(r, c.Self, m); err != nil {
			return err
		}
		content, err := message.DecodeContent(m.Body)
		out.Caption = content.Media != nil
		return err
	})
	return out, err
}

// deleteMessages removes messages of private chats and basic groups.
//
// https://core.telegram.org/method/messages.deleteMessages
func (h *Handlers) deleteMessages(
	c *api.Call, req *tg.MessagesDeleteMessagesRequest,
) (*tg.MessagesAffectedMessages, error) {
	if len(req.ID) > limit.ForwardBatch {
		return nil, chat.Invalid("LIMIT_INVALID")
	}
	out, err := h.Message.Delete(c.Context, c.Self, longs(req.ID), req.Revoke)
	if err == nil && req.Revoke {
		err = h.Settled(c.Context, c.Self.Peer())
	}
	return affected(out), err
}

// deleteHistory empties a private chat or basic group.
//
// https://core.telegram.org/method/messages.deleteHistory
func (h *Handlers) deleteHistory(
	c *api.Call, req *tg.MessagesDeleteHistoryRequest,
) (*tg.MessagesAffectedHistory, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	if peer.Kind() == ids.Channel {
		return nil, chat.ErrPeerInvalid
	}
	out, err := h.Message.DeleteHistory(c.Context, c.Self, peer, int64(req.MaxID), req.JustClear,
		req.Revoke)
	if err == nil && req.Revoke {
		err = h.Settled(c.Context, c.Self.Peer())
	}
	return affectedHistory(out), err
}

// readHistory marks a private chat or basic group as read.
//
// https://core.telegram.org/method/messages.readHistory
func (h *Handlers) readHistory(
	c *api.Call, req *tg.MessagesReadHistoryRequest,
) (*tg.MessagesAffectedMessages, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	if peer.Kind() == ids.Channel {
		return nil, chat.ErrPeerInvalid
	}
	out, err := h.Message.Read(c.Context, c.Self, peer, int64(req.MaxID))
	return affected(out), err
}

// contentsMost is how many messages may be marked as looked at in one call.
const contentsMost = 1000

// readMessageContents marks voice messages as heard and mentions as seen.
//
// https://core.telegram.org/method/messages.readMessageContents
func (h *Handlers) readMessageContents(
	c *api.Call, req *tg.MessagesReadMessageContentsRequest,
) (*tg.MessagesAffectedMessages, error) {
	if len(req.ID) > contentsMost {
		return nil, chat.Invalid("LIMIT_INVALID")
	}
	out, err := h.Message.ReadContents(c.Context, c.Self, c.Self.Peer(), longs(req.ID))
	return affected(out), err
}

// receivedMessages is told that notifications were shown; nothing here depends on it.
//
// https://core.telegram.org/method/messages.receivedMessages
func (h *Handlers) receivedMessages(
	*api.Call, *tg.MessagesReceivedMessagesRequest,
) (*tg.ReceivedNotifyMessageVector, error) {
	return &tg.ReceivedNotifyMessageVector{}, nil
}

// updatePinnedMessage pins or unpins a message. Unless it is silent, or only for the caller, a
// service message tells of a new pin.
//
// https://core.telegram.org/method/messages.updatePinnedMessage
func (h *Handlers) updatePinnedMessage(
	c *api.Call, req *tg.MessagesUpdatePinnedMessageRequest,
) (tg.UpdatesClass, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	e, err := h.Message.Pin(c.Context, c.Self, peer, int64(req.ID), !req.Unpin, req.PmOneside)
	if err != nil {
		return nil, err
	}
	events := []store.Event{}
	if e.Count > 0 {
		events = append(events, e)
	}
	if !req.Unpin && !req.PmOneside && e.Count > 0 && peer != c.Self.Peer() {
		sent, err := h.Message.Announce(c.Context, c.Self, peer, message.Action{
			Kind: message.PinMessage,
		}, message.Announcement{ReplyTo: int64(req.ID), Silent: req.Silent})
		if err != nil {
			return nil, err
		}
		events = append(events, sent.Event)
	}
	return h.Updates(c, nil, events...)
}

// unpinAllMessages unpins all messages of a chat.
//
// https://core.telegram.org/method/messages.unpinAllMessages
func (h *Handlers) unpinAllMessages(
	c *api.Call, req *tg.MessagesUnpinAllMessagesRequest,
) (*tg.MessagesAffectedHistory, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	out, err := h.Message.UnpinAll(c.Context, c.Self, peer)
	return affectedHistory(out), err
}

// getUnreadMentions returns messages that call the caller and that he has not looked at.
//
// https://core.telegram.org/method/messages.getUnreadMentions
func (h *Handlers) getUnreadMentions(
	c *api.Call, req *tg.MessagesGetUnreadMentionsRequest,
) (out tg.MessagesMessagesClass, err error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		if _, err := message.See(r, c.Self, peer, c.Unix()); err != nil {
			return err
		}
		below := int64(1<<31 - 1)
		if req.MaxID > 0 {
			below = int64(req.MaxID)
		}
		list, err := r.Mentions(c.Self, peer, below, min(max(req.Limit, 1), limit.HistoryPage))
		if err != nil {
			return err
		}
		var rows []store.Message
		for _, id := range list {
			m, err := message.Get(r, c.Self, peer, id)
			if err == nil {
				rows = append(rows, m)
			}
		}
		d, err := r.DialogOrNew(c.Self, peer)
		if err != nil {
			return err
		}
		b, err := r.Box(message.BoxOf(c.Self, peer))
		out = found(v, peer, rows, int(d.Mentions), b.Pts)
		return err
	})
	return out, err
}

// readMentions marks all mentions in a chat as seen.
//
// https://core.telegram.org/method/messages.readMentions
func (h *Handlers) readMentions(
	c *api.Call, req *tg.MessagesReadMentionsRequest,
) (*tg.MessagesAffectedHistory, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	out, err := h.Message.ReadMentions(c.Context, c.Self, peer)
	return affectedHistory(out), err
}
