package messages

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/contact"
	"parley/internal/chat/markup"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// sendMessage sends a text.
//
// https://core.telegram.org/method/messages.sendMessage
func (h *Handlers) sendMessage(
	c *api.Call, req *tg.MessagesSendMessageRequest,
) (tg.UpdatesClass, error) {
	o, err := h.outgoing(c, req.Peer, req.ReplyTo, req.SendAs)
	if err != nil {
		return nil, err
	}
	if req.ScheduleDate != 0 {
		return nil, chat.Invalid("SCHEDULE_DATE_INVALID")
	}
	o.Random, o.Silent, o.Protected = req.RandomID, req.Silent, req.Noforwards
	o.ClearDraft = req.ClearDraft
	text, entities, err := h.text(c, req.Message, req.Entities, limit.MessageRunes)
	if err != nil {
		return nil, err
	}
	if text == "" {
		return nil, chat.Invalid("MESSAGE_EMPTY")
	}
	o.Content.Text, o.Content.Entities = text, entities
	sent, err := h.send(c, o)
	if err != nil {
		return nil, err
	}
	return h.sent(c, sent)
}

// sendMedia sends a medium with a caption.
//
// https://core.telegram.org/method/messages.sendMedia
func (h *Handlers) sendMedia(
	c *api.Call, req *tg.MessagesSendMediaRequest,
) (tg.UpdatesClass, error) {
	o, err := h.outgoing(c, req.Peer, req.ReplyTo, req.SendAs)
	if err != nil {
		return nil, err
	}
	if req.ScheduleDate != 0 {
		return nil, chat.Invalid("SCHEDULE_DATE_INVALID")
	}
	o.Random, o.Silent, o.Protected = req.RandomID, req.Silent, req.Noforwards
	o.ClearDraft = req.ClearDraft
	o.Content.MediaOnTop = req.InvertMedia
	o.Content.Text, o.Content.Entities, err = h.text(c, req.Message, req.Entities,
		limit.CaptionRunes)
	if err != nil {
		return nil, err
	}
	sent, err := h.medium(c, &o, req.Media)
	if err == nil && !sent.Again {
		sent, err = h.send(c, o)
	}
	if err != nil {
		return nil, err
	}
	return h.sent(c, sent)
}

// medium sets the medium of a message. When it cannot be had any more, because the parts or the
// reference of its file are no longer good, and the message was sent before, it returns that one.
func (h *Handlers) medium(
	c *api.Call, o *message.Outgoing, in tg.InputMediaClass,
) (again message.Sent, err error) {
	o.Content.Media, err = h.Media(c, in)
	var refusal chat.Refusal
	if errors.As(err, &refusal) {
		before, ferr := h.Message.SentBefore(c.Context, o.From, o.To, o.Random)
		if ferr == nil {
			return before, nil
		}
	}
	return message.Sent{}, err
}

// albumMost is how many media an album may hold.
const albumMost = 10

// sendMultiMedia sends an album: several messages that belong together.
//
// https://core.telegram.org/method/messages.sendMultiMedia
func (h *Handlers) sendMultiMedia(
	c *api.Call, req *tg.MessagesSendMultiMediaRequest,
) (tg.UpdatesClass, error) {
	if n := len(req.MultiMedia); n == 0 || n > albumMost {
		return nil, chat.Invalid("MULTI_MEDIA_TOO_LONG")
	}
	base, err := h.outgoing(c, req.Peer, req.ReplyTo, req.SendAs)
	if err != nil {
		return nil, err
	}
	if req.ScheduleDate != 0 {
		return nil, chat.Invalid("SCHEDULE_DATE_INVALID")
	}
	base.Silent, base.Protected, base.ClearDraft = req.Silent, req.Noforwards, req.ClearDraft
	base.Grouped = req.MultiMedia[0].RandomID
	list := make([]message.Outgoing, len(req.MultiMedia))
	sent := make([]message.Sent, len(req.MultiMedia))
	for i, m := range req.MultiMedia {
		o := base
		o.Random = m.RandomID
		o.Content.MediaOnTop = req.InvertMedia
		o.Content.Text, o.Content.Entities, err = h.text(c, m.Message, m.Entities,
			limit.CaptionRunes)
		if err != nil {
			return nil, err
		}
		if sent[i], err = h.medium(c, &o, m.Media); err != nil {
			return nil, err
		}
		list[i] = o
	}
	for i, o := range list {
		if sent[i].Again {
			continue
		}
		if sent[i], err = h.send(c, o); err != nil {
			return nil, err
		}
	}
	return h.sent(c, sent...)
}

