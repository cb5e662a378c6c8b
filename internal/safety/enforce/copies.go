package enforce

import (
	"errors"

	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/store"
)

// rows returns a message's own row, nil when it is not shown, and in whose boxes besides its own it
// may have copies. When its author has deleted his own row, nothing of his says any more where it
// went: then those are found who have one, shown or taken away.
func rows(r *store.Reader, on safety.Subject) (own *store.Message, boxes []ids.Peer, err error) {
	m, err := r.Message(on.Peer, on.Item)
	if err == nil {
		own = &m
	}
	if errors.Is(err, store.ErrNotFound) {
		m, err = r.Removed(on.Peer, on.Item)
	}
	switch {
	case err == nil:
		boxes, err = message.Copies(r, m)
	case !errors.Is(err, store.ErrNotFound):
	case on.Peer.Kind() != ids.User:
		err = nil
	default:
		boxes, err = r.CopyHolders(on.Peer, on.Item)
	}
	return own, boxes, err
}
