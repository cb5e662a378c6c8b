package order

import (
	"context"
	"errors"
	"slices"

	"parley/internal/safety"
	"parley/internal/safety/decide"
	"parley/internal/safety/instrument"
	"parley/internal/safety/policy"
	"parley/internal/store"
	"parley/internal/tlog/paper"
)

// prepareScrutiny writes the request for scrutiny of a removal order down as it would be signed, if
// policy wants it prepared: the 48 hours run from the order on. Nothing is sent by that.
//
// https://eur-lex.europa.eu/eli/reg/2021/784/oj
func (w *work) prepareScrutiny() error {
	if !slices.Contains(w.o.Verdict.Duties, policy.Scrutiny) {
		return nil
	}
	return w.event(ScrutinyPrepared, By{}, w.in.Law)
}

// MayBeScrutinised tells whether scrutiny of the order can be asked for: it is one of another state
// that has not ended, and it was not asked for yet.
func (o Order) MayBeScrutinised() bool {
	asked := slices.ContainsFunc(o.Happened, func(h instrument.Happened) bool {
		return h.Event == instrument.Scrutinised
	})
	return !asked && o.State < Refused &&
		slices.ContainsFunc(o.Verdict.Periods, func(p instrument.Period) bool {
			return p.Ends == instrument.Scrutinised
		})
}

// AskScrutiny signs the request that the authority of the service's own state examine an order. It
// is for a person to send; it can be asked for before or after the order is carried out.
func (s *Service) AskScrutiny(
	ctx context.Context, staff, of, id int64, reason string,
) (Order, error) {
	if !filled(reason) || staff <= 0 {
		return Order{}, ErrReason
	}
	return s.change(ctx, of, id, func(w *work) error {
		if !w.o.MayBeScrutinised() {
			return ErrState
		}
		w.happened(instrument.Scrutinised)
		if err := w.event(ScrutinyAsked, By{Staff: staff}, reason); err != nil {
			return err
		}
		return w.sign(paper.Paper{Kind: paper.Scrutiny, Text: reason, Items: w.paperItems()})
	})
}

// isEnded tells whether a decision could not be lifted because it is over already.
func isEnded(err error) bool { return errors.Is(err, decide.ErrState) }

// page is how many decisions are looked at together.
const page = 100

// left finds the decision that a process made for an item before it ended without saying so; one
// without an id for none. What it was made with names order and item, so no other says the same.
func (s *Service) left(ctx context.Context, o Order, i Item) (out decide.Decision, err error) {
	facts := o.draftFacts(i)
	first := safety.FirstID(moment(i.Began))
	err = s.Store.View(ctx, func(r *store.Reader) error {
		out = decide.Decision{}
		for below := int64(1<<63 - 1); ; {
			list, err := decide.OfSubject(r, i.Subject.Peer, below, page)
			if err != nil {
				return err
			}
			for _, d := range list {
				if d.ID < first {
					return nil
				}
				if d.Facts == facts {
					out = d
					return nil
				}
				below = d.ID
			}
			if len(list) < page {
				return nil
			}
		}
	})
	return out, err
}

// Fetched notes that an agency fetched a paper.
func (s *Service) Fetched(ctx context.Context, of, id, n int64) error {
	now := s.Clock.Now().Unix()
	return s.Store.Update(ctx, key(of), func(tx *store.Tx) error {
		return tx.OrderPaperFetched(of, id, n, now)
	})
}
