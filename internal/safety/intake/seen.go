package intake

import (
	"parley/internal/chat"
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/store"
)

// SubjectOf returns the subject that an account means by a message that it sees in a peer's chat,
// or by the peer itself for id 0. What it does not see is refused as everywhere else; so are its
// own messages, and itself.
func SubjectOf(
	r *store.Reader, self ids.UserID, peer ids.Peer, id, now int64,
) (safety.Subject, error) {
	access, err := message.See(r, self, peer, now)
	if err != nil {
		return safety.Subject{}, err
	}
	if id == 0 {
		switch {
		case peer == self.Peer():
			return safety.Subject{}, chat.ErrPeerInvalid
		case peer.Kind() == ids.User:
			return safety.Subject{Peer: peer, Kind: safety.Account, Author: peer.User()}, nil
		}
		return safety.Subject{Peer: peer, Kind: safety.Chat, Author: access.Chat.Creator}, nil
	}
	m, err := message.Get(r, self, peer, id)
	if err != nil {
		return safety.Subject{}, err
	}
	ref := message.RefOf(m)
	s := safety.Subject{Peer: ref.Box, Kind: safety.Message, Item: ref.ID}
	switch {
	case m.From.Kind() == ids.User:
		s.Author = m.From.User()
	case peer.Kind() == ids.Channel:
		s.Author = access.Chat.Creator
	}
	if s.Author == self {
		return safety.Subject{}, chat.ErrMessageIDInvalid
	}
	return s, nil
}