// forwardMessages sends messages on.
//
// https://core.telegram.org/method/messages.forwardMessages
func (h *Handlers) forwardMessages(
	c *api.Call, req *tg.MessagesForwardMessagesRequest,
) (tg.UpdatesClass, error) {
	from, err := h.Peer(c, req.FromPeer)
	if err != nil {
		return nil, err
	}
	o, err := h.outgoing(c, req.ToPeer, nil, req.SendAs)
	if err != nil {
		return nil, err
	}
	if req.ScheduleDate != 0 {
		return nil, chat.Invalid("SCHEDULE_DATE_INVALID")
	}
	if n := len(req.ID); n == 0 || n > limit.ForwardBatch {
		return nil, chat.Invalid("MESSAGE_IDS_EMPTY")
	}
	sent, err := h.Message.Forward(c.Context, message.Forwarding{
		User: c.Self, From: from, To: o.To, IDs: longs(req.ID), Random: req.RandomID,
		Silent: req.Silent, DropAuthor: req.DropAuthor, DropCaption: req.DropMediaCaptions,
		Protected: req.Noforwards, AsChat: o.AsChat,
	}, h.linkable)
	if err != nil && len(sent) == 0 {
		return nil, err
	}
	return h.sent(c, sent...)
}

// linkable asks the author's privacy whether a forward may lead to him.
func (h *Handlers) linkable(r *store.Reader, viewer, author ids.UserID) (bool, error) {
	return contact.Allows(r, viewer, author, contact.Forwards)
}

// outgoing resolves whom a message goes to, what it answers and in whose name it is sent.
func (h *Handlers) outgoing(
	c *api.Call, to tg.InputPeerClass, reply tg.InputReplyToClass, as tg.InputPeerClass,
) (message.Outgoing, error) {
	o := message.Outgoing{From: c.Self, Visible: h.linkable}
	var err error
	if o.To, err = h.Peer(c, to); err != nil {
		return o, err
	}
	if as != nil {
		peer, err := h.Peer(c, as)
		if err != nil {
			return o, chat.Invalid("SEND_AS_PEER_INVALID")
		}
		switch peer {
		case c.Self.Peer():
		case o.To:
			o.AsChat = true
		default:
			return o, chat.Invalid("SEND_AS_PEER_INVALID")
		}
	}
	switch r := reply.(type) {
	case nil:
	case *tg.InputReplyToMessage:
		o.ReplyTo = int64(r.ReplyToMsgID)
		rep := &message.Reply{Top: int64(r.TopMsgID)}
		if r.QuoteText != "" {
			rep.Quote, rep.QuoteEntities, err = h.text(c, r.QuoteText, r.QuoteEntities,
				limit.MessageRunes)
			if err != nil {
				return o, chat.Invalid("QUOTE_TEXT_INVALID")
			}
			rep.QuoteOffset = r.QuoteOffset
		}
		o.Content.Reply = rep
		if r.ReplyToPeerID != nil {
			if o.ReplyPeer, err = h.Peer(c, r.ReplyToPeerID); err != nil {
				return o, err
			}
		}
	default:
		return o, chat.Invalid("REPLY_TO_INVALID")
	}
	return o, nil
}

// text checks a text with its markup and finds what marks itself up.
func (h *Handlers) text(
	c *api.Call, text string, in []tg.MessageEntityClass, most int,
) (string, []message.Entity, error) {
	if !utf8.ValidString(text) {
		return "", nil, chat.Invalid("MESSAGE_EMPTY")
	}
	list, err := h.entities(c, in)
	if err != nil {
		return "", nil, err
	}
	out, entities, err := markup.Fix(text, list)
	if err != nil {
		return "", nil, err
	}
	if markup.Length(out) > most {
		if most == limit.CaptionRunes {
			return "", nil, chat.Invalid("MEDIA_CAPTION_TOO_LONG")
		}
		return "", nil, chat.Invalid("MESSAGE_TOO_LONG")
	}
	return out, entities, nil
}

// send sends one message in the caller's name.
func (h *Handlers) send(c *api.Call, o message.Outgoing) (message.Sent, error) {
	if h.Shown != nil && o.Content.Text != "" {
		if err := h.Shown(c.Context, c.Self, o.Content.Text); err != nil {
			return message.Sent{}, err
		}
	}
	mentions, err := h.called(c.Context, o)
	if err != nil {
		return message.Sent{}, err
	}
	o.Mentions = mentions
	return h.Message.Send(c.Context, o)
}

