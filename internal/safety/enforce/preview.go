package enforce

import (
	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/store"
)

// Reach is what an order would hit.
type Reach struct {
	// Accounts whose possibilities or content change; Messages, Photos and Reactions that are taken
	// away or withheld; Members of the chats concerned; Copies of private messages besides.
	Accounts, Messages, Photos, Reactions, Members, Copies int64
}

// Add sums two reaches.
func (r *Reach) Add(o Reach) {
	r.Accounts += o.Accounts
	r.Messages += o.Messages
	r.Photos += o.Photos
	r.Reactions += o.Reactions
	r.Members += o.Members
	r.Copies += o.Copies
}

// Preview says what an order would hit, without doing it. What is not there counts nothing.
func (s *Service) Preview(r *store.Reader, o Order) (reach Reach, err error) {
	on := o.Subject
	switch on.Kind {
	case safety.Account:
		if _, err = r.User(on.Peer.User()); err == nil {
			reach.Accounts = 1
		}
	case safety.Chat:
		var c store.Chat
		var b store.Box
		if c, err = r.Chat(on.Peer); err == nil {
			reach.Members = c.Members
			b, err = r.Box(on.Peer)
			reach.Messages = b.Messages
		}
	case safety.Message:
		var m store.Message
		var copies []ids.Peer
		if m, err = r.Message(on.Peer, on.Item); err == nil {
			reach.Messages = 1
			copies, err = message.Copies(r, m)
			reach.Copies = int64(len(copies))
		}
		if err == nil && m.Peer.Kind() != ids.User {
			var c store.Chat
			c, err = r.Chat(m.Peer)
			reach.Members = c.Members
		}
	case safety.Photo:
		var has bool
		if has, err = r.HasProfilePhoto(on.Peer, on.Item); has {
			reach.Photos = 1
		}
	case safety.Reaction:
		var list []string
		list, err = r.ReactionsOf(on.Peer, on.Item, on.Author)
		reach.Reactions = int64(len(list))
	}
	if store.IsNotFound(err) {
		err = nil
	}
	return reach, err
}
