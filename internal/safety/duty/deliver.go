package duty

import (
	"context"
	"errors"
	"strings"
	"time"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/ledger"
	"parley/internal/safety/owed"
	"parley/internal/store"
)

const (
	// page is how many duties are read at once.
	page = 50
	// longest is the longest that the worker sleeps.
	longest = 30 * time.Second
	// deniedPause is how long a receiver is left alone who does not know us.
	deniedPause = 15 * time.Minute
	// alarmTries is after how many failed tries somebody hears of it.
	alarmTries = 5
	// ringAgain is after how long a report rings again that nobody decides.
	ringAgain = time.Hour
	// problemBytes bounds what is kept of an error.
	problemBytes = 2000
)

// backoff is when a report is tried again, and the receiver after he failed.
func backoff() owed.Backoff { return owed.Backoff{First: 30 * time.Second, Last: time.Hour} }

// Owed wakes the worker. It does not block.
func (s *Service) Owed() { s.worker.Wake() }

// Run hands over what is owed and rings for what nobody decides, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	failed := func(err error) {
		s.Log.Error("handing over reports", "kind", s.Kind.String(), "error", err)
	}
	s.worker.Run(ctx, longest, failed, func(ctx context.Context) error {
		_, err := s.Deliver(ctx)
		return errors.Join(err, s.Sweep(ctx))
	})
}

// Deliver hands over all reports that are due, or shows them in a dry run, and returns how many
// arrived. While the receiver rests it does nothing.
func (s *Service) Deliver(ctx context.Context) (int, error) {
	return owed.Drain(ctx, s.due, s.deliverAll)
}

// due are the next reports, none while the receiver rests, and none of a dry run that were shown.
func (s *Service) due(ctx context.Context) (list []store.Duty, err error) {
	now := s.Clock.Now()
	if !s.rest.Over(now) {
		return nil, nil
	}
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		list, err = r.DueDuties(int64(s.Kind), int64(Owed), now.Unix(), page)
		return err
	})
	return list, err
}

func (s *Service) deliverAll(ctx context.Context, list []store.Duty) (n int, err error) {
	for _, d := range list {
		arrived, err := s.deliver(ctx, d)
		if err != nil {
			return n, err
		}
		if arrived {
			n++
		}
		if !s.rest.Over(s.Clock.Now()) {
			return n, nil
		}
	}
	return n, nil
}

// deliver hands over one report and writes down how that went.
func (s *Service) deliver(ctx context.Context, d store.Duty) (arrived bool, err error) {
	if s.Send == nil {
		return false, s.show(ctx, d)
	}
	receipt, err := s.Send(ctx, d, func(place string) error {
		d.Place = place
		return s.note(ctx, d.Subject, d.ID, place)
	})
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if errors.Is(err, store.ErrStopped) {
		return false, err
	}
	if s.Crash != nil {
		if err := s.Crash("sent"); err != nil {
			return false, err
		}
	}
	return s.settle(ctx, d, receipt, err)
}

// note keeps what the receiver calls a report that is being handed over, before he may have it.
func (s *Service) note(ctx context.Context, subject ids.Peer, id int64, place string) error {
	err := s.Store.Update(ctx, subject, func(tx *store.Tx) error {
		d, err := tx.Duty(subject, id)
		if err != nil {
			return err
		}
		if State(d.State) != Owed {
			return ErrState // somebody took it back
		}
		d.Place = place
		return tx.PutDuty(d)
	})
	if err == nil && s.Crash != nil {
		err = s.Crash("noted")
	}
	return err
}

// show writes down what would be sent, once, and looks again only when somebody sends.
func (s *Service) show(ctx context.Context, d store.Duty) error {
	if d.Flags&shown == 0 && s.Show != nil {
		if err := s.Show(ctx, d); err != nil {
			return err
		}
	}
	return s.Store.Update(ctx, d.Subject, func(tx *store.Tx) error {
		x, err := tx.Duty(d.Subject, d.ID)
		if err != nil || State(x.State) != Owed {
			return err
		}
		x.Flags |= shown
		x.Due = s.Clock.Now().Add(backoff().Last).Unix()
		return tx.PutDuty(x)
	})
}

