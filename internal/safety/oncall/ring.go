package oncall

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/internal/safety/owed"
	"parley/internal/store"
)

// What a call is for, and how far it is. Values are stored.
const (
	wakes = 1
	tells = 2

	callOwed   = 1
	callMade   = 2
	callFailed = 3
	callMoot   = 4
)

// The ways on which people are called. Values are stored.
const (
	byHook = "hook"
	byMail = "mail"
	byChat = "chat"
)

const (
	// page is how many alerts and calls are looked at in one go.
	page = 100
	// tries is how often a call is tried.
	tries = 6
	// callers is how many calls are made at once.
	callers = 8
	// period is at most how late the next level is called.
	period = 5 * time.Second
)

// between is the time between two tries of a call.
func between() owed.Backoff { return owed.Backoff{First: 5 * time.Second, Last: time.Minute} }

// Call is one call of one person on one way.
type Call struct {
	Round, N    int64
	Person, Way string
	// Made is when, 0 for one that was not; Reason says why it failed.
	Made   int64
	Tries  int64
	Reason string
	// Tells is set for a call that says that somebody confirmed.
	Tells bool
}

// Calls returns the calls of an alert, in order.
func Calls(r *store.Reader, alert int64) (out []Call, err error) {
	rows, err := r.AlertCalls(alert)
	for _, x := range rows {
		c := Call{
			Round: x.Round, N: x.N, Person: x.Person, Way: x.Way, Tries: x.Tries, Reason: x.Reason,
			Tells: x.What == tells,
		}
		if x.State == callMade {
			c.Made = x.Ended
		}
		out = append(out, c)
	}
	return out, err
}

// Ring rings until ctx ends; failed hears of the errors of rounds.
func (s *Service) Ring(ctx context.Context, failed func(error)) {
	s.Run(ctx, period, failed, s.Step)
}

// Step calls whoever is to be called now, and returns when all of these calls were tried. It may
// run twice.
func (s *Service) Step(ctx context.Context) error {
	for {
		rang, err := owed.Drain(ctx, s.dueAlerts, s.rounds)
		if err != nil {
			return err
		}
		called, err := owed.Drain(ctx, s.dueCalls, s.calls)
		if err != nil || rang+called == 0 {
			return err
		}
	}
}

func (s *Service) dueAlerts(ctx context.Context) (list []store.Alert, err error) {
	now := s.Clock.Now().Unix()
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		list, err = r.DueAlerts(now, page)
		return err
	})
	return list, err
}

func (s *Service) rounds(ctx context.Context, list []store.Alert) (int, error) {
	for i, x := range list {
		if err := s.round(ctx, x.ID); err != nil {
			return i, err
		}
	}
	return len(list), nil
}

// round has the next level of an alert called: everybody, when the last one did not answer.
func (s *Service) round(ctx context.Context, id int64) error {
	var loud *Alert
	err := s.Store.Update(ctx, store.AlertKey(id), func(tx *store.Tx) error {
		loud = nil
		a, err := Of(&tx.Reader, id)
		if err != nil {
			return err
		}
		now := s.Clock.Now().Unix()
		if a.Next == 0 || a.Next > now {
			return nil
		}
		calls, err := tx.AlertCalls(id)
		if err != nil {
			return err
		}
		a.Round++
		a.Next = now + int64(s.Wait/time.Second)
		var people []Person
		if a.Round <= int64(len(s.Levels)) {
			people = s.Levels[a.Round-1]
		} else {
			loud = &a
			for _, level := range s.Levels {
				people = append(people, level...)
			}
		}
		n := int64(len(calls))
		for _, p := range people {
			for _, way := range p.ways() {
				n++
				err := tx.PutAlertCall(store.AlertCall{
					Alert: id, N: n, Round: a.Round, What: wakes, Person: p.Name, Way: way,
					State: callOwed, Due: now,
				})
				if err != nil {
					return err
				}
			}
		}
		if n == int64(len(calls)) && loud == nil {
			a.Next = now // nobody in this level can be called
		}
		return tx.ChangeAlert(a.row())
	})
	if err == nil && loud != nil {
		if loud.Round == int64(len(s.Levels))+1 { // the rounds that follow say nothing new
			s.Log.Error("NOBODY HAS ANSWERED the emergency line", "kind", string(loud.Kind),
				"alert", loud.ID)
		}
		s.Unanswered(*loud)
	}
	return err
}

