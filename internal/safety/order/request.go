package order

import (
	"context"
	"math"
	"slices"

	"parley/internal/safety/agency"
	"parley/internal/safety/policy"
	"parley/internal/store"
)

// RequestOf returns what policy is asked about an order as it is kept now, named by our reference.
// known is false for an order that says nothing which policy could be asked about.
// store.ErrNotFound.
func (s *Service) RequestOf(
	ctx context.Context, of, id int64,
) (q policy.Request, known bool, err error) {
	err = s.Store.View(ctx, func(r *store.Reader) error {
		w := &work{Service: s}
		if err := w.load(r, of, id); err != nil {
			return err
		}
		q, known = w.request(), slices.Contains(policy.Actions(), w.o.Document.Action)
		q.Reference = w.o.Reference
		return nil
	})
	return q, known, err
}

// requestPage is how many orders are read at a time.
const requestPage = 100

// Requests calls fn with what policy is asked about each order that ever came, of senders whom
// nobody knows first, then agency by agency, the newest of each first: for comparing rules. An
// error of fn ends it.
func (s *Service) Requests(ctx context.Context, fn func(policy.Request) error) error {
	if err := s.requestsOf(ctx, 0, fn); err != nil {
		return err
	}
	for after := int64(0); ; {
		var list []agency.Agency
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = agency.All(r, after, requestPage)
			return err
		})
		if err != nil || len(list) == 0 {
			return err
		}
		for _, a := range list {
			after = a.ID
			if err := s.requestsOf(ctx, a.ID, fn); err != nil {
				return err
			}
		}
	}
}

// requestsOf is Requests of one agency.
func (s *Service) requestsOf(
	ctx context.Context, of int64, fn func(policy.Request) error,
) error {
	for below := int64(math.MaxInt64); ; {
		var list []Order
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = s.OfAgency(r, of, below, requestPage)
			return err
		})
		if err != nil || len(list) == 0 {
			return err
		}
		for _, o := range list {
			below = o.ID
			q, known, err := s.RequestOf(ctx, of, o.ID)
			if err == nil && known {
				err = fn(q)
			}
			if err != nil {
				return err
			}
		}
	}
}
