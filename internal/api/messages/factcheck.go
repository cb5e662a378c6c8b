package messages

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/message"
	"parley/internal/limit"
	"parley/internal/store"
)

// getFactCheck returns what readers are told of messages, in the order asked for; of those that
// have nothing, or are not there, with a hash of 0.
//
// https://core.telegram.org/method/messages.getFactCheck
func (h *Handlers) getFactCheck(
	c *api.Call, req *tg.MessagesGetFactCheckRequest,
) (*tg.FactCheckVector, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	if len(req.MsgID) > limit.HistoryPage {
		return nil, chat.Invalid("LIMIT_INVALID")
	}
	out := &tg.FactCheckVector{Elems: make([]tg.FactCheck, len(req.MsgID))}
	err = h.View(c, func(r *store.Reader, v *view.View) error {
		if _, err := message.See(r, c.Self, peer, c.Unix()); err != nil {
			return err
		}
		for i, id := range req.MsgID {
			if m, err := message.Get(r, c.Self, peer, int64(id)); err == nil {
				out.Elems[i] = v.FactCheck(m)
			}
		}
		return nil
	})
	return out, err
}
