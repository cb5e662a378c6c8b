package order

import (
	"context"
	"errors"
	"slices"

	"parley/internal/safety/instrument"
	"parley/internal/safety/policy"
)

// Objection is a ground for refusal that a notified authority has raised.
type Objection struct {
	Ground Ground `json:"ground"`
	// Note is what the authority said, and how it came.
	Note  string `json:"note"`
	Staff int64  `json:"staff"`
	At    int64  `json:"at"`
}

// Ground is why a notified authority objects.
//
// https://eur-lex.europa.eu/eli/reg/2023/1543/oj, Art. 12(1)
type Ground string

// The grounds, in the order of the article.
const (
	Immunity    Ground = "immunity"           // or a privilege, or the freedom of the press
	Rights      Ground = "fundamental-rights" // would be manifestly breached
	NeBisInIdem Ground = "ne-bis-in-idem"
	NoOffence   Ground = "no-offence" // where it would be enforced
)

// Grounds are all grounds.
func Grounds() []Ground { return []Ground{Immunity, Rights, NeBisInIdem, NoOffence} }

// ErrObjection says that an authority that was notified may still object: nothing is handed out.
var ErrObjection = errors.New("order: an authority that was notified may still object")

// objecting is the period in which a notified authority may object; false for an order of which
// none was notified.
func (o Order) objecting() (instrument.Period, bool) {
	for _, p := range o.Verdict.Periods {
		if p.Owner == instrument.Theirs && p.Ends == instrument.Cleared {
			return p, true
		}
	}
	return instrument.Period{}, false
}

// suspended is the time in which a notified authority's objection has what was asked wait; false
// for an order that waits for none, or no more.
func (o Order) suspended(now int64) (instrument.Status, bool) {
	p, ok := o.objecting()
	if !ok || !o.State.Open() || !slices.Contains(o.Verdict.Duties, policy.WaitObjection) {
		return instrument.Status{}, false
	}
	st := p.Status(moment(now), o.Happened, instrument.Calendar{})
	return st, st.State == instrument.Running || st.State == instrument.Paused ||
		st.State == instrument.Breached
}

// Waits tells whether an open order's data waits for the objection of a notified authority at a
// time, and until when, in Unix seconds; 0 while that time stands still.
func (o Order) Waits(now int64) (until int64, waits bool) {
	st, ok := o.suspended(now)
	switch {
	case !ok || st.State == instrument.Breached:
		return 0, false
	case st.Due.IsZero():
		return 0, true
	default:
		return st.Due.Unix(), st.Due.Unix() > now
	}
}

// outOfTime notes that the time of a notified authority is over, once, and tells whether it was
// now: from then on the data is to be handed over.
func (w *work) outOfTime() (bool, error) {
	st, ok := w.o.suspended(w.now)
	if !ok || st.Due.IsZero() || st.Due.Unix() > w.now {
		return false, nil
	}
	w.happened(instrument.Cleared)
	return true, w.event(WasCleared, By{}, "no objection came in time")
}

// Clear records that the notified authority has said that it raises no ground for refusal, before
// its time was over: the data may be handed over at once. note says who said so, and how. ErrState
// is for an order that waits for no such word.
func (s *Service) Clear(ctx context.Context, staff, of, id int64, note string) (Order, error) {
	if !filled(note) || staff <= 0 {
		return Order{}, ErrReason
	}
	o, err := s.change(ctx, of, id, func(w *work) error {
		if _, waits := w.o.Waits(w.now); !waits || w.o.State == Ending {
			return ErrState
		}
		w.happened(instrument.Cleared)
		return w.event(WasCleared, By{Staff: staff}, note)
	})
	if err == nil {
		s.alarm(o, "cleared by the notified authority: the data can be handed over")
	}
	return o, err
}

// Object records that the notified authority has raised a ground for refusal in time. What has not
// been handed over is refused with it. In an emergency the data may be gone: then it is for the
// issuing authority to delete it or to use it as it is told (Art. 10(4)), and what it has not
// fetched yet it does not get. ErrState is for an order of which nobody was notified, or that was
// cleared, and for an objection that came too late.
func (s *Service) Object(
	ctx context.Context, staff, of, id int64, ground Ground, note string,
) (Order, error) {
	if !slices.Contains(Grounds(), ground) || !filled(note) || staff <= 0 {
		return Order{}, ErrReason
	}
	o, err := s.change(ctx, of, id, func(w *work) error {
		if !w.o.Objectable(w.now) {
			return ErrState
		}
		w.o.Objected = &Objection{Ground: ground, Note: note, Staff: staff, At: w.now}
		text := string(ground) + ": " + note
		if err := w.event(WasObjected, By{Staff: staff}, text); err != nil {
			return err
		}
		if w.o.State == Answered {
			return nil
		}
		return w.refuse("objection-"+string(ground), w.because("objected").and(note))
	})
	if err == nil {
		s.alarm(o, "the notified authority objects: "+string(ground))
	}
	return o, err
}

// Objectable tells whether an objection counts now.
func (o Order) Objectable(now int64) bool {
	p, notified := o.objecting()
	if !notified || o.Objected != nil || o.State == Ending || o.State > Answered {
		return false
	}
	st := p.Status(moment(now), o.Happened, instrument.Calendar{}).State
	return st == instrument.Running || st == instrument.Paused
}
