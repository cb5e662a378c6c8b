package casefile

import (
	"math/bits"

	"parley/internal/safety"
	"parley/internal/store"
)

const hour = 60 * 60

// Clock is how long a lane's cases may take.
type Clock struct {
	// Due is within how many seconds a case is to be decided, Notice the same where a formal
	// notice asks for it, and Flagged where a trusted flagger does.
	Due, Notice, Flagged int64
}

// ClockOf is the clock of a lane. The law says "timely"; the hours are the service's own, but for
// what is said beside them.
//
// https://eur-lex.europa.eu/eli/reg/2022/2065/oj
func ClockOf(lane safety.Lane) Clock {
	switch lane {
	case safety.ChildSafety, safety.ThreatToLife:
		return Clock{Due: hour, Notice: hour, Flagged: hour}
	case safety.Terrorism:
		// Regulation (EU) 2021/784 Art. 3(3) gives an hour from an order, which has its own clock.
		return Clock{Due: 4 * hour, Notice: 4 * hour, Flagged: hour}
	case safety.IllegalContent:
		return Clock{Due: 48 * hour, Notice: 24 * hour, Flagged: 12 * hour}
	case safety.Harm:
		return Clock{Due: 48 * hour, Notice: 24 * hour, Flagged: 12 * hour}
	case safety.Appeals:
		return Clock{Due: 7 * 24 * hour, Notice: 7 * 24 * hour, Flagged: 7 * 24 * hour}
	case safety.Terms:
		return Clock{Due: 96 * hour, Notice: 48 * hour, Flagged: 24 * hour}
	default:
		return Clock{Due: 120 * hour, Notice: 72 * hour, Flagged: 48 * hour}
	}
}

// within is the time that a source's allegation gets.
func (c Clock) within(source safety.Source) int64 {
	switch source {
	case safety.Article16:
		return c.Notice
	case safety.TrustedFlagger:
		return c.Flagged
	default:
		return c.Due
	}
}

// Allegation is what joins a case: a report, a finding, an appeal.
type Allegation struct {
	Subject  safety.Subject
	Appeal   int64
	Lane     safety.Lane
	Source   safety.Source
	Category safety.Category
	Keyword  safety.Keyword
	At       int64
	// Weight is how much the reporter counts, in thousandths; 0 for one who counts nothing.
	Weight int64
	// Reach is how many people see the subject.
	Reach int64
	// By is who alleges it, when that is staff or a rule.
	By safety.Actor
	// State is that of a case that is opened, Open when zero; Lease ends a rule's turn.
	State State
	Lease int64
}

// Caps of what brings a case forward, as fractions of its lane's time: one in so many.
const (
	reachCap  = 4
	sourceCap = 4
	weightCap = 10
)

// Rank is by what the cases of a lane are taken, the lowest first: the case's due time, brought
// forward by its reach, the reliability of its source and the weight of its reports, each by a
// bounded part of the lane's time. Time itself needs no new ranking, and nothing waits for ever: a
// case that waits is overtaken only by what is due before it by more than these parts.
func Rank(c store.Case) int64 {
	lane := ClockOf(safety.Lane(c.Lane)).Due
	// Each doubling of the reach counts alike, up to a million people.
	reach := lane / reachCap * min(int64(bits.Len64(uint64(max(c.Reach, 0)))), 20) / 20
	source := int64(0)
	switch safety.Source(c.Source) {
	case safety.TrustedFlagger:
		source = lane / sourceCap
	case safety.Article16:
		source = lane / sourceCap / 2
	}
	// Each doubling of the weight counts alike, up to a hundred full reporters.
	weight := lane / weightCap * min(int64(bits.Len64(uint64(max(c.Weight, 0)))), 17) / 17
	return c.Due - reach - source - weight
}

// reliability orders sources: a case keeps the most reliable of its sources.
func reliability(s safety.Source) int {
	switch s {
	case safety.TrustedFlagger:
		return 3
	case safety.Article16:
		return 2
	case safety.Voluntary:
		return 1
	default:
		return 0
	}
}

// Join joins an allegation to the open case about its subject, or opens one under the id, in the
// transaction of the subject's peer. It tells whether the case is new.
func Join(tx *store.Tx, a Allegation, id int64) (c store.Case, fresh bool, err error) {
	c, err = tx.OpenCase(About(a.Subject, a.Appeal))
	if store.IsNotFound(err) {
		c, err = open(tx, a, id)
		return c, true, err
	}
	if err != nil {
		return c, false, err
	}
	e := Event{By: a.By}
	if a.Lane < safety.Lane(c.Lane) {
		e.Kind, e.N = LaneChanged, int64(a.Lane)
		c.Lane, c.Category, c.Keyword = int64(a.Lane), string(a.Category), string(a.Keyword)
		c.Alarmed = 0
	}
	if a.Source == safety.Voluntary && e.Kind == 0 {
		e.Kind = Found
	}
	merge(&c, a)
	if e.Kind != 0 {
		return c, false, Write(tx, &c, a.At, e)
	}
	return c, false, tx.PutCase(c)
}

// merge adds an allegation to a case's numbers.
func merge(c *store.Case, a Allegation) {
	if reliability(a.Source) > reliability(safety.Source(c.Source)) {
		c.Source = string(a.Source)
	}
	c.Due = min(c.Due, a.At+ClockOf(safety.Lane(c.Lane)).within(a.Source))
	c.Reach = max(c.Reach, a.Reach)
	c.Reports++
	c.Weight += max(a.Weight, 0)
	c.Rank = min(c.Rank, Rank(*c))
}

func open(tx *store.Tx, a Allegation, id int64) (store.Case, error) {
	c := About(a.Subject, a.Appeal)
	c.ID, c.Opened, c.State, c.Lane = id, a.At, int64(Open), int64(a.Lane)
	if a.State != 0 {
		c.State, c.Lease = int64(a.State), a.Lease
	}
	c.Source, c.Category, c.Keyword = string(a.Source), string(a.Category), string(a.Keyword)
	c.Due = a.At + ClockOf(a.Lane).within(a.Source)
	c.Rank = c.Due
	merge(&c, a)
	return c, Write(tx, &c, a.At, Event{Kind: Opened, By: a.By, N: int64(a.Lane)})
}

// Reopen opens a closed case again: an appeal or new facts want it. Its reports wait for an outcome
// anew. ErrConflict says that another case about the subject is open.
func Reopen(tx *store.Tx, c *store.Case, now int64, by safety.Actor) error {
	if c.Closed == 0 {
		return nil
	}
	c.Closed, c.State, c.Outcome, c.Staff, c.Lease, c.Alarmed = 0, int64(Open), 0, 0, 0, 0
	c.Due = now + ClockOf(safety.Lane(c.Lane)).Due
	c.Rank = Rank(*c)
	if err := tx.KeepEvidence(c.Subject, c.ID, 0); err != nil {
		return err
	}
	if err := tx.ReopenReports(c.Subject, c.ID); err != nil {
		return err
	}
	return Write(tx, c, now, Event{Kind: Reopened, By: by})
}
