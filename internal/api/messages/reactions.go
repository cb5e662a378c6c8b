package messages

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/message"
	"parley/internal/limit"
	"parley/internal/store"
)

// sendReaction sets the caller's reactions to a message.
//
// https://core.telegram.org/method/messages.sendReaction
func (h *Handlers) sendReaction(
	c *api.Call, req *tg.MessagesSendReactionRequest,
) (tg.UpdatesClass, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, r := range req.Reaction {
		if _, none := r.(*tg.ReactionEmpty); none {
			continue
		}
		s := view.StoredReaction(r)
		if e, ok := r.(*tg.ReactionEmoji); s == "" || ok && !emoji(e.Emoticon) {
			return nil, chat.Invalid("REACTION_INVALID")
		}
		list = append(list, s)
	}
	e, err := h.Message.React(c.Context, c.Self, peer, int64(req.MsgID), list)
	if err != nil {
		return nil, err
	}
	return h.Updates(c, nil, e)
}

// reactionBytes is the length of the longest emoji sequence that is taken as a reaction.
const reactionBytes = 64

// emoji tells whether a text may be one emoji: symbols, what joins them and the signs of keycaps,
// but no words.
func emoji(s string) bool {
	symbols := 0
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.So, unicode.Sm, unicode.Me), r >= 0x1F000 && r < 0x1FB00:
			symbols++
		case unicode.In(r, unicode.Sk, unicode.Mn, unicode.Cf),
			strings.ContainsRune("0123456789#*", r):
		default:
			return false
		}
	}
	return symbols > 0 && len(s) <= reactionBytes
}

// getMessagesReactions returns the reactions to messages as updates.
//
// https://core.telegram.org/method/messages.getMessagesReactions
func (h *Handlers) getMessagesReactions(
	c *api.Call, req *tg.MessagesGetMessagesReactionsRequest,
) (out tg.UpdatesClass, err error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	if len(req.ID) > limit.HistoryPage {
		return nil, chat.Invalid("LIMIT_INVALID")
	}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		if _, err := message.See(r, c.Self, peer, c.Unix()); err != nil {
			return err
		}
		var list []tg.UpdateClass
		for _, id := range req.ID {
			m, err := message.Get(r, c.Self, peer, int64(id))
			if err != nil {
				continue
			}
			var reactions tg.MessageReactions
			if !v.Verdict(m).Hidden() {
				reactions, _ = v.Reactions(m)
			}
			list = append(list, &tg.UpdateMessageReactions{
				Peer: v.Peer(peer), MsgID: id, Reactions: reactions,
			})
		}
		out = v.Updates(list)
		return nil
	})
	return out, err
}

// getMessageReactionsList returns who reacted how to a message.
//
// https://core.telegram.org/method/messages.getMessageReactionsList
func (h *Handlers) getMessageReactionsList(
	c *api.Call, req *tg.MessagesGetMessageReactionsListRequest,
) (*tg.MessagesMessageReactionsList, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	from := 0
	if req.Offset != "" {
		if from, err = strconv.Atoi(req.Offset); err != nil || from < 0 {
			return nil, chat.Invalid("OFFSET_INVALID")
		}
	}
	out := &tg.MessagesMessageReactionsList{}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		if _, err := message.See(r, c.Self, peer, c.Unix()); err != nil {
			return err
		}
		m, err := message.Get(r, c.Self, peer, int64(req.ID))
		if err != nil {
			return err
		}
		if v.Verdict(m).Hidden() {
			return chat.ErrMessageIDInvalid
		}
		if m.Flags.Has(store.Post) {
			return chat.Forbidden("BROADCAST_FORBIDDEN")
		}
		all, err := r.Reactions(m.Box, m.ID)
		if err != nil {
			return err
		}
		var want string
		if req.Reaction != nil {
			want = view.StoredReaction(req.Reaction)
		}
		var list []store.Reaction
		for _, x := range all {
			if want == "" || x.Reaction == want {
				list = append(list, x)
			}
		}
		out.Count = len(list)
		end := min(from+min(max(req.Limit, 1), limit.HistoryPage), len(list))
		for i := min(from, len(list)); i < end; i++ {
			out.Reactions = append(out.Reactions, v.PeerReaction(list[i]))
		}
		if end < len(list) {
			out.SetNextOffset(strconv.Itoa(end))
		}
		out.Users, out.Chats = v.Users(), v.Chats()
		return nil
	})
	return out, err
}
