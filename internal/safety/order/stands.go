package order

import (
	"fmt"

	"parley/internal/safety"
	"parley/internal/safety/decide"
	"parley/internal/safety/evidence"
	"parley/internal/store"
)

// Stands tells whether something of an order still goes on: it is open or to be looked at again,
// the order to an emergency is missing, a measure that it led to is in force, or something is held
// because of it. Otherwise over is since when it is not, in Unix seconds. About an order that was
// put to an agency it tells what is true of the order that it is there. store.ErrNotFound.
func (s *Service) Stands(r *store.Reader, of, id int64) (stands bool, over int64, err error) {
	o, err := s.Of(r, of, id)
	if err != nil {
		return false, 0, err
	}
	if o.State == Attached {
		kind, peer, there, err := s.References.Read(o.To)
		if err != nil || kind != safety.OrderRef || int64(peer) == of {
			return false, 0, fmt.Errorf("order: %d was put to %q: %w", id, o.To, err)
		}
		return s.Stands(r, int64(peer), there)
	}
	if o.State.Open() || o.Review || o.Unpapered != 0 && o.Paper == 0 {
		return true, 0, nil
	}
	over = o.Closed
	items, err := Items(r, of, id)
	if err != nil {
		return false, 0, err
	}
	now := s.Clock.Now().Unix()
	for _, i := range items {
		over = max(over, i.At)
		if stands, err = i.stands(r, now); err != nil || stands {
			return stands, 0, err
		}
	}
	return false, over, nil
}

// stands tells whether a measure about an item is in force or proposed, or something holds it.
func (i Item) stands(r *store.Reader, now int64) (bool, error) {
	held := store.CaseRef{Subject: i.Subject.Peer, Case: i.Hold}
	if i.Decision != 0 {
		d, err := i.inForce(r)
		if err != nil || d.State == decide.Effective || d.State == decide.Proposed {
			return true, err
		}
		held.Case = d.Case
	}
	return evidence.Held(r, held, now)
}
