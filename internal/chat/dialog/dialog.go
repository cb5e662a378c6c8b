// Package dialog keeps a user's chat list: its order, pins, folders, unread marks and drafts. A
// line of the common box is kept as messages come; a channel's line is computed from the channel's
// box and the user's watermark when it is asked for, so that a post costs nothing per subscriber.
// Sending and reading messages is chat/message's.
package dialog

import (
	"slices"

	"parley/internal/chat/message"
	"parley/internal/ids"
	"parley/internal/store"
)

// Draft is a message that a user has begun to write.
//
// https://core.telegram.org/constructor/draftMessage
type Draft struct {
	Text      string           `cbor:"1,keyasint,omitempty"`
	Entities  []message.Entity `cbor:"2,keyasint,omitempty"`
	Date      int64            `cbor:"3,keyasint"`
	ReplyTo   int64            `cbor:"4,keyasint,omitempty"`
	NoWebpage bool             `cbor:"5,keyasint,omitempty"`
}

// unreadMost is where counting the unread posts of a channel stops.
const unreadMost = 10_000

// Line is a dialog with what is computed: for a channel its newest message, count of unread and
// pts.
type Line struct {
	store.Dialog
	Pts int64
}

// Complete computes what a channel's dialog does not keep.
func Complete(r *store.Reader, d store.Dialog) (Line, error) {
	l := Line{Dialog: d}
	if d.Peer.Kind() != ids.Channel {
		return l, nil
	}
	b, err := r.Box(d.Peer)
	if err != nil {
		return l, err
	}
	l.Pts = b.Pts
	top, err := r.Older(d.Peer, d.Peer, b.TopID+1, d.MinID, 1, 0)
	if err != nil {
		return l, err
	}
	if len(top) > 0 {
		l.TopID, l.TopDate = top[0].ID, top[0].Date
	}
	if d.ReadIn < l.TopID {
		l.Unread, err = r.UnreadPosts(d.Peer, max(d.ReadIn, d.MinID), d.User, unreadMost)
	}
	return l, err
}

// List returns the lines of a folder in the order of the chat list: pinned ones first, in the
// order of their pins, then by the date of the newest message.
func List(r *store.Reader, user ids.UserID, folder int64) ([]Line, error) {
	rows, err := r.Dialogs(user)
	if err != nil {
		return nil, err
	}
	lines := make([]Line, 0, len(rows))
	for _, d := range rows {
		if d.Folder != folder {
			continue
		}
		l, err := Complete(r, d)
		if err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
	slices.SortStableFunc(lines, before)
	return lines, nil
}

func before(a, b Line) int {
	switch {
	case a.Pin != b.Pin:
		return int(b.Pin - a.Pin)
	case a.TopDate != b.TopDate:
		return int(b.TopDate - a.TopDate)
	default:
		return int(b.TopID - a.TopID)
	}
}
