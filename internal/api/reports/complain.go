package reports

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/chat"
	"parley/internal/chat/account"
)

// callback answers the button of a message. Only the service account's messages have any.
//
// https://core.telegram.org/method/messages.getBotCallbackAnswer
func (h *Handlers) callback(
	c *api.Call, req *tg.MessagesGetBotCallbackAnswerRequest,
) (*tg.MessagesBotCallbackAnswer, error) {
	peer, err := h.Peer(c, req.Peer)
	if err != nil {
		return nil, err
	}
	if peer != account.ServiceUser.Peer() {
		return nil, chat.Invalid("BOT_INVALID")
	}
	if req.Game || len(req.Data) == 0 {
		return nil, chat.Invalid("DATA_INVALID")
	}
	text, err := h.Press(c.Context, c.Self, int64(req.MsgID), req.Data)
	if err != nil {
		return nil, err
	}
	out := &tg.MessagesBotCallbackAnswer{Alert: true}
	out.SetMessage(text)
	return out, nil
}
