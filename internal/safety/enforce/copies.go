package enforce

import (
	"errors"

	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/store"
)

// copies returns in whose boxes besides its own a message may have copies. When its author has
// deleted his own row, nothing says any more where it went, and those with whom he has a chat are
// asked whether they have one, shown or taken away.
func copies(r *store.Reader, on safety.Subject) ([]ids.Peer, error) {
	m, err := r.Message(on.Peer, on.Item)
	if errors.Is(err, store.ErrNotFound) {
		m, err = r.Removed(on.Peer, on.Item)
	}
	if err == nil {
		return message.Copies(r, m)
	}
	if !errors.Is(err, store.ErrNotFound) || on.Peer.Kind() != ids.User {
		return nil, skipMissing(err)
	}
	list, err := acquainted(r, on.Peer.User())
	if err != nil {
		return nil, err
	}
	var out []ids.Peer
	for _, box := range list {
		has, err := holds(r, box, on)
		if err != nil {
			return nil, err
		}
		if has {
			out = append(out, box)
		}
	}
	return out, nil
}

// acquainted returns the boxes of those with whom somebody has private chats or basic groups.
func acquainted(r *store.Reader, user ids.UserID) (out []ids.Peer, err error) {
	seen := map[ids.Peer]bool{user.Peer(): true}
	lines, err := r.Dialogs(user)
	if err != nil {
		return nil, err
	}
	for _, d := range lines {
		if d.Peer.Kind() == ids.Channel {
			continue
		}
		peers, err := message.Copies(r, store.Message{Box: user.Peer(), Peer: d.Peer})
		if err != nil {
			return nil, err
		}
		for _, p := range peers {
			if !seen[p] {
				seen[p] = true
				out = append(out, p)
			}
		}
	}
	return out, nil
}

// holds tells whether a box has a copy of a message, shown or taken away.
func holds(r *store.Reader, box ids.Peer, on safety.Subject) (bool, error) {
	_, err := message.At(r, box, message.Ref{Box: on.Peer, ID: on.Item})
	if errors.Is(err, store.ErrNotFound) {
		_, err = r.RemovedByOrigin(box, on.Peer, on.Item)
	}
	return err == nil, skipMissing(err)
}

// skipMissing forgives what is not there.
func skipMissing(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
