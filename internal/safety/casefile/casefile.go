// Package casefile keeps cases: what is to be decided about a subject, whose move it is, and until
// when. Reports on the same subject join one open case. It decides nothing and tells nobody.
//
// Invariants: every open case has a due time and a state that says whose move is next; how many
// reported can bring a case forward within its lane by a bounded time and does nothing else; a
// case's events are only ever added to.
package casefile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/clock"
	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/store"
)

// State is how far a case is, and so whose move it is. Values are stored.
type State int64

// The states. Open, InReview, AwaitsSecond and AwaitsOther are of open cases.
const (
	// Open waits for somebody to take it.
	Open State = 1
	// InReview is with the member of staff that it names.
	InReview State = 2
	// AwaitsSecond waits for a second opinion or a second signature.
	AwaitsSecond State = 3
	// AwaitsOther waits for somebody outside: the author's answer, an authority's.
	AwaitsOther State = 4
	// WithRule waits for the rule that may decide alone; when its lease ends people do.
	WithRule State = 5
	// Decided was closed by a decision, Dismissed without a measure.
	Decided   State = 9
	Dismissed State = 10
)

// String is the state's name in pages and files.
func (s State) String() string {
	switch s {
	case Open:
		return "open"
	case InReview:
		return "in-review"
	case AwaitsSecond:
		return "awaits-second"
	case AwaitsOther:
		return "awaits-other"
	case WithRule:
		return "with-rule"
	case Decided:
		return "decided"
	case Dismissed:
		return "dismissed"
	default:
		return "unknown"
	}
}

// Move is who has to do something next.
func (s State) Move() string {
	switch s {
	case Open:
		return "queue"
	case InReview:
		return "reviewer"
	case AwaitsSecond:
		return "second reviewer"
	case AwaitsOther:
		return "outside"
	case WithRule:
		return "rule"
	default:
		return "nobody"
	}
}

// Outcome is how a case ended for those who reported. Values are stored.
type Outcome int64

// The outcomes.
const (
	// Upheld led to a measure, Partly to less than was asked for.
	Upheld Outcome = 1
	Partly Outcome = 2
	// Refuted led to none, and the report could be made in good faith; Unfounded was manifestly
	// so not.
	Refuted   Outcome = 3
	Unfounded Outcome = 4
)

// Errors of this package.
var (
	// ErrTaken says that somebody else has the case.
	ErrTaken = errors.New("casefile: somebody else has the case")
	// ErrClosed says that the case is closed already.
	ErrClosed = errors.New("casefile: the case is closed")
	// ErrNone says that no case waits in any of the lanes.
	ErrNone = errors.New("casefile: nothing waits")
)

// Subject is what a case is about.
func Subject(c store.Case) safety.Subject {
	return safety.Subject{
		Peer: c.Subject, Kind: safety.Kind(c.Kind), Item: c.Item, Author: c.Author,
	}
}

// About returns a case row that names what it is about, for finding it.
func About(s safety.Subject, appeal int64) store.Case {
	c := store.Case{Subject: s.Peer, Kind: int64(s.Kind), Item: s.Item, Author: s.Author,
		Appeal: appeal}
	if s.Kind == safety.Reaction {
		c.Who = s.Author
	}
	return c
}

// Service keeps cases.
type Service struct {
	Store  *store.Store
	Clock  clock.Clock
	Random io.Reader
	// Alarm hears of every case that is overdue, once; nil hears nothing.
	Alarm func(c store.Case)

	mu    sync.Mutex
	turns turns
}

// EventKind is what happened to a case. Values are stored.
type EventKind int64

// The kinds of events.
const (
	Opened       EventKind = 1
	LaneChanged  EventKind = 2
	Claimed      EventKind = 3
	Released     EventKind = 4
	Assigned     EventKind = 5
	Escalated    EventKind = 6
	Noted        EventKind = 7
	AskedSecond  EventKind = 8
	GaveSecond   EventKind = 9
	Waiting      EventKind = 10
	Overdue      EventKind = 11
	Closed       EventKind = 12
	Looked       EventKind = 13
	Found        EventKind = 14
	LeaseLapsed  EventKind = 15
	Reopened     EventKind = 16
	EvidenceHeld EventKind = 17
	// Barred says that the person concerned may not be told, by what and until when; BarLifted that
	// he may.
	Barred    EventKind = 18
	BarLifted EventKind = 19
	// OutcomeChanged says that the decision was reversed or replaced, and what the outcome is now.
	OutcomeChanged EventKind = 20
	// ToldOthers says what becomes of a report to somebody outside whom the law wants told.
	ToldOthers EventKind = 21
)

// Event is what is told of something that happened to a case.
type Event struct {
	Kind EventKind
	By   safety.Actor
	// Public lets the person concerned and the notifiers read it.
	Public bool
	Text   string
	// N is a lane, a member of staff, an outcome: what the kind is about.
	N int64
}

// told is an event's body as it is stored.
type told struct {
	Text string `cbor:"1,keyasint,omitempty"`
	N    int64  `cbor:"2,keyasint,omitempty"`
}

// Write adds an event to a case and writes the case with it, in the transaction of the subject's
// peer. c is the row as it is to be; its count of events moves on.
func Write(tx *store.Tx, c *store.Case, now int64, e Event) error {
	body, err := cbor.Marshal(told{e.Text, e.N})
	if err != nil {
		return fmt.Errorf("casefile: event: %w", err)
	}
	c.Events++
	if err := tx.PutCase(*c); err != nil {
		return err
	}
	return tx.AddCaseEvent(store.CaseEvent{
		Subject: c.Subject, Case: c.ID, N: c.Events, At: now, Staff: e.By.Staff, Rule: e.By.Rule,
		Kind: int64(e.Kind), Public: e.Public, Body: body,
	})
}

// Past is an event that was read.
type Past struct {
	Event
	N, At int64
}

// Events returns up to limit events of a case after a number, in order.
func Events(r *store.Reader, c store.Case, after int64, limit int) ([]Past, error) {
	rows, err := r.CaseEvents(c.Subject, c.ID, after, limit)
	if err != nil {
		return nil, err
	}
	out := make([]Past, len(rows))
	for i, x := range rows {
		var t told
		if err := cbor.Unmarshal(x.Body, &t); err != nil {
			return nil, fmt.Errorf("casefile: event %d of %d: %w", x.N, x.Case, err)
		}
		out[i] = Past{N: x.N, At: x.At, Event: Event{Kind: EventKind(x.Kind), Public: x.Public,
			By: safety.Actor{Staff: x.Staff, Rule: x.Rule}, Text: t.Text, N: t.N}}
	}
	return out, nil
}

// change runs fn on an open case and writes what it made of it with an event.
func (s *Service) change(
	ctx context.Context, subject ids.Peer, id int64,
	fn func(c *store.Case, now int64) (Event, error),
) (out store.Case, err error) {
	err = s.Store.Update(ctx, subject, func(tx *store.Tx) error {
		c, err := tx.Case(subject, id)
		if err != nil {
			return err
		}
		if c.Closed != 0 {
			return ErrClosed
		}
		now := s.Clock.Now().Unix()
		e, err := fn(&c, now)
		if err != nil {
			return err
		}
		out = c
		return Write(tx, &out, now, e)
	})
	return out, err
}
