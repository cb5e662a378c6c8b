package messages

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/message"
	"parley/internal/chat/rights"
	"parley/internal/ids"
	"parley/internal/store"
)

// setTyping tells the others of a chat what the caller is doing. It is kept nowhere.
//
// https://core.telegram.org/method/messages.setTyping
func (h *Handlers) setTyping(
	c *api.Call, req *tg.MessagesSetTypingRequest,
) (*tg.BoolBox, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	var to []ids.UserID
	err = h.View(c, func(r *store.Reader, _ *view.View) error {
		a, err := message.See(r, c.Self, peer, c.Unix())
		if err != nil {
			return err
		}
		if peer.Kind() == ids.User {
			blocked, err := r.Blocked(peer.User(), c.Self.Peer())
			if !blocked {
				to = []ids.UserID{peer.User()}
			}
			return err
		}
		if !rights.CanPost(a.Chat, a.Member, c.Unix()) {
			return chat.ErrWriteForbidden
		}
		to, err = h.audience(r, peer)
		return err
	})
	if err != nil {
		return nil, err
	}
	body, err := view.Encode(&tg.UpdateShort{
		Update: typing(c.Self, peer, req.Action), Date: int(c.Unix()),
	})
	if err != nil {
		return nil, err
	}
	others := to[:0]
	for _, id := range to {
		if id != c.Self {
			others = append(others, id)
		}
	}
	h.Tell(body, others...)
	return view.True, nil
}

// audience is who may be looking at a chat right now.
func (h *Handlers) audience(r *store.Reader, peer ids.Peer) ([]ids.UserID, error) {
	if peer.Kind() == ids.Channel {
		return h.Subscribers(peer), nil
	}
	members, err := r.Members(peer, store.Participant, store.Creator, 1000, 0)
	var out []ids.UserID
	for _, m := range members {
		out = append(out, m.User)
	}
	return out, err
}

func typing(self ids.UserID, peer ids.Peer, action tg.SendMessageActionClass) tg.UpdateClass {
	switch peer.Kind() {
	case ids.Chat:
		return &tg.UpdateChatUserTyping{
			ChatID: int64(peer.Chat()), FromID: &tg.PeerUser{UserID: int64(self)}, Action: action,
		}
	case ids.Channel:
		u := &tg.UpdateChannelUserTyping{
			ChannelID: int64(peer.Channel()), FromID: &tg.PeerUser{UserID: int64(self)},
			Action: action,
		}
		u.SetFlags()
		return u
	default:
		u := &tg.UpdateUserTyping{UserID: int64(self), Action: action}
		u.SetFlags()
		return u
	}
}
