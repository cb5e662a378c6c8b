// Package secret answers the methods of secret chats, which stand in messages.*: it checks
// addresses and translates between the API's objects and chat/secret. It never sees what is in a
// message.
//
// https://core.telegram.org/api/end-to-end
package secret

import (
	"github.com/gotd/td/tg"

	"parley/internal/api"
	"parley/internal/api/desk"
	"parley/internal/api/view"
	"parley/internal/chat"
	"parley/internal/chat/media"
	"parley/internal/chat/secret"
	"parley/internal/ids"
	"parley/internal/store"
)

// Handlers answer the methods of secret chats.
type Handlers struct {
	desk.Desk
	Secret *secret.Service
	// Tell pushes an update that is kept nowhere to the live sessions of one device of a user.
	Tell func(body []byte, user ids.UserID, key int64)
}

// Methods are the rows.
func (h *Handlers) Methods() []api.Method {
	return []api.Method{
		api.On(api.User, api.Read, h.getDhConfig),
		api.On(api.User, api.Send, h.requestEncryption),
		api.On(api.User, api.Write, h.acceptEncryption),
		api.On(api.User, api.Write, h.discardEncryption).WhenFrozen(true),
		api.On(api.User, api.Send, h.sendEncrypted),
		api.On(api.User, api.Send, h.sendEncryptedFile),
		api.On(api.User, api.Send, h.sendEncryptedService),
		api.On(api.User, api.Write, h.uploadEncryptedFile),
		api.On(api.User, api.Write, h.readEncryptedHistory).WhenFrozen(true),
		api.On(api.User, api.Read, h.setEncryptedTyping).WhenFrozen(false),
		api.On(api.User, api.Write, h.receivedQueue).WhenFrozen(true),
	}
}

func caller(c *api.Call) secret.Caller {
	return secret.Caller{User: c.Self, Key: c.Key.ID}
}

// chat checks the address of a secret chat.
func (h *Handlers) chat(c *api.Call, in tg.InputEncryptedChat) (int64, error) {
	id := int64(in.ChatID)
	if in.AccessHash != h.Env.SecretHash(int64(c.Self), id) {
		return 0, chat.ErrChatInvalid
	}
	return id, nil
}

// getDhConfig returns the group of the key exchange.
//
// https://core.telegram.org/method/messages.getDhConfig
func (h *Handlers) getDhConfig(
	_ *api.Call, req *tg.MessagesGetDhConfigRequest,
) (tg.MessagesDhConfigClass, error) {
	d, err := h.Secret.Config(req.Version, req.RandomLength)
	if err != nil {
		return nil, err
	}
	if d.Prime == nil {
		return &tg.MessagesDhConfigNotModified{Random: d.Random}, nil
	}
	return &tg.MessagesDhConfig{G: d.G, P: d.Prime, Version: d.Version, Random: d.Random}, nil
}

// requestEncryption asks somebody for a secret chat.
//
// https://core.telegram.org/method/messages.requestEncryption
func (h *Handlers) requestEncryption(
	c *api.Call, req *tg.MessagesRequestEncryptionRequest,
) (tg.EncryptedChatClass, error) {
	peer, err := h.User(c, req.UserID)
	if err != nil {
		return nil, err
	}
	row, err := h.Secret.Request(c.Context, caller(c), peer, int64(req.RandomID), req.GA)
	if err != nil {
		return nil, err
	}
	return h.render(c, row)
}

// acceptEncryption takes a request on the caller's device.
//
// https://core.telegram.org/method/messages.acceptEncryption
func (h *Handlers) acceptEncryption(
	c *api.Call, req *tg.MessagesAcceptEncryptionRequest,
) (tg.EncryptedChatClass, error) {
	id, err := h.chat(c, req.Peer)
	if err != nil {
		return nil, err
	}
	row, err := h.Secret.Accept(c.Context, caller(c), id, req.GB, req.KeyFingerprint)
	if err != nil {
		return nil, err
	}
	return h.render(c, row)
}

func (h *Handlers) render(
	c *api.Call, row store.SecretChat,
) (out tg.EncryptedChatClass, err error) {
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		out = v.On(c.Key.ID).SecretChat(row)
		return nil
	})
	if err == nil && out == nil {
		err = chat.ErrChatInvalid
	}
	return out, err
}

// discardEncryption ends a secret chat.
//
// https://core.telegram.org/method/messages.discardEncryption
func (h *Handlers) discardEncryption(
	c *api.Call, req *tg.MessagesDiscardEncryptionRequest,
) (*tg.BoolBox, error) {
	err := h.Secret.Discard(c.Context, caller(c), int64(req.ChatID), req.DeleteHistory)
	if err != nil {
		return nil, err
	}
	return view.True, nil
}

// sendEncrypted sends ciphertext. Silent is a wish about notifications, of which the server sends
// none for secret chats.
//
// https://core.telegram.org/method/messages.sendEncrypted
func (h *Handlers) sendEncrypted(
	c *api.Call, req *tg.MessagesSendEncryptedRequest,
) (tg.MessagesSentEncryptedMessageClass, error) {
	return h.send(c, req.Peer, secret.Outgoing{Random: req.RandomID, Data: req.Data})
}

