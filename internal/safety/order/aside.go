package order

import (
	"context"
	"errors"
	"slices"

	"parley/internal/safety/instrument"
	"parley/internal/safety/policy"
	"parley/internal/store"
)

// asideDays is how long at most what was set aside for an order is kept, in days: as long as a
// preservation lasts. When the order ends, it is not kept any longer.
const asideDays = 60

// setsAside tells whether what the open order names is to be set aside at once and was not yet: a
// certificate for data has it kept from its receipt on, before anybody has decided, and also while
// it is incomplete, as long as what it says lets the data be found. That is done for whoever has
// standing; it hands nothing out.
//
// https://eur-lex.europa.eu/eli/reg/2023/1543/oj, Art. 10(1), (6), (9), Annex I
func (o Order) setsAside() bool {
	switch {
	case o.Document.Action != policy.Disclose, o.Standing != "", o.Stopped != nil:
		return false
	case o.State == Ending, !o.State.Open(), o.Aside == o.Digest:
		return false
	case o.State == Incomplete && !o.finds():
		return false
	}
	return o.keepsAtOnce()
}

// finds tells whether what the order says lets data be found: some of it is named exactly, and so
// is a class of data that policy would let be kept.
func (o Order) finds() bool {
	d := o.Document
	return len(o.Verdict.Most.Data) > 0 && (slices.ContainsFunc(d.Accounts, Identifier.exact) ||
		slices.ContainsFunc(d.Items, Target.exact))
}

// keepsAtOnce tells whether the order's instrument has what it names kept from its receipt on.
func (o Order) keepsAtOnce() bool {
	return slices.ContainsFunc(o.Verdict.Periods, func(p instrument.Period) bool {
		return p.Owner == instrument.Ours && p.Starts == instrument.Received &&
			p.Ends == instrument.Kept
	})
}

// letsGo tells whether the order is over and what was set aside for it, if anything was, may still
// be kept on its account: also by a process that had not said yet that it did.
func (o Order) letsGo() bool {
	return !o.State.Open() && !o.Free && o.Standing == "" &&
		o.Document.Action == policy.Disclose && (o.Aside != "" || o.keepsAtOnce())
}

// setAside keeps what an order names as it is now. It may run twice.
func (s *Service) setAside(ctx context.Context, of, id int64) error {
	var o Order
	var items []Item
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		if o, err = s.Of(r, of, id); err != nil {
			return err
		}
		items, err = Items(r, of, id)
		return err
	})
	if err != nil || !o.setsAside() {
		return err
	}
	holds := make(map[int64]int64)
	for _, i := range items {
		if i.State != Waiting || i.Subject.Peer == 0 {
			continue
		}
		holds[i.N], err = s.preserve(ctx, o, i, 0)
		if errors.Is(err, errFenced) {
			return nil // the order ended meanwhile
		}
		if err != nil {
			return err
		}
	}
	s.crash("aside")
	_, err = s.change(ctx, of, id, func(w *work) error {
		if !w.o.setsAside() || w.o.Digest != o.Digest {
			return nil
		}
		for _, i := range slices.Clone(w.items) {
			if holds[i.N] == 0 || i.State != Waiting {
				continue
			}
			i.Hold = holds[i.N]
			if err := w.put(i); err != nil {
				return err
			}
		}
		w.o.Aside = w.o.Digest
		w.happened(instrument.Kept)
		return w.event(WasSetAside, By{}, w.in.Law)
	})
	return err
}

// letGo has what was set aside for an order that is over be kept no longer on its account, and what
// was not be set aside no more. It may run twice.
func (s *Service) letGo(ctx context.Context, o Order) error {
	if !o.letsGo() {
		return nil
	}
	var items []Item
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		items, err = Items(r, o.Agency, o.ID)
		return err
	})
	for _, i := range items {
		if i.Subject.Peer == 0 {
			continue
		}
		if err == nil {
			err = s.fence(ctx, o, i)
		}
		if err == nil {
			err = s.release(ctx, o, i)
		}
	}
	if err != nil {
		return err
	}
	s.crash("let go")
	_, err = s.change(ctx, o.Agency, o.ID, func(w *work) error {
		w.o.Free = w.o.Free || w.o.letsGo() && w.o.Again == o.Again
		return nil
	})
	return err
}
