package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/internal/hook"
	"parley/internal/safety/agency"
	"parley/internal/store"
)

// callers is how many agencies are called at once: a receiver that hangs holds up few others.
const callers = 8

// Run delivers what is owed until ctx ends; failed hears of the errors of rounds.
func (s *Service) Run(ctx context.Context, failed func(error)) {
	s.worker.Run(ctx, period, failed, s.Deliver)
}

// Deliver tries every call that is due, in the order of each agency. It may run twice.
func (s *Service) Deliver(ctx context.Context) error {
	for {
		var list []store.AgencyCall
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			list, err = r.DueAgencyCalls(s.Clock.Now().Unix(), page)
			return err
		})
		if err != nil || len(list) == 0 {
			return err
		}
		of := make(map[int64][]store.AgencyCall)
		for _, c := range list {
			of[c.Agency] = append(of[c.Agency], c)
		}
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(callers)
		for _, calls := range of {
			g.Go(func() error { return s.deliver(ctx, calls) })
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
}

// deliver makes the calls of one agency, one after the other. Where its receiver is out of order
// one try is enough: what else it is owed has been put off with that, or has waited long enough.
func (s *Service) deliver(ctx context.Context, calls []store.AgencyCall) error {
	var down *hook.DeliveryError
	for _, c := range calls {
		var err error
		switch now := s.Clock.Now().Unix(); {
		case down == nil:
			down, err = s.call(ctx, c)
		case c.Created+giveUp <= now:
			err = s.settle(ctx, c, down, true)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// call makes a call, and notes what came of it. down is why the receiver takes none for now.
func (s *Service) call(
	ctx context.Context, c store.AgencyCall,
) (down *hook.DeliveryError, err error) {
	var a Address
	var of agency.Agency
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		if of, err = agency.Of(r, c.Agency); err != nil {
			return err
		}
		a, err = AddressOf(r, c.Agency)
		return err
	})
	if store.IsNotFound(err) { // the address was taken away meanwhile
		return nil, s.settle(ctx, c, &hook.DeliveryError{Reason: "there is no address"}, true)
	}
	if err != nil {
		return nil, err
	}
	if of.State == agency.Suspended {
		return nil, s.settle(ctx, c, &hook.DeliveryError{Reason: "the agency is suspended"}, true)
	}
	err = s.post(ctx, a, c)
	var no *hook.DeliveryError
	if err != nil && !errors.As(err, &no) {
		return nil, err
	}
	now := s.Clock.Now().Unix()
	over := no == nil || no.Reason == hook.ErrPrivate.Error() || c.Created+giveUp <= now
	if no != nil && no.Temporary {
		down = no
	}
	return down, s.settle(ctx, c, no, over)
}

// post makes the call itself.
func (s *Service) post(ctx context.Context, a Address, c store.AgencyCall) error {
	p, err := s.poster(c.Agency, a)
	if err != nil {
		return &hook.DeliveryError{Reason: "not an https address"}
	}
	defer p.Close()
	return p.Post(ctx, s.Clock.Now(), fmt.Sprintf("%d-%d", c.Agency, c.ID), c.Body)
}

// settle forgets a call that is over, or has it tried again later, and with it all that is owed to
// a receiver that is out of order: whoever hangs would hold up the calls of others, once for each.
// It notes on the address how the receiver did.
func (s *Service) settle(
	ctx context.Context, c store.AgencyCall, no *hook.DeliveryError, over bool,
) error {
	err := s.Store.Update(ctx, key(c.Agency), func(tx *store.Tx) error {
		now := s.Clock.Now().Unix()
		a, err := AddressOf(&tx.Reader, c.Agency)
		switch {
		case store.IsNotFound(err):
			return tx.ForgetAgencyCall(c.Agency, c.ID)
		case err != nil:
			return err
		case no == nil:
			a.Took, a.Problem = now, ""
		default:
			a.Failed, a.Problem = now, no.Reason
		}
		if err := put(tx, c.Agency, a); err != nil {
			return err
		}
		c.Tries++
		c.Due = now + int64(between().After(c.Tries)/time.Second)
		if no != nil && no.Temporary {
			if err := tx.DeferAgencyCalls(c.Agency, c.Due); err != nil {
				return err
			}
		}
		if over {
			return tx.ForgetAgencyCall(c.Agency, c.ID)
		}
		return tx.PutAgencyCall(c)
	})
	if err != nil || !over {
		return err
	}
	var e Event
	_ = json.Unmarshal(c.Body, &e)
	s.Called(e.Event, no == nil)
	if no != nil {
		s.Log.Warn("a program of an agency was not told", "agency", c.Agency, "event", e.Event,
			"reason", no.Reason)
	}
	return nil
}
