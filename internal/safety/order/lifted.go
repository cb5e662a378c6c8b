package order

import (
	"context"
	"fmt"
	"math"
	"slices"

	"parley/internal/safety/decide"
	"parley/internal/store"
	"parley/internal/tlog/paper"
)

// successor is the decision that took the place of one after a complaint; one without an id for
// none.
func successor(r *store.Reader, d decide.Decision) (out decide.Decision, err error) {
	if d.State != decide.Superseded {
		return out, nil
	}
	for below := int64(math.MaxInt64); ; {
		list, err := decide.OfSubject(r, d.Subject.Peer, below, page)
		if err != nil {
			return out, err
		}
		for _, x := range list {
			if x.Created < d.Created {
				return out, nil
			}
			if x.ID != d.ID && x.Case == d.Case && x.Subject == d.Subject &&
				x.Effective == d.Ended {
				out = x
			}
			below = x.ID
		}
		if len(list) < page {
			return out, nil
		}
	}
}

// inForce is the decision about an item as it is now: the one that was made, or the last that took
// its place.
func (i Item) inForce(r *store.Reader) (d decide.Decision, err error) {
	d, err = decide.Of(r, i.Subject.Peer, i.Decision)
	for err == nil && d.State == decide.Superseded {
		next, serr := successor(r, d)
		if serr != nil || next.ID == 0 {
			return d, serr
		}
		d = next
	}
	return d, err
}

// Lifted tells an authority by a signed paper that a measure which its order led to has ended
// before its time, because somebody complained or looked again, or that a milder one has taken its
// place. What is told once is not told again; an order that is being taken back as a whole has a
// paper of its own.
func (s *Service) Lifted(ctx context.Context, of, id, decision int64) error {
	var d, next decide.Decision
	err := s.Store.View(ctx, func(r *store.Reader) error {
		list, err := Items(r, of, id)
		for _, i := range list {
			if i.Decision != decision || i.Decision == 0 {
				continue
			}
			if d, err = decide.Of(r, i.Subject.Peer, decision); err != nil {
				return err
			}
			next, err = successor(r, d)
			return err
		}
		return err
	})
	if err != nil {
		return err
	}
	_, err = s.change(ctx, of, id, func(w *work) error {
		if w.o.State >= Withdrawn || w.o.State == Ending {
			return nil
		}
		for _, i := range slices.Clone(w.items) {
			if i.Decision == decision && i.State == Done {
				return w.lifted(i, d.EndReason, next)
			}
		}
		return nil
	})
	return err
}

// lifted notes that the measure of an item has ended, or that another decision's has taken its
// place, and tells the authority.
func (w *work) lifted(i Item, why string, next decide.Decision) error {
	p := paper.Paper{Kind: paper.Restored, Text: why}
	kind := WasLifted
	i.State, i.At = Restored, w.now
	if next.ID != 0 && len(next.Measures) > 0 {
		p.Kind, p.Given, kind = paper.Effect, "partly", WasEased
		i.State, i.Decision, i.Measure = Done, next.ID, &next.Measures[0]
	}
	if err := w.put(i); err != nil {
		return err
	}
	if err := w.event(kind, By{}, fmt.Sprintf("%d: %s", i.N, why)); err != nil {
		return err
	}
	p.Items = w.paperItems()
	return w.sign(p)
}
