package casefile

import (
	"context"
	"errors"
	"slices"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/store"
)

// LeaseTime is how long a case stays with who took it from a queue, in seconds: then it goes back.
const LeaseTime = 30 * 60

// share is how many turns of a round a lane of ordinary cases has. A flood in one of them slows the
// others by nothing: their turns stay theirs.
func share(lane safety.Lane) int64 {
	switch lane {
	case safety.Terrorism, safety.IllegalContent:
		return 4
	case safety.Harm, safety.Appeals:
		return 3
	case safety.Terms:
		return 2
	default:
		return 1
	}
}

// emergencyRun is how many cases of the emergency lanes are handed out in a row while others wait:
// emergencies come first, and even a flood of false ones leaves the others a quarter of all turns.
const emergencyRun = 3

// round is a number that all shares divide: a lane's pass moves on by round/share with each turn.
const round = 12

// turns says which lane is next: those whose passes are behind, like in stride scheduling.
type turns struct {
	run    int64
	passes map[safety.Lane]int64
}

// order returns the lanes in the order in which they have a turn now.
func (t *turns) order(lanes []safety.Lane) []safety.Lane {
	var urgent, others []safety.Lane
	for _, l := range safety.Lanes() {
		switch {
		case !slices.Contains(lanes, l):
		case l.Emergency():
			urgent = append(urgent, l)
		default:
			others = append(others, l)
		}
	}
	slices.SortStableFunc(others, func(a, b safety.Lane) int {
		return int(t.passes[a] - t.passes[b])
	})
	if t.run >= emergencyRun {
		return append(others, urgent...)
	}
	return append(urgent, others...)
}

// took counts a turn of a lane. A lane that had nothing to hand out meanwhile saves no turns.
func (t *turns) took(lane safety.Lane) {
	if lane.Emergency() {
		t.run++
		return
	}
	t.run = 0
	if t.passes == nil {
		t.passes = make(map[safety.Lane]int64)
	}
	now := t.passes[lane]
	t.passes[lane] = now + round/share(lane)
	for _, l := range safety.Lanes() {
		t.passes[l] = max(t.passes[l], now-round)
	}
}

// Place is where a page of a queue ended; the zero Place is its beginning.
type Place struct{ Rank, ID int64 }

// PlaceOf is the place after a case.
func PlaceOf(c store.Case) Place { return Place{c.Rank, c.ID} }

// Queue returns up to limit cases of a lane that wait to be taken, after a place, in their order.
func Queue(r *store.Reader, lane safety.Lane, after Place, limit int) ([]store.Case, error) {
	return InState(r, lane, Open, after, limit)
}

// InState returns up to limit cases of a lane in a state, after a place, in their order.
func InState(
	r *store.Reader, lane safety.Lane, state State, after Place, limit int,
) ([]store.Case, error) {
	if after == (Place{}) {
		after.Rank = -1 << 62
	}
	return r.QueuedCases(int64(lane), int64(state), after.Rank, after.ID, limit)
}

// Count is how many cases of a lane wait, and the first of them.
type Count struct {
	Lane safety.Lane
	// Waiting and InReview are exact up to the bound that was asked for.
	Waiting, InReview int64
	// Oldest is when the case that is next was opened, 0 when none waits.
	Oldest int64
}

// Counts returns the counts of all lanes, each up to most.
func Counts(r *store.Reader, most int) ([]Count, error) {
	var out []Count
	for _, lane := range safety.Lanes() {
		c := Count{Lane: lane}
		var err error
		if c.Waiting, err = r.CountCases(int64(lane), int64(Open), most); err != nil {
			return nil, err
		}
		if c.InReview, err = r.CountCases(int64(lane), int64(InReview), most); err != nil {
			return nil, err
		}
		first, err := Queue(r, lane, Place{}, 1)
		if err != nil {
			return nil, err
		}
		if len(first) > 0 {
			c.Oldest = first[0].Opened
		}
		out = append(out, c)
	}
	return out, nil
}

// nextPage is among how many waiting cases of a lane Next looks for one that nobody else takes.
const nextPage = 8

// Next hands a member of staff the case that is next in the lanes that he may work on, and leases
// it to him. ErrNone says that nothing waits.
func (s *Service) Next(
	ctx context.Context, staff int64, lanes []safety.Lane,
) (store.Case, error) {
	s.mu.Lock()
	order := s.turns.order(lanes)
	s.mu.Unlock()
	for _, lane := range order {
		var waiting []store.Case
		err := s.Store.View(ctx, func(r *store.Reader) (err error) {
			waiting, err = Queue(r, lane, Place{}, nextPage)
			return err
		})
		if err != nil {
			return store.Case{}, err
		}
		for _, c := range waiting {
			got, err := s.Claim(ctx, c.Subject, c.ID, staff)
			if errors.Is(err, ErrTaken) || errors.Is(err, ErrClosed) {
				continue
			}
			if err == nil {
				s.mu.Lock()
				s.turns.took(lane)
				s.mu.Unlock()
			}
			return got, err
		}
	}
	return store.Case{}, ErrNone
}