// called finds whom the usernames in a message mean.
func (h *Handlers) called(ctx context.Context, o message.Outgoing) (out []ids.UserID, err error) {
	if o.To.Kind() == ids.User {
		return nil, nil
	}
	names := markup.Mentions(o.Content.Text, o.Content.Entities)
	if len(names) == 0 {
		return nil, nil
	}
	err = h.Store.View(ctx, func(r *store.Reader) error {
		out = out[:0]
		for _, name := range names {
			peer, err := r.PeerByUsername(strings.ToLower(name))
			if errors.Is(err, store.ErrNotFound) || err == nil && peer.Kind() != ids.User {
				continue
			}
			if err != nil {
				return err
			}
			out = append(out, peer.User())
		}
		return nil
	})
	return out, err
}

// sent answers a send: which random_id became which message, and the messages.
func (h *Handlers) sent(
	c *api.Call, list ...message.Sent,
) (out tg.UpdatesClass, err error) {
	first := make([]tg.UpdateClass, 0, len(list))
	for _, s := range list {
		first = append(first, &tg.UpdateMessageID{
			ID: int(s.Message.ID), RandomID: s.Message.Nonce,
		})
	}
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		var events []store.Event
		for _, s := range list {
			if s.Again {
				first = append(first, again(v, s))
			} else {
				events = append(events, s.Event)
			}
		}
		out = v.Updates(first, events...)
		return nil
	})
	return out, err
}

// again tells of a message that had been sent before, with a pts that moves nothing.
func again(v *view.View, s message.Sent) tg.UpdateClass {
	m := v.Message(s.Message)
	if s.Message.Box.Kind() == ids.Channel {
		return &tg.UpdateNewChannelMessage{Message: m, Pts: int(s.Event.Pts)}
	}
	return &tg.UpdateNewMessage{Message: m, Pts: int(s.Event.Pts)}
}

// entities translates the markup that a client sends. A mention by a bare user id proves nothing
// and is left out: whoever reads it would be given the address of somebody that the sender has not
// met.
func (h *Handlers) entities(c *api.Call, in []tg.MessageEntityClass) ([]message.Entity, error) {
	if len(in) > limit.Entities {
		in = in[:limit.Entities]
	}
	out := make([]message.Entity, 0, len(in))
	for _, e := range in {
		x := message.Entity{Offset: e.GetOffset(), Length: e.GetLength()}
		switch e := e.(type) {
		case *tg.MessageEntityMention:
			x.Kind = message.Mention
		case *tg.MessageEntityHashtag:
			x.Kind = message.Hashtag
		case *tg.MessageEntityBotCommand:
			x.Kind = message.BotCommand
		case *tg.MessageEntityURL:
			x.Kind = message.URL
		case *tg.MessageEntityEmail:
			x.Kind = message.Email
		case *tg.MessageEntityBold:
			x.Kind = message.Bold
		case *tg.MessageEntityItalic:
			x.Kind = message.Italic
		case *tg.MessageEntityCode:
			x.Kind = message.Code
		case *tg.MessageEntityPre:
			x.Kind, x.Text = message.Pre, e.Language
		case *tg.MessageEntityTextURL:
			x.Kind, x.Text = message.TextURL, e.URL
		case *tg.InputMessageEntityMentionName:
			user, err := h.User(c, e.UserID)
			if err != nil {
				return nil, err
			}
			x.Kind, x.ID = message.MentionName, int64(user)
		case *tg.MessageEntityPhone:
			x.Kind = message.Phone
		case *tg.MessageEntityCashtag:
			x.Kind = message.Cashtag
		case *tg.MessageEntityUnderline:
			x.Kind = message.Underline
		case *tg.MessageEntityStrike:
			x.Kind = message.Strike
		case *tg.MessageEntityBankCard:
			x.Kind = message.BankCard
		case *tg.MessageEntitySpoiler:
			x.Kind = message.Spoiler
		case *tg.MessageEntityCustomEmoji:
			x.Kind, x.ID = message.CustomEmoji, e.DocumentID
		case *tg.MessageEntityBlockquote:
			x.Kind, x.Collapsed = message.Blockquote, e.Collapsed
		default:
			continue
		}
		out = append(out, x)
	}
	return out, nil
}
