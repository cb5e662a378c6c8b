package order

import "parley/internal/store"

// Pending is an order whose review waits, since a time in Unix seconds.
type Pending struct {
	Order
	Since int64
}

// waitsForReview tells whether something of an order is in force that a person has still to look
// at: what was done within the hour, or for a sender who was suspended since. Open orders that wait
// for somebody are in their queue besides.
func (o Order) waitsForReview() bool {
	if o.State == Ending || o.State > Answered {
		return false
	}
	return o.Review || o.State == Answered && o.reviewed()
}

// noteReview writes down whether the order waits for a review now, where that has changed.
func (w *work) noteReview() error {
	waits := w.o.waitsForReview()
	switch {
	case waits == w.waited:
		return nil
	case waits:
		return w.tx.AddOrderReview(store.OrderReview{
			Agency: w.o.Agency, Order: w.o.ID, Since: w.now,
		})
	default:
		return w.tx.EndOrderReview(w.o.Agency, w.o.ID)
	}
}

// ToReview returns up to limit orders whose review waits after a place, those that wait longest
// first: for staff. A place's Due is since when.
func (s *Service) ToReview(r *store.Reader, after Place, limit int) ([]Pending, error) {
	rows, err := r.OrderReviews(after.Due, after.ID, limit)
	if err != nil {
		return nil, err
	}
	out := make([]Pending, len(rows))
	for i, x := range rows {
		o, err := s.Of(r, x.Agency, x.Order)
		if err != nil {
			return nil, err
		}
		out[i] = Pending{Order: o, Since: x.Since}
	}
	return out, nil
}
