package view

import (
	"github.com/gotd/td/tg"

	"parley/internal/chat/box"
	"parley/internal/chat/secret"
	"parley/internal/store"
)

// secretUpdate renders what concerns one device of the viewer; nil for his others.
func (v *View) secretUpdate(kind box.Kind, entry box.Entry) tg.UpdateClass {
	if kind == box.SecretMessage {
		if entry.N != v.device {
			return nil
		}
		list, err := v.r.SecretMessages(v.viewer, v.device, entry.ID-1, 1)
		if v.fail(err) || len(list) == 0 || list[0].Qts != entry.ID {
			return nil
		}
		return &tg.UpdateNewEncryptedMessage{
			Message: v.SecretMessage(list[0]), Qts: int(entry.ID),
		}
	}
	c, err := v.r.SecretChat(v.viewer, entry.ID)
	if v.fail(err) {
		return nil
	}
	if kind == box.SecretRead {
		return v.SecretRead(c)
	}
	return v.SecretChanged(c)
}

// SecretChanged tells the viewer's device of a secret chat as it is now; nil when it is not told.
func (v *View) SecretChanged(c store.SecretChat) tg.UpdateClass {
	chat := v.SecretChat(c)
	if chat == nil {
		return nil
	}
	return &tg.UpdateEncryption{Chat: chat, Date: int(c.Changed)}
}

// SecretRead tells the viewer's device how far the other party of a secret chat has read; nil when
// that has said nothing.
func (v *View) SecretRead(c store.SecretChat) tg.UpdateClass {
	if c.KeyID != v.device || v.device == 0 || c.ReadMax == 0 || c.State != store.SecretReady {
		return nil
	}
	return &tg.UpdateEncryptedMessagesRead{
		ChatID: int(c.ID), MaxDate: int(c.ReadMax), Date: int(c.ReadDate),
	}
}

// SecretChat renders a secret chat for the viewer's device; nil when that knows nothing of it. A
// device that another one of the viewer was faster than, sees it as over.
//
// https://core.telegram.org/type/EncryptedChat
func (v *View) SecretChat(c store.SecretChat) tg.EncryptedChatClass {
	own := c.KeyID == v.device
	if v.device == 0 || c.Outgoing() && !own || c.KeyID == 0 && v.refuses() {
		return nil
	}
	id, hash := int(c.ID), v.env.SecretHash(int64(v.viewer), c.ID)
	admin, participant := c.Peer, c.User
	if c.Outgoing() {
		admin, participant = c.User, c.Peer
	}
	switch {
	case c.State == store.SecretWaiting:
		v.User(c.Peer)
		return &tg.EncryptedChatWaiting{
			ID: id, AccessHash: hash, Date: int(c.Date), AdminID: int64(admin),
			ParticipantID: int64(participant),
		}
	case c.State == store.SecretRequested:
		v.User(c.Peer)
		return &tg.EncryptedChatRequested{
			ID: id, AccessHash: hash, Date: int(c.Date), AdminID: int64(admin),
			ParticipantID: int64(participant), GA: c.GA,
		}
	case c.State == store.SecretReady && own:
		v.User(c.Peer)
		theirs := c.GA
		if c.Outgoing() {
			theirs = c.GB
		}
		return &tg.EncryptedChat{
			ID: id, AccessHash: hash, Date: int(c.Date), AdminID: int64(admin),
			ParticipantID: int64(participant), GAOrB: theirs, KeyFingerprint: c.Fingerprint,
		}
	}
	out := &tg.EncryptedChatDiscarded{
		ID: id, HistoryDeleted: own && c.Flags&store.SecretForgotten != 0,
	}
	out.SetFlags()
	return out
}

// refuses tells whether the viewer's device takes no secret chats.
func (v *View) refuses() bool {
	no, err := secret.Refuses(v.r, secret.Caller{User: v.viewer, Key: v.device})
	return v.fail(err) || no
}

// SecretMessage renders ciphertext that waits for the viewer's device.
//
// https://core.telegram.org/type/EncryptedMessage
func (v *View) SecretMessage(m store.SecretMessage) tg.EncryptedMessageClass {
	if m.Service {
		return &tg.EncryptedMessageService{
			RandomID: m.Random, ChatID: int(m.Chat), Date: int(m.Date), Bytes: m.Body,
		}
	}
	out := &tg.EncryptedMessage{
		RandomID: m.Random, ChatID: int(m.Chat), Date: int(m.Date), Bytes: m.Body,
		File: &tg.EncryptedFileEmpty{},
	}
	if m.File == 0 {
		return out
	}
	f, err := v.r.SecretFile(v.viewer, m.File, m.KeyID)
	if !v.fail(err) {
		out.File = v.SecretFile(f)
	}
	return out
}

// SecretFile renders an encrypted file.
//
// https://core.telegram.org/type/EncryptedFile
func (v *View) SecretFile(f store.SecretFile) tg.EncryptedFileClass {
	return &tg.EncryptedFile{
		ID: f.ID, AccessHash: v.env.SecretHash(int64(v.viewer), f.ID), Size: f.Size, DCID: v.env.DC,
		KeyFingerprint: int(f.Fingerprint),
	}
}
