package instrument

import (
	"slices"
	"time"
)

// Status computes where the period stands at a moment, from what has happened until then. Events
// may come in any order; of several that start the period the first counts, and what pauses it
// while it stands still already changes nothing.
func (p Period) Status(now time.Time, events []Happened, c Calendar) Status {
	r := run{period: p, calendar: c, status: Status{State: Waiting}}
	events = slices.Clone(events)
	slices.SortStableFunc(events, func(a, b Happened) int { return a.At.Compare(b.At) })
	for _, e := range events {
		if !e.At.After(now) {
			r.happened(e)
		}
	}
	return r.at(now)
}

// Limit is how long the period is: what the law gives, or else what the service promises itself.
func (p Period) Limit() Length {
	if p.Length.IsZero() {
		return p.Target
	}
	return p.Length
}

// Keeps tells whether the period is a time of keeping, which ends with its time alone.
func (p Period) Keeps() bool { return p.Ends == "" }

// run is the story of one period.
type run struct {
	period   Period
	calendar Calendar
	status   Status
	began    time.Time     // when it was last counted from its start
	paused   time.Time     // since when it stands still; zero while it does not
	still    time.Duration // how long it stood still since it began
	longer   int           // how often it was lengthened
	ended    time.Time
}

// happened takes an event in.
func (r *run) happened(e Happened) {
	started := !r.status.Started.IsZero()
	switch {
	case !r.ended.IsZero():
	case !started:
		if e.Event == r.period.Starts {
			r.status.Started, r.began = e.At, e.At
		}
	case r.period.Ends != "" && e.Event == r.period.Ends:
		r.ended = e.At
	case e.Event == Extended && !r.period.Longer.IsZero():
		r.longer++
	case r.paused.IsZero() && slices.Contains(r.period.Pauses, e.Event):
		r.paused = e.At
	case !r.paused.IsZero() && slices.Contains(r.period.Resumes, e.Event):
		if r.period.Anew {
			r.began, r.still = e.At, 0
		} else {
			r.still += e.At.Sub(r.paused)
		}
		r.paused = time.Time{}
	}
}

// due is when the period ends if it stands still no longer than that. Hours are counted as time
// passes, which is never later than Regulation 1182/71 would have it.
func (r *run) due(still time.Duration) time.Time {
	limit := r.period.Limit()
	end := r.calendar.after(r.began.Add(still), limit)
	for range r.longer {
		end = r.calendar.after(end, r.period.Longer)
	}
	if r.period.Civil && limit.Unit != Hours && limit.Unit != Minutes {
		end = r.calendar.whole(end)
	}
	return end
}

// at is the status at a moment.
func (r *run) at(now time.Time) Status {
	s := r.status
	if s.Started.IsZero() || r.period.Limit().IsZero() {
		return s
	}
	s.Own = r.period.Length.IsZero()
	due := r.due(r.still)
	moment := now
	if !r.paused.IsZero() {
		moment = r.paused
	}
	s.Left = max(due.Sub(moment), 0)
	switch {
	case !r.ended.IsZero():
		s.State, s.Due, s.Left = Met, due, 0
		if r.ended.After(due) && (r.paused.IsZero() || r.paused.After(due)) {
			s.State = Late
		}
		return s
	case r.paused.IsZero() || r.paused.After(due):
		s.Due = due
	default:
		s.State = Paused
		return s
	}
	s.State = Running
	if s.Left = max(due.Sub(now), 0); now.After(due) {
		s.State = Breached
		if r.period.Keeps() {
			s.State = Over
		}
	}
	s.Alarms, s.Next = r.alarms(now, due)
	return s
}

// alarms are how many alarms have gone off by now, and when the next one does.
func (r *run) alarms(now, due time.Time) (n int, next time.Time) {
	for _, before := range r.period.Alarms {
		at := r.calendar.after(due, Length{N: -before.N, Unit: before.Unit})
		switch {
		case !at.After(now):
			n++
		case next.IsZero() || at.Before(next):
			next = at
		}
	}
	return n, next
}
