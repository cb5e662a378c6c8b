package reports

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/ids"
	"parley/internal/safety/evidence"
	"parley/internal/store"
)

// reportEncryptedSpam reports the other person of a secret chat. Nobody but the two has what was
// written there, so the report is about the account, and its evidence says why it holds no message.
// The chat goes on: clients end it if their user wants that.
//
// https://core.telegram.org/method/messages.reportEncryptedSpam
func (h *Handlers) reportEncryptedSpam(
	c *api.Call, req *tg.MessagesReportEncryptedSpamRequest,
) (*tg.BoolBox, error) {
	id := int64(req.Peer.ChatID)
	if req.Peer.AccessHash != h.Env.SecretHash(int64(c.Self), id) {
		return nil, chat.ErrChatInvalid
	}
	var row store.SecretChat
	err := h.Store.View(c.Context, func(r *store.Reader) (err error) {
		row, err = r.SecretChat(c.Self, id)
		if store.IsNotFound(err) || err == nil && row.KeyID != 0 && row.KeyID != c.Key.ID {
			err = chat.ErrChatInvalid
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	subjects, err := h.subjects(c, ids.PeerUser(row.Peer), nil)
	if err != nil {
		return nil, err
	}
	o, err := h.Intake.Menu.Find(spam)
	if err != nil {
		return nil, chat.Invalid("OPTION_INVALID")
	}
	return view.True, h.store(c, subjects, o, "", &evidence.SecretChat{
		ByAuthor: !row.Outgoing(), Accepted: row.State == store.SecretReady,
	})
}
