package message

import (
	"slices"

	"parley/internal/ids"
	"parley/internal/limit"
	"parley/internal/store"
)

// Page is a request for a stretch of a chat's history.
//
// https://core.telegram.org/api/offsets
type Page struct {
	// OffsetID and OffsetDate say where to begin; 0 is the newest message.
	OffsetID   int64
	OffsetDate int64
	// AddOffset moves the beginning, towards newer messages when negative, by a page at most.
	AddOffset int
	Limit     int
	// Below and Above bound the ids, both excluded; 0 is no bound.
	Below int64
	Above int64
}

// History returns a stretch of the messages that a user sees with a peer, newest first, hiding
// those up to minID.
func History(
	r *store.Reader, user ids.UserID, peer ids.Peer, minID int64, p Page,
) ([]store.Message, error) {
	in := BoxOf(user, peer)
	p.Limit = min(max(p.Limit, 0), limit.HistoryPage)
	p.AddOffset = max(p.AddOffset, -limit.HistoryPage)
	top := int64(maxID)
	if p.Below > 0 {
		top = p.Below
	}
	start, err := p.start(r, in, peer)
	if err != nil {
		return nil, err
	}
	above := max(minID, p.Above)
	var out []store.Message
	left := p.Limit
	if p.AddOffset < 0 {
		newer, err := r.Newer(in, peer, max(start, above+1), top, -p.AddOffset)
		if err != nil {
			return nil, err
		}
		slices.Reverse(newer)
		out = newer[:min(len(newer), left)]
		left = min(left-len(out), left+p.AddOffset)
	}
	if left <= 0 {
		return out, nil
	}
	older, err := r.Older(in, peer, min(start, top), above, left, max(p.AddOffset, 0))
	if len(out) == 0 {
		return older, err
	}
	return append(out, older...), err
}

// start returns the id below which a page without AddOffset lies.
func (p Page) start(r *store.Reader, in, peer ids.Peer) (int64, error) {
	switch {
	case p.OffsetID > 0:
		return p.OffsetID, nil
	case p.OffsetDate > 0:
		id, err := r.IDByDate(in, peer, p.OffsetDate)
		return id + 1, err
	default:
		return maxID, nil
	}
}
