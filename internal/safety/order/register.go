package order

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"

	"parley/internal/chat/search/terms"
	"parley/internal/safety/agency"
	"parley/internal/store"
)

// refusal is the order's line in the register of refusals, which says why in one word.
func (o Order) refusal(class string, at int64) store.OrderRefusal {
	d := o.Document
	words := []string{o.Reference, d.Number, d.Authority, d.Country, class, o.Why}
	for _, b := range d.Basis {
		words = append(words, b.Law, b.Provision)
	}
	return store.OrderRefusal{
		Agency: o.Agency, Order: o.ID, At: at, Class: class, Country: clean(d.Country),
		Instrument: clean(string(d.Instrument)), Number: clean(d.Number),
		Authority: clean(d.Authority), Words: searched(strings.Join(words, " ")),
	}
}

// partly is why something that an order names was refused though the order was answered, in one
// word; empty where nothing was. What is not here, or was taken back, was not refused.
func partly(items []Item) string {
	for _, i := range items {
		switch i.Reason {
		case "", "not-here", "not-named", "no-data", Withdrawn.String(), Annulled.String():
		default:
			if i.State == Declined {
				return i.Reason
			}
		}
	}
	return ""
}

// enter enters a line in the register.
func enter(tx *store.Tx, x store.OrderRefusal) error {
	return tx.AddOrderRefusal(x, terms.Index(x.Words))
}

// declined enters an order that is answered in the register if something of it was refused, for
// which the class says why.
func (w *work) declined(class string) error {
	if class == "" {
		return nil
	}
	return enter(w.tx, w.o.refusal(class, w.now))
}

// entered is up to which agency the orders were held to the register, by their ids; all when it is
// the highest number. The name is another one than before lines had terms.
const entered = "orders_in_register_by_terms"

// EnterRefused holds all orders to the register once, because there were some before it was kept.
// It goes on where an earlier process ended, and enters nothing twice.
func (s *Service) EnterRefused(ctx context.Context) error {
	if s.entered {
		return nil
	}
	var last int64
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		last, err = r.Meta(entered)
		return err
	})
	if store.IsNotFound(err) { // those of nobody known come first
		last, err = 0, s.enterAll(ctx, 0)
	}
	for err == nil && last != math.MaxInt64 {
		var list []agency.Agency
		err = s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = agency.All(r, last, sweepPage)
			return err
		})
		for _, a := range list {
			if err == nil {
				err = s.enterAll(ctx, a.ID)
			}
			last = a.ID
		}
		if len(list) == 0 {
			last = math.MaxInt64
		}
		if err == nil {
			err = s.Store.Update(ctx, 0, func(tx *store.Tx) error {
				return tx.SetMeta(entered, last)
			})
		}
	}
	s.entered = err == nil
	return err
}

// enterAll holds the orders of an agency to the register.
func (s *Service) enterAll(ctx context.Context, of int64) error {
	for below := int64(math.MaxInt64); ; {
		var list []Order
		err := s.Store.Update(ctx, key(of), func(tx *store.Tx) (err error) {
			if list, err = s.OfAgency(&tx.Reader, of, below, sweepPage); err != nil {
				return err
			}
			for _, o := range list {
				if err := enterOne(tx, o); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(list) < sweepPage {
			return err
		}
		below = list[len(list)-1].ID
	}
}

// enterOne enters an order that is over in the register, if it was refused or something of it was.
func enterOne(tx *store.Tx, o Order) error {
	class := o.Refused
	switch o.State {
	case Refused:
	case Answered:
		items, err := Items(&tx.Reader, o.Agency, o.ID)
		if err != nil {
			return err
		}
		class = partly(items)
	default:
		return nil
	}
	if class == "" {
		return nil
	}
	return enter(tx, o.refusal(class, o.Closed))
}

// searched is a text as the register is searched by it.
func searched(s string) string {
	return strings.ToLower(cleaned(strings.Join(strings.Fields(s), " "), textRunes))
}

const (
	// compared is up to how many lines a word is told from a rarer one.
	compared = 1000
	// lookPage is how many lines with a word are looked at in one go for the other words.
	lookPage = 100
)

// Refusals returns up to limit lines of the register of refusals that a filter names and that have
// all of some words, the last first: for staff. Words are compared as in messages. It takes as long
// as the rarest of them has lines.
func Refusals(
	r *store.Reader, f store.RefusalFilter, words string, limit int,
) (out []store.OrderRefusal, err error) {
	groups := terms.Query(searched(words))
	if len(groups) == 0 {
		if strings.TrimSpace(words) != "" {
			return nil, nil // nothing that a word consists of
		}
		return r.OrderRefusals(f, limit)
	}
	rarest, least := 0, int64(math.MaxInt64)
	for i, group := range groups {
		var n int64
		for _, term := range group {
			k, err := r.CountOrderRefusalTerm(term, f.Since, compared)
			if err != nil {
				return nil, err
			}
			n += k
		}
		if n < least {
			rarest, least = i, n
		}
	}
	for _, term := range groups[rarest] {
		list, err := withTerm(r, f, term, groups, limit)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	slices.SortFunc(out, func(a, b store.OrderRefusal) int {
		return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.Order, a.Order))
	})
	out = slices.CompactFunc(out, func(a, b store.OrderRefusal) bool {
		return a.Agency == b.Agency && a.Order == b.Order
	})
	return out[:min(len(out), limit)], nil
}

// withTerm returns up to limit lines with a term that have one of each group of terms.
func withTerm(
	r *store.Reader, f store.RefusalFilter, term string, groups [][]string, limit int,
) (out []store.OrderRefusal, err error) {
	for {
		list, err := r.OrderRefusalsByTerm(f, term, lookPage)
		if err != nil {
			return nil, err
		}
		for _, x := range list {
			f.At, f.Order = x.At, x.Order
			has := terms.Index(x.Words)
			misses := func(group []string) bool {
				return !slices.ContainsFunc(group, func(t string) bool {
					return slices.Contains(has, t)
				})
			}
			if slices.ContainsFunc(groups, misses) {
				continue
			}
			if out = append(out, x); len(out) == limit {
				return out, nil
			}
		}
		if len(list) < lookPage {
			return out, nil
		}
	}
}
