package enforce

import (
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
		err = reach.message(r, on)
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

// message adds what an order about a message would hit.
func (r *Reach) message(rd *store.Reader, on safety.Subject) error {
	own, boxes, err := rows(rd, on)
	if err != nil {
		return err
	}
	if own == nil {
		// Its author has deleted it for himself; it is in force where it is shown.
		shown, err := anyShown(rd, on, boxes)
		if shown {
			r.Messages, r.Copies = 1, int64(len(boxes))
		}
		return err
	}
	r.Messages, r.Copies = 1, int64(len(boxes))
	if own.Peer.Kind() == ids.User {
		return nil
	}
	c, err := rd.Chat(own.Peer)
	r.Members = c.Members
	return err
}