// Claim leases a case to a member of staff. One's own is leased anew; ErrTaken says that somebody
// else has it.
func (s *Service) Claim(
	ctx context.Context, subject ids.Peer, id, staff int64,
) (store.Case, error) {
	return s.change(ctx, subject, id, func(c *store.Case, now int64) (Event, error) {
		second := State(c.State) == AwaitsSecond && (c.Reviewer == 0 || c.Reviewer == staff)
		if State(c.State) != Open && !second && c.Staff != staff &&
			(c.Lease == 0 || c.Lease >= now) {
			return Event{}, ErrTaken
		}
		if second {
			c.Reviewer, c.Lease = staff, now+LeaseTime
		} else {
			c.Staff, c.State, c.Lease = staff, int64(InReview), now+LeaseTime
		}
		return Event{Kind: Claimed, By: safety.Actor{Staff: staff}}, nil
	})
}

// Release gives a case back to its queue.
func (s *Service) Release(
	ctx context.Context, subject ids.Peer, id, staff int64,
) (store.Case, error) {
	return s.change(ctx, subject, id, func(c *store.Case, _ int64) (Event, error) {
		if c.Staff != staff {
			return Event{}, ErrTaken
		}
		c.Staff, c.Lease, c.State = 0, 0, int64(Open)
		return Event{Kind: Released, By: safety.Actor{Staff: staff}}, nil
	})
}

// Assign gives a case to a member of staff until it is closed or released.
func (s *Service) Assign(
	ctx context.Context, subject ids.Peer, id, to int64, by safety.Actor,
) (store.Case, error) {
	return s.change(ctx, subject, id, func(c *store.Case, _ int64) (Event, error) {
		c.Staff, c.Lease, c.State = to, 0, int64(InReview)
		return Event{Kind: Assigned, By: by, N: to}, nil
	})
}

// Escalate moves a case to another lane and back into its queue.
func (s *Service) Escalate(
	ctx context.Context, subject ids.Peer, id int64, to safety.Lane, by safety.Actor, why string,
) (store.Case, error) {
	return s.change(ctx, subject, id, func(c *store.Case, now int64) (Event, error) {
		c.Lane, c.Staff, c.Lease, c.State, c.Alarmed = int64(to), 0, 0, int64(Open), 0
		c.Due = min(c.Due, now+ClockOf(to).Due)
		c.Rank = Rank(*c)
		return Event{Kind: Escalated, By: by, N: int64(to), Text: why}, nil
	})
}

// AskSecond asks for a second opinion: of one member of staff, or of whoever is free for 0.
func (s *Service) AskSecond(
	ctx context.Context, subject ids.Peer, id, of int64, by safety.Actor, why string,
) (store.Case, error) {
	return s.change(ctx, subject, id, func(c *store.Case, _ int64) (Event, error) {
		c.State, c.Reviewer, c.Lease = int64(AwaitsSecond), of, 0
		return Event{Kind: AskedSecond, By: by, N: of, Text: why}, nil
	})
}

// GiveSecond writes a second opinion down and gives the case back to who asked for it.
func (s *Service) GiveSecond(
	ctx context.Context, subject ids.Peer, id int64, by safety.Actor, opinion string,
) (store.Case, error) {
	return s.change(ctx, subject, id, func(c *store.Case, _ int64) (Event, error) {
		if State(c.State) != AwaitsSecond || by.Staff == c.Staff {
			return Event{}, ErrTaken
		}
		c.State, c.Reviewer, c.Lease = int64(InReview), by.Staff, 0
		if c.Staff == 0 {
			c.State = int64(Open)
		}
		return Event{Kind: GaveSecond, By: by, Text: opinion}, nil
	})
}

// Await notes that the next move is somebody's outside.
func (s *Service) Await(
	ctx context.Context, subject ids.Peer, id int64, by safety.Actor, why string,
) (store.Case, error) {
	return s.change(ctx, subject, id, func(c *store.Case, _ int64) (Event, error) {
		c.State, c.Lease = int64(AwaitsOther), 0
		return Event{Kind: Waiting, By: by, Text: why}, nil
	})
}

// Note adds a note: an internal one, or one that the person concerned and the notifiers may read.
func (s *Service) Note(
	ctx context.Context, subject ids.Peer, id int64, by safety.Actor, text string, public bool,
) (store.Case, error) {
	return s.change(ctx, subject, id, func(*store.Case, int64) (Event, error) {
		return Event{Kind: Noted, By: by, Text: text, Public: public}, nil
	})
}

// Work is what a member of staff did since a time: how many events of each kind.
func Work(r *store.Reader, staff, since int64) (map[EventKind]int64, error) {
	counts, err := r.StaffEvents(staff, since)
	out := make(map[EventKind]int64, len(counts))
	for kind, n := range counts {
		out[EventKind(kind)] = n
	}
	return out, err
}
