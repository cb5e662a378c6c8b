package enforce

import (
	"errors"

	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/store"
)

// copies returns in whose boxes besides its own a message may have copies. When its author has
// deleted his own row, nothing of his says any more where it went: then those are found who have
// one, shown or taken away.
func copies(r *store.Reader, on safety.Subject) ([]ids.Peer, error) {
	m, err := r.Message(on.Peer, on.Item)
	if errors.Is(err, store.ErrNotFound) {
		m, err = r.Removed(on.Peer, on.Item)
	}
	switch {
	case err == nil:
		return message.Copies(r, m)
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	case on.Peer.Kind() != ids.User:
		return nil, nil
	}
	return r.CopyHolders(on.Peer, on.Item)
}