// sendEncryptedService sends ciphertext that people do not see.
//
// https://core.telegram.org/method/messages.sendEncryptedService
func (h *Handlers) sendEncryptedService(
	c *api.Call, req *tg.MessagesSendEncryptedServiceRequest,
) (tg.MessagesSentEncryptedMessageClass, error) {
	return h.send(c, req.Peer, secret.Outgoing{
		Random: req.RandomID, Data: req.Data, Service: true,
	})
}

// sendEncryptedFile sends ciphertext with an encrypted file.
//
// https://core.telegram.org/method/messages.sendEncryptedFile
func (h *Handlers) sendEncryptedFile(
	c *api.Call, req *tg.MessagesSendEncryptedFileRequest,
) (tg.MessagesSentEncryptedMessageClass, error) {
	in, err := h.input(c, req.File)
	if err != nil {
		return nil, err
	}
	return h.send(c, req.Peer, secret.Outgoing{
		Random: req.RandomID, Data: req.Data, File: in,
	})
}

func (h *Handlers) send(
	c *api.Call, peer tg.InputEncryptedChat, o secret.Outgoing,
) (out tg.MessagesSentEncryptedMessageClass, err error) {
	if o.Chat, err = h.chat(c, peer); err != nil {
		return nil, err
	}
	sent, err := h.Secret.Send(c.Context, caller(c), o)
	if err != nil {
		return nil, err
	}
	if sent.File == nil {
		return &tg.MessagesSentEncryptedMessage{Date: int(sent.Date)}, nil
	}
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		out = &tg.MessagesSentEncryptedFile{
			Date: int(sent.Date), File: v.SecretFile(*sent.File),
		}
		return nil
	})
	return out, err
}

// input is the file that a client names; nil for none.
func (h *Handlers) input(c *api.Call, in tg.InputEncryptedFileClass) (*secret.Input, error) {
	switch f := in.(type) {
	case *tg.InputEncryptedFileEmpty:
		return nil, nil
	case *tg.InputEncryptedFileUploaded:
		return &secret.Input{
			Input:       media.Input{FileID: f.ID, Parts: f.Parts, MD5: f.MD5Checksum},
			Fingerprint: int64(f.KeyFingerprint),
		}, nil
	case *tg.InputEncryptedFileBigUploaded:
		return &secret.Input{
			Input:       media.Input{FileID: f.ID, Parts: f.Parts},
			Fingerprint: int64(f.KeyFingerprint),
		}, nil
	case *tg.InputEncryptedFile:
		if f.ID != 0 && f.AccessHash == h.Env.SecretHash(int64(c.Self), f.ID) {
			return &secret.Input{ID: f.ID}, nil
		}
	}
	return nil, chat.Invalid("FILE_ID_INVALID")
}

// uploadEncryptedFile keeps an encrypted file before it is sent.
//
// https://core.telegram.org/method/messages.uploadEncryptedFile
func (h *Handlers) uploadEncryptedFile(
	c *api.Call, req *tg.MessagesUploadEncryptedFileRequest,
) (out tg.EncryptedFileClass, err error) {
	id, err := h.chat(c, req.Peer)
	if err != nil {
		return nil, err
	}
	in, err := h.input(c, req.File)
	if err != nil {
		return nil, err
	}
	if in == nil {
		return &tg.EncryptedFileEmpty{}, nil
	}
	f, err := h.Secret.Upload(c.Context, caller(c), id, *in)
	if err != nil {
		return nil, err
	}
	err = h.View(c, func(_ *store.Reader, v *view.View) error {
		out = v.SecretFile(f)
		return nil
	})
	return out, err
}

// readEncryptedHistory tells the other party how far the caller has read.
//
// https://core.telegram.org/method/messages.readEncryptedHistory
func (h *Handlers) readEncryptedHistory(
	c *api.Call, req *tg.MessagesReadEncryptedHistoryRequest,
) (*tg.BoolBox, error) {
	id, err := h.chat(c, req.Peer)
	if err == nil {
		err = h.Secret.Read(c.Context, caller(c), id, int64(req.MaxDate))
	}
	if err != nil {
		return nil, err
	}
	return view.True, nil
}

// setEncryptedTyping tells the other party that the caller is typing. It is kept nowhere; that he
// stopped is told by silence.
//
// https://core.telegram.org/method/messages.setEncryptedTyping
func (h *Handlers) setEncryptedTyping(
	c *api.Call, req *tg.MessagesSetEncryptedTypingRequest,
) (*tg.BoolBox, error) {
	id, err := h.chat(c, req.Peer)
	if err != nil {
		return nil, err
	}
	peer, key, err := h.Secret.Typing(c.Context, caller(c), id)
	if err != nil {
		return nil, err
	}
	if key == 0 || !req.Typing {
		return view.True, nil
	}
	body, err := view.Encode(&tg.UpdateShort{
		Update: &tg.UpdateEncryptedChatTyping{ChatID: int(id)}, Date: int(c.Unix()),
	})
	if err != nil {
		return nil, err
	}
	h.Tell(body, peer, key)
	return view.True, nil
}

// receivedQueue says what the caller's device has.
//
// https://core.telegram.org/method/messages.receivedQueue
func (h *Handlers) receivedQueue(
	c *api.Call, req *tg.MessagesReceivedQueueRequest,
) (*tg.LongVector, error) {
	randoms, err := h.Secret.Received(c.Context, caller(c), int64(req.MaxQts))
	return &tg.LongVector{Elems: randoms}, err
}
