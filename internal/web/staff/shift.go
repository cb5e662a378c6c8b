package staff

import (
	"context"
	"errors"
	"time"

	"parley/internal/store"
)

// Limits bound what a person has to bear in a shift.
type Limits struct {
	// Cases is how many cases he opens in a shift, Reveals how often he unveils media.
	Cases, Reveals int64
	// Work is how long he works before he rests, Rest for how long.
	Work, Rest time.Duration
	// Shift is how long after its beginning a shift ends.
	Shift time.Duration
	// PerHour is how many different cases he opens in an hour: more looks like reading, not work.
	PerHour int64
}

// withDefaults fills what was not set.
func (l Limits) withDefaults() Limits {
	d := Limits{
		Cases: 400, Reveals: 60, Work: 90 * time.Minute, Rest: 10 * time.Minute,
		Shift: 9 * time.Hour, PerHour: 50,
	}
	if l.Cases > 0 {
		d.Cases = l.Cases
	}
	if l.Reveals > 0 {
		d.Reveals = l.Reveals
	}
	if l.Work > 0 {
		d.Work = l.Work
	}
	if l.Rest > 0 {
		d.Rest = l.Rest
	}
	if l.Shift > 0 {
		d.Shift = l.Shift
	}
	if l.PerHour > 0 {
		d.PerHour = l.PerHour
	}
	return d
}

// Shift is what a member of staff has seen in his shift.
type Shift struct {
	Started   time.Time
	Cases     int64
	Reveals   int64
	RestUntil time.Time
	Limits    Limits
}

// Actions that the limits count, as the audit names them.
const (
	// OpenCase is a look at a case, Reveal one at media without a veil.
	OpenCase = "case"
	Reveal   = "reveal"
)

// Look records that a member of staff opens a case or unveils media, unless a limit forbids it:
// then ErrLimit, and the refusal is recorded. It must come before anything is shown.
func (s *Service) Look(ctx context.Context, a Act) error {
	now := s.Clock.Now()
	var refused bool
	err := s.Store.Update(ctx, key(a.Staff), func(tx *store.Tx) error {
		refused = false
		shift, err := tx.StaffShift(a.Staff)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		shift.Staff = a.Staff
		s.advance(&shift, now)
		why := s.forbidden(&shift, a.Action, now)
		if why == "" && a.Action == OpenCase {
			n, err := tx.CountStaffAudits(a.Staff, OpenCase, now.Add(-time.Hour).Unix(), "done")
			if err != nil {
				return err
			}
			if n >= s.Limits.PerHour {
				why = "too many cases in an hour"
			}
		}
		act := a
		if why != "" {
			refused, act.Refused, act.Detail = true, true, why
		} else {
			shift.Seen = now.Unix()
			if a.Action == Reveal {
				shift.Reveals++
			} else {
				shift.Cases++
			}
		}
		if err := tx.PutStaffShift(shift); err != nil {
			return err
		}
		return appendAudit(tx, now.Unix(), act)
	})
	if err == nil && refused {
		s.alarm("limit", a.Action)
		err = ErrLimit
	}
	return err
}

func (s *Service) alarm(action, detail string) {
	if s.Alarm != nil {
		s.Alarm(action, detail)
	}
}

// advance begins a new shift or a new run when it is time.
func (s *Service) advance(shift *store.StaffShift, now time.Time) {
	if now.Sub(time.Unix(shift.Started, 0)) > s.Limits.Shift {
		*shift = store.StaffShift{
			Staff: shift.Staff, Started: now.Unix(), Run: now.Unix(), Seen: now.Unix(),
			RestUntil: shift.RestUntil,
		}
	}
	if now.Sub(time.Unix(shift.Seen, 0)) >= s.Limits.Rest {
		shift.Run = now.Unix()
	}
}

// forbidden says why somebody may not look now, "" when he may. It sends him to rest.
func (s *Service) forbidden(shift *store.StaffShift, action string, now time.Time) string {
	if shift.RestUntil <= now.Unix() && now.Sub(time.Unix(shift.Run, 0)) >= s.Limits.Work {
		shift.RestUntil = now.Add(s.Limits.Rest).Unix()
		shift.Run = shift.RestUntil
	}
	switch {
	case shift.RestUntil > now.Unix():
		return "rest"
	case action == OpenCase && shift.Cases >= s.Limits.Cases:
		return "cases of the shift"
	case action == Reveal && shift.Reveals >= s.Limits.Reveals:
		return "media of the shift"
	default:
		return ""
	}
}

// Shift returns what a member of staff has seen in his shift.
func (s *Service) Shift(ctx context.Context, id int64) (Shift, error) {
	var row store.StaffShift
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		row, err = r.StaffShift(id)
		if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
		return err
	})
	s.advance(&row, s.Clock.Now())
	return Shift{
		Started: time.Unix(row.Started, 0), Cases: row.Cases, Reveals: row.Reveals,
		RestUntil: time.Unix(row.RestUntil, 0), Limits: s.Limits,
	}, err
}