// errTakenBack says that a report that did not arrive was withdrawn meanwhile, and stays so.
var errTakenBack = errors.New("duty: withdrawn meanwhile")

// settle writes down what became of a report that was handed over: it arrived, was refused, or is
// tried again.
func (s *Service) settle(
	ctx context.Context, d store.Duty, receipt string, failed error,
) (arrived bool, err error) {
	now := s.Clock.Now()
	var refused *RefusedError
	isRefused := errors.As(failed, &refused)
	out, err := s.after(ctx, d, func(tx *store.Tx, x *store.Duty) error {
		switch {
		case failed != nil && State(x.State) != Owed:
			return errTakenBack
		case failed == nil:
			x.State, x.Receipt, x.Problem = int64(Delivered), receipt, ""
			x.Settled = now.Unix()
			if err := hold(tx, *x, now.Add(Keep).Unix()); err != nil {
				return err
			}
			return ledger.Write(tx, s.Random, s.line(*x))
		case isRefused:
			x.State, x.Problem, x.Place = int64(Refused), excerpt(refused.Reason), ""
		default:
			x.Tries++
			x.Problem = excerpt(failed.Error())
			x.Due = now.Add(backoff().After(x.Tries)).Unix()
		}
		return nil
	})
	if errors.Is(err, errTakenBack) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s.tell(out, failed)
	return failed == nil, nil
}

// after changes a report that was handed over. The case hears of it when that is the end of it.
func (s *Service) after(
	ctx context.Context, d store.Duty, fn func(*store.Tx, *store.Duty) error,
) (out store.Duty, err error) {
	err = s.Store.Update(ctx, d.Subject, func(tx *store.Tx) error {
		x, err := tx.Duty(d.Subject, d.ID)
		if err != nil {
			return err
		}
		if err := fn(tx, &x); err != nil {
			return err
		}
		out = x
		if State(x.State) == Owed {
			return tx.PutDuty(x)
		}
		c, err := tx.Case(x.Subject, x.Case)
		if err != nil {
			return err
		}
		return s.write(tx, &c, x, safety.Actor{}, x.Problem)
	})
	return out, err
}

// tell tells those who listen what became of a report, and leaves the receiver alone who failed.
func (s *Service) tell(d store.Duty, failed error) {
	var pause *PauseError
	switch {
	case failed == nil:
		s.rest.Worked()
		s.Settled(d)
	case State(d.State) == Refused:
		s.rest.Worked()
		s.Settled(d)
		s.Alarm(d, "refused")
	case errors.As(failed, &pause):
		least := time.Duration(0)
		if pause.Denied {
			least = deniedPause
			s.Alarm(d, "the receiver does not know us")
		}
		s.rest.Failed(s.Clock.Now(), max(least, pause.After), pause.After)
	}
	if failed != nil && d.Tries == alarmTries {
		s.Alarm(d, "failed several times")
	}
}

// Sweep rings for each report that nobody decides, once an hour.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.Clock.Now().Unix()
	for _, state := range []State{Open, Proposed} {
		var late []store.Duty
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			late, err = r.DueDuties(int64(s.Kind), int64(state), now, page)
			return err
		})
		if err != nil {
			return err
		}
		for _, d := range late {
			s.Alarm(d, "waits for somebody: "+state.String())
			err := s.Store.Update(ctx, d.Subject, func(tx *store.Tx) error {
				x, err := tx.Duty(d.Subject, d.ID)
				if err != nil || x.State != d.State {
					return err
				}
				x.Due = now + int64(ringAgain/time.Second)
				return tx.PutDuty(x)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func excerpt(text string) string {
	if len(text) > problemBytes {
		text = text[:problemBytes]
	}
	return strings.ToValidUTF8(text, "")
}
