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
// then ErrLimit, and the refusal is recorded. It must come before anything is shown. A case that
// he has opened in the same shift is recorded again and counts once.
func (s *Service) Look(ctx context.Context, a Act) error {
	now := s.Clock.Now()
	var refused bool
	err := s.Store.Update(ctx, key(a.Staff), func(tx *store.Tx) error {
		refused = false
		shift, err := tx.StaffShift(a.Staff)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		shift.Staff, err = a.Staff, nil
		s.advance(&shift, now)
		fresh, why := true, s.resting(&shift, now)
		if why == "" && a.Action == OpenCase {
			fresh, why, err = s.countCase(tx, shift, a, now)
		} else if why == "" && shift.Reveals >= s.Limits.Reveals {
			why = "media of the shift"
		}
		if err != nil {
			return err
		}
		act := a
		switch {
		case why != "":
			refused, act.Refused, act.Detail = true, true, why
		case a.Action == Reveal:
			shift.Seen = now.Unix()
			shift.Reveals++
		default:
			shift.Seen = now.Unix()
			if fresh {
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

// resting says why somebody may look at nothing now, "" when he may. It sends him to rest.
func (s *Service) resting(shift *store.StaffShift, now time.Time) string {
	if shift.RestUntil <= now.Unix() && now.Sub(time.Unix(shift.Run, 0)) >= s.Limits.Work {
		shift.RestUntil = now.Add(s.Limits.Rest).Unix()
		shift.Run = shift.RestUntil
	}
	if shift.RestUntil > now.Unix() {
		return "rest"
	}
	return ""
}

// countCase tells whether somebody has not opened the case in this shift yet, and why he may not
// open it.
func (s *Service) countCase(
	tx *store.Tx, shift store.StaffShift, a Act, now time.Time,
) (fresh bool, why string, err error) {
	_, seen, err := tx.CountStaffCases(a.Staff, OpenCase, shift.Started-1, a.Case)
	if err != nil || seen {
		return false, "", err
	}
	hour, _, err := tx.CountStaffCases(a.Staff, OpenCase, now.Add(-time.Hour).Unix(), a.Case)
	switch {
	case err != nil:
	case shift.Cases >= s.Limits.Cases:
		why = "cases of the shift"
	case hour >= s.Limits.PerHour:
		why = "too many cases in an hour"
	}
	return true, why, err
}

// Rest sends a member of staff to rest at his own wish: he looks at nothing until it is over.
func (s *Service) Rest(ctx context.Context, id int64) error {
	now := s.Clock.Now()
	return s.Store.Update(ctx, key(id), func(tx *store.Tx) error {
		shift, err := tx.StaffShift(id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		shift.Staff = id
		s.advance(&shift, now)
		shift.RestUntil = now.Add(s.Limits.Rest).Unix()
		shift.Run = shift.RestUntil
		return tx.PutStaffShift(shift)
	})
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
