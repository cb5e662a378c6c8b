package inquiry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/internal/safety/agency"
	"parley/internal/safety/instrument"
	"parley/internal/safety/oncall"
	"parley/internal/safety/owed"
	"parley/internal/store"
)

// bells is for how long letters about lives in danger ring one bell, overdue for how long those do
// that are overdue: their writers choose how many there are.
const (
	bells   = 10 * time.Minute
	overdue = time.Hour
)

// Run wakes somebody for what is overdue or about a life in danger, and mails those who wrote
// letters that they are answered, until ctx ends.
func (s *Service) Run(ctx context.Context, failed func(error)) {
	s.worker.Run(ctx, period, failed, func(ctx context.Context) error {
		return errors.Join(s.Ring(ctx), s.Sweep(ctx), s.Tell(ctx))
	})
}

// Ring wakes somebody for letters about lives in danger. One bell rings for those of some minutes:
// who is woken sees all that wait, and who writes many letters keeps nobody from sleeping. It may
// run twice. A letter that fails holds up no other.
func (s *Service) Ring(ctx context.Context) error {
	if s.Letters == nil || s.Wake == nil {
		return nil
	}
	due := func(ctx context.Context, limit int) (list []store.InquiryAsker, err error) {
		now := s.Clock.Now().Unix()
		err = s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = r.RingingInquiryAskers(now, limit)
			return err
		})
		return list, err
	}
	_, err := owed.Each(ctx, page, due, letterOf, func(
		ctx context.Context, row store.InquiryAsker,
	) (bool, error) {
		return true, s.ring(ctx, row)
	})
	return err
}

// letterOf is the number of the letter that somebody wrote.
func letterOf(row store.InquiryAsker) int64 { return row.Inquiry }

func (s *Service) ring(ctx context.Context, row store.InquiryAsker) error {
	by, err := s.Letters.open(row)
	if err != nil {
		return err
	}
	err = s.Wake(ctx, oncall.Emergency{
		Key:  fmt.Sprintf("letters %d", time.Unix(row.Ring, 0).Truncate(bells).Unix()),
		Kind: oncall.Letter,
		About: oncall.About{
			Country: string(by.Country),
			Path:    fmt.Sprintf("/inquiries/%d/%d", nobody, row.Inquiry),
		},
	})
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, key(nobody), func(tx *store.Tx) error {
		now, err := tx.InquiryAsker(nobody, row.Inquiry)
		if err != nil || now.Ring != row.Ring {
			return err // written again meanwhile
		}
		now.Ring = 0
		return tx.PutInquiryAsker(now)
	})
}

// Sweep wakes somebody for each inquiry whose time is over, once. It may run twice.
func (s *Service) Sweep(ctx context.Context) error {
	due := func(ctx context.Context, limit int) (list []store.Inquiry, err error) {
		now := s.Clock.Now().Unix()
		err = s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = r.OverdueInquiries(now, limit)
			return err
		})
		return list, err
	}
	id := func(x store.Inquiry) [2]int64 { return [2]int64{x.Agency, x.ID} }
	_, err := owed.Each(ctx, page, due, id, func(
		ctx context.Context, x store.Inquiry,
	) (bool, error) {
		return true, s.alarm(ctx, x)
	})
	return err
}

// alarm wakes somebody, and then notes that: a crash between the two wakes nobody twice, because
// the line knows the emergency.
func (s *Service) alarm(ctx context.Context, x store.Inquiry) error {
	if s.Wake != nil {
		e, wakes, err := s.emergency(ctx, x)
		if err == nil && wakes {
			err = s.Wake(ctx, e)
		}
		if err != nil {
			return err
		}
	}
	return s.Store.Update(ctx, key(x.Agency), func(tx *store.Tx) error {
		y, err := tx.Inquiry(x.Agency, x.ID)
		if err != nil || State(y.State) != OursNow || y.Due != x.Due {
			return err // answered meanwhile
		}
		i := read(y)
		i.Alarmed = s.Clock.Now().Unix()
		return put(tx, i)
	})
}

// emergency is what somebody is woken for, if he is: a question that is overdue, of a regulator or
// of somebody without a key who says that he is no private person.
func (s *Service) emergency(ctx context.Context, x store.Inquiry) (
	e oncall.Emergency, wakes bool, err error,
) {
	e = oncall.Emergency{
		Key: fmt.Sprintf("inquiry %d %d %d", x.Agency, x.ID, x.Due), Kind: oncall.Regulator,
		About: oncall.About{Path: fmt.Sprintf("/inquiries/%d/%d", x.Agency, x.ID)},
	}
	wakes = true
	err = s.Store.View(ctx, func(r *store.Reader) error {
		if x.Agency != nobody {
			of, err := agency.Of(r, x.Agency)
			e.About.Country = of.Country
			return err
		}
		by, err := s.Letters.Asker(r, x.ID)
		e.Kind, e.About.Country = oncall.Letter, string(by.Country)
		e.Key = fmt.Sprintf("letters overdue %d", time.Unix(x.Due, 0).Truncate(overdue).Unix())
		wakes = by.Requester != instrument.Person
		return err
	})
	return e, wakes, err
}
