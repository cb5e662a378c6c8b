package order

import (
	"math"
	"slices"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/policy"
	"parley/internal/store"
)

// ahead is how long before its first removal order an authority tells the service of procedures and
// deadlines. That an agency was let in counts as that.
//
// https://eur-lex.europa.eu/eli/reg/2021/784/oj, Art. 3(2)
const ahead = 12 * time.Hour

// early tells whether the order is its agency's first removal order and came less than twelve hours
// after the agency was admitted. Another one that came before takes nothing from that unless it was
// carried out or the agency has confirmed it: who forges one order can forge two.
func (w *work) early() (bool, error) {
	since := w.o.Received - int64(ahead/time.Second)
	if w.in.ID != instrument.Removal || w.of.ID == 0 ||
		w.of.Approved != 0 && w.of.Approved <= since {
		return false, nil
	}
	first, err := agency.FirstApproved(&w.tx.Reader, w.of.ID)
	if err != nil || first == 0 || first <= since {
		return false, err
	}
	for below := int64(math.MaxInt64); ; {
		rows, err := w.tx.OrdersOf(w.o.Agency, below, recent)
		if err != nil {
			return false, err
		}
		for _, x := range rows {
			if below = x.ID; x.Received < first {
				return true, nil
			}
			if x.ID == w.o.ID || x.Received > w.o.Received {
				continue
			}
			if known, err := w.confirmed(x); known || err != nil {
				return false, err
			}
		}
		if len(rows) < recent {
			return true, nil
		}
	}
}

// confirmed tells whether an order is a removal order that was carried out, or that its agency has
// confirmed when it was called.
func (s *Service) confirmed(x store.Order) (bool, error) {
	o, err := s.read(x)
	if err != nil || o.Document.Instrument != instrument.Removal {
		return false, err
	}
	return o.State == Answered || slices.ContainsFunc(o.Checks, func(m Made) bool {
		return m.Check == policy.CallBack
	}), nil
}

// cameEarly notes that the order came early, if it did.
func (w *work) cameEarly() error {
	if !w.o.Early {
		return nil
	}
	return w.event(CameEarly, By{}, "Regulation (EU) 2021/784, Art. 3(2)")
}