// ways are those on which a person is called.
func (p Person) ways() (out []string) {
	for _, w := range []struct{ to, way string }{
		{p.Hook, byHook}, {p.Mail, byMail}, {p.Account, byChat},
	} {
		if w.to != "" {
			out = append(out, w.way)
		}
	}
	return out
}

func (s *Service) dueCalls(ctx context.Context) (list []store.AlertCall, err error) {
	now := s.Clock.Now().Unix()
	err = s.Store.View(ctx, func(r *store.Reader) (err error) {
		list, err = r.DueAlertCalls(now, page)
		return err
	})
	return list, err
}

// calls makes calls, several at once: none waits for another's receiver.
func (s *Service) calls(ctx context.Context, list []store.AlertCall) (int, error) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(callers)
	for _, c := range list {
		g.Go(func() error { return s.call(ctx, c) })
	}
	return len(list), g.Wait()
}

// call makes one call and notes what came of it.
func (s *Service) call(ctx context.Context, c store.AlertCall) error {
	var a Alert
	err := s.Store.View(ctx, func(r *store.Reader) (err error) {
		a, err = Of(r, c.Alert)
		return err
	})
	if err != nil {
		return err
	}
	if c.What == wakes && a.State != Ringing {
		c.State = callMoot // somebody confirmed meanwhile
		return s.note(ctx, c)
	}
	temporary, err := s.make(ctx, a, c)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	now := s.Clock.Now()
	c.Tries++
	switch {
	case err == nil:
		c.State, c.Ended, c.Reason = callMade, now.Unix(), ""
		s.Called(c.Way, true)
	case temporary && c.Tries < tries:
		c.Due, c.Reason = now.Add(between().After(c.Tries)).Unix(), err.Error()
	default:
		c.State, c.Ended, c.Reason = callFailed, now.Unix(), err.Error()
		s.Called(c.Way, false)
	}
	if err != nil {
		s.Log.Warn("a call of the emergency line failed", "alert", c.Alert, "way", c.Way,
			"person", c.Person, "again", c.State == callOwed, "error", err)
	}
	return s.note(ctx, c)
}

// note writes down how far a call is. When no call of a level could be made the next one is called
// at once: to wait for nobody helps nobody.
func (s *Service) note(ctx context.Context, c store.AlertCall) error {
	return s.Store.Update(ctx, store.AlertKey(c.Alert), func(tx *store.Tx) error {
		calls, err := tx.AlertCalls(c.Alert)
		if err != nil {
			return err
		}
		if err := tx.PutAlertCall(c); err != nil {
			return err
		}
		if c.State != callFailed || c.What != wakes {
			return nil
		}
		for _, x := range calls {
			if x.N != c.N && x.Round == c.Round && x.State != callFailed {
				return nil
			}
		}
		a, err := Of(&tx.Reader, c.Alert)
		if err != nil || a.State != Ringing || a.Round != c.Round ||
			a.Round > int64(len(s.Levels)) {
			return err
		}
		a.Next = s.Clock.Now().Unix()
		return tx.ChangeAlert(a.row())
	})
}

// Confirm stops an alert, because somebody deals with it, and tells the others who were called.
// The first who confirms is who has it: the alert says who that was, also when he asks again.
func (s *Service) Confirm(ctx context.Context, id int64, by, via string) (a Alert, err error) {
	err = s.Store.Update(ctx, store.AlertKey(id), func(tx *store.Tx) error {
		if a, err = Of(&tx.Reader, id); err != nil || a.State == Confirmed {
			return err
		}
		calls, err := tx.AlertCalls(id)
		if err != nil {
			return err
		}
		now := s.Clock.Now().Unix()
		a.State, a.Next, a.Confirmed, a.By, a.Via = Confirmed, 0, now, by, via
		n := int64(len(calls))
		type whom struct{ person, way string }
		told := map[whom]bool{}
		for _, c := range calls {
			to := whom{c.Person, c.Way}
			if c.State == callOwed {
				c.State, c.Ended = callMoot, now
				if err := tx.PutAlertCall(c); err != nil {
					return err
				}
			}
			if c.State != callMade || c.Person == by || told[to] {
				continue
			}
			told[to] = true
			n++
			err := tx.PutAlertCall(store.AlertCall{
				Alert: id, N: n, Round: c.Round, What: tells, Person: c.Person, Way: c.Way,
				State: callOwed, Due: now,
			})
			if err != nil {
				return err
			}
		}
		return tx.ChangeAlert(a.row())
	})
	s.Wake()
	return a, err
}
